//! The primary measure: balanced accuracy, or the area under the ROC curve, readers and clips random, and what
//! it says of chance.
//!
//! With answers 0 and 1 in place of ratings the area is the balanced accuracy, so one function does both
//! ([`crate::statistics::mrmc`]). Equivalence by two one-sided tests: at a level of 95 % each is at 5 %, which
//! is the interval of 90 % within the margin (Schuirmann DJ. J Pharmacokinet Biopharm 1987;15:657-680).

use super::readings::{Reading, Readings};
use crate::statistics::mrmc::{Components, ReaderAveragedAuc};
use crate::study::key::Class;
use crate::study::plan::{Analysis, Primary};
use serde::Serialize;
use std::fmt;

/// Chance, whatever the shares of the classes.
pub const CHANCE: f64 = 0.5;

/// An area averaged over readers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Averaged {
    /// In 0..1. None where no reader answered both on a real and on a generated clip.
    pub value: Option<f64>,
    /// None without a variance: with one reader, and where answers do not vary enough to estimate one.
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub variance: Option<f64>,
    /// Satterthwaite's.
    pub df: Option<f64>,
    /// None where the study has no pair of readings for one, as where no two readers share a clip.
    pub components: Option<Components>,
    /// The interval that equivalence is read from: 90 % for a level of 95 %.
    pub equivalence_low: Option<f64>,
    pub equivalence_high: Option<f64>,
    /// The same figure, had the study counted otherwise. Empty where that makes no difference.
    pub also: Vec<Otherwise>,
}

/// A result of other readings than the planned ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Otherwise {
    /// Which readings.
    pub what: &'static str,
    pub trials: usize,
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// What the primary measure says of chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// The interval lies above chance.
    #[serde(rename = "better than chance")]
    Better,
    /// It does, and yet the difference is too small to matter by the planned margin.
    #[serde(rename = "better than chance, yet equivalent to it within the margin")]
    BetterWithin,
    /// The interval lies below chance.
    #[serde(rename = "worse than chance")]
    Worse,
    #[serde(rename = "worse than chance, yet equivalent to it within the margin")]
    WorseWithin,
    /// The narrower interval lies inside the margin.
    #[serde(rename = "equivalent to chance within the margin")]
    Equivalent,
    /// Neither, or there is no interval.
    #[serde(rename = "undecided")]
    Undecided,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Better => "better than chance",
            Self::BetterWithin => "better than chance, yet equivalent to it within the margin",
            Self::Worse => "worse than chance",
            Self::WorseWithin => "worse than chance, yet equivalent to it within the margin",
            Self::Equivalent => "equivalent to chance within the margin",
            Self::Undecided => "undecided",
        })
    }
}

/// Level of the interval that equivalence is read from.
pub(super) fn equivalence_level(level: f64) -> f64 {
    2.0 * level - 1.0
}

pub(super) fn balanced_accuracy(readings: &Readings, level: f64) -> Averaged {
    let otherwise = |what, changed: &dyn Fn(&Reading) -> Option<f64>| {
        let trials = readings
            .scored
            .iter()
            .filter(|r| changed(r).is_some())
            .count();
        let Averaged {
            value, low, high, ..
        } = averaged(readings, |_| true, changed, level);
        Otherwise {
            what,
            trials,
            value,
            low,
            high,
        }
    };
    let again = |r: &Reading| r.response.attempt > 1;
    let mut also = Vec::new();
    if readings
        .scored
        .iter()
        .any(|r| again(r) && r.call().is_some())
    {
        let first = |r: &Reading| r.call().filter(|_| !again(r));
        also.push(otherwise(
            "without trials that were shown again after an interruption",
            &first,
        ));
    }
    if readings.scored.iter().any(|r| r.call().is_none()) {
        let wrong = |r: &Reading| {
            let wrong = f64::from(u8::from(!r.class.is_fake()));
            Some(r.call().unwrap_or(wrong))
        };
        also.push(otherwise("missing answers taken as wrong", &wrong));
    }
    Averaged {
        also,
        ..averaged(readings, |_| true, |r| r.call(), level)
    }
}

pub(super) fn auc(readings: &Readings, level: f64) -> Averaged {
    averaged(readings, |_| true, |r| r.rating, level)
}

/// Of the readings of some classes, real ones among them, by a figure that is higher the more surely a clip is
/// fake.
pub(super) fn averaged(
    readings: &Readings,
    wanted: impl Fn(Class) -> bool,
    value: impl Fn(&Reading) -> Option<f64>,
    level: f64,
) -> Averaged {
    let cases = readings.cases(wanted, value);
    let found = cases.and_then(|cases| ReaderAveragedAuc::from_readings(&cases));
    let interval = found.as_ref().and_then(|f| f.interval(level));
    let narrow = found
        .as_ref()
        .and_then(|f| f.interval(equivalence_level(level)));
    Averaged {
        value: found.as_ref().map(|f| f.auc),
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        variance: found.as_ref().and_then(|f| f.variance),
        df: found.as_ref().and_then(|f| f.df),
        components: found.and_then(|f| f.components),
        equivalence_low: narrow.map(|i| i.low),
        equivalence_high: narrow.map(|i| i.high),
        also: Vec::new(),
    }
}

pub(super) fn verdict(analysis: &Analysis, balanced: &Averaged, auc: &Averaged) -> Verdict {
    let primary = match analysis.primary {
        Primary::BalancedAccuracy => balanced,
        Primary::Auc => auc,
    };
    let margin = analysis.equivalence_margin;
    let inside = primary
        .equivalence_low
        .is_some_and(|low| low > CHANCE - margin)
        && primary
            .equivalence_high
            .is_some_and(|high| high < CHANCE + margin);
    let better = primary.low.is_some_and(|low| low > CHANCE);
    let worse = primary.high.is_some_and(|high| high < CHANCE);
    match (better, worse, inside) {
        (true, _, false) => Verdict::Better,
        (true, _, true) => Verdict::BetterWithin,
        (_, true, false) => Verdict::Worse,
        (_, true, true) => Verdict::WorseWithin,
        (false, false, true) => Verdict::Equivalent,
        (false, false, false) => Verdict::Undecided,
    }
}
