//! One anatomy, ready to be carried along any motion.

use super::CarryError;
use super::extend::{Extension, margin};
use super::motion::{Motion, Upsampling};
use super::picture::Picture;
use super::sector;
use super::spline::{prefilter, weights};
use rayon::prelude::*;

/// Rows of a frame that are carried together.
const BAND: usize = 28;

/// An anatomy with what does not depend on the motion: the sector, the tissue continued beyond it, and the
/// spline through both.
#[derive(Clone, Debug)]
pub struct Carrier {
    picture: Picture,
    mask: Vec<bool>,
    /// How much of the carried tissue a pixel shows, `[side, side]`: 0 outside the sector.
    share: Vec<f32>,
    /// For each row the first pixel of the sector and the one behind its last.
    spans: Vec<[usize; 2]>,
    margin: usize,
    /// For each plane `[side + 2 margin, side + 2 margin]`.
    coefficients: Vec<Vec<f32>>,
    upsampling: Upsampling,
}

/// Frames that were carried.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    pub channels: usize,
    pub frames: usize,
    pub side: usize,
    /// `[channels, frames, side, side]`, 0 to 1.
    pub values: Vec<f32>,
}

impl Carrier {
    /// The sector is found in the picture itself ([`sector::mask`]).
    ///
    /// # Errors
    /// None that a [`Picture`] can cause: as [`Carrier::with_mask`].
    pub fn new(picture: Picture) -> Result<Self, CarryError> {
        let mask = sector::mask(&picture);
        Self::with_mask(picture, mask)
    }

    /// As [`Carrier::new`], with a sector that is known: `[side, side]`, true where tissue may move.
    ///
    /// # Errors
    /// When the mask has not the picture's size.
    pub fn with_mask(picture: Picture, mask: Vec<bool>) -> Result<Self, CarryError> {
        let side = picture.side();
        if mask.len() != side * side {
            return Err(CarryError::Mask {
                expected: side * side,
                found: mask.len(),
            });
        }
        let margin = margin(side);
        let (mask, coefficients) = match Extension::new(&mask, side) {
            Some(extension) => {
                let mut planes = extension.planes(&picture);
                planes
                    .par_iter_mut()
                    .for_each(|plane| prefilter(plane, side + 2 * margin));
                (mask, planes)
            }
            // No tissue, so nothing that moves.
            None => (vec![false; side * side], Vec::new()),
        };
        let span = |row: &[bool]| {
            let first = row.iter().position(|&m| m).unwrap_or(0);
            [first, row.iter().rposition(|&m| m).map_or(first, |l| l + 1)]
        };
        Ok(Self {
            share: share(&mask, side),
            spans: mask.chunks_exact(side).map(span).collect(),
            upsampling: Upsampling::new(side),
            picture,
            mask,
            margin,
            coefficients,
        })
    }

    /// The anatomy.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// The sector, `[side, side]`.
    pub fn mask(&self) -> &[bool] {
        &self.mask
    }

    /// How much of the carried tissue each pixel shows, `[side, side]`, 0 to 1: 0 outside the sector.
    pub fn share(&self) -> &[f32] {
        &self.share
    }

    /// Pixels by which the coefficients' planes are larger than the picture on each side.
    pub fn margin(&self) -> usize {
        self.margin
    }

    /// The spline's coefficients, for each plane `[side + 2 margin, side + 2 margin]`; no plane where the
    /// sector holds no tissue.
    pub fn coefficients(&self) -> &[Vec<f32>] {
        &self.coefficients
    }

    /// The anatomy at each frame of a motion.
    pub fn carry(&self, motion: &Motion) -> Carried {
        let phases: Vec<f64> = (0..motion.frames()).map(|k| k as f64).collect();
        self.carry_at(motion, &phases)
    }

    /// The anatomy at any times, in frames of the motion; the beat is closed. The motion is interpolated in
    /// time, not the pixels, so any rate of display is as sharp as the frames.
    pub fn carry_at(&self, motion: &Motion, phases: &[f64]) -> Carried {
        let (side, frames) = (self.picture.side(), phases.len());
        let mut values = vec![0.0; self.picture.channels() * frames * side * side];
        let motions: Vec<Vec<f32>> = phases.iter().map(|&p| motion.at(p)).collect();
        // The same rows of a frame in all planes share their weights.
        let bands = side.div_ceil(BAND);
        let mut groups: Vec<Vec<&mut [f32]>> = Vec::new();
        groups.resize_with(frames * bands, Vec::new);
        for (i, frame) in values.chunks_exact_mut(side * side).enumerate() {
            for (k, band) in frame.chunks_mut(BAND * side).enumerate() {
                groups[i % frames * bands + k].push(band);
            }
        }
        let each = groups.into_par_iter().enumerate();
        each.for_each(|(i, mut planes)| {
            self.band(&motions[i / bands], i % bands * BAND, &mut planes);
        });
        Carried {
            channels: self.picture.channels(),
            frames,
            side,
            values,
        }
    }

