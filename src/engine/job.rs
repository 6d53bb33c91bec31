//! What is asked of the engine and what comes back.

use crate::clip::{FrameRate, Video};
use crate::edm::{Preset, Seed};
use crate::ef::EfPercent;
use crate::media::region::Anatomy;
pub use crate::provenance::{Candidate, Part, Provenance};
use std::sync::Arc;

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

/// The same heart, seed and settings at several EFs.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    /// Its EF and its best of N do not count.
    pub request: Request,
    pub efs: Vec<EfPercent>,
    /// The user has seen how long it will take.
    pub confirmed: bool,
}

impl Ladder {
    /// One rung, as a request of its own.
    pub fn rung(&self, ef: EfPercent) -> Request {
        Request {
            ef,
            best_of: 1,
            ..self.request.clone()
        }
    }
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

impl Generated {
    /// Frames a second at a heart rate, in beats a minute, where the cine is one normalised beat.
    pub fn rate_at(&self, heart_rate: f64) -> FrameRate {
        let beat = FrameRate::new(self.video.frames as f64 * heart_rate / 60.0);
        beat.filter(|_| self.beat_normalised).unwrap_or(self.rate)
    }
}
