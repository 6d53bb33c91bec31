//! Norms over rows (`kernels/norm.cu`).

use super::rows::{Rows, unit};
use super::{address, address_or_null, device_of, int, launch, uninitialised};
use candle_core::cuda_backend::cudarc::driver::DeviceRepr;
use candle_core::{DType, Error, Result, Tensor};

const THREADS: usize = 256;

/// Positions of a sample that one block passes over: enough for a thread to have some, few enough for
/// many blocks.
pub(super) fn rows_a_chunk(positions: usize, beside: usize) -> usize {
    const MOST_CHUNKS: usize = 512;
    const EACH: usize = 8;
    (beside * EACH).max(positions.div_ceil(MOST_CHUNKS))
}

/// Lanes that share a row of so many units: a power of two of them.
pub(super) fn lanes(units: usize) -> usize {
    1 << units.clamp(1, 32).ilog2()
}

/// GroupNorm, then `x * (scale + 1) + shift`, then SiLU. `affine` `[2, c]`; `scale_shift` `[b, 2c]`.
///
/// # Errors
/// On mismatched shapes.
pub fn group_norm_silu(
    x: &Rows,
    affine: &Tensor,
    scale_shift: Option<&Tensor>,
    groups: usize,
    eps: f64,
) -> Result<Rows> {
    let (c, v, b) = (x.channels, unit(x.dtype()), x.dims[0]);
    if c % groups != 0 || c % v != 0 || c > THREADS * v || affine.dims() != [2, c] {
        return Err(Error::Msg(format!("{c} channels cannot be normed so")));
    }
    if scale_shift.is_some_and(|s| s.dims() != [b, 2 * c]) {
        return Err(Error::Msg("a scale and shift of another shape".into()));
    }
    let device = device_of(x.tensor())?;
    let positions = x.positions_each();
    let beside = THREADS / (c / v);
    let chunk = rows_a_chunk(positions, beside);
    let chunks = positions.div_ceil(chunk);
    let sums = uninitialised(device, &[b, chunks, c, 2], DType::F32)?;
    let gains = uninitialised(device, &[b, 2, c], DType::F32)?;
    let scale_shift = scale_shift.map(Tensor::contiguous).transpose()?;
    let affine = affine.contiguous()?;
    let out = Rows::new(x.tensor(), x.dims, c, x.dtype())?;
    launch!(
        device,
        super::NORM,
        format!("group_sums_{}", x.name()),
        (chunks, b, 1),
        THREADS,
        beside * c * size_of::<[f32; 2]>(),
        x.address()?,
        address(&sums)?,
        int(positions)?,
        int(c)?,
        int(x.stride)?,
        int(chunk)?,
    );
    launch!(
        device,
        super::NORM,
        format!("group_gains_{}", x.name()),
        (groups, b, 1),
        THREADS,
        c / groups * size_of::<[f64; 2]>(),
        x.address()?,
        address(&sums)?,
        address(&affine)?,
        address_or_null(scale_shift.as_ref())?,
        address(&gains)?,
        int(positions)?,
        int(c)?,
        int(x.stride)?,
        int(chunks)?,
        eps,
    );
    launch!(
        device,
        super::NORM,
        format!("group_apply_{}", x.name()),
        (chunks, b, 1),
        THREADS,
        0,
        x.address()?,
        address(&gains)?,
        out.address()?,
        int(positions)?,
        int(c)?,
        int(x.stride)?,
        int(chunk)?,
    );
    Ok(out)
}

/// Some pixels of every frame, from `start` on.
#[derive(Clone, Copy)]
pub(super) struct Band {
    pub start: usize,
    pub pixels: usize,
}

/// Layer norm over channels with a gain `[c]`; `before` is added where there is one.
///
/// # Errors
/// On mismatched shapes.
pub fn channel_norm(x: &Rows, gain: &Tensor, before: Option<&Rows>, eps: f32) -> Result<Rows> {
    let out = Rows::new(x.tensor(), x.dims, x.channels, x.dtype())?;
    let all = Band {
        start: 0,
        pixels: x.dims[2] * x.dims[3],
    };
    channel_norm_band((x, &out), gain, before, all, eps)?;
    Ok(out)
}

/// As [`channel_norm`], of a band: x and the result have the pixels of the whole or those of the band
/// alone, `[b, f, 1, pixels]`.
pub(super) fn channel_norm_band(
    (x, out): (&Rows, &Rows),
    gain: &Tensor,
    before: Option<&Rows>,
    band: Band,
    eps: f32,
) -> Result<()> {
    let (c, v) = (x.channels, unit(x.dtype()));
    let size = |r: &Rows| r.dims[2] * r.dims[3];
    let whole = size(x).max(size(out));
    let fits = |r: &Rows| {
        r.dims[..2] == x.dims[..2]
            && r.channels == c
            && r.dtype() == x.dtype()
            && (size(r) == whole || size(r) == band.pixels)
    };
    let before_fits = before.is_none_or(|r| fits(r) && size(r) == whole);
    if c % v != 0
        || gain.dims() != [c]
        || !fits(x)
        || !fits(out)
        || out.stride != c
        || !before_fits
        || band.start + band.pixels > whole
    {
        return Err(Error::Msg(format!("{c} channels cannot be normed so")));
    }
    let gain = gain.contiguous()?;
    let lanes = lanes(c / v);
    let rows = x.dims[0] * x.dims[1] * band.pixels;
    launch!(
        device_of(x.tensor())?,
        super::NORM,
        format!("channel_norm_{}", x.name()),
        (rows.div_ceil(THREADS / lanes), 1, 1),
        THREADS,
        0,
        x.address()?,
        address(&gain)?,
        before.map_or(Ok(0), Rows::address)?,
        out.address()?,
        BandOf {
            band: int(band.pixels)?,
            size: int(whole)?,
            start: int(band.start)?,
        },
        int(rows)?,
        int(c)?,
        int(x.stride)?,
        int(before.map_or(0, |r| r.stride))?,
        i32::from(size(x) == whole),
        i32::from(size(out) == whole),
        int(lanes)?,
        eps,
    );
    Ok(())
}

/// As in norm.cu.
#[repr(C)]
struct BandOf {
    band: i32,
    size: i32,
    start: i32,
}

// SAFETY: plain numbers, laid out as the kernel's own structure.
unsafe impl DeviceRepr for BandOf {}
