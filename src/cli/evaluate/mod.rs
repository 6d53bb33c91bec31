//! `echoif evaluate`: what a cascade does on frames, EF asked against EF found; or what the published evaluation makes of
//! scores.

mod clips;
mod features;
mod looks;
mod scores;
mod sheet;
mod simulated;

use super::anatomies::AnatomyArgs;
use super::calibrate::Choice;
use crate::calibration::Asking;
use crate::edm::{Preset, Seed};
use crate::ef::EfPercent;
use crate::engine::{Generated, Pace, Request, generate};
use crate::media::region::Anatomy;
use crate::metrics::Measures;
use crate::nn::Interrupt;
use crate::statistics::asked::{Agreement, Readings, Spread};
use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde::Serialize;
use sheet::Sheet;
use simulated::Truth;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    echoif evaluate --frames frames/ --ef 20,40,60,75\n  \
    echoif evaluate --frames a.png b.dcm --seeds 3 --json\n  \
    echoif evaluate --simulated 24\n  \
    echoif evaluate --clips EchoNet-Dynamic --kind counterfactual --out scores.csv --shard 1/4\n  \
    echoif evaluate --scores scores1.csv scores2.csv --kind counterfactual --report scores.html\n  \
    echoif evaluate --features-of clips/ --fvd i3d.safetensors --out seen/\n\n\
    All EFs of an anatomy start from the same noise; nothing is chosen. Outline: disks on the outline that \
    the cascade gives. Tracked: its outline at end-diastole, followed through the frames by optical flow, \
    disks again; it reads low even of exact motion. Measured: the regressor. Of simulated hearts, \
    exact: what the tracker reads of the heart's own motion; wall: pixels of 112 by which the cascade's motion is off \
    in the left ventricle's wall. Haze: gray levels by which the \
    cavity is brighter at end-systole. Detail: SD of the Laplacian inside the sector. R2 and MAE are against \
    the EF asked; rises is the share of anatomies in which every step up reads higher. Intervals: bootstrap \
    over anatomies.\n\n\
    Scores: FileName,GT EF,Gen EF,Ref EF,SSIM,LPIPS, EFs in percent, of which the first three are needed. Every \
    sample counts in *single shot*; *best of* takes each file's best, as the published tables do.")]
