//! A frame carried along a motion on the device (`kernels/carry.cu`).

use super::{address, device_of, int, launch, uninitialised};
use candle_core::{DType, Result, Tensor};

const THREADS: usize = 256;

/// As [`carry`](crate::nn::carry::carry), of shapes and kinds that fit.
///
/// # Errors
/// When the device fails.
pub fn carry(
    coefficients: &Tensor,
    share: &Tensor,
    frame: &Tensor,
    motion: &Tensor,
) -> Result<Tensor> {
    let (coefficients, share) = (coefficients.contiguous()?, share.contiguous()?);
    let (frame, motion) = (frame.contiguous()?, motion.contiguous()?);
    let (planes, side, _) = frame.dims3()?;
    let (frames, margin) = (motion.dim(0)?, (coefficients.dim(1)? - side) / 2);
    // The kernel counts pixels as it counts sides.
    let size = side * side;
    int(size)?;
    let device = device_of(&motion)?;
    let out = uninitialised(device, &[planes, frames, side, side], DType::F32)?;
    launch!(
        device,
        super::CARRY,
        "carry",
        (size.div_ceil(THREADS), frames, 1),
        THREADS,
        0,
        address(&coefficients)?,
        address(&share)?,
        address(&frame)?,
        address(&motion)?,
        address(&out)?,
        int(planes)?,
        int(side)?,
        int(margin)?,
    );
    Ok(out)
}
