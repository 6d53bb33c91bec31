//! The matrix product under every convolution: `out[rows, n] = start + weight[rows, depth] x[depth, n]`.
//!
//! x is never gathered: each of its rows is a place in memory to read from, which is enough for a
//! convolution over a padded picture, over frames, or over neither.
//!
//! Each sum starts at the bias and takes its terms one after the other with fused multiply-add: the
//! order in which PyTorch's CPU convolutions add, so that small networks come out the same to the
//! last bit, and guided cascades, which amplify rounding a thousandfold, stay comparable. Every kernel
//! here keeps that order: these sums are the same whatever the processor.

use super::columns::Columns;
use super::kernels::{Kernel, MOST_ROWS, Sums};
pub use super::kernels::{MOST_COLUMNS, Term};
use std::cell::RefCell;

/// Weights as a kernel reads them: `[rows / block][depth][block]`, padded with zeros.
#[derive(Clone, Debug)]
pub struct Packed {
    kernel: Kernel,
    rows: usize,
    depth: usize,
    data: Vec<f32>,
    bias: Vec<f32>,
}

impl Packed {
    /// `weight(row, k)` and one bias a row; no bias is zero.
    pub fn new(
        rows: usize,
        depth: usize,
        bias: Option<&[f32]>,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let kernel = Kernel::for_rows(rows);
        let block = kernel.rows;
        let blocks = rows.div_ceil(block);
        let mut data = vec![0f32; blocks * depth * block];
        for (i, target) in data.chunks_exact_mut((depth * block).max(1)).enumerate() {
            for (k, target) in target.chunks_exact_mut(block).enumerate() {
                for (r, target) in target.iter_mut().enumerate() {
                    let row = i * block + r;
                    if row < rows {
                        *target = weight(row, k);
                    }
                }
            }
        }
        let mut padded = bias.map(<[f32]>::to_vec).unwrap_or_default();
        padded.resize(blocks * block, 0.0);
        Self {
            kernel,
            rows,
            depth,
            data,
            bias: padded,
        }
    }

    /// From rows that are long and few: `row(i, to)` hands over row i in pieces, `depth` elements in all. No bias.
    pub fn of_rows(rows: usize, depth: usize, row: impl Fn(usize, &mut dyn FnMut(&[f32]))) -> Self {
        let kernel = Kernel::for_rows(rows);
        let block = kernel.rows;
        let blocks = rows.div_ceil(block);
        let mut data = vec![0f32; blocks * depth * block];
        for i in 0..rows {
            let mut to = data[i / block * depth * block..][..depth * block]
                .iter_mut()
                .skip(i % block)
                .step_by(block);
            row(i, &mut |piece| {
                // In this order: what is asked first is lost when the other ends.
                piece.iter().zip(to.by_ref()).for_each(|(v, to)| *to = *v);
            });
        }
        Self {
            kernel,
            rows,
            depth,
            data,
            bias: vec![0.0; blocks * block],
        }
    }

    /// The weights row by row, as they were given.
    pub fn unpacked(&self) -> Vec<f32> {
        let (block, depth) = (self.kernel.rows, self.depth);
        let at = |row: usize, k: usize| (row / block * depth + k) * block + row % block;
        let row = |row: usize| (0..depth).map(move |k| self.data[at(row, k)]);
        (0..self.rows).flat_map(row).collect()
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn depth(&self) -> usize {
        self.depth
    }
}

/// Where the result's columns go: rows of `width` out of every `pitch` columns are kept, one after
/// the other.
#[derive(Clone, Copy)]
pub struct Place {
    pub columns: usize,
    pub pitch: usize,
    pub width: usize,
}

impl Place {
    /// All columns, side by side.
    pub fn whole(columns: usize) -> Self {
        Self {
            columns,
            pitch: columns,
            width: columns,
        }
    }
}

/// What a sum starts from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Bias,
    /// What stands in the place: the sum goes on.
    Place,
}

