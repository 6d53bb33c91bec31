//! Any stage whose channels are pictures as a task, as published.

use super::clips::{Clips, SIDE};
use super::dice::Dice;
use super::run::{Method, RunError, Task, Vars};
use super::samples::{BeatSample, EFS, Source};
use super::{AdamConfig, Batch, Draws, EmaConfig, LossConfig, loss, within};
use crate::checkpoint::LearningStage;
use crate::edm::{Output, Seed};
use crate::models::unet3d::Pass;
use crate::nn::{Interrupt, resize};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What a run is made with; by itself as published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureSettings {
    /// Steps of the whole run, 1 to 100 million.
    pub steps: u64,
    /// Samples of a step, 1 to 64.
    pub batch: usize,
    /// Above 0, at most 1.
    pub step_size: f64,
    pub seed: u64,
    /// The share of clips that are puppets, 0 to 1, where there are stills and no recorded clips.
    pub puppets: f64,
    /// The share of simulated hearts, 0 to 1, that are shown as today's machines show them.
    #[serde(skip_serializing_if = "super::is_none")]
    pub compounded: f64,
    /// Every fourth step is of pictures: all frames, and nothing that acts over them.
    pub joint: bool,
}

impl Default for PictureSettings {
    fn default() -> Self {
        Self {
            steps: 500_000,
            batch: 4,
            step_size: AdamConfig::PUBLISHED.alpha,
            seed: 0,
            puppets: 0.67,
            compounded: 0.0,
            joint: false,
        }
    }
}

impl PictureSettings {
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> Result<(), String> {
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
        ])
    }
}

/// What a stage learns from.
pub enum Material {
    /// Clips by their time.
    Clips(Clips),
    /// Single beats with the anatomy as it is carried along their motion, for the stage after one that makes motion. Its
    /// seed and its share of puppets become the run's.
    Beats(Source),
}

impl Material {
    /// The lowest and the highest EF, shares.
    fn ef_range(&self) -> [f64; 2] {
        match self {
            Self::Clips(clips) => clips.ef_range(),
            Self::Beats(_) => EFS,
        }
    }
}

/// Teaches a stage from clips or beats.
pub struct PictureTask {
    settings: PictureSettings,
    learning: LearningStage,
    material: Material,
    noise: LossConfig,
}

/// What the samples of a step share.
pub struct Plan {
    draws: Draws,
    /// A step of pictures.
    still: bool,
    /// The corner of the piece of each frame of each sample, one after the other.
    corners: Option<Vec<[usize; 2]>>,
}

impl PictureTask {
    /// # Errors
    /// [`RunError::State`], when the stage is not one that pictures by their time teach.
    pub fn new(
        settings: PictureSettings,
        learning: LearningStage,
        material: Material,
    ) -> Result<Self, RunError> {
        let refused = |why: &str| Err(RunError::State(why.into()));
        if learning.config.output != Output::Picture {
            return refused("The stage makes motion, not pictures.");
        }
        let cascade = &learning.cascade;
        let after_motion = learning.index == 1 && cascade.makes_motion();
        let material = match material {
            Material::Beats(source) if after_motion => Material::Beats(Source {
                seed: settings.seed,
                puppets: settings.puppets,
                compounded: settings.compounded,
                ..source
            }),
            Material::Beats(_) => {
                return refused("Beats are carried for the stage after one that makes motion.");
            }
            Material::Clips(_) if cascade.makes_motion() => {
                return refused(
                    "A stage on a carried picture learns from `stills` and simulated hearts, whose motion is known; of \
                     later ones none can be taught.",
                );
            }
            Material::Clips(_) if cascade.beat_normalised => {
                return refused(
                    "The cascade's clips are one beat each; clips are shown by their time.",
                );
            }
            clips => clips,
        };
        if after_motion && learning.config.unet.channels != 1 {
            return refused("What is carried here is gray; the stage is of colour.");
        }
        if learning.crop.is_some() && learning.config.size > SIDE {
            return refused("Pieces are of the 112 x 112 pixels of a clip; the stage is larger.");
        }
        Ok(Self {
            noise: learning.noise,
            settings,
            learning,
            material,
        })
    }

    /// The first of the cascade's stages, from 0, that is still to be taught.
    pub fn missing(&self) -> Option<usize> {
        self.learning.missing()
    }

    /// Frames of the whole cascade's video.
    fn frames(&self) -> usize {
        let stages = &self.learning.cascade.stages;
        stages.iter().map(|s| s.frames).max().unwrap_or(1)
    }

    /// Sample `number` of the run.
    fn shown(&self, number: u64) -> Result<Shown, RunError> {
        let clips = match &self.material {
            Material::Clips(clips) => clips,
            Material::Beats(source) => return Ok(Shown::of_beat(&source.beat(number)?)?),
        };
        let at = (self.frames(), self.learning.cascade.fps);
        let channels = self.learning.config.unet.channels;
        let window = clips.window(self.settings.seed, number, at, channels)?;
        Ok(Shown {
            video: window.video,
            carried: None,
            cond: window.cond,
            ef: window.ef,
        })
    }

