//! The matrix product under every convolution: `out[rows, n] = start + weight[rows, depth] x[depth, n]`.
//!
//! x is never gathered: each of its rows is a place in memory to read from, which is enough for a
//! convolution over a padded picture, over frames, or over neither.
//!
//! Each sum starts at the bias and takes its terms one after the other with fused multiply-add: the
//! order in which PyTorch's CPU convolutions add, so that small networks come out the same to the
//! last bit, and guided cascades, which amplify rounding a thousandfold, stay comparable. Every kernel
//! here keeps that order: these sums are the same whatever the processor.

use super::SharedOut;
use std::cell::RefCell;

/// Rows and columns of the largest block whose sums are kept in registers.
const MOST_ROWS: usize = 8;
pub const MOST_COLUMNS: usize = 32;

type Sums = [[f32; MOST_COLUMNS]; MOST_ROWS];

/// The kernel this processor has.
#[derive(Clone, Copy, Debug)]
struct Kernel {
    rows: usize,
    columns: usize,
    run: unsafe fn(&mut Sums, &[f32], &[Term], *const f32),
}

impl Kernel {
    /// The fastest for that many rows of weights.
    fn for_rows(rows: usize) -> Self {
        #[cfg(target_arch = "x86_64")]
        if super::has_avx512() {
            return match rows {
                0..=4 => Self::new(4, 32, avx512::<4>),
                _ => Self::new(8, 32, avx512::<8>),
            };
        }
        #[cfg(target_arch = "x86_64")]
        if super::has_avx2() {
            return match rows {
                0..=4 => Self::new(4, 16, avx2::<4>),
                _ => Self::new(6, 16, avx2::<6>),
            };
        }
        match rows {
            0..=4 => Self::new(4, 16, plain::<4>),
            _ => Self::new(8, 16, plain::<8>),
        }
    }

    fn new(
        rows: usize,
        columns: usize,
        run: unsafe fn(&mut Sums, &[f32], &[Term], *const f32),
    ) -> Self {
        Self { rows, columns, run }
    }
}

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

    pub fn rows(&self) -> usize {
        self.rows
    }
}

/// One term of every sum: a column of the weights, and where its row of x begins.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    weight: u32,
    from: u32,
}

impl Term {
    /// Element `from` counts from the beginning of the product's x.
    pub fn new(weight: usize, from: usize) -> Self {
        // A tensor of 2^32 elements is past what any cascade has.
        Self {
            weight: weight as u32,
            from: from as u32,
        }
    }
}

/// Where the result's columns go: rows of `width` out of every `pitch` columns are kept, one after
/// the other.
#[derive(Clone, Copy)]
pub struct Place {
    /// Index of the first row's first column.
    pub at: usize,
    /// Distance between rows.
    pub stride: usize,
    pub columns: usize,
    pub pitch: usize,
    pub width: usize,
}

