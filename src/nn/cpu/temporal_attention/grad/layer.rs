//! The derivative of the layer on one block of pixels.

use super::rows::{attend_back, gained, normalise, normalised_back, outer};
use super::{Told, ZERO};
use crate::nn::cpu::product::{Packed, Start, Term};
use crate::nn::cpu::temporal_attention::{LANES, Lanes, QUERIES, Weights, attend, product};

/// Weights the other way round, with which gradients go back.
pub struct Back {
    /// A head each, `[c, d]`.
    pub q: Vec<Packed>,
    /// `[c, 2d]`
    pub kv: Packed,
    /// A head each, `[d, c]`.
    pub out: Vec<Packed>,
}

impl Back {
    pub fn of(told: &Told<&[f32]>, [c, heads, d]: [usize; 3]) -> Self {
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

pub fn terms(n: usize, f: usize) -> Vec<Term> {
    (0..n).map(|k| Term::new(k, k * f * LANES)).collect()
}

pub struct Layer<'a> {
    pub c: usize,
    pub f: usize,
    pub heads: usize,
    pub d: usize,
    pub weights: Weights,
    pub back: Back,
    /// Of products over all channels, over a head's dimensions, and over those of key and value.
    pub terms: [Vec<Term>; 3],
    /// `[heads, f, f + 1]`
    pub bias: &'a [f32],
}

/// What one block of pixels is worked on in. Rows are `[channel or dimension][frame]`.
pub struct Scratch {
    pub x: Vec<Lanes>,
    pub dy: Vec<Lanes>,
    pub dx: Vec<Lanes>,
    /// Normalised x, without and with the gain, and what it was divided by.
    pub x_hat: Vec<Lanes>,
    pub normed: Vec<Lanes>,
    pub x_rstd: Vec<Lanes>,
    pub kv: Vec<Lanes>,
    /// `[heads][d][f]`
    pub q: Vec<Lanes>,
    pub attended: Vec<Lanes>,
    pub scores: Vec<[Lanes; QUERIES]>,
    pub sum: Vec<Lanes>,
    pub sum_hat: Vec<Lanes>,
    pub sum_rstd: Vec<Lanes>,
    pub d_sum: Vec<Lanes>,
    pub d_attended: Vec<Lanes>,
    pub d_normed: Vec<Lanes>,
    pub dq: Vec<Lanes>,
    pub dkv: Vec<Lanes>,
    /// What two queries give each key, and the gradients of it, `[f + 1]`.
    pub shares: Vec<[Lanes; 4]>,
}

impl Scratch {
    pub fn new(layer: &Layer) -> Self {
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
            scores: vec![[ZERO; QUERIES]; f + 1],
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
    pub fn slopes(&self, s: &mut Scratch, sums: Told<&mut [Lanes]>, d_bias: &mut [Lanes]) {
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
