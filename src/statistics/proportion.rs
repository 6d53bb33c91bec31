//! One proportion, the difference of two, and the mean of two: intervals, exact tests, study sizes.
//!
//! - Wilson score interval without continuity correction: Wilson EB. J Am Stat Assoc 1927;22:209-212;
//!   method 3 of Newcombe RG. Stat Med 1998;17:857-872.
//!   `(p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n)`.
//! - Difference, hybrid score interval: method 10 of Newcombe RG. Stat Med 1998;17:873-890.
//! - Any other combination of two estimates with known intervals: MOVER, method of variance estimates
//!   recovery, Zou GY, Donner A. Stat Med 2008;27:1693-1702.
//! - Exact two-sided binomial test: the outcomes no more likely than the observed one, as R's `binom.test`.
//! - Equivalence by two one-sided tests: Schuirmann DJ. J Pharmacokinet Biopharm 1987;15:657-680.
//!
//! All of them take the trials as independent. Where several readers see the same clips they are not: see
//! [`super::mrmc`].

use serde::Serialize;
use statrs::distribution::{Binomial, Discrete};

use super::distribution::{normal_critical, normal_quantile};

/// A two-sided confidence interval, in the units of its estimate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// `centre` ± `half_width`.
    pub(super) fn around(centre: f64, half_width: f64) -> Self {
        Self {
            low: centre - half_width,
            high: centre + half_width,
        }
    }

    /// Cut off at the ends of the range that the estimate can have.
    pub(super) fn within(self, low: f64, high: f64) -> Self {
        Self {
            low: self.low.max(low),
            high: self.high.min(high),
        }
    }
}

/// R's `binom.test` counts an outcome as equally likely up to this relative difference, because
/// probabilities that are equal on paper differ in their last digits.
const EQUALLY_LIKELY: f64 = 1.0 + 1e-7;

/// Wilson score interval of a proportion, in 0..1.
///
/// The low end is exactly 0 for no success, the high end exactly 1 for no failure.
/// `None` if `n` is 0, if there are more successes than trials, or unless 0 < `level` < 1.
pub fn wilson(successes: u64, n: u64, level: f64) -> Option<Interval> {
    let z = normal_critical(level)?;
    if n == 0 || successes > n {
        return None;
    }
    let (trials, p) = (n as f64, share(successes, n));
    let shrink = 1.0 + z * z / trials;
    let centre = (p + z * z / (2.0 * trials)) / shrink;
    let half_width = z * (p * (1.0 - p) / trials + z * z / (4.0 * trials * trials)).sqrt() / shrink;
    Some(Interval {
        low: if successes == 0 {
            0.0
        } else {
            centre - half_width
        },
        high: if successes == n {
            1.0
        } else {
            centre + half_width
        },
    })
}

/// Half the width of the Wilson interval when half of `n` answers are right, where it is widest.
///
/// There it is `z / 2√(n + z²)`. `None` if `n` is 0 or unless 0 < `level` < 1.
pub fn wilson_half_width(n: u64, level: f64) -> Option<f64> {
    let z = normal_critical(level)?;
    (n > 0).then(|| z / (2.0 * (n as f64 + z * z).sqrt()))
}

/// Fewest independent trials whose Wilson interval is at most ± `half_width` wide, whatever the answers.
///
/// `None` unless 0 < `half_width` < 0.5 and 0 < `level` < 1.
pub fn trials_for_half_width(half_width: f64, level: f64) -> Option<u64> {
    let z = normal_critical(level)?;
    let possible = half_width > 0.0 && half_width < 0.5;
    possible.then(|| {
        (z * z / (4.0 * half_width * half_width) - z * z)
            .ceil()
            .max(1.0) as u64
    })
}

/// Hybrid score interval of `a - b`, two independent proportions given as (successes, n), in -1..1.
///
/// `None` where one of the Wilson intervals is.
pub fn difference(a: (u64, u64), b: (u64, u64), level: f64) -> Option<Interval> {
    let (wilson_a, wilson_b) = (wilson(a.0, a.1, level)?, wilson(b.0, b.1, level)?);
    let (p_a, p_b) = (share(a.0, a.1), share(b.0, b.1));
    Some(Interval {
        low: p_a - p_b - (p_a - wilson_a.low).hypot(wilson_b.high - p_b),
        high: p_a - p_b + (wilson_a.high - p_a).hypot(p_b - wilson_b.low),
    })
}

