//! A session that a file answers instead of a reader: the same machine, the same log, `script` in it.
//!
//! Columns `trial,answer,confidence,rt_ms`: `answer` is `real`, `fake`, or empty for a trial without one
//! (which waits for the time limit, where there is one). Where a row is missing the session stops there, as a
//! reader stops; where it was stopped, or killed, another run goes on. Time is the script's own: it begins
//! with the stamp given and goes on by what the rows and the plan say.

use super::plan::{Answering, Plan};
use super::record::{Answer, PresentedBy};
use super::session::{
    About, BLANK_MS, Control, Display, Event, Session, SessionError, Shows, Start,
};
use super::stamp::{Stamp, tenths};
use crate::files::text_of;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of a script.
const MOST_BYTES: usize = 16 << 20;
/// Milliseconds that a confidence takes.
const SURE_MS: f64 = 500.0;
/// Milliseconds of an answer without a time of its own.
const USUAL_MS: f64 = 2000.0;

/// Why a script was not read or run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("this is no script: it needs the columns trial,answer,confidence,rt_ms ({0})")]
    NoScript(String),
    /// A line of the file, from 1.
    #[error("line {line} of the script cannot be used: {why}")]
    Row { line: u64, why: String },
    #[error("{0}")]
    Session(#[from] SessionError),
}

/// What is answered, by trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    rows: BTreeMap<usize, Row>,
}

#[derive(Clone, Debug, PartialEq)]
struct Row {
    answer: Option<Answer>,
    confidence: Option<u8>,
    rt_ms: Option<f64>,
    line: u64,
}

#[derive(Deserialize)]
struct Written {
    trial: usize,
    answer: Option<String>,
    confidence: Option<u8>,
    rt_ms: Option<f64>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// When it is no CSV with these columns, or a row is no answer or there twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, ScriptError> {
        if bytes.len() > MOST_BYTES {
            return Err(ScriptError::NoScript("it is too long".into()));
        }
        let text = text_of(bytes).map_err(|e| ScriptError::NoScript(e.to_string()))?;
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let headers = reader
            .headers()
            .map_err(|e| ScriptError::NoScript(e.to_string()))?;
        for wanted in ["trial", "answer"] {
            if headers.iter().all(|h| h != wanted) {
                return Err(ScriptError::NoScript(format!("{wanted} is missing")));
            }
        }
        let headers = headers.clone();
        let mut rows = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| ScriptError::NoScript(e.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            let wrong = |why: String| ScriptError::Row { line, why };
            let row = record.deserialize::<Written>(Some(&headers));
            let row = row.map_err(|e| wrong(e.to_string()))?;
            let answer = match row.answer.as_deref() {
                None | Some("") => None,
                Some(word) if word.eq_ignore_ascii_case("real") => Some(Answer::Real),
                Some(word) if word.eq_ignore_ascii_case("fake") => Some(Answer::Fake),
                Some(word) => {
                    let why = format!("an answer is real, fake or nothing, and this is '{word}'");
                    return Err(wrong(why));
                }
            };
            let given = Row {
                answer,
                confidence: row.confidence,
                rt_ms: row.rt_ms,
                line,
            };
            if rows.insert(row.trial, given).is_some() {
                return Err(wrong(format!("trial {} is there twice", row.trial)));
            }
        }
        Ok(Self { rows })
    }

    /// Whether a reader with this plan could answer so.
    ///
    /// # Errors
    /// When there is no such trial, or a confidence or time that no reader could give.
    pub fn check(&self, plan: &Plan, place: usize) -> Result<(), ScriptError> {
        let reading = plan.readers.get(place).ok_or(SessionError::NoReader)?;
        for (trial, row) in &self.rows {
            let line = row.line;
            let wrong = |why: String| Err(ScriptError::Row { line, why });
            if !(1..=reading.trials.len()).contains(trial) {
                return wrong(format!("{} has no trial {trial}", reading.reader));
            }
            if let Err(why) = row.fits(&plan.answer) {
                return wrong(why);
            }
        }
        Ok(())
    }
}

impl Row {
    fn fits(&self, plan: &Answering) -> Result<(), String> {
        let least = f64::from(plan.min_view_ms);
        let limit = plan.time_limit_s.map(|s| s * 1000.0);
        if let Some(ms) = self.rt_ms {
            let in_time = ms >= least && ms < limit.unwrap_or(1e9);
            if !in_time && (self.answer.is_some() || limit.is_none()) {
                return Err(format!("no answer is taken after {ms} ms"));
            }
        }
        match (self.answer, self.confidence) {
            (None, Some(_)) => Err("there is a confidence without an answer".into()),
            (Some(_), None) if plan.confidence > 0 => Err(format!(
                "the plan asks for a confidence of 1 to {}",
                plan.confidence
            )),
            (Some(_), Some(step)) if !(1..=plan.confidence).contains(&step) => {
                let most = plan.confidence;
                Err(format!(
                    "a confidence of {step} is not on the plan's scale of {most} steps"
                ))
            }
            _ => Ok(()),
        }
    }

