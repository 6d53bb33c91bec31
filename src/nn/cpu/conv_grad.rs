//! Convolutions over space and over frames whose weights learn: the kernels of [`super::conv`], and their
//! derivatives.

#[cfg(test)]
mod tests;
mod weights;

use super::conv::{Pointwise, Spatial, Temporal, pack_pointwise, pack_spatial, pack_temporal};
use super::product::Packed;
use super::{elements, fit, flat};
use crate::nn::Interrupt;
use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor};
use std::sync::Arc;
pub use weights::ChannelSums;
use weights::{SpatialWeights, TemporalWeights};

/// As [`Spatial`], to the bit, with weights that are packed anew in every pass.
///
/// Operands: x `[b, c, f, h, w]`, weight `[o, c, k, k]`, bias `[o]`; result `[b, o, f, h', w']`.
pub struct LearnedSpatial {
    pub k: usize,
    /// Less than k.
    pub padding: usize,
    pub stride: usize,
    pub interrupt: Interrupt,
}

impl CustomOp3 for LearnedSpatial {
    fn name(&self) -> &'static str {
        "conv-spatial-learned"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (o, c, k, _) = lw.shape().dims4()?;
        let (w, bias) = (elements(w, lw)?, elements(bias, lb)?);
        fit(self.name(), self.padding < k && bias.len() == o)?;
        self.forward(pack_spatial(w, (o, c, k), bias), self.padding, self.stride)
            .cpu_fwd(x, lx)
    }

    /// Of x: the convolution of the gradient with the weights' rows and columns turned round and their
    /// channels exchanged. Of the weights: [`SpatialWeights`].
    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (_, _, _, h, width) = x.dims5()?;
        let whole = |n: usize| n + 2 * self.padding + 1 - self.k;
        let grad = apart(grad, 3, self.stride, whole(h))?;
        let grad = apart(&grad, 4, self.stride, whole(width))?.contiguous()?;
        let of_x = || {
            let (o, c, k, _) = w.dims4()?;
            let values: Vec<f32> = w.flatten_all()?.to_vec1()?;
            let mut turned = vec![0f32; values.len()];
            let places = k * k;
            for (oc, kernel) in values.chunks_exact(places).enumerate() {
                let co = oc % c * o + oc / c;
                let to = turned[co * places..][..places].iter_mut();
                to.zip(kernel.iter().rev()).for_each(|(to, v)| *to = *v);
            }
            let packed = pack_spatial(&turned, (c, o, k), &vec![0.0; c]);
            grad.apply_op1_no_bwd(&self.forward(packed, k - 1 - self.padding, 1))
        };
        let of_w = || {
            let op = SpatialWeights {
                k: self.k,
                padding: self.padding,
                interrupt: self.interrupt.clone(),
            };
            grad.apply_op2_no_bwd(&x.contiguous()?, &op)
        };
        Ok((
            wanted(x, of_x)?,
            wanted(w, of_w)?,
            wanted(bias, || grad.apply_op1_no_bwd(&ChannelSums))?,
        ))
    }
}

impl LearnedSpatial {
    fn forward(&self, packed: Packed, padding: usize, stride: usize) -> Spatial {
        Spatial {
            weights: Arc::new(packed),
            k: self.k,
            padding,
            stride,
            interrupt: self.interrupt.clone(),
        }
    }
}

/// As [`Temporal`], to the bit, with weights that are packed anew in every pass.
///
/// Operands: x `[b, c, f, h, w]`, weight `[o, c, taps]`, bias `[o]`; result `[b, o, f', h, w]`.
pub struct LearnedTemporal {
    /// Zero frames at the start and at the end, less than there are taps.
    pub before: usize,
    pub after: usize,
    pub stride: usize,
    pub interrupt: Interrupt,
}

