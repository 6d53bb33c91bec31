//! Signal detection: sensitivity d' and criterion of a yes-no task.
//!
//! `d' = z(H) - z(F)`, `c = -(z(H) + z(F)) / 2`, with the hit rate H and the false alarm rate F after the
//! log-linear correction, 0.5 added to the counts and 1 to the totals, which keeps both finite: Hautus MJ.
//! Behav Res Methods 1995;27:46-51. Variance: Gourevitch V, Galanter E. Psychometrika 1967;32:25-33,
//! `H(1 - H) / (n φ(z(H))²) + F(1 - F) / (m φ(z(F))²)`, at the corrected rates.

use serde::Serialize;
use statrs::distribution::{Continuous, Normal};

use super::distribution::{normal_critical, normal_quantile};
use super::proportion::Interval;

/// What a yes-no observer's answers say about sensitivity and bias, kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Detection {
    /// Corrected share of signal trials answered yes, strictly between 0 and 1.
    pub hit_rate: f64,
    /// Corrected share of noise trials answered yes, strictly between 0 and 1.
    pub false_alarm_rate: f64,
    /// Sensitivity in standard deviations of the evidence; 0 is chance, negative is worse.
    pub d_prime: f64,
    /// Bias in the same units: negative where the observer leans to yes, 0 where to neither.
    pub criterion: f64,
    /// Standard error of `d_prime`, for independent trials.
    pub standard_error: f64,
}

impl Detection {
    /// From counts: `hits` of `signal_n` signal trials and `false_alarms` of `noise_n` noise trials were
    /// answered yes.
    ///
    /// `None` if there are no signal or no noise trials, or more yes than trials.
    pub fn from_counts(hits: u64, signal_n: u64, false_alarms: u64, noise_n: u64) -> Option<Self> {
        if signal_n == 0 || noise_n == 0 || hits > signal_n || false_alarms > noise_n {
            return None;
        }
        let hit_rate = log_linear(hits, signal_n);
        let false_alarm_rate = log_linear(false_alarms, noise_n);
        let (z_hit, z_false) = (
            normal_quantile(hit_rate)?,
            normal_quantile(false_alarm_rate)?,
        );
        let variance =
            z_variance(hit_rate, z_hit, signal_n) + z_variance(false_alarm_rate, z_false, noise_n);
        Some(Self {
            hit_rate,
            false_alarm_rate,
            d_prime: z_hit - z_false,
            criterion: -(z_hit + z_false) / 2.0,
            standard_error: variance.sqrt(),
        })
    }

    /// Wald interval of d'. `None` unless 0 < `level` < 1.
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let half_width = normal_critical(level)? * self.standard_error;
        Some(Interval::around(self.d_prime, half_width))
    }
}

fn log_linear(count: u64, n: u64) -> f64 {
    (count as f64 + 0.5) / (n as f64 + 1.0)
}

/// Variance of `z(rate)` by the delta method.
fn z_variance(rate: f64, z: f64, n: u64) -> f64 {
    rate * (1.0 - rate) / (n as f64 * Normal::standard().pdf(z).powi(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hit rate, false alarm rate, d', criterion, standard error, low, high.
    fn check(counts: [u64; 4], expected: [f64; 7]) {
        let [hits, signal_n, false_alarms, noise_n] = counts;
        let d = Detection::from_counts(hits, signal_n, false_alarms, noise_n).unwrap();
        let Interval { low, high } = d.interval(0.95).unwrap();
        let actual = [
            d.hit_rate,
            d.false_alarm_rate,
            d.d_prime,
            d.criterion,
            d.standard_error,
            low,
            high,
        ];
        for (actual, expected) in actual.into_iter().zip(expected) {
            assert!(
                (actual - expected).abs() <= 1e-8,
                "{actual} is not {expected}"
            );
        }
    }

    // R package statpsych, signal(82, 46, 100, 100), printed to seven digits; more digits computed.
    #[test]
    fn as_statpsych_prints() {
        let expected = [
            0.8168316832,
            0.4603960396,
            1.0027926877,
            -0.401960317,
            0.1924184452,
            0.6256594652,
            1.3799259102,
        ];
        check([82, 100, 46, 100], expected);
    }

    // Computed with scipy.
    #[test]
    fn finite_at_the_ends_of_the_scale() {
        let perfect = [
            0.9761904762,
            0.0238095238,
            3.9615047933,
            0.0,
            0.8593770009,
            2.2771568224,
            5.6458527642,
        ];
        check([20, 20, 0, 20], perfect);
        let never_yes = [
            0.0454545455,
            0.0454545455,
            0.0,
            1.6906216296,
            0.9748604852,
            -1.910691441,
            1.910691441,
        ];
        check([0, 10, 0, 10], never_yes);
    }

    // EchoDiffusion (MICCAI 2023), the counts behind the published percentages; computed with scipy.
    #[test]
    fn published_reader_study() {
        let expected = [
            0.4707602339,
            0.3625954198,
            0.2781709384,
            0.2124444379,
            0.14797938,
            -0.0118633169,
            0.5682051937,
        ];
        check([80, 170, 47, 130], expected);
    }

    #[test]
    fn impossible_counts_are_none() {
        assert_eq!(Detection::from_counts(0, 0, 1, 2), None);
        assert_eq!(Detection::from_counts(1, 2, 0, 0), None);
        assert_eq!(Detection::from_counts(3, 2, 0, 1), None);
        assert_eq!(Detection::from_counts(1, 2, 2, 1), None);
        assert_eq!(
            Detection::from_counts(1, 2, 1, 2).unwrap().interval(0.0),
            None
        );
    }
}
