//! Frame after frame out of a DICOM file, each read and decoded when it is asked for.

use super::coded::{self, Decoded};
use super::dataset::Pixels;
use super::samples::{Looks, Samples};
use super::shape::Shape;
use super::start::{BIG_ENDIAN, is_native};
use crate::clip::Frame;
use crate::media::bytes::Bytes;
use crate::recording::FrameReader;
use dicom_core::VR;
use dicom_dictionary_std::uids;
use std::sync::Arc;

pub struct DicomFrames {
    bytes: Bytes,
    pixels: Pixels,
    shape: Shape,
    syntax: String,
    looks: Looks,
    /// Fragments of each frame, as a range; empty for native pixels.
    parts: Vec<[usize; 2]>,
}

impl DicomFrames {
    pub fn new(bytes: Bytes, syntax: String, pixels: Pixels, shape: Shape, looks: Looks) -> Self {
        let parts = match &pixels {
            Pixels::Native { .. } => Vec::new(),
            Pixels::Encapsulated { offsets, fragments } => {
                let starts_image = |at: u64| {
                    let head = bytes.at(at, 4).unwrap_or_default();
                    // JPEG and JPEG-LS; JPEG 2000 codestream and file.
                    head.starts_with(b"\xff\xd8")
                        || head.starts_with(b"\xff\x4f")
                        || head == b"\0\0\0\x0c"
                };
                parts(offsets, fragments, shape.frames, starts_image)
            }
        };
        let mut frames = Self {
            bytes,
            pixels,
            shape,
            syntax,
            looks,
            parts,
        };
        if frames.looks.need_settling(&frames.shape)
            && let Ok(Decoded::Samples { bytes, .. }) = frames.decode(0)
        {
            frames.looks.settle(&bytes, &frames.shape);
        }
        frames
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
        let Pixels::Encapsulated { fragments, .. } = &self.pixels else {
            return Ok(Decoded::Samples {
                bytes: native(&self.bytes, &self.pixels, &self.shape, &self.syntax, i)?,
                photometric: self.shape.photometric.clone(),
                planar: self.shape.planar,
            });
        };
        let &[from, to] = self.parts.get(i).ok_or("its pixels are cut off")?;
        let mut data = Vec::new();
        for &(at, length) in fragments.get(from..to).unwrap_or_default() {
            let part = self.bytes.at(at, length as usize);
            data.extend(part.map_err(|_| "the file cannot be read any more")?);
        }
        coded::decode(data, &self.syntax, &self.shape)
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
                self.looks.frame(&samples, &self.shape)?
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
    syntax: &str,
    i: usize,
) -> Result<Vec<u8>, String> {
    let Pixels::Native { at, length, vr } = pixels else {
        return Err("its pixels are missing".into());
    };
    if !is_native(syntax) && syntax != uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN {
        return Err("its pixels are not packed as its transfer syntax says".into());
    }
    let bits = shape.native_bits() as u64;
    // Single bits of a frame may begin within a byte.
    let (from, to) = (i as u64 * bits, (i as u64 + 1) * bits);
    // Bytes that were written as words lie in pairs, the wrong way round.
    let paired = syntax == BIG_ENDIAN && shape.bits_allocated == 8 && *vr == VR::OW;
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
    if syntax == BIG_ENDIAN {
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
