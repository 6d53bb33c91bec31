//! What is asked of the engine and what comes back.

use super::present::Cine;
use crate::calibration::Asking;
use crate::clip::FrameRate;
use crate::edm::{Preset, Seed};
use crate::ef::EfPercent;
use crate::media::region::Anatomy;
pub use crate::provenance::{Candidate, Part, Provenance};
use crate::puppet::Landmarks;
use std::collections::BTreeSet;
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
    /// The anatomy's outline as a person corrected it; for a motion cascade, which else sees its own.
    pub outline: Option<Arc<Landmarks>>,
    /// Whether a motion cascade's cine opens the mitral valve, where the anatomy shows a closed one.
    pub leaflets: bool,
    /// What the networks are to be conditioned by so that it measures the EF; `None`: by the EF itself.
    pub calibration: Option<Asking>,
}

impl Request {
    /// A request with nothing special about it.
    pub fn new(anatomy: Arc<Anatomy>, ef: EfPercent) -> Self {
        Self {
            anatomy,
            ef,
            preset: Preset::default(),
            seed: Seed::default(),
            best_of: 1,
            guidance: None,
            outline: None,
            leaflets: false,
            calibration: None,
        }
    }

    /// What to condition on instead of the EF: by the calibration, where it was measured of cines like this.
    pub fn conditioning(&self) -> Option<EfPercent> {
        let asking = self.calibration.as_ref()?;
        if let Some((_, before)) = asking.repeated.filter(|(ef, _)| *ef == self.ef) {
            return before;
        }
        let curve = asking.curve.as_ref()?;
        let is_like = curve.is_of(self.preset)
            && self.guidance.is_none()
            && self.outline.is_none()
            && !self.leaflets;
        is_like.then(|| curve.conditioning(self.ef))
    }
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

/// Requests that nobody waits for. They are made in order, one at a time, while nothing else is asked for:
/// a run, a ladder, a measurement interrupts the one that is being made, which is begun again afterwards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    pub requests: Vec<Request>,
    /// Places, from 0, of the requests that need not be made: an earlier batch of the same ones made them.
    pub done: BTreeSet<usize>,
}

impl Batch {
    /// Places of the requests that are to be made.
    pub fn missing(&self) -> impl Iterator<Item = usize> {
        (0..self.requests.len()).filter(|i| !self.done.contains(i))
    }
}

/// A finished cine.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// Its video is `[c, f, 112, 112]`, before quantisation.
    pub cine: Arc<Cine>,
    pub rate: FrameRate,
    pub beat_normalised: bool,
    pub provenance: Provenance,
}

impl Generated {
    /// Frames a second at a heart rate, in beats a minute, where the cine is one normalised beat.
    pub fn rate_at(&self, heart_rate: f64) -> FrameRate {
        let beat = FrameRate::new(self.cine.video.frames as f64 * heart_rate / 60.0);
        beat.filter(|_| self.beat_normalised).unwrap_or(self.rate)
    }
}
