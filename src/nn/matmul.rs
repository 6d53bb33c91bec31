//! Products of matrices outside the layers that have kernels of their own.

#[cfg(feature = "cuda")]
use super::cuda;
use super::on_gpu;
use candle_core::{Result, Tensor};

/// `a b`, of `[.., m, k]` and `[.., k, p]`; leading dimensions are equal, or one operand has
/// no more of them than the other and all are 1.
///
/// # Errors
/// On mismatched shapes.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    on_gpu!(a, cuda::matmul(a, b));
    a.broadcast_matmul(b)
}
