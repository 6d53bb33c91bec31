//! One request, from anatomy to measured cine. The window's worker and the commands both call this.

use super::cost::{Pace, pass_flops, run_flops};
use super::job::{Candidate, Generated, Provenance, Request};
use super::models::Models;
use super::present::{Cine, Presenter};
use crate::clip::FrameRate;
use crate::edm::cascade::pass_bytes;
use crate::edm::{CascadeConfig, Plan, Preset, Seed, Seeded};
use crate::ef::EfPercent;
use crate::hash::sha256;
use crate::measure::{TimeBase, measure};
use crate::motion::Beating;
use crate::nn::Interrupt;
use crate::outline::Beat;
use crate::provenance::{Leaflets, SCHEMA, StageSampling};
use candle_core::{Error, Result, Tensor};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where a run is. Sent after every evaluation.
pub struct Report<'a> {
    /// Of a best of N, from 0.
    pub candidate: usize,
    pub candidates: usize,
    pub stage: usize,
    pub stages: usize,
    pub step: usize,
    pub steps: usize,
    pub evaluations: usize,
    pub total_evaluations: usize,
    /// Share of the whole work that is done, 0..1.
    pub fraction: f64,
    pub seconds_left: f64,
    /// The current denoised estimate, `[b, c, f, h, w]` ([`crate::edm::Output`]).
    pub denoised: &'a Tensor,
    pub(super) presenter: &'a Presenter<'a>,
    /// It was made for the eye alone, by the second stage from the first one's first estimate.
    pub sharpened: bool,
}

impl Report<'_> {
    /// What the estimate shows, one clip for each of the batch.
    ///
    /// # Errors
    /// When the device fails.
    pub fn shown(&self) -> Result<Vec<Arc<Cine>>> {
        let stage = if self.sharpened { 1 } else { self.stage };
        self.presenter.estimates(stage, self.denoised)
    }
}

/// The configuration as a request runs it.
pub(super) fn configuration(models: &Models, request: &Request) -> CascadeConfig {
    let mut config = request.preset.apply(&models.cascade.cascade.config);
    if let Some(guidance) = request.guidance {
        for stage in &mut config.stages {
            if stage.cond_scale != 1.0 {
                stage.cond_scale = guidance;
            }
        }
    }
    config
}

/// Floating-point operations of one cine of a request.
pub fn cost_of(models: &Models, request: &Request) -> f64 {
    run_flops(&configuration(models, request))
}

/// Makes and measures a cine. Of a best of N, keeps the one that measures closest to the request.
///
/// # Errors
/// When the device fails or when interrupted.
pub fn generate(
    models: &Models,
    request: &Request,
    pace: &mut Pace,
    interrupt: &Interrupt,
    report: &mut dyn FnMut(&Report),
) -> Result<Generated> {
    let config = configuration(models, request);
    let how = Sampling {
        config: &config,
        sharpen: false,
        followed: true,
    };
    generate_as(models, request, how, pace, interrupt, report)
}

/// How a request is sampled.
#[derive(Clone, Copy)]
pub struct Sampling<'a> {
    /// The cascade's own configuration but for how it is sampled.
    pub config: &'a CascadeConfig,
    /// Whether the first estimate is sharpened for the eye ([`Plan::sharpen`]).
    pub sharpen: bool,
    /// Whether the same anatomy and noise are likely to be asked for again at another EF, as while a slider
    /// is dragged: then what all EFs have in common is kept ([`Plan::openings`]).
    pub followed: bool,
}

/// As [`generate`], sampled as is said.
///
/// # Errors
/// As [`generate`].
pub fn generate_as(
    models: &Models,
    request: &Request,
    how: Sampling,
    pace: &mut Pace,
    interrupt: &Interrupt,
    report: &mut dyn FnMut(&Report),
) -> Result<Generated> {
    let (start, config) = (Instant::now(), how.config);
    let candidates = request.best_of.max(1);
    let mut tried = Vec::with_capacity(candidates);
    let mut best: Option<(f64, u64, Cine)> = None;
    let (rate, time) = time_base(config)?;
    for i in 0..candidates {
        let seed = request.seed.0.wrapping_add(i as u64);
        let efs = [conditioning(request).get()];
        let mut run = Run {
            models,
            request,
            config,
            sharpen: how.sharpen && i == 0,
            followed: how.followed,
            before: i,
            total: candidates,
            pace,
            interrupt,
            report,
        };
        let cines = run.cines(&efs, Seed(seed), i)?;
        let cine = cines.into_iter().next().ok_or_else(nothing)?;
        let measured = measure(&models.regressor, &cine.video, time, interrupt)?;
        let measured = measured.measured_ef_percent;
        tried.push(Candidate {
            seed,
            measured_ef_percent: measured,
        });
        let error = |m: f64| (m - request.ef.get()).abs();
        if best
            .as_ref()
            .is_none_or(|(m, _, _)| error(measured) < error(*m))
        {
            best = Some((measured, seed, cine));
        }
    }
    let (measured, seed, cine) = best.ok_or_else(nothing)?;
    let made = Made {
        cine,
        measured,
        seed,
        tried,
        seconds: start.elapsed().as_secs_f64(),
    };
    Ok(made.described(models, request, config, rate))
}

