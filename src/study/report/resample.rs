//! Intervals by drawing clips again and again, with repetition: Efron B. Ann Stat 1979;7:1-26, percentiles.
//!
//! Clips are drawn, never readers: three readers have ten resamples.

use crate::statistics::proportion::Interval;
use crate::statistics::quantile::quantile;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

/// Resamples of each interval.
pub(super) const DRAWS: usize = 2000;
/// Of all draws so many have to give the figure, which some do not where answers hardly vary.
const DEFINED: f64 = 0.9;

/// Draws that are the same for a plan and a purpose, whatever else is drawn.
pub(super) struct Draws(ChaCha8Rng);

impl Draws {
    pub fn new(plan_sha256: &str, purpose: &str) -> Self {
        let seed = Sha256::digest(format!("{plan_sha256} {purpose}"));
        Self(ChaCha8Rng::from_seed(seed.into()))
    }

    /// As many places below `n` as there are.
    pub fn places(&mut self, n: usize) -> Vec<usize> {
        // The upper half of the product with a random fraction; of so few places none is favoured.
        let place = |random: u64| ((u128::from(random) * n as u128) >> 64) as usize;
        (0..n).map(|_| place(self.0.next_u64())).collect()
    }
}

/// The interval of what was found in each draw. None where too few draws gave a figure, or all the same one,
/// which says nothing of its precision.
pub(super) fn interval(found: &[Option<f64>], level: f64) -> Option<Interval> {
    let defined: Vec<f64> = found.iter().copied().flatten().collect();
    let enough = defined.len() as f64 >= DEFINED * found.len() as f64;
    let interval = Interval {
        low: quantile(&defined, (1.0 - level) / 2.0)?,
        high: quantile(&defined, (1.0 + level) / 2.0)?,
    };
    (enough && interval.high > interval.low).then_some(interval)
}
