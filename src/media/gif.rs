//! GIF: read as a clip, written with the synthetic banner and a machine-readable mark.

use super::{Error, Kind, MAX_RESIDENT, MAX_SIDE, Opened};
use crate::clip::{Clip, Frame, FrameRate, Pixels};
use crate::files::write_atomically;
use crate::recording::Recording;
use gif::{ColorOutput, DecodeOptions, DisposalMethod, Encoder, ExtensionData, Repeat};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a cine made here says of itself, in the file's comment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Always `echoif`.
    pub program: String,
    pub version: String,
    /// Always true.
    pub synthetic: bool,
    /// The IPTC term for what a generative model made.
    pub digital_source_type: String,
    /// The picture's rectangle in the file, `[x, y, width, height]`; the banner is outside.
    pub picture: [usize; 4],
    pub beat_normalised: bool,
    /// Frames a second.
    pub fps: f64,
    /// How it was made.
    pub provenance: serde_json::Value,
}

impl Mark {
    pub fn new(
        picture: [usize; 4],
        beat_normalised: bool,
        rate: FrameRate,
        provenance: serde_json::Value,
    ) -> Self {
        Self {
            program: "echoif".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            synthetic: true,
            digital_source_type: "trainedAlgorithmicMedia".into(),
            picture,
            beat_normalised,
            fps: rate.fps(),
            provenance,
        }
    }
}

/// Glyphs of the banner are 8 x 8.
const GLYPH: usize = 8;
const MARGIN: usize = 3;
const LINES: usize = 2;

/// A gray clip below which stands a banner, and where the picture is.
pub fn with_banner(clip: &Clip, lines: [&str; LINES]) -> (Vec<Frame>, [usize; 4]) {
    let (w, h) = clip.frames.first().map_or((0, 0), |f| (f.width, f.height));
    let text = lines.iter().map(|l| l.chars().count()).max().unwrap_or(0) * GLYPH;
    let width = w.max(text + 2 * MARGIN);
    let height = h + LINES * (GLYPH + MARGIN) + MARGIN;
    let x = (width - w) / 2;
    let mut blank = vec![0u8; width * height];
    for (i, line) in lines.iter().enumerate() {
        let top = h + MARGIN + i * (GLYPH + MARGIN);
        let left = (width - line.chars().count() * GLYPH) / 2;
        draw_text(&mut blank, width, left, top, line);
    }
    let frames = clip
        .frames
        .iter()
        .map(|frame| {
            let mut pixels = blank.clone();
            for row in 0..h {
                for column in 0..w {
                    let [r, g, b] = frame.rgb(column, row);
                    let gray = if r == g && g == b {
                        r
                    } else {
                        crate::clip::luminance(r.into(), g.into(), b.into()).round() as u8
                    };
                    pixels[row * width + x + column] = gray;
                }
            }
            Frame {
                width,
                height,
                pixels: Pixels::Gray(pixels),
            }
        })
        .collect();
    (frames, [x, 0, w, h])
}

fn draw_text(pixels: &mut [u8], width: usize, left: usize, top: usize, text: &str) {
    use font8x8::UnicodeFonts;
    for (i, c) in text.chars().enumerate() {
        let glyph = font8x8::BASIC_FONTS.get(c).unwrap_or_default();
        for (row, bits) in glyph.iter().enumerate() {
            for column in 0..GLYPH {
                if bits >> column & 1 == 1 {
                    pixels[(top + row) * width + left + i * GLYPH + column] = 255;
                }
            }
        }
    }
}

