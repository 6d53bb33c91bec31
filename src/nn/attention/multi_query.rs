//! What the attentions share.

use crate::nn::conv::PointConv;
use crate::nn::cpu::token_attention::grad::{Attend, MOST_KEYS};
#[cfg(feature = "cuda")]
use crate::nn::cuda;
use crate::nn::join::add;
#[cfg(feature = "cuda")]
use crate::nn::learn::made_again;
use crate::nn::learn::tracked;
use crate::nn::matmul;
use crate::nn::norm::ChannelNorm;
use crate::nn::softmax::softmax;
use crate::nn::{Backend, Interrupt, Params, profile};
use candle_core::{Result, Tensor};

/// Scores of one block of queries take at most this many bytes (softmax keeps three copies).
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
        let few = k.dim(2)? <= MOST_KEYS;
        if few && q.device().is_cpu() && tracked(&[q, k, v]) {
            let interrupt = interrupt.clone();
            let op = Attend { heads, interrupt };
            return q
                .contiguous()?
                .apply_op3(&k.contiguous()?, &v.contiguous()?, op);
        }
        #[cfg(feature = "cuda")]
        if q.device().is_cuda() && tracked(&[q, k, v]) {
            let interrupt = interrupt.clone();
            return made_again(q, k, v, move |q, k, v| composed(q, k, v, heads, &interrupt));
        }
        composed(q, k, v, heads, interrupt)
    })
}

/// By Candle's operations.
pub(in crate::nn) fn composed(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    heads: usize,
    interrupt: &Interrupt,
) -> Result<Tensor> {
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
            let scores = softmax(&matmul(&rows, &kt)?)?;
            let out = matmul(&scores, &v)?.reshape((heads, len, d))?;
            blocks.push(out.transpose(1, 2)?.contiguous()?.reshape((inner, len))?);
        }
        samples.push(Tensor::cat(&blocks, 1)?);
    }
    Tensor::stack(&samples, 0)
}

/// Multi-query self-attention's weights: many query heads, one key and value head, a null key.
#[derive(Clone, Debug)]
pub(super) struct MultiQuery {
    pub(super) norm: ChannelNorm,
    inward: Inward,
    /// `[2, d]`
    pub(super) null_kv: Tensor,
    /// `[c, heads * d]`
    pub(super) out: PointConv,
    pub(super) out_norm: ChannelNorm,
    pub(super) heads: usize,
    pub(super) d: usize,
}

/// Weights as the device takes them: held in one form alone.
#[derive(Clone, Debug)]
enum Inward {
    /// Queries `[heads * d, c]`, already scaled; the key and the value `[2d, c]`: on the CPU, and wherever they learn.
    Apart(PointConv, PointConv),
    /// One under the other, `[heads * d + 2d, c]`, as a GPU's kernels read them.
    #[cfg(feature = "cuda")]
    Joined(PointConv),
}

impl Inward {
    fn new(to_q: &Tensor, scale: f64, to_kv: &Tensor, backend: &Backend) -> Result<Self> {
        #[cfg(feature = "cuda")]
        if backend.device.is_cuda() && !tracked(&[to_q]) {
            let both = Tensor::cat(&[&(to_q * scale)?, to_kv], 0)?;
            return Ok(Self::Joined(PointConv::from_host(&both, None, backend)?));
        }
        Ok(Self::Apart(
            PointConv::scaled(to_q, scale, None, backend)?,
            PointConv::from_host(to_kv, None, backend)?,
        ))
    }
}

impl MultiQuery {
    pub(super) fn new(p: &Params, c: usize, heads: usize, d: usize) -> Result<Self> {
        let scale = (d as f64).powf(-0.5);
        let to_q = p.get_host("to_q.weight", &[heads * d, c])?;
        let to_kv = p.get_host("to_kv.weight", &[2 * d, c])?;
        let to_out = p.get_host("to_out.0.weight", &[c, heads * d])?;
        Ok(Self {
            norm: ChannelNorm::new(&p.at("norm"), c)?,
            inward: Inward::new(&to_q, scale, &to_kv, p.backend())?,
            out: PointConv::from_host(&to_out, None, p.backend())?,
            null_kv: p.get("null_kv", &[2, d])?,
            out_norm: ChannelNorm::new(&p.at("to_out.1"), c)?,
            heads,
            d,
        })
    }

    /// What makes the queries, and what makes the key and the value, where they are apart.
    pub(super) fn apart(&self) -> Result<(&PointConv, &PointConv)> {
        match &self.inward {
            Inward::Apart(q, kv) => Ok((q, kv)),
            #[cfg(feature = "cuda")]
            Inward::Joined(_) => candle_core::bail!("a tensor on another device than the weights"),
        }
    }

    /// The weights one after the other, as the kernel with a gradient takes them; it leads back to those that learn.
    ///
    /// # Errors
    /// As [`PointConv::learned`].
    pub(super) fn in_a_row(&self) -> Result<Tensor> {
        let (q, kv) = self.apart()?;
        let flat = |t: &Tensor| t.flatten_all();
        let all = [
            flat(self.norm.gain())?,
            flat(&q.learned()?)?,
            flat(&kv.learned()?)?,
            flat(&self.null_kv)?,
            flat(&self.out.learned()?)?,
            flat(self.out_norm.gain())?,
        ];
        Tensor::cat(&all, 0)
    }

    /// What a GPU's kernels take.
    #[cfg(feature = "cuda")]
    pub(super) fn on_gpu<T>(&self, run: impl FnOnce(&cuda::Layer) -> Result<T>) -> Result<T> {
        let Inward::Joined(qkv) = &self.inward else {
            candle_core::bail!("a tensor on another device than the weights");
        };
        run(&cuda::Layer {
            norms: (self.norm.gain(), self.out_norm.gain()),
            inward: &*qkv.on_gpu()?,
            outward: &*self.out.on_gpu()?,
            null_kv: &self.null_kv,
            heads: self.heads,
            d: self.d,
            eps: crate::nn::norm::EPS as f32,
        })
    }

    /// The back of the layer, with the residual: x and `attended` `[b, _, n]`.
    pub(super) fn finish(&self, x: &Tensor, attended: &Tensor) -> Result<Tensor> {
        let out = self.out.forward(attended)?;
        add(x, &self.out_norm.forward(&out)?)
    }
}
