//! Compressed frames, by the field's own decoders.

use super::format::Format;
use super::shape::Shape;
use super::{colour, jpeg2000, rle};
use crate::clip::{Frame, Pixels};
use crate::media::{jpeg, still};
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

/// Decodes one frame, by what it is; by its transfer syntax where it looks like nothing.
///
/// # Errors
/// A phrase that says why not.
pub fn decode(data: Vec<u8>, syntax: &str, shape: &Shape) -> Result<Decoded, String> {
    if data.is_empty() {
        return Err("its pixels are missing".into());
    }
    let format = Format::of(&data, shape).or_else(|| Format::labelled(syntax));
    // A decoder gives every sample of every pixel, whatever the label says of sharing.
    let photometric = match shape.samples {
        1 => shape.photometric.as_str(),
        _ => colour::full_range(&shape.photometric),
    };
    let as_labelled = |bytes, planar| Decoded::Samples {
        bytes,
        photometric: photometric.to_owned(),
        planar,
    };
    match format {
        Some(Format::Native) => Ok(Decoded::Samples {
            bytes: data,
            photometric: shape.photometric.clone(),
            planar: shape.planar,
        }),
        Some(Format::Rle) => {
            let width = shape.bits_allocated.div_ceil(8);
            let planes = rle::decode(&data, shape.area(), shape.samples, width)
                .ok_or("its pixels could not be decoded")?;
            if width == 1 || shape.samples == 1 {
                return Ok(as_labelled(planes, true));
            }
            // Wider planes lie one after the other; interleaved is what the rest expects.
            Ok(as_labelled(
                interleave(&planes, shape.samples, width),
                false,
            ))
        }
        // zune-jpeg resembles libjpeg where the registry's decoder is a hundred levels off.
        Some(Format::Jpeg) => baseline(&data, shape),
        Some(Format::Jpeg2000) => jpeg2000::decode(&data, shape),
        Some(Format::Png) => {
            let picture = image::load_from_memory_with_format(&data, image::ImageFormat::Png);
            let picture = picture.map_err(|_| "its pixels could not be decoded")?;
            of_its_size(still::frame(&picture), shape)
        }
        Some(format @ (Format::DeepJpeg | Format::LosslessJpeg | Format::JpegLs)) => {
            let known = match format {
                Format::DeepJpeg => uids::JPEG_EXTENDED12_BIT,
                Format::LosslessJpeg => uids::JPEG_LOSSLESS,
                _ => uids::JPEGLS_LOSSLESS,
            };
            let bytes = by_registry(data, known, format, shape)?;
            Ok(match format {
                Format::DeepJpeg if shape.samples > 1 => Decoded::Samples {
                    bytes,
                    photometric: "RGB".into(),
                    planar: false,
                },
                // These decoders leave the colours as they are coded.
                _ => as_labelled(bytes, false),
            })
        }
        Some(format) => Err(no_decoder(format)),
        None => Err("its pixels are coded in a way that is not known here".into()),
    }
}

fn no_decoder(format: Format) -> String {
    let name = format.name();
    match format {
        Format::JpegLs => format!(
            "its pixels are {name}, which this build was made without (the feature jpeg-ls)"
        ),
        _ => format!("its pixels are {name}, which is not decoded here"),
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

/// An 8-bit JPEG. Colour that has fewer samples than light is luminance and colour differences,
/// whatever labels and markers say. One that is RGB by its label and has no marker of its own to say
/// otherwise would be taken for them as well: it is decoded as it is, and the picture decides.
fn baseline(data: &[u8], shape: &Shape) -> Result<Decoded, String> {
    let undecodable = "its pixels could not be decoded";
    let header = jpeg::Header::read(data).ok_or(undecodable)?;
    if header.is_subsampled() {
        let marked = jpeg::marked(data, 1).ok_or(undecodable)?;
        return of_its_size(still::jpeg(&marked)?, shape);
    }
    if shape.photometric == "RGB" && header.sampling.len() == 3 && header.marked.is_none() {
        let marked = jpeg::marked(data, 0).ok_or(undecodable)?;
        let frame = still::jpeg(&marked)?;
        return match frame.pixels {
            Pixels::Rgb(bytes) if bytes.len() == 3 * shape.area() => Ok(Decoded::Samples {
                photometric: colour::seen(&bytes, &eight_bits(shape), "RGB").into(),
                bytes,
                planar: false,
            }),
            _ => of_its_size(frame, shape),
        };
    }
    of_its_size(still::jpeg(data)?, shape)
}

/// The same picture in 8-bit colour.
fn eight_bits(shape: &Shape) -> Shape {
    Shape {
        samples: 3,
        bits_allocated: 8,
        bits_stored: 8,
        ..shape.clone()
    }
}

/// A decoded picture, with what the data set says of its levels.
fn of_its_size(frame: Frame, shape: &Shape) -> Result<Decoded, String> {
    if (frame.width, frame.height) != (shape.columns, shape.rows) {
        return Err("its pixels are of another size than it says".into());
    }
    Ok(match frame.pixels {
        Pixels::Gray(levels) if shape.photometric == "MONOCHROME1" => Decoded::Frame(Frame {
            pixels: Pixels::Gray(levels.into_iter().map(|v| 255 - v).collect()),
            ..frame
        }),
        Pixels::Gray(indices) if shape.photometric == "PALETTE COLOR" => {
            let width = shape.bits_allocated.div_ceil(8);
            let mut bytes = vec![0; indices.len() * width];
            let low = bytes.iter_mut().step_by(width);
            low.zip(indices).for_each(|(to, index)| *to = index);
            Decoded::Samples {
                bytes,
                photometric: shape.photometric.clone(),
                planar: false,
            }
        }
        pixels => Decoded::Frame(Frame { pixels, ..frame }),
    })
}

fn by_registry(
    data: Vec<u8>,
    syntax: &str,
    format: Format,
    shape: &Shape,
) -> Result<Vec<u8>, String> {
    let none = || no_decoder(format);
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
