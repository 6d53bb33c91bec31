//! Agreement of any number of raters on names: observed, and beyond chance.
//!
//! Beyond chance it is `(po - pe) / (1 - pe)`, with the observed agreement `po`, the share of pairs of raters
//! that agree, averaged over subjects, and the agreement `pe` expected by chance:
//!
//! - Gwet's AC1, which stays near the observed agreement where one category is rare:
//!   `pe = Σ π(1 - π) / (q - 1)` over `q` categories. Gwet KL. Br J Math Stat Psychol 2008;61:29-48. The
//!   number of ratings may differ from subject to subject; `π` is the mean over subjects of a category's
//!   share of their ratings.
//! - Fleiss' kappa, the same number of ratings for each subject: `pe = Σ π²`. Fleiss JL. Psychol Bull
//!   1971;76:378-382.
//!
//! Ratings come as counts: one row per subject, with the number of ratings in each category. For scales
//! take [`super::krippendorff`], for two raters' own margins [`super::kappa`].

use super::sums::mean;

/// The counts of two raters' square table, where the first rater's category is the row and the second's the
/// column: one row per subject, with two ratings.
///
/// `None` if the table is not square.
pub fn counts_of_table(table: &[Vec<u64>]) -> Option<Vec<Vec<u64>>> {
    let mut counts = Vec::new();
    for (first, row) in table.iter().enumerate() {
        if row.len() != table.len() {
            return None;
        }
        for (second, &subjects) in row.iter().enumerate() {
            let ratings = |category| u64::from(category == first) + u64::from(category == second);
            let subject: Vec<u64> = (0..table.len()).map(ratings).collect();
            counts.extend((0..subjects).map(|_| subject.clone()));
        }
    }
    Some(counts)
}

/// Percent agreement, as a share in 0..1: the mean over subjects of the share of pairs of raters that agree.
///
/// `None` if no subject has two ratings.
pub fn percent_agreement(counts: &[Vec<u64>]) -> Option<f64> {
    let pairs = |count: u64| count as f64 * (count as f64 - 1.0);
    let of_subjects: Vec<f64> = counts
        .iter()
        .map(|row| (row, pairs(row.iter().sum())))
        .filter(|&(_, all)| all > 0.0)
        .map(|(row, all)| row.iter().map(|&count| pairs(count)).sum::<f64>() / all)
        .collect();
    mean(&of_subjects)
}

/// Gwet's AC1, at most 1. A subject with one rating tells about the categories only. A category that was
/// offered counts even if no rater took it.
///
/// `None` if no subject has two ratings, if rows differ in length, or with fewer than two categories.
pub fn gwet_ac1(counts: &[Vec<u64>]) -> Option<f64> {
    let categories = categories(counts)?;
    let rated = || {
        counts
            .iter()
            .map(|row| (row, row.iter().sum::<u64>()))
            .filter(|&(_, n)| n > 0)
    };
    let share = |category: usize| -> Option<f64> {
        let shares = rated().filter_map(|(row, n)| Some(*row.get(category)? as f64 / n as f64));
        mean(&shares.collect::<Vec<_>>())
    };
    let shares = (0..categories).map(share).collect::<Option<Vec<_>>>()?;
    let variances: f64 = shares.iter().map(|share| share * (1.0 - share)).sum();
    let observed = percent_agreement(counts)?;
    (categories > 1).then(|| beyond_chance(observed, variances / (categories as f64 - 1.0)))?
}

/// Fleiss' kappa, at most 1.
///
/// `None` unless every subject has the same number of ratings, at least two, if rows differ in length, or
/// if all ratings are of one category.
pub fn fleiss_kappa(counts: &[Vec<u64>]) -> Option<f64> {
    let categories = categories(counts)?;
    let ratings: u64 = counts.first()?.iter().sum();
    if !counts.iter().all(|row| row.iter().sum::<u64>() == ratings) {
        return None;
    }
    let share = |category: usize| {
        let of_category: u64 = counts.iter().filter_map(|row| row.get(category)).sum();
        of_category as f64 / (counts.len() as f64 * ratings as f64)
    };
    let expected = (0..categories)
        .map(|category| share(category).powi(2))
        .sum();
    beyond_chance(percent_agreement(counts)?, expected)
}

