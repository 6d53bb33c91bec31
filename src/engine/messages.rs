//! What passes between the window and the worker.

use super::job::{Generated, Job, Ladder, Part};
use super::models::{CascadeInfo, CascadeSource};
use super::present::Cine;
use crate::checkpoint::Normalisation;
use crate::clip::Video;
use crate::ef::EfPercent;
use crate::measure::{Measurement, TimeBase};
use crate::nn::Interrupt;
use crossbeam_channel::Sender;
use std::path::PathBuf;
use std::sync::Arc;

pub type JobId = u64;
pub type MeasureId = u64;

/// Where the current run is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    pub stage: usize,
    pub stages: usize,
    pub step: usize,
    pub steps: usize,
    pub candidate: usize,
    pub candidates: usize,
}

/// What the worker says. Every accepted job ends in exactly one of `Done`, `AskFirst`, `Cancelled`
/// and `Failed`.
#[derive(Clone, Debug)]
pub enum Event {
    /// The models are loaded, at the start or after a change.
    Ready {
        device: String,
        cascade: Box<CascadeInfo>,
        regressor: String,
        /// Cascade folders found in the places that are searched.
        cascades: Vec<PathBuf>,
    },
    /// A sentence for the user.
    Notice(String),
    /// A cascade or regressor could not be opened; the one before is still in use.
    OpenFailed(String),
    Started {
        job: JobId,
    },
    Progress {
        job: JobId,
        part: Part,
        /// What was asked for: a job that was superseded still shows its first estimate.
        ef: EfPercent,
        at: Stage,
        /// Share of this part that is done, 0..1.
        fraction: f64,
        seconds_left: f64,
        preview: Option<Arc<Cine>>,
    },
    /// Where a ladder is: the current estimates of the rungs that are being made.
    Climbing {
        job: JobId,
        fraction: f64,
        seconds_left: f64,
        previews: Vec<Arc<Cine>>,
    },
    /// A ladder's cines, in the order of the request.
    Rungs {
        job: JobId,
        rungs: Vec<Arc<Generated>>,
    },
    /// The answer to `Engine::measure`.
    Measured {
        id: MeasureId,
        result: Result<Measurement, String>,
    },
    /// One of a job's two cines.
    Finished {
        job: JobId,
        part: Part,
        result: Arc<Generated>,
        cached: bool,
    },
    Done {
        job: JobId,
    },
    /// The job would take this long; nothing was done. Send it again, confirmed.
    AskFirst {
        job: JobId,
        seconds: f64,
    },
    Cancelled {
        job: JobId,
    },
    Failed {
        job: JobId,
        why: String,
    },
}

/// What the worker is told.
pub(super) enum Command {
    Run(JobId, Box<Job>, Interrupt),
    Ladder(JobId, Box<Ladder>, Interrupt),
    Measure(MeasureId, Box<Video>, TimeBase),
    Cascade(CascadeSource),
    Regressor(Option<(PathBuf, Option<Normalisation>)>),
}

/// The worker's way to say something.
pub(super) struct Mouth {
    pub(super) events: Sender<Event>,
    pub(super) wake: Box<dyn Fn() + Send>,
}

impl Mouth {
    pub(super) fn say(&self, event: Event) {
        // Fails only when the window is gone, and then nobody listens.
        let _ = self.events.send(event);
        (self.wake)();
    }

    /// For what is worth nothing later.
    pub(super) fn mention(&self, event: Event) {
        if self.events.try_send(event).is_ok() {
            (self.wake)();
        }
    }
}
