//! Convolutions over space and over time, without transposing `[batch, channel, frame, h, w]`.

use super::{SharedOut, elements, simd};
use crate::nn::Interrupt;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape};
use rayon::prelude::*;
use std::cell::RefCell;

/// Columns of one im2col tile are chosen so that the tile stays in the second-level cache.
const TILE_FLOATS: usize = 192 * 1024;

thread_local! {
    static TILE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// `out[m, n] += lhs[m, k] * rhs[k, n]`, all row-major with the given row strides, on this thread.
///
/// # Safety
/// The three pointers must be valid for the shapes and strides given, and `out` must belong to
/// this thread alone.
#[allow(clippy::too_many_arguments)] // the operands of a matrix product
unsafe fn multiply_add(
    (m, n, k): (usize, usize, usize),
    out: *mut f32,
    out_row: usize,
    lhs: *const f32,
    lhs_row: usize,
    rhs: *const f32,
    rhs_row: usize,
) {
    // SAFETY: forwarded from the caller; the strides are those of row-major matrices.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out,
            1,
            out_row as isize,
            true,
            lhs,
            1,
            lhs_row as isize,
            rhs,
            1,
            rhs_row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
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
        let depth = c * k * k;
        let rows = (TILE_FLOATS / (depth * ow)).clamp(1, oh);
        let tiles = oh.div_ceil(rows);
        let mut out = vec![0f32; b * o * f * oh * ow];
        let shared = SharedOut::new(&mut out);
        (0..b * f * tiles).into_par_iter().for_each(|task| {
            if self.interrupt.is_set() {
                return;
            }
            let (frame, tile) = (task / tiles, task % tiles);
            let (bi, fi) = (frame / f, frame % f);
            let first = tile * rows;
            let count = rows.min(oh - first);
            let columns = count * ow;
            TILE.with_borrow_mut(|buffer| {
                if buffer.len() < depth * columns {
                    buffer.resize(depth * columns, 0.0);
                }
                for ci in 0..c {
                    let plane = &x[((bi * c + ci) * f + fi) * h * wd..][..h * wd];
                    for ky in 0..k {
                        for kx in 0..k {
                            let row = (ci * k + ky) * k + kx;
                            let target = &mut buffer[row * columns..][..columns];
                            for (r, target) in target.chunks_exact_mut(ow).enumerate() {
                                let y = ((first + r) * stride + ky) as isize - pad as isize;
                                if y < 0 || y >= h as isize {
                                    target.fill(0.0);
                                    continue;
                                }
                                let source = &plane[y as usize * wd..][..wd];
                                shifted_row(target, source, kx as isize - pad as isize, stride);
                            }
                        }
                    }
                }
                let at = ((bi * o) * f + fi) * oh * ow + first * ow;
                for (oi, &value) in bias.iter().enumerate() {
                    // SAFETY: this task alone writes rows first .. first + count of its frame.
                    unsafe { shared.slice(at + oi * f * oh * ow, columns) }.fill(value);
                }
                // SAFETY: as above; the tile holds depth x columns values, the weight o x depth.
                unsafe {
                    multiply_add(
                        (o, columns, depth),
                        shared.at(at),
                        f * oh * ow,
                        w.as_ptr(),
                        depth,
                        buffer.as_ptr(),
                        columns,
                    );
                }
            });
        });
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
        let width = (TILE_FLOATS / (2 * (c + o))).clamp(16, 4096).min(n);
        let tiles = n.div_ceil(width);
        let mut out = vec![0f32; b * o * of * n];
        let shared = SharedOut::new(&mut out);
        (0..b * of * tiles).into_par_iter().for_each(|task| {
            if self.interrupt.is_set() {
                return;
            }
            let (bi, rest) = (task / (of * tiles), task % (of * tiles));
            let (tile, fi) = (rest / of, rest % of);
            let first = tile * width;
            let columns = width.min(n - first);
            let at = (bi * o * of + fi) * n + first;
            for (oi, &value) in bias.iter().enumerate() {
                // SAFETY: this task alone writes columns first .. first + columns of frame fi.
                unsafe { shared.slice(at + oi * of * n, columns) }.fill(value);
            }
            for tap in 0..taps {
                let Some(source) = (fi * self.stride + tap).checked_sub(self.before) else {
                    continue;
                };
                if source >= f {
                    continue;
                }
                let rhs = &x[(bi * c * f + source) * n + first..];
                // SAFETY: as above; row ci of rhs starts at ci * f * n, the last one ends within x.
                unsafe {
                    multiply_add(
                        (o, columns, c),
                        shared.at(at),
                        of * n,
                        w[tap * o * c..].as_ptr(),
                        c,
                        rhs.as_ptr(),
                        f * n,
                    );
                }
            }
        });
        self.interrupt.check()?;
        Ok((CpuStorage::F32(out), Shape::from((b, o, of, h, wd))))
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
