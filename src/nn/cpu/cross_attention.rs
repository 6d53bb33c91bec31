//! Attention of every position to a few conditioning tokens: the whole layer, from its norm to its
//! residual, on a few positions at a time.

use super::norm::channel_norm_block;
use super::product::{Packed, Place, Start, Term, multiply};
use super::{SharedOut, elements, math::exp, simd};
use crate::nn::Interrupt;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape};
use rayon::prelude::*;
use std::cell::RefCell;
use std::sync::Arc;

/// Positions worked on side by side.
pub const COLUMNS: usize = 64;

/// The layer's weights, as the kernels read them.
#[derive(Debug)]
pub struct Weights {
    /// Gain of the norm before, `[c]`.
    pub norm: Vec<f32>,
    /// Queries, already scaled: a head each, `[d, c]`.
    pub q: Vec<Packed>,
    /// A head each, `[c, d]`.
    pub out: Vec<Packed>,
    /// Gain of the norm after, `[c]`.
    pub out_norm: Vec<f32>,
    pub eps: f32,
}

/// Operands: x `[b, c, n]`, keys and values `[b, heads, m, d]`; result as x.
pub struct CrossAttention {
    pub weights: Arc<Weights>,
    pub interrupt: Interrupt,
}

/// One sample's tokens, a head each.
struct Tokens {
    /// `[m, d]`
    keys: Vec<Packed>,
    /// `[d, m]`
    values: Vec<Packed>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

impl CustomOp3 for CrossAttention {
    fn name(&self) -> &'static str {
        "cross-attention"
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
        let (_, heads, m, d) = lk.shape().dims4()?;
        let (x, keys, values) = (elements(x, lx)?, elements(keys, lk)?, elements(values, lv)?);
        let of_head = |all: &[f32], bi: usize, head: usize| {
            all[(bi * heads + head) * m * d..][..m * d].to_vec()
        };
        let tokens: Vec<Tokens> = (0..b)
            .map(|bi| Tokens {
                keys: (0..heads)
                    .map(|head| {
                        let keys = of_head(keys, bi, head);
                        Packed::new(m, d, None, |row, k| keys[row * d + k])
                    })
                    .collect(),
                values: (0..heads)
                    .map(|head| {
                        let values = of_head(values, bi, head);
                        Packed::new(d, m, None, |row, k| values[k * d + row])
                    })
                    .collect(),
            })
            .collect();
        let terms: Vec<Term> = (0..c.max(d).max(m))
            .map(|k| Term::new(k, k * COLUMNS))
            .collect();
        let mut out = vec![0f32; x.len()];
        let shared = SharedOut::new(&mut out);
        let blocks = n.div_ceil(COLUMNS);
        (0..b * blocks).into_par_iter().for_each(|task| {
            if self.interrupt.is_set() {
                return;
            }
            let (bi, first) = (task / blocks, task % blocks * COLUMNS);
            let width = COLUMNS.min(n - first);
            let at = bi * c * n + first;
            SCRATCH.with_borrow_mut(|s| {
                s.size(c, d, m);
                for (row, to) in s.x.chunks_exact_mut(COLUMNS).enumerate() {
                    to[..width].copy_from_slice(&x[at + row * n..][..width]);
                }
                self.layer(s, &tokens[bi], &terms, (c, d, m));
                for (row, from) in s.normed.chunks_exact(COLUMNS).enumerate() {
                    // SAFETY: this task alone writes its positions.
                    let out = unsafe { shared.slice(at + row * n, width) };
                    out.copy_from_slice(&from[..width]);
                }
            });
        });
        self.interrupt.check()?;
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }
}

impl CrossAttention {
    /// From `s.x` to `s.normed`.
    fn layer(
        &self,
        s: &mut Scratch,
        tokens: &Tokens,
        terms: &[Term],
        (c, d, m): (usize, usize, usize),
    ) {
        let w = &self.weights;
        let normed = |to: &mut [f32], from: &[f32], gain: &[f32]| {
            let to = SharedOut::new(to);
            channel_norm_block(to, 0, from, gain, COLUMNS, COLUMNS, w.eps);
        };
        normed(&mut s.normed, &s.x, &w.norm);
        let mut totals = [0f32; COLUMNS];
        for (head, (q, out)) in w.q.iter().zip(&w.out).enumerate() {
            product(&mut s.q, Start::Bias, q, &terms[..c], &s.normed);
            product(
                &mut s.scores,
                Start::Bias,
                &tokens.keys[head],
                &terms[..d],
                &s.q,
            );
            exponentials(&mut s.scores, &mut totals);
            product(
                &mut s.attended,
                Start::Bias,
                &tokens.values[head],
                &terms[..m],
                &s.scores,
            );
            divide(&mut s.attended, &totals);
            // The sum over heads goes on from head to head.
            let start = if head == 0 { Start::Bias } else { Start::Place };
            product(&mut s.sum, start, out, &terms[..d], &s.attended);
        }
        normed(&mut s.normed, &s.sum, &w.out_norm);
        for (y, x) in s.normed.iter_mut().zip(&s.x) {
            *y += x;
        }
    }
}

fn product(out: &mut [f32], start: Start, weights: &Packed, terms: &[Term], x: &[f32]) {
    let place = Place::whole(0, COLUMNS, COLUMNS);
    // SAFETY: `out` has a row of `COLUMNS` for each row of the weights, and is borrowed here.
    unsafe { multiply(SharedOut::new(out), place, start, weights, terms, x) };
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
    /// The softmax's numerators over the rows, each column by itself, and their totals.
    fn exponentials(rows: &mut [f32], totals: &mut [f32; COLUMNS]) {
        let mut largest = [f32::NEG_INFINITY; COLUMNS];
        for row in rows.as_chunks::<COLUMNS>().0 {
            for l in 0..COLUMNS {
                largest[l] = if row[l] > largest[l] { row[l] } else { largest[l] };
            }
        }
        *totals = [0.0; COLUMNS];
        for row in rows.as_chunks_mut::<COLUMNS>().0 {
            for l in 0..COLUMNS {
                row[l] = exp(row[l] - largest[l]);
                totals[l] += row[l];
            }
        }
    }
}

simd! {
    fn divide(rows: &mut [f32], by: &[f32; COLUMNS]) {
        for row in rows.as_chunks_mut::<COLUMNS>().0 {
            for l in 0..COLUMNS {
                row[l] /= by[l];
            }
        }
    }
}
