//! ROC analysis of ratings: points of the curve, area under it (AUC), and DeLong's variance of one area or
//! covariance of several on the same cases.
//!
//! DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845. The AUC is the chance that a
//! positive case is rated above a negative one, ties counting half. The placement of a positive case is the
//! share of negative cases rated below it, that of a negative case the share of positive ones rated above
//! it. The covariance is `S10 / m + S01 / n`, where `S10` and `S01` are the sample covariances of the
//! placements of `m` positive and `n` negative cases. Sorting makes each
//! placement one binary search, as in Sun X, Xu W. IEEE Signal Process Lett 2014;21:1389-1393.

use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::distribution::normal_critical;
use super::proportion::Interval;
use super::sums::{deviation_products, dot, mean};

/// A pivot smaller than this share of its variance means that a contrast follows from those before it.
const SINGULAR: f64 = 1e-10;

/// Area under one ROC curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Auc {
    /// In 0..1; 0.5 is chance.
    pub auc: f64,
    /// DeLong's variance, cases random. `None` with fewer than two cases in a class, and where it is 0
    /// because the ratings separate the classes entirely or not at all: that says nothing about precision.
    pub variance: Option<f64>,
}

impl Auc {
    /// From the ratings of positive and of negative cases; a higher rating means more surely positive.
    ///
    /// `None` if a class is empty or a rating is NaN.
    pub fn from_ratings(positive: &[f64], negative: &[f64]) -> Option<Self> {
        let placements = Placements::new(positive, negative)?;
        let variance = covariance(&placements, &placements).filter(|&variance| variance > 0.0);
        Some(Self {
            auc: placements.auc,
            variance,
        })
    }

    /// Wald interval, cut off at 0 and 1. `None` without a variance or unless 0 < `level` < 1.
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let half_width = normal_critical(level)? * self.variance?.sqrt();
        Some(Interval::around(self.auc, half_width).within(0.0, 1.0))
    }
}

/// Areas under the ROC curves of several raters of the same cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CorrelatedAucs {
    /// One per rater, in 0..1.
    pub aucs: Vec<f64>,
    /// DeLong's covariance, one row and one column per rater.
    pub covariance: Vec<Vec<f64>>,
}

/// Chi-square test of linear contrasts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ContrastTest {
    pub chi_square: f64,
    /// Number of contrasts.
    pub df: usize,
    pub p: f64,
}

impl CorrelatedAucs {
    /// From each rater's ratings of the (positive, negative) cases, in the same order for all raters.
    ///
    /// `None` if there are fewer than two cases in a class, if the raters' case numbers differ, if a rating
    /// is NaN, or without raters.
    pub fn from_ratings(raters: &[(&[f64], &[f64])]) -> Option<Self> {
        let placements: Option<Vec<_>> = raters
            .iter()
            .map(|(positive, negative)| Placements::new(positive, negative))
            .collect();
        let placements = placements?;
        let first = placements.first()?;
        if !placements.iter().all(|rater| rater.of_same_size(first)) {
            return None;
        }
        let row = |a| placements.iter().map(|b| covariance(a, b)).collect();
        let covariance: Option<Vec<Vec<f64>>> = placements.iter().map(row).collect();
        Some(Self {
            aucs: placements.iter().map(|rater| rater.auc).collect(),
            covariance: covariance?,
        })
    }

    /// Tests that all `contrasts` of the areas are 0: `(L θ)ᵀ (L S Lᵀ)⁻¹ (L θ)`. Each contrast has
    /// one weight per rater: `[1, 0, -1]` compares the first rater to the third.
    ///
    /// `None` without contrasts, if one has another length, or if one has no variance or follows from others.
    pub fn contrast_test(&self, contrasts: &[Vec<f64>]) -> Option<ContrastTest> {
        if contrasts.iter().any(|c| c.len() != self.aucs.len()) {
            return None;
        }
        let differences: Vec<f64> = contrasts.iter().map(|c| dot(c, &self.aucs)).collect();
        let covariance = products(&products(contrasts, &self.covariance), contrasts);
        let chi_square = inverse_quadratic_form(covariance, &differences)?;
        let df = contrasts.len();
        let distribution = ChiSquared::new(df as f64).ok()?;
        Some(ContrastTest {
            chi_square,
            df,
            p: distribution.sf(chi_square),
        })
    }
}

/// One point of an empirical ROC curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RocPoint {
    /// Ratings at or above it count as positive; `None` at the first point, where none does.
    pub threshold: Option<f64>,
    /// Share of negative cases at or above the threshold, in 0..1.
    pub false_positive_rate: f64,
    /// Share of positive cases at or above the threshold, in 0..1.
    pub true_positive_rate: f64,
}

