//! Clips `[b, c, f, h, w]` of other channels, sizes and rates.

use crate::nn::{Interrupt, ResizeMode, matmul, resize};
use candle_core::{Result, Tensor};

/// 3 to 1 channel by luminance, 1 to 3 by repeating; `[b, c, f, h, w]`.
///
/// # Errors
/// When the device fails.
pub fn with_channels(clip: &Tensor, channels: usize) -> Result<Tensor> {
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

/// To `size` x `size`: area averaging when shrinking, bilinear when enlarging.
///
/// # Errors
/// When the device fails or when interrupted.
pub fn to_size(clip: &Tensor, size: usize, interrupt: &Interrupt) -> Result<Tensor> {
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

/// Resampling in time as the published data loader does it: `round(n * ratio)` frames (half to
/// even), both end points aligned, linear.
///
/// # Errors
/// When the device fails.
pub fn resample(clip: &Tensor, ratio: f64) -> Result<Tensor> {
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

/// Linear interpolation between frames at the positions `at`, in frames; where it is closed the first follows
/// the last.
///
/// # Errors
/// When the device fails.
pub fn interpolate(clip: &Tensor, at: &[f64], closed: bool) -> Result<Tensor> {
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
    use candle_core::Device;

    fn ramp(frames: usize) -> Tensor {
        let values: Vec<f32> = (0..frames).map(|i| i as f32).collect();
        Tensor::from_vec(values, (1, 1, frames, 1, 1), &Device::Cpu).unwrap()
    }

    fn values(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
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
