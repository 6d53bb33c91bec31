//! Functions that give the same bits everywhere.

use std::f64::consts::TAU;

/// The exponential, within a hundred-thousandth of its value; 0 below -87.
pub(super) fn exp(x: f32) -> f32 {
    exp2(x * std::f32::consts::LOG2_E)
}

/// Two to the power of `x`; 0 below -126, and no more than 2 to the 126.
pub(super) fn exp2(x: f32) -> f32 {
    if x < -126.0 {
        return 0.0;
    }
    let x = x.min(126.0);
    // Adding and taking away 1.5 * 2^23 rounds to a whole number.
    let whole = (x + 12_582_912.0) - 12_582_912.0;
    let r = (x - whole) * std::f32::consts::LN_2;
    let series = 1.0
        + r * (1.0
            + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r / 720.0)))));
    series * f32::from_bits(((whole as i32 + 127) as u32) << 23)
}

/// The logarithm to base 2 of a positive normal number.
pub(super) fn log2(x: f32) -> f32 {
    let bits = x.to_bits();
    // The mantissa between the root of one half and the root of two.
    let exponent = (bits.wrapping_sub(0x3f35_04f3) as i32) >> 23;
    let m = f32::from_bits(bits.wrapping_sub((exponent << 23) as u32));
    let t = (m - 1.0) / (m + 1.0);
    let t2 = t * t;
    let series = 1.0 + t2 * (1.0 / 3.0 + t2 * (0.2 + t2 * (1.0 / 7.0 + t2 / 9.0)));
    exponent as f32 + 2.0 * std::f32::consts::LOG2_E * t * series
}

/// `base` to the power of `exponent`; 0 for a base of 0 or less.
pub(super) fn power(base: f32, exponent: f32) -> f32 {
    if base > f32::MIN_POSITIVE {
        exp2(exponent * log2(base))
    } else {
        0.0
    }
}

/// The bell `exp(-x^2)` of a square; what is past four widths is nothing.
pub(super) fn bell(square: f32) -> f32 {
    if square < 16.0 { exp(-square) } else { 0.0 }
}

/// Sine and cosine of an angle in radians, of no more than some turns.
pub(super) fn sine_cosine(angle: f64) -> (f64, f64) {
    // Adding and taking away 1.5 * 2^52 rounds to a whole number.
    let quarter = (angle * (4.0 / TAU) + 6_755_399_441_055_744.0) - 6_755_399_441_055_744.0;
    let r = angle - quarter * (TAU / 4.0);
    let r2 = r * r;
    let mut sine = 0.0;
    let mut cosine = 0.0;
    // Taylor's series from the last term; on an eighth of a turn 1e-16 is left.
    for k in (0..8).rev() {
        let k2 = 2.0 * f64::from(k);
        sine = 1.0 - sine * r2 / ((k2 + 2.0) * (k2 + 3.0));
        cosine = 1.0 - cosine * r2 / ((k2 + 1.0) * (k2 + 2.0));
    }
    sine *= r;
    match (quarter as i64).rem_euclid(4) {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

/// The angle whose tangent is `t`, in radians.
pub(super) fn arc_tangent(t: f64) -> f64 {
    // Halving the angle three times leaves a tangent below 0.2.
    let half = |t: f64| t / (1.0 + (1.0 + t * t).sqrt());
    let t = half(half(half(t)));
    let t2 = t * t;
    let mut series = 0.0;
    for k in (0..12).rev() {
        series = 1.0 / (2.0 * f64::from(k) + 1.0) - t2 * series;
    }
    8.0 * t * series
}

/// The whole number at or below `x`, and what is left. A cast truncates; `floor` is a call on some processors.
pub(super) fn split(x: f32) -> (i32, f32) {
    let whole = x as i32;
    let whole = if whole as f32 > x {
        whole.wrapping_sub(1)
    } else {
        whole
    };
    (whole, x - whole as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_what_they_are_called() {
        for i in -8000..8000 {
            let x = i as f32 * 0.01;
            let relative = |found: f32, x: f64| (f64::from(found) / x - 1.0).abs();
            assert!(relative(exp(x), f64::from(x).exp()) < 1e-5, "{x}");
            let positive = exp(x);
            assert!((f64::from(log2(positive)) - f64::from(positive).log2()).abs() < 2e-5);
            assert!(relative(power(positive, 0.7), f64::from(positive).powf(0.7)) < 2e-5);
            let angle = f64::from(x);
            let (sine, cosine) = sine_cosine(angle);
            assert!((sine - angle.sin()).abs() < 1e-13 && (cosine - angle.cos()).abs() < 1e-13);
            assert!((arc_tangent(angle) - angle.atan()).abs() < 1e-13);
            let (whole, rest) = split(x);
            assert_eq!(whole, x.floor() as i32);
            assert!((0.0..=1.0).contains(&rest));
        }
        assert_eq!(exp(-200.0), 0.0);
        assert_eq!(power(0.0, 0.5), 0.0);
        assert_eq!(bell(17.0), 0.0);
    }
}
