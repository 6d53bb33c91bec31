//! Attention in the three forms the U-Net uses: over frames, over all positions, and to the
//! conditioning tokens. Positions stay in the last dimension throughout: `[b, c, n]`.

use super::conv::pointwise;
use super::norm::{ChannelNorm, LastNorm};
use super::{Interrupt, Params, cpu, profile};
use candle_core::{Device, Result, Tensor};

/// Scores of one block of queries take at most this many bytes (softmax keeps two copies).
const SCORE_BYTES: usize = 64 << 20;

/// Queries of one block, whatever the number of keys.
const MAX_BLOCK: usize = 4096;

/// `softmax(q k^T) v`, in blocks of queries, so that the full score matrix never exists.
///
/// q `[b, heads * d, n]`, already scaled; k and v `[b, kv_heads, m, d]` with `kv_heads` 1 (shared
/// by all heads) or `heads`; result `[b, heads * d, n]`.
///
/// # Errors
/// On mismatched shapes, or when interrupted.
pub fn attend(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    heads: usize,
    interrupt: &Interrupt,
) -> Result<Tensor> {
    profile::timed("attention over space", q.device(), || {
        let (b, inner, n) = q.dims3()?;
        let (_, kv_heads, m, d) = k.dims4()?;
        let q = q.reshape((b, heads, d, n))?;
        let block = (SCORE_BYTES / (4 * m * heads)).clamp(1, MAX_BLOCK.min(n));
        let mut samples = Vec::with_capacity(b);
        for bi in 0..b {
            let (q, k, v) = (q.get(bi)?, k.get(bi)?, v.get(bi)?);
            let kt = k.transpose(1, 2)?.contiguous()?;
            let v = v.contiguous()?;
            let mut blocks = Vec::with_capacity(n.div_ceil(block));
            for start in (0..n).step_by(block) {
                interrupt.check()?;
                let len = block.min(n - start);
                // [heads, len, d]; with shared keys the heads' queries stand under each other.
                let rows = q.narrow(2, start, len)?.transpose(1, 2)?.contiguous()?;
                let rows = rows.reshape((kv_heads, heads / kv_heads * len, d))?;
                let scores = candle_nn::ops::softmax_last_dim(&rows.matmul(&kt)?)?;
                let out = scores.matmul(&v)?.reshape((heads, len, d))?;
                blocks.push(out.transpose(1, 2)?.contiguous()?.reshape((inner, len))?);
            }
            samples.push(Tensor::cat(&blocks, 1)?);
        }
        Tensor::stack(&samples, 0)
    })
}

/// Multi-query self-attention's weights: many query heads, one key and value head, a null key.
#[derive(Clone, Debug)]
struct MultiQuery {
    norm: ChannelNorm,
    to_q: Tensor,
    to_kv: Tensor,
    /// `[2, d]`
    null_kv: Tensor,
    to_out: Tensor,
    out_norm: ChannelNorm,
    heads: usize,
    d: usize,
}

impl MultiQuery {
    fn new(p: &Params, c: usize, heads: usize, d: usize) -> Result<Self> {
        let scale = (d as f64).powf(-0.5);
        Ok(Self {
            norm: ChannelNorm::new(&p.at("norm"), c)?,
            to_q: (p.get("to_q.weight", &[heads * d, c])? * scale)?,
            to_kv: p.get("to_kv.weight", &[2 * d, c])?,
            null_kv: p.get("null_kv", &[2, d])?,
            to_out: p.get("to_out.0.weight", &[c, heads * d])?,
            out_norm: ChannelNorm::new(&p.at("to_out.1"), c)?,
            heads,
            d,
        })
    }

    /// The back of the layer, with the residual: x and `attended` `[b, _, n]`.
    fn finish(&self, x: &Tensor, attended: &Tensor) -> Result<Tensor> {
        let out = pointwise(attended, &self.to_out, None)?;
        x + self.out_norm.forward(&out)?
    }
}

/// Self-attention over every position of a sample, frames included.
#[derive(Clone, Debug)]
pub struct MiddleAttention(MultiQuery);

