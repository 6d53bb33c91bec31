//! A profile that is only looked at.

use super::{Answer, Compared, ProfileError, Read, is_torn, list, read};
use std::path::Path;

/// What a profile holds, without it being open.
#[derive(Clone, Debug, PartialEq)]
pub struct Looked {
    /// Guesses, in the order in which they were given.
    pub answers: Vec<Answer>,
    /// Trials of *Which is lower?*, likewise.
    pub compared: Vec<Compared>,
    /// Half a line at the end was left out: a program was killed while it wrote, or another is writing just now.
    pub was_torn: bool,
}

/// Looks at a profile, whichever program has it open: takes no lock, and changes nothing.
///
/// # Errors
/// When there is none of that alias, or it cannot be read.
pub fn look(folder: &Path, alias: &str) -> Result<Looked, ProfileError> {
    let found = list(folder)?.into_iter().find(|p| p.alias == alias);
    let path = found
        .ok_or_else(|| ProfileError::NoSuch(alias.to_owned()))?
        .path;
    let was_torn = is_torn(&path)?;
    let Read {
        answers, compared, ..
    } = read(&path)?;
    Ok(Looked {
        answers,
        compared,
        was_torn,
    })
}
