//! A reader at work: what is shown, what is answered, and what of it is in the log.
//!
//! A state machine that takes time ([`Stamp`]) and [`Event`]s from outside and says what is on
//! [screen](Session::screen), so the window, a script and a test drive the same code. Whatever it does is in
//! the log, on the disk, before it is on screen:
//!
//! instruction, consent, about the reader, check of the display, then for each trial: blank, clip until the
//! answer, confidence; between blocks a break; at the end a receipt.
//!
//! - The response time begins with the first pass that is painted with the clip ([`Event::Painted`]), and ends
//!   with the stamp of the key or button. What comes before `min_view_ms` is not taken, and a key that was down
//!   then has to be released first. With a limit, the trial ends there without an answer.
//! - The clip leaves the screen with the answer: confidence has no second look at it. A pause that is asked for
//!   there comes after it, so that no answer is taken back by a pause.
//! - A trial that is interrupted, by a pause or by the end of the program, is shown again as the next attempt.
//! - When the program is opened again, what the log has is not asked again, but the display is checked again:
//!   it may be another one. Then the first trial without an answer comes. Where the plan's `resume` is `block`,
//!   that is the same trial (trials come in their order, and answers stay), but after every interruption, a
//!   pause within a run too, the reader begins as a block begins: with the instruction, the check of the
//!   display and a screen that waits for them.
//! - Practice with the program's own [`bars`] is a trial with the clip [`super::plan::BARS`].
//! - A break lasts at least `break_s`. Where the session is interrupted in it, it is over.

mod event;
mod frames;
mod screen;
mod steps;
mod texts;

#[cfg(test)]
mod tests;

pub use event::{About, Control, Display, Event, Press};
pub use frames::{Frame, bars, frame_at, loops_at};
pub use screen::{Screen, Shows};

use super::log::{LogError, LogWriter};
use super::plan::{Plan, Reading, Trial};
use super::record::{self, Answer, Input, PresentedBy, What};
use super::stamp::Stamp;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Milliseconds without anything between an answer and the next clip.
pub const BLANK_MS: f64 = 500.0;

/// Why a session does not go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("{0}")]
    Log(#[from] LogError),
    #[error("the plan has no such reader: open the bundle with a reader's code")]
    NoReader,
}

/// Where, by what and since when a session runs.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    pub log: &'a Path,
    pub by: PresentedBy,
    /// Name and version.
    pub program: &'a str,
    pub at: Stamp,
}

/// One run of a reader's session.
#[derive(Debug)]
pub struct Session {
    plan: Arc<Plan>,
    /// The reader's place in the plan.
    place: usize,
    log: LogWriter,
    by: PresentedBy,
    /// By the place of the trial.
    answered: Vec<bool>,
    shown: Vec<usize>,
    consented: bool,
    told_about: bool,
    /// In this run, or since the last pause where that begins anew.
    instructed: bool,
    checked: bool,
    /// A pause was asked for where none can be.
    pausing: bool,
    stage: Stage,
    /// Of the latest event, by the monotonic clock.
    last_ms: f64,
    /// Keys that are down.
    held: BTreeSet<Control>,
    instruction: String,
    /// Of the last line.
    receipt: String,
}

#[derive(Debug)]
enum Stage {
    Instruction,
    Consent,
    About,
    Display,
    Ready,
    Blank { since_ms: f64, loaded: bool },
    Trial(OnScreen),
    Confidence(Given),
    Break { until_ms: f64 },
    Paused { reopened: bool },
    Finished,
    Withdrawn,
}

/// A clip that is on screen, or will be with the next pass.
#[derive(Clone, Copy, Debug)]
struct OnScreen {
    attempt: usize,
    /// Of the first pass with it.
    onset_ms: Option<f64>,
    passes: usize,
    late_passes: usize,
}

impl OnScreen {
    fn elapsed_ms(&self, mono_ms: f64) -> f64 {
        self.onset_ms.map_or(0.0, |onset_ms| mono_ms - onset_ms)
    }
}

/// An answer that waits for its confidence.
#[derive(Clone, Copy, Debug)]
struct Given {
    on_screen: OnScreen,
    answer: Answer,
    input: Input,
    /// By the monotonic clock.
    at_ms: f64,
}

