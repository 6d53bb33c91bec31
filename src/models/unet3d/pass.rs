//! What a forward pass takes, and how it is made.

use crate::nn::Interrupt;
use candle_core::Tensor;

/// What a forward pass takes. Videos are `[b, channels, f, h, w]`.
pub struct Inputs<'a> {
    /// The noisy video, already multiplied by `c_in`.
    pub x: &'a Tensor,
    /// `c_noise`, `[b]`.
    pub time: &'a Tensor,
    /// EF as a fraction, `[b, 1, 1]`.
    pub ef: &'a Tensor,
    /// 1 where the EF is shown to the network, 0 for the null branch of guidance: u8 `[b]`.
    pub keep_ef: &'a Tensor,
    /// The anatomy, `[b, cond_images_channels, h', w']` in 0..1.
    pub cond_image: Option<&'a Tensor>,
    /// The previous stage's video, noised, in about -1..1, and its noise time `[b]`.
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
