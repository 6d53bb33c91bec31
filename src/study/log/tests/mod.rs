//! Logs that a script wrote, and what may have happened to them since.

mod chain;
mod rules;
mod write;

use crate::study::log::{Problem, read};
use crate::study::plan::Plan;
use crate::study::record::Line;
use crate::study::testing::log_of;

/// The lines of a log, each with its newline.
pub fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|&b| b == b'\n').collect()
}

pub fn problems(bytes: &[u8], plan: &Plan) -> Vec<Problem> {
    read(bytes, plan, 1).problems
}

/// Lines that fit each other, whatever they say.
pub fn chained(plan: &Plan, all: impl IntoIterator<Item = Line>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut prev = plan.sha256();
    for (n, line) in all.into_iter().enumerate() {
        let text = serde_json::to_vec(&Line { n, prev, ..line }).unwrap();
        prev = crate::hash::sha256(&text);
        bytes.extend_from_slice(&text);
        bytes.push(b'\n');
    }
    bytes
}

/// A whole log of R1, as lines that can be changed and chained again.
pub fn whole(plan: &Plan) -> Vec<Line> {
    let read = read(&log_of(plan, 0), plan, 1);
    read.lines.into_iter().map(|(_, line)| line).collect()
}
