//! The frame rate, from the attributes that may say it, in order of trust.

use super::float;
use crate::clip::FrameRate;
use dicom_core::Tag;
use dicom_core::value::PrimitiveValue;
use dicom_dictionary_std::tags;
use dicom_object::DefaultDicomObject;

/// What the Frame Increment Pointer points at; then Frame Time, the mean of Frame Time Vector,
/// Cine Rate, Recommended Display Frame Rate.
pub fn rate(object: &DefaultDicomObject) -> Option<FrameRate> {
    let pointed = match pointer(object) {
        Some(tags::FRAME_TIME_VECTOR) => vector(object),
        Some(tags::FRAME_TIME) => frame_time(object),
        _ => None,
    };
    let named = |tag| float(object, tag).and_then(FrameRate::new);
    pointed
        .or_else(|| frame_time(object))
        .or_else(|| vector(object))
        .or_else(|| named(tags::CINE_RATE))
        .or_else(|| named(tags::RECOMMENDED_DISPLAY_FRAME_RATE))
}

fn pointer(object: &DefaultDicomObject) -> Option<Tag> {
    let element = object.element_opt(tags::FRAME_INCREMENT_POINTER).ok()??;
    match element.value().primitive()? {
        PrimitiveValue::Tags(tags) => tags.first().copied(),
        _ => None,
    }
}

fn frame_time(object: &DefaultDicomObject) -> Option<FrameRate> {
    float(object, tags::FRAME_TIME).and_then(FrameRate::from_frame_ms)
}

fn vector(object: &DefaultDicomObject) -> Option<FrameRate> {
    let element = object.element_opt(tags::FRAME_TIME_VECTOR).ok()??;
    let times = element.to_multi_float64().ok()?;
    // The first entry is the first frame's delay, 0.
    let times = times.get(1..).filter(|t| !t.is_empty())?;
    FrameRate::from_frame_ms(times.iter().sum::<f64>() / times.len() as f64)
}
