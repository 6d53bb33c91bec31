//! What a reader study found: figures, page, tables and files for other programs.
//!
//! 1. `readings` joins answers with the key, leaves out who withdrew, and sorts: the order of logs changes
//!    nothing.
//! 2. `primary`, `classes`, `readers`, `d_prime`, `agreement`, `times` compute [`Report`].
//! 3. [`write()`] puts it into words and files: `page` (`report.html`), `tables`, `imrmc`, `checklist`.
//!
//! Readings of readers who withdrew and practice count nowhere, repeats only in a reader's agreement with
//! themselves. A clip that was shown again after a crash counts in accuracy, never in times. No answer within
//! the time is missing, not wrong. No clock, no disk and no random numbers but from the plan's hash: a report
//! of the same logs is the same to the byte.

mod agreement;
mod checklist;
mod classes;
mod d_prime;
mod estimate;
mod figures;
mod flow;
mod imrmc;
mod page;
mod primary;
mod readers;
mod readings;
mod resample;
mod tables;
#[cfg(test)]
mod tests;
mod times;
mod warnings;
mod words;

pub use agreement::{Agreement, Pair, Repeated};
pub use classes::{ClassFigures, Difference, Ratings};
pub use d_prime::DPrime;
pub use estimate::Estimate;
pub use figures::{Overall, Report};
pub use primary::{Averaged, Otherwise, Verdict};
pub use readers::{Block, ReaderFigures};
pub use times::ResponseTimes;

use super::key::Key;
use super::plan::{Kind, Plan};
use super::record::{Answer, PresentedBy};
use std::io;

/// A trial that was answered, or whose time passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// Place in the plan's readers.
    pub reader: usize,
    /// As the plan numbers it, from 1.
    pub trial: usize,
    /// From 1.
    pub block: usize,
    pub clip: String,
    pub kind: Kind,
    /// None where the time limit passed: missing, not wrong.
    pub answer: Option<Answer>,
    /// From 1 to the steps of the plan's scale.
    pub confidence: Option<u8>,
    /// From the pass that painted the first frame to the answer.
    pub rt_ms: f64,
    /// From 1; more where the clip was shown again after a crash.
    pub attempt: usize,
    /// Of the screen while the trial was on it, and how many of them were late.
    pub passes: usize,
    pub late_passes: usize,
}

/// What a reader's log says beside the answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ReaderAbout {
    /// As in the plan.
    pub reader: String,
    /// In the reader's words; empty where they said nothing.
    pub role: String,
    /// Of experience.
    pub years: Option<f64>,
    pub glasses: Option<bool>,
    pub presentation: PresentedBy,
    /// Every version that wrote the log.
    pub programs: Vec<String>,
    /// 20 letters of the last line's hash.
    pub receipt: String,
    pub complete: bool,
    pub withdrawn: bool,
    /// Of the display, the longest of all runs; none without a window.
    pub period_ms: Option<f64>,
    /// Sentences about the log.
    pub warnings: Vec<String>,
}

/// A study whose key is open.
#[derive(Clone, Debug)]
pub struct Study<'a> {
    pub plan: &'a Plan,
    pub plan_sha256: String,
    pub key: &'a Key,
    /// In any order, one for each trial.
    pub responses: Vec<Response>,
    /// One for each log, in any order.
    pub readers: Vec<ReaderAbout>,
    /// A log is missing or incomplete.
    pub interim: bool,
    /// The study was unblinded before all logs were complete.
    pub interim_before: bool,
    /// By a passphrase.
    pub key_sealed: bool,
    /// `audit.json`.
    pub audit: Option<serde_json::Value>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("no reader has answered a trial that counts: there is nothing to report")]
    NoAnswers,
    /// An answer is of a reader who is not in the plan, or whose log was not given.
    #[error("there are answers of {0}, but no log of such a reader of this plan")]
    Reader(String),
    #[error("there are two logs of {0}: merge them first")]
    TwoLogs(String),
    #[error("the answer of {reader} in trial {trial} is not of a trial of the plan")]
    Trial { reader: String, trial: usize },
    #[error("{reader} has two answers in trial {trial}: merge the logs first")]
    Twice { reader: String, trial: usize },
    #[error("the key does not say what the clip {0} is: it is the key of another study")]
    Clip(String),
    #[error("{file} cannot be written: {source}")]
    Write {
        file: &'static str,
        source: io::Error,
    },
    /// A table or its text cannot be made.
    #[error("{file} cannot be made: {why}")]
    Form { file: &'static str, why: String },
}

/// All figures of a study.
///
/// # Errors
/// When nobody answered, or when answers, plan and key do not belong together.
pub fn report(study: &Study) -> Result<Report, ReportError> {
    let readings = readings::Readings::of(study)?;
    let mut report = figures::of(study, &readings)?;
    report.warnings = warnings::of(&report, study, &readings);
    Ok(report)
}

/// Makes every file of the report and gives each, whole, to `write` with its name. Says the names.
///
/// # Errors
/// As [`report`], and the first error of `write`.
pub fn write(
    report: &Report,
    study: &Study,
    write: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>,
) -> Result<Vec<&'static str>, ReportError> {
    let readings = readings::Readings::of(study)?;
    let json = serde_json::to_vec_pretty(report).map_err(|e| ReportError::Form {
        file: "summary.json",
        why: e.to_string(),
    })?;
    let files = [
        ("report.html", page::page(report, study).into_bytes()),
        ("summary.json", json),
        ("trials.csv", tables::trials(study, &readings)?),
        ("readers.csv", tables::readers(report, study)?),
        ("clips.csv", tables::clips(&readings)?),
        ("study.imrmc", imrmc::study(&readings).into_bytes()),
        ("by_class.imrmc", imrmc::by_class(&readings).into_bytes()),
        ("mrmcaov.csv", imrmc::mrmcaov(&readings).into_bytes()),
        (
            "checklist.md",
            checklist::checklist(report, study).into_bytes(),
        ),
    ];
    files
        .into_iter()
        .map(|(file, bytes)| match write(file, &bytes) {
            Ok(()) => Ok(file),
            Err(source) => Err(ReportError::Write { file, source }),
        })
        .collect()
}
