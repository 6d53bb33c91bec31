//! DICOM: ultrasound and secondary capture, single and multi-frame.
//!
//! Only what is needed to show the picture is read; no attribute that could name a patient is
//! kept. What cannot be decoded is named by its transfer syntax.

mod bare;
mod pixels;
mod region;
mod timing;

use super::{Coding, Error, Kind, MAX_CLIP_BYTES, MAX_SIDE, Opened};
use crate::clip::Clip;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::file::ReadPreamble;
use dicom_object::{DefaultDicomObject, OpenFileOptions};
use std::path::Path;

pub fn open(path: &Path) -> Result<Opened, Error> {
    let read = |preamble| {
        OpenFileOptions::new()
            .read_preamble(preamble)
            .open_file(path)
    };
    let object = read(ReadPreamble::Auto)
        .or_else(|_| read(ReadPreamble::Never))
        .ok()
        .or_else(|| bare::open(path))
        .ok_or_else(|| {
            Error::undecodable(path, "it is not a complete DICOM file. Export it again.")
        })?;
    let shape = pixels::Shape::read(&object).ok_or_else(|| {
        Error::undecodable(
            path,
            "it holds no picture. Open a file of the image series.",
        )
    })?;
    let sound = |v: usize| (1..=MAX_SIDE).contains(&v);
    let pixels::Shape {
        rows,
        columns,
        frames,
        ..
    } = shape;
    if !sound(rows) || !sound(columns) || frames > 100_000 {
        return Err(Error::undecodable(
            path,
            format!("it claims {frames} frames of {columns} x {rows} pixels, which no scan has."),
        ));
    }
    let most = (MAX_CLIP_BYTES / (3 * rows * columns)).max(1);
    let kept = frames.min(most);
    let mut warnings = Vec::new();
    if kept < frames {
        warnings.push(format!(
            "Only the first {kept} of {frames} frames fit in memory."
        ));
    }
    let coding = Coding {
        photometric: shape.photometric.clone(),
        transfer_syntax: transfer_syntax(&object),
    };
    let decoder = pixels::Decoder::new(&object, shape);
    let mut decoded = Vec::with_capacity(kept);
    for i in 0..kept {
        match decoder.frame(i) {
            Ok(frame) => decoded.push(frame),
            Err(_) if i > 0 => {
                warnings.push(format!("Only {i} of {frames} frames could be decoded."));
                break;
            }
            Err(why) => {
                let syntax = &coding.transfer_syntax;
                return Err(Error::undecodable(
                    path,
                    format!(
                        "its pixels (transfer syntax {syntax}) are not decoded here: {why}. \
                         Export it uncompressed or as JPEG."
                    ),
                ));
            }
        }
    }
    let clip = Clip {
        frames: decoded,
        rate: timing::rate(&object),
        beat_normalised: false,
    };
    Ok(Opened {
        square: region::square(&object, columns, rows),
        clip,
        kind: Kind::Dicom,
        coding: Some(coding),
        mark: None,
        warnings,
    })
}

fn transfer_syntax(object: &DefaultDicomObject) -> String {
    let syntax = object.meta().transfer_syntax();
    syntax.trim_end_matches('\0').to_owned()
}

fn integer(object: &DefaultDicomObject, tag: Tag) -> Option<i64> {
    object.element_opt(tag).ok()??.to_int::<i64>().ok()
}

fn size(object: &DefaultDicomObject, tag: Tag) -> Option<usize> {
    integer(object, tag).and_then(|v| usize::try_from(v).ok())
}

fn float(object: &DefaultDicomObject, tag: Tag) -> Option<f64> {
    object.element_opt(tag).ok()??.to_float64().ok()
}

/// The number of frames; absent, damaged or zero means one.
fn frames(object: &DefaultDicomObject) -> usize {
    size(object, tags::NUMBER_OF_FRAMES).unwrap_or(1).max(1)
}
