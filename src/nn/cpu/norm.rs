//! Normalisations in one pass over memory for the statistics and one for the result.

use super::columns::{Columns, Cut, par_columns, par_parts};
use super::norm_grad::{channel_slopes, slopes};
use super::{elements, fit, math::silu, simd};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

/// Sums are kept in 16 lanes of `f32` over at most this many elements, then in `f64`.
const CHUNK: usize = 4096;

simd! {
    fn sum_into(total: &mut f64, x: &[f32]) {
        for chunk in x.chunks(CHUNK) {
            let mut lanes = [0f32; 16];
            let (blocks, rest) = chunk.as_chunks::<16>();
            for block in blocks {
                for (lane, x) in lanes.iter_mut().zip(block) {
                    *lane += x;
                }
            }
            *total += lanes.iter().chain(rest).map(|&v| f64::from(v)).sum::<f64>();
        }
    }
}

simd! {
    fn squares_into(total: &mut f64, x: &[f32], mean: f32) {
        for chunk in x.chunks(CHUNK) {
            let mut lanes = [0f32; 16];
            let (blocks, rest) = chunk.as_chunks::<16>();
            for block in blocks {
                for (lane, x) in lanes.iter_mut().zip(block) {
                    *lane += (x - mean) * (x - mean);
                }
            }
            let tail = rest.iter().map(|x| (x - mean) * (x - mean));
            *total += lanes.iter().copied().chain(tail).map(f64::from).sum::<f64>();
        }
    }
}

simd! {
    fn affine_silu(out: &mut [f32], x: &[f32], gain: f32, offset: f32) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = silu(gain * x + offset);
        }
    }
}

/// GroupNorm, then `x * (scale + 1) + shift`, then SiLU.
///
/// Operands: x `[b, c, f, h, w]`, affine `[2, c]` (weight, bias), scale and shift `[b, 2c]`.
pub struct GroupNormSilu {
    pub groups: usize,
    pub eps: f64,
}

impl CustomOp3 for GroupNormSilu {
    fn name(&self) -> &'static str {
        "group-norm-silu"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        affine: &CpuStorage,
        la: &Layout,
        scale_shift: &CpuStorage,
        ls: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, c, f, h, w) = lx.shape().dims5()?;
        let x = elements(x, lx)?;
        let affine = elements(affine, la)?;
        let scale_shift = elements(scale_shift, ls)?;
        let grouped = self.groups > 0 && c.is_multiple_of(self.groups);
        let fits = affine.len() == 2 * c && scale_shift.len() == 2 * b * c;
        fit(self.name(), grouped && fits)?;
        let n = f * h * w;
        let per_group = c / self.groups;
        let out = par_parts(x.len(), per_group * n, |i, out| {
            let (bi, group) = (i / self.groups, i % self.groups);
            let x = &x[i * per_group * n..][..per_group * n];
            let of = Statistics::of(x, self.eps);
            for (j, (out, x)) in out.chunks_mut(n).zip(x.chunks(n)).enumerate() {
                let ci = group * per_group + j;
                let (gain, offset) = of.line(affine, scale_shift, (bi, ci, c));
                affine_silu(out, x, gain, offset);
            }
        });
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        affine: &Tensor,
        scale_shift: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [x, affine, scale_shift] = slopes(self, [x, affine, scale_shift, grad])?;
        Ok((Some(x), Some(affine), Some(scale_shift)))
    }
}

/// Of a group of channels.
#[derive(Clone, Copy)]
pub(super) struct Statistics {
    pub mean: f64,
    /// One over the standard deviation.
    pub rstd: f64,
}

impl Statistics {
    pub fn of(x: &[f32], eps: f64) -> Self {
        let count = x.len() as f64;
        let mut sum = 0f64;
        sum_into(&mut sum, x);
        let mean = sum / count;
        let mut squares = 0f64;
        squares_into(&mut squares, x, mean as f32);
        Self {
            mean,
            rstd: 1.0 / (squares / count + eps).sqrt(),
        }
    }

    /// From x to what SiLU gets, `gain x + offset`: for sample `bi` and channel `ci` of `c`.
    pub fn line(
        &self,
        affine: &[f32],
        scale_shift: &[f32],
        (bi, ci, c): (usize, usize, usize),
    ) -> (f32, f32) {
        let (weight, bias) = (f64::from(affine[ci]), f64::from(affine[c + ci]));
        let scale = f64::from(scale_shift[bi * 2 * c + ci]) + 1.0;
        let shift = f64::from(scale_shift[bi * 2 * c + c + ci]);
        let gain = self.rstd * weight * scale;
        let offset = (bias - self.mean * self.rstd * weight) * scale + shift;
        (gain as f32, offset as f32)
    }
}

/// Positions handled together by the channel norm; one cache line of each channel or more.
const BLOCK: usize = 64;

/// Layer norm over channels with a gain and no bias: x `[b, c, n]`, g `[c]`.
pub struct ChannelNorm {
    pub eps: f32,
}

simd! {
    /// At most [`BLOCK`] columns; row c of x is `x[c * n..]`.
    fn channel_norm_block(out: &mut Columns<'_>, x: &[f32], g: &[f32], n: usize, eps: f32) {
        let mut mean = [0f32; BLOCK];
        let mut var = [0f32; BLOCK];
        let width = out.width();
        let (mean, var) = (&mut mean[..width], &mut var[..width]);
        let c = g.len();
        for ci in 0..c {
            for (m, x) in mean.iter_mut().zip(&x[ci * n..]) {
                *m += x;
            }
        }
        for m in mean.iter_mut() {
            *m /= c as f32;
        }
        for ci in 0..c {
            for ((v, m), x) in var.iter_mut().zip(mean.iter()).zip(&x[ci * n..]) {
                *v += (x - m) * (x - m);
            }
        }
        for v in var.iter_mut() {
            *v = 1.0 / (*v / c as f32 + eps).sqrt();
        }
        for (ci, &g) in g.iter().enumerate() {
            for (((out, x), m), r) in out.row(ci).iter_mut().zip(&x[ci * n..]).zip(mean.iter()).zip(var.iter()) {
                *out = (x - m) * r * g;
            }
        }
    }
}

impl CustomOp2 for ChannelNorm {
    fn name(&self) -> &'static str {
        "channel-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        g: &CpuStorage,
        lg: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, c, n) = lx.shape().dims3()?;
        let (x, g) = (elements(x, lx)?, elements(g, lg)?);
        fit(self.name(), g.len() == c)?;
        let cut = Cut {
            outer: b,
            rows: c,
            inner: 1,
            n,
            width: BLOCK,
        };
        let out = par_columns(cut, 8, |block, mut out| {
            let x = &x[block.outer * c * n + block.first..];
            channel_norm_block(&mut out, x, g, n, self.eps);
        });
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        g: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [x, g] = channel_slopes(self.eps, [x, g, grad])?;
        Ok((Some(x), Some(g)))
    }
}
