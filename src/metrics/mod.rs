//! Measures of cines: how long a beat is, does a motion cascade's heart move as asked, and do its pictures stay clear.
//! These are defined by the reference implementation in training, and give its numbers. And the published evaluation's:
//! similarity of clips, distances of sets of them, and what is made of scores.

pub mod beat;
pub mod caliper;
mod cine;
pub mod flow;
pub mod frechet;
mod lit;
pub mod look;
mod lpips;
pub mod picture;
mod polygon;
pub mod scores;
mod ssim;
mod track;

pub use cine::Measures;
pub use lit::lit_hull;
pub use lpips::Lpips;
pub use ssim::ssim;
pub use track::{tracked_ef, tracked_volumes};
