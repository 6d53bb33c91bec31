//! What the gradient of a result is for weights and biases. The order of its sums depends on shapes alone, so that
//! a run is the same to the bit whatever the threads.

use crate::nn::Interrupt;
use crate::nn::cpu::columns::{Columns, par_parts};
use crate::nn::cpu::product::{MOST_COLUMNS, Packed, Place, Start, Term, multiply};
use crate::nn::cpu::{elements, fit, simd};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape};
use rayon::prelude::*;
use std::ops::Range;

/// Pieces are summed in this many parts, each by itself, whatever the threads.
const PARTS: usize = 4;

/// Floats of x in a piece: they stay in the second-level cache while all rows of g pass over them.
const PIECE_FLOATS: usize = 64 * 1024;

/// Terms of a sum that are added one after the other.
const PIECE_TERMS: usize = 2048;

/// The gradient of the weights: `dw[o, c, ky, kx] = sum g[b, o, f, y, x] x[b, c, f, y + ky - p, x + kx - p]`.
///
/// Operands: g `[b, o, f, h', w']`, x `[b, c, f, h, w]`; result `[o, c, k, k]`.
pub struct SpatialWeights {
    pub k: usize,
    pub padding: usize,
    pub interrupt: Interrupt,
}

impl CustomOp2 for SpatialWeights {
    fn name(&self) -> &'static str {
        "conv-spatial-weights"
    }

    fn cpu_fwd(
        &self,
        g: &CpuStorage,
        lg: &Layout,
        x: &CpuStorage,
        lx: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, o, f, oh, ow) = lg.shape().dims5()?;
        let (xb, c, xf, h, w) = lx.shape().dims5()?;
        let (k, pad) = (self.k, self.padding);
        let alike = (oh + k, ow + k) == (h + 2 * pad + 1, w + 2 * pad + 1);
        fit(self.name(), k > 0 && (b, f) == (xb, xf) && alike)?;
        let (g, x) = (elements(g, lg)?, elements(x, lx)?);
        let sums = Sums {
            g,
            dims: [b, o, f, oh, ow],
            inputs: c,
            lines: k,
            across: k,
            interrupt: &self.interrupt,
        };
        // A row and the k - 1 after it, with its zeros.
        let pitch = w + 2 * pad;
        let load = |to: &mut Vec<f32>, piece: &Piece| {
            let rows = piece.rows.len() + k - 1;
            to.resize(piece.frames.len() * rows * pitch * c, 0.0);
            let pictures = to.chunks_exact_mut((rows * pitch * c).max(1));
            for (fi, picture) in piece.frames.clone().zip(pictures) {
                for (row, to) in picture.chunks_exact_mut(pitch * c).enumerate() {
                    let y = (piece.rows.start + row).checked_sub(pad);
                    if let Some(y) = y.filter(|y| *y < h) {
                        let from = ((piece.sample * c) * f + fi) * h * w + y * w;
                        let row = |ci: usize| &x[from + ci * f * h * w..][..w];
                        channels_last(&mut to[pad * c..], c, row);
                    }
                }
            }
        };
        let from = |piece: &Piece, line: usize, fi: usize, y: usize| {
            let rows = piece.rows.len() + k - 1;
            let row = (fi - piece.frames.start) * rows + (y - piece.rows.start) + line;
            Some(row * pitch * c)
        };
        let out = sums.over_pieces(load, from)?;
        Ok((CpuStorage::F32(out), Shape::from((o, c, k, k))))
    }
}

/// The gradient of the weights: `dw[o, c, tap] = sum g[b, o, f, n] x[b, c, f + tap - before, n]`.
///
/// Operands: g `[b, o, f', h, w]`, x `[b, c, f, h, w]`; result `[o, c, taps]`.
pub struct TemporalWeights {
    pub taps: usize,
    pub before: usize,
    pub interrupt: Interrupt,
}

