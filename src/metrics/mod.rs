//! Measures of cines that need no network: how long a beat is, does a motion cascade's heart move as asked,
//! and do its pictures stay clear. The latter are defined by the reference implementation in training, and
//! give its numbers.

pub mod beat;
pub mod caliper;
mod cine;
pub mod flow;
mod lit;
pub mod picture;
mod polygon;
mod ssim;
mod track;

pub use cine::Measures;
pub use lit::lit_hull;
pub use ssim::ssim;
pub use track::tracked_ef;
