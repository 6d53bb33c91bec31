//! The steps that can be undone.

use crate::edm::Preset;
use crate::ef::EfOrigin;
use crate::media::region::Crop;
use crate::puppet::Landmarks;
use std::sync::Arc;

/// What a step changes.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The source's number: another one begins anew.
    pub(super) source: Option<u64>,
    pub(super) crop: Option<Crop>,
    pub(super) frame: usize,
    pub(super) factual_ef: f64,
    pub(super) ef_origin: EfOrigin,
    pub(super) preset: Preset,
    pub(super) best_of: usize,
    pub(super) guidance: Option<f64>,
    pub(super) seed: u64,
    pub(super) requested: f64,
    /// The corrected outline, and whether leaflets open.
    pub(super) outline: Option<Arc<Landmarks>>,
    pub(super) leaflets: bool,
}

impl State {
    /// What marks and ladder depend on.
    pub(super) fn settings(&self) -> impl PartialEq + '_ {
        let run = (self.preset, self.best_of, self.guidance, self.seed);
        (run, &self.outline, self.leaflets)
    }
}

#[derive(Default)]
pub struct Steps {
    pub(super) now: Option<State>,
    pub(super) back: Vec<State>,
    pub(super) forth: Vec<State>,
}
