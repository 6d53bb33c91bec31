//! The worker thread and its channels.

use super::cost::{ASK_FIRST_SECONDS, Pace};
use super::device::{DeviceChoice, OpenDevice};
use super::generate::{PREVIEW_EVERY, configuration, generate, preview};
use super::job::{Generated, Job, Part, Request};
use super::models::{CascadeInfo, CascadeSource, Models, cascade_folders};
use crate::checkpoint::Normalisation;
use crate::clip::Video;
use crate::nn::Interrupt;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub type JobId = u64;

/// Where the current run is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    pub stage: usize,
    pub stages: usize,
    pub step: usize,
    pub steps: usize,
    pub candidate: usize,
    pub candidates: usize,
}

/// What the worker says. Every accepted job ends in exactly one of `Done`, `AskFirst`, `Cancelled`
/// and `Failed`.
#[derive(Clone, Debug)]
pub enum Event {
    /// The models are loaded, at the start or after a change.
    Ready {
        device: String,
        cascade: Box<CascadeInfo>,
        regressor: String,
        /// Cascade folders found in the places that are searched.
        cascades: Vec<PathBuf>,
    },
    /// A sentence for the user.
    Notice(String),
    /// A cascade or regressor could not be opened; the one before is still in use.
    OpenFailed(String),
    Started {
        job: JobId,
    },
    Progress {
        job: JobId,
        part: Part,
        at: Stage,
        /// Share of this part that is done, 0..1.
        fraction: f64,
        seconds_left: f64,
        preview: Option<Arc<Video>>,
    },
    /// One of a job's two cines.
    Finished {
        job: JobId,
        part: Part,
        result: Arc<Generated>,
        cached: bool,
    },
    Done {
        job: JobId,
    },
    /// The job would take this long; nothing was done. Send it again, confirmed.
    AskFirst {
        job: JobId,
        seconds: f64,
    },
    Cancelled {
        job: JobId,
    },
    Failed {
        job: JobId,
        why: String,
    },
}

enum Command {
    Run(JobId, Box<Job>, Interrupt),
    Cascade(CascadeSource),
    Regressor(Option<(PathBuf, Option<Normalisation>)>),
}

/// A handle on the worker thread. Dropping it stops the thread.
pub struct Engine {
    commands: Option<Sender<Command>>,
    events: Receiver<Event>,
    current: Mutex<Interrupt>,
    next: JobId,
    thread: Option<JoinHandle<()>>,
}

/// Commands wait here for the worker; a newer job makes the older ones pointless.
const COMMANDS: usize = 256;
/// Events wait here for the window. Progress that finds it full is dropped, results wait.
const EVENTS: usize = 64;

