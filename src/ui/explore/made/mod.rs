//! What was made and what is being made: cines, ladder, the plot's points.

pub(in crate::ui::explore) mod choice;
mod events;
pub(in crate::ui::explore) mod export_dialog;
mod export_panes;
mod ladder;
mod plot;
pub(in crate::ui::explore) mod shown;

use super::view::Pane;
use crate::ef::EfPercent;
use crate::engine::{self, Job, JobId, Part};
use shown::{Point, Running, Shown, Strip};
use std::sync::Arc;

/// What is waiting for the user's word, since it would take long.
#[derive(Clone)]
pub enum Asked {
    Job(Job),
    Ladder,
}

/// The results of the anatomy that is open.
#[derive(Default)]
pub struct Made {
    pub factual: Option<Shown>,
    pub counterfactual: Option<Shown>,
    /// A counterfactual cine that stays beside the next ones.
    pub pinned: Option<Shown>,
    pub ladder: Option<Strip>,
    /// All results of this anatomy.
    pub points: Vec<Point>,
    /// Requested EFs of which a cine is at hand.
    pub generated: Vec<f64>,
    pub running: Option<Running>,
    pub ask: Option<(Asked, f64)>,
    /// Estimates that were shown so far.
    pub estimates: u64,
    /// The last estimate of a cine that was cancelled, and its number.
    pub(in crate::ui::explore) cancelled: Option<(Part, u64, Arc<engine::Cine>)>,
    last_job: Option<Job>,
    /// Floating-point operations a second, of the last run.
    pub(in crate::ui::explore) pace: Option<f64>,
}

impl Made {
    /// Another anatomy: what was made is not of it.
    pub(in crate::ui::explore) fn forget(&mut self) {
        *self = Self {
            running: self.running.take(),
            last_job: self.last_job.take(),
            estimates: self.estimates,
            pace: self.pace,
            ..Self::default()
        };
    }

    pub(in crate::ui::explore) fn shown(&self, part: Part) -> Option<&Shown> {
        match part {
            Part::Factual => self.factual.as_ref(),
            Part::Counterfactual => self.counterfactual.as_ref(),
        }
    }

    /// The finished cine of a pane. The source's is none of these.
    pub(in crate::ui::explore) fn cine_of(&self, pane: Pane) -> Option<&Shown> {
        match pane {
            Pane::Source => None,
            Pane::Factual => self.factual.as_ref(),
            Pane::Pinned => self.pinned.as_ref(),
            Pane::Counterfactual => self.counterfactual.as_ref(),
        }
    }

    /// Whether what is shown of a part is an estimate, of which nothing is measured.
    pub(in crate::ui::explore) fn is_estimate(&self, part: Part) -> bool {
        let preview = self.running.as_ref().and_then(|r| r.preview.as_ref());
        let previewed = preview.is_some_and(|(of, _)| *of == part);
        previewed
            || self
                .cancelled
                .as_ref()
                .is_some_and(|(of, _, _)| *of == part)
    }

    pub(in crate::ui::explore) fn can_pin(&self) -> bool {
        self.pinned.is_some() || self.counterfactual.is_some()
    }

    /// Keeps the counterfactual that is shown beside the next ones, or lets go of the one that was kept.
    pub(in crate::ui::explore) fn toggle_pin(&mut self) {
        self.pinned = match self.pinned.take() {
            Some(_) => None,
            None => self.counterfactual.clone(),
        };
    }

    /// The counterfactual cine, else the factual one.
    pub(in crate::ui::explore) fn any(&self) -> Option<&Shown> {
        self.counterfactual.as_ref().or(self.factual.as_ref())
    }

    /// What the counterfactual on screen measures, if it is the one that is asked for.
    pub(in crate::ui::explore) fn measured_at(&self, requested: f64) -> Option<EfPercent> {
        let p = &self.counterfactual.as_ref()?.result.provenance;
        let is_asked = self.running.is_none() && p.requested_ef_percent == requested;
        is_asked.then(|| EfPercent::measured(p.measured_ef_percent))
    }

    /// Whether anything on screen moves.
    pub(in crate::ui::explore) fn moves(&self) -> bool {
        let preview = self.running.as_ref().and_then(|r| r.preview.as_ref());
        self.any().is_some() || preview.is_some()
    }

    /// Settings changed: marks are no longer instant, and the ladder is of others. The factual cine stays to
    /// be seen, dimmed, until the new one is there.
    pub(in crate::ui::explore) fn outdate(&mut self) {
        self.generated.clear();
        if let Some(factual) = &mut self.factual {
            factual.stale = true;
        }
        self.ladder = None;
    }

    /// The worker has this job now; the one before is superseded.
    pub(in crate::ui::explore) fn begin(&mut self, id: JobId, job: Job) {
        let before = self.last_job.replace(job.clone());
        let of_it = |j: &Job| j.counterfactual.anatomy == job.counterfactual.anatomy;
        let following = self
            .running
            .take()
            .filter(|r| r.part == Part::Counterfactual && before.as_ref().is_some_and(of_it));
        self.running = Some(Running {
            id,
            part: Part::Counterfactual,
            at: None,
            fraction: 0.0,
            seconds_left: f64::NAN,
            // The estimate before stays until there is a newer one.
            preview: following.as_ref().and_then(|r| r.preview.clone()),
            follows: following.as_ref().and_then(|r| r.follows),
            previews: following.map_or(0, |r| r.previews),
        });
    }

    /// The job that runs was cancelled. The last finished cine comes back; without one what was seen so far
    /// stays, by this number.
    pub(in crate::ui::explore) fn cancelled(&mut self, id: u64) {
        let preview = self.running.take().and_then(|r| r.preview);
        let unfinished = preview.filter(|(part, _)| self.shown(*part).is_none());
        self.cancelled = unfinished.map(|(part, cine)| (part, id, cine));
    }

    /// A cine is done.
    pub(in crate::ui::explore) fn finish(&mut self, part: Part, shown: Shown) {
        if let Some(running) = &mut self.running {
            running.preview = None;
        }
        self.cancelled = None;
        match part {
            Part::Factual => self.factual = Some(shown),
            Part::Counterfactual => self.counterfactual = Some(shown),
        }
    }

    /// Whether the worker has anything of it, or something waits for the user's word.
    pub(in crate::ui::explore) fn is_busy(&self) -> bool {
        let climbs = |l: &Strip| l.job.is_some() || l.waits;
        self.running.is_some() || self.ask.is_some() || self.ladder.as_ref().is_some_and(climbs)
    }
}
