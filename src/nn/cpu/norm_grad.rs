//! The derivatives of group norm with SiLU and of the norm over channels.

use super::columns::{Columns, Cut, added, par_columns_and, par_parts_with_room};
use super::norm::{GroupNormSilu, Statistics};
use super::{elements, fit, math::exp, simd};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Sums are kept in 16 lanes of `f32` over at most this many elements, then in `f64`.
const CHUNK: usize = 4096;

/// `silu(u)` has this derivative.
#[inline(always)]
fn slope(u: f32) -> f32 {
    let s = 1.0 / (1.0 + exp(-u));
    s * (1.0 + u * (1.0 - s))
}

/// From x to what SiLU gets, and to the normalised x: `gain x + offset`, and `(x - mean) rstd`.
#[derive(Clone, Copy)]
pub struct Line {
    gain: f32,
    offset: f32,
    mean: f32,
    rstd: f32,
}

simd! {
    /// Adds the sums of `du xh` and of `du` over a channel, where `du = dy silu'(u)`.
    fn sums_into(total: &mut [f64; 2], x: &[f32], dy: &[f32], line: Line) {
        for (x, dy) in x.chunks(CHUNK).zip(dy.chunks(CHUNK)) {
            let mut lanes = [[0f32; 16]; 2];
            let (blocks, rest) = x.as_chunks::<16>();
            let (blocks_dy, rest_dy) = dy.as_chunks::<16>();
            for (x, dy) in blocks.iter().zip(blocks_dy) {
                for i in 0..16 {
                    let du = dy[i] * slope(line.gain * x[i] + line.offset);
                    lanes[0][i] += du * ((x[i] - line.mean) * line.rstd);
                    lanes[1][i] += du;
                }
            }
            for (total, lanes) in total.iter_mut().zip(lanes) {
                *total += lanes.iter().map(|&v| f64::from(v)).sum::<f64>();
            }
            for (x, dy) in rest.iter().zip(rest_dy) {
                let du = dy * slope(line.gain * x + line.offset);
                total[0] += f64::from(du * ((x - line.mean) * line.rstd));
                total[1] += f64::from(du);
            }
        }
    }
}

simd! {
    /// `dx = rstd (weight scale du - m1 - xh m2)`.
    fn slope_into(out: &mut [f32], x: &[f32], dy: &[f32], line: Line, by: [f32; 3]) {
        let [factor, m1, m2] = by;
        for ((out, x), dy) in out.iter_mut().zip(x).zip(dy) {
            let du = dy * slope(line.gain * x + line.offset);
            let xh = (x - line.mean) * line.rstd;
            *out = line.rstd * (factor * du - m1 - xh * m2);
        }
    }
}

/// Of [`GroupNormSilu`], from x and the gradient `[b, c, f, h, w]` and weight, bias, scales and shifts in a row
/// `[2c + 2bc]`: the gradient of x, and behind it for each sample and channel the sums of `du xh` and of `du`,
/// `[2bc]`. Every sum has its own order, whatever the threads.
struct Slopes(GroupNormSilu);

