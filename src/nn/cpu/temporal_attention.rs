//! Multi-query attention over the frames of every pixel, causal, with a null key: the whole layer,
//! from its norm to its residual, on a few pixels at a time. Queries, keys and what is attended to
//! stay in the cache and never become tensors; for 64 frames of 112 x 112 they would take gigabytes.

pub mod grad;

use super::columns::{Columns, Cut, par_columns};
use super::product::{Packed, Place, Start, Term, multiply};
use super::{elements, fit, math::exp, simd};
use crate::nn::Interrupt;
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape};
use std::cell::RefCell;
use std::sync::Arc;

/// Pixels worked on side by side: one cache line of each row.
const LANES: usize = 16;

type Lanes = [f32; LANES];

/// Queries that share what is read of a key.
const QUERIES: usize = 4;

/// The layer's weights, as the kernels read them.
#[derive(Debug)]
pub struct Weights {
    /// Gain of the norm before, `[c]`.
    pub norm: Vec<f32>,
    /// Queries, already scaled: a head each, `[d, c]`.
    pub q: Arc<Vec<Packed>>,
    /// Keys, then values: `[2d, c]`.
    pub kv: Arc<Packed>,
    /// The null key, then its value: `[2d]`.
    pub null_kv: Vec<f32>,
    /// A head each, `[c, d]`.
    pub out: Arc<Vec<Packed>>,
    /// Gain of the norm after, `[c]`.
    pub out_norm: Vec<f32>,
    pub eps: f32,
}

impl Weights {
    /// Whether they are of a layer of so many channels, and of each other's shapes.
    fn fit(&self, c: usize) -> bool {
        let d = self.kv.rows() / 2;
        let are = |of: &[Packed], rows, depth| {
            let is = |p: &Packed| p.rows() == rows && p.depth() == depth;
            of.iter().all(is)
        };
        self.norm.len() == c
            && self.out_norm.len() == c
            && self.null_kv.len() == 2 * d
            && self.q.len() == self.out.len()
            && are(std::slice::from_ref(&*self.kv), 2 * d, c)
            && are(&self.q, d, c)
            && are(&self.out, c, d)
    }
}

/// Operands: x `[b, c, f, n]`, bias `[heads, f, f + 1]` with the null key's in column 0; result as x.
pub struct TemporalAttention {
    pub weights: Arc<Weights>,
    pub interrupt: Interrupt,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

impl CustomOp2 for TemporalAttention {
    fn name(&self) -> &'static str {
        "temporal-attention"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, c, f, n) = lx.shape().dims4()?;
        let (x, bias) = (elements(x, lx)?, elements(bias, lb)?);
        let heads = self.weights.q.len();
        let fits = self.weights.fit(c) && bias.len() == heads * f * (f + 1);
        fit(self.name(), fits)?;
        let frames = self.frames(c, f);
        let cut = Cut {
            outer: b,
            rows: c * f,
            inner: 1,
            n,
            width: LANES,
        };
        let out = par_columns(cut, 1, |block, mut out| {
            if self.interrupt.is_set() {
                return;
            }
            let width = block.width;
            let at = block.outer * c * f * n + block.first;
            SCRATCH.with_borrow_mut(|s| {
                s.size(c, self.weights.kv.rows() / 2, f);
                for (row, lanes) in s.x.iter_mut().enumerate() {
                    lanes[..width].copy_from_slice(&x[at + row * n..][..width]);
                }
                self.layer(s, &frames, bias, f);
                for (row, lanes) in s.normed.iter().enumerate() {
                    out.row(row).copy_from_slice(&lanes[..width]);
                }
            });
        });
        self.interrupt.check()?;
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }
}

/// Terms of products whose x has a row of all frames and lanes for each channel, or each dimension
/// of a head.
struct Frames {
    of_channels: Vec<Term>,
    of_head: Vec<Term>,
}

impl TemporalAttention {
    fn frames(&self, c: usize, f: usize) -> Frames {
        let terms = |n: usize| (0..n).map(|k| Term::new(k, k * f * LANES)).collect();
        Frames {
            of_channels: terms(c),
            of_head: terms(self.weights.kv.rows() / 2),
        }
    }

    /// From `s.x` to `s.normed`.
    fn layer(&self, s: &mut Scratch, terms: &Frames, bias: &[f32], f: usize) {
        let w = &self.weights;
        let d = w.kv.rows() / 2;
        channel_norm(&mut s.normed, &s.x, &w.norm, f, w.eps);
        product(
            &mut s.kv,
            Start::Bias,
            &w.kv,
            &terms.of_channels,
            &s.normed,
            f,
        );
        let (k, v) = s.kv.split_at(d * f);
        for (head, (q, out)) in w.q.iter().zip(w.out.iter()).enumerate() {
            product(&mut s.q, Start::Bias, q, &terms.of_channels, &s.normed, f);
            let bias = &bias[head * f * (f + 1)..][..f * (f + 1)];
            attend(
                &mut s.attended,
                &mut s.scores,
                &s.q,
                k,
                v,
                &w.null_kv,
                bias,
                f,
            );
            // The sum over heads goes on from head to head.
            let start = if head == 0 { Start::Bias } else { Start::Place };
            product(&mut s.sum, start, out, &terms.of_head, &s.attended, f);
        }
        channel_norm(&mut s.normed, &s.sum, &w.out_norm, f, w.eps);
        for (y, x) in s.normed.iter_mut().zip(&s.x) {
            for (y, x) in y.iter_mut().zip(x) {
                *y += x;
            }
        }
    }
}

fn product(
    out: &mut [Lanes],
    start: Start,
    weights: &Packed,
    terms: &[Term],
    x: &[Lanes],
    f: usize,
) {
    let columns = f * LANES;
    let mut out = Columns::all(out.as_flattened_mut(), columns);
    let place = Place::whole(columns);
    multiply(&mut out, place, start, weights, terms, x.as_flattened());
}

