//! Fully connected layers.

#[cfg(feature = "cuda")]
use super::cuda;
use super::learn::tracked;
use super::{cpu, matmul, on_gpu, profile};
use candle_core::{Result, Tensor};

/// `x W^T + b` over the last dimension; weight `[out, in]`.
///
/// # Errors
/// On mismatched shapes.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    profile::timed("linear", x.device(), || {
        let learns = tracked(&[x, weight, bias.unwrap_or(weight)]);
        on_gpu!(x, learns: learns, cuda::linear(x, weight, bias, (false, false)));
        let mut dims = x.dims().to_vec();
        let width = dims.pop().unwrap_or(1);
        let rows = x.reshape(((), width))?;
        if let (Some(bias), true) = (bias, x.device().is_cpu() && !learns) {
            let (weight, bias) = (weight.contiguous()?, bias.contiguous()?);
            let y = rows.apply_op3(&weight, &bias, cpu::dot::Linear)?;
            dims.push(weight.dim(0)?);
            return y.reshape(dims);
        }
        let y = matmul(&rows, &weight.t()?)?;
        dims.push(weight.dim(0)?);
        let y = y.reshape(dims)?;
        match bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    })
}

/// As [`linear`], of SiLU of x.
///
/// # Errors
/// On mismatched shapes.
pub fn linear_of_silu(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    on_gpu!(
        x,
        learns: tracked(&[weight, bias.unwrap_or(weight)]),
        profile::timed("linear", x.device(), || cuda::linear(
            x,
            weight,
            bias,
            (true, false)
        ))
    );
    linear(&x.silu()?, weight, bias)
}
