//! Elementary functions that vectorise.

/// e^x by range reduction to [-ln2/2, ln2/2] and a degree-6 polynomial; relative error below 2e-7.
///
/// Inputs below -87 give (nearly) 0, above 88 the largest power that fits; NaN gives NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LOG2E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts, so that n * ln 2 is subtracted without loss.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer on any processor.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * LOG2E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_6e-1;
    let p = p * r + 5e-1;
    let p = p * r * r + r + 1.0;
    // The integer n, |n| <= 127 after the clamp, stands in the low bits of `rounded`: no cast, which for
    // NaN would have no value. For NaN these bits mean nothing, and p is NaN already.
    let n = rounded.to_bits().wrapping_sub(ROUND.to_bits());
    p * f32::from_bits(n.wrapping_add(127) << 23)
}

/// x * sigmoid(x).
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    #[test]
    fn exp_is_close_to_the_double_one() {
        let mut worst = 0f64;
        for i in -8600..8700 {
            let x = i as f32 * 0.01;
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(super::exp(x)) - exact).abs() / exact);
        }
        assert!(worst < 2e-7, "{worst}");
    }

    /// As it was when it was first held against the library's, to the last bit.
    #[test]
    fn exp_takes_the_integer_as_a_cast_would() {
        for i in -1_000_000..1_000_000 {
            let x = (i as f32 * 1e-4).clamp(-87.0, 88.0);
            let n = (x * std::f32::consts::LOG2_E + 12_582_912.0) - 12_582_912.0;
            let exponent = ((n as i32 + 127) << 23) as u32;
            let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
            let p = [
                1.398_199_9e-3,
                8.333_452e-3,
                4.166_579_6e-2,
                1.666_666_6e-1,
                5e-1,
            ];
            let p = p.iter().fold(1.987_569_1e-4, |p, c| p * r + c);
            let right = (p * r * r + r + 1.0) * f32::from_bits(exponent);
            assert_eq!(super::exp(x).to_bits(), right.to_bits(), "{x}");
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        assert!(super::exp(f32::NAN).is_nan());
        assert!(super::exp(-f32::NAN).is_nan());
        assert!(super::silu(f32::NAN).is_nan());
        assert!(super::exp(f32::INFINITY) > 1e38);
        assert!(super::exp(f32::NEG_INFINITY) < 1e-37);
    }
}
