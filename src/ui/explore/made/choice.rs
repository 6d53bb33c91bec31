//! What an export is asked for.

use crate::media::export::Format;
use std::path::PathBuf;

/// What is exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum What {
    #[default]
    Counterfactual,
    Factual,
    /// The panes side by side, one cine.
    Panes,
    /// The same at the moment that is shown, one picture.
    Moment,
    /// The M-mode strips, one picture.
    MMode,
    /// The ladder, one picture.
    Ladder,
}

/// The dialog's fields.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub what: What,
    pub format: Format,
    pub with_anatomy: bool,
    /// At the source's own resolution, where that is finer.
    pub fine: bool,
    /// Of panes: a picture's side in 112ths, whether the recorded source is among them, and the volumes.
    pub scale: usize,
    pub with_source: bool,
    pub with_volumes: bool,
    /// And the ladder's rungs beside them, the strips of the M-mode under them.
    pub with_ladder: bool,
    pub with_strips: bool,
    /// And the wipe or the difference that is on screen.
    pub with_comparison: bool,
    /// Of a moment: which of the loop's frames.
    pub at: usize,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            what: What::default(),
            format: Format::Gif,
            with_anatomy: true,
            fine: true,
            scale: 3,
            with_source: false,
            with_volumes: true,
            with_ladder: false,
            with_strips: false,
            with_comparison: false,
            at: 0,
        }
    }
}

/// A name to begin with, which says nothing of the source.
pub fn usual_name(what: What, extension: &str) -> PathBuf {
    let stem = match what {
        What::Counterfactual => "counterfactual",
        What::Factual => "factual",
        What::Panes => "side_by_side",
        What::Moment => "moment",
        What::MMode => "m_mode",
        What::Ladder => "ladder",
    };
    PathBuf::from(stem).with_extension(extension)
}
