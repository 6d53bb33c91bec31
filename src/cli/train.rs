//! `echoif train`: teaches a stage of a cascade, or a regressor.

mod config;
mod folder;
mod losses;
mod picture;

use crate::checkpoint::{LearningRegressor, LearningStage};
use crate::edm::Output;
use crate::ef::EfPercent;
use crate::engine::{
    CascadeSource, DeviceChoice, Models, OpenDevice, Pace, Part, Request, generate,
};
use crate::files::{read_text, write_atomically};
use crate::media::export::{self, Cine};
use crate::nn::Interrupt;
use crate::train::clips::{Clips, Drawn};
use crate::train::samples::{Source, stills, stills_sha256};
use crate::train::{Material, MotionTask, PictureTask, RegressorTask, Run, Task};
use anyhow::{Context, bail, ensure};
use config::{Config, Kept, What};
use folder::{CASCADE, LOSSES, PICTURE, REGRESSOR, SAMPLES, STATE, begin, free, note};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use losses::Losses;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Steps whose losses are said as one.
const LATELY: usize = 50;
/// The EF of sample cines, in percent.
const SAMPLE_EF: f64 = 30.0;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  echoif train --config motion.yaml --out run\n  \
    echoif train --config motion.yaml --out run --resume\n  \
    echoif generate --frame frame.png --ef 30 --cascade run/cascade --out ef30.gif\n\nmotion.yaml, all of it optional:\n  \
    from: built-in        # or a folder that `echoif import` or `echoif train` wrote\n  \
    stills: frames        # a folder of NAME.png with NAME.outline.json; simulated hearts alone without it\n  \
    steps: 2500\n  batch: 4\n  step_size: 0.0012\n  seed: 0\n  puppets: 0.67\n  \
    compounded: 0         # the share of simulated hearts that are shown as today's machines show them\n  log_sigma: [3.4, 1.4]\n  at_highest: 0.5\n  untold: 0.1\n  strain: 5\n  volume: 2.5\n  checkpoint_minutes: 10\n\n\
    Of a stage that makes pictures, as published:\n  \
    from: config.yaml     # begins with nothing; or a folder, as above\n  stage: 1\n  \
    clips: EchoNet-Dynamic  # its folder, or one with a CSV (file,ef_percent); simulated hearts without it,\n  \
    stills: frames        # .. and puppets of these, as above\n  \
    steps: 500000\n  batch: 4\n  step_size: 0.0005\n  seed: 0\n  joint: false          # every fourth step of pictures\n\n\
    Of a regressor, as published:\n  \
    what: regressor\n  from: built-in        # or one as --regressor takes it, or regressor.yaml, which begins with nothing\n  \
    clips: EchoNet-Dynamic  # as above\n  steps: 50000\n  batch: 16\n  step_size: 0.0001\n  seed: 0\n  \
    puppets: 0.67\n  motionless: 0         # the share of clips that show one frame, taken for EF 2\n  \
    haze: 0               # the share of clips over which light comes and goes where no wall moves\n  \
    moved: 12             # pixels, at most, to any side\n  falls: false          # the step size, to nothing at the end"
)]
pub struct Args {
    /// What to train, with what, and for how long; its paths are from the folder that the command is given in.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The folder of the run: state, losses, their picture, and the cascade or the regressor; of a motion stage sample
    /// cines, too.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Goes on with the run in the folder, as it was begun; its `steps` may be more.
    #[arg(long)]
    resume: bool,
    /// Stops after so many steps of this call, as Ctrl-C would.
    #[arg(long, value_name = "STEPS")]
    stop_after: Option<u64>,
    /// cpu, cuda or auto.
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    // What a run is taught in is f32 everywhere.
    let device = OpenDevice::open(args.device, None).map_err(anyhow::Error::msg)?;
    if let Some(note) = device.note.as_ref() {
        eprintln!("{note}");
    }
    let device = device.device;
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
    let stills = match &config.stills {
        Some(folder) => stills(folder)?,
        None => Vec::new(),
    };
    let clips = |puppets: f64, compounded: f64| match &config.clips {
        Some(folder) => Clips::of_folder(folder),
        None => Ok(Clips::Drawn(Drawn {
            stills: stills.clone(),
            puppets,
            compounded,
        })),
    };
    // The task's settings say the rest.
    let source = |seed: u64| Source {
        seed,
        stills: stills.clone(),
        puppets: 0.0,
        compounded: 0.0,
        scale: 1.0,
    };
    if config.what == What::Regressor {
        let settings = config.of_regressor().map_err(bad)?;
        let learning = LearningRegressor::open(&config.from, config.seed, &device)?;
        let clips = clips(settings.puppets, settings.compounded)?;
        let data = clips.len();
        look_through(args, &clips, &stop)?;
        let kept = Kept {
            what: config.what,
            from_sha256: learning.sha256.clone(),
            stage: None,
            data,
            data_sha256: clips.sha256(|| stop.is_set())?,
            settings: serde_json::to_value(&settings)?,
        };
        let _alone = begin(&args.out, &args.config, args.resume, &kept)?;
        let task = RegressorTask::new(settings, learning, clips);
        return train(args, &config, task, &kept, (REGRESSOR, None), &stop);
    }
    let learning = LearningStage::open(&config.from, config.stage, config.seed, &device)?;
    let kept = |data: usize, data_sha256: String, settings: Value| Kept {
        what: config.what,
        from_sha256: learning.sha256.clone(),
        stage: Some(config.stage + 1),
        data,
        data_sha256,
        settings,
    };
    if learning.cascade.stages[config.stage].output == Output::Picture {
        let settings = config.of_pictures().map_err(bad)?;
        let (material, data) = if learning.cascade.makes_motion() && config.clips.is_none() {
            let data = (stills.len(), stills_sha256(&stills));
            (Material::Beats(source(settings.seed)), data)
        } else {
            let clips = clips(settings.puppets, settings.compounded)?;
            look_through(args, &clips, &stop)?;
            let data = (clips.len(), clips.sha256(|| stop.is_set())?);
            (Material::Clips(clips), data)
        };
        let kept = kept(data.0, data.1, serde_json::to_value(&settings)?);
        let task = PictureTask::new(settings, learning, material)?;
        let _alone = begin(&args.out, &args.config, args.resume, &kept)?;
        let missing = task.missing();
        train(args, &config, task, &kept, (CASCADE, None), &stop)?;
        if let Some(missing) = missing.filter(|_| !args.json) {
            println!(
                "Stage {0} of the cascade is still to be taught: from: {1}, stage: {0}",
                missing + 1,
                args.out.join(CASCADE).display()
            );
        }
        return Ok(());
    }
    let settings = config.of_motion().map_err(bad)?;
    let hearts = stills.len();
    let source = source(settings.seed);
    let hash = stills_sha256(&source.stills);
    let kept = kept(hearts, hash, serde_json::to_value(&settings)?);
    let task = MotionTask::new(settings, learning, source)?;
    let _alone = begin(&args.out, &args.config, args.resume, &kept)?;
    train(args, &config, task, &kept, (CASCADE, Some(sample)), &stop)
}

