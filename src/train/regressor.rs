//! A regressor as a task: the square of its error in points, as published.

use super::clips::{Clips, SIDE};
use super::dice::Dice;
use super::run::{Method, RunError, Task, Vars};
use super::{AdamConfig, EmaConfig, within};
use crate::checkpoint::LearningRegressor;
use crate::clip::resample::to_size;
use crate::nn::{Interrupt, ResizeMode, resize};
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

/// How much brighter haze makes a pixel at most, of black to white.
const BRIGHTEST: f64 = 0.3;
/// Haze is even over a quarter of the picture to each side.
const PATCHES: usize = 4;

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
    /// The share of simulated hearts, 0 to 1, that are shown as today's machines show them.
    #[serde(skip_serializing_if = "super::is_none")]
    pub compounded: f64,
    /// The share of clips, 0 to 1, that show one frame all along, whose EF is taken as 2 %: texture is not to say anything of EF.
    pub motionless: f64,
    /// The share of clips, 0 to 1, over which haze comes and goes by a beat of its own, whose EF stays: where light moves and
    /// no wall does, there is no EF.
    pub haze: f64,
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
            compounded: 0.0,
            motionless: 0.0,
            haze: 0.0,
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
                ("compounded", "0 to 1"),
                (0.0..=1.0).contains(&self.compounded),
            ),
            (
                ("motionless", "0 to 1"),
                (0.0..=1.0).contains(&self.motionless),
            ),
            (("haze", "0 to 1"), (0.0..=1.0).contains(&self.haze)),
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
    device: Device,
}

impl RegressorTask {
    pub fn new(settings: RegressorSettings, learning: LearningRegressor, clips: Clips) -> Self {
        let some = learning.vars.values().next();
        let device = some.map_or(Device::Cpu, |var| var.device().clone());
        let by_id = learning.vars.values();
        let by_id = by_id.map(|var| (var.as_tensor().id(), var.clone()));
        Self {
            by_id: by_id.collect(),
            device,
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
        let haze = (dice.share() < settings.haze).then(|| Haze::new(&mut dice));
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
            let video = match &haze {
                Some(haze) => haze.over(&video, spec.fps)?,
                None => video,
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

/// Light that comes and goes by the time of a heart, and follows no wall: what a cross-faded beat looks like.
struct Haze {
    strength: f64,
    beats_a_minute: f64,
    /// Of its beat, at the first frame.
    phase: f64,
    /// How much of it each patch has.
    patches: Vec<f32>,
}

impl Haze {
    fn new(dice: &mut Dice) -> Self {
        Self {
            strength: BRIGHTEST * dice.share(),
            beats_a_minute: dice.within([45.0, 115.0]),
            phase: dice.share(),
            patches: (0..PATCHES * PATCHES)
                .map(|_| dice.share() as f32)
                .collect(),
        }
    }

    /// Over a video `[1, c, f, h, w]` in 0..1.
    fn over(&self, video: &Tensor, fps: f64) -> TensorResult<Tensor> {
        let (_, _, f, h, w) = video.dims5()?;
        let patches = (1, 1, 1, PATCHES, PATCHES);
        let patches = Tensor::from_slice(&self.patches, patches, &Device::Cpu)?;
        let place = resize(&patches, ResizeMode::Trilinear, 1, h, w)?;
        let light = (0..f).map(|i| {
            let beats = i as f64 / fps * self.beats_a_minute / 60.0 + self.phase;
            let light = 0.5 - 0.5 * (2.0 * std::f64::consts::PI * beats).cos();
            (self.strength * light) as f32
        });
        let light = Tensor::from_iter(light, &Device::Cpu)?.reshape((1, 1, f, 1, 1))?;
        video
            .broadcast_add(&place.broadcast_mul(&light)?)?
            .clamp(0f32, 1f32)
    }
}

impl Task for RegressorTask {
    type Plan = ();

    fn method(&self) -> Method {
        Method {
            steps: self.settings.steps,
            batch: self.settings.batch,
            at_once: self.settings.batch,
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
        let device = &self.device;
        let x = Tensor::cat(&clips, 0)?.to_device(device)?;
        let right = Tensor::new(efs, device)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn haze_comes_and_goes_and_moves_nothing() {
        let haze = Haze::new(&mut Dice::new(3, 5));
        let (frames, fps) = (40, 20.0);
        let shape = (1, 1, frames, SIDE, SIDE);
        let gray = Tensor::full(0.4f32, shape, &Device::Cpu).unwrap();
        let hazed = haze.over(&gray, fps).unwrap();
        let means = hazed
            .mean((3, 4))
            .and_then(|t| t.flatten_all()?.to_vec1::<f32>());
        let means = means.unwrap();
        let (low, high) = means
            .iter()
            .fold((1f32, 0f32), |(l, h), &m| (l.min(m), h.max(m)));
        // From none to its strength, by the place.
        assert!(
            low < 0.402 && high > 0.4 + 0.2 * haze.strength as f32,
            "{low} {high}"
        );
        let values: Vec<f32> = hazed.flatten_all().unwrap().to_vec1().unwrap();
        assert!(
            values
                .iter()
                .all(|v| *v >= 0.4 && *v <= 0.4 + BRIGHTEST as f32 + 1e-6)
        );
        // A beat later it is the same again.
        let beat = fps * 60.0 / haze.beats_a_minute;
        let at = |t: f64| {
            let (i, part) = (t.floor() as usize, (t.fract()) as f32);
            means[i] * (1.0 - part) + means[i + 1] * part
        };
        for i in 0..5 {
            let (first, next) = (at(f64::from(i)), at(f64::from(i) + beat));
            assert!((first - next).abs() < 0.005, "{first} {next}");
        }
        let white = haze.over(&gray.ones_like().unwrap(), fps).unwrap();
        let most = white.flatten_all().unwrap().max(0).unwrap();
        assert_eq!(most.to_scalar::<f32>().unwrap(), 1.0);
    }
}
