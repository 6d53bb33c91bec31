//! Attention over frames whose weights learn: the kernel above, and its derivative. Nothing is kept from the
//! way forward: what the derivative needs of it is made again, block by block, which is faster than to write and
//! read it.

mod layer;
mod rows;
#[cfg(test)]
mod tests;

use super::{LANES, Lanes, TemporalAttention, Weights};
use crate::nn::Interrupt;
use crate::nn::cpu::columns::{Cut, added, par_columns_and};
use crate::nn::cpu::kernels::TILE;
use crate::nn::cpu::product::Packed;
use crate::nn::cpu::{elements, fit};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use layer::{Back, Layer, Scratch, terms};
use std::sync::Arc;

const _: () = assert!(LANES == crate::nn::cpu::kernels::LANES && TILE == 4);
const ZERO: Lanes = [0.0; LANES];

/// Blocks of pixels are summed in this many parts, each by itself, whatever the threads.
const PARTS: usize = 4;

/// As [`TemporalAttention`], to the bit, with weights that are packed anew in every pass.
///
/// Operands: x `[b, c, f, n]`, bias `[heads, f, f + 1]`, and the layer's weights in a row: the gain of the norm before
/// `[c]`, queries `[heads d, c]`, already scaled, keys and values `[2d, c]`, the null key and its value `[2d]`, the
/// way out `[c, heads d]`, the gain of the norm after `[c]`.
#[derive(Clone)]
pub struct Learned {
    pub heads: usize,
    pub d: usize,
    pub eps: f32,
    pub interrupt: Interrupt,
}

/// The weights of a layer, or sums for each of them.
struct Told<T> {
    norm: T,
    q: T,
    kv: T,
    null_kv: T,
    out: T,
    out_norm: T,
}

impl Learned {
    fn sizes(&self, c: usize) -> [usize; 6] {
        let (heads, d) = (self.heads, self.d);
        [c, heads * d * c, 2 * d * c, 2 * d, c * heads * d, c]
    }

    fn told<'a>(&self, told: &'a [f32], c: usize) -> Result<Told<&'a [f32]>> {
        let sizes = self.sizes(c);
        let fits = told.len() == sizes.iter().sum::<usize>() && self.heads * self.d * c > 0;
        fit("temporal-attention-learned", fits)?;
        let mut rest = told;
        let [norm, q, kv, null_kv, out, out_norm] = sizes.map(|n| {
            let (part, left) = rest.split_at(n);
            rest = left;
            part
        });
        Ok(Told {
            norm,
            q,
            kv,
            null_kv,
            out,
            out_norm,
        })
    }

    fn split<'a>(&self, sums: &'a mut [Lanes], c: usize) -> Told<&'a mut [Lanes]> {
        let mut rest = sums;
        let [norm, q, kv, null_kv, out, out_norm] = self.sizes(c).map(|n| {
            let (part, left) = std::mem::take(&mut rest).split_at_mut(n);
            rest = left;
            part
        });
        Told {
            norm,
            q,
            kv,
            null_kv,
            out,
            out_norm,
        }
    }

    fn weights(&self, told: &Told<&[f32]>, c: usize) -> Weights {
        let (heads, d) = (self.heads, self.d);
        let q = |h: usize| Packed::new(d, c, None, |row, k| told.q[(h * d + row) * c + k]);
        let out =
            |h: usize| Packed::new(c, d, None, |row, k| told.out[row * heads * d + h * d + k]);
        Weights {
            norm: told.norm.to_vec(),
            q: Arc::new((0..heads).map(q).collect()),
            kv: Arc::new(Packed::new(2 * d, c, None, |row, k| told.kv[row * c + k])),
            null_kv: told.null_kv.to_vec(),
            out: Arc::new((0..heads).map(out).collect()),
            out_norm: told.out_norm.to_vec(),
            eps: self.eps,
        }
    }
}