/// Decodes the clips once before anything is begun. Of a run that goes on their hash says that they are still the same.
fn look_through(args: &Args, clips: &Clips, stop: &Interrupt) -> anyhow::Result<()> {
    if args.resume {
        return Ok(());
    }
    free(&args.out)?;
    let all = clips.len() as u64;
    let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos} of {len} clips looked through, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let found = clips.check(|| stop.is_set(), || bar.inc(1));
    bar.finish_and_clear();
    Ok(found?)
}

/// Makes a sample cine of the cascade in a folder, in the run's, at a step.
type Sampler = fn(&Path, &Path, u64) -> anyhow::Result<()>;

/// What a run makes, by its folder's name, and how a sample of it is made.
type Made = (&'static str, Option<Sampler>);

fn train<T: Task>(
    args: &Args,
    config: &Config,
    task: T,
    kept: &Kept,
    made: Made,
    stop: &Interrupt,
) -> anyhow::Result<()> {
    let all = task.method().steps;
    let mut run = Run::new(task)?;
    let mut losses = Losses::default();
    if args.resume {
        let state = args.out.join(STATE);
        run.go_on(&state)
            .with_context(|| format!("{} cannot be gone on from", state.display()))?;
        ensure!(
            run.step_number() <= all,
            "{} has made {} steps already, and {} asks for {all}. Give `steps` more, or use what it made.",
            args.out.display(),
            run.step_number(),
            args.config.display()
        );
        note(&args.out, kept)?;
        match Losses::read(&args.out.join(LOSSES), run.step_number()) {
            Ok(before) => losses = before,
            Err(why) => eprintln!(
                "The losses before step {} are gone: {why:#}",
                run.step_number()
            ),
        }
    }
    let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
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
        let left = (all - run.step_number()) as f64 * each;
        bar.set_position(run.step_number());
        let (loss, _) = losses.lately(LATELY).unwrap_or_default();
        bar.set_message(format!("loss {loss:.3}, {} left", super::duration(left)));
        if last_kept.elapsed() > Duration::from_secs_f64(60.0 * config.checkpoint_minutes) {
            keep(&run, &losses, &args.out, made)?;
            last_kept = Instant::now();
        }
    }
    bar.finish_and_clear();
    // What was learned before a fault is not lost by it: a step that fails changes nothing.
    let whole = keep(&run, &losses, &args.out, made)?;
    end?;
    ensure!(
        whole,
        "What was learned is kept in {}, but not all that is made from it could be written. Go on by --resume when it \
         can.",
        args.out.display()
    );
    let steps = run.step_number() - from_step;
    let seconds = stepping.as_secs_f64();
    if args.json {
        let said = json!({
            "out": args.out,
            made.0: args.out.join(made.0),
            "data": kept.data,
            "steps": run.step_number(),
            "done": run.is_done(),
            "loss": losses.lately(LATELY).map(|(loss, _)| loss),
            "seconds_a_step": seconds / steps.max(1) as f64,
        });
        println!("{said}");
        return Ok(());
    }
    let end = match run.is_done() {
        true => "done",
        false => "stopped, to go on with by --resume",
    };
    let loss = match losses.lately(LATELY) {
        Some((loss, 1)) => format!("; loss {loss:.3}"),
        Some((loss, n)) => format!("; loss {loss:.3} (mean of the last {n})"),
        None => String::new(),
    };
    println!(
        "{} of {} steps, {end}{loss}, {:.2} s a step.\n{}",
        run.step_number(),
        all,
        seconds / steps.max(1) as f64,
        args.out.join(made.0).display()
    );
    Ok(())
}

