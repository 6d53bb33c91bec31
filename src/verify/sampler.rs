use super::compare::{Rows, Tolerance};
use super::numbers::{compare_schedule, levels_of};
use super::{Fixture, Outcome, Tensors, named, text};
use crate::checkpoint::{LoadedCascade, open_cascade};
use crate::edm::cascade::{Plan, hand_off};
use crate::edm::denoiser::{Conditions, Denoiser};
use crate::edm::sample::sample;
use crate::edm::{CascadeConfig, Draw, Noise, Replayed, StageConfig};
use crate::nn::threshold::dynamic_threshold;
use crate::nn::{Backend, Interrupt};
use candle_core::{Device, Tensor};
use serde_json::Value;
use std::collections::HashMap;

/// Tolerance of a stage's output in 0..1, run freely.
const FREE: Tolerance = Tolerance::Absolute(2e-3);

/// Family `sampler`: a cascade from a checkpoint, with recorded noise, step by step and free.
pub fn replay(
    fixture: &Fixture,
    all: &[Fixture],
    backend: &Backend,
    rows: &mut Rows,
) -> Outcome<()> {
    let stored = fixture.tensors()?;
    let noise_tensors = match fixture.manifest["noise_from"].as_str() {
        Some(name) => named(all, name)?.tensors()?,
        None => fixture.tensors()?,
    };
    let folder = fixture
        .field("checkpoint")?
        .as_str()
        .ok_or("`checkpoint` is not a name")?;
    let loaded = open_cascade(&fixture.folder().join(folder), backend).map_err(text)?;
    let config = configuration(fixture, &loaded)?;
    let noise = recorded_noise(&noise_tensors, &config)?;
    let replayer = Replayer {
        stored: &stored,
        loaded: &loaded,
        config: &config,
        noise: &noise,
        interrupt: Interrupt::new(),
        device: &backend.device,
    };
    let mut previous: Option<Tensor> = None;
    for i in 0..config.stages.len() {
        replayer.steps(i, rows)?;
        previous = Some(replayer.free(i, previous.as_ref(), rows)?);
    }
    Ok(())
}

/// The checkpoint's configuration with everything that the manifest says.
fn configuration(fixture: &Fixture, loaded: &LoadedCascade) -> Outcome<CascadeConfig> {
    let mut config = loaded.cascade.config.clone();
    let m = &fixture.manifest;
    let stages = fixture
        .field("stages")?
        .as_array()
        .ok_or("`stages` is not a list")?;
    if stages.len() > config.stages.len() {
        return Err(format!(
            "it has {} stages, its checkpoint {}",
            stages.len(),
            config.stages.len()
        ));
    }
    config.stages.truncate(stages.len());
    for (i, (stage, about)) in config.stages.iter_mut().zip(stages).enumerate() {
        let count = |key: &str, own: usize| about[key].as_u64().map_or(own, |n| n as usize);
        stage.levels = levels_of(&about["hparams"])?;
        stage.frames = count("frames", stage.frames);
        stage.size = count("size", stage.size);
        let scale = match fixture.field("cond_scale")? {
            Value::Array(list) => list.get(i).and_then(Value::as_f64),
            one => one.as_f64(),
        };
        stage.cond_scale = scale.ok_or("`cond_scale` is not a number a stage")?;
    }
    if let Some(mode) = m["resize_mode"].as_str() {
        config.resize_mode = serde_json::from_value(mode.into()).map_err(text)?;
    }
    if let Some(level) = m["lowres_sample_noise_level"].as_f64() {
        config.lowres_sample_noise_level = level;
    }
    match m["dynamic_thresholding"].as_bool() {
        Some(true) => config.dynamic_threshold = config.dynamic_threshold.or(Some(0.95)),
        Some(false) => config.dynamic_threshold = None,
        None => {}
    }
    Ok(config)
}

fn recorded_noise(tensors: &Tensors, config: &CascadeConfig) -> Outcome<Replayed> {
    let mut noise = HashMap::new();
    for (i, stage) in config.stages.iter().enumerate() {
        let get = |name: &str| tensors.find(&format!("s{}.{name}", i + 1));
        let initial =
            get("init_noise")?.ok_or_else(|| format!("`s{}.init_noise` is missing", i + 1))?;
        noise.insert(Draw::Initial { stage: i }, initial);
        if let Some(t) = get("lowres_noise")? {
            noise.insert(Draw::Lowres { stage: i }, t);
        }
        if let Some(t) = get("churn_noise")? {
            for step in 0..stage.levels.steps.min(t.dim(0).map_err(text)?) {
                noise.insert(Draw::Churn { stage: i, step }, t.get(step).map_err(text)?);
            }
        }
    }
    Ok(Replayed(noise))
}

struct Replayer<'a> {
    stored: &'a Tensors,
    loaded: &'a LoadedCascade,
    config: &'a CascadeConfig,
    noise: &'a Replayed,
    interrupt: Interrupt,
    device: &'a Device,
}

