//! `echoif dataset make`.

use super::anatomies::{Anatomies, From};
use super::cine::{Timing, shown};
use crate::calibration::Asking;
use crate::cli::wanted::anatomy_at;
use crate::cli::{AlreadyReported, ModelArgs};
use crate::dataset::{Clip, Container, FPS, Fault, Folder, Plan, Record, Row, SIDE, Shard};
use crate::edm::{Output, Seed};
use crate::ef::EfPercent;
use crate::engine::{Models, Pace, Part, Request, generate};
use crate::files::lock;
use crate::hash::sha256_file;
use crate::media::export::{self, Cine};
use crate::nn::Interrupt;
use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  echoif dataset make balanced --echonet EchoNet-Dynamic\n  \
    echoif dataset make balanced --echonet EchoNet-Dynamic --shard 2/16\n\n\
    Stopped, by Ctrl-C or otherwise, it is gone on with by the same command: what is there whole is not made again. \
    The exit status is 0 when all clips of the part are there."
)]
pub struct Args {
    /// The planned data set's folder.
    dataset: PathBuf,
    #[command(flatten)]
    from: From,
    /// A machine's part of the clips, I of N, from 1.
    #[arg(long, value_name = "I/N", default_value_t = Shard::WHOLE)]
    shard: Shard,
    #[command(flatten)]
    models: ModelArgs,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let plan = Plan::read(&args.dataset)?;
    ensure!(
        args.from.source() == plan.settings.source,
        "The data set was planned with anatomies of the other kind: --frames for a folder, --echonet for EchoNet-Dynamic."
    );
    ensure!(
        plan.settings.container == Container::Avi || cfg!(feature = "mp4"),
        "The data set was planned as MP4, which this build does not write. Make it with one that does."
    );
    let stop = Interrupt::new();
    let asked = stop.clone();
    // Where it cannot be heard, the system ends the program, and what is whole stays all the same.
    let _ = ctrlc::set_handler(move || asked.set());
    let folder = Folder::new(&args.dataset);
    folder
        .make()
        .with_context(|| format!("Nothing can be written into {}", args.dataset.display()))?;
    let _alone = alone(args)?;
    let own: Vec<&Clip> = (plan.clips.iter())
        .filter(|clip| args.shard.has(&clip.name))
        .collect();
    let mut missing = Vec::new();
    for clip in &own {
        // Looked at in full, which of many clips takes a while.
        if stop.is_set() || Record::there(&folder, &plan, clip).is_err() {
            missing.push(*clip);
        }
    }
    let (made, whole) = match missing.is_empty() || stop.is_set() {
        true => (0, missing.is_empty()),
        false => all(args, &plan, &folder, &missing, &stop)?,
    };
    if args.json {
        let said = json!({
            "dataset": args.dataset,
            "shard": args.shard.to_string(),
            "clips": own.len(),
            "there_before": own.len() - missing.len(),
            "made": made,
            "done": whole,
        });
        println!("{said}");
    } else {
        println!(
            "Part {}: {made} clips made, {} were there, of {}{}.",
            args.shard,
            own.len() - missing.len(),
            own.len(),
            if whole {
                ""
            } else {
                "; stopped, go on with it by the same command"
            }
        );
    }
    match whole {
        true => Ok(()),
        // A scheduler is to see that there is more to do.
        false => Err(AlreadyReported.into()),
    }
}

/// Keeps a second program from the same part.
fn alone(args: &Args) -> anyhow::Result<File> {
    let name = format!(
        ".shard-{}.lock",
        args.shard.to_string().replace('/', "-of-")
    );
    let file = File::create(args.dataset.join(name))
        .with_context(|| format!("Nothing can be written into {}", args.dataset.display()))?;
    ensure!(
        lock(&file)?,
        "Another program makes part {} of {}. Wait for it, or give another --shard.",
        args.shard,
        args.dataset.display()
    );
    Ok(file)
}

