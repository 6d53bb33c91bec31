//! The source's own volume over the beat: the factual cine's outline at end-diastole, laid on the recording and followed
//! by what its pixels do.

use super::super::Explore;
use crate::metrics::tracked_volumes;
use crate::outline::ejection_fraction;
use crate::ui::task::Task;

/// The curve of one recording in one phase, beside one factual cine.
#[derive(Default)]
pub struct Tracked {
    /// What it is of.
    of: Option<Of>,
    task: Option<Task<Option<Vec<f64>>>>,
    /// Shares of the greatest, in the frames of the factual cine.
    volumes: Option<Vec<f64>>,
}

/// The factual cine, and the recording's frames beside its own.
#[derive(PartialEq)]
struct Of {
    cine: u64,
    frames: Vec<usize>,
}

impl Tracked {
    pub fn volumes(&self) -> Option<&[f64]> {
        self.volumes.as_deref()
    }

    /// In percent; it reads a few points low.
    pub fn ef(&self) -> Option<f64> {
        self.volumes.as_deref().map(ejection_fraction)
    }
}

impl Explore {
    /// Has the curve of what is open made, and takes it when it is there.
    pub(in crate::ui::explore) fn pursue_tracking(&mut self) {
        let now = self.to_track();
        if now.as_ref() != self.view.tracked.of.as_ref() {
            self.view.tracked = Tracked::default();
            self.view.tracked.task = now.as_ref().and_then(|of| self.track(of));
            self.view.tracked.of = now;
        }
        let tracked = &mut self.view.tracked;
        if let Some(outcome) = tracked.task.as_ref().and_then(Task::take) {
            tracked.task = None;
            // What cannot be followed has no curve, and is no fault.
            tracked.volumes = outcome.ok().flatten();
        }
    }

    /// What can be followed: a clip whose phase is known, beside a factual cine with an outline.
    fn to_track(&self) -> Option<Of> {
        let (begins, _) = self.view.offset?;
        let fps = self.case.source.as_ref()?.rate?.fps();
        let there = self.view.grays.as_ref()?.frames.len();
        let factual = self.made.factual.as_ref()?;
        factual.result.cine.beating.as_ref()?.beat()?;
        let (n, seconds) = self.cycle();
        let at = |k: usize| ((begins + k as f64 / n as f64 * seconds) * fps).round() as usize;
        let frames: Vec<usize> = (0..n).map(at).collect();
        frames.iter().all(|&f| f < there).then_some(Of {
            cine: factual.id,
            frames,
        })
    }

    fn track(&self, of: &Of) -> Option<Task<Option<Vec<f64>>>> {
        let grays = self.view.grays.clone()?;
        let beating = self.made.factual.as_ref()?.result.cine.beating.clone()?;
        let numbers = of.frames.clone();
        let work = move |_: &crate::ui::task::Reporter| {
            let picked = numbers
                .iter()
                .map(|&k| grays.frames.get(k).map(Vec::as_slice));
            let frames = picked.collect::<Option<Vec<_>>>()?.concat();
            let motion = beating.motion();
            let volumes = tracked_volumes(&frames, &motion.cavity, motion.side, beating.beat()?)?;
            let greatest = volumes.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
            Some(volumes.iter().map(|v| v / greatest).collect())
        };
        Task::start("tracking", &self.case.wake, work).ok()
    }
}
