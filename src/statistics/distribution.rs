//! Critical values and p-values of the normal and of Student's distribution.
//!
//! Student's critical values come by bisection of statrs' distribution function, because its own inverse
//! loses digits from some thousand degrees of freedom (df) on, and for tens of millions does not return
//! (`StudentsT::inverse_cdf`, statrs 0.19.1). Many df: expansion 26.7.5 of Abramowitz M, Stegun IA. Handbook
//! of mathematical functions, 1964.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Standard normal quantile. `None` unless 0 < `p` < 1.
pub(super) fn normal_quantile(p: f64) -> Option<f64> {
    let inside = p > 0.0 && p < 1.0;
    inside.then(|| Normal::standard().inverse_cdf(p))
}

/// Student's distribution. `None` unless `df`, which may be fractional, is positive and finite.
fn student(df: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, df).ok().filter(|_| df.is_finite())
}

/// Probability below the upper end of a two-sided interval. `None` unless 0 < `level` < 1.
fn upper_probability(level: f64) -> Option<f64> {
    let p = (1.0 + level) / 2.0;
    (p > 0.5 && p < 1.0).then_some(p)
}

/// Normal critical value of a two-sided interval, 1.96 for a `level` of 0.95.
/// `None` unless 0 < `level` < 1.
pub(super) fn normal_critical(level: f64) -> Option<f64> {
    normal_quantile(upper_probability(level)?)
}

/// From here on the expansion of Student's quantile in 1 / df is exact to 12 digits.
const LARGE_DF: f64 = 1e4;

/// Student critical value of a two-sided interval.
/// `None` unless 0 < `level` < 1 and `df` is positive and finite, or if the value is too large for a number.
pub(super) fn t_critical(level: f64, df: f64) -> Option<f64> {
    let (t, p) = (student(df)?, upper_probability(level)?);
    if df > LARGE_DF {
        let z = normal_quantile(p)?;
        let first = (z.powi(3) + z) / 4.0;
        let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
        let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
        return Some(z + (first + (second + third / df) / df) / df);
    }
    let (mut low, mut high) = (0.0, 1.0);
    while t.sf(high) > 1.0 - p {
        (low, high) = (high, 2.0 * high);
    }
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            // The distribution function squares: beyond that it knows nothing.
            return (high * high).is_finite().then_some(high);
        }
        if t.sf(middle) > 1.0 - p {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// Two-sided p-value of a standard normal statistic.
pub(super) fn normal_two_sided_p(statistic: f64) -> f64 {
    2.0 * Normal::standard().sf(statistic.abs())
}

/// Two-sided p-value of a Student statistic. `None` unless `df` is positive and finite.
pub(super) fn t_two_sided_p(statistic: f64, df: f64) -> Option<f64> {
    student(df).map(|t| 2.0 * t.sf(statistic.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Student's quantile has a closed form for 1, 2 and 4 degrees of freedom.
    #[test]
    fn critical_values_are_exact_to_ten_digits() {
        let four_df =
            2.0 * ((0.0975_f64.sqrt().acos() / 3.0).cos() / 0.0975_f64.sqrt() - 1.0).sqrt();
        let closed = [
            (1.0, 12.706204736174696),
            (2.0, 4.302652729749462),
            (4.0, four_df),
        ];
        for (df, expected) in closed {
            assert!(
                (t_critical(0.95, df).unwrap() - expected).abs() < 1e-10,
                "{df}"
            );
        }
        assert!((normal_critical(0.95).unwrap() - 1.959963984540054).abs() < 1e-12);
        for df in [0.2, 1.3, 3.515748, 83.658155, 999.0, 9_999.0] {
            for level in [0.5, 0.9, 0.999] {
                let p = t_two_sided_p(t_critical(level, df).unwrap(), df).unwrap();
                assert!((p - (1.0 - level)).abs() < 1e-12, "{df}: {p}");
            }
        }
    }

    #[test]
    fn many_and_few_df() {
        let [below, above] = [LARGE_DF, LARGE_DF + 1e-6].map(|df| t_critical(0.95, df).unwrap());
        assert!((below - above).abs() < 1e-10, "{below} {above}");
        let normal = normal_critical(0.95).unwrap();
        assert!((t_critical(0.95, 1e12).unwrap() - normal).abs() < 1e-11);
        assert_eq!(t_critical(0.95, 1e-4), None);
    }

    #[test]
    fn outside_their_ranges_they_are_none() {
        for level in [0.0, 1.0, -0.5, 1.5, f64::NAN] {
            assert_eq!(normal_critical(level), None);
            assert_eq!(t_critical(level, 5.0), None);
        }
        for df in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(t_critical(0.95, df), None);
            assert_eq!(t_two_sided_p(1.0, df), None);
        }
    }
}
