//! Attention over frames whose weights learn: the kernel above, and its derivative. Nothing is kept from the
//! way forward: what the derivative needs of it is made again, block by block, which is faster than to write and
//! read it.

#[cfg(test)]
mod tests;

use super::{Lanes, TemporalAttention, Weights, attend, product};
use crate::nn::Interrupt;
use crate::nn::cpu::columns::{Cut, par_columns_with_room};
use crate::nn::cpu::kernels::{TILE, tile_kernel};
use crate::nn::cpu::product::{Packed, Start, Term};
use crate::nn::cpu::{elements, fit, math::exp, simd};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use std::sync::{Arc, OnceLock};

const LANES: usize = super::LANES;
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
        let parts = n.div_ceil(width);
        let sums: Vec<OnceLock<Vec<f32>>> = (0..b * parts).map(|_| OnceLock::new()).collect();
        let mut out = par_columns_with_room(cut, all.len(), 1, |block, mut out| {
            let mut s = Scratch::new(&layer);
            let mut total = vec![ZERO; all.len()];
            for first in (0..block.width).step_by(LANES) {
                if self.0.interrupt.is_set() {
                    return;
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
            let total = total.iter().map(|lanes| lanes.iter().sum()).collect();
            // Each part is one block's, so that it is not there yet.
            let _ = sums[block.outer * parts + block.first / width].set(total);
        });
        self.0.interrupt.check()?;
        let mut total = vec![0f32; all.len()];
        for part in sums.iter().filter_map(OnceLock::get) {
            for (total, part) in total.iter_mut().zip(part) {
                *total += part;
            }
        }
        out.extend(total);
        let shape = Shape::from(out.len());
        Ok((CpuStorage::F32(out), shape))
    }
}

/// Weights the other way round, with which gradients go back.
struct Back {
    /// A head each, `[c, d]`.
    q: Vec<Packed>,
    /// `[c, 2d]`
    kv: Packed,
    /// A head each, `[d, c]`.
    out: Vec<Packed>,
}

impl Back {
    fn of(told: &Told<&[f32]>, [c, heads, d]: [usize; 3]) -> Self {
        let q = |h: usize| Packed::new(c, d, None, |row, k| told.q[(h * d + k) * c + row]);
        let out =
            |h: usize| Packed::new(d, c, None, |row, k| told.out[k * heads * d + h * d + row]);
        Self {
            q: (0..heads).map(q).collect(),
            kv: Packed::new(c, 2 * d, None, |row, k| told.kv[k * c + row]),
            out: (0..heads).map(out).collect(),
        }
    }
}

fn terms(n: usize, f: usize) -> Vec<Term> {
    (0..n).map(|k| Term::new(k, k * f * LANES)).collect()
}

struct Layer<'a> {
    c: usize,
    f: usize,
    heads: usize,
    d: usize,
    weights: Weights,
    back: Back,
    /// Of products over all channels, over a head's dimensions, and over those of key and value.
    terms: [Vec<Term>; 3],
    /// `[heads, f, f + 1]`
    bias: &'a [f32],
}

/// What one block of pixels is worked on in. Rows are `[channel or dimension][frame]`.
struct Scratch {
    x: Vec<Lanes>,
    dy: Vec<Lanes>,
    dx: Vec<Lanes>,
    /// Normalised x, without and with the gain, and what it was divided by.
    x_hat: Vec<Lanes>,
    normed: Vec<Lanes>,
    x_rstd: Vec<Lanes>,
    kv: Vec<Lanes>,
    /// `[heads][d][f]`
    q: Vec<Lanes>,
    attended: Vec<Lanes>,
    scores: Vec<[Lanes; super::QUERIES]>,
    sum: Vec<Lanes>,
    sum_hat: Vec<Lanes>,
    sum_rstd: Vec<Lanes>,
    d_sum: Vec<Lanes>,
    d_attended: Vec<Lanes>,
    d_normed: Vec<Lanes>,
    dq: Vec<Lanes>,
    dkv: Vec<Lanes>,
    /// What two queries give each key, and the gradients of it, `[f + 1]`.
    shares: Vec<[Lanes; 4]>,
}