/// What the networks are conditioned on.
fn conditioning(request: &Request) -> EfPercent {
    request.conditioning().unwrap_or(request.ef)
}

fn nothing() -> Error {
    Error::Msg("nothing was generated".into())
}

/// The same request at several EFs: one seed, one batch as far as memory allows.
///
/// # Errors
/// When the device fails or when interrupted.
pub fn ladder(
    models: &Models,
    request: &Request,
    efs: &[EfPercent],
    pace: &mut Pace,
    interrupt: &Interrupt,
    report: &mut dyn FnMut(&Report),
) -> Result<Vec<Generated>> {
    let config = configuration(models, request);
    let (rate, time) = time_base(&config)?;
    let memory = models.device.pass_memory();
    let backend = models.device.backend();
    let bytes = |s, b| pass_bytes(s, b, &backend);
    let fits = |b: &usize| config.stages.iter().all(|s| bytes(s, *b) <= memory);
    let batch = (1..=efs.len().max(1)).rev().find(fits).unwrap_or(1);
    let mut rungs = Vec::with_capacity(efs.len());
    for efs_of_batch in efs.chunks(batch) {
        let start = Instant::now();
        let rung = |&ef: &EfPercent| Request {
            ef,
            best_of: 1,
            ..request.clone()
        };
        let rungs_of_batch: Vec<Request> = efs_of_batch.iter().map(rung).collect();
        let percents: Vec<f64> = (rungs_of_batch.iter())
            .map(|rung| conditioning(rung).get())
            .collect();
        let mut run = Run {
            models,
            request,
            config: &config,
            sharpen: false,
            // Of several at once it would take as many times the memory.
            followed: efs_of_batch.len() == 1,
            before: rungs.len(),
            total: efs.len(),
            pace,
            interrupt,
            report,
        };
        let cines = run.cines(&percents, request.seed, 0)?;
        let seconds = start.elapsed().as_secs_f64() / efs_of_batch.len() as f64;
        for (cine, request) in cines.into_iter().zip(&rungs_of_batch) {
            let measured = measure(&models.regressor, &cine.video, time, interrupt)?;
            let made = Made {
                cine,
                measured: measured.measured_ef_percent,
                seed: request.seed.0,
                tried: vec![Candidate {
                    seed: request.seed.0,
                    measured_ef_percent: measured.measured_ef_percent,
                }],
                seconds,
            };
            rungs.push(made.described(models, request, &config, rate));
        }
    }
    Ok(rungs)
}

/// What came out, before it is described.
struct Made {
    cine: Cine,
    measured: f64,
    seed: u64,
    tried: Vec<Candidate>,
    seconds: f64,
}

impl Made {
    fn described(
        self,
        models: &Models,
        request: &Request,
        config: &CascadeConfig,
        rate: FrameRate,
    ) -> Generated {
        let (cascade, regressor) = (&models.cascade.identity, &models.regressor.identity);
        let evaluations: usize = config.stages.iter().map(|s| s.evaluations()).sum();
        let beat = self.cine.beating.as_ref().and_then(|b| b.beat());
        Generated {
            rate,
            beat_normalised: config.beat_normalised,
            provenance: Provenance {
                schema: SCHEMA,
                requested_ef_percent: request.ef.get(),
                conditioning_ef_percent: request.conditioning().map(EfPercent::get),
                measured_ef_percent: self.measured,
                outline_ef_percent: beat.map(|b| b.ef_percent),
                volumes: beat.map(relative_volumes),
                ed_frame: beat.map(|b| b.ed_frame),
                es_frame: beat.map(|b| b.es_frame),
                leaflets: self.cine.beating.as_ref().map(|b| leaflets(request, b)),
                outline: request.outline.as_deref().cloned(),
                regressor: regressor.in_files(),
                regressor_sha256: regressor.sha256.clone(),
                seed: self.seed,
                preset: request.preset,
                stages: (config.stages.iter())
                    .map(|stage| StageSampling::of(stage, models.device.arithmetic))
                    .collect(),
                guidance: config.stages.iter().map(|s| s.cond_scale).collect(),
                guidance_asked: request.guidance,
                cascade: cascade.in_files(),
                cascade_sha256: cascade.sha256.clone(),
                device: models.device.name.clone(),
                evaluations: self.tried.len() * evaluations,
                seconds: self.seconds,
                best_of: self.tried.len(),
                candidates: self.tried,
                anatomy_sha256: request.anatomy.sha256.clone(),
                pixels_sha256: sha256(&self.cine.video.gray_bytes()),
                looks_like_four_chamber: request.anatomy.view.is_like_training(),
                echoif_version: env!("CARGO_PKG_VERSION").into(),
            },
            cine: Arc::new(self.cine),
        }
    }
}

