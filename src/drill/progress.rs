//! What answers say of whoever gave them: errors, bias, limits of agreement, slope, categories.

mod groups;
mod paired;

pub use groups::{Group, by_band, by_quality, by_session, sessions};
pub use paired::{By, CasePoint, Change, paired};

use super::case::Truth;
use super::profile::Answer;
use crate::ef::{Category, EfPercent};
use crate::statistics::kappa::{Weights, cohen_kappa};
use crate::statistics::limits::{AbsoluteErrors, LimitsOfAgreement, Line};
use crate::statistics::proportion::wilson;
use serde::Serialize;

/// Of all intervals.
const LEVEL: f64 = 0.95;
/// Answers below which there are points and no limits.
pub const FEWEST_FOR_LIMITS: usize = 10;

/// A guess, and what was there; both in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub ef_percent: f64,
    pub guess_percent: f64,
}

impl Point {
    pub fn of(answer: &Answer) -> Self {
        Self {
            ef_percent: answer.ef_percent,
            guess_percent: f64::from(answer.guess_percent),
        }
    }

    pub fn error(&self) -> f64 {
        self.guess_percent - self.ef_percent
    }

    /// Where it stands in a Bland-Altman plot: at the truth where that is exact, else at the mean of both.
    pub fn abscissa(&self, truth: Truth) -> f64 {
        match truth {
            Truth::Exact => self.ef_percent,
            Truth::Measured | Truth::Labelled => (self.ef_percent + self.guess_percent) / 2.0,
        }
    }
}

/// Figures of answers, in EF points and shares; each None where it is not defined.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Progress {
    pub n: usize,
    /// Mean of guess less truth.
    pub bias: Option<f64>,
    pub bias_low: Option<f64>,
    pub bias_high: Option<f64>,
    pub mae: Option<f64>,
    pub median_absolute_error: Option<f64>,
    pub sd: Option<f64>,
    /// Bias less and plus 1.96 SD; none under ten answers.
    pub limit_low: Option<f64>,
    pub limit_low_ci: Option<[f64; 2]>,
    pub limit_high: Option<f64>,
    pub limit_high_ci: Option<[f64; 2]>,
    /// Of guess on truth.
    pub slope: Option<f64>,
    pub slope_low: Option<f64>,
    pub slope_high: Option<f64>,
    pub category_accuracy: Option<f64>,
    pub wilson_low: Option<f64>,
    pub wilson_high: Option<f64>,
    /// Rows by truth, columns by guess: reduced, mildly reduced, preserved.
    pub category_table: [[u64; 3]; 3],
    /// Linear weights.
    pub weighted_kappa: Option<f64>,
}

fn place(ef_percent: f64) -> usize {
    match EfPercent::measured(ef_percent).category() {
        Category::Reduced => 0,
        Category::MildlyReduced => 1,
        Category::Preserved => 2,
    }
}

impl Progress {
    pub fn of(points: &[Point]) -> Self {
        let differences: Vec<f64> = points.iter().map(Point::error).collect();
        let limits = LimitsOfAgreement::from_differences(&differences, LEVEL);
        let drawn = limits.filter(|_| points.len() >= FEWEST_FOR_LIMITS);
        let errors = AbsoluteErrors::from_differences(&differences);
        let truths: Vec<f64> = points.iter().map(|p| p.ef_percent).collect();
        let guesses: Vec<f64> = points.iter().map(|p| p.guess_percent).collect();
        let line = Line::fit(&truths, &guesses, LEVEL);
        let slope = line.and_then(|l| l.slope_interval);
        let mut table = [[0; 3]; 3];
        for point in points {
            let row = table.get_mut(place(point.ef_percent));
            if let Some(cell) = row.and_then(|row| row.get_mut(place(point.guess_percent))) {
                *cell += 1;
            }
        }
        let right: u64 = (0..3).filter_map(|i| table.get(i)?.get(i)).sum();
        let n = points.len() as u64;
        let accuracy = wilson(right, n, LEVEL);
        let rows: Vec<Vec<u64>> = table.iter().map(|row| row.to_vec()).collect();
        Self {
            n: points.len(),
            bias: limits.map(|l| l.bias),
            bias_low: limits.map(|l| l.bias_interval.low),
            bias_high: limits.map(|l| l.bias_interval.high),
            mae: errors.map(|e| e.mean),
            median_absolute_error: errors.map(|e| e.median),
            sd: limits.map(|l| l.sd),
            limit_low: drawn.map(|l| l.limits.low),
            limit_low_ci: drawn.map(|l| [l.low_limit_interval.low, l.low_limit_interval.high]),
            limit_high: drawn.map(|l| l.limits.high),
            limit_high_ci: drawn.map(|l| [l.high_limit_interval.low, l.high_limit_interval.high]),
            slope: line.map(|l| l.slope),
            slope_low: slope.map(|i| i.low),
            slope_high: slope.map(|i| i.high),
            category_accuracy: (n > 0).then(|| right as f64 / n as f64),
            wilson_low: accuracy.map(|i| i.low),
            wilson_high: accuracy.map(|i| i.high),
            category_table: table,
            weighted_kappa: cohen_kappa(&rows, Weights::Linear).map(|k| k.kappa),
        }
    }

