//! One stage's denoiser D(x; sigma): preconditioned network, guidance, threshold.

use super::schedule::Preconditioning;
use super::{Output, StageConfig};
use crate::models::unet3d::{EfTokens, Inputs, Pass, Unet};
use crate::nn::Interrupt;
use crate::nn::join::repeat;
use crate::nn::threshold::dynamic_threshold;
use candle_core::{Result, Tensor};
use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

/// What a stage is conditioned on, for a batch of `b` samples.
pub struct Conditions {
    /// EF as a fraction, `[b, 1, 1]`.
    pub ef: Tensor,
    /// The anatomy, `[b, c, h, w]` in 0..1, best at the stage's own size; or what an encoder made of it.
    pub cond_image: Option<Tensor>,
    /// The previous stage's video, noised, `[b, c, f, h, w]`, and its raw noise time.
    pub lowres: Option<(Tensor, f64)>,
}

pub struct Denoiser<'a> {
    unet: &'a Unet,
    stage: &'a StageConfig,
    conditions: &'a Conditions,
    /// Percentile of the dynamic threshold; `None` clamps.
    threshold: Option<f32>,
    interrupt: &'a Interrupt,
    /// Whether both branches of guidance go through the network as one batch.
    one_batch: bool,
    /// By the flags that say which samples are shown the EF.
    ef: RefCell<Vec<(Vec<u8>, EfTokens)>>,
}

/// What the first evaluation of a run has in common for every EF: from the same noise and anatomy,
/// the input layers' result and the null branch of guidance. While a slider is dragged, that is more
/// than half of what is computed.
#[derive(Default)]
pub struct Openings(Mutex<Option<Opening>>);

struct Opening {
    key: String,
    embedded: Tensor,
    null: Tensor,
}

impl Openings {
    fn find(&self, key: &str) -> Option<(Tensor, Tensor)> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last.as_ref().filter(|o| o.key == key)?;
        Some((known.embedded.clone(), known.null.clone()))
    }

    fn keep(&self, key: String, embedded: Tensor, null: Tensor) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(Opening {
            key,
            embedded,
            null,
        });
    }
}

impl<'a> Denoiser<'a> {
    pub fn new(
        unet: &'a Unet,
        stage: &'a StageConfig,
        conditions: &'a Conditions,
        threshold: Option<f32>,
        interrupt: &'a Interrupt,
        one_batch: bool,
    ) -> Self {
        Self {
            unet,
            stage,
            conditions,
            threshold,
            interrupt,
            one_batch,
            ef: RefCell::default(),
        }
    }

    /// The denoised estimate of `x` `[b, c, f, h, w]` at noise level `sigma`, in -1..1.
    ///
    /// # Errors
    /// When the network fails or is interrupted.
    pub fn denoise(&self, x: &Tensor, sigma: f32) -> Result<Tensor> {
        self.thresholded(self.unthresholded(x, sigma)?)
    }

    /// As [`Denoiser::denoise`], of an x that `key` tells from every other: what does not depend on
    /// the EF is taken from `openings` or kept there. Returns the number of network passes, too.
    ///
    /// # Errors
    /// As [`Denoiser::denoise`].
    pub fn open(
        &self,
        x: &Tensor,
        sigma: f32,
        openings: &Openings,
        key: &str,
    ) -> Result<(Tensor, usize)> {
        let key = format!("{key} {sigma} {:?}", x.dims());
        let passes = match openings.find(&key) {
            Some(_) => 1,
            None => self.stage.passes_at(f64::from(sigma)),
        };
        let d = self.preconditioned(x, sigma, Some((openings, key)))?;
        Ok((self.thresholded(d)?, passes))
    }

    fn thresholded(&self, d: Tensor) -> Result<Tensor> {
        // A displacement may be as large as it is.
        if self.stage.output != Output::Picture {
            return Ok(d);
        }
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
        self.preconditioned(x, sigma, None)
    }

    fn preconditioned(
        &self,
        x: &Tensor,
        sigma: f32,
        opening: Option<(&Openings, String)>,
    ) -> Result<Tensor> {
        let c = Preconditioning::new(sigma, self.stage.levels.sigma_data);
        let w = match self.stage.passes_at(f64::from(sigma)) {
            1 => 1.0,
            _ => self.stage.cond_scale,
        };
        let network_out = self.guided(&(x * f64::from(c.c_in))?, c.c_noise, w, opening)?;
        (x * f64::from(c.c_skip))? + (network_out * f64::from(c.c_out))?
    }

    /// `F = F_null + w (F_cond - F_null)`: guidance on the raw output; the null branch drops the
    /// EF alone. What comes before the EF is heard is the same for both.
    fn guided(
        &self,
        x: &Tensor,
        time: f32,
        w: f64,
        opening: Option<(&Openings, String)>,
    ) -> Result<Tensor> {
        let known = opening.as_ref().and_then(|(o, key)| o.find(key));
        let embedded = match &known {
            Some((embedded, _)) => embedded.clone(),
            None => self.embed(x)?,
        };
        let branch = |keep: &[u8]| self.branch(&embedded, x, time, keep);
        if w == 1.0 {
            return branch(&[1]);
        }
        let (cond, null) = match known {
            Some((_, null)) => (branch(&[1])?, null),
            None if self.one_batch => {
                let both = branch(&[1, 0])?;
                let b = x.dim(0)?;
                (both.narrow(0, 0, b)?, both.narrow(0, b, b)?)
            }
            None => (branch(&[1])?, branch(&[0])?),
        };
        if let Some((openings, key)) = opening {
            openings.keep(key, embedded, null.clone());
        }
        &null + ((cond - &null)? * w)?
    }

    fn embed(&self, x: &Tensor) -> Result<Tensor> {
        let lowres = self.conditions.lowres.as_ref().map(|(video, _)| video);
        let cond_image = self.conditions.cond_image.as_ref();
        let pass = Pass::new(self.interrupt);
        self.unet.embed(x, cond_image, lowres, &pass)
    }

    /// One network pass: a version of the batch for each of `keep`.
    fn branch(&self, embedded: &Tensor, x: &Tensor, time: f32, keep: &[u8]) -> Result<Tensor> {
        let (b, n, device) = (x.dim(0)?, keep.len(), x.device());
        let keep: Vec<u8> = keep.iter().flat_map(|&k| vec![k; b]).collect();
        let time = Tensor::full(time, n * b, device)?;
        let lowres = match &self.conditions.lowres {
            Some((video, t)) => Some((video, Tensor::full(*t as f32, n * b, device)?)),
            None => None,
        };
        let ef = self.ef_tokens(keep)?;
        self.unet.forward_from(
            embedded,
            &Inputs {
                x,
                time: &time,
                ef: &ef,
                cond_image: self.conditions.cond_image.as_ref(),
                lowres: lowres.as_ref().map(|(v, t)| (*v, t)),
            },
            &Pass::new(self.interrupt),
        )
    }

    /// The same at every noise level: made once for a stage.
    fn ef_tokens(&self, keep: Vec<u8>) -> Result<EfTokens> {
        let known = self.ef.borrow().iter().find(|(k, _)| *k == keep).cloned();
        if let Some((_, tokens)) = known {
            return Ok(tokens);
        }
        let ef = &self.conditions.ef;
        let flags = Tensor::new(keep.as_slice(), ef.device())?;
        let ef = repeat(ef, keep.len() / ef.dim(0)?.max(1))?;
        let tokens = self.unet.ef_tokens(&ef, &flags)?;
        self.ef.borrow_mut().push((keep, tokens.clone()));
        Ok(tokens)
    }
}
