//! The outline of the anatomy as a motion cascade sees it.

use super::disks::volume;
use super::mask::{Cavity, sampled};
use super::{Axis, FRAMES, GRID, Landmarks, OutlineError, Point, Rig, Traits, add, dot, norm};
use super::{SIDE, scaled, sub};
use rayon::prelude::*;

/// The fewest pixels of the 112 x 112 frame that count as a cavity.
const FEWEST_PIXELS: usize = 150;
/// Points of the edge that are looked at for the annulus.
const RAYS: usize = 120;

/// Why a network's answer gives no outline.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GuessError {
    /// The fields are not of 16 x 28 x 28 cells, or not of numbers.
    #[error("The motion is not of 16 frames of 28 x 28 numbers.")]
    Shape,
    /// There is hardly any cavity at end-diastole.
    #[error("The motion shows no cavity at end-diastole. Set the outline by hand.")]
    NoCavity,
    /// The cavity has no shape of a ventricle.
    #[error("The motion's cavity is no outline: {0}")]
    Outline(#[from] OutlineError),
}

/// What a network said about the anatomy.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess {
    /// The outline in the anatomy itself.
    pub landmarks: Landmarks,
    /// Share of the volume at end-diastole that the anatomy lacks: 0 if it was taken at
    /// end-diastole; below 0 if it holds more than the target does.
    pub ejected: f64,
    /// Volume of each frame of the target beat over that at end-diastole.
    pub volumes: [f64; FRAMES],
}

/// The outline of the anatomy from a motion cascade's answer. `cavity`: `[16, 28, 28]`, from -1
/// outside to 1 inside; `motion`: `[16, 28, 28, 2]`, displacement (x, y) from a pixel of the target
/// frame to its place in the anatomy, in pixels of the 112 x 112 frame. The first frame is
/// end-diastole; its cavity is outlined, and each point carried along the motion.
///
/// # Errors
/// [`GuessError`], with a sentence for a person.
pub fn guess(cavity: &[f32], motion: &[f32]) -> Result<Guess, GuessError> {
    const CELLS: usize = GRID * GRID;
    let finite = |field: &[f32]| field.iter().all(|v| v.is_finite());
    let sizes = (cavity.len(), motion.len()) == (FRAMES * CELLS, 2 * FRAMES * CELLS);
    if !sizes || !finite(cavity) || !finite(motion) {
        return Err(GuessError::Shape);
    }
    let cavities: Vec<Cavity> = cavity.par_chunks(CELLS).map(Cavity::new).collect();
    let first = cavities.first().filter(|c| c.pixels.len() >= FEWEST_PIXELS);
    let first = first.ok_or(GuessError::NoCavity)?;
    let (points, axis) = outlined(first).ok_or(GuessError::NoCavity)?;

    let carried = points.map(|p| {
        let moved = add(p, [0, 1].map(|k| sampled(&motion[..2 * CELLS], 2, k, p)));
        moved.map(|v| v.clamp(0.0, (SIDE - 1) as f64))
    });
    let landmarks = Landmarks::from_points(carried);
    let disks = |points: [Point; 9]| {
        let landmarks = Landmarks::from_points(points);
        let rig = Rig::new(&landmarks, Traits::default())?;
        Ok::<f64, OutlineError>(volume(&rig.outline(0.0)?, &landmarks.axis()))
    };
    let ejected = 1.0 - disks(carried)? / disks(points)?;

    let mut volumes = [1.0; FRAMES];
    let full = first.volume(&axis);
    for (found, cavity) in volumes.iter_mut().zip(&cavities) {
        *found = cavity.volume(&axis) / full;
    }
    Ok(Guess {
        landmarks,
        ejected,
        volumes,
    })
}

/// Nine points along the edge of a cavity, in the order of [`Landmarks::points`], and its axis.
fn outlined(cavity: &Cavity) -> Option<([Point; 9], Axis)> {
    let mut axis = cavity.long_axis()?;
    let count = cavity.pixels.len() as f64;
    let middle = scaled(
        cavity.pixels.iter().fold([0.0; 2], |s, p| add(s, *p)),
        1.0 / count,
    );
    let edge: Vec<Point> = (0..RAYS)
        .filter_map(|k| {
            let (y, x) = (std::f64::consts::TAU * k as f64 / RAYS as f64).sin_cos();
            let reach = cavity.reach(middle, [x, y])?;
            Some(add(middle, scaled([x, y], reach)))
        })
        .collect();
    let mut found = None;
    // The axis is that from apex to annulus, and these are found along the axis.
    for _ in 0..3 {
        let (septal, lateral) = corners(&edge, &axis, middle, count)?;
        let annulus = scaled(add(septal, lateral), 0.5);
        let apex = apex(cavity, annulus, middle)?;
        if norm(sub(annulus, apex)) < 1.0 {
            return None;
        }
        axis = Axis::new(apex, annulus);
        found = Some((septal, lateral));
    }
    let (septal, lateral) = found?;
    let wall = |share: f64, side: f64| {
        let start = axis.at(share * axis.length, 0.0);
        // At least a pixel: the axis of a bent cavity may leave it.
        let reach = cavity
            .reach(start, scaled(axis.across, side))
            .unwrap_or(1.0);
        add(start, scaled(axis.across, side * reach.max(1.0)))
    };
    let [s0, s1, s2] = [0.25, 0.5, 0.75].map(|h| wall(h, -1.0));
    let [l0, l1, l2] = [0.25, 0.5, 0.75].map(|h| wall(h, 1.0));
    Some(([septal, s2, s1, s0, axis.apex, l0, l1, l2, lateral], axis))
}

