//! What the worker says, and what it changes on screen.

use super::measuring::Measuring;
use super::shown::{Running, Shown};
use super::state::{Asked, Explore};
use crate::engine::{Engine, Event, Generated, Part};
use std::sync::Arc;

/// What helps when a run fails.
const TRY: &str = "Try again, with a smaller preset, or close other programs.";

impl Explore {
    /// Takes one of the worker's events. What belongs to an older job is ignored.
    pub fn hear(&mut self, event: Event, engine: &mut Engine) {
        let current = self.running.as_ref().map(|r| r.id);
        let climbing = self.ladder.as_ref().and_then(|l| l.job);
        match event {
            Event::Climbing {
                job,
                fraction,
                seconds_left,
                previews,
            } if Some(job) == climbing => self.climbing(fraction, seconds_left, previews),
            Event::Rungs { job, rungs } if Some(job) == climbing => self.climbed(rungs),
            Event::Done { job } if Some(job) == climbing => {
                if let Some(strip) = &mut self.ladder {
                    strip.job = None;
                }
            }
            Event::Cancelled { job } if Some(job) == climbing => self.ladder = None,
            Event::AskFirst { job, seconds } if Some(job) == climbing => {
                self.ladder = None;
                self.ask = Some((Asked::Ladder, seconds));
            }
            Event::Failed { job, why } if Some(job) == climbing => {
                self.ladder = None;
                self.said
                    .push(format!("The ladder could not be made: {why}. {TRY}"));
            }
            Event::Ready {
                cascade,
                regressor,
                cascades,
                ..
            } => {
                let another = !self.regressor.is_empty() && self.regressor != regressor;
                self.cascades = cascades;
                let sha256 = cascade.identity.sha256.clone();
                self.cascade = Some(*cascade);
                self.regressor = regressor;
                if another {
                    self.measure_source();
                }
                if self
                    .made_by
                    .as_ref()
                    .is_some_and(|made_by| *made_by != sha256)
                {
                    // Another cascade has its own.
                    self.guidance = None;
                }
                self.made_by = Some(sha256);
                self.running = None;
                self.forget_results();
                self.run(engine);
            }
            Event::Measured { id, result } => self.measured(id, result, engine),
            Event::Notice(text) | Event::OpenFailed(text) => self.said.push(text),
            // What runs goes on, and what was made stays.
            Event::Moved { why, .. } => self.said.push(why),
            Event::Stopped(why) => {
                self.running = None;
                self.ladder = self.ladder.take().filter(|l| l.job.is_none() && !l.waits);
                if self.measuring.is_going_on() {
                    self.measuring = Measuring::Failed("nothing is left that could".into());
                }
                self.said.push(why);
            }
            Event::Forgotten(request) => self.forget_mark(&request),
            Event::Cancelled { job } if self.measuring.is_asked(job) => {
                self.measuring = Measuring::Failed("it was stopped".into());
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
                let Some(running) = &mut self.running else {
                    return;
                };
                let is_current = job == running.id;
                // A job that the slider has left behind still shows its first estimate.
                let follows = !is_current && job < running.id && running.at.is_none();
                if is_current {
                    running.part = part;
                    running.at = Some(at);
                    running.fraction = fraction;
                    running.seconds_left = seconds_left;
                }
                if let Some(preview) = preview.filter(|_| is_current || follows) {
                    running.preview = Some((part, preview));
                    running.follows = follows.then_some(ef);
                    running.previews += 1;
                    self.estimates += 1;
                }
            }
            Event::Finished {
                job, part, result, ..
            } if Some(job) == current => self.finished(part, result),
            Event::Done { job } if Some(job) == current => {
                self.running = None;
                self.climb_on(engine);
            }
            Event::Cancelled { job } if Some(job) == current => {
                let preview = self.running.take().and_then(|r: Running| r.preview);
                let id = self.next_id();
                // The last finished cine comes back; without one what was seen so far stays.
                let unfinished = preview.filter(|(part, _)| self.shown(*part).is_none());
                self.cancelled = unfinished.map(|(part, cine)| (part, id, cine));
                self.climb_on(engine);
            }
            Event::AskFirst { job, seconds } if Some(job) == current => {
                self.running = None;
                self.ask = self.last_job.clone().map(|job| (Asked::Job(job), seconds));
            }
            Event::Failed { job, why } if Some(job) == current => {
                self.running = None;
                self.said
                    .push(format!("The cine could not be made: {why}. {TRY}"));
                self.climb_on(engine);
            }
            _ => {}
        }
    }

    fn finished(&mut self, part: Part, result: Arc<Generated>) {
        let id = self.next_id();
        if let Some(running) = &mut self.running {
            running.preview = None;
        }
        self.cancelled = None;
        self.note_result(&result);
        let shown = Some(Shown {
            stale: false,
            id,
            result,
        });
        match part {
            Part::Factual => self.factual = shown,
            Part::Counterfactual => self.counterfactual = shown,
        }
        if let (Some(made), Some(job)) = (&self.counterfactual, self.last_job.clone()) {
            // The same run with its factual cine replaces the one without.
            let made = made.result.clone();
            self.note_past(&made, &job);
        }
        self.find_phase();
    }
}
