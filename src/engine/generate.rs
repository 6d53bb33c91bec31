//! One request, from anatomy to measured cine. The window's worker and the commands both call this.

use super::cost::{Pace, pass_flops, run_flops};
use super::job::{Candidate, Generated, Provenance, Request};
use super::models::Models;
use crate::clip::{FrameRate, Video};
use crate::edm::{CascadeConfig, Plan, Seed, Seeded};
use crate::measure::{TimeBase, measure};
use crate::media::region::SIDE;
use crate::nn::{Interrupt, ResizeMode, resize};
use candle_core::{Error, Result, Tensor};
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
    /// The current denoised estimate, `[1, c, f, h, w]` in -1..1.
    pub denoised: &'a Tensor,
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
    let start = Instant::now();
    let config = configuration(models, request);
    let candidates = request.best_of.max(1);
    let mut tried = Vec::with_capacity(candidates);
    let mut best: Option<(f64, u64, Video)> = None;
    let (rate, time) = time_base(&config)?;
    for i in 0..candidates {
        let seed = request.seed.0.wrapping_add(i as u64);
        let video = one(
            models,
            request,
            &config,
            Seed(seed),
            i,
            pace,
            interrupt,
            report,
        )?;
        let measured = measure(&models.regressor, &video, time, interrupt)?.measured_ef_percent;
        tried.push(Candidate {
            seed,
            measured_ef_percent: measured,
        });
        let error = |m: f64| (m - request.ef.get()).abs();
        if best
            .as_ref()
            .is_none_or(|(m, _, _)| error(measured) < error(*m))
        {
            best = Some((measured, seed, video));
        }
    }
    let (measured, seed, video) = best.ok_or_else(|| Error::Msg("nothing was generated".into()))?;
    let (cascade, regressor) = (&models.cascade.identity, &models.regressor.identity);
    let evaluations: usize = config.stages.iter().map(|s| s.evaluations()).sum();
    let pixels_sha256 = video.sha256();
    Ok(Generated {
        video,
        rate,
        beat_normalised: config.beat_normalised,
        provenance: Provenance {
            requested_ef_percent: request.ef.get(),
            measured_ef_percent: measured,
            regressor: regressor.name.clone(),
            regressor_sha256: regressor.sha256.clone(),
            seed,
            preset: request.preset,
            guidance: config.stages.iter().map(|s| s.cond_scale).collect(),
            guidance_asked: request.guidance,
            cascade: cascade.name.clone(),
            cascade_sha256: cascade.sha256.clone(),
            device: models.device.name.clone(),
            evaluations: candidates * evaluations,
            seconds: start.elapsed().as_secs_f64(),
            best_of: candidates,
            candidates: tried,
            anatomy_sha256: request.anatomy.sha256.clone(),
            pixels_sha256,
            looks_like_four_chamber: request.anatomy.view.is_like_training(),
            echoif_version: env!("CARGO_PKG_VERSION").into(),
        },
    })
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

#[allow(clippy::too_many_arguments)] // one run's whole context, from one caller
fn one(
    models: &Models,
    request: &Request,
    config: &CascadeConfig,
    seed: Seed,
    candidate: usize,
    pace: &mut Pace,
    interrupt: &Interrupt,
    report: &mut dyn FnMut(&Report),
) -> Result<Video> {
    let candidates = request.best_of.max(1);
    let total = run_flops(config) * candidates as f64;
    let total_evaluations: usize = config.stages.iter().map(|s| s.evaluations()).sum();
    let before = run_flops(config) * candidate as f64;
    let mut done = before;
    let mut last = Instant::now();
    let anatomy = request.anatomy.tensor(config.channels())?;
    let plan = Plan {
        config,
        ef_percent: &[request.ef.get()],
        anatomy: &anatomy,
        noise: &Seeded(seed),
        interrupt,
        memory: super::available_memory() / 4,
    };
    let mut hear = |p: &crate::edm::Progress| {
        let stage = &config.stages[p.stage];
        let passes = if stage.cond_scale == 1.0 { 1.0 } else { 2.0 };
        let work = passes * pass_flops(stage);
        done += work;
        pace.learn(work, last.elapsed().as_secs_f64());
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
        });
    };
    let video = models.cascade.cascade.run(&plan, &mut hear)?;
    to_video(&video)
}

/// `[1, c, f, h, w]` in 0..1 to a clip of the anatomy's size.
fn to_video(video: &Tensor) -> Result<Video> {
    let (_, _, f, h, w) = video.dims5()?;
    let video = if (h, w) == (SIDE, SIDE) {
        video.clone()
    } else {
        resize(video, ResizeMode::Trilinear, f, SIDE, SIDE)?
    };
    Video::from_tensor(&video.clamp(0f32, 1f32)?.get(0)?)
}

/// A denoised estimate as a clip to show, small as it is.
///
/// # Errors
/// When the device fails.
pub(super) fn preview(denoised: &Tensor) -> Result<Video> {
    Video::from_tensor(&crate::edm::cascade::to_unit(&denoised.get(0)?)?)
}

/// Shortest time between two previews; copying from a GPU costs a little.
pub(super) const PREVIEW_EVERY: Duration = Duration::from_millis(60);
