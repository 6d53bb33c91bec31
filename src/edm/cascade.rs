//! The cascade: stage after stage, each starting from noise and from the one before.

use super::denoiser::{Conditions, Denoiser, Openings};
use super::noise::{Draw, Noise};
use super::sample::sample;
use super::schedule::Augmentation;
use super::{CascadeConfig, Output, Solver, StageConfig, multistep};
use crate::models::anatomy_encoder::AnatomyEncoder;
use crate::models::unet3d::Unet;
use crate::nn::{Backend, Interrupt, resize};
use candle_core::{DType, Result, Tensor};

/// A loaded cascade.
pub struct Cascade {
    pub config: CascadeConfig,
    pub stages: Vec<Stage>,
    pub backend: Backend,
}

/// The networks of one stage.
pub struct Stage {
    pub unet: Unet,
    pub encoder: Option<AnatomyEncoder>,
}

/// What a run made, for a batch of b.
pub struct Made {
    /// Of a motion cascade, what its first stage made, `[b, 3, f, h, w]` ([`Output::Motion`]).
    pub motion: Option<Tensor>,
    /// Videos `[b, c, f, h, w]` in 0..1 of the last stage, if it makes pictures.
    pub video: Option<Tensor>,
}

/// Carries the anatomy along motions `[b, 3, f, h, w]`: videos `[b, c, f, h', w']` in 0..1.
pub type Carry<'a> = dyn Fn(&Tensor) -> Result<Tensor> + 'a;

/// What a run is to do.
pub struct Plan<'a> {
    /// The cascade's configuration as the chosen preset runs it; its stages are the cascade's
    /// first ones.
    pub config: &'a CascadeConfig,
    /// EFs in percent, one a sample. All samples share the noise, so that they differ by EF alone.
    pub ef_percent: &'a [f64],
    /// The anatomy, `[1, channels, h, w]` in 0..1.
    pub anatomy: &'a Tensor,
    pub noise: &'a dyn Noise,
    pub interrupt: &'a Interrupt,
    /// Memory that a network pass may take, in bytes.
    pub memory: usize,
    /// Where the beginnings of runs are kept, and what tells this noise and anatomy from others.
    pub openings: Option<(&'a Openings, String)>,
    /// What a stage after a motion stage is given as its low-resolution video.
    pub carry: Option<&'a Carry<'a>>,
    /// After the first evaluation, one of the second stage on its estimate, for the eye alone: it is
    /// reported and changes nothing that comes after.
    pub sharpen: bool,
}

/// Sent after every evaluation.
pub struct Progress<'a> {
    /// From 0.
    pub stage: usize,
    pub stages: usize,
    /// From 0.
    pub step: usize,
    pub steps: usize,
    /// Network passes that this evaluation took.
    pub passes: usize,
    /// Evaluations done in this stage and in the whole run so far.
    pub stage_evaluations: usize,
    pub evaluations: usize,
    /// The current denoised estimate, `[b, c, f, h, w]`: in -1..1, or motion ([`Output`]).
    pub denoised: &'a Tensor,
    /// It was made only to be seen: the second stage's estimate on the first one's.
    pub sharpened: bool,
}

impl Cascade {
    /// All planned stages.
    ///
    /// # Errors
    /// When a network or the device fails, or when interrupted.
    pub fn run(&self, plan: &Plan, report: &mut dyn FnMut(&Progress)) -> Result<Made> {
        let mut made = Made {
            motion: None,
            video: None,
        };
        let mut before = 0;
        for (i, stage) in plan.config.stages.iter().enumerate() {
            let carried = match (&made, plan.carry) {
                (Made { video: Some(_), .. }, _) | (Made { motion: None, .. }, _) => None,
                (
                    Made {
                        motion: Some(motion),
                        ..
                    },
                    Some(carry),
                ) => Some(carry(motion)?),
                _ => candle_core::bail!("nothing carries the anatomy to the second stage"),
            };
            let previous = made.video.as_ref().or(carried.as_ref());
            let conditions = self.conditions(plan, i, stage, previous)?;
            let out = self.run_stage(plan, i, &conditions, before, report)?;
            match stage.output {
                Output::Picture => made.video = Some(out),
                Output::Motion { .. } => made.motion = Some(out),
            }
            before += stage.evaluations();
        }
        Ok(made)
    }

