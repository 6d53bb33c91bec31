//! Whether logs are what readers' sessions wrote.
//!
//! The chain finds accidents, and edits of what a receipt covers. Without receipts someone who has the program
//! and a code could have written another log from its beginning; nothing in a file could tell.

use super::code::Code;
use super::log::{self, Problem, ReadLog};
use super::plan::Plan;
use serde::Serialize;

/// A receipt that a reader handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub reader: String,
    pub code: Code,
}

/// Why nothing could be verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    #[error("a receipt is said as R1=XXXXX-XXXXX-XXXXX-XXXXX, and this is {0}")]
    NoReceipt(String),
    #[error("there is a receipt of {0}, and no log: give that reader's log, too")]
    NoLog(String),
}

impl Receipt {
    /// Of `R1=XXXXX-XXXXX-XXXXX-XXXXX`.
    ///
    /// # Errors
    /// When it is not said so.
    pub fn parse(text: &str) -> Result<Self, VerifyError> {
        let no_receipt = || VerifyError::NoReceipt(text.to_owned());
        let (reader, code) = text.split_once('=').ok_or_else(no_receipt)?;
        let code = Code::parse(code).map_err(|_| no_receipt())?;
        let reader = reader.trim().to_owned();
        Ok(Self { reader, code })
    }
}

/// What verifying came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub ok: bool,
    pub logs: Vec<LogVerified>,
}

/// One reader's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogVerified {
    /// Which of the files it lies in, from 0.
    #[serde(skip)]
    pub file: usize,
    /// Empty where the log does not say.
    pub reader: String,
    pub lines: usize,
    pub answered: usize,
    pub trials: usize,
    pub complete: bool,
    pub withdrawn: bool,
    pub runs: usize,
    /// Of its last line; empty where there is none.
    pub receipt: String,
    /// What no session writes.
    pub problems: Vec<Problem>,
    /// What should be looked at and is no fault: clocks, long pauses, a half line at the end.
    pub warnings: Vec<Problem>,
}

/// Verifies logs of a study with this plan: files that hold one each, or several as `merge` writes them. Each
/// log of a reader has to hold the line of each receipt of theirs.
///
/// # Errors
/// When there is a receipt of a reader without a log.
pub fn verify<'a>(
    files: impl IntoIterator<Item = &'a [u8]>,
    plan: &Plan,
    receipts: &[Receipt],
) -> Result<Verified, VerifyError> {
    let mut logs = Vec::new();
    for (file, bytes) in files.into_iter().enumerate() {
        for (first, bytes) in log::split(bytes) {
            let read = log::read(bytes, plan, first);
            logs.push(LogVerified::new(file, first, &read, receipts));
        }
    }
    for receipt in receipts {
        if logs.iter().all(|log| log.reader != receipt.reader) {
            return Err(VerifyError::NoLog(receipt.reader.clone()));
        }
    }
    Ok(Verified {
        ok: logs.iter().all(|log| log.problems.is_empty()),
        logs,
    })
}

impl LogVerified {
    fn new(file: usize, first: usize, read: &ReadLog, receipts: &[Receipt]) -> Self {
        let mut problems = read.problems.clone();
        let own = receipts.iter().filter(|r| r.reader == read.reader);
        for receipt in own.filter(|r| read.line_of(&r.code).is_none()) {
            let last = read.lines.last().map_or(first, |(number, _)| *number);
            let code = receipt.code;
            let what = format!(
                "no line of this log has the receipt {code}: lines after this one were cut off, or lines \
                 before it changed"
            );
            problems.push(Problem { line: last, what });
        }
        Self {
            file,
            reader: read.reader.clone(),
            lines: read.lines.len(),
            answered: read.answered(),
            trials: read.answers.len(),
            complete: read.complete,
            withdrawn: read.withdrawn,
            runs: read.runs.len(),
            receipt: read.receipt().unwrap_or_default(),
            problems,
            warnings: read.warnings.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
