//! GIF, read as a clip.

use super::export::COMMENT;
use super::mark::Mark;
use super::{Error, Kind, MAX_RESIDENT, MAX_SIDE, Opened};
use crate::clip::{Clip, Frame, FrameRate, Pixels};
use crate::recording::Recording;
use gif::{ColorOutput, DecodeOptions, DisposalMethod};
use std::path::Path;

/// Opens a GIF as a clip.
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
    let mark = comments(&bytes).iter().find_map(|c| Mark::parse(c));
    let mean = delays.iter().sum::<f64>() / delays.len() as f64;
    let rate = FrameRate::from_frame_ms(mean);
    let recording = Recording::of_clip(Clip {
        rate: (frames.len() > 1).then_some(rate).flatten(),
        frames,
        beat_normalised: false,
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

    proptest! {
        #[test]
        fn no_bytes_make_the_block_walk_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = comments(&bytes);
        }
    }
}
