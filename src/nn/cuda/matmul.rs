//! Products of small matrices (`kernels/matmul.cu`).

use super::{address, device_of, int, launch, uninitialised};
use candle_core::{D, DType, Error, Result, Tensor};

/// Rows and columns of the results that a block computes.
const SIDE: usize = 16;

/// As [`crate::nn::matmul`].
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (m, k) = (a.dim(D::Minus2)?, a.dim(D::Minus1)?);
    let p = b.dim(D::Minus1)?;
    let leading = |t: &Tensor| t.dims()[..t.rank() - 2].to_vec();
    let (of_a, of_b) = (leading(a), leading(b));
    let count = |dims: &[usize]| dims.iter().product::<usize>();
    let same = of_a == of_b || count(&of_a) == 1 || count(&of_b) == 1;
    if b.dim(D::Minus2)? != k || !same || [a, b].iter().any(|t| t.dtype() != DType::F32) {
        return Err(Error::Msg(format!(
            "no product of {:?} and {:?} in f32",
            a.dims(),
            b.dims()
        )));
    }
    let mut dims = if count(&of_a) == 1 && of_a.len() <= of_b.len() {
        of_b.clone()
    } else {
        of_a.clone()
    };
    let batch = count(&dims);
    dims.extend([m, p]);
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
        i32::from(count(&of_a) == 1),
        i32::from(count(&of_b) == 1),
    );
    Ok(out)
}