impl Scratch {
    fn new(layer: &Layer) -> Self {
        let (c, f, heads, d) = (layer.c, layer.f, layer.heads, layer.d);
        let rows = |n: usize| vec![ZERO; n * f];
        Self {
            x: rows(c),
            dy: rows(c),
            dx: rows(c),
            x_hat: rows(c),
            normed: rows(c),
            x_rstd: rows(1),
            kv: rows(2 * d),
            q: rows(heads * d),
            attended: rows(heads * d),
            scores: vec![[ZERO; super::QUERIES]; f + 1],
            sum: rows(c),
            sum_hat: rows(c),
            sum_rstd: rows(1),
            d_sum: rows(c),
            d_attended: rows(d),
            d_normed: rows(c),
            dq: rows(d),
            dkv: rows(2 * d),
            shares: vec![[ZERO; 4]; f + 1],
        }
    }
}

impl Layer<'_> {
    /// From `s.x` and `s.dy` to `s.dx`; what the block gives for weights and bias is added to `sums` and `d_bias`.
    fn slopes(&self, s: &mut Scratch, sums: Told<&mut [Lanes]>, d_bias: &mut [Lanes]) {
        let (f, d, w) = (self.f, self.d, &self.weights);
        let [of_channels, of_head, of_kv] = &self.terms;
        let (head, biases) = (d * f, f * (f + 1));

        // As on the way forward.
        normalise(&mut s.x_hat, &mut s.x_rstd, &s.x, f, w.eps);
        gained(&mut s.normed, &s.x_hat, &w.norm, f);
        product(&mut s.kv, Start::Bias, &w.kv, of_channels, &s.normed, f);
        let (k, v) = s.kv.split_at(head);
        for (h, (to_q, out)) in w.q.iter().zip(w.out.iter()).enumerate() {
            let q = &mut s.q[h * head..][..head];
            product(q, Start::Bias, to_q, of_channels, &s.normed, f);
            let attended = &mut s.attended[h * head..][..head];
            let bias = &self.bias[h * biases..][..biases];
            attend(attended, &mut s.scores, q, k, v, &w.null_kv, bias, f);
            let start = if h == 0 { Start::Bias } else { Start::Place };
            product(&mut s.sum, start, out, of_head, attended, f);
        }
        normalise(&mut s.sum_hat, &mut s.sum_rstd, &s.sum, f, w.eps);

        // And back.
        s.d_sum.copy_from_slice(&s.dy);
        let (hat, rstd) = (&s.sum_hat, &s.sum_rstd);
        normalised_back(&mut s.d_sum, sums.out_norm, hat, rstd, &w.out_norm, f);
        s.dkv.fill(ZERO);
        let (d_null_k, d_null_v) = sums.null_kv.split_at_mut(d);
        let inner = self.heads * d;
        for h in 0..self.heads {
            let (q, attended) = (&s.q[h * head..][..head], &s.attended[h * head..][..head]);
            outer(&mut sums.out[h * d..], inner, &s.d_sum, attended, f);
            let back = &self.back.out[h];
            product(
                &mut s.d_attended,
                Start::Bias,
                back,
                of_channels,
                &s.d_sum,
                f,
            );
            let bias = &self.bias[h * biases..][..biases];
            let (dk, dv) = s.dkv.split_at_mut(head);
            attend_back(
                [q, k, v, &s.d_attended],
                &w.null_kv,
                bias,
                [&mut s.dq, dk, dv, d_null_k, d_null_v],
                &mut d_bias[h * biases..][..biases],
                &mut s.shares,
                f,
            );
            let start = if h == 0 { Start::Bias } else { Start::Place };
            product(&mut s.d_normed, start, &self.back.q[h], of_head, &s.dq, f);
            outer(&mut sums.q[h * d * self.c..], self.c, &s.dq, &s.normed, f);
        }
        let back = &self.back.kv;
        product(&mut s.d_normed, Start::Place, back, of_kv, &s.dkv, f);
        outer(sums.kv, self.c, &s.dkv, &s.normed, f);
        let (hat, rstd) = (&s.x_hat, &s.x_rstd);
        normalised_back(&mut s.d_normed, sums.norm, hat, rstd, &w.norm, f);
        for ((dx, dn), dy) in s.dx.iter_mut().zip(&s.d_normed).zip(&s.dy) {
            for l in 0..LANES {
                dx[l] = dy[l] + dn[l];
            }
        }
    }
}

