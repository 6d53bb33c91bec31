//! Stills with outlines, from a folder.

use super::super::dice::Dice;
use crate::hash::{combined, sha256};
use crate::media;
use crate::media::region::Anatomy;
use crate::phantom::puppet::{Puppet, PuppetError};
use crate::puppet::{Landmarks, Traits};
use std::path::{Path, PathBuf};

/// A still near end-diastole and its left ventricle's outline, in pixels of the 112 x 112 frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Still {
    /// Gray levels `[112, 112]`.
    pub levels: Vec<u8>,
    pub outline: Landmarks,
}

/// Why a folder gives no stills.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StillsError {
    #[error("{}: it cannot be read ({why}).", path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("{}: {why}", path.display())]
    Outline { path: PathBuf, why: String },
    #[error(
        "{}: no picture in it has an outline beside it. Put NAME.outline.json beside NAME.png: nine points, as `echoif generate --outline` takes them.",
        .0.display()
    )]
    None(PathBuf),
}

impl Still {
    /// A puppet of it that contracts in a way of its own, as the ranges of [`Traits`] go.
    pub(in crate::train) fn puppet(&self, dice: &mut Dice) -> Result<Puppet, PuppetError> {
        let traits = Traits {
            longitudinal: dice.within([0.75, 1.1]),
            shift: 0.12 * dice.normal(),
            right: dice.within([0.6, 1.1]),
            atria: dice.within([0.35, 0.6]),
        };
        Puppet::new(&self.levels, &self.outline, traits)
    }
}

/// All pictures of a folder that have `NAME.outline.json` beside them, in the order of their names.
///
/// # Errors
/// [`StillsError`], with a sentence.
pub fn stills(folder: &Path) -> Result<Vec<Still>, StillsError> {
    let unreadable = |path: &Path, why: String| StillsError::Unreadable {
        path: path.to_owned(),
        why,
    };
    let entries = std::fs::read_dir(folder).map_err(|e| unreadable(folder, e.to_string()))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|e| unreadable(folder, e.to_string()))?.path());
    }
    paths.sort();
    let mut stills = Vec::new();
    for path in &paths {
        let beside = path.with_extension("outline.json");
        if beside == *path || !beside.is_file() {
            continue;
        }
        let bad = |why: String| StillsError::Outline {
            path: beside.clone(),
            why,
        };
        let text = crate::files::read_text(&beside).map_err(|e| bad(e.to_string()))?;
        let outline: Landmarks =
            serde_json::from_str(&text).map_err(|e| bad(format!("it is no outline ({e}).")))?;
        let opened = media::open(path).map_err(|e| unreadable(path, e.to_string()))?;
        let frame = opened.recording.frame(0).map_err(|e| unreadable(path, e))?;
        let anatomy = Anatomy::from_frame(&frame, &opened.first_square().into())
            .map_err(|e| unreadable(path, e.to_string()))?;
        let still = Still {
            levels: anatomy.gray_bytes(),
            outline,
        };
        // What cannot be warped is said now, not after an hour.
        Puppet::new(&still.levels, &still.outline, Traits::default())
            .map_err(|e| bad(e.to_string()))?;
        stills.push(still);
    }
    match stills.is_empty() {
        true => Err(StillsError::None(folder.to_owned())),
        false => Ok(stills),
    }
}

/// SHA-256 of the stills with their outlines, in their order.
pub fn stills_sha256(stills: &[Still]) -> String {
    let each = stills.iter().map(|still| {
        let points: Vec<u8> = still
            .outline
            .points()
            .iter()
            .flatten()
            .flat_map(|v| v.to_le_bytes())
            .chain(still.outline.septal_thickness.to_le_bytes())
            .chain(still.outline.lateral_thickness.to_le_bytes())
            .collect();
        sha256(&[still.levels.as_slice(), &points].concat())
    });
    combined(&each.collect::<Vec<String>>())
}
