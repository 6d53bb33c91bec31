//! Softmax in one pass over memory, to the bit what Candle's operations give one after the other.

use super::columns::par_parts;
use super::{elements, fit, simd};
use candle_core::cpu::kernels::VecOps;
use candle_core::{CpuStorage, CustomOp1, D, Layout, Result, Shape, Tensor};

/// Elements that one task takes at least: enough to be worth a thread.
const CHUNK: usize = 16 * 1024;

simd! {
    fn divided(out: &mut [f32], by: f32) {
        for out in out {
            *out /= by;
        }
    }
}

/// With the library's exponential and Candle's order of sums: attention over all positions feeds them to
/// every step of the solver, and the guided fixtures of `echoif verify` amplify their last bit.
fn softmax_of(out: &mut [f32], x: &[f32]) {
    let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (out, x) in out.iter_mut().zip(x) {
        *out = (x - largest).exp();
    }
    let mut total = 0.0;
    // SAFETY: the pointer is of a slice of that length, and the result is a number of ours.
    unsafe { f32::vec_reduce_sum(out.as_ptr(), &mut total, out.len()) };
    divided(out, total);
}

/// `exp(x - max x) / sum exp(x - max x)` over the last dimension.
pub struct Softmax;

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let n = lx.dims().last().copied().unwrap_or(0);
        fit(self.name(), n > 0)?;
        let x = elements(x, lx)?;
        let chunk = CHUNK.div_ceil(n) * n;
        let out = par_parts(x.len(), chunk, |i, out| {
            let rows = x[i * chunk..][..out.len()].chunks_exact(n);
            for (out, x) in out.chunks_exact_mut(n).zip(rows) {
                softmax_of(out, x);
            }
        });
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }

    /// `y (g - sum g y)`
    fn bwd(&self, _x: &Tensor, y: &Tensor, g: &Tensor) -> Result<Option<Tensor>> {
        let pull = (g * y)?.sum_keepdim(D::Minus1)?;
        Ok(Some((y * g.broadcast_sub(&pull)?)?))
    }
}