/// Losses first: what they know beyond the state is dropped when a run goes on. All but the state can be made again,
/// or done without, and costs a run of hours no more than a word.
fn keep<T: Task>(
    run: &Run<T>,
    losses: &Losses,
    out: &Path,
    (name, sampler): Made,
) -> anyhow::Result<bool> {
    let mut whole = true;
    let mut word = |what: &str, done: anyhow::Result<()>| {
        if let Err(why) = done {
            whole = false;
            eprintln!("{what} could not be written: {why:#}");
        }
    };
    word(LOSSES, losses.write(&out.join(LOSSES)));
    let state = out.join(STATE);
    let before = match state.is_file() {
        true => "the one that was kept before is whole",
        false => "none was kept before",
    };
    run.keep(&state)
        .with_context(|| format!("{} could not be written; {before}", state.display()))?;
    let picture = picture::of(&losses.steps)
        .and_then(|bytes| Ok(write_atomically(&out.join(PICTURE), &bytes)?));
    word(PICTURE, picture);
    match (run.write(&out.join(name)), sampler) {
        (Ok(()), None) => {}
        (Ok(()), Some(sampler)) => {
            word(SAMPLES, sampler(&out.join(name), out, run.step_number()));
        }
        (Err(why), _) => word(name, Err(why.into())),
    }
    Ok(whole)
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
