//! From the noise level and the EF to the vector and the tokens that every block sees.

use super::UnetConfig;
use crate::nn::Params;
use crate::nn::linear::linear;
use crate::nn::matmul;
use crate::nn::norm::LastNorm;
use crate::nn::softmax::softmax;
use candle_core::{D, Result, Tensor};

type Linear = (Tensor, Tensor);

fn load_linear(p: &Params, input: usize, output: usize) -> Result<Linear> {
    Ok((
        p.get("weight", &[output, input])?,
        p.get("bias", &[output])?,
    ))
}

/// Time tokens a noise level gives.
const TIME_TOKENS: usize = 2;

/// Learned sinusoids of a noise level, then two small networks.
#[derive(Clone, Debug)]
pub struct TimeEmbedding {
    frequencies: Tensor,
    hidden: Linear,
    cond: Linear,
    tokens: Linear,
}

impl TimeEmbedding {
    /// Loads `to_{name}_hiddens`, `to_{name}_cond` and `to_{name}_tokens`.
    pub fn new(p: &Params, name: &str, config: &UnetConfig) -> Result<Self> {
        let (t, d) = (config.time_cond_dim(), config.dim);
        let hiddens = p.at(format!("to_{name}_hiddens"));
        Ok(Self {
            frequencies: hiddens.at(0).get("weights", &[8])?,
            hidden: load_linear(&hiddens.at(1), 17, t)?,
            cond: load_linear(&p.at(format!("to_{name}_cond.0")), t, t)?,
            tokens: load_linear(&p.at(format!("to_{name}_tokens.0")), t, TIME_TOKENS * d)?,
        })
    }

    /// time `[b]` to the vector `[b, T]` and the tokens `[b, 2, dim]`.
    pub fn forward(&self, time: &Tensor, dim: usize) -> Result<(Tensor, Tensor)> {
        let b = time.dim(0)?;
        let time = time.unsqueeze(1)?;
        let angles = time.broadcast_mul(&self.frequencies)?;
        let angles = ((angles * 2.0)? * std::f64::consts::PI)?;
        let features = Tensor::cat(&[&time, &angles.sin()?, &angles.cos()?], 1)?;
        let hidden = linear(&features, &self.hidden.0, Some(&self.hidden.1))?.silu()?;
        let tokens = linear(&hidden, &self.tokens.0, Some(&self.tokens.1))?;
        let t = linear(&hidden, &self.cond.0, Some(&self.cond.1))?;
        Ok((t, tokens.reshape((b, TIME_TOKENS, dim))?))
    }
}

/// The EF's way: projection, perceiver pooling to tokens, and a summary added to the time vector.
#[derive(Clone, Debug)]
pub struct EfConditioning {
    null_embed: Tensor,
    null_hidden: Tensor,
    to_cond: Linear,
    pool: Perceiver,
    summary_norm: LastNorm,
    summary: [Linear; 2],
}

impl EfConditioning {
    pub fn new(p: &Params, config: &UnetConfig) -> Result<Self> {
        let (d, t) = (config.dim, config.time_cond_dim());
        let summary = p.at("to_text_non_attn_cond");
        Ok(Self {
            null_embed: p.get("null_text_embed", &[1, 1, d])?,
            null_hidden: p.get("null_text_hidden", &[1, t])?,
            to_cond: load_linear(&p.at("text_to_cond"), 1, d)?,
            pool: Perceiver::new(&p.at("attn_pool"), config)?,
            summary_norm: LastNorm::affine(&summary.at(0), d)?,
            summary: [
                load_linear(&summary.at(1), d, t)?,
                load_linear(&summary.at(3), t, t)?,
            ],
        })
    }

    /// ef `[b, 1, 1]` as a fraction, `keep` one flag a sample (false: the null branch of guidance).
    /// Returns tokens `[b, latents + 4, dim]` and the summary `[b, T]`.
    ///
    /// An EF of exactly 0 counts as absent for the token, though not for the summary: as published.
    pub fn forward(&self, ef: &Tensor, keep: &Tensor) -> Result<(Tensor, Tensor)> {
        let b = ef.dim(0)?;
        let keep = keep.to_dtype(candle_core::DType::U8)?.reshape((b, 1))?;
        let present = ef.ne(0f64)?.reshape((b, 1))?;
        let e = linear(ef, &self.to_cond.0, Some(&self.to_cond.1))?;
        let shown = (&keep * &present)?.unsqueeze(2)?.broadcast_as(e.shape())?;
        let null = self.null_embed.broadcast_as(e.shape())?;
        let e = shown.where_cond(&e, &null.contiguous()?)?;
        let tokens = self.pool.forward(&e)?;
        let pooled = self.summary_norm.forward(&tokens.mean(1)?)?;
        let hidden = linear(&pooled, &self.summary[0].0, Some(&self.summary[0].1))?.silu()?;
        let hidden = linear(&hidden, &self.summary[1].0, Some(&self.summary[1].1))?;
        let null = self
            .null_hidden
            .broadcast_as(hidden.shape())?
            .contiguous()?;
        let hidden = keep
            .broadcast_as(hidden.shape())?
            .where_cond(&hidden, &null)?;
        Ok((tokens, hidden))
    }
}

