//! The beat: how far a heart is contracted and its valves are open, at each phase.

use super::anatomy::Anatomy;
use super::maths::{exp, sine_cosine};
use super::outline;
use super::wall_motion::{Inward, WallMotion};
use std::f64::consts::{PI, TAU};

/// From 0 to 1 by half a cosine, as `u` goes from 0 to 1.
fn rise(u: f64) -> f64 {
    0.5 - 0.5 * sine_cosine(PI * u.clamp(0.0, 1.0)).1
}

/// Contraction, 0 at end-diastole (phase 0) and 1 at end-systole (phase `systole`): out by half a cosine, back by
/// early filling (0.72 of the way, done at 0.38 of diastole) and atrial contraction (in the last 0.28).
pub(super) fn contraction(phase: f64, systole: f64) -> f64 {
    if phase < systole {
        return rise(phase / systole);
    }
    let diastole = (phase - systole) / (1.0 - systole);
    1.0 - 0.72 * rise(diastole / 0.38) - 0.28 * rise((diastole - 0.72) / 0.28)
}

/// How far the valves between atria and ventricles are open, 0 to 1: wide in early filling, half closed, and
/// open again as the atria contract.
pub(super) fn opening(phase: f64, systole: f64) -> f64 {
    let open = systole + 0.05;
    if phase < open {
        return 0.0;
    }
    let q = (phase - open) / (0.95 - systole);
    let bell = |from: f64, width: f64| {
        let z = (q - from) / width;
        f64::from(exp((-z * z) as f32))
    };
    let ajar = if q > 0.1 && q < 0.95 { 0.18 } else { 0.0 };
    (bell(0.2, 0.16) + 0.55 * bell(0.86, 0.09) + ajar).clamp(0.0, 1.0)
}

/// The share of systole of a beat of so many frames, at least two and not always a whole number, that brings
/// end-systole onto a frame, and that frame: so the EF that was asked for is that of the frames, not of a moment
/// between two.
pub(super) fn end_systole(systole: f64, frames: f64) -> (usize, f64) {
    let frames = frames.max(2.0);
    let frame = (systole * frames).round().clamp(1.0, frames.ceil() - 1.0);
    (frame as usize, frame / frames)
}

/// A heart at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moment {
    /// 0 at end-diastole, 1 at end-systole.
    pub(super) contraction: f64,
    /// The share of the volume at end-diastole that has left.
    pub(super) ejected: f64,
    /// Of the valves, 0 to 1.
    pub(super) opening: f64,
    /// What the length is, as a share of that at end-diastole, and how far the walls have come in.
    pub(super) along: f64,
    pub(super) inward: Inward,
    pub(super) apex: [f64; 2],
    /// Unit vector from the apex to the base. Its normal `(y, -x)` points to the lateral wall.
    pub(super) axis: [f64; 2],
}

impl Moment {
    /// `phase` from 0 to below 1, of a wall that moves as a whole.
    pub(super) fn new(anatomy: &Anatomy, ef: f64, phase: f64, systole: f64) -> Self {
        Self::of(anatomy, ef, WallMotion::default(), phase, systole)
    }

    /// As [`Self::new`], each segment of the wall by its own share.
    pub(super) fn of(
        anatomy: &Anatomy,
        ef: f64,
        motion: WallMotion,
        phase: f64,
        systole: f64,
    ) -> Self {
        let contraction = contraction(phase, systole);
        let ejected = ef * contraction;
        // The long axis shortens by 0.3 of the EF, the width by what remains: a disk's volume goes with
        // along * across^2, so that of the cavity is 1 - ejected of the first, whatever its shape.
        let along = 1.0 - 0.30 * ejected * anatomy.descent;
        let across = ((1.0 - ejected) / along).sqrt();
        let lean = anatomy.tilt + anatomy.rock * sine_cosine(TAU * phase).0;
        let (sine, cosine) = sine_cosine(lean);
        let mut moment = Self {
            contraction,
            ejected,
            opening: opening(phase, systole),
            along,
            inward: Inward::new(motion, across),
            apex: [anatomy.apex[0], anatomy.apex[1] + anatomy.bob * contraction],
            axis: [sine, cosine],
        };
        if !motion.is_uniform() {
            let with = |along, inward| {
                let moment = Self {
                    along,
                    inward,
                    ..moment.clone()
                };
                outline::volume_of(anatomy, &moment)
            };
            let full = with(1.0, Inward::new(WallMotion::default(), 1.0));
            let mut inward = moment.inward;
            inward.fit(1.0 - ejected, |inward| with(along, inward) / full);
            moment.inward = inward;
        }
        moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_contracts_and_fills() {
        let at = |k: i32| contraction(f64::from(k) / 1000.0, 0.375);
        assert_eq!((at(0), at(375)), (0.0, 1.0));
        assert!((1..=375).all(|k| at(k) > at(k - 1)));
        assert!((376..1000).all(|k| at(k) <= at(k - 1) + 1e-12));
        assert!(at(999) < 1e-4);
        // The plateau between the two waves.
        assert!((at(700) - 0.28).abs() < 1e-9);
    }

    #[test]
    fn valves_open_in_diastole_alone() {
        assert!((0..42).all(|k| opening(f64::from(k) / 100.0, 0.375) == 0.0));
        let widest = (0..1000)
            .map(|k| opening(f64::from(k) / 1000.0, 0.375))
            .fold(0.0, f64::max);
        assert!(widest > 0.99);
    }

    #[test]
    fn end_systole_is_a_frame() {
        assert_eq!(end_systole(0.37, 16.0), (6, 0.375));
        assert_eq!(end_systole(0.42, 2.0), (1, 0.5));
        for frames in 6..200 {
            let frames = f64::from(frames) / 3.0;
            let (frame, share) = end_systole(0.34, frames);
            assert_eq!(contraction(frame as f64 / frames, share), 1.0);
        }
    }
}
