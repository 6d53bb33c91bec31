//! `echoif train`: teaches the first stage of a motion cascade.

mod picture;

use crate::checkpoint::LearningStage;
use crate::ef::EfPercent;
use crate::engine::{
    CascadeSource, DeviceChoice, Models, OpenDevice, Pace, Part, Request, generate,
};
use crate::files::{read_text, write_atomically, yaml};
use crate::media::export::{self, Cine};
use crate::nn::Interrupt;
use crate::train::samples::{Source, stills};
use crate::train::{Run, Settings, Step};
use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Files of a run, in its folder.
const STATE: &str = "state.safetensors";
const KEPT: &str = "run.yaml";
const LOSSES: &str = "loss.csv";
const PICTURE: &str = "loss.png";
const CASCADE: &str = "cascade";
const SAMPLES: &str = "samples";
/// The EF of sample cines, in percent.
const SAMPLE_EF: f64 = 30.0;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  echoif train --config motion.yaml --out run\n  \
    echoif train --config motion.yaml --out run --resume\n  \
    echoif generate --frame frame.png --ef 30 --cascade run/cascade --out ef30.gif\n\nmotion.yaml, all of it optional:\n  \
    from: built-in        # or a folder that `echoif import` or `echoif train` wrote\n  \
    stills: frames        # a folder of NAME.png with NAME.outline.json; simulated hearts alone without it\n  \
    steps: 2500\n  batch: 4\n  step_size: 0.0012\n  seed: 0\n  puppets: 0.67\n  \
    log_sigma: [3.4, 1.4]\n  at_highest: 0.5\n  untold: 0.1\n  strain: 5\n  volume: 2.5\n  checkpoint_minutes: 10"
)]
pub struct Args {
    /// What to train, with what, and for how long.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The folder of the run: state, losses, their picture, sample cines, and the cascade.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Goes on with the run in the folder.
    #[arg(long)]
    resume: bool,
    /// Stops after so many steps of this call, as Ctrl-C would.
    #[arg(long, value_name = "STEPS")]
    stop_after: Option<u64>,
    /// cpu or auto.
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    #[arg(long)]
    pub json: bool,
}

/// What a run is told: what is its own, and its settings, side by side.
struct Config {
    from: String,
    stills: Option<PathBuf>,
    checkpoint_minutes: f64,
    settings: Settings,
}

const BUILT_IN: &str = "built-in";

impl Config {
    /// # Errors
    /// A sentence that names what is wrong.
    fn read(text: &str) -> Result<Self, String> {
        let all: Option<serde_json::Map<String, Value>> = yaml::read(text)?;
        let mut all = all.unwrap_or_default();
        fn taken<T: DeserializeOwned>(
            all: &mut serde_json::Map<String, Value>,
            name: &str,
            default: T,
        ) -> Result<T, String> {
            let value = all.remove(name).map(serde_json::from_value);
            let value = value.transpose().map_err(|e| format!("`{name}`: {e}"))?;
            Ok(value.unwrap_or(default))
        }
        let config = Self {
            from: taken(&mut all, "from", BUILT_IN.to_owned())?,
            stills: taken(&mut all, "stills", None)?,
            checkpoint_minutes: taken(&mut all, "checkpoint_minutes", 10.0)?,
            settings: serde_json::from_value(Value::Object(all)).map_err(|e| e.to_string())?,
        };
        config.settings.check()?;
        let minutes = config.checkpoint_minutes;
        match minutes > 0.0 && minutes <= 100_000.0 {
            true => Ok(config),
            false => Err("`checkpoint_minutes` is out of its range".into()),
        }
    }
}

/// What a run was begun with, in its folder: paths, which may name somebody, are not kept, what lay there is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Kept {
    from_sha256: String,
    stills: usize,
    stills_sha256: String,
    settings: Settings,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(
        args.device != DeviceChoice::Cuda,
        "Networks learn on the CPU alone yet. Leave --device out."
    );
    let text = read_text(&args.config)
        .with_context(|| format!("{} cannot be read", args.config.display()))?;
    let bad = |why: String| anyhow::anyhow!("{}: {why}.", args.config.display());
    let config = Config::read(&text).map_err(bad)?;
    let kept = args.out.join(STATE);
    match (args.resume, kept.is_file()) {
        (true, false) => bail!("{} holds no run to go on with.", args.out.display()),
        (false, true) => bail!(
            "{} holds a run already. Go on with it by --resume, or name another folder.",
            args.out.display()
        ),
        _ => {}
    }
    let stop = Interrupt::new();
    let asked = stop.clone();
    // Where it cannot be heard, the system ends the program, and the last state is kept all the same.
    let _ = ctrlc::set_handler(move || asked.set());
    crate::engine::heap::keep();
    train(args, &config, &stop)
}