impl Place {
    /// All columns, side by side.
    pub fn whole(at: usize, stride: usize, columns: usize) -> Self {
        Self {
            at,
            stride,
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
/// # Safety
/// The place lies within `out` and belongs to the caller alone.
pub unsafe fn multiply(
    out: SharedOut,
    place: Place,
    start: Start,
    weights: &Packed,
    terms: &[Term],
    x: &[f32],
) {
    let Kernel { rows, columns, run } = weights.kernel;
    let deepest = terms.iter().map(|t| t.from).max().unwrap_or(0) as usize;
    assert!(terms.iter().all(|t| (t.weight as usize) < weights.depth));
    assert!(deepest + place.columns <= x.len());
    let block_floats = weights.depth * rows;
    // Whole panels that can be read without leaving x; what remains is copied first.
    let whole = (x.len() - deepest) / columns * columns;
    let direct = place.columns.next_multiple_of(columns).min(whole);
    let part = |terms: &[Term], x: &[f32], from: usize, to: usize| {
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
                            let at = place.at + (first + r) * place.stride;
                            each_run(place, column, end, |panel, to, n| {
                                // SAFETY: the caller guarantees the place.
                                let stood = unsafe { out.slice(at + to, n) };
                                sums[panel..panel + n].copy_from_slice(stood);
                            });
                        }
                    }
                }
                // SAFETY: every read is of `columns` elements from `from + column`, which end within
                // x; every weight's index was checked.
                unsafe { run(&mut sums, a, terms, x.as_ptr().add(column - from)) };
                for (r, sums) in sums[..kept].iter().enumerate() {
                    let at = place.at + (first + r) * place.stride;
                    each_run(place, column, end, |panel, to, n| {
                        // SAFETY: the caller guarantees the place.
                        let target = unsafe { out.slice(at + to, n) };
                        target.copy_from_slice(&sums[panel..panel + n]);
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

/// Without vector code: a fused multiply-add by hand, slower and the same to the last bit.
///
/// # Safety
/// As of [`Kernel::run`]: for every term, `ROWS` weights and 16 elements of x can be read.
unsafe fn plain<const ROWS: usize>(sums: &mut Sums, a: &[f32], terms: &[Term], x: *const f32) {
    for term in terms {
        let a = &a[term.weight as usize * ROWS..][..ROWS];
        // SAFETY: the caller guarantees sixteen elements there.
        let b = unsafe { &*x.add(term.from as usize).cast::<[f32; 16]>() };
        for (sums, a) in sums.iter_mut().zip(a) {
            for (sum, b) in sums.iter_mut().zip(b) {
                #[cfg(target_arch = "x86_64")]
                {
                    *sum = fused(*a, *b, *sum);
                }
                #[cfg(not(target_arch = "x86_64"))]
                {
                    *sum = a.mul_add(*b, *sum);
                }
            }
        }
    }
}

/// `a b + c`, rounded once. In `f64` the product of two `f32` is exact; its sum with c is rounded to
/// odd (Boldo and Melquiond, *Emulation of FMA and correctly rounded sums: proved algorithms using
/// rounding to odd*, 2008), so that rounding it once more to `f32` is as rounding once.
#[cfg(any(target_arch = "x86_64", test))]
#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    let (p, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let s = p + c;
    // What the sum lost (Knuth).
    let t = s - p;
    let lost = (p - (s - t)) + (c - t);
    let bits = s.to_bits();
    // An even result that lost something goes to the odd neighbour on the side of what was lost.
    let outward = (lost > 0.0) == (s > 0.0);
    let moved = if outward {
        bits | 1
    } else {
        bits.wrapping_sub(1)
    };
    let inexact = lost != 0.0 && bits & 1 == 0;
    f64::from_bits(if inexact { moved } else { bits }) as f32
}

/// Two vectors of eight a row: at most twelve of sums, two of x and one of weights.
///
/// # Safety
/// As of [`plain`], and the processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<const ROWS: usize>(sums: &mut Sums, a: &[f32], terms: &[Term], x: *const f32) {
    use std::arch::x86_64::{
        _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };
    // SAFETY: sums are arrays of 32; the caller guarantees weights and x.
    unsafe {
        let mut acc = [[_mm256_setzero_ps(); 2]; ROWS];
        for (acc, sum) in acc.iter_mut().zip(sums.iter()) {
            *acc = [
                _mm256_loadu_ps(sum.as_ptr()),
                _mm256_loadu_ps(sum.as_ptr().add(8)),
            ];
        }
        for term in terms {
            let a = a.as_ptr().add(term.weight as usize * ROWS);
            let x = x.add(term.from as usize);
            let (b0, b1) = (_mm256_loadu_ps(x), _mm256_loadu_ps(x.add(8)));
            for (r, acc) in acc.iter_mut().enumerate() {
                let a = _mm256_broadcast_ss(&*a.add(r));
                acc[0] = _mm256_fmadd_ps(a, b0, acc[0]);
                acc[1] = _mm256_fmadd_ps(a, b1, acc[1]);
            }
        }
        for (acc, sum) in acc.iter().zip(sums.iter_mut()) {
            _mm256_storeu_ps(sum.as_mut_ptr(), acc[0]);
            _mm256_storeu_ps(sum.as_mut_ptr().add(8), acc[1]);
        }
    }
}

/// Two vectors of sixteen a row: at most sixteen of sums.
///
/// # Safety
/// As of [`plain`] with 32 elements of x, and the processor has AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512<const ROWS: usize>(sums: &mut Sums, a: &[f32], terms: &[Term], x: *const f32) {
    use std::arch::x86_64::{
        _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    // SAFETY: sums are arrays of 32; the caller guarantees weights and x.
    unsafe {
        let mut acc = [[_mm512_setzero_ps(); 2]; ROWS];
        for (acc, sum) in acc.iter_mut().zip(sums.iter()) {
            *acc = [
                _mm512_loadu_ps(sum.as_ptr()),
                _mm512_loadu_ps(sum.as_ptr().add(16)),
            ];
        }
        for term in terms {
            let a = a.as_ptr().add(term.weight as usize * ROWS);
            let x = x.add(term.from as usize);
            let (b0, b1) = (_mm512_loadu_ps(x), _mm512_loadu_ps(x.add(16)));
            for (r, acc) in acc.iter_mut().enumerate() {
                let a = _mm512_set1_ps(*a.add(r));
                acc[0] = _mm512_fmadd_ps(a, b0, acc[0]);
                acc[1] = _mm512_fmadd_ps(a, b1, acc[1]);
            }
        }
        for (acc, sum) in acc.iter().zip(sums.iter_mut()) {
            _mm512_storeu_ps(sum.as_mut_ptr(), acc[0]);
            _mm512_storeu_ps(sum.as_mut_ptr().add(16), acc[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..n).map(|_| next()).collect()
    }

    /// One fused multiply-add after the other, as the module says.
    fn expected(bias: f32, a: impl Iterator<Item = (f32, f32)>) -> f32 {
        a.fold(bias, |sum, (a, b)| a.mul_add(b, sum))
    }

    #[test]
    fn every_kernel_adds_in_the_same_order() {
        for (depth, rows) in [(1, 4), (7, 8), (300, 8), (300, 6)] {
            let (x, stride) = (values(depth * 40, 2), 40);
            let terms: Vec<Term> = (0..depth).map(|k| Term::new(k, k * stride)).collect();
            let mut kernels = vec![
                Kernel::new(4, 16, plain::<4>),
                Kernel::new(8, 16, plain::<8>),
            ];
            #[cfg(target_arch = "x86_64")]
            if super::super::has_avx2() {
                kernels.push(Kernel::new(4, 16, avx2::<4>));
                kernels.push(Kernel::new(6, 16, avx2::<6>));
            }
            #[cfg(target_arch = "x86_64")]
            if super::super::has_avx512() {
                kernels.push(Kernel::new(4, 32, avx512::<4>));
                kernels.push(Kernel::new(8, 32, avx512::<8>));
            }
            for kernel in kernels.into_iter().filter(|k| k.rows <= rows) {
                let a = values(depth * kernel.rows, 1);
                let mut sums = [[0.5; MOST_COLUMNS]; MOST_ROWS];
                // SAFETY: x has 40 elements a row, and there are as many weights as terms.
                unsafe { (kernel.run)(&mut sums, &a, &terms, x.as_ptr()) };
                for r in 0..kernel.rows {
                    for c in 0..kernel.columns {
                        let pairs = (0..depth).map(|k| (a[k * kernel.rows + r], x[k * stride + c]));
                        let right = expected(0.5, pairs);
                        assert_eq!(sums[r][c], right, "depth {depth}, {kernel:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_fused_multiply_add_by_hand_rounds_once() {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Exponents close to each other, so that sums cancel and tie.
            f32::from_bits((state & 0x80ff_ffff) | ((120 + (state >> 26 & 15)) << 23))
        };
        for _ in 0..2_000_000 {
            let (a, b, c) = (next(), next(), next());
            assert_eq!(fused(a, b, c), a.mul_add(b, c), "{a} {b} {c}");
        }
        // A tie of the sum in `f64` that rounding twice would get wrong.
        let (a, b, c) = (1.0 + 2f32.powi(-12), 1.0 + 2f32.powi(-12), 2f32.powi(-60));
        assert_eq!(fused(a, b, c), a.mul_add(b, c));
        assert_eq!(fused(0.0, 1.0, -0.0), 0.0);
    }

    #[test]
    fn sums_go_on_and_tails_are_whole() {
        for columns in [1, 16, 31, 33, 70] {
            let (depth, rows) = (5, 11);
            let (w, x) = (values(rows * depth, 3), values(depth * columns, 4));
            let bias = values(rows, 5);
            let at = |from: usize| {
                Packed::new(rows, 3.min(depth - from), Some(&bias), |r, k| {
                    w[r * depth + from + k]
                })
            };
            let mut out = vec![9.0; rows * columns];
            let shared = SharedOut::new(&mut out);
            let place = Place::whole(0, columns, columns);
            let terms: Vec<Term> = (0..3).map(|k| Term::new(k, k * columns)).collect();
            // SAFETY: the place is all of `out`, and no other thread is here.
            unsafe {
                multiply(shared, place, Start::Bias, &at(0), &terms, &x);
                let rest = &x[3 * columns..];
                multiply(shared, place, Start::Place, &at(3), &terms[..2], rest);
            }
            for r in 0..rows {
                for c in 0..columns {
                    let pairs = (0..depth).map(|k| (w[r * depth + k], x[k * columns + c]));
                    let d = (out[r * columns + c] - expected(bias[r], pairs)).abs();
                    assert!(d < 1e-6, "{columns} columns: {d} at {r}, {c}");
                }
            }
        }
    }
}
