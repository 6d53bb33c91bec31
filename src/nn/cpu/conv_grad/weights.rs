//! What the gradient of a result is for weights and biases. The order of its sums depends on shapes alone, so that
//! a run is the same to the bit whatever the threads.

use crate::nn::Interrupt;
use crate::nn::cpu::columns::{Columns, Cut, par_columns, par_parts};
use crate::nn::cpu::product::{MOST_COLUMNS, Packed, Place, Start, Term, multiply};
use crate::nn::cpu::{elements, fit, simd};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape};
use std::ops::Range;

/// Columns of the product that one task takes: two panels of the widest kernel, so that few are empty.
const TASK_COLUMNS: usize = 2 * MOST_COLUMNS;

/// Floats that are gathered at once: they stay in the second-level cache while all rows pass over them.
const GATHERED_FLOATS: usize = 64 * 1024;

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
            places: k * k,
            interrupt: &self.interrupt,
        };
        let out = sums.over_pictures(|to, step, [bi, fi, ci], place, rows| {
            let plane = &x[((bi * c + ci) * f + fi) * h * w..][..h * w];
            let from = (rows.start + place / k, place % k);
            shifted(to, plane, (rows.len(), ow, step), (h, w), from, pad);
        })?;
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
            places: self.taps,
            interrupt: &self.interrupt,
        };
        let out = sums.over_pictures(|to, step, [bi, fi, ci], tap, rows| {
            let to = to.iter_mut().step_by(step).take(rows.len() * w);
            let frame = (fi + tap)
                .checked_sub(self.before)
                .filter(|frame| *frame < f);
            match frame {
                Some(frame) => {
                    let from = ((bi * c + ci) * f + frame) * h * w + rows.start * w;
                    to.zip(&x[from..]).for_each(|(to, x)| *to = *x);
                }
                None => to.for_each(|to| *to = 0.0),
            }
        })?;
        Ok((CpuStorage::F32(out), Shape::from((o, c, self.taps))))
    }
}

/// Sums of products of a gradient g `[b, o, f, h, w]` with what each place of a kernel reads.
struct Sums<'a> {
    g: &'a [f32],
    /// Of g.
    dims: [usize; 5],
    /// Input channels.
    inputs: usize,
    /// Of the kernel.
    places: usize,
    interrupt: &'a Interrupt,
}

impl Sums<'_> {
    /// `[o, inputs, places]`. `gather` writes what a place of a channel reads for some rows of a picture of g, one
    /// every so many elements: (where to, how many, `[sample, frame, channel]`, place, rows).
    ///
    /// Each task takes a few input channels and goes through all pictures, one after the other: a picture's sum is
    /// taken by itself, then added. So the order of sums depends on shapes alone, and not on the threads.
    fn over_pictures(
        &self,
        gather: impl Fn(&mut [f32], usize, [usize; 3], usize, Range<usize>) + Sync,
    ) -> Result<Vec<f32>> {
        let ([b, o, f, h, w], places) = (self.dims, self.places);
        let cut = Cut {
            outer: 1,
            rows: o,
            inner: 1,
            n: self.inputs * places,
            width: (TASK_COLUMNS / places.max(1)).clamp(1, self.inputs.max(1)) * places,
        };
        let out = par_columns(cut, 1, |block, mut out| {
            let columns = block.width;
            let channels = block.first / places..(block.first + columns) / places;
            let at_once = (GATHERED_FLOATS / (columns * w).max(1)).clamp(1, h.max(1));
            let terms = (0..at_once * w).map(|i| Term::new(i, i * columns));
            let terms: Vec<Term> = terms.collect();
            let mut sums = vec![0f32; o * columns];
            let mut gathered = vec![0f32; terms.len() * columns + MOST_COLUMNS];
            for picture in 0..b * f {
                if self.interrupt.is_set() {
                    return;
                }
                let (bi, fi) = (picture / f, picture % f);
                for first in (0..h).step_by(at_once) {
                    let rows = first..h.min(first + at_once);
                    for (i, ci) in channels.clone().enumerate() {
                        for place in 0..places {
                            let to = &mut gathered[i * places + place..];
                            gather(to, columns, [bi, fi, ci], place, rows.clone());
                        }
                    }
                    let depth = rows.len() * w;
                    let weights = Packed::new(o, depth, None, |row, i| {
                        self.g[((bi * o + row) * f + fi) * h * w + first * w + i]
                    });
                    let start = match first {
                        0 => Start::Bias,
                        _ => Start::Place,
                    };
                    multiply(
                        &mut Columns::all(&mut sums, columns),
                        Place::whole(columns),
                        start,
                        &weights,
                        &terms[..depth],
                        &gathered,
                    );
                }
                for (row, sums) in sums.chunks_exact(columns).enumerate() {
                    let total = out.row(row).iter_mut().zip(sums);
                    total.for_each(|(total, sum)| *total += sum);
                }
            }
        });
        self.interrupt.check()?;
        Ok(out)
    }
}

/// Writes `rows x width` values of a picture of `h x w`, from a place of it that is padded by `pad` zeros on
/// every side, one every `step` elements of `to`.
fn shifted(
    to: &mut [f32],
    plane: &[f32],
    (rows, width, step): (usize, usize, usize),
    (h, w): (usize, usize),
    (y, x): (usize, usize),
    pad: usize,
) {
    let mut to = to.iter_mut().step_by(step);
    for row in y..y + rows {
        let source = (row.checked_sub(pad).filter(|y| *y < h)).map(|y| &plane[y * w..][..w]);
        for column in x..x + width {
            let value = column
                .checked_sub(pad)
                .and_then(|x| source?.get(x).copied())
                .unwrap_or(0.0);
            if let Some(to) = to.next() {
                *to = value;
            }
        }
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
