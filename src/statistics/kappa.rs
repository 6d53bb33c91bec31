//! Cohen's kappa: agreement of two raters beyond what their own margins give by chance.
//!
//! `(po - pe) / (1 - pe)`: Cohen J. Educ Psychol Meas 1960;20:37-46. Weighted by the disagreement of two
//! categories: Cohen J. Psychol Bull 1968;70:213-220. Asymptotic standard error: Fleiss JL, Cohen J, Everitt
//! BS. Psychol Bull 1969;72:323-327.

use serde::Serialize;

use super::distribution::normal_critical;
use super::proportion::Interval;
use super::sums::dot;

/// Cohen's kappa and its precision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Kappa {
    /// 1 is perfect agreement, 0 that expected by chance, negative less.
    pub kappa: f64,
    /// Asymptotic; 0 where the raters agree entirely.
    pub standard_error: f64,
}

impl Kappa {
    /// Wald interval, cut off at -1 and 1. `None` without a standard error or unless 0 < `level` < 1.
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let half_width = normal_critical(level)? * self.standard_error;
        (half_width > 0.0).then(|| Interval::around(self.kappa, half_width).within(-1.0, 1.0))
    }
}

/// How much a disagreement between two categories counts.
#[derive(Clone, Copy, Debug)]
pub enum Weights<'a> {
    /// All the same.
    Simple,
    /// By the distance of ordered categories.
    Linear,
    /// By the squared distance of ordered categories.
    Quadratic,
    /// As given, one row and one column per category, not negative; the unit does not matter.
    Disagreement(&'a [Vec<f64>]),
}

impl Weights<'_> {
    /// The disagreement of each pair of categories, in rows of `categories`.
    fn table(&self, categories: usize) -> Option<Vec<Vec<f64>>> {
        let disagreement = |i: usize, j: usize| {
            let distance = i.abs_diff(j) as f64;
            match self {
                Self::Simple => Some(distance.min(1.0)),
                Self::Linear => Some(distance),
                Self::Quadratic => Some(distance * distance),
                Self::Disagreement(table) => table.get(i)?.get(j).copied().filter(|&v| v >= 0.0),
            }
        };
        let row = |i| (0..categories).map(|j| disagreement(i, j)).collect();
        (0..categories).map(row).collect()
    }
}

/// Cohen's kappa of a square table of counts: one row per category of the first rater, one column per
/// category of the second.
///
/// `None` if the table is empty or not square, if the weights do not fit it, or if chance alone would give
/// full agreement, as where both raters know one category only.
pub fn cohen_kappa(table: &[Vec<u64>], weights: Weights) -> Option<Kappa> {
    let n = table.iter().flatten().sum::<u64>() as f64;
    if n == 0.0 || table.iter().any(|row| row.len() != table.len()) {
        return None;
    }
    let share_row = |row: &Vec<u64>| row.iter().map(|&count| count as f64 / n).collect();
    let shares: Vec<Vec<f64>> = table.iter().map(share_row).collect();
    let first: Vec<f64> = shares.iter().map(|row| row.iter().sum()).collect();
    let second: Vec<f64> = transposed(&shares)
        .iter()
        .map(|column| column.iter().sum())
        .collect();

    // Disagreements `v`, where the papers also have agreements `1 - v / max v`: the maximum drops out.
    let weights = weights.table(table.len())?;
    let of_first: Vec<f64> = weights.iter().map(|row| dot(row, &second)).collect();
    let of_second: Vec<f64> = transposed(&weights)
        .iter()
        .map(|row| dot(row, &first))
        .collect();
    let observed: f64 = shares.iter().zip(&weights).map(|(p, v)| dot(p, v)).sum();
    let expected = dot(&first, &of_first);
    if expected.is_nan() || expected <= 0.0 {
        return None;
    }
    let ratio = observed / expected;
    let mut squares = 0.0;
    for ((p, v), row_mean) in shares.iter().zip(&weights).zip(&of_first) {
        for ((p, v), column_mean) in p.iter().zip(v).zip(&of_second) {
            squares += p * (v - (row_mean + column_mean) * ratio).powi(2);
        }
    }
    let variance = (squares - (expected * ratio).powi(2)) / (n * expected * expected);
    Some(Kappa {
        kappa: 1.0 - ratio,
        standard_error: variance.max(0.0).sqrt(),
    })
}