/// The empirical ROC curve, from (0, 0) to (1, 1), one point more than there are different ratings.
///
/// `None` if a class is empty or a rating is NaN.
pub fn roc_points(positive: &[f64], negative: &[f64]) -> Option<Vec<RocPoint>> {
    let (positive, negative) = (sorted(positive)?, sorted(negative)?);
    let mut thresholds = [positive.as_slice(), negative.as_slice()].concat();
    thresholds.sort_by(|a, b| b.total_cmp(a));
    thresholds.dedup();
    let share = |ratings: &[f64], threshold| {
        let below = ratings.partition_point(|&rating| rating < threshold);
        (ratings.len() - below) as f64 / ratings.len() as f64
    };
    let start = RocPoint {
        threshold: None,
        false_positive_rate: 0.0,
        true_positive_rate: 0.0,
    };
    let rest = thresholds.into_iter().map(|threshold| RocPoint {
        threshold: Some(threshold),
        false_positive_rate: share(&negative, threshold),
        true_positive_rate: share(&positive, threshold),
    });
    Some(std::iter::once(start).chain(rest).collect())
}

/// Every case's share of won comparisons, in the order of the ratings given.
struct Placements {
    positive: Vec<f64>,
    negative: Vec<f64>,
    auc: f64,
}

impl Placements {
    fn new(positive: &[f64], negative: &[f64]) -> Option<Self> {
        let (sorted_positive, sorted_negative) = (sorted(positive)?, sorted(negative)?);
        let of_positive: Vec<f64> = positive
            .iter()
            .map(|&x| share_below(&sorted_negative, x))
            .collect();
        let of_negative = negative
            .iter()
            .map(|&x| 1.0 - share_below(&sorted_positive, x))
            .collect();
        Some(Self {
            auc: mean(&of_positive)?,
            positive: of_positive,
            negative: of_negative,
        })
    }

    fn of_same_size(&self, other: &Self) -> bool {
        self.positive.len() == other.positive.len() && self.negative.len() == other.negative.len()
    }
}

/// Ascending. `None` for no ratings or a NaN.
fn sorted(ratings: &[f64]) -> Option<Vec<f64>> {
    let usable = !ratings.is_empty() && !ratings.iter().any(|rating| rating.is_nan());
    let mut sorted = ratings.to_vec();
    sorted.sort_by(f64::total_cmp);
    usable.then_some(sorted)
}

/// Share of `sorted` below `x`, equal ones counting half.
fn share_below(sorted: &[f64], x: f64) -> f64 {
    let below = sorted.partition_point(|&rating| rating < x);
    let up_to = sorted.partition_point(|&rating| rating <= x);
    (below + up_to) as f64 / (2 * sorted.len()) as f64
}

/// DeLong's covariance of the areas of two raters. `None` with fewer than two cases in a class.
fn covariance(a: &Placements, b: &Placements) -> Option<f64> {
    let of_mean = |x: &[f64], y: &[f64]| {
        let (products, n) = (deviation_products(x, y)?, x.len() as f64);
        (n > 1.0).then(|| products / (n - 1.0) / n)
    };
    Some(of_mean(&a.positive, &b.positive)? + of_mean(&a.negative, &b.negative)?)
}

/// `A Bᵀ`.
fn products(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let row = |a: &Vec<f64>| b.iter().map(|b| dot(a, b)).collect();
    a.iter().map(row).collect()
}

