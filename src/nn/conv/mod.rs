//! Convolutions of `[batch, channel, frame, height, width]`: over space, over frames, of one pixel.

mod arranged;
mod heads;
mod point;
mod spatial;
mod temporal;

pub(in crate::nn) use heads::Along;
pub use point::PointConv;
pub use spatial::SpatialConv;
pub use temporal::{TemporalConv, TemporalPeg};
