//! Results that several threads write side by side: each has columns of its own, in many rows.
//!
//! A kernel that works on a few pixels at a time writes a piece of every channel's row, so that no
//! result can be cut into slices, one a thread. [`par_columns`] cuts it into blocks of columns instead,
//! and is the one place that says why no two of them meet.

use rayon::prelude::*;
use std::marker::PhantomData;

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

/// Calls `each` for every block of `out`, in parallel; a task takes at least `least` blocks. Blocks of the
/// same columns follow each other: they read the same.
///
/// # Panics
/// When `out` has not as many elements as the cut.
pub fn par_columns(
    out: &mut [f32],
    cut: Cut,
    least: usize,
    each: impl Fn(Block, Columns<'_>) + Sync,
) {
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
    assert!(
        elements == Some(out.len()),
        "a result of {} elements is no {cut:?}",
        out.len()
    );
    if out.is_empty() {
        return;
    }
    assert!(width > 0);
    let tiles = n.div_ceil(width);
    let start = Address(out.as_mut_ptr());
    (0..outer * tiles * inner)
        .into_par_iter()
        .with_min_len(least)
        .for_each(|task| {
            let block = Block {
                outer: task / (tiles * inner),
                inner: task % inner,
                first: task / inner % tiles * width,
                width: width.min(n - task / inner % tiles * width),
            };
            let at = (block.outer * rows * inner + block.inner) * n + block.first;
            // SAFETY: `out` is not empty and `at` is one of its elements: with outer, inner and first from
            // their ranges, it is the first of this block's first row.
            let start = unsafe { start.get().add(at) };
            // Row r of this block is `at + r * inner * n ..+ width`. With outer, inner and first
            // from their ranges and `first + width <= n`, all of it is within `[outer, rows, inner,
            // n]`, which is how many elements `out` has. Two blocks differ in outer, in inner or, by whole
            // widths, in first: no element is in both. `out` is borrowed until all are done.
            let columns = Columns {
                start,
                rows,
                stride: inner * n,
                width: block.width,
                borrowed: PhantomData,
            };
            each(block, columns);
        });
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
            let mut out = vec![0.0; outer * rows * inner * n];
            par_columns(&mut out, cut, 1, |block, mut columns| {
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
    #[should_panic(expected = "is no Cut")]
    fn a_result_of_another_size_is_refused() {
        let cut = Cut {
            outer: 1,
            rows: 2,
            inner: 1,
            n: 4,
            width: 4,
        };
        par_columns(&mut [0.0; 7], cut, 1, |_, _| {});
    }

    #[test]
    #[should_panic(expected = "i < self.rows")]
    fn a_row_that_is_not_there_is_refused() {
        Columns::all(&mut [0.0; 6], 3).row(2);
    }
}
