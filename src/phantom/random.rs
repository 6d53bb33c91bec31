//! Numbers by chance from a seed.

use super::maths;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// What numbers are drawn for. Each has a stream of its own, so that none depends on how many another takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Anatomy,
    Settings,
    Scatterers,
    Unevenness,
    Sway,
    Compounding,
    Noise { frame: usize },
}

/// Numbers for one purpose.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64, purpose: Purpose) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(match purpose {
            Purpose::Anatomy => 0,
            Purpose::Settings => 1,
            Purpose::Scatterers => 2,
            Purpose::Unevenness => 3,
            Purpose::Sway => 4,
            Purpose::Compounding => 5,
            Purpose::Noise { frame } => 16 + frame as u64,
        });
        Self(rng)
    }

    /// Evenly between two values.
    pub(super) fn within(&mut self, low: f64, high: f64) -> f64 {
        let share = (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        low + (high - low) * share
    }

    /// Two independent standard normal numbers (Box and Muller 1958).
    pub(super) fn normals(&mut self) -> [f32; 2] {
        let bits = self.0.next_u64();
        // From (0, 1], so that the logarithm is finite.
        let share = ((bits >> 40) + 1) as f32 / (1u32 << 24) as f32;
        let length = (-2.0 * std::f32::consts::LN_2 * maths::log2(share)).sqrt();
        let turns = f64::from(bits as u32) / 4_294_967_296.0;
        let (sine, cosine) = maths::sine_cosine(std::f64::consts::TAU * turns);
        [length * cosine as f32, length * sine as f32]
    }

    /// Standard normal numbers into all of `values`.
    pub(super) fn fill(&mut self, values: &mut [f32]) {
        for pair in values.chunks_mut(2) {
            for (value, normal) in pair.iter_mut().zip(self.normals()) {
                *value = normal;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_are_normal() {
        let mut values = vec![0.0f32; 200_001];
        Random::new(3, Purpose::Noise { frame: 2 }).fill(&mut values);
        let n = values.len() as f64;
        let moment = |k: i32| values.iter().map(|&v| f64::from(v).powi(k)).sum::<f64>() / n;
        assert!(moment(1).abs() < 0.01 && (moment(2) - 1.0).abs() < 0.01);
        assert!(moment(3).abs() < 0.03 && (moment(4) - 3.0).abs() < 0.08);
    }

    #[test]
    fn streams_and_seeds_differ() {
        let first = |seed, purpose| Random::new(seed, purpose).within(0.0, 1.0);
        let drawn = [
            first(1, Purpose::Anatomy),
            first(2, Purpose::Anatomy),
            first(1, Purpose::Settings),
            first(1, Purpose::Noise { frame: 0 }),
            first(1, Purpose::Noise { frame: 1 }),
        ];
        for (i, a) in drawn.iter().enumerate() {
            assert!((0.0..1.0).contains(a));
            assert!(drawn[i + 1..].iter().all(|b| a != b));
        }
        assert_eq!(drawn[0], first(1, Purpose::Anatomy));
    }
}
