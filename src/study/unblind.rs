//! `NAME-unblinded.jsonl`: each time the key was laid beside readings, and whether all of them were in.

use crate::files::Log;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// One look, and what there was to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// `2026-11-26T07:00:00.000Z`
    pub utc: String,
    /// Name and version.
    pub program: String,
    pub plan_sha256: String,
    pub logs: Vec<Looked>,
    /// Every reader of the plan had read to the end.
    pub complete: bool,
}

/// A log, as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looked {
    pub reader: String,
    pub receipt: String,
    pub complete: bool,
}

/// Why looks were not read or written down.
#[derive(Debug, thiserror::Error)]
pub enum UnblindError {
    #[error("what was unblinded before cannot be read or written down: {0}")]
    Io(#[from] io::Error),
    #[error(
        "line {0} of what was unblinded before is none that this program writes: use the file as it was"
    )]
    Line(usize),
}

/// Where it lies: beside the bundle, with its name.
pub fn beside(bundle: &Path) -> PathBuf {
    let name = bundle.file_stem().unwrap_or_default().to_string_lossy();
    bundle.with_file_name(format!("{name}-unblinded.jsonl"))
}

/// Writes a look down. It is on the disk when this returns, and so before anything is seen.
///
/// # Errors
/// When the disk is full or fails: then nothing may be looked at.
pub fn append(path: &Path, look: &Look) -> Result<(), UnblindError> {
    let line = serde_json::to_string(look).map_err(io::Error::other)?;
    Ok(Log::open(path)?.append(&line)?)
}

/// All looks that were taken; none where there is no file. Half a line is none: its program stopped before it
/// saw anything.
///
/// # Errors
/// When the file cannot be read, or has lines that are none.
pub fn read(path: &Path) -> Result<Vec<Look>, UnblindError> {
    let lines = Log::lines(path)?;
    let look = |(i, line): (usize, String)| {
        serde_json::from_str(&line).map_err(|_| UnblindError::Line(i + 1))
    };
    lines.into_iter().enumerate().map(look).collect()
}

/// Whether anybody looked at this plan's readings before all of them were in.
pub fn was_interim(looks: &[Look], plan_sha256: &str) -> bool {
    let of_plan = |look: &&Look| look.plan_sha256 == plan_sha256;
    looks.iter().filter(of_plan).any(|look| !look.complete)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::mutations;

    fn look(complete: bool) -> Look {
        Look {
            utc: "2026-11-26T07:00:00.000Z".into(),
            program: "echoif 0.1.0".into(),
            plan_sha256: "ab".repeat(32),
            logs: vec![Looked {
                reader: "R1".into(),
                receipt: "00000-00000-00000-00000".into(),
                complete,
            }],
            complete,
        }
    }

    #[test]
    fn looks_are_kept_and_an_interim_one_is_known_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = beside(&folder.path().join("hearts.echostudy"));
        assert!(path.ends_with("hearts-unblinded.jsonl"));
        assert_eq!(read(&path).unwrap(), []);
        append(&path, &look(true)).unwrap();
        let plan = &look(true).plan_sha256;
        assert!(!was_interim(&read(&path).unwrap(), plan));
        append(&path, &look(false)).unwrap();
        append(&path, &look(true)).unwrap();
        let looks = read(&path).unwrap();
        assert_eq!(looks, [look(true), look(false), look(true)]);
        assert!(was_interim(&looks, plan));
        assert!(!was_interim(&looks, "another"));
        let text = std::fs::read_to_string(&path).unwrap();
        let keys = r#"{"utc":"2026-11-26T07:00:00.000Z","program":"echoif 0.1.0","plan_sha256":"#;
        assert!(text.starts_with(keys), "{text}");
    }

    #[test]
    fn damaged_looks_are_told_or_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        append(&path, &look(false)).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let mut told = 0;
        for changed in mutations(&bytes, 500) {
            std::fs::write(&path, &changed).unwrap();
            told += usize::from(matches!(read(&path), Err(UnblindError::Line(1))));
        }
        assert!(told > 100, "{told}");
    }
}
