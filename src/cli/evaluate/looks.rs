//! `echoif evaluate --fid --fvd`: what these distances' networks see in clips, kept as features, a file a clip.

use crate::cli::DeviceArgs;
use crate::cli::anatomies::files;
use crate::clip::Video;
use crate::clip::resample::to_size;
use crate::dataset::Shard;
use crate::files::{read_text, write_atomically};
use crate::hash::sha256;
use crate::media::{self, region};
use crate::metrics::look::{Distance, Look, open};
use crate::models::i3d;
use crate::nn::Interrupt;
use crate::train::clips::SIDE;
use crate::train::dice::Dice;
use anyhow::{Context, bail, ensure};
use candle_core::Device;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct LookArgs {
    /// A folder of clips, instead of frames: what a network sees in each of them, as features in the folder --out.
    #[arg(long, value_name = "FOLDER", requires = "out", conflicts_with_all = ["frames", "simulated", "picture", "card", "scores", "features", "clips"])]
    pub features_of: Option<PathBuf>,
    /// Inception-v3's weights as safetensors, with --clips or --features-of: the features that FID is of.
    #[arg(long, value_name = "FILE")]
    fid: Option<PathBuf>,
    /// I3D's weights as safetensors, with --clips or --features-of: the features that FVD is of.
    #[arg(long, value_name = "FILE")]
    fvd: Option<PathBuf>,
    /// With --clips: the folder that features are kept in, one for all parts; beside --out without it.
    #[arg(long, value_name = "FOLDER", requires = "clips")]
    features_to: Option<PathBuf>,
}

/// Clips that FVD is of at most, and generated frames that FID is, as published.
const CLIPS: u64 = 2048;
const FRAMES: u64 = 50_000;

/// Beside the features: what they depend on.
const SETTINGS: &str = "settings.json";

/// Of a clip.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Recorded,
    Generated,
}

/// The networks that were asked for.
pub struct Looks(Vec<(Look, String)>);

impl LookArgs {
    /// Whether something is asked for that only some commands do.
    pub fn is_given(&self) -> bool {
        self.fid.is_some() || self.fvd.is_some()
    }

    /// Where the features of rows in `out` lie.
    pub fn folder(&self, out: &Path) -> PathBuf {
        let own = self.features_to.clone();
        own.unwrap_or_else(|| out.with_extension("features"))
    }

    pub fn open(&self, device: &Device) -> anyhow::Result<Looks> {
        let asked = [(Distance::Fid, &self.fid), (Distance::Fvd, &self.fvd)];
        let asked = asked
            .into_iter()
            .filter_map(|(d, f)| Some((d, f.as_ref()?)));
        let opened = asked.map(|(d, file)| open(d, file, device).map_err(anyhow::Error::msg));
        Ok(Looks(opened.collect::<Result<_, _>>()?))
    }
}

impl Looks {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, distance: Distance) -> bool {
        self.0.iter().any(|(look, _)| look.distance() == distance)
    }

    /// Of the weights' file.
    pub fn sha256(&self, distance: Distance) -> Option<&str> {
        let one = (self.0.iter()).find(|(look, _)| look.distance() == distance);
        one.map(|(_, hash)| hash.as_str())
    }

    /// Where the features of a distance lie in `folder`.
    pub fn folder(folder: &Path, distance: Distance, origin: Origin) -> PathBuf {
        let of = match origin {
            Origin::Recorded => "recorded",
            Origin::Generated => "generated",
        };
        folder.join(distance.name().to_lowercase()).join(of)
    }

    /// Looks at clip `number` and keeps what is seen in it as `name`, as far as published figures go. The frame that I3D
    /// begins at follows from `seed` and the number.
    pub fn keep(
        &self,
        (video, origin): (&Video, Origin),
        (number, seed): (u64, u64),
        (folder, name): (&Path, &str),
    ) -> anyhow::Result<()> {
        for (look, _) in &self.0 {
            let distance = look.distance();
            let enough = match (distance, origin) {
                (Distance::Fvd, _) => number >= CLIPS,
                (Distance::Fid, Origin::Generated) => number * video.frames as u64 >= FRAMES,
                (Distance::Fid, Origin::Recorded) => false,
            };
            if !enough {
                let to = Self::folder(folder, distance, origin);
                keep(look, video, first_of(video, seed, number), &to, name)?;
            }
        }
        Ok(())
    }

    /// What makes distances of the features in `folder`.
    pub fn tell(&self, folder: &Path) {
        for (look, _) in &self.0 {
            let of = |origin| Self::folder(folder, look.distance(), origin);
            eprintln!(
                "{}, when all parts are there: echoif evaluate --features {} {}",
                look.distance().name(),
                of(Origin::Recorded).display(),
                of(Origin::Generated).display()
            );
        }
    }
}

/// The frame that I3D's 16 begin at, by chance.
fn first_of(video: &Video, seed: u64, number: u64) -> usize {
    let places = video.frames.saturating_sub(i3d::FRAMES) + 1;
    Dice::new(seed, (1 << 60) | number).below(places)
}

/// False where the clip is too short.
fn keep(look: &Look, video: &Video, first: usize, to: &Path, name: &str) -> anyhow::Result<bool> {
    let Some(seen) = look.at(video, first, &Interrupt::new())? else {
        return Ok(false);
    };
    let tensor = look.distance().tensor();
    let file = safetensors::serialize([(tensor, &seen.to_device(&Device::Cpu)?)], None)?;
    let path = to.join(format!("{name}.safetensors"));
    std::fs::create_dir_all(to)
        .and_then(|()| write_atomically(&path, &file))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(true)
}

