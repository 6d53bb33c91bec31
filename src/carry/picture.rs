//! A square picture as planes.

use super::CarryError;

/// Gray or colour planes `[channels, side, side]`, row-major, 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    channels: usize,
    side: usize,
    planes: Vec<f32>,
}

impl Picture {
    /// `planes` is `[channels, side, side]`, 0 to 1; values outside that are clamped.
    ///
    /// # Errors
    /// When nothing is there, when the number of values is another, or when one is not finite.
    pub fn new(channels: usize, side: usize, mut planes: Vec<f32>) -> Result<Self, CarryError> {
        let expected = channels.saturating_mul(side.saturating_mul(side));
        if expected == 0 || planes.len() != expected {
            return Err(CarryError::Picture {
                channels,
                side,
                expected,
                found: planes.len(),
            });
        }
        if planes.iter().any(|v| !v.is_finite()) {
            return Err(CarryError::NotFinite);
        }
        for v in &mut planes {
            *v = v.clamp(0.0, 1.0);
        }
        Ok(Self {
            channels,
            side,
            planes,
        })
    }

    /// 1 for gray, 3 for colour.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Pixels along an edge.
    pub fn side(&self) -> usize {
        self.side
    }

    /// `[channels, side, side]`, 0 to 1.
    pub fn planes(&self) -> &[f32] {
        &self.planes
    }

    /// One plane after the other, each `[side, side]`.
    pub(super) fn each_plane(&self) -> impl Iterator<Item = &[f32]> {
        self.planes.chunks_exact(self.side * self.side)
    }

    /// The mean over the planes in blocks of `by` x `by` pixels, `[side / by, side / by]`; pixels that
    /// make no whole block at the right and at the bottom are left out.
    pub(super) fn reduced(&self, by: usize) -> (usize, Vec<f32>) {
        let small = self.side / by;
        let mut sums = vec![0.0; small * small];
        for plane in self.each_plane() {
            for (y, row) in plane.chunks_exact(self.side).take(small * by).enumerate() {
                let to = &mut sums[y / by * small..][..small];
                for (sum, block) in to.iter_mut().zip(row.chunks_exact(by)) {
                    *sum += block.iter().sum::<f32>();
                }
            }
        }
        let share = 1.0 / (by * by * self.channels) as f32;
        for sum in &mut sums {
            *sum *= share;
        }
        (small, sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_and_values_are_checked() {
        assert!(Picture::new(1, 2, vec![0.0; 4]).is_ok());
        assert!(Picture::new(3, 2, vec![0.0; 4]).is_err());
        assert!(Picture::new(0, 2, vec![]).is_err());
        assert!(Picture::new(1, usize::MAX, vec![0.0; 4]).is_err());
        assert_eq!(
            Picture::new(1, 1, vec![f32::NAN]),
            Err(CarryError::NotFinite)
        );
        let clamped = Picture::new(1, 2, vec![-1.0, 0.5, 1.0, 7.0]).unwrap();
        assert_eq!(clamped.planes(), [0.0, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn blocks_are_means_over_all_planes() {
        let ramp: Vec<f32> = (0..50).map(|i| i as f32 / 100.0).collect();
        let (side, means) = Picture::new(2, 5, ramp).unwrap().reduced(2);
        assert_eq!(side, 2);
        // Of 0, 1, 5, 6 and 25 more.
        assert!((means[0] - 0.155).abs() < 1e-6);
        assert!((means[3] - (0.155 + 0.12)).abs() < 1e-6);
    }
}
