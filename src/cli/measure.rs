use crate::clip::FrameRate;
use crate::engine::{CascadeSource, DeviceChoice, OpenDevice};
use crate::measure::{TimeBase, is_under_half_a_beat, measure};
use crate::media::{self, region};
use crate::nn::Interrupt;
use anyhow::{Context, bail};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Example: echoif measure ef30.gif --json")]
pub struct Args {
    /// A GIF, a DICOM clip, or a folder of numbered pictures.
    clip: PathBuf,
    /// The clip is one heart beat from end-diastole (known already for this program's own GIFs).
    #[arg(long)]
    beat: bool,
    /// Frames a second, where the file does not say.
    #[arg(long)]
    fps: Option<f64>,
    #[command(flatten)]
    regressor: super::RegressorArgs,
    /// cpu, cuda or auto.
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut opened = media::open(&args.clip)?;
    if args.fps.is_some() || args.beat {
        // Whoever gives the rate knows better than the file.
        opened.recording = opened.recording.with_times(None);
    }
    let recording = &opened.recording;
    let video = region::video(recording, &opened.first_square().into(), || false)?;
    // Said first: whatever else is wrong, it may be why.
    let missing = recording.missing();
    let missing = missing.map(|text| format!("{text} The frame before stands for each of them."));
    if let Some(missing) = &missing {
        eprintln!("{missing}");
    }
    // Nothing moves in a still, at whatever rate: the regressor should say so.
    let still = recording.frames() == 1;
    let time = if args.beat || recording.beat_normalised || still {
        TimeBase::Beat
    } else {
        let given = args
            .fps
            .map(|f| FrameRate::new(f).context("--fps must be from 0.1 to 1000."));
        let rate = given.transpose()?.or(recording.rate).with_context(|| {
            format!(
                "{} does not say how many frames a second it has. Give --fps, or --beat if it is one heart beat.",
                args.clip.display()
            )
        })?;
        if is_under_half_a_beat(recording.frames(), rate, opened.heart_rate) {
            bail!(
                "{} shows less than half a heart beat: no EF can be measured in it.",
                args.clip.display()
            );
        }
        TimeBase::Rate(rate)
    };
    if recording.frames() > region::MOST_MEASURED {
        eprintln!(
            "Only the first {} frames are measured.",
            region::MOST_MEASURED
        );
    }
    let device = OpenDevice::open(args.device, None).map_err(anyhow::Error::msg)?;
    let models = args.regressor.open_with(device, CascadeSource::Builtin)?;
    if still {
        eprintln!(
            "This is a still: nothing moves in it. What is measured says how well the regressor sees that."
        );
    }
    let others = opened.warnings.iter().chain(&models.regressor.warnings);
    let others: Vec<&String> = others.collect();
    for warning in &others {
        eprintln!("{warning}");
    }
    let warnings: Vec<&String> = missing.iter().chain(others).collect();
    let m = measure(&models.regressor, &video, time, &Interrupt::new())?;
    if args.json {
        let mut object = serde_json::to_value(&m)?;
        object["warnings"] = json!(warnings);
        println!("{object}");
    } else {
        let short = if m.short_clip { ", short clip" } else { "" };
        let n = m.windows.len();
        println!(
            "EF {:.1} % (spread {:.1} over {n} window{}), measured by {}{short}",
            m.measured_ef_percent,
            m.spread,
            if n == 1 { "" } else { "s" },
            m.regressor
        );
    }
    Ok(())
}
