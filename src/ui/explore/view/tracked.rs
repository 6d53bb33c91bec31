//! The source's own volume over the beat: the factual cine's outline at end-diastole, laid on the recording and followed
//! by what its pixels do.

use super::super::Explore;
use crate::metrics::tracked_volumes;
use crate::outline::ejection_fraction;
use crate::ui::task::{Reporter, Task};

/// The curve of one recording in one phase, beside one factual cine.
#[derive(Default)]
pub struct Tracked {
    /// What the curve is of, or what has none.
    of: Option<Of>,
    /// Shares of the greatest, in the frames of the factual cine.
    volumes: Option<Vec<f64>>,
    /// One at a time: it takes some of the time that cines are made in.
    making: Option<(Of, Task<Option<Vec<f64>>>)>,
}

/// The factual cine and the recording's anatomy, by their hashes, and the recording's frames beside the cine's own.
#[derive(Clone, PartialEq)]
struct Of {
    cine: String,
    anatomy: String,
    frames: Vec<usize>,
}

impl Tracked {
    pub fn volumes(&self) -> Option<&[f64]> {
        self.volumes.as_deref()
    }

    /// In percent; it reads low, as [`crate::metrics::tracked_ef`] does.
    pub fn ef(&self) -> Option<f64> {
        self.volumes.as_deref().map(ejection_fraction)
    }
}

impl Explore {
    /// Has the curve of what is open made, and takes it when it is there.
    pub(in crate::ui::explore) fn pursue_tracking(&mut self) {
        let now = self.to_track();
        let tracked = &mut self.view.tracked;
        let outcome = tracked.making.as_ref().and_then(|(_, task)| task.take());
        if let Some(outcome) = outcome
            && let Some((of, _)) = tracked.making.take()
            && now.as_ref() == Some(&of)
        {
            // What cannot be followed has no curve, and is no fault.
            tracked.volumes = outcome.ok().flatten();
            tracked.of = Some(of);
        }
        let Some(now) = now else {
            (tracked.of, tracked.volumes) = (None, None);
            return;
        };
        // Until the new one is there the curve stays where only the factual cine is another.
        let same = |of: &Of| of.anatomy == now.anatomy && of.frames == now.frames;
        if !tracked.of.as_ref().is_some_and(same) {
            (tracked.of, tracked.volumes) = (None, None);
        }
        if self.view.tracked.of.as_ref() != Some(&now) && self.view.tracked.making.is_none() {
            let task = self.track(&now);
            self.view.tracked.making = task.map(|task| (now, task));
        }
    }

    /// What can be followed: a clip that is played in phase, beside a factual cine with an outline.
    fn to_track(&self) -> Option<Of> {
        let (begins, _) = self.view.offset.filter(|_| self.view.align)?;
        let source = self.case.source.as_ref()?;
        let fps = source.rate?.fps();
        let there = self.view.grays.as_ref()?.frames.len();
        let factual = &self.made.factual.as_ref()?.result;
        factual.cine.beating.as_ref()?.beat()?;
        let (n, seconds) = self.cycle();
        let at = |k: usize| ((begins + k as f64 / n as f64 * seconds) * fps).round() as usize;
        let frames: Vec<usize> = (0..n).map(at).collect();
        frames.iter().all(|&f| f < there).then(|| Of {
            cine: factual.provenance.pixels_sha256.clone(),
            anatomy: source.anatomy.sha256.clone(),
            frames,
        })
    }

    fn track(&self, of: &Of) -> Option<Task<Option<Vec<f64>>>> {
        let grays = self.view.grays.clone()?;
        let beating = self.made.factual.as_ref()?.result.cine.beating.clone()?;
        let numbers = of.frames.clone();
        let work = move |_: &Reporter| {
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
