//! The matrix product under every convolution: `out[rows, n] = bias + weight[rows, depth] x[depth, n]`.
//!
//! Each sum starts at the bias and takes its terms one after the other with fused multiply-add:
//! the order in which PyTorch's CPU convolutions add, so that small networks come out the same to
//! the last bit, and guided cascades, which amplify rounding a thousandfold, stay comparable.

use super::SharedOut;
use crate::nn::Interrupt;
use rayon::prelude::*;
use std::cell::RefCell;

/// Rows and columns of the block whose sums are kept in registers: 12 vectors of 8.
const MR: usize = 6;
pub const NR: usize = 16;

/// Floats of one tile of x; it stays in the second-level cache while all rows pass over it.
const TILE_FLOATS: usize = 64 * 1024;

/// Columns of a tile, a multiple of [`NR`].
pub fn tile_columns(depth: usize, n: usize) -> usize {
    let fit = TILE_FLOATS / depth.max(1) / NR * NR;
    fit.clamp(NR, n.div_ceil(NR) * NR).min(1024)
}

/// Weights as the kernel reads them: `[rows / MR][depth][MR]`, padded with zeros.
pub struct Packed {
    rows: usize,
    depth: usize,
    data: Vec<f32>,
    bias: Vec<f32>,
}

impl Packed {
    /// `weight(row, k)` and one bias a row.
    pub fn new(
        rows: usize,
        depth: usize,
        bias: &[f32],
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let blocks = rows.div_ceil(MR);
        let mut data = vec![0f32; blocks * depth * MR];
        for (block, target) in data.chunks_exact_mut(depth * MR).enumerate() {
            for (k, target) in target.chunks_exact_mut(MR).enumerate() {
                for (r, target) in target.iter_mut().enumerate() {
                    let row = block * MR + r;
                    if row < rows {
                        *target = weight(row, k);
                    }
                }
            }
        }
        let mut padded = bias.to_vec();
        padded.resize(blocks * MR, 0.0);
        Self {
            rows,
            depth,
            data,
            bias: padded,
        }
    }
}

/// A tile of x as the kernel reads it: `[columns / NR][depth][NR]`.
pub struct Tile<'a> {
    data: &'a mut [f32],
    depth: usize,
}

impl Tile<'_> {
    /// Sets row `k` from column `from` on.
    pub fn set(&mut self, k: usize, from: usize, values: &[f32]) {
        let mut column = from;
        let mut values = values;
        while !values.is_empty() {
            let (panel, lane) = (column / NR, column % NR);
            let n = (NR - lane).min(values.len());
            let at = (panel * self.depth + k) * NR + lane;
            let target = &mut self.data[at..at + n];
            // A whole lane at once without a call; most copies are of one.
            match (
                <&mut [f32; NR]>::try_from(&mut *target),
                values.first_chunk::<NR>(),
            ) {
                (Ok(target), Some(values)) => *target = *values,
                _ => {
                    for (target, value) in target.iter_mut().zip(values) {
                        *target = *value;
                    }
                }
            }
            values = &values[n..];
            column += n;
        }
    }

    /// Sets `n` columns of row `k` from column `from` on to zero.
    pub fn zero(&mut self, k: usize, from: usize, n: usize) {
        const ZEROS: [f32; 64] = [0.0; 64];
        let mut done = 0;
        while done < n {
            let step = (n - done).min(ZEROS.len());
            self.set(k, from + done, &ZEROS[..step]);
            done += step;
        }
    }
}

/// One task's place in the output.
pub struct Place {
    /// Index of the first row's first column.
    pub at: usize,
    /// Distance between rows.
    pub stride: usize,
    pub columns: usize,
}

