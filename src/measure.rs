//! The EF that a regressor measures in a clip, and how any clip comes to the regressor.

use crate::checkpoint::{Regressor, RegressorSpec};
use crate::clip::{FrameRate, Video};
use crate::nn::{Interrupt, ResizeMode, matmul, resize};
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
    let n = answers.len() as f64;
    let mean = answers.iter().sum::<f64>() / n;
    let variance = answers.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / n;
    Ok(Measurement {
        measured_ef_percent: mean,
        spread: variance.sqrt(),
        regressor: regressor.identity.name.clone(),
        windows: answers,
        short_clip,
    })
}

/// 3 to 1 channel by luminance, 1 to 3 by repeating; `[b, c, f, h, w]`.
fn with_channels(clip: &Tensor, channels: usize) -> Result<Tensor> {
    let (b, c, f, h, w) = clip.dims5()?;
    match (c, channels) {
        (3, 1) => {
            let weights = Tensor::new(&[0.299f32, 0.587, 0.114], clip.device())?;
            clip.broadcast_mul(&weights.reshape((1, 3, 1, 1, 1))?)?
                .sum_keepdim(1)
        }
        (1, 3) => clip.broadcast_as((b, 3, f, h, w))?.contiguous(),
        _ => Ok(clip.clone()),
    }
}

/// Area averaging when shrinking, bilinear when enlarging.
fn to_size(clip: &Tensor, size: usize, interrupt: &Interrupt) -> Result<Tensor> {
    /// Frames between two looks at the flag: a long clip takes seconds.
    const PIECE: usize = 64;
    let (_, _, f, h, w) = clip.dims5()?;
    let mode = if h >= size && w >= size {
        ResizeMode::Area
    } else {
        ResizeMode::Trilinear
    };
    let piece = |first: usize| {
        interrupt.check()?;
        let frames = PIECE.min(f - first);
        resize(
            &clip.narrow(2, first, frames)?.contiguous()?,
            mode,
            frames,
            size,
            size,
        )
    };
    let pieces: Vec<Tensor> = (0..f).step_by(PIECE).map(piece).collect::<Result<_>>()?;
    interrupt.check()?;
    Tensor::cat(&pieces, 2)
}

/// Means of `block` x `block` pixels.
///
/// # Errors
/// When the device fails.
pub fn average_blocks(clip: &Tensor, block: usize) -> Result<Tensor> {
    let (_, _, f, h, w) = clip.dims5()?;
    resize(
        clip,
        ResizeMode::Area,
        f,
        h / block.max(1),
        w / block.max(1),
    )
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

/// Resampling in time as the published data loader does it: `round(n * ratio)` frames (half to
/// even), both end points aligned, linear.
fn resample(clip: &Tensor, ratio: f64) -> Result<Tensor> {
    let n = clip.dim(2)?;
    let m = ((n as f64 * ratio).round_ties_even() as usize).max(1);
    if m == n {
        return Ok(clip.clone());
    }
    let step = if m > 1 {
        (n - 1) as f64 / (m - 1) as f64
    } else {
        0.0
    };
    let at: Vec<f64> = (0..m).map(|k| k as f64 * step).collect();
    interpolate(clip, &at, false)
}

/// Linear interpolation between frames at the positions `at`.
fn interpolate(clip: &Tensor, at: &[f64], closed: bool) -> Result<Tensor> {
    let n = clip.dim(2)?;
    let mut matrix = vec![0f32; at.len() * n];
    for (row, &position) in matrix.chunks_mut(n).zip(at) {
        let low = (position.floor() as usize).min(n - 1);
        let fraction = (position - low as f64) as f32;
        let high = if closed {
            (low + 1) % n
        } else {
            (low + 1).min(n - 1)
        };
        row[low] += 1.0 - fraction;
        row[high] += fraction;
    }
    let (b, c, _, h, w) = clip.dims5()?;
    let matrix = Tensor::from_vec(matrix, (at.len(), n), clip.device())?;
    matmul(&matrix, &clip.reshape((b * c, n, h * w))?)?.reshape((b, c, at.len(), h, w))
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

    #[test]
    fn a_long_clip_comes_to_its_size_in_pieces_as_it_would_at_once() {
        let values: Vec<f32> = (0..150 * 64).map(|i| (i as f32 * 0.37).sin()).collect();
        let clip = Tensor::from_vec(values, (1, 1, 150, 8, 8), &Device::Cpu).unwrap();
        for (size, mode) in [(4, ResizeMode::Area), (12, ResizeMode::Trilinear)] {
            let whole = resize(&clip, mode, 150, size, size).unwrap();
            let ours = to_size(&clip, size, &Interrupt::new()).unwrap();
            assert_eq!(self::values(&ours), self::values(&whole), "{mode:?}");
        }
        let set = Interrupt::new();
        set.set();
        assert!(to_size(&clip, 4, &set).is_err());
    }

    #[test]
    fn resampling_aligns_both_ends() {
        let r = values(&resample(&ramp(5), 0.5).unwrap());
        assert_eq!(r, [0.0, 4.0]);
        assert_eq!(values(&resample(&ramp(3), 2.0).unwrap()).len(), 6);
    }
}
