//! The end of a study: logs and key are laid beside each other, which is written down first, and the report is
//! made of what they show.

use super::PROGRAM;
use super::collect::Collected;
use super::given::GivenKey;
use super::merge::MergeError;
use super::plan::Plan;
use super::report::{self, Report, ReportError, Study};
use super::stamp::Stamp;
use super::unblind::{self, Look, UnblindError};
use crate::files;
use std::io;
use std::path::{Path, PathBuf};

/// What a report is made of.
pub struct Asked<'a> {
    /// Where the plan lies; `audit.json` is looked for beside it.
    pub plan_file: &'a Path,
    pub plan: &'a Plan,
    pub key: &'a GivenKey,
    /// The bytes of files of logs.
    pub logs: &'a [Vec<u8>],
    /// A look before all readers have read to the end, which every later report tells of.
    pub interim: bool,
    /// A folder; made where it is not there.
    pub out: &'a Path,
}

/// Why there is no report. Nothing was unblinded, but where it says so.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    #[error(
        "{}: this is not the key that the plan was made with: give the one that has the study's name",
        .0.display()
    )]
    OtherKey(PathBuf),
    /// With the place of the file among those given, where it is about one.
    #[error(transparent)]
    Logs(#[from] MergeError),
    #[error("the study is not complete ({0})")]
    Incomplete(String),
    #[error("{}: {why}", path.display())]
    Unblind { path: PathBuf, why: UnblindError },
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("{}: it cannot be written to ({why})", path.display())]
    Out { path: PathBuf, why: io::Error },
}

/// What is still open: readers without a log, and those who have not read to the end. None where nothing is.
pub fn open_ends(collected: &Collected) -> Option<String> {
    let mut open = Vec::new();
    if !collected.missing.is_empty() {
        open.push(format!("no log of {}", collected.missing.join(", ")));
    }
    if !collected.unfinished.is_empty() {
        let who = collected.unfinished.join(", ");
        open.push(format!("{who} not read to the end"));
    }
    (!open.is_empty()).then(|| open.join("; "))
}

/// Unblinds a study and writes its report.
///
/// # Errors
/// When key, logs and plan do not belong together, the study is not complete and no interim look is asked for,
/// or the disk is full or fails.
pub fn results(asked: &Asked<'_>) -> Result<Report, ResultsError> {
    let Asked { plan, key, out, .. } = *asked;
    if !plan.commits_to(&key.opened.bytes) {
        return Err(ResultsError::OtherKey(key.path.clone()));
    }
    let collected = Collected::of(asked.logs.iter().map(Vec::as_slice), plan)?;
    if let Some(open) = open_ends(&collected).filter(|_| !asked.interim) {
        return Err(ResultsError::Incomplete(open));
    }

    // Written down before anything is seen.
    let path = unblind::beside(&key.path);
    let unblind = |why| ResultsError::Unblind {
        path: path.clone(),
        why,
    };
    let looks = unblind::read(&path).map_err(unblind)?;
    let look = Look {
        utc: Stamp::now().utc(),
        program: PROGRAM.into(),
        plan_sha256: plan.sha256(),
        logs: collected.looked(),
        complete: collected.is_complete(),
    };
    unblind::append(&path, &look).map_err(unblind)?;

    let audit = std::fs::read(asked.plan_file.with_file_name("audit.json"));
    let study = Study {
        interim_before: unblind::was_interim(&looks, &look.plan_sha256),
        key_sealed: key.opened.sealed,
        audit: audit
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok()),
        ..collected.study(plan, &key.key)
    };
    let found = report::report(&study)?;
    std::fs::create_dir_all(out).map_err(|why| ResultsError::Out {
        path: out.to_owned(),
        why,
    })?;
    report::write(&found, &study, &mut |name, bytes| {
        files::write_atomically(&out.join(name), bytes)
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::keyfile::OpenedKey;
    use crate::study::record::PresentedBy;
    use crate::study::script::{self, Script};
    use crate::study::session::Start;
    use crate::study::testing::{START, key, plan, script as answers};
    use std::sync::Arc;

    /// The logs of three machines, each with a clock and a program of its own, and the report of them.
    fn read_on(machines: [(i64, &str); 3]) -> Report {
        let folder = tempfile::tempdir().unwrap();
        let plan = Arc::new(plan());
        let logs = machines
            .iter()
            .enumerate()
            .map(|(place, (shift_ms, program))| {
                let machine = folder.path().join(format!("machine {place}"));
                std::fs::create_dir(&machine).unwrap();
                let log = machine.join("study.jsonl");
                let start = Start {
                    log: &log,
                    by: PresentedBy::Script,
                    program,
                    at: Stamp {
                        utc_ms: START.utc_ms + shift_ms,
                        ..START
                    },
                };
                let answers = Script::parse(answers().as_bytes()).unwrap();
                script::run(&answers, &plan, place, start, || ()).unwrap();
                std::fs::read(log).unwrap()
            });
        let logs: Vec<Vec<u8>> = logs.collect();
        let given = GivenKey {
            path: folder.path().join("study.key"),
            key: key(),
            opened: OpenedKey {
                bytes: key().to_bytes(),
                sealed: true,
            },
        };
        let out = folder.path().join("report");
        let found = results(&Asked {
            plan_file: &folder.path().join("plan.json"),
            plan: &plan,
            key: &given,
            logs: &logs,
            interim: false,
            out: &out,
        });
        assert!(out.join("report.html").is_file());
        found.unwrap()
    }

    #[test]
    fn clocks_of_three_machines_change_no_figure_and_two_programs_are_told_of() {
        let day = 24 * 3_600_000;
        let usual = read_on([(0, "EchoIf 1"), (0, "EchoIf 1"), (0, "EchoIf 1")]);
        let shifted = read_on([(0, "EchoIf 1"), (day, "EchoIf 1"), (-day / 8, "EchoIf 1")]);
        assert_eq!(usual, shifted);
        let two = read_on([(0, "EchoIf 1"), (day, "EchoIf 2"), (0, "EchoIf 1")]);
        let more: Vec<&String> = two
            .warnings
            .iter()
            .filter(|w| !usual.warnings.contains(w))
            .collect();
        assert_eq!(more.len(), 1);
        assert!(
            more[0].contains("2 versions of the program: EchoIf 1 and EchoIf 2"),
            "{more:?}"
        );
        assert_eq!(two.by_reader, usual.by_reader);
    }
}
