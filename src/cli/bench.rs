//! `echoif bench`: how fast the networks are on this machine.

use crate::clip::Video;
use crate::edm::{Plan, Preset, Seed, Seeded, StageConfig};
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
    /// Time single evaluations alone, no whole runs.
    #[arg(long)]
    evaluations: bool,
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
    /// Of a motion cascade: what its encoder takes for another EF of the same anatomy, and what carrying a
    /// beat of 16 frames takes.
    encoder_seconds: Option<f64>,
    carry_seconds: Option<f64>,
    /// Estimates a second while the slider is dragged: each the first evaluation at another EF, from
    /// its request to the clip that is shown.
    follow_per_second: Option<f64>,
    /// Where one run of the quickest preset spends its time, longest first.
    operations: Vec<Operation>,
    presets: Vec<PresetTime>,
    regressor_seconds: f64,
    /// Of the whole process, weights and all; Linux only.
    peak_memory_mb: Option<u64>,
    /// Of the GPU, where it is one: what the networks and their weights took at most.
    gpu_peak_memory_mb: Option<usize>,
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
    stage_evaluations: Vec<usize>,
    /// With the measurement of the EF. Nothing when it was left out as too long.
    median_seconds: Option<f64>,
    first_preview_seconds: Option<f64>,
    expected_seconds: f64,
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// One run: its seconds, and those until the first report.
struct Run {
    seconds: f64,
    first: Option<f64>,
    video: Video,
}

