//! From the cavity channel to volumes and an ejection fraction.

use super::{FRAME, upsample};
use crate::parts::largest_part;

/// Disks of the method of disks (Simpson), as in clinical use.
const DISKS: usize = 20;
/// A cavity of no more pixels than this at end-diastole is no heart.
const NO_HEART: usize = 50;

/// A square picture of what belongs to something, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    side: usize,
    pixels: Vec<bool>,
}

impl Mask {
    /// `None` where there are not `side * side` pixels.
    pub fn new(pixels: Vec<bool>, side: usize) -> Option<Self> {
        (side > 0 && pixels.len() == side * side).then_some(Self { side, pixels })
    }

    /// What is inside the cavity in one frame of the channel (`[side, side]`, above 0 inside),
    /// enlarged to `size` pixels. `None` where the channel has another length.
    pub fn of_cavity(channel: &[f32], side: usize, size: usize) -> Option<Self> {
        let inside = upsample(channel, side, size)
            .iter()
            .map(|&level| level > 0.0)
            .collect();
        Self::new(inside, size)
    }

    pub fn side(&self) -> usize {
        self.side
    }

    pub fn pixels(&self) -> &[bool] {
        &self.pixels
    }

    pub fn area(&self) -> usize {
        self.pixels.iter().filter(|&&inside| inside).count()
    }

    /// Places `(x, y)` of what is inside, row by row.
    fn places(&self) -> impl Iterator<Item = [f64; 2]> {
        let side = self.side;
        let place = move |(i, &inside): (usize, &bool)| {
            inside.then_some([(i % side) as f64, (i / side) as f64])
        };
        self.pixels.iter().enumerate().filter_map(place)
    }

    /// The largest part whose pixels touch by their sides; the first one of several of a size.
    pub fn largest_part(&self) -> Self {
        let mut pixels = vec![false; self.pixels.len()];
        for i in largest_part(&self.pixels, self.side) {
            pixels[i] = true;
        }
        Self {
            side: self.side,
            pixels,
        }
    }

