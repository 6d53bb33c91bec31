//! The dynamic threshold of the denoised estimate.

#[cfg(feature = "cuda")]
use super::cuda;
use super::learn::tracked;
use super::on_gpu;
use candle_core::{DType, Error, Result, Tensor};

/// Dynamic threshold (Imagen, section 2.3): per sample, `s` is a percentile of |D| and at least 1;
/// D `[b, ...]` is clamped to -s..s and divided by s. Returns the result and the raw percentiles `[b]`.
///
/// # Errors
/// When the device fails, or where a gradient is to pass: a loss is taken before the threshold.
pub fn dynamic_threshold(d: &Tensor, percentile: f32) -> Result<(Tensor, Tensor)> {
    if tracked(&[d]) {
        return Err(Error::Msg(
            "no gradient passes the dynamic threshold".into(),
        ));
    }
    let n = d.elem_count() / d.dim(0)?.max(1);
    let (low, weight) = rank(percentile, n);
    on_gpu!(d, cuda::dynamic_threshold(d, low, weight));
    let flat = d.to_dtype(DType::F32)?.flatten_from(1)?.to_vec2::<f32>()?;
    let quantiles: Vec<f32> = flat
        .into_iter()
        .map(|mut values| {
            for v in &mut values {
                *v = v.abs();
            }
            quantile(&mut values, low, weight)
        })
        .collect();
    let mut column = vec![1; d.rank()];
    column[0] = quantiles.len();
    let limits: Vec<f32> = quantiles.iter().map(|q| q.max(1.0)).collect();
    let s = Tensor::from_vec(limits, column, d.device())?;
    let clamped = d.broadcast_minimum(&s)?.broadcast_maximum(&s.neg()?)?;
    let quantiles = Tensor::new(quantiles, d.device())?;
    Ok((clamped.broadcast_div(&s)?, quantiles))
}

/// The order statistic below the rank `q (n - 1)`, and how far the rank is from it to the next; the rank
/// in `f32` as torch has it.
fn rank(q: f32, n: usize) -> (usize, f32) {
    let last = n.saturating_sub(1);
    let rank = q * last as f32;
    let low = (rank.floor() as usize).min(last);
    (low, rank - low as f32)
}

/// Linear between order statistic `low` and the next, the one or the other way round as torch has it.
fn quantile(values: &mut [f32], low: usize, weight: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let (_, &mut a, above) = values.select_nth_unstable_by(low, f32::total_cmp);
    let b = above.iter().copied().fold(f32::INFINITY, f32::min);
    if weight == 0.0 || !b.is_finite() {
        a
    } else if weight < 0.5 {
        weight.mul_add(b - a, a)
    } else {
        (weight - 1.0).mul_add(b - a, b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        let x = Tensor::new(
            &[[-4f32, 1.0, 3.0, -2.0, 0.5], [0.1, 0.2, -0.3, 0.0, 0.4]],
            &Device::Cpu,
        )
        .unwrap();
        let (out, q) = dynamic_threshold(&x, 0.9).unwrap();
        let q = q.to_vec1::<f32>().unwrap();
        // Rank 3.6 of 0.5 1 2 3 4 and of 0 .1 .2 .3 .4.
        assert!(
            (q[0] - 3.6).abs() < 1e-6 && (q[1] - 0.36).abs() < 1e-6,
            "{q:?}"
        );
        let out = out.to_vec2::<f32>().unwrap();
        assert_eq!(out[0][0], -1.0);
        assert_eq!(out[1], [0.1, 0.2, -0.3, 0.0, 0.4]);
    }
}
