//! The steps that can be undone.

use crate::edm::Preset;
use crate::ef::EfOrigin;
use crate::media::region::Crop;
use crate::puppet::Landmarks;
use std::sync::Arc;

/// Steps that are kept.
const MOST: usize = 100;

/// What a step changes.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The source's number: another one begins anew.
    pub(in crate::ui::explore) source: Option<u64>,
    pub(in crate::ui::explore) crop: Option<Crop>,
    pub(in crate::ui::explore) frame: usize,
    pub(in crate::ui::explore) factual_ef: f64,
    pub(in crate::ui::explore) ef_origin: EfOrigin,
    pub(in crate::ui::explore) preset: Preset,
    pub(in crate::ui::explore) best_of: usize,
    pub(in crate::ui::explore) guidance: Option<f64>,
    pub(in crate::ui::explore) seed: u64,
    pub(in crate::ui::explore) requested: f64,
    /// The corrected outline, and whether leaflets open.
    pub(in crate::ui::explore) outline: Option<Arc<Landmarks>>,
    pub(in crate::ui::explore) leaflets: bool,
    pub(in crate::ui::explore) calibrated: Option<bool>,
}

impl State {
    /// What marks and ladder depend on.
    pub(in crate::ui::explore) fn settings(&self) -> impl PartialEq + '_ {
        let run = (self.preset, self.best_of, self.guidance, self.seed);
        (run, &self.outline, self.leaflets, self.calibrated)
    }
}

#[derive(Default)]
pub struct Steps {
    pub(in crate::ui::explore) now: Option<State>,
    pub(in crate::ui::explore) back: Vec<State>,
    pub(in crate::ui::explore) forth: Vec<State>,
}

impl Steps {
    /// The state is another one now; by a step of the user's, or because the program did something by itself.
    pub(in crate::ui::explore) fn note(&mut self, state: State, by_itself: bool) {
        let source = state.source;
        match self.now.replace(state) {
            // What belongs to another source cannot be gone back to.
            Some(before) if before.source != source => {
                self.back.clear();
                self.forth.clear();
            }
            Some(before) if !by_itself => {
                self.back.push(before);
                self.forth.clear();
                let excess = self.back.len().saturating_sub(MOST);
                self.back.drain(..excess);
            }
            _ => {}
        }
    }
}
