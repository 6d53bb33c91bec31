//! What stands between the layers: sums, joins and shuffles, each in one pass over memory.

use super::columns::par_parts;
use super::dot::RowProducts;
use super::{elements, fit, simd};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

/// Elements that one task takes: enough to be worth a thread.
const CHUNK: usize = 16 * 1024;

simd! {
    fn sum_of(out: &mut [f32], x: &[f32], y: &[f32]) {
        for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
            *out = x + y;
        }
    }
}

simd! {
    fn scaled(out: &mut [f32], x: &[f32], by: f32) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = x * by;
        }
    }
}

simd! {
    fn scaled_sum(out: &mut [f32], x: &[f32], by: f32, y: &[f32]) {
        for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
            *out = x * by + y;
        }
    }
}

/// With the library's exponential, as Candle has it: this is a small part of a pass, and the guided
/// fixtures of `echoif verify` amplify its last bit.
fn silu_of(out: &mut [f32], x: &[f32]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = x / (1.0 + (-x).exp());
    }
}

/// `x + y`, shapes equal.
pub struct Add;

impl CustomOp2 for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        y: &CpuStorage,
        ly: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        fit(self.name(), lx.shape() == ly.shape())?;
        let (x, y) = (elements(x, lx)?, elements(y, ly)?);
        let out = par_parts(x.len(), CHUNK, |i, out| {
            let at = i * CHUNK..i * CHUNK + out.len();
            sum_of(out, &x[at.clone()], &y[at]);
        });
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(grad.clone()), Some(grad.clone())))
    }
}

/// `x + y`, where each channel of y has one frame for all of x's: x `[b, c, f, h, w]`, y `[b or 1, c, 1, h, w]`.
pub struct AddStill;

impl CustomOp2 for AddStill {
    fn name(&self) -> &'static str {
        "add-still"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        y: &CpuStorage,
        ly: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, c, f, h, w) = lx.shape().dims5()?;
        let (of_y, n) = (ly.shape().dims5()?, h * w);
        let shared = of_y == (1, c, 1, h, w);
        fit(self.name(), shared || of_y == (b, c, 1, h, w))?;
        let (x, y) = (elements(x, lx)?, elements(y, ly)?);
        let out = par_parts(x.len(), n, |i, out| {
            let channel = if shared { i / f % c } else { i / f };
            sum_of(out, &x[i * n..][..n], &y[channel * n..][..n]);
        });
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }
}

/// `max(x, 0)`.
pub struct Relu;

simd! {
    fn relu_of(out: &mut [f32], x: &[f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = if *x > 0.0 { *x } else { 0.0 };
        }
    }
}

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = elements(x, lx)?;
        let out = par_parts(x.len(), CHUNK, |i, out| {
            relu_of(out, &x[i * CHUNK..][..out.len()]);
        });
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }
}

/// `x * gate + y`: x and y `[b, c, ...]`, gate `[b, c]`.
pub struct Gate;

impl CustomOp3 for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        gate: &CpuStorage,
        lg: &Layout,
        y: &CpuStorage,
        ly: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let of_gate = lx.dims().get(..2) == Some(lg.dims());
        fit(self.name(), of_gate && lx.shape() == ly.shape())?;
        let (x, gate, y) = (elements(x, lx)?, elements(gate, lg)?, elements(y, ly)?);
        let n = x.len() / gate.len().max(1);
        let out = par_parts(x.len(), n, |i, out| {
            let at = i * n..i * n + out.len();
            scaled_sum(out, &x[at.clone()], gate[i], &y[at]);
        });
        Ok((CpuStorage::F32(out), lx.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gate: &Tensor,
        _: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (b, c) = gate.dims2()?;
        let rows = |t: &Tensor| t.contiguous()?.reshape((b * c, 1, ()));
        let grads = rows(grad)?;
        let of_x = grads.broadcast_mul(&gate.contiguous()?.reshape((b * c, 1, 1))?)?;
        let of_gate = grads.apply_op2_no_bwd(&rows(x)?, &RowProducts)?;
        Ok((
            Some(of_x.reshape(x.shape())?),
            Some(of_gate.reshape((b, c))?),
            Some(grad.clone()),
        ))
    }
}

/// `[x, y * by]` along the channels: `[b, c, ...]` and `[b, d, ...]` to `[b, c + d, ...]`.
pub struct Join {
    pub by: f32,
}

