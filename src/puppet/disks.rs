//! The single-plane method of disks.

use super::{Axis, Point};

/// The volume within a closed outline by disks about an axis, in cubic pixels.
pub(crate) fn volume(outline: &[Point], axis: &Axis) -> f64 {
    const DISKS: usize = 200;
    let places: Vec<(f64, f64)> = outline.iter().map(|p| axis.of(*p)).collect();
    let low = places.iter().fold(f64::INFINITY, |m, p| m.min(p.0));
    let high = places.iter().fold(f64::NEG_INFINITY, |m, p| m.max(p.0));
    let thick = (high - low) / DISKS as f64;
    let next = places.iter().cycle().skip(1);
    let edges: Vec<_> = places.iter().zip(next).collect();
    let squares: f64 = (0..DISKS)
        .map(|k| {
            let height = low + (k as f64 + 0.5) * thick;
            // Each edge that crosses the height, signed: right ends less left ends.
            let width: f64 = edges
                .iter()
                .filter(|(a, b)| (a.0 <= height) != (b.0 <= height))
                .map(|(a, b)| {
                    let aside = a.1 + (b.1 - a.1) * (height - a.0) / (b.0 - a.0);
                    if a.0 < b.0 { aside } else { -aside }
                })
                .sum();
            width * width
        })
        .sum();
    std::f64::consts::FRAC_PI_4 * squares * thick
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_that_of_the_solid() {
        // A cone frustum on a tilted axis: radii 10 and 4, height 30.
        let axis = Axis::new([20.0, 20.0], [38.0, 44.0]);
        let corners = [(0.0, -10.0), (0.0, 10.0), (30.0, 4.0), (30.0, -4.0)];
        let outline = corners.map(|(h, r)| axis.at(h, r));
        let solid = std::f64::consts::PI * 30.0 / 3.0 * (100.0 + 40.0 + 16.0);
        assert!((volume(&outline, &axis) / solid - 1.0).abs() < 1e-4);
    }
}