impl CustomOp3 for Slopes {
    fn name(&self) -> &'static str {
        "group-norm-silu-slopes"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        dy: &CpuStorage,
        ly: &Layout,
        told: &CpuStorage,
        lt: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, c, f, h, w) = lx.shape().dims5()?;
        let (x, dy, told) = (elements(x, lx)?, elements(dy, ly)?, elements(told, lt)?);
        let groups = self.0.groups;
        let grouped = groups > 0 && c.is_multiple_of(groups);
        let fits = dy.len() == x.len() && told.len() == 2 * c + 2 * b * c;
        fit(self.name(), grouped && fits)?;
        let (n, per_group) = (f * h * w, c / groups);
        let (affine, scale_shift) = told.split_at(2 * c);
        let each = |i: usize| {
            let (bi, group) = (i / groups, i % groups);
            let from = i * per_group * n;
            let of = Statistics::of(&x[from..][..per_group * n], self.0.eps);
            let lines = (0..per_group).map(move |j| {
                let ci = group * per_group + j;
                let factor =
                    f64::from(affine[ci]) * (f64::from(scale_shift[bi * 2 * c + ci]) + 1.0);
                let (gain, offset) = of.line(affine, scale_shift, (bi, ci, c));
                let line = Line {
                    gain,
                    offset,
                    mean: of.mean as f32,
                    rstd: of.rstd as f32,
                };
                (from + j * n, line, factor)
            });
            lines.collect::<Vec<_>>()
        };
        let sums: Vec<Vec<[f64; 2]>> = (0..b * groups)
            .into_par_iter()
            .map(|i| {
                let channels = each(i).into_iter().map(|(at, line, _)| {
                    let mut total = [0.0; 2];
                    sums_into(&mut total, &x[at..][..n], &dy[at..][..n], line);
                    total
                });
                channels.collect()
            })
            .collect();
        let mut out = par_parts_with_room(x.len(), 2 * b * c, per_group * n, |i, out| {
            let count = (per_group * n) as f64;
            let lines = each(i);
            let mean = |k: usize| {
                let parts = lines.iter().zip(&sums[i]);
                (parts.map(|((_, _, factor), s)| factor * s[k]).sum::<f64>() / count) as f32
            };
            let (m2, m1) = (mean(0), mean(1));
            for (out, &(at, line, factor)) in out.chunks_mut(n).zip(&lines) {
                let by = [factor as f32, m1, m2];
                slope_into(out, &x[at..][..n], &dy[at..][..n], line, by);
            }
        });
        for k in 0..2 {
            out.extend(sums.iter().flatten().map(|s| s[k] as f32));
        }
        let shape = Shape::from(out.len());
        Ok((CpuStorage::F32(out), shape))
    }
}

/// Gradients of x, of weight and bias `[2, c]`, and of scale and shift `[b, 2c]`.
pub(super) fn slopes(
    op: &GroupNormSilu,
    [x, affine, scale_shift, grad]: [&Tensor; 4],
) -> Result<[Tensor; 3]> {
    let (b, c) = (x.dim(0)?, x.dim(1)?);
    let told = Tensor::cat(&[&affine.flatten_all()?, &scale_shift.flatten_all()?], 0)?;
    let both = x.contiguous()?.apply_op3_no_bwd(
        &grad.contiguous()?,
        &told,
        &Slopes(GroupNormSilu {
            groups: op.groups,
            eps: op.eps,
        }),
    )?;
    let n = x.elem_count();
    let of_x = both.narrow(0, 0, n)?.reshape(x.shape())?;
    let with = both.narrow(0, n, b * c)?.reshape((b, c))?;
    let alone = both.narrow(0, n + b * c, b * c)?.reshape((b, c))?;
    let scale = (scale_shift.narrow(1, 0, c)? + 1.0)?;
    let of_weight = (&scale * &with)?.sum(0)?;
    let of_bias = (&scale * &alone)?.sum(0)?;
    let of_scale =
        (with.broadcast_mul(&affine.get(0)?)? + alone.broadcast_mul(&affine.get(1)?)?)?;
    Ok([
        of_x,
        Tensor::stack(&[of_weight, of_bias], 0)?,
        Tensor::cat(&[of_scale, alone], 1)?,
    ])
}

/// Positions of the norm over channels that are handled together.
const BLOCK: usize = 64;

/// Positions whose sums are taken by themselves, whatever the threads.
const PART: usize = 32 * BLOCK;

