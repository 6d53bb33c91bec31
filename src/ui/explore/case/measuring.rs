//! Where the measurement of a clip's EF is: cropped off the window's thread, measured by the worker.

use crate::clip::Video;
use crate::engine::MeasureId;
use crate::measure::{Measurement, TimeBase};
use crate::metrics::beat::Grays;
use crate::nn::Interrupt;
use crossbeam_channel::Receiver;
use std::sync::Arc;

/// Where the measurement of the source is.
#[derive(Default)]
pub enum Measuring {
    /// A still, or a clip of unknown rate.
    #[default]
    Nothing,
    Cropping(Receiver<Result<Cropped, String>>, TimeBase, Interrupt),
    /// The frames are taken, too, of a clip that is not measured.
    Viewing(Receiver<Result<Cropped, String>>, Interrupt),
    Asked(MeasureId),
    Measured(Measurement),
    Failed(String),
}

/// The square of every frame: for the regressor, and for comparisons on screen.
pub type Cropped = (Video, Arc<Grays>);

impl Measuring {
    pub fn is_going_on(&self) -> bool {
        matches!(self, Self::Cropping(..) | Self::Asked(_))
    }

    /// Whether it waits for this answer of the worker's.
    pub fn is_asked(&self, id: MeasureId) -> bool {
        matches!(self, Self::Asked(asked) if *asked == id)
    }
}