impl CustomOp2 for TemporalWeights {
    fn name(&self) -> &'static str {
        "conv-temporal-weights"
    }

    fn cpu_fwd(
        &self,
        g: &CpuStorage,
        lg: &Layout,
        x: &CpuStorage,
        lx: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, o, of, h, w) = lg.shape().dims5()?;
        let (xb, c, f, xh, xw) = lx.shape().dims5()?;
        fit(self.name(), self.taps > 0 && (b, h, w) == (xb, xh, xw))?;
        let (g, x) = (elements(g, lg)?, elements(x, lx)?);
        let sums = Sums {
            g,
            dims: [b, o, of, h, w],
            inputs: c,
            lines: self.taps,
            across: 1,
            interrupt: &self.interrupt,
        };
        // Frames of x that a piece's frames reach, as far as they are inside.
        let reached = |piece: &Piece| {
            let end = (piece.frames.end + self.taps - 1).saturating_sub(self.before);
            piece.frames.start.saturating_sub(self.before).min(f)..end.min(f)
        };
        let load = |to: &mut Vec<f32>, piece: &Piece| {
            let (n, frames) = (piece.rows.len() * w, reached(piece));
            to.resize(frames.len() * n * c, 0.0);
            for (fi, to) in frames.zip(to.chunks_exact_mut((n * c).max(1))) {
                let from = (piece.sample * c * f + fi) * h * w + piece.rows.start * w;
                channels_last(to, c, |ci: usize| &x[from + ci * f * h * w..][..n]);
            }
        };
        let from = |piece: &Piece, line: usize, fi: usize, y: usize| {
            let frames = reached(piece);
            let frame = (fi + line).checked_sub(self.before)?;
            let frame = frames.contains(&frame).then(|| frame - frames.start)?;
            Some((frame * piece.rows.len() + y - piece.rows.start) * w * c)
        };
        let out = sums.over_pieces(load, from)?;
        Ok((CpuStorage::F32(out), Shape::from((o, c, self.taps))))
    }
}

/// `to[n][c]` from rows of n elements, one a channel.
fn channels_last<'a>(to: &mut [f32], c: usize, row: impl Fn(usize) -> &'a [f32]) {
    const TOGETHER: usize = 8;
    let mut first = 0;
    while first + TOGETHER <= c {
        let rows: [&[f32]; TOGETHER] = std::array::from_fn(|i| row(first + i));
        interleave(&mut to[first..], c, rows);
        first += TOGETHER;
    }
    for ci in first..c {
        let to = to[ci..].iter_mut().step_by(c);
        to.zip(row(ci)).for_each(|(to, x)| *to = *x);
    }
}

simd! {
    /// Eight rows, one element of each after the other, every c elements.
    fn interleave(to: &mut [f32], c: usize, rows: [&[f32]; 8]) {
        let n = rows[0].len();
        let rows = rows.map(|row| &row[..n]);
        for (i, to) in to.chunks_mut(c).enumerate().take(n) {
            for (to, row) in to[..8].iter_mut().zip(rows) {
                *to = row[i];
            }
        }
    }
}

/// Some frames of a sample, or some rows of one frame.
struct Piece {
    sample: usize,
    frames: Range<usize>,
    rows: Range<usize>,
}

/// Sums of products of a gradient g `[b, o, f, h, w]` with what each place of a kernel reads of x.
///
/// x is laid out with its channels last, so that the places side by side in a line of the kernel, and their
/// channels, are side by side in memory: each line is one matrix product.
struct Sums<'a> {
    g: &'a [f32],
    /// Of g.
    dims: [usize; 5],
    /// Input channels.
    inputs: usize,
    /// Lines of the kernel, and places in each.
    lines: usize,
    across: usize,
    interrupt: &'a Interrupt,
}

