//! EDM algorithm 2: stochastic Heun.

use super::schedule::Schedule;
use candle_core::{Result, Tensor};

/// D(x; sigma): `[b, c, f, h, w]` to the same shape, in -1..1.
pub type Denoise<'a> = dyn FnMut(&Tensor, f32) -> Result<Tensor> + 'a;

/// What one step computes.
pub struct Step {
    pub denoised: Tensor,
    /// The second evaluation; the last step has none.
    pub denoised2: Option<Tensor>,
    pub x_next: Tensor,
}

/// Lines 4 to 6 of algorithm 2: raises the noise of `x` from `sigma_i` to `sigma_hat`.
///
/// # Errors
/// When the device fails.
pub fn churn(schedule: &Schedule, i: usize, x: &Tensor, noise: &Tensor) -> Result<Tensor> {
    let (sigma, sigma_hat) = (f64::from(schedule.sigmas[i]), schedule.sigma_hat(i));
    let amount = (sigma_hat * sigma_hat - sigma * sigma).sqrt();
    x + ((noise * schedule.s_noise)? * amount)?
}

/// Lines 7 to 11 of algorithm 2: from `x_hat` at `sigma_hat` to `x_next` at `sigma_{i+1}`.
///
/// # Errors
/// When the denoiser fails or is interrupted.
pub fn heun_step(
    schedule: &Schedule,
    i: usize,
    x_hat: &Tensor,
    denoise: &mut Denoise<'_>,
) -> Result<Step> {
    let sigma_hat = schedule.sigma_hat(i);
    let sigma_next = schedule.sigmas[i + 1];
    let h = f64::from(sigma_next) - sigma_hat;

    let denoised = denoise(x_hat, sigma_hat as f32)?;
    let d = divide(&(x_hat - &denoised)?, sigma_hat)?;
    let x_next = (x_hat + (&d * h)?)?;
    if sigma_next == 0.0 {
        return Ok(Step {
            denoised,
            denoised2: None,
            x_next,
        });
    }
    let denoised2 = denoise(&x_next, sigma_next)?;
    let d2 = divide(&(&x_next - &denoised2)?, f64::from(sigma_next))?;
    let x_next = (x_hat + ((d + d2)? * (0.5 * h))?)?;
    Ok(Step {
        denoised,
        denoised2: Some(denoised2),
        x_next,
    })
}

/// `x / sigma`, as a division: Candle's own multiplies by the reciprocal, and at large sigma, where
/// x is hundreds and what remains of it is one, that last bit is seen in the result.
fn divide(x: &Tensor, sigma: f64) -> Result<Tensor> {
    x.broadcast_div(&Tensor::new(sigma as f32, x.device())?)
}