/// What one block of pixels is worked on in. Rows are `[channel or dimension][frame]`.
#[derive(Default)]
struct Scratch {
    x: Vec<Lanes>,
    normed: Vec<Lanes>,
    kv: Vec<Lanes>,
    q: Vec<Lanes>,
    attended: Vec<Lanes>,
    sum: Vec<Lanes>,
    /// `[f + 1][QUERIES]`
    scores: Vec<[Lanes; QUERIES]>,
}

impl Scratch {
    fn size(&mut self, c: usize, d: usize, f: usize) {
        const ZERO: Lanes = [0.0; LANES];
        self.x.resize(c * f, ZERO);
        self.normed.resize(c * f, ZERO);
        self.sum.resize(c * f, ZERO);
        self.kv.resize(2 * d * f, ZERO);
        self.q.resize(d * f, ZERO);
        self.attended.resize(d * f, ZERO);
        self.scores.resize(f + 1, [ZERO; QUERIES]);
    }
}

simd! {
    /// Layer norm over channels with a gain: `[c][f]` rows.
    fn channel_norm(out: &mut [Lanes], x: &[Lanes], g: &[f32], f: usize, eps: f32) {
        let c = g.len();
        for fi in 0..f {
            let mut mean = [0f32; LANES];
            let mut var = [0f32; LANES];
            for ci in 0..c {
                let x = &x[ci * f + fi];
                for l in 0..LANES {
                    mean[l] += x[l];
                }
            }
            for m in &mut mean {
                *m /= c as f32;
            }
            for ci in 0..c {
                let x = &x[ci * f + fi];
                for l in 0..LANES {
                    var[l] += (x[l] - mean[l]) * (x[l] - mean[l]);
                }
            }
            for v in &mut var {
                *v = 1.0 / (*v / c as f32 + eps).sqrt();
            }
            for (ci, &g) in g.iter().enumerate() {
                let (x, out) = (&x[ci * f + fi], &mut out[ci * f + fi]);
                for l in 0..LANES {
                    out[l] = (x[l] - mean[l]) * var[l] * g;
                }
            }
        }
    }
}

simd! {
    /// One head: q, k, v and out `[d][f]`, null_kv `[2d]`, bias `[f, f + 1]`.
    fn attend(out: &mut [Lanes], scores: &mut [[Lanes; QUERIES]], q: &[Lanes], k: &[Lanes], v: &[Lanes], null_kv: &[f32], bias: &[f32], f: usize) {
        let d = null_kv.len() / 2;
        for first in (0..f).step_by(QUERIES) {
            let queries = QUERIES.min(f - first);
            // The last query of the four sees one frame more than its own number; the others are
            // given those scores too, and leave them out.
            let seen = (first + queries + 1).min(f + 1);
            // A query that is not there repeats the last.
            let row = |i: usize| first + i.min(queries - 1);
            for (j, scores) in scores[..seen].iter_mut().enumerate() {
                let [mut a, mut b, mut c, mut e] = [0, 1, 2, 3].map(|i| [bias[row(i) * (f + 1) + j]; LANES]);
                for di in 0..d {
                    let null;
                    let key = if j == 0 {
                        null = [null_kv[di]; LANES];
                        &null
                    } else {
                        &k[di * f + j - 1]
                    };
                    let q = &q[di * f..][..f];
                    let (q0, q1, q2, q3) = (&q[row(0)], &q[row(1)], &q[row(2)], &q[row(3)]);
                    for l in 0..LANES {
                        a[l] += q0[l] * key[l];
                        b[l] += q1[l] * key[l];
                        c[l] += q2[l] * key[l];
                        e[l] += q3[l] * key[l];
                    }
                }
                *scores = [a, b, c, e];
            }
            let mut totals = [[0f32; LANES]; QUERIES];
            for i in 0..queries {
                let seen_by = first + i + 2;
                let mut largest = [f32::NEG_INFINITY; LANES];
                for score in &scores[..seen_by] {
                    for l in 0..LANES {
                        largest[l] = if score[i][l] > largest[l] { score[i][l] } else { largest[l] };
                    }
                }
                let mut total = [0f32; LANES];
                for score in &mut scores[..seen_by] {
                    for l in 0..LANES {
                        score[i][l] = exp(score[i][l] - largest[l]);
                        total[l] += score[i][l];
                    }
                }
                for score in &mut scores[seen_by..seen] {
                    score[i] = [0.0; LANES];
                }
                totals[i] = total;
            }
            for di in 0..d {
                let null = null_kv[d + di];
                let mut a = [0f32; LANES];
                let mut b = [0f32; LANES];
                let mut c = [0f32; LANES];
                let mut e = [0f32; LANES];
                let [p0, p1, p2, p3] = &scores[0];
                for l in 0..LANES {
                    a[l] += p0[l] * null;
                    b[l] += p1[l] * null;
                    c[l] += p2[l] * null;
                    e[l] += p3[l] * null;
                }
                for (p, value) in scores[1..seen].iter().zip(&v[di * f..]) {
                    let [p0, p1, p2, p3] = p;
                    for l in 0..LANES {
                        a[l] += p0[l] * value[l];
                        b[l] += p1[l] * value[l];
                        c[l] += p2[l] * value[l];
                        e[l] += p3[l] * value[l];
                    }
                }
                let out = &mut out[di * f..][..f];
                for (i, sum) in [a, b, c, e].iter().enumerate().take(queries) {
                    for l in 0..LANES {
                        out[first + i][l] = sum[l] / totals[i][l];
                    }
                }
            }
        }
    }
}