impl Sums<'_> {
    fn pieces(&self) -> Vec<Piece> {
        let ([b, _, f, h, w], c) = (self.dims, self.inputs);
        let row = (w * c).max(1);
        let rows = (PIECE_FLOATS / row).clamp(1, h.max(1));
        let most = (PIECE_FLOATS / (row * h.max(1))).min(PIECE_TERMS / (h * w).max(1));
        let frames = most.clamp(1, f.max(1));
        let mut pieces = Vec::new();
        for sample in 0..b {
            for first in (0..f).step_by(frames) {
                for y in (0..h).step_by(rows) {
                    pieces.push(Piece {
                        sample,
                        frames: first..f.min(first + frames),
                        rows: y..h.min(y + rows),
                    });
                }
            }
        }
        pieces
    }

    /// `[o, inputs, lines across]`. `load` lays out what a piece reads of x, in a vector of nothing; `from` says where
    /// in it a line's first place begins for a frame and a row of g, if not outside.
    ///
    /// A piece's sum is taken by itself, then added to its part's, and the parts' in their order: which these are
    /// depends on shapes alone.
    fn over_pieces(
        &self,
        load: impl Fn(&mut Vec<f32>, &Piece) + Sync,
        from: impl Fn(&Piece, usize, usize, usize) -> Option<usize> + Sync,
    ) -> Result<Vec<f32>> {
        let ([_, o, f, h, w], c) = (self.dims, self.inputs);
        let columns = self.across * c;
        let pieces = self.pieces();
        let part = |pieces: &[Piece]| {
            let mut total = vec![0f32; o * self.lines * columns];
            let mut sums = vec![0f32; o * columns];
            let (mut values, mut terms) = (Vec::new(), Vec::new());
            for piece in pieces {
                if self.interrupt.is_set() {
                    break;
                }
                values.clear();
                load(&mut values, piece);
                values.resize(values.len() + MOST_COLUMNS, 0.0);
                let depth = piece.frames.len() * piece.rows.len() * w;
                let weights = Packed::of_rows(o, depth, |row, to| {
                    for fi in piece.frames.clone() {
                        let at = ((piece.sample * o + row) * f + fi) * h * w;
                        to(&self.g[at + piece.rows.start * w..][..piece.rows.len() * w]);
                    }
                });
                for line in 0..self.lines {
                    terms.clear();
                    let mut weight = 0;
                    for fi in piece.frames.clone() {
                        for y in piece.rows.clone() {
                            if let Some(from) = from(piece, line, fi, y) {
                                let row = (0..w).map(|i| Term::new(weight + i, from + i * c));
                                terms.extend(row);
                            }
                            weight += w;
                        }
                    }
                    multiply(
                        &mut Columns::all(&mut sums, columns),
                        Place::whole(columns),
                        Start::Bias,
                        &weights,
                        &terms,
                        &values,
                    );
                    let totals = total.chunks_exact_mut(self.lines * columns);
                    for (total, sums) in totals.zip(sums.chunks_exact(columns)) {
                        let total = total[line * columns..][..columns].iter_mut();
                        total.zip(sums).for_each(|(total, sum)| *total += sum);
                    }
                }
            }
            total
        };
        let mut out = vec![0f32; o * self.lines * columns];
        if columns == 0 || out.is_empty() {
            return Ok(out);
        }
        let parts: Vec<Vec<f32>> = pieces
            .par_chunks(pieces.len().div_ceil(PARTS).max(1))
            .map(part)
            .collect();
        self.interrupt.check()?;
        let places = self.lines * self.across;
        for total in parts {
            let kernels = out.chunks_exact_mut(c * places);
            for (out, total) in kernels.zip(total.chunks_exact(c * places)) {
                for (place, total) in total.chunks_exact(c).enumerate() {
                    let out = out[place..].iter_mut().step_by(places);
                    out.zip(total).for_each(|(out, total)| *out += total);
                }
            }
        }
        Ok(out)
    }
}

/// The gradient of a bias: the sum of each channel of `[b, c, ...]`, `[c]`.
pub struct ChannelSums;

const LANES: usize = 32;

simd! {
    fn summed(out: &mut f64, x: &[f32]) {
        let mut lanes = [0f32; LANES];
        let (x, rest) = x.as_chunks::<LANES>();
        for x in x {
            for l in 0..LANES {
                lanes[l] += x[l];
            }
        }
        *out += lanes.iter().chain(rest).copied().map(f64::from).sum::<f64>();
    }
}

impl CustomOp1 for ChannelSums {
    fn name(&self) -> &'static str {
        "channel-sums"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let dims = lx.dims();
        fit(self.name(), dims.len() > 1)?;
        let (b, c, n) = (dims[0], dims[1], dims[2..].iter().product::<usize>());
        let x = elements(x, lx)?;
        let out = par_parts(c, 1, |ci, out| {
            let mut sum = 0f64;
            for bi in 0..b {
                // In pieces, so that a lane's sum stays short.
                for piece in x[(bi * c + ci) * n..][..n].chunks(LANES * 128) {
                    summed(&mut sum, piece);
                }
            }
            out[0] = sum as f32;
        });
        Ok((CpuStorage::F32(out), Shape::from(c)))
    }
}
