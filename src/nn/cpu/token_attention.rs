//! Attention of every position to the conditioning tokens, or to every position: the whole layer, from
//! its norm to its residual, on a few positions at a time, so that scores stay in the cache.

pub mod grad;

use super::columns::{Columns, Cut, par_columns};
use super::norm::channel_norm_block;
use super::product::{Packed, Place, Start, Term, multiply};
use super::{elements, fit, math::exp, simd};
use crate::nn::Interrupt;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape};
use std::cell::RefCell;
use std::sync::Arc;

/// Keys whose scores exist at once.
const KEYS: usize = 512;

/// Positions worked on side by side.
pub const COLUMNS: usize = 64;

/// The layer's weights, as the kernels read them.
#[derive(Debug)]
pub struct Weights {
    /// Gain of the norm before, `[c]`.
    pub norm: Vec<f32>,
    /// Queries, already scaled: a head each, `[d, c]`.
    pub q: Arc<Vec<Packed>>,
    /// A head each, `[c, d]`.
    pub out: Arc<Vec<Packed>>,
    /// Gain of the norm after, `[c]`.
    pub out_norm: Vec<f32>,
    pub eps: f32,
}

impl Weights {
    /// Whether they are of a layer of so many channels and dimensions a head.
    fn fit(&self, c: usize, d: usize) -> bool {
        let are = |of: &[Packed], rows, depth| {
            let is = |p: &Packed| p.rows() == rows && p.depth() == depth;
            of.iter().all(is)
        };
        self.norm.len() == c
            && self.out_norm.len() == c
            && self.q.len() == self.out.len()
            && are(&self.q, d, c)
            && are(&self.out, c, d)
    }
}

/// Operands: x `[b, c, n]`, keys and values `[b, heads, m, d]`, or `[b, 1, m, d]` for all heads; result
/// as x.
pub struct TokenAttention {
    pub weights: Arc<Weights>,
    pub interrupt: Interrupt,
}

/// What one head of one sample attends to, in blocks of [`KEYS`].
struct Tokens(Vec<Block>);

struct Block {
    /// `[m, d]`
    keys: Packed,
    /// `[d, m]`
    values: Packed,
}

impl Tokens {
    /// Keys and values `[m, d]`.
    fn new(keys: &[f32], values: &[f32], d: usize) -> Self {
        let keys = keys.chunks(KEYS * d);
        let block = |(keys, values): (&[f32], &[f32])| {
            let m = keys.len() / d;
            Block {
                keys: Packed::new(m, d, None, |row, k| keys[row * d + k]),
                values: Packed::new(d, m, None, |row, k| values[k * d + row]),
            }
        };
        Self(keys.zip(values.chunks(KEYS * d)).map(block).collect())
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

impl CustomOp3 for TokenAttention {
    fn name(&self) -> &'static str {
        "token-attention"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        keys: &CpuStorage,
        lk: &Layout,
        values: &CpuStorage,
        lv: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, c, n) = lx.shape().dims3()?;
        let (kv_samples, kv_heads, m, d) = lk.shape().dims4()?;
        let (x, keys, values) = (elements(x, lx)?, elements(keys, lk)?, elements(values, lv)?);
        let shared = kv_heads == 1 || kv_heads == self.weights.q.len();
        let fits = kv_samples == b && shared && m > 0 && d > 0 && values.len() == keys.len();
        fit(self.name(), fits && self.weights.fit(c, d))?;
        let tokens: Vec<Tokens> = keys
            .chunks(m * d)
            .zip(values.chunks(m * d))
            .map(|(keys, values)| Tokens::new(keys, values, d))
            .collect();
        let terms: Vec<Term> = (0..c.max(d).max(m.min(KEYS)))
            .map(|k| Term::new(k, k * COLUMNS))
            .collect();
        let cut = Cut {
            outer: b,
            rows: c,
            inner: 1,
            n,
            width: COLUMNS,
        };
        let out = par_columns(cut, 1, |block, mut out| {
            if self.interrupt.is_set() {
                return;
            }
            let (bi, width) = (block.outer, block.width);
            let at = bi * c * n + block.first;
            SCRATCH.with_borrow_mut(|s| {
                s.size(c, d, m.min(KEYS));
                for (row, to) in s.x.chunks_exact_mut(COLUMNS).enumerate() {
                    to[..width].copy_from_slice(&x[at + row * n..][..width]);
                }
                self.layer(s, &tokens[bi * kv_heads..][..kv_heads], &terms);
                for (row, from) in s.normed.chunks_exact(COLUMNS).enumerate() {
                    out.row(row).copy_from_slice(&from[..width]);
                }
            });
        });
        self.interrupt.check()?;
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }
}