    /// One stage alone: videos `[b, c, f, h, w]` in 0..1, or motion. `before` evaluations were made by
    /// the stages before it.
    ///
    /// # Errors
    /// As [`Cascade::run`].
    pub fn run_stage(
        &self,
        plan: &Plan,
        i: usize,
        conditions: &Conditions,
        before: usize,
        report: &mut dyn FnMut(&Progress),
    ) -> Result<Tensor> {
        let stage = &plan.config.stages[i];
        let b = conditions.ef.dim(0)?;
        let denoiser = self.denoiser(plan, i, conditions, b);
        let schedule = stage.schedule();
        let shape = video_shape(b, stage).to_vec().into();
        let draw = |draw| plan.noise.draw(draw, &shape, &self.backend.device);
        let x = (draw(Draw::Initial { stage: i })? * f64::from(schedule.sigmas[0]))?;
        let mut done = 0;
        let mut denoise = |x: &Tensor, sigma: f32| {
            // What an encoder says depends on the EF.
            let shared = self.stages[i].encoder.is_none();
            let first = i == 0 && done == 0 && shared && schedule.gammas[0] == 0.0;
            let (denoised, passes) = match &plan.openings {
                Some((openings, key)) if first => denoiser.open(x, sigma, openings, key)?,
                _ => {
                    let passes = stage.passes_at(f64::from(sigma));
                    (denoiser.denoise(x, sigma)?, passes)
                }
            };
            done += 1;
            let mut tell = |denoised: &Tensor, passes, sharpened| {
                report(&Progress {
                    stage: i,
                    stages: plan.config.stages.len(),
                    step: stage.step_of(done - 1),
                    steps: schedule.steps(),
                    passes,
                    stage_evaluations: done,
                    evaluations: before + done,
                    denoised,
                    sharpened,
                });
            };
            tell(&denoised, passes, false);
            let later = plan.config.stages.len() > 1 && stage.output == Output::Picture;
            if plan.sharpen && i == 0 && done == 1 && later {
                tell(&self.sharpened(plan, &denoised)?, 0, true);
            }
            Ok(denoised)
        };
        let x = match stage.solver {
            Solver::Heun => {
                let mut epsilon = |step| draw(Draw::Churn { stage: i, step });
                sample(&schedule, x, &mut epsilon, &mut denoise)?
            }
            Solver::Multistep(kind) => multistep::sample(kind, &schedule.sigmas, x, &mut denoise)?,
        };
        // Who was only waiting for the estimate has gone on by now.
        plan.interrupt.check()?;
        match stage.output {
            Output::Picture => to_unit(&x),
            Output::Motion { .. } => x.to_dtype(DType::F32),
        }
    }

    /// Hands `run` one evaluation of a stage, to be made as often as it likes: on noise at its highest
    /// level and, after the first stage, a black video; as much work as any other.
    ///
    /// # Errors
    /// As [`Cascade::run`].
    pub fn with_evaluation<T>(
        &self,
        plan: &Plan,
        i: usize,
        run: impl FnOnce(&dyn Fn() -> Result<Tensor>) -> Result<T>,
    ) -> Result<T> {
        let (stage, b) = (&plan.config.stages[i], plan.ef_percent.len());
        let shape = video_shape(b, stage);
        let black = Tensor::zeros(&shape, DType::F32, &self.backend.device)?;
        let conditions = self.conditions(plan, i, stage, (i > 0).then_some(&black))?;
        let (x, sigma) = self.loudest(plan, i)?;
        let denoiser = self.denoiser(plan, i, &conditions, b);
        run(&|| denoiser.denoise(&x, sigma))
    }

    /// The second stage's first estimate on an estimate of the first stage, with the noise that the
    /// run will give it.
    fn sharpened(&self, plan: &Plan, denoised: &Tensor) -> Result<Tensor> {
        let (i, stage) = (1, &plan.config.stages[1]);
        let conditions = self.conditions(plan, i, stage, Some(&to_unit(denoised)?))?;
        let (x, sigma) = self.loudest(plan, i)?;
        let b = plan.ef_percent.len();
        self.denoiser(plan, i, &conditions, b).denoise(&x, sigma)
    }

