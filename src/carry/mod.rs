//! The anatomy carried along a motion: every pixel of a moving picture is fetched from where its tissue
//! lies in the one frame that is there, so the patient's own speckle moves and nothing is cross-faded.
//! Tissue is continued beyond the sector; what lies outside the sector, the scanner's marks, stays still.

mod carrier;
mod extend;
mod lit;
mod motion;
mod nearest;
mod picture;
mod sector;
mod spline;
#[cfg(test)]
mod twin;
mod wedge;

pub use carrier::{Carried, Carrier};
pub use motion::{CELLS, Motion, REFERENCE_SIDE};
pub use picture::Picture;
pub use sector::mask;

/// Why something cannot be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarryError {
    #[error("a picture of {channels} planes of {side} x {side} has {expected} values, not {found}")]
    Picture {
        channels: usize,
        side: usize,
        expected: usize,
        found: usize,
    },
    #[error("a motion has at least one frame, each of {each} values; {found} are given")]
    Motion { each: usize, found: usize },
    #[error("a mask of {found} pixels for a picture of {expected}")]
    Mask { expected: usize, found: usize },
    #[error("a value that is not finite")]
    NotFinite,
}