impl TokenAttention {
    /// From `s.x` to `s.normed`.
    fn layer(&self, s: &mut Scratch, tokens: &[Tokens], terms: &[Term]) {
        let w = &self.weights;
        let normed = |to: &mut [f32], from: &[f32], gain: &[f32]| {
            let mut to = Columns::all(to, COLUMNS);
            channel_norm_block(&mut to, from, gain, COLUMNS, w.eps);
        };
        normed(&mut s.normed, &s.x, &w.norm);
        let mut softmax = Softmax::default();
        for (head, (q, out)) in w.q.iter().zip(w.out.iter()).enumerate() {
            product(&mut s.q, Start::Bias, q, terms, &s.normed);
            softmax.begin();
            // One head of keys for all, or one for each.
            let Tokens(blocks) = &tokens[head.min(tokens.len() - 1)];
            for (i, block) in blocks.iter().enumerate() {
                let scores = &mut s.scores[..block.keys.rows() * COLUMNS];
                product(scores, Start::Bias, &block.keys, terms, &s.q);
                exponentials(scores, &mut softmax);
                let start = if i == 0 {
                    Start::Bias
                } else {
                    multiply_columns(&mut s.attended, &softmax.before);
                    Start::Place
                };
                product(&mut s.attended, start, &block.values, terms, scores);
            }
            divide_columns(&mut s.attended, &softmax.totals);
            // The sum over heads goes on from head to head.
            let start = if head == 0 { Start::Bias } else { Start::Place };
            product(&mut s.sum, start, out, terms, &s.attended);
        }
        normed(&mut s.normed, &s.sum, &w.out_norm);
        for (y, x) in s.normed.iter_mut().zip(&s.x) {
            *y += x;
        }
    }
}

/// Softmax over keys that come in blocks (Milakov and Gimelshein, *Online normalizer calculation for
/// softmax*, 2018), each column by itself.
pub struct Softmax {
    largest: [f32; COLUMNS],
    totals: [f32; COLUMNS],
    /// What the sums over the blocks before are to be multiplied by.
    before: [f32; COLUMNS],
}

impl Default for Softmax {
    fn default() -> Self {
        Self {
            largest: [f32::NEG_INFINITY; COLUMNS],
            totals: [0.0; COLUMNS],
            before: [0.0; COLUMNS],
        }
    }
}

impl Softmax {
    fn begin(&mut self) {
        *self = Self::default();
    }
}

fn product(out: &mut [f32], start: Start, weights: &Packed, terms: &[Term], x: &[f32]) {
    let terms = &terms[..weights.depth()];
    let mut out = Columns::all(out, COLUMNS);
    multiply(&mut out, Place::whole(COLUMNS), start, weights, terms, x);
}

/// What one block of positions is worked on in: rows of [`COLUMNS`].
#[derive(Default)]
struct Scratch {
    x: Vec<f32>,
    normed: Vec<f32>,
    q: Vec<f32>,
    scores: Vec<f32>,
    attended: Vec<f32>,
    sum: Vec<f32>,
}

impl Scratch {
    fn size(&mut self, c: usize, d: usize, m: usize) {
        for (buffer, rows) in [
            (&mut self.x, c),
            (&mut self.normed, c),
            (&mut self.sum, c),
            (&mut self.q, d),
            (&mut self.attended, d),
            (&mut self.scores, m),
        ] {
            buffer.resize(rows * COLUMNS, 0.0);
        }
    }
}

simd! {
    /// The softmax's numerators of a block of rows, as far as its largest is known by now.
    fn exponentials(rows: &mut [f32], softmax: &mut Softmax) {
        let Softmax { largest, totals, before } = softmax;
        let known = *largest;
        for row in rows.as_chunks::<COLUMNS>().0 {
            for l in 0..COLUMNS {
                largest[l] = if row[l] > largest[l] { row[l] } else { largest[l] };
            }
        }
        for l in 0..COLUMNS {
            before[l] = exp(known[l] - largest[l]);
            totals[l] *= before[l];
        }
        for row in rows.as_chunks_mut::<COLUMNS>().0 {
            for l in 0..COLUMNS {
                row[l] = exp(row[l] - largest[l]);
                totals[l] += row[l];
            }
        }
    }
}

simd! {
    fn multiply_columns(rows: &mut [f32], by: &[f32; COLUMNS]) {
        for row in rows.as_chunks_mut::<COLUMNS>().0 {
            for l in 0..COLUMNS {
                row[l] *= by[l];
            }
        }
    }
}

simd! {
    fn divide_columns(rows: &mut [f32], by: &[f32; COLUMNS]) {
        for row in rows.as_chunks_mut::<COLUMNS>().0 {
            for l in 0..COLUMNS {
                row[l] /= by[l];
            }
        }
    }
}
