//! A regressor as a task: the square of its error in points, as published.

use super::clips::{Clips, SIDE};
use super::dice::Dice;
use super::run::{Method, RunError, Task, Vars};
use super::{AdamConfig, EmaConfig, within};
use crate::checkpoint::LearningRegressor;
use crate::clip::resample::to_size;
use crate::nn::Interrupt;
use candle_core::{Device, Result as TensorResult, Tensor, TensorId, Var};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// PyTorch's own, which the published regressor was taught with.
const ADAM: AdamConfig = AdamConfig {
    alpha: 1e-4,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
};

/// What a clip in which nothing moves is taken for.
const STILL: f64 = 0.02;

/// What a run is made with; by itself as EchoDiffusion's own regressor was, but for what is kept: the average of the
/// weights over the steps, not those of the best epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegressorSettings {
    /// Steps of the whole run, 1 to 100 million.
    pub steps: u64,
    /// Clips of a step, 2 to 256: they are normalised with each other, so that the memory of a step grows with them.
    pub batch: usize,
    /// Above 0, at most 1.
    pub step_size: f64,
    pub seed: u64,
    /// The share of clips that are puppets, 0 to 1, where there are stills and no recorded clips.
    pub puppets: f64,
    /// The share of clips, 0 to 1, that show one frame all along, whose EF is taken as 2 %: texture is not to say anything of EF.
    pub motionless: f64,
    /// Pixels of 112 by which a clip is moved at most, to any side; 0 to 55.
    pub moved: usize,
    /// The step size falls, by half a cosine, to nothing at the end.
    pub falls: bool,
}

impl Default for RegressorSettings {
    fn default() -> Self {
        Self {
            steps: 50_000,
            batch: 16,
            step_size: 1e-4,
            seed: 0,
            puppets: 0.67,
            motionless: 0.0,
            moved: 12,
            falls: false,
        }
    }
}

impl RegressorSettings {
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> Result<(), String> {
        within(&[
            (
                ("steps", "1 to 100 million"),
                (1..=100_000_000).contains(&self.steps),
            ),
            (("batch", "2 to 256"), (2..=256).contains(&self.batch)),
            (
                ("step_size", "above 0, at most 1"),
                self.step_size > 0.0 && self.step_size <= 1.0,
            ),
            (("puppets", "0 to 1"), (0.0..=1.0).contains(&self.puppets)),
            (
                ("motionless", "0 to 1"),
                (0.0..=1.0).contains(&self.motionless),
            ),
            (("moved", "0 to 55"), self.moved < SIDE / 2),
        ])
    }
}

/// Teaches a regressor from clips.
pub struct RegressorTask {
    settings: RegressorSettings,
    learning: LearningRegressor,
    clips: Clips,
    /// The same variables, by what the network knows them by.
    by_id: HashMap<TensorId, Var>,
}

impl RegressorTask {
    pub fn new(settings: RegressorSettings, learning: LearningRegressor, clips: Clips) -> Self {
        let by_id = learning.vars.values();
        let by_id = by_id.map(|var| (var.as_tensor().id(), var.clone()));
        Self {
            by_id: by_id.collect(),
            settings,
            learning,
            clips,
        }
    }

    /// Clip `number` of the run, `[1, c, f, size, size]` as the network gets it, and its EF in percent.
    fn clip(&self, number: u64) -> Result<(Tensor, f32), RunError> {
        let spec = &self.learning.spec;
        let settings = &self.settings;
        let at = (spec.frames, spec.fps);
        let window = self
            .clips
            .window(settings.seed, number, at, spec.net.channels)?;
        // Behind all that a window draws.
        let mut dice = Dice::new(settings.seed, (1 << 62) | number);
        let mut corner = || dice.below(2 * settings.moved + 1);
        let (y, x) = (corner(), corner());
        let still = dice.share() < settings.motionless;
        let made = || -> TensorResult<Tensor> {
            let by = settings.moved;
            let there = window.video.narrow(2, 0, window.there)?;
            let video = match still {
                true => {
                    let (b, c, _, h, w) = there.dims5()?;
                    let first = there.narrow(2, 0, 1)?;
                    let all = first.broadcast_as((b, c, spec.frames, h, w))?;
                    all.contiguous()?
                }
                false => there,
            };
            // What is missing, and what comes in at a side, is black, or the mean where there is one.
            let video = spec.normalised(&video)?;
            let missing = spec.frames - video.dim(2)?;
            let video = video.pad_with_zeros(2, 0, missing)?;
            let wide = video.pad_with_zeros(3, by, by)?;
            let wide = wide.pad_with_zeros(4, by, by)?;
            let moved = wide.narrow(3, y, SIDE)?.narrow(4, x, SIDE)?.contiguous()?;
            to_size(&moved, spec.size, &Interrupt::new())
        };
        let ef = if still { STILL } else { window.ef };
        Ok((made()?, (100.0 * ef) as f32))
    }
}

impl Task for RegressorTask {
    type Plan = ();

    fn method(&self) -> Method {
        Method {
            steps: self.settings.steps,
            batch: self.settings.batch,
            together: true,
            largest_norm: None,
            adam: ADAM,
            ema: EmaConfig {
                every: 1,
                after: 100,
            },
            slower: None,
        }
    }

    fn step_size_at(&self, step: u64) -> f64 {
        let gone = step as f64 / self.settings.steps as f64;
        match self.settings.falls {
            true => self.settings.step_size * (0.5 + 0.5 * (std::f64::consts::PI * gone).cos()),
            false => self.settings.step_size,
        }
    }

    fn vars(&self) -> &Vars {
        &self.learning.vars
    }

    fn plan(&self, _: u64) -> Result<(), RunError> {
        Ok(())
    }

    fn loss(
        &self,
        (): &(),
        step: u64,
        _: usize,
        interrupt: &Interrupt,
    ) -> Result<Tensor, RunError> {
        let batch = self.settings.batch as u64;
        let clips: Vec<(Tensor, f32)> = (step * batch..(step + 1) * batch)
            .into_par_iter()
            .map(|number| self.clip(number))
            .collect::<Result<_, _>>()?;
        let (clips, efs): (Vec<Tensor>, Vec<f32>) = clips.into_iter().unzip();
        let x = Tensor::cat(&clips, 0)?;
        let right = Tensor::new(efs, &Device::Cpu)?;
        let said = self.learning.net.forward(&x, interrupt, None)?;
        Ok((said - right)?.sqr()?.mean_all()?)
    }

    /// The running averages of the norms.
    fn beside(&self) -> TensorResult<Vec<(Var, Tensor)>> {
        let averages = self.learning.net.averages()?.into_iter();
        let known = averages.filter_map(|(running, value)| {
            let var = self.by_id.get(&running.id())?;
            Some((var.clone(), value))
        });
        Ok(known.collect())
    }

    fn write(&self, weights: &BTreeMap<String, Tensor>, out: &Path) -> Result<(), RunError> {
        Ok(self.learning.write(weights, out)?)
    }
}
