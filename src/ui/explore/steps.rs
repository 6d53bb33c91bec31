//! The steps that can be undone.

use crate::edm::Preset;
use crate::media::region::Crop;

/// What a step changes.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The source's number: another one begins anew.
    pub(super) source: Option<u64>,
    pub(super) crop: Option<Crop>,
    pub(super) frame: usize,
    pub(super) factual_ef: f64,
    pub(super) preset: Preset,
    pub(super) best_of: usize,
    pub(super) guidance: Option<f64>,
    pub(super) seed: u64,
    pub(super) requested: f64,
}

impl State {
    /// What marks and ladder depend on.
    pub(super) fn settings(&self) -> (Preset, usize, Option<f64>, u64) {
        (self.preset, self.best_of, self.guidance, self.seed)
    }
}

#[derive(Default)]
pub struct Steps {
    pub(super) now: Option<State>,
    pub(super) back: Vec<State>,
    pub(super) forth: Vec<State>,
}
