//! The nearest pixel of a set, for every pixel (Felzenszwalb and Huttenlocher, "Distance transforms of
//! sampled functions", 2012): down the columns, then along the rows by the lower envelope of parabolas.

use rayon::prelude::*;

/// For each pixel of `[height, width]` the `[x, y]` of the nearest one that is in the set; none where the
/// set is empty.
pub(super) fn nearest(set: &[bool], width: usize) -> Option<Vec<[u32; 2]>> {
    if !set.contains(&true) {
        return None;
    }
    let rows = nearest_rows(set, width);
    let mut found = vec![[0; 2]; set.len()];
    found
        .par_chunks_exact_mut(width)
        .zip(rows.par_chunks_exact(width))
        .enumerate()
        .for_each(|(y, (found, rows))| along_row(y as i64, rows, found));
    Some(found)
}

/// No pixel of the set in the column.
const NONE: u32 = u32::MAX;

/// For each pixel the row of the nearest one of the set in its column.
fn nearest_rows(set: &[bool], width: usize) -> Vec<u32> {
    let height = set.len() / width;
    let mut rows = vec![NONE; set.len()];
    let mut last = vec![NONE; width];
    for y in 0..height {
        for x in 0..width {
            if set[y * width + x] {
                last[x] = y as u32;
            }
            rows[y * width + x] = last[x];
        }
    }
    last.fill(NONE);
    for y in (0..height).rev() {
        for x in 0..width {
            let at = &mut rows[y * width + x];
            if *at == y as u32 {
                last[x] = *at;
            } else if last[x] != NONE && (*at == NONE || last[x] - (y as u32) < y as u32 - *at) {
                *at = last[x];
            }
        }
    }
    rows
}

/// Along a row: of every column's own nearest the one that is nearest.
fn along_row(y: i64, rows: &[u32], found: &mut [[u32; 2]]) {
    // The columns whose parabola is lowest somewhere, and from where on.
    let mut lowest: Vec<(i64, f64)> = Vec::with_capacity(rows.len());
    let height = |x: i64| {
        let d = i64::from(rows[x as usize]) - y;
        d * d
    };
    for x in (0..rows.len() as i64).filter(|&x| rows[x as usize] != NONE) {
        let mut from = f64::NEG_INFINITY;
        while let Some(&(before, start)) = lowest.last() {
            let meet = (height(x) + x * x - height(before) - before * before) as f64
                / (2 * (x - before)) as f64;
            if meet > start {
                from = meet;
                break;
            }
            lowest.pop();
        }
        lowest.push((x, from));
    }
    let mut k = 0;
    for (x, found) in found.iter_mut().enumerate() {
        while lowest.get(k + 1).is_some_and(|next| next.1 < x as f64) {
            k += 1;
        }
        if let Some(&(column, _)) = lowest.get(k) {
            *found = [column as u32, rows[column as usize]];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_nearest_to_an_empty_set() {
        assert_eq!(nearest(&[false; 12], 4), None);
    }

    proptest! {
        #[test]
        fn it_is_the_nearest(set in prop::collection::vec(prop::bool::weighted(0.1), 13 * 9)) {
            let width = 13;
            let Some(found) = nearest(&set, width) else {
                prop_assert!(!set.contains(&true));
                return Ok(());
            };
            let squared = |i: usize, x: usize, y: usize| {
                (i % width).abs_diff(x).pow(2) + (i / width).abs_diff(y).pow(2)
            };
            for (i, &[x, y]) in found.iter().enumerate() {
                let (x, y) = (x as usize, y as usize);
                prop_assert!(set[y * width + x]);
                let least = (0..set.len())
                    .filter(|&k| set[k])
                    .map(|k| squared(i, k % width, k / width))
                    .min();
                prop_assert_eq!(Some(squared(i, x, y)), least);
            }
        }
    }
}
