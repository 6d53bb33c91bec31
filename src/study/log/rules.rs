//! What a session writes, and in which order: a log that says anything else was not written by one.

mod answers;

use super::{Answered, Problem, Run};
use crate::study::hex::is_hex;
use crate::study::plan::{Plan, Trial};
use crate::study::record::{self, Line, What};
use crate::study::stamp::utc_ms;

/// Milliseconds by which the two clocks of a run may part.
const DRIFT_MS: f64 = 2000.0;
const HOUR_MS: f64 = 3_600_000.0;

pub struct Rules<'a> {
    plan: &'a Plan,
    trials: &'a [Trial],
    pub reader: String,
    pub place: Option<usize>,
    pub runs: Vec<Run>,
    pub answers: Vec<Option<Answered>>,
    pub shown: Vec<usize>,
    pub consented: bool,
    pub about: bool,
    pub withdrawn: bool,
    pub ended: bool,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
    /// The run was closed: only another can follow.
    closed: bool,
    paused: bool,
    clip: Option<Shown>,
    clocks: Option<Clocks>,
    last_utc: i64,
}

/// The clip that is on screen.
struct Shown {
    place: usize,
    attempt: usize,
    mono_ms: f64,
}

/// Both clocks at the beginning of a run.
struct Clocks {
    utc_ms: i64,
    mono_ms: f64,
    last_ms: f64,
    /// Said once a run.
    warned: bool,
}

type Wrong = Result<(), String>;

fn wrong(what: &str) -> Wrong {
    Err(what.to_owned())
}

