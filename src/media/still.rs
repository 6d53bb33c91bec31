//! PNG, animated PNG, JPEG, BMP and TIFF.

use super::export::PNG_MARK;
use super::mark::Mark;
use super::{Error, Kind, MAX_RESIDENT, MAX_SIDE, Opened};
use crate::clip::{Clip, Frame, FrameRate, Pixels};
use crate::recording::Recording;
use image::codecs::png::PngDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::fs::File;
use std::io::{BufReader, Cursor};
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
    let text = texts.find(|t| t.keyword == PNG_MARK)?.get_text().ok()?;
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
    let mut reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|e| Error::io(path, e))?;
    reader.limits(limits());
    let picture = reader.decode().map_err(|e| undecodable(path, &e))?;
    Ok(frame(&picture))
}

/// Decodes a JPEG in memory.
///
/// # Errors
/// A phrase that says why not.
pub fn jpeg(bytes: &[u8]) -> Result<Frame, String> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Jpeg);
    reader.limits(limits());
    let picture = reader.decode().map_err(|_| "its data is damaged")?;
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
    let mut milliseconds = 0.0;
    let mut warnings = Vec::new();
    for next in decoder.into_frames() {
        if frames.len() == most {
            warnings.push(format!("Only the first {most} frames fit in memory."));
            break;
        }
        match next {
            Ok(next) => {
                let (numerator, denominator) = next.delay().numer_denom_ms();
                milliseconds += f64::from(numerator) / f64::from(denominator.max(1));
                frames.push(frame(&DynamicImage::from(next.into_buffer())));
            }
            Err(e) if frames.is_empty() => return Err(undecodable(path, &e)),
            Err(_) => {
                warnings.push("The file is cut off.".to_owned());
                break;
            }
        }
    }
    let n = frames.len();
    let clip = Clip {
        frames,
        rate: FrameRate::from_frame_ms(milliseconds / n as f64).filter(|_| n > 1),
        beat_normalised: false,
    };
    let recording = Recording::of_clip(clip)
        .map_err(|why| Error::undecodable(path, format!("{why}. Export it again.")))?;
    Ok(Some(Opened {
        warnings,
        ..Opened::new(recording, Kind::Apng)
    }))
}

/// 8 bits a channel; transparency is dropped.
pub fn frame(picture: &DynamicImage) -> Frame {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = if picture.color().has_color() {
        Pixels::Rgb(picture.to_rgb8().into_raw())
    } else {
        Pixels::Gray(picture.to_luma8().into_raw())
    };
    Frame {
        width,
        height,
        pixels,
    }
}