impl CustomOp2 for Join {
    fn name(&self) -> &'static str {
        "join"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        y: &CpuStorage,
        ly: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut dims = lx.dims().to_vec();
        let (rank, of_y) = (dims.len(), ly.dims());
        let alike = rank >= 2 && of_y.len() == rank;
        let alike = alike && dims[0] == of_y[0] && dims[2..] == of_y[2..];
        fit(self.name(), alike)?;
        let d = of_y[1];
        let n: usize = dims[2..].iter().product();
        let (c, b) = (dims[1], dims[0]);
        let (x, y) = (elements(x, lx)?, elements(y, ly)?);
        let out = par_parts(b * (c + d) * n, n, |i, out| {
            let (bi, ci) = (i / (c + d), i % (c + d));
            match ci.checked_sub(c) {
                None => out.copy_from_slice(&x[(bi * c + ci) * n..][..n]),
                Some(di) => scaled(out, &y[(bi * d + di) * n..][..n], self.by),
            }
        });
        dims[1] = c + d;
        Ok((CpuStorage::F32(out), Shape::from(dims)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let c = x.dim(1)?;
        let of_y = grad.narrow(1, c, y.dim(1)?)?;
        Ok((
            Some(grad.narrow(1, 0, c)?),
            Some((of_y * f64::from(self.by))?),
        ))
    }
}

/// `[b, c, f, 2h, 2w]` to `[b, 4c, f, h, w]`.
pub struct SpaceToDepth;

impl CustomOp1 for SpaceToDepth {
    fn name(&self) -> &'static str {
        "space-to-depth"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let (b, c, f, h, w) = lx.shape().dims5()?;
        fit(self.name(), h % 2 == 0 && w % 2 == 0 && w > 0)?;
        let (x, (h, w)) = (elements(x, lx)?, (h / 2, w / 2));
        let out = par_parts(x.len(), h * w, |i, out| {
            let (bc, part, fi) = (i / (4 * f), i / f % 4, i % f);
            let picture = &x[(bc * f + fi) * 4 * h * w..][..4 * h * w];
            let rows = picture.chunks_exact(2 * w).skip(part / 2).step_by(2);
            for (out, row) in out.chunks_exact_mut(w).zip(rows) {
                for (out, pair) in out.iter_mut().zip(row.as_chunks::<2>().0) {
                    *out = pair[part % 2];
                }
            }
        });
        Ok((CpuStorage::F32(out), Shape::from((b, 4 * c, f, h, w))))
    }
}

/// SiLU, then `[b, 4c, f, h, w]` to `[b, c, f, 2h, 2w]`.
pub struct SiluShuffle;

impl CustomOp1 for SiluShuffle {
    fn name(&self) -> &'static str {
        "silu-pixel-shuffle"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let (b, c, f, h, w) = lx.shape().dims5()?;
        fit(self.name(), c % 4 == 0 && w > 0)?;
        let (x, c) = (elements(x, lx)?, c / 4);
        let out = par_parts(x.len(), 4 * h * w, |i, out| {
            let (mut even, mut odd) = (vec![0f32; w], vec![0f32; w]);

            let (bc, fi) = (i / f, i % f);
            for (y, out) in out.chunks_exact_mut(2 * w).enumerate() {
                let row = |part: usize| {
                    let at = ((bc * 4 + y % 2 * 2 + part) * f + fi) * h * w + y / 2 * w;
                    &x[at..at + w]
                };
                silu_of(&mut even, row(0));
                silu_of(&mut odd, row(1));
                let pairs = even.iter().zip(odd.iter());
                for (out, (a, b)) in out.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
                    *out = [*a, *b];
                }
            }
        });
        Ok((CpuStorage::F32(out), Shape::from((b, c, f, 2 * h, 2 * w))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device, Tensor};

    /// A caller's mistake is an error, not what lies in memory there.
    #[test]
    fn operands_that_do_not_fit_are_refused() {
        let zeros = |dims: &[usize]| Tensor::zeros(dims, DType::F32, &Device::Cpu).unwrap();
        let x = zeros(&[2, 4, 3, 6, 6]);
        let added = |y: &[usize]| x.apply_op2_no_bwd(&zeros(y), &Add);
        assert!(added(&[2, 4, 3, 6, 6]).is_ok() && added(&[2, 4, 3, 6]).is_err());
        let joined = |y: &[usize]| x.apply_op2_no_bwd(&zeros(y), &Join { by: 1.0 });
        assert!(joined(&[2, 1, 3, 6, 6]).is_ok() && joined(&[2, 1, 3, 6, 5]).is_err());
        assert!(joined(&[1, 4, 3, 6, 6]).is_err() && joined(&[2]).is_err());
        let still = |y: &[usize]| x.apply_op2_no_bwd(&zeros(y), &AddStill);
        assert!(still(&[2, 4, 1, 6, 6]).is_ok() && still(&[1, 4, 1, 6, 6]).is_ok());
        assert!(still(&[2, 4, 3, 6, 6]).is_err() && still(&[1, 3, 1, 6, 6]).is_err());
        let gated = |gate: &[usize]| x.apply_op3_no_bwd(&zeros(gate), &x, &Gate);
        assert!(gated(&[2, 4]).is_ok() && gated(&[2, 3]).is_err() && gated(&[8]).is_err());
        assert!(x.apply_op1_no_bwd(&SpaceToDepth).is_ok());
        let odd = zeros(&[1, 4, 1, 5, 6]);
        assert!(odd.apply_op1_no_bwd(&SpaceToDepth).is_err());
        let three = zeros(&[1, 3, 1, 4, 4]);
        assert!(x.apply_op1_no_bwd(&SiluShuffle).is_ok());
        assert!(three.apply_op1_no_bwd(&SiluShuffle).is_err());
    }
}
