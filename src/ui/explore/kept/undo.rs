//! Undo for crop, masks and settings.

use super::super::Explore;
use super::steps::State;
use crate::engine::Engine;

impl Explore {
    pub(super) fn state(&self) -> State {
        let source = self.case.source.as_ref();
        State {
            source: source.map(|s| s.id),
            crop: source.map(|s| s.crop.clone()),
            frame: source.map_or(0, |s| s.frame),
            factual_ef: self.case.factual_ef,
            ef_origin: self.case.ef_origin,
            preset: self.wanted.preset,
            best_of: self.wanted.best_of,
            guidance: self.wanted.guidance,
            seed: self.wanted.seed,
            requested: self.wanted.requested,
            outline: self.wanted.outline.clone(),
            leaflets: self.wanted.leaflets,
            calibrated: self.wanted.calibrated,
        }
    }

    /// Notes a step, unless the user is in the middle of one.
    pub(in crate::ui::explore) fn note_step(&mut self, in_the_middle: bool) {
        let state = self.state();
        if in_the_middle || self.kept.steps.now.as_ref() == Some(&state) {
            return;
        }
        // What the program sets while it opens or measures is no step.
        let by_itself = self.case.measuring.is_going_on() || self.house.cascade.is_none();
        self.kept.steps.note(state, by_itself);
    }

    /// What the program itself just set is no step of the user's.
    pub(in crate::ui::explore) fn begin_steps_here(&mut self) {
        self.kept.steps.now = Some(self.state());
    }

    pub fn undo(&mut self, engine: &mut Engine) {
        if let Some(to) = self.kept.steps.back.pop() {
            self.kept.steps.forth.push(self.state());
            self.go_to(to, engine);
        }
    }

    pub fn redo(&mut self, engine: &mut Engine) {
        if let Some(to) = self.kept.steps.forth.pop() {
            self.kept.steps.back.push(self.state());
            self.go_to(to, engine);
        }
    }

    fn go_to(&mut self, to: State, engine: &mut Engine) {
        let before = self.state();
        self.wanted.repeat_no_more();
        self.case.factual_ef = to.factual_ef;
        self.case.ef_origin = to.ef_origin;
        self.wanted.preset = to.preset;
        self.wanted.best_of = to.best_of;
        self.wanted.guidance = to.guidance;
        self.wanted.seed = to.seed;
        self.wanted.requested = to.requested;
        self.wanted.leaflets = to.leaflets;
        self.wanted.calibrated = to.calibrated;
        self.wanted.outline.clone_from(&to.outline);
        if self.wanted.correcting.is_on {
            self.toggle_correcting();
            self.toggle_correcting();
        }
        if let (Some(source), Some(crop)) = (&mut self.case.source, &to.crop) {
            source.crop = crop.clone();
            source.frame = to.frame;
        }
        self.kept.steps.now = Some(to.clone());
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
