//! Convolutions over space and over time, without transposing `[batch, channel, frame, h, w]`.

use super::columns::{Cut, par_columns, par_parts};
use super::conv_grad::ChannelSums;
use super::peg_grad;
use super::product::{MOST_COLUMNS, Packed, Place, Start, Term, multiply};
use super::{elements, fit, simd};
use crate::nn::Interrupt;
use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor};
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

/// Input channels that are summed over before the kernel moves on.
const CHANNEL_BLOCK: usize = 8;

/// Floats of one padded piece of a picture; it stays in the second-level cache while all rows of
/// weights pass over it.
const TILE_FLOATS: usize = 64 * 1024;

/// The order in which a convolution's terms are added: blocks of channels, then the kernel's places,
/// then the channels of the block. Yields (channel, place).
fn term_order(channels: usize, places: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..channels).step_by(CHANNEL_BLOCK).flat_map(move |block| {
        let of_block = block..channels.min(block + CHANNEL_BLOCK);
        (0..places).flat_map(move |place| of_block.clone().map(move |c| (c, place)))
    })
}

/// Weights `[o, c, k, k]` and bias `[o]` for [`Spatial`].
pub fn pack_spatial(w: &[f32], (o, c, k): (usize, usize, usize), bias: &[f32]) -> Packed {
    let order: Vec<_> = term_order(c, k * k).collect();
    Packed::new(o, order.len(), Some(bias), |row, term| {
        let (ci, place) = order[term];
        w[(row * c + ci) * k * k + place]
    })
}

/// Weights `[taps, o, c]` and bias `[o]` for [`Temporal`].
pub fn pack_temporal(w: &[f32], (taps, o, c): (usize, usize, usize), bias: &[f32]) -> Packed {
    let order: Vec<_> = term_order(c, taps).collect();
    Packed::new(o, order.len(), Some(bias), |row, term| {
        let (ci, tap) = order[term];
        w[(tap * o + row) * c + ci]
    })
}

/// Weights `[o, c]` and bias `[o]` for [`Pointwise`].
pub fn pack_pointwise(w: &[f32], (o, c): (usize, usize), bias: Option<&[f32]>) -> Packed {
    Packed::new(o, c, bias, |row, k| w[row * c + k])
}

/// A `k x k` convolution of every frame, stride 1 or more, symmetric zero padding.
///
/// x `[b, c, f, h, w]`; result `[b, o, f, h', w']`.
pub struct Spatial {
    pub weights: Arc<Packed>,
    pub k: usize,
    pub padding: usize,
    pub stride: usize,
    pub interrupt: Interrupt,
}

thread_local! {
    static PADDED: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl CustomOp1 for Spatial {
    fn name(&self) -> &'static str {
        "conv-spatial"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let (b, c, f, h, w) = lx.shape().dims5()?;
        let x = elements(x, lx)?;
        let (k, o, s, pad) = (self.k, self.weights.rows(), self.stride, self.padding);
        let reaches = k > 0 && s > 0 && h + 2 * pad >= k && w + 2 * pad >= k;
        fit(self.name(), reaches && self.weights.depth() == c * k * k)?;
        let (oh, ow) = ((h + 2 * pad - k) / s + 1, (w + 2 * pad - k) / s + 1);
        // A picture is taken apart into stride x stride pictures, so that neighbours of the result
        // read neighbours; the zeros after a row are those before the next.
        let beyond = (k - 1) / s;
        let pitch = if s == 1 { w + pad } else { ow + beyond };
        let floats = |rows: usize| c * s * s * ((rows + beyond) * pitch + pad);
        let rows = (1..=oh).rev().find(|&rows| floats(rows) <= TILE_FLOATS);
        // Few pictures are cut so that there is work for every thread.
        let cuts = rayon::current_num_threads().div_ceil((b * f).max(1));
        let rows = rows.unwrap_or(1).min(oh.div_ceil(cuts)).max(oh.min(4));
        // A block is whole rows of one frame's picture.
        let cut = Cut {
            outer: b,
            rows: o,
            inner: f,
            n: oh * ow,
            width: rows * ow,
        };
        let out = par_columns(cut, 1, |block, mut out| {
            if self.interrupt.is_set() {
                return;
            }
            let (bi, fi) = (block.outer, block.inner);
            let (first, count) = (block.first / ow, block.width / ow);
            let plane = (count + beyond) * pitch + pad;
            let terms: Vec<Term> = term_order(c, k * k)
                .enumerate()
                .map(|(i, (ci, place))| {
                    let (ky, kx) = (place / k, place % k);
                    let phase = (ci * s + ky % s) * s + kx % s;
                    Term::new(i, phase * plane + ky / s * pitch + kx / s)
                })
                .collect();
            PADDED.with_borrow_mut(|padded| {
                padded.clear();
                padded.resize(c * s * s * plane + MOST_COLUMNS, 0.0);
                let planes = padded.chunks_exact_mut(plane).take(c * s * s);
                for (i, plane) in planes.enumerate() {
                    let (ci, py, px) = (i / (s * s), i / s % s, i % s);
                    let picture = &x[((bi * c + ci) * f + fi) * h * w..][..h * w];
                    for (r, row) in plane.chunks_exact_mut(pitch).enumerate() {
                        let y = ((first + r) * s + py).checked_sub(pad);
                        let Some(y) = y.filter(|&y| y < h) else {
                            continue;
                        };
                        let source = &picture[y * w..][..w];
                        if s == 1 {
                            row[pad..pad + w].copy_from_slice(source);
                            continue;
                        }
                        for (q, value) in row.iter_mut().enumerate() {
                            let x = (q * s + px).checked_sub(pad);
                            *value = x.and_then(|x| source.get(x)).copied().unwrap_or(0.0);
                        }
                    }
                }
                let place = Place {
                    columns: count * pitch,
                    pitch,
                    width: ow,
                };
                multiply(&mut out, place, Start::Bias, &self.weights, &terms, padded);
            });
        });
        self.interrupt.check()?;
        Ok((CpuStorage::F32(out), Shape::from((b, o, f, oh, ow))))
    }
}

