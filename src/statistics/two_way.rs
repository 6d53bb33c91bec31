//! The mean of a table of cases by readers, both random: accuracy in one class (0 or 1 a cell), response
//! time, confidence. And the precision that a design of readers and trials can be expected to give.
//!
//! Variance of the mean: the one-sample U-statistic of Gallas BD, Pennello GA, Myers KJ. J Opt Soc Am A
//! 2007;24:B70-B80, readings missing in any pattern as in Gallas BD, Brown DG. Neural Netw 2008;21:387-397.
//! `mean² - M`, where `M` is the mean product of two cells that share neither case nor reader. In a table
//! without gaps that is `(MS_R + MS_C - MS_RC) / RC` of the two-way analysis of variance, with R readers, C
//! cases and the mean squares of readers, cases and residual.
//!
//! Degrees of freedom (df) by Satterthwaite FE. Biometrics Bull 1946;2:110-114:
//! `V² / (a²/(R - 1) + b²/(C - 1) + e²/((R - 1)(C - 1)))`, with `a`, `b`, `e` the mean squares over RC.

use serde::Serialize;

use super::distribution::t_critical;
use super::proportion::Interval;

/// A variance smaller than this share of the squared mean is a rounding error of `mean² - M`.
const ROUNDING: f64 = 1e-14;

/// A mean over cases and readers and its precision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TwoWayMean {
    /// Mean of all cells that were read, in their units.
    pub mean: f64,
    /// Unbiased variance of `mean`. `None` unless two cells share neither case nor reader, and where the
    /// estimate is not positive.
    pub variance: Option<f64>,
    /// Satterthwaite's degrees of freedom in a table without gaps, at least those of the smaller sample;
    /// otherwise readers - 1. `None` without a variance.
    pub df: Option<f64>,
}

impl TwoWayMean {
    /// `table` has one row per case and one column per reader, `None` where the reader did not read the
    /// case. What a shorter row lacks counts as not read, and so does a cell that is not finite.
    ///
    /// `None` without a single reading.
    pub fn from_table(table: &[Vec<Option<f64>>]) -> Option<Self> {
        let columns = table.iter().map(Vec::len).max()?;
        let mut cases = vec![Sums::default(); table.len()];
        let mut readers = vec![Sums::default(); columns];
        let mut all = Sums::default();
        for (row, case) in table.iter().zip(&mut cases) {
            for (cell, reader) in row.iter().zip(&mut readers) {
                if let Some(value) = cell.filter(|value| value.is_finite()) {
                    [&mut *case, reader, &mut all]
                        .into_iter()
                        .for_each(|sums| sums.add(value));
                }
            }
        }
        cases.retain(|case| case.count > 0.0);
        readers.retain(|reader| reader.count > 0.0);
        let mean = all.mean()?;
        let variance = variance(&all, &cases, &readers);
        let crossed = all.count == cases.len() as f64 * readers.len() as f64;
        let df = match variance {
            Some(_) if crossed => analysis_of_variance(&all, &cases, &readers)?.df(),
            Some(_) => Some(readers.len() as f64 - 1.0),
            None => None,
        };
        Some(Self { mean, variance, df })
    }

    /// Student interval of the mean. `None` without a variance or unless 0 < `level` < 1.
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let half_width = t_critical(level, self.df?)? * self.variance?.sqrt();
        Some(Interval::around(self.mean, half_width))
    }
}

/// A study to come: every reader answers every trial, and an answer is right with probability `p`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Design {
    /// At least 2.
    pub readers: usize,
    /// Trials per reader, at least 2.
    pub trials: usize,
    /// Standard deviation of the readers' true accuracies; 0.05 is five percentage points.
    pub reader_sd: f64,
    /// Variance of the cases' true accuracies, averaged over readers.
    pub case_variance: f64,
    /// Mean accuracy, in 0..1.
    pub p: f64,
}

/// What a [`Design`] can be expected to show.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PlannedPrecision {
    /// Variance of the mean accuracy.
    pub variance: f64,
    /// Satterthwaite's degrees of freedom, fractional.
    pub df: f64,
    /// Half the width of the Student interval of the mean accuracy.
    pub half_width: f64,
}

