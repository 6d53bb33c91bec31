//! Products of few rows with few rows: linear layers of vectors, and weighted means over all positions.
//! Candle's general product asks the system for its cores each time, which took longer than these sums do.

use super::columns::par_parts;
use super::{elements, fit, simd};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

/// Sums that are worth a thread's while, in multiplications.
const TASK: usize = 1 << 17;
const LANES: usize = 32;

simd! {
    /// In lanes whatever the processor, so that the sum is the same on all.
    fn dot(out: &mut f32, a: &[f32], b: &[f32]) {
        let mut lanes = [0f32; LANES];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for l in 0..LANES {
                lanes[l] += a[l] * b[l];
            }
        }
        let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
        *out += lanes.iter().sum::<f32>() + rest;
    }
}

/// `x W^T`: x `[b, m, k]`, W `[b, n, k]`; result `[b, m, n]`.
pub struct RowProducts;

impl CustomOp2 for RowProducts {
    fn name(&self) -> &'static str {
        "row-products"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((b, m, k), (wb, n, wk)) = (lx.shape().dims3()?, lw.shape().dims3()?);
        fit(self.name(), (b, k) == (wb, wk))?;
        let (x, w) = (elements(x, lx)?, elements(w, lw)?);
        let out = products(x, w, None, [b * m, n, k], |row| row / m.max(1) * n);
        Ok((CpuStorage::F32(out), Shape::from((b, m, n))))
    }

    /// `g W` and `g^T x`.
    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((
            Some(grad.matmul(w)?),
            Some(grad.transpose(1, 2)?.contiguous()?.matmul(x)?),
        ))
    }
}

/// `x W^T + bias`: x `[m, k]`, W `[n, k]`, bias `[n]`; result `[m, n]`.
pub struct Linear;

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((m, k), (n, wk)) = (lx.shape().dims2()?, lw.shape().dims2()?);
        fit(self.name(), k == wk && lb.shape().dims1()? == n)?;
        let (x, w, bias) = (elements(x, lx)?, elements(w, lw)?, elements(bias, lb)?);
        let out = products(x, w, Some(bias), [m, n, k], |_| 0);
        Ok((CpuStorage::F32(out), Shape::from((m, n))))
    }
}

/// Every row of x, of `m`, with `n` rows of W from `first(row)` on, all `k` long.
fn products(
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    [m, n, k]: [usize; 3],
    first: impl Fn(usize) -> usize + Sync,
) -> Vec<f32> {
    let part = TASK.div_ceil(k.max(1));
    par_parts(m * n, part, |i, out| {
        for (j, out) in out.iter_mut().enumerate() {
            let at = i * part + j;
            let (row, column) = (at / n, at % n);
            *out = bias.map_or(0.0, |b| b[column]);
            let w = &w[(first(row) + column) * k..][..k];
            dot(out, &x[row * k..][..k], w);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{largest_difference, random as tensor, same_slopes, variable};

    #[test]
    fn they_are_products_of_matrices() {
        for [b, m, n, k] in [
            [1, 1, 1, 1],
            [2, 3, 5, 70],
            [3, 4, 1, 900],
            [1, 130, 9, 2000],
        ] {
            let (x, w) = (tensor(&[b, m, k], 1), tensor(&[b, n, k], 2));
            let made = x.apply_op2_no_bwd(&w, &RowProducts).unwrap();
            let right = x.matmul(&w.transpose(1, 2).unwrap()).unwrap();
            let most = 1e-6 * k as f32;
            assert!(
                largest_difference(&made, &right) <= most.max(1e-6),
                "{b} {m} {n} {k}"
            );
            let (a, c) = (variable(&[b, m, k], 1), variable(&[b, n, k], 2));
            let ours = a.apply_op2(&c, RowProducts).unwrap();
            let theirs = a.matmul(&c.transpose(1, 2).unwrap()).unwrap();
            same_slopes(&[&a, &c], &ours, &theirs, 2e-6);
            let (x, w, bias) = (tensor(&[m, k], 3), tensor(&[n, k], 4), tensor(&[n], 5));
            let made = x.apply_op3_no_bwd(&w, &bias, &Linear).unwrap();
            let right = x.matmul(&w.t().unwrap()).unwrap();
            let right = right.broadcast_add(&bias).unwrap();
            assert!(
                largest_difference(&made, &right) <= most.max(1e-6),
                "{m} {n} {k}"
            );
        }
    }

    #[test]
    fn operands_that_do_not_fit_are_refused() {
        let x = tensor(&[2, 3, 4], 1);
        for w in [&[2, 5, 3][..], &[1, 5, 4], &[5, 4]] {
            assert!(x.apply_op2_no_bwd(&tensor(w, 2), &RowProducts).is_err());
        }
        let (x, w) = (tensor(&[3, 4], 1), tensor(&[5, 4], 2));
        for (w, bias) in [(&w, 4), (&x, 5), (&tensor(&[5, 3], 3), 5)] {
            let made = x.apply_op3_no_bwd(w, &tensor(&[bias], 4), &Linear);
            assert!(made.is_err());
        }
    }
}
