//! All measures of one cine of a motion cascade.

use super::picture::{detail, haze};
use super::{lit_hull, tracked_ef};
use crate::motion::Motion;
use crate::outline::{Beat, masks};

/// What a cine reads, apart from the regressor. EFs in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// By disks on the cascade's own cavity: its word on itself. 0 where there is no cavity.
    pub outline: f64,
    /// By disks on the outline at end-diastole, followed by optical flow: what the pixels did.
    pub tracked: f64,
    /// Gray levels by which the core of the cavity is brighter at end-systole than at end-diastole.
    pub haze: Option<f64>,
    /// SD of the Laplacian inside the sector, in gray levels, of the cine and of the anatomy itself.
    pub detail: Option<f64>,
    pub own_detail: Option<f64>,
}

impl Measures {
    /// `frames` are gray levels `[frames, 112, 112]`, carried by `motion`; `anatomy` is
    /// `[112, 112]`.
    pub fn of(frames: &[u8], motion: &Motion, anatomy: &[u8]) -> Self {
        let sector = lit_hull(anatomy);
        let masks = masks(&motion.cavity, motion.side);
        let beat = Beat::of_masks(&masks);
        let tracked = |beat: &Beat| tracked_ef(frames, &motion.cavity, motion.side, beat);
        Self {
            outline: beat.as_ref().map_or(0.0, |b| b.ef_percent),
            tracked: beat.as_ref().and_then(tracked).unwrap_or(0.0),
            haze: beat.as_ref().and_then(|b| haze(frames, &masks, b)),
            detail: detail(frames, &sector),
            own_detail: detail(anatomy, &sector),
        }
    }
}