    /// Adds to frame `k` of what was carried by `motion` at `phase` a change of the anatomy, `[side, side]`
    /// levels from -1 to 1, carried likewise (bilinearly: a change is smooth).
    pub fn add(
        &self,
        carried: &mut Carried,
        k: usize,
        motion: &Motion,
        phase: f64,
        change: &[f32],
    ) {
        let side = self.picture.side();
        let pixels = side * side;
        if change.len() != pixels || carried.side != side || k >= carried.frames {
            return;
        }
        let moved = motion.at(phase);
        let last = (side - 1) as f32;
        for (y, &[first, end]) in self.spans.iter().enumerate() {
            let row = self.upsampling.row(&moved, y);
            for x in first..end {
                let [dx, dy] = self.upsampling.pixel(&row, x);
                let at = [x as f32 + dx, y as f32 + dy].map(|v| v.clamp(0.0, last));
                let [column, line] = at.map(|v| (v as usize).min(side - 2));
                let [right, below] = [at[0] - column as f32, at[1] - line as f32];
                let from = line * side + column;
                let pair = |i: usize| change[i] + right * (change[i + 1] - change[i]);
                let (upper, lower) = (pair(from), pair(from + side));
                let value = self.share[y * side + x] * (upper + below * (lower - upper));
                if value != 0.0 {
                    for c in 0..carried.channels {
                        let i = (c * carried.frames + k) * pixels + y * side + x;
                        let pixel = &mut carried.values[i];
                        *pixel = (*pixel + value).clamp(0.0, 1.0);
                    }
                }
            }
        }
    }

    /// Rows `top ..` of a frame, in all planes.
    fn band(&self, motion: &[f32], top: usize, planes: &mut [&mut [f32]]) {
        let side = self.picture.side();
        let rows = planes.first().map_or(0, |p| p.len() / side);
        for (plane, own) in planes.iter_mut().zip(self.picture.each_plane()) {
            plane.copy_from_slice(&own[top * side..][..rows * side]);
        }
        if self.coefficients.is_empty() {
            return;
        }
        for row in 0..rows {
            let y = top + row;
            let [first, end] = self.spans[y];
            let moved = self.upsampling.row(motion, y);
            let shares = &self.share[y * side..][..side];
            for x in first..end {
                let [dx, dy] = self.upsampling.pixel(&moved, x);
                let taps = self.taps(x as f32 + dx, y as f32 + dy);
                let share = shares[x];
                for (plane, coefficients) in planes.iter_mut().zip(&self.coefficients) {
                    let value = taps.gather(coefficients).clamp(0.0, 1.0);
                    let pixel = &mut plane[row * side + x];
                    *pixel += share * (value - *pixel);
                }
            }
        }
    }

    /// What a place in the picture needs of the coefficients; beyond the margin the outermost values go on.
    #[inline]
    fn taps(&self, x: f32, y: f32) -> Taps {
        let wide = self.picture.side() + 2 * self.margin;
        let last = (wide - 3) as f32 - 1e-3;
        let place = |v: f32| (v + self.margin as f32).max(1.0).min(last);
        let (x, y) = (place(x), place(y));
        // Truncation goes through `i32`, which processors do for several at once.
        let (column, row) = (x as i32, y as i32);
        Taps {
            first: (row - 1) as usize * wide + (column - 1) as usize,
            wide,
            across: weights(x - column as f32),
            down: weights(y - row as f32),
        }
    }
}

/// Four rows of four coefficients and their weights.
struct Taps {
    first: usize,
    wide: usize,
    across: [f32; 4],
    down: [f32; 4],
}

impl Taps {
    #[inline]
    fn gather(&self, coefficients: &[f32]) -> f32 {
        let mut columns = [0.0; 4];
        for (k, down) in self.down.iter().enumerate() {
            let row = coefficients.get(self.first + k * self.wide..);
            if let Some(row) = row.and_then(|r| r.first_chunk::<4>()) {
                for (sum, c) in columns.iter_mut().zip(row) {
                    *sum += down * c;
                }
            }
        }
        let [a, b, c, d] = [0, 1, 2, 3].map(|k| columns[k] * self.across[k]);
        (a + b) + (c + d)
    }
}

/// The mask, softened toward its inside.
fn share(mask: &[bool], side: usize) -> Vec<f32> {
    let hard = |m: &bool| if *m { 1.0 } else { 0.0 };
    let mut share: Vec<f32> = mask.iter().map(hard).collect();
    soften(&mut share, side);
    for (share, inside) in share.iter_mut().zip(mask) {
        *share *= hard(inside);
    }
    share
}

/// A Gaussian of this many pixels of a 112 x 112 frame; beyond the picture's border it is mirrored.
const SOFT: f64 = 0.6;

