//! Attention over frames.

use super::multi_query::MultiQuery;
use crate::nn::conv::Along;
#[cfg(feature = "cuda")]
use crate::nn::cuda;
#[cfg(feature = "cuda")]
use crate::nn::learn::made_again;
use crate::nn::learn::tracked;
use crate::nn::linear::linear;
#[cfg(any(test, feature = "cuda"))]
use crate::nn::matmul;
use crate::nn::norm::LastNorm;
use crate::nn::{Interrupt, Params, cpu, on_gpu, profile};
use candle_core::{Result, Tensor};
use cpu::temporal_attention::Weights;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Causal self-attention over the frames of every pixel, with a learned relative bias.
#[derive(Clone, Debug)]
pub struct TemporalAttention {
    core: MultiQuery,
    null_attn_bias: Tensor,
    bias: RelativeBias,
    weights: OnceLock<Arc<Weights>>,
    known: Known,
}

/// The biases for the number of frames that was last asked for.
#[derive(Debug, Default)]
struct Known(Mutex<Option<(usize, Tensor)>>);

impl Clone for Known {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl TemporalAttention {
    /// Loads the tensors below `fn.fn.`.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params, c: usize, heads: usize, d: usize) -> Result<Self> {
        let p = p.at("fn.fn");
        Ok(Self {
            core: MultiQuery::new(&p, c, heads, d)?,
            null_attn_bias: p.get("null_attn_bias", &[heads])?,
            bias: RelativeBias::new(&p.at("rel_pos_bias.mlp"), c, heads)?,
            weights: OnceLock::new(),
            known: Known::default(),
        })
    }

    /// x `[b, c, f, h, w]`.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        profile::timed("attention over frames", x.device(), || {
            interrupt.check()?;
            let (b, c, f, h, w) = x.dims5()?;
            let learns = tracked(&[x, &self.core.null_kv]);
            #[cfg(feature = "cuda")]
            if learns && x.device().is_cuda() {
                return self.composed(x, &self.make_biases(f)?);
            }
            if learns {
                let op = cpu::temporal_attention::grad::Learned {
                    heads: self.core.heads,
                    d: self.core.d,
                    eps: crate::nn::norm::EPS as f32,
                    interrupt: interrupt.clone(),
                };
                return x
                    .reshape((b, c, f, h * w))?
                    .contiguous()?
                    .apply_op3(&self.make_biases(f)?, &self.core.in_a_row()?, op)?
                    .reshape((b, c, f, h, w));
            }
            let bias = self.biases(f)?;
            on_gpu!(x, {
                let rows = cuda::Rows::of(x)?;
                let null = &self.null_attn_bias;
                let out = self
                    .core
                    .on_gpu(|layer| cuda::frames(&rows, layer, &bias, null, interrupt))?;
                Ok(out.into_tensor())
            });
            let op = cpu::temporal_attention::TemporalAttention {
                weights: self.weights(x)?,
                interrupt: interrupt.clone(),
            };
            x.reshape((b, c, f, h * w))?
                .contiguous()?
                .apply_op2(&bias, op)?
                .reshape((b, c, f, h, w))
        })
    }

    /// As the CPU's kernel reads them.
    fn weights(&self, x: &Tensor) -> Result<Arc<Weights>> {
        if let Some(weights) = self.weights.get() {
            return Ok(weights.clone());
        }
        let core = &self.core;
        let (q, kv) = core.apart()?;
        let values = |t: &Tensor| -> Result<Vec<f32>> { t.flatten_all()?.to_vec1() };
        let weights = Weights {
            norm: values(core.norm.gain())?,
            q: q.by_heads(Along::Rows, core.heads)?,
            kv: kv.packed(x)?,
            null_kv: values(&core.null_kv)?,
            out: core.out.by_heads(Along::Columns, core.heads)?,
            out_norm: values(core.out_norm.gain())?,
            eps: crate::nn::norm::EPS as f32,
        };
        Ok(self.weights.get_or_init(|| Arc::new(weights)).clone())
    }

    #[cfg(any(test, feature = "cuda"))]
    /// By Candle's own operations: x `[b, c, f, h, w]`, bias `[heads, f, f + 1]`.
    fn composed(&self, x: &Tensor, bias: &Tensor) -> Result<Tensor> {
        let (b, c, f, h, w) = x.dims5()?;
        let (heads, d, n) = (self.core.heads, self.core.d, h * w);
        let flat = x.reshape((b, c, f * n))?;
        let normed = self.core.norm.forward(&flat)?;
        let (q, kv) = self.core.apart()?;
        let q = q.forward(&normed)?.reshape((b, heads * d, f, n))?;
        let kv = kv.forward(&normed)?.reshape((b, 2 * d, f, n))?;
        let null = self
            .core
            .null_kv
            .reshape((1, 2 * d, 1, 1))?
            .broadcast_as((b, 2 * d, 1, n))?;
        let kv = Tensor::cat(&[&null.contiguous()?, &kv], 2)?;
        #[cfg(feature = "cuda")]
        let out = made_again(&q, &kv, bias, move |q, kv, bias| {
            attend_causally(q, kv, bias, heads)
        })?;
        #[cfg(not(feature = "cuda"))]
        let out = attend_causally(&q, &kv, bias, heads)?;
        self.core
            .finish(&flat, &out.reshape((b, heads * d, f * n))?)?
            .reshape((b, c, f, h, w))
    }

    /// `[heads, f, f + 1]`: column 0 for the null key, column `j + 1` for frame `j`. A GPU looks them up
    /// by distance: `[heads, f]`. The same for every pass of so many frames.
    fn biases(&self, f: usize) -> Result<Tensor> {
        let mut known = self.known.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((frames, bias)) = known.as_ref()
            && *frames == f
        {
            return Ok(bias.clone());
        }
        let bias = self.make_biases(f)?;
        *known = Some((f, bias.clone()));
        Ok(bias)
    }

    fn make_biases(&self, f: usize) -> Result<Tensor> {
        let table = self.bias.table(f)?;
        on_gpu!(table, table.narrow(0, f - 1, f)?.t()?.contiguous());
        let offsets: Vec<u32> = (0..f)
            .flat_map(|i| (0..f).map(move |j| (i + f - 1 - j) as u32))
            .collect();
        let heads = self.core.heads;
        let offsets = Tensor::new(offsets, table.device())?;
        let bias = table
            .index_select(&offsets, 0)?
            .t()?
            .contiguous()?
            .reshape((heads, f, f))?;
        let null = self
            .null_attn_bias
            .reshape((heads, 1, 1))?
            .broadcast_as((heads, f, 1))?;
        Tensor::cat(&[&null.contiguous()?, &bias], 2)
    }
}