thread_local! {
    /// The last columns of x, where reading on would leave it.
    static TAIL: RefCell<(Vec<f32>, Vec<Term>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// `out = start + weights x` over `place.columns` columns; row k of x is `x[terms[k].from..]`. Terms
/// that are left out count as zero.
///
/// # Panics
/// When `out` has not a row for each of the weights, or x ends before a term's columns do.
pub fn multiply(
    out: &mut Columns<'_>,
    place: Place,
    start: Start,
    weights: &Packed,
    terms: &[Term],
    x: &[f32],
) {
    let Kernel { rows, columns, run } = weights.kernel;
    let deepest = terms.iter().map(|t| t.from).max().unwrap_or(0) as usize;
    assert!(out.rows() == weights.rows && place.pitch > 0);
    assert!(terms.iter().all(|t| (t.weight as usize) < weights.depth));
    assert!(deepest <= x.len() && place.columns <= x.len() - deepest);
    let block_floats = weights.depth * rows;
    // Whole panels that can be read without leaving x; what remains is copied first.
    let whole = (x.len() - deepest) / columns * columns;
    let direct = place.columns.next_multiple_of(columns).min(whole);
    let mut part = |terms: &[Term], x: &[f32], from: usize, to: usize| {
        for block in 0..weights.rows.div_ceil(rows) {
            let a = &weights.data[block * block_floats..][..block_floats];
            let first = block * rows;
            let kept = rows.min(weights.rows - first);
            let bias = &weights.bias[first..][..rows];
            for column in (from..to).step_by(columns) {
                let mut sums: Sums = [[0.0; MOST_COLUMNS]; MOST_ROWS];
                let end = (column + columns).min(place.columns);
                match start {
                    Start::Bias => {
                        for (sums, bias) in sums.iter_mut().zip(bias) {
                            *sums = [*bias; MOST_COLUMNS];
                        }
                    }
                    Start::Place => {
                        for (r, sums) in sums[..kept].iter_mut().enumerate() {
                            let stood = out.row(first + r);
                            each_run(place, column, end, |panel, to, n| {
                                sums[panel..panel + n].copy_from_slice(&stood[to..to + n]);
                            });
                        }
                    }
                }
                // SAFETY: the kernel reads `columns` elements of x from `column - from + term.from` on.
                // In x itself that ends at or before `whole + deepest`, which is within it; in the tail
                // every term has a row of its own, `width` long, and a panel ends within that. Of the
                // weights it reads `rows` from `weight * rows` on: `a` has `depth` times as many, and
                // every term's weight is below the depth, as was checked.
                unsafe { run(&mut sums, a, terms, x.as_ptr().add(column - from)) };
                for (r, sums) in sums[..kept].iter().enumerate() {
                    let target = out.row(first + r);
                    each_run(place, column, end, |panel, to, n| {
                        target[to..to + n].copy_from_slice(&sums[panel..panel + n]);
                    });
                }
            }
        }
    };
    part(terms, x, 0, direct.min(place.columns));
    if direct < place.columns {
        TAIL.with_borrow_mut(|(values, tail)| {
            let left = place.columns - direct;
            let width = left.next_multiple_of(columns);
            values.clear();
            values.resize(terms.len() * width, 0.0);
            tail.clear();
            for (i, (term, row)) in terms.iter().zip(values.chunks_exact_mut(width)).enumerate() {
                row[..left].copy_from_slice(&x[term.from as usize + direct..][..left]);
                tail.push(Term::new(term.weight as usize, i * width));
            }
            part(tail, values, direct, place.columns);
        });
    }
}

/// The kept runs of columns `from .. to`: (first column in the panel, place in the row, length).
#[inline(always)]
fn each_run(place: Place, from: usize, to: usize, mut run: impl FnMut(usize, usize, usize)) {
    if place.width == place.columns {
        return run(0, from, to - from);
    }
    let mut column = from;
    while column < to {
        let (y, x) = (column / place.pitch, column % place.pitch);
        let next = (column + place.pitch - x).min(to);
        let kept = place.width.saturating_sub(x).min(next - column);
        if kept > 0 {
            run(column - from, y * place.width + x, kept);
        }
        column = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::noise;

    #[test]
    fn what_was_packed_is_had_again() {
        for (rows, depth) in [(1, 1), (3, 5), (4, 2), (8, 3), (13, 7)] {
            let w = noise(rows * depth, 6);
            let packed = Packed::new(rows, depth, None, |row, k| w[row * depth + k]);
            assert_eq!(packed.unpacked(), w);
        }
    }

    #[test]
    fn sums_go_on_and_tails_are_whole() {
        for columns in [1, 16, 31, 33, 70] {
            let (depth, rows) = (5, 11);
            let (w, x) = (noise(rows * depth, 3), noise(depth * columns, 4));
            let bias = noise(rows, 5);
            let at = |from: usize| {
                Packed::new(rows, 3.min(depth - from), Some(&bias), |r, k| {
                    w[r * depth + from + k]
                })
            };
            let mut out = vec![9.0; rows * columns];
            let place = Place::whole(columns);
            let terms: Vec<Term> = (0..3).map(|k| Term::new(k, k * columns)).collect();
            let mut all = Columns::all(&mut out, columns);
            multiply(&mut all, place, Start::Bias, &at(0), &terms, &x);
            let rest = &x[3 * columns..];
            multiply(&mut all, place, Start::Place, &at(3), &terms[..2], rest);
            for r in 0..rows {
                for c in 0..columns {
                    let pairs = (0..depth).map(|k| (w[r * depth + k], x[k * columns + c]));
                    let d = (out[r * columns + c]
                        - pairs.fold(bias[r], |sum, (a, b): (f32, f32)| a.mul_add(b, sum)))
                    .abs();
                    assert!(d < 1e-6, "{columns} columns: {d} at {r}, {c}");
                }
            }
        }
    }

    /// What the caller got wrong is refused before anything is read or written.
    #[test]
    fn a_product_out_of_bounds_is_refused() {
        let terms = [0, 1, 2].map(|k| Term::new(k, k * 16));
        let tried = |rows: usize, terms: Vec<Term>, n: usize| {
            std::panic::catch_unwind(|| {
                let weights = Packed::new(2, 3, None, |_, _| 1.0);
                let mut out = vec![0.0; rows * 16];
                let mut out = Columns::all(&mut out, 16);
                let x = vec![1.0; n];
                multiply(
                    &mut out,
                    Place::whole(16),
                    Start::Bias,
                    &weights,
                    &terms,
                    &x,
                );
            })
            .is_err()
        };
        assert!(!tried(2, terms.to_vec(), 48));
        assert!(tried(1, terms.to_vec(), 48), "a row too few");
        assert!(tried(2, terms.to_vec(), 47), "x too short");
        assert!(tried(2, vec![Term::new(3, 0)], 48), "a weight too many");
        assert!(tried(2, vec![Term::new(0, 1 << 31)], 48), "far outside x");
    }
}
