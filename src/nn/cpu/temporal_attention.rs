//! Multi-query attention over the frames of every pixel, causal, with a null key.

use super::{SharedOut, elements, math::exp, simd};
use crate::nn::Interrupt;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape};
use rayon::prelude::*;

/// Pixels worked on side by side: one cache line of each row.
const LANES: usize = 16;

/// Operands: q `[b, heads * d, f, n]` (already scaled), kv `[b, 2d, f + 1, n]` with the null
/// key and value as frame 0, bias `[heads, f, f + 1]`; result `[b, heads * d, f, n]`.
pub struct TemporalAttention {
    pub heads: usize,
    pub interrupt: Interrupt,
}

impl CustomOp3 for TemporalAttention {
    fn name(&self) -> &'static str {
        "temporal-attention"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        lq: &Layout,
        kv: &CpuStorage,
        lkv: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, inner, f, n) = lq.shape().dims4()?;
        let d = inner / self.heads;
        let (q, kv, bias) = (elements(q, lq)?, elements(kv, lkv)?, elements(bias, lb)?);
        let mut out = vec![0f32; q.len()];
        let shared = SharedOut::new(&mut out);
        let blocks = n.div_ceil(LANES);
        (0..b * blocks).into_par_iter().for_each_init(
            || Scratch::new(d, f),
            |scratch, task| {
                if self.interrupt.is_set() {
                    return;
                }
                let (bi, first) = (task / blocks, (task % blocks) * LANES);
                let width = LANES.min(n - first);
                scratch.load_kv(&kv[bi * 2 * d * (f + 1) * n + first..], n, width);
                for head in 0..self.heads {
                    let at = (bi * inner + head * d) * f * n + first;
                    scratch.load_q(&q[at..], n, width);
                    attend(scratch, &bias[head * f * (f + 1)..][..f * (f + 1)]);
                    for row in 0..d * f {
                        // SAFETY: this task alone writes its pixels, head by head.
                        let out = unsafe { shared.slice(at + row * n, width) };
                        out.copy_from_slice(&scratch.out[row][..width]);
                    }
                }
            },
        );
        self.interrupt.check()?;
        Ok((CpuStorage::F32(out), lq.shape().clone()))
    }
}

/// One block's operands, gathered so that the inner loops run over lanes.
pub struct Scratch {
    d: usize,
    f: usize,
    /// `[d, f]`
    q: Vec<[f32; LANES]>,
    /// `[d, f + 1]`
    k: Vec<[f32; LANES]>,
    v: Vec<[f32; LANES]>,
    scores: Vec<[f32; LANES]>,
    /// `[d, f]`
    out: Vec<[f32; LANES]>,
}

impl Scratch {
    fn new(d: usize, f: usize) -> Self {
        let rows = |n| vec![[0f32; LANES]; n];
        Self {
            d,
            f,
            q: rows(d * f),
            k: rows(d * (f + 1)),
            v: rows(d * (f + 1)),
            scores: rows(f + 1),
            out: rows(d * f),
        }
    }

    fn load_kv(&mut self, kv: &[f32], n: usize, width: usize) {
        let rows = self.d * (self.f + 1);
        for (row, (k, v)) in self.k.iter_mut().zip(&mut self.v).enumerate() {
            k[..width].copy_from_slice(&kv[row * n..][..width]);
            v[..width].copy_from_slice(&kv[(rows + row) * n..][..width]);
        }
    }

    fn load_q(&mut self, q: &[f32], n: usize, width: usize) {
        for (row, lanes) in self.q.iter_mut().enumerate() {
            lanes[..width].copy_from_slice(&q[row * n..][..width]);
        }
    }
}

simd! {
    fn attend(s: &mut Scratch, bias: &[f32]) {
        let (d, f) = (s.d, s.f);
        for i in 0..f {
            // Frame i sees the null key (column 0) and frames 0 ..= i (columns 1 ..= i + 1).
            let seen = i + 2;
            let mut largest = [f32::NEG_INFINITY; LANES];
            for j in 0..seen {
                let mut score = [bias[i * (f + 1) + j]; LANES];
                for di in 0..d {
                    let (q, k) = (&s.q[di * f + i], &s.k[di * (f + 1) + j]);
                    for l in 0..LANES {
                        score[l] += q[l] * k[l];
                    }
                }
                for l in 0..LANES {
                    largest[l] = if score[l] > largest[l] { score[l] } else { largest[l] };
                }
                s.scores[j] = score;
            }
            let mut total = [0f32; LANES];
            for score in &mut s.scores[..seen] {
                for l in 0..LANES {
                    score[l] = exp(score[l] - largest[l]);
                    total[l] += score[l];
                }
            }
            for di in 0..d {
                let mut sum = [0f32; LANES];
                for j in 0..seen {
                    let (p, v) = (&s.scores[j], &s.v[di * (f + 1) + j]);
                    for l in 0..LANES {
                        sum[l] += p[l] * v[l];
                    }
                }
                let out = &mut s.out[di * f + i];
                for l in 0..LANES {
                    out[l] = sum[l] / total[l];
                }
            }
        }
    }
}