    /// What the slope says, where its interval says anything.
    pub fn slope_in_words(&self) -> Option<&'static str> {
        if self.slope_high? < 1.0 {
            return Some("Low EFs are read too high, and high ones too low.");
        }
        (self.slope_low? > 1.0).then_some("Low EFs are read too low, and high ones too high.")
    }
}

/// Share of the spread of errors that the truth's own error explains: its variance in theirs, at most 1. None for
/// an exact truth.
pub fn explained_by_truth(sd: f64, truth: Truth, truth_error_points: f64) -> Option<f64> {
    let explains = truth != Truth::Exact && sd > 0.0;
    explains.then(|| (truth_error_points / sd).powi(2).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, wanted: f64) {
        let found = found.unwrap();
        assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
    }

    fn points(truth: &[f64], guess: &[f64]) -> Vec<Point> {
        let each = truth.iter().zip(guess);
        each.map(|(t, g)| Point {
            ef_percent: *t,
            guess_percent: *g,
        })
        .collect()
    }

    /// Computed by numpy, scipy and statsmodels with the formulas of the published examples.
    #[test]
    fn twelve_answers() {
        let found = Progress::of(&points(
            &[22., 28., 33., 38., 41., 44., 48., 52., 55., 58., 63., 68.],
            &[30., 35., 35., 45., 40., 40., 55., 50., 55., 60., 60., 65.],
        ));
        near(found.bias, 1.666_666_666_7);
        near(found.bias_low, -1.204_771_506_8);
        near(found.mae, 3.833_333_333_3);
        near(found.median_absolute_error, 3.0);
        near(found.sd, 4.519_318_800_9);
        near(found.limit_low, -7.191_198_183_1);
        near(found.limit_high, 10.524_531_516_4);
        near(found.limit_low_ci.map(|c| c[0]), -12.243_149_237_9);
        near(found.limit_high_ci.map(|c| c[1]), 15.576_482_571_2);
        near(found.slope, 0.784_209_728_7);
        near(found.slope_high, 0.950_308_844_2);
        assert_eq!(found.category_table, [[3, 1, 0], [2, 0, 1], [0, 0, 5]]);
        near(found.category_accuracy, 0.666_666_666_7);
        near(found.wilson_low, 0.390_622_088_9);
        near(found.weighted_kappa, 0.657_142_857_1);
        assert!(found.slope_in_words().unwrap().contains("too high"));
    }

    #[test]
    fn few_answers_have_no_limits_and_none_has_nothing() {
        let truth = [20., 30., 40., 50., 60., 70., 25., 35., 45.];
        let few = Progress::of(&points(&truth, &truth.map(|t| t + t % 3.0)));
        assert_eq!((few.n, few.limit_low, few.limit_high_ci), (9, None, None));
        assert!(few.sd.is_some());
        assert_eq!(Progress::of(&[]), Progress::default());
    }

    #[test]
    fn where_a_point_stands_depends_on_the_truth() {
        let point = points(&[40.0], &[50.0])[0];
        assert_eq!(point.abscissa(Truth::Exact), 40.0);
        assert_eq!(point.abscissa(Truth::Measured), 45.0);
        assert_eq!(explained_by_truth(6.0, Truth::Labelled, 3.0), Some(0.25));
        assert_eq!(explained_by_truth(6.0, Truth::Exact, 3.0), None);
    }
}
