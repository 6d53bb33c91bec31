//! What the worker says, and what it changes on screen.

use super::state::{Explore, Past, Shown};
use crate::engine::{Engine, Event, Generated, Part};
use std::sync::Arc;

/// History lines kept.
const MOST_HISTORY: usize = 50;

impl Explore {
    /// Takes one of the worker's events. What belongs to an older job is ignored.
    pub fn hear(&mut self, event: Event, engine: &mut Engine) {
        let current = self.running.as_ref().map(|r| r.id);
        match event {
            Event::Ready {
                cascade,
                regressor,
                cascades,
                ..
            } => {
                let another = !self.regressor.is_empty() && self.regressor != regressor;
                self.cascades = cascades;
                self.cascade = Some(*cascade);
                self.regressor = regressor;
                if another {
                    self.measure_source();
                }
                self.guidance = None;
                self.running = None;
                self.forget_results();
                self.run(engine);
            }
            Event::Measured { id, result } => self.measured(id, result, engine),
            Event::Notice(text) | Event::OpenFailed(text) => self.said.push(text),
            Event::Progress {
                job,
                part,
                at,
                fraction,
                seconds_left,
                preview,
            } if Some(job) == current => {
                if let Some(running) = &mut self.running {
                    running.part = part;
                    running.at = Some(at);
                    running.fraction = fraction;
                    running.seconds_left = seconds_left;
                    if let Some(preview) = preview {
                        running.preview = Some((part, preview));
                        running.previews += 1;
                    }
                }
            }
            Event::Finished {
                job, part, result, ..
            } if Some(job) == current => self.finished(part, result),
            Event::Done { job } | Event::Cancelled { job } if Some(job) == current => {
                self.running = None;
            }
            Event::AskFirst { job, seconds } if Some(job) == current => {
                self.running = None;
                self.ask = self.last_job.clone().map(|job| (job, seconds));
            }
            Event::Failed { job, why } if Some(job) == current => {
                self.running = None;
                self.said
                    .push(format!("The cine could not be made: {why}."));
            }
            _ => {}
        }
    }

    fn finished(&mut self, part: Part, result: Arc<Generated>) {
        let id = self.next_id();
        if let Some(running) = &mut self.running {
            running.preview = None;
        }
        let requested = result.provenance.requested_ef_percent;
        let measured = result.provenance.measured_ef_percent;
        let shown = Some(Shown { id, result });
        match part {
            Part::Factual => self.factual = shown,
            Part::Counterfactual => {
                self.counterfactual = shown;
                if let Some(job) = self.last_job.clone() {
                    // The same run with its factual cine replaces the one without.
                    self.history
                        .retain(|p| p.job.counterfactual != job.counterfactual);
                    self.history.insert(0, Past { job, measured });
                    self.history.truncate(MOST_HISTORY);
                }
            }
        }
        if !self.generated.contains(&requested) {
            self.generated.push(requested);
        }
    }
}
