//! Accuracy in each class: readers and clips random, and beside it as if all trials were independent.

use super::estimate::Estimate;
use super::primary;
use super::readings::{Reading, Readings, Tally};
use crate::statistics::proportion::{self, Interval};
use crate::statistics::two_way::TwoWayMean;
use crate::study::key::Class;
use serde::Serialize;
use std::collections::BTreeMap;

/// What readers made of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassFigures {
    pub class: Class,
    /// Answers.
    pub n: u64,
    pub correct: u64,
    /// Trials whose time passed.
    pub missing: u64,
    /// Clips with an answer.
    pub clips: usize,
    /// In 0..1. None without an answer.
    pub accuracy: Option<f64>,
    /// Readers and clips random. None with one reader, and where answers do not vary enough.
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub variance: Option<f64>,
    pub df: Option<f64>,
    /// As if all trials were independent.
    pub wilson_low: Option<f64>,
    pub wilson_high: Option<f64>,
    /// Area under the ROC curve of this class against the real clips; None for the real ones.
    pub auc: Option<f64>,
    pub auc_low: Option<f64>,
    pub auc_high: Option<f64>,
    /// From this class to those after it, as if all trials were independent (Newcombe).
    pub differences: Vec<Difference>,
    /// From surely real to surely fake, every step of the scale. Empty without confidence.
    pub ratings: Vec<Ratings>,
}

/// Accuracy of a class less that of another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    pub minus: Class,
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// How often a rating was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ratings {
    /// Confidence, negative for real.
    pub rating: i64,
    pub n: u64,
}

pub(super) fn by_class(readings: &Readings, level: f64) -> Vec<ClassFigures> {
    let of = |class| of_class(readings, class, level);
    Class::ALL.into_iter().map(of).collect()
}

fn of_class(readings: &Readings, class: Class, level: f64) -> ClassFigures {
    let tally = Tally::of(readings.of_class(class));
    let pooled = Estimate::wilson(tally, level);
    let correct = |right| f64::from(u8::from(right));
    let (rows, table) = readings.table(|c| c == class, |r| r.correct().map(correct));
    let two_way = TwoWayMean::from_table(&table);
    let interval = two_way.and_then(|mean| mean.interval(level)).map(share);
    let against = |c: Class| c == class || c == Class::Real;
    let auc = class
        .is_fake()
        .then(|| primary::averaged(readings, against, |r| r.rating, level));
    let later = Class::ALL.into_iter().skip_while(|c| *c != class).skip(1);
    ClassFigures {
        class,
        n: tally.n,
        correct: tally.correct,
        missing: tally.missing,
        clips: rows.len(),
        accuracy: tally.share(),
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        variance: two_way.and_then(|mean| mean.variance),
        df: two_way.and_then(|mean| mean.df),
        wilson_low: pooled.low,
        wilson_high: pooled.high,
        auc: auc.as_ref().and_then(|a| a.value),
        auc_low: auc.as_ref().and_then(|a| a.low),
        auc_high: auc.as_ref().and_then(|a| a.high),
        differences: later
            .map(|minus| {
                let other = Tally::of(readings.of_class(minus));
                let interval = proportion::difference(tally.counts(), other.counts(), level);
                Difference {
                    minus,
                    value: tally.share().zip(other.share()).map(|(a, b)| a - b),
                    low: interval.map(|i| i.low),
                    high: interval.map(|i| i.high),
                }
            })
            .collect(),
        ratings: ratings(readings, class),
    }
}

/// Student's interval knows no ends of a share.
fn share(interval: Interval) -> Interval {
    Interval {
        low: interval.low.max(0.0),
        high: interval.high.min(1.0),
    }
}

fn ratings(readings: &Readings, class: Class) -> Vec<Ratings> {
    let steps = i64::from(readings.steps);
    let given = |r: &Reading| r.rating.map(|rating| rating as i64);
    let scale = (-steps..=steps).filter(|rating| *rating != 0);
    let mut counts: BTreeMap<i64, u64> = scale.map(|rating| (rating, 0)).collect();
    for rating in readings.of_class(class).filter_map(given) {
        // Of bare answers there is no scale, and nothing is counted.
        counts.entry(rating).and_modify(|n| *n += 1);
    }
    let all = counts.into_iter();
    all.map(|(rating, n)| Ratings { rating, n }).collect()
}
