//! Comparisons of positive with negative cases by readers, and sums over pairs of them, for [`super::mrmc`].
//!
//! The moments of a U-statistic are means over all pairs of comparisons, of which 10 readers and 400 cases
//! have 10¹¹. None of the sums needs a loop over them. That over all pairs of two readers is the product of
//! their totals; over pairs with a case in common, the sum over cases of the product of the case's totals;
//! over pairs with both cases in common, one pass over the comparisons. Pairs with different cases are what
//! is left (inclusion and exclusion). Scores are multiples of a half, so all sums are exact.

use super::sums::dot;

/// Sum of the products of two scores over a set of pairs of comparisons.
#[derive(Clone, Copy, Default)]
pub(super) struct Products {
    pub(super) sum: f64,
    pub(super) count: f64,
}

impl Products {
    fn new(sum: f64, count: usize) -> Self {
        Self {
            sum,
            count: count as f64,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            sum: self.sum + other.sum,
            count: self.count + other.count,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            sum: self.sum - other.sum,
            count: self.count - other.count,
        }
    }

    pub(super) fn mean(self) -> Option<f64> {
        ratio(self.sum, self.count)
    }
}

/// Pairs of comparisons by what they have in common. The sets overlap: `any` holds all pairs.
#[derive(Clone, Copy, Default)]
pub(super) struct Pairs {
    same_both: Products,
    pub(super) same_positive: Products,
    pub(super) same_negative: Products,
    pub(super) any: Products,
}

impl Pairs {
    /// One comparison by reader `a`, one by reader `b`.
    pub(super) fn of_readers(a: &Scores, b: &Scores) -> Self {
        let positives = in_common(&a.read_positive, &b.read_positive);
        let negatives = in_common(&a.read_negative, &b.read_negative);
        // At most 2 · 2 each, so the product fits a byte.
        let quarters: u64 = a
            .halves
            .iter()
            .zip(&b.halves)
            .map(|(&a, &b)| u64::from(a * b))
            .sum();
        Self {
            same_both: Products::new(quarters as f64 / 4.0, positives * negatives),
            same_positive: Products::new(
                dot(&a.by_positive, &b.by_positive),
                positives * a.negatives() * b.negatives(),
            ),
            same_negative: Products::new(
                dot(&a.by_negative, &b.by_negative),
                negatives * a.positives() * b.positives(),
            ),
            any: Products {
                sum: a.total * b.total,
                count: a.comparisons() * b.comparisons(),
            },
        }
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        Self {
            same_both: self.same_both.plus(other.same_both),
            same_positive: self.same_positive.plus(other.same_positive),
            same_negative: self.same_negative.plus(other.same_negative),
            any: self.any.plus(other.any),
        }
    }

    /// M1 to M4, or M5 to M8: "different" leaves out the pairs with the case in common.
    pub(super) fn moments_of_different_cases(&self) -> [Option<f64>; 4] {
        let other_negative = self.same_positive.minus(self.same_both);
        let other_positive = self.same_negative.minus(self.same_both);
        let other_both = self.any.minus(self.same_positive).minus(other_positive);
        [self.same_both, other_negative, other_positive, other_both].map(Products::mean)
    }
}

/// All comparisons of one reader; a case that was not read scores 0 and is left out of the counts.
pub(super) struct Scores {
    read_negative: Vec<bool>,
    read_positive: Vec<bool>,
    /// Twice the score of every comparison, 0 to 2, one row per negative case: exact, and small.
    halves: Vec<u8>,
    by_negative: Vec<f64>,
    by_positive: Vec<f64>,
    pub(super) total: f64,
}

