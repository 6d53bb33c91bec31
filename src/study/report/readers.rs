//! Each reader alone: what these clips say of them, so only the clips are random.

use super::estimate::Estimate;
use super::readings::{Readings, Tally};
use super::times::{ResponseTimes, response_s};
use crate::statistics::detection::Detection;
use crate::statistics::proportion::{self, Interval};
use crate::statistics::quantile::median;
use crate::statistics::roc::{Auc, RocPoint, roc_points};
use serde::Serialize;
use std::collections::BTreeMap;

/// One reader's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReaderFigures {
    pub reader: String,
    /// Planned.
    pub trials: usize,
    pub answered: u64,
    /// Trials whose time passed.
    pub missing: u64,
    pub correct: u64,
    /// In 0..1. None without an answer.
    pub accuracy: Option<f64>,
    pub wilson_low: Option<f64>,
    pub wilson_high: Option<f64>,
    /// Share of generated clips called fake; Wilson.
    pub sensitivity: Estimate,
    /// Share of real clips called real; Wilson.
    pub specificity: Estimate,
    /// Mean of the two, the interval from theirs (MOVER).
    pub balanced_accuracy: Estimate,
    /// Log-linear correction. None without an answer on a clip of each kind.
    pub d_prime: Estimate,
    /// Above 0: leans to real.
    pub criterion: Estimate,
    /// Of the ratings; DeLong. No interval where the ratings part the classes entirely.
    pub auc: Estimate,
    pub response_s: Vec<ResponseTimes>,
    /// Of all trials that were shown once and answered. None without one.
    pub median_response_s: Option<f64>,
    /// How it went in the course of the session.
    pub blocks: Vec<Block>,
    /// From (0, 0) to (1, 1). Empty without a rating of a clip of each kind.
    pub roc: Vec<RocPoint>,
}

/// A block of one reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Block {
    /// From 1.
    pub block: usize,
    pub n: u64,
    pub correct: u64,
}

pub(super) fn by_reader(readings: &Readings, level: f64) -> Vec<ReaderFigures> {
    let of = |reader| of_reader(readings, reader, level);
    (0..readings.readers.len()).filter_map(of).collect()
}

fn of_reader(readings: &Readings, reader: usize, level: f64) -> Option<ReaderFigures> {
    let counted = readings.readers.get(reader)?;
    let all = Tally::of(readings.of_reader(reader));
    let of = |fake| {
        readings
            .of_reader(reader)
            .filter(move |r| r.class.is_fake() == fake)
    };
    let (fakes, reals) = (Tally::of(of(true)), Tally::of(of(false)));
    let ratings = |fake| of(fake).filter_map(|r| r.rating).collect::<Vec<_>>();
    let (positive, negative) = (ratings(true), ratings(false));
    let pooled = Estimate::wilson(all, level);
    let seconds: Vec<f64> = readings
        .of_reader(reader)
        .filter_map(|r| r.response_s())
        .collect();
    let auc = Auc::from_ratings(&positive, &negative);
    let detection = detection(fakes, reals);
    let around = |value: f64, half: f64| Interval {
        low: value - half,
        high: value + half,
    };
    let d_interval = detection.and_then(|d| d.interval(level));
    // c is half the sum of what d' is the difference of, so its standard error is half that of d'.
    let half = detection
        .zip(d_interval)
        .map(|(d, i)| (d, (i.high - i.low) / 4.0));
    let mean = fakes.share().zip(reals.share()).map(|(a, b)| (a + b) / 2.0);
    Some(ReaderFigures {
        reader: counted.name.to_owned(),
        trials: counted.trials,
        answered: all.n,
        missing: all.missing,
        correct: all.correct,
        accuracy: pooled.value,
        wilson_low: pooled.low,
        wilson_high: pooled.high,
        sensitivity: Estimate::wilson(fakes, level),
        specificity: Estimate::wilson(reals, level),
        balanced_accuracy: Estimate::new(
            mean,
            proportion::balanced_accuracy(fakes.counts(), reals.counts(), level),
        ),
        d_prime: Estimate::new(detection.map(|d| d.d_prime), d_interval),
        criterion: Estimate::new(
            detection.map(|d| d.criterion),
            half.map(|(d, half)| around(d.criterion, half)),
        ),
        auc: Estimate::new(auc.map(|a| a.auc), auc.and_then(|a| a.interval(level))),
        response_s: response_s(readings.of_reader(reader)),
        median_response_s: median(&seconds),
        blocks: blocks(readings, reader),
        roc: roc_points(&positive, &negative).unwrap_or_default(),
    })
}

/// d' and criterion, fake as the signal, from right answers on generated and on real clips.
pub(super) fn detection(fakes: Tally, reals: Tally) -> Option<Detection> {
    let false_alarms = reals.n.checked_sub(reals.correct)?;
    Detection::from_counts(fakes.correct, fakes.n, false_alarms, reals.n)
}

fn blocks(readings: &Readings, reader: usize) -> Vec<Block> {
    let mut blocks: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for reading in readings.of_reader(reader) {
        if let Some(correct) = reading.correct() {
            let (n, right) = blocks.entry(reading.response.block).or_default();
            *n += 1;
            *right += u64::from(correct);
        }
    }
    let all = blocks.into_iter();
    all.map(|(block, (n, correct))| Block { block, n, correct })
        .collect()
}
