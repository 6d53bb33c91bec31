//! From coded pixels to frames. Uncompressed 8-bit pixels are converted here, because dicom-rs
//! has the sign of YBR_FULL's green wrong and leaves palettes as indices; the rest it decodes.

use super::{frames, integer, size, transfer_syntax};
use crate::clip::{Frame, Pixels};
use crate::media::still;
use dicom_dictionary_std::{tags, uids};
use dicom_object::DefaultDicomObject;
use dicom_pixeldata::{ConvertOptions, ModalityLutOption, PixelDecoder};
use std::borrow::Cow;

/// What the attributes say of the pixels.
#[derive(Clone, Debug)]
pub struct Shape {
    pub rows: usize,
    pub columns: usize,
    pub frames: usize,
    pub photometric: String,
    samples: usize,
    bits: i64,
    planar: bool,
}

impl Shape {
    /// `None` for an object without pixels.
    pub fn read(object: &DefaultDicomObject) -> Option<Self> {
        object.element_opt(tags::PIXEL_DATA).ok()??;
        let text = |tag| {
            let element = object.element_opt(tag).ok()??;
            Some(
                element
                    .to_str()
                    .ok()?
                    .trim_end_matches(['\0', ' '])
                    .to_owned(),
            )
        };
        Some(Self {
            rows: size(object, tags::ROWS)?,
            columns: size(object, tags::COLUMNS)?,
            frames: frames(object),
            photometric: text(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default(),
            samples: size(object, tags::SAMPLES_PER_PIXEL).unwrap_or(1),
            bits: integer(object, tags::BITS_ALLOCATED).unwrap_or(8),
            planar: integer(object, tags::PLANAR_CONFIGURATION) == Some(1),
        })
    }

    fn frame(&self, pixels: Pixels) -> Frame {
        Frame {
            width: self.columns,
            height: self.rows,
            pixels,
        }
    }
}

pub struct Decoder<'a> {
    object: &'a DefaultDicomObject,
    shape: Shape,
    /// The bytes of all frames, where they are neither compressed nor wider than 8 bits.
    native: Option<Cow<'a, [u8]>>,
    palette: Option<[Vec<u8>; 3]>,
}

const NATIVE: [&str; 4] = [
    uids::IMPLICIT_VR_LITTLE_ENDIAN,
    uids::EXPLICIT_VR_LITTLE_ENDIAN,
    // Explicit VR Big Endian, retired.
    "1.2.840.10008.1.2.2",
    uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
];

impl<'a> Decoder<'a> {
    pub fn new(object: &'a DefaultDicomObject, shape: Shape) -> Self {
        let uncompressed = NATIVE.contains(&transfer_syntax(object).as_str());
        let native = (uncompressed && shape.bits == 8)
            .then(|| object.element_opt(tags::PIXEL_DATA).ok()??.to_bytes().ok())
            .flatten();
        let palette = (shape.photometric == "PALETTE COLOR")
            .then(|| read_palette(object))
            .flatten();
        Self {
            object,
            shape,
            native,
            palette,
        }
    }

    /// Frame `i`, counted from 0.
    ///
    /// # Errors
    /// A phrase that says why not.
    pub fn frame(&self, i: usize) -> Result<Frame, String> {
        match &self.native {
            Some(bytes) => self.native_frame(bytes, i),
            None => self.coded_frame(i),
        }
    }

    fn native_frame(&self, bytes: &[u8], i: usize) -> Result<Frame, String> {
        let s = &self.shape;
        let pixels = s.rows * s.columns;
        let per_frame = match s.photometric.as_str() {
            "YBR_FULL_422" | "YBR_PARTIAL_422" => 2 * pixels,
            _ => s.samples * pixels,
        };
        let bytes = bytes
            .get(i * per_frame..(i + 1) * per_frame)
            .ok_or("the pixels are cut off")?;
        let colour = |convert: fn([u8; 3]) -> [u8; 3]| {
            let pixel = |k: usize| {
                if s.planar {
                    [bytes[k], bytes[pixels + k], bytes[2 * pixels + k]]
                } else {
                    [bytes[3 * k], bytes[3 * k + 1], bytes[3 * k + 2]]
                }
            };
            Pixels::Rgb((0..pixels).flat_map(|k| convert(pixel(k))).collect())
        };
        Ok(s.frame(match (s.photometric.as_str(), s.samples) {
            ("MONOCHROME1", 1) => Pixels::Gray(bytes.iter().map(|v| 255 - v).collect()),
            ("PALETTE COLOR", 1) => self.through_palette(bytes.iter().map(|&v| v.into()))?,
            (_, 1) => Pixels::Gray(bytes.to_vec()),
            ("YBR_FULL_422", 3) => from_422(bytes),
            ("YBR_FULL", 3) => colour(ybr_to_rgb),
            ("RGB", 3) => colour(|rgb| rgb),
            (other, n) => return Err(format!("{other} with {n} samples a pixel is not supported")),
        }))
    }

