//! The cavity that a network drew: sampled between its cells, and its largest part.

use super::{Axis, CELL, GRID, Point, SIDE, add, scaled, sub};
use crate::parts::largest_part;

/// A field of the network at a place in the frame, bilinearly; beyond the outermost cells their
/// values go on. `field` is `[28, 28, channels]`.
pub fn sampled(field: &[f32], channels: usize, channel: usize, point: Point) -> f64 {
    let place = |v: f64| {
        let cell = ((v + 0.5) / CELL as f64 - 0.5).clamp(0.0, (GRID - 1) as f64);
        let first = (cell as usize).min(GRID - 2);
        (first, cell - first as f64)
    };
    let ((column, right), (row, down)) = (place(point[0]), place(point[1]));
    let value = |r: usize, c: usize| {
        let found = field.get((r * GRID + c) * channels + channel);
        found.map_or(0.0, |v| f64::from(*v))
    };
    let line = |r: usize| value(r, column) * (1.0 - right) + value(r, column + 1) * right;
    line(row) * (1.0 - down) + line(row + 1) * down
}

/// The largest part of a cavity of 28 x 28, as pixels of the 112 x 112 frame.
pub struct Cavity<'a> {
    field: &'a [f32],
    inside: Vec<bool>,
    pub pixels: Vec<Point>,
}

impl<'a> Cavity<'a> {
    /// `field`: `[28, 28]`, above 0 inside.
    pub fn new(field: &'a [f32]) -> Self {
        let point = |i: usize| [(i % SIDE) as f64, (i / SIDE) as f64];
        let above: Vec<bool> = (0..SIDE * SIDE)
            .map(|i| sampled(field, 1, 0, point(i)) > 0.0)
            .collect();
        let largest = largest_part(&above, SIDE);
        let mut inside = vec![false; SIDE * SIDE];
        largest.iter().for_each(|i| inside[*i] = true);
        Self {
            field,
            inside,
            pixels: largest.into_iter().map(point).collect(),
        }
    }

    /// Above 0 inside the part.
    fn value(&self, point: Point) -> f64 {
        let last = (SIDE - 1) as f64;
        if !point.iter().all(|v| (-0.5..=last + 0.5).contains(v)) {
            return -1.0;
        }
        let [x, y] = point.map(|v| v.round().clamp(0.0, last) as usize);
        let around = |x: usize, y: usize| {
            let rows = y.saturating_sub(1)..=(y + 1).min(SIDE - 1);
            let columns = x.saturating_sub(1)..=(x + 1).min(SIDE - 1);
            rows.flat_map(|r| columns.clone().map(move |c| r * SIDE + c))
                .any(|i| self.inside[i])
        };
        // Another part of the same field does not count.
        if around(x, y) {
            sampled(self.field, 1, 0, point)
        } else {
            -1.0
        }
    }

    /// The farthest place of the part from `start` in a direction of length 1, in pixels: where the
    /// field falls to 0. None if the part does not lie that way.
    pub fn reach(&self, start: Point, direction: Point) -> Option<f64> {
        const STEP: f64 = 0.5;
        let at = |distance: f64| self.value(add(start, scaled(direction, distance)));
        let steps = (1.5 * SIDE as f64 / STEP) as usize;
        let last = (0..steps).rev().find(|k| at(*k as f64 * STEP) > 0.0)?;
        let near = last as f64 * STEP;
        let (inner, outer) = (at(near), at(near + STEP));
        Some(near + STEP * inner / (inner - outer))
    }