/// Writes gray frames of one size, losslessly, looping, with `mark` as the comment.
///
/// # Errors
/// When the file cannot be written; nothing is left half-written.
pub fn write(path: &Path, frames: &[Frame], rate: FrameRate, mark: &Mark) -> Result<(), Error> {
    let fail = |why: String| Error::Write {
        path: path.to_owned(),
        why,
    };
    let (w, h) = frames.first().map_or((0, 0), |f| (f.width, f.height));
    let palette: Vec<u8> = (0..=255u8).flat_map(|v| [v; 3]).collect();
    let mut bytes = Vec::new();
    let mut encode = || -> Result<(), gif::EncodingError> {
        let mut encoder = Encoder::new(&mut bytes, w as u16, h as u16, &palette)?;
        encoder.set_repeat(Repeat::Infinite)?;
        let comment = serde_json::to_vec(mark).unwrap_or_default();
        let chunks: Vec<&[u8]> = comment.chunks(255).collect();
        encoder.write_raw_extension(gif::AnyExtension(COMMENT), &chunks)?;
        // GIF counts in hundredths of a second.
        let delay = (rate.frame_ms() / 10.0).round().clamp(2.0, 6000.0) as u16;
        for frame in frames {
            let Pixels::Gray(pixels) = &frame.pixels else {
                continue;
            };
            encoder.write_extension(ExtensionData::new_control_ext(
                delay,
                DisposalMethod::Keep,
                false,
                None,
            ))?;
            encoder.write_frame(&gif::Frame {
                width: w as u16,
                height: h as u16,
                delay,
                buffer: pixels.into(),
                ..gif::Frame::default()
            })?;
        }
        Ok(())
    };
    encode().map_err(|e| fail(e.to_string()))?;
    write_atomically(path, &bytes).map_err(|e| fail(e.to_string()))
}

/// The comment extension's label.
const COMMENT: u8 = 0xfe;

/// Opens a GIF as a clip. A cine of ours is cropped to its picture.
pub(super) fn open(path: &Path) -> Result<Opened, Error> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let bad = |why: String| Error::undecodable(path, format!("{why}."));
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let mut decoder = options
        .read_info(&bytes[..])
        .map_err(|e| bad(e.to_string()))?;
    let (w, h) = (usize::from(decoder.width()), usize::from(decoder.height()));
    if w == 0 || h == 0 || w > MAX_SIDE || h > MAX_SIDE {
        return Err(bad(format!("it claims a size of {w} x {h}")));
    }
    let mut canvas = vec![0u8; 3 * w * h];
    let mut frames = Vec::new();
    let mut delays = Vec::new();
    let mut bytes_kept = 0;
    let mut warnings = Vec::new();
    loop {
        let frame = match decoder.read_next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(e) if frames.is_empty() => return Err(bad(e.to_string())),
            Err(_) => {
                warnings.push("The file is cut off.".to_owned());
                break;
            }
        };
        if bytes_kept > MAX_RESIDENT {
            warnings.push(format!(
                "Only the first {} frames fit in memory.",
                frames.len()
            ));
            break;
        }
        let before = (frame.dispose == DisposalMethod::Previous).then(|| canvas.clone());
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let (fw, fh) = (usize::from(frame.width), usize::from(frame.height));
        for row in 0..fh.min(h.saturating_sub(top)) {
            for column in 0..fw.min(w.saturating_sub(left)) {
                let source = &frame.buffer[4 * (row * fw + column)..][..4];
                if source[3] > 0 {
                    let at = 3 * ((top + row) * w + left + column);
                    canvas[at..at + 3].copy_from_slice(&source[..3]);
                }
            }
        }
        let shown = to_frame(&canvas, w, h);
        bytes_kept += shown.bytes();
        frames.push(shown);
        delays.push(f64::from(frame.delay) * 10.0);
        match frame.dispose {
            DisposalMethod::Background => canvas.fill(0),
            DisposalMethod::Previous => canvas = before.unwrap_or(canvas),
            _ => {}
        }
    }
    let mark = comments(&bytes)
        .iter()
        .find_map(|c| serde_json::from_slice::<Mark>(c).ok())
        .filter(|m| m.program == "echoif");
    let mean = delays.iter().sum::<f64>() / delays.len() as f64;
    let rate = match &mark {
        Some(mark) => FrameRate::new(mark.fps),
        None => FrameRate::from_frame_ms(mean),
    };
    if let Some([x, y, pw, ph]) = mark.as_ref().map(|m| m.picture)
        && pw > 0
        && ph > 0
        && x.saturating_add(pw) <= w
        && y.saturating_add(ph) <= h
    {
        for frame in &mut frames {
            *frame = crop(frame, x, y, pw, ph);
        }
    }
    let recording = Recording::of_clip(Clip {
        rate: (frames.len() > 1).then_some(rate).flatten(),
        frames,
        beat_normalised: mark.as_ref().is_some_and(|m| m.beat_normalised),
    })
    .map_err(bad)?;
    Ok(Opened {
        mark,
        warnings,
        ..Opened::new(recording, Kind::Gif)
    })
}

