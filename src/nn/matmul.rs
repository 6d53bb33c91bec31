//! Products of matrices outside the convolutions.

#[cfg(feature = "cuda")]
use super::cuda;
#[cfg(any(test, feature = "cuda"))]
use super::learn::Made;
use super::on_gpu;
#[cfg(any(test, feature = "cuda"))]
use candle_core::{CpuStorage, CustomOp2, Layout, Shape};
use candle_core::{Result, Tensor};

/// `a b`, of `[.., m, k]` and `[.., k, p]`; leading dimensions are equal, or one operand has
/// no more of them than the other and all are 1.
///
/// # Errors
/// On mismatched shapes.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    on_gpu!(a, learns: b.track_op(), cuda::matmul(a, b));
    #[cfg(feature = "cuda")]
    if a.device().is_cuda() {
        return learned(a, b);
    }
    a.broadcast_matmul(b)
}

/// A product whose derivatives are products, too: of what makes products without one.
#[cfg(any(test, feature = "cuda"))]
fn learned(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let made = Made::new(&matmul(&a.detach(), &b.detach())?)?;
    a.apply_op2(b, Product(made))
}

#[cfg(any(test, feature = "cuda"))]
struct Product(Made);

#[cfg(any(test, feature = "cuda"))]
impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.0.on_cpu()
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        _: &candle_core::CudaStorage,
        _: &Layout,
        _: &candle_core::CudaStorage,
        _: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        self.0.on_cuda()
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        slope: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (a, b, slope) = (a.detach(), b.detach(), slope.detach());
        // An operand that is the same for all of the other's takes the sum.
        let whole = |slope: Tensor, of: &Tensor| -> Result<Tensor> {
            if slope.elem_count() == of.elem_count() {
                return slope.reshape(of.shape());
            }
            let rows = slope.rank() - 2;
            slope.flatten_to(rows - 1)?.sum(0)?.reshape(of.shape())
        };
        Ok((
            Some(whole(matmul(&slope, &b.t()?)?, &a)?),
            Some(whole(matmul(&a.t()?, &slope)?, &b)?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{same_slopes, variable};

    #[test]
    fn a_products_gradients_are_candles() {
        for (a, b) in [
            (&[3, 4][..], &[4, 5][..]),
            (&[2, 3, 4], &[2, 4, 5]),
            (&[3, 4], &[6, 4, 5]),
            (&[2, 3, 3, 4], &[1, 4, 1]),
            (&[1, 1, 4], &[2, 7, 4, 5]),
        ] {
            let (a, b) = (variable(a, 1), variable(b, 2));
            let theirs = a.broadcast_matmul(&b).unwrap();
            same_slopes(&[&a, &b], &learned(&a, &b).unwrap(), &theirs, 1e-6);
        }
    }
}
