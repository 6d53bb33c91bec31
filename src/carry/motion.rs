//! Where the tissue of each pixel comes from, coarsely, and that for every pixel and any time.

use super::CarryError;

/// Cells of a motion along an edge of the frame.
pub const CELLS: usize = 28;
/// Side of the frame in whose pixels displacements are given.
pub const REFERENCE_SIDE: usize = 112;
const EACH: usize = CELLS * CELLS * 2;

/// A beat's motion, `[frames, 28, 28, 2]`: x and y from a pixel of a target frame to its place in the
/// anatomy, in pixels of the 112 x 112 frame. The last frame is followed by the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Motion {
    values: Vec<f32>,
}

impl Motion {
    /// `values` is `[frames, 28, 28, 2]`.
    ///
    /// # Errors
    /// When no frame or no whole number of frames is there, or a value is not finite.
    pub fn new(values: Vec<f32>) -> Result<Self, CarryError> {
        if values.is_empty() || !values.len().is_multiple_of(EACH) {
            return Err(CarryError::Motion {
                each: EACH,
                found: values.len(),
            });
        }
        if values.iter().any(|v| !v.is_finite()) {
            return Err(CarryError::NotFinite);
        }
        Ok(Self { values })
    }

    /// Frames of the beat.
    pub fn frames(&self) -> usize {
        self.values.len() / EACH
    }

    /// `[frames, 28, 28, 2]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The motion at a time in frames, `[28, 28, 2]`: linear between two frames, the beat closed. A time
    /// that is not finite counts as 0.
    pub fn at(&self, phase: f64) -> Vec<f32> {
        let frames = self.frames();
        let phase = if phase.is_finite() { phase } else { 0.0 };
        // `rem_euclid` of a tiny negative time rounds to the whole beat.
        let within = phase.rem_euclid(frames as f64);
        let first = (within as usize) % frames;
        let share = within.fract() as f32;
        let frame = |k: usize| &self.values[k % frames * EACH..][..EACH];
        let pairs = frame(first).iter().zip(frame(first + 1));
        pairs.map(|(a, b)| a + share * (b - a)).collect()
    }
}

/// Between which two cells a pixel lies.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tap {
    low: usize,
    high: usize,
    share: f32,
}

/// Bilinear interpolation from cells to pixels: pixel centres lie at half pixels, and beyond the outermost
/// cells' centres their value stays (OpenCV's `INTER_LINEAR`).
#[derive(Clone, Debug)]
pub(super) struct Upsampling {
    taps: Vec<Tap>,
    scale: f32,
}

impl Upsampling {
    pub(super) fn new(side: usize) -> Self {
        let step = CELLS as f64 / side as f64;
        let tap = |pixel: usize| {
            let at = ((pixel as f64 + 0.5) * step - 0.5).clamp(0.0, (CELLS - 1) as f64);
            let low = at as usize;
            Tap {
                low,
                high: (low + 1).min(CELLS - 1),
                share: (at - low as f64) as f32,
            }
        };
        Self {
            taps: (0..side).map(tap).collect(),
            scale: side as f32 / REFERENCE_SIDE as f32,
        }
    }

    /// What row `y` of the picture needs of a motion's frame `[28, 28, 2]`, in pixels of the picture.
    pub(super) fn row(&self, frame: &[f32], y: usize) -> [[f32; 2]; CELLS] {
        let tap = self.taps[y];
        let cells = |k: usize| frame[k * CELLS * 2..][..CELLS * 2].chunks_exact(2);
        let mut row = [[0.0; 2]; CELLS];
        for (to, (a, b)) in row.iter_mut().zip(cells(tap.low).zip(cells(tap.high))) {
            for k in 0..2 {
                to[k] = self.scale * (a[k] + tap.share * (b[k] - a[k]));
            }
        }
        row
    }

    /// The displacement of a pixel of that row.
    #[inline]
    pub(super) fn pixel(&self, row: &[[f32; 2]; CELLS], x: usize) -> [f32; 2] {
        let tap = self.taps[x];
        let (a, b) = (row[tap.low], row[tap.high]);
        [0, 1].map(|k| a[k] + tap.share * (b[k] - a[k]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(frames: usize) -> Motion {
        let value = |i: usize| (i / EACH * 10) as f32 + (i % EACH) as f32 / EACH as f32;
        Motion::new((0..frames * EACH).map(value).collect()).unwrap()
    }

    #[test]
    fn shapes_and_values_are_checked() {
        assert!(Motion::new(vec![]).is_err());
        assert!(Motion::new(vec![0.0; EACH - 2]).is_err());
        assert_eq!(
            Motion::new(vec![f32::INFINITY; EACH]),
            Err(CarryError::NotFinite)
        );
        assert_eq!(beat(16).frames(), 16);
    }

    #[test]
    fn time_is_linear_and_closed() {
        let motion = beat(4);
        assert_eq!(motion.at(2.0), motion.values()[2 * EACH..3 * EACH]);
        assert!((motion.at(1.25)[0] - 12.5).abs() < 1e-5);
        // From the last frame back to the first.
        assert!((motion.at(3.5)[0] - 15.0).abs() < 1e-5);
        assert_eq!(motion.at(-0.5), motion.at(3.5));
        assert_eq!(motion.at(-1e-30)[0], 0.0);
        assert_eq!(motion.at(f64::NAN), motion.at(0.0));
        assert_eq!(beat(1).at(0.7), beat(1).at(0.0));
    }

    #[test]
    fn pixels_lie_at_half_pixels_and_edges_stay() {
        // A displacement that is the cell's column and row.
        let frame: Vec<f32> = (0..CELLS * CELLS)
            .flat_map(|i| [(i % CELLS) as f32, (i / CELLS) as f32])
            .collect();
        for side in [112, 300] {
            let up = Upsampling::new(side);
            let scale = side as f32 / 112.0;
            for (x, y) in [(0, 0), (5, side - 1), (side / 2, 17), (side - 1, side / 3)] {
                let expected = [x, y].map(|v| {
                    let at = (v as f32 + 0.5) * 28.0 / side as f32 - 0.5;
                    scale * at.clamp(0.0, 27.0)
                });
                let found = up.pixel(&up.row(&frame, y), x);
                assert!(
                    (found[0] - expected[0]).abs() < 1e-4,
                    "{found:?} {expected:?}"
                );
                assert!(
                    (found[1] - expected[1]).abs() < 1e-4,
                    "{found:?} {expected:?}"
                );
            }
        }
    }
}
