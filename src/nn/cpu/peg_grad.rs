//! The derivative of the temporal position encoding.

use super::columns::par_parts;
use super::{elements, fit, simd};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

const LANES: usize = 16;

simd! {
    /// `g (1 + w2) + g1 w1 + g2 w0`: the frame's own gradient, and those of the next two.
    fn back_row(out: &mut [f32], g: &[f32], g1: &[f32], g2: &[f32], w: [f32; 3]) {
        for (((out, g), g1), g2) in out.iter_mut().zip(g).zip(g1).zip(g2) {
            *out = g + (w[2] * g + w[1] * g1 + w[0] * g2);
        }
    }
}

simd! {
    fn products_into(total: &mut f64, x: &[f32], g: &[f32]) {
        let mut lanes = [0f32; LANES];
        let ((x, x_rest), (g, g_rest)) = (x.as_chunks::<LANES>(), g.as_chunks::<LANES>());
        for (x, g) in x.iter().zip(g) {
            for l in 0..LANES {
                lanes[l] += x[l] * g[l];
            }
        }
        let rest = x_rest.iter().zip(g_rest).map(|(x, g)| x * g);
        *total += lanes.into_iter().chain(rest).map(f64::from).sum::<f64>();
    }
}

/// The gradient of x: operands g `[b, c, f, h, w]`, weight `[c, 3]`.
struct OfX;

impl CustomOp2 for OfX {
    fn name(&self) -> &'static str {
        "temporal-peg-back"
    }

    fn cpu_fwd(
        &self,
        g: &CpuStorage,
        lg: &Layout,
        w: &CpuStorage,
        lw: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, c, f, h, wd) = lg.shape().dims5()?;
        let (g, w) = (elements(g, lg)?, elements(w, lw)?);
        fit(self.name(), w.len() == 3 * c)?;
        let n = h * wd;
        let zeros = vec![0f32; n];
        let out = par_parts(g.len(), n, |i, out| {
            let (fi, ci) = (i % f, (i / f) % c);
            let at = |ahead: usize| {
                if fi + ahead < f {
                    &g[(i + ahead) * n..][..n]
                } else {
                    &zeros[..]
                }
            };
            let taps = [w[ci * 3], w[ci * 3 + 1], w[ci * 3 + 2]];
            back_row(out, at(0), at(1), at(2), taps);
        });
        Ok((CpuStorage::F32(out), lg.shape().clone()))
    }
}

/// The gradient of the weight: operands g and x `[b, c, f, h, w]`, result `[c, 3]`.
struct OfWeight;

impl CustomOp2 for OfWeight {
    fn name(&self) -> &'static str {
        "temporal-peg-weights"
    }

    fn cpu_fwd(
        &self,
        g: &CpuStorage,
        lg: &Layout,
        x: &CpuStorage,
        lx: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, c, f, h, w) = lg.shape().dims5()?;
        let (g, x) = (elements(g, lg)?, elements(x, lx)?);
        fit(self.name(), g.len() == x.len())?;
        let n = h * w;
        let out = par_parts(c * 3, 3, |ci, out| {
            for (tap, out) in out.iter_mut().enumerate() {
                let back = 2 - tap;
                let mut total = 0f64;
                for bi in 0..b {
                    for fi in back..f {
                        let at = ((bi * c + ci) * f + fi) * n;
                        products_into(&mut total, &x[at - back * n..][..n], &g[at..][..n]);
                    }
                }
                *out = total as f32;
            }
        });
        Ok((CpuStorage::F32(out), Shape::from((c, 3))))
    }
}

/// The gradients of x and of the weight.
pub(super) fn slopes(x: &Tensor, weight: &Tensor, grad: &Tensor) -> Result<[Tensor; 2]> {
    let grad = grad.contiguous()?;
    Ok([
        grad.apply_op2_no_bwd(&weight.contiguous()?, &OfX)?,
        grad.apply_op2_no_bwd(&x.contiguous()?, &OfWeight)?,
    ])
}
