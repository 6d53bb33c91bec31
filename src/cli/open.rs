use crate::files::write_atomically;
use crate::media;
use crate::media::region::Anatomy;
use crate::recording::Recording;
use anyhow::{Context, anyhow, bail};
use rayon::prelude::*;
use serde_json::json;
use std::io::Cursor;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
#[command(after_help = "Example: echoif open IM0001 --json --frame 0 --png frame.png")]
pub struct Args {
    /// A DICOM file, a picture, a GIF, or a folder of numbered stills.
    file: PathBuf,
    /// The frame to write, counted from 0.
    #[arg(long, default_value_t = 0, requires = "png")]
    frame: usize,
    /// Write the decoded frame as PNG. It may show what is burned into the picture.
    #[arg(long, value_name = "OUT")]
    png: Option<PathBuf>,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut opened = media::open(&args.file)?;
    let recording = &opened.recording;
    let frames = recording.frames();
    let (width, height) = (recording.width(), recording.height());
    let square = opened.first_square();
    let frame_ms = recording.rate.map(|r| r.frame_ms());
    let tried = tried(recording);
    // The first that can be shown.
    let first = (0..tried).find_map(|i| recording.frame(i).ok());
    let first = first.ok_or_else(|| anyhow!("None of its frames can be shown."))?;
    let anatomy = Anatomy::from_frame(&first, &square.into())?;
    let doubts = opened.doubts(&anatomy, &first);
    if let Some(out) = &args.png {
        if args.frame >= frames {
            bail!(
                "There is no frame {}; the file has {frames}, counted from 0.",
                args.frame
            );
        }
        let frame = opened.recording.frame(args.frame);
        let frame = frame.map_err(|why| anyhow!("Frame {} cannot be shown: {why}.", args.frame))?;
        let mut bytes = Cursor::new(Vec::new());
        frame
            .to_image()
            .write_to(&mut bytes, image::ImageFormat::Png)?;
        write_atomically(out, bytes.get_ref())
            .with_context(|| format!("{} cannot be written", out.display()))?;
    }
    opened.warnings.extend(opened.recording.missing());
    if tried < frames {
        let text =
            format!("Only the first {tried} frames were decoded to see whether they can be shown.");
        opened.warnings.push(text);
    }
    opened
        .warnings
        .extend(doubts.into_iter().map(str::to_owned));
    let coding = opened.coding.as_ref();
    if args.json {
        let object = json!({
            "kind": opened.kind.name(),
            "frames": frames,
            "rows": height,
            "columns": width,
            "frame_ms": frame_ms,
            "square": [square.x, square.y, square.side],
            "photometric": coding.map(|c| &c.photometric),
            "transfer_syntax": coding.map(|c| &c.transfer_syntax),
            "warnings": opened.warnings,
        });
        println!("{object}");
        return Ok(());
    }
    println!(
        "{}, {} x {}, {} frame{}",
        opened.kind.name(),
        width,
        height,
        frames,
        if frames == 1 { "" } else { "s" }
    );
    if let Some(ms) = frame_ms {
        println!("{ms:.2} ms a frame");
    }
    println!("square of {} at {}, {}", square.side, square.x, square.y);
    if let Some(coding) = coding {
        println!(
            "{}, transfer syntax {}",
            coding.photometric, coding.transfer_syntax
        );
    }
    for warning in &opened.warnings {
        println!("{warning}");
    }
    Ok(())
}

/// Decodes as many frames as time allows, so that those that cannot be shown are known; how many.
fn tried(recording: &Recording) -> usize {
    const MOST_TIME: Duration = Duration::from_secs(10);
    const AT_A_TIME: usize = 32;
    let began = Instant::now();
    let frames = recording.frames();
    let mut next = 0;
    while next < frames && began.elapsed() < MOST_TIME {
        let end = frames.min(next + AT_A_TIME);
        (next..end).into_par_iter().for_each(|i| {
            let _ = recording.frame(i);
        });
        next = end;
    }
    next
}
