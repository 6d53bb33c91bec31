//! What is opened becomes the source: its anatomy is taken, its EF measured.

use super::alignment::Grays;
use super::kept::{HEART_RATES, usual_heart_rate};
use super::measuring::Measuring;
use super::state::Explore;
use crate::clip::{Clip, FrameRate};
use crate::ef::EfOrigin;
use crate::engine::{Engine, MeasureId};
use crate::hearts::{self, simulated_heart};
use crate::measure::{Measurement, TimeBase, is_under_half_a_beat};
use crate::media::export::Sidecar;
use crate::media::{Kind, Opened, region};
use crate::nn::Interrupt;
use crate::recording::Recording;
use crate::ui::projector::Projector;
use crate::ui::source::{Origin, Source};
use crossbeam_channel::{TryRecvError, bounded};
use std::sync::Arc;

/// Made factual where nobody has said the source's own EF, and said to be assumed.
const ASSUMED_EF: f64 = 55.0;

impl Explore {
    /// Opens the next simulated heart.
    pub fn open_simulated(&mut self, engine: &mut Engine) {
        let next = match self.source.as_ref().map(|s| s.origin) {
            Some(Origin::SimulatedHeart(i)) => (i + 1) % hearts::COUNT,
            _ => 0,
        };
        let prepared = simulated_heart(next).and_then(|heart| {
            let recording = Recording::of_clip(Clip::still(heart.frame))?;
            let opened = Opened::new(recording, Kind::Still);
            let source = Source::prepare(opened, Origin::SimulatedHeart(next))?;
            Ok((source, heart.ef.get()))
        });
        match prepared {
            Ok((source, ef)) => {
                self.factual_ef = ef;
                self.set_source(source, engine);
            }
            Err(why) => self.said.push(why),
        }
    }

    pub fn open(&mut self, source: Source, engine: &mut Engine) {
        self.factual_ef = ASSUMED_EF;
        self.set_source(source, engine);
    }

    /// Opens the anatomy of an exported cine and repeats its run.
    pub fn reopen_run(&mut self, source: Source, sidecar: &Sidecar, engine: &mut Engine) {
        self.factual_ef = ASSUMED_EF;
        self.put_source(source);
        if let Some(ef) = sidecar.mark.factual_ef_percent {
            self.factual_ef = ef;
            self.ef_origin = sidecar.mark.factual_ef_origin;
        }
        self.repeat(&sidecar.mark.provenance, engine);
    }

    fn set_source(&mut self, source: Source, engine: &mut Engine) {
        self.put_source(source);
        self.run(engine);
    }

    pub(super) fn put_source(&mut self, mut source: Source) {
        source.id = self.next_id();
        self.said.append(&mut source.warnings);
        let (slowest, fastest) = HEART_RATES.into_inner();
        let heart_rate = source.heart_rate.unwrap_or(usual_heart_rate());
        self.settings.heart_rate = heart_rate.clamp(slowest, fastest);
        match Projector::start(source.recording.clone(), self.wake.clone()) {
            Ok(projector) => self.projector = Some(projector),
            Err(e) => return self.said.push(e.to_string()),
        }
        self.on_screen = None;
        self.anatomy_is_due = false;
        self.ef_origin = match source.is_simulated() {
            true => EfOrigin::Given,
            false => EfOrigin::Assumed,
        };
        self.drawing_mask = false;
        self.source = Some(source);
        self.forget_outline();
        self.forget_results();
        self.measure_source();
    }

    /// The anatomy frame or the crop changed.
    pub(super) fn retake_anatomy(&mut self, engine: &mut Engine) {
        self.seek_text();
        self.anatomy_is_due = true;
        self.anatomy_when_ready(engine);
    }

    /// Takes the anatomy if that is due and its frame is there.
    pub(super) fn anatomy_when_ready(&mut self, engine: &mut Engine) {
        let (Some(source), Some(projector)) = (&mut self.source, &self.projector) else {
            return;
        };
        if source.picture_number != source.frame {
            if projector.is_damaged(source.frame) {
                let text = format!("Frame {} is damaged. Choose another one.", source.frame + 1);
                self.said.push(text);
                source.frame = source.picture_number;
                self.anatomy_is_due = false;
                return;
            }
            let Some(picture) = projector.single(source.frame) else {
                return;
            };
            source.picture = picture;
            source.picture_number = source.frame;
        }
        if !std::mem::take(&mut self.anatomy_is_due) {
            return;
        }
        let before = source.anatomy.sha256.clone();
        let masked = !source.crop.masks.is_empty();
        match source.take_anatomy() {
            Ok(anatomy) if anatomy != *source.anatomy => source.anatomy = Arc::new(anatomy),
            Ok(_) => return,
            Err(why) => return self.said.push(why),
        }
        if masked {
            self.forget_anatomy(&before);
        }
        self.forget_outline();
        self.forget_results();
        self.run(engine);
    }

