//! What an administrator gives: a plan, open or sealed, a key, and logs, as they lie in files.

use super::bundle::{self, Opened, ReadError};
use super::code::Code;
use super::key::{Key, KeyError};
use super::keyfile::{KeyFileError, OpenedKey, is_sealed, open_key};
use super::log::{self, LogError};
use super::plan::{Plan, PlanError};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a plan or a key: of the largest study many times.
const MOST_BYTES: u64 = 64 << 20;
/// What a bundle, a zip, begins with.
const ZIP: &[u8] = b"PK";

/// Why something that was given cannot be used. The message begins with the file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct GivenError {
    pub path: PathBuf,
    pub why: Why,
}

#[derive(Debug, thiserror::Error)]
pub enum Why {
    #[error("it cannot be read ({0})")]
    Unreadable(#[from] io::Error),
    #[error("it is sealed: a reader's code or the study's key opens it; plan.json needs neither")]
    Sealed,
    #[error("{0}")]
    Bundle(#[from] ReadError),
    #[error("{0}")]
    Plan(#[from] PlanError),
    #[error("{0}")]
    KeyFile(#[from] KeyFileError),
    #[error("{0}")]
    Key(#[from] KeyError),
    #[error("{0}")]
    Log(#[from] LogError),
}

impl Why {
    fn of(self, path: &Path) -> GivenError {
        let path = path.to_owned();
        GivenError { path, why: self }
    }
}

/// What opens a sealed plan.
#[derive(Clone, Copy, Debug, Default)]
pub enum Opener<'a> {
    #[default]
    Nothing,
    Code(&'a Code),
    Key(&'a Key),
}

/// A key whose seal, where it had one, is open.
#[derive(Clone, Debug)]
pub struct GivenKey {
    pub path: PathBuf,
    pub key: Key,
    /// Its plain text, which the plan commits to.
    pub opened: OpenedKey,
}

/// A plan: `plan.json` as it is, or from a bundle.
///
/// # Errors
/// When it cannot be read, is no plan, or is sealed and `opener` does not open it.
pub fn plan(path: &Path, opener: Opener<'_>) -> Result<Arc<Plan>, GivenError> {
    let read = || -> Result<Arc<Plan>, Why> {
        if !begins_with_zip(path)? {
            return Ok(Arc::new(Plan::parse(&bytes_of(path)?)?));
        }
        let opened = match opener {
            Opener::Nothing => return Err(Why::Sealed),
            Opener::Code(code) => bundle::open(path, code)?,
            Opener::Key(key) => bundle::open_with_key(path, key)?,
        };
        Ok(opened.plan)
    };
    read().map_err(|why| why.of(path))
}

/// A bundle, opened by a reader's code.
///
/// # Errors
/// When it cannot be read, is no bundle, or the code is nobody's.
pub fn bundle(path: &Path, code: &Code) -> Result<Opened, GivenError> {
    bundle::open(path, code).map_err(|e| Why::from(e).of(path))
}

/// Whether a key asks for a passphrase.
///
/// # Errors
/// When it cannot be read or is no key.
pub fn key_is_sealed(path: &Path) -> Result<bool, GivenError> {
    let read = || -> Result<bool, Why> { Ok(is_sealed(&bytes_of(path)?)?) };
    read().map_err(|why| why.of(path))
}

/// A key.
///
/// # Errors
/// When it cannot be read, is no key, or its passphrase is missing or wrong.
pub fn key(path: &Path, passphrase: Option<&str>) -> Result<GivenKey, GivenError> {
    let read = || -> Result<GivenKey, Why> {
        let opened = open_key(&bytes_of(path)?, passphrase)?;
        Ok(GivenKey {
            path: path.to_owned(),
            key: Key::parse(&opened.bytes)?,
            opened,
        })
    };
    read().map_err(|why| why.of(path))
}

/// The bytes of files of logs.
///
/// # Errors
/// When one of them cannot be read or is too large to be a log.
pub fn logs(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, GivenError> {
    let load = |path: &PathBuf| log::load(path).map_err(|e| Why::from(e).of(path));
    paths.iter().map(load).collect()
}

fn begins_with_zip(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(2).read_to_end(&mut head)?;
    Ok(head == ZIP)
}

fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
