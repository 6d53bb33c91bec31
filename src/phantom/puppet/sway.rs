//! What moves the whole picture within its sector.

use super::super::SIZE;
use super::super::maths::sine_cosine;
use super::super::random::{Purpose, Random};
use crate::puppet::{Point, add, sub};
use std::f64::consts::TAU;

/// How far tissue is swayed within the sector, about the probe. All 0 is not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sway {
    /// The probe's unrest, in pixels at the middle of the picture: it turns and slides slowly.
    pub probe: f64,
    /// The chest's rise and fall, in pixels, once in about four beats.
    pub breathing: f64,
    /// How differently the heart lies from the still, drawn once for a recording: 1 turns it by up to 11 degrees,
    /// makes it larger or smaller by up to 14 %, and shifts it by up to 5 pixels.
    pub pose: f64,
}

/// Where the probe is, and turns are about: above the middle of the picture.
const PROBE: Point = [SIZE as f64 / 2.0 - 0.5, 0.0];
/// From there to the middle of the picture.
const DEEP: f64 = SIZE as f64 / 2.0;

/// A turn, a scale and a shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moved {
    /// Cosine and sine, times the scale.
    turn: [f64; 2],
    shift: Point,
}

impl Moved {
    /// Where what was at a place has gone.
    pub(super) fn forth(&self, p: Point) -> Point {
        let ([c, s], [x, y]) = (self.turn, sub(p, PROBE));
        add(add([c * x - s * y, s * x + c * y], PROBE), self.shift)
    }

    /// Where it was.
    pub(super) fn back(&self, p: Point) -> Point {
        let ([c, s], [x, y]) = (self.turn, sub(sub(p, self.shift), PROBE));
        let square = c * c + s * s;
        add([(c * x + s * y) / square, (c * y - s * x) / square], PROBE)
    }
}

impl Sway {
    /// After so many beats of a recording.
    pub(super) fn at(&self, beats: f64, seed: u64) -> Moved {
        let mut random = Random::new(seed, Purpose::Sway);
        let mut u = |low, high| random.within(low, high);
        let pose = self.pose.clamp(0.0, 1.0);
        let mut angle = pose * u(-0.2, 0.2);
        let scale = 1.0 + pose * u(-0.13, 0.14);
        let mut shift = [pose * u(-5.0, 5.0), pose * u(-5.0, 5.0)];
        // Two slow turns that never meet again make the probe's unrest; it begins where the still is.
        for (weight, period) in [(0.7, u(2.3, 4.1)), (0.3, u(0.9, 1.7))] {
            let begun = [u(0.0, TAU), u(0.0, TAU)];
            let gone = begun.map(|b| sine_cosine(b + TAU * beats / period).0 - sine_cosine(b).0);
            angle += weight * self.probe * gone[0] / DEEP;
            shift[0] += 0.5 * weight * self.probe * gone[1];
        }
        let begun = u(0.0, TAU);
        let risen = sine_cosine(begun + TAU * beats / u(3.5, 4.5)).0 - sine_cosine(begun).0;
        shift[1] += 0.5 * self.breathing * risen;
        let (sine, cosine) = sine_cosine(angle);
        Moved {
            turn: [scale * cosine, scale * sine],
            shift,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_no_farther_than_it_says_and_comes_back() {
        let off = |a: Point, b: Point| (a[0] - b[0]).hypot(a[1] - b[1]);
        let middle = [55.5, 55.5];
        for seed in 0..20 {
            let sway = Sway {
                probe: 1.5,
                breathing: 2.0,
                pose: 0.0,
            };
            let mut farthest = 0.0f64;
            for k in 0..200 {
                let moved = sway.at(f64::from(k) * 0.1, seed);
                assert!(off(moved.back(moved.forth([20.0, 90.0])), [20.0, 90.0]) < 1e-9);
                farthest = farthest.max(off(moved.forth(middle), middle));
            }
            assert!((0.5..6.5).contains(&farthest), "{farthest}");
            assert!(off(sway.at(0.0, seed).forth(middle), middle) < 1e-9);
            let posed = Sway {
                pose: 1.0,
                ..Sway::default()
            }
            .at(3.0, seed);
            assert_eq!(
                posed,
                Sway {
                    pose: 1.0,
                    ..Sway::default()
                }
                .at(9.0, seed)
            );
            assert!(off(posed.forth(middle), middle) < 28.0);
        }
        assert_eq!(Sway::default().at(7.3, 1).forth(middle), middle);
    }
}
