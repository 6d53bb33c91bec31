//! `echoif evaluate --clips`: the published protocol (Reynaud et al., MICCAI 2023), one row a sample.
//!
//! A window of each recorded clip, from a random frame on; one of its frames, by chance, is the anatomy. The EF that is
//! asked for is the clip's own, or one by chance that stays the same over a clip's samples. Window, anatomy and noise are
//! other ones in each sample. Everything follows from the seed, the clip's place in its list and the sample's number: parts
//! that are made apart are the rows of the whole.

use super::looks::{self, LookArgs, Looks, Origin};
use super::scores::Kind;
use crate::checkpoint::SafetensorsSource;
use crate::clip::resample::with_channels;
use crate::clip::{FrameRate, Video};
use crate::dataset::{Shard, Split};
use crate::edm::{Preset, Seed};
use crate::ef::EfPercent;
use crate::engine::{Models, Pace, Request, generate};
use crate::files::{Log, write_atomically};
use crate::hash::sha256;
use crate::measure::{TimeBase, measure};
use crate::media::region::Anatomy;
use crate::metrics::look::Distance;
use crate::metrics::{Lpips, ssim};
use crate::models::i3d::FRAMES;
use crate::nn::{Interrupt, Params, ResizeMode, resize};
use crate::train::clips::{Clips, Entry, Window};
use crate::train::dice::Dice;
use anyhow::{Context, bail, ensure};
use candle_core::{Device, Tensor};
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Args)]
pub struct ClipArgs {
    /// EchoNet-Dynamic's folder (FileList.csv, Videos), or one with a CSV of the columns file and ef_percent; instead of
    /// frames. The published protocol: one row a sample, in --out.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["frames", "simulated", "picture", "card", "scores", "features"], requires = "out")]
    pub clips: Option<PathBuf>,
    /// Of EchoNet-Dynamic: TRAIN, VAL or TEST.
    #[arg(long, default_value_t = Split::Val)]
    split: Split,
    /// Samples of each clip.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    samples: u64,
    /// Of the windows, the anatomies, the EFs and the noise.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Where the rows go, a CSV; with --features-of, the folder of features. What is there is gone on with.
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Part i of n: the clips whose names fall into it.
    #[arg(long, value_name = "I/N", default_value_t = Shard::WHOLE)]
    pub shard: Shard,
    /// LPIPS's weights as safetensors: torchvision's VGG-16 (features.0.weight ..) and lin0.weight to lin4.weight.
    #[arg(long, value_name = "FILE")]
    lpips: Option<PathBuf>,
}

const HEAD: &str = "FileName,GT EF,Gen EF,Ref EF,SSIM,LPIPS";

/// EFs that are asked for by chance, shares, as published.
const COUNTERFACTUAL: [f64; 2] = [0.15, 0.85];

/// Of a cascade whose clips are one beat: frames and frames a second of what its regressor reads of the recorded clip.
const BESIDE_A_BEAT: (usize, f64) = (64, 32.0);

/// What the rows depend on.
#[derive(Serialize)]
struct Settings<'a> {
    kind: Kind,
    split: Split,
    samples: u64,
    seed: u64,
    shard: String,
    preset: Preset,
    cascade_sha256: &'a str,
    regressor_sha256: &'a str,
    lpips_sha256: Option<&'a str>,
    fid_sha256: Option<&'a str>,
    fvd_sha256: Option<&'a str>,
    /// Of the clips' names and EFs, in their order.
    list: String,
}

struct Protocol<'a> {
    args: &'a ClipArgs,
    kind: Kind,
    preset: Preset,
    models: &'a Models,
    clips: &'a Clips,
    lpips: Option<Lpips>,
    looks: &'a Looks,
    /// Where what they see is kept.
    features: PathBuf,
    /// Of the windows.
    shape: (usize, f64),
}

