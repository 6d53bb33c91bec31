//! How many of those planned came through: readers, and their trials.

use super::Study;
use super::figures::Report;
use crate::study::plan::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    pub planned_readers: usize,
    pub logs: usize,
    pub withdrawn: usize,
    /// Whose trials count.
    pub readers: usize,
    /// Scored trials of all readers of the plan.
    pub planned_trials: usize,
    /// Scored trials of the readers who count.
    pub trials: usize,
    pub answered: usize,
    pub missing: usize,
    /// Nobody came to them.
    pub not_reached: usize,
    pub planned_repeats: usize,
    pub practice: usize,
}

impl Flow {
    pub fn of(report: &Report, study: &Study) -> Self {
        let trials = |kind| {
            let all = study.plan.readers.iter().flat_map(|r| &r.trials);
            all.filter(|t| t.kind == kind).count()
        };
        Self {
            planned_readers: study.plan.readers.len(),
            logs: study.readers.len(),
            withdrawn: study.readers.iter().filter(|about| about.withdrawn).count(),
            readers: report.readers,
            planned_trials: trials(Kind::Scored),
            trials: report.trials,
            answered: report.answered,
            missing: report.missing,
            not_reached: report
                .trials
                .saturating_sub(report.answered + report.missing),
            planned_repeats: trials(Kind::Repeat),
            practice: trials(Kind::Practice),
        }
    }
}
