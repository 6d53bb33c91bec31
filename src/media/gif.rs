//! GIF, read as a clip.

use super::mark::Mark;
use super::mark::place;
use super::times::Times;
use super::{Error, Kind, MAX_RESIDENT, MAX_SIDE, Opened};
use crate::clip::{Clip, Frame, Pixels};
use crate::recording::Recording;
use gif::{ColorOutput, DecodeOptions, DisposalMethod};
use std::path::Path;

/// The block that ends a file.
const TRAILER: u8 = 0x3b;

/// Opens a GIF as a clip.
pub(super) fn open(path: &Path) -> Result<Opened, Error> {
    let mut bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    // Some writers leave out the last byte, which says that nothing follows.
    bytes.push(TRAILER);
    let bad = |why: String| Error::undecodable(path, format!("{why}."));
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let mut decoder = options
        .read_info(&bytes[..])
        .map_err(|e| bad(e.to_string()))?;
    let (w, h) = (usize::from(decoder.width()), usize::from(decoder.height()));
    if w == 0 || h == 0 || w > MAX_SIDE || h > MAX_SIDE || 3 * w * h > MAX_RESIDENT {
        return Err(bad(format!("it claims a size of {w} x {h}")));
    }
    let mut canvas = vec![0u8; 3 * w * h];
    // Black where the file names no colour.
    let background = decoder.bg_color().and_then(|index| {
        let palette = decoder.global_palette()?;
        palette.as_chunks::<3>().0.get(index).copied()
    });
    let mut background = background.unwrap_or_default();
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
                let n = frames.len();
                warnings.push(format!(
                    "Frame {n}, counted from 0, and those after it could not be decoded."
                ));
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
        if frames.is_empty() {
            background = own_black(&canvas, background);
        }
        let shown = to_frame(&canvas, w, h);
        bytes_kept += shown.bytes();
        frames.push(shown);
        delays.push(f64::from(frame.delay) * 10.0);
        match frame.dispose {
            // Only where the frame was: what is transparent lies on black, as everywhere.
            DisposalMethod::Background => {
                for row in canvas.chunks_exact_mut(3 * w).skip(top).take(fh) {
                    let end = 3 * w.min(left + fw);
                    if let Some(part) = row.get_mut(3 * left..end) {
                        let colour = frame.transparent.map_or(background, |_| [0; 3]);
                        let (pixels, _) = part.as_chunks_mut::<3>();
                        pixels.fill(colour);
                    }
                }
            }
            DisposalMethod::Previous => canvas = before.unwrap_or(canvas),
            _ => {}
        }
    }
    let mark = comments(&bytes).iter().find_map(|c| Mark::parse(c));
    let times = Times::of_delays(&delays);
    let recording = Recording::of_clip(Clip {
        rate: times.as_ref().map(|t| t.rate),
        frames,
        beat_normalised: false,
    })
    .map_err(bad)?;
    let each = times.and_then(|times| {
        warnings.extend(times.warning);
        times.each
    });
    Ok(Opened {
        mark,
        warnings,
        ..Opened::new(recording.with_times(each), Kind::Gif)
    })
}

/// The black that the first frame shows, where the file's background is black: encoders make a 1 of a 0,
/// and a place that is cleared should not stand out.
fn own_black(canvas: &[u8], background: [u8; 3]) -> [u8; 3] {
    const BLACK: u8 = 4;
    let is_black = |colour: &[u8; 3]| colour.iter().all(|&v| v <= BLACK);
    let (pixels, _) = canvas.as_chunks::<3>();
    let darkest = pixels
        .iter()
        .min_by_key(|p| p.iter().map(|&v| u32::from(v)).sum::<u32>());
    match darkest {
        Some(darkest) if is_black(darkest) && is_black(&background) => *darkest,
        _ => background,
    }
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
                    if label == Some(place::GIF) {
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

    /// The canvas is there before a pixel is: a few bytes are not to fill memory.
    #[test]
    fn a_size_beyond_all_is_refused() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let side = 8000u16.to_le_bytes();
        let screen = [side[0], side[1], side[0], side[1], 0, 0, 0];
        let bytes = [b"GIF89a".as_slice(), &screen, &[TRAILER]].concat();
        std::fs::write(path.path(), bytes).unwrap();
        let why = open(path.path()).map(|_| ()).unwrap_err().to_string();
        assert!(why.contains("it claims a size of 8000 x 8000"), "{why}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_block_walk_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = comments(&bytes);
        }
    }
}
