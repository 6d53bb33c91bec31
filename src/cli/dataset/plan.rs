//! `echoif dataset plan`.

use super::anatomies::From;
use crate::calibration::Curve;
use crate::cli::ModelArgs;
use crate::cli::calibrate::Choice;
use crate::dataset::efs::{self, Wanted};
use crate::dataset::{
    Clip, Container, FPS, Folder, HEART_RATE, Plan, SECONDS, Settings, Split, Which,
};
use crate::edm::Preset;
use crate::ef::{DATASET_RANGE, EfPercent};
use crate::engine::Models;
use crate::train::clips::recorded_efs;
use anyhow::{Context, bail, ensure};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  echoif dataset plan --echonet EchoNet-Dynamic --fill 150 --list EchoNet-Dynamic/FileList.csv --out balanced\n  \
    echoif dataset plan --frames frames --efs wanted.csv --out set\n\n\
    wanted.csv: a column `ef_percent` and, if need be, one named `anatomy` with a file's name in the folder, or \
    EchoNet-Dynamic's name of a clip.\n\n\
    plan.csv names an anatomy by its number in the folder and its hash, or by EchoNet-Dynamic's name. \
    docs/datasets.md has the layout, and scripts for schedulers."
)]
pub struct Args {
    /// The data set's folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    from: From,
    /// Wanted EFs: a CSV with a column `ef_percent`.
    #[arg(long, value_name = "CSV", required_unless_present = "fill")]
    efs: Option<PathBuf>,
    /// Fill each whole percent of EF to N clips, recorded ones counted.
    #[arg(long, value_name = "N", requires = "list", conflicts_with = "efs")]
    fill: Option<usize>,
    /// What is recorded: a FileList.csv with EchoNet-Dynamic's columns; its rows of --split count.
    #[arg(long, value_name = "CSV", requires = "fill")]
    list: Option<PathBuf>,
    /// The lowest percent that is filled.
    #[arg(long, default_value_t = 10, value_name = "PERCENT")]
    lowest: u8,
    /// The highest percent that is filled.
    #[arg(long, default_value_t = 89, value_name = "PERCENT")]
    highest: u8,
    /// TRAIN, VAL or TEST: what the clips are for.
    #[arg(long, default_value = "TRAIN")]
    split: Split,
    /// Which frame of a recorded clip is the anatomy: first or random, by the seed. Random for --echonet without it,
    /// else first.
    #[arg(long, value_name = "WHICH")]
    frame: Option<Which>,
    /// Of all that is chance: anatomies, frames, noise, heart rates.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How long a clip is, 1 to 60 seconds, where the cascade makes one beat, which is repeated. Else it has the length
    /// that the cascade gives it.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Beats a minute of all clips, 30 to 180, where the cascade makes one beat; 50 to 100 by chance without it.
    #[arg(long, value_name = "BPM")]
    heart_rate: Option<f64>,
    /// preview, balanced or paper.
    #[arg(long, default_value = "balanced")]
    preset: Preset,
    /// Open mitral valves by rule, where the frame shows a closed one.
    #[arg(long)]
    leaflets: bool,
    /// Ask by the cascade's calibration, so that the EF measured is the one requested: auto, on or off. By itself where
    /// the card says that this lowers the error on other anatomies.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHICH")]
    calibration: Choice,
    /// avi (Motion JPEG), which EchoNet-Dynamic's loader reads, or mp4.
    #[arg(long, default_value = "avi")]
    format: Container,
    /// What looks like text in the frames is none, or names nobody.
    #[arg(long)]
    no_text: bool,
    #[command(flatten)]
    models: ModelArgs,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(
        SECONDS.contains(&args.seconds),
        "--seconds goes from 1 to 60, not {}.",
        args.seconds
    );
    ensure!(
        args.heart_rate
            .is_none_or(|rate| HEART_RATE.contains(&rate)),
        "--heart-rate goes from 30 to 180 beats a minute."
    );
    let slowest = args.heart_rate.unwrap_or(50.0);
    ensure!(
        args.seconds * slowest >= 60.0,
        "At {slowest:.0} beats a minute {} s are less than one beat, whose end-systole may not be in it. Give a longer \
         --seconds, or a higher --heart-rate.",
        args.seconds
    );
    ensure!(
        !Plan::is_in(&args.out),
        "{} holds a planned data set already. Name another folder, or go on with it by echoif dataset make.",
        args.out.display()
    );
    ensure!(
        args.calibration != Choice::On || !args.leaflets,
        "The calibration says nothing of clips with --leaflets. Leave out one of both."
    );
    let wanted = wanted(args)?;
    let anatomies = args.from.looked_through(args.no_text)?;
    let models = args.models.open()?;
    let (cascade, regressor) = (&models.cascade.identity, &models.regressor.identity);
    let mut settings = Settings::new(args.from.source(), args.seed);
    settings.frame = args.frame.unwrap_or(settings.frame);
    settings.seconds = args.seconds;
    settings.heart_rate = args.heart_rate;
    settings.preset = args.preset;
    settings.leaflets = args.leaflets;
    settings.container = args.format;
    settings.split = args.split;
    settings.cascade = cascade.in_files();
    settings.cascade_sha256.clone_from(&cascade.sha256);
    settings.regressor = regressor.in_files();
    settings.regressor_sha256.clone_from(&regressor.sha256);
    settings.calibration = calibration(args, &models)?;
    let find = |name: &str| anatomies.find(name);
    let plan = Plan::new(settings, &wanted, &anatomies.names, find).map_err(anyhow::Error::msg)?;
    let card = &models.info().card;
    let count = |is: &dyn Fn(&Clip) -> bool| plan.clips.iter().filter(|clip| is(clip)).count();
    let outside = count(&|clip| !card.covers(clip.conditioning(&plan.settings)));
    if outside > 0 {
        eprintln!("{outside} of the EFs are outside the range that the cascade was trained on.");
    }
    let reach = plan.settings.calibration.as_ref().map(Curve::reach);
    let beyond = reach.map_or(0, |[low, high]| {
        count(&|clip| !(low..=high).contains(&clip.ef_percent))
    });
    if let Some([low, high]) = reach.filter(|_| beyond > 0) {
        eprintln!(
            "{beyond} of the EFs are beyond what the calibration says can be measured, {low:.0} to {high:.0} %: they are \
             asked for as far as it goes."
        );
    }
    let folder = Folder::new(&args.out);
    folder
        .make()
        .with_context(|| format!("{} cannot be made a folder", args.out.display()))?;
    plan.write(&args.out)?;
    if args.json {
        let said = json!({
            "out": args.out,
            "clips": plan.clips.len(),
            "anatomies": anatomies.names.len(),
            "outside_training_range": outside,
            "calibrated": plan.settings.calibration.is_some(),
            "beyond_calibration": beyond,
            "seconds": args.seconds,
            "fps": FPS,
            "seed": args.seed,
        });
        println!("{said}");
        return Ok(());
    }
    if plan.settings.calibration.is_some() {
        println!(
            "They are asked for by the cascade's calibration, so that they measure what is requested, as far as it goes."
        );
    }
    println!(
        "{} clips of {} anatomies are planned in {}. Make them: echoif dataset make",
        plan.clips.len(),
        anatomies.names.len(),
        args.out.display()
    );
    Ok(())
}

