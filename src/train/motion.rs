//! The first stage of a motion cascade as a task.

use super::dice::Dice;
use super::run::{Method, RunError, Task, Vars};
use super::samples::{EFS, Sample, Source};
use super::{AdamConfig, Batch, Draws, EmaConfig, LossConfig, beat_errors, loss, within};
use crate::checkpoint::LearningStage;
use crate::edm::schedule::loss_weight;
use crate::edm::{Output, Seed};
use crate::models::unet3d::Pass;
use crate::nn::Interrupt;
use crate::puppet::{FRAMES, GRID, SIDE};
use candle_core::{DType, Tensor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The ventricle's inside counts this many times more than the rest: the ejection fraction is decided there.
const CAVITY: f64 = 3.0;
/// Steps until the step size is whole.
const WARM_UP: f64 = 100.0;
/// From this share of the run on it falls, to nothing at the end.
const FALLS_FROM: f64 = 0.4;
/// The encoder, which begins as a network of its own that knows much, learns in smaller steps.
const ENCODER: (&str, f64) = ("enc.", 0.25);
const EMA: EmaConfig = EmaConfig {
    every: 1,
    after: 100,
};
/// Standard deviation of the logarithm of levels near the highest.
const SPREAD: f64 = 0.25;
/// Samples that a GPU goes through at once, at most: one of the built-in stage takes 1.3 GB of its memory, and for one
/// alone most of the time goes by in starting kernels.
const ON_GPU: usize = 8;

/// What a run is made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MotionSettings {
    /// Steps of the whole run, 1 to 100 million.
    pub steps: u64,
    /// Samples of a step, 1 to 64.
    pub batch: usize,
    /// The largest step size, above 0, at most 1.
    pub step_size: f64,
    pub seed: u64,
    /// The share of samples that are puppets, 0 to 1, where there are stills.
    pub puppets: f64,
    /// The share of simulated hearts, 0 to 1, that are shown as today's machines show them.
    #[serde(skip_serializing_if = "super::is_none")]
    pub compounded: f64,
    /// Mean and standard deviation of the logarithm of the noise levels. Motion has few degrees of freedom over many
    /// values, and is seen through all but the highest. The mean within 10 of 0, the deviation above 0, at most 10.
    pub log_sigma: [f64; 2],
    /// The share of samples, 0 to 1, at the level that a run begins at, and that this stage's one evaluation is made at.
    pub at_highest: f64,
    /// The share of samples, below 1, whose EF the U-Net is not told; the encoder always is.
    pub untold: f64,
    /// How much the errors of the mean strain and of the volume count ([`beat_errors`]), beside an error a cell; 0 to
    /// 10,000.
    pub strain: f64,
    pub volume: f64,
}

impl Default for MotionSettings {
    fn default() -> Self {
        Self {
            steps: 2500,
            batch: 4,
            step_size: 1.2e-3,
            seed: 0,
            puppets: 0.67,
            compounded: 0.0,
            log_sigma: [3.4, 1.4],
            at_highest: 0.5,
            untold: 0.1,
            strain: 5.0,
            volume: 2.5,
        }
    }
}

impl MotionSettings {
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> std::result::Result<(), String> {
        within(&[
            (
                ("steps", "1 to 100 million"),
                (1..=100_000_000).contains(&self.steps),
            ),
            (("batch", "1 to 64"), (1..=64).contains(&self.batch)),
            (
                ("step_size", "above 0, at most 1"),
                self.step_size > 0.0 && self.step_size <= 1.0,
            ),
            (("puppets", "0 to 1"), (0.0..=1.0).contains(&self.puppets)),
            (
                ("compounded", "0 to 1"),
                (0.0..=1.0).contains(&self.compounded),
            ),
            (
                (
                    "log_sigma",
                    "a mean from -10 to 10 and a deviation above 0, at most 10",
                ),
                self.log_sigma[0].abs() <= 10.0
                    && self.log_sigma[1] > 0.0
                    && self.log_sigma[1] <= 10.0,
            ),
            (
                ("at_highest", "0 to 1"),
                (0.0..=1.0).contains(&self.at_highest),
            ),
            (
                ("untold", "0 to below 1"),
                (0.0..1.0).contains(&self.untold),
            ),
            (("strain", "0 to 10000"), (0.0..=1e4).contains(&self.strain)),
            (("volume", "0 to 10000"), (0.0..=1e4).contains(&self.volume)),
        ])
    }