simd! {
    /// At most [`BLOCK`] columns from `first` on; row c of x and of the gradient is `[c * n..]`. What they give for the gain
    /// is added to `dg`.
    fn channel_slopes_block(out: &mut Columns<'_>, dg: &mut [f32], given: [&[f32]; 3], n: usize, eps: f32, first: usize) {
        let [x, dy, g] = given;
        let width = BLOCK.min(out.width() - first);
        let c = g.len();
        let (mut mean, mut rstd) = ([0f32; BLOCK], [0f32; BLOCK]);
        let (mut m1, mut m2) = ([0f32; BLOCK], [0f32; BLOCK]);
        for ci in 0..c {
            for (m, x) in mean[..width].iter_mut().zip(&x[ci * n..]) {
                *m += x;
            }
        }
        for m in &mut mean {
            *m /= c as f32;
        }
        for ci in 0..c {
            for ((v, m), x) in rstd[..width].iter_mut().zip(&mean).zip(&x[ci * n..]) {
                *v += (x - m) * (x - m);
            }
        }
        for v in &mut rstd {
            *v = 1.0 / (*v / c as f32 + eps).sqrt();
        }
        for (ci, g) in g.iter().enumerate() {
            let mut of_gain = [0f32; BLOCK];
            let (x, dy) = (&x[ci * n..][..width], &dy[ci * n..][..width]);
            for l in 0..width {
                let hat = (x[l] - mean[l]) * rstd[l];
                of_gain[l] = dy[l] * hat;
                m1[l] += dy[l] * g;
                m2[l] += dy[l] * g * hat;
            }
            dg[ci] += of_gain.iter().sum::<f32>();
        }
        for l in 0..BLOCK {
            m1[l] /= c as f32;
            m2[l] /= c as f32;
        }
        for (ci, g) in g.iter().enumerate() {
            let (x, dy) = (&x[ci * n..][..width], &dy[ci * n..][..width]);
            let out = &mut out.row(ci)[first..][..width];
            for l in 0..width {
                let hat = (x[l] - mean[l]) * rstd[l];
                out[l] = rstd[l] * (dy[l] * g - m1[l] - hat * m2[l]);
            }
        }
    }
}

/// Of the norm over channels, from x and the gradient `[b, c, n]` and the gain `[c]`: the gradient of x, and behind
/// it that of the gain.
struct ChannelSlopes {
    eps: f32,
}

impl CustomOp3 for ChannelSlopes {
    fn name(&self) -> &'static str {
        "channel-norm-slopes"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        dy: &CpuStorage,
        ly: &Layout,
        g: &CpuStorage,
        lg: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, c, n) = lx.shape().dims3()?;
        let (x, dy, g) = (elements(x, lx)?, elements(dy, ly)?, elements(g, lg)?);
        fit(self.name(), dy.len() == x.len() && g.len() == c)?;
        let cut = Cut {
            outer: b,
            rows: c,
            inner: 1,
            n,
            width: PART,
        };
        let (mut out, parts) = par_columns_and(cut, c, 1, |block, mut out| {
            let mut dg = vec![0f32; c];
            for first in (0..block.width).step_by(BLOCK) {
                let at = block.outer * c * n + block.first + first;
                let given = [&x[at..], &dy[at..], g];
                channel_slopes_block(&mut out, &mut dg, given, n, self.eps, first);
            }
            dg
        });
        out.extend(added(c, &parts));
        let shape = Shape::from(out.len());
        Ok((CpuStorage::F32(out), shape))
    }
}

/// Gradients of x `[b, c, n]` and of the gain `[c]`.
pub(super) fn channel_slopes(eps: f32, [x, g, grad]: [&Tensor; 3]) -> Result<[Tensor; 2]> {
    let op = ChannelSlopes { eps };
    let both = x
        .contiguous()?
        .apply_op3_no_bwd(&grad.contiguous()?, &g.contiguous()?, &op)?;
    let n = x.elem_count();
    Ok([
        both.narrow(0, 0, n)?.reshape(x.shape())?,
        both.narrow(0, n, g.elem_count())?.reshape(g.shape())?,
    ])
}