thread_local! {
    static TILE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Computes `tasks` tiles in parallel. `fill` gathers a task's columns of x, `place` says where its
/// results go; no two tasks share a place. Stops early when interrupted.
pub fn product(
    out: &mut [f32],
    weights: &Packed,
    tasks: usize,
    interrupt: &Interrupt,
    place: impl Fn(usize) -> Place + Sync,
    fill: impl Fn(usize, &mut Tile<'_>) + Sync,
) {
    let shared = SharedOut::new(out);
    let depth = weights.depth;
    (0..tasks).into_par_iter().for_each(|task| {
        if interrupt.is_set() {
            return;
        }
        let Place {
            at,
            stride,
            columns,
        } = place(task);
        let panels = columns.div_ceil(NR);
        TILE.with_borrow_mut(|buffer| {
            let needed = panels * depth * NR;
            if buffer.len() < needed {
                buffer.resize(needed, 0.0);
            }
            let data = &mut buffer[..needed];
            let mut tile = Tile { data, depth };
            fill(task, &mut tile);
            for (block, a) in weights.data.chunks_exact(depth * MR).enumerate() {
                let rows = MR.min(weights.rows - block * MR);
                let mut bias = [0f32; MR];
                bias.copy_from_slice(&weights.bias[block * MR..][..MR]);
                let write = |panel: usize, sums: &Sums| {
                    let width = NR.min(columns - panel * NR);
                    for (r, sum) in sums[..rows].iter().enumerate() {
                        let at = at + (block * MR + r) * stride + panel * NR;
                        // SAFETY: the place belongs to this task alone and lies within `out`.
                        unsafe { shared.slice(at, width) }.copy_from_slice(&sum[..width]);
                    }
                };
                let pairs = if has_avx512() { panels / 2 * 2 } else { 0 };
                let (paired, single) = tile.data.split_at(pairs * depth * NR);
                for (i, b) in paired.chunks_exact(2 * depth * NR).enumerate() {
                    let (b0, b1) = b.split_at(depth * NR);
                    let mut sums = [bias.map(|b| [b; NR]); 2];
                    pair_product(&mut sums, a, b0, b1);
                    write(2 * i, &sums[0]);
                    write(2 * i + 1, &sums[1]);
                }
                for (i, b) in single.chunks_exact(depth * NR).enumerate() {
                    let mut sums = bias.map(|b| [b; NR]);
                    block_product(&mut sums, a, b);
                    write(pairs + i, &sums);
                }
            }
        });
    });
}

type Sums = [[f32; NR]; MR];

/// Whether two panels are taken at once, a vector of sixteen each.
fn has_avx512() -> bool {
    #[cfg(target_arch = "x86_64")]
    return super::has_avx512();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// `sums += a b` for two panels of b. Only where there is AVX-512.
fn pair_product(sums: &mut [Sums; 2], a: &[f32], b0: &[f32], b1: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    if super::has_avx512() {
        // SAFETY: the feature was just detected.
        return unsafe { avx512(sums, a, b0, b1) };
    }
    block_product(&mut sums[0], a, b0);
    block_product(&mut sums[1], a, b1);
}

/// `sums += a b` over the whole depth, by the fastest code this processor has.
fn block_product(sums: &mut Sums, a: &[f32], b: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    if super::has_avx2() {
        // SAFETY: the features were just detected.
        return unsafe { avx2(sums, a, b) };
    }
    plain(sums, a, b);
}

fn plain(sums: &mut Sums, a: &[f32], b: &[f32]) {
    for (a, b) in a.as_chunks::<MR>().0.iter().zip(b.as_chunks::<NR>().0) {
        for (sum, a) in sums.iter_mut().zip(a) {
            for (sum, b) in sum.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
}

/// Twelve vectors of sums, two of b and one of a: all sixteen registers but one.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(sums: &mut Sums, a: &[f32], b: &[f32]) {
    use std::arch::x86_64::{
        _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };
    // SAFETY: every load and store is of eight floats inside an array of sixteen.
    unsafe {
        let mut acc = [[_mm256_setzero_ps(); 2]; MR];
        for (acc, sum) in acc.iter_mut().zip(sums.iter()) {
            *acc = [
                _mm256_loadu_ps(sum.as_ptr()),
                _mm256_loadu_ps(sum.as_ptr().add(8)),
            ];
        }
        for (a, b) in a.as_chunks::<MR>().0.iter().zip(b.as_chunks::<NR>().0) {
            let (b0, b1) = (
                _mm256_loadu_ps(b.as_ptr()),
                _mm256_loadu_ps(b.as_ptr().add(8)),
            );
            for r in 0..MR {
                let a = _mm256_broadcast_ss(&a[r]);
                acc[r][0] = _mm256_fmadd_ps(a, b0, acc[r][0]);
                acc[r][1] = _mm256_fmadd_ps(a, b1, acc[r][1]);
            }
        }
        for (acc, sum) in acc.iter().zip(sums.iter_mut()) {
            _mm256_storeu_ps(sum.as_mut_ptr(), acc[0]);
            _mm256_storeu_ps(sum.as_mut_ptr().add(8), acc[1]);
        }
    }
}

/// Twelve vectors of sums, as with AVX2, each of sixteen: the terms and their order are the same, so
/// that the result is the same to the last bit.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(sums: &mut [Sums; 2], a: &[f32], b0: &[f32], b1: &[f32]) {
    use std::arch::x86_64::{
        _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    // SAFETY: every load and store is of sixteen floats of an array of sixteen.
    unsafe {
        let mut acc = [[_mm512_setzero_ps(); 2]; MR];
        for (r, acc) in acc.iter_mut().enumerate() {
            *acc = [
                _mm512_loadu_ps(sums[0][r].as_ptr()),
                _mm512_loadu_ps(sums[1][r].as_ptr()),
            ];
        }
        let columns = b0.as_chunks::<NR>().0.iter().zip(b1.as_chunks::<NR>().0);
        for (a, (b0, b1)) in a.as_chunks::<MR>().0.iter().zip(columns) {
            let (b0, b1) = (_mm512_loadu_ps(b0.as_ptr()), _mm512_loadu_ps(b1.as_ptr()));
            for r in 0..MR {
                let a = _mm512_set1_ps(a[r]);
                acc[r][0] = _mm512_fmadd_ps(a, b0, acc[r][0]);
                acc[r][1] = _mm512_fmadd_ps(a, b1, acc[r][1]);
            }
        }
        for (r, acc) in acc.iter().enumerate() {
            _mm512_storeu_ps(sums[0][r].as_mut_ptr(), acc[0]);
            _mm512_storeu_ps(sums[1][r].as_mut_ptr(), acc[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_panels_at_once_are_the_same_to_the_last_bit() {
        let values = |n: usize, seed: u32| -> Vec<f32> {
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 8_388_608.0 - 1.0
            };
            (0..n).map(|_| next()).collect()
        };
        for depth in [1, 7, 300] {
            let (a, b0) = (values(depth * MR, 1), values(depth * NR, 2));
            let b1 = values(depth * NR, 3);
            let mut pair = [[[0.5; NR]; MR]; 2];
            pair_product(&mut pair, &a, &b0, &b1);
            for (sums, b) in pair.iter().zip([&b0, &b1]) {
                let mut one = [[0.5; NR]; MR];
                block_product(&mut one, &a, b);
                assert_eq!(*sums, one, "depth {depth}");
            }
        }
    }
}
