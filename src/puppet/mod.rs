//! The left ventricle's outline in an apical four-chamber frame as nine points; a beat of an exact
//! ejection fraction by a smooth warp of it; and the way from a network's motion to an outline that
//! a person can correct, and back to a motion.
//!
//! All coordinates are `[x, y]` in pixels of the 112 x 112 frame, a pixel's centre at whole
//! numbers. A volume is that of disks about the axis from the apex to the middle of the annulus.

mod beat;
pub(crate) mod disks;
mod guess;
mod landmarks;
mod linear;
mod mask;
mod rig;
mod spline;
mod thin_plate;

pub(crate) use beat::cavity;
pub use beat::{Beat, contraction, refit, systole};
pub use guess::{Guess, GuessError, guess};
pub use landmarks::{Landmarks, OutlineError};
pub use rig::{OUTLINE_POINTS, Rig, Traits};
pub use thin_plate::ThinPlate;

/// `[x, y]` in pixels of the 112 x 112 frame.
pub type Point = [f64; 2];

/// Frames of a beat, from end-diastole.
pub const FRAMES: usize = 16;
/// Cells along a side of a motion field.
pub const GRID: usize = 28;
/// Pixels along a side of a frame.
pub const SIDE: usize = 112;
/// Pixels along a side of a cell.
pub(crate) const CELL: usize = SIDE / GRID;

/// Where the middle of cell `k` of a motion field lies in the frame.
pub(crate) fn centre(k: usize) -> f64 {
    (k as f64 + 0.5) * CELL as f64 - 0.5
}

/// The middles of all cells, row by row.
pub(crate) fn centres() -> impl Iterator<Item = Point> {
    (0..GRID * GRID).map(|i| [centre(i % GRID), centre(i / GRID)])
}

pub(crate) fn add(a: Point, b: Point) -> Point {
    [a[0] + b[0], a[1] + b[1]]
}

pub(crate) fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

pub(crate) fn scaled(a: Point, k: f64) -> Point {
    [a[0] * k, a[1] * k]
}

pub(crate) fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

pub(crate) fn norm(a: Point) -> f64 {
    a[0].hypot(a[1])
}

/// The axis from an apex to the middle of an annulus, and what lies along and across it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub apex: Point,
    /// Of length 1, from the apex to the annulus.
    pub along: Point,
    /// Of length 1, a quarter turn from `along`.
    pub across: Point,
    /// From the apex to the middle of the annulus, in pixels.
    pub length: f64,
}

impl Axis {
    /// The two points must not coincide.
    pub fn new(apex: Point, middle: Point) -> Self {
        let difference = sub(middle, apex);
        let length = norm(difference);
        let along = scaled(difference, 1.0 / length);
        Self {
            apex,
            along,
            across: [along[1], -along[0]],
            length,
        }
    }

    /// Height below the apex and distance from the axis.
    pub fn of(&self, point: Point) -> (f64, f64) {
        let from = sub(point, self.apex);
        (dot(from, self.along), dot(from, self.across))
    }

    pub fn at(&self, height: f64, aside: f64) -> Point {
        let moved = add(scaled(self.along, height), scaled(self.across, aside));
        add(self.apex, moved)
    }
}