/// Latents made from the mean of the input, before the learned ones.
const POOLED_LATENTS: usize = 4;
const LAYERS: usize = 2;
const FF_MULT: usize = 4;
const MAX_POSITIONS: usize = 512;

/// Perceiver resampler (Flamingo): a few latents attend to the input and to themselves.
#[derive(Clone, Debug)]
struct Perceiver {
    latents: Tensor,
    positions: Tensor,
    mean_norm: LastNorm,
    mean_to_latents: Linear,
    layers: Vec<(PerceiverAttention, FeedForward)>,
}

impl Perceiver {
    fn new(p: &Params, config: &UnetConfig) -> Result<Self> {
        let d = config.dim;
        let mean = p.at("to_latents_from_mean_pooled_seq");
        let layers = (0..LAYERS).map(|i| {
            let p = p.at(format!("layers.{i}"));
            let (heads, width) = (config.attn_heads, config.attn_dim_head);
            Ok((
                PerceiverAttention::new(&p.at(0), d, heads, width)?,
                FeedForward::new(&p.at(1), d)?,
            ))
        });
        Ok(Self {
            latents: p.get("latents", &[config.attn_pool_num_latents, d])?,
            positions: p.get("pos_emb.weight", &[MAX_POSITIONS, d])?,
            mean_norm: LastNorm::gain(&mean.at(0), d)?,
            mean_to_latents: load_linear(&mean.at(1), d, POOLED_LATENTS * d)?,
            layers: layers.collect::<Result<_>>()?,
        })
    }

    /// `[b, n, d]` to `[b, 4 + latents, d]`.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (b, n, d) = x.dims3()?;
        let placed = x.broadcast_add(&self.positions.narrow(0, 0, n)?)?;
        let (weight, bias) = &self.mean_to_latents;
        let mean = self.mean_norm.forward(&x.mean(1)?)?;
        let pooled = linear(&mean, weight, Some(bias))?.reshape((b, POOLED_LATENTS, d))?;
        let learned = self.latents.unsqueeze(0)?;
        let learned = learned
            .broadcast_as((b, learned.dim(1)?, d))?
            .contiguous()?;
        let mut latents = Tensor::cat(&[&pooled, &learned], 1)?;
        for (attention, feed_forward) in &self.layers {
            latents = (&latents + attention.forward(&placed, &latents)?)?;
            latents = (&latents + feed_forward.forward(&latents)?)?;
        }
        Ok(latents)
    }
}

#[derive(Clone, Debug)]
struct PerceiverAttention {
    norm: LastNorm,
    norm_latents: LastNorm,
    to_q: Tensor,
    to_kv: Tensor,
    to_out: Tensor,
    out_norm: LastNorm,
    heads: usize,
    width: usize,
}

impl PerceiverAttention {
    fn new(p: &Params, d: usize, heads: usize, width: usize) -> Result<Self> {
        let inner = heads * width;
        Ok(Self {
            norm: LastNorm::affine(&p.at("norm"), d)?,
            norm_latents: LastNorm::affine(&p.at("norm_latents"), d)?,
            to_q: p.get("to_q.weight", &[inner, d])?,
            to_kv: p.get("to_kv.weight", &[2 * inner, d])?,
            to_out: p.get("to_out.0.weight", &[d, inner])?,
            out_norm: LastNorm::affine(&p.at("to_out.1"), d)?,
            heads,
            width,
        })
    }

    fn forward(&self, x: &Tensor, latents: &Tensor) -> Result<Tensor> {
        let b = x.dim(0)?;
        let x = self.norm.forward(x)?;
        let latents = self.norm_latents.forward(latents)?;
        let n = latents.dim(1)?;
        let split = |t: &Tensor| -> Result<Tensor> {
            t.reshape((b, (), self.heads, self.width))?
                .transpose(1, 2)?
                .contiguous()
        };
        let q = linear(&latents, &self.to_q, None)?;
        let q = (split(&q)? * (self.width as f64).powf(-0.5))?;
        let kv = linear(&Tensor::cat(&[&x, &latents], 1)?, &self.to_kv, None)?;
        let kv = kv.chunk(2, D::Minus1)?;
        let (k, v) = (split(&kv[0].contiguous()?)?, split(&kv[1].contiguous()?)?);
        let scores = matmul(&q, &k.transpose(2, 3)?.contiguous()?)?;
        let out = matmul(&softmax(&scores)?, &v)?;
        let out = out
            .transpose(1, 2)?
            .reshape((b, n, self.heads * self.width))?;
        self.out_norm.forward(&linear(&out, &self.to_out, None)?)
    }
}

#[derive(Clone, Debug)]
struct FeedForward {
    norm: LastNorm,
    up: Tensor,
    inner_norm: LastNorm,
    down: Tensor,
}

impl FeedForward {
    fn new(p: &Params, d: usize) -> Result<Self> {
        let inner = FF_MULT * d;
        Ok(Self {
            norm: LastNorm::gain(&p.at(0), d)?,
            up: p.at(1).get("weight", &[inner, d])?,
            inner_norm: LastNorm::gain(&p.at(3), inner)?,
            down: p.at(4).get("weight", &[d, inner])?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = linear(&self.norm.forward(x)?, &self.up, None)?.gelu_erf()?;
        linear(&self.inner_norm.forward(&x)?, &self.down, None)
    }
}
