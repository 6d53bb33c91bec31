//! Convolutions over space and over time, without transposing `[batch, channel, frame, h, w]`.

use super::product::{Packed, Place, product, tile_columns};
use super::{elements, simd};
use crate::nn::Interrupt;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape};
use rayon::prelude::*;

/// Input channels that are summed over before the kernel moves on.
const CHANNEL_BLOCK: usize = 8;

/// The order in which a convolution's terms are added: blocks of channels, then the kernel's rows
/// and columns, then the channels of the block. Yields (channel, ky, kx).
fn term_order(c: usize, k: usize) -> Vec<(usize, usize, usize)> {
    let mut order = Vec::with_capacity(c * k * k);
    for block in (0..c).step_by(CHANNEL_BLOCK) {
        for ky in 0..k {
            for kx in 0..k {
                order.extend((block..c.min(block + CHANNEL_BLOCK)).map(|ci| (ci, ky, kx)));
            }
        }
    }
    order
}

/// A `k x k` convolution of every frame, stride 1 or more, symmetric zero padding.
///
/// Operands: x `[b, c, f, h, w]`, weight `[o, c, k, k]`, bias `[o]`; result `[b, o, f, h', w']`.
pub struct Spatial {
    pub padding: usize,
    pub stride: usize,
    pub interrupt: Interrupt,
}

impl CustomOp3 for Spatial {
    fn name(&self) -> &'static str {
        "conv-spatial"
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
        let (b, c, f, h, wd) = lx.shape().dims5()?;
        let (o, _, k, _) = lw.shape().dims4()?;
        let (x, w, bias) = (elements(x, lx)?, elements(w, lw)?, elements(bias, lb)?);
        let (stride, pad) = (self.stride, self.padding);
        let (oh, ow) = (
            (h + 2 * pad - k) / stride + 1,
            (wd + 2 * pad - k) / stride + 1,
        );
        let order = term_order(c, k);
        let weights = Packed::new(o, order.len(), bias, |row, term| {
            let (ci, ky, kx) = order[term];
            w[((row * c + ci) * k + ky) * k + kx]
        });
        // Tiles are whole output rows.
        let rows = (tile_columns(order.len(), oh * ow) / ow).clamp(1, oh);
        let tiles = oh.div_ceil(rows);
        let mut out = vec![0f32; b * o * f * oh * ow];
        let split = |task: usize| {
            let (frame, tile) = (task / tiles, task % tiles);
            let first = tile * rows;
            (frame / f, frame % f, first, rows.min(oh - first))
        };
        let place = |task| {
            let (bi, fi, first, count) = split(task);
            Place {
                at: (bi * o * f + fi) * oh * ow + first * ow,
                stride: f * oh * ow,
                columns: count * ow,
            }
        };
        product(
            &mut out,
            &weights,
            b * f * tiles,
            &self.interrupt,
            place,
            |task, tile| {
                let (bi, fi, first, count) = split(task);
                let mut line = vec![0f32; ow];
                for (term, &(ci, ky, kx)) in order.iter().enumerate() {
                    let plane = &x[((bi * c + ci) * f + fi) * h * wd..][..h * wd];
                    for r in 0..count {
                        let y = ((first + r) * stride + ky) as isize - pad as isize;
                        if y < 0 || y >= h as isize {
                            tile.zero(term, r * ow, ow);
                            continue;
                        }
                        let source = &plane[y as usize * wd..][..wd];
                        shifted_row(&mut line, source, kx as isize - pad as isize, stride);
                        tile.set(term, r * ow, &line);
                    }
                }
            },
        );
        self.interrupt.check()?;
        Ok((CpuStorage::F32(out), Shape::from((b, o, f, oh, ow))))
    }
}

/// `target[i] = source[i * stride + shift]`, zero outside.
fn shifted_row(target: &mut [f32], source: &[f32], shift: isize, stride: usize) {
    if stride == 1 {
        let (n, len) = (target.len() as isize, source.len() as isize);
        let start = (-shift).clamp(0, n);
        let end = (len - shift).clamp(start, n);
        let (start, end) = (start as usize, end as usize);
        target[..start].fill(0.0);
        if start < end {
            let from = (start as isize + shift) as usize;
            target[start..end].copy_from_slice(&source[from..from + (end - start)]);
        }
        target[end..].fill(0.0);
    } else {
        for (i, value) in target.iter_mut().enumerate() {
            let at = (i * stride) as isize + shift;
            *value = usize::try_from(at)
                .ok()
                .and_then(|at| source.get(at))
                .copied()
                .unwrap_or(0.0);
        }
    }
}

/// A convolution over frames at every pixel, zero padded `before` frames at the start and `after`
/// at the end, stride `stride` over frames.
///
/// Operands: x `[b, c, f, h, w]`, weight `[taps, o, c]`, bias `[o]`; result `[b, o, f', h, w]`.
pub struct Temporal {
    pub before: usize,
    pub after: usize,
    pub stride: usize,
    pub interrupt: Interrupt,
}