fn to_frame(canvas: &[u8], width: usize, height: usize) -> Frame {
    let (pixels, _) = canvas.as_chunks::<3>();
    let gray = pixels.iter().all(|[r, g, b]| r == g && g == b);
    Frame {
        width,
        height,
        pixels: if gray {
            Pixels::Gray(pixels.iter().map(|p| p[0]).collect())
        } else {
            Pixels::Rgb(canvas.to_vec())
        },
    }
}

fn crop(frame: &Frame, x: usize, y: usize, width: usize, height: usize) -> Frame {
    let mut canvas = Vec::with_capacity(3 * width * height);
    for row in y..y + height {
        for column in x..x + width {
            canvas.extend(frame.rgb(column, row));
        }
    }
    to_frame(&canvas, width, height)
}

/// The comment extensions of a GIF, by walking its blocks.
fn comments(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let table = |flags: u8| {
        if flags & 0x80 == 0 {
            0
        } else {
            3usize << ((flags & 7) + 1)
        }
    };
    let mut at = 13 + table(bytes.get(10).copied().unwrap_or(0));
    // Sub-blocks end with an empty one.
    let sub_blocks = |mut at: usize| -> Option<(Vec<u8>, usize)> {
        let mut data = Vec::new();
        loop {
            let n = usize::from(*bytes.get(at)?);
            at += 1;
            if n == 0 {
                return Some((data, at));
            }
            data.extend_from_slice(bytes.get(at..at + n)?);
            at += n;
        }
    };
    loop {
        let next = match bytes.get(at) {
            Some(0x21) => {
                let label = bytes.get(at + 1).copied();
                sub_blocks(at + 2).map(|(data, end)| {
                    if label == Some(COMMENT) {
                        found.push(data);
                    }
                    end
                })
            }
            Some(0x2c) => {
                let flags = bytes.get(at + 9).copied().unwrap_or(0);
                sub_blocks(at + 11 + table(flags)).map(|(_, end)| end)
            }
            _ => None,
        };
        match next {
            Some(end) => at = end,
            None => return found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clip() -> Clip {
        let frame = |f: usize| Frame {
            width: 20,
            height: 12,
            pixels: Pixels::Gray((0..240).map(|i| ((i * 7 + f * 31) % 256) as u8).collect()),
        };
        Clip {
            frames: (0..3).map(frame).collect(),
            rate: FrameRate::new(16.0),
            beat_normalised: true,
        }
    }

    #[test]
    fn a_written_cine_comes_back_without_its_banner() {
        let clip = clip();
        let (frames, picture) = with_banner(&clip, ["SYNTHETIC", "EF 30 %"]);
        assert_eq!(picture[2..], [20, 12]);
        let below = frames[0].height - 12;
        let banner =
            (12..12 + below).any(|y| (0..frames[0].width).any(|x| frames[0].rgb(x, y)[0] == 255));
        assert!(banner);
        let rate = FrameRate::new(16.0).unwrap();
        let mark = Mark::new(
            picture,
            true,
            rate,
            serde_json::json!({"x": "y".repeat(700)}),
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        write(&path, &frames, rate, &mark).unwrap();
        let opened = super::super::open(&path).unwrap();
        assert_eq!(opened.mark, Some(mark));
        assert_eq!(opened.recording.to_clip().unwrap(), clip);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_block_walk_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = comments(&bytes);
        }
    }
}
