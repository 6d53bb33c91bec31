//! Softmax and the logistic function, of operations that Candle differentiates.

use candle_core::{D, Result, Tensor};

/// Over the last dimension: `exp(x - max x) / sum exp(x - max x)`.
///
/// # Errors
/// When the device fails.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let x = x.broadcast_sub(&x.max_keepdim(D::Minus1)?)?.exp()?;
    x.broadcast_div(&x.sum_keepdim(D::Minus1)?)
}

/// `1 / (1 + exp(-x))`
///
/// # Errors
/// When the device fails.
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn rows_sum_to_one_and_large_numbers_do_no_harm() {
        let x = [[1000f32, 1000.0, -1000.0], [0.0, 2f32.ln(), 4f32.ln()]];
        let y = softmax(&Tensor::new(&x, &Device::Cpu).unwrap()).unwrap();
        let expected = [[0.5, 0.5, 0.0], [1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0]];
        for (row, expected) in y.to_vec2::<f32>().unwrap().iter().zip(expected) {
            for (y, e) in row.iter().zip(expected) {
                assert!((y - e).abs() < 1e-6, "{row:?}");
            }
        }
    }

    #[test]
    fn the_logistic_function_saturates_without_a_nan() {
        let x = [-1000f32, -(3f32.ln()), 0.0, 3f32.ln(), 1000.0];
        let y = sigmoid(&Tensor::new(&x, &Device::Cpu).unwrap()).unwrap();
        for (y, e) in y
            .to_vec1::<f32>()
            .unwrap()
            .iter()
            .zip([0.0, 0.25, 0.5, 0.75, 1.0])
        {
            assert!((y - e).abs() < 1e-6, "{y} {e}");
        }
    }
}
