//! A run that teaches the first stage of a motion cascade.

use super::samples::{EFS, Sample, Source};
use super::{
    Adam, AdamConfig, Batch, Draws, Ema, EmaConfig, LossConfig, Tensors, beat_errors, loss,
};
use super::{read_state, write_state};
use crate::checkpoint::LearningStage;
use crate::edm::schedule::loss_weight;
use crate::edm::{Output, Seed};
use crate::models::unet3d::Pass;
use crate::nn::{Interrupt, Lanes};
use crate::puppet::{FRAMES, GRID, SIDE};
use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
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
/// The largest norm of a gradient over all parameters: a rare sample must not undo a hundred others.
const LARGEST_NORM: f64 = 1.0;
/// The encoder, which begins as a network of its own that knows much, learns in steps smaller by this.
const ENCODER: f64 = 0.25;
const ENCODERS: &str = "enc.";
/// Standard deviation of the logarithm of levels near the highest.
const SPREAD: f64 = 0.25;
/// Bytes: the graph of a sample is walked, and freed, by functions that call themselves.
const STACK: usize = 256 << 20;
const EMA: EmaConfig = EmaConfig {
    every: 1,
    after: 100,
};

type Vars = BTreeMap<String, Var>;

/// What a run is made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Steps of the whole run.
    pub steps: u64,
    /// Samples of a step, 64 at most: of the built-in stage each takes a third of a gigabyte.
    pub batch: usize,
    /// The largest step size.
    pub step_size: f64,
    pub seed: u64,
    /// The share of samples that are puppets, where there are stills.
    pub puppets: f64,
    /// Mean and standard deviation of the logarithm of the noise levels. Motion has few degrees of freedom over many
    /// values, and is seen through all but the highest.
    pub log_sigma: [f64; 2],
    /// The share of samples at the level that a run begins at, and that this stage's one evaluation is made at.
    pub at_highest: f64,
    /// The share of samples whose EF the U-Net is not told; the encoder always is.
    pub untold: f64,
    /// How much the errors of the mean strain and of the volume count ([`beat_errors`]), beside an error a cell.
    pub strain: f64,
    pub volume: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            steps: 2500,
            batch: 4,
            step_size: 1.2e-3,
            seed: 0,
            puppets: 0.67,
            log_sigma: [3.4, 1.4],
            at_highest: 0.5,
            untold: 0.1,
            strain: 5.0,
            volume: 2.5,
        }
    }
}

