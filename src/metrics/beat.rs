//! A clip's beat as its motion shows it: how long it is, and in which phase of a generated cine.

use crate::clip::Video;

/// Beats a minute that are looked for, and that a control offers.
pub const HEART_RATES: std::ops::RangeInclusive<f64> = 30.0..=180.0;

/// Side of the pictures that are compared.
const SMALL: usize = 28;
/// Frames of the source among which the beginning of a beat is sought.
const MOST: usize = 400;

/// Autocorrelation of a motion that repeats itself.
const CLEAR: f32 = 0.3;

/// A recording's frames as the networks would see them.
pub struct Grays {
    /// `[height * width]` each, 8 bits.
    pub frames: Vec<Vec<u8>>,
    /// `[28 * 28]` each, without the mean picture.
    small: Vec<Vec<f32>>,
}

impl Grays {
    /// From `[1, f, height, width]` in 0..1.
    pub fn of(video: &Video) -> Self {
        let pixels = video.height * video.width;
        let frames: Vec<Vec<u8>> = (0..video.frames)
            .map(|f| {
                let plane = &video.data[f * pixels..][..pixels];
                plane.iter().map(|v| (255.0 * v).round() as u8).collect()
            })
            .collect();
        let small = motion(video, MOST.min(video.frames));
        Self { frames, small }
    }

    /// Seconds of one beat, where the motion repeats itself: the first clear peak of its
    /// autocorrelation at 30 to 180 beats a minute.
    pub fn beat(&self, fps: f64) -> Option<f64> {
        let n = self.small.len();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        let at = |lag: usize| {
            let pairs = self.small.iter().zip(&self.small[lag..]);
            let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
            for (a, b) in pairs {
                both += dot(a, b);
                first += dot(a, a);
                second += dot(b, b);
            }
            both / (first * second).sqrt().max(1e-9)
        };
        let shortest = (fps * 60.0 / HEART_RATES.end()).floor().max(2.0) as usize;
        // At least a third of a beat is there twice.
        let longest = ((fps * 60.0 / HEART_RATES.start()).ceil() as usize).min(3 * n / 4);
        let values: Vec<f32> = (shortest - 1..=longest + 1)
            .take_while(|&lag| lag < n)
            .map(at)
            .collect();
        let peaks = values.windows(3).enumerate();
        let peaks = peaks.filter(|(_, w)| w[1] >= w[0] && w[1] >= w[2] && w[1] > CLEAR);
        let peaks: Vec<(usize, f32)> = peaks.map(|(i, w)| (shortest + i, w[1])).collect();
        let highest = peaks.iter().map(|p| p.1).fold(0.0, f32::max);
        // Two beats are as alike as one is: the first of the high ones.
        let first = peaks.iter().find(|p| p.1 > 0.9 * highest)?;
        Some(first.0 as f64 / fps)
    }

    /// The time in the clip, in seconds, at which it is in the generated cine's first phase: where
    /// its motion over one cycle correlates best with the cine's. With the correlation.
    pub fn align(&self, fps: f64, made: &Video, cycle: f64) -> Option<(f64, f64)> {
        let made = motion(&first_channel(made), made.frames);
        let n = self.small.len();
        let step = cycle * fps / made.len() as f64;
        // A clip shorter than a cycle has no whole beat to compare.
        let span = (cycle * fps).ceil() as usize;
        if made.is_empty() || n < span.max(2) {
            return None;
        }
        let length = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>();
        let correlation = |start: usize| {
            let (mut dot, mut a, mut b) = (0.0f32, 0.0f32, 0.0f32);
            for (k, picture) in made.iter().enumerate() {
                let i = (start + (k as f64 * step).round() as usize).min(n - 1);
                let source = &self.small[i];
                dot += source.iter().zip(picture).map(|(x, y)| x * y).sum::<f32>();
                a += length(source);
                b += length(picture);
            }
            f64::from(dot / (a * b).sqrt().max(1e-9))
        };
        let starts = (0..=n - span).map(|s| (s, correlation(s)));
        let (start, best) = starts.max_by(|x, y| x.1.total_cmp(&y.1))?;
        Some((start as f64 / fps, best))
    }
}

fn first_channel(video: &Video) -> Video {
    let n = video.frames * video.height * video.width;
    Video {
        channels: 1,
        data: video.data[..n].to_vec(),
        ..*video
    }
}

/// The first frames, small, less their mean.
fn motion(video: &Video, frames: usize) -> Vec<Vec<f32>> {
    let (h, w) = (video.height, video.width);
    let mut small: Vec<Vec<f32>> = (0..frames)
        .map(|f| {
            let plane = &video.data[f * h * w..][..h * w];
            let mut sums = vec![0.0f32; SMALL * SMALL];
            for (y, row) in plane.chunks_exact(w).enumerate() {
                for (x, v) in row.iter().enumerate() {
                    sums[y * SMALL / h * SMALL + x * SMALL / w] += v;
                }
            }
            let area = (h * w) as f32 / (SMALL * SMALL) as f32;
            sums.iter_mut().for_each(|s| *s /= area);
            sums
        })
        .collect();
    let mut mean = vec![0.0f32; SMALL * SMALL];
    for picture in &small {
        mean.iter_mut()
            .zip(picture)
            .for_each(|(m, v)| *m += v / frames as f32);
    }
    for picture in &mut small {
        picture.iter_mut().zip(&mean).for_each(|(v, m)| *v -= m);
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 112;

    /// A bar that swings with this period, from frame `shift` on.
    fn swinging(frames: usize, period: f64, shift: usize) -> Video {
        let mut data = vec![0.1f32; frames * SIDE * SIDE];
        for (f, plane) in data.chunks_exact_mut(SIDE * SIDE).enumerate() {
            let phase = (f + shift) as f64 / period * std::f64::consts::TAU;
            // Not alike forwards and backwards, as a heart's beat is not.
            let x = 56.0 + 20.0 * phase.cos() + 8.0 * (2.0 * phase).sin();
            for row in plane.chunks_exact_mut(SIDE) {
                row[x as usize - 6..x as usize + 6].fill(0.9);
            }
        }
        Video {
            channels: 1,
            frames,
            height: SIDE,
            width: SIDE,
            data,
        }
    }

    #[test]
    fn a_shifted_beat_is_found() {
        // Forty frames a beat at fifty a second: a cycle of 0.8 s.
        let source = Grays::of(&swinging(130, 40.0, 27));
        let made = swinging(16, 16.0, 0);
        let (offset, correlation) = source.align(50.0, &made, 0.8).unwrap();
        // Frame 13 is the first in phase 0, and every fortieth after.
        let frame = (offset * 50.0).round() as usize % 40;
        assert!(frame.abs_diff(13) <= 1, "{frame}");
        assert!(correlation > 0.9, "{correlation}");
        // And how long it is: 75 a minute.
        let beat = source.beat(50.0).unwrap();
        assert!((beat - 0.8).abs() < 0.021, "{beat}");
        let short = Grays::of(&swinging(20, 40.0, 0));
        assert!(short.align(50.0, &made, 0.8).is_none());
    }
}
