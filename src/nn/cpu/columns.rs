//! Results that several threads write side by side: each has columns of its own, in many rows.
//!
//! A kernel that works on a few pixels at a time writes a piece of every channel's row, so that no
//! result can be cut into slices, one a thread. [`par_columns`] cuts it into blocks of columns instead,
//! and is the one place that says why no two of them meet.

use rayon::prelude::*;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// Some columns of every row, borrowed alone.
pub struct Columns<'a> {
    start: *mut f32,
    rows: usize,
    /// From a row to the next.
    stride: usize,
    width: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

impl<'a> Columns<'a> {
    /// All of `out`: as many rows of `width` as it holds.
    ///
    /// # Panics
    /// When `out` does not hold whole rows.
    pub fn all(out: &'a mut [f32], width: usize) -> Self {
        assert!(width > 0 && out.len().is_multiple_of(width));
        Self {
            rows: out.len() / width,
            start: out.as_mut_ptr(),
            stride: width,
            width,
            borrowed: PhantomData,
        }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// # Panics
    /// When there are not so many rows.
    #[inline(always)]
    pub fn row(&mut self, i: usize) -> &mut [f32] {
        assert!(i < self.rows);
        // SAFETY: whoever made `self` (above and below, nowhere else) saw to it that rows `0..rows` lie
        // within what was borrowed and that they are borrowed here alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(i * self.stride), self.width) }
    }
}

/// Adds up rows of one length.
pub fn added<'a>(n: usize, rows: impl IntoIterator<Item = &'a Vec<f32>>) -> Vec<f32> {
    let mut total = vec![0f32; n];
    for row in rows {
        total.iter_mut().zip(row).for_each(|(total, v)| *total += v);
    }
    total
}

/// How a result `[outer, rows, inner, n]` is cut: each block is at most `width` of the `n` columns of
/// one `outer` and one `inner`, in all rows.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub outer: usize,
    pub rows: usize,
    pub inner: usize,
    pub n: usize,
    pub width: usize,
}

/// Which block of a [`Cut`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub outer: usize,
    pub inner: usize,
    /// Its first column.
    pub first: usize,
    /// Its columns.
    pub width: usize,
}

/// An address that threads may share; what they do with it is [`par_columns`]'s to answer for.
#[derive(Clone, Copy)]
struct Address(*mut f32);

// SAFETY: an address is a number; it is read from and written to in `Columns::row` alone.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

impl Address {
    // A closure that named the field would capture the pointer, which is not `Sync`.
    fn get(self) -> *mut f32 {
        self.0
    }
}

/// A result of zeros, made in parts of `size` elements, in parallel: `each` is called with a part's number and
/// the part. Every part is zeroed by its own thread just before, so that it lies in the cache when it is
/// written; zeroing it all beforehand took a tenth of a pass.
pub fn par_parts(n: usize, size: usize, each: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    par_parts_with_room(n, 0, size, each)
}

/// As [`par_parts`], with room for `room` elements behind it.
pub fn par_parts_with_room(
    n: usize,
    room: usize,
    size: usize,
    each: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let mut out = Vec::with_capacity(n + room);
    out.spare_capacity_mut()[..n]
        .par_chunks_mut(size.max(1))
        .enumerate()
        .for_each(|(i, part)| {
            part.fill(MaybeUninit::new(0.0));
            // SAFETY: it was just written.
            each(i, unsafe { part.assume_init_mut() });
        });
    // SAFETY: as many have room, and the parts, which are all of them, have been written.
    unsafe { out.set_len(n) };
    out
}

