//! AVI with Motion JPEG, as the tools of EchoNet-Dynamic write it.

use super::bytes::Bytes;
use super::mark::Mark;
use super::{Error, Kind, Opened, still};
use crate::clip::{Frame, FrameRate};
use crate::recording::{FrameReader, Recording};
use std::path::Path;
use std::sync::Arc;

/// Chunks that are walked through; a clip of an hour has fewer.
const MOST_CHUNKS: usize = 300_000;
/// Bytes of one coded frame.
const MOST_CODED: u32 = 64 << 20;
/// Bytes of a mark.
const MOST_MARK: u32 = 1 << 20;

pub fn is_avi(head: &[u8]) -> bool {
    head.starts_with(b"RIFF") && head.get(8..12) == Some(b"AVI ")
}

pub fn open(path: &Path) -> Result<Opened, Error> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let bytes = Bytes::of_file(file).map_err(|e| Error::io(path, e))?;
    let index = Index::read(&bytes).map_err(|e| Error::io(path, e))?;
    let Some(coding) = index.coding else {
        return Err(Error::undecodable(
            path,
            "it has no video. Export it again.",
        ));
    };
    // What else capture cards call Motion JPEG.
    let names: [&[u8; 4]; 5] = [b"MJPG", b"JPEG", b"AVRN", b"DMB1", b"MJPA"];
    if !names.iter().any(|name| coding.eq_ignore_ascii_case(*name)) {
        let name = String::from_utf8_lossy(&coding).replace('\0', "");
        return Err(Error::undecodable(
            path,
            format!(
                "its video is coded as {name:?}, which is not decoded here. \
                 Convert it to Motion JPEG (MJPG)."
            ),
        ));
    }
    let n = index.frames.len();
    let rate = index.rate.filter(|_| n > 1);
    let claimed = index.claimed as usize;
    let lacks = (index.is_cut_off && n > 0).then(|| match claimed > n {
        true => format!("The file is cut off: {n} of its {claimed} frames are there."),
        false => format!("The file is cut off after {n} frames."),
    });
    let frames = AviFrames {
        bytes,
        frames: index.frames,
    };
    let recording = Recording::new(n, rate, Box::new(frames))
        .map_err(|why| Error::undecodable(path, format!("{why}. Export it again.")))?;
    Ok(Opened {
        mark: index.mark,
        cut_off: lacks.is_some(),
        warnings: lacks.into_iter().collect(),
        ..Opened::new(recording, Kind::Avi)
    })
}

#[derive(Default)]
struct Index {
    /// The video's fourcc.
    coding: Option<[u8; 4]>,
    rate: Option<FrameRate>,
    mark: Option<Mark>,
    /// As many frames as the header says; 0 where it does not.
    claimed: u32,
    is_cut_off: bool,
    /// Position and length of each frame.
    frames: Vec<(u64, u32)>,
}

impl Index {
    fn read(bytes: &Bytes) -> std::io::Result<Self> {
        let mut index = Self::default();
        let mut at = 0;
        let mut streams = 0u8;
        let mut video = None;
        for _ in 0..MOST_CHUNKS {
            let head = bytes.at(at, 12)?;
            let (Some(name), Some(length)) = (head.first_chunk::<4>(), head.get(4..8)) else {
                break;
            };
            let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
            let content = at + 8;
            match name {
                // Lists are walked into, whatever they hold.
                b"RIFF" | b"LIST" => {
                    at += 12;
                    continue;
                }
                b"strh" => {
                    let header = bytes.at(content, 36)?;
                    if header.starts_with(b"vids") && video.is_none() {
                        video = Some(streams);
                        index.coding = header.get(4..8).and_then(|c| c.try_into().ok());
                        index.rate = rate(&header);
                        let count = header.get(32..36).and_then(<[u8]>::first_chunk);
                        index.claimed = count.map_or(0, |c| u32::from_le_bytes(*c));
                    }
                    streams = streams.saturating_add(1);
                }
                // The comment of a file that this program wrote.
                b"ICMT" if length < MOST_MARK => {
                    index.mark = Mark::parse(&bytes.at(content, length as usize)?);
                }
                // The format says more surely than the header what the frames are.
                b"strf" if video.is_some_and(|v| v + 1 == streams) => {
                    let format = bytes.at(content, 20)?;
                    if let Some(coding) = format.get(16..20).and_then(|c| c.try_into().ok()) {
                        index.coding = Some(coding);
                    }
                }
                &[a, b, b'd', b'c' | b'b'] if video == number(a, b) => {
                    match index.frames.last() {
                        // An empty chunk repeats the frame before.
                        Some(&before) if length == 0 => index.frames.push(before),
                        _ if length == 0 || length > MOST_CODED => {}
                        _ if content + u64::from(length) > bytes.len() => {
                            index.is_cut_off = true;
                            break;
                        }
                        _ => index.frames.push((content, length)),
                    }
                }
                _ => {}
            }
            // Chunks begin at even places.
            at = content + u64::from(length) + u64::from(length % 2);
        }
        Ok(index)
    }
}

fn number(a: u8, b: u8) -> Option<u8> {
    let digit = |d: u8| d.checked_sub(b'0').filter(|d| *d < 10);
    Some(10 * digit(a)? + digit(b)?)
}

fn rate(header: &[u8]) -> Option<FrameRate> {
    let number = |at: usize| {
        let four = header.get(at..at + 4)?.first_chunk::<4>()?;
        Some(f64::from(u32::from_le_bytes(*four)))
    };
    FrameRate::new(number(24)? / number(20)?)
}

struct AviFrames {
    bytes: Bytes,
    frames: Vec<(u64, u32)>,
}

impl FrameReader for AviFrames {
    fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
        let &(at, length) = self.frames.get(i).ok_or("it has no frames")?;
        let coded = self.bytes.at(at, length as usize);
        let coded = coded.map_err(|_| "the file cannot be read any more")?;
        still::jpeg(&coded).map(Arc::new)
    }
}
