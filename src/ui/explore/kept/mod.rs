//! What survives: settings, recent files, history, and for this session the steps that can be undone. Names
//! no file and no patient.

mod history;
mod recent;
mod steps;
mod stored;
mod undo;

use super::view::{Comparison, Overlays};
use crate::edm::Preset;
use crate::ef::EfOrigin;
use crate::engine::{Generated, Provenance};
use crate::media::export::anatomy_from_png;
use crate::media::region::Anatomy;
use crate::ui::widgets::Cine;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use steps::Steps;

/// What survives a restart. Names no file and no patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub preset: Preset,
    pub best_of: usize,
    /// Whether a motion cascade's cines open the mitral valve, where a closed one is seen.
    pub leaflets: bool,
    /// Whether the EF is asked for by the cascade's calibration, where somebody said.
    pub calibrated: Option<bool>,
    /// What was set last: it outlives the source and the program.
    pub requested: f64,
    pub seed: u64,
    pub guidance: Option<f64>,
    pub mode: Comparison,
    pub overlays: Overlays,
    pub speed: f64,
    /// Whether the panels at the left and at the right are put away.
    pub source_folded: bool,
    pub settings_folded: bool,
    /// Whether the source is wanted beside the cines, and as large.
    pub source_beside: bool,
    pub light: bool,
    /// Whether the files opened are listed, by hash and date.
    pub keep_recent: bool,
    pub recent: Vec<Recent>,
    /// Whether anatomies are kept with the history, and thumbnails with them.
    pub keep_anatomies: bool,
    pub history: Vec<KeptRun>,
    /// The user has seen what the program is.
    pub welcomed: bool,
}

/// A file that was open: nothing that could name it or a patient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recent {
    /// The beginning of its content's SHA-256.
    pub hash: String,
    /// The day it was opened, `YYYY-MM-DD`.
    pub date: String,
    pub kind: String,
    /// Frames and size in pixels.
    pub size: String,
    /// Of the last run that was made of it, by which the history knows its picture, if that is kept.
    pub anatomy_sha256: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            preset: Preset::default(),
            best_of: 1,
            leaflets: false,
            calibrated: None,
            requested: 30.0,
            seed: 0,
            guidance: None,
            mode: Comparison::default(),
            overlays: Overlays::default(),
            speed: 1.0,
            source_folded: false,
            settings_folded: false,
            source_beside: false,
            light: false,
            keep_recent: true,
            recent: Vec::new(),
            keep_anatomies: false,
            history: Vec::new(),
            welcomed: false,
        }
    }
}

/// What is kept of a run. Names no patient and no file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptRun {
    pub provenance: Provenance,
    pub factual_ef: Option<f64>,
    /// Whose word it is.
    #[serde(default)]
    pub factual_ef_origin: EfOrigin,
    /// The anatomy as PNG in base 64, if the user wants it kept.
    pub anatomy_png: Option<String>,
    /// What it was made of: kind, frames and size, and the day, `YYYY-MM-DD`.
    pub source: String,
    pub date: String,
    /// The user wants it kept when the others are cleared.
    pub starred: bool,
}

/// A line of the history.
pub struct Past {
    pub kept: KeptRun,
    /// In memory for this session, or from the settings.
    pub anatomy: Option<Arc<Anatomy>>,
    pub(in crate::ui::explore) thumbnail: Cine,
    /// The cine itself, of the newest runs of this session.
    pub(in crate::ui::explore) result: Option<Arc<Generated>>,
}

impl Past {
    pub(in crate::ui::explore) fn from(kept: KeptRun) -> Self {
        let anatomy = kept.anatomy_png.as_deref().and_then(anatomy_from_png);
        let hash = &kept.provenance.anatomy_sha256;
        Self {
            anatomy: anatomy.filter(|a| a.sha256 == *hash).map(Arc::new),
            kept,
            thumbnail: Cine::default(),
            result: None,
        }
    }

    /// What makes two lines the same run.
    pub(in crate::ui::explore) fn is_same(&self, other: &Provenance) -> bool {
        let key = |p: &Provenance| {
            (
                p.anatomy_sha256.clone(),
                p.requested_ef_percent.to_bits(),
                p.conditioning_ef_percent.map(f64::to_bits),
                p.seed,
                p.preset,
                p.best_of,
                p.guidance_asked.map(f64::to_bits),
                p.cascade_sha256.clone(),
            )
        };
        key(&self.kept.provenance) == key(other)
    }
}

/// The settings, the history, and what can be gone back to.
pub struct Kept {
    pub settings: Settings,
    pub history: Vec<Past>,
    /// Where the files of this session lie, by hash; forgotten with the window.
    pub paths: HashMap<String, PathBuf>,
    /// The source that is open, by its number, and its hash in the list.
    open_recent: Option<(u64, String)>,
    /// Of files in the list, by hash.
    thumbnails: HashMap<String, Cine>,
    /// A file of the list that is to be opened again.
    pub reopen: Option<PathBuf>,
    /// A file dialog is to be opened: what was asked for needs its source.
    pub(in crate::ui::explore) wants_file: bool,
    /// The history is to be cleared, once the user says so again.
    pub(in crate::ui::explore) clearing: bool,
    steps: Steps,
}

impl Kept {
    pub(in crate::ui::explore) fn from_settings(settings: Settings) -> Self {
        Self {
            history: settings.history.iter().cloned().map(Past::from).collect(),
            settings,
            paths: HashMap::new(),
            open_recent: None,
            thumbnails: HashMap::new(),
            reopen: None,
            wants_file: false,
            clearing: false,
            steps: Steps::default(),
        }
    }

    /// Nothing of what was kept stays.
    pub fn forget_all(&mut self) {
        self.settings = Settings {
            // What the program is need not be said again.
            welcomed: self.settings.welcomed,
            ..Settings::default()
        };
        self.history.clear();
        self.paths.clear();
        self.open_recent = None;
        self.thumbnails.clear();
    }
}