impl Design {
    /// `VR/R + VC/C + VRC/RC`; what readers and cases leave of an answer's variance, `p(1 - p)`, is `VRC`.
    ///
    /// `None` with fewer than two readers or trials, if a variance is negative or more than `p(1 - p)` in
    /// sum, if there is none at all, or unless 0 < `level` < 1.
    pub fn precision(&self, level: f64) -> Option<PlannedPrecision> {
        let (readers, cases) = (self.readers as f64, self.trials as f64);
        let reader_variance = self.reader_sd * self.reader_sd;
        let residual_variance = self.p * (1.0 - self.p) - reader_variance - self.case_variance;
        if !(self.reader_sd >= 0.0 && self.case_variance >= 0.0 && residual_variance >= 0.0) {
            return None;
        }
        let residual = residual_variance / (readers * cases);
        let squares = MeanSquares {
            readers: reader_variance / readers + residual,
            cases: self.case_variance / cases + residual,
            residual,
            reader_df: readers - 1.0,
            case_df: cases - 1.0,
        };
        let (variance, df) = (squares.variance(), squares.satterthwaite()?);
        Some(PlannedPrecision {
            variance,
            df,
            half_width: t_critical(level, df)? * variance.sqrt(),
        })
    }
}

/// Sum, sum of squares and number of some cells.
#[derive(Clone, Copy, Default)]
struct Sums {
    sum: f64,
    squares: f64,
    count: f64,
}

impl Sums {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.squares += value * value;
        self.count += 1.0;
    }

    fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}

/// `mean² - M`: from the pairs of all cells go those of the same case and those of the same reader, and
/// the cells themselves, which are in both, come back once.
fn variance(all: &Sums, cases: &[Sums], readers: &[Sums]) -> Option<f64> {
    let lines = || cases.iter().chain(readers);
    let products =
        all.sum * all.sum - lines().map(|line| line.sum * line.sum).sum::<f64>() + all.squares;
    let pairs = all.count * all.count - lines().map(|line| line.count * line.count).sum::<f64>()
        + all.count;
    if pairs <= 0.0 {
        return None;
    }
    let square = all.mean()?.powi(2);
    let variance = square - products / pairs;
    (variance > ROUNDING * square).then_some(variance)
}

/// Mean squares of readers, cases and residual, each divided by the number of cells.
struct MeanSquares {
    readers: f64,
    cases: f64,
    residual: f64,
    reader_df: f64,
    case_df: f64,
}

impl MeanSquares {
    fn variance(&self) -> f64 {
        self.readers + self.cases - self.residual
    }

    /// `None` unless both samples have two members and something varies.
    fn satterthwaite(&self) -> Option<f64> {
        let denominator = self.readers.powi(2) / self.reader_df
            + self.cases.powi(2) / self.case_df
            + self.residual.powi(2) / (self.reader_df * self.case_df);
        let defined = self.reader_df > 0.0 && self.case_df > 0.0 && denominator > 0.0;
        defined.then(|| self.variance().powi(2) / denominator)
    }

    /// Satterthwaite's formula is made for sums. With the residual taken off, chance can bring it towards 0:
    /// an estimate below the df of the smaller sample is raised to those, as in [`super::mrmc`].
    fn df(&self) -> Option<f64> {
        Some(self.satterthwaite()?.max(self.reader_df.min(self.case_df)))
    }
}

