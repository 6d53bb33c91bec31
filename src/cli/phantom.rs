//! `echoif phantom`: hearts with everything known, in files.

use super::wanted::{Taken, read_outline};
use crate::clip::{Frame, FrameRate, Pixels};
use crate::media::export::{self, DrawnPicture};
use crate::media::mark::{Drawn, Puppetry};
use crate::phantom::puppet::{Life, Puppet, Recorded, Sway};
use crate::phantom::{
    APEX, Beat, EF_RANGE, FRAMES_RANGE, Heart, Quality, SIZE, Segment, Take, WallMotion,
};
use crate::puppet::Traits;
use anyhow::{Context, bail, ensure};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Instant;

/// Frames of a beat where nothing else is asked for.
const FRAMES: usize = 16;
/// Frames a second, and beats a minute, that can be asked for.
const RATES: std::ops::RangeInclusive<f64> = 1.0..=1000.0;
const HEART_RATES: std::ops::RangeInclusive<f64> = 20.0..=250.0;
/// Of a puppet, which says nothing of its own: beats a minute.
const HEART_RATE: f64 = 66.0;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  echoif phantom --seed 7 --ef 35 --out heart.gif\n  \
    echoif phantom --seed 7 --ef 35 --rate 50 --seconds 3 --heart-rate 72 --segment mid-septal=0 --out heart.dcm\n  \
    echoif phantom --puppet frame.png --outline frame.outline.json --ef 35 --leaflets --out puppet.gif"
)]
pub struct Args {
    /// The ejection fraction in percent, 0 to 90.
    #[arg(long, allow_negative_numbers = true)]
    ef: f64,
    /// Of the heart; of a puppet, of what is drawn by chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// good, medium or poor.
    #[arg(long, default_value = "good", conflicts_with = "puppet")]
    quality: Quality,
    /// As today's machines show hearts: speckle averaged over several looks, gain and walls uneven, what is around the
    /// heart in streaks. The heart and its motion are the same.
    #[arg(long, conflicts_with = "puppet")]
    compounded: bool,
    /// Frames a second. One beat in 16 frames without it.
    #[arg(long, value_name = "FPS")]
    rate: Option<f64>,
    /// How long it is. One beat without it.
    #[arg(long, requires = "rate", conflicts_with = "frames")]
    seconds: Option<f64>,
    /// How many frames it has.
    #[arg(long)]
    frames: Option<usize>,
    /// Beats a minute; the heart's own without it, of a puppet 66.
    #[arg(long, value_name = "BPM")]
    heart_rate: Option<f64>,
    /// How far a segment comes in, as a share of the whole wall: mid-septal=0.5. 1 is normal, 0 akinetic, below 0
    /// dyskinetic (-0.5 to 1.5). basal, mid or apical, septal or lateral; may be given again.
    #[arg(long = "segment", value_name = "NAME=SHARE", conflicts_with = "puppet")]
    segments: Vec<String>,
    /// A still near end-diastole that is to move, instead of a simulated heart.
    #[arg(long, value_name = "FILE", requires = "outline")]
    puppet: Option<PathBuf>,
    /// Its left ventricle's outline: nine points in pixels of the 112 x 112 anatomy, as for `generate`.
    #[arg(long, value_name = "FILE", requires = "puppet")]
    outline: Option<PathBuf>,
    /// Opens a mitral valve that the still shows closed.
    #[arg(long, requires = "puppet")]
    leaflets: bool,
    /// How much of the puppet's speckle is new in each frame, 0 to 1.
    #[arg(long, requires = "puppet", default_value_t = 0.0, value_name = "SHARE")]
    decorrelation: f64,
    /// The probe's unrest, in pixels.
    #[arg(
        long,
        requires = "puppet",
        default_value_t = 0.0,
        value_name = "PIXELS"
    )]
    probe: f64,
    /// The chest's rise and fall, in pixels.
    #[arg(
        long,
        requires = "puppet",
        default_value_t = 0.0,
        value_name = "PIXELS"
    )]
    breathing: f64,
    /// How differently the heart lies from the still, 0 to 1.
    #[arg(long, requires = "puppet", default_value_t = 0.0, value_name = "SHARE")]
    pose: f64,
    /// Writes the motion, too: `displacement` [frames, 112, 112, 2], from a pixel of a frame to its tissue in the
    /// first one, x and y in pixels, as safetensors.
    #[arg(long, value_name = "FILE")]
    displacement: Option<PathBuf>,
    /// The clip: .gif, .apng, .avi, .mp4 or .dcm, or a folder for frames. What is known of it lies beside it, in
    /// NAME.EXT.json.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[arg(long)]
    pub json: bool,
}