simd! {
    /// Over channels, without a gain: `[c][f]` rows, and one over the deviation `[f]`.
    fn normalise(out: &mut [Lanes], rstd: &mut [Lanes], x: &[Lanes], f: usize, eps: f32) {
        let c = (x.len() / f) as f32;
        for fi in 0..f {
            let mut mean = ZERO;
            let mut var = ZERO;
            for x in x[fi..].iter().step_by(f) {
                for l in 0..LANES {
                    mean[l] += x[l];
                }
            }
            for m in &mut mean {
                *m /= c;
            }
            for x in x[fi..].iter().step_by(f) {
                for l in 0..LANES {
                    var[l] += (x[l] - mean[l]) * (x[l] - mean[l]);
                }
            }
            for v in &mut var {
                *v = 1.0 / (*v / c + eps).sqrt();
            }
            for (out, x) in out[fi..].iter_mut().step_by(f).zip(x[fi..].iter().step_by(f)) {
                for l in 0..LANES {
                    out[l] = (x[l] - mean[l]) * var[l];
                }
            }
            rstd[fi] = var;
        }
    }
}

simd! {
    fn gained(out: &mut [Lanes], x: &[Lanes], g: &[f32], f: usize) {
        for ((out, x), g) in out.chunks_exact_mut(f).zip(x.chunks_exact(f)).zip(g) {
            for (out, x) in out.iter_mut().zip(x) {
                for l in 0..LANES {
                    out[l] = x[l] * g;
                }
            }
        }
    }
}

simd! {
    /// In place: from the gradient of what was normalised and multiplied by g to that of what it was made of. What it
    /// gives for g is added to `dg`.
    fn normalised_back(d: &mut [Lanes], dg: &mut [Lanes], hat: &[Lanes], rstd: &[Lanes], g: &[f32], f: usize) {
        let c = g.len() as f32;
        for fi in 0..f {
            let mut m1 = ZERO;
            let mut m2 = ZERO;
            for (ci, g) in g.iter().enumerate() {
                let (d, hat, dg) = (&mut d[ci * f + fi], &hat[ci * f + fi], &mut dg[ci]);
                for l in 0..LANES {
                    dg[l] += d[l] * hat[l];
                    d[l] *= g;
                    m1[l] += d[l];
                    m2[l] += d[l] * hat[l];
                }
            }
            for l in 0..LANES {
                m1[l] /= c;
                m2[l] /= c;
            }
            let rstd = &rstd[fi];
            for (d, hat) in d[fi..].iter_mut().step_by(f).zip(hat[fi..].iter().step_by(f)) {
                for l in 0..LANES {
                    d[l] = rstd[l] * (d[l] - m1[l] - hat[l] * m2[l]);
                }
            }
        }
    }
}

/// Adds, for each row of a and each of b, their products to `sums[row of a * stride + row of b]`, lane by lane.
fn outer(sums: &mut [Lanes], stride: usize, a: &[Lanes], b: &[Lanes], f: usize) {
    let kernel = tile_kernel();
    let (rows, columns) = (a.len() / f, b.len() / f);
    // A row that is not there repeats the last; its sums go nowhere.
    let tile = |of: &[Lanes], first: usize, rows: usize| {
        [0, 1, 2, 3].map(|i| {
            of[(first + i).min(rows - 1) * f..][..f]
                .as_flattened()
                .as_ptr()
        })
    };
    for r in (0..rows).step_by(TILE) {
        for c in (0..columns).step_by(TILE) {
            let mut made = [[ZERO; TILE]; TILE];
            // SAFETY: `tile` took f lanes of every row.
            unsafe { kernel(&mut made, tile(a, r, rows), tile(b, c, columns), f) };
            for (i, made) in made.iter().enumerate().take(rows - r) {
                let sums = sums[(r + i) * stride + c..].iter_mut();
                for (sum, made) in sums.zip(made).take(columns - c) {
                    for l in 0..LANES {
                        sum[l] += made[l];
                    }
                }
            }
        }
    }
}

