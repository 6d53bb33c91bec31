//! Softmax and the logistic function; gradients pass through both.

use super::cpu;
use super::learn::tracked;
use candle_core::{D, DType, Result, Tensor};

/// Over the last dimension: `exp(x - max x) / sum exp(x - max x)`.
///
/// # Errors
/// When the device fails.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() && x.dtype() == DType::F32 && x.elem_count() > 0 {
        return x.contiguous()?.apply_op1(cpu::softmax::Softmax);
    }
    composed(x)
}

/// Of Candle's own operations: where there is no kernel, and what the kernel is held against.
fn composed(x: &Tensor) -> Result<Tensor> {
    // Whatever is taken off: the result does not change by it, nor does its gradient.
    let x = x
        .broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?
        .exp()?;
    x.broadcast_div(&x.sum_keepdim(D::Minus1)?)
}

/// `1 / (1 + exp(-x))`
///
/// # Errors
/// When the device fails.
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    // The derivative of 1 / (1 + exp(-x)) by its parts is 0 times infinity for a gate that is all but shut.
    if tracked(&[x]) {
        return (((x * 0.5)?.tanh()? + 1.0)? * 0.5)?.to_dtype(x.dtype());
    }
    (x.neg()?.exp()? + 1.0)?.recip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    /// Scores as attentions have them: some rows flat, some with one that outweighs all.
    fn scores(rows: usize, n: usize) -> Tensor {
        let values = (0..rows * n).map(|i| {
            let row = (i / n) as f32;
            ((i as f32 * 0.7311).sin() * 9.0 - (i as f32 * 0.113).cos()) * row * 0.1
        });
        Tensor::from_iter(values, &Device::Cpu)
            .and_then(|x| x.reshape((rows, n)))
            .unwrap()
    }

    #[test]
    fn the_kernel_gives_the_bits_of_the_composed_operations() {
        for (rows, n) in [(1, 1), (3, 7), (40, 64), (33, 785), (24, 1568)] {
            let x = scores(rows, n);
            let bits = |y: Tensor| -> Vec<u32> {
                let y = y.flatten_all().and_then(|y| y.to_vec1::<f32>()).unwrap();
                y.iter().map(|y| y.to_bits()).collect()
            };
            assert!(
                bits(softmax(&x).unwrap()) == bits(composed(&x).unwrap()),
                "{rows} x {n}"
            );
            let turned = x.t().unwrap();
            assert!(bits(softmax(&turned).unwrap()) == bits(composed(&turned).unwrap()));
        }
    }

    #[test]
    fn its_gradient_is_that_of_the_composed_operations() {
        let x = Var::from_tensor(&scores(5, 9)).unwrap();
        let towards = scores(5, 9).cos().unwrap();
        let slope = |y: Tensor| {
            let loss = (y * &towards).and_then(|y| y.sum_all()).unwrap();
            let slope = loss.backward().unwrap().get(&x).unwrap().clone();
            slope.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let (ours, theirs) = (slope(softmax(&x).unwrap()), slope(composed(&x).unwrap()));
        assert!(theirs.iter().any(|g| g.abs() > 1e-3));
        for (a, b) in ours.iter().zip(theirs) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

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
        // Nor does its slope, which is y (1 - y).
        let learned = Var::new(&x, &Device::Cpu).unwrap();
        let y = sigmoid(&learned).unwrap();
        let slope = y.sum_all().unwrap().backward().unwrap();
        let slope = slope.get(&learned).unwrap().to_vec1::<f32>().unwrap();
        for (slope, e) in slope.iter().zip([0.0, 0.1875, 0.25, 0.1875, 0.0]) {
            assert!((slope - e).abs() < 1e-6, "{slope} {e}");
        }
    }
}