    /// What a stage starts from, and its noise level.
    fn loudest(&self, plan: &Plan, i: usize) -> Result<(Tensor, f32)> {
        let stage = &plan.config.stages[i];
        let sigma = stage.schedule().sigmas[0];
        let shape = video_shape(plan.ef_percent.len(), stage);
        let draw = Draw::Initial { stage: i };
        let noise = plan
            .noise
            .draw(draw, &shape.to_vec().into(), &self.backend.device)?;
        Ok(((noise * f64::from(sigma))?, sigma))
    }

    fn denoiser<'a>(
        &'a self,
        plan: &'a Plan,
        i: usize,
        conditions: &'a Conditions,
        b: usize,
    ) -> Denoiser<'a> {
        let stage = &plan.config.stages[i];
        Denoiser::new(
            &self.stages[i].unet,
            stage,
            conditions,
            plan.config.dynamic_threshold,
            plan.interrupt,
            2 * pass_bytes(stage, b, &self.backend) <= plan.memory,
        )
    }

    fn conditions(
        &self,
        plan: &Plan,
        i: usize,
        stage: &StageConfig,
        previous: Option<&Tensor>,
    ) -> Result<Conditions> {
        let b = plan.ef_percent.len();
        let efs: Vec<f32> = plan.ef_percent.iter().map(|e| (e / 100.0) as f32).collect();
        // Once for the run: every evaluation of the stage sees it at this size.
        let image = match &self.stages[i].encoder {
            Some(encoder) => encoder
                .forward(plan.anatomy, &efs, plan.interrupt)?
                .to_device(&self.backend.device)?,
            None => {
                let image = plan.anatomy.to_device(&self.backend.device)?.unsqueeze(2)?;
                resize(&image, stage.unet.resize_mode, 1, stage.size, stage.size)?.squeeze(2)?
            }
        };
        let (_, c, h, w) = image.dims4()?;
        let lowres = match previous {
            Some(video) => {
                let level = plan.config.lowres_sample_noise_level;
                let shape = video_shape(b, stage).to_vec().into();
                let noise =
                    plan.noise
                        .draw(Draw::Lowres { stage: i }, &shape, &self.backend.device)?;
                Some((hand_off(video, plan.config, stage, &noise)?, level))
            }
            None => None,
        };
        Ok(Conditions {
            ef: Tensor::from_vec(efs, (b, 1, 1), &self.backend.device)?,
            cond_image: if stage.unet.cond_images_channels > 0 {
                Some(image.broadcast_as((b, c, h, w))?.contiguous()?)
            } else {
                None
            },
            lowres,
        })
    }
}

fn video_shape(b: usize, stage: &StageConfig) -> [usize; 5] {
    [b, stage.unet.channels, stage.frames, stage.size, stage.size]
}

/// The previous stage's video (0..1) at this stage's size, in -1..1, noised.
///
/// # Errors
/// When the device fails.
pub fn hand_off(
    video: &Tensor,
    config: &CascadeConfig,
    stage: &StageConfig,
    noise: &Tensor,
) -> Result<Tensor> {
    let video = resize(
        video,
        config.resize_mode,
        stage.frames,
        stage.size,
        stage.size,
    )?;
    let a = Augmentation::at(config.lowres_sample_noise_level);
    let video = ((video * 2.0)? - 1.0)?;
    (video * a.alpha)? + (noise * a.sigma)?
}

/// -1..1 to 0..1, clamped: `(clamp(x) + 1) / 2`.
///
/// # Errors
/// When the device fails.
pub fn to_unit(x: &Tensor) -> Result<Tensor> {
    (x.to_dtype(DType::F32)?.clamp(-1f32, 1f32)? + 1.0)? / 2.0
}

/// Memory that one pass over a batch of `b` takes, roughly: the first level's tensors dominate. On the
/// CPU the skips, the block's input, output and temporaries are alive at once; on a GPU five and a half
/// tensors of the level were counted for the published second stage (`tests/cuda_memory.rs`).
pub fn pass_bytes(stage: &StageConfig, b: usize, backend: &Backend) -> usize {
    let element = backend.arithmetic.dtype().size_in_bytes();
    let level = element * b * stage.unet.dim * stage.frames * stage.size * stage.size;
    let alive = if backend.device.is_cpu() {
        8 + stage.unet.num_resnet_blocks.iter().max().unwrap_or(&1)
    } else {
        6
    };
    level * alive
}
