//! Frame after frame out of a DICOM file, each read and decoded when it is asked for.

use super::coded::{self, Decoded};
use super::dataset::{self, Pixels};
use super::format::Format;
use super::samples::{Looks, Samples};
use super::shape::Shape;
use super::start::BIG_ENDIAN;
use crate::clip::Frame;
use crate::media::bytes::Bytes;
use crate::recording::FrameReader;
use dicom_core::VR;
use std::sync::Arc;

/// Bytes that tell how a frame is coded; headers with colour profiles are long.
const HEAD: usize = 1 << 20;
/// Frames that are tried for the range of levels.
const MOST_TRIED: usize = 16;

pub struct DicomFrames {
    bytes: Bytes,
    pixels: Pixels,
    shape: Shape,
    syntax: String,
    layout: &'static str,
    looks: Looks,
    /// Fragments of each frame, as a range; empty for native pixels.
    parts: Vec<[usize; 2]>,
}

impl DicomFrames {
    /// `layout` is the native syntax that the attributes are written in.
    pub fn new(
        bytes: Bytes,
        syntax: String,
        layout: &'static str,
        pixels: Pixels,
        mut shape: Shape,
        looks: Looks,
    ) -> Self {
        let mut pixels = really(&bytes, pixels, &shape);
        // A fragment without bytes is padding, unless it stands for a frame that is missing.
        if let Pixels::Encapsulated { fragments, .. } = &mut pixels
            && fragments.len() != shape.frames
        {
            fragments.retain(|(_, length)| *length > 0);
        }
        let parts = match &pixels {
            Pixels::Native { length, .. } => {
                shape.fit(*length);
                Vec::new()
            }
            Pixels::Encapsulated {
                offsets, fragments, ..
            } => {
                let starts_image = |at: u64| {
                    let head = bytes.at(at, 4).unwrap_or_default();
                    // JPEG and JPEG-LS; JPEG 2000 codestream and file; PNG.
                    head.starts_with(b"\xff\xd8")
                        || head.starts_with(b"\xff\x4f")
                        || head == b"\0\0\0\x0c"
                        || head == b"\x89PNG"
                };
                parts(offsets, fragments, shape.frames, starts_image)
            }
        };
        let mut frames = Self {
            bytes,
            pixels,
            shape,
            syntax,
            layout,
            looks,
            parts,
        };
        if frames.looks.need_settling(&frames.shape) {
            // The first frame that can be had.
            let first = (0..frames.there())
                .take(MOST_TRIED)
                .find_map(|i| frames.decode(i).ok());
            if let Some(Decoded::Samples { bytes, .. }) = first {
                frames.looks.settle(&bytes, &frames.shape);
            }
        }
        frames
    }

    /// What the pixels are, where that is not what the transfer syntax says.
    pub fn unlike_label(&self) -> Option<Format> {
        let format = match &self.pixels {
            Pixels::Native { .. } => Format::Native,
            Pixels::Encapsulated { .. } => {
                let data = self.coded(0).ok()?;
                Format::of(&data, &self.shape)?
            }
        };
        (!format.fits(&self.syntax)).then_some(format)
    }

    /// Whether the file ends before its pixels do.
    pub fn are_cut_off(&self) -> bool {
        match &self.pixels {
            Pixels::Native { at, length, .. } => at.saturating_add(*length) > self.bytes.len(),
            Pixels::Encapsulated { whole, .. } => !whole,
        }
    }

    /// How many of the claimed frames are really there.
    pub fn there(&self) -> usize {
        match &self.pixels {
            Pixels::Native { at, length, .. } => {
                let length = (*length).min(self.bytes.len().saturating_sub(*at));
                let whole = length.saturating_mul(8) / self.shape.native_bits().max(1) as u64;
                self.shape.frames.min(usize::try_from(whole).unwrap_or(0))
            }
            Pixels::Encapsulated { .. } => self.parts.len().min(self.shape.frames),
        }
    }

    fn decode(&self, i: usize) -> Result<Decoded, String> {
        match &self.pixels {
            Pixels::Native { .. } => Ok(Decoded::Samples {
                bytes: native(&self.bytes, &self.pixels, &self.shape, self.layout, i)?,
                photometric: self.shape.photometric.clone(),
                planar: self.shape.planar,
            }),
            Pixels::Encapsulated { .. } => coded::decode(self.coded(i)?, &self.syntax, &self.shape),
        }
    }

    /// The bytes of a compressed frame.
    fn coded(&self, i: usize) -> Result<Vec<u8>, String> {
        let Pixels::Encapsulated { fragments, .. } = &self.pixels else {
            return Err("its pixels are missing".into());
        };
        let &[from, to] = self.parts.get(i).ok_or("its pixels are missing")?;
        let mut data = Vec::new();
        for &(at, length) in fragments.get(from..to).unwrap_or_default() {
            let part = self.bytes.at(at, length as usize);
            data.extend(part.map_err(|_| "the file cannot be read any more")?);
        }
        Ok(data)
    }
}

