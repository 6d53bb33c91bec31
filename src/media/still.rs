//! PNG, JPEG, BMP and TIFF stills.

use super::{Error, Kind, MAX_SIDE, Opened};
use crate::clip::{Clip, Frame, Pixels};
use image::{DynamicImage, ImageReader, Limits};
use std::path::Path;

pub fn open(path: &Path) -> Result<Opened, Error> {
    let mut reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|e| Error::io(path, e))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE as u32);
    limits.max_image_height = Some(MAX_SIDE as u32);
    limits.max_alloc = Some(super::MAX_CLIP_BYTES as u64);
    reader.limits(limits);
    let picture = reader
        .decode()
        .map_err(|e| Error::undecodable(path, format!("{e}. Export it again as PNG.")))?;
    Ok(Opened {
        clip: Clip::still(frame(&picture)),
        kind: Kind::Still,
        square: None,
        coding: None,
        mark: None,
        warnings: Vec::new(),
    })
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
