//! Profiles and sets from the disk; on threads of their own.

use super::super::said::{about_file, sentence};
use super::{Chosen, Known, Loaded, Looked, described};
use crate::drill::case::{Case, Recipe};
use crate::drill::material::Clips;
use crate::drill::profile::{self, list};
use crate::drill::retention;
use crate::drill::sampler::Source;
use crate::drill::schedule;
use crate::drill::set::{self, CaseSet};
use crate::drill::sitting::About;
use crate::ui::task::Reporter;
use dicom_core::chrono::NaiveDate;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The bytes of a file that is not larger than it may be.
///
/// # Errors
/// A sentence.
pub fn bytes_of(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    match crate::files::read_at_most(path, most) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(about_file(path, &"it is too large to be such a file")),
        Err(e) => Err(about_file(path, &format!("it cannot be read ({e})"))),
    }
}

pub fn looked(folder: &Path, alias: &str, today: NaiveDate) -> Result<Looked, String> {
    let profiles = list(folder).map_err(|e| sentence(&e))?;
    if !profiles.iter().any(|p| p.alias == alias) {
        return Ok(Looked {
            profiles,
            known: None,
        });
    }
    let profile::Looked {
        answers,
        compared,
        was_torn,
    } = profile::look(folder, alias).map_err(|e| sentence(&e))?;
    let known = Some(Known {
        alias: alias.to_owned(),
        cells: schedule::cells(&answers).unwrap_or_default(),
        retention: retention::offered(&answers, today),
        answers,
        compared,
        was_torn,
        version: 0,
    });
    Ok(Looked { profiles, known })
}

pub fn load(path: PathBuf, reporter: &Reporter) -> Result<Loaded, String> {
    let bytes = bytes_of(&path, set::MOST_BYTES)?;
    let set = CaseSet::parse(&bytes).map_err(|e| about_file(&path, &e))?;
    let clips = clips_beside(&set, &path, reporter)?;
    let about = About::of(Source::Set(set.clone()));
    let chosen = Chosen {
        missing: missing(&set, &clips),
        words: described(&set, &about),
        about: Arc::new(about),
        set: Arc::new(set),
        path,
    };
    Ok(Loaded::Set(chosen, Arc::new(clips)))
}

/// The clips that lie beside a set or a class of them.
pub fn clips_beside(set: &CaseSet, path: &Path, reporter: &Reporter) -> Result<Clips, String> {
    let is_clip = |c: &Case| matches!(c.recipe, Recipe::Clip { .. });
    match path.parent() {
        Some(folder) if set.cases().any(|c| is_clip(&c)) => clips_of(folder, reporter),
        _ => Ok(Clips::default()),
    }
}

/// All clips of a folder.
pub fn clips_of(folder: &Path, reporter: &Reporter) -> Result<Clips, String> {
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    Clips::of_folder(folder, &|share| {
        reporter.report("Looking for the clips", share)
    })
}

/// How many clips of a set are not there.
pub fn missing(set: &CaseSet, clips: &Clips) -> usize {
    let is_missing = |c: &Case| match &c.recipe {
        Recipe::Clip { pixels_sha256 } => !clips.has(pixels_sha256),
        Recipe::Simulated { .. } => false,
    };
    set.cases().filter(is_missing).count()
}
