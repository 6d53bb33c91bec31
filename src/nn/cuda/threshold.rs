//! Dynamic threshold on the device (`kernels/threshold.cu`).

use super::{address, device_of, int, launch, uninitialised};
use candle_core::{DType, Result, Tensor};

const THREADS: usize = 256;
const BINS: usize = 2048;
const PASSES: i32 = 3;

/// x `[b, ...]`, `f32`: per sample, `s` is the order statistic of |x| at a rank, linear between ranks `low`
/// and `low + 1` by `weight`, and at least 1; x is clamped to -s..s and divided by s. Returns the result
/// and the raw percentiles `[b]`, without a copy to the host.
///
/// # Errors
/// When the device fails.
pub fn dynamic_threshold(x: &Tensor, low: usize, weight: f32) -> Result<(Tensor, Tensor)> {
    let x = x.contiguous()?;
    let device = device_of(&x)?;
    let b = x.dim(0)?;
    let n = x.elem_count() / b.max(1);
    let state = uninitialised(device, &[b, 4], DType::U32)?;
    let counts = uninitialised(device, &[b, BINS], DType::U32)?;
    let out = uninitialised(device, x.dims(), DType::F32)?;
    let quantiles = uninitialised(device, &[b], DType::F32)?;
    let blocks = (n.div_ceil(8 * THREADS).clamp(1, 1024), b, 1);
    launch!(
        device,
        super::THRESHOLD,
        "threshold_begin",
        (b, 1, 1),
        THREADS,
        0,
        address(&state)?,
        address(&counts)?,
        int(low)?,
    );
    for pass in 0..PASSES {
        launch!(
            device,
            super::THRESHOLD,
            "threshold_count",
            blocks,
            THREADS,
            0,
            address(&x)?,
            address(&state)?,
            address(&counts)?,
            int(n)?,
            pass,
        );
        launch!(
            device,
            super::THRESHOLD,
            "threshold_pick",
            (b, 1, 1),
            THREADS,
            0,
            address(&state)?,
            address(&counts)?,
            pass,
        );
    }
    launch!(
        device,
        super::THRESHOLD,
        "threshold_next",
        blocks,
        THREADS,
        0,
        address(&x)?,
        address(&state)?,
        int(n)?,
    );
    launch!(
        device,
        super::THRESHOLD,
        "threshold_apply",
        blocks,
        THREADS,
        0,
        address(&x)?,
        address(&state)?,
        address(&out)?,
        address(&quantiles)?,
        int(n)?,
        weight,
    );
    Ok((out, quantiles))
}
