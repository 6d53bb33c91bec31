//! `echoif bench`: how fast the networks are on this machine.

use crate::clip::Video;
use crate::edm::{Preset, Seed};
use crate::ef::EfPercent;
use crate::engine::{Models, Pace, Report, Request, cost_of, generate};
use crate::hearts::simulated_heart;
use crate::measure::{TimeBase, measure};
use crate::media::region::{Anatomy, SIDE, Square};
use crate::nn::Interrupt;
use crate::nn::profile::profile;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

#[derive(clap::Args)]
#[command(after_help = "Example: echoif bench --device cpu --repeat 5")]
pub struct Args {
    #[command(flatten)]
    models: super::ModelArgs,
    /// Runs of each preset, of which the median is told.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    repeat: u16,
    /// Presets that would take longer than this many seconds are left out, and said to be.
    #[arg(long, default_value_t = 60.0)]
    longest: f64,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Bench {
    device: String,
    cascade: String,
    /// One denoising step of each stage of the cascade: with guidance both branches.
    evaluations: Vec<Evaluation>,
    /// Where one run of the quickest preset spends its time, longest first.
    operations: Vec<Operation>,
    presets: Vec<PresetTime>,
    regressor_seconds: f64,
    /// Of the whole process, weights and all; Linux only.
    peak_memory_mb: Option<u64>,
}

#[derive(Serialize)]
struct Evaluation {
    stage: usize,
    guided: bool,
    median_seconds: f64,
    measured: usize,
}

#[derive(Serialize)]
struct Operation {
    kind: &'static str,
    calls: usize,
    seconds: f64,
    share: f64,
}

#[derive(Serialize)]
struct PresetTime {
    preset: Preset,
    evaluations: usize,
    /// With the measurement of the EF. Nothing when it was left out as too long.
    median_seconds: Option<f64>,
    first_preview_seconds: Option<f64>,
    expected_seconds: f64,
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// One run: its seconds, those until the first report, and those of each evaluation by stage.
struct Run {
    seconds: f64,
    first: Option<f64>,
    evaluations: Vec<(usize, f64)>,
    video: Video,
}

fn run_once(models: &Models, request: &Request, pace: &mut Pace) -> anyhow::Result<Run> {
    let start = Instant::now();
    let mut last = start;
    let mut evaluations = Vec::new();
    let mut first = None;
    let device = models.device.device.clone();
    let mut hear = |r: &Report| {
        // A failing device fails the run.
        let _ = device.synchronize();
        let now = Instant::now();
        first.get_or_insert(now.duration_since(start).as_secs_f64());
        evaluations.push((r.stage, now.duration_since(last).as_secs_f64()));
        last = now;
    };
    let made = generate(models, request, pace, &Interrupt::new(), &mut hear)?;
    Ok(Run {
        seconds: start.elapsed().as_secs_f64(),
        first,
        evaluations,
        video: made.video,
    })
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let models = args.models.open()?;
    let heart = simulated_heart(0).map_err(anyhow::Error::msg)?;
    let square = Square::centred(SIDE, SIDE);
    let anatomy = Arc::new(Anatomy::from_frame(&heart.frame, &square.into())?);
    let mut pace = Pace::calibrate(&models.device.device)?;
    let request = |preset| {
        Ok::<_, anyhow::Error>(Request {
            anatomy: anatomy.clone(),
            ef: EfPercent::new(30.0).map_err(anyhow::Error::msg)?,
            preset,
            seed: Seed(0),
            best_of: 1,
            guidance: None,
        })
    };
    let mut by_stage: Vec<Vec<f64>> = vec![Vec::new(); models.info().config.stages.len()];
    let mut presets = Vec::new();
    let mut quickest: Option<(Request, Video)> = None;
    for preset in Preset::ALL {
        let request = request(preset)?;
        let config = preset.apply(&models.info().config);
        let expected = pace.seconds(cost_of(&models, &request));
        let mut time = PresetTime {
            preset,
            evaluations: config.stages.iter().map(|s| s.evaluations()).sum(),
            median_seconds: None,
            first_preview_seconds: None,
            expected_seconds: expected,
        };
        if expected <= args.longest {
            // Once for the caches and the threads.
            run_once(&models, &request, &mut pace)?;
            let mut runs = Vec::new();
            for _ in 0..args.repeat {
                runs.push(run_once(&models, &request, &mut pace)?);
            }
            time.median_seconds = median(runs.iter().map(|r| r.seconds).collect());
            time.first_preview_seconds = median(runs.iter().filter_map(|r| r.first).collect());
            for (stage, seconds) in runs.iter().flat_map(|r| &r.evaluations) {
                by_stage[*stage].push(*seconds);
            }
            if let Some(run) = runs.pop() {
                quickest.get_or_insert((request, run.video));
            }
        }
        presets.push(time);
    }
    let mut bench = Bench {
        device: models.device.name.clone(),
        cascade: models.cascade.identity.name.clone(),
        evaluations: evaluations(&models, by_stage),
        operations: Vec::new(),
        presets,
        regressor_seconds: 0.0,
        peak_memory_mb: None,
    };
    if let Some((request, video)) = quickest {
        let (ran, spent) = profile(|| run_once(&models, &request, &mut pace));
        let whole = ran?.seconds;
        bench.operations = spent
            .into_iter()
            .map(|(kind, spent)| Operation {
                kind,
                calls: spent.calls,
                seconds: spent.time.as_secs_f64(),
                share: spent.time.as_secs_f64() / whole,
            })
            .collect();
        let known: f64 = bench.operations.iter().map(|o| o.seconds).sum();
        bench.operations.push(Operation {
            kind: "everything else",
            calls: 0,
            seconds: (whole - known).max(0.0),
            share: (1.0 - known / whole).max(0.0),
        });
        bench
            .operations
            .sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        let mut seconds = Vec::new();
        for _ in 0..=args.repeat {
            let start = Instant::now();
            measure(&models.regressor, &video, TimeBase::Beat, &Interrupt::new())?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        bench.regressor_seconds = median(seconds).unwrap_or(0.0);
    }
    bench.peak_memory_mb = peak_memory_mb();
    if args.json {
        println!("{}", serde_json::to_string(&bench)?);
    } else {
        table(&bench);
    }
    Ok(())
}

fn evaluations(models: &Models, by_stage: Vec<Vec<f64>>) -> Vec<Evaluation> {
    let stages = models.info().config.stages;
    let of = |(stage, seconds): (usize, Vec<f64>)| {
        let measured = seconds.len();
        Some(Evaluation {
            stage: stage + 1,
            guided: stages.get(stage)?.cond_scale != 1.0,
            median_seconds: median(seconds)?,
            measured,
        })
    };
    by_stage.into_iter().enumerate().filter_map(of).collect()
}

fn peak_memory_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kb: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kb >> 10)
}

fn table(bench: &Bench) {
    println!("{} on {}\n", bench.cascade, bench.device);
    println!("One evaluation          median");
    for e in &bench.evaluations {
        let guided = if e.guided { ", guided" } else { "" };
        let name = format!("stage {}{guided}", e.stage);
        println!(
            "  {name:20} {:8.1} ms   ({} measured)",
            1e3 * e.median_seconds,
            e.measured
        );
    }
    println!("\nPreset                  median   first preview   evaluations");
    for p in &bench.presets {
        match (p.median_seconds, p.first_preview_seconds) {
            (Some(all), Some(first)) => println!(
                "  {:18} {all:8.2} s    {first:8.2} s   {:8}",
                p.preset.name(),
                p.evaluations
            ),
            _ => println!(
                "  {:18} left out: about {}",
                p.preset.name(),
                super::duration(p.expected_seconds)
            ),
        }
    }
    println!(
        "\nRegressor               {:.1} ms",
        1e3 * bench.regressor_seconds
    );
    if let Some(mb) = bench.peak_memory_mb {
        println!("Peak memory             {mb} MB");
    }
    println!("\nWhere the time goes     share     ms    calls");
    for o in &bench.operations {
        println!(
            "  {:20} {:5.1} %  {:7.1}  {:5}",
            o.kind,
            100.0 * o.share,
            1e3 * o.seconds,
            o.calls
        );
    }
}