/// What was drawn, whoever drew it.
struct Made {
    frames: Vec<u8>,
    outlines: Vec<Vec<[f32; 2]>>,
    /// In ml, or as shares of that at end-diastole.
    volumes: Vec<f64>,
    ef: f64,
    phases: Vec<f64>,
    es_frame: usize,
}

impl From<Beat> for Made {
    fn from(beat: Beat) -> Self {
        Self {
            frames: beat.frames,
            outlines: beat.outlines,
            volumes: beat.volumes,
            ef: beat.ef,
            phases: beat.phases,
            es_frame: beat.es_frame,
        }
    }
}

impl From<Recorded> for Made {
    fn from(recorded: Recorded) -> Self {
        Self {
            frames: recorded.frames,
            outlines: recorded.outlines,
            volumes: recorded.volumes,
            ef: recorded.ef,
            phases: recorded.phases,
            es_frame: recorded.es_frame,
        }
    }
}

impl Made {
    /// Without end-systole there is no ejection fraction in a clip.
    fn whole(&self, take: &Take) -> anyhow::Result<()> {
        ensure!(
            self.es_frame < take.frames,
            "The clip ends before the heart has contracted: give it at least {} frames.",
            self.es_frame + 1
        );
        Ok(())
    }
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let percent = EF_RANGE.start() * 100.0..=EF_RANGE.end() * 100.0;
    ensure!(
        percent.contains(&args.ef),
        "A heart can be drawn at an EF from {} to {} percent, not {}.",
        percent.start(),
        percent.end(),
        args.ef
    );
    export::check(&args.out)?;
    ensure!(
        args.displacement.as_ref() != Some(&args.out),
        "--displacement and --out name the same file."
    );
    match (&args.puppet, &args.outline) {
        (Some(still), Some(outline)) => puppet(args, still, outline),
        _ => heart(args),
    }
}

fn heart(args: &Args) -> anyhow::Result<()> {
    let mut heart = Heart::from_seed(args.seed, args.quality);
    if args.compounded {
        heart = heart.compounded();
    }
    let (take, rate, heart_rate) = timing(args, heart.beats_per_minute())?;
    let mut take = take;
    for text in &args.segments {
        let (segment, share) = segment(text)?;
        take.wall_motion = take.wall_motion.with(segment, share);
    }
    let begun = Instant::now();
    let beat = heart.take(&take);
    let seconds = begun.elapsed().as_secs_f64();
    let made = Made::from(beat);
    made.whole(&take)?;
    ensure!(
        (made.ef - take.ef).abs() <= 0.001,
        "With these segments the heart reaches an EF of {:.1} % at most. Ask for less, or let more of the wall move.",
        // Rounded down, so that it is reached.
        (1000.0 * heart.most_ef(take.wall_motion)).floor() / 10.0
    );
    let own = json!({
        "kind": "simulated_heart",
        "quality": args.quality,
        "compounded": args.compounded,
        "pixels_per_cm": heart.pixels_per_cm(),
        "segments": segments(&take.wall_motion),
        "apex_point": APEX,
        "volumes_ml": made.volumes,
    });
    let fields = |from: &[usize]| Ok(heart.displacements(&take, from, 0));
    finish(args, made, own, [rate, heart_rate, seconds], fields)
}

