//! What is opened becomes the case: its anatomy is taken, its EF measured, and its cines are asked for.

use super::super::Explore;
use super::ASSUMED_EF;
use super::measuring::Measuring;
use super::taking::Taken;
use crate::clip::Clip;
use crate::engine::{Engine, MeasureId, Owner};
use crate::hearts::{self, simulated_heart};
use crate::measure::{Measurement, TimeBase};
use crate::media::export::Sidecar;
use crate::media::{Kind, Opened};
use crate::recording::Recording;
use crate::ui::source::{Origin, Source};

impl Explore {
    /// Opens the next simulated heart.
    pub fn open_simulated(&mut self, engine: &mut Engine) {
        let next = match self.case.source.as_ref().map(|s| s.origin) {
            Some(Origin::SimulatedHeart(i)) => (i + 1) % hearts::COUNT,
            _ => 0,
        };
        let prepared = simulated_heart(next).and_then(|heart| {
            let recording = Recording::of_clip(Clip::still(heart.frame))?;
            let opened = Opened::new(recording, Kind::Still);
            let source = Source::prepare(opened, Origin::SimulatedHeart(next))?;
            Ok((source, heart.ef.get()))
        });
        match prepared {
            Ok((source, ef)) => {
                self.case.factual_ef = ef;
                self.set_source(source, engine);
            }
            Err(why) => self.said.push(why),
        }
    }

    pub fn open(&mut self, source: Source, engine: &mut Engine) {
        self.case.factual_ef = ASSUMED_EF;
        self.set_source(source, engine);
    }

    /// Opens the anatomy of an exported cine and repeats its run.
    pub fn reopen_run(&mut self, source: Source, sidecar: &Sidecar, engine: &mut Engine) {
        self.case.factual_ef = ASSUMED_EF;
        self.put_source(source);
        if let Some(ef) = sidecar.mark.factual_ef_percent {
            self.case.factual_ef = ef;
            self.case.ef_origin = sidecar.mark.factual_ef_origin;
        }
        self.repeat(&sidecar.mark.provenance, engine);
    }

    fn set_source(&mut self, source: Source, engine: &mut Engine) {
        self.put_source(source);
        self.run(engine);
    }

    pub(in crate::ui::explore) fn put_source(&mut self, mut source: Source) {
        source.id = self.next_id();
        self.said.append(&mut source.warnings);
        self.view.beat_at(source.heart_rate);
        self.view.forget_pictures();
        if let Err(e) = self.case.put(source) {
            return self.said.push(e.to_string());
        }
        self.wanted.forget_outline();
        self.forget_results();
        self.measure_source();
    }

    /// The anatomy frame or the crop changed.
    pub(in crate::ui::explore) fn retake_anatomy(&mut self, engine: &mut Engine) {
        self.case.anatomy_changed();
        self.anatomy_when_ready(engine);
    }

    fn anatomy_when_ready(&mut self, engine: &mut Engine) {
        match self.case.take_anatomy() {
            Taken::Nothing => {}
            Taken::Failed(why) => self.said.push(why),
            Taken::Another { masked } => {
                if let Some(before) = masked {
                    self.kept.forget_anatomy(&before);
                }
                self.wanted.forget_outline();
                self.forget_results();
                self.run(engine);
            }
        }
    }

    /// Begins to measure the source, if it can be.
    pub(in crate::ui::explore) fn measure_source(&mut self) {
        self.view.forget_source();
        self.case.measure();
    }

    /// Looks where in the source the cines' cycle begins.
    pub(in crate::ui::explore) fn find_phase(&mut self) {
        let made = self
            .made
            .factual
            .as_ref()
            .or(self.made.counterfactual.as_ref());
        let rate = self.case.source.as_ref().and_then(|s| s.rate);
        if let (Some(grays), Some(made), Some(rate)) = (&self.view.grays, made, rate) {
            let (_, seconds) = self.cycle();
            let found = grays.align(rate.fps(), &made.result.cine.video, seconds);
            // Weaker than this it says nothing.
            self.view.offset = found.filter(|(_, correlation)| *correlation > 0.2);
        }
    }

    /// Hands the cropped clip on when it is there.
    pub(in crate::ui::explore) fn pursue_case(&mut self, engine: &mut Engine) {
        if let Measuring::Cropping(cropping, time) = &self.case.measuring {
            let time = *time;
            let Some(cropped) = cropping.poll() else {
                return;
            };
            self.case.measuring = match cropped {
                Ok((video, grays)) => {
                    if let TimeBase::Rate(rate) = time
                        && let Some(beats) = self.case.seen_heart_rate(&grays, rate)
                    {
                        self.view.beat_at(Some(beats));
                    }
                    self.view.take(Some(grays));
                    engine.cancel_measuring();
                    Measuring::Asked(engine.measure(Owner::Explore, video, time))
                }
                Err(why) => Measuring::Failed(why),
            };
            self.find_phase();
            if !self.case.measuring.is_going_on() {
                self.run(engine);
            }
        }
        if let Measuring::Viewing(cropping) = &self.case.measuring
            && let Some(taken) = cropping.poll()
        {
            self.view.take(taken.ok().map(|(_, grays)| grays));
            self.case.measuring = Measuring::Nothing;
        }
        self.case.hear_of_text();
        self.anatomy_when_ready(engine);
    }

    /// Takes the worker's answer, and asks for the factual cine.
    pub(in crate::ui::explore) fn measured(
        &mut self,
        id: MeasureId,
        result: Result<Measurement, String>,
        engine: &mut Engine,
    ) {
        if self.case.measuring.is_asked(id) {
            self.case.measured(result);
            self.begin_steps_here();
            self.run(engine);
        }
    }
}
