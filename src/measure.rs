//! The EF that a regressor measures in a clip, and how any clip comes to the regressor.

use crate::checkpoint::{Regressor, RegressorSpec};
use crate::clip::resample::{interpolate, resample, to_size, with_channels};
use crate::clip::{FrameRate, Video};
use crate::nn::Interrupt;
use crate::statistics::mean_and_sd;
use candle_core::{Device, Result, Tensor};
use serde::Serialize;

/// The time base of a clip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeBase {
    /// One beat from end-diastole, taken as one second.
    Beat,
    Rate(FrameRate),
}

/// Seconds of a beat where nobody says the heart rate.
const USUAL_BEAT: f64 = 1.0;

/// Whether a clip shows less than half a beat: no EF is in it. Of a known heart rate in beats a minute, else
/// of 60.
pub fn is_under_half_a_beat(frames: usize, rate: FrameRate, heart_rate: Option<f64>) -> bool {
    let beat = heart_rate
        .filter(|rate| (20.0..=300.0).contains(rate))
        .map_or(USUAL_BEAT, |rate| 60.0 / rate);
    (frames as f64) < 0.5 * beat * rate.fps()
}

/// A regressor's answer on a clip.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// Mean over windows.
    pub measured_ef_percent: f64,
    /// Standard deviation over windows; 0 for one window.
    pub spread: f64,
    pub regressor: String,
    /// Each window's answer.
    pub windows: Vec<f64>,
    /// The clip was shorter than a window and was repeated from its start.
    pub short_clip: bool,
}

/// Measures a clip `[c, f, h, w]` in 0..1, before quantisation, banner or window and level.
///
/// # Errors
/// When the device fails or when interrupted.
pub fn measure(
    regressor: &Regressor,
    video: &Video,
    time: TimeBase,
    interrupt: &Interrupt,
) -> Result<Measurement> {
    let spec = &regressor.spec;
    let clip = with_channels(&video.to_tensor()?, spec.net.channels)?;
    let clip = to_size(&clip, spec.size, interrupt)?;
    let (windows, short_clip) = windows(&clip, spec, time)?;
    let mut answers = Vec::with_capacity(windows.len());
    for window in windows {
        answers.extend(regressor.forward(&window, interrupt)?);
    }
    let (mean, sd) = mean_and_sd(&answers);
    Ok(Measurement {
        measured_ef_percent: mean,
        spread: sd,
        regressor: regressor.identity.name.clone(),
        windows: answers,
        short_clip,
    })
}

/// The windows `[1, c, frames, size, size]` that the regressor sees.
fn windows(clip: &Tensor, spec: &RegressorSpec, time: TimeBase) -> Result<(Vec<Tensor>, bool)> {
    let n = clip.dim(2)?;
    let rate = match time {
        TimeBase::Beat => {
            let beat = (spec.fps.round() as usize).max(1);
            // Frame k of a beat lies at k * n / beat; the loop closes.
            let at = (0..spec.frames).map(|k| (k % beat) as f64 * n as f64 / beat as f64);
            return Ok((
                vec![interpolate(clip, &at.collect::<Vec<_>>(), true)?],
                false,
            ));
        }
        TimeBase::Rate(rate) => rate,
    };
    let clip = resample(clip, spec.fps / rate.fps())?;
    let n = clip.dim(2)?;
    if n < spec.frames {
        let repeated: Vec<u32> = (0..spec.frames).map(|k| (k % n) as u32).collect();
        let index = Tensor::new(repeated, &Device::Cpu)?;
        return Ok((vec![clip.index_select(&index, 2)?], true));
    }
    let stride = (spec.frames / 4).max(1);
    let windows = (0..=n - spec.frames)
        .step_by(stride)
        .map(|start| clip.narrow(2, start, spec.frames)?.contiguous())
        .collect::<Result<_>>()?;
    Ok((windows, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::r2plus1d::R2Plus1dConfig;

    fn ramp(frames: usize) -> Tensor {
        let values: Vec<f32> = (0..frames).map(|i| i as f32).collect();
        Tensor::from_vec(values, (1, 1, frames, 1, 1), &Device::Cpu).unwrap()
    }

    fn values(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn spec() -> RegressorSpec {
        RegressorSpec {
            net: R2Plus1dConfig::r2plus1d_18(),
            frames: 16,
            fps: 8.0,
            size: 1,
            normalisation: None,
        }
    }

    #[test]
    fn half_a_beat_is_counted_by_rate_and_heart_rate() {
        let rate = FrameRate::new(30.0).unwrap();
        assert!(is_under_half_a_beat(14, rate, None) && !is_under_half_a_beat(15, rate, None));
        assert!(!is_under_half_a_beat(8, rate, Some(120.0)));
        // A rate that no heart has says nothing.
        assert!(is_under_half_a_beat(14, rate, Some(0.0)));
    }

    #[test]
    fn a_beat_is_every_second_frame_twice() {
        let (w, short) = windows(&ramp(16), &spec(), TimeBase::Beat).unwrap();
        let once: Vec<f32> = (0..8).map(|i| 2.0 * i as f32).collect();
        assert_eq!(values(&w[0]), [once.clone(), once].concat());
        assert!(!short);
    }

    #[test]
    fn a_long_clip_gives_windows_a_quarter_apart_and_a_short_one_repeats() {
        let rate = |fps| TimeBase::Rate(FrameRate::new(fps).unwrap());
        let (w, short) = windows(&ramp(25), &spec(), rate(8.0)).unwrap();
        assert_eq!(
            w.iter().map(|w| values(w)[0]).collect::<Vec<_>>(),
            [0.0, 4.0, 8.0]
        );
        assert!(!short);
        let (w, short) = windows(&ramp(10), &spec(), rate(8.0)).unwrap();
        assert_eq!(values(&w[0])[8..12], [8.0, 9.0, 0.0, 1.0]);
        assert!(short);
    }
}
