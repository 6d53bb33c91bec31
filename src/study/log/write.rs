//! A log grows: one program at a time, a line at a time, each on the disk before anything else happens.

use super::chain::End;
use super::{MOST_BYTES, MOST_OF_ALL, ReadLog, read};
use crate::files;
use crate::hash::sha256;
use crate::study::code::receipt;
use crate::study::hex::hex;
use crate::study::plan::Plan;
use crate::study::record::{Line, What};
use crate::study::stamp::{Stamp, tenths};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// Why a log was not opened or gone on with.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("the log cannot be read and written: {0}")]
    Io(#[from] io::Error),
    #[error("another program is writing this log: close the session there first")]
    Locked,
    #[error(
        "this log cannot be gone on with (line {line}: {what}): keep it, and ask who planned the study"
    )]
    Wrong { line: usize, what: String },
    #[error("this log is {0}'s, and the code is another reader's: choose another file for the log")]
    OtherReader(String),
    #[error("this file is longer than any log: choose another")]
    TooLong,
    /// Whether the line before is whole is not known.
    #[error(
        "a line of the log could not be written before: close the session, make room on the disk and open it again"
    )]
    Broken,
    #[error("this session has ended, and nothing is added to its log")]
    Ended,
}

/// The bytes of a file of logs, one or several, to be split, read, verified or merged.
///
/// # Errors
/// When it cannot be read, or is longer than the logs of any study.
pub fn load(path: &Path) -> Result<Vec<u8>, LogError> {
    let mut bytes = Vec::new();
    let most = MOST_OF_ALL as u64 + 1;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    if bytes.len() > MOST_OF_ALL {
        return Err(LogError::TooLong);
    }
    Ok(bytes)
}

/// The log of one reader, locked to this program while it lives.
#[derive(Debug)]
pub struct LogWriter {
    file: File,
    /// Of the next line.
    n: usize,
    prev: String,
    /// Of the last line; none in a new log.
    last: Option<[u8; 32]>,
    ended: bool,
    broken: bool,
}

impl LogWriter {
    /// Opens the log of a reader to add to it, or begins one; and what it holds already. A half line that a
    /// crash left is ended and named by a line `torn`, unless the session had ended.
    ///
    /// # Errors
    /// When another program writes it, it is another reader's, something is wrong with it, or the disk fails.
    pub fn open(
        path: &Path,
        plan: &Plan,
        reader: &str,
        at: Stamp,
    ) -> Result<(Self, ReadLog), LogError> {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).open(path)?;
        if !files::lock(&file)? {
            return Err(LogError::Locked);
        }
        let mut bytes = Vec::new();
        let most = MOST_BYTES as u64 + 1;
        io::Read::by_ref(&mut file)
            .take(most)
            .read_to_end(&mut bytes)?;
        if bytes.len() > MOST_BYTES {
            return Err(LogError::TooLong);
        }
        if bytes.is_empty() {
            let folder = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            files::sync_folder(folder)?;
        }
        let log = read(&bytes, plan, 1);
        if !log.reader.is_empty() && log.reader != reader {
            return Err(LogError::OtherReader(log.reader));
        }
        // An empty log is none of a session's yet, which is no fault of its.
        if let Some(problem) = log.problems.first().filter(|_| !bytes.is_empty()) {
            let (line, what) = (problem.line, problem.what.clone());
            return Err(LogError::Wrong { line, what });
        }
        let mut writer = Self {
            file,
            n: log.lines.last().map_or(0, |(_, line)| line.n + 1),
            prev: log.last_hash().map_or_else(|| plan.sha256(), |h| hex(h)),
            last: log.last_hash().copied(),
            ended: log.ended,
            broken: false,
        };
        match &log.end {
            _ if log.ended => {}
            End::Whole => {}
            End::NoNewline => {
                writer.put(b"\n")?;
            }
            End::Half {
                bytes: range,
                newline,
            } => {
                let half = bytes.get(range.clone()).unwrap_or_default();
                let torn = What::Torn {
                    bytes: half.len(),
                    sha256: sha256(half),
                };
                let before: &[u8] = if *newline { b"" } else { b"\n" };
                writer.add(before, torn, at)?;
            }
        }
        Ok((writer, log))
    }

    /// Adds a line. It is on the disk when this returns.
    ///
    /// # Errors
    /// When the session has ended, or the disk is full or fails; then nothing more can be added before the
    /// log is opened again.
    pub fn append(&mut self, what: What, at: Stamp) -> Result<(), LogError> {
        if self.ended {
            return Err(LogError::Ended);
        }
        let ends = matches!(what, What::Withdraw | What::Close { complete: true });
        self.add(b"", what, at)?;
        self.ended = ends;
        Ok(())
    }

    /// Of the last line, as it is shown to the reader.
    pub fn receipt(&self) -> Option<String> {
        self.last.as_ref().map(receipt)
    }

    fn add(&mut self, before: &[u8], what: What, at: Stamp) -> Result<(), LogError> {
        let line = Line {
            n: self.n,
            prev: self.prev.clone(),
            what,
            utc: at.utc(),
            mono_ms: tenths(at.mono_ms),
        };
        let text = serde_json::to_vec(&line).map_err(io::Error::other)?;
        let hash: [u8; 32] = Sha256::digest(&text).into();
        self.put(&[before, &text, b"\n"].concat())?;
        self.n += 1;
        self.prev = hex(&hash);
        self.last = Some(hash);
        Ok(())
    }

    /// All in one piece, so that a program that is killed leaves a beginning of it.
    fn put(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        if self.broken {
            return Err(LogError::Broken);
        }
        self.broken = true;
        if self.file.write(bytes)? != bytes.len() {
            return Err(io::Error::from(io::ErrorKind::WriteZero).into());
        }
        self.file.sync_data()?;
        self.broken = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{START, log_of, plan};

    #[test]
    fn after_a_line_that_could_not_be_written_nothing_is_added() {
        let plan = plan();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, &log_of(&plan, 0)[..3000]).unwrap();
        let (mut writer, _) = LogWriter::open(&path, &plan, "R1", START).unwrap();
        let before = (writer.n, writer.prev.clone(), writer.receipt());
        // A disk that takes nothing.
        writer.file = File::open(&path).unwrap();
        let said = writer.append(What::Pause, START).unwrap_err();
        assert!(matches!(said, LogError::Io(_)), "{said}");
        let said = writer.append(What::Pause, START).unwrap_err();
        assert!(matches!(said, LogError::Broken), "{said}");
        assert_eq!((writer.n, writer.prev.clone(), writer.receipt()), before);
    }
}
