//! Sums and joins between the layers.

#[cfg(feature = "cuda")]
use super::cuda;
use super::learn::tracked;
use super::{cpu, on_gpu, profile};
use candle_core::{Result, Tensor};

const KIND: &str = "sums and joins";

/// `x + y`, shapes equal.
///
/// # Errors
/// On mismatched shapes.
pub fn add(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    profile::timed(KIND, x.device(), || {
        on_gpu!(x, learns: y.track_op(), {
            let out = cuda::add(&cuda::Rows::of(x)?, &cuda::Rows::of(y)?)?;
            Ok(out.into_tensor())
        });
        if x.dims() != y.dims() || !x.device().is_cpu() {
            return x + y;
        }
        x.contiguous()?.apply_op2(&y.contiguous()?, cpu::join::Add)
    })
}

/// `x + y`, where each channel of y has one frame for all of x's: x `[b, c, f, h, w]`, y `[b or 1, c, 1, h, w]`.
///
/// # Errors
/// On mismatched shapes.
pub fn add_still(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    if !x.device().is_cpu() || tracked(&[x, y]) {
        return x.broadcast_add(y);
    }
    profile::timed(KIND, x.device(), || {
        x.contiguous()?
            .apply_op2(&y.contiguous()?, cpu::join::AddStill)
    })
}

/// `max(x, 0)`.
///
/// # Errors
/// When the device fails.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    if !x.device().is_cpu() || tracked(&[x]) {
        return x.relu();
    }
    profile::timed(KIND, x.device(), || {
        x.contiguous()?.apply_op1(cpu::join::Relu)
    })
}

/// `x * gate + y`: x and y `[b, c, ...]`, gate `[b, c]`.
///
/// # Errors
/// On mismatched shapes.
pub fn gate(x: &Tensor, gate: &Tensor, y: &Tensor) -> Result<Tensor> {
    profile::timed(KIND, x.device(), || {
        on_gpu!(x, learns: tracked(&[gate, y]), {
            let out = cuda::gated(&cuda::Rows::of(x)?, gate, &cuda::Rows::of(y)?)?;
            Ok(out.into_tensor())
        });
        let fits = x.dims() == y.dims() && gate.dims() == &x.dims()[..2];
        if !fits || !x.device().is_cpu() {
            return gate_composed(x, gate, y);
        }
        let (x, gate, y) = (x.contiguous()?, gate.contiguous()?, y.contiguous()?);
        x.apply_op3(&gate, &y, cpu::join::Gate)
    })
}

fn gate_composed(x: &Tensor, gate: &Tensor, y: &Tensor) -> Result<Tensor> {
    let shape = x.shape();
    let (b, c) = gate.dims2()?;
    let x = x.reshape((b, c, ()))?;
    x.broadcast_mul(&gate.unsqueeze(2)?)?.reshape(shape)? + y
}

/// `[x, y * by]` along the channels, for what a skip connection brings.
///
/// # Errors
/// On mismatched shapes.
pub fn join(x: &Tensor, y: &Tensor, by: f64) -> Result<Tensor> {
    profile::timed(KIND, x.device(), || {
        on_gpu!(x, learns: y.track_op(), {
            let y = cuda::Rows::of_kind(y, x.dtype())?;
            Ok(cuda::joined(&cuda::Rows::of(x)?, &y, by)?.into_tensor())
        });
        let fits = x.rank() > 1 && x.dim(0)? == y.dim(0)? && x.dims()[2..] == y.dims()[2..];
        if !fits || !x.device().is_cpu() {
            return Tensor::cat(&[x, &(y * by)?], 1);
        }
        x.contiguous()?
            .apply_op2(&y.contiguous()?, cpu::join::Join { by: by as f32 })
    })
}

/// `n` copies of every sample, one whole batch after the other.
///
/// # Errors
/// When the device fails.
pub fn repeat(x: &Tensor, n: usize) -> Result<Tensor> {
    if n == 1 {
        return Ok(x.clone());
    }
    profile::timed(KIND, x.device(), || {
        // What is not in rows is a picture on its way in.
        #[cfg(feature = "cuda")]
        if x.device().is_cuda() && !x.is_contiguous() && x.rank() == 5 && !x.track_op() {
            return Ok(cuda::repeated(&cuda::Rows::of(x)?, n)?.into_tensor());
        }
        Tensor::cat(&vec![x; n], 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{same_slopes, variable};
    use candle_core::Device;

    fn wave(shape: &[usize], step: f32) -> Tensor {
        let n = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..n).map(|i| (i as f32 * step).sin()).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn same(a: &Tensor, b: &Tensor) {
        assert_eq!(a.dims(), b.dims());
        let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(a), values(b));
    }

    #[test]
    fn the_cpu_kernels_equal_their_compositions() {
        let (x, y) = (wave(&[2, 6, 3, 40, 90], 0.3), wave(&[2, 6, 3, 40, 90], 0.7));
        same(&add(&x, &y).unwrap(), &(&x + &y).unwrap());
        for b in [1, 2] {
            let still = wave(&[b, 6, 1, 40, 90], 0.4);
            same(
                &add_still(&x, &still).unwrap(),
                &x.broadcast_add(&still).unwrap(),
            );
        }
        same(&relu(&x).unwrap(), &x.relu().unwrap());
        let g = wave(&[2, 6], 1.1);
        same(
            &gate(&x, &g, &y).unwrap(),
            &gate_composed(&x, &g, &y).unwrap(),
        );
        let z = wave(&[2, 2, 3, 40, 90], 0.9);
        let joined = Tensor::cat(&[&x, &(&z * 0.25).unwrap()], 1).unwrap();
        same(&join(&x, &z, 0.25).unwrap(), &joined);
    }

    #[test]
    fn their_gradients_are_those_of_their_compositions() {
        let (x, y) = (variable(&[2, 6, 3, 5, 7], 1), variable(&[2, 6, 3, 5, 7], 2));
        let (g, z) = (variable(&[2, 6], 3), variable(&[2, 2, 3, 5, 7], 4));
        let same = |vars: &[&candle_core::Var], ours: Tensor, theirs: Tensor| {
            same_slopes(vars, &ours, &theirs, 2e-6);
        };
        same(
            &[&x, &y],
            add(&x, &y).unwrap(),
            (x.as_tensor() + y.as_tensor()).unwrap(),
        );
        same(
            &[&x, &g, &y],
            gate(&x, &g, &y).unwrap(),
            gate_composed(&x, &g, &y).unwrap(),
        );
        let joined = Tensor::cat(&[x.as_tensor(), &(z.as_tensor() * 0.25).unwrap()], 1);
        same(&[&x, &z], join(&x, &z, 0.25).unwrap(), joined.unwrap());
    }

    #[test]
    fn shapes_that_do_not_fit_are_errors() {
        let (x, y) = (wave(&[2, 6, 4], 0.3), wave(&[2, 5, 4], 0.7));
        assert!(add(&x, &y).is_err());
        assert!(join(&x, &wave(&[1, 5, 4], 0.1), 1.0).is_err());
        assert!(gate(&x, &wave(&[2, 5], 0.1), &x).is_err());
    }
}