impl MiddleAttention {
    /// Loads `norm`, `to_q`, `to_kv`, `null_kv`, `to_out` and the unused `null_attn_bias`.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params, c: usize, heads: usize, d: usize) -> Result<Self> {
        p.get("null_attn_bias", &[heads])?;
        Ok(Self(MultiQuery::new(p, c, heads, d)?))
    }

    /// x `[b, c, f, h, w]`.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let shape = x.dims().to_vec();
        let (b, d) = (shape[0], self.0.d);
        let x = x.flatten_from(2)?;
        let normed = self.0.norm.forward(&x)?;
        let q = pointwise(&normed, &self.0.to_q, None)?;
        let kv = pointwise(&normed, &self.0.to_kv, None)?;
        let kv = with_null(&kv.reshape((b, 2, d, ()))?, &self.0.null_kv)?;
        let k = kv.narrow(1, 0, 1)?.transpose(2, 3)?;
        let v = kv.narrow(1, 1, 1)?.transpose(2, 3)?;
        let out = attend(&q, &k, &v, self.0.heads, interrupt)?;
        self.0.finish(&x, &out)?.reshape(shape)
    }
}

/// Puts the null key and value before the others: kv `[b, 2, d, n]` to `[b, 2, d, n + 1]`.
fn with_null(kv: &Tensor, null_kv: &Tensor) -> Result<Tensor> {
    let (b, _, d, _) = kv.dims4()?;
    let null = null_kv.reshape((1, 2, d, 1))?.broadcast_as((b, 2, d, 1))?;
    Tensor::cat(&[&null.contiguous()?, kv], 3)
}

/// Causal self-attention over the frames of every pixel, with a learned relative bias.
#[derive(Clone, Debug)]
pub struct TemporalAttention {
    core: MultiQuery,
    null_attn_bias: Tensor,
    bias: RelativeBias,
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
        })
    }

    /// x `[b, c, f, h, w]`. Works on bands of rows, so that the queries of a large picture are
    /// never all in memory.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        profile::timed("attention over frames", x.device(), || {
            const QUERY_BYTES: usize = 64 << 20;
            let (b, _, f, h, w) = x.dims5()?;
            let bias = self.biases(f)?;
            let row_bytes = 4 * b * self.core.heads * self.core.d * f * w;
            let rows = (QUERY_BYTES / row_bytes).clamp(1, h);
            let mut bands = Vec::with_capacity(h.div_ceil(rows));
            for start in (0..h).step_by(rows) {
                interrupt.check()?;
                let band = x.narrow(3, start, rows.min(h - start))?.contiguous()?;
                bands.push(self.band(&band, &bias, interrupt)?);
            }
            if bands.len() == 1 {
                return Ok(bands.remove(0));
            }
            Tensor::cat(&bands, 3)
        })
    }

    fn band(&self, x: &Tensor, bias: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let (b, c, f, h, w) = x.dims5()?;
        let (heads, d, n) = (self.core.heads, self.core.d, h * w);
        let flat = x.reshape((b, c, f * n))?;
        let normed = self.core.norm.forward(&flat)?;
        let q = pointwise(&normed, &self.core.to_q, None)?.reshape((b, heads * d, f, n))?;
        let kv = pointwise(&normed, &self.core.to_kv, None)?.reshape((b, 2 * d, f, n))?;
        let null = self
            .core
            .null_kv
            .reshape((1, 2 * d, 1, 1))?
            .broadcast_as((b, 2 * d, 1, n))?;
        let kv = Tensor::cat(&[&null.contiguous()?, &kv], 2)?;
        let out = if matches!(x.device(), Device::Cpu) {
            let op = cpu::temporal_attention::TemporalAttention {
                heads,
                interrupt: interrupt.clone(),
            };
            q.apply_op3_no_bwd(&kv, bias, &op)?
        } else {
            composed(&q, &kv, bias, heads)?
        };
        self.core
            .finish(&flat, &out.reshape((b, heads * d, f * n))?)?
            .reshape((b, c, f, h, w))
    }

    /// `[heads, f, f + 1]`: column 0 for the null key, column `j + 1` for frame `j`.
    fn biases(&self, f: usize) -> Result<Tensor> {
        let table = self.bias.table(f)?;
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

/// The attention over frames by Candle's own operations, on any device.
/// q `[b, heads * d, f, n]`, kv `[b, 2d, f + 1, n]`, bias `[heads, f, f + 1]`.
fn composed(q: &Tensor, kv: &Tensor, bias: &Tensor, heads: usize) -> Result<Tensor> {
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
    let scores = q
        .matmul(&part(0)?.transpose(1, 2)?.contiguous()?)?
        .broadcast_add(&bias)?;
    candle_nn::ops::softmax_last_dim(&scores)?
        .matmul(&part(1)?)?
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

/// `x W^T + b` over the last dimension; weight `[out, in]`.
///
/// # Errors
/// On mismatched shapes.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    profile::timed("linear", x.device(), || {
        let mut dims = x.dims().to_vec();
        let width = dims.pop().unwrap_or(1);
        let y = x.reshape(((), width))?.matmul(&weight.t()?)?;
        dims.push(weight.dim(0)?);
        let y = y.reshape(dims)?;
        match bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    })
}