fn puppet(args: &Args, still: &Path, outline: &Path) -> anyhow::Result<()> {
    let outline = read_outline(outline)?;
    let taken = Taken::from(still)?;
    let traits = Traits::default();
    let puppet = Puppet::new(&taken.anatomy.gray_bytes(), &outline, traits)?;
    let life = Life {
        decorrelation: within("--decorrelation", args.decorrelation, 0.0..=1.0)?,
        sway: Sway {
            probe: within("--probe", args.probe, 0.0..=10.0)?,
            breathing: within("--breathing", args.breathing, 0.0..=20.0)?,
            pose: within("--pose", args.pose, 0.0..=1.0)?,
        },
        leaflets: args.leaflets,
        seed: args.seed,
    };
    let (take, rate, heart_rate) = timing(args, HEART_RATE)?;
    let begun = Instant::now();
    let recorded = puppet.take(&take, &life)?;
    let seconds = begun.elapsed().as_secs_f64();
    let opens_valve = recorded.opens_valve;
    let made = Made::from(recorded);
    made.whole(&take)?;
    ensure!(
        (made.ef - take.ef).abs() <= 0.003,
        "This outline can be warped to an EF of {:.1} %, not to {:.1} %. Ask for less.",
        100.0 * made.ef,
        args.ef
    );
    let own = json!({
        "kind": "puppet",
        "anatomy_sha256": taken.anatomy.sha256,
        "outline": *outline,
        "opens_valve": opens_valve,
        "decorrelation": life.decorrelation,
        "probe_pixels": life.sway.probe,
        "breathing_pixels": life.sway.breathing,
        "pose": life.sway.pose,
        "volumes": made.volumes,
    });
    if args.leaflets && !opens_valve && !args.json {
        println!("The still shows no closed valve that could be opened.");
    }
    let fields = |from: &[usize]| Ok(puppet.displacements(&take, &life, from, 0)?);
    finish(args, made, own, [rate, heart_rate, seconds], fields)
}

fn within(name: &str, value: f64, range: std::ops::RangeInclusive<f64>) -> anyhow::Result<f64> {
    ensure!(
        range.contains(&value),
        "{name} goes from {} to {}, not {value}.",
        range.start(),
        range.end()
    );
    Ok(value)
}

fn frames_within(frames: usize) -> anyhow::Result<usize> {
    ensure!(
        FRAMES_RANGE.contains(&frames),
        "A clip has from {} to {} frames, not {frames}.",
        FRAMES_RANGE.start(),
        FRAMES_RANGE.end()
    );
    Ok(frames)
}

/// Frames, their rate and the heart rate.
fn timing(args: &Args, own: f64) -> anyhow::Result<(Take, f64, f64)> {
    let heart_rate = within("--heart-rate", args.heart_rate.unwrap_or(own), HEART_RATES)?;
    let beat = 60.0 / heart_rate;
    let (rate, frames_per_beat) = match args.rate {
        Some(rate) => {
            let rate = within("--rate", rate, RATES)?;
            (rate, rate * beat)
        }
        // One beat in its phases.
        None => {
            let frames = frames_within(args.frames.unwrap_or(FRAMES))?;
            (
                within("The rate", frames as f64 / beat, RATES)?,
                frames as f64,
            )
        }
    };
    ensure!(
        frames_per_beat >= 2.0,
        "At {rate} frames a second a beat at {heart_rate:.0} a minute has no two frames. Give a higher --rate."
    );
    let frames = match (args.frames, args.seconds) {
        (Some(frames), _) => frames,
        (None, Some(seconds)) => (seconds * rate).round() as usize,
        (None, None) => frames_per_beat.round() as usize,
    };
    frames_within(frames)?;
    let take = Take {
        ef: args.ef / 100.0,
        frames,
        frames_per_beat,
        wall_motion: WallMotion::default(),
    };
    Ok((take, rate, heart_rate))
}

