//! The window's end of the engine: commands in, events out.

use super::device::DeviceChoice;
use super::job::{Job, Ladder};
use super::messages::{Command, Event, JobId, MeasureId, Mouth};
use super::models::CascadeSource;
use super::worker::Worker;
use crate::checkpoint::Normalisation;
use crate::clip::Video;
use crate::measure::TimeBase;
use crate::nn::Interrupt;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

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
        self.replace_current(interrupt.clone(), Interrupt::supersede);
        self.send(Command::Run(id, Box::new(job), interrupt));
        id
    }

    /// Sends a ladder; it supersedes what is running, as a job does.
    pub fn climb(&mut self, ladder: Ladder) -> JobId {
        let id = self.next;
        self.next += 1;
        let interrupt = Interrupt::new();
        self.replace_current(interrupt.clone(), Interrupt::set);
        self.send(Command::Ladder(id, Box::new(ladder), interrupt));
        id
    }

    /// Has the regressor measure a clip, between jobs; the answer is an `Event::Measured`.
    pub fn measure(&mut self, video: Video, time: TimeBase) -> MeasureId {
        let id = self.next;
        self.next += 1;
        self.send(Command::Measure(id, Box::new(video), time));
        id
    }

    /// Stops what is running.
    pub fn cancel(&self) {
        self.replace_current(Interrupt::new(), Interrupt::set);
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

    fn replace_current(&self, new: Interrupt, end: impl Fn(&Interrupt)) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        end(&current);
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