/// Columns that one task of a product over whole rows takes: enough to be worth a thread, few
/// enough that there is work for all.
fn task_columns(n: usize, tasks: usize) -> usize {
    const LEAST: usize = 256;
    const MOST: usize = 2048;
    let threads = rayon::current_num_threads();
    let wanted = (n * tasks).div_ceil(4 * threads);
    wanted.clamp(LEAST, MOST).next_multiple_of(MOST_COLUMNS)
}

/// A convolution over frames at every pixel, zero padded `before` frames at the start and `after`
/// at the end, stride `stride` over frames.
///
/// x `[b, c, f, h, w]`; result `[b, o, f', h, w]`.
pub struct Temporal {
    pub weights: Arc<Packed>,
    pub taps: usize,
    pub before: usize,
    pub after: usize,
    pub stride: usize,
    pub interrupt: Interrupt,
}

impl CustomOp1 for Temporal {
    fn name(&self) -> &'static str {
        "conv-temporal"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let (b, c, f, h, w) = lx.shape().dims5()?;
        let x = elements(x, lx)?;
        let (o, n) = (self.weights.rows(), h * w);
        let padded = f + self.before + self.after;
        let reaches = self.taps > 0 && self.stride > 0 && padded >= self.taps;
        fit(
            self.name(),
            reaches && self.weights.depth() == c * self.taps,
        )?;
        let of = (padded - self.taps) / self.stride + 1;
        // Terms of one frame of the result, counted from the first frame of x that is inside: of frames outside
        // there is nothing to add. All frames that are not at an end have the same.
        let inside = |fi: usize| {
            let first = fi * self.stride;
            let end = (self.before + f).saturating_sub(first);
            let taps = self.before.saturating_sub(first)..self.taps.min(end);
            let frame = first.saturating_sub(self.before);
            (taps, frame.min(f.saturating_sub(1)))
        };
        let terms_of = |taps: Range<usize>| -> Vec<Term> {
            let all = term_order(c, self.taps).enumerate();
            let inside = all.filter(|(_, (_, tap))| taps.contains(tap));
            let term = |(i, (ci, tap)): (usize, (usize, usize))| {
                Term::new(i, (ci * f + tap - taps.start) * n)
            };
            inside.map(term).collect()
        };
        let mut terms: Vec<(Range<usize>, Vec<Term>)> = Vec::new();
        for fi in 0..of {
            let (taps, _) = inside(fi);
            if terms.iter().all(|(known, _)| *known != taps) {
                terms.push((taps.clone(), terms_of(taps)));
            }
        }
        let cut = Cut {
            outer: b,
            rows: o,
            inner: of,
            n,
            width: task_columns(n, b * of).min(n),
        };
        let out = par_columns(cut, 1, |block, mut out| {
            if self.interrupt.is_set() {
                return;
            }
            let (taps, frame) = inside(block.inner);
            let terms = terms.iter().find(|(known, _)| *known == taps);
            let terms = terms.map_or(&[][..], |(_, terms)| terms);
            let first = frame * n + block.first;
            let x = &x[block.outer * c * f * n + first..][..c * f * n - first];
            let place = Place::whole(block.width);
            multiply(&mut out, place, Start::Bias, &self.weights, terms, x);
        });
        self.interrupt.check()?;
        Ok((CpuStorage::F32(out), Shape::from((b, o, of, h, w))))
    }
}

/// A 1 x 1 convolution: x `[b, c, n]`; result `[b, o, n]`.
pub struct Pointwise {
    pub weights: Arc<Packed>,
}

impl CustomOp1 for Pointwise {
    fn name(&self) -> &'static str {
        "conv-pointwise"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let (b, c, n) = lx.shape().dims3()?;
        let x = elements(x, lx)?;
        let o = self.weights.rows();
        fit(self.name(), self.weights.depth() == c)?;
        let terms: Vec<Term> = (0..c).map(|k| Term::new(k, k * n)).collect();
        let cut = Cut {
            outer: b,
            rows: o,
            inner: 1,
            n,
            width: task_columns(n, b).min(n),
        };
        let out = par_columns(cut, 1, |block, mut out| {
            let x = &x[block.outer * c * n + block.first..][..c * n - block.first];
            let place = Place::whole(block.width);
            multiply(&mut out, place, Start::Bias, &self.weights, &terms, x);
        });
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
        fit(self.name(), w.len() == 3 * c && bias.len() == c)?;
        let n = h * wd;
        let zeros = vec![0f32; n];
        let out = par_parts(x.len(), n, |i, out| {
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

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [x, w] = peg_grad::slopes(x, w, grad)?;
        let bias = grad.contiguous()?.apply_op1_no_bwd(&ChannelSums)?;
        Ok((Some(x), Some(w), Some(bias)))
    }
}
