//! What stands between the layers (`kernels/pointwise.cu`).

use super::rows::{Rows, unit};
use super::{address, address_or_null, device_of, int, launch};
use crate::nn::Arithmetic;
use candle_core::{Error, Result, Tensor};

const THREADS: usize = 256;

fn blocks(rows: usize, units: usize) -> (usize, usize, usize) {
    ((rows * units).div_ceil(THREADS), 1, 1)
}

fn mismatch(x: &Rows, y: &Rows) -> Error {
    Error::Msg(format!(
        "{:?} with {} channels and {:?} with {}",
        x.dims, x.channels, y.dims, y.channels
    ))
}

/// `x + y`.
///
/// # Errors
/// On mismatched shapes.
pub fn add(x: &Rows, y: &Rows) -> Result<Rows> {
    sum(x, y, None)
}

/// `x * gate + y`, gate `[b, c]`.
///
/// # Errors
/// On mismatched shapes.
pub fn gated(x: &Rows, gate: &Tensor, y: &Rows) -> Result<Rows> {
    if gate.dims() != [x.dims[0], x.channels] {
        return Err(Error::Msg("a gate of another shape".into()));
    }
    sum(x, y, Some(&gate.contiguous()?))
}

fn sum(x: &Rows, y: &Rows, gate: Option<&Tensor>) -> Result<Rows> {
    let v = unit(x.dtype());
    if x.dims != y.dims
        || x.channels != y.channels
        || x.dtype() != y.dtype()
        || !x.channels.is_multiple_of(v)
    {
        return Err(mismatch(x, y));
    }
    let out = Rows::new(x.tensor(), x.dims, x.channels, x.dtype())?;
    let units = x.channels / v;
    launch!(
        device_of(x.tensor())?,
        super::POINTWISE,
        format!("gated_sum_{}", x.name()),
        blocks(x.positions(), units),
        THREADS,
        0,
        x.address()?,
        y.address()?,
        address_or_null(gate)?,
        out.address()?,
        int(x.positions())?,
        int(units)?,
        int(x.stride)?,
        int(y.stride)?,
        int(x.positions_each())?,
    );
    Ok(out)
}

/// `[x, y * by]` along the channels; y's channels fill units up with zeros.
///
/// # Errors
/// On mismatched shapes.
pub fn joined(x: &Rows, y: &Rows, by: f64) -> Result<Rows> {
    let v = unit(x.dtype());
    if x.dims != y.dims || x.dtype() != y.dtype() || !x.channels.is_multiple_of(v) {
        return Err(mismatch(x, y));
    }
    let y_units = y.channels.div_ceil(v);
    let out = Rows::new(x.tensor(), x.dims, x.channels + y_units * v, x.dtype())?;
    let x_units = x.channels / v;
    launch!(
        device_of(x.tensor())?,
        super::POINTWISE,
        format!("join_{}", x.name()),
        blocks(x.positions(), x_units + y_units),
        THREADS,
        0,
        x.address()?,
        y.address()?,
        out.address()?,
        int(x.positions())?,
        int(x_units)?,
        int(y_units)?,
        int(x.stride)?,
        int(y.stride)?,
        by as f32,
    );
    out.first(x.channels + y.channels)
}

/// Pictures side by side along the channels: each `[b or 1, c, f or 1, h, w]`, `f32`.
///
/// # Errors
/// On mismatched shapes.
pub fn channels_joined(parts: &[Tensor], dims: [usize; 4], arithmetic: Arithmetic) -> Result<Rows> {
    let fits = |t: &Tensor| {
        let [b, _, f, h, w] = *t.dims() else {
            return false;
        };
        (b == 1 || b == dims[0]) && (f == 1 || f == dims[1]) && [h, w] == dims[2..]
    };
    let Some(last) = parts.last().filter(|_| parts.iter().all(fits)) else {
        return Err(Error::Msg("pictures of different shapes".into()));
    };
    let channels = parts.iter().map(|t| t.dim(1)).sum::<Result<usize>>()?;
    let dtype = arithmetic.dtype();
    let stride = channels.next_multiple_of(unit(dtype));
    // Every channel is written, those that fill up too.
    let out = Rows::new(last, dims, stride, dtype)?;
    let mut at = 0;
    for (i, part) in parts.iter().enumerate() {
        let end = at + part.dim(1)?;
        let whole = if i + 1 == parts.len() { stride } else { end };
        out.fill(&part.contiguous()?, at, whole)?;
        at = end;
    }
    out.first(channels)
}

/// `n` copies of every sample, one whole batch after the other.
///
/// # Errors
/// When the device fails.
pub fn repeated(x: &Rows, n: usize) -> Result<Rows> {
    let v = unit(x.dtype());
    if x.stride != x.channels.next_multiple_of(v) {
        return Err(Error::Msg("a part of wider rows cannot be repeated".into()));
    }
    let [b, f, h, w] = x.dims;
    let out = Rows::new(x.tensor(), [n * b, f, h, w], x.stride, x.dtype())?;
    launch!(
        device_of(x.tensor())?,
        super::POINTWISE,
        "repeat",
        blocks(out.positions(), x.stride / v),
        THREADS,
        0,
        x.address()?,
        out.address()?,
        int(x.positions() * x.stride / v)?,
        int(n)?,
    );
    out.first(x.channels)
}

/// Temporal PEG; weight `[c, 3]`, bias `[c]`.
///
/// # Errors
/// On mismatched shapes.
pub fn peg(x: &Rows, weight: &Tensor, bias: &Tensor) -> Result<Rows> {
    let (c, v) = (x.channels, unit(x.dtype()));
    if weight.dims() != [c, 3] || bias.dims() != [c] || c % v != 0 {
        return Err(Error::Msg(format!("weights of other than {c} channels")));
    }
    let (weight, bias) = (weight.contiguous()?, bias.contiguous()?);
    let out = Rows::new(x.tensor(), x.dims, c, x.dtype())?;
    let [_, frames, h, w] = x.dims;
    launch!(
        device_of(x.tensor())?,
        super::POINTWISE,
        format!("peg_{}", x.name()),
        blocks(x.positions(), c / v),
        THREADS,
        0,
        x.address()?,
        address(&weight)?,
        address(&bias)?,
        out.address()?,
        int(x.positions())?,
        int(c / v)?,
        int(x.stride)?,
        int(frames)?,
        int(h * w)?,
    );
    Ok(out)
}
