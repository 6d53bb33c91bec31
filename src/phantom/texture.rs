//! Scatterers and slow unevenness, in cm of tissue.

use super::blur::{Edge, Kernel};
use super::maths::split;
use super::random::{Purpose, Random};

/// Cells along a side of the scatterers, and their size in cm: the texture repeats after 25 cm, farther than a
/// sector is wide where the heart lies.
const CELLS: usize = 512;
const PITCH: f32 = 0.05;
/// Scatterers closer than this sigma in cm echo together. So much is needed for speckle to move with tissue
/// instead of flickering: beams and samples are about as far apart.
pub(super) const GRAIN: f32 = 0.06;
/// Cells of the unevenness, and how many make a cm.
const SLOW_CELLS: usize = 128;
const SLOW_PER_CM: f32 = 3.0;
/// Sigma of the unevenness, in its cells.
const SLOW_SIGMA: f64 = 6.0;

/// What the seed strews into tissue.
#[derive(Clone, Debug)]
pub(super) struct Texture {
    /// Complex amplitudes of mean square 1, row by row.
    scatterers: Vec<[f32; 2]>,
    /// Of mean 0 and variance 1.
    slow: Vec<f32>,
}

impl Texture {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, Purpose::Scatterers);
        let (mut real, mut imaginary): (Vec<f32>, Vec<f32>) = (0..CELLS * CELLS)
            .map(|_| {
                let [a, b] = random.normals();
                (a, b)
            })
            .unzip();
        let mut room = vec![0.0; CELLS * CELLS];
        let kernel = Kernel::new(f64::from(GRAIN / PITCH));
        smoothed(&mut real, &mut room, &kernel, CELLS);
        smoothed(&mut imaginary, &mut room, &kernel, CELLS);
        let half = std::f32::consts::FRAC_1_SQRT_2;
        let pairs = real.iter().zip(&imaginary);
        let scatterers = pairs.map(|(a, b)| [a * half, b * half]).collect();

        let mut slow = vec![0.0; SLOW_CELLS * SLOW_CELLS];
        Random::new(seed, Purpose::Unevenness).fill(&mut slow);
        room.truncate(slow.len());
        smoothed(&mut slow, &mut room, &Kernel::new(SLOW_SIGMA), SLOW_CELLS);
        Self { scatterers, slow }
    }

    /// The scatterers' amplitude at a place, in cm.
    pub(super) fn scatter(&self, along: f32, aside: f32) -> [f32; 2] {
        let [a, b, c, d] = corners(along / PITCH, aside / PITCH, CELLS);
        let mut sum = [0.0; 2];
        for (i, weight) in [a, b, c, d] {
            let [real, imaginary] = self.scatterers[i];
            sum[0] += weight * real;
            sum[1] += weight * imaginary;
        }
        sum
    }

    /// What is uneven over cm, of mean 0 and variance 1.
    pub(super) fn slow(&self, along: f32, aside: f32) -> f32 {
        let corners = corners(along * SLOW_PER_CM, aside * SLOW_PER_CM, SLOW_CELLS);
        corners
            .iter()
            .map(|&(i, weight)| weight * self.slow[i])
            .sum()
    }
}

/// Blurs, and brings to mean 0 and variance 1.
fn smoothed(values: &mut [f32], room: &mut [f32], kernel: &Kernel, side: usize) {
    kernel.across_rows(values, room, side, Edge::Wrap);
    kernel.along_rows(room, side, Edge::Wrap);
    let n = room.len() as f64;
    let mean = room.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let spread = room
        .iter()
        .map(|&v| (f64::from(v) - mean) * (f64::from(v) - mean));
    let deviation = (spread.sum::<f64>() / n).sqrt();
    for (value, v) in values.iter_mut().zip(room) {
        *value = ((f64::from(*v) - mean) / deviation) as f32;
    }
}

/// The four cells about a place of a square that repeats, of a power of two cells a side, and their weights.
fn corners(row: f32, column: f32, side: usize) -> [(usize, f32); 4] {
    let ((r, down), (c, right)) = (split(row), split(column));
    let at = |k: i32| k as usize & (side - 1);
    let (r0, r1) = (at(r) * side, at(r.wrapping_add(1)) * side);
    let (c0, c1) = (at(c), at(c.wrapping_add(1)));
    [
        (r0 + c0, (1.0 - down) * (1.0 - right)),
        (r0 + c1, (1.0 - down) * right),
        (r1 + c0, down * (1.0 - right)),
        (r1 + c1, down * right),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_even_in_the_large_and_repeats() {
        let texture = Texture::new(5);
        let n = texture.scatterers.len() as f32;
        let power = texture.scatterers.iter().map(|z| z[0] * z[0] + z[1] * z[1]);
        assert!((power.sum::<f32>() / n - 1.0).abs() < 0.01);
        let period = CELLS as f32 * PITCH;
        let (here, there) = (
            texture.scatter(1.0, -2.0),
            texture.scatter(1.0 - period, period - 2.0),
        );
        assert!((here[0] - there[0]).abs() < 1e-2 && (here[1] - there[1]).abs() < 1e-2);
        assert!(texture.scatter(-1e6, 1e6)[0].is_finite());
    }

    #[test]
    fn neighbours_echo_together() {
        let texture = Texture::new(5);
        let correlation = |apart: f32| {
            let places = (0..40_000).map(|i| ((i / 200) as f32 * 0.11, (i % 200) as f32 * 0.11));
            let (mut with, mut own) = (0.0, 0.0);
            for (a, l) in places {
                let (p, q) = (texture.scatter(a, l), texture.scatter(a + apart, l));
                with += p[0] * q[0] + p[1] * q[1];
                own += p[0] * p[0] + p[1] * p[1];
            }
            with / own
        };
        assert!(correlation(0.03) > 0.85 && correlation(0.4).abs() < 0.05);
    }
}
