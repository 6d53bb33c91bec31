//! The blocks of a product whose sums stay in registers, for each kind of processor.
//!
//! Each sum takes its terms one after the other with fused multiply-add, in every kernel.

/// Rows and columns of the largest block whose sums are kept in registers.
pub const MOST_ROWS: usize = 8;
pub const MOST_COLUMNS: usize = 32;

pub type Sums = [[f32; MOST_COLUMNS]; MOST_ROWS];

/// One term of every sum: a column of the weights, and where its row of x begins.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    pub weight: u32,
    pub from: u32,
}

impl Term {
    /// Element `from` counts from the beginning of the product's x.
    pub fn new(weight: usize, from: usize) -> Self {
        // A tensor of 2^32 elements is past what any cascade has.
        const MOST: usize = u32::MAX as usize;
        assert!(weight <= MOST && from <= MOST);
        Self {
            weight: weight as u32,
            from: from as u32,
        }
    }
}

/// The kernel this processor has.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    pub rows: usize,
    pub columns: usize,
    pub run: unsafe fn(&mut Sums, &[f32], &[Term], *const f32),
}

impl Kernel {
    /// The fastest for that many rows of weights.
    pub fn for_rows(rows: usize) -> Self {
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

/// Lanes of rows that are multiplied with each other lane by lane.
pub const LANES: usize = 16;

/// Rows of each side whose products are kept in registers.
pub const TILE: usize = 4;

pub type Tile = [[[f32; LANES]; TILE]; TILE];

/// Adds to `tile[i][j]`, lane by lane, the products of n times [`LANES`] elements of `a[i]` and `b[j]`.
pub type TileKernel = unsafe fn(&mut Tile, [*const f32; TILE], [*const f32; TILE], usize);

/// The kernel of rows with rows that this processor has.
pub fn tile_kernel() -> TileKernel {
    #[cfg(target_arch = "x86_64")]
    if super::has_avx512() {
        return tile_avx512;
    }
    #[cfg(target_arch = "x86_64")]
    if super::has_avx2() {
        return tile_avx2;
    }
    tile_plain
}

/// # Safety
/// Each of a and b can be read for n times [`LANES`] elements.
unsafe fn tile_plain(tile: &mut Tile, a: [*const f32; TILE], b: [*const f32; TILE], n: usize) {
    for k in 0..n * LANES {
        for (tile, a) in tile.iter_mut().zip(a) {
            for (tile, b) in tile.iter_mut().zip(b) {
                // SAFETY: the caller guarantees so many elements.
                let (a, b) = unsafe { (*a.add(k), *b.add(k)) };
                let sum = &mut tile[k % LANES];
                #[cfg(target_arch = "x86_64")]
                {
                    *sum = fused(a, b, *sum);
                }
                #[cfg(not(target_arch = "x86_64"))]
                {
                    *sum = a.mul_add(b, *sum);
                }
            }
        }
    }
}

/// Half the lanes, and two rows of a, at a time: eight vectors of sums.
///
/// # Safety
/// As of [`tile_plain`], and the processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn tile_avx2(tile: &mut Tile, a: [*const f32; TILE], b: [*const f32; TILE], n: usize) {
    use std::arch::x86_64::{
        _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };
    const ROWS: usize = 2;
    // SAFETY: lanes are 16 floats; the caller guarantees a and b.
    unsafe {
        for half in [0, 8] {
            for first in [0, ROWS] {
                let mut acc = [[_mm256_setzero_ps(); TILE]; ROWS];
                for (acc, tile) in acc.iter_mut().zip(&tile[first..]) {
                    for (acc, tile) in acc.iter_mut().zip(tile) {
                        *acc = _mm256_loadu_ps(tile.as_ptr().add(half));
                    }
                }
                for k in 0..n {
                    let at = k * LANES + half;
                    let b = [
                        _mm256_loadu_ps(b[0].add(at)),
                        _mm256_loadu_ps(b[1].add(at)),
                        _mm256_loadu_ps(b[2].add(at)),
                        _mm256_loadu_ps(b[3].add(at)),
                    ];
                    for (acc, a) in acc.iter_mut().zip(&a[first..]) {
                        let a = _mm256_loadu_ps(a.add(at));
                        for (acc, b) in acc.iter_mut().zip(b) {
                            *acc = _mm256_fmadd_ps(a, b, *acc);
                        }
                    }
                }
                for (acc, tile) in acc.iter().zip(&mut tile[first..]) {
                    for (acc, tile) in acc.iter().zip(tile) {
                        _mm256_storeu_ps(tile.as_mut_ptr().add(half), *acc);
                    }
                }
            }
        }
    }
}

/// # Safety
/// As of [`tile_plain`], and the processor has AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn tile_avx512(tile: &mut Tile, a: [*const f32; TILE], b: [*const f32; TILE], n: usize) {
    use std::arch::x86_64::{
        _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    // SAFETY: lanes are 16 floats; the caller guarantees a and b.
    unsafe {
        let mut acc = [[_mm512_setzero_ps(); TILE]; TILE];
        for (acc, tile) in acc.iter_mut().zip(tile.iter()) {
            for (acc, tile) in acc.iter_mut().zip(tile) {
                *acc = _mm512_loadu_ps(tile.as_ptr());
            }
        }
        for k in 0..n {
            let at = k * LANES;
            let b = [
                _mm512_loadu_ps(b[0].add(at)),
                _mm512_loadu_ps(b[1].add(at)),
                _mm512_loadu_ps(b[2].add(at)),
                _mm512_loadu_ps(b[3].add(at)),
            ];
            for (acc, a) in acc.iter_mut().zip(a) {
                let a = _mm512_loadu_ps(a.add(at));
                for (acc, b) in acc.iter_mut().zip(b) {
                    *acc = _mm512_fmadd_ps(a, b, *acc);
                }
            }
        }
        for (acc, tile) in acc.iter().zip(tile.iter_mut()) {
            for (acc, tile) in acc.iter().zip(tile) {
                _mm512_storeu_ps(tile.as_mut_ptr(), *acc);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::noise;

    /// One fused multiply-add after the other, as the module says.
    fn expected(bias: f32, a: impl Iterator<Item = (f32, f32)>) -> f32 {
        a.fold(bias, |sum, (a, b)| a.mul_add(b, sum))
    }

    #[test]
    fn every_kernel_adds_in_the_same_order() {
        for (depth, rows) in [(1, 4), (7, 8), (300, 8), (300, 6)] {
            let (x, stride) = (noise(depth * 40, 2), 40);
            let terms: Vec<Term> = (0..depth).map(|k| Term::new(k, k * stride)).collect();
            let mut kernels = vec![
                Kernel::new(4, 16, plain::<4>),
                Kernel::new(8, 16, plain::<8>),
            ];
            #[cfg(target_arch = "x86_64")]
            if crate::nn::cpu::has_avx2() {
                kernels.push(Kernel::new(4, 16, avx2::<4>));
                kernels.push(Kernel::new(6, 16, avx2::<6>));
            }
            #[cfg(target_arch = "x86_64")]
            if crate::nn::cpu::has_avx512() {
                kernels.push(Kernel::new(4, 32, avx512::<4>));
                kernels.push(Kernel::new(8, 32, avx512::<8>));
            }
            for kernel in kernels.into_iter().filter(|k| k.rows <= rows) {
                let a = noise(depth * kernel.rows, 1);
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
    fn rows_with_rows_are_the_same_sums_on_every_processor() {
        let n = 5;
        let (a, b) = (noise(TILE * n * LANES, 1), noise(TILE * n * LANES, 2));
        let rows = |of: &[f32]| [0, 1, 2, 3].map(|i| of[i * n * LANES..].as_ptr());
        let mut right = [[[0.5; LANES]; TILE]; TILE];
        for (i, right) in right.iter_mut().enumerate() {
            for (j, right) in right.iter_mut().enumerate() {
                for (l, right) in right.iter_mut().enumerate() {
                    let at = |row: usize, k: usize| (row * n + k) * LANES + l;
                    *right = expected(0.5, (0..n).map(|k| (a[at(i, k)], b[at(j, k)])));
                }
            }
        }
        let mut kernels: Vec<TileKernel> = vec![tile_plain];
        #[cfg(target_arch = "x86_64")]
        {
            kernels.extend(crate::nn::cpu::has_avx2().then_some(tile_avx2 as TileKernel));
            kernels.extend(crate::nn::cpu::has_avx512().then_some(tile_avx512 as TileKernel));
        }
        for kernel in kernels {
            let mut tile = [[[0.5; LANES]; TILE]; TILE];
            // SAFETY: every row has n times as many elements.
            unsafe { kernel(&mut tile, rows(&a), rows(&b), n) };
            assert_eq!(tile, right);
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
}
