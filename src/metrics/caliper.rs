//! What calipers say of points that a person set: a length, an area, and by the single-plane method of disks a
//! volume. All in the unit of the points.

use crate::puppet::{Axis, disks};

/// The length of a line through points; 0 of fewer than two.
pub fn length(points: &[[f64; 2]]) -> f64 {
    let steps = points.iter().zip(points.iter().skip(1));
    steps.map(|(a, b)| (b[0] - a[0]).hypot(b[1] - a[1])).sum()
}

/// The area within a polygon, whichever way round it was drawn; 0 of fewer than three points. What it crosses
/// itself is not taken twice, so such a polygon has no sensible one.
pub fn area(polygon: &[[f64; 2]]) -> f64 {
    let next = polygon.iter().cycle().skip(1);
    let twice: f64 = polygon
        .iter()
        .zip(next)
        .map(|(a, b)| a[0] * b[1] - b[0] * a[1])
        .sum();
    0.5 * twice.abs()
}

/// The volume within the left ventricle's inner border, drawn from one side of the mitral annulus over the apex to
/// the other: disks about the axis from the middle of the annulus to the point farthest from it (single-plane
/// method of disks; Lang et al., J Am Soc Echocardiogr 2015;28:1, table 2). `None` of what encloses nothing.
pub fn volume(border: &[[f64; 2]]) -> Option<f64> {
    let (first, last) = (border.first()?, border.last()?);
    let base = [0, 1].map(|k| 0.5 * (first[k] + last[k]));
    let from_base = |p: &[f64; 2]| (p[0] - base[0]).hypot(p[1] - base[1]);
    let apex = border
        .iter()
        .max_by(|a, b| from_base(a).total_cmp(&from_base(b)))?;
    let encloses = border.len() > 2 && area(border) > 0.0 && from_base(apex) > 0.0;
    encloses.then(|| disks::volume(border, &Axis::new(*apex, base)))
}

/// The share of a volume that is ejected: negative where the heart is drawn smaller at end-diastole.
pub fn ejected(end_diastole: f64, end_systole: f64) -> f64 {
    1.0 - end_systole / end_diastole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::{APEX, Heart, OUTLINE_POINTS, Quality};

    #[test]
    fn lengths_and_areas_are_those_of_plane_geometry() {
        assert_eq!(length(&[[0.0, 0.0], [3.0, 4.0], [3.0, 5.0]]), 6.0);
        let square = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]];
        let backwards: Vec<_> = square.iter().rev().copied().collect();
        assert_eq!((area(&square), area(&backwards)), (4.0, 4.0));
        assert_eq!((length(&square[..1]), area(&square[..2])), (0.0, 0.0));
        assert_eq!(volume(&square[..2]), None);
        assert_eq!(volume(&[[1.0, 1.0]; 9]), None);
        assert_eq!(volume(&[]), None);
    }

    /// As a person sets them: 25 points of the border, each to the quarter pixel, which is a point of the screen
    /// where a pane is 450 wide.
    fn by_hand(outline: &[[f32; 2]]) -> Vec<[f64; 2]> {
        let chosen = (0..OUTLINE_POINTS).step_by(2);
        let points = chosen.filter_map(|i| outline.get(i));
        points
            .map(|p| p.map(|v| (4.0 * f64::from(v)).round() / 4.0))
            .collect()
    }

    #[test]
    fn a_hand_drawn_ef_is_within_two_percent_of_the_truth() {
        let (mut worst, mut sizes) = (0.0f64, 0.0f64);
        for seed in 900..924 {
            for ef in [0.25, 0.4, 0.55, 0.7] {
                let heart = Heart::from_seed(seed, Quality::Good);
                let beat = heart.beat(ef, 16);
                let volume = |frame: usize| volume(&by_hand(&beat.outlines[frame])).unwrap();
                let (diastole, systole) = (volume(0), volume(beat.es_frame));
                worst = worst.max((100.0 * (ejected(diastole, systole) - ef)).abs());
                let ml = diastole / heart.pixels_per_cm().powi(3);
                sizes = sizes.max((ml / beat.volumes[0] - 1.0).abs());
                // From the apex to the middle of the annulus.
                let outline = &beat.outlines[0];
                let wide = |i: usize| outline[i].map(f64::from);
                let (a, b) = (wide(0), wide(OUTLINE_POINTS - 1));
                let base = [0, 1].map(|k| 0.5 * (a[k] + b[k]));
                let drawn = length(&[wide(APEX), base].map(|p| p.map(f64::round)));
                let truth = length(&[wide(APEX), base]);
                assert!((drawn / truth - 1.0).abs() < 0.02, "{drawn} {truth}");
            }
        }
        println!(
            "EF off by at most {worst:.2} points, volume by {:.2} %",
            100.0 * sizes
        );
        assert!(worst < 2.0 && sizes < 0.02, "{worst} {sizes}");
    }
}
