//! `echoif sweep`: what fewer evaluations cost, over solvers, steps and guidance.

use super::trial::Trial;
use super::wanted::Taken;
use crate::clip::Video;
use crate::edm::{Preset, Seed};
use crate::ef::EfPercent;
use crate::engine::{Models, Pace, Request, Sampling, generate_as};
use crate::hearts::{COUNT, simulated_heart};
use crate::media::region::{Anatomy, SIDE, Square};
use crate::metrics::Measures;
use crate::metrics::ssim;
use crate::nn::Interrupt;
use crate::statistics::bootstrap::grouped_mean;
use crate::statistics::mean;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    echoif sweep --frames *.png\n  \
    echoif sweep --try \"heun 4/2\" --try \"unipc 5/1 rho=5\" --try \"dpm 6/2 from=2\"\n\n\
    A trial is a solver (heun, dpm or unipc; for each stage with a slash), the steps of each stage, \
    and if need be `rho=` for the spacing of the noise levels and `from=` for the noise level below \
    which there is no guidance. `paper` is the checkpoint's own, which all are held against.")]
pub struct Args {
    #[command(flatten)]
    models: super::ModelArgs,
    /// Anatomies besides the three simulated hearts: DICOM, PNG, JPEG, or the first frame of a clip.
    #[arg(long, num_args = 1..)]
    frames: Vec<PathBuf>,
    /// Requested EFs, in percent.
    #[arg(long, value_delimiter = ',', default_values_t = [20.0, 40.0, 60.0, 75.0])]
    ef: Vec<f64>,
    /// Seeds of each anatomy and EF, from 0.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// What to try; a set of them without it.
    #[arg(long = "try", value_name = "TRIAL")]
    trials: Vec<Trial>,
    /// Steps of the long run that similarity is measured against; 0 for none.
    #[arg(long, default_value_t = 12, value_parser = crate::cli::count(0..=1000))]
    long: usize,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Tried when nothing else is named, of a cascade that takes few steps anyway.
const OF_FEW: [&str; 10] = [
    "dpm 7/3",
    "unipc 7/3",
    "dpm 5/2",
    "unipc 5/2",
    "dpm 5/2 rho=4",
    "dpm 5/2 from=1",
    "dpm 4/2",
    "dpm 3/2",
    "unipc 3/1",
    "dpm 3/1",
];

/// Of a cascade that takes many.
const OF_MANY: [&str; 8] = [
    "heun 18",
    "dpm 18",
    "unipc 18",
    "dpm 18 rho=5",
    "dpm 18 from=1",
    "dpm 12",
    "unipc 12",
    "dpm 6",
];

/// Of a motion cascade, whose own sampling is one evaluation.
const OF_MOTION: [&str; 5] = ["heun 1", "heun 2", "heun 3", "dpm 3", "unipc 3"];

/// Steps of a stage from which they are many.
const MANY: usize = 12;

#[derive(Serialize)]
struct Sweep {
    cascade: String,
    device: String,
    anatomies: usize,
    efs: Vec<f64>,
    seeds: u64,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    trial: String,
    evaluations: usize,
    passes: usize,
    median_seconds: f64,
    /// Mean of |measured - requested|, in points.
    ef_error: f64,
    /// By how much that is above the paper's, on the same anatomies, seeds and EFs, with the bounds
    /// of its 95 % confidence interval (bootstrap over anatomies).
    above_paper: [f64; 3],
    /// Of a motion cascade: mean of |outline - requested|, in points, and the mean of haze and detail, in
    /// gray levels.
    outline_error: Option<f64>,
    haze: Option<f64>,
    detail: Option<f64>,
    /// Whether measured EF rises with requested EF, as a share of neighbours.
    rises: f64,
    /// Mean SSIM to the long run with the same noise.
    ssim: Option<f64>,
}

/// One cine's outcome.
struct Made {
    anatomy: usize,
    requested: f64,
    measured: f64,
    seconds: f64,
    ssim: Option<f64>,
    /// Of a motion cascade.
    seen: Option<Measures>,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let models = args.models.open()?;
    let mut anatomies = Vec::new();
    for i in 0..COUNT {
        let heart = simulated_heart(i).map_err(anyhow::Error::msg)?;
        let square = Square::centred(SIDE, SIDE);
        anatomies.push(Arc::new(Anatomy::from_frame(&heart.frame, &square.into())?));
    }
    for path in &args.frames {
        anatomies.push(Arc::new(Taken::from(path)?.anatomy));
    }
    let efs: Result<Vec<_>, _> = args.ef.iter().map(|&ef| EfPercent::new(ef)).collect();
    let efs = efs.map_err(|why| anyhow::anyhow!("{why}."))?;
    let mut requests = Vec::new();
    for (i, anatomy) in anatomies.iter().enumerate() {
        for seed in 0..args.seeds {
            requests.extend(efs.iter().map(|&ef| {
                let request = Request {
                    preset: Preset::Paper,
                    seed: Seed(seed),
                    ..Request::new(anatomy.clone(), ef)
                };
                (i, request)
            }));
        }
    }
    let mut trials = vec![Trial::paper()];
    trials.extend(match args.trials.as_slice() {
        [] => usual(&models)
            .iter()
            .filter_map(|t| t.parse().ok())
            .collect(),
        given => given.to_vec(),
    });
    let long = match args.long {
        0 => None,
        steps => Some(all(&models, &Trial::long(steps), &requests, None)?.0),
    };
    let mut sweep = Sweep {
        cascade: models.cascade.identity.in_files(),
        device: models.device.name.clone(),
        anatomies: anatomies.len(),
        efs: args.ef.clone(),
        seeds: args.seeds,
        rows: Vec::new(),
    };
    let mut paper: Vec<Made> = Vec::new();
    for trial in &trials {
        let (_, made) = all(&models, trial, &requests, long.as_deref())?;
        let against = if paper.is_empty() { &made } else { &paper };
        sweep.rows.push(row(trial, &models, &made, against));
        if !args.json {
            eprintln!("{} of {} done", sweep.rows.len(), trials.len());
        }
        if paper.is_empty() {
            paper = made;
        }
    }
    if args.json {
        println!("{}", serde_json::to_string(&sweep)?);
    } else {
        table(&sweep);
    }
    Ok(())
}

fn usual(models: &Models) -> &'static [&'static str] {
    let config = models.info().config;
    if config.makes_motion() {
        return &OF_MOTION;
    }
    let stages = config.stages;
    match stages.iter().any(|s| s.levels.steps >= MANY) {
        true => &OF_MANY,
        false => &OF_FEW,
    }
}

