//! Resizing of `[b, c, frame, height, width]` along all three axes, by PyTorch's conventions.

use super::matmul;
use candle_core::{Device, Result, Tensor};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum ResizeMode {
    /// `source = floor(target * in / out)`, the ratio in `f32`.
    #[default]
    Nearest,
    /// Linear along frames, rows and columns, `align_corners` false, no antialiasing.
    Trilinear,
    /// Adaptive average pooling: cell `i` averages `floor(i * in / out) .. ceil((i + 1) * in / out)`.
    Area,
}

/// Resizes to `frames` x `height` x `width`; what already has the size is returned as it is.
///
/// # Errors
/// When the device fails.
pub fn resize(
    x: &Tensor,
    mode: ResizeMode,
    frames: usize,
    height: usize,
    width: usize,
) -> Result<Tensor> {
    let (b, c, f, h, w) = x.dims5()?;
    let x = along_last(&x.reshape((b * c * f, h, w))?, mode, w, width)?;
    let x = along_middle(&x, mode, h, height)?;
    let x = along_middle(&x.reshape((b * c, f, height * width))?, mode, f, frames)?;
    x.reshape((b, c, frames, height, width))
}

/// `[n, a, b]` along `b`.
fn along_last(x: &Tensor, mode: ResizeMode, from: usize, to: usize) -> Result<Tensor> {
    if from == to {
        return Ok(x.clone());
    }
    if mode == ResizeMode::Nearest {
        return x
            .contiguous()?
            .index_select(&nearest(from, to, x.device())?, 2);
    }
    let (n, a, b) = x.dims3()?;
    let weights = weights(mode, from, to, x.device())?;
    matmul(&x.reshape((n * a, b))?, &weights.t()?)?.reshape((n, a, to))
}

/// `[n, a, b]` along `a`.
fn along_middle(x: &Tensor, mode: ResizeMode, from: usize, to: usize) -> Result<Tensor> {
    if from == to {
        return Ok(x.clone());
    }
    if mode == ResizeMode::Nearest {
        return x
            .contiguous()?
            .index_select(&nearest(from, to, x.device())?, 1);
    }
    matmul(&weights(mode, from, to, x.device())?, &x.contiguous()?)
}

fn nearest(from: usize, to: usize, device: &Device) -> Result<Tensor> {
    let scale = from as f32 / to as f32;
    let index: Vec<u32> = (0..to)
        .map(|i| ((i as f32 * scale).floor() as usize).min(from - 1) as u32)
        .collect();
    Tensor::new(index, device)
}

/// The `[to, from]` matrix of the linear modes.
fn weights(mode: ResizeMode, from: usize, to: usize, device: &Device) -> Result<Tensor> {
    let mut matrix = vec![0f32; to * from];
    for (i, row) in matrix.chunks_mut(from).enumerate() {
        if mode == ResizeMode::Area {
            let (start, end) = (i * from / to, ((i + 1) * from).div_ceil(to));
            row[start..end].fill(1.0 / (end - start) as f32);
        } else {
            let position = ((i as f32 + 0.5) * (from as f32 / to as f32) - 0.5).max(0.0);
            let low = (position.floor() as usize).min(from - 1);
            let fraction = position - low as f32;
            row[low] += 1.0 - fraction;
            row[(low + 1).min(from - 1)] += fraction;
        }
    }
    Tensor::from_vec(matrix, (to, from), device)
}
