//! The left ventricle's cavity as stage 1 of the motion cascade gives it: its volume in each frame
//! of a beat by the method of disks, and its outline for the screen.

mod cavity;
mod contour;
mod resize;

pub use cavity::{Beat, Mask, ejection_fraction, masks};
pub use contour::outline;
pub use resize::upsample;

/// Side of a frame in pixels. Lengths and volumes are in its pixels; the centre of the first pixel
/// lies at 0.
pub const FRAME: usize = 112;