impl CustomOp3 for Temporal {
    fn name(&self) -> &'static str {
        "conv-temporal"
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
        let (b, c, f, h, wd) = lx.shape().dims5()?;
        let (taps, o, _) = lw.shape().dims3()?;
        let (x, w, bias) = (elements(x, lx)?, elements(w, lw)?, elements(bias, lb)?);
        let n = h * wd;
        let of = (f + self.before + self.after - taps) / self.stride + 1;
        let mut order = Vec::with_capacity(taps * c);
        for block in (0..c).step_by(CHANNEL_BLOCK) {
            for tap in 0..taps {
                order.extend((block..c.min(block + CHANNEL_BLOCK)).map(|ci| (ci, tap)));
            }
        }
        let weights = Packed::new(o, order.len(), bias, |row, term| {
            let (ci, tap) = order[term];
            w[(tap * o + row) * c + ci]
        });
        let width = tile_columns(order.len(), n).min(n);
        let tiles = n.div_ceil(width);
        let mut out = vec![0f32; b * o * of * n];
        let split = |task: usize| {
            let (bi, rest) = (task / (of * tiles), task % (of * tiles));
            let (tile, fi) = (rest / of, rest % of);
            let first = tile * width;
            (bi, fi, first, width.min(n - first))
        };
        let place = |task| {
            let (bi, fi, first, columns) = split(task);
            Place {
                at: (bi * o * of + fi) * n + first,
                stride: of * n,
                columns,
            }
        };
        product(
            &mut out,
            &weights,
            b * of * tiles,
            &self.interrupt,
            place,
            |task, tile| {
                let (bi, fi, first, columns) = split(task);
                for (term, &(ci, tap)) in order.iter().enumerate() {
                    match (fi * self.stride + tap).checked_sub(self.before) {
                        Some(source) if source < f => {
                            let at = ((bi * c + ci) * f + source) * n + first;
                            tile.set(term, 0, &x[at..at + columns]);
                        }
                        _ => tile.zero(term, 0, columns),
                    }
                }
            },
        );
        self.interrupt.check()?;
        Ok((CpuStorage::F32(out), Shape::from((b, o, of, h, wd))))
    }
}

/// A 1 x 1 convolution: x `[b, c, n]`, weight `[o, c]`, bias `[o]`; result `[b, o, n]`.
pub struct Pointwise;

impl CustomOp3 for Pointwise {
    fn name(&self) -> &'static str {
        "conv-pointwise"
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
        let (b, c, n) = lx.shape().dims3()?;
        let (o, _) = lw.shape().dims2()?;
        let (x, w, bias) = (elements(x, lx)?, elements(w, lw)?, elements(bias, lb)?);
        let weights = Packed::new(o, c, bias, |row, k| w[row * c + k]);
        let width = tile_columns(c, n).min(n);
        let tiles = n.div_ceil(width);
        let mut out = vec![0f32; b * o * n];
        let split = |task: usize| {
            let (bi, first) = (task / tiles, (task % tiles) * width);
            (bi, first, width.min(n - first))
        };
        let place = |task| {
            let (bi, first, columns) = split(task);
            Place {
                at: bi * o * n + first,
                stride: n,
                columns,
            }
        };
        product(
            &mut out,
            &weights,
            b * tiles,
            &Interrupt::new(),
            place,
            |task, tile| {
                let (bi, first, columns) = split(task);
                for k in 0..c {
                    let at = (bi * c + k) * n + first;
                    tile.set(k, 0, &x[at..at + columns]);
                }
            },
        );
        Ok((CpuStorage::F32(out), Shape::from((b, o, n))))
    }
}

/// Temporal PEG: `x + bias + sum_k weight[k] * x[frame - 2 + k]`, each channel by itself.
///
/// Operands: x `[b, c, f, h, w]`, weight `[c, 3]`, bias `[c]`.
pub struct Peg;

simd! {
    fn peg_row(out: &mut [f32], x: &[f32], x1: &[f32], x2: &[f32], w: [f32; 3], bias: f32) {
        for (((out, x), x1), x2) in out.iter_mut().zip(x).zip(x1).zip(x2) {
            *out = x + (bias + w[0] * x2 + w[1] * x1 + w[2] * x);
        }
    }
}

impl CustomOp3 for Peg {
    fn name(&self) -> &'static str {
        "temporal-peg"
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
        let (_, c, f, h, wd) = lx.shape().dims5()?;
        let (x, w, bias) = (elements(x, lx)?, elements(w, lw)?, elements(bias, lb)?);
        let n = h * wd;
        let zeros = vec![0f32; n];
        let mut out = vec![0f32; x.len()];
        out.par_chunks_mut(n).enumerate().for_each(|(i, out)| {
            let (fi, ci) = (i % f, (i / f) % c);
            let at = |back: usize| {
                if back <= fi {
                    &x[(i - back) * n..][..n]
                } else {
                    &zeros[..]
                }
            };
            let taps = [w[ci * 3], w[ci * 3 + 1], w[ci * 3 + 2]];
            peg_row(out, at(0), at(1), at(2), taps, bias[ci]);
        });
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }
}
