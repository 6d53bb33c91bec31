//! Batch norm by the statistics of the batch itself, and its derivative: for regressors that learn. Loaded ones have
//! theirs folded into their weights.

use super::columns::{par_parts, par_parts_with_room};
use super::norm::{squares_into, sum_into};
use super::{elements, fit, flat, simd};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

/// Mean and variance of each channel, the latter of a sample (by one less than there are elements), as running averages
/// take them.
pub type Seen = Arc<Mutex<Option<[Vec<f32>; 2]>>>;

/// `weight (x - mean) / sqrt(var + eps) + bias` over all but the channels.
///
/// Operands: x `[b, c, ...]`, weight and bias `[c]`.
pub struct BatchNorm {
    pub eps: f64,
    /// What the last pass saw.
    pub seen: Seen,
}

#[derive(Clone, Copy)]
struct Statistics {
    mean: f64,
    var: f64,
}

/// Of every channel of `[b, c, n]`.
fn statistics(x: &[f32], [b, c, n]: [usize; 3]) -> Vec<Statistics> {
    let rows = |ci: usize| (0..b).map(move |bi| &x[(bi * c + ci) * n..][..n]);
    let count = (b * n) as f64;
    let of = |ci: usize| {
        let mut sum = 0f64;
        rows(ci).for_each(|row| sum_into(&mut sum, row));
        let mean = sum / count;
        let mut squares = 0f64;
        rows(ci).for_each(|row| squares_into(&mut squares, row, mean as f32));
        Statistics {
            mean,
            var: squares / count,
        }
    };
    (0..c).into_par_iter().map(of).collect()
}

simd! {
    fn line(out: &mut [f32], x: &[f32], gain: f32, offset: f32) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = gain * x + offset;
        }
    }
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        weight: &CpuStorage,
        lw: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let dims = flat(lx.dims())?;
        let [b, c, n] = dims;
        let (x, weight, bias) = (elements(x, lx)?, elements(weight, lw)?, elements(bias, lb)?);
        fit(
            self.name(),
            weight.len() == c && bias.len() == c && b * n > 0,
        )?;
        let of = statistics(x, dims);
        let out = par_parts(x.len(), n, |i, out| {
            let ci = i % c;
            let gain = f64::from(weight[ci]) / (of[ci].var + self.eps).sqrt();
            let offset = f64::from(bias[ci]) - of[ci].mean * gain;
            line(out, &x[i * n..][..n], gain as f32, offset as f32);
        });
        let count = (b * n) as f64;
        let of_sample = count / (count - 1.0).max(1.0);
        let mean = of.iter().map(|s| s.mean as f32).collect();
        let var = of.iter().map(|s| (s.var * of_sample) as f32).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some([mean, var]);
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let op = Slopes { eps: self.eps };
        let made =
            x.contiguous()?
                .apply_op3_no_bwd(&grad.contiguous()?, &weight.contiguous()?, &op)?;
        let (n, c) = (x.elem_count(), weight.elem_count());
        let part = |from, like: &Tensor| {
            made.narrow(0, from, like.elem_count())?
                .reshape(like.shape())
        };
        Ok((
            Some(part(0, x)?),
            Some(part(n, weight)?),
            Some(part(n + c, bias)?),
        ))
    }
}

/// Of [`BatchNorm`], from x, the gradient and the weight: the gradients of x, weight and bias in a row.
struct Slopes {
    eps: f64,
}

const LANES: usize = 16;

simd! {
    /// Adds the sums of `dy (x - mean)` and of `dy`.
    fn sums_into(total: &mut [f64; 2], x: &[f32], dy: &[f32], mean: f32) {
        for (x, dy) in x.chunks(4096).zip(dy.chunks(4096)) {
            let mut lanes = [[0f32; LANES]; 2];
            let ((x, x_rest), (dy, dy_rest)) = (x.as_chunks::<LANES>(), dy.as_chunks::<LANES>());
            for (x, dy) in x.iter().zip(dy) {
                for l in 0..LANES {
                    lanes[0][l] += dy[l] * (x[l] - mean);
                    lanes[1][l] += dy[l];
                }
            }
            for (x, dy) in x_rest.iter().zip(dy_rest) {
                lanes[0][0] += dy * (x - mean);
                lanes[1][0] += dy;
            }
            for (total, lanes) in total.iter_mut().zip(lanes) {
                *total += lanes.iter().map(|&v| f64::from(v)).sum::<f64>();
            }
        }
    }
}

simd! {
    /// `a dy + b x + c`
    fn slope_into(out: &mut [f32], x: &[f32], dy: &[f32], by: [f32; 3]) {
        let [a, b, c] = by;
        for ((out, x), dy) in out.iter_mut().zip(x).zip(dy) {
            *out = a * dy + b * x + c;
        }
    }
}

impl CustomOp3 for Slopes {
    fn name(&self) -> &'static str {
        "batch-norm-slopes"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        dy: &CpuStorage,
        ly: &Layout,
        weight: &CpuStorage,
        lw: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let dims = flat(lx.dims())?;
        let [b, c, n] = dims;
        let (x, dy, weight) = (elements(x, lx)?, elements(dy, ly)?, elements(weight, lw)?);
        fit(self.name(), dy.len() == x.len() && weight.len() == c)?;
        let of = statistics(x, dims);
        let sums: Vec<[f64; 2]> = (0..c)
            .into_par_iter()
            .map(|ci| {
                let mut total = [0.0; 2];
                for bi in 0..b {
                    let at = (bi * c + ci) * n..(bi * c + ci + 1) * n;
                    sums_into(&mut total, &x[at.clone()], &dy[at], of[ci].mean as f32);
                }
                total
            })
            .collect();
        let count = (b * n) as f64;
        let mut out = par_parts_with_room(x.len(), 2 * c, n, |i, out| {
            let ci = i % c;
            let rstd = 1.0 / (of[ci].var + self.eps).sqrt();
            let [with, alone] = sums[ci];
            // dx = weight rstd (dy - mean dy - xh mean(dy xh)), xh = (x - mean) rstd
            let a = f64::from(weight[ci]) * rstd;
            let slope = -a * rstd * rstd * with / count;
            let offset = -a * alone / count - slope * of[ci].mean;
            let by = [a as f32, slope as f32, offset as f32];
            slope_into(out, &x[i * n..][..n], &dy[i * n..][..n], by);
        });
        let of_weight =
            |(s, [with, _]): (&Statistics, &[f64; 2])| (with / (s.var + self.eps).sqrt()) as f32;
        out.extend(of.iter().zip(&sums).map(of_weight));
        out.extend(sums.iter().map(|[_, alone]| *alone as f32));
        let shape = Shape::from(out.len());
        Ok((CpuStorage::F32(out), shape))
    }
}
