//! Attention to few keys, with a derivative: the inside of the layer above, without its norms and products. What the
//! derivative needs of the way forward is made again.

#[cfg(test)]
mod tests;

use crate::nn::Interrupt;
use crate::nn::cpu::columns::{Columns, Cut, par_columns, par_columns_and};
use crate::nn::cpu::{elements, fit, math::exp, simd};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

/// Positions worked on side by side.
const LANES: usize = 16;
type Lanes = [f32; LANES];
const ZERO: Lanes = [0.0; LANES];

/// More keys than these are Candle's: their scores would not stay in the cache.
pub const MOST_KEYS: usize = 64;

/// Positions of a head that are summed by themselves, whatever the threads.
const PART: usize = 16 * LANES;

/// `softmax(q k^T) v`: q `[b, heads d, n]`, already scaled, k and v `[b, heads, m, d]`, or `[b, 1, m, d]` for all heads;
/// result as q. At most [`MOST_KEYS`] keys.
#[derive(Clone)]
pub struct Attend {
    pub heads: usize,
    pub interrupt: Interrupt,
}

/// Of the operands.
#[derive(Clone, Copy)]
struct Sizes {
    b: usize,
    n: usize,
    kv_heads: usize,
    m: usize,
    d: usize,
}

impl Attend {
    fn sizes(&self, lq: &Layout, lk: &Layout) -> Result<Sizes> {
        let (b, inner, n) = lq.shape().dims3()?;
        let (kv_samples, kv_heads, m, d) = lk.shape().dims4()?;
        let heads = kv_heads == 1 || kv_heads == self.heads;
        let keys = (1..=MOST_KEYS).contains(&m) && d > 0 && kv_samples == b;
        fit(self.name(), heads && keys && inner == self.heads * d)?;
        Ok(Sizes {
            b,
            n,
            kv_heads,
            m,
            d,
        })
    }

    /// Where the keys of a sample's head begin.
    fn of_head(&self, s: Sizes, outer: usize) -> usize {
        let (bi, head) = (outer / self.heads, outer % self.heads);
        (bi * s.kv_heads + head.min(s.kv_heads - 1)) * s.m * s.d
    }

    fn cut(&self, s: Sizes) -> Cut {
        Cut {
            outer: s.b * self.heads,
            rows: s.d,
            inner: 1,
            n: s.n,
            width: PART,
        }
    }
}

impl CustomOp3 for Attend {
    fn name(&self) -> &'static str {
        "attend"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        lq: &Layout,
        k: &CpuStorage,
        lk: &Layout,
        v: &CpuStorage,
        lv: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let s = self.sizes(lq, lk)?;
        let (q, k, v) = (elements(q, lq)?, elements(k, lk)?, elements(v, lv)?);
        fit(self.name(), k.len() == v.len())?;
        let out = par_columns(self.cut(s), 1, |block, mut out| {
            if self.interrupt.is_set() {
                return;
            }
            let at = self.of_head(s, block.outer);
            let (k, v) = (&k[at..][..s.m * s.d], &v[at..][..s.m * s.d]);
            let mut rows = vec![ZERO; 2 * s.d];
            let (rows, made) = rows.split_at_mut(s.d);
            let mut shares = vec![ZERO; s.m];
            for first in (0..block.width).step_by(LANES) {
                let from = block.outer * s.d * s.n + block.first + first;
                let width = LANES.min(block.width - first);
                load(rows, &q[from..], s.n, width);
                attended(made, &mut shares, rows, k, v);
                store(&mut out, made, first, width);
            }
        });
        self.interrupt.check()?;
        Ok((CpuStorage::F32(out), lq.shape().clone()))
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let kv = Tensor::stack(&[k, v], 0)?;
        let made = q.contiguous()?.apply_op3_no_bwd(
            &grad.contiguous()?,
            &kv.contiguous()?,
            &Slopes(self.clone()),
        )?;
        let (n, of_k) = (q.elem_count(), k.elem_count());
        let part = |from, like: &Tensor| {
            made.narrow(0, from, like.elem_count())?
                .reshape(like.shape())
        };
        Ok((
            Some(part(0, q)?),
            Some(part(n, k)?),
            Some(part(n + of_k, v)?),
        ))
    }
}

/// Of [`Attend`], from q, the gradient, and keys and values `[2, b, heads or 1, m, d]`: the gradients of q, keys and
/// values in a row.
struct Slopes(Attend);