fn run_once(models: &Models, request: &Request, pace: &mut Pace) -> anyhow::Result<Run> {
    let start = Instant::now();
    let mut first = None;
    let device = models.device.device.clone();
    let mut hear = |_: &Report| {
        // A failing device fails the run.
        let _ = device.synchronize();
        first.get_or_insert_with(|| start.elapsed().as_secs_f64());
    };
    let made = generate(models, request, pace, &Interrupt::new(), &mut hear)?;
    Ok(Run {
        seconds: start.elapsed().as_secs_f64(),
        first,
        video: made.cine.video.clone(),
    })
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let models = args.models.open()?;
    let heart = simulated_heart(0).map_err(anyhow::Error::msg)?;
    let square = Square::centred(SIDE, SIDE);
    let anatomy = Arc::new(Anatomy::from_frame(&heart.frame, &square.into())?);
    let mut pace = Pace::calibrate(&models.device.device)?;
    // A seed of its own for each run: what one keeps for the next, when only the EF is another, would
    // spare it half of its first evaluation.
    let mut seeds = (0..).map(Seed);
    let mut request = |preset| {
        let ef = EfPercent::new(30.0).map_err(anyhow::Error::msg)?;
        Ok::<_, anyhow::Error>(Request {
            preset,
            seed: seeds.next().unwrap_or_default(),
            ..Request::new(anatomy.clone(), ef)
        })
    };
    let evaluations = evaluations(&models, &anatomy, args.repeat)?;
    let mut presets = Vec::new();
    let mut quickest: Option<(Request, Video)> = None;
    let wanted = if args.evaluations {
        &[][..]
    } else {
        &Preset::ALL
    };
    for &preset in wanted {
        let first = request(preset)?;
        let config = preset.apply(&models.info().config);
        let expected = pace.seconds(cost_of(&models, &first));
        let mut time = PresetTime {
            preset,
            evaluations: config.stages.iter().map(|s| s.evaluations()).sum(),
            stage_evaluations: config.stages.iter().map(|s| s.evaluations()).collect(),
            median_seconds: None,
            first_preview_seconds: None,
            expected_seconds: expected,
        };
        if expected <= args.longest {
            // Once for the caches and the threads.
            run_once(&models, &first, &mut pace)?;
            let mut runs = Vec::new();
            for _ in 0..args.repeat {
                runs.push(run_once(&models, &request(preset)?, &mut pace)?);
            }
            time.median_seconds = median(runs.iter().map(|r| r.seconds).collect());
            time.first_preview_seconds = median(runs.iter().filter_map(|r| r.first).collect());
            if let Some(run) = runs.pop() {
                quickest.get_or_insert((first, run.video));
            }
        }
        presets.push(time);
    }
    let mut bench = Bench {
        device: models.device.name.clone(),
        cascade: models.cascade.identity.in_files(),
        evaluations,
        encoder_seconds: None,
        carry_seconds: None,
        follow_per_second: None,
        operations: Vec::new(),
        presets,
        regressor_seconds: 0.0,
        peak_memory_mb: None,
        gpu_peak_memory_mb: None,
    };
    (bench.encoder_seconds, bench.carry_seconds) = motion_times(&models, &anatomy, args.repeat)?;
    if let Some((request, video)) = quickest {
        bench.follow_per_second = Some(follow(&models, &request, &mut pace)?);
        let fresh = Request {
            seed: seeds.next().unwrap_or_default(),
            ..request
        };
        let (ran, spent) = profile(|| run_once(&models, &fresh, &mut pace));
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
    bench.gpu_peak_memory_mb = models.device.peak_memory().map(|bytes| bytes >> 20);
    if args.json {
        println!("{}", serde_json::to_string(&bench)?);
    } else {
        table(&bench);
    }
    Ok(())
}

fn evaluations(models: &Models, anatomy: &Anatomy, repeat: u16) -> anyhow::Result<Vec<Evaluation>> {
    let (config, device) = (models.info().config, &models.device.device);
    let anatomy = anatomy.tensor(config.channels())?;
    let plan = Plan {
        config: &config,
        ef_percent: &[30.0],
        anatomy: &anatomy,
        noise: &Seeded(Seed(0)),
        interrupt: &Interrupt::new(),
        memory: models.device.pass_memory(),
        openings: None,
        carry: None,
        sharpen: false,
    };
    let of = |(i, stage): (usize, &StageConfig)| {
        let cascade = &models.cascade.cascade;
        let mut seconds = cascade.with_evaluation(&plan, i, |evaluate| {
            // The first is for the caches and the threads, the second for what is recorded.
            let times = (0..repeat + 2).map(|_| {
                device.synchronize()?;
                let start = Instant::now();
                evaluate()?;
                device.synchronize()?;
                Ok(start.elapsed().as_secs_f64())
            });
            times.collect::<candle_core::Result<Vec<_>>>()
        })?;
        seconds.drain(..2);
        Ok(Evaluation {
            stage: i + 1,
            guided: stage.cond_scale != 1.0,
            measured: seconds.len(),
            median_seconds: median(seconds).unwrap_or_default(),
        })
    };
    config.stages.iter().enumerate().map(of).collect()
}

/// Seconds of a motion cascade's encoder and of carrying; none of any other.
fn motion_times(
    models: &Models,
    anatomy: &Arc<Anatomy>,
    repeat: u16,
) -> anyhow::Result<(Option<f64>, Option<f64>)> {
    let stages = &models.cascade.cascade.stages;
    let Some(encoder) = stages.first().and_then(|s| s.encoder.as_ref()) else {
        return Ok((None, None));
    };
    let (picture, go) = (anatomy.tensor(1)?, Interrupt::new());
    let ef = EfPercent::new(60.0).map_err(anyhow::Error::msg)?;
    let request = Request::new(anatomy.clone(), ef);
    let mut pace = Pace::calibrate(&models.device.device)?;
    let made = generate(models, &request, &mut pace, &go, &mut |_| {})?;
    let beating = made.cine.beating.as_ref();
    let (mut encoded, mut carried) = (Vec::new(), Vec::new());
    for i in 0..=repeat {
        let start = Instant::now();
        encoder.forward(&picture, &[0.2 + 0.001 * f32::from(i)], &go)?;
        encoded.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        if beating.is_some_and(|b| b.video().frames > 0) {
            carried.push(start.elapsed().as_secs_f64());
        }
    }
    Ok((median(encoded), median(carried)))
}

/// Estimates a second while a slider would be dragged from one end to the other.
fn follow(models: &Models, request: &Request, pace: &mut Pace) -> anyhow::Result<f64> {
    let mut estimate = |ef: f64| -> anyhow::Result<()> {
        let request = Request {
            ef: EfPercent::new(ef).map_err(anyhow::Error::msg)?,
            ..request.clone()
        };
        let interrupt = Interrupt::new();
        let mut shown = Ok(Vec::new());
        let mut hear = |r: &Report| {
            shown = r.shown();
            interrupt.set();
        };
        // The run ends with its first report, as an interrupted one.
        let _ = generate(models, &request, pace, &interrupt, &mut hear);
        anyhow::ensure!(shown?.len() == 1, "no estimate came");
        Ok(())
    };
    estimate(15.0)?;
    let start = Instant::now();
    let values = 15..=75;
    let n = values.clone().count();
    for ef in values {
        estimate(f64::from(ef) + 0.5)?;
    }
    Ok(n as f64 / start.elapsed().as_secs_f64())
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
    for (name, seconds) in [
        ("encoder, another EF", bench.encoder_seconds),
        ("a carried beat", bench.carry_seconds),
    ] {
        if let Some(seconds) = seconds {
            println!("  {name:20} {:8.1} ms", 1e3 * seconds);
        }
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
    if let Some(rate) = bench.follow_per_second {
        println!("\nFollowing the slider    {rate:.1} estimates a second");
    }
    println!(
        "\nRegressor               {:.1} ms",
        1e3 * bench.regressor_seconds
    );
    if let Some(mb) = bench.peak_memory_mb {
        println!("Peak memory             {mb} MB");
    }
    if let Some(mb) = bench.gpu_peak_memory_mb {
        println!("Peak memory of the GPU  {mb} MB");
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
