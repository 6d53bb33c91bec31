//! Intervals by drawing with repetition: Efron's bootstrap, its percentiles.

use super::mean;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

/// Ends of an interval of 95 %, in percent.
const ENDS: [f64; 2] = [2.5, 97.5];

/// A figure, and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Estimate {
    /// The figure itself, and what it was in each draw; `None` without draws.
    pub fn of(value: f64, mut drawn: Vec<f64>) -> Option<Self> {
        drawn.sort_by(f64::total_cmp);
        Some(Self {
            value,
            low: percentile(&drawn, ENDS[0])?,
            high: percentile(&drawn, ENDS[1])?,
        })
    }
}

/// Mean of values, each with its group, and the ends of its 95 % interval: whole groups are drawn, such as
/// anatomies, since what is of one goes together.
pub fn grouped_mean(values: &[(usize, f64)]) -> [f64; 3] {
    const DRAWS: usize = 4000;
    let groups = values.iter().map(|(group, _)| group + 1).max().unwrap_or(0);
    let of: Vec<Vec<f64>> = (0..groups)
        .map(|g| values.iter().filter(|v| v.0 == g).map(|v| v.1).collect())
        .collect();
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let drawn = (0..groups).flat_map(|_| {
                let i = random.next_u64() as usize % groups;
                of[i].iter().copied()
            });
            mean(drawn.collect::<Vec<_>>().into_iter())
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[(share * (DRAWS - 1) as f64) as usize];
    [mean(values.iter().map(|v| v.1)), at(0.025), at(0.975)]
}

/// Uniform whole numbers, the same for a seed (SplitMix64; Steele, Lea and Flood 2014).
pub(super) struct SplitMix64(pub(super) u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, by the upper half of a product: no remainder favours the first numbers visibly.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

/// A percentile of sorted values, linear between neighbours (numpy's default).
fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let place = percent / 100.0 * sorted.len().checked_sub(1)? as f64;
    let below = *sorted.get(place.floor() as usize)?;
    let above = *sorted.get(place.ceil() as usize)?;
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_its_mean_and_grows_with_the_spread() {
        let values = |spread: f64| -> Vec<(usize, f64)> {
            (0..40)
                .map(|i| (i / 4, 1.0 + spread * (i as f64).sin()))
                .collect()
        };
        let [mean, low, high] = grouped_mean(&values(0.1));
        assert!(low < mean && mean < high && (mean - 1.0).abs() < 0.1);
        let [_, wide_low, wide_high] = grouped_mean(&values(1.0));
        assert!(wide_high - wide_low > 5.0 * (high - low));
    }

    #[test]
    fn numbers_are_those_of_the_paper_and_percentiles_those_of_numpy() {
        assert_eq!(SplitMix64(0).next(), 0xe220_a839_7b1d_cdaf);
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(percentile(&sorted, 50.0), Some(3.0));
        assert!((percentile(&sorted, 97.5).unwrap() - 7.7).abs() < 1e-12);
        assert_eq!(percentile(&[], 50.0), None);
    }
}
