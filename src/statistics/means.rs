//! The difference of two means, with Student's interval: of pairs, or of two samples.
//!
//! Pairs: `mean(d) ± t SD(d) / √n`, n - 1 degrees of freedom (Student. Biometrika 1908;6:1-25). Two samples of
//! unequal variances: `a - b ± t √(Va + Vb)` with `V = s² / n` and the degrees of freedom
//! `(Va + Vb)² / (Va² / (na - 1) + Vb² / (nb - 1))` (Welch BL. Biometrika 1947;34:28-35).

use super::distribution::t_critical;
use super::proportion::Interval;
use super::sums::{deviation_products, mean};
use serde::Serialize;

/// A difference of two means, in the units of the values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MeanDifference {
    pub value: f64,
    #[serde(flatten)]
    pub interval: Interval,
}

/// Mean of `a - b`, pair by pair; `level` is that of the interval.
///
/// `None` with fewer than two pairs, if the lengths differ, for a value that is not finite, or unless
/// 0 < `level` < 1.
pub fn of_pairs(a: &[f64], b: &[f64], level: f64) -> Option<MeanDifference> {
    if a.len() != b.len() {
        return None;
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let (value, squared_error) = mean_and_error(&differences)?;
    let t = t_critical(level, differences.len() as f64 - 1.0)?;
    Some(MeanDifference {
        value,
        interval: Interval::around(value, t * squared_error.sqrt()),
    })
}

/// Mean of `a` less that of `b`, two independent samples; `level` is that of the interval.
///
/// `None` with fewer than two values in one, if no value differs from the others of its sample, for one that is
/// not finite, or unless 0 < `level` < 1.
pub fn welch(a: &[f64], b: &[f64], level: f64) -> Option<MeanDifference> {
    let ((mean_a, error_a), (mean_b, error_b)) = (mean_and_error(a)?, mean_and_error(b)?);
    let share = |error: f64, n: usize| error * error / (n as f64 - 1.0);
    let squared_error = error_a + error_b;
    let df = squared_error * squared_error / (share(error_a, a.len()) + share(error_b, b.len()));
    let (value, t) = (mean_a - mean_b, t_critical(level, df)?);
    Some(MeanDifference {
        value,
        interval: Interval::around(value, t * squared_error.sqrt()),
    })
}

/// Mean, and the square of its standard error; `None` with fewer than two values or one that is not finite.
fn mean_and_error(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let squares = deviation_products(values, values)?;
    let error = squares / (n - 1.0) / n;
    Some((mean(values)?, error)).filter(|_| n > 1.0 && error.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<MeanDifference>, [value, low, high]: [f64; 3]) {
        let found = found.unwrap();
        for (found, expected) in [
            (found.value, value),
            (found.interval.low, low),
            (found.interval.high, high),
        ] {
            assert!(
                (found - expected).abs() <= 1e-8,
                "{found} is not {expected}"
            );
        }
    }

    // Student 1908: hours of sleep gained by ten patients from two drugs. R's `sleep`; scipy `ttest_rel`.
    #[test]
    fn two_drugs_in_the_same_patients() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let expected = [1.58, 0.7001142367, 2.4598857633];
        close(of_pairs(&second, &first, 0.95), expected);
    }

    // scipy `ttest_ind(equal_var=False)`.
    #[test]
    fn two_samples_of_unequal_variances() {
        let a = [
            27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5,
            31.3,
        ];
        let b = [
            27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7,
            21.4,
        ];
        close(
            welch(&a, &b, 0.95),
            [3.2933333333, 1.0033320347, 5.5833346320],
        );
        let few = welch(&a[..5], &b, 0.9);
        close(few, [2.52, 0.1400795167, 4.8999204833]);
    }

    #[test]
    fn what_is_not_defined_is_none() {
        assert_eq!(of_pairs(&[], &[], 0.95), None);
        assert_eq!(of_pairs(&[1.0], &[2.0], 0.95), None);
        assert_eq!(of_pairs(&[1.0, 2.0], &[2.0], 0.95), None);
        assert_eq!(of_pairs(&[1.0, f64::NAN], &[2.0, 1.0], 0.95), None);
        assert_eq!(of_pairs(&[1.0, 2.0], &[2.0, 1.0], 1.0), None);
        let same = of_pairs(&[1.0, 2.0], &[2.0, 3.0], 0.95).unwrap();
        assert_eq!((same.value, same.interval.low), (-1.0, -1.0));
        assert_eq!(welch(&[1.0], &[1.0, 2.0], 0.95), None);
        assert_eq!(welch(&[1.0, 1.0], &[2.0, 2.0], 0.95), None);
        assert_eq!(welch(&[1.0, f64::INFINITY], &[1.0, 2.0], 0.95), None);
        assert!(welch(&[1.0, 1.0], &[2.0, 3.0], 0.95).is_some());
    }
}
