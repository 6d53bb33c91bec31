//! Products of small matrices (`kernels/matmul.cu`).

use super::{address, device_of, int, launch, uninitialised};
use candle_core::{D, DType, Error, Result, Tensor};

/// Rows and columns of the results that a block computes.
const SIDE: usize = 16;

/// As [`crate::nn::matmul`].
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (m, k) = (a.dim(D::Minus2)?, a.dim(D::Minus1)?);
    let (k_of_b, p) = (b.dim(D::Minus2)?, b.dim(D::Minus1)?);
    let (of_a, of_b) = (&a.dims()[..a.rank() - 2], &b.dims()[..b.rank() - 2]);
    let count = |dims: &[usize]| dims.iter().product::<usize>();
    // What one operand has alone is the same for all of the other's.
    let leading = if of_a == of_b || count(of_b) == 1 && of_b.len() <= of_a.len() {
        Some(of_a)
    } else if count(of_a) == 1 && of_a.len() <= of_b.len() {
        Some(of_b)
    } else {
        None
    };
    let known = k_of_b == k && [a, b].iter().all(|t| t.dtype() == DType::F32);
    let Some(leading) = leading.filter(|_| known) else {
        return Err(Error::Msg(format!(
            "no product of {:?} and {:?} in f32",
            a.dims(),
            b.dims()
        )));
    };
    let (batch, one_a, one_b) = (count(leading), count(of_a) == 1, count(of_b) == 1);
    let dims = [leading, &[m, p]].concat();
    let (a, b) = (a.contiguous()?, b.contiguous()?);
    let out = uninitialised(device_of(&a)?, &dims, DType::F32)?;
    launch!(
        device_of(&a)?,
        super::MATMUL,
        "matmul_f32",
        (m.div_ceil(SIDE), p.div_ceil(SIDE), batch),
        SIDE * SIDE,
        0,
        address(&a)?,
        address(&b)?,
        address(&out)?,
        int(m)?,
        int(k)?,
        int(p)?,
        i32::from(one_a),
        i32::from(one_b),
    );
    Ok(out)
}
