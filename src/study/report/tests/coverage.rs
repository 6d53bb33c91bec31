//! How often intervals hold the truth, in simulated studies of three readers.

use super::simulated::{Random, Simulated};
use crate::study::report::readings::Readings;
use crate::study::report::{d_prime, primary};
use statrs::distribution::{ContinuousCDF, Normal};

const D: f64 = 0.8;
const READER_SD: f64 = 0.3;

/// Balanced accuracy of readers in general, by the model of [`Simulated::read`].
fn balanced_accuracy() -> f64 {
    let mut random = Random::new(99);
    let one = |_| {
        let (d, criterion) = (D + READER_SD * random.normal(), 0.3 * random.normal());
        let normal = Normal::standard();
        (normal.cdf(d / 2.0 - criterion) + normal.cdf(d / 2.0 + criterion)) / 2.0
    };
    (0..200_000).map(one).sum::<f64>() / 200_000.0
}

#[test]
fn intervals_of_three_readers_hold_the_truth() {
    const RUNS: u64 = 300;
    let truth = balanced_accuracy();
    let (mut primaries, mut d_primes, mut pooled) = (0, 0, 0);
    for run in 0..RUNS {
        let simulated = Simulated::crossed(3, [50, 25, 25], 0).read(run, D, READER_SD);
        let study = simulated.study();
        let readings = Readings::of(&study).unwrap();
        let found = primary::balanced_accuracy(&readings, 0.95);
        let holds = |low: Option<f64>, high: Option<f64>, truth| {
            usize::from(low.unwrap() < truth && truth < high.unwrap())
        };
        primaries += holds(found.low, found.high, truth);
        let d = d_prime::of(&readings, 0.95);
        d_primes += holds(d.low, d.high, D);
        let correct = readings
            .scored
            .iter()
            .filter(|r| r.correct() == Some(true))
            .count();
        let wilson = crate::statistics::proportion::wilson(correct as u64, 300, 0.95).unwrap();
        pooled += holds(Some(wilson.low), Some(wilson.high), truth);
    }
    let share = |n: usize| n as f64 / RUNS as f64;
    let (primaries, d_primes, pooled) = (share(primaries), share(d_primes), share(pooled));
    assert!((0.90..=0.98).contains(&primaries), "{primaries}");
    assert!((0.92..=1.0).contains(&d_primes), "{d_primes}");
    assert!(pooled < 0.88, "{pooled}");
}
