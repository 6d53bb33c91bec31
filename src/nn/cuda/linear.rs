//! Products of few rows, and the global context's gate (`kernels/linear.cu`).

use super::norm::{lanes, rows_a_chunk};
use super::rows::{Rows, unit};
use super::{address, address_or_null, device_of, int, launch, uninitialised};
use candle_core::{DType, Error, Result, Tensor};

const THREADS: usize = 256;

/// Rows of the greatest chunk that is pooled: their weights are kept in shared memory.
const MOST_ROWS: usize = 4096;

/// `x W^T + b` over the last dimension; weight `[out, in]`. `silu` says whether SiLU is applied before,
/// and after.
///
/// # Errors
/// On mismatched shapes.
pub fn linear(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    silu: (bool, bool),
) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let mut dims = x.dims().to_vec();
    let fits = dims.pop() == Some(inputs)
        && [x, weight].iter().all(|t| t.dtype() == DType::F32)
        && bias.is_none_or(|b| b.dims() == [outputs]);
    if !fits {
        return Err(Error::Msg(format!(
            "{:?} for weights of {inputs} inputs",
            x.dims()
        )));
    }
    let rows: usize = dims.iter().product();
    dims.push(outputs);
    let (x, weight) = (x.contiguous()?, weight.contiguous()?);
    let bias = bias.map(Tensor::contiguous).transpose()?;
    let out = uninitialised(device_of(&x)?, &dims, DType::F32)?;
    launch!(
        device_of(&x)?,
        super::LINEAR,
        "linear_f32",
        ((rows * outputs).div_ceil(THREADS / 32), 1, 1),
        THREADS,
        0,
        address(&x)?,
        address(&weight)?,
        address_or_null(bias.as_ref())?,
        address(&out)?,
        int(rows)?,
        int(inputs)?,
        int(outputs)?,
        i32::from(silu.0),
        i32::from(silu.1),
    );
    Ok(out)
}

/// Global context: rows pooled by attention with scores `<x, k> + bias`, and two layers to a gate
/// `[b, c]`. `to_k` `[1, c]` and `[1]`; the layers' weights are `[inner, c]` and `[c, inner]`.
///
/// # Errors
/// On mismatched shapes.
pub fn pooled_gate(
    x: &Rows,
    to_k: &(Tensor, Tensor),
    hidden: &(Tensor, Tensor),
    out: &(Tensor, Tensor),
) -> Result<Tensor> {
    let (c, v, b) = (x.channels, unit(x.dtype()), x.dims[0]);
    let inner = hidden.0.dim(0)?;
    let fits = to_k.0.elem_count() == c
        && to_k.1.elem_count() == 1
        && hidden.0.dims() == [inner, c]
        && hidden.1.dims() == [inner]
        && out.0.dims() == [c, inner]
        && out.1.dims() == [c];
    if !fits || c % v != 0 || c > THREADS * v {
        return Err(Error::Msg(format!("{c} channels cannot be pooled so")));
    }
    let device = device_of(x.tensor())?;
    let positions = x.positions_each();
    let beside = THREADS / (c / v);
    let chunk = rows_a_chunk(positions, beside).clamp(256, MOST_ROWS);
    let chunks = positions.div_ceil(chunk);
    let pooled = uninitialised(device, &[b, chunks, 2 + c], DType::F32)?;
    let gate = uninitialised(device, &[b, c], DType::F32)?;
    let float = size_of::<f32>();
    launch!(
        device,
        super::LINEAR,
        format!("pool_{}", x.name()),
        (chunks, b, 1),
        THREADS,
        (chunk + beside * c) * float,
        x.address()?,
        address(&to_k.0)?,
        address(&to_k.1)?,
        address(&pooled)?,
        int(positions)?,
        int(c)?,
        int(x.stride)?,
        int(chunk)?,
        int(lanes(c / v))?,
    );
    let beside = (THREADS / c).max(1);
    launch!(
        device,
        super::LINEAR,
        "gate_f32",
        (b, 1, 1),
        THREADS,
        (chunks + beside * c + c + inner) * float,
        address(&pooled)?,
        address(&hidden.0)?,
        address(&hidden.1)?,
        address(&out.0)?,
        address(&out.1)?,
        address(&gate)?,
        int(chunks)?,
        int(c)?,
        int(inner)?,
    );
    Ok(gate)
}
