use super::multistep::Multistep;
use super::schedule::Schedule;
use crate::models::anatomy_encoder::EncoderConfig;
use crate::models::unet3d::UnetConfig;
use crate::nn::ResizeMode;

/// How a stage goes from noise level to noise level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    /// EDM algorithm 2, as published: two evaluations a step, but for the last.
    Heun,
    /// One evaluation a step, no churn.
    Multistep(Multistep),
}

/// Noise levels of a stage and the steps through them, in the paper's symbols.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseLevels {
    /// Steps N of the solver; Heun takes 2N - 1 evaluations, a multistep solver N.
    pub steps: usize,
    pub sigma_min: f64,
    pub sigma_max: f64,
    pub sigma_data: f64,
    pub rho: f64,
    pub s_churn: f64,
    pub s_tmin: f64,
    pub s_tmax: f64,
    pub s_noise: f64,
}

/// What a stage's channels are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Output {
    /// A picture, -1 black and 1 white.
    #[default]
    Picture,
    /// Motion: channels 0 and 1 are the displacement, x and y, from a pixel of a frame to its place in
    /// the anatomy, in units of `scale` pixels of a picture of `picture_size`; channel 2 is the left
    /// ventricle's cavity, -1 outside and 1 inside. The picture is the anatomy, carried.
    Motion { scale: f64, picture_size: usize },
}

/// One model of a cascade: its network and how it is sampled.
#[derive(Clone, Debug, PartialEq)]
pub struct StageConfig {
    pub unet: UnetConfig,
    /// Reads the anatomy and the EF once, in place of the network.
    pub encoder: Option<EncoderConfig>,
    pub output: Output,
    /// Height and width of the stage's video.
    pub size: usize,
    pub frames: usize,
    pub levels: NoiseLevels,
    pub solver: Solver,
    /// Guidance: 1 makes one network pass an evaluation, anything else two.
    pub cond_scale: f64,
    /// Below this noise level there is no guidance, and one pass an evaluation (Kynkaanniemi et al.,
    /// *Applying Guidance in a Limited Interval*, 2024); 0 guides everywhere, as published.
    pub guided_from: f64,
}

impl StageConfig {
    pub fn schedule(&self) -> Schedule {
        Schedule::new(&self.levels)
    }

    /// Evaluations of the network in one run of the stage (both branches of guidance are one).
    pub fn evaluations(&self) -> usize {
        match self.solver {
            Solver::Heun => 2 * self.levels.steps - 1,
            Solver::Multistep(_) => self.levels.steps,
        }
    }

    /// The step, from 0, that an evaluation, from 0, belongs to.
    pub fn step_of(&self, evaluation: usize) -> usize {
        match self.solver {
            Solver::Heun => evaluation / 2,
            Solver::Multistep(_) => evaluation,
        }
    }

    /// Network passes of an evaluation at a noise level.
    pub fn passes_at(&self, sigma: f64) -> usize {
        if self.cond_scale == 1.0 || sigma < self.guided_from {
            1
        } else {
            2
        }
    }

    /// Network passes of one run of the stage.
    pub fn passes(&self) -> usize {
        let schedule = self.schedule();
        let passes = |i: usize| match self.solver {
            Solver::Multistep(_) => self.passes_at(f64::from(schedule.sigmas[i])),
            Solver::Heun => {
                let next = f64::from(schedule.sigmas[i + 1]);
                let second = if next > 0.0 { self.passes_at(next) } else { 0 };
                self.passes_at(schedule.sigma_hat(i)) + second
            }
        };
        (0..schedule.steps()).map(passes).sum()
    }
}

/// A cascade as data: 1SCM, 2SCM, 4SCM and the built-in one are four of these.
#[derive(Clone, Debug, PartialEq)]
pub struct CascadeConfig {
    pub stages: Vec<StageConfig>,
    /// How a stage's video comes to the next stage's size.
    pub resize_mode: ResizeMode,
    /// Noise time of the low-resolution video, in 0..1.
    pub lowres_sample_noise_level: f64,
    /// Percentile of the dynamic threshold; `None` clamps to -1..1.
    pub dynamic_threshold: Option<f32>,
    /// Frames a second of the final video.
    pub fps: f64,
    /// The clips are one heart beat from end-diastole, whatever its duration.
    pub beat_normalised: bool,
}

impl CascadeConfig {
    /// Channels of the pictures that go in and come out: 1 or 3.
    pub fn channels(&self) -> usize {
        match self.stages[0].output {
            Output::Picture => self.stages[0].unet.channels,
            Output::Motion { .. } => 1,
        }
    }

    /// Whether the first stage makes motion, and the anatomy is carried along it.
    pub fn makes_motion(&self) -> bool {
        matches!(self.stages[0].output, Output::Motion { .. })
    }

    /// What is shown for it: the number of stages names the published ones.
    pub fn stage_name(&self) -> String {
        format!("{}SCM", self.stages.len())
    }
}