    /// The user says how fast a clip is whose file does not.
    pub(super) fn set_rate(&mut self, rate: Option<FrameRate>) {
        if let Some(source) = &mut self.source {
            source.rate = rate;
        }
        self.measure_source();
    }

    /// Begins to measure the source, if it is a clip of known rate. What was being measured is
    /// forgotten.
    pub(super) fn measure_source(&mut self) {
        if let Measuring::Cropping(_, _, interrupt) | Measuring::Viewing(_, interrupt) =
            &self.measuring
        {
            interrupt.set();
        }
        self.measuring = Measuring::Nothing;
        self.viewing.forget_source();
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
        let (sender, receiver) = bounded(1);
        let interrupt = Interrupt::new();
        let (crop, stop, wake) = (source.crop.clone(), interrupt.clone(), self.wake.clone());
        let spawned = std::thread::Builder::new()
            .name("measuring".into())
            .spawn(move || {
                let video = region::video(&recording, &crop, || stop.is_set());
                let cropped = video.map(|video| {
                    let grays = Arc::new(Grays::of(&video));
                    (video, grays)
                });
                // Fails only when nobody waits any more.
                let _ = sender.send(cropped.map_err(|e| e.to_string()));
                wake();
            });
        self.measuring = match (spawned, time) {
            (Ok(_), Some(time)) => Measuring::Cropping(receiver, time, interrupt),
            (Ok(_), None) => Measuring::Viewing(receiver, interrupt),
            (Err(e), _) => Measuring::Failed(e.to_string()),
        };
    }

    /// Where the file says no heart rate, its motion may.
    fn heart_rate_of(&mut self, grays: &Grays, rate: FrameRate) {
        let said = self.source.as_ref().is_some_and(|s| s.heart_rate.is_some());
        if let Some(beat) = grays.beat(rate.fps()).filter(|_| !said) {
            let (slowest, fastest) = HEART_RATES.into_inner();
            self.settings.heart_rate = (60.0 / beat).round().clamp(slowest, fastest);
        }
    }

    /// Looks where in the source the cines' cycle begins.
    pub(super) fn find_phase(&mut self) {
        let made = self.factual.as_ref().or(self.counterfactual.as_ref());
        let rate = self.source.as_ref().and_then(|s| s.rate);
        if let (Some(grays), Some(made), Some(rate)) = (&self.viewing.grays, made, rate) {
            let (_, seconds) = self.cycle();
            let found = grays.align(rate.fps(), &made.result.cine.video, seconds);
            // Weaker than this it says nothing.
            self.viewing.offset = found.filter(|(_, correlation)| *correlation > 0.2);
        }
    }

    /// Hands the cropped clip on when it is there.
    pub fn pursue(&mut self, engine: &mut Engine) {
        if let Measuring::Cropping(receiver, time, _) = &self.measuring {
            let (arrived, time) = (receiver.try_recv(), *time);
            self.measuring = match arrived {
                Err(TryRecvError::Empty) => return,
                Ok(Ok((video, grays))) => {
                    if let TimeBase::Rate(rate) = time {
                        self.heart_rate_of(&grays, rate);
                    }
                    self.viewing.grays = Some(grays);
                    engine.cancel_measuring();
                    Measuring::Asked(engine.measure(video, time))
                }
                Ok(Err(why)) => Measuring::Failed(why),
                Err(TryRecvError::Disconnected) => {
                    Measuring::Failed("the clip could not be read".into())
                }
            };
            self.find_phase();
            if !self.measuring.is_going_on() {
                self.run(engine);
            }
        }
        if let Measuring::Viewing(receiver, _) = &self.measuring
            && let Ok(taken) = receiver.try_recv()
        {
            self.viewing.grays = taken.ok().map(|(_, grays)| grays);
            self.measuring = Measuring::Nothing;
        }
        self.hear_of_text();
        self.anatomy_when_ready(engine);
    }

    /// Takes the worker's answer, and asks for the factual cine.
    pub(super) fn measured(
        &mut self,
        id: MeasureId,
        result: Result<Measurement, String>,
        engine: &mut Engine,
    ) {
        if !self.measuring.is_asked(id) {
            return;
        }
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
        self.begin_steps_here();
        self.run(engine);
    }
}