impl Scores {
    pub(super) fn new(truth: &[bool], ratings: &[Option<f64>]) -> Self {
        let of_class = |class: bool| -> Vec<Option<f64>> {
            let readings = truth
                .iter()
                .zip(ratings)
                .filter(|&(&truth, _)| truth == class);
            readings
                .map(|(_, rating)| rating.filter(|rating| !rating.is_nan()))
                .collect()
        };
        let (negative, positive) = (of_class(false), of_class(true));
        let mut halves = Vec::with_capacity(negative.len() * positive.len());
        let (mut by_negative, mut by_positive) = (Vec::new(), vec![0.0; positive.len()]);
        for &low in &negative {
            let mut of_case = 0.0;
            for (&high, sum) in positive.iter().zip(&mut by_positive) {
                let twice = low.zip(high).map_or(0, |(low, high)| {
                    u8::from(high > low) + u8::from(high >= low)
                });
                halves.push(twice);
                of_case += f64::from(twice) / 2.0;
                *sum += f64::from(twice) / 2.0;
            }
            by_negative.push(of_case);
        }
        Self {
            read_negative: negative.iter().map(Option::is_some).collect(),
            read_positive: positive.iter().map(Option::is_some).collect(),
            halves,
            total: by_negative.iter().sum(),
            by_negative,
            by_positive,
        }
    }

    pub(super) fn negatives(&self) -> usize {
        self.read_negative.iter().filter(|&&read| read).count()
    }

    pub(super) fn positives(&self) -> usize {
        self.read_positive.iter().filter(|&&read| read).count()
    }

    pub(super) fn comparisons(&self) -> f64 {
        (self.negatives() * self.positives()) as f64
    }
}

fn in_common(a: &[bool], b: &[bool]) -> usize {
    a.iter().zip(b).filter(|&(&a, &b)| a && b).count()
}

/// `None` unless the denominator is positive.
pub(super) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rating of `case` by `reader`: of five levels, so that there are ties, and some are missing.
    fn rating(reader: usize, case: usize) -> Option<f64> {
        let hash = (reader * 31 + case * 17 + reader * case * 7) % 11;
        (hash < 9).then_some((hash % 5) as f64)
    }

    /// The score of one comparison, `None` where it was not made.
    fn score(reader: usize, negative: usize, positive: usize) -> Option<f64> {
        let (low, high) = (rating(reader, negative)?, rating(reader, positive)?);
        Some(if high > low {
            1.0
        } else if high == low {
            0.5
        } else {
            0.0
        })
    }

    #[test]
    fn sums_equal_those_of_a_loop_over_all_pairs() {
        let (negatives, positives) = ([0, 2, 3, 5, 8, 9], [1, 4, 6, 7, 10]);
        let truth: Vec<bool> = (0..11).map(|case| positives.contains(&case)).collect();
        for (a, b) in [(0, 0), (0, 1), (2, 1)] {
            let mut expected = [Products::default(); 4];
            for (i, k, j, l) in negatives
                .iter()
                .flat_map(|&i| negatives.map(|k| (i, k)))
                .flat_map(|(i, k)| {
                    positives
                        .into_iter()
                        .flat_map(move |j| positives.map(|l| (i, k, j, l)))
                })
            {
                if let (Some(x), Some(y)) = (score(a, i, j), score(b, k, l)) {
                    let kind = usize::from(i != k) + 2 * usize::from(j != l);
                    expected[kind] = expected[kind].plus(Products::new(x * y, 1));
                }
            }
            let scores = |reader| {
                let ratings: Vec<_> = (0..11).map(|case| rating(reader, case)).collect();
                Scores::new(&truth, &ratings)
            };
            let moments = Pairs::of_readers(&scores(a), &scores(b)).moments_of_different_cases();
            for (moment, expected) in moments.into_iter().zip(expected) {
                assert!((moment.unwrap() - expected.mean().unwrap()).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_case_that_was_not_read_makes_no_comparison() {
        let scores = Scores::new(
            &[true, false, false, true],
            &[Some(1.0), None, Some(1.0), Some(f64::NAN)],
        );
        assert_eq!(
            (scores.negatives(), scores.positives(), scores.comparisons()),
            (1, 1, 1.0)
        );
        assert_eq!(scores.total, 0.5);
        let [same, ..] = Pairs::of_readers(&scores, &scores).moments_of_different_cases();
        assert_eq!(same, Some(0.25));
        assert_eq!(ratio(1.0, 0.0), None);
    }
}
