//! d' of readers like these: the mean over readers, readers and clips random.
//!
//! Obuchowski and Rockette's model for one modality, `Var(mean) = (MS + R Cov) / R`, with the variance `MS` of
//! the R readers' d' and the mean covariance `Cov` of two readers that comes of reading the same clips, not
//! below 0; degrees of freedom `(MS + R Cov)² / (MS² / (R - 1))`: Hillis SL. Stat Med 2007;26:596-619. `Cov` by
//! the delta method, as the variance of one reader in [`crate::statistics::detection`]: the covariance of the
//! answers on clips that both read, over the normal densities at the two rates.
//!
//! Three readers may be alike by luck. `MS` is therefore taken as no smaller than their own answers make it:
//! the mean variance of one reader's d' less `Cov`. Without that the interval would shrink to a point where
//! all have the same d'.

use super::readers::detection;
use super::readings::{Readings, Tally};
use crate::statistics::detection::Detection;
use crate::statistics::proportion::Interval;
use serde::Serialize;
use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

/// Sensitivity and bias of readers, in standard deviations of the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DPrime {
    /// Mean of the readers' d' (log-linear correction); 0 is chance. None where no reader answered both on a
    /// real and on a generated clip.
    pub value: Option<f64>,
    /// None with fewer than two such readers.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Mean of the readers' criteria; above 0 they lean to real.
    pub criterion: Option<f64>,
    /// d' of all answers thrown together, to stand beside published figures. Readers who differ in bias make
    /// it smaller than `value`.
    pub pooled: Option<f64>,
}

/// A reader whose d' is defined.
struct One {
    reader: usize,
    detection: Detection,
    fakes: Tally,
    reals: Tally,
}

pub(super) fn of(readings: &Readings, level: f64) -> DPrime {
    let one = |reader| {
        let of = |fake| {
            readings
                .of_reader(reader)
                .filter(move |r| r.class.is_fake() == fake)
        };
        let (fakes, reals) = (Tally::of(of(true)), Tally::of(of(false)));
        Some(One {
            reader,
            detection: detection(fakes, reals)?,
            fakes,
            reals,
        })
    };
    let ones: Vec<One> = (0..readings.readers.len()).filter_map(one).collect();
    let mean = |value: fn(&Detection) -> f64| {
        let sum: f64 = ones.iter().map(|one| value(&one.detection)).sum();
        (!ones.is_empty()).then(|| sum / ones.len() as f64)
    };
    let value = mean(|d| d.d_prime);
    let interval = value.and_then(|value| interval(readings, &ones, value, level));
    let (fakes, reals) = (readings.of_fakes(true), readings.of_fakes(false));
    DPrime {
        value,
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        criterion: mean(|d| d.criterion),
        pooled: detection(Tally::of(fakes), Tally::of(reals)).map(|d| d.d_prime),
    }
}

/// None with fewer than two readers.
fn interval(readings: &Readings, ones: &[One], mean: f64, level: f64) -> Option<Interval> {
    let n = ones.len() as f64;
    if ones.len() < 2 {
        return None;
    }
    let shared = covariance(readings, ones).max(0.0);
    let squares: f64 = ones
        .iter()
        .map(|one| (one.detection.d_prime - mean).powi(2))
        .sum();
    let own: f64 = ones
        .iter()
        .map(|one| one.detection.standard_error.powi(2))
        .sum();
    let between = (squares / (n - 1.0)).max(own / n - shared);
    if between <= 0.0 {
        return None;
    }
    let sum = between + n * shared;
    let df = sum * sum / (between * between / (n - 1.0));
    let t = StudentsT::new(0.0, 1.0, df)
        .ok()?
        .inverse_cdf((1.0 + level) / 2.0);
    let half = t * (sum / n).sqrt();
    half.is_finite().then_some(Interval {
        low: mean - half,
        high: mean + half,
    })
}

/// Mean over all pairs of readers of the covariance of their d'.
fn covariance(readings: &Readings, ones: &[One]) -> f64 {
    let of = |fake: bool| {
        let (_, table) = readings.table(|class| class.is_fake() == fake, |r| r.call());
        let (mut sum, mut pairs) = (0.0, 0.0);
        for (place, a) in ones.iter().enumerate() {
            for b in ones.iter().skip(place + 1) {
                sum += of_pair(&table, a, b, fake);
                pairs += 1.0;
            }
        }
        if pairs > 0.0 { sum / pairs } else { 0.0 }
    };
    of(true) + of(false)
}

fn of_pair(table: &[Vec<Option<f64>>], a: &One, b: &One, fake: bool) -> f64 {
    let of = |one: &One| {
        let (tally, rate) = if fake {
            (one.fakes, one.detection.hit_rate)
        } else {
            (one.reals, one.detection.false_alarm_rate)
        };
        let called = if fake {
            tally.correct
        } else {
            tally.n.saturating_sub(tally.correct)
        };
        let density = Normal::standard().pdf(Normal::standard().inverse_cdf(rate));
        (called as f64 / tally.n as f64, tally.n as f64 * density)
    };
    let ((mean_a, scale_a), (mean_b, scale_b)) = (of(a), of(b));
    let both = table.iter().filter_map(|row| {
        let (x, y) = ((*row.get(a.reader)?)?, (*row.get(b.reader)?)?);
        Some((x - mean_a) * (y - mean_b))
    });
    both.sum::<f64>() / (scale_a * scale_b)
}
