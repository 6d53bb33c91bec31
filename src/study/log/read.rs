//! A log is read: what was answered, and whether that can be.

use super::chain::{Chain, End, chain};
use super::rules::Rules;
use crate::study::code::{Code, receipt};
use crate::study::plan::{Kind, Plan};
use crate::study::record::{Answer, Input, Line, PresentedBy};
use serde::Serialize;

/// What is wrong with a line, by its number in the file, from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub line: usize,
    pub what: String,
}

impl Problem {
    pub(super) fn new(line: usize, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { line, what }
    }
}

/// The one answer to a trial that counts: the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// From 1.
    pub trial: usize,
    pub clip: String,
    pub kind: Kind,
    /// Over 1 where the trial was interrupted and shown again; its times count in no result then.
    pub attempt: usize,
    /// Place in [`ReadLog::runs`].
    pub run: usize,
    /// None where the time limit passed.
    pub answer: Option<Answer>,
    /// From 1; none where the plan asks for none, or nothing was answered.
    pub confidence: Option<u8>,
    pub rt_ms: f64,
    pub confidence_ms: Option<f64>,
    pub loops: usize,
    pub passes: usize,
    pub late_passes: usize,
    pub input: Input,
    /// In the file, from 1.
    pub line: usize,
}

impl Answered {
    /// How sure the reader is that the clip is fake: + confidence for fake, - for real, 1 where none was
    /// asked for. None where nothing was answered.
    pub fn rating(&self) -> Option<i8> {
        let size = self.confidence.unwrap_or(1).min(9) as i8;
        self.answer.map(|answer| match answer {
            Answer::Fake => size,
            Answer::Real => -size,
        })
    }
}

/// One run of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// A UUID.
    pub run: String,
    /// Name and version.
    pub program: String,
    pub presentation: PresentedBy,
    /// When it began, by its own clock: not to be compared with another log's.
    pub utc: String,
    /// In the file, from 1.
    pub line: usize,
}

/// A log that was read.
#[derive(Clone, Debug)]
pub struct ReadLog {
    /// Whose it says it is; empty where it does not.
    pub reader: String,
    /// The reader's place in [`Plan::readers`].
    pub place: Option<usize>,
    /// All whole lines, with their numbers in the file.
    pub lines: Vec<(usize, Line)>,
    pub runs: Vec<Run>,
    /// By the place of the trial in the reader's list.
    pub answers: Vec<Option<Answered>>,
    /// How often each trial was shown, answered or not.
    pub shown: Vec<usize>,
    pub consented: bool,
    pub about: bool,
    /// Every trial of the reader's list has its answer, and the reader did not leave.
    pub complete: bool,
    /// The reader left: these readings are in no report.
    pub withdrawn: bool,
    /// Nothing can follow: the session was closed as complete, or the reader left.
    pub ended: bool,
    /// What no session writes, by line. With any the log is not to be trusted.
    pub problems: Vec<Problem>,
    /// What should be looked at: clocks, long pauses, a half line at the end.
    pub warnings: Vec<Problem>,
    pub(super) end: End,
    hashes: Vec<[u8; 32]>,
}

impl ReadLog {
    pub fn answered(&self) -> usize {
        self.answers.iter().flatten().count()
    }

    /// The place of the first trial without an answer.
    pub fn next(&self) -> Option<usize> {
        self.answers.iter().position(Option::is_none)
    }

    /// Whether any of it was written by a script: then it was not read by a person.
    pub fn is_scripted(&self) -> bool {
        let script = |run: &Run| run.presentation == PresentedBy::Script;
        self.runs.iter().any(script)
    }

    /// Of the last line; none in a log without lines.
    pub fn receipt(&self) -> Option<String> {
        self.hashes.last().map(receipt)
    }

    /// The number in the file of the line with this receipt.
    pub fn line_of(&self, receipt: &Code) -> Option<usize> {
        let is_it = |hash: &[u8; 32]| Code::of_hash(hash) == *receipt;
        let place = self.hashes.iter().position(is_it)?;
        self.lines.get(place).map(|(number, _)| *number)
    }

    /// Of the bytes that were read, those of whole lines and of what `torn` names: all but a half line at the
    /// end.
    pub(in crate::study) fn whole<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        match &self.end {
            End::Half { bytes: half, .. } => bytes.get(..half.start).unwrap_or_default(),
            End::Whole | End::NoNewline => bytes,
        }
    }

    pub(super) fn last_hash(&self) -> Option<&[u8; 32]> {
        self.hashes.last()
    }
}

/// Reads one log of a study with this plan; what is wrong with it is in it. `first` is the number of its
/// first line, 1 but where [`super::split`] says another.
pub fn read(bytes: &[u8], plan: &Plan, first: usize) -> ReadLog {
    let Chain {
        lines,
        mut problems,
        mut warnings,
        end,
    } = chain(bytes, &plan.sha256(), first);
    let mut rules = Rules::new(plan);
    for chained in &lines {
        rules.take(chained.number, &chained.line);
    }
    // One line, one problem: what broke the chain says it first.
    for problem in std::mem::take(&mut rules.problems) {
        if problems.iter().all(|p| p.line != problem.line) {
            problems.push(problem);
        }
    }
    problems.sort_by_key(|p| p.line);
    warnings.append(&mut rules.warnings);
    warnings.sort_by_key(|w| w.line);
    let complete = rules.is_complete();
    ReadLog {
        complete,
        reader: rules.reader,
        place: rules.place,
        runs: rules.runs,
        answers: rules.answers,
        shown: rules.shown,
        consented: rules.consented,
        about: rules.about,
        withdrawn: rules.withdrawn,
        ended: rules.ended,
        problems,
        warnings,
        end,
        hashes: lines.iter().map(|l| l.hash).collect(),
        lines: lines.into_iter().map(|l| (l.number, l.line)).collect(),
    }
}
