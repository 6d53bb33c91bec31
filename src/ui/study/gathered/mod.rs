//! *Collect* and *Report*: what readers handed in, whether it is whole, and what it shows.

mod collect;
mod inputs;
mod report;

pub use inputs::Inputs;

use super::files::StudyFile;
use super::task::Task;
use crate::study::given::{self, Opener};
use crate::study::merge::merge;
use crate::study::report::Report;
use crate::study::results::{Asked, results};
use crate::study::verify::{Receipt, Verified, verify};
use crate::ui::projector::Wake;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Both screens' state.
pub struct Gathered {
    inputs: Inputs,
    /// As they were typed, by reader.
    receipts: BTreeMap<String, String>,
    work: Option<Task<Result<Outcome, String>>>,
    verified: Option<Checked>,
    merged: Option<PathBuf>,
    /// The folder of the report, and what it says.
    reported: Option<(PathBuf, Box<Report>)>,
    /// Where the report goes; `report` in the study's folder where none is given.
    out: Option<PathBuf>,
    interim: bool,
    why: Option<String>,
    wake: Wake,
}

enum Outcome {
    Verified(Checked),
    Merged(PathBuf),
    Reported(PathBuf, Box<Report>),
}

/// What was checked, of which files.
struct Checked {
    verified: Verified,
    /// Of the plan.
    readers: Vec<String>,
    logs: Vec<PathBuf>,
}

impl Checked {
    /// Readers of the plan who have handed in nothing.
    fn missing(&self) -> Vec<&str> {
        let there = |reader: &&String| !self.verified.logs.iter().any(|l| l.reader == **reader);
        let missing = self.readers.iter().filter(there);
        missing.map(String::as_str).collect()
    }

    /// Whether every reader has read to the end, or left.
    fn is_complete(&self) -> bool {
        let ended = |log: &crate::study::verify::LogVerified| log.complete || log.withdrawn;
        self.missing().is_empty() && self.verified.logs.iter().all(ended)
    }
}

impl Gathered {
    pub fn new(wake: Wake) -> Self {
        Self {
            inputs: Inputs::default(),
            receipts: BTreeMap::new(),
            work: None,
            verified: None,
            merged: None,
            reported: None,
            out: None,
            interim: false,
            why: None,
            wake,
        }
    }

    /// Takes a file that was chosen.
    pub fn take(&mut self, file: StudyFile, path: PathBuf) {
        match file {
            StudyFile::Merged => return self.merge(path),
            StudyFile::Report => {
                self.out = Some(path);
                return;
            }
            file => {
                if let Err(why) = self.inputs.take(file, path) {
                    self.changed();
                    self.why = Some(why);
                    return;
                }
            }
        }
        self.changed();
    }

    /// What was found of other files is no longer so.
    fn changed(&mut self) {
        self.work = None;
        self.verified = None;
        self.merged = None;
        self.reported = None;
        self.interim = false;
        self.why = None;
    }

    pub fn is_busy(&self) -> bool {
        self.work.is_some()
    }

    pub fn step_back(&mut self) {
        self.work = None;
    }

    pub fn pursue(&mut self) {
        let Some(outcome) = self.work.as_ref().and_then(Task::take) else {
            return;
        };
        self.work = None;
        match outcome.and_then(|o| o) {
            Ok(Outcome::Verified(checked)) => self.verified = Some(checked),
            Ok(Outcome::Merged(path)) => self.merged = Some(path),
            Ok(Outcome::Reported(path, report)) => self.reported = Some((path, report)),
            Err(why) => self.why = Some(why),
        }
    }

    fn start(&mut self, work: impl FnOnce() -> Result<Outcome, String> + Send + 'static) {
        self.why = None;
        match Task::start("study", &self.wake, move |_| work()) {
            Ok(task) => self.work = Some(task),
            Err(why) => self.why = Some(why),
        }
    }

    fn check(&mut self) {
        self.verified = None;
        self.merged = None;
        let inputs = self.inputs.clone();
        let typed: Vec<(String, String)> = self.receipts.clone().into_iter().collect();
        self.start(move || {
            let plan = inputs.plan()?;
            let bytes = given::logs(&inputs.logs).map_err(|e| format!("{e}."))?;
            let receipts: Result<Vec<Receipt>, _> = typed
                .iter()
                .filter(|(_, code)| !code.trim().is_empty())
                .map(|(reader, code)| Receipt::parse(&format!("{reader}={code}")))
                .collect();
            let receipts = receipts.map_err(|e| format!("{e}."))?;
            let verified = verify(bytes.iter().map(Vec::as_slice), &plan, &receipts);
            Ok(Outcome::Verified(Checked {
                verified: verified.map_err(|e| format!("{e}."))?,
                readers: plan.readers.iter().map(|r| r.reader.clone()).collect(),
                logs: inputs.logs,
            }))
        });
    }

    fn merge(&mut self, out: PathBuf) {
        let inputs = self.inputs.clone();
        self.start(move || {
            let plan = inputs.plan()?;
            let bytes = given::logs(&inputs.logs).map_err(|e| format!("{e}."))?;
            let merged =
                merge(bytes.iter().map(Vec::as_slice), &plan).map_err(|e| format!("{e}."))?;
            crate::files::write_atomically(&out, &merged.bytes)
                .map_err(|e| format!("{}: it cannot be written ({e}).", out.display()))?;
            Ok(Outcome::Merged(out))
        });
    }

    fn report_to(&mut self, out: PathBuf) {
        self.reported = None;
        let (inputs, interim) = (self.inputs.clone(), self.interim);
        self.start(move || {
            let key = inputs.key()?.ok_or("The key is needed: choose it.")?;
            let plan_file = inputs.plan.as_deref().unwrap_or(Path::new(""));
            let plan =
                given::plan(plan_file, Opener::Key(&key.key)).map_err(|e| format!("{e}."))?;
            let logs = given::logs(&inputs.logs).map_err(|e| format!("{e}."))?;
            let asked = Asked {
                plan_file,
                plan: &plan,
                key: &key,
                logs: &logs,
                interim,
                out: &out,
            };
            let report = results(&asked).map_err(|e| format!("{e}."))?;
            Ok(Outcome::Reported(out, Box::new(report)))
        });
    }
}
