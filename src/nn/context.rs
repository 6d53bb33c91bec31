//! Global context: a gate a channel from one attention-pooled vector, over all frames.

use super::conv::PointConv;
#[cfg(feature = "cuda")]
use super::learn::tracked;
use super::linear::linear;
use super::softmax::{sigmoid, softmax};
use super::{Params, cpu, join, matmul, on_gpu};
use candle_core::{Result, Tensor};

#[derive(Clone, Debug)]
pub struct GlobalContext {
    to_k: PointConv,
    /// Its weight `[1, c]` and bias, as a GPU's kernel takes them.
    #[cfg(feature = "cuda")]
    scores: (Tensor, Tensor),
    hidden: (Tensor, Tensor),
    out: (Tensor, Tensor),
}

impl GlobalContext {
    /// Loads `to_k`, `net.0` and `net.2` for `c` channels.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params, c: usize) -> Result<Self> {
        let inner = (c / 2).max(3);
        let layer = |name: &str, o: usize, i: usize| -> Result<_> {
            let p = p.at(name);
            let weight = p.get("weight", &[o, i, 1, 1, 1])?.reshape((o, i))?;
            Ok((weight, p.get("bias", &[o])?))
        };
        Ok(Self {
            to_k: PointConv::new(&p.at("to_k"), c, 1)?,
            #[cfg(feature = "cuda")]
            scores: layer("to_k", 1, c)?,
            hidden: layer("net.0", inner, c)?,
            out: layer("net.2", c, inner)?,
        })
    }

    /// `x * gate(x) + residual`, `[b, c, f, h, w]`.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn gate(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        on_gpu!(x, learns: tracked(&[residual, &self.hidden.0]), self.gate_on_gpu(x, residual));
        let weights = softmax(&self.to_k.forward(x)?.flatten_from(2)?)?;
        let flat = x.flatten_from(2)?;
        let context = if x.device().is_cpu() {
            flat.contiguous()?
                .apply_op2(&weights.contiguous()?, cpu::dot::RowProducts)?
        } else {
            matmul(&flat, &weights.transpose(1, 2)?)?
        };
        let context = context.squeeze(2)?;
        let hidden = linear(&context, &self.hidden.0, Some(&self.hidden.1))?.silu()?;
        let gate = linear(&hidden, &self.out.0, Some(&self.out.1))?;
        join::gate(x, &sigmoid(&gate)?, residual)
    }

    #[cfg(feature = "cuda")]
    fn gate_on_gpu(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        use super::{cuda, profile};
        let rows = cuda::Rows::of(x)?;
        let gate = profile::timed("global context", x.device(), || {
            cuda::pooled_gate(&rows, &self.scores, &self.hidden, &self.out)
        })?;
        join::gate(x, &gate, residual)
    }
}