impl Replayer<'_> {
    fn stage(&self, i: usize) -> &StageConfig {
        &self.config.stages[i]
    }

    fn find(&self, i: usize, name: &str) -> Outcome<Option<Tensor>> {
        self.stored
            .find(&format!("s{}.{name}", i + 1))?
            .map(|t| t.to_device(self.device))
            .transpose()
            .map_err(text)
    }

    fn conditions(&self, lowres: Option<Tensor>) -> Outcome<Conditions> {
        let to_device = |t: Tensor| t.to_device(self.device).map_err(text);
        let level = self.config.lowres_sample_noise_level;
        Ok(Conditions {
            ef: to_device(self.stored.get("in.text_embeds")?)?,
            cond_image: self
                .stored
                .find("in.cond_images")?
                .map(to_device)
                .transpose()?,
            lowres: lowres.map(|t| (t, level)),
        })
    }

    /// Each step from the stored state before it.
    fn steps(&self, i: usize, rows: &mut Rows) -> Outcome<()> {
        let stage = self.stage(i);
        let schedule = stage.schedule();
        let prefix = format!("s{}", i + 1);
        compare_schedule(self.stored, &prefix, &schedule, rows)?;
        if let Some(stored) = self.find(i, "sigma_hat")? {
            let computed: Vec<f64> = (0..schedule.steps())
                .map(|s| schedule.sigma_hat(s))
                .collect();
            let stored: Vec<f32> = stored.to_vec1().map_err(text)?;
            let stored: Vec<f64> = stored.into_iter().map(f64::from).collect();
            rows.values(
                &format!("{prefix}.sigma_hat"),
                &computed,
                &stored,
                Tolerance::Schedule,
            );
        }
        let conditions = self.conditions(self.find(i, "lowres_cond_img")?)?;
        let denoiser = Denoiser::new(
            &self.loaded.cascade.stages[i].unet,
            stage,
            &conditions,
            self.config.dynamic_threshold,
            &self.interrupt,
            true,
        );
        let x_next = self
            .find(i, "x_next")?
            .ok_or_else(|| format!("`{prefix}.x_next` is missing"))?;
        let initial = self.noise.0[&Draw::Initial { stage: i }].to_device(self.device);
        let initial = (initial.map_err(text)? * f64::from(schedule.sigmas[0])).map_err(text)?;
        let (mut states, mut hats, mut first, mut second) = (vec![], vec![], vec![], vec![]);
        let mut quantiles = Vec::new();
        for step in 0..schedule.steps() {
            let before = match step {
                0 => initial.clone(),
                _ => x_next.get(step - 1).map_err(text)?,
            };
            let mut epsilon = |_| {
                let draw = Draw::Churn { stage: i, step };
                self.noise.draw(draw, before.shape(), self.device)
            };
            let mut estimates = Vec::with_capacity(2);
            let mut denoise = |x: &Tensor, sigma: f32| {
                if estimates.is_empty() {
                    hats.push(x.clone());
                }
                let d = denoiser.unthresholded(x, sigma)?;
                let d = match self.config.dynamic_threshold {
                    Some(percentile) => {
                        let (d, q) = dynamic_threshold(&d, percentile)?;
                        quantiles.push(q);
                        d
                    }
                    None => d.clamp(-1f32, 1f32)?,
                };
                estimates.push(d.clone());
                Ok(d)
            };
            let alone = schedule.step(step);
            let next = sample(&alone, before.clone(), &mut epsilon, &mut denoise);
            states.push(next.map_err(text)?);
            let mut estimates = estimates.into_iter();
            first.extend(estimates.next());
            second.extend(estimates);
        }
        self.stacked(i, "x_hat", &hats, rows)?;
        self.stacked(i, "denoised", &first, rows)?;
        self.stacked(i, "denoised2", &second, rows)?;
        self.stacked(i, "threshold_quantile", &quantiles, rows)?;
        self.stacked(i, "x_next", &states, rows)
    }

    fn stacked(&self, i: usize, name: &str, computed: &[Tensor], rows: &mut Rows) -> Outcome<()> {
        match self.stored.find(&format!("s{}.{name}", i + 1))? {
            Some(stored) => rows.stacked(
                &format!("s{}.{name}", i + 1),
                computed,
                &stored,
                Tolerance::Network,
            ),
            None => Ok(()),
        }
    }

    /// The stage run freely, from the computed stage before it and from the stored one. Returns
    /// the former.
    fn free(&self, i: usize, previous: Option<&Tensor>, rows: &mut Rows) -> Outcome<Tensor> {
        let name = format!("s{}.out", i + 1);
        let stored = self.stored.get(&name)?;
        let lowres = match previous {
            Some(video) => {
                let noise = self.noise.0.get(&Draw::Lowres { stage: i });
                let noise = noise.ok_or_else(|| format!("`s{}.lowres_noise` is missing", i + 1))?;
                let noise = noise.to_device(self.device).map_err(text)?;
                Some(hand_off(video, self.config, self.stage(i), &noise).map_err(text)?)
            }
            None => None,
        };
        let stored_lowres = self.find(i, "lowres_cond_img")?;
        if let (Some(computed), Some(stored)) = (&lowres, &stored_lowres) {
            rows.tensors(
                &format!("s{}.lowres_cond_img", i + 1),
                computed,
                stored,
                FREE,
            )?;
        }
        let out = self.run(i, lowres)?;
        rows.tensors(&format!("{name}, free"), &out, &stored, FREE)?;
        if i > 0 && stored_lowres.is_some() {
            let from_stored = self.run(i, stored_lowres)?;
            rows.tensors(
                &format!("{name}, from the stored stage before"),
                &from_stored,
                &stored,
                FREE,
            )?;
        }
        Ok(out)
    }

    fn run(&self, i: usize, lowres: Option<Tensor>) -> Outcome<Tensor> {
        let conditions = self.conditions(lowres)?;
        let plan = Plan {
            config: self.config,
            ef_percent: &[],
            anatomy: &conditions.ef,
            noise: self.noise,
            interrupt: &self.interrupt,
            memory: usize::MAX,
            openings: None,
            carry: None,
            sharpen: false,
        };
        self.loaded
            .cascade
            .run_stage(&plan, i, &conditions, 0, &mut |_| {})
            .map_err(text)
    }
}
