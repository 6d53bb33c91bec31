//! Dense optical flow: dense inverse search (Kroeger, Timofte, Dai and Van Gool, ECCV 2016) with
//! variational refinement (Brox, Bruhn, Papenberg and Weickert, ECCV 2004).
//!
//! Constants and order of operations are those of OpenCV's `DISOpticalFlow`, medium preset, down to
//! single pixels, with patches of 12 and 20 iterations at alpha 40: what the outlines of the
//! reference implementation were tracked with.

mod blur;
mod refine;
mod search;

pub use blur::{blur_flow, blur_levels};

use crate::outline::upsample;

/// Displacement of each pixel, in pixels, from one frame to the next. Square, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    side: usize,
    pub x: Vec<f32>,
    pub y: Vec<f32>,
}

impl Flow {
    fn still(side: usize) -> Self {
        let zeros = vec![0.0; side * side];
        Self {
            side,
            x: zeros.clone(),
            y: zeros,
        }
    }

    pub fn side(&self) -> usize {
        self.side
    }

    /// The flow between pixels' centres, bilinear; beyond the frame as at its edge.
    pub fn at(&self, place: [f64; 2]) -> [f64; 2] {
        let last = (self.side - 1) as f64;
        let [x, y] = place.map(|v| if v > 0.0 { v.min(last) } else { 0.0 });
        let (left, upper) = (x.floor(), y.floor());
        let (u, v) = (x - left, y - upper);
        let row = upper as usize * self.side;
        let below = (upper as usize + 1).min(self.side - 1) * self.side;
        let (left, right) = (left as usize, (left as usize + 1).min(self.side - 1));
        let sample = |f: &[f32]| {
            let [a, b] = [f[row + left], f[row + right]].map(f64::from);
            let [c, d] = [f[below + left], f[below + right]].map(f64::from);
            (a * (1.0 - u) + b * u) * (1.0 - v) + (c * (1.0 - u) + d * u) * v
        };
        [sample(&self.x), sample(&self.y)]
    }

    /// For a frame of twice the side.
    fn doubled(&self) -> Self {
        let side = 2 * self.side;
        let double = |f: &[f32]| {
            let mut large = upsample(f, self.side, side);
            large.iter_mut().for_each(|v| *v *= 2.0);
            large
        };
        Self {
            side,
            x: double(&self.x),
            y: double(&self.y),
        }
    }
}

/// A square gray frame, 0 to 255, row by row.
#[derive(Clone)]
struct Level {
    side: usize,
    pixels: Vec<u8>,
}

impl Level {
    /// Means of two by two pixels, rounded. A last odd row and column are left out.
    fn halved(&self) -> Self {
        let side = self.side / 2;
        let pixels = (0..side * side)
            .map(|i| {
                let corner = i / side * 2 * self.side + i % side * 2;
                let sum: u16 = [0, 1, self.side, self.side + 1]
                    .iter()
                    .map(|k| u16::from(self.pixels[corner + k]))
                    .sum();
                ((sum + 2) / 4) as u8
            })
            .collect();
        Self { side, pixels }
    }
}

/// How often the frame is halved: until patches would see a quarter of it, and fit.
fn halvings(side: usize) -> u32 {
    let patches = side as f64 / search::PATCH as f64;
    let seen = ((patches / 4.0).log2() + 0.5) as u32;
    seen.min(((side / search::PATCH) as f64).log2() as u32)
}

/// Where the pixels of `from` are in `to`. Both are gray frames `[side, side]`, row by row. `None`
/// where they have another length, where the side is below a patch (12 pixels), or where it cannot
/// be halved as often as the search wants (112: once).
pub fn dense_flow(from: &[u8], to: &[u8], side: usize) -> Option<Flow> {
    if side < search::PATCH || from.len() != side * side || to.len() != side * side {
        return None;
    }
    let halvings = halvings(side);
    if !side.is_multiple_of(1 << halvings) {
        return None;
    }
    let level = |pixels: &[u8]| Level {
        side,
        pixels: pixels.to_vec(),
    };
    let mut levels = vec![(level(from), level(to))];
    for _ in 0..halvings {
        if let Some((a, b)) = levels.last() {
            levels.push((a.halved(), b.halved()));
        }
    }
    let mut flow: Option<Flow> = None;
    for (a, b) in levels.iter().rev() {
        let start = flow.map_or_else(|| Flow::still(a.side), |coarse| coarse.doubled());
        let found = search::inverse_search(a, b, &start);
        flow = Some(refine::refine(a, b, found));
    }
    flow
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Smooth speckle, moved.
    fn speckle(dx: f64, dy: f64) -> Vec<u8> {
        let at = |x: f64, y: f64| {
            let waves = [
                (0.31, 0.17, 0.4),
                (-0.23, 0.37, 1.9),
                (0.11, -0.29, 3.1),
                (0.43, 0.08, 5.0),
            ];
            let sum: f64 = waves
                .iter()
                .map(|(a, b, c)| (a * x + b * y + c).sin())
                .sum();
            (128.0 + 28.0 * sum).round() as u8
        };
        (0..112 * 112)
            .map(|i| at((i % 112) as f64 - dx, (i / 112) as f64 - dy))
            .collect()
    }

    #[test]
    fn a_shift_is_found() {
        let (dx, dy) = (1.7, -2.2);
        let flow = dense_flow(&speckle(0.0, 0.0), &speckle(dx, dy), 112).unwrap();
        for y in 12..100 {
            for x in 12..100 {
                let [u, v] = flow.at([x as f64, y as f64]);
                assert!((u - dx).hypot(v - dy) < 0.15, "{x} {y}: {u} {v}");
            }
        }
    }

    #[test]
    fn a_still_frame_does_not_move() {
        let frame = speckle(0.0, 0.0);
        let flow = dense_flow(&frame, &frame, 112).unwrap();
        assert!(flow.x.iter().chain(&flow.y).all(|v| v.abs() < 1e-3));
        let black = vec![0; 112 * 112];
        let flow = dense_flow(&black, &black, 112).unwrap();
        assert!(flow.x.iter().chain(&flow.y).all(|v| v.abs() < 1e-6));
    }

    #[test]
    fn flow_is_sampled_between_centres_and_held_beyond_the_edge() {
        let mut flow = Flow::still(4);
        for i in 0..16 {
            flow.x[i] = (i % 4) as f32;
            flow.y[i] = (i / 4) as f32 * 10.0;
        }
        assert_eq!(flow.at([1.25, 2.5]), [1.25, 25.0]);
        assert_eq!(flow.at([-3.0, 9.0]), [0.0, 30.0]);
        assert_eq!(flow.at([f64::NAN, 0.0]), [0.0, 0.0]);
    }

    #[test]
    fn frames_that_do_not_fit_are_refused() {
        assert!(dense_flow(&[0; 5], &[0; 5], 112).is_none());
        assert!(dense_flow(&[0; 64], &[0; 64], 8).is_none());
        assert!(dense_flow(&[0; 113 * 113], &[0; 113 * 113], 113).is_none());
        assert_eq!((halvings(112), halvings(56)), (1, 0));
    }
}
