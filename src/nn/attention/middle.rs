//! Attention over all positions.

use super::cross::token_weights;
use super::multi_query::{MultiQuery, attend};
use crate::nn::cpu::token_attention::Weights;
#[cfg(feature = "cuda")]
use crate::nn::cuda;
use crate::nn::learn::tracked;
use crate::nn::{Interrupt, Params, cpu, on_gpu, profile};
use candle_core::{Result, Tensor};
use std::sync::{Arc, OnceLock};

/// Self-attention over every position of a sample, frames included.
#[derive(Clone, Debug)]
pub struct MiddleAttention {
    core: MultiQuery,
    weights: OnceLock<Arc<Weights>>,
}

impl MiddleAttention {
    /// Loads `norm`, `to_q`, `to_kv`, `null_kv`, `to_out` and the unused `null_attn_bias`.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params, c: usize, heads: usize, d: usize) -> Result<Self> {
        p.get("null_attn_bias", &[heads])?;
        Ok(Self {
            core: MultiQuery::new(p, c, heads, d)?,
            weights: OnceLock::new(),
        })
    }

    /// x `[b, c, f, h, w]`.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        on_gpu!(
            x,
            learns: tracked(&[&self.core.null_kv]),
            profile::timed("attention over space", x.device(), || {
                interrupt.check()?;
                let rows = cuda::Rows::of(x)?;
                let out = self.core.on_gpu(|layer| cuda::middle(&rows, layer))?;
                Ok(out.into_tensor())
            })
        );
        let shape = x.dims().to_vec();
        let x = x.flatten_from(2)?;
        // Fewer positions than the kernel takes at once are Candle's.
        let enough = x.dim(2)? >= cpu::token_attention::COLUMNS;
        if !enough || tracked(&[&x, &self.core.null_kv]) {
            return self.composed(&x, interrupt)?.reshape(shape);
        }
        let (k, v) = self.keys_and_values(&self.core.norm.forward(&x)?)?;
        let op = cpu::token_attention::TokenAttention {
            weights: self.weights()?,
            interrupt: interrupt.clone(),
        };
        profile::timed("attention over space", x.device(), || {
            x.contiguous()?.apply_op3(&k, &v, op)
        })?
        .reshape(shape)
    }

    /// By Candle's operations: x `[b, c, n]`.
    fn composed(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let normed = self.core.norm.forward(x)?;
        let (k, v) = self.keys_and_values(&normed)?;
        let q = self.core.apart()?.0.forward(&normed)?;
        let out = attend(&q, &k, &v, self.core.heads, interrupt)?;
        self.core.finish(x, &out)
    }

    /// `[b, 1, n + 1, d]` each.
    fn keys_and_values(&self, normed: &Tensor) -> Result<(Tensor, Tensor)> {
        let (b, d) = (normed.dim(0)?, self.core.d);
        let kv = self
            .core
            .apart()?
            .1
            .forward(normed)?
            .reshape((b, 2, d, ()))?;
        let kv = with_null(&kv, &self.core.null_kv)?;
        let part = |i: usize| kv.narrow(1, i, 1)?.transpose(2, 3)?.contiguous();
        Ok((part(0)?, part(1)?))
    }

    /// As the CPU's kernel reads them.
    fn weights(&self) -> Result<Arc<Weights>> {
        if let Some(weights) = self.weights.get() {
            return Ok(weights.clone());
        }
        let core = &self.core;
        let norms = (&core.norm, &core.out_norm);
        let weights = token_weights(norms, core.apart()?.0, &core.out, core.heads)?;
        Ok(self.weights.get_or_init(|| Arc::new(weights)).clone())
    }
}

/// Puts the null key and value before the others: kv `[b, 2, d, n]` to `[b, 2, d, n + 1]`.
fn with_null(kv: &Tensor, null_kv: &Tensor) -> Result<Tensor> {
    let (b, _, d, _) = kv.dims4()?;
    let null = null_kv.reshape((1, 2, d, 1))?.broadcast_as((b, 2, d, 1))?;
    Tensor::cat(&[&null.contiguous()?, kv], 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{Any, largest_difference};
    use candle_core::Device;

    #[test]
    fn the_cpu_kernel_equals_its_composition() {
        // One block of keys, and three of which the last is short.
        for (c, heads, d, shape) in [(8, 3, 4, (3, 5, 5)), (6, 2, 8, (5, 16, 16))] {
            let make = |p: &Params| MiddleAttention::new(p, c, heads, d);
            let (layer, _) = Params::load(&Any, &Device::Cpu, make).unwrap();
            let (f, h, w) = shape;
            let n = 2 * c * f * h * w;
            let values: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin() * 3.0).collect();
            let x = Tensor::from_vec(values, (2, c, f, h, w), &Device::Cpu).unwrap();
            let go = Interrupt::new();
            let ours = layer.forward(&x, &go).unwrap().flatten_from(2).unwrap();
            let other = layer.composed(&x.flatten_from(2).unwrap(), &go).unwrap();
            let d = largest_difference(&ours, &other);
            assert!(d < 2e-5, "{shape:?}: {d}");
        }
    }
}