/// The curve to ask by, as far as it was measured of cines like these.
fn calibration(args: &Args, models: &Models) -> anyhow::Result<Option<Curve>> {
    let curve = args.calibration.curve(models, false)?;
    let of_these = curve.filter(|curve| curve.is_of(args.preset) && !args.leaflets);
    ensure!(
        args.calibration != Choice::On || of_these.is_some(),
        "The calibration says nothing of clips by this preset, which sample otherwise than it was measured."
    );
    Ok(of_these)
}

fn wanted(args: &Args) -> anyhow::Result<Vec<Wanted>> {
    if let Some(list) = &args.efs {
        return Ok(efs::from_csv(list)?);
    }
    let (Some(to), Some(list)) = (args.fill, &args.list) else {
        bail!("Give --efs, or --fill with --list.");
    };
    let [least, most] = [*DATASET_RANGE.start() as u8, *DATASET_RANGE.end() as u8];
    let sound = (least..=most).contains(&args.lowest)
        && (least..=most).contains(&args.highest)
        && args.lowest <= args.highest;
    ensure!(
        sound,
        "--lowest and --highest are whole percents from {least} to {most}, the lowest first."
    );
    let percents = args.lowest..=args.highest;
    ensure!(
        to.saturating_mul(percents.len()) <= efs::MOST_CLIPS,
        "A data set has at most {} clips. Give a smaller --fill.",
        efs::MOST_CLIPS
    );
    let recorded = recorded_efs(list, args.split.name())?;
    let each = efs::fill(&recorded, to, percents)
        .into_iter()
        .map(|percent| {
            let ef = EfPercent::of_dataset(f64::from(percent)).map_err(anyhow::Error::msg)?;
            Ok(Wanted { ef, anatomy: None })
        });
    each.collect()
}
