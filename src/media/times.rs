//! When frames were taken, where a file gives each its own time: the pace that most of them keep,
//! and what does not keep it. A mean over a pause would say a wrong pace, and a wrong pace a wrong EF.

use crate::clip::FrameRate;
use crate::recording::Recording;

/// Times a frame lasts as long as most do before it counts as a pause.
const PAUSE: f64 = 2.5;
/// Frames that the times may drift from an even pace before they are used one by one.
const DRIFT: f64 = 0.75;
/// Times the longest interval may be the shortest before that is said.
const UNEVEN: f64 = 1.5;

/// The times of a clip's frames.
#[derive(Debug)]
pub struct Times {
    /// Of the frames that follow each other without a pause.
    pub rate: FrameRate,
    /// When each frame begins, in milliseconds from the first, where that is not by the pace alone.
    pub each: Option<Vec<f64>>,
    pub warning: Option<String>,
}

impl Times {
    /// Every frame lasts as long.
    pub fn even(rate: FrameRate) -> Self {
        Self {
            rate,
            each: None,
            warning: None,
        }
    }

    /// From how long each frame of an animation is shown, in milliseconds. The last one's says how long it
    /// waits before it begins again, which is often a pause.
    pub fn of_delays(delays: &[f64]) -> Option<Self> {
        let n = delays.len();
        let times = Self::of_intervals(delays.get(..n.saturating_sub(1))?, n)?;
        let mean = delays.iter().sum::<f64>() / n as f64;
        let whole = FrameRate::from_frame_ms(mean).filter(|_| {
            let last = delays.last().copied().unwrap_or_default();
            last > 0.0 && last <= PAUSE * times.rate.frame_ms()
        });
        Some(match whole {
            // Rounded times of an even pace are right over all of them.
            Some(rate) if times.each.is_none() => Self { rate, ..times },
            _ => times,
        })
    }

    /// From the times from each frame to the next one, in milliseconds; `None` where they say
    /// nothing.
    pub fn of_intervals(intervals: &[f64], frames: usize) -> Option<Self> {
        let needed = frames.checked_sub(1).filter(|n| *n > 0)?;
        let given = intervals.get(..needed).unwrap_or(intervals);
        let is_time = |t: f64| t.is_finite() && t > 0.0;
        let mut sorted: Vec<f64> = given.iter().copied().filter(|&t| is_time(t)).collect();
        sorted.sort_by(f64::total_cmp);
        let median = *sorted.get(sorted.len() / 2)?;
        let is_pause = |t: f64| t > PAUSE * median;
        sorted.retain(|&t| !is_pause(t));
        let frame_ms = sorted.iter().sum::<f64>() / sorted.len() as f64;
        let rate = FrameRate::from_frame_ms(frame_ms)?;
        let (shortest, longest) = (*sorted.first()?, *sorted.last()?);
        let mut each = vec![0.0];
        let mut at = 0.0;
        let mut pauses = Vec::new();
        let mut drift: f64 = 0.0;
        for k in 0..needed {
            let interval = given.get(k).copied().filter(|&t| is_time(t));
            let interval = interval.unwrap_or(frame_ms);
            if is_pause(interval) {
                pauses.push((k, interval));
            }
            at += interval;
            each.push(at);
            drift = drift.max((at - (k + 1) as f64 * frame_ms).abs());
        }
        let untimed = needed - given.iter().filter(|&&t| is_time(t)).count();
        let mut said = Vec::new();
        if let Some(&(k, pause)) = pauses.first() {
            let more = match pauses.len() {
                1 => String::new(),
                n => format!(", and {} more pauses", n - 1),
            };
            said.push(format!(
                "There is a pause of {pause:.0} ms after frame {k}, counted from 0{more}: \
                 a frame is taken to last {frame_ms:.1} ms, and EF is measured in the longest part without a pause."
            ));
        }
        if untimed > 0 {
            said.push(format!(
                "The file gives no time for {untimed} of its {frames} frames: \
                 they are taken to last {frame_ms:.1} ms, as the others."
            ));
        }
        let is_uneven = drift > DRIFT * frame_ms;
        if is_uneven && longest > UNEVEN * shortest {
            said.push(format!(
                "Frames last from {shortest:.0} to {longest:.0} ms: EF is measured by their own times."
            ));
        }
        Some(Self {
            rate,
            each: is_uneven.then_some(each),
            warning: (!said.is_empty()).then(|| said.join(" ")),
        })
    }
}

