//! What the derivative does to rows of pixels side by side.

use super::ZERO;
use crate::nn::cpu::kernels::{TILE, tile_kernel};
use crate::nn::cpu::temporal_attention::{LANES, Lanes};
use crate::nn::cpu::{math::exp, simd};

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
pub fn outer(sums: &mut [Lanes], stride: usize, a: &[Lanes], b: &[Lanes], f: usize) {
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