impl Engine {
    /// Starts the worker. `wake` is called after each event, from the worker's thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        device: DeviceChoice,
        cascade: CascadeSource,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (command_sender, commands) = bounded(COMMANDS);
        let (events, event_receiver) = bounded(EVENTS);
        let thread = std::thread::Builder::new()
            .name("engine".into())
            .spawn(move || {
                let mouth = Mouth {
                    events,
                    wake: Box::new(wake),
                };
                Worker::run(device, cascade, &commands, mouth);
            })?;
        Ok(Self {
            commands: Some(command_sender),
            events: event_receiver,
            current: Mutex::default(),
            next: 1,
            thread: Some(thread),
        })
    }

    /// Sends a job; it supersedes the one that is running.
    pub fn submit(&mut self, job: Job) -> JobId {
        let id = self.next;
        self.next += 1;
        let interrupt = Interrupt::new();
        self.replace_current(interrupt.clone());
        self.send(Command::Run(id, Box::new(job), interrupt));
        id
    }

    /// Stops what is running.
    pub fn cancel(&self) {
        self.replace_current(Interrupt::new());
    }

    /// Opens another cascade; what is running is stopped.
    pub fn open_cascade(&self, source: CascadeSource) {
        self.cancel();
        self.send(Command::Cascade(source));
    }

    /// Opens another regressor; `None` is the built-in one. What is running is stopped.
    pub fn open_regressor(&self, source: Option<(PathBuf, Option<Normalisation>)>) {
        self.cancel();
        self.send(Command::Regressor(source));
    }

    /// The next event, if there is one.
    pub fn poll(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// The next event, waiting for it; `None` when the time is over or the worker is gone.
    pub fn wait(&self, at_most: Duration) -> Option<Event> {
        self.events.recv_timeout(at_most).ok()
    }

    fn replace_current(&self, new: Interrupt) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.set();
        *current = new;
    }

    fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // Full only if the worker has hung for 256 commands; then the newest is dropped.
            let _ = commands.try_send(command);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.cancel();
        self.commands = None;
        // The worker may be waiting to say something.
        while self.thread.as_ref().is_some_and(|t| !t.is_finished()) {
            let _ = self.events.recv_timeout(Duration::from_millis(20));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Mouth {
    events: Sender<Event>,
    wake: Box<dyn Fn() + Send>,
}

impl Mouth {
    fn say(&self, event: Event) {
        // Fails only when the window is gone, and then nobody listens.
        let _ = self.events.send(event);
        (self.wake)();
    }

    /// For what is worth nothing later.
    fn mention(&self, event: Event) {
        if self.events.try_send(event).is_ok() {
            (self.wake)();
        }
    }
}

struct Worker {
    models: Models,
    pace: Pace,
    cache: Cache,
    mouth: Mouth,
}

impl Worker {
    fn run(
        device: DeviceChoice,
        cascade: CascadeSource,
        commands: &Receiver<Command>,
        mouth: Mouth,
    ) {
        let device = OpenDevice::open(device).unwrap_or_else(|why| OpenDevice::cpu(Some(why)));
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
        while let Ok(command) = commands.recv() {
            worker.obey(command, commands);
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
                // Only the newest of the jobs that wait is worth starting.
                loop {
                    match commands.try_recv() {
                        Ok(Command::Run(id, job, interrupt)) => {
                            self.mouth.say(Event::Cancelled { job: newest.0 });
                            newest = (id, job, interrupt);
                        }
                        Ok(other) => {
                            self.mouth.say(Event::Cancelled { job: newest.0 });
                            return self.obey(other, commands);
                        }
                        Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                    }
                }
                return self.job(newest.0, &newest.1, &newest.2);
            }
            Command::Cascade(source) => self.models.set_cascade(source),
            Command::Regressor(source) => self.models.set_regressor(source),
        };
        match outcome {
            Ok(()) => self.ready(),
            Err(why) => self.mouth.say(Event::OpenFailed(why.to_string())),
        }
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

    fn expected(&self, request: &Request) -> f64 {
        if self.cache.get(&self.key(request)).is_some() {
            return 0.0;
        }
        let config = configuration(&self.models, request);
        request.best_of.max(1) as f64 * self.pace.run_seconds(&config)
    }

    fn key(&self, request: &Request) -> String {
        format!(
            "{} {} {} {} {} {} {} {:?} {}",
            self.models.cascade.identity.sha256,
            self.models.regressor.identity.sha256,
            request.anatomy.sha256,
            request.ef.get(),
            request.preset,
            request.seed.0,
            request.best_of.max(1),
            request.guidance,
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
        let (models, mouth, pace) = (&self.models, &self.mouth, &mut self.pace);
        let mut shown: Option<Instant> = None;
        let mut report = |r: &super::Report| {
            let due = shown.is_none_or(|at| at.elapsed() >= PREVIEW_EVERY);
            if due {
                shown = Some(Instant::now());
            }
            mouth.mention(Event::Progress {
                job: id,
                part,
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
                preview: due
                    .then(|| preview(r.denoised).ok().map(Arc::new))
                    .flatten(),
            });
        };
        // A panic in a library must cost one job, not the engine.
        let made = catch_unwind(AssertUnwindSafe(|| {
            generate(models, request, pace, interrupt, &mut report)
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

/// Results of this session, the oldest forgotten first.
#[derive(Default)]
struct Cache {
    entries: VecDeque<(String, Arc<Generated>)>,
    bytes: usize,
}

impl Cache {
    const MOST_BYTES: usize = 256 << 20;

    fn get(&self, key: &str) -> Option<Arc<Generated>> {
        let found = self.entries.iter().find(|(k, _)| k == key)?;
        Some(found.1.clone())
    }

    fn put(&mut self, key: String, result: Arc<Generated>) {
        self.bytes += 4 * result.video.data.len();
        self.entries.push_back((key, result));
        while self.bytes > Self::MOST_BYTES && self.entries.len() > 1 {
            if let Some((_, old)) = self.entries.pop_front() {
                self.bytes -= 4 * old.video.data.len();
            }
        }
    }
}