    /// Unit vector `(x, y)` along which the mask is longest (principal axis), pointing down: from
    /// the apex to the base in an apical view.
    pub fn long_axis(&self) -> [f64; 2] {
        let (mut n, mut x, mut y) = (0.0, 0.0, 0.0);
        for p in self.places() {
            n += 1.0;
            x += p[0];
            y += p[1];
        }
        let (x, y) = (x / n, y / n);
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for p in self.places() {
            let (dx, dy) = (p[0] - x, p[1] - y);
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
        let angle = 0.5 * f64::atan2(2.0 * xy, xx - yy);
        let (sine, cosine) = angle.sin_cos();
        if sine > 0.0 {
            [cosine, sine]
        } else {
            [-cosine, -sine]
        }
    }

    /// Volume of the body of revolution by the method of disks: the mask is cut across `axis` into
    /// 20 slices of height `d`, and `V = sum pi / 4 (area / d)^2 d`. `pixel` is the side of one of
    /// this mask's pixels; the volume has its unit, cubed.
    pub fn volume(&self, axis: [f64; 2], pixel: f64) -> f64 {
        let along: Vec<f64> = self
            .places()
            .map(|p| (p[0] * axis[0] + p[1] * axis[1]) * pixel)
            .collect();
        if along.len() < 2 {
            return 0.0;
        }
        let bounds = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = along
            .iter()
            .fold(bounds, |(low, high), &h| (low.min(h), high.max(h)));
        let (counts, height) = histogram(&along, low - pixel / 2.0, high + pixel / 2.0);
        let squares: f64 = counts
            .iter()
            .map(|&count| (f64::from(count) * pixel * pixel / height).powi(2))
            .sum();
        std::f64::consts::FRAC_PI_4 * squares * height
    }
}

/// How many values lie in each of the `DISKS` equal parts of `low..=high`, and their height. A
/// value that rounding puts into the neighbour's part is put back by comparison with the edges, as
/// in numpy.
fn histogram(values: &[f64], low: f64, high: f64) -> ([u32; DISKS], f64) {
    let step = (high - low) / DISKS as f64;
    let edge = |k: usize| {
        if k == DISKS {
            high
        } else {
            k as f64 * step + low
        }
    };
    let mut counts = [0; DISKS];
    for &value in values {
        let estimate = (value - low) / (high - low) * DISKS as f64;
        let mut k = (estimate as usize).min(DISKS - 1);
        if k > 0 && value < edge(k) {
            k -= 1;
        }
        if k + 1 < DISKS && value >= edge(k + 1) {
            k += 1;
        }
        counts[k] += 1;
    }
    (counts, edge(1) - edge(0))
}

/// The cavity in each frame: the largest part of the enlarged channel. `cavity` is
/// `[frames, side, side]`, -1 outside to 1 inside; masks have `FRAME * FRAME` pixels. Empty where
/// the length is not a whole number of frames.
pub fn masks(cavity: &[f32], side: usize) -> Vec<Mask> {
    let pixels = side * side;
    if pixels == 0 || !cavity.len().is_multiple_of(pixels) {
        return Vec::new();
    }
    cavity
        .chunks_exact(pixels)
        .filter_map(|channel| Mask::of_cavity(channel, side, FRAME))
        .map(|mask| mask.largest_part())
        .collect()
}

/// `100 (1 - least / greatest)` of volumes; 0 where there is none.
pub fn ejection_fraction(volumes: &[f64]) -> f64 {
    let least = volumes.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = volumes.iter().copied().fold(0.0, f64::max);
    if greatest > 0.0 {
        100.0 * (1.0 - least / greatest)
    } else {
        0.0
    }
}

/// What the cavity channel of a beat says about the heart.
#[derive(Clone, Debug, PartialEq)]
pub struct Beat {
    /// In each frame, in cubed pixels of a frame of 112 x 112.
    pub volumes: Vec<f64>,
    /// End-diastole: the first of the frames with the largest cavity (in pixels).
    pub ed_frame: usize,
    /// End-systole: the first of the frames of least volume.
    pub es_frame: usize,
    /// In percent, 0 to 100, by disks in one plane.
    pub ef_percent: f64,
    /// Unit vector `(x, y)` from apex to base at end-diastole, across which all volumes are cut.
    pub long_axis: [f64; 2],
}

impl Beat {
    /// `cavity` is `[frames, side, side]`, row by row, -1 outside to 1 inside. `None` where that is
    /// not its length, or where the largest cavity has 50 pixels or fewer: no heart, which counts as
    /// an ejection fraction of 0 where answers are judged.
    pub fn of(cavity: &[f32], frames: usize, side: usize) -> Option<Self> {
        let masks = masks(cavity, side);
        if masks.len() != frames {
            return None;
        }
        Self::of_masks(&masks)
    }

