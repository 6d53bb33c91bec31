//! An anatomy carried where a motion stage runs, for the stage after it.

use crate::carry::Carrier;
use crate::nn::carry::carry;
use candle_core::{Device, Result, Tensor};

/// A [`Carrier`] in a GPU's memory.
#[derive(Clone, Debug)]
pub struct CarrierOnGpu {
    coefficients: Tensor,
    share: Tensor,
    frame: Tensor,
}

impl CarrierOnGpu {
    /// # Errors
    /// When the device fails.
    pub fn new(carrier: &Carrier, device: &Device) -> Result<Self> {
        let (picture, margin) = (carrier.picture(), carrier.margin());
        let (planes, side) = (picture.channels(), picture.side());
        let wide = side + 2 * margin;
        let mut coefficients = carrier.coefficients().concat();
        // Where nothing is tissue, no pixel shows any.
        coefficients.resize(planes * wide * wide, 0.0);
        Ok(Self {
            coefficients: Tensor::from_vec(coefficients, (planes, wide, wide), device)?,
            share: Tensor::from_slice(carrier.share(), (side, side), device)?,
            frame: Tensor::from_slice(picture.planes(), (planes, side, side), device)?,
        })
    }

    /// What a stage whose output is motion makes, `[3, frames, 28, 28]` on the same device, of which
    /// `scale` pixels make 1: `[planes, frames, side, side]` in 0..1, as [`Carrier::carry`] has it but for
    /// rounding, without a copy to the host. Where a displacement is no number, any tissue is shown.
    ///
    /// # Errors
    /// When the motion has another shape, or the device fails.
    pub fn carry(&self, motion: &Tensor, scale: f64) -> Result<Tensor> {
        let displacement = (motion.narrow(0, 0, 2)?.permute((1, 2, 3, 0))? * scale)?;
        carry(&self.coefficients, &self.share, &self.frame, &displacement)
    }
}