    /// As the log has it: to a tenth of a millisecond.
    fn rt_ms(&self, plan: &Answering) -> f64 {
        let least = f64::from(plan.min_view_ms);
        let usual = plan
            .time_limit_s
            .map_or(USUAL_MS, |s| (s * 500.0).min(USUAL_MS));
        tenths(self.rt_ms.unwrap_or(usual.max(least)))
    }
}

/// What a script came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    pub reader: String,
    pub answered: usize,
    pub trials: usize,
    pub complete: bool,
    pub receipt: String,
}

/// Time of the script's own, by both clocks alike.
struct Clock {
    start: Stamp,
    mono_ms: f64,
}

impl Clock {
    fn now(&self) -> Stamp {
        self.start.after(self.mono_ms - self.start.mono_ms)
    }

    fn wait(&mut self, ms: f64) -> Stamp {
        self.mono_ms += ms;
        self.now()
    }
}

/// Answers the session of a reader with a script, from where the log ends to the end or to the first row that
/// is missing. `pace` is called before each step: it may sleep, so that a run can be watched or killed.
///
/// # Errors
/// When the script does not fit the plan, or the log cannot be gone on with.
pub fn run(
    script: &Script,
    plan: &Arc<Plan>,
    place: usize,
    start: Start<'_>,
    mut pace: impl FnMut(),
) -> Result<Ran, ScriptError> {
    script.check(plan, place)?;
    let by = PresentedBy::Script;
    let mut session = Session::open(Arc::clone(plan), place, Start { by, ..start })?;
    let mut clock = Clock {
        start: start.at,
        mono_ms: start.at.mono_ms,
    };
    while !session.is_over() {
        pace();
        let row = session
            .next()
            .and_then(|trial| script.rows.get(&trial.trial));
        let Some(row) = row else {
            break;
        };
        let at = clock.now();
        match session.screen(at.mono_ms).shows {
            Shows::Instruction { .. } | Shows::Ready | Shows::Paused { .. } => {
                session.take(Event::Script(Control::Next), at)?;
            }
            Shows::Consent { .. } => session.take(Event::Consented, at)?,
            Shows::About => {
                let role = "script".to_owned();
                let about = About {
                    role,
                    ..About::default()
                };
                session.take(Event::About(about), at)?;
            }
            Shows::Display => session.take(Event::Display(Display::default()), at)?,
            Shows::Blank { clip } => {
                let loaded = Event::Loaded(clip.to_owned());
                // From whole milliseconds tenths are reached without what sums leave behind.
                clock.mono_ms = (clock.mono_ms + BLANK_MS).ceil();
                session.take(loaded, clock.now())?;
            }
            Shows::Trial { .. } => {
                session.take(Event::Painted { late: false }, at)?;
                pace();
                trial(&mut session, row, &mut clock)?;
            }
            Shows::Confidence { .. } => {
                let step = Control::Sure(row.confidence.unwrap_or(1));
                session.take(Event::Script(step), clock.wait(SURE_MS))?;
            }
            Shows::Break { left_ms } => {
                let over = clock.wait(left_ms);
                session.take(Event::Script(Control::Next), over)?;
            }
            Shows::Finished { .. } | Shows::Withdrawn { .. } => break,
        }
    }
    Ok(Ran {
        reader: session.reader().to_owned(),
        answered: session.answered(),
        trials: session.trials(),
        complete: session.is_complete(),
        receipt: session.close(clock.now())?,
    })
}

/// From the first pass with the clip to its answer.
fn trial(session: &mut Session, row: &Row, clock: &mut Clock) -> Result<(), SessionError> {
    let answering = session.plan().answer;
    let control = match (row.answer, answering.time_limit_s) {
        (Some(Answer::Real), _) => Control::Real,
        (Some(Answer::Fake), _) => Control::Fake,
        (None, None) => Control::NoAnswer,
        (None, Some(limit_s)) => {
            return session.take(Event::Tick, clock.wait((limit_s * 1000.0).ceil()));
        }
    };
    session.take(Event::Script(control), clock.wait(row.rt_ms(&answering)))
}

#[cfg(test)]
mod tests;
