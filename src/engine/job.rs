//! What is asked of the engine and what comes back.

use crate::clip::{FrameRate, Video};
use crate::edm::{Preset, Seed};
use crate::ef::EfPercent;
use crate::media::region::Anatomy;
use serde::Serialize;
use std::sync::Arc;

/// The cine at the source's own EF, or the one at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
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

/// One cine to make.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub anatomy: Arc<Anatomy>,
    pub ef: EfPercent,
    pub preset: Preset,
    pub seed: Seed,
    /// Makes this many, with consecutive seeds, and keeps the one that measures closest.
    pub best_of: usize,
    /// Guidance of every guided stage, instead of the configuration's.
    pub guidance: Option<f64>,
}

/// A counterfactual cine, and the factual one that shares its anatomy, seed and noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub counterfactual: Request,
    /// The source's own EF.
    pub factual: Option<EfPercent>,
    /// The user has seen how long it will take.
    pub confirmed: bool,
}

/// One of the N of a best of N.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Candidate {
    pub seed: u64,
    pub measured_ef_percent: f64,
}

/// How a cine was made. Names no patient and no file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Provenance {
    pub requested_ef_percent: f64,
    pub measured_ef_percent: f64,
    pub regressor: String,
    pub regressor_sha256: String,
    pub seed: u64,
    pub preset: Preset,
    /// Guidance of each stage.
    pub guidance: Vec<f64>,
    pub cascade: String,
    pub cascade_sha256: String,
    pub device: String,
    pub evaluations: usize,
    pub seconds: f64,
    pub best_of: usize,
    pub candidates: Vec<Candidate>,
    pub anatomy_sha256: String,
    /// Whether the anatomy looks like the view that the networks were trained on.
    pub looks_like_four_chamber: bool,
    pub echoif_version: &'static str,
}

/// A finished cine.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// `[c, f, 112, 112]` in 0..1, before quantisation.
    pub video: Video,
    pub rate: FrameRate,
    pub beat_normalised: bool,
    pub provenance: Provenance,
}
