//! Response times: quartiles by class and by whether the answer was right.

use super::readings::Reading;
use crate::statistics::quantile::quartiles;
use crate::study::key::Class;
use serde::Serialize;

/// In seconds, of trials that were shown once and answered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ResponseTimes {
    pub class: Class,
    pub correct: bool,
    pub n: usize,
    /// None without a trial.
    pub q1: Option<f64>,
    pub median: Option<f64>,
    pub q3: Option<f64>,
}

/// By class, right answers first.
pub(super) fn response_s<'r>(
    readings: impl Iterator<Item = &'r Reading<'r>>,
) -> Vec<ResponseTimes> {
    let readings: Vec<_> = readings.collect();
    let kinds = Class::ALL
        .into_iter()
        .flat_map(|class| [(class, true), (class, false)]);
    let of_kind = |(class, correct)| {
        let of = readings
            .iter()
            .filter(|r| r.class == class && r.correct() == Some(correct));
        let seconds: Vec<f64> = of.filter_map(|r| r.response_s()).collect();
        let quartiles = quartiles(&seconds);
        ResponseTimes {
            class,
            correct,
            n: seconds.len(),
            q1: quartiles.map(|q| q.q1),
            median: quartiles.map(|q| q.median),
            q3: quartiles.map(|q| q.q3),
        }
    };
    kinds.map(of_kind).collect()
}