/// `vᵀ A⁻¹ v` of a symmetric positive definite `A`. `None` if it is not, or if it is empty.
///
/// Elimination of `A` from the bordered matrix `[A v; vᵀ 0]` leaves the negative of it in the corner.
fn inverse_quadratic_form(mut a: Vec<Vec<f64>>, v: &[f64]) -> Option<f64> {
    let diagonal = a.iter().enumerate().map(|(k, row)| row.get(k).copied());
    let diagonal = diagonal.collect::<Option<Vec<f64>>>()?;
    for (row, &value) in a.iter_mut().zip(v) {
        row.push(value);
    }
    a.push(v.iter().copied().chain([0.0]).collect());
    for (k, &variance) in diagonal.iter().enumerate() {
        let pivot_row = a.get(k)?.clone();
        let pivot = *pivot_row.get(k)?;
        if pivot.is_nan() || pivot <= SINGULAR * variance {
            return None;
        }
        for row in a.iter_mut().skip(k + 1) {
            let factor = row.get(k)? / pivot;
            for (value, above) in row.iter_mut().zip(&pivot_row) {
                *value -= factor * above;
            }
        }
    }
    let corner = *a.last()?.last()?;
    (!v.is_empty()).then_some(-corner)
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

    fn repeated(counts: [usize; 5]) -> Vec<f64> {
        (1..=5)
            .zip(counts)
            .flat_map(|(rating, n)| vec![f64::from(rating); n])
            .collect()
    }

    // Hanley JA, McNeil BJ. Radiology 1982;143:29-36, table I: AUC 0.893; the rest computed.
    #[test]
    fn hanley_and_mcneil() {
        let (normal, abnormal) = (repeated([33, 6, 6, 11, 2]), repeated([3, 2, 2, 11, 33]));
        let auc = Auc::from_ratings(&abnormal, &normal).unwrap();
        close(auc.auc, 0.8931710615);
        close(auc.variance.unwrap().sqrt(), 0.0307244084);
        let interval = auc.interval(0.95).unwrap();
        close(interval.low, 0.8329523277);
        close(interval.high, 0.9533897954);
    }

    #[test]
    fn a_contrast_of_two_is_their_squared_difference_over_its_variance() {
        let positive = [[4.0, 3.0, 5.0, 2.0, 5.0], [3.0, 3.0, 4.0, 4.0, 1.0]];
        let negative = [[1.0, 3.0, 2.0, 4.0], [3.0, 2.0, 4.0, 1.0]];
        let raters = [
            (&positive[0][..], &negative[0][..]),
            (&positive[1][..], &negative[1][..]),
        ];
        let both = CorrelatedAucs::from_ratings(&raters).unwrap();
        for (k, (positive, negative)) in raters.iter().enumerate() {
            let auc = Auc::from_ratings(positive, negative).unwrap();
            assert_eq!(both.aucs[k], auc.auc);
            close(both.covariance[k][k], auc.variance.unwrap());
        }
        let [[a, ab], [ba, b]] = [0, 1].map(|k| [both.covariance[k][0], both.covariance[k][1]]);
        let test = both.contrast_test(&[vec![1.0, -1.0]]).unwrap();
        close(
            test.chi_square,
            (both.aucs[0] - both.aucs[1]).powi(2) / (a + b - ab - ba),
        );
        assert_eq!(test.df, 1);

        assert_eq!(
            both.contrast_test(&[vec![1.0, -1.0], vec![-2.0, 2.0]]),
            None
        );
        assert_eq!(both.contrast_test(&[vec![1.0]]), None);
        assert_eq!(both.contrast_test(&[]), None);
    }

    #[test]
    fn points_follow_the_ratings_and_their_area_is_the_auc() {
        let (positive, negative) = (repeated([1, 0, 2, 2, 4]), repeated([3, 1, 2, 0, 1]));
        let points = roc_points(&positive, &negative).unwrap();
        assert_eq!(points.len(), 6);
        assert_eq!(points[1].threshold, Some(5.0));
        close(points[1].true_positive_rate, 4.0 / 9.0);
        close(points[1].false_positive_rate, 1.0 / 7.0);
        let last = points.last().unwrap();
        assert_eq!(
            (last.false_positive_rate, last.true_positive_rate),
            (1.0, 1.0)
        );
        let trapezoid = |pair: &[RocPoint]| {
            (pair[1].false_positive_rate - pair[0].false_positive_rate)
                * (pair[1].true_positive_rate + pair[0].true_positive_rate)
                / 2.0
        };
        let area: f64 = points.windows(2).map(trapezoid).sum();
        close(area, Auc::from_ratings(&positive, &negative).unwrap().auc);
    }

    #[test]
    fn what_is_not_defined_is_none() {
        assert_eq!(Auc::from_ratings(&[], &[1.0]), None);
        assert_eq!(Auc::from_ratings(&[f64::NAN], &[1.0]), None);
        assert_eq!(
            Auc::from_ratings(&[1.0], &[0.0]),
            Some(Auc {
                auc: 1.0,
                variance: None
            })
        );
        let separated = Auc::from_ratings(&[3.0, 4.0], &[1.0, 2.0]).unwrap();
        assert_eq!(
            (separated.auc, separated.variance, separated.interval(0.95)),
            (1.0, None, None)
        );
        assert_eq!(roc_points(&[1.0], &[]), None);
        assert_eq!(CorrelatedAucs::from_ratings(&[]), None);
        let (two, three) = ([1.0, 2.0], [1.0, 2.0, 3.0]);
        assert_eq!(
            CorrelatedAucs::from_ratings(&[(&two, &two), (&three, &two)]),
            None
        );
    }
}
