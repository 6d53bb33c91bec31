//! What a forward pass takes, and how it is made.

use crate::nn::Interrupt;
use candle_core::Tensor;

/// What the network hears of the EF ([`super::Unet::ef_tokens`]).
#[derive(Clone, Debug)]
pub struct EfTokens {
    /// `[b, latents + 4, dim]`
    pub(super) tokens: Tensor,
    /// `[b, T]`
    pub(super) summary: Tensor,
}

/// What a forward pass takes. Videos are `[b, channels, f, h, w]`; noise level and EF may have m
/// times as many samples, m versions of each.
pub struct Inputs<'a> {
    /// The noisy video, already multiplied by `c_in`.
    pub x: &'a Tensor,
    /// `c_noise`, `[m b]`.
    pub time: &'a Tensor,
    /// Of `[m b]` samples.
    pub ef: &'a EfTokens,
    /// The anatomy, `[b, cond_images_channels, h', w']` in 0..1.
    pub cond_image: Option<&'a Tensor>,
    /// The previous stage's video, noised, in about -1..1, and its noise time `[m b]`.
    pub lowres: Option<(&'a Tensor, &'a Tensor)>,
}

/// Told of every named intermediate.
pub type Probe<'a> = &'a dyn Fn(&str, &Tensor);

/// How a pass is made.
pub struct Pass<'a> {
    pub interrupt: &'a Interrupt,
    /// Skips everything that acts over frames except global context, norms and cross attention.
    pub ignore_time: bool,
    /// Called with each named intermediate; for parity tests.
    pub probe: Option<Probe<'a>>,
}

impl<'a> Pass<'a> {
    pub fn new(interrupt: &'a Interrupt) -> Self {
        Self {
            interrupt,
            ignore_time: false,
            probe: None,
        }
    }

    pub(super) fn see(&self, name: &str, t: &Tensor) {
        if let Some(probe) = self.probe {
            probe(name, t);
        }
    }
}