impl CustomOp3 for Slopes {
    fn name(&self) -> &'static str {
        "attend-slopes"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        lq: &Layout,
        dy: &CpuStorage,
        ly: &Layout,
        kv: &CpuStorage,
        lkv: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, b, kv_heads, m, d) = lkv.shape().dims5()?;
        let s = self.0.sizes(lq, &Layout::contiguous((b, kv_heads, m, d)))?;
        let (q, dy, kv) = (elements(q, lq)?, elements(dy, ly)?, elements(kv, lkv)?);
        fit(self.name(), dy.len() == q.len())?;
        let (k, v) = kv.split_at(kv.len() / 2);
        let (mut out, parts) = par_columns_and(self.0.cut(s), kv.len(), 1, |block, mut out| {
            if self.0.interrupt.is_set() {
                return (0, Vec::new());
            }
            let at = self.0.of_head(s, block.outer);
            let (k, v) = (&k[at..][..m * d], &v[at..][..m * d]);
            let mut total = vec![ZERO; 2 * m * d];
            let (dk, dv) = total.split_at_mut(m * d);
            let mut rows = vec![ZERO; 3 * d + 2 * m];
            let (rows, scratch) = rows.split_at_mut(3 * d);
            for first in (0..block.width).step_by(LANES) {
                let from = block.outer * d * s.n + block.first + first;
                let width = LANES.min(block.width - first);
                let (given, dq) = rows.split_at_mut(2 * d);
                load(&mut given[..d], &q[from..], s.n, width);
                // Lanes that are not there have no gradient, so that they add nothing.
                load(&mut given[d..], &dy[from..], s.n, width);
                attended_back(dq, dk, dv, scratch, given, k, v);
                store(&mut out, dq, first, width);
            }
            let total = total.iter().map(|lanes| lanes.iter().sum());
            (at, total.collect::<Vec<f32>>())
        });
        self.0.interrupt.check()?;
        let mut total = vec![0f32; kv.len()];
        let (dk, dv) = total.split_at_mut(kv.len() / 2);
        for (at, part) in parts {
            let to = dk[at..][..m * d].iter_mut().chain(&mut dv[at..][..m * d]);
            to.zip(part).for_each(|(total, part)| *total += part);
        }
        out.extend(total);
        let shape = Shape::from(out.len());
        Ok((CpuStorage::F32(out), shape))
    }
}

/// Row i of `to` from `from[i n..]`; zero beyond `width`.
fn load(to: &mut [Lanes], from: &[f32], n: usize, width: usize) {
    for (i, to) in to.iter_mut().enumerate() {
        *to = ZERO;
        to[..width].copy_from_slice(&from[i * n..][..width]);
    }
}

fn store(out: &mut Columns<'_>, from: &[Lanes], first: usize, width: usize) {
    for (i, from) in from.iter().enumerate() {
        out.row(i)[first..][..width].copy_from_slice(&from[..width]);
    }
}

/// What each key gets of each position: q `[d]`, k `[m][d]`.
#[inline(always)]
fn shares_of(shares: &mut [Lanes], q: &[Lanes], k: &[f32]) {
    let d = q.len();
    let mut largest = [f32::NEG_INFINITY; LANES];
    for (share, k) in shares.iter_mut().zip(k.chunks_exact(d)) {
        let mut sum = ZERO;
        for (q, k) in q.iter().zip(k) {
            for l in 0..LANES {
                sum[l] += q[l] * k;
            }
        }
        for l in 0..LANES {
            largest[l] = if sum[l] > largest[l] {
                sum[l]
            } else {
                largest[l]
            };
        }
        *share = sum;
    }
    let mut total = ZERO;
    for share in shares.iter_mut() {
        for l in 0..LANES {
            share[l] = exp(share[l] - largest[l]);
            total[l] += share[l];
        }
    }
    for share in shares {
        for l in 0..LANES {
            share[l] /= total[l];
        }
    }
}

simd! {
    fn attended(out: &mut [Lanes], shares: &mut [Lanes], q: &[Lanes], k: &[f32], v: &[f32]) {
        let d = q.len();
        shares_of(shares, q, k);
        out.fill(ZERO);
        for (share, v) in shares.iter().zip(v.chunks_exact(d)) {
            for (out, v) in out.iter_mut().zip(v) {
                for l in 0..LANES {
                    out[l] += share[l] * v;
                }
            }
        }
    }
}

simd! {
    /// From q and the gradient of what is attended to, `[2d]`, to that of q, set, and those of keys and values, added.
    fn attended_back(
        dq: &mut [Lanes],
        dk: &mut [Lanes],
        dv: &mut [Lanes],
        scratch: &mut [Lanes],
        given: &[Lanes],
        k: &[f32],
        v: &[f32],
    ) {
        let d = dq.len();
        let (q, dy) = given.split_at(d);
        let (shares, d_shares) = scratch.split_at_mut(k.len() / d);
        shares_of(shares, q, k);
        let mut mean = ZERO;
        for ((share, d_share), v) in shares.iter().zip(d_shares.iter_mut()).zip(v.chunks_exact(d)) {
            let mut sum = ZERO;
            for (dy, v) in dy.iter().zip(v) {
                for l in 0..LANES {
                    sum[l] += dy[l] * v;
                }
            }
            for l in 0..LANES {
                mean[l] += share[l] * sum[l];
            }
            *d_share = sum;
        }
        dq.fill(ZERO);
        for (j, (share, d_share)) in shares.iter().zip(d_shares.iter()).enumerate() {
            let mut d_score = ZERO;
            for l in 0..LANES {
                d_score[l] = share[l] * (d_share[l] - mean[l]);
            }
            let sums = dk[j * d..].iter_mut().zip(&mut dv[j * d..]);
            for (i, (dk, dv)) in sums.enumerate().take(d) {
                for l in 0..LANES {
                    dq[i][l] += d_score[l] * k[j * d + i];
                    dk[l] += d_score[l] * q[i][l];
                    dv[l] += share[l] * dy[i][l];
                }
            }
        }
    }
}