impl CustomOp3 for Learned {
    fn name(&self) -> &'static str {
        "temporal-attention-learned"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
        told: &CpuStorage,
        lt: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        use candle_core::CustomOp2;
        let (_, c, _, _) = lx.shape().dims4()?;
        let told = self.told(elements(told, lt)?, c)?;
        let layer = TemporalAttention {
            weights: Arc::new(self.weights(&told, c)),
            interrupt: self.interrupt.clone(),
        };
        layer.cpu_fwd(x, lx, bias, lb)
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        told: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        // Of bias and weights in a row.
        let all = Tensor::cat(&[&told.flatten_all()?, &bias.flatten_all()?], 0)?;
        let op = Slopes(self.clone());
        let made = x
            .contiguous()?
            .apply_op3_no_bwd(&grad.contiguous()?, &all, &op)?;
        let (n, t) = (x.elem_count(), told.elem_count());
        let part = |from, len, like: &Tensor| made.narrow(0, from, len)?.reshape(like.shape());
        Ok((
            Some(part(0, n, x)?),
            Some(part(n + t, bias.elem_count(), bias)?),
            Some(part(n, t, told)?),
        ))
    }
}

/// Of [`Learned`], from x and the gradient `[b, c, f, n]` and weights and bias in a row: the gradients of x, of the
/// weights and of the bias in a row.
struct Slopes(Learned);

impl CustomOp3 for Slopes {
    fn name(&self) -> &'static str {
        "temporal-attention-slopes"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        dy: &CpuStorage,
        ly: &Layout,
        all: &CpuStorage,
        la: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, c, f, n) = lx.shape().dims4()?;
        let (heads, d) = (self.0.heads, self.0.d);
        let (x, dy, all) = (elements(x, lx)?, elements(dy, ly)?, elements(all, la)?);
        let biases = heads * f * (f + 1);
        fit(self.name(), dy.len() == x.len() && all.len() >= biases)?;
        let (told, bias) = all.split_at(all.len() - biases);
        let told = self.0.told(told, c)?;
        let layer = Layer {
            c,
            f,
            heads,
            d,
            weights: self.0.weights(&told, c),
            back: Back::of(&told, [c, heads, d]),
            terms: [c, d, 2 * d].map(|n| terms(n, f)),
            bias,
        };
        let width = n.div_ceil(LANES).div_ceil(PARTS).max(1) * LANES;
        let cut = Cut {
            outer: b,
            rows: c * f,
            inner: 1,
            n,
            width,
        };
        let (mut out, parts) = par_columns_and(cut, all.len(), 1, |block, mut out| {
            let mut s = Scratch::new(&layer);
            let mut total = vec![ZERO; all.len()];
            for first in (0..block.width).step_by(LANES) {
                if self.0.interrupt.is_set() {
                    return Vec::new();
                }
                let lanes = first..block.width.min(first + LANES);
                let at = block.outer * c * f * n + block.first + first;
                let rows = s.x.iter_mut().zip(&mut s.dy).enumerate();
                for (row, (to, to_dy)) in rows {
                    // Lanes that are not there have no gradient, so that they add nothing.
                    (*to, *to_dy) = (ZERO, ZERO);
                    let from = at + row * n..at + row * n + lanes.len();
                    to[..lanes.len()].copy_from_slice(&x[from.clone()]);
                    to_dy[..lanes.len()].copy_from_slice(&dy[from]);
                }
                let (told, bias) = total.split_at_mut(all.len() - biases);
                layer.slopes(&mut s, self.0.split(told, c), bias);
                for (row, values) in s.dx.iter().enumerate() {
                    out.row(row)[lanes.clone()].copy_from_slice(&values[..lanes.len()]);
                }
            }
            total.iter().map(|lanes| lanes.iter().sum()).collect()
        });
        self.0.interrupt.check()?;
        out.extend(added(all.len(), &parts));
        let shape = Shape::from(out.len());
        Ok((CpuStorage::F32(out), shape))
    }
}
