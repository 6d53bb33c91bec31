use crate::files::write_atomically;
use crate::media;
use crate::media::region::Anatomy;
use anyhow::{Context, anyhow, bail};
use serde_json::json;
use std::io::Cursor;
use std::path::PathBuf;

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
    let first = recording.frame(0).map_err(|why| anyhow!("{why}."))?;
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
