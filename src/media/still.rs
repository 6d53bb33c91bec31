//! PNG, animated PNG, JPEG and BMP.

use super::mark::Mark;
use super::mark::place;
use super::times::Times;
use super::{Error, Kind, MAX_RESIDENT, MAX_SIDE, Opened};
use super::{jpeg, tiff_stack};
use crate::clip::{Clip, Frame, Pixels};
use crate::recording::Recording;
use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

/// Pixels of one picture while it is decoded, in bytes.
const MOST_BYTES: u64 = 256 << 20;
/// A PNG's texts, in bytes.
const MOST_TEXT: usize = 4 << 20;

pub fn open(path: &Path) -> Result<Opened, Error> {
    let mark = mark(path);
    if let Some(animated) = animated(path)? {
        return Ok(Opened { mark, ..animated });
    }
    let recording = Recording::of_clip(Clip::still(picture(path)?))
        .map_err(|why| Error::undecodable(path, format!("{why}.")))?;
    Ok(Opened {
        mark,
        ..Opened::new(recording, Kind::Still)
    })
}

/// The mark in a PNG's text, if it has one before its pixels.
pub fn mark(path: &Path) -> Option<Mark> {
    let file = BufReader::new(File::open(path).ok()?);
    let limits = png::Limits { bytes: MOST_TEXT };
    let reader = png::Decoder::new_with_limits(file, limits)
        .read_info()
        .ok()?;
    let mut texts = reader.info().utf8_text.iter();
    let text = texts.find(|t| t.keyword == place::PNG)?.get_text().ok()?;
    Mark::parse(text.as_bytes())
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE as u32);
    limits.max_image_height = Some(MAX_SIDE as u32);
    limits.max_alloc = Some(MOST_BYTES);
    limits
}

fn undecodable(path: &Path, e: &image::ImageError) -> Error {
    Error::undecodable(path, format!("{e}. Export it again as PNG."))
}

/// Decodes one still.
///
/// # Errors
/// [`Error`], a sentence with what to do.
pub fn picture(path: &Path) -> Result<Frame, Error> {
    let head = super::head_of(path)?;
    if tiff_stack::is_tiff(&head) {
        return tiff_stack::picture(path);
    }
    let fail = |e: image::ImageError| undecodable(path, &e);
    if head.starts_with(b"\xff\xd8") {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let whole = jpeg::with_huffman_tables(&bytes);
        let reader = ImageReader::with_format(Cursor::new(whole), ImageFormat::Jpeg);
        return upright(reader).map_err(fail);
    }
    let reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|e| Error::io(path, e))?;
    upright(reader).map_err(fail)
}

/// Decodes, and turns as the camera was held (Exif's orientation).
fn upright<R: BufRead + Seek>(mut reader: ImageReader<R>) -> image::ImageResult<Frame> {
    reader.limits(limits());
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(frame(&picture))
}

/// Decodes a JPEG in memory, as it lies: a frame of a clip is turned by nobody.
///
/// # Errors
/// A phrase that says why not.
pub fn jpeg(bytes: &[u8]) -> Result<Frame, String> {
    let whole = jpeg::with_huffman_tables(bytes);
    let mut reader = ImageReader::with_format(Cursor::new(whole), ImageFormat::Jpeg);
    reader.limits(limits());
    let picture = reader
        .decode()
        .map_err(|_| "its data could not be decoded")?;
    Ok(frame(&picture))
}

/// The frames of an animated PNG; `None` for any other file.
fn animated(path: &Path) -> Result<Option<Opened>, Error> {
    let file = BufReader::new(File::open(path).map_err(|e| Error::io(path, e))?);
    let Ok(decoder) = PngDecoder::with_limits(file, limits()) else {
        return Ok(None);
    };
    if !decoder.is_apng().unwrap_or(false) {
        return Ok(None);
    }
    let (width, height) = decoder.dimensions();
    let most = (MAX_RESIDENT / (3 * width as usize * height as usize).max(1)).max(1);
    let decoder = decoder.apng().map_err(|e| undecodable(path, &e))?;
    let mut frames = Vec::new();
    let mut delays = Vec::new();
    let mut warnings = Vec::new();
    for next in decoder.into_frames() {
        if frames.len() == most {
            warnings.push(format!("Only the first {most} frames fit in memory."));
            break;
        }
        match next {
            Ok(next) => {
                let (numerator, denominator) = next.delay().numer_denom_ms();
                delays.push(f64::from(numerator) / f64::from(denominator.max(1)));
                frames.push(frame(&DynamicImage::from(next.into_buffer())));
            }
            Err(e) if frames.is_empty() => return Err(undecodable(path, &e)),
            Err(_) => {
                let n = frames.len();
                warnings.push(format!(
                    "Frame {n}, counted from 0, and those after it could not be decoded."
                ));
                break;
            }
        }
    }
    let times = Times::of_delays(&delays);
    let clip = Clip {
        rate: times.as_ref().map(|t| t.rate),
        frames,
        beat_normalised: false,
    };
    let recording = Recording::of_clip(clip)
        .map_err(|why| Error::undecodable(path, format!("{why}. Export it again.")))?;
    let each = times.and_then(|times| {
        warnings.extend(times.warning);
        times.each
    });
    Ok(Some(Opened {
        warnings,
        ..Opened::new(recording.with_times(each), Kind::Apng)
    }))
}

/// 8 bits a channel; what is transparent lies on black.
pub fn frame(picture: &DynamicImage) -> Frame {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let over_black = |v: u8, alpha: u8| ((u16::from(v) * u16::from(alpha) + 127) / 255) as u8;
    let color = picture.color();
    let pixels = match (color.has_color(), color.has_alpha()) {
        (true, false) => Pixels::Rgb(picture.to_rgb8().into_raw()),
        (false, false) => Pixels::Gray(picture.to_luma8().into_raw()),
        (true, true) => {
            let pixels = picture.to_rgba8().into_raw();
            let (pixels, _) = pixels.as_chunks::<4>();
            let composed = pixels
                .iter()
                .flat_map(|&[r, g, b, a]| [r, g, b].map(|v| over_black(v, a)));
            Pixels::Rgb(composed.collect())
        }
        (false, true) => {
            let pixels = picture.to_luma_alpha8().into_raw();
            let (pixels, _) = pixels.as_chunks::<2>();
            Pixels::Gray(pixels.iter().map(|&[v, a]| over_black(v, a)).collect())
        }
    };
    Frame {
        width,
        height,
        pixels,
    }
}
