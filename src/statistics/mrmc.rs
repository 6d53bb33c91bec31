//! Area under the ROC curve (AUC) averaged over readers, with readers and cases both random (multi-reader,
//! multi-case: MRMC). The primary figure of a reader study: with answers 0 and 1 as ratings the AUC is the
//! balanced accuracy.
//!
//! One-shot U-statistic estimate of the variance: Gallas BD. Acad Radiol 2006;13:353-362; Gallas BD, Bandos
//! A, Samuelson FW, Wagner RF. Commun Stat Theory Methods 2009;38:2586-2603; readings missing in any
//! pattern: Gallas BD, Brown DG. Neural Netw 2008;21:387-397.
//!
//! The score of a comparison, `s(r, i, j)`, says whether reader `r` rated the positive case `j` above the
//! negative case `i`: 1, half for a tie, 0. The AUC is the mean score of all comparisons made. The moments
//! are mean products of two scores; with `=` for the same and `≠` for a different one of the three:
//!
//! | moment | M1 | M2 | M3 | M4 | M5 | M6 | M7 | M8 |
//! |---|---|---|---|---|---|---|---|---|
//! | reader | = | = | = | = | ≠ | ≠ | ≠ | ≠ |
//! | negative case | = | ≠ | = | ≠ | = | ≠ | = | ≠ |
//! | positive case | = | = | ≠ | ≠ | = | = | ≠ | ≠ |
//!
//! `variance = Σ c M - M8`, where `c` is the share of each kind among all pairs of comparisons. As
//! `Σ c M` is the square of the AUC, that is `AUC² - M8`. How the sums come about without a loop over
//! pairs of comparisons: see the module `comparisons`.
//!
//! Degrees of freedom (df) by Satterthwaite from the mean squares of readers, negative and positive cases,
//! after Obuchowski NA, Gallas BD, Hillis SL. Acad Radiol 2012;19:1508-1517, in the form of iMRMC, the
//! program of Gallas' group: see `satterthwaite`.

use serde::Serialize;

use super::comparisons::{Pairs, Scores, ratio};
use super::distribution::{normal_critical, normal_two_sided_p, t_critical, t_two_sided_p};
use super::proportion::Interval;

/// A variance below this is a rounding error of `AUC² - M8`, both of which are at most 1.
const ROUNDING: f64 = 1e-15;

/// From here on the normal distribution stands for Student's, as in iMRMC.
const LARGE_DF: f64 = 50.0;

/// Readings of cases by readers.
#[derive(Clone, Debug, PartialEq)]
pub struct Readings {
    truth: Vec<bool>,
    readers: Vec<Vec<Option<f64>>>,
}

impl Readings {
    /// `truth` has one entry per case, true for positive (fake); `readers` one list per reader, with one
    /// rating per case in the same order, `None` where the case was not read. A higher rating means more
    /// surely positive; NaN counts as not read.
    ///
    /// `None` if a reader's list is not as long as `truth`.
    pub fn new(truth: Vec<bool>, readers: Vec<Vec<Option<f64>>>) -> Option<Self> {
        let fits = readers.iter().all(|ratings| ratings.len() == truth.len());
        fits.then_some(Self { truth, readers })
    }
}

/// The reader-averaged AUC and its precision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReaderAveragedAuc {
    /// Mean over all comparisons of all readers, in 0..1; 0.5 is chance. A reader counts by the number of
    /// comparisons made: all the same when every reader read every case.
    pub auc: f64,
    /// M1 to M8 of the table above; `None` where the study has no such pair of comparisons.
    pub moments: [Option<f64>; 8],
    /// `None` unless all eight moments are there.
    pub components: Option<Components>,
    /// Unbiased variance of `auc`, readers and cases random. `None` with one reader, and where the
    /// estimate is not positive, which an unbiased one can be in a small study.
    pub variance: Option<f64>,
    /// Satterthwaite's degrees of freedom, not rounded, at least those of the smallest of the three
    /// samples. `None` without a variance.
    pub df: Option<f64>,
    /// Every reader, in the order of the readings.
    pub readers: Vec<ReaderAuc>,
}

/// Components of the variance of one score: readers (R), negative (N) and positive cases (D) and their
/// interactions. Unbiased, so that single ones may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Components {
    pub n: f64,
    pub d: f64,
    pub nd: f64,
    pub r: f64,
    pub nr: f64,
    pub dr: f64,
    pub rnd: f64,
}

/// AUC of one reader; only the cases are random.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReaderAuc {
    /// Negative cases read.
    pub negatives: usize,
    /// Positive cases read.
    pub positives: usize,
    /// `None` if the reader read no case of one class.
    pub auc: Option<f64>,
    /// Unbiased variance; `None` with fewer than two cases in a class and where it is not positive.
    pub variance: Option<f64>,
}

impl ReaderAuc {
    /// `pairs` are those of the reader with itself: the variance is `AUC² - M4` of this reader alone.
    fn new(scores: &Scores, pairs: &Pairs) -> Self {
        let auc = ratio(scores.total, scores.comparisons());
        let [.., m4] = pairs.moments_of_different_cases();
        let variance = auc.zip(m4).and_then(|(auc, m4)| positive(auc * auc - m4));
        Self {
            negatives: scores.negatives(),
            positives: scores.positives(),
            auc,
            variance,
        }
    }