fn leaflets(request: &Request, beating: &Beating) -> Leaflets {
    match (
        request.leaflets && request.preset != Preset::Preview,
        beating.opens_valve(),
    ) {
        (false, _) => Leaflets::Off,
        (true, true) => Leaflets::Opened,
        (true, false) => Leaflets::NoneSeen,
    }
}

/// Each frame's volume as a share of the greatest.
fn relative_volumes(beat: &Beat) -> Vec<f64> {
    let greatest = beat
        .volumes
        .iter()
        .copied()
        .fold(f64::MIN_POSITIVE, f64::max);
    beat.volumes.iter().map(|v| v / greatest).collect()
}

/// Playback rate of what the last planned stage makes, and its time base for the regressor.
fn time_base(config: &CascadeConfig) -> Result<(FrameRate, TimeBase)> {
    let none = || Error::Msg("the cascade makes no frames".into());
    let last = config.stages.last().ok_or_else(none)?;
    let first = config.stages.iter().map(|s| s.frames).max().unwrap_or(1);
    // A cascade that is stopped early has fewer frames over the same time.
    let rate = config.fps * last.frames as f64 / first.max(1) as f64;
    let rate = FrameRate::new(rate).ok_or_else(none)?;
    let time = if config.beat_normalised {
        TimeBase::Beat
    } else {
        TimeBase::Rate(rate)
    };
    Ok((rate, time))
}

/// One batch through the cascade, with what it needs and whom it tells.
struct Run<'a> {
    models: &'a Models,
    request: &'a Request,
    config: &'a CascadeConfig,
    /// Whether the first estimate is to be sharpened for the eye.
    sharpen: bool,
    followed: bool,
    /// Cines made before this batch, and of the whole request.
    before: usize,
    total: usize,
    pace: &'a mut Pace,
    interrupt: &'a Interrupt,
    report: &'a mut dyn FnMut(&Report),
}

impl Run<'_> {
    fn cines(&mut self, efs: &[f64], seed: Seed, candidate: usize) -> Result<Vec<Cine>> {
        let config = self.config;
        let candidates = self.request.best_of.max(1);
        let total = run_flops(config) * self.total as f64;
        let total_evaluations: usize = config.stages.iter().map(|s| s.evaluations()).sum();
        let mut done = run_flops(config) * self.before as f64;
        let mut last = Instant::now();
        let anatomy = self.request.anatomy.tensor(config.channels())?;
        let key = format!("{} {}", self.request.anatomy.sha256, seed.0);
        let presenter = Presenter {
            models: self.models,
            request: self.request,
            config,
            efs,
        };
        let carry = |motion: &Tensor| presenter.carry(motion);
        let plan = Plan {
            config,
            ef_percent: efs,
            anatomy: &anatomy,
            noise: &Seeded(seed),
            interrupt: self.interrupt,
            memory: self.models.device.pass_memory(),
            openings: self.followed.then_some((&self.models.openings, key)),
            carry: Some(&carry),
            sharpen: self.sharpen,
        };
        let (pace, report) = (&mut *self.pace, &mut *self.report);
        let mut hear = |p: &crate::edm::Progress| {
            let stage = &config.stages[p.stage];
            // What is made for the eye alone is not of the work that was counted.
            if !p.sharpened {
                let work = p.passes as f64 * pass_flops(stage) * efs.len() as f64;
                done += work;
                pace.learn(work, last.elapsed().as_secs_f64());
            }
            last = Instant::now();
            report(&Report {
                candidate,
                candidates,
                stage: p.stage,
                stages: p.stages,
                step: p.step,
                steps: p.steps,
                evaluations: candidate * total_evaluations + p.evaluations,
                total_evaluations: candidates * total_evaluations,
                fraction: done / total,
                seconds_left: pace.seconds(total - done),
                denoised: p.denoised,
                presenter: &presenter,
                sharpened: p.sharpened,
            });
        };
        let made = self.models.cascade.cascade.run(&plan, &mut hear)?;
        presenter.finished(&made)
    }
}

/// Shortest time between two previews; copying from a GPU costs a little.
pub(super) const PREVIEW_EVERY: Duration = Duration::from_millis(60);