/// The annulus's ends, septal and lateral: below the middle, where the edge turns most and lies
/// lowest and outermost, and not side by side. A wall that slants in makes the turn the better sign,
/// an annulus that the network rounds off the place. `area`: of the cavity, in square pixels.
fn corners(edge: &[Point], axis: &Axis, middle: Point, area: f64) -> Option<(Point, Point)> {
    /// From a corner to where its two edges are looked at, in pixels.
    const ARM: f64 = 9.0;
    /// Pixels farther down and out that are worth a radian of turn.
    const WORTH: f64 = 12.0;
    /// The narrowest annulus, as a share of the cavity's width.
    const NARROWEST: f64 = 0.45;
    let n = edge.len();
    let (height, aside) = axis.of(middle);
    let turn = |k: usize| {
        let arm = |step: usize| {
            let mut ahead = (1..n / 3).map(|j| sub(edge[(k + j * step) % n], edge[k]));
            ahead.find(|d| norm(*d) >= ARM)
        };
        let (before, after) = (arm(n - 1)?, arm(1)?);
        let cosine = dot(before, after) / (norm(before) * norm(after));
        Some(std::f64::consts::PI - cosine.clamp(-1.0, 1.0).acos())
    };
    // Place, sign of a corner, and distance from the axis.
    let low: Vec<(Point, f64, f64)> = (0..n)
        .filter_map(|k| {
            let (h, r) = axis.of(edge[k]);
            let sign = turn(k)? + (h - height) / WORTH;
            (h > height).then_some((edge[k], sign, r - aside))
        })
        .collect();
    let heights = edge.iter().map(|p| axis.of(*p).0);
    let long =
        heights.clone().fold(f64::NEG_INFINITY, f64::max) - heights.fold(f64::INFINITY, f64::min);
    let apart = NARROWEST * area / long.max(1.0);
    let pairs = low.iter().flat_map(|s| low.iter().map(move |l| (s, l)));
    let score =
        |(s, l): &(&(Point, f64, f64), &(Point, f64, f64))| s.1 + l.1 + 0.5 * (l.2 - s.2) / WORTH;
    pairs
        .filter(|(s, l)| l.2 - s.2 > 0.0 && norm(sub(l.0, s.0)) >= apart)
        .max_by(|a, b| score(a).total_cmp(&score(b)))
        .map(|(s, l)| (s.0, l.0))
}

/// The farthest place of a cavity from the annulus. A blunt tip has many; theirs is the middle.
fn apex(cavity: &Cavity, annulus: Point, middle: Point) -> Option<Point> {
    const TIP: f64 = 1.5;
    let axis = Axis::new(annulus, middle);
    let height = |p: &Point| axis.of(*p).0;
    let top = cavity.pixels.iter().map(height).max_by(f64::total_cmp)?;
    let tip: Vec<f64> = cavity
        .pixels
        .iter()
        .filter(|p| height(p) > top - TIP)
        .map(|p| axis.of(*p).1)
        .collect();
    let aside = tip.iter().sum::<f64>() / tip.len() as f64;
    // Pixels have middles; the edge is beyond.
    let reach = cavity.reach(axis.at(0.5 * top, aside), axis.along)?;
    Some(axis.at(0.5 * top + reach, aside))
}

#[cfg(test)]
mod tests {
    use super::super::landmarks::tests::{DRAWN, drawn};
    use super::super::refit;
    use super::*;

    /// A perfect answer for an anatomy whose share `ejected` is gone.
    fn answered(k: usize, ejected: f64) -> (Landmarks, Guess) {
        let truth = Guess {
            landmarks: drawn(k),
            ejected,
            volumes: [1.0; FRAMES],
        };
        let beat = refit(&truth.landmarks, &truth, 0.6).unwrap();
        (truth.landmarks, guess(&beat.cavity, &beat.motion).unwrap())
    }

    #[test]
    fn a_perfect_answer_is_outlined() {
        for k in 0..DRAWN.len() {
            for ejected in [0.0, 0.5] {
                let (truth, found) = answered(k, ejected);
                let distance = |k: usize| {
                    let found = found.landmarks.points()[k];
                    norm(sub(truth.points()[k], found))
                };
                for hinge in [0, 8] {
                    assert!(distance(hinge) < 4.0, "{k} {ejected}: {}", distance(hinge));
                }
                // Where along the wall a person set the apex is a matter of taste.
                assert!(distance(4) < 8.0, "{k} {ejected}: {}", distance(4));
                assert!(
                    (found.ejected - ejected).abs() < 0.04,
                    "{k} {}",
                    found.ejected
                );
                let least = found.volumes.iter().fold(f64::INFINITY, |m, v| m.min(*v));
                assert!((least - 0.4).abs() < 0.06, "{k}: {least}");
            }
        }
    }

    #[test]
    fn no_cavity_and_no_numbers_are_refused() {
        let (cavity, motion) = (vec![-1.0; FRAMES * 784], vec![0.0; FRAMES * 784 * 2]);
        assert_eq!(guess(&cavity, &motion), Err(GuessError::NoCavity));
        assert_eq!(guess(&cavity[1..], &motion), Err(GuessError::Shape));
        let mut nan = motion.clone();
        nan[7] = f32::NAN;
        assert_eq!(guess(&cavity, &nan), Err(GuessError::Shape));
        // All of the picture: some answer, and no panic.
        let _ = guess(&vec![1.0; FRAMES * 784], &motion);
    }
}