    /// The long axis, from above to below: through the middle, along which the pixels vary most. A
    /// cavity that is nearly round has none; it is taken to stand upright.
    pub fn long_axis(&self) -> Option<Axis> {
        let n = self.pixels.len() as f64;
        if n < 8.0 {
            return None;
        }
        let sum = self.pixels.iter().fold([0.0; 2], |s, p| add(s, *p));
        let middle = scaled(sum, 1.0 / n);
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for pixel in &self.pixels {
            let [x, y] = sub(*pixel, middle);
            (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
        }
        // The angle of the main direction from the vertical.
        let angle = 0.5 * (2.0 * xy).atan2(yy - xx);
        let spread = (0.25 * (xx - yy).powi(2) + xy * xy).sqrt();
        let (long, short) = (0.5 * (xx + yy) + spread, 0.5 * (xx + yy) - spread);
        let angle = if long > 1.3 * short { angle } else { 0.0 };
        Some(Axis::new(middle, add(middle, [angle.sin(), angle.cos()])))
    }

    /// The volume of twenty disks along an axis, in cubic pixels.
    pub fn volume(&self, axis: &Axis) -> f64 {
        const DISKS: usize = 20;
        let heights: Vec<f64> = self.pixels.iter().map(|p| axis.of(*p).0).collect();
        let low = heights.iter().fold(f64::INFINITY, |m, h| m.min(*h)) - 0.5;
        let high = heights.iter().fold(f64::NEG_INFINITY, |m, h| m.max(*h)) + 0.5;
        let thick = (high - low) / DISKS as f64;
        let mut areas = [0f64; DISKS];
        for height in heights {
            areas[(((height - low) / thick) as usize).min(DISKS - 1)] += 1.0;
        }
        let squares: f64 = areas.iter().map(|a| (a / thick).powi(2)).sum();
        std::f64::consts::FRAC_PI_4 * squares * thick
    }
}

#[cfg(test)]
mod tests {
    use super::super::centres;
    use super::*;

    fn field(inside: impl Fn(Point) -> f64) -> Vec<f32> {
        centres()
            .map(|p| inside(p).clamp(-1.0, 1.0) as f32)
            .collect()
    }

    #[test]
    fn a_linear_field_is_sampled_as_it_is() {
        let slope: Vec<f32> = centres()
            .map(|p| (0.02 * p[0] - 0.01 * p[1]) as f32)
            .collect();
        for point in [[30.3, 60.1], [2.0, 108.9], [55.5, 55.5]] {
            let wanted = 0.02 * point[0] - 0.01 * point[1];
            assert!((sampled(&slope, 1, 0, point) - wanted).abs() < 1e-6);
        }
        assert_eq!(
            sampled(&slope, 1, 0, [-9.0, 1.5]),
            sampled(&slope, 1, 0, [1.5, 1.5])
        );
    }

    #[test]
    fn the_largest_part_and_its_edges_are_found() {
        let block = |p: Point, x: f64, y: f64, w: f64, h: f64| {
            (w - (p[0] - x).abs()).min(h - (p[1] - y).abs()) / 4.0
        };
        let two = field(|p| block(p, 40.0, 50.0, 12.0, 30.0).max(block(p, 95.0, 50.0, 8.0, 8.0)));
        let cavity = Cavity::new(&two);
        assert!((cavity.pixels.len() as f64 - 24.0 * 60.0).abs() < 90.0);
        let right = cavity.reach([40.0, 50.0], [1.0, 0.0]).unwrap();
        assert!((right - 12.0).abs() < 0.7, "{right}");
        assert!(cavity.reach([60.0, 50.0], [1.0, 0.0]).is_none());
        let axis = cavity.long_axis().unwrap();
        assert!(axis.along[1] > 0.999);
        let solid = std::f64::consts::PI * 144.0 * 60.0;
        let ratio = cavity.volume(&axis) / solid;
        assert!((ratio - 1.0).abs() < 0.1, "{ratio}");
    }

    #[test]
    fn a_tilted_cavity_has_a_tilted_axis() {
        let along = Axis::new([60.0, 50.0], [60.0 + 0.5, 50.0 + 0.866]);
        let tilted = field(|p| {
            let (h, r) = along.of(p);
            (1.0 - (h / 40.0).powi(2) - (r / 15.0).powi(2)) * 3.0
        });
        let axis = Cavity::new(&tilted).long_axis().unwrap();
        assert!((axis.along[0] - 0.5).abs() < 0.02);
    }

    #[test]
    fn nothing_inside_is_nothing() {
        let none = Cavity::new(&[-1.0; GRID * GRID]);
        assert!(none.pixels.is_empty() && none.long_axis().is_none());
    }
}
