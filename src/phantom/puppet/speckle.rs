//! Speckle that is partly new in each frame.

use super::super::SIZE;
use super::super::random::{Purpose, Random};
use super::{Edge, Kernel};

/// What is coarser than this sigma, in pixels, is tissue, and what is finer speckle.
const FINEST_TISSUE: f64 = 2.5;
/// Sigma of a grain of new speckle, in pixels.
const GRAIN: f64 = 0.8;

pub(super) struct Speckle {
    share: f32,
    seed: u64,
    tissue: Kernel,
    grain: Kernel,
}

impl Speckle {
    /// `share` of the variance is new, 0 to 1.
    pub(super) fn new(share: f64, seed: u64) -> Self {
        Self {
            share: share.clamp(0.0, 1.0) as f32,
            seed,
            tissue: Kernel::new(FINEST_TISSUE),
            grain: Kernel::new(GRAIN),
        }
    }

    fn blurred(&self, values: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; values.len()];
        self.tissue
            .across_rows(values, &mut out, SIZE, Edge::Repeat);
        self.tissue.along_rows(&mut out, SIZE, Edge::Repeat);
        out
    }

    /// What of a picture is finer than tissue.
    fn detail(&self, values: &[f32]) -> Vec<f32> {
        let coarse = self.blurred(values);
        values.iter().zip(coarse).map(|(v, c)| v - c).collect()
    }

    /// Renews the speckle of frame `k`, `[112, 112]` from 0 to 1: about the level of its tissue as much of it varies
    /// as before. `sector` is how much of a pixel is tissue.
    pub(super) fn renew(&self, k: usize, frame: &mut [f32], sector: &[f32]) {
        let mean = self.blurred(frame);
        let own: Vec<f32> = frame.iter().zip(&mean).map(|(v, m)| v - m).collect();
        let variance = self.blurred(&own.iter().map(|v| v * v).collect::<Vec<f32>>());
        let mut noise = vec![0.0; frame.len()];
        Random::new(self.seed, Purpose::Noise { frame: k }).fill(&mut noise);
        let mut grains = vec![0.0; frame.len()];
        self.grain
            .across_rows(&noise, &mut grains, SIZE, Edge::Repeat);
        self.grain.along_rows(&mut grains, SIZE, Edge::Repeat);
        for (grain, variance) in grains.iter_mut().zip(&variance) {
            *grain *= variance.max(0.0).sqrt();
        }
        // Blur does not part tissue from speckle sharply: some of each is in the other. So what is kept and what is
        // new are scaled until of the detail of the whole, as it is seen, the shares are right.
        let (of_mean, of_own) = (self.detail(&mean), self.detail(&own));
        let power = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let (mm, mo, oo) = (
            power(&of_mean, &of_mean),
            power(&of_mean, &of_own),
            power(&of_own, &of_own),
        );
        let all = mm + 2.0 * mo + oo;
        let fresh = self.detail(&grains);
        let nn = power(&fresh, &fresh);
        if !(all > 0.0 && oo > 0.0 && nn > 0.0) {
            return;
        }
        let wanted = (1.0 - self.share) * all;
        let kept = ((mo * mo - oo * (mm - wanted)).max(0.0).sqrt() - mo) / oo;
        let new = (self.share * all / nn).sqrt();
        for (i, pixel) in frame.iter_mut().enumerate() {
            let fresh = mean[i] + kept.max(0.0) * own[i] + new * grains[i];
            *pixel += sector[i] * (fresh - *pixel);
            *pixel = pixel.clamp(0.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn correlation(a: &[f32], b: &[f32]) -> f64 {
        let product = |a: &[f32], b: &[f32]| {
            let both = a.iter().zip(b);
            both.map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum::<f64>()
        };
        product(a, b) / (product(a, a) * product(b, b)).sqrt()
    }

    #[test]
    fn as_much_of_it_is_new_as_is_asked_for() {
        // Nothing but speckle about a level.
        let plain = Speckle::new(1.0, 77);
        let mut still = vec![0.5; SIZE * SIZE];
        let mut noise = vec![0.0; SIZE * SIZE];
        Random::new(3, Purpose::Unevenness).fill(&mut noise);
        plain
            .grain
            .across_rows(&noise, &mut still, SIZE, Edge::Repeat);
        plain.grain.along_rows(&mut still, SIZE, Edge::Repeat);
        let coarse = plain.blurred(&still);
        for (v, c) in still.iter_mut().zip(coarse) {
            *v = 0.5 + 0.3 * (*v - c);
        }
        let sector = vec![1.0; SIZE * SIZE];
        for share in [0.0, 0.1, 0.3, 0.6, 1.0] {
            let speckle = Speckle::new(share, 9);
            let frame = |k: usize| {
                let mut frame = still.clone();
                speckle.renew(k, &mut frame, &sector);
                speckle.detail(&frame)
            };
            let [a, b] = [0, 1].map(frame);
            let found = correlation(&a, &b);
            assert!((found - (1.0 - share)).abs() < 0.03, "{share} {found}");
            let power = |f: &[f32]| f.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
            let before = speckle.detail(&still);
            let louder = power(&a) / power(&before);
            assert!((0.9..1.1).contains(&louder), "{share} {louder}");
        }
        // What is no tissue stays.
        let mut frame = still.clone();
        Speckle::new(0.5, 9).renew(0, &mut frame, &vec![0.0; SIZE * SIZE]);
        assert_eq!(frame, still);
    }
}
