//! From readers' logs to a study whose key is open: what is missing is seen before anything else is.

use super::key::Key;
use super::log::{self, ReadLog};
use super::merge::{MergeError, merge};
use super::plan::Plan;
use super::record::What;
use super::report::{ReaderAbout, Response, Study};
use super::unblind::Looked;

/// Logs of a study, each reader's once, with nothing wrong in them.
#[derive(Debug)]
pub struct Collected {
    logs: Vec<ReadLog>,
    /// Readers of the plan whose log is not there.
    pub missing: Vec<String>,
    /// Readers who have not read to the end.
    pub unfinished: Vec<String>,
}

impl Collected {
    /// Logs as they lie in files, one or several in each; of two of one reader the longer.
    ///
    /// # Errors
    /// When something is wrong with a log, it is of another plan, or two of one reader part.
    pub fn of<'a>(
        files: impl IntoIterator<Item = &'a [u8]>,
        plan: &Plan,
    ) -> Result<Self, MergeError> {
        let merged = merge(files, plan)?;
        let logs: Vec<ReadLog> = log::split(&merged.bytes)
            .into_iter()
            .map(|(first, bytes)| log::read(bytes, plan, first))
            .collect();
        let there = |reader: &str| logs.iter().any(|log| log.reader == reader);
        let names = plan.readers.iter().map(|r| r.reader.clone());
        let missing = names.filter(|name| !there(name)).collect();
        let unfinished = logs.iter().filter(|log| !log.complete && !log.withdrawn);
        Ok(Self {
            missing,
            unfinished: unfinished.map(|log| log.reader.clone()).collect(),
            logs,
        })
    }

    /// Whether every reader of the plan has read to the end, or left.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unfinished.is_empty()
    }

    /// What a look at these readings is written down with.
    pub fn looked(&self) -> Vec<Looked> {
        let looked = |log: &ReadLog| Looked {
            reader: log.reader.clone(),
            receipt: log.receipt().unwrap_or_default(),
            complete: log.complete,
        };
        self.logs.iter().map(looked).collect()
    }

    /// The study, with its key open.
    pub fn study<'a>(&self, plan: &'a Plan, key: &'a Key) -> Study<'a> {
        Study {
            plan,
            plan_sha256: plan.sha256(),
            key,
            responses: self
                .logs
                .iter()
                .flat_map(|log| responses(log, plan))
                .collect(),
            readers: self.logs.iter().map(about).collect(),
            interim: !self.is_complete(),
            interim_before: false,
            key_sealed: true,
            audit: None,
        }
    }
}

fn responses(log: &ReadLog, plan: &Plan) -> Vec<Response> {
    let Some((place, reading)) = log.place.and_then(|p| Some((p, plan.readers.get(p)?))) else {
        return Vec::new();
    };
    let response = |(answered, trial): (&Option<log::Answered>, &super::plan::Trial)| {
        let answered = answered.as_ref()?;
        Some(Response {
            reader: place,
            trial: answered.trial,
            block: trial.block,
            clip: answered.clip.clone(),
            kind: answered.kind,
            answer: answered.answer,
            confidence: answered.confidence,
            rt_ms: answered.rt_ms,
            attempt: answered.attempt,
            passes: answered.passes,
            late_passes: answered.late_passes,
        })
    };
    log.answers
        .iter()
        .zip(&reading.trials)
        .filter_map(response)
        .collect()
}

fn about(log: &ReadLog) -> ReaderAbout {
    let mut programs: Vec<String> = log.runs.iter().map(|run| run.program.clone()).collect();
    programs.dedup();
    let mut about = ReaderAbout {
        reader: log.reader.clone(),
        role: String::new(),
        years: None,
        glasses: None,
        // A single answer by a script makes it one.
        presentation: match log.is_scripted() {
            true => super::record::PresentedBy::Script,
            false => super::record::PresentedBy::Window,
        },
        programs,
        receipt: log.receipt().unwrap_or_default(),
        complete: log.complete,
        withdrawn: log.withdrawn,
        period_ms: None,
        warnings: log
            .warnings
            .iter()
            .map(|w| format!("Line {}: {}.", w.line, w.what))
            .collect(),
    };
    for (_, line) in &log.lines {
        match &line.what {
            What::About {
                role,
                years,
                glasses,
            } => {
                about.role.clone_from(role);
                (about.years, about.glasses) = (*years, *glasses);
            }
            What::Display {
                period_ms: Some(period),
                ..
            } => about.period_ms = Some(about.period_ms.map_or(*period, |p| p.max(*period))),
            _ => {}
        }
    }
    about
}
