//! Profiles: an alias, and what it answered, in one append-only file with a random name.

mod compared;
mod look;
mod shown;

pub use compared::{Compared, Trial};
pub use look::{Looked, look};
pub use shown::Shown;

use super::case::{Case, Relevance, Truth, relevance};
use crate::files::Log;
use crate::phantom::Quality;
use dicom_core::chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// Letters of an alias.
pub const MOST_ALIAS: usize = 40;
/// Guesses, in whole percent.
pub const GUESSES: std::ops::RangeInclusive<u32> = 5..=90;

/// How well a case was read, as the schedule takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Again,
    Hard,
    Good,
    Easy,
}

/// Points of error up to which a guess is hard, good and easy.
const HARD: f64 = 10.0;
const GOOD: f64 = 5.0;

impl Grade {
    /// *Again* if the error is over 10 points or clinically relevant, *hard* over 5, *easy* if within 5 and faster
    /// than the profile's own median, else *good*.
    pub fn of(ef_percent: f64, guess_percent: f64, seconds: f64, median_s: Option<f64>) -> Self {
        let error = (guess_percent - ef_percent).abs();
        let matters = relevance(ef_percent, guess_percent) == Relevance::ClinicallyRelevant;
        if error > HARD || matters {
            Self::Again
        } else if error > GOOD {
            Self::Hard
        } else if median_s.is_some_and(|median| seconds < median) {
            Self::Easy
        } else {
            Self::Good
        }
    }
}

/// Practice has feedback after each case; a test has none before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Practice,
    Test,
    Class,
}

/// An answer, as a line of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// `2026-11-26T07:00:00.000Z`
    pub utc: String,
    /// SHA-256 of what the case was drawn from; in a class, of the class.
    pub set: String,
    pub case: String,
    pub ladder: String,
    pub truth: Truth,
    pub quality: Quality,
    pub ef_percent: f64,
    pub guess_percent: u32,
    pub seconds: f64,
    pub loops: usize,
    /// The case was not shown to this profile before.
    pub first: bool,
    pub mode: Mode,
    /// The truth was told at once.
    pub feedback: bool,
    pub grade: Grade,
}

impl Answer {
    /// None where the text is no time.
    pub fn time(&self) -> Option<DateTime<Utc>> {
        self.utc.parse().ok()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line {
    Profile {
        alias: String,
    },
    Answer(Box<Answer>),
    /// A trial of *Which is lower?*
    Lower(Box<Compared>),
    Shown(Box<Shown>),
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("an alias has 1 to {MOST_ALIAS} letters, digits, spaces and dashes, and is no name")]
    Alias,
    #[error("profiles cannot be read and written: {0}")]
    Io(#[from] io::Error),
    #[error("another program has this profile open: close it there first")]
    Locked,
    #[error("there is no profile {0}")]
    NoSuch(String),
    #[error(
        "line {0} of a profile is none that this program writes: keep the file, and delete the profile"
    )]
    Line(usize),
}

/// What is known of a profile without opening it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    pub alias: String,
    /// Guesses; trials of *Which is lower?* are none.
    pub answers: usize,
    /// UTC of the first and the last answer.
    pub first: Option<String>,
    pub last: Option<String>,
    #[serde(skip)]
    pub path: PathBuf,
}

/// A profile that this program has open.
#[derive(Debug)]
pub struct Profile {
    alias: String,
    answers: Vec<Answer>,
    compared: Vec<Compared>,
    shown: Vec<Shown>,
    /// No other program has it while this lives.
    log: Log,
    /// A program was killed while it wrote an answer, which nobody was told of.
    was_torn: bool,
}

/// Whether it can be an alias: nothing in it means anything to a file, a table or a screen.
pub fn is_alias(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || c == ' ' || c == '-' || c == '_';
    let n = text.chars().count();
    (1..=MOST_ALIAS).contains(&n) && text.trim() == text && text.chars().all(plain)
}

/// All profiles of a folder, by alias.
///
/// # Errors
/// When the folder or a profile cannot be read.
pub fn list(folder: &Path) -> Result<Vec<Listed>, ProfileError> {
    let mut all = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(all),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|e| e != "jsonl") {
            continue;
        }
        // Nothing but the alias and the answers' times is looked at; a file that is none is nobody's.
        let Ok(Read { alias, answers, .. }) = read(&path) else {
            continue;
        };
        all.push(Listed {
            alias,
            answers: answers.len(),
            first: answers.first().map(|a| a.utc.clone()),
            last: answers.last().map(|a| a.utc.clone()),
            path,
        });
    }
    all.sort_by(|a, b| a.alias.cmp(&b.alias));
    Ok(all)
}

/// Deletes a profile: its file, which is the only place that names it.
///
/// # Errors
/// When there is none of that alias, another program has it open, or the disk fails.
pub fn delete(folder: &Path, alias: &str) -> Result<(), ProfileError> {
    let found = list(folder)?.into_iter().find(|p| p.alias == alias);
    let found = found.ok_or_else(|| ProfileError::NoSuch(alias.to_owned()))?;
    let alone = Log::open_alone(&found.path)?.ok_or(ProfileError::Locked)?;
    std::fs::remove_file(&found.path)?;
    drop(alone);
    Ok(crate::files::sync_folder(folder)?)
}