fn soften(values: &mut [f32], side: usize) {
    let sigma = SOFT * side as f64 / 112.0;
    let radius = (4.0 * sigma + 0.5) as isize;
    let bell = |k: isize| (-0.5 * (k as f64 / sigma).powi(2)).exp();
    let sum: f64 = (-radius..=radius).map(bell).sum();
    let kernel: Vec<f32> = (-radius..=radius).map(|k| (bell(k) / sum) as f32).collect();
    let last = side as isize - 1;
    let mirrored = |i: isize| {
        let i = if i < 0 { -i - 1 } else { i };
        (if i > last { 2 * last + 1 - i } else { i }).clamp(0, last) as usize
    };
    let mut across = vec![0.0; values.len()];
    for (to, row) in across.chunks_exact_mut(side).zip(values.chunks_exact(side)) {
        for (x, to) in to.iter_mut().enumerate() {
            let at = |k: usize| row[mirrored(x as isize + k as isize - radius)];
            *to = kernel.iter().enumerate().map(|(k, w)| w * at(k)).sum();
        }
    }
    for (y, to) in values.chunks_exact_mut(side).enumerate() {
        to.fill(0.0);
        for (k, w) in kernel.iter().enumerate() {
            let row = &across[mirrored(y as isize + k as isize - radius) * side..][..side];
            for (to, v) in to.iter_mut().zip(row) {
                *to += w * v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::motion::CELLS;
    use super::super::twin::{speckled, waves};
    use super::*;

    fn still() -> Motion {
        Motion::new(vec![0.0; CELLS * CELLS * 2]).unwrap()
    }

    #[test]
    fn without_motion_the_anatomy_is_itself() {
        for side in [112, 224] {
            let picture = speckled(1, side);
            let carrier = Carrier::with_mask(picture.clone(), vec![true; side * side]).unwrap();
            let carried = carrier.carry(&still());
            for (a, b) in carried.values.iter().zip(picture.planes()) {
                assert!((a - b).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn tissue_moves_against_the_displacement_and_marks_stay() {
        let side = 112;
        let picture = speckled(1, side);
        let carrier = Carrier::new(picture.clone()).unwrap();
        // Three pixels to the right and two down in the anatomy.
        let motion = Motion::new([3.0, 2.0].repeat(CELLS * CELLS)).unwrap();
        let carried = carrier.carry(&motion);
        let own = picture.planes();
        let mut moved = 0;
        for y in 45..80 {
            for x in 35..75 {
                let from = own[(y + 2) * side + x + 3];
                assert!((carried.values[y * side + x] - from).abs() < 1e-4);
                moved += 1;
            }
        }
        assert!(moved > 1000);
        let outside = |i: &usize| !carrier.mask()[*i];
        assert!((0..side * side).filter(outside).count() > 2000);
        assert!(outside(&(3 * side + 4)) && own[3 * side + 4] > 0.1);
        for i in (0..side * side).filter(outside) {
            assert_eq!(carried.values[i], own[i]);
        }
    }

    #[test]
    fn a_large_picture_moves_by_as_much_of_itself() {
        let side = 336;
        let carrier = Carrier::with_mask(speckled(1, side), vec![true; side * side]).unwrap();
        let motion = Motion::new([1.0, 0.0].repeat(CELLS * CELLS)).unwrap();
        let carried = carrier.carry(&motion);
        let own = carrier.picture().planes();
        for i in 100 * side + 20..100 * side + 300 {
            assert!((carried.values[i] - own[i + 3]).abs() < 1e-4);
        }
    }

    #[test]
    fn whole_times_are_the_frames_and_the_beat_is_closed() {
        let carrier = Carrier::new(speckled(3, 112)).unwrap();
        let motion = waves(4, 5.0);
        let whole = carrier.carry(&motion);
        assert_eq!((whole.channels, whole.frames, whole.side), (3, 4, 112));
        let other = carrier.carry_at(&motion, &[4.0, -3.0, 6.0, 3.0]);
        assert_eq!(whole, other);
        assert!(carrier.carry_at(&motion, &[]).values.is_empty());
    }

    #[test]
    fn however_far_the_motion_reaches_values_stay_between_neighbours() {
        let carrier = Carrier::new(speckled(1, 112)).unwrap();
        for pixels in [40.0, 1e9, f32::MAX] {
            let carried = carrier.carry(&waves(2, pixels));
            assert!(carried.values.iter().all(|v| (0.0..=1.0).contains(v)));
        }
    }

    #[test]
    fn odd_sizes_and_masks() {
        for side in 1..20 {
            let picture = Picture::new(1, side, vec![0.5; side * side]).unwrap();
            let carried = Carrier::new(picture).unwrap().carry(&waves(2, 5.0));
            assert!(carried.values.iter().all(|v| (v - 0.5).abs() < 1e-4));
        }
        let picture = speckled(1, 64);
        assert!(Carrier::with_mask(picture.clone(), vec![true; 63]).is_err());
        // No sector: nothing moves.
        let carrier = Carrier::with_mask(picture.clone(), vec![false; 64 * 64]).unwrap();
        assert_eq!(carrier.carry(&waves(1, 5.0)).values, picture.planes());
        // Too little of one to hold tissue.
        let mut thin = vec![false; 64 * 64];
        thin[64 * 30 + 20] = true;
        let carrier = Carrier::with_mask(picture.clone(), thin).unwrap();
        assert_eq!(carrier.carry(&waves(1, 5.0)).values, picture.planes());
    }
}