simd! {
    /// One head. From q, k, v and the gradient of what is attended to, `[d][f]`, to those of q, set, and of keys,
    /// values, the null key and value, and the bias `[f][f + 1]`, added. Two queries share what is read of a key.
    fn attend_back(
        from: [&[Lanes]; 4],
        null_kv: &[f32],
        bias: &[f32],
        to: [&mut [Lanes]; 5],
        d_bias: &mut [Lanes],
        scratch: &mut [[Lanes; 4]],
        f: usize,
    ) {
        let [q, k, v, da] = from;
        let [dq, dk, dv, d_null_k, d_null_v] = to;
        let d = d_null_k.len();
        let null_k = &null_kv[..d];
        for i in (0..f).step_by(2) {
            // A second query that is not there repeats the first, and is left out of the sums.
            let there = i + 1 < f;
            let second = if there { i + 1 } else { i };
            // The null key, then the frames up to the second's own.
            let seen = second + 2;
            for (j, to) in scratch[..seen].iter_mut().enumerate() {
                let mut s0 = [bias[i * (f + 1) + j]; LANES];
                let mut s1 = [bias[second * (f + 1) + j]; LANES];
                let (mut p0, mut p1) = (ZERO, ZERO);
                for di in 0..d {
                    let (of_key, of_value);
                    let (k, v) = if j == 0 {
                        (of_key, of_value) = ([null_kv[di]; LANES], [null_kv[d + di]; LANES]);
                        (&of_key, &of_value)
                    } else {
                        (&k[di * f + j - 1], &v[di * f + j - 1])
                    };
                    let (q0, q1) = (&q[di * f + i], &q[di * f + second]);
                    let (da0, da1) = (&da[di * f + i], &da[di * f + second]);
                    for l in 0..LANES {
                        s0[l] += q0[l] * k[l];
                        s1[l] += q1[l] * k[l];
                        p0[l] += da0[l] * v[l];
                        p1[l] += da1[l] * v[l];
                    }
                }
                *to = [s0, s1, p0, p1];
            }
            // The first does not see the second's frame.
            for (of, seen_by) in [(0, i + 2), (1, seen)] {
                let mut largest = [f32::NEG_INFINITY; LANES];
                for row in &scratch[..seen_by] {
                    for l in 0..LANES {
                        largest[l] = if row[of][l] > largest[l] { row[of][l] } else { largest[l] };
                    }
                }
                let mut total = ZERO;
                for row in &mut scratch[..seen_by] {
                    for l in 0..LANES {
                        row[of][l] = exp(row[of][l] - largest[l]);
                        total[l] += row[of][l];
                    }
                }
                let mut mean = ZERO;
                for row in &mut scratch[..seen_by] {
                    for l in 0..LANES {
                        row[of][l] /= total[l];
                        mean[l] += row[of][l] * row[of + 2][l];
                    }
                }
                // From here on those of the scores.
                let d_bias = &mut d_bias[(i + of).min(second) * (f + 1)..];
                for (row, d_bias) in scratch[..seen_by].iter_mut().zip(d_bias) {
                    for l in 0..LANES {
                        row[of + 2][l] = row[of][l] * (row[of + 2][l] - mean[l]);
                    }
                    if of == 0 || there {
                        for l in 0..LANES {
                            d_bias[l] += row[of + 2][l];
                        }
                    }
                }
                for row in &mut scratch[seen_by..seen] {
                    (row[of], row[of + 2]) = (ZERO, ZERO);
                }
                if of == 1 && !there {
                    for row in &mut scratch[..seen] {
                        (row[of], row[of + 2]) = (ZERO, ZERO);
                    }
                }
            }
            for di in 0..d {
                let (q0, q1) = (&q[di * f + i], &q[di * f + second]);
                let (da0, da1) = (&da[di * f + i], &da[di * f + second]);
                let [p0, p1, s0, s1] = &scratch[0];
                let (mut sum0, mut sum1) = (ZERO, ZERO);
                for l in 0..LANES {
                    sum0[l] = s0[l] * null_k[di];
                    sum1[l] = s1[l] * null_k[di];
                    d_null_k[di][l] += s0[l] * q0[l] + s1[l] * q1[l];
                    d_null_v[di][l] += p0[l] * da0[l] + p1[l] * da1[l];
                }
                let to = dk[di * f..].iter_mut().zip(&mut dv[di * f..]);
                for (([p0, p1, s0, s1], k), (dk, dv)) in scratch[1..seen].iter().zip(&k[di * f..]).zip(to) {
                    for l in 0..LANES {
                        sum0[l] += s0[l] * k[l];
                        sum1[l] += s1[l] * k[l];
                        dk[l] += s0[l] * q0[l] + s1[l] * q1[l];
                        dv[l] += p0[l] * da0[l] + p1[l] * da1[l];
                    }
                }
                dq[di * f + i] = sum0;
                if there {
                    dq[di * f + second] = sum1;
                }
            }
        }
    }
}