fn beyond_chance(observed: f64, expected: f64) -> Option<f64> {
    (expected < 1.0).then(|| (observed - expected) / (1.0 - expected))
}

/// The common length of all rows.
fn categories(counts: &[Vec<u64>]) -> Option<usize> {
    let length = counts.first()?.len();
    counts
        .iter()
        .all(|row| row.len() == length)
        .then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: Option<f64>, expected: f64) {
        let actual = actual.unwrap();
        assert!(
            (actual - expected).abs() <= 1e-8,
            "{actual} is not {expected}"
        );
    }

    fn rows<const N: usize>(rows: &[[u64; N]]) -> Vec<Vec<u64>> {
        rows.iter().map(|row| row.to_vec()).collect()
    }

    // Gwet 2002, the table of the kappa paradox; values computed.
    #[test]
    fn ac1_where_margins_are_skewed() {
        let counts = counts_of_table(&rows(&[[118, 5], [2, 0]])).unwrap();
        assert_eq!(counts.len(), 125);
        close(percent_agreement(&counts), 0.944);
        close(gwet_ac1(&counts), 0.9407763376);
    }

    // R package irrCAC, vignette "overview", cont3x3abstractors, printed to seven digits.
    #[test]
    fn two_abstractors_as_irrcac() {
        let counts = counts_of_table(&rows(&[[13, 0, 0], [0, 20, 7], [0, 4, 56]])).unwrap();
        assert!((gwet_ac1(&counts).unwrap() - 0.8493305).abs() < 5e-8);
        close(percent_agreement(&counts), 0.89);
    }

    // Krippendorff's four observers and twelve units, with ratings missing; in R package irrCAC
    // cac.raw4raters, AC1 printed as 0.77544. By hand: po = 9/11, shares as below.
    #[test]
    fn ac1_of_four_raters_with_gaps() {
        let counts = rows(&[
            [3, 0, 0, 0, 0],
            [0, 3, 1, 0, 0],
            [0, 0, 4, 0, 0],
            [0, 0, 4, 0, 0],
            [0, 4, 0, 0, 0],
            [1, 1, 1, 1, 0],
            [0, 0, 0, 4, 0],
            [3, 1, 0, 0, 0],
            [0, 4, 0, 0, 0],
            [0, 0, 0, 0, 3],
            [2, 0, 0, 0, 0],
            [0, 0, 1, 0, 0],
            [0, 0, 0, 0, 0],
        ]);
        let shares = [3.0, 3.25, 3.5, 1.25, 1.0].map(|twelfths: f64| twelfths / 12.0);
        let expected = shares.map(|p| p * (1.0 - p)).iter().sum::<f64>() / 4.0;
        assert!((gwet_ac1(&counts).unwrap() - 0.77544).abs() < 5e-6);
        close(
            gwet_ac1(&counts),
            (9.0 / 11.0 - expected) / (1.0 - expected),
        );
        assert_eq!(fleiss_kappa(&counts), None);
    }

    // Wikipedia, Fleiss' kappa, worked example: 0.210. That of 1971 is in tests/statistics_parity.rs.
    #[test]
    fn fleiss_ten_subjects_of_fourteen_ratings() {
        let counts = rows(&[
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ]);
        close(fleiss_kappa(&counts), 0.2099307044);
    }

    #[test]
    fn what_is_not_defined_is_none() {
        assert_eq!(counts_of_table(&rows(&[[1, 2]])), None);
        assert_eq!(counts_of_table(&[]), Some(vec![]));
        for counts in [vec![], rows(&[[1, 0], [0, 1]]), vec![vec![]]] {
            assert_eq!(percent_agreement(&counts), None);
            assert_eq!(fleiss_kappa(&counts), None);
            assert_eq!(gwet_ac1(&counts), None);
        }
        let ragged = [vec![2, 0], vec![2]];
        assert_eq!((fleiss_kappa(&ragged), gwet_ac1(&ragged)), (None, None));
        assert_eq!(fleiss_kappa(&rows(&[[3, 0], [3, 0]])), None);
        assert_eq!(gwet_ac1(&rows(&[[2], [2]])), None);
    }
}
