//! Attention to the conditioning tokens.

use super::multi_query::attend;
use crate::nn::conv::{Along, PointConv};
use crate::nn::cpu::token_attention::Weights;
#[cfg(feature = "cuda")]
use crate::nn::cuda;
use crate::nn::join::add;
use crate::nn::learn::tracked;
use crate::nn::linear::linear;
use crate::nn::norm::ChannelNorm;
use crate::nn::{Interrupt, Params, cpu, on_gpu, profile};
use candle_core::{Result, Tensor};
use std::sync::{Arc, OnceLock};

/// Attention of every position to the conditioning tokens, `x + Att(x, tokens)`.
#[derive(Clone, Debug)]
pub struct CrossAttention {
    norm: ChannelNorm,
    to_q: PointConv,
    to_kv: Tensor,
    null_kv: Tensor,
    to_out: PointConv,
    out_norm: ChannelNorm,
    heads: usize,
    d: usize,
    weights: OnceLock<Arc<Weights>>,
}

impl CrossAttention {
    /// Loads the tensors below `fn.`; tokens have `cond_dim` channels.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params, c: usize, cond_dim: usize, heads: usize, d: usize) -> Result<Self> {
        let p = p.at("fn");
        let scale = (d as f64).powf(-0.5);
        let to_q = p.get_host("to_q.weight", &[heads * d, c])?;
        let to_out = p.get_host("to_out.0.weight", &[c, heads * d])?;
        Ok(Self {
            norm: ChannelNorm::new(&p.at("norm"), c)?,
            to_q: PointConv::scaled(&to_q, scale, None, p.backend())?,
            to_kv: p.get("to_kv.weight", &[2 * heads * d, cond_dim])?,
            null_kv: p.get("null_kv", &[2, d])?,
            to_out: PointConv::from_host(&to_out, None, p.backend())?,
            out_norm: ChannelNorm::new(&p.at("to_out.1"), c)?,
            heads,
            d,
            weights: OnceLock::new(),
        })
    }

    /// x `[b, c, f, h, w]`, tokens `[b, n, cond_dim]`.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, x: &Tensor, tokens: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let shape = x.dims().to_vec();
        let (b, heads, d) = (shape[0], self.heads, self.d);
        let m = tokens.dim(1)?;
        let kv = linear(tokens, &self.to_kv, None)?.reshape((b, m, 2, heads, d))?;
        on_gpu!(
            x,
            learns: kv.track_op(),
            profile::timed("attention to tokens", x.device(), || {
                interrupt.check()?;
                let layer = cuda::Layer {
                    norms: (self.norm.gain(), self.out_norm.gain()),
                    inward: &*self.to_q.on_gpu()?,
                    outward: &*self.to_out.on_gpu()?,
                    null_kv: &self.null_kv,
                    heads,
                    d,
                    eps: crate::nn::norm::EPS as f32,
                };
                Ok(cuda::tokens(&cuda::Rows::of(x)?, &layer, &kv)?.into_tensor())
            })
        );
        let part = |i: usize| -> Result<Tensor> {
            let null = self
                .null_kv
                .narrow(0, i, 1)?
                .reshape((1, 1, 1, d))?
                .broadcast_as((b, heads, 1, d))?
                .contiguous()?;
            let own = kv.narrow(2, i, 1)?.squeeze(2)?.transpose(1, 2)?;
            Tensor::cat(&[&null, &own.contiguous()?], 2)
        };
        let (x, k, v) = (x.flatten_from(2)?, part(0)?, part(1)?);
        // Fewer positions than the kernel takes at once are Candle's.
        let enough = x.dim(2)? >= cpu::token_attention::COLUMNS;
        let learns = tracked(&[&x, &k, &v]);
        let out = if enough && !learns {
            let op = cpu::token_attention::TokenAttention {
                weights: self.weights()?,
                interrupt: interrupt.clone(),
            };
            profile::timed("attention to tokens", x.device(), || {
                x.contiguous()?.apply_op3(&k, &v, op)
            })?
        } else {
            self.composed(&x, &k, &v, interrupt)?
        };
        out.reshape(shape)
    }

    /// By Candle's operations: x `[b, c, n]`, k and v `[b, heads, m, d]`.
    fn composed(
        &self,
        x: &Tensor,
        k: &Tensor,
        v: &Tensor,
        interrupt: &Interrupt,
    ) -> Result<Tensor> {
        let q = self.to_q.forward(&self.norm.forward(x)?)?;
        let out = attend(&q, k, v, self.heads, interrupt)?;
        let out = self.out_norm.forward(&self.to_out.forward(&out)?)?;
        add(x, &out)
    }

    /// As the CPU's kernel reads them.
    fn weights(&self) -> Result<Arc<Weights>> {
        if let Some(weights) = self.weights.get() {
            return Ok(weights.clone());
        }
        let norms = (&self.norm, &self.out_norm);
        let weights = token_weights(norms, &self.to_q, &self.to_out, self.heads)?;
        Ok(self.weights.get_or_init(|| Arc::new(weights)).clone())
    }
}

/// A layer's weights for the CPU's kernel: the norms before and after, queries `[heads * d, c]` and
/// output `[c, heads * d]`.
pub(super) fn token_weights(
    (norm, out_norm): (&ChannelNorm, &ChannelNorm),
    q: &PointConv,
    out: &PointConv,
    heads: usize,
) -> Result<Weights> {
    let values = |t: &Tensor| -> Result<Vec<f32>> { t.flatten_all()?.to_vec1() };
    Ok(Weights {
        norm: values(norm.gain())?,
        q: q.by_heads(Along::Rows, heads)?,
        out: out.by_heads(Along::Columns, heads)?,
        out_norm: values(out_norm.gain())?,
        eps: crate::nn::norm::EPS as f32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{Any, largest_difference};
    use candle_core::Device;

    #[test]
    fn the_cpu_kernel_equals_its_composition() {
        for (c, heads, d, m, n) in [(8, 3, 4, 5, 35), (12, 2, 16, 1, 200), (6, 1, 8, 12, 64)] {
            let make = |p: &Params| CrossAttention::new(p, c, 7, heads, d);
            let (layer, _) = Params::load(&Any, &Device::Cpu, make).unwrap();
            let wave = |shape: &[usize], step: f32| {
                let values = (0..shape.iter().product()).map(|i: usize| (i as f32 * step).sin());
                Tensor::from_vec(values.collect::<Vec<f32>>(), shape, &Device::Cpu).unwrap()
            };
            let x = wave(&[2, c, n], 0.37);
            let (k, v) = (wave(&[2, heads, m, d], 0.53), wave(&[2, heads, m, d], 0.71));
            let go = Interrupt::new();
            let op = cpu::token_attention::TokenAttention {
                weights: layer.weights().unwrap(),
                interrupt: go.clone(),
            };
            let ours = x.apply_op3(&k, &v, op).unwrap();
            let other = layer.composed(&x, &k, &v, &go).unwrap();
            let d = largest_difference(&ours, &other);
            assert!(d < 2e-5, "{n} positions: {d}");
        }
    }
}