impl CustomOp3 for LearnedTemporal {
    fn name(&self) -> &'static str {
        "conv-temporal-learned"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (o, c, taps) = lw.shape().dims3()?;
        let (w, bias) = (elements(w, lw)?, elements(bias, lb)?);
        let reaches = self.before < taps && self.after < taps;
        fit(self.name(), reaches && bias.len() == o)?;
        let mut by_tap = vec![0f32; w.len()];
        for (oc, kernel) in w.chunks_exact(taps).enumerate() {
            for (tap, v) in kernel.iter().enumerate() {
                by_tap[tap * o * c + oc] = *v;
            }
        }
        let packed = pack_temporal(&by_tap, (taps, o, c), bias);
        self.forward(packed, taps, (self.before, self.after), self.stride)
            .cpu_fwd(x, lx)
    }

    /// Of x: the convolution of the gradient with the taps turned round and their channels exchanged, so that what
    /// was causal looks ahead. Of the weights: [`TemporalWeights`].
    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (o, c, taps) = w.dims3()?;
        let whole = x.dim(2)? + self.before + self.after + 1 - taps;
        let grad = apart(grad, 2, self.stride, whole)?.contiguous()?;
        let of_x = || {
            let values: Vec<f32> = w.flatten_all()?.to_vec1()?;
            let mut turned = vec![0f32; values.len()];
            for (oc, kernel) in values.chunks_exact(taps).enumerate() {
                for (tap, v) in kernel.iter().rev().enumerate() {
                    turned[(tap * c + oc % c) * o + oc / c] = *v;
                }
            }
            let packed = pack_temporal(&turned, (taps, c, o), &vec![0.0; c]);
            let padding = (taps - 1 - self.before, taps - 1 - self.after);
            grad.apply_op1_no_bwd(&self.forward(packed, taps, padding, 1))
        };
        let of_w = || {
            let op = TemporalWeights {
                taps,
                before: self.before,
                interrupt: self.interrupt.clone(),
            };
            grad.apply_op2_no_bwd(&x.contiguous()?, &op)
        };
        Ok((
            wanted(x, of_x)?,
            wanted(w, of_w)?,
            wanted(bias, || grad.apply_op1_no_bwd(&ChannelSums))?,
        ))
    }
}

impl LearnedTemporal {
    fn forward(
        &self,
        packed: Packed,
        taps: usize,
        (before, after): (usize, usize),
        stride: usize,
    ) -> Temporal {
        Temporal {
            weights: Arc::new(packed),
            taps,
            before,
            after,
            stride,
            interrupt: self.interrupt.clone(),
        }
    }
}

/// A 1 x 1 convolution, as [`Pointwise`] to the bit, with weights that are packed anew in every pass.
///
/// Operands: x `[b, c, ...]`, weight `[o, c]`, bias `[o]`; result `[b, o, ...]`.
pub struct LearnedPoint;

impl CustomOp3 for LearnedPoint {
    fn name(&self) -> &'static str {
        "conv-point-learned"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (o, c) = lw.shape().dims2()?;
        let (w, bias) = (elements(w, lw)?, elements(bias, lb)?);
        fit(self.name(), bias.len() == o && lx.is_contiguous())?;
        let flat = Shape::from(flat(lx.dims())?.to_vec());
        let layout = Layout::contiguous_with_offset(flat, lx.start_offset());
        let weights = Arc::new(pack_pointwise(w, (o, c), Some(bias)));
        let (out, _) = Pointwise { weights }.cpu_fwd(x, &layout)?;
        let mut dims = lx.dims().to_vec();
        dims[1] = o;
        Ok((out, Shape::from(dims)))
    }

    /// Of x: the product of the gradient with the weights the other way round. Of the weights: as over one frame.
    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (o, c) = w.dims2()?;
        let [b, _, n] = flat(x.dims())?;
        let grad = grad.contiguous()?.reshape((b, o, 1, n, 1))?;
        let of_x = || {
            let values: Vec<f32> = w.flatten_all()?.to_vec1()?;
            let weights = Arc::new(Packed::new(c, o, None, |row, k| values[k * c + row]));
            let made = grad.reshape((b, o, n))?;
            made.apply_op1_no_bwd(&Pointwise { weights })?
                .reshape(x.shape())
        };
        let of_w = || {
            let op = TemporalWeights {
                taps: 1,
                before: 0,
                interrupt: Interrupt::new(),
            };
            let x = x.contiguous()?.reshape((b, c, 1, n, 1))?;
            grad.apply_op2_no_bwd(&x, &op)?.reshape((o, c))
        };
        Ok((
            wanted(x, of_x)?,
            wanted(w, of_w)?,
            wanted(bias, || grad.apply_op1_no_bwd(&ChannelSums))?,
        ))
    }
}

/// What a convolution that strides leaves out as zeros: `[.., n, ..]` along a dimension to `[.., whole, ..]`, of which
/// every `stride`-th is x's. From there on it is one that does not stride.
fn apart(x: &Tensor, dim: usize, stride: usize, whole: usize) -> Result<Tensor> {
    if stride == 1 {
        return Ok(x.clone());
    }
    let x = x
        .unsqueeze(dim + 1)?
        .pad_with_zeros(dim + 1, 0, stride - 1)?;
    let x = x.flatten(dim, dim + 1)?;
    x.narrow(dim, 0, whole)
}

/// What leads nowhere is not computed: the gradient of the noisy video, for one.
fn wanted(t: &Tensor, make: impl FnOnce() -> Result<Tensor>) -> Result<Option<Tensor>> {
    t.track_op().then(make).transpose()
}
