//! One stage's denoiser D(x; sigma): preconditioned network, guidance, threshold.

use super::StageConfig;
use super::schedule::Preconditioning;
use crate::models::unet3d::{Inputs, Pass, Unet};
use crate::nn::Interrupt;
use candle_core::{DType, Result, Tensor};

/// What a stage is conditioned on, for a batch of `b` samples.
pub struct Conditions {
    /// EF as a fraction, `[b, 1, 1]`.
    pub ef: Tensor,
    /// The anatomy, `[b, c, h, w]` in 0..1.
    pub cond_image: Option<Tensor>,
    /// The previous stage's video, noised, `[b, c, f, h, w]`, and its raw noise time.
    pub lowres: Option<(Tensor, f64)>,
}

pub struct Denoiser<'a> {
    pub unet: &'a Unet,
    pub stage: &'a StageConfig,
    pub conditions: &'a Conditions,
    /// Percentile of the dynamic threshold; `None` clamps.
    pub threshold: Option<f32>,
    pub interrupt: &'a Interrupt,
    /// Whether both branches of guidance go through the network as one batch.
    pub one_batch: bool,
}

impl Denoiser<'_> {
    /// The denoised estimate of `x` `[b, c, f, h, w]` at noise level `sigma`, in -1..1.
    ///
    /// # Errors
    /// When the network fails or is interrupted.
    pub fn denoise(&self, x: &Tensor, sigma: f32) -> Result<Tensor> {
        let d = self.unthresholded(x, sigma)?;
        match self.threshold {
            Some(percentile) => Ok(dynamic_threshold(&d, percentile)?.0),
            None => d.clamp(-1f32, 1f32),
        }
    }

    /// As [`Denoiser::denoise`], before the threshold.
    ///
    /// # Errors
    /// As [`Denoiser::denoise`].
    pub fn unthresholded(&self, x: &Tensor, sigma: f32) -> Result<Tensor> {
        let c = Preconditioning::new(sigma, self.stage.levels.sigma_data);
        let network_out = self.guided(&(x * f64::from(c.c_in))?, c.c_noise)?;
        (x * f64::from(c.c_skip))? + (network_out * f64::from(c.c_out))?
    }

    /// `F = F_null + w (F_cond - F_null)`: guidance on the raw output; the null branch drops the
    /// EF alone.
    fn guided(&self, x: &Tensor, time: f32) -> Result<Tensor> {
        let w = self.stage.cond_scale;
        if w == 1.0 {
            return self.branch(x, time, &[1]);
        }
        let (cond, null) = if self.one_batch {
            let both = self.branch(x, time, &[1, 0])?;
            let b = x.dim(0)?;
            (both.narrow(0, 0, b)?, both.narrow(0, b, b)?)
        } else {
            (self.branch(x, time, &[1])?, self.branch(x, time, &[0])?)
        };
        &null + ((cond - &null)? * w)?
    }

    /// One network pass over `keep.len()` copies of the batch.
    fn branch(&self, x: &Tensor, time: f32, keep: &[u8]) -> Result<Tensor> {
        let b = x.dim(0)?;
        let n = keep.len();
        let repeat = |t: &Tensor| -> Result<Tensor> {
            if n == 1 {
                Ok(t.clone())
            } else {
                Tensor::cat(&vec![t; n], 0)
            }
        };
        let device = x.device();
        let keep: Vec<u8> = keep.iter().flat_map(|&k| vec![k; b]).collect();
        let time = Tensor::full(time, n * b, device)?;
        let cond_image = self
            .conditions
            .cond_image
            .as_ref()
            .map(repeat)
            .transpose()?;
        let lowres = match &self.conditions.lowres {
            Some((video, t)) => Some((repeat(video)?, Tensor::full(*t as f32, n * b, device)?)),
            None => None,
        };
        self.unet.forward(
            &Inputs {
                x: &repeat(x)?,
                time: &time,
                ef: &repeat(&self.conditions.ef)?,
                keep_ef: &Tensor::new(keep, device)?,
                cond_image: cond_image.as_ref(),
                lowres: lowres.as_ref().map(|(v, t)| (v, t)),
            },
            &Pass::new(self.interrupt),
        )
    }
}

/// Dynamic threshold (Imagen, section 2.3): per sample, `s` is a percentile of |D| and at least 1;
/// D is clamped to -s..s and divided by s. Returns the result and the raw percentiles.
///
/// # Errors
/// When the device fails.
pub fn dynamic_threshold(d: &Tensor, percentile: f32) -> Result<(Tensor, Vec<f32>)> {
    let flat = d.to_dtype(DType::F32)?.flatten_from(1)?.to_vec2::<f32>()?;
    let quantiles: Vec<f32> = flat
        .into_iter()
        .map(|mut values| {
            for v in &mut values {
                *v = v.abs();
            }
            quantile(&mut values, percentile)
        })
        .collect();
    let mut column = vec![1; d.rank()];
    column[0] = quantiles.len();
    let limits: Vec<f32> = quantiles.iter().map(|q| q.max(1.0)).collect();
    let s = Tensor::from_vec(limits, column, d.device())?;
    let clamped = d.broadcast_minimum(&s)?.broadcast_maximum(&s.neg()?)?;
    Ok((clamped.broadcast_div(&s)?, quantiles))
}

/// Linear between order statistics at rank `q (n - 1)`, the rank in `f32` as torch has it.
fn quantile(values: &mut [f32], q: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let rank = q * (values.len() - 1) as f32;
    let low = (rank.floor() as usize).min(values.len() - 1);
    let (_, &mut a, above) = values.select_nth_unstable_by(low, f32::total_cmp);
    let b = above.iter().copied().fold(f32::INFINITY, f32::min);
    let weight = rank - low as f32;
    if weight == 0.0 || !b.is_finite() {
        a
    } else if weight < 0.5 {
        weight.mul_add(b - a, a)
    } else {
        (weight - 1.0).mul_add(b - a, b)
    }
}
