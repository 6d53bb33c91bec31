//! Where the measurement of a clip's EF is: cropped off the window's thread, measured by the worker.

use crate::clip::Video;
use crate::engine::MeasureId;
use crate::measure::{Measurement, TimeBase};
use crate::nn::Interrupt;
use crossbeam_channel::Receiver;

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