#[cfg(any(test, feature = "cuda"))]
/// The attention over frames by Candle's own operations.
/// q `[b, heads * d, f, n]`, kv `[b, 2d, f + 1, n]`, bias `[heads, f, f + 1]`.
fn attend_causally(q: &Tensor, kv: &Tensor, bias: &Tensor, heads: usize) -> Result<Tensor> {
    let (b, inner, f, n) = q.dims4()?;
    let d = inner / heads;
    let q = q
        .reshape((b, heads, d, f, n))?
        .permute((0, 4, 1, 3, 2))?
        .reshape((b * n, heads * f, d))?;
    let kv = kv.reshape((b, 2, d, f + 1, n))?;
    let part = |i: usize| -> Result<Tensor> {
        kv.narrow(1, i, 1)?
            .squeeze(1)?
            .permute((0, 3, 2, 1))?
            .reshape((b * n, f + 1, d))
    };
    let mask: Vec<f32> = (0..f)
        .flat_map(|i| (0..=f).map(move |j| if j > i + 1 { f32::MIN } else { 0.0 }))
        .collect();
    let mask = Tensor::from_vec(mask, (1, f, f + 1), q.device())?;
    let bias = bias.broadcast_add(&mask)?.reshape((1, heads * f, f + 1))?;
    let keys = part(0)?.transpose(1, 2)?.contiguous()?;
    let scores = matmul(&q, &keys)?.broadcast_add(&bias)?;
    matmul(&crate::nn::softmax::softmax(&scores)?, &part(1)?)?
        .reshape((b, n, heads, f, d))?
        .permute((0, 2, 4, 3, 1))?
        .reshape((b, inner, f, n))
}

/// The perceptron that turns a distance in frames into one bias a head.
#[derive(Clone, Debug)]
struct RelativeBias {
    hidden: [(Tensor, Tensor, LastNorm); 2],
    out: (Tensor, Tensor),
}

