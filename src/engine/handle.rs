//! The window's end of the engine: commands in, events out.

use super::device::DeviceChoice;
use super::job::{Batch, Job, Ladder};
use super::messages::{Command, Event, JobId, MeasureId, Mouth, Owner};
use super::models::CascadeSource;
use super::worker::Worker;
use crate::checkpoint::Normalisation;
use crate::clip::Video;
use crate::faults;
use crate::measure::TimeBase;
use crate::nn::{Interrupt, compute_here};
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, unbounded};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A handle on the worker thread. Dropping it stops the thread.
pub struct Engine {
    commands: Option<Sender<Command>>,
    events: Receiver<Event>,
    /// Of the run or ladder that was asked for last.
    current: Flag,
    /// Of the measurements that were asked for.
    measuring: Flag,
    /// Of each batch that has not ended.
    batches: Mutex<Vec<(JobId, Interrupt)>>,
    /// Of the weights that are being opened.
    opening: Flag,
    /// Of the opening at the start, which only the window's end stops: there is nothing before it that
    /// could stay in use.
    start: Interrupt,
    /// The worker's end has been told of.
    over: AtomicBool,
    /// What is said of commands that no worker was there to take.
    refused: Mutex<VecDeque<Event>>,
    next: u64,
    thread: Option<JoinHandle<()>>,
}

/// The flag of everything of one kind that was asked for since it was last raised.
#[derive(Default)]
struct Flag(Mutex<Interrupt>);

