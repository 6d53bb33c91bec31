//! What is known of a simulated heart at an EF, beside what a cascade makes of it.

use crate::cli::anatomies::OWN_EF;
use crate::media::region::{Anatomy, SIDE};
use crate::metrics::Measures;
use crate::motion::{Beating, Motion, Tissue};
use crate::phantom::{Heart, Lesson};
use crate::puppet::{FRAMES, GRID, cavity, centres};
use anyhow::anyhow;

pub struct Truth {
    lesson: Lesson,
    /// Pixels of the 112 x 112 frame.
    wall: f64,
}

/// How thick the wall around the left ventricle is taken to be, in cm.
const WALL_CM: f64 = 1.0;

impl Truth {
    /// Of the heart as [`crate::cli::anatomies`] gives it, at an EF in percent.
    pub fn of(heart: &Heart, ef: f64) -> Self {
        Self {
            lesson: heart.lesson(ef / 100.0, (OWN_EF, 0.0)),
            wall: WALL_CM * heart.pixels_per_cm(),
        }
    }

    /// What the tracker reads where the motion is exact, in percent.
    pub fn tracked(&self, anatomy: &Anatomy) -> anyhow::Result<f64> {
        let outlines = self.lesson.outlines.iter();
        let motion = Motion {
            frames: FRAMES,
            side: GRID,
            displacement: self.lesson.motion.clone(),
            cavity: outlines.flat_map(|o| cavity(&exact(o))).collect(),
        };
        let gray = anatomy.tensor(1)?.flatten_all()?.to_vec1()?;
        let tissue = Tissue::new(SIDE, gray, None).map_err(|why| anyhow!("{why}"))?;
        let beating = Beating::new(tissue, motion).map_err(|why| anyhow!("{why}"))?;
        let frames = beating.video().gray_bytes();
        Ok(Measures::of(&frames, beating.motion(), &anatomy.gray_bytes()).tracked)
    }

    /// How far a cascade's motion is from the heart's own in the left ventricle's wall, in pixels of the 112 x 112 frame:
    /// the mean over its cells in all frames. `None` where the motion has other frames or cells, or no wall.
    pub fn wall_error(&self, motion: &Motion) -> Option<f64> {
        if motion.displacement.len() != self.lesson.motion.len() {
            return None;
        }
        let pairs = motion
            .displacement
            .chunks_exact(2)
            .zip(self.lesson.motion.chunks_exact(2));
        let mut pairs = pairs.map(|(found, known)| {
            let [x, y] = [0, 1].map(|axis| f64::from(found[axis] - known[axis]));
            x.hypot(y)
        });
        let (mut sum, mut n) = (0.0, 0);
        for outline in &self.lesson.outlines {
            let outline = exact(outline);
            for (cell, inside) in centres().zip(cavity(&outline)) {
                let error = pairs.next()?;
                // A cell that the outline runs through is of the wall as much as of the cavity.
                if inside < 0.0 && distance(cell, &outline) <= self.wall {
                    sum += error;
                    n += 1;
                }
            }
        }
        (n > 0).then(|| sum / f64::from(n))
    }
}

fn exact(outline: &[[f32; 2]]) -> Vec<[f64; 2]> {
    outline.iter().map(|p| p.map(f64::from)).collect()
}

/// From a point to the nearest on an open line: the base, between its ends, is the valve.
fn distance(from: [f64; 2], line: &[[f64; 2]]) -> f64 {
    let to_piece = |[a, b]: [[f64; 2]; 2]| {
        let along = [b[0] - a[0], b[1] - a[1]];
        let length = along[0] * along[0] + along[1] * along[1];
        let inner = (from[0] - a[0]) * along[0] + (from[1] - a[1]) * along[1];
        let t = if length > 0.0 {
            (inner / length).clamp(0.0, 1.0)
        } else {
            0.0
        };
        (a[0] + t * along[0] - from[0]).hypot(a[1] + t * along[1] - from[1])
    };
    let pieces = line.iter().zip(line.iter().skip(1));
    pieces
        .map(|(a, b)| to_piece([*a, *b]))
        .fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::Quality;

    #[test]
    fn exact_motion_has_no_error_and_motion_that_is_off_has_its() {
        let heart = Heart::from_seed(901, Quality::Good).steady();
        let truth = Truth::of(&heart, 40.0);
        let off = |by: f32| {
            let step = truth.lesson.motion.chunks_exact(2);
            Motion {
                frames: FRAMES,
                side: GRID,
                displacement: step
                    .flat_map(|s| [s[0] + 3.0 * by, s[1] - 4.0 * by])
                    .collect(),
                cavity: Vec::new(),
            }
        };
        assert_eq!(truth.wall_error(&off(0.0)), Some(0.0));
        let error = truth.wall_error(&off(0.2)).unwrap();
        assert!((error - 1.0).abs() < 1e-4, "{error}");
        let short = Motion {
            displacement: vec![0.0; 8],
            ..off(0.0)
        };
        assert_eq!(truth.wall_error(&short), None);
    }

    #[test]
    fn a_point_is_so_far_from_a_line() {
        let line = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]];
        for (from, expected) in [([5.0, 3.0], 3.0), ([-3.0, 4.0], 5.0), ([12.0, 5.0], 2.0)] {
            assert!((distance(from, &line) - expected).abs() < 1e-12);
        }
    }
}
