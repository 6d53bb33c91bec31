//! The frame rate, from the attributes that may say it, in order of trust; the heart's own time.

use super::dataset::Values;
use crate::clip::FrameRate;
use dicom_core::Tag;
use dicom_core::value::PrimitiveValue;
use dicom_dictionary_std::tags;

/// What the Frame Increment Pointer points at; then Frame Time, the mean of Frame Time Vector,
/// Cine Rate, Recommended Display Frame Rate.
pub fn rate(values: &Values) -> Option<FrameRate> {
    let pointed = match pointer(values) {
        Some(tags::FRAME_TIME_VECTOR) => vector(values),
        Some(tags::FRAME_TIME) => frame_time(values),
        _ => None,
    };
    let named = |tag| values.float(tag).and_then(FrameRate::new);
    pointed
        .or_else(|| frame_time(values))
        .or_else(|| vector(values))
        .or_else(|| named(tags::CINE_RATE))
        .or_else(|| named(tags::RECOMMENDED_DISPLAY_FRAME_RATE))
}

/// Beats a minute; 0 and what no heart does count as absent.
pub fn heart_rate(values: &Values) -> Option<f64> {
    let rate = values.float(tags::HEART_RATE)?;
    (20.0..=300.0).contains(&rate).then_some(rate)
}

/// Times of the R waves in milliseconds from the first frame; those before it are left out.
pub fn r_waves_ms(values: &Values) -> Vec<f64> {
    let mut times = values.floats(tags::R_WAVE_TIME_VECTOR);
    times.retain(|t| t.is_finite() && *t >= 0.0);
    times
}

fn pointer(values: &Values) -> Option<Tag> {
    match values.get(tags::FRAME_INCREMENT_POINTER)? {
        PrimitiveValue::Tags(tags) => tags.first().copied(),
        _ => None,
    }
}

fn frame_time(values: &Values) -> Option<FrameRate> {
    values
        .float(tags::FRAME_TIME)
        .and_then(FrameRate::from_frame_ms)
}

fn vector(values: &Values) -> Option<FrameRate> {
    let times = values.floats(tags::FRAME_TIME_VECTOR);
    // The first entry is the first frame's delay, 0.
    let times = times.get(1..).filter(|t| !t.is_empty())?;
    FrameRate::from_frame_ms(times.iter().sum::<f64>() / times.len() as f64)
}