fn transposed(table: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let column = |j| table.iter().filter_map(|row| row.get(j).copied()).collect();
    (0..table.len()).map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: f64, expected: f64) {
        assert!(
            (actual - expected).abs() <= 1e-8,
            "{actual} is not {expected}"
        );
    }

    fn rows<const N: usize>(rows: &[[u64; N]]) -> Vec<Vec<u64>> {
        rows.iter().map(|row| row.to_vec()).collect()
    }

    /// Kappa, standard error, low, high.
    fn check(table: &[Vec<u64>], weights: Weights, expected: [f64; 4]) {
        let kappa = cohen_kappa(table, weights).unwrap();
        let Interval { low, high } = kappa.interval(0.95).unwrap();
        let actual = [kappa.kappa, kappa.standard_error, low, high];
        actual
            .into_iter()
            .zip(expected)
            .for_each(|(actual, expected)| close(actual, expected));
    }

    // SAS/STAT PROC FREQ, "Agreement Study": simple kappa 0.3449; the rest computed with statsmodels.
    #[test]
    fn two_dermatologists() {
        let table = rows(&[[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]);
        check(
            &table,
            Weights::Simple,
            [0.3448753463, 0.0723966874, 0.2029804464, 0.4867702461],
        );
        check(
            &table,
            Weights::Linear,
            [0.5081600715, 0.065508381, 0.379766004, 0.6365541391],
        );
        check(
            &table,
            Weights::Quadratic,
            [0.6607228916, 0.0616428324, 0.5399051601, 0.781540623],
        );
        // Weights in another unit and of the same meaning.
        let linear: Vec<Vec<f64>> = (0..4)
            .map(|i| (0..4).map(|j| 7.0 * f64::from(i32::abs(i - j))).collect())
            .collect();
        let expected = [0.5081600715, 0.065508381, 0.379766004, 0.6365541391];
        check(&table, Weights::Disagreement(&linear), expected);
    }

    // SAS printout kept in statsmodels/stats/tests/test_inter_rater.py (table10); more digits computed.
    #[test]
    fn sas_printout() {
        let table = rows(&[[0, 4, 1], [0, 8, 0], [0, 1, 5]]);
        check(
            &table,
            Weights::Simple,
            [0.4841628959, 0.1380135783, 0.2136612531, 0.7546645388],
        );
        check(
            &table,
            Weights::Linear,
            [0.4701195219, 0.1457460451, 0.1844625225, 0.7557765213],
        );
    }

    // Cohen 1968, table 1: kappa 0.492, weighted 0.348.
    #[test]
    fn free_disagreement_weights() {
        let table = rows(&[[88, 10, 2], [14, 40, 6], [18, 10, 12]]);
        let weights = [
            vec![0.0, 1.0, 3.0],
            vec![1.0, 0.0, 6.0],
            vec![3.0, 6.0, 0.0],
        ];
        close(
            cohen_kappa(&table, Weights::Simple).unwrap().kappa,
            0.4915254237,
        );
        close(
            cohen_kappa(&table, Weights::Disagreement(&weights))
                .unwrap()
                .kappa,
            0.347826087,
        );
        assert_eq!(
            cohen_kappa(&table, Weights::Disagreement(&weights[..2])),
            None
        );
    }

    // Twelve training answers in three categories, computed with statsmodels.
    #[test]
    fn training_answers() {
        let kappa =
            cohen_kappa(&rows(&[[3, 1, 0], [2, 0, 1], [0, 0, 5]]), Weights::Linear).unwrap();
        close(kappa.kappa, 0.6571428571);
        close(kappa.standard_error, 0.1426867789);
    }

    // R package irrCAC, vignette "overview", cont3x3abstractors, printed to seven digits.
    #[test]
    fn two_abstractors_as_irrcac() {
        let table = rows(&[[13, 0, 0], [0, 20, 7], [0, 4, 56]]);
        assert!((cohen_kappa(&table, Weights::Simple).unwrap().kappa - 0.7964094).abs() < 5e-8);
    }

    #[test]
    fn what_is_not_defined_is_none() {
        let empty = [vec![], vec![vec![]], rows(&[[0, 0], [0, 0]])];
        let not_square = [rows(&[[1, 2]]), rows(&[[1], [2]])];
        for table in empty.iter().chain(&not_square) {
            assert_eq!(cohen_kappa(table, Weights::Simple), None);
        }
        assert_eq!(cohen_kappa(&rows(&[[5, 0], [0, 0]]), Weights::Simple), None);
        let perfect = cohen_kappa(&rows(&[[5, 0], [0, 5]]), Weights::Simple).unwrap();
        assert_eq!((perfect.kappa, perfect.standard_error), (1.0, 0.0));
        assert_eq!(perfect.interval(0.95), None);
    }
}
