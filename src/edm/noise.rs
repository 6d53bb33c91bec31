//! Where the randomness of a run comes from.

use candle_core::{Device, Error, Result, Shape, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// All that is random in a run comes from this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub struct Seed(pub u64);

/// A tensor of noise that a run asks for. Stages and steps count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Draw {
    /// Noise on the previous stage's video.
    Lowres { stage: usize },
    /// What the stage starts from.
    Initial { stage: usize },
    /// Added back before step `step`.
    Churn { stage: usize, step: usize },
}

/// A source of standard normal noise.
pub trait Noise {
    /// A tensor of `shape` (`[b, c, f, h, w]`) for `draw`; the same for the same `draw`.
    ///
    /// # Errors
    /// When there is none.
    fn draw(&self, draw: Draw, shape: &Shape, device: &Device) -> Result<Tensor>;
}

/// Noise by counter: every draw has a stream of its own, so that it does not depend on which
/// others were made, on the batch, on the number of threads or on the device. All samples of a
/// batch get the same noise: what differs between them is the EF alone.
#[derive(Clone, Copy, Debug)]
pub struct Seeded(pub Seed);

impl Noise for Seeded {
    fn draw(&self, draw: Draw, shape: &Shape, device: &Device) -> Result<Tensor> {
        let stream = match draw {
            Draw::Lowres { stage } => (stage as u64) << 32,
            Draw::Initial { stage } => ((stage as u64) << 32) | 1,
            Draw::Churn { stage, step } => ((stage as u64) << 32) | (2 + step as u64),
        };
        let mut rng = ChaCha8Rng::seed_from_u64(self.0.0);
        rng.set_stream(stream);
        let dims = shape.dims();
        let mut one = dims.to_vec();
        one[0] = 1;
        let values: Vec<f32> = StandardNormal
            .sample_iter(&mut rng)
            .take(one.iter().product())
            .collect();
        Tensor::from_vec(values, one, device)?
            .broadcast_as(shape)?
            .contiguous()
    }
}

/// Noise that was recorded, for parity tests.
#[derive(Default)]
pub struct Replayed(pub HashMap<Draw, Tensor>);

impl Noise for Replayed {
    fn draw(&self, draw: Draw, shape: &Shape, device: &Device) -> Result<Tensor> {
        match self.0.get(&draw) {
            Some(t) if t.shape() == shape => t.to_device(device),
            Some(t) => Err(Error::Msg(format!(
                "the recorded noise of {draw:?} has shape {:?}, not {shape:?}",
                t.dims()
            ))),
            None => Err(Error::Msg(format!("no noise was recorded for {draw:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(draw: Draw, seed: u64, dims: &[usize]) -> Vec<f32> {
        Seeded(Seed(seed))
            .draw(draw, &Shape::from(dims), &Device::Cpu)
            .and_then(|t| t.flatten_all()?.to_vec1())
            .unwrap()
    }

    /// What a seed means must not change: runs are repeated from it. A change here is a new
    /// [`crate::provenance::SCHEMA`].
    #[test]
    fn a_seed_gives_the_noise_it_always_gave() {
        let drawn = GOLDEN.map(|(draw, seed, _)| {
            let drawn = values(draw, seed, &[1, 1, 2, 3, 3]);
            [drawn[0], drawn[1], drawn[2], drawn[3]]
        });
        assert_eq!(drawn, GOLDEN.map(|(_, _, first)| first));
        // Of any shape it is the beginning of the same.
        let long = values(Draw::Initial { stage: 0 }, 7, &[1, 3, 16, 28, 28]);
        let short = values(Draw::Initial { stage: 0 }, 7, &[1, 1, 2, 3, 3]);
        assert_eq!(long[..18], short);
    }

    const GOLDEN: [(Draw, u64, [f32; 4]); 5] = [
        (
            Draw::Initial { stage: 0 },
            0,
            [1.3456858, 0.8177696, 0.54499394, 0.6441725],
        ),
        (
            Draw::Initial { stage: 0 },
            7,
            [1.0263857, -1.812639, 0.82886016, 0.09693456],
        ),
        (
            Draw::Initial { stage: 1 },
            7,
            [-1.1067005, -0.6741947, -0.49981016, -1.04925],
        ),
        (
            Draw::Lowres { stage: 1 },
            7,
            [-0.49129754, -0.36426952, -0.055671543, -0.37064746],
        ),
        (
            Draw::Churn { stage: 0, step: 3 },
            7,
            [0.3480489, 0.70003253, 0.11517058, 2.5710213],
        ),
    ];

    #[test]
    fn noise_is_standard_normal_and_depends_on_seed_stage_and_step_alone() {
        let draw = Draw::Churn { stage: 1, step: 3 };
        let a = values(draw, 7, &[1, 1, 16, 32, 32]);
        let mean = a.iter().sum::<f32>() / a.len() as f32;
        let var = a.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / a.len() as f32;
        assert!(
            mean.abs() < 0.02 && (var - 1.0).abs() < 0.03,
            "{mean} {var}"
        );
        assert_eq!(a, values(draw, 7, &[1, 1, 16, 32, 32]));
        let batch = values(draw, 7, &[2, 1, 16, 32, 32]);
        assert_eq!(batch[..a.len()], batch[a.len()..]);
        assert_eq!(batch[..a.len()], a);
        for other in [
            Draw::Churn { stage: 1, step: 4 },
            Draw::Churn { stage: 0, step: 3 },
            Draw::Initial { stage: 1 },
        ] {
            assert_ne!(a, values(other, 7, &[1, 1, 16, 32, 32]));
        }
        assert_ne!(a, values(draw, 8, &[1, 1, 16, 32, 32]));
    }
}