/// `--features-of`: of the clips of a folder, a file each, named by their number, since they may be named after patients.
/// What is there is not made again.
pub fn run(
    args: &LookArgs,
    device: &DeviceArgs,
    (out, shard, seed): (&Path, Shard, u64),
) -> anyhow::Result<()> {
    let folder = args.features_of.as_deref().context("Give --features-of.")?;
    let device = device.open()?;
    let looks = args.open(&device.device)?;
    let [(look, hash)] = looks.0.as_slice() else {
        bail!("Give --fid or --fvd, the weights of the network that is to look.");
    };
    ensure!(folder.is_dir(), "{} is no folder.", folder.display());
    let clips = files(&[folder.to_owned()])?;
    ensure!(!clips.is_empty(), "{} holds no clips.", folder.display());
    let names = clips.iter().filter_map(|clip| clip.file_name());
    let list: String = names
        .map(|n| format!("{}\n", n.to_string_lossy()))
        .collect();
    begin(
        out,
        &json!({
            "features": look.distance().tensor(),
            "weights_sha256": hash,
            "seed": seed,
            "list": sha256(list.as_bytes()),
        }),
    )?;
    let most = match look.distance() {
        Distance::Fid => clips.len(),
        Distance::Fvd => clips.len().min(CLIPS as usize),
    };
    let own: Vec<(usize, String)> = (0..most)
        .map(|i| (i, format!("{:06}", i + 1)))
        .filter(|(_, name)| shard.has(name))
        .collect();
    let bar = ProgressBar::with_draw_target(Some(own.len() as u64), ProgressDrawTarget::stderr());
    let mut left_out = Vec::new();
    for (i, name) in &own {
        bar.inc(1);
        if out.join(format!("{name}.safetensors")).is_file() {
            continue;
        }
        let Some(video) = read(&clips[*i]) else {
            left_out.push(format!("{name} cannot be read"));
            continue;
        };
        let first = first_of(&video, seed, *i as u64);
        if !keep(look, &video, first, out, name)? {
            left_out.push(format!("{name} has less than {} frames", i3d::FRAMES));
        }
    }
    bar.finish_and_clear();
    eprintln!(
        "Features of {} of {} clips are in {}.",
        own.len() - left_out.len(),
        own.len(),
        out.display()
    );
    for why in &left_out {
        eprintln!("Left out: {why} (numbers are of the folder's list, in order of name).");
    }
    Ok(())
}

/// Whether features were kept in a folder before.
pub fn is_begun(folder: &Path) -> bool {
    folder.join(SETTINGS).is_file()
}

/// A folder that holds features as these settings make them, or none yet.
pub fn begin(out: &Path, settings: &Value) -> anyhow::Result<()> {
    let path = out.join(SETTINGS);
    match read_text(&path) {
        Ok(text) => {
            let before: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            ensure!(
                before == *settings,
                "{} was begun with other clips, weights or settings. Name another folder.",
                out.display()
            );
        }
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            let text = serde_json::to_string_pretty(settings)?;
            std::fs::create_dir_all(out)
                .and_then(|()| write_atomically(&path, text.as_bytes()))
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
        Err(why) => bail!("{} cannot be read: {why}", path.display()),
    }
    Ok(())
}

/// A clip as the networks see recorded ones, at its own pace.
fn read(path: &Path) -> Option<Video> {
    let opened = media::open(path).ok()?;
    let video = region::video(&opened.recording, &opened.first_square().into(), || false).ok()?;
    let clip = video.to_tensor().ok()?;
    let clip = to_size(&clip, SIDE, &Interrupt::new()).ok()?;
    Video::from_tensor(&clip.squeeze(0).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Recipe;

    fn clip(frames: usize) -> Video {
        Video {
            channels: 1,
            frames,
            height: SIDE,
            width: SIDE,
            data: vec![0.4; frames * SIDE * SIDE],
        }
    }

    #[test]
    fn a_clip_is_kept_as_what_is_seen_in_it_as_far_as_published_figures_go() {
        let weights = Recipe {
            prefix: "i3d.".into(),
            gain: 2.0,
        };
        let look = Look::new(Distance::Fvd, &weights, &Device::Cpu).unwrap();
        let looks = Looks(vec![(look, "hash".into())]);
        assert!(looks.has(Distance::Fvd) && !looks.has(Distance::Fid));
        assert_eq!(looks.sha256(Distance::Fvd), Some("hash"));
        let folder = tempfile::tempdir().unwrap();
        let keep = |frames: usize, number: u64, name: &str| {
            let clip = clip(frames);
            looks
                .keep(
                    (&clip, Origin::Recorded),
                    (number, 0),
                    (folder.path(), name),
                )
                .unwrap();
            let of = Looks::folder(folder.path(), Distance::Fvd, Origin::Recorded);
            of.join(format!("{name}.safetensors"))
        };
        let kept = keep(17, 0, "a");
        let kept = candle_core::safetensors::load(kept, &Device::Cpu).unwrap();
        assert_eq!(kept["i3d"].dims(), [1, 400]);
        assert!(!keep(15, 0, "short").exists());
        assert!(!keep(17, CLIPS, "one too many").exists());
    }

    #[test]
    fn a_folder_of_features_is_gone_on_with_as_it_was_begun() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("seen");
        begin(&out, &json!({"seed": 1})).unwrap();
        begin(&out, &json!({"seed": 1})).unwrap();
        let why = begin(&out, &json!({"seed": 2})).unwrap_err().to_string();
        assert!(why.contains("begun with other"), "{why}");
    }

    #[test]
    fn sixteen_frames_begin_where_there_are_sixteen() {
        for number in 0..40 {
            assert_eq!(first_of(&clip(16), 3, number), 0);
            assert!(first_of(&clip(20), 3, number) <= 4);
        }
        assert!((0..40).any(|number| first_of(&clip(20), 3, number) == 4));
    }
}
