//! What is taken from the source: its anatomy, and the square of every frame to measure its EF in.

use super::Case;
use super::measuring::{Cropping, Measuring};
use crate::clip::FrameRate;
use crate::ef::EfOrigin;
use crate::measure::{Measurement, TimeBase, is_under_half_a_beat};
use crate::metrics::beat::Grays;
use crate::ui::projector::Projector;
use crate::ui::source::Source;
use std::sync::Arc;

/// What came of an anatomy that was due.
pub(in crate::ui::explore) enum Taken {
    /// Nothing is due, its frame is not there yet, or it is the one that was there.
    Nothing,
    /// Another anatomy is open. With the hash of the one before, if something was masked since.
    Another { masked: Option<String> },
    /// A sentence.
    Failed(String),
}

impl Case {
    /// Makes this the open source.
    ///
    /// # Errors
    /// When its decoding thread cannot be started.
    pub(in crate::ui::explore) fn put(&mut self, source: Source) -> std::io::Result<()> {
        let projector = Projector::start(source.recording.clone(), self.wake.clone())?;
        self.projector = Some(projector);
        self.on_screen = Some((source.picture_number, source.picture.clone()));
        self.anatomy_is_due = false;
        self.ef_origin = match source.is_simulated() {
            true => EfOrigin::Given,
            false => EfOrigin::Assumed,
        };
        self.drawing_mask = false;
        self.large.forget_source();
        self.masks_taken.clone_from(&source.crop.masks);
        self.source = Some(source);
        Ok(())
    }

    /// The anatomy frame or the crop changed.
    pub(in crate::ui::explore) fn anatomy_changed(&mut self) {
        self.seek_text();
        self.anatomy_is_due = true;
    }

    /// Takes the anatomy if that is due and its frame is there.
    pub(in crate::ui::explore) fn take_anatomy(&mut self) -> Taken {
        let (Some(source), Some(projector)) = (&mut self.source, &self.projector) else {
            return Taken::Nothing;
        };
        if source.picture_number != source.frame {
            if projector.is_missing(source.frame) {
                let text = format!(
                    "Frame {} cannot be shown. Choose another one.",
                    source.frame + 1
                );
                source.frame = source.picture_number;
                self.anatomy_is_due = false;
                return Taken::Failed(text);
            }
            let Some(picture) = projector.single(source.frame) else {
                return Taken::Nothing;
            };
            source.picture = picture;
            source.picture_number = source.frame;
        }
        if !std::mem::take(&mut self.anatomy_is_due) {
            return Taken::Nothing;
        }
        let before = source.anatomy.sha256.clone();
        match source.take_anatomy() {
            Ok(anatomy) if anatomy != *source.anatomy => source.anatomy = Arc::new(anatomy),
            Ok(_) => return Taken::Nothing,
            Err(why) => return Taken::Failed(why),
        }
        let known = std::mem::replace(&mut self.masks_taken, source.crop.masks.clone());
        let is_new = |mask| !known.contains(mask);
        let masked = source.crop.masks.iter().any(is_new);
        Taken::Another {
            masked: masked.then_some(before),
        }
    }

    /// Begins to measure the source, if it is a clip of known rate. What was being measured is
    /// forgotten, and stops.
    pub(in crate::ui::explore) fn measure(&mut self) {
        self.measuring = Measuring::Nothing;
        let Some(source) = &self.source else {
            return;
        };
        let recording = source.recording.clone();
        let short = |rate| is_under_half_a_beat(recording.frames(), rate, source.heart_rate);
        self.too_short = !recording.beat_normalised && source.rate.is_some_and(short);
        let time = match source.rate {
            _ if recording.is_still() => return,
            _ if self.too_short => None,
            _ if recording.beat_normalised => Some(TimeBase::Beat),
            Some(rate) => Some(TimeBase::Rate(rate)),
            None => None,
        };
        let started = Cropping::start(recording, source.crop.clone(), self.wake.clone());
        self.measuring = match (started, time) {
            (Ok(cropping), Some(time)) => Measuring::Cropping(cropping, time),
            (Ok(cropping), None) => Measuring::Viewing(cropping),
            (Err(e), _) => Measuring::Failed(e.to_string()),
        };
    }

    /// Takes the worker's answer. What the user gave stays.
    pub(in crate::ui::explore) fn measured(&mut self, result: Result<Measurement, String>) {
        self.measuring = match result {
            Ok(measurement) => {
                if self.ef_origin != EfOrigin::Given {
                    self.ef_origin = EfOrigin::Measured;
                    self.factual_ef = measurement.measured_ef_percent.clamp(10.0, 85.0).round();
                }
                Measuring::Measured(measurement)
            }
            Err(why) => Measuring::Failed(why),
        };
    }

    /// Beats a minute as the clip's motion shows them, where its file does not say.
    pub(in crate::ui::explore) fn seen_heart_rate(
        &self,
        grays: &Grays,
        rate: FrameRate,
    ) -> Option<f64> {
        let said = self.source.as_ref().is_some_and(|s| s.heart_rate.is_some());
        let beat = grays.beat(rate.fps()).filter(|_| !said)?;
        Some((60.0 / beat).round())
    }
}
