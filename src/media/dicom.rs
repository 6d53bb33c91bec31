//! DICOM: ultrasound and secondary capture, single and multi-frame.
//!
//! Only what is needed to show the picture is read; no attribute that could name a patient is
//! kept. Native YBR and palette colour, ultrasound regions and the rest of the zoo are
//! still to come; what cannot be decoded is named.

use super::still::frame;
use super::{Error, Kind, MAX_CLIP_BYTES, MAX_SIDE, Opened};
use crate::clip::{Clip, FrameRate};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::file::ReadPreamble;
use dicom_object::{DefaultDicomObject, OpenFileOptions};
use dicom_pixeldata::{ConvertOptions, ModalityLutOption, PixelDecoder};
use std::path::Path;

pub fn open(path: &Path) -> Result<Opened, Error> {
    let read = |preamble| {
        OpenFileOptions::new()
            .read_preamble(preamble)
            .open_file(path)
    };
    let object = read(ReadPreamble::Auto)
        .or_else(|_| read(ReadPreamble::Never))
        .map_err(|_| {
            Error::undecodable(path, "it is not a complete DICOM file. Export it again.")
        })?;
    let number = |tag| integer(&object, tag);
    let (rows, columns) = (number(tags::ROWS), number(tags::COLUMNS));
    let (Some(rows), Some(columns)) = (rows, columns) else {
        return Err(Error::undecodable(
            path,
            "it holds no picture. Open a file of the image series.",
        ));
    };
    let frames = number(tags::NUMBER_OF_FRAMES).unwrap_or(1).max(1);
    let sound = |v: i64| (1..=MAX_SIDE as i64).contains(&v);
    if !sound(rows) || !sound(columns) || frames > 100_000 {
        return Err(Error::undecodable(
            path,
            format!("it claims {frames} frames of {columns} x {rows} pixels, which no scan has."),
        ));
    }
    let most = (MAX_CLIP_BYTES / (3 * rows as usize * columns as usize)).max(1);
    let kept = (frames as usize).min(most);
    let mut warnings = Vec::new();
    if kept < frames as usize {
        warnings.push(format!(
            "Only the first {kept} of {frames} frames fit in memory."
        ));
    }
    let options = ConvertOptions::new()
        .with_modality_lut(ModalityLutOption::None)
        .force_8bit();
    let mut decoded = Vec::with_capacity(kept);
    for i in 0..kept {
        let picture = object
            .decode_pixel_data_frame(i as u32)
            .and_then(|data| data.to_dynamic_image_with_options(0, &options));
        match picture {
            Ok(picture) => decoded.push(frame(&picture)),
            Err(_) if i > 0 => {
                warnings.push(format!("Only {i} of {frames} frames could be decoded."));
                break;
            }
            Err(_) => return Err(Error::undecodable(path, undecodable(&object))),
        }
    }
    Ok(Opened {
        clip: Clip {
            frames: decoded,
            rate: rate(&object),
            beat_normalised: false,
        },
        kind: Kind::Dicom,
        mark: None,
        warnings,
    })
}

fn undecodable(object: &DefaultDicomObject) -> String {
    let syntax = object
        .meta()
        .transfer_syntax()
        .trim_end_matches('\0')
        .to_owned();
    format!(
        "its pixels are coded in a way (transfer syntax {syntax}) that is not decoded here. \
         Export it uncompressed or as JPEG."
    )
}

fn integer(object: &DefaultDicomObject, tag: Tag) -> Option<i64> {
    object.element_opt(tag).ok()??.to_int::<i64>().ok()
}

fn float(object: &DefaultDicomObject, tag: Tag) -> Option<f64> {
    object.element_opt(tag).ok()??.to_float64().ok()
}

/// Frame Time, the mean of Frame Time Vector, Cine Rate, Recommended Display Frame Rate.
fn rate(object: &DefaultDicomObject) -> Option<FrameRate> {
    let frame_time = float(object, tags::FRAME_TIME).and_then(FrameRate::from_frame_ms);
    let vector = || {
        let element = object.element_opt(tags::FRAME_TIME_VECTOR).ok()??;
        let times = element.to_multi_float64().ok()?;
        // The first entry is the first frame's delay, 0.
        let times = times.get(1..).filter(|t| !t.is_empty())?;
        FrameRate::from_frame_ms(times.iter().sum::<f64>() / times.len() as f64)
    };
    let named = |tag| float(object, tag).and_then(FrameRate::new);
    frame_time
        .or_else(vector)
        .or_else(|| named(tags::CINE_RATE))
        .or_else(|| named(tags::RECOMMENDED_DISPLAY_FRAME_RATE))
}
