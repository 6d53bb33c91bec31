//! What the worker says, and what it changes on screen.

use super::super::Explore;
use super::super::case::measuring::Measuring;
use super::Asked;
use super::shown::Shown;
use crate::engine::{Engine, Event, Generated, Part, run_flops};
use std::sync::Arc;

/// What helps when a run fails.
const TRY: &str = "Try again, with a smaller preset, or close other programs.";

impl Explore {
    /// Takes one of the worker's events. What belongs to an older job is ignored.
    pub(in crate::ui::explore) fn hear_worker(&mut self, event: Event, engine: &mut Engine) {
        let current = self.made.running.as_ref().map(|r| r.id);
        let climbing = self.made.ladder.as_ref().and_then(|l| l.job);
        match event {
            Event::Climbing {
                job,
                fraction,
                seconds_left,
                previews,
            } if Some(job) == climbing => self.made.climbing(fraction, seconds_left, previews),
            Event::Rungs { job, rungs } if Some(job) == climbing => self.climbed(rungs),
            Event::Done { job } if Some(job) == climbing => {
                if let Some(strip) = &mut self.made.ladder {
                    strip.job = None;
                }
            }
            Event::Cancelled { job } if Some(job) == climbing => self.made.ladder = None,
            Event::AskFirst { job, seconds } if Some(job) == climbing => {
                self.made.ladder = None;
                self.made.ask = Some((Asked::Ladder, seconds));
            }
            Event::Failed { job, why } if Some(job) == climbing => {
                self.made.ladder = None;
                self.said
                    .push(format!("The ladder could not be made: {why}. {TRY}"));
            }
            Event::Measured { id, result } => self.measured(id, result, engine),
            Event::Notice(text) | Event::OpenFailed(text) => self.said.push(text),
            // What runs goes on, and what was made stays.
            Event::Moved { why, device } => {
                Arc::make_mut(&mut self.house).device = device;
                self.said.push(why);
            }
            Event::Stopped(why) => {
                self.made.running = None;
                self.made.ladder = self
                    .made
                    .ladder
                    .take()
                    .filter(|l| l.job.is_none() && !l.waits);
                if self.case.measuring.is_going_on() {
                    self.case.measuring = Measuring::Failed("nothing is left that could".into());
                }
                self.said.push(why);
            }
            Event::Forgotten(request) => {
                if let Some(now) = self.request() {
                    self.made.forget_mark(&request, now);
                }
            }
            Event::Cancelled { job } if self.case.measuring.is_asked(job) => {
                self.case.measuring = Measuring::Failed("it was stopped".into());
            }
            Event::Progress {
                job,
                part,
                ef,
                at,
                fraction,
                seconds_left,
                preview,
            } => {
                if let Some(running) = &mut self.made.running {
                    running.advance(job, part, at, fraction, seconds_left);
                    let shown = preview.is_some_and(|p| running.estimate(job, part, ef, p));
                    self.made.estimates += u64::from(shown);
                }
            }
            Event::Finished {
                job,
                part,
                result,
                cached,
            } if Some(job) == current => {
                if !cached {
                    self.note_pace(&result);
                }
                self.finished(part, result);
            }
            Event::Done { job } if Some(job) == current => {
                self.made.running = None;
                self.climb_on(engine);
            }
            Event::Cancelled { job } if Some(job) == current => {
                let id = self.next_id();
                self.made.cancelled(id);
                self.climb_on(engine);
            }
            Event::AskFirst { job, seconds } if Some(job) == current => {
                self.made.running = None;
                self.made.ask = self
                    .made
                    .last_job
                    .clone()
                    .map(|job| (Asked::Job(job), seconds));
            }
            Event::Failed { job, why } if Some(job) == current => {
                self.made.running = None;
                self.said
                    .push(format!("The cine could not be made: {why}. {TRY}"));
                self.climb_on(engine);
            }
            _ => {}
        }
    }

    /// How much a second of this machine is worth, for what presets cost.
    fn note_pace(&mut self, result: &Generated) {
        let p = &result.provenance;
        if let Some(cascade) = &self.house.cascade {
            let work = run_flops(&p.preset.apply(&cascade.config)) * p.best_of.max(1) as f64;
            self.made.pace = Some(work / p.seconds.max(1e-3));
        }
    }

    fn finished(&mut self, part: Part, result: Arc<Generated>) {
        let id = self.next_id();
        self.made.note_result(&result, self.wanted.best_of);
        self.made.finish(part, Shown::new(id, result));
        // The same run with its factual cine replaces the one without.
        if let (Some(made), Some(job)) = (&self.made.counterfactual, &self.made.last_job) {
            // Text that may name somebody is waiting for the user's word.
            let with_anatomy = !self.case.text_is_proposed();
            let origin = self.case.ef_origin;
            let source = self.case.source.as_ref();
            let source = source.map(|s| format!("{}, {}", s.about(), s.size()));
            let source = source.unwrap_or_default();
            self.kept
                .note_past(&made.result, job, origin, source, with_anatomy);
            let sha256 = &made.result.provenance.anatomy_sha256;
            let source = self.case.source.as_ref();
            if let Some(source) = source.filter(|s| s.anatomy.sha256 == *sha256) {
                self.kept.note_recent_anatomy(source.id, sha256);
            }
        }
        self.find_phase();
    }
}