/// Attention of every position to the conditioning tokens, `x + Att(x, tokens)`.
#[derive(Clone, Debug)]
pub struct CrossAttention {
    norm: ChannelNorm,
    to_q: Tensor,
    to_kv: Tensor,
    null_kv: Tensor,
    to_out: Tensor,
    out_norm: ChannelNorm,
    heads: usize,
    d: usize,
}

impl CrossAttention {
    /// Loads the tensors below `fn.`; tokens have `cond_dim` channels.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params, c: usize, cond_dim: usize, heads: usize, d: usize) -> Result<Self> {
        let p = p.at("fn");
        let scale = (d as f64).powf(-0.5);
        Ok(Self {
            norm: ChannelNorm::new(&p.at("norm"), c)?,
            to_q: (p.get("to_q.weight", &[heads * d, c])? * scale)?,
            to_kv: p.get("to_kv.weight", &[2 * heads * d, cond_dim])?,
            null_kv: p.get("null_kv", &[2, d])?,
            to_out: p.get("to_out.0.weight", &[c, heads * d])?,
            out_norm: ChannelNorm::new(&p.at("to_out.1"), c)?,
            heads,
            d,
        })
    }

    /// x `[b, c, f, h, w]`, tokens `[b, n, cond_dim]`.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, x: &Tensor, tokens: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let shape = x.dims().to_vec();
        let (b, heads, d) = (shape[0], self.heads, self.d);
        let x = x.flatten_from(2)?;
        let q = pointwise(&self.norm.forward(&x)?, &self.to_q, None)?;
        let m = tokens.dim(1)?;
        let kv = linear(tokens, &self.to_kv, None)?.reshape((b, m, 2, heads, d))?;
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
        let out = attend(&q, &part(0)?, &part(1)?, heads, interrupt)?;
        let out = self
            .out_norm
            .forward(&pointwise(&out, &self.to_out, None)?)?;
        (x + out)?.reshape(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_kernel_over_frames_equals_its_composition() {
        let wave = |shape: &[usize], step: f32| {
            let n = shape.iter().product::<usize>();
            let values: Vec<f32> = (0..n).map(|i| (i as f32 * step).sin()).collect();
            Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
        };
        let (heads, d, f, n) = (3, 4, 5, 37);
        let q = wave(&[2, heads * d, f, n], 0.37);
        let kv = wave(&[2, 2 * d, f + 1, n], 0.53);
        let bias = wave(&[heads, f, f + 1], 1.1);
        let op = cpu::temporal_attention::TemporalAttention {
            heads,
            interrupt: Interrupt::new(),
        };
        let ours = q.apply_op3_no_bwd(&kv, &bias, &op).unwrap();
        let d = (ours - composed(&q, &kv, &bias, heads).unwrap()).unwrap();
        let d = d.abs().unwrap().flatten_all().unwrap().max(0).unwrap();
        assert!(d.to_scalar::<f32>().unwrap() < 1e-6);
    }
}
