//! Undo for crop, masks and settings.

use super::state::Explore;
use super::steps::State;
use crate::engine::Engine;

/// Steps that are kept.
const MOST: usize = 100;

impl Explore {
    fn state(&self) -> State {
        let source = self.source.as_ref();
        State {
            source: source.map(|s| s.id),
            crop: source.map(|s| s.crop.clone()),
            frame: source.map_or(0, |s| s.frame),
            factual_ef: self.factual_ef,
            ef_origin: self.ef_origin,
            preset: self.settings.preset,
            best_of: self.settings.best_of,
            guidance: self.guidance,
            seed: self.seed,
            requested: self.requested,
            outline: self.outline.clone(),
            leaflets: self.settings.leaflets,
        }
    }

    /// Notes a step, unless the user is in the middle of one.
    pub(super) fn note_step(&mut self, in_the_middle: bool) {
        let state = self.state();
        if in_the_middle || self.steps.now.as_ref() == Some(&state) {
            return;
        }
        let another = |s: &State| s.source != state.source;
        match self.steps.now.replace(state.clone()) {
            // What belongs to another source cannot be gone back to.
            Some(before) if another(&before) => {
                self.steps.back.clear();
                self.steps.forth.clear();
            }
            // What the program sets while it opens or measures is no step.
            Some(before) if self.measuring.is_going_on() || self.cascade.is_none() => drop(before),
            Some(before) => {
                self.steps.back.push(before);
                self.steps.forth.clear();
                let excess = self.steps.back.len().saturating_sub(MOST);
                self.steps.back.drain(..excess);
            }
            None => {}
        }
    }

    /// What the program itself just set is no step of the user's.
    pub(super) fn begin_steps_here(&mut self) {
        self.steps.now = Some(self.state());
    }

    pub fn undo(&mut self, engine: &mut Engine) {
        if let Some(to) = self.steps.back.pop() {
            self.steps.forth.push(self.state());
            self.go_to(to, engine);
        }
    }

    pub fn redo(&mut self, engine: &mut Engine) {
        if let Some(to) = self.steps.forth.pop() {
            self.steps.back.push(self.state());
            self.go_to(to, engine);
        }
    }

    fn go_to(&mut self, to: State, engine: &mut Engine) {
        let before = self.state();
        self.factual_ef = to.factual_ef;
        self.ef_origin = to.ef_origin;
        self.settings.preset = to.preset;
        self.settings.best_of = to.best_of;
        self.guidance = to.guidance;
        self.seed = to.seed;
        self.requested = to.requested;
        self.settings.leaflets = to.leaflets;
        self.outline.clone_from(&to.outline);
        if self.correcting.is_on {
            self.toggle_correcting();
            self.toggle_correcting();
        }
        if let (Some(source), Some(crop)) = (&mut self.source, &to.crop) {
            source.crop = crop.clone();
            source.frame = to.frame;
        }
        self.steps.now = Some(to.clone());
        if before.crop != to.crop {
            self.measure_source();
        }
        if before.crop != to.crop || before.frame != to.frame {
            self.retake_anatomy(engine);
        } else if before.settings() == to.settings() {
            self.run(engine);
        } else {
            self.run_anew(engine);
        }
    }
}
