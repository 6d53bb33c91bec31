//! *Collect* and *Report*: what readers handed in, whether it is whole, and what it shows.

mod collect;
mod inputs;
mod report;

use inputs::{Did, Inputs};

use super::files::StudyFile;
use crate::study::given::{self, Opener};
use crate::study::merge::{MergeError, merge};
use crate::study::report::Report;
use crate::study::results::{Asked, ResultsError, results};
use crate::study::verify::{Receipt, Verified, verify};
use crate::ui::parts::progress;
use crate::ui::projector::Wake;
use crate::ui::task::{Reporter, Task, finished};
use egui::Ui;
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
    Taken(Inputs),
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
            StudyFile::Merged => self.merge(path),
            StudyFile::Report => self.out = Some(path),
            file => {
                self.changed();
                if matches!(file, StudyFile::Folder | StudyFile::Plan) {
                    // Of another study.
                    self.out = None;
                    self.receipts.clear();
                }
                let mut inputs = self.inputs.clone();
                self.start(move |_| {
                    inputs.take(file, path)?;
                    Ok(Outcome::Taken(inputs))
                });
            }
        }
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
        let Some(outcome) = finished(&mut self.work) else {
            return;
        };
        match outcome {
            Ok(Outcome::Taken(inputs)) => self.inputs = inputs,
            Ok(Outcome::Verified(checked)) => self.verified = Some(checked),
            Ok(Outcome::Merged(path)) => self.merged = Some(path),
            Ok(Outcome::Reported(path, report)) => self.reported = Some((path, report)),
            Err(why) => self.why = Some(why),
        }
    }

    /// What both screens are given. A file that the user is to choose.
    fn inputs_ui(&mut self, ui: &mut Ui, with_key: bool) -> Option<StudyFile> {
        let free = !self.is_busy();
        let did = ui.add_enabled_ui(free, |ui| self.inputs.ui(ui, with_key));
        match did.inner? {
            Did::Ask(file) => Some(file),
            Did::Changed => {
                self.changed();
                None
            }
        }
    }

    /// What is being done. Whether anything is.
    fn work_ui(&mut self, ui: &mut Ui) -> bool {
        let Some(work) = &self.work else {
            return false;
        };
        if progress(ui, &work.progress()) {
            self.work = None;
        }
        true
    }

    fn start(&mut self, work: impl FnOnce(&Reporter) -> Result<Outcome, String> + Send + 'static) {
        self.why = None;
        match Task::start("study", &self.wake, work) {
            Ok(task) => self.work = Some(task),
            Err(why) => self.why = Some(why),
        }
    }

    fn check(&mut self) {
        self.merged = None;
        let inputs = self.inputs.clone();
        let typed: Vec<(String, String)> = self.receipts.clone().into_iter().collect();
        self.start(move |_| {
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
        self.start(move |reporter| {
            if inputs.has(&out) {
                return Err(format!(
                    "{}: it is one of the study's own files: choose another name.",
                    out.display()
                ));
            }
            let plan = inputs.plan()?;
            let bytes = given::logs(&inputs.logs).map_err(|e| format!("{e}."))?;
            let merged = merge(bytes.iter().map(Vec::as_slice), &plan);
            let merged = merged.map_err(|e| with_file(&e, &inputs.logs))?;
            goes_on(reporter)?;
            crate::files::write_atomically(&out, &merged.bytes)
                .map_err(|e| format!("{}: it cannot be written ({e}).", out.display()))?;
            Ok(Outcome::Merged(out))
        });
    }

    fn report_to(&mut self, out: PathBuf) {
        self.reported = None;
        let (inputs, interim) = (self.inputs.clone(), self.interim);
        self.start(move |reporter| {
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
            // From here on it is written down that the key was opened.
            goes_on(reporter)?;
            let report = results(&asked).map_err(|e| match e {
                ResultsError::Logs(e) => with_file(&e, &inputs.logs),
                e => format!("{e}."),
            })?;
            Ok(Outcome::Reported(out, Box::new(report)))
        });
    }
}

/// Before anything is written: whether anybody still waits for it.
fn goes_on(reporter: &Reporter) -> Result<(), String> {
    match reporter.report("", 0.5) {
        true => Ok(()),
        false => Err(String::new()),
    }
}

/// The error, behind the file that it is about.
fn with_file(e: &MergeError, logs: &[PathBuf]) -> String {
    let file = match e {
        MergeError::Wrong { file, .. } | MergeError::NoReader { file } => logs.get(*file),
        _ => None,
    };
    match file {
        Some(path) => format!("{}: {e}.", path.display()),
        None => format!("{e}."),
    }
}
