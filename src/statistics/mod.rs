//! Formulas over numbers, and nothing else. Every file opens with its formula and its source. What is not
//! defined is `None`, never NaN: an empty input, a division by zero, a variance that is not positive.
//!
//! - [`proportion`]: one share of right answers, the difference of two, tests and study sizes
//! - [`detection`]: d' and criterion
//! - [`roc`]: area under the ROC curve of one rater, or of several on the same cases
//! - [`mrmc`]: the area averaged over readers, readers and cases random; balanced accuracy for answers
//! - [`two_way`]: a mean over readers and cases, and the precision to expect from a design
//! - [`kappa`], [`agreement`], [`krippendorff`]: agreement of two raters, of several, and on a scale
//! - [`quantile`], [`limits`]: quartiles, and the agreement of two measurements
//! - [`means`]: the difference of two means, of pairs and of two samples
//! - [`asked`], [`bootstrap`]: ejection fractions asked against those found, and intervals by drawing

pub mod agreement;
pub mod asked;
pub mod bootstrap;
mod comparisons;
pub mod detection;
mod distribution;
pub mod kappa;
pub mod krippendorff;
pub mod limits;
pub mod means;
pub mod mrmc;
pub mod proportion;
pub mod quantile;
pub mod roc;
mod sums;
#[cfg(test)]
mod tests;
pub mod two_way;

/// 0 where there are none.
pub fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (n, sum) = values.fold((0usize, 0.0), |(n, sum), v| (n + 1, sum + v));
    sum / n.max(1) as f64
}

/// And the standard deviation of the population; of no values they are no numbers.
pub fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / count).sqrt())
}
