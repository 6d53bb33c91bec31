//! What a cascade made, as a clip of a data set: 32 frames a second, in 256 levels.

use crate::clip::resample::{interpolate, resample};
use crate::clip::{FrameRate, Video};
use crate::dataset::{FPS, Tracing, lines};
use crate::engine::Generated;
use crate::motion::Beating;
use crate::outline::FRAME;
use anyhow::Context;

/// A clip, and its outline at end-systole and end-diastole.
pub struct Shown {
    pub video: Video,
    pub rate: FrameRate,
    pub tracings: Vec<Tracing>,
}

/// How a clip lies in time, where the cascade makes one beat.
#[derive(Clone, Copy)]
pub struct Timing {
    pub frames: usize,
    /// Beats a minute.
    pub heart_rate: f64,
    /// Where in the beat it begins, from 0 to below 1.
    pub begins: f64,
}

impl Timing {
    /// Where in the beat each frame is, from 0 to below 1.
    fn phases(self) -> Vec<f64> {
        let a_frame = self.heart_rate / 60.0 / FPS;
        (0..self.frames)
            .map(|k| (self.begins + k as f64 * a_frame).rem_euclid(1.0))
            .collect()
    }
}

/// One beat is repeated; what has its own time is resampled as the published loader does it. `carried`: the pixels are
/// those of the anatomy, so that motion is interpolated between frames, not pixels.
pub fn shown(made: &Generated, timing: Timing, carried: bool) -> anyhow::Result<Shown> {
    let rate = FrameRate::new(FPS).context("there is such a rate")?;
    let cine = &made.cine;
    let phases = timing.phases();
    let beating = cine.beating.as_ref().filter(|_| made.beat_normalised);
    let video = match (beating, made.beat_normalised) {
        (Some(beating), _) if carried => beating.pictures_at(&phases),
        (_, true) => {
            let at: Vec<f64> = phases
                .iter()
                .map(|p| p * cine.video.frames as f64)
                .collect();
            in_time(&cine.video, |levels| interpolate(levels, &at, true))?
        }
        (_, false) => {
            let ratio = FPS / made.rate.fps();
            in_time(&cine.video, |levels| resample(levels, ratio))?
        }
    };
    Ok(Shown {
        video,
        rate,
        tracings: beating.and_then(|b| traced(b, &phases)).unwrap_or_default(),
    })
}

/// On whole levels, rounded half up, as the published loader does it.
fn in_time(
    video: &Video,
    change: impl Fn(&candle_core::Tensor) -> candle_core::Result<candle_core::Tensor>,
) -> candle_core::Result<Video> {
    let levels = (video.to_tensor()?.clamp(0f32, 1f32)? * 255.0)?.round()?;
    let changed = ((change(&levels)? + 0.5)?.floor()? / 255.0)?;
    Video::from_tensor(&changed.get(0)?)
}

/// The outline in the frames that are nearest to end-systole and end-diastole; the first of several.
fn traced(beating: &Beating, phases: &[f64]) -> Option<Vec<Tracing>> {
    let beat = beating.beat()?;
    let all = beating.motion().frames as f64;
    let nearest = |frame: usize| {
        let apart = |phase: f64| {
            let d = (phase - frame as f64 / all).abs();
            d.min(1.0 - d)
        };
        let nearer = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
        let each = phases.iter().map(|&p| apart(p)).enumerate();
        each.min_by(nearer).map(|(k, _)| k)
    };
    let trace = |frame: usize| {
        let k = nearest(frame)?;
        let pixel = |share: f32| f64::from(share) * FRAME as f64 - 0.5;
        let outline: Vec<[f64; 2]> = beating
            .outline_at(phases[k])
            .into_iter()
            .map(|p| p.map(pixel))
            .collect();
        let lines = lines(&outline, beat.long_axis)?;
        Some(Tracing { frame: k, lines })
    };
    // The loader takes the first for the small one, and the last for the large one.
    let (systole, diastole) = (trace(beat.es_frame)?, trace(beat.ed_frame)?);
    (systole.frame != diastole.frame).then(|| vec![systole, diastole])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_repeated_at_its_rate() {
        let timing = Timing {
            frames: 64,
            heart_rate: 60.0,
            begins: 0.25,
        };
        let phases = timing.phases();
        assert_eq!((phases.len(), phases[0]), (64, 0.25));
        assert!((phases[24] - 0.0).abs() < 1e-9 || (phases[24] - 1.0).abs() < 1e-9);
        for k in 0..32 {
            assert!((phases[k] - phases[k + 32]).abs() < 1e-9);
        }
        assert!(phases.iter().all(|p| (0.0..1.0).contains(p)));
    }

    #[test]
    fn levels_are_whole_and_rounded_half_up() {
        let data = vec![10.0 / 255.0, 11.0 / 255.0, 13.0 / 255.0];
        let video = Video {
            channels: 1,
            frames: 3,
            height: 1,
            width: 1,
            data,
        };
        let at = [0.5, 1.25, 2.5];
        let changed = in_time(&video, |levels| interpolate(levels, &at, true)).unwrap();
        let levels: Vec<f32> = changed.data.iter().map(|v| (v * 255.0).round()).collect();
        // 10.5, 11.5, and half way from the last to the first.
        assert_eq!(levels, [11.0, 12.0, 12.0]);
    }
}
