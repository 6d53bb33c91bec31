//! Layers that Candle lacks, each with a parity test.
//!
//! Every function takes and returns `f32` tensors laid out as `[batch, channel, frame, height,
//! width]` unless it says otherwise. On the CPU the hot ones run as custom operations written
//! here (`cpu/`); on any other device the same function is composed of Candle's operations, and a
//! test holds the two against each other.

pub mod attention;
pub mod conv;
mod cpu;
pub mod cross;
pub mod interrupt;
pub mod join;
pub mod middle;
pub mod norm;
pub mod params;
pub mod point_conv;
pub mod profile;
pub mod resize;
pub mod shuffle;
pub mod temporal;
#[cfg(test)]
mod testing;

pub use interrupt::Interrupt;
pub use params::{Fetched, LoadError, Params, TensorSource};
pub use resize::{ResizeMode, resize};