/// Every request by one trial: the videos when there is nothing to compare with, and what was measured.
fn all(
    models: &Models,
    trial: &Trial,
    requests: &[(usize, Request)],
    long: Option<&[Video]>,
) -> anyhow::Result<(Vec<Video>, Vec<Made>)> {
    let config = trial.apply(&models.info().config);
    let how = Sampling {
        config: &config,
        sharpen: false,
        followed: true,
    };
    let mut pace = Pace::calibrate(&models.device.device)?;
    let (mut videos, mut all) = (Vec::new(), Vec::new());
    for (i, (anatomy, request)) in requests.iter().enumerate() {
        let go = Interrupt::new();
        let made = generate_as(models, request, how, &mut pace, &go, &mut |_| {})?;
        all.push(Made {
            anatomy: *anatomy,
            requested: request.ef.get(),
            measured: made.provenance.measured_ef_percent,
            seconds: made.provenance.seconds,
            ssim: long.and_then(|long| ssim(long.get(i)?, &made.cine.video)),
            seen: made.cine.beating.as_ref().map(|beating| {
                let frames = made.cine.video.gray_bytes();
                Measures::of(&frames, beating.motion(), &request.anatomy.gray_bytes())
            }),
        });
        if long.is_none() {
            videos.push(made.cine.video.clone());
        }
    }
    Ok((videos, all))
}

fn row(trial: &Trial, models: &Models, made: &[Made], paper: &[Made]) -> Row {
    let config = trial.apply(&models.info().config);
    let error = |m: &Made| (m.measured - m.requested).abs();
    let above: Vec<(usize, f64)> = made
        .iter()
        .zip(paper)
        .map(|(m, p)| (m.anatomy, error(m) - error(p)))
        .collect();
    let seen = |value: fn(&Made, &Measures) -> Option<f64>| {
        let values: Vec<f64> = made
            .iter()
            .filter_map(|m| value(m, m.seen.as_ref()?))
            .collect();
        (!values.is_empty()).then(|| mean(values.into_iter()))
    };
    let similar: Option<Vec<f64>> = made.iter().map(|m| m.ssim).collect();
    let mut seconds: Vec<f64> = made.iter().map(|m| m.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    // Requests of one anatomy and seed follow each other, in the order in which EFs were named.
    let neighbours: Vec<_> = made
        .windows(2)
        .filter(|w| w[0].anatomy == w[1].anatomy && w[0].requested < w[1].requested)
        .collect();
    let rising = neighbours.iter().filter(|w| w[0].measured < w[1].measured);
    Row {
        trial: trial.to_string(),
        evaluations: config.stages.iter().map(|s| s.evaluations()).sum(),
        passes: config.stages.iter().map(|s| s.passes()).sum(),
        median_seconds: seconds.get(seconds.len() / 2).copied().unwrap_or_default(),
        ef_error: mean(made.iter().map(error)),
        above_paper: grouped_mean(&above),
        outline_error: seen(|m, seen| Some((seen.outline - m.requested).abs())),
        haze: seen(|_, seen| seen.haze),
        detail: seen(|_, seen| seen.detail),
        rises: rising.count() as f64 / neighbours.len().max(1) as f64,
        ssim: similar.map(|s| mean(s.into_iter())),
    }
}

fn table(sweep: &Sweep) {
    println!(
        "{} on {}: {} anatomies, EF {:?}, {} seeds\n",
        sweep.cascade, sweep.device, sweep.anatomies, sweep.efs, sweep.seeds
    );
    println!(
        "| trial | evaluations | passes | s | EF error | above paper's (95 %) | outline error | haze | detail | rises | SSIM to long |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for r in &sweep.rows {
        let [above, low, high] = r.above_paper;
        let ssim = r.ssim.map_or("-".into(), |s| format!("{s:.3}"));
        let seen = [r.outline_error, r.haze, r.detail]
            .map(|v| v.map_or("-".into(), |v| format!("{v:.2}")))
            .join(" | ");
        println!(
            "| {} | {} | {} | {:.2} | {:.2} | {above:+.2} ({low:+.2} to {high:+.2}) | {seen} | {:.2} | {ssim} |",
            r.trial, r.evaluations, r.passes, r.median_seconds, r.ef_error, r.rises
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_trials_can_be_read() {
        for trial in OF_FEW.into_iter().chain(OF_MANY).chain(OF_MOTION) {
            let read: Trial = trial.parse().unwrap();
            assert_eq!(read.to_string(), trial);
        }
    }
}