impl<'a> Rules<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            trials: &[],
            reader: String::new(),
            place: None,
            runs: Vec::new(),
            answers: Vec::new(),
            shown: Vec::new(),
            consented: false,
            about: false,
            withdrawn: false,
            ended: false,
            problems: Vec::new(),
            warnings: Vec::new(),
            closed: false,
            paused: false,
            clip: None,
            clocks: None,
            last_utc: 0,
        }
    }

    pub fn is_complete(&self) -> bool {
        !self.withdrawn && !self.answers.is_empty() && self.answers.iter().all(Option::is_some)
    }

    pub fn take(&mut self, number: usize, line: &Line) {
        if let Err(what) = self.check(number, line) {
            self.problems.push(Problem::new(number, what));
        }
    }

    fn check(&mut self, number: usize, line: &Line) -> Wrong {
        if self.ended {
            return wrong("the log goes on after its end");
        }
        let utc = utc_ms(&line.utc).unwrap_or_default();
        match &line.what {
            // It stands before the run that found it, whose clock it has.
            What::Torn { .. } => return Ok(()),
            What::Open { .. } => return self.open(number, line, utc),
            _ if self.runs.is_empty() => return wrong("no run of the program was opened before"),
            _ if self.closed => return wrong("the run goes on after it was closed"),
            _ => {}
        }
        let done = self.in_run(number, line, utc);
        self.last_utc = utc;
        self.clock(number, line.mono_ms, utc).and(done)
    }

    fn open(&mut self, number: usize, line: &Line, utc: i64) -> Wrong {
        let What::Open {
            format,
            version,
            study,
            reader,
            run,
            program,
            presentation,
        } = &line.what
        else {
            return Ok(());
        };
        let is_first = self.runs.is_empty();
        if !is_first {
            self.pause(number, utc);
        }
        self.runs.push(Run {
            run: run.clone(),
            program: program.clone(),
            presentation: *presentation,
            utc: line.utc.clone(),
            line: number,
        });
        self.clocks = Some(Clocks {
            utc_ms: utc,
            mono_ms: line.mono_ms,
            last_ms: line.mono_ms,
            warned: false,
        });
        self.last_utc = utc;
        (self.clip, self.closed, self.paused) = (None, false, false);
        if format != record::FORMAT || *version != record::VERSION {
            return wrong("this is no log of a study that this program reads");
        }
        if *study != self.plan.study {
            return wrong("this log is of another study");
        }
        if is_first {
            self.reader.clone_from(reader);
            self.place = self.plan.place_of(reader);
            let reading = self.place.and_then(|place| self.plan.readers.get(place));
            let Some(reading) = reading else {
                return Err(format!("the plan has no reader {reader}"));
            };
            self.trials = &reading.trials;
            self.answers = vec![None; self.trials.len()];
            self.shown = vec![0; self.trials.len()];
        } else if *reader != self.reader {
            return Err(format!("this log is {}'s, not {reader}'s", self.reader));
        }
        let (this, before) = match self.runs.split_last() {
            Some((this, before)) => (&this.run, before),
            None => return Ok(()),
        };
        if before.iter().any(|other| other.run == *this) {
            return wrong("two runs of the program have one name");
        }
        Ok(())
    }

    fn in_run(&mut self, number: usize, line: &Line, utc: i64) -> Wrong {
        if self.paused
            && !matches!(
                line.what,
                What::Resume | What::Withdraw | What::Close { .. }
            )
        {
            return wrong("the session was paused, and not resumed before this");
        }
        match &line.what {
            What::Consent { text_sha256 } => {
                let own = &self.plan.texts.consent;
                let other = !own.is_empty() && crate::hash::sha256(own.as_bytes()) != *text_sha256;
                if !is_hex(text_sha256, 64) || other {
                    return wrong("another text was consented to than the plan has");
                }
                self.consented = true;
                Ok(())
            }
            What::About { years, .. } => {
                self.about = true;
                if years.is_some_and(|years| !(0.0..=100.0).contains(&years)) {
                    return wrong("nobody has so many years of experience");
                }
                Ok(())
            }
            What::Show {
                trial,
                clip,
                attempt,
            } => self.show(*trial, clip, *attempt, line.mono_ms),
            What::Answer { .. } => self.answer(number, line),
            What::Pause => {
                self.paused = true;
                self.clip = None;
                Ok(())
            }
            What::Resume => {
                if !self.paused {
                    return wrong("the session was not paused before this");
                }
                self.pause(number, utc);
                self.paused = false;
                Ok(())
            }
            What::Withdraw => {
                self.withdrawn = true;
                self.ended = true;
                Ok(())
            }
            What::Close { complete } => {
                self.closed = true;
                self.ended = *complete;
                self.clip = None;
                if *complete && !self.is_complete() {
                    return wrong("the session was closed as complete, and trials have no answer");
                }
                Ok(())
            }
            What::Display { .. } | What::Break { .. } | What::Open { .. } | What::Torn { .. } => {
                Ok(())
            }
        }
    }

    fn show(&mut self, trial: usize, clip: &str, attempt: usize, mono_ms: f64) -> Wrong {
        self.clip = None;
        let next = self.answers.iter().position(Option::is_none);
        let place = trial.checked_sub(1);
        let planned = place.and_then(|place| self.trials.get(place));
        let (Some(place), Some(planned)) = (place, planned) else {
            return wrong("the plan has no such trial for this reader");
        };
        if planned.clip != clip {
            return wrong("another clip was shown than the plan has in this trial");
        }
        if self.answers.get(place).is_some_and(Option::is_some) {
            return wrong("a trial was shown again that had its answer");
        }
        let Some(shown) = self.shown.get_mut(place) else {
            return Ok(());
        };
        *shown += 1;
        self.clip = Some(Shown {
            place,
            attempt,
            mono_ms,
        });
        if !self.consented {
            return wrong("a clip was shown before the reader consented");
        }
        if *shown != attempt {
            return Err(format!(
                "this is attempt {shown} at the trial, not {attempt}"
            ));
        }
        if next != Some(place) {
            return wrong("a trial was shown before its turn");
        }
        Ok(())
    }

    /// How long it was since the line before, where that is too long.
    fn pause(&mut self, number: usize, utc: i64) {
        let hours = utc.saturating_sub(self.last_utc) as f64 / HOUR_MS;
        if hours > f64::from(self.plan.session.max_pause_h) {
            let most = self.plan.session.max_pause_h;
            let what =
                format!("the session paused for {hours:.1} hours, and the plan allows {most}");
            self.warnings.push(Problem::new(number, what));
        }
    }

    /// Both clocks of a run go on together.
    fn clock(&mut self, number: usize, mono_ms: f64, utc: i64) -> Wrong {
        let Some(clocks) = &mut self.clocks else {
            return Ok(());
        };
        let back = mono_ms < clocks.last_ms;
        clocks.last_ms = mono_ms;
        if back {
            return wrong("a clock that only goes on went back");
        }
        let wall_ms = utc.saturating_sub(clocks.utc_ms) as f64;
        let parted = wall_ms - (mono_ms - clocks.mono_ms);
        if parted.abs() > DRIFT_MS && !clocks.warned {
            clocks.warned = true;
            let seconds = parted / 1000.0;
            let what =
                format!("the computer's clock was set during the session, by {seconds:.1} s");
            self.warnings.push(Problem::new(number, what));
        }
        Ok(())
    }
}
