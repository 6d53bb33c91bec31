//! What passes between the window and the worker.

use super::job::{Batch, Generated, Job, Ladder, Part, Request};
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

/// Who asks: a job's events are for this mode of the program alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    Explore,
    /// The recordings of a folder.
    Folder,
    Training,
    Study,
}

/// What was asked for, and by whom. What is asked for later is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId {
    pub(super) number: u64,
    pub(super) owner: Owner,
}

impl JobId {
    pub fn owner(self) -> Owner {
        self.owner
    }

    /// Of this job alone, whoever asked.
    pub fn number(self) -> u64 {
        self.number
    }
}

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

/// What the worker says, in the order in which it was asked, but for batches, which come last. Every
/// accepted job ends in exactly one of `Done`, `AskFirst`, `Cancelled` and `Failed`, a measurement in
/// `Measured` or `Cancelled`; after `Stopped` in that at most.
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
    /// A result is no longer kept: the same request, to the cascade in use, would be made anew. Of no owner,
    /// like the cache: a request that two asked for is kept once.
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
    /// Where a batch is.
    Batching {
        job: JobId,
        /// Share of its requests that is done, 0..1.
        fraction: f64,
        /// For all that are left, if nothing else is asked for.
        seconds_left: f64,
    },
    /// One of a batch's requests, of which each comes once: a cine, or a phrase why there is none.
    Made {
        job: JobId,
        /// Its place in the batch, from 0.
        index: usize,
        result: Result<Arc<Generated>, String>,
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

impl Event {
    /// Whose job it is about; `None` is for all.
    pub fn owner(&self) -> Option<Owner> {
        match self {
            Self::Started { job }
            | Self::Progress { job, .. }
            | Self::Climbing { job, .. }
            | Self::Rungs { job, .. }
            | Self::Batching { job, .. }
            | Self::Made { job, .. }
            | Self::Measured { id: job, .. }
            | Self::Finished { job, .. }
            | Self::Done { job }
            | Self::AskFirst { job, .. }
            | Self::Cancelled { job }
            | Self::Failed { job, .. } => Some(job.owner),
            Self::Ready { .. }
            | Self::Notice(_)
            | Self::OpenFailed(_)
            | Self::Moved { .. }
            | Self::Stopped(_)
            | Self::Forgotten(_) => None,
        }
    }
}

/// What the worker is told.
pub(super) enum Command {
    Run(JobId, Box<Job>, Interrupt),
    Ladder(JobId, Box<Ladder>, Interrupt),
    Batch(JobId, Batch, Interrupt),
    Measure(MeasureId, Box<Video>, TimeBase, Interrupt),
    Cascade(CascadeSource, Interrupt),
    Regressor(Option<(PathBuf, Option<Normalisation>)>, Interrupt),
}

impl Command {
    /// What is said of a command that cannot be obeyed.
    pub(super) fn refused(&self, why: &str) -> Event {
        let why = why.to_owned();
        match self {
            Self::Run(job, ..) | Self::Ladder(job, ..) | Self::Batch(job, ..) => {
                Event::Failed { job: *job, why }
            }
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
