//! Simulated trainees, whose just-noticeable difference is known: does the staircase find it?

use super::{Observer, Staircase};
use crate::statistics::quantile::quantile;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use serde::Serialize;

/// Estimates count as near within this factor.
const NEAR: f64 = 1.5;

/// Who is simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Simulated {
    Observer(Observer),
    /// Guesses always.
    Guesser,
}

/// What a staircase found of many observers alike. Differences in EF points, shares in 0..1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recovery {
    /// None of who guesses always.
    pub true_jnd: Option<f64>,
    /// Of the estimates.
    pub median_jnd: f64,
    pub p5: f64,
    pub p95: f64,
    /// Share of estimates within a factor of 1.5 of the truth.
    pub within_factor_1_5: Option<f64>,
    /// Share of intervals that hold the truth.
    pub interval_covers: Option<f64>,
    pub trials_median: f64,
    /// Share of observers whose difference is not measurable.
    pub not_measurable: f64,
}

/// Has so many observers go through the staircase. None without observers.
pub fn recovery(who: Simulated, observers: usize, seed: u64) -> Option<Recovery> {
    let truth = match who {
        Simulated::Observer(observer) => Some(observer.noticeable()),
        Simulated::Guesser => None,
    };
    let mut found = Vec::with_capacity(observers);
    for i in 0..observers {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(i as u64);
        let mut staircase = Staircase::new();
        while !staircase.is_done() {
            let points = staircase.next();
            let right = match who {
                Simulated::Observer(observer) => observer.right(points),
                Simulated::Guesser => 0.5,
            };
            // 53 bits, as many as a number in 0..1 has.
            let drawn = (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
            staircase.learn(points, drawn < right);
        }
        found.push((staircase.noticeable(), staircase.trials()));
    }
    let share = |is: &dyn Fn(f64, f64, f64) -> bool| {
        let hits = found.iter().filter(|(n, _)| is(n.value, n.low, n.high));
        hits.count() as f64 / found.len().max(1) as f64
    };
    let values: Vec<f64> = found.iter().map(|(n, _)| n.value).collect();
    let trials: Vec<f64> = found.iter().map(|(_, trials)| *trials as f64).collect();
    Some(Recovery {
        true_jnd: truth,
        median_jnd: quantile(&values, 0.5)?,
        p5: quantile(&values, 0.05)?,
        p95: quantile(&values, 0.95)?,
        within_factor_1_5: truth
            .map(|truth| share(&|value, _, _| value <= NEAR * truth && truth <= NEAR * value)),
        interval_covers: truth.map(|truth| share(&|_, low, high| (low..=high).contains(&truth))),
        trials_median: quantile(&trials, 0.5)?,
        not_measurable: found.iter().filter(|(n, _)| !n.is_measurable()).count() as f64
            / found.len() as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_differences_are_found() {
        for (alpha, jnd) in [(3.0, 2.5732), (6.0, 5.1464), (12.0, 10.2928)] {
            let who = Simulated::Observer(Observer {
                alpha,
                slope: 2.0,
                lapse: 0.02,
            });
            let found = recovery(who, 200, 0).unwrap();
            let truth = found.true_jnd.unwrap();
            assert!((truth - jnd).abs() < 1e-4, "{found:?}");
            let ratio = found.median_jnd / truth;
            assert!((4.6 / 5.146..5.8 / 5.146).contains(&ratio), "{found:?}");
            assert!(found.within_factor_1_5.unwrap() >= 0.9, "{found:?}");
            assert!(found.interval_covers.unwrap() >= 0.92, "{found:?}");
            assert!((30.0..=60.0).contains(&found.trials_median));
        }
    }

    #[test]
    fn who_guesses_always_is_not_measurable() {
        let found = recovery(Simulated::Guesser, 200, 0).unwrap();
        assert!(found.not_measurable >= 0.95, "{found:?}");
        assert_eq!((found.true_jnd, found.interval_covers), (None, None));
        assert_eq!(recovery(Simulated::Guesser, 0, 0), None);
    }
}