impl Flag {
    fn get(&self) -> Interrupt {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A new one, for what is asked for from now on.
    fn renewed(&self, end: impl Fn(&Interrupt)) -> Interrupt {
        let mut flag = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        end(&flag);
        *flag = Interrupt::new();
        flag.clone()
    }
}

/// Events wait here for the window. Progress that finds it full is dropped, results wait.
const EVENTS: usize = 64;

/// What ends after its flag is raised ends within this time, nearly always: flags are read between the
/// blocks of a network and the tensors of a file. The window's end waits no longer for what does not,
/// such as a read from a network drive that has gone.
const LAST_WORDS: Duration = Duration::from_millis(300);

const STOPPED: &str = "The part of the program that computes has stopped. Save what you need and start \
                       EchoIf again; `echoif doctor` says more.";

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
        Self::start_as(wake, move |commands, mouth, opening| {
            Worker::run(device, cascade, commands, mouth, opening)
        })
    }

    /// Starts a worker that does `work`, until there are no more commands or it fails with a sentence.
    fn start_as(
        wake: impl Fn() + Send + 'static,
        work: impl FnOnce(&Receiver<Command>, &Mouth, &Interrupt) -> Result<(), String> + Send + 'static,
    ) -> std::io::Result<Self> {
        faults::watch();
        let (command_sender, commands) = unbounded();
        let (events, event_receiver) = bounded(EVENTS);
        let start = Interrupt::new();
        let flag = start.clone();
        let thread = std::thread::Builder::new()
            .name("engine".into())
            .spawn(move || {
                let _computes = compute_here();
                let mouth = Mouth {
                    events,
                    wake: Box::new(wake),
                };
                if let Err(why) = faults::caught(|| work(&commands, &mouth, &flag)) {
                    mouth.say(Event::Stopped(format!("{STOPPED} ({why})")));
                    // Who asks on is answered: nothing is to wait for what will not come.
                    for command in &commands {
                        mouth.say(command.refused(STOPPED));
                    }
                }
            })?;
        Ok(Self {
            commands: Some(command_sender),
            events: event_receiver,
            current: Flag::default(),
            measuring: Flag::default(),
            batches: Mutex::default(),
            opening: Flag::default(),
            start,
            over: AtomicBool::new(false),
            refused: Mutex::default(),
            next: 1,
            thread: Some(thread),
        })
    }

    fn next(&mut self, owner: Owner) -> JobId {
        let number = self.next;
        self.next += 1;
        JobId { number, owner }
    }

    /// Sends a job; it supersedes the one that is running.
    pub fn submit(&mut self, owner: Owner, job: Job) -> JobId {
        let id = self.next(owner);
        let interrupt = self.current.renewed(Interrupt::supersede);
        self.send(Command::Run(id, Box::new(job), interrupt));
        id
    }

    /// Sends a ladder; it supersedes what is running, as a job does.
    pub fn climb(&mut self, owner: Owner, ladder: Ladder) -> JobId {
        let id = self.next(owner);
        let interrupt = self.current.renewed(Interrupt::set);
        self.send(Command::Ladder(id, Box::new(ladder), interrupt));
        id
    }

    /// Sends a batch, which supersedes nothing and makes room for whatever else is asked for. It is of one
    /// cascade: opening another, or another regressor, cancels it.
    pub fn queue(&mut self, owner: Owner, batch: Batch) -> JobId {
        let id = self.next(owner);
        let interrupt = Interrupt::new();
        self.batches().push((id, interrupt.clone()));
        self.send(Command::Batch(id, batch, interrupt));
        id
    }

    /// Has the regressor measure a clip, between jobs; the answer is an `Event::Measured`.
    pub fn measure(&mut self, owner: Owner, video: Video, time: TimeBase) -> MeasureId {
        let id = self.next(owner);
        let interrupt = self.measuring.get();
        self.send(Command::Measure(id, Box::new(video), time, interrupt));
        id
    }

    /// Stops the run or ladder that was asked for last.
    pub fn cancel(&self) {
        self.current.renewed(Interrupt::set);
    }

    /// Stops what is being measured or waits to be: each ends in an `Event::Cancelled`.
    pub fn cancel_measuring(&self) {
        self.measuring.renewed(Interrupt::set);
    }

    /// Stops a batch. What it has made can be left out of another ([`Batch::done`]).
    pub fn cancel_batch(&self, job: JobId) {
        for (_, batch) in self.batches().iter().filter(|(id, _)| *id == job) {
            batch.set();
        }
    }

    fn cancel_batches(&self) {
        for (_, batch) in self.batches().iter() {
            batch.set();
        }
    }

    fn batches(&self) -> MutexGuard<'_, Vec<(JobId, Interrupt)>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops everything that a person waits for: runs, measurements, and weights that are being opened, in
    /// whose place the ones before stay in use. Batches go on.
    pub fn cancel_all(&self) {
        self.cancel();
        self.cancel_measuring();
        self.opening.renewed(Interrupt::set);
    }

    /// Opens another cascade; what is running is stopped.
    pub fn open_cascade(&self, source: CascadeSource) {
        self.cancel();
        self.cancel_batches();
        self.send(Command::Cascade(source, self.opening.get()));
    }

    /// Opens another regressor; `None` is the built-in one. What is running is stopped.
    pub fn open_regressor(&self, source: Option<(PathBuf, Option<Normalisation>)>) {
        self.cancel();
        self.cancel_batches();
        self.send(Command::Regressor(source, self.opening.get()));
    }

    /// The next event, if there is one.
    pub fn poll(&self) -> Option<Event> {
        match self.events.try_recv() {
            Ok(event) => Some(self.heard(event)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => self.after_the_end(),
        }
    }

    /// The next event, waiting for it; `None` when the time is over or the worker is gone and all is
    /// said.
    pub fn wait(&self, at_most: Duration) -> Option<Event> {
        match self.events.recv_timeout(at_most) {
            Ok(event) => Some(self.heard(event)),
            Err(e) if e.is_timeout() => None,
            Err(_) => self.after_the_end(),
        }
    }

    fn heard(&self, event: Event) -> Event {
        match &event {
            Event::Stopped(_) => self.over.store(true, Ordering::Relaxed),
            Event::Done { job } | Event::Cancelled { job } | Event::Failed { job, .. } => {
                self.batches().retain(|(id, _)| id != job);
            }
            _ => {}
        }
        event
    }

    /// What is left to be said by nobody but the handle.
    fn after_the_end(&self) -> Option<Event> {
        if !self.over.swap(true, Ordering::Relaxed) {
            return Some(Event::Stopped(STOPPED.into()));
        }
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.pop_front()
    }

    fn send(&self, command: Command) {
        let Some(commands) = &self.commands else {
            return;
        };
        let urgent = !matches!(command, Command::Batch(..));
        if let Err(unsent) = commands.send(command) {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.push_back(unsent.0.refused(STOPPED));
        }
        // In this order: a worker that begins a request after this finds the command before it.
        if urgent {
            for (_, batch) in self.batches().iter() {
                batch.supersede();
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.cancel_all();
        self.cancel_batches();
        self.start.set();
        self.commands = None;
        let end = Instant::now() + LAST_WORDS;
        let Some(thread) = self.thread.take() else {
            return;
        };
        // The worker may be waiting to say something.
        while !thread.is_finished() && Instant::now() < end {
            let _ = self.events.recv_timeout(Duration::from_millis(5));
        }
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Video;

    fn still() -> Video {
        Video {
            channels: 1,
            frames: 1,
            height: 2,
            width: 2,
            data: vec![0.0; 4],
        }
    }

    /// The sentence, then an answer to what is asked, before and after.
    fn ends_in_a_sentence(mut engine: Engine, expected: &str) {
        let asked = engine.measure(Owner::Explore, still(), TimeBase::Beat);
        let long = Duration::from_secs(20);
        match engine.wait(long) {
            Some(Event::Stopped(why)) => assert!(why.contains(expected), "{why}"),
            other => panic!("{other:?}"),
        }
        let later = engine.measure(Owner::Explore, still(), TimeBase::Beat);
        for wanted in [asked, later] {
            match engine.wait(long) {
                Some(Event::Measured { id, result }) if id == wanted => {
                    assert!(result.unwrap_err().contains("start EchoIf again"));
                }
                other => panic!("{wanted:?}: {other:?}"),
            }
        }
        engine.open_cascade(CascadeSource::Builtin);
        assert!(matches!(engine.wait(long), Some(Event::OpenFailed(_))));
        assert!(engine.poll().is_none());
    }

    #[test]
    fn a_worker_that_panics_or_fails_is_a_sentence_and_no_silence() {
        let panics = Engine::start_as(|| {}, |_, _, _| std::panic::panic_any("a bolt broke"));
        ends_in_a_sentence(panics.unwrap(), "a bolt broke");
        let fails = Engine::start_as(|| {}, |_, _, _| Err("no memory".into()));
        ends_in_a_sentence(fails.unwrap(), "(no memory)");
    }

    /// Even one that is gone without a word.
    #[test]
    fn a_worker_that_is_gone_is_a_sentence_too() {
        let mut engine = Engine::start_as(|| {}, |_, _, _| Ok(())).unwrap();
        while !engine.thread.as_ref().unwrap().is_finished() {
            std::thread::yield_now();
        }
        let asked = engine.measure(Owner::Explore, still(), TimeBase::Beat);
        assert!(matches!(engine.poll(), Some(Event::Stopped(_))));
        assert!(matches!(engine.poll(), Some(Event::Measured { id, .. }) if id == asked));
        assert!(engine.poll().is_none());
    }

    #[test]
    fn the_end_does_not_wait_for_a_worker_that_hangs() {
        let (let_go, held) = bounded::<()>(0);
        let engine = Engine::start_as(
            || {},
            move |_, _, _| {
                let _ = held.recv();
                Ok(())
            },
        );
        let start = Instant::now();
        drop(engine.unwrap());
        assert!(start.elapsed() < Duration::from_secs(2));
        drop(let_go);
    }
}