/// Makes the rows that are missing. Where they are, unless no clip falls into this part.
pub fn run(
    args: &ClipArgs,
    look_args: &LookArgs,
    (kind, preset): (Kind, Preset),
    models: &crate::cli::ModelArgs,
) -> anyhow::Result<Option<PathBuf>> {
    let (Some(folder), Some(out)) = (&args.clips, &args.out) else {
        bail!("Give --clips and --out.");
    };
    let clips = Clips::of_split(folder, args.split.name())?;
    let Clips::Recorded(entries) = &clips else {
        bail!("{} holds no recorded clips.", folder.display());
    };
    let lpips = args.lpips.as_deref().map(lpips_of).transpose()?;
    let models = models.open()?;
    let features = look_args.folder(out);
    let looks = look_args.open(&models.device.device)?;
    let config = &models.cascade.cascade.config;
    let beat = config.beat_normalised;
    if beat && lpips.is_some() {
        bail!(
            "This cascade's clips are one beat, which no recorded window can be laid beside: --lpips has no meaning here."
        );
    }
    if beat && looks.has(Distance::Fvd) {
        bail!(
            "This cascade's clips are one beat, whatever its duration, and recorded windows are not: --fvd has no meaning \
             here. --fid has."
        );
    }
    let shape = match config.stages.last() {
        Some(stage) if !beat => (stage.frames, config.fps),
        _ => BESIDE_A_BEAT,
    };
    let settings = Settings {
        kind,
        split: args.split,
        samples: args.samples,
        seed: args.seed,
        shard: args.shard.to_string(),
        preset,
        cascade_sha256: &models.cascade.identity.sha256,
        regressor_sha256: &models.regressor.identity.sha256,
        lpips_sha256: lpips.as_ref().map(|(_, hash)| hash.as_str()),
        fid_sha256: looks.sha256(Distance::Fid),
        fvd_sha256: looks.sha256(Distance::Fvd),
        list: list_of(entries),
    };
    let settings = serde_json::to_value(&settings)?;
    if looks.has(Distance::Fvd) && shape.0 < FRAMES {
        bail!(
            "This cascade's clips have {} frames, and FVD is of {FRAMES}: --fvd has no meaning here. --fid has.",
            shape.0
        );
    }
    let kept_before = looks::is_begun(&features);
    let (mut log, mut done) = begin(out, &settings)?;
    if !looks.is_empty() {
        ensure!(
            kept_before || done.is_empty(),
            "{} has rows, and the features of their clips are not in {}. Name that folder, or another --out.",
            out.display(),
            features.display()
        );
        // Of all parts the same.
        let mut of_all = settings.clone();
        if let Some(all) = of_all.as_object_mut() {
            all.remove("shard");
        }
        looks::begin(&features, &of_all)?;
    }
    if beat {
        eprintln!(
            "This cascade's clips are one beat: SSIM and LPIPS with a recorded window are left out."
        );
    }
    let protocol = Protocol {
        args,
        kind,
        preset,
        models: &models,
        clips: &clips,
        lpips: lpips.map(|(lpips, _)| lpips),
        looks: &looks,
        features,
        shape,
    };
    let published = folder.join("FileList.csv").is_file();
    let names: Vec<String> = (0..entries.len())
        .map(|i| name(&entries[i], i, published))
        .collect();
    let own: Vec<usize> = (0..names.len())
        .filter(|i| args.shard.has(&names[*i]))
        .collect();
    let total = own.len() as u64 * args.samples;
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let mut pace = Pace::calibrate(&models.device.device)?;
    for sample in 0..args.samples {
        for &i in &own {
            let rows = done.entry(names[i].clone()).or_default();
            if *rows <= sample {
                let row = protocol.row(&names[i], (sample, i), &mut pace)?;
                log.append(&row)
                    .with_context(|| format!("{} cannot be written", out.display()))?;
                *rows += 1;
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    looks.tell(&protocol.features);
    Ok((!own.is_empty()).then(|| out.clone()))
}

/// EchoNet-Dynamic's public name; of other clips, whose files may be named after patients, the number in their list.
fn name(entry: &Entry, i: usize, published: bool) -> String {
    let stem = entry.path.file_stem().filter(|_| published);
    stem.map_or_else(
        || format!("{:06}", i + 1),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

/// Where another clip or EF stands, all that follows from a clip's place is another's.
fn list_of(entries: &[Entry]) -> String {
    let lines = entries.iter().map(|entry| {
        let name = entry.path.file_name().unwrap_or_default();
        format!("{} {}\n", name.to_string_lossy(), entry.ef)
    });
    sha256(lines.collect::<String>().as_bytes())
}

fn lpips_of(path: &Path) -> anyhow::Result<(Lpips, String)> {
    let bytes =
        std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let source = SafetensorsSource::new(&bytes, path.display().to_string())
        .map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    let (lpips, _) = Params::load(&source, &Device::Cpu, Lpips::new)
        .map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    Ok((lpips, sha256(&bytes)))
}

/// The rows' file, begun or gone on with, and how many rows each clip has. What they depend on lies beside it.
fn begin(out: &Path, settings: &Value) -> anyhow::Result<(Log, HashMap<String, u64>)> {
    let beside = out.with_extension("settings.json");
    let unwritable = || format!("{} cannot be written", out.display());
    let lines = || Log::lines(out).with_context(|| format!("{} cannot be read", out.display()));
    // Before it is opened to be written: somebody's file stays as it is.
    match lines()?.first() {
        None => {
            let text = serde_json::to_string_pretty(settings)?;
            write_atomically(&beside, text.as_bytes()).with_context(unwritable)?;
        }
        Some(head) if *head == HEAD => {
            let text = crate::files::read_text(&beside).with_context(|| {
                format!(
                    "{} is there, and {} is not: it cannot be gone on with. Name another --out.",
                    out.display(),
                    beside.display()
                )
            })?;
            let before: Value = serde_json::from_str(&text).unwrap_or(json!(null));
            let other = settings
                .as_object()
                .into_iter()
                .flatten()
                .find(|(name, value)| before[name.as_str()] != **value);
            if let Some((name, _)) = other {
                bail!(
                    "{} was begun with another {}. Go on as it was begun, or name another --out.",
                    out.display(),
                    name.replace('_', " ")
                );
            }
        }
        Some(_) => bail!(
            "{} is there and holds something else. Name another --out.",
            out.display()
        ),
    }
    let mut log = Log::open_alone(out)
        .with_context(unwritable)?
        .with_context(|| format!("Another program writes {}.", out.display()))?;
    // Now that nobody else writes it.
    let rows = lines()?;
    if rows.is_empty() {
        log.append(HEAD).with_context(unwritable)?;
    }
    let mut done: HashMap<String, u64> = HashMap::new();
    for line in rows.iter().skip(1) {
        let name = line.split(',').next().unwrap_or_default().to_owned();
        *done.entry(name).or_default() += 1;
    }
    Ok((log, done))
}

impl Protocol<'_> {
    /// Sample `sample` of clip `i`.
    fn row(
        &self,
        name: &str,
        (sample, i): (u64, usize),
        pace: &mut Pace,
    ) -> anyhow::Result<String> {
        let go = Interrupt::new();
        let channels = self.models.cascade.cascade.config.channels();
        let number = sample * self.clips.len() as u64 + i as u64;
        let Window {
            video, cond, ef, ..
        } = self
            .clips
            .window(self.args.seed, number, self.shape, channels)?;
        let recorded = Video::from_tensor(&video.squeeze(0)?)?;
        let rate = FrameRate::new(self.shape.1).context("This cascade's rate is none.")?;
        let reference = measure(&self.models.regressor, &recorded, TimeBase::Rate(rate), &go)?;

        let asked = match self.kind {
            Kind::Factual => ef,
            // Behind all windows; the same in each of a clip's samples.
            Kind::Counterfactual => {
                Dice::new(self.args.seed, (1 << 62) | i as u64).within(COUNTERFACTUAL)
            }
        };
        let noise = Dice::new(self.args.seed, (1 << 61) | number).number();
        let request = Request {
            preset: self.preset,
            seed: Seed(noise),
            ..Request::new(
                Arc::new(anatomy(&cond)?),
                EfPercent::measured(100.0 * asked),
            )
        };
        let made = generate(self.models, &request, pace, &go, &mut |_| {})?;
        let (ssim, lpips) = match self.models.cascade.cascade.config.beat_normalised {
            true => (None, None),
            false => self.alike(&made.cine.video, &recorded, &go)?,
        };
        let cine = &made.cine.video;
        for (video, origin) in [(&recorded, Origin::Recorded), (cine, Origin::Generated)] {
            // Before the row: what has a row is not made again.
            let part = format!("{name}-{}", sample + 1);
            let numbers = (number, self.args.seed);
            self.looks
                .keep((video, origin), numbers, (&self.features, &part))?;
        }
        let some = |value: Option<f64>| value.map_or(String::new(), |v| v.to_string());
        Ok(format!(
            "{name},{},{},{},{},{}",
            100.0 * asked,
            made.provenance.measured_ef_percent,
            reference.measured_ef_percent,
            some(ssim),
            some(lpips)
        ))
    }

    /// SSIM and LPIPS; the generated clip comes to the recorded one's shape, as published.
    fn alike(
        &self,
        made: &Video,
        recorded: &Video,
        go: &Interrupt,
    ) -> anyhow::Result<(Option<f64>, Option<f64>)> {
        let of = |v: &Video| (v.frames, v.height, v.width);
        let mut clip = with_channels(&made.to_tensor()?, recorded.channels)?;
        if of(made) != of(recorded) {
            let (f, h, w) = of(recorded);
            clip = resize(&clip, ResizeMode::Trilinear, f, h, w)?;
        }
        let made = Video::from_tensor(&clip.squeeze(0)?)?;
        let lpips = match &self.lpips {
            None => None,
            Some(lpips) => {
                let each = lpips.of_frames(&made, recorded, go)?;
                Some(each.iter().sum::<f64>() / each.len().max(1) as f64)
            }
        };
        Ok((ssim(&made, recorded), lpips))
    }
}

/// Of a frame `[1, c, 112, 112]` in 0..1.
fn anatomy(cond: &Tensor) -> anyhow::Result<Anatomy> {
    let frame = Video::from_tensor(&cond.squeeze(0)?.unsqueeze(1)?)?;
    let frame = frame.gray_frame(0);
    let whole = crate::media::region::Square::centred(frame.width, frame.height);
    Ok(Anatomy::from_frame(&frame, &whole.into())?)
}