    /// Wald interval, cut off at 0 and 1. `None` without a variance or unless 0 < `level` < 1.
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let half_width = normal_critical(level)? * self.variance?.sqrt();
        Some(Interval::around(self.auc?, half_width).within(0.0, 1.0))
    }
}

impl ReaderAveragedAuc {
    /// `None` if no reader read both a positive and a negative case.
    pub fn from_readings(readings: &Readings) -> Option<Self> {
        let scores: Vec<Scores> = readings
            .readers
            .iter()
            .map(|ratings| Scores::new(&readings.truth, ratings))
            .collect();
        let (mut same_reader, mut other_reader) = (Pairs::default(), Pairs::default());
        let mut readers = Vec::with_capacity(scores.len());
        for (index, a) in scores.iter().enumerate() {
            let pairs = Pairs::of_readers(a, a);
            readers.push(ReaderAuc::new(a, &pairs));
            same_reader = same_reader.plus(&pairs);
            for b in scores.iter().skip(index + 1) {
                // Each two readers make two ordered pairs.
                let pairs = Pairs::of_readers(a, b);
                other_reader = other_reader.plus(&pairs).plus(&pairs);
            }
        }
        let total: f64 = scores.iter().map(|reader| reader.total).sum();
        let auc = ratio(total, scores.iter().map(Scores::comparisons).sum())?;
        let ([m1, m2, m3, m4], [m5, m6, m7, m8]) = (
            same_reader.moments_of_different_cases(),
            other_reader.moments_of_different_cases(),
        );
        let moments = [m1, m2, m3, m4, m5, m6, m7, m8];
        let variance = m8.and_then(|m8| positive(auc * auc - m8));
        let df = variance
            .and_then(|v| satterthwaite(auc, v, &same_reader, &same_reader.plus(&other_reader)));
        Some(Self {
            auc,
            moments,
            components: Components::new(moments),
            variance,
            df,
            readers,
        })
    }

    /// Student interval with the whole part of `df`, normal from 50 on, cut off at 0 and 1.
    ///
    /// `None` without a variance or unless 0 < `level` < 1.
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let df = self.df?;
        let critical = if df < LARGE_DF {
            t_critical(level, df.floor())
        } else {
            normal_critical(level)
        };
        let half_width = critical? * self.variance?.sqrt();
        Some(Interval::around(self.auc, half_width).within(0.0, 1.0))
    }

    /// Two-sided p-value against chance, an AUC of 0.5, from the same distribution as the interval.
    ///
    /// `None` without a variance.
    pub fn p_against_chance(&self) -> Option<f64> {
        let (statistic, df) = ((self.auc - 0.5) / self.variance?.sqrt(), self.df?);
        if df < LARGE_DF {
            t_two_sided_p(statistic, df.floor())
        } else {
            Some(normal_two_sided_p(statistic))
        }
    }
}

impl Components {
    /// Gallas et al. 2009: the moments in which a factor is the same, less those in which it is not.
    fn new(moments: [Option<f64>; 8]) -> Option<Self> {
        let [m1, m2, m3, m4, m5, m6, m7, m8] = moments;
        let (m1, m2, m3, m4, m5, m6, m7, m8) = (m1?, m2?, m3?, m4?, m5?, m6?, m7?, m8?);
        Some(Self {
            n: m7 - m8,
            d: m6 - m8,
            nd: m5 - m6 - m7 + m8,
            r: m4 - m8,
            nr: m3 - m4 - m7 + m8,
            dr: m2 - m4 - m6 + m8,
            rnd: m1 - m2 - m3 + m4 - m5 + m6 + m7 - m8,
        })
    }
}

/// `V² / Σ (MS² / ν)` over readers, negative and positive cases.
///
/// Of a factor, `c` is the share of pairs of comparisons that have it in common, `ν = 1/c - 1` to the
/// nearest whole number: its size less one when every reader read every case. `MS` is the mean product of
/// those pairs, the same comparison twice among them, less the squared AUC, over `ν`.
///
/// For a sum of mean squares the formula gives at least the smallest `ν`; an estimate below that is raised
/// to it (Gaylor DW, Hopper FN. Technometrics 1969;11:691-706). iMRMC does so too, but never goes below 2
/// either, for which there is no reason with two readers.
fn satterthwaite(auc: f64, variance: f64, same_reader: &Pairs, all: &Pairs) -> Option<f64> {
    let (same_positive, same_negative, any) = (all.same_positive, all.same_negative, all.any);
    let (mut denominator, mut least) = (0.0, f64::INFINITY);
    for shared in [same_reader.any, same_negative, same_positive] {
        let df = (ratio(any.count, shared.count)? - 1.0).round().max(1.0);
        let mean_square = (shared.mean()? - auc * auc) / df;
        denominator += mean_square * mean_square / df;
        least = least.min(df);
    }
    Some(ratio(variance * variance, denominator)?.max(least))
}

