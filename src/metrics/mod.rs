//! Measures of a motion cascade's cines that need no network: does the heart move as asked, and do
//! the pictures stay clear. Each is defined by the reference implementation in training, and gives
//! its numbers.

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