/// Makes what is missing until it is stopped. Returns how many were made, and whether none is missing now.
fn all(
    args: &Args,
    plan: &Plan,
    folder: &Folder,
    missing: &[&Clip],
    stop: &Interrupt,
) -> anyhow::Result<(usize, bool)> {
    let anatomies = args.from.listed()?;
    let models = args.models.open()?;
    for note in models.device.note.iter().chain(&models.warnings()) {
        eprintln!("{note}");
    }
    let settings = &plan.settings;
    let hashes = [
        (
            "cascade",
            &models.cascade.identity.sha256,
            &settings.cascade_sha256,
        ),
        (
            "regressor",
            &models.regressor.identity.sha256,
            &settings.regressor_sha256,
        ),
    ];
    for (what, now, planned) in hashes {
        ensure!(
            now == planned,
            "The data set was planned with another {what} (sha256 {planned}). Give it with --{what}."
        );
    }
    let mut pace = Pace::calibrate(&models.device.device)?;
    let bar =
        ProgressBar::with_draw_target(Some(missing.len() as u64), ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos} of {len} clips, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let (mut made, mut done) = (0, 0);
    for clip in missing {
        if stop.is_set() {
            break;
        }
        // Another part of another number of parts may have made it by now.
        if Record::there(folder, plan, clip).is_err() {
            match one(plan, clip, folder, &anatomies, &models, &mut pace, stop) {
                Ok(()) => made += 1,
                // What was begun is not there.
                Err(_) if stop.is_set() => break,
                Err(why) => {
                    bar.finish_and_clear();
                    return Err(why.context(format!("Clip {} could not be made", clip.name)));
                }
            }
        }
        done += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((made, done == missing.len()))
}

fn one(
    plan: &Plan,
    clip: &Clip,
    folder: &Folder,
    anatomies: &Anatomies,
    models: &Models,
    pace: &mut Pace,
    stop: &Interrupt,
) -> anyhow::Result<()> {
    let settings = &plan.settings;
    let chances = clip.chances(settings);
    let anatomy = anatomy_at(anatomies.path_of(clip)?, chances.frame)?;
    let ef = EfPercent::of_dataset(clip.ef_percent).map_err(anyhow::Error::msg)?;
    let request = Request {
        preset: settings.preset,
        leaflets: settings.leaflets,
        seed: Seed(u64::from(clip.seed)),
        calibration: settings.calibration.clone().map(Asking::by),
        ..Request::new(Arc::new(anatomy), ef)
    };
    let mut made = generate(models, &request, pace, stop, &mut |_| {})?;
    // The same clip is the same file, however long it took.
    made.provenance.seconds = 0.0;
    let timing = Timing {
        frames: settings.frames(),
        heart_rate: chances.heart_rate,
        begins: chances.begins,
    };
    let stages = &models.cascade.cascade.config.stages;
    let carried = (stages.last()).is_some_and(|s| matches!(s.output, Output::Motion { .. }));
    let shown = shown(&made, timing, carried)?;
    let cine = Cine {
        part: Part::Counterfactual,
        video: &shown.video,
        rate: shown.rate,
        // Repeated, in time.
        beat_normalised: false,
        provenance: &made.provenance,
        factual: None,
        // It is somebody's frame.
        anatomy: None,
    };
    let video = folder.video(plan, clip);
    let sidecar = export::write_clip(&cine, &video)?;
    let hash = sha256_file(&video, || false)
        .ok()
        .flatten()
        .with_context(|| format!("{} cannot be read again", video.display()))?;
    let beat = made.cine.beating.as_ref().and_then(|b| b.beat());
    let volume = |at: usize, volumes: &[f64]| volumes.get(at).copied().unwrap_or_default();
    let record = Record {
        sidecar,
        name: clip.name.clone(),
        heart_rate: made.beat_normalised.then_some(timing.heart_rate),
        row: Row {
            name: match settings.container {
                Container::Avi => clip.name.clone(),
                Container::Mp4 => format!("{}.mp4", clip.name),
            },
            ef: clip.ef_percent,
            esv: None,
            edv: None,
            height: SIDE,
            width: SIDE,
            fps: FPS,
            frames: shown.video.frames,
            split: settings.split.name().into(),
        },
        tracings: shown.tracings,
        volumes_cubic_pixels: beat
            .map(|b| [b.es_frame, b.ed_frame].map(|at| volume(at, &b.volumes))),
        video_sha256: hash,
    };
    let path = folder.record(plan, clip);
    record
        .write(&path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    match Record::there(folder, plan, clip) {
        Ok(_) => Ok(()),
        Err(Fault::Missing) => anyhow::bail!("{} is gone again", video.display()),
        Err(Fault::Damaged(why)) => anyhow::bail!("{}: {why}", video.display()),
    }
}