fn train(args: &Args, config: &Config, stop: &Interrupt) -> anyhow::Result<()> {
    let from = (config.from != BUILT_IN).then(|| PathBuf::from(&config.from));
    let learning = LearningStage::open(from.as_deref())?;
    let stills = match &config.stills {
        Some(folder) => stills(folder)?,
        None => Vec::new(),
    };
    let hearts = stills.len();
    let source = Source {
        seed: config.settings.seed,
        stills,
        puppets: config.settings.puppets,
        scale: 1.0,
    };
    begin(
        args,
        &Kept {
            from_sha256: learning.sha256.clone(),
            stills: hearts,
            stills_sha256: source.stills_sha256(),
            settings: config.settings.clone(),
        },
    )?;
    let mut run = Run::new(config.settings.clone(), learning, source)?;
    let mut losses = Losses::default();
    if args.resume {
        let kept = args.out.join(STATE);
        run.go_on(&kept)
            .with_context(|| format!("{} cannot be gone on from", kept.display()))?;
        match Losses::read(&args.out.join(LOSSES), run.step_number()) {
            Ok(before) => losses = before,
            Err(why) => eprintln!(
                "The losses before step {} are gone: {why:#}",
                run.step_number()
            ),
        }
    }
    let bar =
        ProgressBar::with_draw_target(Some(config.settings.steps), ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos} of {len} steps, {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let begun = Instant::now();
    let from_step = run.step_number();
    let mut last_kept = Instant::now();
    let mut stepping = Duration::ZERO;
    let mut end = Ok(());
    while !run.is_done() && !stop.is_set() {
        let gone = run.step_number() - from_step;
        if args.stop_after.is_some_and(|most| gone >= most) {
            break;
        }
        let step = Instant::now();
        let done = run.advance(stop);
        stepping += step.elapsed();
        match done {
            Ok(step) => losses.push(step),
            // A step that was stopped has changed nothing.
            Err(_) if stop.is_set() => break,
            Err(why) => {
                end = Err(why);
                break;
            }
        }
        let each = begun.elapsed().as_secs_f64() / (gone + 1) as f64;
        let left = (config.settings.steps - run.step_number()) as f64 * each;
        bar.set_position(run.step_number());
        bar.set_message(format!(
            "loss {:.3}, {} left",
            losses.lately(50),
            super::duration(left)
        ));
        if last_kept.elapsed() > Duration::from_secs_f64(60.0 * config.checkpoint_minutes) {
            keep(&run, &losses, &args.out)?;
            last_kept = Instant::now();
        }
    }
    bar.finish_and_clear();
    // What was learned before a fault is not lost by it: a step that fails changes nothing.
    keep(&run, &losses, &args.out)?;
    end?;
    let steps = run.step_number() - from_step;
    let seconds = stepping.as_secs_f64();
    if args.json {
        let said = json!({
            "out": args.out,
            "cascade": args.out.join(CASCADE),
            "stills": hearts,
            "steps": run.step_number(),
            "done": run.is_done(),
            "loss": losses.lately(50),
            "seconds_a_step": seconds / steps.max(1) as f64,
        });
        println!("{said}");
        return Ok(());
    }
    let end = match run.is_done() {
        true => "done",
        false => "stopped, to go on with by --resume",
    };
    println!(
        "{} of {} steps, {end}; loss {:.3} (mean of the last 50), {:.2} s a step.\n{}",
        run.step_number(),
        config.settings.steps,
        losses.lately(50),
        seconds / steps.max(1) as f64,
        args.out.join(CASCADE).display()
    );
    Ok(())
}

fn kept_in(path: &Path) -> anyhow::Result<Kept> {
    let named = || format!("{} cannot be read", path.display());
    let text = read_text(path).with_context(named)?;
    yaml::read(&text)
        .map_err(anyhow::Error::msg)
        .with_context(named)
}

/// Makes the run's folder, or looks whether it is this run's.
fn begin(args: &Args, kept: &Kept) -> anyhow::Result<()> {
    let path = args.out.join(KEPT);
    if args.resume {
        let before = kept_in(&path)?;
        ensure!(
            before == *kept,
            "{} is not the configuration that {} was begun with, or its stills or weights are others now. What it \
             was begun with stands in {}.",
            args.config.display(),
            args.out.display(),
            path.display()
        );
        return Ok(());
    }
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("{} cannot be made", args.out.display()))?;
    ensure!(
        !path.exists() || kept_in(&path).is_ok(),
        "{} is there and is no run's. Name another folder.",
        path.display()
    );
    let text = yaml::write(kept).map_err(anyhow::Error::msg)?;
    write_atomically(&path, text.as_bytes())?;
    Ok(())
}

