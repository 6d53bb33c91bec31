//! The worker thread: owns the device and the weights.

mod batch;
mod ladder;
mod opening;
#[cfg(test)]
mod tests;

use super::cache::Cache;
use super::cost::{ASK_FIRST_SECONDS, Pace};
use super::device::DeviceChoice;
use super::generate::{PREVIEW_EVERY, Sampling, configuration, generate_as};
use super::job::{Generated, Job, Part, Request};
use super::messages::{Command, Event, JobId, MeasureId, Mouth, Stage};
use super::models::{CascadeSource, Models};
use crate::clip::Video;
use crate::ef::EfPercent;
use crate::faults;
use crate::measure::{TimeBase, measure};
use crate::nn::Interrupt;
use batch::Waiting;
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An estimate that comes within this time, in seconds, follows the slider.
const SOON: f64 = 0.5;

/// So long without a command, nobody drags the slider.
const REST: Duration = Duration::from_secs(10);

pub(super) struct Worker<'a> {
    models: Models,
    pace: Pace,
    cache: Cache,
    /// The first is made first.
    batches: VecDeque<Waiting>,
    mouth: &'a Mouth,
}

/// How what was tried ended, where it did not succeed.
enum Ended {
    Cancelled,
    Failed(String),
}

impl<'a> Worker<'a> {
    /// Does what it is told, until nobody is left to tell it.
    ///
    /// # Errors
    /// A phrase, when not even the cascade inside the program can be opened.
    pub(super) fn run(
        device: DeviceChoice,
        cascade: CascadeSource,
        commands: &Receiver<Command>,
        mouth: &'a Mouth,
        opening: &Interrupt,
    ) -> Result<(), String> {
        let mut worker = Self::open(device, cascade, mouth, opening)?;
        while worker.turn(commands) {}
        Ok(())
    }

    /// Obeys one command; where there is none, makes one request of a batch. Whether there may be more.
    fn turn(&mut self, commands: &Receiver<Command>) -> bool {
        let command = match self.batches.front() {
            None => self.next(commands).ok_or(TryRecvError::Disconnected),
            Some(waiting) => {
                waiting.resume();
                commands.try_recv()
            }
        };
        self.leave_stopped();
        match command {
            Ok(command) => self.obey(command),
            Err(TryRecvError::Empty) => self.go_on(),
            Err(TryRecvError::Disconnected) => return false,
        }
        true
    }