impl Settings {
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> std::result::Result<(), String> {
        let good = [
            ("steps", (1..=100_000_000).contains(&self.steps)),
            ("batch", (1..=64).contains(&self.batch)),
            ("step_size", self.step_size > 0.0 && self.step_size <= 1.0),
            ("puppets", (0.0..=1.0).contains(&self.puppets)),
            (
                "log_sigma",
                self.log_sigma[0].abs() <= 10.0 && (0.0..=10.0).contains(&self.log_sigma[1]),
            ),
            ("at_highest", (0.0..=1.0).contains(&self.at_highest)),
            ("untold", (0.0..1.0).contains(&self.untold)),
            ("strain", (0.0..=1e4).contains(&self.strain)),
            ("volume", (0.0..=1e4).contains(&self.volume)),
        ];
        match good.iter().find(|(_, good)| !good) {
            Some((name, _)) => Err(format!("`{name}` is out of its range")),
            None => Ok(()),
        }
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

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(
        "The loss of step {0} is no number: the run has left its way. What was learned before it is kept. Begin \
         another run from its cascade, with a smaller step_size."
    )]
    NotANumber(u64),
    #[error(
        "The gradient of {1} in step {0} is no number. What was learned before it is kept. Begin another run from its \
         cascade, with a smaller step_size."
    )]
    Gradient(u64, String),
    #[error(transparent)]
    Sample(#[from] crate::phantom::puppet::PuppetError),
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    #[error(transparent)]
    Checkpoint(#[from] crate::checkpoint::Error),
    #[error("{0}")]
    State(String),
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// From 0.
    pub step: u64,
    pub loss: f64,
    /// Of the gradient over all parameters, before it was cut.
    pub norm: f64,
    pub step_size: f64,
}

/// A run, at the step it has come to.
pub struct Run {
    pub settings: Settings,
    learning: LearningStage,
    source: Source,
    adam: Adam,
    ema: Ema,
    /// Steps that are done.
    step: u64,
    lanes: Lanes,
}

/// The loss of one sample and its slopes, by the parameters' names.
type Slopes = (f64, BTreeMap<String, Tensor>);

impl Run {
    /// From the weights that `learning` has. The seed and the scale of `source` become the run's.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(
        settings: Settings,
        learning: LearningStage,
        source: Source,
    ) -> std::result::Result<Self, RunError> {
        let config = AdamConfig {
            alpha: settings.step_size,
            ..AdamConfig::PUBLISHED
        };
        let Output::Motion { scale, .. } = learning.config.output else {
            return Err(RunError::State("the stage makes no motion".into()));
        };
        let encoder = learning.config.encoder.as_ref().map(|e| e.size);
        let made = (learning.config.size, learning.config.frames, encoder);
        if made != (GRID, FRAMES, Some(SIDE)) {
            return Err(RunError::State(format!(
                "Samples are of {FRAMES} frames of {GRID} x {GRID} cells with an anatomy of {SIDE} x {SIDE}; this stage \
                 has others."
            )));
        }
        Ok(Self {
            adam: Adam::new(config),
            ema: Ema::new(EMA, &learning.vars)?,
            source: Source {
                seed: settings.seed,
                scale,
                puppets: settings.puppets,
                ..source
            },
            lanes: Lanes::new(settings.batch, STACK).map_err(|e| RunError::State(e.to_string()))?,
            settings,
            learning,
            step: 0,
        })
    }

    pub fn step_number(&self) -> u64 {
        self.step
    }

    pub fn is_done(&self) -> bool {
        self.step >= self.settings.steps
    }

    /// One step. What it does follows from the weights, the settings and its number alone, whatever the number of
    /// threads.
    ///
    /// # Errors
    /// [`RunError`]; the weights are then those of before.
    pub fn advance(&mut self, interrupt: &Interrupt) -> std::result::Result<Step, RunError> {
        let first = self.step * self.settings.batch as u64;
        let samples = (first..first + self.settings.batch as u64)
            .into_par_iter()
            .map(|i| self.source.sample(i))
            .collect::<std::result::Result<Vec<Sample>, _>>()?;
        let (number, mut grads) = self.slopes(&samples, interrupt)?;
        if !number.is_finite() {
            return Err(RunError::NotANumber(self.step));
        }
        let norm = self.norm(&grads)?;
        if !norm.is_finite() {
            return Err(RunError::Gradient(self.step, self.wrong(&grads)?));
        }
        self.cut(&mut grads, norm)?;
        let step_size = self.settings.step_size_at(self.step);
        let (encoder, unet): (Vars, Vars) = self
            .learning
            .vars
            .iter()
            .map(|(name, var)| (name.clone(), var.clone()))
            .partition(|(name, _)| name.starts_with(ENCODERS));
        for (vars, size) in [(unet, step_size), (encoder, ENCODER * step_size)] {
            self.adam.set_alpha(size);
            self.adam.step(&vars, &grads)?;
        }
        self.ema.step(&self.learning.vars)?;
        let done = Step {
            step: self.step,
            loss: number,
            norm,
            step_size,
        };
        self.step += 1;
        Ok(done)
    }

    /// The loss of a step and its slopes: the mean over the samples, which are gone through side by side and summed
    /// in their order.
    fn slopes(&self, samples: &[Sample], interrupt: &Interrupt) -> Result<(f64, GradStore)> {
        let config = &self.learning.config;
        let shape = [samples.len(), 3, config.frames, config.size, config.size];
        let [p_mean, p_std] = self.settings.log_sigma;
        let noise = LossConfig {
            p_mean,
            p_std,
            sigma_data: config.levels.sigma_data,
            cond_drop_prob: self.settings.untold,
        };
        let mut draws = Draws::seeded(Seed(self.settings.seed), self.step, shape, false, &noise)?;
        self.raise(&mut draws, &noise);
        let each = |i: usize| self.slopes_of(&samples[i], &noise, &draws.of(i)?, interrupt);
        let made = self.lanes.map(samples.len(), each);
        let made = made.into_iter().collect::<Result<Vec<Slopes>>>()?;
        let share = 1.0 / samples.len() as f64;
        let total: f64 = made.iter().map(|(value, _)| value).sum();
        let mean = |(name, var): (&String, &Var)| -> Result<Option<(Var, Tensor)>> {
            let mut sum: Option<Tensor> = None;
            for slope in made.iter().filter_map(|(_, slopes)| slopes.get(name)) {
                sum = Some(match sum {
                    Some(sum) => (sum + slope)?,
                    None => slope.clone(),
                });
            }
            let mean = sum.map(|sum| sum * share).transpose()?;
            Ok(mean.map(|mean| (var.clone(), mean)))
        };
        let means: Vec<_> = (self.learning.vars.par_iter())
            .map(mean)
            .collect::<Result<_>>()?;
        let mut grads = GradStore::default();
        for (var, mean) in means.into_iter().flatten() {
            grads.insert(&var, mean);
        }
        Ok((total * share, grads))
    }

    fn slopes_of(
        &self,
        sample: &Sample,
        noise: &LossConfig,
        draws: &Draws,
        interrupt: &Interrupt,
    ) -> Result<Slopes> {
        let Some(encoder) = &self.learning.stage.encoder else {
            candle_core::bail!("the stage has no encoder");
        };
        let side = encoder.config().size;
        let anatomy = Tensor::from_slice(&sample.anatomy, (1, 1, side, side), &Device::Cpu)?;
        let ef = sample.ef as f32;
        let features = encoder.forward(&anatomy, &[ef], interrupt)?;
        let video = Tensor::from_slice(&sample.target, draws.noise.dims(), &Device::Cpu)?;
        let inside = video.narrow(1, 2, 1)?.gt(-0.96f32)?;
        let places = ((inside.to_dtype(candle_core::DType::F32)? * CAVITY)? + 1.0)?;
        let batch = Batch {
            video,
            ef: Tensor::full(ef, (1, 1, 1), &Device::Cpu)?,
            cond_image: Some(features),
            lowres: None,
            places: Some(places),
        };
        let unet = &self.learning.stage.unet;
        let made = loss(unet, noise, &batch, draws, &Pass::new(interrupt))?;
        let value = (made.value + self.of_beat(&made.denoised, sample, made.sigmas[0])?)?;
        let grads = value.backward()?;
        let slopes = self.learning.vars.iter().filter_map(|(name, var)| {
            let slope = grads.get(var)?;
            Some((name.clone(), slope.clone()))
        });
        Ok((f64::from(value.to_scalar::<f32>()?), slopes.collect()))
    }

    /// What the whole beat's errors count, with the weight of their noise level.
    fn of_beat(&self, denoised: &Tensor, sample: &Sample, sigma: f32) -> Result<Tensor> {
        let errors = beat_errors(denoised, &sample.target, self.source.scale)?;
        let sum = ((errors.strain * self.settings.strain)? + errors.volume * self.settings.volume)?;
        sum * loss_weight(sigma, self.learning.config.levels.sigma_data)
    }

    /// Has a share of the samples, by chance, at the highest level or near it.
    fn raise(&self, draws: &mut Draws, noise: &LossConfig) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.settings.seed);
        rng.set_stream(self.step);
        // Far behind what the step's other numbers take of this stream.
        rng.set_word_pos(1 << 60);
        let highest = self.learning.config.levels.sigma_max.ln();
        for level in &mut draws.levels {
            let share = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
            if share < self.settings.at_highest && noise.p_std > 0.0 {
                let log_sigma = highest + SPREAD * f64::from(*level);
                *level = ((log_sigma - noise.p_mean) / noise.p_std) as f32;
            }
        }
    }

    /// The first parameter whose gradient is no number.
    fn wrong(&self, grads: &GradStore) -> Result<String> {
        for (name, var) in &self.learning.vars {
            if let Some(grad) = grads.get(var) {
                let values: Vec<f32> = grad.flatten_all()?.to_vec1()?;
                if values.iter().any(|v| !v.is_finite()) {
                    return Ok(name.clone());
                }
            }
        }
        Ok("a parameter".into())
    }

    /// Of the gradient over all parameters. Sums go by their names, so that they are the same for any number of
    /// threads.
    fn norm(&self, grads: &GradStore) -> Result<f64> {
        let square = |var: &Var| -> Result<f64> {
            let Some(grad) = grads.get(var) else {
                return Ok(0.0);
            };
            let values: Vec<f32> = grad.flatten_all()?.to_vec1()?;
            Ok(values.iter().map(|v| f64::from(*v).powi(2)).sum())
        };
        let vars: Vec<&Var> = self.learning.vars.values().collect();
        let squares: Vec<f64> = vars.into_par_iter().map(square).collect::<Result<_>>()?;
        let square: f64 = squares.iter().sum();
        Ok(square.sqrt())
    }

    /// Brings the gradient's norm to [`LARGEST_NORM`] at most.
    fn cut(&self, grads: &mut GradStore, norm: f64) -> Result<()> {
        if norm > LARGEST_NORM {
            for var in self.learning.vars.values() {
                if let Some(grad) = grads.get(var) {
                    let less = (grad * (LARGEST_NORM / norm))?;
                    grads.insert(var, less);
                }
            }
        }
        Ok(())
    }

    /// Writes everything that a later step depends on; whole or not at all.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn keep(&self, path: &Path) -> std::result::Result<(), RunError> {
        let vars = self.learning.vars.iter();
        let weights: Tensors = vars
            .map(|(n, v)| (n.clone(), v.as_tensor().clone()))
            .collect();
        let step = Tensor::new(&[self.step as i64], &Device::Cpu)?;
        let run = Tensors::from([("step".to_owned(), step)]);
        let (adam, ema) = (self.adam.state()?, self.ema.state()?);
        let parts = [
            ("weights", &weights),
            ("adam", &adam),
            ("ema", &ema),
            ("run", &run),
        ];
        Ok(write_state(path, &parts)?)
    }

    /// Goes on from what [`Self::keep`] wrote, of a run with the same settings.
    ///
    /// # Errors
    /// When the file is of another network or none.
    pub fn go_on(&mut self, path: &Path) -> std::result::Result<(), RunError> {
        let parts = read_state(path)?;
        let none =
            |what: &str| RunError::State(format!("{}: it has no {what} of a run.", path.display()));
        let weights = parts.get("weights").ok_or_else(|| none("weights"))?;
        let step = parts.get("run").and_then(|run| run.get("step"));
        let step = step.ok_or_else(|| none("step"))?;
        let step = step.flatten_all()?.to_vec1::<i64>()?;
        let empty = Tensors::new();
        let adam = parts.get("adam").unwrap_or(&empty);
        let ema = parts.get("ema").ok_or_else(|| none("averaged weights"))?;
        for (name, var) in &self.learning.vars {
            let kept = weights.get(name).ok_or_else(|| none(name))?;
            var.set(kept)?;
        }
        let config = AdamConfig {
            alpha: self.settings.step_size,
            ..AdamConfig::PUBLISHED
        };
        self.adam = Adam::with_state(config, &self.learning.vars, adam)?;
        self.ema = Ema::with_state(EMA, &self.learning.vars, ema)?;
        self.step = step.first().copied().unwrap_or_default().unsigned_abs();
        Ok(())
    }

    /// Writes the averaged weights as a cascade.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn write_cascade(&self, out: &Path) -> std::result::Result<(), RunError> {
        let range = EFS.map(|ef| 100.0 * ef);
        Ok(self.learning.write(self.ema.weights(), range, out)?)
    }
}

#[cfg(test)]
mod tests;