/// Losses first: what they know beyond the state is dropped when a run goes on. All but the state can be made again,
/// or done without, and costs a run of hours no more than a word.
fn keep(run: &Run, losses: &Losses, out: &Path) -> anyhow::Result<()> {
    let word = |what: &str, done: anyhow::Result<()>| {
        if let Err(why) = done {
            eprintln!("{what} could not be written: {why:#}");
        }
    };
    word(LOSSES, losses.write(&out.join(LOSSES)));
    run.keep(&out.join(STATE)).with_context(|| {
        format!("{STATE} could not be written; the one that was kept before is whole")
    })?;
    let picture = picture::of(&losses.steps)
        .and_then(|bytes| Ok(write_atomically(&out.join(PICTURE), &bytes)?));
    word(PICTURE, picture);
    match run.write_cascade(&out.join(CASCADE)) {
        Ok(()) => word(SAMPLES, sample(&out.join(CASCADE), out, run.step_number())),
        Err(why) => word(CASCADE, Err(why.into())),
    }
    Ok(())
}

/// A simulated heart at an EF as the cascade makes it now.
fn sample(cascade: &Path, out: &Path, step: u64) -> anyhow::Result<()> {
    let folder = out.join(SAMPLES);
    std::fs::create_dir_all(&folder)?;
    let device = OpenDevice::open(DeviceChoice::Cpu, None).map_err(anyhow::Error::msg)?;
    let source = CascadeSource::Folder(cascade.to_owned());
    let models = Models::open(device, source, None)?;
    let heart = crate::hearts::simulated_heart(0).map_err(anyhow::Error::msg)?;
    let square = crate::media::region::Square::centred(heart.frame.width, heart.frame.height);
    let anatomy = crate::media::region::Anatomy::from_frame(&heart.frame, &square.into())?;
    let ef = EfPercent::new(SAMPLE_EF).map_err(anyhow::Error::msg)?;
    let request = Request::new(Arc::new(anatomy), ef);
    let mut pace = Pace::calibrate(&models.device.device)?;
    let made = generate(&models, &request, &mut pace, &Interrupt::new(), &mut |_| {})?;
    let cine = Cine {
        part: Part::Counterfactual,
        video: &made.cine.video,
        rate: made.rate_at(60.0),
        beat_normalised: made.beat_normalised,
        provenance: &made.provenance,
        factual: None,
        anatomy: None,
    };
    export::write(&cine, &folder.join(format!("step_{step:06}.gif")))?;
    Ok(())
}

/// The losses of a run.
#[derive(Default)]
struct Losses {
    steps: Vec<Step>,
}

impl Losses {
    fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// The mean of the last `n`.
    fn lately(&self, n: usize) -> f64 {
        let last = self.steps.iter().rev().take(n);
        let count = last.len().max(1) as f64;
        last.map(|s| s.loss).sum::<f64>() / count
    }

    /// Those of the first `steps` steps: what came after the state was kept is made again.
    fn read(path: &Path, steps: u64) -> anyhow::Result<Self> {
        let mut reader = csv::Reader::from_path(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let mut all = Self::default();
        for row in reader.deserialize::<(u64, f64, f64, f64)>() {
            let (step, loss, norm, step_size) =
                row.with_context(|| format!("{} is damaged", path.display()))?;
            if step < steps {
                all.push(Step {
                    step,
                    loss,
                    norm,
                    step_size,
                });
            }
        }
        Ok(all)
    }

    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["step", "loss", "gradient_norm", "step_size"])?;
        for s in &self.steps {
            writer.write_record([
                s.step.to_string(),
                s.loss.to_string(),
                s.norm.to_string(),
                s.step_size.to_string(),
            ])?;
        }
        write_atomically(path, &writer.into_inner()?)?;
        Ok(())
    }
}
