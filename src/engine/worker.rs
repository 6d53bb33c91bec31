//! The worker thread: owns the device and the weights.

use super::cache::Cache;
use super::cost::{ASK_FIRST_SECONDS, Pace};
use super::device::{DeviceChoice, OpenDevice};
use super::generate::{PREVIEW_EVERY, Sampling, configuration, generate_as};
use super::job::{Generated, Job, Ladder, Part, Request};
use super::messages::{Command, Event, JobId, MeasureId, Mouth, Stage};
use super::models::{CascadeSource, Models, cascade_folders};
use crate::clip::Video;
use crate::measure::{TimeBase, measure};
use crate::nn::Interrupt;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An estimate that comes within this time, in seconds, follows the slider.
const SOON: f64 = 0.5;

/// So long without a command, nobody drags the slider.
const REST: Duration = Duration::from_secs(10);

pub(super) struct Worker {
    models: Models,
    pace: Pace,
    cache: Cache,
    mouth: Mouth,
}

impl Worker {
    pub(super) fn run(
        device: DeviceChoice,
        cascade: CascadeSource,
        commands: &Receiver<Command>,
        mouth: Mouth,
    ) {
        let device =
            OpenDevice::open(device, None).unwrap_or_else(|why| OpenDevice::cpu(Some(why)));
        let mut refused = None;
        let models = Models::open(device.clone(), cascade, None).or_else(|why| {
            refused = Some(why.to_string());
            Models::open(device, CascadeSource::Builtin, None)
        });
        let models = match models {
            Ok(models) => models,
            Err(why) => return mouth.say(Event::OpenFailed(why.to_string())),
        };
        let pace = match Pace::calibrate(&models.device.device) {
            Ok(pace) => pace,
            Err(why) => return mouth.say(Event::OpenFailed(why.to_string())),
        };
        let mut worker = Self {
            models,
            pace,
            cache: Cache::default(),
            mouth,
        };
        worker.ready();
        if let Some(why) = refused {
            worker.mouth.say(Event::OpenFailed(why));
        }
        while let Some(command) = worker.next(commands) {
            worker.obey(command, commands);
        }
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

    fn ready(&self) {
        self.mouth.say(Event::Ready {
            device: self.models.device.name.clone(),
            cascade: Box::new(self.models.info()),
            regressor: self.models.regressor.identity.name.clone(),
            cascades: cascade_folders(),
        });
        for note in self
            .models
            .device
            .note
            .iter()
            .cloned()
            .chain(self.models.warnings())
        {
            self.mouth.say(Event::Notice(note));
        }
    }

    fn obey(&mut self, command: Command, commands: &Receiver<Command>) {
        let outcome = match command {
            Command::Run(id, job, interrupt) => {
                let mut newest = (id, job, interrupt);
                let mut others = Vec::new();
                // Only the newest of the jobs that wait is worth starting. A measurement is quick
                // and may decide what is asked next; other models make the jobs before pointless.
                while let Ok(next) = commands.try_recv() {
                    match next {
                        Command::Run(id, job, interrupt) => {
                            self.mouth.say(Event::Cancelled { job: newest.0 });
                            newest = (id, job, interrupt);
                        }
                        Command::Measure(id, video, time) => self.measure(id, &video, time),
                        // Sent later than the job, it supersedes it.
                        other => others.push(other),
                    }
                }
                if others.is_empty() {
                    return self.job(newest.0, &newest.1, &newest.2);
                }
                self.mouth.say(Event::Cancelled { job: newest.0 });
                for other in others {
                    self.obey(other, commands);
                }
                return;
            }
            Command::Ladder(id, ladder, interrupt) => return self.climb(id, &ladder, &interrupt),
            Command::Measure(id, video, time) => return self.measure(id, &video, time),
            Command::Cascade(source) => self.models.set_cascade(source),
            Command::Regressor(source) => self.models.set_regressor(source),
        };
        match outcome {
            Ok(()) => {
                // What was learned on a small cascade says little of a large one.
                if let Ok(pace) = Pace::calibrate(&self.models.device.device) {
                    self.pace = pace;
                }
                self.ready();
            }
            Err(why) => self.mouth.say(Event::OpenFailed(why.to_string())),
        }
    }

    fn measure(&self, id: MeasureId, video: &Video, time: TimeBase) {
        let regressor = &self.models.regressor;
        let measured = catch_unwind(AssertUnwindSafe(|| {
            measure(regressor, video, time, &Interrupt::new())
        }));
        let result = match measured {
            Ok(result) => result.map_err(|e| e.to_string()),
            Err(_) => Err("an unexpected fault in the computation".to_owned()),
        };
        self.mouth.say(Event::Measured { id, result });
    }

    fn job(&mut self, id: JobId, job: &Job, interrupt: &Interrupt) {
        let ending = match self.try_job(id, job, interrupt) {
            Ok(ending) => ending,
            Err(_) if interrupt.is_set() => Event::Cancelled { job: id },
            Err(why) if self.models.device.is_cpu() => Event::Failed { job: id, why },
            Err(why) => match self.fall_back(&why) {
                Ok(()) => match self.try_job(id, job, interrupt) {
                    Ok(ending) => ending,
                    Err(_) if interrupt.is_set() => Event::Cancelled { job: id },
                    Err(why) => Event::Failed { job: id, why },
                },
                Err(why) => Event::Failed { job: id, why },
            },
        };
        self.mouth.say(ending);
        // Panes show the source's own resolution from then on; a library's panic costs no more than that.
        let anatomy = &job.counterfactual.anatomy;
        let _ = catch_unwind(AssertUnwindSafe(|| self.models.refine(anatomy)));
    }

    /// Moves to the CPU after the GPU failed or ran out of memory.
    fn fall_back(&mut self, why: &str) -> Result<(), String> {
        let note = format!("The GPU failed ({why}). Running on the CPU instead, more slowly.");
        self.models = self.models.on_cpu(note).map_err(|e| e.to_string())?;
        self.pace = Pace::calibrate(&self.models.device.device).map_err(|e| e.to_string())?;
        self.ready();
        Ok(())
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

    fn climb(&mut self, id: JobId, ladder: &Ladder, interrupt: &Interrupt) {
        if !ladder.confirmed {
            let rungs = ladder.efs.iter().map(|&ef| ladder.rung(ef));
            let seconds = rungs.map(|rung| self.expected(&rung)).sum();
            if seconds > ASK_FIRST_SECONDS {
                return self.mouth.say(Event::AskFirst { job: id, seconds });
            }
        }
        self.mouth.say(Event::Started { job: id });
        let ending = match self.try_climb(id, ladder, interrupt) {
            Ok(rungs) => {
                self.mouth.say(Event::Rungs { job: id, rungs });
                Event::Done { job: id }
            }
            Err(_) if interrupt.is_set() => Event::Cancelled { job: id },
            Err(why) => Event::Failed { job: id, why },
        };
        self.mouth.say(ending);
    }

    /// What is in the cache is not made again.
    fn try_climb(
        &mut self,
        id: JobId,
        ladder: &Ladder,
        interrupt: &Interrupt,
    ) -> Result<Vec<Arc<Generated>>, String> {
        if interrupt.is_set() {
            return Err("interrupted".into());
        }
        let known = |worker: &Self, ef| worker.cache.get(&worker.key(&ladder.rung(ef)));
        let mut missing = ladder.efs.clone();
        missing.retain(|&ef| known(self, ef).is_none());
        let (models, mouth, pace) = (&self.models, &self.mouth, &mut self.pace);
        let mut turn = Turn::default();
        let mut report = |r: &super::Report| {
            let due = turn.is_due();
            let previews = due.then(|| r.shown().unwrap_or_default());
            mouth.mention(Event::Climbing {
                job: id,
                fraction: r.fraction,
                seconds_left: r.seconds_left,
                previews: previews.unwrap_or_default(),
            });
        };
        let made = catch_unwind(AssertUnwindSafe(|| {
            super::ladder(
                models,
                &ladder.request,
                &missing,
                pace,
                interrupt,
                &mut report,
            )
        }));
        let made = made
            .map_err(|_| "an unexpected fault in the computation".to_owned())?
            .map_err(|e| e.to_string())?;
        for (made, &ef) in made.into_iter().zip(&missing) {
            self.cache.put(self.key(&ladder.rung(ef)), Arc::new(made));
        }
        let all = ladder.efs.iter().map(|&ef| known(self, ef));
        let all: Option<Vec<_>> = all.collect();
        all.ok_or_else(|| "the results do not fit in memory".into())
    }

    fn expected(&self, request: &Request) -> f64 {
        if self.cache.get(&self.key(request)).is_some() {
            return 0.0;
        }
        let config = configuration(&self.models, request);
        request.best_of.max(1) as f64 * self.pace.run_seconds(&config)
    }

    fn key(&self, request: &Request) -> String {
        format!(
            "{} {} {} {} {} {} {} {:?} {} {:?} {}",
            self.models.cascade.identity.sha256,
            self.models.regressor.identity.sha256,
            request.anatomy.sha256,
            request.ef.get(),
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
        };
        let mut sharpened = false;
        interrupt.ask_patience(soon && part == Part::Counterfactual);
        let (models, mouth, pace) = (&self.models, &self.mouth, &mut self.pace);
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
        // A panic in a library must cost one job, not the engine.
        let made = catch_unwind(AssertUnwindSafe(|| {
            generate_as(models, request, how, pace, interrupt, &mut report)
        }));
        let made = made
            .map_err(|_| "an unexpected fault in the computation".to_owned())?
            .map_err(|e| e.to_string())?;
        let made = Arc::new(made);
        self.cache.put(key, made.clone());
        self.mouth.say(Event::Finished {
            job: id,
            part,
            result: made.clone(),
            cached: false,
        });
        Ok(made)
    }
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
