//! Simulated hearts in an apical four-chamber view, with everything known.
//!
//! A [`Heart`] follows from a number alone: any number of them, no files. It beats at any ejection fraction, in
//! phase over all of them, and each frame comes with the outline of the left ventricle that it was drawn from:
//!
//! ```
//! use echoif::phantom::{Heart, Quality};
//!
//! let heart = Heart::from_seed(7, Quality::Good);
//! let beat = heart.beat(0.35, 16);
//! assert!((beat.ef - 0.35).abs() < 0.001);
//! ```
//!
//! How a frame is made: the heart's state at a phase of the beat (`motion`), what echoes where (`tissue`),
//! its scatterers (`texture`), and from these beams, blur, envelope and picture (`scanner`).
//!
//! The same numbers give the same bytes on every processor: only additions, multiplications, divisions and
//! square roots are used, in a fixed order (`maths`), since `sin` and `exp` differ between systems.

mod anatomy;
mod beat;
mod blur;
mod heart;
mod maths;
mod motion;
mod outline;
pub mod puppet;
mod random;
mod scanner;
mod settings;
#[cfg(test)]
mod tests;
mod texture;
mod tissue;
mod wall_motion;

pub use beat::{Beat, Take};
pub use heart::Heart;
pub use outline::{APEX, OUTLINE_POINTS};
pub use settings::Quality;
pub use wall_motion::{Segment, WallMotion};

/// What a motion cascade learns from: a picture of a heart in one state, and how a beat moves into that picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// Gray levels `[112, 112]`.
    pub picture: Vec<u8>,
    /// `[16, 28, 28, 2]`: x and y from a pixel of the beat's frame to its tissue in the picture, in pixels of the
    /// 112 x 112 frame. The beat begins at end-diastole.
    pub motion: Vec<f32>,
    /// Of each of its frames, closed by the line between both ends.
    pub outlines: Vec<Vec<[f32; 2]>>,
}

/// Pixels along a side of a frame.
pub const SIZE: usize = 112;
/// The ejection fractions that a heart can beat at, as a share.
pub const EF_RANGE: std::ops::RangeInclusive<f64> = 0.0..=0.9;
/// The numbers of frames that a beat can have.
pub const FRAMES_RANGE: std::ops::RangeInclusive<usize> = 2..=512;
