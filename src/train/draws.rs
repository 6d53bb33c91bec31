//! What a training step draws at random.

use crate::edm::{LossConfig, Seed};
use candle_core::{Device, Result, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Bernoulli, Distribution, StandardNormal, StandardUniform};
use std::ops::Range;

/// The random numbers of one step, of `b` samples.
#[derive(Clone, Debug)]
pub struct Draws {
    /// Standard normal, one a sample: where its noise level lies.
    pub levels: Vec<f32>,
    /// Standard normal, `[b, c, f, h, w]`.
    pub noise: Tensor,
    /// Whether a sample is shown its EF.
    pub keep: Vec<bool>,
    /// For the previous stage's video, where the stage takes one.
    pub lowres: Option<LowresDraw>,
}

/// How the previous stage's video is noised.
#[derive(Clone, Debug)]
pub struct LowresDraw {
    /// In 0..1; one for the whole batch, as published.
    pub time: f64,
    /// Standard normal, of the shape of [`Draws::noise`].
    pub noise: Tensor,
}

impl Draws {
    /// Those of step `step` for videos `[b, c, f, h, w]`, the same on every machine: each step has a stream of
    /// its own, so that a run that was resumed draws what one that was not stopped draws.
    ///
    /// # Errors
    /// When the shape is not of five dimensions or the share of dropped conditions is no probability.
    pub fn seeded(
        seed: Seed,
        step: u64,
        shape: [usize; 5],
        lowres: bool,
        config: &LossConfig,
    ) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.0);
        rng.set_stream(step);
        let keep = Bernoulli::new(1.0 - config.cond_drop_prob)
            .map_err(|_| candle_core::Error::Msg("`cond_drop_prob` is not in 0..1".into()))?;
        let b = shape[0];
        let mut normal = |n: usize| -> Vec<f32> {
            let values = (0..n).map(|_| StandardNormal.sample(&mut rng));
            values.collect()
        };
        let levels = normal(b);
        let n = shape.iter().product();
        let noise = Tensor::from_vec(normal(n), &shape, &Device::Cpu)?;
        let lowres_noise = lowres.then(|| normal(n));
        let keep = (0..b).map(|_| keep.sample(&mut rng)).collect();
        let lowres = match lowres_noise {
            None => None,
            Some(values) => Some(LowresDraw {
                time: StandardUniform.sample(&mut rng),
                noise: Tensor::from_vec(values, &shape, &Device::Cpu)?,
            }),
        };
        Ok(Self {
            levels,
            noise,
            keep,
            lowres,
        })
    }
}

impl Draws {
    /// Those of some of the samples alone.
    ///
    /// # Errors
    /// When there are not so many samples.
    pub fn of(&self, which: Range<usize>) -> Result<Self> {
        let some = |t: &Tensor| t.narrow(0, which.start, which.len());
        let (levels, keep) = (self.levels.get(which.clone()), self.keep.get(which.clone()));
        let (Some(levels), Some(keep)) = (levels, keep) else {
            candle_core::bail!("nothing was drawn for samples {which:?}");
        };
        let lowres = self.lowres.as_ref().map(|draw| -> Result<_> {
            Ok(LowresDraw {
                time: draw.time,
                noise: some(&draw.noise)?,
            })
        });
        Ok(Self {
            levels: levels.to_vec(),
            noise: some(&self.noise)?,
            keep: keep.to_vec(),
            lowres: lowres.transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 5] = [40, 1, 4, 8, 8];

    fn values(draws: &Draws) -> (Vec<f32>, Vec<f32>, Vec<bool>, f64) {
        let noise = |t: &Tensor| t.flatten_all().unwrap().to_vec1().unwrap();
        let lowres = draws.lowres.as_ref().unwrap();
        let mut all: Vec<f32> = noise(&draws.noise);
        all.extend(noise(&lowres.noise));
        (draws.levels.clone(), all, draws.keep.clone(), lowres.time)
    }

    #[test]
    fn a_step_draws_the_same_again_and_another_step_something_else() {
        let draw = |seed, step| {
            let draws = Draws::seeded(Seed(seed), step, SHAPE, true, &LossConfig::PUBLISHED);
            values(&draws.unwrap())
        };
        assert_eq!(draw(7, 3), draw(7, 3));
        for other in [draw(7, 4), draw(8, 3)] {
            assert_ne!(draw(7, 3).0, other.0);
            assert_ne!(draw(7, 3).1, other.1);
            assert_ne!(draw(7, 3).3, other.3);
        }
        // The two noises are not the same one.
        let (_, noise, _, time) = draw(7, 3);
        assert_ne!(noise[..100], noise[noise.len() / 2..][..100]);
        assert!((0.0..1.0).contains(&time));
    }

    #[test]
    fn noise_is_standard_normal_and_a_tenth_of_the_conditions_is_dropped() {
        let (mut dropped, mut sum, mut squares, mut n) = (0, 0.0, 0.0, 0.0);
        for step in 0..50 {
            let config = LossConfig::PUBLISHED;
            let draws = Draws::seeded(Seed(1), step, [40, 1, 1, 2, 2], false, &config).unwrap();
            assert!(draws.lowres.is_none());
            dropped += draws.keep.iter().filter(|keep| !**keep).count();
            let noise: Vec<f32> = draws.noise.flatten_all().unwrap().to_vec1().unwrap();
            for v in noise.into_iter().chain(draws.levels).map(f64::from) {
                (sum, squares, n) = (sum + v, squares + v * v, n + 1.0);
            }
        }
        // Of 2000, a standard deviation is 13.
        assert!((150..250).contains(&dropped), "{dropped}");
        let (mean, variance) = (sum / n, squares / n);
        assert!(
            mean.abs() < 0.04 && (variance - 1.0).abs() < 0.06,
            "{mean} {variance}"
        );
    }

    #[test]
    fn a_share_that_is_none_is_refused() {
        let config = LossConfig {
            cond_drop_prob: 1.5,
            ..LossConfig::PUBLISHED
        };
        assert!(Draws::seeded(Seed(1), 0, [1, 1, 1, 1, 1], false, &config).is_err());
    }
}