/// Pixels as they really lie, whatever the transfer syntax says: fragments within a value of known
/// length, a compressed picture as one value, uncompressed frames within one fragment.
fn really(bytes: &Bytes, pixels: Pixels, shape: &Shape) -> Pixels {
    const ITEM: &[u8] = b"\xfe\xff\x00\xe0";
    let total = (shape.native_bits() as u64 * shape.frames as u64).div_ceil(8);
    match &pixels {
        &Pixels::Native { at, length, .. } => {
            let head = bytes.at(at, 8).unwrap_or_default();
            let first = head.last_chunk::<4>().map(|l| u32::from_le_bytes(*l));
            let next = first.and_then(|n| bytes.at(at + 8 + u64::from(n), 4).ok());
            if head.starts_with(ITEM) && next.is_some_and(|n| n == ITEM) {
                return dataset::fragments(bytes, at).unwrap_or(pixels);
            }
            let Ok(length) = u32::try_from(length) else {
                return pixels;
            };
            // Enough to see what it is, and never what is of the right size already.
            let head = bytes
                .at(at, (length as usize).min(HEAD))
                .unwrap_or_default();
            let coded = Format::of(&head, shape).is_some_and(|f| f != Format::Native);
            if u64::from(length).div_ceil(2) != total.div_ceil(2) && coded {
                return Pixels::Encapsulated {
                    offsets: Vec::new(),
                    fragments: vec![(at, length)],
                    whole: at + u64::from(length) <= bytes.len(),
                };
            }
            pixels
        }
        Pixels::Encapsulated { fragments, .. } => match fragments.as_slice() {
            &[(at, length)]
                if shape.frames > 1 && u64::from(length).div_ceil(2) == total.div_ceil(2) =>
            {
                Pixels::Native {
                    at,
                    length: u64::from(length),
                    vr: VR::OB,
                }
            }
            _ => pixels,
        },
    }
}

impl FrameReader for DicomFrames {
    fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
        let frame = match self.decode(i)? {
            Decoded::Frame(frame) => frame,
            Decoded::Samples {
                bytes,
                photometric,
                planar,
            } => {
                let samples = Samples {
                    bytes: &bytes,
                    photometric: &photometric,
                    planar,
                };
                self.looks.frame(&samples, &self.shape, i)?
            }
        };
        Ok(Arc::new(frame))
    }
}

/// The uncompressed samples of frame `i`, little endian.
fn native(
    bytes: &Bytes,
    pixels: &Pixels,
    shape: &Shape,
    layout: &str,
    i: usize,
) -> Result<Vec<u8>, String> {
    let Pixels::Native { at, length, vr } = pixels else {
        return Err("its pixels are missing".into());
    };
    let bits = shape.native_bits() as u64;
    // Single bits of a frame may begin within a byte.
    let (from, to) = (i as u64 * bits, (i as u64 + 1) * bits);
    // Bytes that were written as words lie in pairs, the wrong way round.
    let paired = layout == BIG_ENDIAN && shape.bits_allocated == 8 && *vr == VR::OW;
    let pair = 1 + u64::from(paired);
    let from_byte = from / 8 / pair * pair;
    let to_byte = to.div_ceil(8).div_ceil(pair) * pair;
    if to_byte > *length {
        return Err("its pixels are cut off".into());
    }
    let count = (to_byte - from_byte) as usize;
    let mut data = bytes
        .at(at + from_byte, count)
        .map_err(|_| "the file cannot be read any more")?;
    if data.len() < count {
        return Err("its pixels are cut off".into());
    }
    if paired {
        data.as_chunks_mut::<2>()
            .0
            .iter_mut()
            .for_each(|w| w.swap(0, 1));
        data.drain(..(from / 8 - from_byte) as usize);
    }
    let within = (from % 8) as u32;
    if within > 0 {
        for k in 0..data.len() {
            let next = data.get(k + 1).copied().unwrap_or(0);
            data[k] = data[k] >> within | next << (8 - within);
        }
    }
    if layout == BIG_ENDIAN {
        match shape.bits_allocated {
            16 => data
                .as_chunks_mut::<2>()
                .0
                .iter_mut()
                .for_each(|w| w.reverse()),
            32 => data
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .for_each(|w| w.reverse()),
            _ => {}
        }
    }
    Ok(data)
}

/// Which fragments make each frame.
fn parts(
    offsets: &[u32],
    fragments: &[(u64, u32)],
    frames: usize,
    starts_image: impl Fn(u64) -> bool,
) -> Vec<[usize; 2]> {
    let n = fragments.len();
    if frames == 1 {
        return if n == 0 { Vec::new() } else { vec![[0, n]] };
    }
    let one_each = || (0..n).map(|i| [i, i + 1]).collect();
    if n <= frames {
        return one_each();
    }
    // From the first fragment's item header on.
    let base = fragments[0].0;
    let mut starts: Vec<usize> = offsets
        .iter()
        .filter_map(|&o| {
            fragments
                .binary_search_by_key(&(base + u64::from(o)), |f| f.0)
                .ok()
        })
        .collect();
    let sound = starts.len() == frames && starts.is_sorted_by(|a, b| a < b);
    if !sound {
        starts = (0..n).filter(|&i| starts_image(fragments[i].0)).collect();
    }
    if starts.is_empty() {
        return one_each();
    }
    let ends = starts.iter().skip(1).copied().chain([n]);
    starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(a, b)| [a, b])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_several_fragments_are_put_together() {
        let fragments = [(8, 10), (26, 4), (38, 6), (52, 6)];
        let by_table = parts(&[0, 30], &fragments, 2, |_| false);
        assert_eq!(by_table, [[0, 2], [2, 4]]);
        // Without a table: by what begins with a marker.
        let by_marker = parts(&[], &fragments, 2, |at| at == 8 || at == 52);
        assert_eq!(by_marker, [[0, 3], [3, 4]]);
        assert_eq!(parts(&[], &fragments, 1, |_| false), [[0, 4]]);
        assert_eq!(parts(&[7, 9], &fragments, 4, |_| false).len(), 4);
        assert!(parts(&[], &[], 3, |_| true).is_empty());
    }
}