    /// The same from the masks of [`masks`], for who needs them too.
    pub fn of_masks(masks: &[Mask]) -> Option<Self> {
        let areas: Vec<usize> = masks.iter().map(Mask::area).collect();
        let greatest = *areas.iter().max()?;
        if greatest <= NO_HEART {
            return None;
        }
        let ed_frame = areas.iter().position(|&area| area == greatest)?;
        let long_axis = masks.get(ed_frame)?.long_axis();
        let volumes: Vec<f64> = masks.iter().map(|m| m.volume(long_axis, 1.0)).collect();
        let least = volumes.iter().copied().fold(f64::INFINITY, f64::min);
        let es_frame = volumes.iter().position(|&v| v == least)?;
        Some(Self {
            ef_percent: ejection_fraction(&volumes),
            volumes,
            ed_frame,
            es_frame,
            long_axis,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An upright ellipse in the channel, half axes in pixels of the frame.
    pub fn ellipse(half_width: f32, half_height: f32) -> Vec<f32> {
        let at = |k: usize| (k as f32 + 0.5) * 4.0 - 0.5;
        (0..28 * 28)
            .map(|i| {
                let (x, y) = (at(i % 28) - 55.5, at(i / 28) - 55.5);
                let r = ((x / half_width).powi(2) + (y / half_height).powi(2)).sqrt();
                ((1.0 - r) * half_width / 4.0).clamp(-1.0, 1.0)
            })
            .collect()
    }

    #[test]
    fn a_spheroid_has_its_volume() {
        let mask = Mask::of_cavity(&ellipse(16.0, 32.0), 28, FRAME).unwrap();
        let axis = mask.long_axis();
        assert!(axis[0].abs() < 1e-6 && (axis[1] - 1.0).abs() < 1e-6);
        let expected = 4.0 / 3.0 * std::f64::consts::PI * 16.0 * 16.0 * 32.0;
        let found = mask.volume(axis, 1.0);
        assert!((found / expected - 1.0).abs() < 0.05, "{found} {expected}");
        // Halved pixels, an eighth of the volume.
        assert!((mask.volume(axis, 0.5) * 8.0 / found - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_beat_has_its_frames_and_ejection_fraction() {
        let mut cavity = ellipse(14.0, 28.0);
        cavity.extend(ellipse(16.0, 32.0));
        cavity.extend(ellipse(10.0, 28.0));
        let beat = Beat::of(&cavity, 3, 28).unwrap();
        assert_eq!((beat.ed_frame, beat.es_frame), (1, 2));
        let expected = 100.0 * (1.0 - 10.0f64.powi(2) * 28.0 / (16.0f64.powi(2) * 32.0));
        assert!((beat.ef_percent - expected).abs() < 2.0, "{beat:?}");
        assert_eq!(Beat::of(&cavity, 4, 28), None);
        assert_eq!(Beat::of(&vec![-1.0; 3 * 28 * 28], 3, 28), None);
        assert_eq!(Beat::of(&[], 0, 28), None);
    }

    #[test]
    fn smaller_parts_do_not_count() {
        let mut cavity = ellipse(16.0, 32.0);
        let alone = Mask::of_cavity(&cavity, 28, FRAME).unwrap();
        cavity[28 + 2] = 1.0;
        let both = Mask::of_cavity(&cavity, 28, FRAME).unwrap();
        assert!(both.area() > alone.area());
        assert_eq!(both.largest_part(), alone);
    }

    #[test]
    fn pixels_that_touch_by_a_corner_are_two_parts() {
        let mut pixels = vec![false; 16];
        for i in [0, 5, 6] {
            pixels[i] = true;
        }
        let mask = Mask::new(pixels, 4).unwrap();
        assert_eq!(mask.largest_part().area(), 2);
    }

    #[test]
    fn a_value_on_an_edge_belongs_to_the_upper_part() {
        let (counts, height) = histogram(&[0.0, 1.0, 1.0, 19.5, 20.0], 0.0, 20.0);
        assert_eq!(height, 1.0);
        assert_eq!((counts[0], counts[1], counts[19]), (1, 2, 2));
    }

    proptest! {
        #[test]
        fn a_turn_by_a_right_angle_keeps_the_volume(width in 8.0f32..20.0, height in 24.0f32..40.0) {
            let upright = ellipse(width, height);
            let lying: Vec<f32> = (0..28 * 28).map(|i| upright[i % 28 * 28 + i / 28]).collect();
            let volume = |channel: &[f32]| {
                let mask = Mask::of_cavity(channel, 28, FRAME).unwrap();
                mask.volume(mask.long_axis(), 1.0)
            };
            prop_assert!((volume(&upright) / volume(&lying) - 1.0).abs() < 1e-3);
        }

        #[test]
        fn nothing_panics(
            (cavity, side) in (1usize..9).prop_flat_map(|side| {
                (prop::collection::vec(-2.0f32..2.0, 3 * side * side), Just(side))
            }),
            frames in 2usize..4,
        ) {
            if let Some(beat) = Beat::of(&cavity, frames, side) {
                prop_assert!((0.0..=100.0).contains(&beat.ef_percent));
                prop_assert_eq!(beat.volumes.len(), frames);
            }
        }
    }
}
