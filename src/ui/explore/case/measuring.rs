//! Where the measurement of a clip's EF is: cropped off the window's thread, measured by the worker.

use crate::clip::Video;
use crate::engine::MeasureId;
use crate::measure::{Measurement, TimeBase};
use crate::media::region::{self, Crop};
use crate::metrics::beat::Grays;
use crate::nn::Interrupt;
use crate::recording::Recording;
use crate::ui::projector::Wake;
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::sync::Arc;

/// Where the measurement of the source is.
#[derive(Default)]
pub enum Measuring {
    /// A still, or a clip of unknown rate.
    #[default]
    Nothing,
    Cropping(Cropping, TimeBase),
    /// The frames are taken, too, of a clip that is not measured.
    Viewing(Cropping),
    Asked(MeasureId),
    Measured(Measurement),
    Failed(String),
}

/// The square of every frame: for the regressor, and for comparisons on screen.
pub type Cropped = (Video, Arc<Grays>);

/// A thread that crops a clip, as long as this waits for it: forgotten, also with the window, it
/// stops at its next frame.
pub struct Cropping {
    answer: Receiver<Result<Cropped, String>>,
    interrupt: Interrupt,
}

impl Cropping {
    /// Begins. `wake` is called when the answer is there.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(recording: Arc<Recording>, crop: Crop, wake: Wake) -> std::io::Result<Self> {
        let (sender, answer) = bounded(1);
        let interrupt = Interrupt::new();
        let stop = interrupt.clone();
        std::thread::Builder::new()
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
            })?;
        Ok(Self { answer, interrupt })
    }

    /// What came of it, once it is there.
    pub fn poll(&self) -> Option<Result<Cropped, String>> {
        match self.answer.try_recv() {
            Ok(answer) => Some(answer),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err("the clip could not be read".into())),
        }
    }
}

impl Drop for Cropping {
    fn drop(&mut self) {
        self.interrupt.set();
    }
}

impl Measuring {
    pub fn is_going_on(&self) -> bool {
        matches!(self, Self::Cropping(..) | Self::Asked(_))
    }

    /// Whether it waits for this answer of the worker's.
    pub fn is_asked(&self, id: MeasureId) -> bool {
        matches!(self, Self::Asked(asked) if *asked == id)
    }
}
