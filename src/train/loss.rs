//! The loss of a training step.

use super::draws::Draws;
use crate::edm::LossConfig;
use crate::edm::schedule::{Augmentation, Preconditioning, loss_weight};
use crate::models::unet3d::{Inputs, Pass, Unet};
use candle_core::{Error, Result, Tensor};

/// What a stage learns from, `b` samples. Videos are `[b, c, f, h, w]` of the stage's size, in -1..1.
#[derive(Clone, Debug)]
pub struct Batch {
    pub video: Tensor,
    /// As a fraction, `[b, 1, 1]`.
    pub ef: Tensor,
    /// The anatomy, `[b, c, h', w']` in 0..1; or what an encoder made of it.
    pub cond_image: Option<Tensor>,
    /// The video as the previous stage would have it, at this stage's size, without noise.
    pub lowres: Option<Tensor>,
    /// How much the error of a place counts, `[b, 1 or c, f, h, w]`; all alike without it, as published.
    pub places: Option<Tensor>,
}

/// A loss with what it was made of.
pub struct Loss {
    /// A scalar that leads back to the network's variables.
    pub value: Tensor,
    /// Noise level of each sample.
    pub sigmas: Vec<f32>,
    /// The video with its noise, and the network's input and output and its estimate of the video:
    /// `[b, c, f, h, w]`.
    pub noised: Tensor,
    pub input: Tensor,
    pub output: Tensor,
    pub denoised: Tensor,
    /// c_noise of each sample.
    pub times: Tensor,
    /// The previous stage's video with its noise, and logSNR of that noise, one a sample.
    pub lowres: Option<(Tensor, Tensor)>,
}

/// The loss of Karras et al. (2022), equation 8 with the weights of table 1, as published:
///
/// `mean_b lambda(sigma_b) mean (D(y + sigma_b n; sigma_b) - y)^2`, ln sigma_b ~ N(P_mean, P_std^2),
/// `lambda = (sigma^2 + sigma_data^2) / (sigma sigma_data)^2`.
///
/// The EF of a sample is dropped where `draws.keep` says so; the anatomy never is. The previous stage's video is
/// noised to a time that all samples share, and the network is told logSNR of that time, while in sampling it
/// is told the time itself: as published. Nothing is clamped. `pass.ignore_time` makes a step of pictures.
///
/// # Errors
/// When numbers of samples or shapes differ, when the stage takes a previous video and batch or draws have
/// none (or the other way round), when the device fails, or when interrupted.
pub fn loss(
    unet: &Unet,
    config: &LossConfig,
    batch: &Batch,
    draws: &Draws,
    pass: &Pass,
) -> Result<Loss> {
    let video = &batch.video;
    let (b, _, _, _, _) = video.dims5()?;
    if draws.levels.len() != b || draws.keep.len() != b || draws.noise.dims() != video.dims() {
        return Err(Error::Msg(format!(
            "what was drawn is not for a batch of {:?}",
            video.dims()
        )));
    }
    let device = video.device();
    let a_sample = |of: &dyn Fn(f32) -> f32, sigmas: &[f32]| {
        let values: Vec<f32> = sigmas.iter().map(|&sigma| of(sigma)).collect();
        Tensor::from_vec(values, (b, 1, 1, 1, 1), device)
    };
    let level = |eps: &f32| (config.p_mean as f32 + config.p_std as f32 * eps).exp();
    let sigmas: Vec<f32> = draws.levels.iter().map(level).collect();
    let c = |sigma: f32| Preconditioning::new(sigma, config.sigma_data);

    let noise = draws.noise.to_device(device)?;
    let noised = (video + noise.broadcast_mul(&a_sample(&|s| s, &sigmas)?)?)?;
    let input = noised.broadcast_mul(&a_sample(&|s| c(s).c_in, &sigmas)?)?;
    let times = a_sample(&|s| c(s).c_noise, &sigmas)?.flatten_all()?;
    let lowres = lowres(unet, batch, draws, b)?;

    let keep: Vec<u8> = draws.keep.iter().map(|&keep| u8::from(keep)).collect();
    let ef = unet.ef_tokens(&batch.ef, &Tensor::new(keep, device)?)?;
    let output = unet.forward(
        &Inputs {
            x: &input,
            time: &times,
            ef: &ef,
            cond_image: batch.cond_image.as_ref(),
            lowres: lowres.as_ref().map(|(video, times)| (video, times)),
        },
        pass,
    )?;
    let denoised = (noised.broadcast_mul(&a_sample(&|s| c(s).c_skip, &sigmas)?)?
        + output.broadcast_mul(&a_sample(&|s| c(s).c_out, &sigmas)?)?)?;

    let weight = |sigma: f32| loss_weight(sigma, config.sigma_data) as f32;
    let mut errors = (&denoised - video)?.sqr()?;
    if let Some(places) = &batch.places {
        errors = errors.broadcast_mul(places)?;
    }
    let errors = errors.flatten_from(1)?.mean(1)?;
    let weights = a_sample(&weight, &sigmas)?.flatten_all()?;
    Ok(Loss {
        value: (errors * weights)?.mean_all()?,
        sigmas,
        noised,
        input,
        output,
        denoised,
        times,
        lowres,
    })
}

/// The previous stage's video as the network gets it, and what it is told of its noise.
fn lowres(unet: &Unet, batch: &Batch, draws: &Draws, b: usize) -> Result<Option<(Tensor, Tensor)>> {
    let (clean, draw) = match (&batch.lowres, &draws.lowres) {
        (Some(clean), Some(draw)) if unet.config().lowres_cond => (clean, draw),
        (None, None) if !unet.config().lowres_cond => return Ok(None),
        _ => {
            return Err(Error::Msg(
                "a stage after the first, and no other, learns from the previous stage's video and its noise"
                    .into(),
            ));
        }
    };
    let augmentation = Augmentation::at(draw.time);
    let noise = draw.noise.to_device(clean.device())?;
    let noised = ((clean * augmentation.alpha)? + (noise * augmentation.sigma)?)?;
    let log_snr = Tensor::full(augmentation.log_snr as f32, b, clean.device())?;
    Ok(Some((noised, log_snr)))
}