/// MOVER interval of balanced accuracy, the mean of two independent proportions given as (successes, n):
/// sensitivity and specificity. In 0..1.
///
/// `None` where one of the Wilson intervals is.
pub fn balanced_accuracy(a: (u64, u64), b: (u64, u64), level: f64) -> Option<Interval> {
    let (wilson_a, wilson_b) = (wilson(a.0, a.1, level)?, wilson(b.0, b.1, level)?);
    let (p_a, p_b) = (share(a.0, a.1), share(b.0, b.1));
    let mean = (p_a + p_b) / 2.0;
    Some(Interval {
        low: mean - (p_a - wilson_a.low).hypot(p_b - wilson_b.low) / 2.0,
        high: mean + (wilson_a.high - p_a).hypot(wilson_b.high - p_b) / 2.0,
    })
}

/// Exact two-sided p-value of `successes` in `n` trials against the probability `p`.
///
/// The sum over all outcomes no more likely than the observed one. `None` if `n` is 0, if there are more
/// successes than trials, or unless 0 <= `p` <= 1.
pub fn binomial_test(successes: u64, n: u64, p: f64) -> Option<f64> {
    if n == 0 || successes > n {
        return None;
    }
    let outcomes = Binomial::new(p, n).ok()?;
    let limit = outcomes.pmf(successes) * EQUALLY_LIKELY;
    let sum: f64 = (0..=n)
        .map(|k| outcomes.pmf(k))
        .filter(|&likely| likely <= limit)
        .sum();
    Some(sum.min(1.0))
}