fn segment(text: &str) -> anyhow::Result<(Segment, f64)> {
    let parsed = text.split_once('=').and_then(|(name, share)| {
        let share = share.trim().parse::<f64>().ok();
        let share = share.filter(|s| WallMotion::RANGE.contains(s))?;
        Some((Segment::from_str(name.trim()).ok()?, share))
    });
    match parsed {
        Some(parsed) => Ok(parsed),
        None => bail!(
            "--segment {text}: give basal-, mid- or apical-, septal or lateral, and a share from {} to {}, as in \
             mid-septal=0.5.",
            WallMotion::RANGE.start(),
            WallMotion::RANGE.end()
        ),
    }
}

fn segments(motion: &WallMotion) -> Value {
    use strum::VariantArray as _;
    let each = Segment::VARIANTS.iter().map(|s| {
        let name: &'static str = s.into();
        (name.to_owned(), json!(motion.of(*s)))
    });
    Value::Object(each.collect())
}

/// Writes everything and says what it is.
fn finish(
    args: &Args,
    made: Made,
    own: Value,
    [rate, heart_rate, seconds]: [f64; 3],
    fields: impl Fn(&[usize]) -> anyhow::Result<Option<Vec<Vec<[f32; 2]>>>>,
) -> anyhow::Result<()> {
    let count = made.phases.len();
    let what = match args.puppet {
        Some(_) => Puppetry::Puppet,
        None => Puppetry::SimulatedHeart,
    };
    let mut truth = json!({
        "ef_percent_asked": args.ef,
        "ef_percent": 100.0 * made.ef,
        "seed": args.seed,
        "heart_rate": heart_rate,
        "fps": rate,
        "ed_frame": 0,
        "es_frame": made.es_frame,
        "phases": made.phases,
        "outlines": made.outlines,
    });
    if let (Value::Object(all), Value::Object(own)) = (&mut truth, own) {
        all.extend(own);
    }
    if let Some(path) = &args.displacement {
        let frames: Vec<usize> = (0..count).collect();
        let moved = fields(&frames)?.context("a frame has no displacement")?;
        let values = moved.iter().flatten().flatten();
        let bytes: Vec<u8> = values.flat_map(|v| v.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![count, SIZE, SIZE, 2], &bytes)?;
        let file = safetensors::serialize([("displacement", view)], None)?;
        crate::files::write_atomically(path, &file)
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let frames = made.frames.chunks_exact(SIZE * SIZE).map(|pixels| Frame {
        width: SIZE,
        height: SIZE,
        pixels: Pixels::Gray(pixels.to_vec()),
    });
    let picture = DrawnPicture {
        frames: frames.collect(),
        rate: FrameRate::new(rate).context("there is no such rate")?,
        beat_normalised: args.rate.is_none(),
        about: Drawn {
            what,
            seed: args.seed,
            quality: args.puppet.is_none().then_some(args.quality),
            compounded: args.compounded,
            ef_percent: 100.0 * made.ef,
        },
        truth: &truth,
    };
    let beside = export::write_drawn(picture, &args.out)?;
    if args.json {
        let said = json!({
            "out": args.out,
            "truth": beside,
            "displacement": args.displacement,
            "frames": count,
            "fps": rate,
            "heart_rate": heart_rate,
            "ef_percent": 100.0 * made.ef,
            "ed_frame": 0,
            "es_frame": made.es_frame,
            "seconds": seconds,
            "frames_per_second": count as f64 / seconds,
        });
        println!("{said}");
        return Ok(());
    }
    println!(
        "{count} frames at {rate:.1} a second, heart rate {heart_rate:.0}: EF {:.2} % by its outlines \
         (end-systole in frame {}). Drawn in {seconds:.2} s, {:.0} frames a second.",
        100.0 * made.ef,
        made.es_frame,
        count as f64 / seconds
    );
    println!("{}\n{}", args.out.display(), beside.display());
    Ok(())
}
