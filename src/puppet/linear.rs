//! Small dense linear systems.

use super::Point;

/// Solves `matrix x = values` for two right-hand sides at once, by Gaussian elimination with
/// partial pivoting. `matrix` is `[n, n]`, row by row; `values` are n pairs.
///
/// None if the sizes disagree or the matrix is singular to working precision.
pub fn solve(mut matrix: Vec<f64>, mut values: Vec<Point>) -> Option<Vec<Point>> {
    let n = values.len();
    if matrix.len() != n * n {
        return None;
    }
    let scale = matrix.iter().fold(0f64, |m, v| m.max(v.abs()));
    for column in 0..n {
        let size = |row: &usize| matrix[row * n + column].abs();
        let pivot = (column..n).max_by(|a, b| size(a).total_cmp(&size(b)))?;
        // Written so that NaN counts as singular.
        if !(size(&pivot).is_finite() && size(&pivot) > 1e-13 * scale) {
            return None;
        }
        values.swap(pivot, column);
        if pivot != column {
            let (above, below) = matrix.split_at_mut(pivot * n);
            above[column * n..][..n].swap_with_slice(&mut below[..n]);
        }
        let (above, below) = matrix.split_at_mut((column + 1) * n);
        let pivot_row = &above[column * n..];
        let pivot_value = values[column];
        for (row, value) in below.chunks_exact_mut(n).zip(&mut values[column + 1..]) {
            let factor = row[column] / pivot_row[column];
            if factor == 0.0 {
                continue;
            }
            for (a, b) in row[column..].iter_mut().zip(&pivot_row[column..]) {
                *a -= factor * b;
            }
            value[0] -= factor * pivot_value[0];
            value[1] -= factor * pivot_value[1];
        }
    }
    for row in (0..n).rev() {
        let coefficients = &matrix[row * n..][..n];
        let known = |k: usize| -> f64 {
            let solved = coefficients.iter().zip(&values).skip(row + 1);
            solved.map(|(c, v)| c * v[k]).sum()
        };
        let [x, y] = [known(0), known(1)];
        let [vx, vy] = values[row];
        values[row] = [(vx - x) / coefficients[row], (vy - y) / coefficients[row]];
    }
    let finite = values.iter().flatten().all(|v| v.is_finite());
    finite.then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_zero_on_the_diagonal_is_pivoted_away() {
        let x = solve(vec![0.0, 2.0, 1.0, 1.0], vec![[4.0, 2.0], [3.0, 5.0]]).unwrap();
        assert_eq!(x, [[1.0, 4.0], [2.0, 1.0]]);
    }

    #[test]
    fn singular_systems_have_no_answer() {
        assert!(solve(vec![1.0, 2.0, 2.0, 4.0], vec![[1.0, 1.0]; 2]).is_none());
        assert!(solve(vec![f64::NAN; 4], vec![[1.0, 1.0]; 2]).is_none());
        assert!(solve(vec![1.0; 3], vec![[1.0, 1.0]; 2]).is_none());
    }

    proptest! {
        #[test]
        fn an_answer_satisfies_its_system(
            matrix in prop::collection::vec(-1f64..1.0, 36),
            values in prop::collection::vec([-1f64..1.0, -1f64..1.0], 6),
        ) {
            // Dominant diagonals keep the condition number small.
            let mut matrix = matrix;
            (0..6).for_each(|i| matrix[7 * i] += 8.0);
            let x = solve(matrix.clone(), values.clone()).unwrap();
            for (row, value) in matrix.chunks(6).zip(values) {
                for k in 0..2 {
                    let sum: f64 = row.iter().zip(&x).map(|(a, x)| a * x[k]).sum();
                    prop_assert!((sum - value[k]).abs() < 1e-10);
                }
            }
        }
    }
}
