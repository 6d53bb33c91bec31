//! Logs of several readers, or of one reader from several places, become one file.
//!
//! The file holds the logs as they are, byte for byte, one after another in the order of the plan's readers,
//! one for each reader; a half line at the end of a log, which is no line yet, is left out, and a last line
//! that lacks its newline gets it. Line 0 of each begins the next, so [`super::log::split`] finds them again,
//! and a merged file is given wherever a log is.

use super::log::{self, Problem};
use super::plan::Plan;
use serde::Serialize;
use std::collections::BTreeMap;

/// Logs of one reader that part: each has lines that the other has not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    pub reader: String,
    /// Of each log's last line, sorted.
    pub receipts: Vec<String>,
}

/// Why logs were not merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    #[error("there is no log to merge")]
    Nothing,
    /// In the file with this place among those given.
    #[error("line {} of a log is not as a session writes it ({}): verify it", problem.line, problem.what)]
    Wrong { file: usize, problem: Problem },
    #[error("a log has no whole line yet, so it is nobody's: leave it out")]
    NoReader { file: usize },
    #[error("{}", conflicts(.0))]
    Conflicts(Vec<Conflict>),
}

fn conflicts(all: &[Conflict]) -> String {
    let each = all.iter().map(|c| {
        let receipts = c.receipts.join(" and ");
        format!(
            "{} read twice from one beginning (receipts {receipts})",
            c.reader
        )
    });
    let each: Vec<String> = each.collect();
    format!(
        "{}: find out which of the logs is the reader's, and leave the other out",
        each.join(", ")
    )
}

/// Logs in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    pub bytes: Vec<u8>,
    /// In the plan's order.
    pub readers: Vec<String>,
    /// Of all readers together.
    pub answered: usize,
}

struct One {
    bytes: Vec<u8>,
    receipt: String,
    answered: usize,
}

/// Merges logs of a study with this plan; the order in which they are given makes no difference. Of logs of
/// one reader of which one begins the other, the longer is taken.
///
/// # Errors
/// When something is wrong with a log, it is of another plan, or two of one reader part.
pub fn merge<'a>(
    files: impl IntoIterator<Item = &'a [u8]>,
    plan: &Plan,
) -> Result<Merged, MergeError> {
    let mut by_reader: BTreeMap<usize, Vec<One>> = BTreeMap::new();
    for (file, bytes) in files.into_iter().enumerate() {
        for (first, bytes) in log::split(bytes) {
            let read = log::read(bytes, plan, first);
            if let Some(problem) = read.problems.first() {
                let problem = problem.clone();
                return Err(MergeError::Wrong { file, problem });
            }
            let place = read.place.ok_or(MergeError::NoReader { file })?;
            let mut whole = read.whole(bytes).to_vec();
            if whole.last() != Some(&b'\n') {
                whole.push(b'\n');
            }
            by_reader.entry(place).or_default().push(One {
                bytes: whole,
                receipt: read.receipt().unwrap_or_default(),
                answered: read.answered(),
            });
        }
    }
    let mut merged = Merged {
        bytes: Vec::new(),
        readers: Vec::new(),
        answered: 0,
    };
    let mut conflicts = Vec::new();
    for (place, mut logs) in by_reader {
        let reader = plan.readers.get(place).map(|r| r.reader.clone());
        let reader = reader.unwrap_or_default();
        logs.sort_by_key(|log| std::cmp::Reverse(log.bytes.len()));
        let Some((longest, others)) = logs.split_first() else {
            continue;
        };
        if others
            .iter()
            .any(|other| !longest.bytes.starts_with(&other.bytes))
        {
            let mut receipts: Vec<String> = logs.into_iter().map(|log| log.receipt).collect();
            receipts.sort();
            receipts.dedup();
            conflicts.push(Conflict { reader, receipts });
            continue;
        }
        merged.bytes.extend_from_slice(&longest.bytes);
        merged.readers.push(reader);
        merged.answered += longest.answered;
    }
    if !conflicts.is_empty() {
        return Err(MergeError::Conflicts(conflicts));
    }
    if merged.readers.is_empty() {
        return Err(MergeError::Nothing);
    }
    Ok(merged)
}

#[cfg(test)]
mod tests;
