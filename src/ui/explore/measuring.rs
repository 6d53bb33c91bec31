//! The factual EF of a clip: cropped off the window's thread, measured by the worker.

use super::state::Explore;
use crate::clip::Video;
use crate::engine::{Engine, MeasureId};
use crate::measure::{Measurement, TimeBase};
use crate::media::region;
use crate::nn::Interrupt;
use crossbeam_channel::{Receiver, TryRecvError, bounded};

/// Where the measurement of the source is.
#[derive(Default)]
pub enum Measuring {
    /// A still, or a clip of unknown rate.
    #[default]
    Nothing,
    Cropping(Receiver<Result<Video, String>>, TimeBase, Interrupt),
    Asked(MeasureId),
    Measured(Measurement),
    Failed(String),
}

impl Measuring {
    pub fn is_going_on(&self) -> bool {
        matches!(self, Self::Cropping(..) | Self::Asked(_))
    }
}

impl Explore {
    /// Begins to measure the source, if it is a clip of known rate. What was being measured is
    /// forgotten.
    pub(super) fn measure_source(&mut self) {
        if let Measuring::Cropping(_, _, interrupt) = &self.measuring {
            interrupt.set();
        }
        self.measuring = Measuring::Nothing;
        let Some(source) = &self.source else {
            return;
        };
        let recording = source.recording.clone();
        let time = match source.rate {
            _ if recording.is_still() => return,
            _ if recording.beat_normalised => TimeBase::Beat,
            Some(rate) => TimeBase::Rate(rate),
            None => return,
        };
        let (sender, receiver) = bounded(1);
        let interrupt = Interrupt::new();
        let (crop, stop, wake) = (source.crop.clone(), interrupt.clone(), self.wake.clone());
        let spawned = std::thread::Builder::new()
            .name("measuring".into())
            .spawn(move || {
                let video = region::video(&recording, &crop, || stop.is_set());
                // Fails only when nobody waits any more.
                let _ = sender.send(video.map_err(|e| e.to_string()));
                wake();
            });
        self.measuring = match spawned {
            Ok(_) => Measuring::Cropping(receiver, time, interrupt),
            Err(e) => Measuring::Failed(e.to_string()),
        };
    }

    /// Hands the cropped clip on when it is there.
    pub fn pursue(&mut self, engine: &mut Engine) {
        if let Measuring::Cropping(receiver, time, _) = &self.measuring {
            self.measuring = match receiver.try_recv() {
                Err(TryRecvError::Empty) => return,
                Ok(Ok(video)) => Measuring::Asked(engine.measure(video, *time)),
                Ok(Err(why)) => Measuring::Failed(why),
                Err(TryRecvError::Disconnected) => {
                    Measuring::Failed("the clip could not be read".into())
                }
            };
            if !self.measuring.is_going_on() {
                self.run(engine);
            }
        }
        self.anatomy_when_ready(engine);
    }

    /// Takes the worker's answer, and asks for the factual cine.
    pub(super) fn measured(
        &mut self,
        id: MeasureId,
        result: Result<Measurement, String>,
        engine: &mut Engine,
    ) {
        if !matches!(self.measuring, Measuring::Asked(asked) if asked == id) {
            return;
        }
        self.measuring = match result {
            Ok(measurement) => {
                if !self.ef_is_given {
                    self.factual_ef = measurement.measured_ef_percent.clamp(10.0, 85.0).round();
                }
                Measuring::Measured(measurement)
            }
            Err(why) => Measuring::Failed(why),
        };
        self.run(engine);
    }
}
