//! The connected parts of a set of pixels.

/// The parts of `set`, rows of `width`, whose pixels touch by their sides; each as indices, in the order of
/// their first pixels.
///
/// # Panics
/// When `width` is 0 and the set is not empty.
pub fn parts(set: &[bool], width: usize) -> Vec<Vec<usize>> {
    let mut left = set.to_vec();
    let mut parts = Vec::new();
    for start in 0..set.len() {
        if !std::mem::take(&mut left[start]) {
            continue;
        }
        let mut part = vec![start];
        let mut next = 0;
        while let Some(&i) = part.get(next) {
            next += 1;
            let x = i % width;
            let neighbours = [
                (x > 0).then(|| i - 1),
                (x + 1 < width).then(|| i + 1),
                i.checked_sub(width),
                Some(i + width),
            ];
            for n in neighbours.into_iter().flatten() {
                if left.get_mut(n).is_some_and(std::mem::take) {
                    part.push(n);
                }
            }
        }
        parts.push(part);
    }
    parts
}

/// The largest part; the first one of several of a size, and nothing of an empty set.
///
/// # Panics
/// As [`parts`].
pub fn largest_part(set: &[bool], width: usize) -> Vec<usize> {
    let mut largest = Vec::new();
    for part in parts(set, width) {
        if part.len() > largest.len() {
            largest = part;
        }
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_connected_along_rows_and_columns() {
        let set = [
            true, true, false, //
            false, false, true, //
            true, false, true,
        ];
        let found = parts(&set, 3);
        assert_eq!(found, [vec![0, 1], vec![5, 8], vec![6]]);
        assert_eq!(largest_part(&set, 3), [0, 1]);
        assert!(parts(&[], 0).is_empty());
    }
}
