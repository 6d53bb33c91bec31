//! How a cine was made. Names no patient and no file.

use crate::edm::Preset;
use crate::puppet::Landmarks;
use serde::{Deserialize, Serialize};

/// The cine at the source's own EF, or the one at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    Factual,
    Counterfactual,
}

impl Part {
    pub fn name(self) -> &'static str {
        match self {
            Self::Factual => "Factual",
            Self::Counterfactual => "Counterfactual",
        }
    }
}

/// Whether a mitral valve opens in a carried cine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaflets {
    /// Not asked for, or not part of the preset.
    Off,
    /// The anatomy shows no closed valve that could be opened.
    NoneSeen,
    /// Its own closed leaflets are bent into the ventricle in diastole.
    Opened,
}

/// One of the N of a best of N.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub seed: u64,
    pub measured_ef_percent: f64,
}

/// Everything that a run can be repeated from, but for the anatomy itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    pub requested_ef_percent: f64,
    pub measured_ef_percent: f64,
    /// By the method of disks on the outline that a motion cascade gives with its cine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline_ef_percent: Option<f64>,
    /// The left ventricle's volume in each frame, as a share of that at end-diastole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<f64>>,
    /// The frames at end-diastole and at end-systole, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ed_frame: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub es_frame: Option<usize>,
    /// Of a motion cascade: whether a mitral valve opens in the cine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaflets: Option<Leaflets>,
    /// The anatomy's outline as a person corrected it, in pixels of its 112 x 112.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<Landmarks>,
    pub regressor: String,
    pub regressor_sha256: String,
    /// Of the cine that was kept.
    pub seed: u64,
    pub preset: Preset,
    /// Guidance of each stage.
    pub guidance: Vec<f64>,
    /// Guidance that was asked for instead of the cascade's own.
    #[serde(default)]
    pub guidance_asked: Option<f64>,
    pub cascade: String,
    pub cascade_sha256: String,
    pub device: String,
    pub evaluations: usize,
    pub seconds: f64,
    pub best_of: usize,
    pub candidates: Vec<Candidate>,
    /// SHA-256 of the anatomy as 8-bit RGB.
    pub anatomy_sha256: String,
    /// SHA-256 of the cine as 8-bit gray, frame after frame.
    pub pixels_sha256: String,
    /// Whether the anatomy looks like the view that the networks were trained on.
    pub looks_like_four_chamber: bool,
    pub echoif_version: String,
}