impl RelativeBias {
    fn new(p: &Params, c: usize, heads: usize) -> Result<Self> {
        let hidden = |i: usize, input: usize| -> Result<_> {
            let p = p.at(i);
            Ok((
                p.get("0.weight", &[c, input])?,
                p.get("0.bias", &[c])?,
                LastNorm::gain(&p.at(1), c)?,
            ))
        };
        Ok(Self {
            hidden: [hidden(0, 1)?, hidden(1, c)?],
            out: (p.get("2.weight", &[heads, c])?, p.get("2.bias", &[heads])?),
        })
    }

    /// `[2f - 1, heads]` for the distances `-(f - 1) ..= f - 1`.
    fn table(&self, f: usize) -> Result<Tensor> {
        let distances: Vec<f32> = (0..2 * f - 1)
            .map(|i| i as f32 - (f as f32 - 1.0))
            .collect();
        let device = self.out.0.device();
        let mut x = Tensor::from_vec(distances, (2 * f - 1, 1), device)?;
        for (weight, bias, norm) in &self.hidden {
            x = norm.forward(&linear(&x, weight, Some(bias))?)?.silu()?;
        }
        linear(&x, &self.out.0, Some(&self.out.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{Any, largest_difference, random, wave};
    use candle_core::{Device, Var};

    #[test]
    fn the_cpu_kernel_equals_its_composition() {
        for (c, heads, d, f, (h, w)) in [
            (8, 3, 4, 5, (5, 7)),
            (12, 2, 16, 16, (4, 4)),
            (6, 1, 8, 1, (1, 1)),
        ] {
            let make = |p: &Params| TemporalAttention::new(p, c, heads, d);
            let (layer, _) = Params::load(&Any, &Device::Cpu, make).unwrap();
            let x = Tensor::from_vec(wave(2 * c * f * h * w, 0.37), (2, c, f, h, w), &Device::Cpu)
                .unwrap();
            let go = Interrupt::new();
            let ours = layer.forward(&x, &go).unwrap();
            let bias = layer.biases(f).unwrap();
            let other = layer.composed(&x, &bias).unwrap();
            let d = largest_difference(&ours, &other);
            assert!(d < 2e-5, "{f} frames: {d}");
        }
    }

    /// Sharp softmaxes make much of rounding: as far apart as a last bit of x moves the composition, and no farther.
    #[test]
    fn its_gradients_are_those_of_its_composition() {
        for (c, heads, d, f, (h, w)) in [
            (8, 3, 4, 5, (5, 7)),
            (12, 2, 16, 16, (6, 6)),
            (5, 1, 3, 1, (1, 1)),
        ] {
            let make = |p: &Params| TemporalAttention::new(p, c, heads, d);
            let (layer, vars) = Params::learn(&Any, &Device::Cpu, make).unwrap();
            assert_eq!(vars.len(), 15);
            let towards = random(&[2, c, f, h, w], 2);
            let bias = || layer.make_biases(f).unwrap();
            let x = random(&[2, c, f, h, w], 1);
            let slopes = |x: &Tensor, out: &dyn Fn(&Tensor) -> Tensor| {
                let x = Var::from_tensor(x).unwrap();
                let loss = (out(&x) * &towards).and_then(|y| y.sum_all()).unwrap();
                let grads = loss.backward().unwrap();
                let all = vars.iter().map(|(name, var)| (name.as_str(), var));
                let all = all.chain([("x", &x)]);
                all.map(|(name, var)| (name.to_owned(), grads.get(var).unwrap().clone()))
                    .collect::<Vec<_>>()
            };
            let ours = slopes(&x, &|x| layer.forward(x, &Interrupt::new()).unwrap());
            let composed = |x: &Tensor| layer.composed(x, &bias()).unwrap();
            let theirs = slopes(&x, &composed);
            let moved = slopes(&(&x * (1.0 + 1.2e-7)).unwrap(), &composed);
            for (((name, ours), (_, theirs)), (_, moved)) in ours.iter().zip(&theirs).zip(&moved) {
                let size = theirs.abs().unwrap().max_all().unwrap();
                let size = size.to_scalar::<f32>().unwrap().max(1.0);
                let d = largest_difference(ours, theirs) / size;
                let by_rounding = largest_difference(moved, theirs) / size;
                assert!(
                    d < 5e-6 + 4.0 * by_rounding,
                    "{f} frames, {name}: {d} of {size}, {by_rounding} by rounding"
                );
            }
        }
    }
}