    /// Of a step, counted from 0: rises over the first hundred, and falls by half a cosine from two fifths of the
    /// run on.
    pub fn step_size_at(&self, step: u64) -> f64 {
        let warm = ((step + 1) as f64 / WARM_UP).min(1.0);
        let gone = step as f64 / self.steps as f64;
        let fallen = ((gone - FALLS_FROM) / (1.0 - FALLS_FROM)).clamp(0.0, 1.0);
        self.step_size * warm * (0.5 + 0.5 * (std::f64::consts::PI * fallen).cos()) + 1e-6
    }
}

/// Teaches the first stage of a motion cascade, from simulated hearts and puppets of stills.
pub struct MotionTask {
    settings: MotionSettings,
    learning: LearningStage,
    source: Source,
    noise: LossConfig,
    /// Samples that are gone through at once: where a GPU is, as many as the batch can be parted into evenly.
    pub(super) at_once: usize,
}

impl MotionTask {
    /// The seed and the scale of `source` become the run's.
    ///
    /// # Errors
    /// [`RunError::State`], when the stage makes no motion, or not such as samples are of.
    pub fn new(
        settings: MotionSettings,
        learning: LearningStage,
        source: Source,
    ) -> Result<Self, RunError> {
        let Output::Motion { scale, .. } = learning.config.output else {
            return Err(RunError::State("The stage makes no motion.".into()));
        };
        let encoder = learning.config.encoder.as_ref().map(|e| e.size);
        let made = (learning.config.size, learning.config.frames, encoder);
        if made != (GRID, FRAMES, Some(SIDE)) {
            return Err(RunError::State(format!(
                "Samples are of {FRAMES} frames of {GRID} x {GRID} cells with an anatomy of {SIDE} x {SIDE}; this stage \
                 has others."
            )));
        }
        let [p_mean, p_std] = settings.log_sigma;
        Ok(Self {
            noise: LossConfig {
                p_mean,
                p_std,
                sigma_data: learning.config.levels.sigma_data,
                cond_drop_prob: settings.untold,
            },
            source: Source {
                seed: settings.seed,
                scale,
                puppets: settings.puppets,
                compounded: settings.compounded,
                ..source
            },
            at_once: match learning.device.is_cpu() {
                true => 1,
                false => at_once(settings.batch),
            },
            settings,
            learning,
        })
    }

    /// What the whole beats' errors count, with the weights of their noise levels; their mean.
    fn of_beats(
        &self,
        denoised: &Tensor,
        samples: &[Sample],
        sigmas: &[f32],
    ) -> candle_core::Result<Tensor> {
        let targets: Vec<&[f32]> = samples.iter().map(|s| s.target.as_slice()).collect();
        let errors = beat_errors(denoised, &targets, self.source.scale)?;
        let sums =
            ((errors.strain * self.settings.strain)? + errors.volume * self.settings.volume)?;
        let data = self.learning.config.levels.sigma_data;
        let weights: Vec<f32> = sigmas
            .iter()
            .map(|s| loss_weight(*s, data) as f32)
            .collect();
        (sums * Tensor::new(weights, denoised.device())?)?.mean_all()
    }