/// A result of zeros, made block by block, in parallel: `each` is called with every block and its columns,
/// zeroed as by [`par_parts`]; a task takes at least `least` blocks. Blocks of the same columns follow each
/// other: they read the same.
///
/// # Panics
/// When the cut is of more elements than can be counted, or of columns without a width.
pub fn par_columns(cut: Cut, least: usize, each: impl Fn(Block, Columns<'_>) + Sync) -> Vec<f32> {
    par_columns_and(cut, 0, least, each).0
}

/// As [`par_columns`], with room for `room` elements behind the result, and with what `each` gives besides, in the order
/// of the blocks: by outer, then by columns, then by inner.
///
/// # Panics
/// As [`par_columns`].
pub fn par_columns_and<T: Send>(
    cut: Cut,
    room: usize,
    least: usize,
    each: impl Fn(Block, Columns<'_>) -> T + Sync,
) -> (Vec<f32>, Vec<T>) {
    let Cut {
        outer,
        rows,
        inner,
        n,
        width,
    } = cut;
    let elements = [rows, inner, n]
        .iter()
        .try_fold(outer, |product, &by| product.checked_mul(by));
    assert!(elements.is_some(), "too many elements: {cut:?}");
    let elements = elements.unwrap_or_default();
    let mut out: Vec<f32> = Vec::with_capacity(elements + room);
    if elements == 0 {
        return (out, Vec::new());
    }
    assert!(width > 0);
    let tiles = n.div_ceil(width);
    let start = Address(out.as_mut_ptr());
    let besides = (0..outer * tiles * inner)
        .into_par_iter()
        .with_min_len(least)
        .map(|task| {
            let block = Block {
                outer: task / (tiles * inner),
                inner: task % inner,
                first: task / inner % tiles * width,
                width: width.min(n - task / inner % tiles * width),
            };
            let at = (block.outer * rows * inner + block.inner) * n + block.first;
            // SAFETY: the last row's last column is element
            // `((outer rows + rows - 1) inner + inner) n + first + width - 1` of the `elements`, for which
            // there is room. No two blocks have an element in common, since every task has another
            // (outer, inner, columns), and rows of one (outer, inner) are `inner n` apart, which is at least
            // the width of its columns. Each row is written with zeros before it is lent as floats.
            let columns = unsafe {
                let start = start.get().add(at);
                for row in 0..rows {
                    start.add(row * inner * n).write_bytes(0, block.width);
                }
                Columns {
                    start,
                    rows,
                    stride: inner * n,
                    width: block.width,
                    borrowed: PhantomData,
                }
            };
            each(block, columns)
        })
        .collect();
    // SAFETY: as many have room, and the blocks, which are all of them, have been written.
    unsafe { out.set_len(elements) };
    (out, besides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_in_one_block() {
        for (outer, rows, inner, n, width) in [
            (2, 3, 4, 10, 4),
            (1, 1, 1, 1, 64),
            (3, 2, 1, 7, 7),
            (2, 5, 3, 9, 1),
        ] {
            let cut = Cut {
                outer,
                rows,
                inner,
                n,
                width,
            };
            let out = par_columns(cut, 1, |block, mut columns| {
                assert!(block.outer < outer && block.inner < inner);
                assert_eq!(columns.width(), block.width);
                for r in 0..columns.rows() {
                    for (i, value) in columns.row(r).iter_mut().enumerate() {
                        let at = (block.outer * rows + r) * inner + block.inner;
                        *value += (at * n + block.first + i) as f32 + 1.0;
                    }
                }
            });
            let right: Vec<f32> = (1..=out.len()).map(|i| i as f32).collect();
            assert_eq!(out, right, "{cut:?}");
        }
    }

    #[test]
    #[should_panic(expected = "too many elements")]
    fn a_result_that_cannot_be_counted_is_refused() {
        let cut = Cut {
            outer: 1 << 40,
            rows: 1 << 40,
            inner: 1,
            n: 4,
            width: 4,
        };
        par_columns(cut, 1, |_, _| {});
    }

    #[test]
    fn what_nobody_writes_is_zero() {
        let cut = Cut {
            outer: 2,
            rows: 3,
            inner: 2,
            n: 5,
            width: 2,
        };
        let out = par_columns(cut, 1, |block, mut columns| {
            if block.first == 2 {
                columns.row(1).fill(1.0);
            }
        });
        assert_eq!(out.len(), 60);
        assert_eq!(out.iter().sum::<f32>(), 8.0);
        let parts = par_parts(7, 3, |i, part| {
            assert!(part.iter().all(|v| *v == 0.0));
            part[0] = i as f32 + 1.0;
        });
        assert_eq!(parts, [1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 3.0]);
        assert!(par_parts(0, 0, |_, _| {}).is_empty());
    }

    #[test]
    #[should_panic(expected = "i < self.rows")]
    fn a_row_that_is_not_there_is_refused() {
        Columns::all(&mut [0.0; 6], 3).row(2);
    }
}
