//! The frame rate, from the attributes that may say it, in order of trust; the heart's own time.

use super::dataset::Values;
use crate::clip::FrameRate;
use crate::media::times::Times;
use dicom_core::Tag;
use dicom_core::value::PrimitiveValue;
use dicom_dictionary_std::tags;

/// What the Frame Increment Pointer points at; then Frame Time, Frame Time Vector, Cine Rate,
/// Recommended Display Frame Rate.
pub fn times(values: &Values, frames: usize) -> Option<Times> {
    let even = |rate: Option<FrameRate>| rate.map(Times::even);
    let named = |tag| even(values.float(tag).and_then(FrameRate::new));
    let vector = || Times::of_intervals(&intervals(values, frames), frames);
    let pointed = pointers(values).into_iter().find_map(|tag| match tag {
        tags::FRAME_TIME_VECTOR => vector(),
        tags::FRAME_TIME => even(frame_time(values)),
        _ => None,
    });
    pointed
        .or_else(|| even(frame_time(values)))
        .or_else(vector)
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

fn pointers(values: &Values) -> Vec<Tag> {
    match values.get(tags::FRAME_INCREMENT_POINTER) {
        Some(PrimitiveValue::Tags(tags)) => tags.to_vec(),
        _ => Vec::new(),
    }
}

fn frame_time(values: &Values) -> Option<FrameRate> {
    values
        .float(tags::FRAME_TIME)
        .and_then(FrameRate::from_frame_ms)
}

/// From each frame to the next one, in milliseconds.
fn intervals(values: &Values, frames: usize) -> Vec<f64> {
    let times = values.floats(tags::FRAME_TIME_VECTOR);
    let first = times.first().copied().unwrap_or(0.0);
    // Some write when each frame begins.
    let steps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    if let Some(&step) = steps.first()
        && steps.len() > 2
        && step > 0.0
        && steps.iter().all(|s| (s - step).abs() < 0.25 * step)
    {
        return steps;
    }
    // The first entry is the first frame's delay, 0; some leave it out.
    if first > 0.0 && times.len() + 1 == frames {
        return times;
    }
    times.get(1..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vector: &[f64], frames: usize) -> Vec<f64> {
        let mut values = Values::default();
        let value = PrimitiveValue::F64(vector.iter().copied().collect());
        values.put(tags::FRAME_TIME_VECTOR, value);
        intervals(&values, frames)
    }

    #[test]
    fn a_vector_may_begin_with_nothing_lack_that_or_add_up() {
        assert_eq!(of(&[0.0, 40.0, 40.0, 41.0], 4), [40.0, 40.0, 41.0]);
        assert_eq!(of(&[40.0, 40.0, 41.0], 4), [40.0, 40.0, 41.0]);
        assert_eq!(of(&[0.0, 40.0, 80.0, 120.0], 4), [40.0; 3]);
        assert!(of(&[], 4).is_empty());
    }
}