    /// Waits for a command; memory that none asks for is given back.
    fn next(&self, commands: &Receiver<Command>) -> Option<Command> {
        match commands.recv_timeout(REST) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => {
                self.models.device.give_back();
                commands.recv().ok()
            }
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Commands are obeyed in the order in which they came. What something newer made pointless has been
    /// flagged when that was asked for.
    fn obey(&mut self, command: Command) {
        match command {
            Command::Run(job, _, interrupt) | Command::Ladder(job, _, interrupt)
                if interrupt.is_set() =>
            {
                self.mouth.say(Event::Cancelled { job });
            }
            Command::Run(id, job, interrupt) => self.job(id, &job, &interrupt),
            Command::Ladder(id, ladder, interrupt) => self.climb(id, &ladder, &interrupt),
            Command::Batch(id, batch, interrupt) => {
                self.batches.push_back(Waiting::new(id, batch, interrupt));
            }
            Command::Measure(id, video, time, interrupt) => {
                self.measure(id, &video, time, &interrupt);
            }
            Command::Cascade(source, interrupt) => {
                let (_, regressor) = self.models.sources();
                self.reopen((source.clone(), regressor), &interrupt, |models| {
                    models.set_cascade(source.clone(), &interrupt)
                });
            }
            Command::Regressor(source, interrupt) => {
                let (cascade, _) = self.models.sources();
                self.reopen((cascade, source.clone()), &interrupt, |models| {
                    models.set_regressor(source.clone(), &interrupt)
                });
            }
        }
    }

    /// Does something with the models; where a GPU fails at it, once more on the CPU.
    fn attempt<T>(
        &mut self,
        interrupt: &Interrupt,
        mut f: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<T, Ended> {
        // A panic in a library must cost one job, not the engine.
        let mut once = |worker: &mut Self| {
            faults::caught(|| f(worker)).map_err(|why| {
                if interrupt.is_set() {
                    Ended::Cancelled
                } else {
                    Ended::Failed(why)
                }
            })
        };
        match once(self) {
            Err(Ended::Failed(why)) if !self.models.device.is_cpu() => {
                self.fall_back(&why, interrupt)?;
                once(self)
            }
            ended => ended,
        }
    }

    /// Moves to the CPU after the GPU failed or ran out of memory.
    fn fall_back(&mut self, why: &str, interrupt: &Interrupt) -> Result<(), Ended> {
        let why = gpu_failed(why);
        let moved = faults::caught(|| {
            let models = self.models.on_cpu(why.clone(), interrupt);
            let models = models.map_err(|e| e.to_string())?;
            let pace = Pace::calibrate(&models.device.device).map_err(|e| e.to_string())?;
            Ok((models, pace))
        });
        (self.models, self.pace) = moved.map_err(|why| {
            if interrupt.is_set() {
                Ended::Cancelled
            } else {
                Ended::Failed(why)
            }
        })?;
        // What the GPU made is not what the CPU would make, to the last bit.
        for gone in self.cache.clear() {
            self.mouth.say(Event::Forgotten(Box::new(gone.request)));
        }
        self.mouth.say(Event::Moved {
            device: self.models.device.name.clone(),
            why,
        });
        Ok(())
    }

    fn measure(&mut self, id: MeasureId, video: &Video, time: TimeBase, interrupt: &Interrupt) {
        let measured = self.attempt(interrupt, |worker| {
            interrupt.check().map_err(|e| e.to_string())?;
            measure(&worker.models.regressor, video, time, interrupt).map_err(|e| e.to_string())
        });
        self.mouth.say(match measured {
            Ok(measurement) => Event::Measured {
                id,
                result: Ok(measurement),
            },
            Err(Ended::Cancelled) => Event::Cancelled { job: id },
            Err(Ended::Failed(why)) => Event::Measured {
                id,
                result: Err(why),
            },
        });
    }

    fn job(&mut self, id: JobId, job: &Job, interrupt: &Interrupt) {
        let ending = self.attempt(interrupt, |worker| worker.try_job(id, job, interrupt));
        self.end(id, ending);
        // Panes show the source's own resolution from then on; a library's panic costs no more than that.
        let anatomy = &job.counterfactual.anatomy;
        let _ = faults::caught(|| {
            self.models.refine(anatomy);
            Ok(())
        });
    }

    fn end(&self, job: JobId, ending: Result<Event, Ended>) {
        self.mouth.say(ending.unwrap_or_else(|ended| match ended {
            Ended::Cancelled => Event::Cancelled { job },
            Ended::Failed(why) => Event::Failed { job, why },
        }));
    }

    /// Keeps a result. What had to go for it is to be said once its own is.
    fn keep(&mut self, request: &Request, result: Arc<Generated>) -> Vec<Request> {
        let gone = self.cache.put(self.key(request), request.clone(), result);
        // Of another cascade or device nobody was promised anything.
        let gone = gone.into_iter().filter(|g| g.key == self.key(&g.request));
        gone.map(|gone| gone.request).collect()
    }

    fn forgotten(&self, gone: Vec<Request>) {
        for request in gone {
            self.mouth.say(Event::Forgotten(Box::new(request)));
        }
    }

    /// Counterfactual first: that is what the user waits for.
    fn try_job(&mut self, id: JobId, job: &Job, interrupt: &Interrupt) -> Result<Event, String> {
        let wanted = &job.counterfactual;
        let factual = |seed| {
            job.factual.map(|ef| Request {
                ef,
                seed: crate::edm::Seed(seed),
                best_of: 1,
                ..wanted.clone()
            })
        };
        if !job.confirmed {
            let seconds =
                self.expected(wanted) + factual(wanted.seed.0).map_or(0.0, |r| self.expected(&r));
            if seconds > ASK_FIRST_SECONDS {
                return Ok(Event::AskFirst { job: id, seconds });
            }
        }
        self.mouth.say(Event::Started { job: id });
        let made = self.part(id, Part::Counterfactual, wanted, interrupt)?;
        // The factual cine shares the noise of the one that was kept.
        if let Some(request) = factual(made.provenance.seed) {
            self.part(id, Part::Factual, &request, interrupt)?;
        }
        Ok(Event::Done { job: id })
    }

    fn expected(&self, request: &Request) -> f64 {
        if self.cache.has(&self.key(request)) {
            return 0.0;
        }
        let config = configuration(&self.models, request);
        request.best_of.max(1) as f64 * self.pace.run_seconds(&config)
    }

    fn key(&self, request: &Request) -> String {
        format!(
            "{} {} {} {} {:?} {} {} {} {:?} {} {:?} {}",
            self.models.cascade.identity.sha256,
            self.models.regressor.identity.sha256,
            request.anatomy.sha256,
            request.ef.get(),
            request.conditioning().map(EfPercent::get),
            request.preset,
            request.seed.0,
            request.best_of.max(1),
            request.guidance,
            request.leaflets,
            request.outline,
            self.models.device.name,
        )
    }

    fn part(
        &mut self,
        id: JobId,
        part: Part,
        request: &Request,
        interrupt: &Interrupt,
    ) -> Result<Arc<Generated>, String> {
        if interrupt.is_set() {
            return Err("interrupted".into());
        }
        let key = self.key(request);
        if let Some(result) = self.cache.get(&key) {
            self.mouth.say(Event::Finished {
                job: id,
                part,
                result: result.clone(),
                cached: true,
            });
            return Ok(result);
        }
        // The estimate after the first evaluation is a beating heart at the EF that was asked for.
        // Where it comes soon, it is waited for, even when the slider has gone on.
        let config = configuration(&self.models, request);
        let soon = self.pace.first_seconds(&config) < SOON;
        // What the slider rests on is seen sharp before the rest of the first stage is done.
        let second = self.pace.second_stage_seconds(&config);
        let sharpen = part == Part::Counterfactual && second.is_some_and(|s| s < SOON);
        let how = Sampling {
            config: &config,
            sharpen,
            followed: true,
        };
        let mut sharpened = false;
        interrupt.ask_patience(soon && part == Part::Counterfactual);
        let (models, mouth, pace) = (&self.models, self.mouth, &mut self.pace);
        let mut turn = Turn::default();
        let mut report = |r: &super::Report| {
            interrupt.ask_patience(false);
            // What is sharp stays until something sharper comes.
            sharpened |= r.sharpened;
            let blurred = sharpened && !r.sharpened && r.stage == 0;
            let due = r.sharpened || !blurred && turn.is_due();
            mouth.mention(Event::Progress {
                job: id,
                part,
                ef: request.ef,
                at: Stage {
                    stage: r.stage,
                    stages: r.stages,
                    step: r.step,
                    steps: r.steps,
                    candidate: r.candidate,
                    candidates: r.candidates,
                },
                fraction: r.fraction,
                seconds_left: r.seconds_left,
                preview: due.then(|| r.shown().ok()?.into_iter().next()).flatten(),
            });
        };
        let made = generate_as(models, request, how, pace, interrupt, &mut report);
        let made = Arc::new(made.map_err(|e| e.to_string())?);
        let gone = self.keep(request, made.clone());
        self.mouth.say(Event::Finished {
            job: id,
            part,
            result: made.clone(),
            cached: false,
        });
        self.forgotten(gone);
        Ok(made)
    }
}

/// As screens say it.
fn gpu_failed(why: &str) -> String {
    format!("The GPU failed ({why}). Running on the CPU instead, more slowly.")
}

/// Whether a preview is due: the first at once, then one every [`PREVIEW_EVERY`].
#[derive(Default)]
struct Turn(Option<Instant>);

impl Turn {
    fn is_due(&mut self) -> bool {
        let due = self.0.is_none_or(|at| at.elapsed() >= PREVIEW_EVERY);
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}
