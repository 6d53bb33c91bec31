//! A figure with its interval.

use super::readings::Tally;
use crate::statistics::proportion::{Interval, wilson};
use serde::Serialize;

/// A figure with its interval; each None where it is not defined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl Estimate {
    pub(super) fn new(value: Option<f64>, interval: Option<Interval>) -> Self {
        Self {
            value,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
        }
    }

    /// A share of right answers with Wilson's interval.
    pub(super) fn wilson(tally: Tally, level: f64) -> Self {
        let (correct, n) = tally.counts();
        Self::new(tally.share(), wilson(correct, n, level))
    }
}