    /// A colour JPEG that says it is RGB and has no marker of its own to say otherwise; decoders
    /// take it for YCbCr.
    fn unmarked_rgb_jpeg(&self, i: usize) -> Option<Frame> {
        let s = &self.shape;
        let baseline = transfer_syntax(self.object) == uids::JPEG_BASELINE8_BIT;
        if !baseline || s.photometric != "RGB" || s.samples != 3 {
            return None;
        }
        let element = self.object.element_opt(tags::PIXEL_DATA).ok()??;
        let fragments = element.value().fragments()?;
        if fragments.len() != s.frames || is_marked(fragments.get(i)?) {
            return None;
        }
        // With the marker that it should have had, any decoder gets it right.
        let (start, rest) = fragments.get(i)?.split_at_checked(2)?;
        let marked = [start, &ADOBE_NO_TRANSFORM, rest].concat();
        let picture =
            image::load_from_memory_with_format(&marked, image::ImageFormat::Jpeg).ok()?;
        let frame = still::frame(&picture);
        ((frame.width, frame.height) == (s.columns, s.rows)).then_some(frame)
    }

    fn coded_frame(&self, i: usize) -> Result<Frame, String> {
        if let Some(frame) = self.unmarked_rgb_jpeg(i) {
            return Ok(frame);
        }
        let data = self
            .object
            .decode_pixel_data_frame(i as u32)
            .map_err(|_| "no decoder takes them")?;
        if self.palette.is_some() {
            let bytes = data.data();
            let pixels = if self.shape.bits > 8 {
                let words = bytes.as_chunks::<2>().0.iter();
                self.through_palette(words.map(|&w| u16::from_le_bytes(w)))?
            } else {
                self.through_palette(bytes.iter().map(|&v| v.into()))?
            };
            return Ok(self.shape.frame(pixels));
        }
        // The default modality transform shifts ultrasound's levels.
        let options = ConvertOptions::new()
            .with_modality_lut(ModalityLutOption::None)
            .force_8bit();
        let picture = data
            .to_dynamic_image_with_options(0, &options)
            .map_err(|_| "they make no picture")?;
        Ok(still::frame(&picture))
    }

    fn through_palette(&self, indices: impl Iterator<Item = u16>) -> Result<Pixels, String> {
        let tables = self.palette.as_ref().ok_or("its palette is missing")?;
        let entry = |table: &Vec<u8>, i: u16| {
            let last = table.len().saturating_sub(1);
            table.get(usize::from(i).min(last)).copied().unwrap_or(0)
        };
        let pixels: Vec<u8> = indices
            .flat_map(|i| [0, 1, 2].map(|c| entry(&tables[c], i)))
            .collect();
        if pixels.len() != 3 * self.shape.rows * self.shape.columns {
            return Err("the pixels are cut off".into());
        }
        Ok(Pixels::Rgb(pixels))
    }
}

/// The Adobe segment that says the components are colours as they are.
const ADOBE_NO_TRANSFORM: [u8; 16] = *b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00";

/// Whether a JPEG has a JFIF or an Adobe marker, which say what its colours are.
fn is_marked(jpeg: &[u8]) -> bool {
    let mut at = 2;
    // Segments before the scan: FF, marker, length of two bytes, content.
    while let Some(&[0xff, marker, high, low]) = jpeg.get(at..at + 4) {
        let content = jpeg.get(at + 4..).unwrap_or_default();
        match marker {
            0xe0 if content.starts_with(b"JFIF") => return true,
            0xee if content.starts_with(b"Adobe") => return true,
            0xda => return false,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    false
}

/// Full-range YCbCr (PS3.3 C.7.6.3.1.2).
fn ybr_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|v| v.round().clamp(0.0, 255.0) as u8)
}

/// Two luminances share one pair of colour differences: Y0 Y1 Cb Cr.
fn from_422(bytes: &[u8]) -> Pixels {
    let pairs = bytes.as_chunks::<4>().0.iter();
    let pixels = pairs.flat_map(|&[y0, y1, cb, cr]| {
        let [a, b] = [ybr_to_rgb([y0, cb, cr]), ybr_to_rgb([y1, cb, cr])];
        [a[0], a[1], a[2], b[0], b[1], b[2]]
    });
    Pixels::Rgb(pixels.collect())
}

/// Red, green and blue tables as 8 bits, index 0 first.
fn read_palette(object: &DefaultDicomObject) -> Option<[Vec<u8>; 3]> {
    let table = |descriptor, data| -> Option<Vec<u8>> {
        let descriptor = object.element_opt(descriptor).ok()??;
        let descriptor = descriptor.to_multi_int::<i32>().ok()?;
        let (entries, first) = (*descriptor.first()?, *descriptor.get(1)?);
        // 0 stands for 65,536, which does not fit; some readers take it for negative.
        let entries = match entries {
            1..=65_535 => entries as usize,
            _ => 65_536,
        };
        let bytes = object.element_opt(data).ok()??.to_bytes().ok()?;
        let values: Vec<u8> = if bytes.len() < 2 * entries {
            bytes.iter().copied().take(entries).collect()
        } else {
            // 16-bit entries: the upper byte, or the lower where no upper one is used.
            let words: Vec<u16> = bytes
                .as_chunks::<2>()
                .0
                .iter()
                .take(entries)
                .map(|&w| u16::from_le_bytes(w))
                .collect();
            let wide = words.iter().any(|&w| w > 255);
            let narrow = |w: u16| if wide { (w >> 8) as u8 } else { w as u8 };
            words.into_iter().map(narrow).collect()
        };
        // Indices below the first entry take its value.
        let mut shifted = vec![*values.first()?; usize::try_from(first).unwrap_or(0).min(65_536)];
        shifted.extend(values);
        Some(shifted)
    };
    Some([
        table(
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?,
        table(
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?,
        table(
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?,
    ])
}