/// Deletes all profiles.
///
/// # Errors
/// When another program has one open, or the disk fails; the others are deleted.
pub fn delete_all(folder: &Path) -> Result<(), ProfileError> {
    let mut first = Ok(());
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        // Whatever is wrong with it: it may name somebody.
        if path.extension().is_some_and(|e| e == "jsonl") {
            let deleted = match Log::open_alone(&path)? {
                Some(_) => std::fs::remove_file(&path).map_err(ProfileError::Io),
                None => Err(ProfileError::Locked),
            };
            first = first.and(deleted);
        }
    }
    first
}

/// What a profile's file holds.
struct Read {
    alias: String,
    answers: Vec<Answer>,
    compared: Vec<Compared>,
    shown: Vec<Shown>,
}

/// Whether it ends in half a line.
fn is_torn(path: &Path) -> io::Result<bool> {
    Ok(std::fs::read(path)?.last() != Some(&b'\n'))
}

fn read(path: &Path) -> Result<Read, ProfileError> {
    let mut alias = None;
    let (mut answers, mut compared, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for (i, line) in Log::lines(path)?.iter().enumerate() {
        match serde_json::from_str(line) {
            Ok(Line::Profile { alias: it }) if i == 0 && is_alias(&it) => alias = Some(it),
            Ok(Line::Answer(answer)) if i > 0 => answers.push(*answer),
            Ok(Line::Lower(trial)) if i > 0 => compared.push(*trial),
            Ok(Line::Shown(it)) if i > 0 => shown.push(*it),
            _ => return Err(ProfileError::Line(i + 1)),
        }
    }
    Ok(Read {
        alias: alias.ok_or(ProfileError::Line(1))?,
        answers,
        compared,
        shown,
    })
}

impl Profile {
    /// Opens a profile, or begins one.
    ///
    /// # Errors
    /// When the alias cannot be one, another program has it open, or the disk is full or fails.
    pub fn open(folder: &Path, alias: &str) -> Result<Self, ProfileError> {
        if !is_alias(alias) {
            return Err(ProfileError::Alias);
        }
        std::fs::create_dir_all(folder)?;
        let found = list(folder)?.into_iter().find(|p| p.alias == alias);
        let path = match found {
            Some(found) => found.path,
            None => {
                let path = folder.join(format!("{}.jsonl", uuid::Uuid::new_v4().simple()));
                let line = Line::Profile {
                    alias: alias.to_owned(),
                };
                let line = serde_json::to_string(&line).map_err(io::Error::other)?;
                // As a whole: a profile without its first line would be nobody's.
                crate::files::write_atomically(&path, format!("{line}\n").as_bytes())?;
                path
            }
        };
        let was_torn = is_torn(&path)?;
        let log = Log::open_alone(&path)?.ok_or(ProfileError::Locked)?;
        let Read {
            alias,
            answers,
            compared,
            shown,
        } = read(&path)?;
        Ok(Self {
            alias,
            answers,
            compared,
            shown,
            log,
            was_torn,
        })
    }

    pub fn alias(&self) -> &str {
        &self.alias
    }

    /// Whether half a line was found at the end, and left out.
    pub fn was_torn(&self) -> bool {
        self.was_torn
    }

    /// Guesses, in the order in which they were given.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// Median seconds of an answer; none before the first.
    pub fn median_s(&self) -> Option<f64> {
        let seconds: Vec<f64> = self.answers.iter().map(|a| a.seconds).collect();
        crate::statistics::quantile::median(&seconds)
    }

    /// Keeps an answer. It is on the disk when this returns, and before the trainee is told the truth.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn answer(&mut self, given: &Given<'_>) -> Result<&Answer, ProfileError> {
        let Given {
            case,
            truth,
            set_sha256,
            guess_percent,
            seconds,
            loops,
            mode,
            feedback,
            utc,
        } = *given;
        let guess = f64::from(guess_percent);
        let answer = Answer {
            utc: utc.to_owned(),
            set: set_sha256.to_owned(),
            case: case.case.clone(),
            ladder: case.ladder.clone(),
            truth,
            quality: case.quality,
            ef_percent: case.ef_percent,
            guess_percent,
            seconds,
            loops,
            first: !self.has_seen(&case.case),
            mode,
            feedback,
            grade: Grade::of(case.ef_percent, guess, seconds, self.median_s()),
        };
        let line = serde_json::to_string(&Line::Answer(Box::new(answer.clone())));
        self.log.append(&line.map_err(io::Error::other)?)?;
        self.answers.push(answer);
        // It was pushed just now.
        self.answers.last().ok_or(ProfileError::Line(0))
    }
}

/// An answer, as it is given.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    pub case: &'a Case,
    pub truth: Truth,
    /// Of what the case was drawn from; in a class, of the class.
    pub set_sha256: &'a str,
    pub guess_percent: u32,
    pub seconds: f64,
    pub loops: usize,
    pub mode: Mode,
    pub feedback: bool,
    /// `2026-11-26T07:00:00.000Z`
    pub utc: &'a str,
}

#[cfg(test)]
mod tests;