impl Session {
    /// Opens the session of a reader, by their place in the plan, and goes on where its log ends.
    ///
    /// # Errors
    /// When another program has the log, it is another reader's or not as it was written, or the disk fails.
    pub fn open(plan: Arc<Plan>, place: usize, start: Start<'_>) -> Result<Self, SessionError> {
        let reading = plan.readers.get(place).ok_or(SessionError::NoReader)?;
        let (log, found) = LogWriter::open(start.log, &plan, &reading.reader, start.at)?;
        let trials = reading.trials.len();
        let mut session = Self {
            place,
            by: start.by,
            answered: (0..trials)
                .map(|i| found.answers.get(i).is_some_and(Option::is_some))
                .collect(),
            shown: (0..trials)
                .map(|i| found.shown.get(i).copied().unwrap_or(0))
                .collect(),
            consented: found.consented,
            told_about: found.about,
            instructed: false,
            checked: false,
            pausing: false,
            stage: if found.withdrawn {
                Stage::Withdrawn
            } else {
                Stage::Finished
            },
            last_ms: start.at.mono_ms,
            held: BTreeSet::new(),
            instruction: texts::instruction(&plan).into_owned(),
            receipt: log.receipt().unwrap_or_default(),
            log,
            plan,
        };
        if !found.ended {
            session.begin(start, found.runs.is_empty())?;
        }
        Ok(session)
    }

    fn begin(&mut self, start: Start<'_>, is_new: bool) -> Result<(), SessionError> {
        let opened = What::Open {
            format: record::FORMAT.into(),
            version: record::VERSION,
            study: self.plan.study.clone(),
            reader: self.reader().to_owned(),
            run: uuid::Uuid::new_v4().to_string(),
            program: start.program.into(),
            presentation: start.by,
        };
        self.write(opened, start.at)?;
        if self.next().is_none() {
            // The program stopped between the last answer and the end.
            return self.finish(start.at);
        }
        self.stage = if is_new || !self.consented {
            Stage::Instruction
        } else {
            Stage::Paused { reopened: true }
        };
        Ok(())
    }

    /// Closes the run where it is; the session goes on when it is opened again. The receipt of its last line.
    ///
    /// # Errors
    /// When the disk is full or fails: then the log ends with the line before.
    pub fn close(mut self, at: Stamp) -> Result<String, SessionError> {
        let at = self.not_before(at);
        if !self.is_over() {
            self.write(What::Close { complete: false }, at)?;
        }
        Ok(self.receipt)
    }

    /// `R1`, `R2` ...
    pub fn reader(&self) -> &str {
        self.reading().map_or("", |r| r.reader.as_str())
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Trials with an answer, or without one because the time limit passed; practice and repeats too.
    pub fn answered(&self) -> usize {
        self.answered.iter().filter(|a| **a).count()
    }

    /// In the reader's list.
    pub fn trials(&self) -> usize {
        self.answered.len()
    }

    /// Whether every trial has its answer and the log says so.
    pub fn is_complete(&self) -> bool {
        matches!(self.stage, Stage::Finished)
    }

    /// Whether nothing more can happen: it is complete, or the reader left.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Finished | Stage::Withdrawn)
    }

    /// Of the last line of the log.
    pub fn receipt(&self) -> &str {
        &self.receipt
    }

    /// The trial that is on screen or comes next.
    pub fn next(&self) -> Option<&Trial> {
        let place = self.answered.iter().position(|answered| !answered)?;
        self.reading()?.trials.get(place)
    }

    /// The clips that come, from the one that is on screen or next: what may be made ready before.
    pub fn upcoming(&self) -> impl Iterator<Item = &str> {
        let trials = self.reading().map_or(&[][..], |r| &r.trials);
        let open = trials.iter().zip(&self.answered).filter(|(_, a)| !**a);
        open.map(|(trial, _)| trial.clip.as_str())
    }

    fn reading(&self) -> Option<&Reading> {
        self.plan.readers.get(self.place)
    }

    fn takes_answers(&self, trial: &OnScreen, mono_ms: f64) -> bool {
        let least = f64::from(self.plan.answer.min_view_ms);
        trial.onset_ms.is_some() && trial.elapsed_ms(mono_ms) >= least
    }

    /// A window may tell of what happened in an order of its own; in the log time goes on.
    fn not_before(&mut self, at: Stamp) -> Stamp {
        // The larger of a number and none is the number.
        self.last_ms = self.last_ms.max(at.mono_ms);
        Stamp {
            mono_ms: self.last_ms,
            ..at
        }
    }

    fn write(&mut self, what: What, at: Stamp) -> Result<(), SessionError> {
        self.log.append(what, at)?;
        self.receipt = self.log.receipt().unwrap_or_default();
        Ok(())
    }

    fn finish(&mut self, at: Stamp) -> Result<(), SessionError> {
        self.write(What::Close { complete: true }, at)?;
        self.stage = Stage::Finished;
        Ok(())
    }
}
