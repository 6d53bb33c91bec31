//! What is wanted of the case goes to the worker.

use super::Explore;
use crate::calibration::Calibration;
use crate::ef::{EfOrigin, EfPercent};
use crate::engine::{Engine, Job, Owner, Request};
use crate::ui::widgets::Mark;

impl Explore {
    /// What is set, as a request.
    pub(super) fn request(&self) -> Option<Request> {
        let source = self.case.source.as_ref()?;
        let motion = self.house.makes_motion();
        let calibration = self.calibration();
        self.wanted
            .request(source.anatomy.clone(), motion, calibration)
    }

    /// What calibrates requests of what is open, to the cascade in use by the regressor in use.
    pub(super) fn calibration(&self) -> Option<&Calibration> {
        let simulated = self.case.source.as_ref()?.is_simulated();
        self.house.cascade.as_ref()?.calibrations.get(simulated)
    }

    /// The same of a recorded heart.
    pub fn calibration_of_recorded(&self) -> Option<&Calibration> {
        self.house.cascade.as_ref()?.calibrations.get(false)
    }

    /// Sends what is set to the worker; what it is doing is superseded.
    pub fn run(&mut self, engine: &mut Engine) {
        let Some(counterfactual) = self.request() else {
            return;
        };
        let job = Job {
            counterfactual,
            // While it is measured, only the counterfactual is made.
            factual: EfPercent::new(self.case.factual_ef)
                .ok()
                .filter(|_| !self.case.measuring.is_going_on()),
            confirmed: false,
        };
        self.submit(job, engine);
    }

    /// A setting other than the EF changed, and an unlocked seed moves.
    pub(super) fn rerun(&mut self, engine: &mut Engine) {
        self.wanted.repeat_no_more();
        if !self.wanted.seed_locked {
            self.wanted.next_seed();
        }
        self.run_anew(engine);
    }

    pub fn reroll(&mut self, engine: &mut Engine) {
        self.wanted.repeat_no_more();
        self.wanted.next_seed();
        self.run_anew(engine);
    }

    /// With other settings than what was made.
    pub(super) fn run_anew(&mut self, engine: &mut Engine) {
        self.made.outdate();
        self.run(engine);
    }

    pub(super) fn submit(&mut self, job: Job, engine: &mut Engine) {
        // Waits until the weights are loaded; `settle` then runs what is set.
        if self.house.cascade.is_none() {
            return;
        }
        // The clip of the source before this one needs no answer any more.
        if !self.case.measuring.is_going_on() {
            engine.cancel_measuring();
        }
        self.made.put_ladder_off();
        let id = engine.submit(Owner::Explore, job.clone());
        self.made.begin(id, job);
    }

    pub fn set_requested(&mut self, ef: f64, engine: &mut Engine) {
        if self.wanted.request_ef(ef) {
            self.run(engine);
        }
    }

    /// The user says the source's own EF.
    pub fn set_factual(&mut self, ef: f64, engine: &mut Engine) {
        let source = self.case.source.as_ref();
        if source.is_some_and(|s| s.is_simulated()) {
            let text = "A simulated heart's EF is exact by construction.";
            return self.said.push(text.into());
        }
        self.case.factual_ef = ef;
        self.case.ef_origin = EfOrigin::Given;
        self.run(engine);
    }

    /// Pins the counterfactual cine, or lets go of the one that is pinned.
    pub(super) fn pin(&mut self) {
        if !self.made.can_pin() {
            return self
                .said
                .push("Nothing can be pinned before a cine is made.".into());
        }
        self.made.toggle_pin();
        self.view.keep_comparable(self.made.pinned.is_some());
    }

    pub(super) fn forget_results(&mut self) {
        self.made.forget();
        self.view.keep_comparable(false);
        self.view.offset = None;
    }

    /// Left and right, or top and bottom, change places.
    pub(super) fn turn(&mut self, command: crate::ui::command::Command, engine: &mut Engine) {
        self.case.turn(command);
        self.measure_source();
        self.retake_anatomy(engine);
    }

    /// What stands along the EF slider.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let generated = self.made.generated.iter().map(|&ef| Mark::Generated(ef));
        // An EF that nobody gave is no mark.
        let factual = (self.case.ef_origin != EfOrigin::Assumed).then_some(self.case.factual_ef);
        let measured = self.made.measured_at(self.wanted.requested);
        let measured = measured.map(|ef| Mark::Measured(ef.get()));
        let factual = factual.map(Mark::Factual);
        generated.chain(factual).chain(measured).collect()
    }
}