    /// Has a share of the samples, by chance, at the highest level or near it.
    fn raise(&self, draws: &mut Draws, step: u64) {
        let noise = &self.noise;
        // Behind all samples.
        let mut dice = Dice::new(self.settings.seed, (1 << 62) | step);
        let highest = self.learning.config.levels.sigma_max.ln();
        for level in &mut draws.levels {
            if dice.share() < self.settings.at_highest {
                let log_sigma = highest + SPREAD * f64::from(*level);
                *level = ((log_sigma - noise.p_mean) / noise.p_std) as f32;
            }
        }
    }
}

/// The largest group, of at most [`ON_GPU`], that a batch can be parted into evenly.
fn at_once(batch: usize) -> usize {
    let sizes = (1..=batch.min(ON_GPU)).rev();
    let mut even = sizes.filter(|n| batch.is_multiple_of(*n));
    even.next().unwrap_or(1)
}

impl Task for MotionTask {
    type Plan = Draws;

    fn method(&self) -> Method {
        Method {
            steps: self.settings.steps,
            batch: self.settings.batch,
            at_once: self.at_once,
            largest_norm: Some(1.0),
            adam: AdamConfig::PUBLISHED,
            ema: EMA,
            slower: Some(ENCODER),
        }
    }

    fn step_size_at(&self, step: u64) -> f64 {
        self.settings.step_size_at(step)
    }

    fn vars(&self) -> &Vars {
        &self.learning.vars
    }

    fn plan(&self, step: u64) -> Result<Draws, RunError> {
        let config = &self.learning.config;
        let shape = [
            self.settings.batch,
            3,
            config.frames,
            config.size,
            config.size,
        ];
        let mut draws = Draws::seeded(Seed(self.settings.seed), step, shape, false, &self.noise)?;
        self.raise(&mut draws, step);
        Ok(draws)
    }

    fn loss(
        &self,
        plan: &Draws,
        step: u64,
        i: usize,
        interrupt: &Interrupt,
    ) -> Result<Tensor, RunError> {
        let n = self.at_once;
        let first = step * self.settings.batch as u64 + (i * n) as u64;
        let numbers: Vec<u64> = (first..first + n as u64).collect();
        // One by itself is made where it is asked for: there others are made beside it.
        let samples = match numbers.as_slice() {
            [number] => vec![self.source.sample(*number)?],
            numbers => numbers
                .par_iter()
                .map(|number| self.source.sample(*number))
                .collect::<Result<_, _>>()?,
        };
        let draws = plan.of(i * n..(i + 1) * n)?;
        let Some(encoder) = &self.learning.stage.encoder else {
            return Err(RunError::State("The stage has no encoder.".into()));
        };
        let device = &self.learning.device;
        let all = |of: &dyn Fn(&Sample) -> &[f32], shape: &[usize]| {
            let values: Vec<f32> = samples.iter().flat_map(of).copied().collect();
            Tensor::from_vec(values, shape, device)
        };
        let anatomy = all(&|s| &s.anatomy, &[n, 1, SIDE, SIDE])?;
        let efs: Vec<f32> = samples.iter().map(|s| s.ef as f32).collect();
        let features = encoder.forward(&anatomy, &efs, interrupt)?;
        let video = all(&|s| &s.target, draws.noise.dims())?;
        let inside = video.narrow(1, 2, 1)?.gt(-0.96f32)?;
        let places = ((inside.to_dtype(DType::F32)? * CAVITY)? + 1.0)?;
        let batch = Batch {
            video,
            ef: Tensor::from_vec(efs, (n, 1, 1), device)?,
            cond_image: Some(features),
            lowres: None,
            places: Some(places),
        };
        let unet = &self.learning.stage.unet;
        let made = loss(unet, &self.noise, &batch, &draws, &Pass::new(interrupt))?;
        Ok((made.value + self.of_beats(&made.denoised, &samples, &made.sigmas)?)?)
    }

    fn write(&self, weights: &BTreeMap<String, Tensor>, out: &Path) -> Result<(), RunError> {
        let range = EFS.map(|ef| 100.0 * ef);
        Ok(self.learning.write(weights, range, out)?)
    }
}
