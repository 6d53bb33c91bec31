//! The left ventricle's inner border, and its volume.

use super::anatomy::Anatomy;
use super::motion::Moment;
use crate::puppet::{Axis, disks};

/// Points from the apex to each end of the annulus.
const SIDE_POINTS: usize = 24;
/// Points of an outline.
pub const OUTLINE_POINTS: usize = 2 * SIDE_POINTS + 1;
/// Which of them is the apex.
pub const APEX: usize = SIDE_POINTS;

/// The border in cm, from the septal end of the mitral annulus over the apex to the lateral one. The line between
/// both ends closes it.
pub(super) fn of(anatomy: &Anatomy, moment: &Moment) -> [[f64; 2]; OUTLINE_POINTS] {
    let [x, y] = moment.axis;
    std::array::from_fn(|i| {
        // Closest at the apex, where it bends most.
        let t = i.abs_diff(APEX) as f64 / SIDE_POINTS as f64;
        let s = t * t;
        let along = s * anatomy.length * moment.along;
        let aside = 0.5 * anatomy.width * moment.inward.at(i >= APEX, s) * anatomy.profile(s);
        let aside = if i < APEX { -aside } else { aside };
        [
            moment.apex[0] + along * x + aside * y,
            moment.apex[1] + along * y - aside * x,
        ]
    })
}

/// The volume at a moment in cubic cm, as [`volume`].
pub(super) fn volume_of(anatomy: &Anatomy, moment: &Moment) -> f64 {
    volume(&of(anatomy, moment).map(|p| p.map(|v| v as f32)))
}

/// The volume within an outline by the single-plane method of disks, in cubic pixels: disks about the axis from
/// the apex to the middle of the annulus. 0 for what is no outline.
pub(super) fn volume(outline: &[[f32; 2]]) -> f64 {
    let wide = |p: &[f32; 2]| p.map(f64::from);
    let (Some(apex), Some(first), Some(last)) =
        (outline.get(APEX), outline.first(), outline.last())
    else {
        return 0.0;
    };
    let (apex, first, last) = (wide(apex), wide(first), wide(last));
    let base = std::array::from_fn(|k| 0.5 * (first[k] + last[k]));
    if base == apex {
        return 0.0;
    }
    let points: Vec<[f64; 2]> = outline.iter().map(wide).collect();
    disks::volume(&points, &Axis::new(apex, base))
}

#[cfg(test)]
mod tests {
    use super::super::anatomy;
    use super::*;

    #[test]
    fn half_a_spheroid_has_its_volume() {
        // The half above its equator, upside down on a leaning axis: 2/3 pi 20^2 50.
        let (sine, cosine) = 0.3f64.sin_cos();
        let outline: Vec<[f32; 2]> = (0..OUTLINE_POINTS)
            .map(|i| {
                let t = (i as f64 / (OUTLINE_POINTS - 1) as f64 - 0.5) * std::f64::consts::PI;
                let (along, aside) = (50.0 - 50.0 * t.cos(), 20.0 * t.sin());
                let x = 60.0 + along * sine + aside * cosine;
                let y = 10.0 + along * cosine - aside * sine;
                [x as f32, y as f32]
            })
            .collect();
        let solid = std::f64::consts::PI * 2.0 / 3.0 * 400.0 * 50.0;
        assert!((volume(&outline) / solid - 1.0).abs() < 5e-3);
        assert_eq!(volume(&[]), 0.0);
        assert_eq!(volume(&[[1.0, 1.0]; OUTLINE_POINTS]), 0.0);
    }

    #[test]
    fn volumes_follow_what_was_ejected() {
        let (anatomy, _) = anatomy::drawn(3);
        let volume_at = |ef, phase| {
            let moment = Moment::new(&anatomy, ef, phase, 0.375);
            let points = of(&anatomy, &moment).map(|p| p.map(|v| v as f32));
            (volume(&points), moment.ejected)
        };
        let (full, _) = volume_at(0.6, 0.0);
        for phase in [0.1, 0.375, 0.5, 0.9] {
            let (volume, ejected) = volume_at(0.6, phase);
            assert!((volume / full - (1.0 - ejected)).abs() < 1e-4);
        }
    }
}
