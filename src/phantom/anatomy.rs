//! What a heart is made like, and how the probe looks at it.

use super::motion::Moment;
use super::outline;
use super::random::{Purpose, Random};
use super::{EF_RANGE, SIZE};

/// A heart at end-diastole, in cm and radians. The probe is at the origin, x to the right and y down.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Anatomy {
    /// The cavity's apex.
    pub(super) apex: [f64; 2],
    /// How far the long axis leans to the right on its way down.
    pub(super) tilt: f64,
    /// The cavity from the apex to the mitral annulus.
    pub(super) length: f64,
    /// Of the cavity, where it is widest.
    pub(super) width: f64,
    /// Where it is widest, as a share of the length from the apex.
    pub(super) widest: f64,
    /// How much it narrows from there to the annulus.
    pub(super) taper: f64,
    /// Thickness of the left ventricle's wall.
    pub(super) wall: f64,
    /// The annulus descends by this, times 0.3 of the EF, of the length.
    pub(super) descent: f64,
    /// Greatest width of the right ventricle.
    pub(super) right_ventricle: f64,
    /// Half axes across and along.
    pub(super) left_atrium: [f64; 2],
    pub(super) right_atrium: [f64; 2],
    /// The share of the beat that systole takes, before it is brought onto a frame.
    pub(super) systole: f64,
    /// How far the apex moves up and down, and the axis to and fro, with the beat.
    pub(super) bob: f64,
    pub(super) rock: f64,
    /// Beats per minute.
    pub(super) rate: f64,
}

/// The sector and its place in the picture, in cm and radians.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    pub(super) depth: f64,
    /// From the middle beam to the first and the last one.
    pub(super) half_angle: f64,
    /// How far the probe is above or below the upper edge.
    pub(super) top: f64,
    /// Along a side of the picture.
    pub(super) side: f64,
}

/// Least distance in cm between the cavity and the edge of what is seen.
const MARGIN: f64 = 0.25;

/// A heart of the seed whose left ventricle is seen whole at every phase and EF: of others no EF can be read.
pub(super) fn drawn(seed: u64) -> (Anatomy, View) {
    let mut random = Random::new(seed, Purpose::Anatomy);
    for _ in 0..200 {
        let view = View::drawn(&mut random);
        let anatomy = Anatomy::drawn(&mut random);
        if anatomy.is_seen(&view) {
            return (anatomy, view);
        }
    }
    // One in three is seen: no seed comes here.
    (Anatomy::plain(), View::plain())
}

impl Anatomy {
    fn drawn(random: &mut Random) -> Self {
        let degree = std::f64::consts::PI / 180.0;
        let mut u = |low, high| random.within(low, high);
        Self {
            apex: [u(-0.6, 1.2), u(1.2, 2.8)],
            tilt: u(-4.0, 16.0) * degree,
            length: u(7.2, 9.8),
            width: u(4.0, 6.6),
            widest: u(0.52, 0.68),
            taper: u(0.35, 1.0),
            wall: u(0.75, 1.25),
            descent: u(0.75, 1.1),
            right_ventricle: u(1.6, 3.0),
            left_atrium: [u(1.7, 2.6), u(1.8, 2.8)],
            right_atrium: [u(1.6, 2.4), u(1.6, 2.5)],
            systole: u(0.32, 0.42),
            bob: u(0.0, 0.15),
            rock: u(0.0, 3.0) * degree,
            rate: u(50.0, 105.0),
        }
    }

    fn plain() -> Self {
        Self {
            apex: [0.0, 1.8],
            tilt: 0.0,
            length: 8.0,
            width: 4.6,
            widest: 0.6,
            taper: 0.7,
            wall: 1.0,
            descent: 0.9,
            right_ventricle: 2.2,
            left_atrium: [2.0, 2.2],
            right_atrium: [1.9, 2.0],
            systole: 0.37,
            bob: 0.05,
            rock: 0.0,
            rate: 70.0,
        }
    }

    fn is_seen(&self, view: &View) -> bool {
        let (sine, cosine) = super::maths::sine_cosine(view.half_angle);
        [0.0, *EF_RANGE.end()].into_iter().all(|ef| {
            // The axis leans most a quarter and three quarters through the beat.
            [0.0, 0.25, 0.75].into_iter().all(|phase| {
                let moment = Moment::new(self, ef, phase, self.systole);
                outline::of(self, &moment).iter().all(|p| {
                    let inward = p[1] * sine - p[0].abs() * cosine;
                    let deep = (p[0] * p[0] + p[1] * p[1]).sqrt();
                    inward > MARGIN
                        && deep < view.depth - MARGIN
                        && p[0].abs() < view.side / 2.0 - MARGIN
                        && p[1] < view.side - view.top.abs() - MARGIN
                })
            })
        })
    }

    /// Half the cavity's width at the share `s` of its length, as a share of half of its greatest one: an ellipse
    /// from the apex, a parabola from where it is widest.
    pub(super) fn profile(&self, s: f64) -> f64 {
        if s < self.widest {
            let from_widest = 1.0 - s.max(0.0) / self.widest;
            (1.0 - from_widest * from_widest).max(0.0).sqrt()
        } else {
            let past = s - self.widest;
            1.0 - self.taper * past * past
        }
    }
}

impl View {
    fn drawn(random: &mut Random) -> Self {
        let mut u = |low, high| random.within(low, high);
        let depth = u(13.0, 17.0);
        let half_angle = u(31.0, 42.0) * std::f64::consts::PI / 180.0;
        Self {
            depth,
            half_angle,
            top: 0.5 * u(-0.1, 0.5),
            side: depth * u(0.98, 1.08),
        }
    }

    fn plain() -> Self {
        Self {
            depth: 15.0,
            half_angle: 0.7,
            top: 0.1,
            side: 15.4,
        }
    }

    pub(super) fn pixels_per_cm(&self) -> f64 {
        SIZE as f64 / self.side
    }

    /// From cm to pixels, a pixel's centre at whole numbers.
    pub(super) fn to_pixels(&self, p: [f64; 2]) -> [f64; 2] {
        let scale = self.pixels_per_cm();
        [
            p[0] * scale + SIZE as f64 / 2.0 - 0.5,
            (p[1] + self.top) * scale - 0.5,
        ]
    }

    /// From pixels to cm.
    pub(super) fn to_cm(&self, p: [f64; 2]) -> [f64; 2] {
        let scale = self.pixels_per_cm();
        [
            (p[0] - SIZE as f64 / 2.0 + 0.5) / scale,
            (p[1] + 0.5) / scale - self.top,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_has_a_heart_that_is_seen() {
        for seed in 0..500 {
            let (anatomy, view) = drawn(seed);
            assert!(
                anatomy.is_seen(&view) && anatomy != Anatomy::plain(),
                "{seed}"
            );
        }
        assert!(Anatomy::plain().is_seen(&View::plain()));
    }

    #[test]
    fn many_are_seen_whole() {
        let mut random = Random::new(0, Purpose::Anatomy);
        let seen = (0..1000)
            .filter(|_| {
                let view = View::drawn(&mut random);
                Anatomy::drawn(&mut random).is_seen(&view)
            })
            .count();
        assert!(seen > 250, "{seen}");
    }

    #[test]
    fn pixels_and_cm_agree() {
        let view = View::plain();
        let p = view.to_pixels(view.to_cm([17.0, 93.0]));
        assert!((p[0] - 17.0).abs() < 1e-9 && (p[1] - 93.0).abs() < 1e-9);
    }
}