/// Two-way analysis of variance of a table without gaps.
fn analysis_of_variance(all: &Sums, cases: &[Sums], readers: &[Sums]) -> Option<MeanSquares> {
    let mean = all.mean()?;
    let square = |line: &Sums| line.count * (line.sum / line.count - mean).powi(2);
    let between = |lines: &[Sums]| lines.iter().map(square).sum::<f64>();
    let (reader_squares, case_squares) = (between(readers), between(cases));
    let residual_squares = all.squares - all.count * mean * mean - reader_squares - case_squares;
    let (reader_df, case_df) = (readers.len() as f64 - 1.0, cases.len() as f64 - 1.0);
    Some(MeanSquares {
        readers: reader_squares / reader_df / all.count,
        cases: case_squares / case_df / all.count,
        residual: residual_squares.max(0.0) / (reader_df * case_df) / all.count,
        reader_df,
        case_df,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: f64, expected: f64, tolerance: f64) {
        assert!(
            (actual - expected).abs() <= tolerance,
            "{actual} is not {expected}"
        );
    }

    #[test]
    fn crossed_is_the_analysis_of_variance_and_gaps_leave_readers_minus_one() {
        let row = |values: [f64; 3]| values.map(Some).to_vec();
        let mut table = [
            [1.0, 2.0, 4.0],
            [3.0, 3.0, 5.0],
            [2.0, 6.0, 7.0],
            [2.0, 3.0, 9.0],
        ]
        .map(row);
        let fit = TwoWayMean::from_table(&table).unwrap();
        // Line means 2, 3.5, 6.25 and 7/3, 11/3, 5, 14/3 about 47/12, by hand; sum of squares 247.
        let mean = 47.0 / 12.0;
        let sum = |means: &[f64]| means.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        let readers = 4.0 * sum(&[2.0, 3.5, 6.25]);
        let cases = 3.0 * sum(&[7.0 / 3.0, 11.0 / 3.0, 5.0, 14.0 / 3.0]);
        let rest = 247.0 - 12.0 * mean * mean - readers - cases;
        let [a, b, e] = [readers / 2.0, cases / 3.0, rest / 6.0].map(|square| square / 12.0);
        close(fit.mean, mean, 1e-12);
        close(fit.variance.unwrap(), a + b - e, 1e-12);
        let df = (a + b - e).powi(2) / (a * a / 2.0 + b * b / 3.0 + e * e / 6.0);
        close(fit.df.unwrap(), df.max(2.0), 1e-9);
        let interval = fit.interval(0.95).unwrap();
        close((interval.low + interval.high) / 2.0, mean, 1e-12);

        table[3][1] = None;
        table[0][0] = Some(f64::NAN);
        table[1].pop();
        assert_eq!(TwoWayMean::from_table(&table).unwrap().df, Some(2.0));
    }

    // Every case has one reader only: the readers' means are independent.
    #[test]
    fn readers_without_a_common_case() {
        let table = vec![
            vec![Some(1.0), None, None],
            vec![Some(3.0), None, None],
            vec![None, Some(4.0), None],
            vec![None, Some(6.0), None],
            vec![None, None, Some(8.0)],
            vec![None, None, Some(8.0)],
        ];
        let fit = TwoWayMean::from_table(&table).unwrap();
        close(fit.mean, 5.0, 1e-12);
        close(fit.variance.unwrap(), (9.0 + 0.0 + 9.0) / 2.0 / 3.0, 1e-12);
        assert_eq!(fit.df, Some(2.0));
    }

    // Computed with scipy: readers, trials, variance, df, half width at p = 0.5.
    #[test]
    fn planning() {
        let rows = [
            (3, 100, 0.001991666667, 3.515748, 0.1309373754),
            (5, 100, 0.001395, 9.322659, 0.0840472237),
            (10, 100, 0.0009475, 32.995219, 0.0626257529),
            (20, 100, 0.00072375, 83.658155, 0.0535019687),
        ];
        for (readers, trials, variance, df, half_width) in rows {
            let design = Design {
                readers,
                trials,
                reader_sd: 0.05,
                case_variance: 0.05,
                p: 0.5,
            };
            let planned = design.precision(0.95).unwrap();
            close(planned.variance, variance, 1e-12);
            close(planned.df, df, 1e-6);
            close(planned.half_width, half_width, 1e-8);
        }
    }

    #[test]
    fn what_is_not_defined_is_none() {
        assert_eq!(TwoWayMean::from_table(&[]), None);
        assert_eq!(TwoWayMean::from_table(&[vec![], vec![None]]), None);
        let one_reader = TwoWayMean::from_table(&[vec![Some(1.0)], vec![Some(2.0)]]).unwrap();
        assert_eq!(
            one_reader,
            TwoWayMean {
                mean: 1.5,
                variance: None,
                df: None
            }
        );
        let no_variation =
            TwoWayMean::from_table(&[vec![Some(0.7); 3], vec![Some(0.7); 3]]).unwrap();
        assert_eq!(
            (no_variation.variance, no_variation.interval(0.95)),
            (None, None)
        );
        let design = Design {
            readers: 3,
            trials: 100,
            reader_sd: 0.05,
            case_variance: 0.05,
            p: 0.5,
        };
        assert_eq!(
            Design {
                readers: 1,
                ..design
            }
            .precision(0.95),
            None
        );
        assert_eq!(
            Design {
                trials: 0,
                ..design
            }
            .precision(0.95),
            None
        );
        assert_eq!(
            Design {
                case_variance: 0.25,
                ..design
            }
            .precision(0.95),
            None
        );
        assert_eq!(
            Design {
                p: f64::NAN,
                ..design
            }
            .precision(0.95),
            None
        );
        assert_eq!(design.precision(1.0), None);
    }
}