/// Power of the exact two-sided test of chance, p = 0.5, at significance level `alpha`, when the true
/// probability is `p`.
///
/// `None` if `n` is 0, unless 0 < `alpha` < 1, or unless 0 <= `p` <= 1.
pub fn binomial_power(n: u64, p: f64, alpha: f64) -> Option<f64> {
    if n == 0 || !(alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    let (chance, truth) = (Binomial::new(0.5, n).ok()?, Binomial::new(p, n).ok()?);
    // At p = 0.5 the outcomes k and n - k are equally likely and less so away from the middle: the test
    // rejects in two equal tails.
    let (mut tail, mut power) = (0.0, 0.0);
    for k in 0..n.div_ceil(2) {
        tail += chance.pmf(k);
        if 2.0 * tail > alpha {
            break;
        }
        power += truth.pmf(k) + truth.pmf(n - k);
    }
    Some(power)
}

/// Fewest independent trials to show, by two one-sided tests at `alpha` each, that the share of right
/// answers is within ± `margin` of 0.5, with probability `power` if it is 0.5.
///
/// `(z(1 - alpha) + z((1 + power) / 2))² · 0.25 / margin²`. `None` unless `alpha`, `power` and
/// `2 · margin` lie between 0 and 1.
pub fn trials_for_equivalence(margin: f64, alpha: f64, power: f64) -> Option<u64> {
    let z = normal_quantile(1.0 - alpha)? + normal_critical(power)?;
    let possible = margin > 0.0 && margin < 0.5;
    possible.then(|| (z * z * 0.25 / (margin * margin)).ceil() as u64)
}

fn share(successes: u64, n: u64) -> f64 {
    successes as f64 / n as f64
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

    fn close_interval(actual: Option<Interval>, low: f64, high: f64) {
        let actual = actual.unwrap();
        close(actual.low, low);
        close(actual.high, high);
    }

    // Newcombe 1998, 857-872, table I, method 3; more digits computed.
    #[test]
    fn wilson_as_newcombe_prints() {
        close_interval(wilson(81, 263, 0.95), 0.2552885199, 0.366209577);
        close_interval(wilson(15, 148, 0.95), 0.0623863995, 0.1604872417);
        close_interval(wilson(0, 20, 0.95), 0.0, 0.1611251581);
        close_interval(wilson(1, 29, 0.95), 0.0061132143, 0.1717552188);
    }

    // Eight of twelve training answers in the right category, computed with statsmodels.
    #[test]
    fn wilson_of_training_answers() {
        close_interval(wilson(8, 12, 0.95), 0.3906220889, 0.8618799089);
    }

    #[test]
    fn wilson_ends_are_exact_where_all_or_none_are_right() {
        for n in [1, 3, 7, 20, 1000] {
            assert_eq!(wilson(0, n, 0.95).unwrap().low, 0.0);
            assert_eq!(wilson(n, n, 0.95).unwrap().high, 1.0);
        }
        assert_eq!(wilson(0, 0, 0.95), None);
        assert_eq!(wilson(2, 1, 0.95), None);
        assert_eq!(wilson(1, 2, 1.0), None);
    }

    // EchoDiffusion (MICCAI 2023), the counts behind the published percentages; intervals computed.
    #[test]
    fn published_reader_study() {
        close_interval(wilson(163, 300, 0.95), 0.4867738451, 0.5987970974);
        close_interval(wilson(83, 130, 0.95), 0.5529955828, 0.7159793695);
        close_interval(wilson(45, 89, 0.95), 0.4036855524, 0.6070854976);
        close_interval(wilson(35, 81, 0.95), 0.3297207714, 0.5406256353);
        close_interval(
            balanced_accuracy((80, 170), (83, 130), 0.95),
            0.4981465211,
            0.60840337,
        );
    }

    // Newcombe 1998, 873-890, table II, contrast (a), method 10.
    #[test]
    fn difference_as_newcombe_prints() {
        close_interval(
            difference((56, 70), (48, 80), 0.95),
            0.0524314724,
            0.333872654,
        );
        let equal = difference((5, 5), (5, 5), 0.95).unwrap();
        assert_eq!(equal.low, -equal.high);
        assert_eq!(difference((1, 2), (0, 0), 0.95), None);
    }

    // R, help page of binom.test (Conover 1971): 0.3825; the others computed.
    #[test]
    fn binomial_test_as_r() {
        close(binomial_test(682, 925, 0.75).unwrap(), 0.3824915596);
        close(binomial_test(54, 100, 0.5).unwrap(), 0.4841184136);
        close(binomial_test(83, 130, 0.5).unwrap(), 0.0020237797);
        close(binomial_test(163, 300, 0.5).unwrap(), 0.1487925577);
        assert_eq!(binomial_test(5, 10, 0.5), Some(1.0));
        assert_eq!(binomial_test(0, 10, 0.0), Some(1.0));
        assert_eq!(binomial_test(1, 10, 0.0), Some(0.0));
        assert_eq!(binomial_test(0, 0, 0.5), None);
        assert_eq!(binomial_test(1, 10, 1.5), None);
    }

    // Computed with scipy.
    #[test]
    fn planning() {
        let half_widths = [
            (50, 0.1335548568),
            (100, 0.0961684696),
            (200, 0.0686391404),
            (300, 0.0562204839),
            (381, 0.0499547936),
            (400, 0.0487654958),
        ];
        for (n, expected) in half_widths {
            close(wilson_half_width(n, 0.95).unwrap(), expected);
        }
        assert_eq!(trials_for_half_width(0.10, 0.95), Some(93));
        assert_eq!(trials_for_half_width(0.05, 0.95), Some(381));
        close(binomial_power(100, 0.6, 0.05).unwrap(), 0.4620933823);
        close(binomial_power(300, 0.6, 0.05).unwrap(), 0.9290974303);
        close(binomial_power(210, 0.6, 0.05).unwrap(), 0.8202484376);
        assert_eq!(trials_for_equivalence(0.10, 0.05, 0.8), Some(215));
        assert_eq!(trials_for_equivalence(0.10, 0.05, 0.9), Some(271));
    }

    #[test]
    fn planning_refuses_what_cannot_be_planned() {
        assert_eq!(wilson_half_width(0, 0.95), None);
        assert_eq!(trials_for_half_width(0.0, 0.95), None);
        assert_eq!(trials_for_half_width(0.5, 0.95), None);
        assert_eq!(trials_for_half_width(f64::NAN, 0.95), None);
        assert_eq!(trials_for_equivalence(0.1, 0.05, 1.0), None);
        assert_eq!(binomial_power(0, 0.6, 0.05), None);
        // Three trials cannot be significant at 5 %, whatever the truth.
        assert_eq!(binomial_power(3, 1.0, 0.05), Some(0.0));
    }

    #[test]
    fn power_is_the_chance_of_a_significant_test() {
        for (n, p) in [(17, 0.7), (24, 0.35), (6, 0.9)] {
            let truth = Binomial::new(p, n).unwrap();
            let rejected = (0..=n).filter(|&k| binomial_test(k, n, 0.5).unwrap() <= 0.05);
            close(
                binomial_power(n, p, 0.05).unwrap(),
                rejected.map(|k| truth.pmf(k)).sum(),
            );
        }
    }
}
