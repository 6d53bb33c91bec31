//! What is being made, and what is shown of it.

use crate::ef::EfPercent;
use crate::engine::{Cine, Generated, JobId, Part, Stage};
use crate::ui::widgets;
use std::sync::Arc;

/// Pictures between two frames, where they are asked for.
pub(in crate::ui::explore) const BETWEEN: usize = 4;

/// The job that the worker has.
pub struct Running {
    pub id: JobId,
    pub part: Part,
    pub at: Option<Stage>,
    pub fraction: f64,
    pub seconds_left: f64,
    pub preview: Option<(Part, Arc<Cine>)>,
    /// The EF that the preview was asked for, where that is no longer what is asked.
    pub follows: Option<EfPercent>,
    /// Counts previews, so that a new one is uploaded.
    pub previews: u64,
}

impl Running {
    /// The worker says how far a job is.
    pub(in crate::ui::explore) fn advance(
        &mut self,
        job: JobId,
        part: Part,
        at: Stage,
        fraction: f64,
        seconds_left: f64,
    ) {
        if job == self.id {
            self.part = part;
            self.at = Some(at);
            self.fraction = fraction;
            self.seconds_left = seconds_left;
        }
    }

    /// Takes an estimate of a job's. True when it is to be seen: a job that the slider has left behind still
    /// shows its first one.
    pub(in crate::ui::explore) fn estimate(
        &mut self,
        job: JobId,
        part: Part,
        ef: EfPercent,
        preview: Arc<Cine>,
    ) -> bool {
        let follows = job < self.id && self.at.is_none();
        if job != self.id && !follows {
            return false;
        }
        self.preview = Some((part, preview));
        self.follows = follows.then_some(ef);
        self.previews += 1;
        true
    }
}

/// A finished cine and its number.
#[derive(Clone)]
pub struct Shown {
    /// It was made with other settings than are set now, and another is on its way.
    pub stale: bool,
    pub id: u64,
    pub result: Arc<Generated>,
}

impl Shown {
    /// Whether its end-diastole and end-systole are known.
    pub(in crate::ui::explore) fn has_moments(&self) -> bool {
        let p = &self.result.provenance;
        p.ed_frame.is_some() && p.es_frame.is_some()
    }

    pub(in crate::ui::explore) fn new(id: u64, result: Arc<Generated>) -> Self {
        Self {
            stale: false,
            id,
            result,
        }
    }
}

/// The filmstrip.
pub struct Strip {
    pub efs: Vec<EfPercent>,
    /// The job that makes it, until it is done.
    pub job: Option<JobId>,
    /// It waits for the cine that was asked for meanwhile.
    pub waits: bool,
    pub fraction: f64,
    pub seconds_left: f64,
    pub previews: Vec<Arc<Cine>>,
    /// Counts previews, so that new ones are uploaded.
    pub(in crate::ui::explore) count: u64,
    pub rungs: Vec<Shown>,
    pub(in crate::ui::explore) cines: Vec<widgets::Cine>,
}

/// A point of the plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub requested: f64,
    pub measured: f64,
    /// Of a best of N, whether it is the one that was kept.
    pub kept: bool,
}