fn positive(variance: f64) -> Option<f64> {
    (variance > ROUNDING).then_some(variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ratings of 20 negative cases, then 20 positive, which the reader tells apart by `skill`.
    fn ratings(reader: usize, skill: f64) -> Vec<Option<f64>> {
        let noise = |case: usize| ((case * 7 + reader * 5 + case * reader) % 11) as f64;
        let rating = |case| noise(case) + if case < 20 { 0.0 } else { skill };
        (0..40).map(|case| Some(rating(case))).collect()
    }

    fn fit(readers: Vec<Vec<Option<f64>>>) -> ReaderAveragedAuc {
        let truth = [[false; 20], [true; 20]].concat();
        ReaderAveragedAuc::from_readings(&Readings::new(truth, readers).unwrap()).unwrap()
    }

    #[test]
    fn one_reader_has_a_value_but_no_interval_over_readers() {
        let fit = fit(vec![ratings(1, 5.0)]);
        assert_eq!((fit.variance, fit.df, fit.components), (None, None, None));
        assert_eq!((fit.interval(0.95), fit.p_against_chance()), (None, None));
        let [reader] = fit.readers.as_slice() else {
            panic!()
        };
        assert_eq!((reader.negatives, reader.positives), (20, 20));
        assert_eq!(reader.auc, Some(fit.auc));
        let interval = reader.interval(0.95).unwrap();
        assert!(0.5 < interval.low && interval.low < fit.auc && fit.auc < interval.high);
    }

    #[test]
    fn a_reader_who_made_no_comparison_changes_nothing() {
        let readers = vec![ratings(1, 2.0), ratings(2, 4.0), ratings(3, 1.0)];
        let mut with_idle = readers.clone();
        with_idle.push([vec![None; 20], vec![Some(1.0); 20]].concat());
        let (without, with) = (fit(readers), fit(with_idle));
        assert_eq!(
            (without.auc, without.variance, without.df),
            (with.auc, with.variance, with.df)
        );
        assert_eq!(with.readers.last().unwrap().auc, None);
    }

    // When every reader has cases of their own, readers of equal load differ as independent samples do.
    #[test]
    fn readers_without_a_common_case() {
        let mut readers: Vec<_> = (0..4)
            .map(|reader| ratings(reader, reader as f64))
            .collect();
        for (reader, of_reader) in readers.iter_mut().enumerate() {
            let others = of_reader
                .iter_mut()
                .enumerate()
                .filter(|(case, _)| case % 4 != reader);
            others.for_each(|(_, rating)| *rating = None);
        }
        let fit = fit(readers);
        let squares = fit
            .readers
            .iter()
            .map(|reader| (reader.auc.unwrap() - fit.auc).powi(2));
        assert!((fit.variance.unwrap() - squares.sum::<f64>() / 3.0 / 4.0).abs() < 1e-12);
        assert!((fit.df.unwrap() - 3.0).abs() < 1e-9);
        assert_eq!((fit.moments[6], fit.components), (None, None));
        // t(0.975; 3) = 3.1824463.
        let half_width = 3.1824463 * fit.variance.unwrap().sqrt();
        assert!((fit.interval(0.95).unwrap().low - (fit.auc - half_width).max(0.0)).abs() < 1e-6);
    }

    #[test]
    fn many_df_are_normal() {
        let of_df = |df| ReaderAveragedAuc {
            auc: 0.6,
            moments: [None; 8],
            components: None,
            variance: Some(0.0025),
            df: Some(df),
            readers: vec![],
        };
        let half_width = |fit: ReaderAveragedAuc, level| 0.6 - fit.interval(level).unwrap().low;
        assert!((half_width(of_df(50.0), 0.95) - 1.9599640 * 0.05).abs() < 1e-8);
        assert!((half_width(of_df(50.0), 0.90) - 1.6448536 * 0.05).abs() < 1e-8);
        // t(0.975; 49) = 2.0095752: the whole part of 49.9.
        assert!((half_width(of_df(49.9), 0.95) - 2.0095752 * 0.05).abs() < 1e-8);
        assert!((of_df(50.0).p_against_chance().unwrap() - 0.0455003).abs() < 1e-7);
    }

    #[test]
    fn what_is_not_defined_is_none() {
        let readings = |truth: &[bool], readers: Vec<Vec<f64>>| {
            let all_read = |ratings: Vec<f64>| ratings.into_iter().map(Some).collect();
            Readings::new(truth.to_vec(), readers.into_iter().map(all_read).collect())
        };
        let fit = |truth: &[bool], readers| {
            ReaderAveragedAuc::from_readings(&readings(truth, readers).unwrap())
        };
        assert_eq!(readings(&[true], vec![vec![1.0, 2.0]]), None);
        assert_eq!(fit(&[], vec![]), None);
        assert_eq!(fit(&[true, true], vec![vec![0.0, 1.0]]), None);
        let all_right = fit(
            &[false, false, true, true],
            vec![vec![0.0, 0.0, 1.0, 1.0]; 3],
        )
        .unwrap();
        assert_eq!((all_right.auc, all_right.variance), (1.0, None));
        assert_eq!(all_right.interval(0.95), None);
    }
}
