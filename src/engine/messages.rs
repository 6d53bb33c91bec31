//! What passes between the window and the worker.

use super::job::{Generated, Job, Ladder, Part, Request};
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
/// Of the same numbers as [`JobId`].
pub type MeasureId = JobId;

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

/// What the worker says, in the order in which it was asked. Every accepted job ends in exactly one of
/// `Done`, `AskFirst`, `Cancelled` and `Failed`, a measurement in `Measured` or `Cancelled`; after
/// `Stopped` in that at most.
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
    /// The GPU failed and the CPU goes on in its place, with the same models. What is running goes on,
    /// too: nothing needs to be asked for again.
    Moved {
        device: String,
        /// A sentence for the user.
        why: String,
    },
    /// The worker is gone, with a sentence why. What is running ends in nothing, and whatever is asked for
    /// from now on fails.
    Stopped(String),
    /// A result is no longer kept: the same request, to the cascade in use, would be made anew.
    Forgotten(Box<Request>),
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
    Measure(MeasureId, Box<Video>, TimeBase, Interrupt),
    Cascade(CascadeSource, Interrupt),
    Regressor(Option<(PathBuf, Option<Normalisation>)>, Interrupt),
}

impl Command {
    /// What is said of a command that cannot be obeyed.
    pub(super) fn refused(&self, why: &str) -> Event {
        let why = why.to_owned();
        match self {
            Self::Run(job, ..) | Self::Ladder(job, ..) => Event::Failed { job: *job, why },
            Self::Measure(id, ..) => Event::Measured {
                id: *id,
                result: Err(why),
            },
            Self::Cascade(..) | Self::Regressor(..) => Event::OpenFailed(why),
        }
    }
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
