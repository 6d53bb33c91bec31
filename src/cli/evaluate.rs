//! `echoif evaluate`: what a cascade does on frames, EF asked against EF found.

use super::wanted::Taken;
use crate::clip::{Frame, Pixels};
use crate::edm::{Preset, Seed};
use crate::ef::EfPercent;
use crate::engine::{Generated, Pace, Provenance, Request, generate};
use crate::media::export;
use crate::media::region::{Anatomy, SIDE};
use crate::metrics::Measures;
use crate::nn::Interrupt;
use crate::statistics::asked::{Agreement, Readings, Spread};
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    echoif evaluate --frames frames/ --ef 20,40,60,75\n  \
    echoif evaluate --frames a.png b.dcm --seeds 3 --json\n\n\
    All EFs of an anatomy start from the same noise; nothing is chosen. Outline: disks on the outline that \
    the cascade gives. Tracked: its outline at end-diastole, followed through the frames by optical flow, \
    disks again; it reads low even of exact motion. Measured: the regressor. Haze: gray levels by which the \
    cavity is brighter at end-systole. Detail: SD of the Laplacian inside the sector. R2 and MAE are against \
    the EF asked; rises is the share of anatomies in which every step up reads higher. Intervals: bootstrap \
    over anatomies.")]
pub struct Args {
    #[command(flatten)]
    models: super::ModelArgs,
    /// Anatomies: a folder, or files. DICOM, PNG, JPEG, or the first frame of a clip.
    #[arg(long, num_args = 1.., required = true)]
    frames: Vec<PathBuf>,
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
type Row = [Option<f64>; 6];

const NAMES: [&str; 6] = [
    "outline",
    "tracked",
    "measured",
    "haze",
    "detail",
    "own detail",
];
/// Of them, those that are EFs.
const EFS: usize = 3;

#[derive(Serialize)]
struct Evaluation {
    cascade: String,
    cascade_sha256: String,
    regressor: String,
    regressor_sha256: String,
    device: String,
    preset: Preset,
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
    let efs: Result<Vec<_>, _> = args.ef.iter().map(|&ef| EfPercent::new(ef)).collect();
    let efs = efs.map_err(|why| anyhow::anyhow!("{why}."))?;
    if !args.ef.windows(2).all(|w| w[0] < w[1]) {
        bail!("Give --ef rising, such as 20,40,60,75.");
    }
    let models = args.models.open()?;
    let mut skipped = Vec::new();
    let mut anatomies = Vec::new();
    for path in files(&args.frames)? {
        match Taken::from(&path) {
            Ok(taken) => anatomies.push(Arc::new(taken.anatomy)),
            Err(why) => skipped.push(format!("{why:#}")),
        }
    }
    for why in &skipped {
        eprintln!("Left out: {why}");
    }
    if anatomies.is_empty() {
        bail!("None of these files is a frame that can be read.");
    }
    let mut pace = Pace::calibrate(&models.device.device)?;
    let total = anatomies.len() as u64 * args.seeds * efs.len() as u64;
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let mut sheet = Sheet::default();
    let mut found: Vec<Vec<Row>> = Vec::new();
    for (i, anatomy) in anatomies.iter().enumerate() {
        let gray = anatomy.gray_bytes();
        let mut rows = Vec::new();
        for seed in 0..args.seeds {
            let mut made = Vec::new();
            for &ef in &efs {
                // As many noises as anatomies: one alone would shift all of them together.
                let request = request(anatomy, ef, Seed(1000 * seed + i as u64), args);
                let cine = generate(&models, &request, &mut pace, &Interrupt::new(), &mut |_| {})?;
                rows.push(row(&cine, &gray));
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
        anatomies: anatomies.len(),
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

/// The files that are meant: those of a folder in order of name.
fn files(given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in given {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path)
            .with_context(|| format!("{} cannot be listed", path.display()))?;
        let mut inside: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|p| p.is_file() && p.extension().is_none_or(|e| e != "json" && e != "csv"))
            .collect();
        inside.sort();
        all.extend(inside);
    }
    Ok(all)
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
        return [None, None, measured, None, None, None];
    };
    let frames = cine.cine.video.gray_bytes();
    let m = Measures::of(&frames, beating.motion(), anatomy);
    [
        Some(m.outline),
        Some(m.tracked),
        measured,
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
        "{} on {}, measured by {}: {} anatomies, {} seed{}, {}\n",
        e.cascade,
        e.device,
        e.regressor,
        e.anatomies,
        e.seeds,
        if e.seeds == 1 { "" } else { "s" },
        e.preset
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
        "# {} anatomies of the kind {kind}, {} seeds\n",
        e.anatomies, e.seeds
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

/// Frames of the first anatomies, at end-diastole and end-systole.
#[derive(Default)]
struct Sheet {
    rows: Vec<Vec<Frame>>,
    provenance: Option<Provenance>,
}

/// Pixels of the sheet along one of a frame.
const ENLARGED: usize = 2;

impl Sheet {
    fn add(&mut self, anatomy: &Anatomy, made: &[Generated]) {
        let mut tiles = vec![tile(&anatomy.gray_bytes(), &[])];
        for cine in made {
            let p = &cine.provenance;
            for frame in [
                p.ed_frame.unwrap_or(0),
                p.es_frame.unwrap_or(cine.cine.video.frames / 3),
            ] {
                let Pixels::Gray(levels) = cine.cine.video.gray_frame(frame).pixels else {
                    continue;
                };
                let share = frame as f64 / cine.cine.video.frames.max(1) as f64;
                let beating = cine.cine.beating.as_ref();
                tiles.push(tile(
                    &levels,
                    &beating.map_or(Vec::new(), |b| b.outline_at(share)),
                ));
            }
        }
        self.rows.push(tiles);
        self.provenance = made.first().map(|m| m.provenance.clone());
    }

    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let provenance = self
            .provenance
            .as_ref()
            .context("Nothing was made to be shown.")?;
        let side = ENLARGED * SIDE;
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let (width, height) = (columns * side, self.rows.len() * side);
        let mut pixels = vec![0u8; width * height];
        for (r, row) in self.rows.iter().enumerate() {
            for (c, tile) in row.iter().enumerate() {
                for y in 0..side {
                    for x in 0..side {
                        pixels[(r * side + y) * width + c * side + x] = tile.rgb(x, y)[0];
                    }
                }
            }
        }
        let frame = Frame {
            width,
            height,
            pixels: Pixels::Gray(pixels),
        };
        let words = "Anatomy, then each EF at end-diastole and end-systole";
        let picture = export::Picture {
            frame: &frame,
            words: &[words.into()],
            provenance,
            rungs: &[],
            anatomy: None,
        };
        export::write_picture(&picture, path)?;
        Ok(())
    }
}

/// A frame, enlarged, with an outline in shares of the picture.
fn tile(levels: &[u8], outline: &[[f32; 2]]) -> Frame {
    let side = ENLARGED * SIDE;
    let level = |x: usize, y: usize| levels.get(y * SIDE + x).copied().unwrap_or(0);
    let mut pixels: Vec<u8> = (0..side * side)
        .map(|i| level(i % side / ENLARGED, i / side / ENLARGED))
        .collect();
    let ends = outline.iter().zip(outline.iter().cycle().skip(1));
    for (a, b) in ends {
        const STEPS: usize = 8;
        for k in 0..STEPS {
            let share = k as f32 / STEPS as f32;
            let at = [0, 1].map(|i| ((a[i] + share * (b[i] - a[i])) * side as f32) as usize);
            if let Some(pixel) = pixels.get_mut(at[1] * side + at[0].min(side - 1)) {
                *pixel = 255;
            }
        }
    }
    Frame {
        width: side,
        height: side,
        pixels: Pixels::Gray(pixels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cascade_does_not_give_is_not_told() {
        let rows = |shift: f64| -> Vec<Row> {
            [20.0, 40.0]
                .map(|ef| [None, None, Some(ef + shift), None, None, None])
                .to_vec()
        };
        let told = quantities(&[20.0, 40.0], &[rows(1.0), rows(-1.0)]);
        assert_eq!(told.len(), 1);
        let agreement = told[0].agreement.unwrap();
        assert!((agreement.slope.value - 1.0).abs() < 1e-9);
        assert!((agreement.mean_absolute_error.value - 1.0).abs() < 1e-9);
    }
}
