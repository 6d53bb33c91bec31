//! The case: one source, the square that is taken from it, and its own EF.

mod large_editor;
pub(in crate::ui::explore) mod measuring;
mod opening;
mod panel_frame;
mod source_marks;
mod source_panel;
pub(in crate::ui::explore) mod taking;

use crate::clip::Frame;
use crate::ef::EfOrigin;
use crate::media::region::{Anatomy, Mask};
use crate::ui::projector::{Projector, Wake};
use crate::ui::source::Source;
use crossbeam_channel::Receiver;
use large_editor::Large;
use measuring::Measuring;
use std::sync::Arc;

/// Made factual where nobody has said the source's own EF, and said to be assumed.
pub(in crate::ui::explore) const ASSUMED_EF: f64 = 55.0;

/// What is open, and what is known of it.
pub struct Case {
    pub source: Option<Source>,
    /// The source's own EF, in percent.
    pub factual_ef: f64,
    /// Whose word the factual EF is.
    pub ef_origin: EfOrigin,
    pub measuring: Measuring,
    /// The clip shows less than half a beat, so nothing is measured in it.
    too_short: bool,
    /// Decodes the source's frames.
    pub(in crate::ui::explore) projector: Option<Projector>,
    /// The last frame of the source that was there to be shown.
    pub(in crate::ui::explore) on_screen: Option<(usize, Arc<Frame>)>,
    /// The anatomy is to be taken when its frame is there.
    anatomy_is_due: bool,
    /// The masks that the anatomy was taken with.
    masks_taken: Vec<Mask>,
    /// Areas that look like text in the square of the source with this number, being sought.
    seeking: Option<(u64, Receiver<Vec<Mask>>)>,
    /// The anatomy frame is being chosen.
    is_choosing: bool,
    /// A drag on the source draws a mask.
    drawing_mask: bool,
    pub(in crate::ui::explore) large: Large,
    /// The anatomy while the square is being dragged.
    live_anatomy: Option<Anatomy>,
    /// Which recording of a folder it is, from 1, and of how many.
    pub in_folder: Option<(usize, usize)>,
    pub(in crate::ui::explore) wake: Wake,
}

impl Case {
    /// Nothing is open. `wake` has the window drawn anew, from any thread.
    pub(in crate::ui::explore) fn new(wake: Wake) -> Self {
        Self {
            source: None,
            factual_ef: ASSUMED_EF,
            ef_origin: EfOrigin::Assumed,
            measuring: Measuring::default(),
            too_short: false,
            projector: None,
            on_screen: None,
            anatomy_is_due: false,
            masks_taken: Vec::new(),
            seeking: None,
            is_choosing: false,
            drawing_mask: false,
            large: Large::default(),
            live_anatomy: None,
            in_folder: None,
            wake,
        }
    }

    /// The frame of the source that is in its pane, or that plays in its panel.
    pub fn frame_on_screen(&self) -> Option<usize> {
        self.on_screen.as_ref().map(|(number, _)| *number)
    }

    /// Which anatomy is open.
    pub(in crate::ui::explore) fn anatomy_sha256(&self) -> Option<&str> {
        self.source.as_ref().map(|s| s.anatomy.sha256.as_str())
    }

    /// Width and height of the square in centimetres, where the file says how large its pixels are.
    pub(in crate::ui::explore) fn cm_of_square(&self) -> Option<[f64; 2]> {
        let source = self.source.as_ref()?;
        let square = source.crop.square;
        let cm = source.scale?.of(square)?;
        Some(cm.map(|cm| cm * square.side as f64))
    }

    /// The same in pixels of the source.
    pub(in crate::ui::explore) fn pixels_of_square(&self) -> Option<[f64; 2]> {
        let source = self.source.as_ref()?;
        Some([source.crop.square.side as f64; 2])
    }

    /// Whether the source is a clip.
    pub(in crate::ui::explore) fn is_clip(&self) -> bool {
        let source = self.source.as_ref();
        source.is_some_and(|s| !s.recording.is_still())
    }
}