pub struct Args {
    #[command(flatten)]
    models: super::ModelArgs,
    #[command(flatten)]
    anatomies: AnatomyArgs,
    /// CSVs of scores, one row a sample, in the published columns; instead of frames.
    #[arg(long, value_name = "CSV", num_args = 1.., conflicts_with_all = ["frames", "simulated", "picture", "card"])]
    scores: Vec<PathBuf>,
    /// What clips are asked for, or were, so that the published figures stand beside.
    #[arg(long, value_name = "KIND", conflicts_with_all = ["frames", "simulated"])]
    kind: Option<scores::Kind>,
    #[command(flatten)]
    protocol: clips::ClipArgs,
    #[command(flatten)]
    looks: looks::LookArgs,
    /// Features of recorded and of generated pictures or clips, instead of frames: two safetensors files of one tensor
    /// each, a feature a row, or two folders of such files. Prints their Fréchet distance: FID, FVD.
    #[arg(long, num_args = 2, value_names = ["RECORDED", "GENERATED"], conflicts_with_all = ["frames", "simulated", "picture", "card", "scores"])]
    features: Vec<PathBuf>,
    /// Write the figures of the scores as a page, beside the published ones.
    #[arg(long, value_name = "HTML", conflicts_with_all = ["frames", "simulated"])]
    report: Option<PathBuf>,
    /// Requested EFs, in percent, rising.
    #[arg(long, value_delimiter = ',', default_values_t = [20.0, 40.0, 60.0, 75.0])]
    ef: Vec<f64>,
    /// Seeds of each anatomy, from 0.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// preview, balanced or paper.
    #[arg(long, default_value = "balanced")]
    preset: Preset,
    /// Open mitral valves by rule, where the frame shows a closed one.
    #[arg(long)]
    leaflets: bool,
    /// Ask by the cascade's calibration.
    #[arg(long, conflicts_with_all = ["clips", "scores", "features", "card"])]
    calibrated: bool,
    /// Write a contact sheet of the first anatomies, with their outlines, as PNG. It shows the frames.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Print the figures in the form of a card (`card.yaml`), as those of anatomies of this kind, such as
    /// recorded_unseen.
    #[arg(long, value_name = "KIND", conflicts_with = "json")]
    card: Option<String>,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Anatomies of the contact sheet.
const SHEET: usize = 6;

/// One cine's readings, by the names of [`NAMES`].
type Row = [Option<f64>; 8];

const NAMES: [&str; 8] = [
    "outline",
    "tracked",
    "measured",
    "exact",
    "wall",
    "haze",
    "detail",
    "own detail",
];
/// Of them, those that are EFs.
const EFS: usize = 4;
/// Places of what is known of simulated hearts alone.
const EXACT: usize = 3;
const WALL: usize = 4;

#[derive(Serialize)]
struct Evaluation {
    cascade: String,
    cascade_sha256: String,
    regressor: String,
    regressor_sha256: String,
    device: String,
    preset: Preset,
    calibrated: bool,
    /// Simulated hearts as today's machines show them.
    compounded: bool,
    anatomies: usize,
    seeds: u64,
    requested_ef_percent: Vec<f64>,
    quantities: Vec<Quantity>,
    /// Files that could not be read, by number in the list.
    skipped: Vec<String>,
}

#[derive(Serialize)]
struct Quantity {
    name: &'static str,
    by_ef: Vec<Spread>,
    /// Against the EF requested; none of what is no EF.
    agreement: Option<Agreement>,
    /// One ladder an anatomy, seed after seed.
    each: Vec<Vec<Option<f64>>>,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    if let [recorded, generated] = args.features.as_slice() {
        return features::run([recorded, generated], args.json);
    }
    if let (Some(_), Some(out)) = (&args.looks.features_of, &args.protocol.out) {
        let part = (out.as_path(), args.protocol.shard, args.protocol.seed);
        return looks::run(&args.looks, &args.models.device, part);
    }
    ensure!(
        args.protocol.clips.is_some() || !args.looks.is_given(),
        "--fid and --fvd are for --clips and --features-of."
    );
    let told =
        |scores: &[PathBuf]| scores::run(scores, args.kind, args.report.as_deref(), args.json);
    if !args.scores.is_empty() {
        return told(&args.scores);
    }
    if args.protocol.clips.is_some() {
        let kind = args
            .kind
            .context("Give --kind: factual or counterfactual.")?;
        let asked = (kind, args.preset);
        return match clips::run(&args.protocol, &args.looks, asked, &args.models)? {
            Some(rows) => told(&[rows]),
            None => {
                eprintln!("No clip falls into this part.");
                Ok(())
            }
        };
    }
    let efs: Result<Vec<_>, _> = args.ef.iter().map(|&ef| EfPercent::new(ef)).collect();
    let efs = efs.map_err(|why| anyhow::anyhow!("{why}."))?;
    if !args.ef.windows(2).all(|w| w[0] < w[1]) {
        bail!("Give --ef rising, such as 20,40,60,75.");
    }
    let models = args.models.open()?;
    let (subjects, skipped) = args.anatomies.read()?;
    let mut pace = Pace::calibrate(&models.device.device)?;
    let total = subjects.len() as u64 * args.seeds * efs.len() as u64;
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let mut sheet = Sheet::default();
    let mut found: Vec<Vec<Row>> = Vec::new();
    for (i, subject) in subjects.iter().enumerate() {
        let anatomy = &subject.anatomy;
        let asking = if args.calibrated {
            Choice::On
        } else {
            Choice::Off
        };
        let curve = asking.curve(&models, subject.heart.is_some())?;
        let truths: Vec<Truth> = (subject.heart.iter())
            .flat_map(|heart| args.ef.iter().map(|&ef| Truth::of(heart, ef)))
            .collect();
        let exact: Vec<f64> = (truths.iter())
            .map(|truth| truth.tracked(anatomy))
            .collect::<Result<_, _>>()?;
        let gray = anatomy.gray_bytes();
        let mut rows = Vec::new();
        for seed in 0..args.seeds {
            let mut made = Vec::new();
            for (k, &ef) in efs.iter().enumerate() {
                // As many noises as anatomies: one alone would shift all of them together.
                let mut request = request(anatomy, ef, Seed(1000 * seed + i as u64), args);
                request.calibration = curve.clone().map(Asking::by);
                ensure!(
                    !args.calibrated || request.conditioning().is_some(),
                    "The calibration says nothing of these cines: it is of cines without --leaflets, and of the presets \
                     that sample as it was measured."
                );
                let cine = generate(&models, &request, &mut pace, &Interrupt::new(), &mut |_| {})?;
                let mut row = row(&cine, &gray);
                row[EXACT] = exact.get(k).copied();
                let motion = cine.cine.beating.as_ref().map(|b| b.motion());
                row[WALL] = truths.get(k).zip(motion).and_then(|(t, m)| t.wall_error(m));
                rows.push(row);
                made.push(cine);
                bar.inc(1);
            }
            if seed == 0 && i < SHEET && args.picture.is_some() {
                sheet.add(anatomy, &made);
            }
        }
        found.push(rows);
    }
    bar.finish_and_clear();
    let identity = (&models.cascade.identity, &models.regressor.identity);
    let evaluation = Evaluation {
        cascade: identity.0.in_files(),
        cascade_sha256: identity.0.sha256.clone(),
        regressor: identity.1.in_files(),
        regressor_sha256: identity.1.sha256.clone(),
        device: models.device.name.clone(),
        preset: args.preset,
        calibrated: args.calibrated,
        compounded: args.anatomies.compounded,
        anatomies: subjects.len(),
        seeds: args.seeds,
        requested_ef_percent: args.ef.clone(),
        quantities: quantities(&args.ef, &found),
        skipped,
    };
    if let Some(path) = &args.picture {
        sheet.write(path)?;
    }
    match (&args.card, args.json) {
        (Some(kind), _) => print!("{}", card(&evaluation, kind)),
        (None, true) => println!("{}", serde_json::to_string(&evaluation)?),
        (None, false) => table(&evaluation),
    }
    Ok(())
}

fn request(anatomy: &Arc<Anatomy>, ef: EfPercent, seed: Seed, args: &Args) -> Request {
    Request {
        preset: args.preset,
        leaflets: args.leaflets,
        seed,
        ..Request::new(anatomy.clone(), ef)
    }
}

fn row(cine: &Generated, anatomy: &[u8]) -> Row {
    let measured = Some(cine.provenance.measured_ef_percent);
    let Some(beating) = &cine.cine.beating else {
        return [None, None, measured, None, None, None, None, None];
    };
    let frames = cine.cine.video.gray_bytes();
    let m = Measures::of(&frames, beating.motion(), anatomy);
    [
        Some(m.outline),
        Some(m.tracked),
        measured,
        None,
        None,
        m.haze,
        m.detail,
        m.own_detail,
    ]
}

fn quantities(efs: &[f64], found: &[Vec<Row>]) -> Vec<Quantity> {
    let of = |(k, name): (usize, &'static str)| {
        let each: Vec<Vec<Option<f64>>> = found
            .iter()
            .map(|rows| rows.iter().map(|row| row[k]).collect())
            .collect();
        // What a cascade does not give at all is not told of.
        if each.iter().flatten().all(Option::is_none) {
            return None;
        }
        let numbers = |row: &Vec<Option<f64>>| row.iter().map(|v| v.unwrap_or(f64::NAN)).collect();
        let readings = Readings::new(efs.to_vec(), each.iter().map(numbers).collect())?;
        Some(Quantity {
            name,
            by_ef: readings.by_ef(),
            agreement: if k < EFS { readings.agreement(0) } else { None },
            each,
        })
    };
    NAMES.into_iter().enumerate().filter_map(of).collect()
}

fn table(e: &Evaluation) {
    println!(
        "{} on {}, measured by {}: {} {}anatomies, {} seed{}, {}{}\n",
        e.cascade,
        e.device,
        e.regressor,
        e.anatomies,
        if e.compounded { "compounded " } else { "" },
        e.seeds,
        if e.seeds == 1 { "" } else { "s" },
        e.preset,
        if e.calibrated { ", calibrated" } else { "" }
    );
    println!("Mean (SD) by EF asked");
    let head: String = e
        .requested_ef_percent
        .iter()
        .map(|ef| format!("{ef:>15}"))
        .collect();
    println!("{:12}{head}", "");
    for q in &e.quantities {
        let row = q
            .by_ef
            .iter()
            .map(|s| format!("{:>15}", format!("{:.1} ({:.1})", s.mean, s.sd)));
        println!("{:12}{}", q.name, row.collect::<String>());
    }
    println!();
    let columns = ["slope", "intercept", "R2", "MAE", "rises"];
    println!("{:12}{}", "", columns.map(|c| format!("{c:>26}")).concat());
    for q in &e.quantities {
        let Some(a) = &q.agreement else { continue };
        let figures = [
            a.slope,
            a.intercept,
            a.r_squared,
            a.mean_absolute_error,
            a.rises,
        ];
        let text = figures.map(|f| {
            let text = format!("{:.2} ({:.2} to {:.2})", f.value, f.low, f.high);
            format!("{text:>26}")
        });
        println!("{:12}{}", q.name, text.concat());
    }
}

/// The figures as `card.yaml` has them.
fn card(e: &Evaluation, kind: &str) -> String {
    let list = |values: Vec<f64>| {
        let text: Vec<String> = values.iter().map(|v| format!("{v:.1}")).collect();
        format!("[{}]", text.join(", "))
    };
    let mut text = format!(
        "# {} {}anatomies of the kind {kind}, {} seeds\n",
        e.anatomies,
        if e.compounded { "compounded " } else { "" },
        e.seeds
    );
    for q in &e.quantities {
        let means = list(q.by_ef.iter().map(|s| s.mean).collect());
        let sds = list(q.by_ef.iter().map(|s| s.sd).collect());
        match &q.agreement {
            Some(a) => {
                let line = |x: f64| a.slope.value * x + a.intercept.value;
                let pairs = q
                    .each
                    .iter()
                    .flat_map(|ladder| ladder.iter().zip(e.requested_ef_percent.iter().cycle()));
                let left: Vec<f64> = pairs.filter_map(|(v, &x)| Some((*v)? - line(x))).collect();
                let sd =
                    (left.iter().map(|v| v * v).sum::<f64>() / left.len().max(1) as f64).sqrt();
                text += &format!(
                    "requested_against_{}:\n  {kind}: {{anatomies: {}, cines: {}, requested: {:?}, mean: {means}, \
                     sd: {sds}, slope: {:.3}, intercept: {:.2}, residual_sd: {sd:.2}, r2: {:.3}, mae: {:.2}, \
                     rises: {:.3}}}\n",
                    q.name,
                    e.anatomies,
                    left.len(),
                    e.requested_ef_percent,
                    a.slope.value,
                    a.intercept.value,
                    a.r_squared.value,
                    a.mean_absolute_error.value,
                    a.rises.value,
                );
            }
            None => {
                let name = q.name.replace(' ', "_");
                text += &format!("{name}:\n  {kind}: {{mean: {means}, sd: {sds}}}\n");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cascade_does_not_give_is_not_told() {
        let rows = |shift: f64| -> Vec<Row> {
            [20.0, 40.0]
                .map(|ef| [None, None, Some(ef + shift), None, None, None, None, None])
                .to_vec()
        };
        let told = quantities(&[20.0, 40.0], &[rows(1.0), rows(-1.0)]);
        assert_eq!(told.len(), 1);
        let agreement = told[0].agreement.unwrap();
        assert!((agreement.slope.value - 1.0).abs() < 1e-9);
        assert!((agreement.mean_absolute_error.value - 1.0).abs() < 1e-9);
    }
}