/// The frames of a recording at its even pace: all of them, or by [`even_steps`] where they have times of
/// their own.
pub fn at_even_pace(recording: &Recording) -> Vec<(usize, f32)> {
    match (recording.times(), recording.rate) {
        (Some(times), Some(rate)) => even_steps(times, rate),
        _ => (0..recording.frames()).map(|i| (i, 0.0)).collect(),
    }
}

/// The longest part of a clip without a pause, at an even pace: for each of its frames the frame of
/// the clip that is before it, and how far it is on the way to the next one.
pub fn even_steps(each: &[f64], rate: FrameRate) -> Vec<(usize, f32)> {
    let frame_ms = rate.frame_ms();
    let mut best = 0..each.len().min(1);
    let mut start = 0;
    let length = |r: &std::ops::Range<usize>| match (each.get(r.start), each.get(r.end - 1)) {
        (Some(a), Some(b)) => b - a,
        _ => 0.0,
    };
    for end in 1..=each.len() {
        let goes_on = end < each.len() && each[end] - each[end - 1] <= PAUSE * frame_ms;
        if !goes_on {
            let part = start..end;
            if best.is_empty() || length(&part) > length(&best) {
                best = part;
            }
            start = end;
        }
    }
    let Some(part) = each.get(best.clone()).filter(|p| !p.is_empty()) else {
        return Vec::new();
    };
    let count = (length(&best) / frame_ms).round() as usize + 1;
    let mut low = 0;
    let steps = (0..count).map(|k| {
        let at = part[0] + k as f64 * frame_ms;
        while part.get(low + 1).is_some_and(|&next| next <= at) {
            low += 1;
        }
        let next = part.get(low + 1);
        let way = next.map_or(0.0, |&next| (at - part[low]) / (next - part[low]));
        (best.start + low, way.clamp(0.0, 1.0) as f32)
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pause_is_not_in_the_pace() {
        let mut intervals = vec![40.0; 19];
        intervals[9] = 1000.0;
        let times = Times::of_intervals(&intervals, 20).unwrap();
        assert!((times.rate.frame_ms() - 40.0).abs() < 1e-9);
        assert!(times.warning.unwrap().contains("1000 ms after frame 9"));
        let steps = even_steps(&times.each.unwrap(), times.rate);
        let right: Vec<(usize, f32)> = (0..10).map(|i| (i, 0.0)).collect();
        assert_eq!(steps, right);
    }

    #[test]
    fn rounded_times_are_even_and_uneven_ones_are_used_one_by_one() {
        let rounded = [30.0, 30.0, 40.0].repeat(8);
        let times = Times::of_intervals(&rounded, 25).unwrap();
        assert!((times.rate.frame_ms() - 100.0 / 3.0).abs() < 1e-9);
        assert!(times.each.is_none() && times.warning.is_none());
        // Ten frames of 20 ms, ten of 40.
        let two = [vec![20.0; 10], vec![40.0; 10]].concat();
        let times = Times::of_intervals(&two, 21).unwrap();
        assert_eq!(times.rate.frame_ms(), 30.0);
        let steps = even_steps(&times.each.unwrap(), times.rate);
        assert_eq!(steps[2], (3, 0.0));
        assert_eq!(steps[1].0, 1);
        assert!((steps[1].1 - 0.5).abs() < 1e-6);
        assert_eq!(steps.len(), 21);
        assert!(times.warning.unwrap().contains("from 20 to 40 ms"));
    }

    #[test]
    fn times_that_are_missing_are_said() {
        let times = Times::of_intervals(&[33.0; 3], 20).unwrap();
        assert_eq!(times.rate.frame_ms(), 33.0);
        assert!(times.each.is_none());
        assert!(times.warning.unwrap().contains("16 of its 20 frames"));
        assert!(Times::of_intervals(&[0.0, 0.0], 3).is_none());
        assert!(Times::of_intervals(&[40.0], 1).is_none());
    }

    proptest! {
        #[test]
        fn any_times_give_steps_within_the_clip(
            intervals in proptest::collection::vec(prop_oneof![0.5f64..80.0, Just(0.0), Just(f64::NAN), 200.0f64..5000.0], 0..40),
            frames in 1usize..40,
        ) {
            if let Some(times) = Times::of_intervals(&intervals, frames)
                && let Some(each) = times.each
            {
                prop_assert_eq!(each.len(), frames);
                let steps = even_steps(&each, times.rate);
                prop_assert!(!steps.is_empty());
                prop_assert!(steps.iter().all(|(i, way)| *i < frames && (0.0..=1.0).contains(way)));
                prop_assert!(steps.windows(2).all(|w| w[0].0 <= w[1].0));
            }
        }
    }
}
