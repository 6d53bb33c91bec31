//! Convolutions of one pixel of one frame.

use super::conv::{Once, mismatch, packed, values};
use super::cpu::conv::pack_pointwise;
use super::cpu::product::Packed;
use super::{Params, cpu, profile};
use candle_core::{Device, Result, Tensor};
use std::sync::Arc;

/// A 1 x 1 convolution.
#[derive(Clone, Debug)]
pub struct PointConv {
    /// `[out, in]`
    weight: Tensor,
    /// `[out]`
    bias: Option<Tensor>,
    packed: Once,
}

impl PointConv {
    /// Loads `weight` `[out, in, 1, 1, 1]` and `bias` `[out]`.
    ///
    /// # Errors
    /// As [`SpatialConv::new`].
    pub fn new(p: &Params, input: usize, output: usize) -> Result<Self> {
        let weight = p.get("weight", &[output, input, 1, 1, 1])?;
        let bias = p.get("bias", &[output])?;
        Self::from_tensors(&weight.reshape((output, input))?, Some(bias))
    }

    /// `weight` is `[out, in]`, `bias` `[out]`.
    ///
    /// # Errors
    /// When the weight cannot be made contiguous.
    pub fn from_tensors(weight: &Tensor, bias: Option<Tensor>) -> Result<Self> {
        Ok(Self {
            weight: weight.contiguous()?,
            bias,
            packed: Once::new(),
        })
    }

    /// x `[b, in, ...]` to `[b, out, ...]`.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        profile::timed("convolution 1 x 1", x.device(), || {
            let mut dims = x.dims().to_vec();
            let (b, n) = (dims[0], dims[2..].iter().product::<usize>());
            let (o, c) = self.weight.dims2()?;
            if dims[1] != c {
                return Err(mismatch(x, c));
            }
            let x = x.reshape((b, c, n))?;
            dims[1] = o;
            if matches!(x.device(), Device::Cpu) {
                let weights = self.packed()?;
                let op = cpu::conv::Pointwise { weights };
                return x.contiguous()?.apply_op1_no_bwd(&op)?.reshape(dims);
            }
            let y = self.weight.broadcast_matmul(&x)?;
            match &self.bias {
                Some(bias) => y.broadcast_add(&bias.reshape((1, o, 1))?)?,
                None => y,
            }
            .reshape(dims)
        })
    }

    /// `[out, in]`
    pub(super) fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// The weights as the CPU's kernels read them.
    fn packed(&self) -> Result<Arc<Packed>> {
        let (o, c) = self.weight.dims2()?;
        packed(&self.packed, || {
            let bias = self.bias.as_ref().map(values).transpose()?;
            Ok(pack_pointwise(
                &values(&self.weight)?,
                (o, c),
                bias.as_deref(),
            ))
        })
    }
}