    /// A sample as this stage sees it: its own video, and the previous stage's at this one's size, in -1..1.
    fn videos(&self, shown: &Shown, still: bool) -> candle_core::Result<(Tensor, Option<Tensor>)> {
        let cascade = &self.learning.cascade;
        let whole = self.frames();
        let to = |x: &Tensor, index: usize| {
            let stage = &cascade.stages[index];
            let frames = if still { whole } else { stage.frames };
            let size = stage.size;
            resize(x, cascade.resize_mode, frames, size, size)?.clamp(0f32, 1f32)
        };
        let signed = |x: Tensor| (x * 2.0)? - 1.0;
        let index = self.learning.index;
        let own = signed(to(&shown.video, index)?)?;
        let before = match (index.checked_sub(1), &shown.carried) {
            (Some(_), Some(carried)) => Some(signed(to(carried, index)?)?),
            (Some(before), None) => Some(signed(to(&to(&shown.video, before)?, index)?)?),
            (None, _) => None,
        };
        Ok((own, before))
    }
}

/// What a step sees of a sample.
struct Shown {
    /// `[1, c, f, 112, 112]` in 0..1.
    video: Tensor,
    /// The same of what is carried, where the stage before makes motion.
    carried: Option<Tensor>,
    /// The anatomy, `[1, c, 112, 112]`.
    cond: Tensor,
    /// A share.
    ef: f64,
}

impl Shown {
    fn of_beat(sample: &BeatSample) -> candle_core::Result<Self> {
        let video = |values: &[f32]| {
            let frames = values.len() / (SIDE * SIDE);
            Tensor::from_slice(values, (1, 1, frames, SIDE, SIDE), &Device::Cpu)
        };
        Ok(Self {
            video: video(&sample.video)?,
            carried: Some(video(&sample.carried)?),
            cond: video(&sample.anatomy)?.squeeze(2)?,
            ef: sample.ef,
        })
    }
}

/// Of each frame of a video `[1, c, f, h, w]` a piece, from a corner of its own.
fn pieces(x: &Tensor, corners: &[[usize; 2]], size: usize) -> candle_core::Result<Tensor> {
    let frames = corners.iter().enumerate().map(|(i, &[y, x0])| {
        x.narrow(2, i, 1)?
            .narrow(3, y, size)?
            .narrow(4, x0, size)?
            .contiguous()
    });
    Tensor::cat(&frames.collect::<candle_core::Result<Vec<_>>>()?, 2)
}

impl Task for PictureTask {
    type Plan = Plan;

    fn method(&self) -> Method {
        Method {
            steps: self.settings.steps,
            batch: self.settings.batch,
            at_once: 1,
            largest_norm: None,
            adam: AdamConfig::PUBLISHED,
            ema: EmaConfig::PUBLISHED,
            slower: None,
        }
    }

    fn step_size_at(&self, _: u64) -> f64 {
        self.settings.step_size
    }

    fn vars(&self) -> &Vars {
        &self.learning.vars
    }

    fn plan(&self, step: u64) -> Result<Plan, RunError> {
        let config = &self.learning.config;
        let b = self.settings.batch;
        let still = self.settings.joint && step.is_multiple_of(4);
        let frames = if still { self.frames() } else { config.frames };
        let size = self.learning.crop.unwrap_or(config.size);
        let shape = [b, config.unet.channels, frames, size, size];
        let seed = Seed(self.settings.seed);
        let lowres = config.unet.lowres_cond;
        let draws = Draws::seeded(seed, step, shape, lowres, &self.noise)?;
        let corners = self.learning.crop.map(|crop| {
            // Behind all samples.
            let mut dice = Dice::new(self.settings.seed, (1 << 62) | step);
            let places = config.size - crop + 1;
            let corner = |_| [dice.below(places), dice.below(places)];
            (0..b * frames).map(corner).collect()
        });
        Ok(Plan {
            draws,
            still,
            corners,
        })
    }

    fn loss(
        &self,
        plan: &Plan,
        step: u64,
        i: usize,
        interrupt: &Interrupt,
    ) -> Result<Tensor, RunError> {
        let number = step * self.settings.batch as u64 + i as u64;
        let shown = self.shown(number)?;
        let (mut video, mut lowres) = self.videos(&shown, plan.still)?;
        let mut cond = shown.cond;
        if let (Some(size), Some(corners)) = (self.learning.crop, &plan.corners) {
            let frames = video.dim(2)?;
            let own = &corners[i * frames..][..frames];
            video = pieces(&video, own, size)?;
            lowres = lowres.map(|x| pieces(&x, own, size)).transpose()?;
            // As published: a sample's anatomy is cut where frame i of the first sample is.
            cond = pieces(&cond.unsqueeze(2)?, &corners[i..=i], size)?.squeeze(2)?;
        }
        let device = &self.learning.device;
        let batch = Batch {
            video: video.to_device(device)?,
            ef: Tensor::full(shown.ef as f32, (1, 1, 1), device)?,
            cond_image: Some(cond.to_device(device)?),
            lowres: lowres.map(|x| x.to_device(device)).transpose()?,
            places: None,
        };
        let pass = Pass {
            ignore_time: plan.still,
            ..Pass::new(interrupt)
        };
        let unet = &self.learning.stage.unet;
        Ok(loss(unet, &self.noise, &batch, &plan.draws.of(i..i + 1)?, &pass)?.value)
    }

    fn write(&self, weights: &BTreeMap<String, Tensor>, out: &Path) -> Result<(), RunError> {
        let range = self.material.ef_range().map(|ef| 100.0 * ef);
        Ok(self.learning.write(weights, range, out)?)
    }
}
