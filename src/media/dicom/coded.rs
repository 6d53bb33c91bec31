//! Compressed frames, by the field's own decoders.

use super::rle;
use super::shape::Shape;
use crate::clip::Frame;
use crate::media::still;
use dicom_dictionary_std::uids;
use dicom_encoding::Codec;
use dicom_encoding::adapters::{PixelDataObject, RawPixelData};
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use std::borrow::Cow;

/// What a decoder gave.
pub enum Decoded {
    Frame(Frame),
    Samples {
        bytes: Vec<u8>,
        /// The colour space that they are in now.
        photometric: String,
        planar: bool,
    },
}

/// Decodes one frame.
///
/// # Errors
/// A phrase that says why not.
pub fn decode(data: Vec<u8>, syntax: &str, shape: &Shape) -> Result<Decoded, String> {
    let gray = shape.samples == 1;
    // A decoder gives every sample of every pixel, whatever the label says of sharing.
    let photometric = match shape.photometric.as_str() {
        "YBR_FULL_422" => "YBR_FULL",
        other => other,
    };
    let as_labelled = |bytes, planar| Decoded::Samples {
        bytes,
        photometric: photometric.to_owned(),
        planar,
    };
    match syntax {
        uids::RLE_LOSSLESS => {
            let width = shape.bits_allocated.div_ceil(8);
            let planes = rle::decode(&data, shape.area(), shape.samples, width)
                .ok_or("its pixels are damaged")?;
            if width == 1 || gray {
                return Ok(as_labelled(planes, true));
            }
            // Wider planes lie one after the other; interleaved is what the rest expects.
            Ok(as_labelled(
                interleave(&planes, shape.samples, width),
                false,
            ))
        }
        // zune-jpeg resembles libjpeg where the registry's decoder is a hundred levels off.
        uids::JPEG_BASELINE8_BIT | uids::JPEG_EXTENDED12_BIT if shape.bits_stored <= 8 => {
            baseline(&data, shape).map(Decoded::Frame)
        }
        _ => {
            let bytes = by_registry(data, syntax, shape)?;
            Ok(match syntax {
                // These decoders leave the colours as they are coded.
                uids::JPEG_LOSSLESS
                | uids::JPEG_LOSSLESS_SV1
                | uids::JPEGLS_LOSSLESS
                | uids::JPEGLS_NEAR_LOSSLESS
                    if !gray && photometric == "YBR_FULL" =>
                {
                    as_labelled(bytes, false)
                }
                _ => Decoded::Samples {
                    bytes,
                    photometric: if gray {
                        shape.photometric.clone()
                    } else {
                        "RGB".into()
                    },
                    planar: false,
                },
            })
        }
    }
}

fn interleave(planes: &[u8], samples: usize, width: usize) -> Vec<u8> {
    let plane = planes.len() / samples;
    let mut mixed = Vec::with_capacity(planes.len());
    for k in 0..plane / width {
        for s in 0..samples {
            mixed.extend_from_slice(&planes[s * plane + k * width..][..width]);
        }
    }
    mixed
}

/// An 8-bit JPEG. One that is RGB by its label and has no marker of its own to say otherwise would
/// be taken for YCbCr: it is given the marker that it should have had.
fn baseline(data: &[u8], shape: &Shape) -> Result<Frame, String> {
    let marked;
    let mut coded = data;
    if shape.photometric == "RGB" && shape.samples == 3 && !is_marked(data) {
        marked = with_marker(data).ok_or("its pixels are damaged")?;
        coded = &marked;
    }
    let frame = still::jpeg(coded)?;
    if (frame.width, frame.height) != (shape.columns, shape.rows) {
        return Err("its pixels are of another size than it says".into());
    }
    Ok(frame)
}

/// The Adobe segment that says the components are colours as they are.
const ADOBE_NO_TRANSFORM: [u8; 16] = *b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00";

/// The same JPEG with that segment, and without any other of its kind.
fn with_marker(jpeg: &[u8]) -> Option<Vec<u8>> {
    let mut marked = jpeg.get(..2)?.to_vec();
    marked.extend(ADOBE_NO_TRANSFORM);
    let mut at = 2;
    while let Some(&[0xff, marker @ 0xe0..=0xef, high, low]) = jpeg.get(at..at + 4) {
        let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker != 0xee {
            marked.extend_from_slice(jpeg.get(at..end)?);
        }
        at = end;
    }
    marked.extend_from_slice(jpeg.get(at..)?);
    Some(marked)
}

/// Whether a JPEG says its colours by a JFIF or Adobe marker, or by the components' letters.
fn is_marked(jpeg: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = jpeg.get(at..at + 4) {
        let content = jpeg.get(at + 4..).unwrap_or_default();
        match marker {
            0xe0 if content.starts_with(b"JFIF") => return true,
            // One that is too short to say anything says nothing.
            0xee if content.starts_with(b"Adobe") && low >= 14 => return true,
            0xda => return false,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    false
}

fn by_registry(data: Vec<u8>, syntax: &str, shape: &Shape) -> Result<Vec<u8>, String> {
    let none = || "there is no decoder for its pixels".to_owned();
    let known = TransferSyntaxRegistry.get(syntax).ok_or_else(none)?;
    let Codec::EncapsulatedPixelData(Some(decoder), _) = known.codec() else {
        return Err(none());
    };
    let frame = OneFrame {
        syntax,
        shape,
        data,
    };
    let mut samples = Vec::new();
    decoder
        .decode(&frame, &mut samples)
        .map_err(|_| "its pixels could not be decoded")?;
    Ok(samples)
}

/// One frame as dicom-rs's decoders want to see it.
struct OneFrame<'a> {
    syntax: &'a str,
    shape: &'a Shape,
    data: Vec<u8>,
}

impl PixelDataObject for OneFrame<'_> {
    fn transfer_syntax_uid(&self) -> &str {
        self.syntax
    }

    fn rows(&self) -> Option<u16> {
        self.shape.rows.try_into().ok()
    }

    fn cols(&self) -> Option<u16> {
        self.shape.columns.try_into().ok()
    }

    fn samples_per_pixel(&self) -> Option<u16> {
        self.shape.samples.try_into().ok()
    }

    fn bits_allocated(&self) -> Option<u16> {
        self.shape.bits_allocated.try_into().ok()
    }

    fn bits_stored(&self) -> Option<u16> {
        self.shape.bits_stored.try_into().ok()
    }

    fn photometric_interpretation(&self) -> Option<&str> {
        Some(&self.shape.photometric)
    }

    fn number_of_frames(&self) -> Option<u32> {
        Some(1)
    }

    fn number_of_fragments(&self) -> Option<u32> {
        Some(1)
    }

    fn fragment(&self, i: usize) -> Option<Cow<'_, [u8]>> {
        (i == 0).then_some(Cow::Borrowed(self.data.as_slice()))
    }

    fn offset_table(&self) -> Option<Cow<'_, [u32]>> {
        None
    }

    fn raw_pixel_data(&self) -> Option<RawPixelData> {
        Some(RawPixelData {
            fragments: vec![self.data.clone()].into(),
            offset_table: vec![].into(),
        })
    }
}
