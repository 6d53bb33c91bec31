//! The three attentions (`kernels/attention.cu`).

use super::conv::Conv;
use super::norm::{Band, channel_norm_band};
use super::rows::Rows;
use super::{
    UNIT, address, address_or_null, attention_source, channel_norm, device_of, int, launch,
    uninitialised,
};
use crate::nn::{Arithmetic, Interrupt};
use candle_core::cuda_backend::cudarc::driver::DeviceRepr;
use candle_core::{DType, Error, Result, Tensor};

/// Keys that pass by together.
const KEYS: usize = 64;

/// Rows that a block of the attention over frames takes, and the null key's step behind them.
const FRAME_ROWS: usize = 64;
const FRAME_KEYS: usize = FRAME_ROWS + 16;

/// Queries, keys and values of a band of pixels take about as much as stays in a GPU's cache.
const BAND_BYTES: usize = 32 << 20;

/// A layer's weights. Queries come out scaled.
pub struct Layer<'a> {
    /// Gains of the norms before and after.
    pub norms: (&'a Tensor, &'a Tensor),
    /// From channels to queries, head after head; for the self-attentions to one key and one value behind
    /// them, too.
    pub inward: &'a Conv,
    pub outward: &'a Conv,
    /// `[2, d]`
    pub null_kv: &'a Tensor,
    pub heads: usize,
    pub d: usize,
    pub eps: f32,
}

impl Layer<'_> {
    fn inner(&self) -> usize {
        self.heads * self.d
    }

    /// The kernel of this arithmetic and width.
    fn kernel(&self, name: &str) -> Result<String> {
        if ![16, 32, 64].contains(&self.d) {
            return Err(Error::Msg(format!(
                "attention heads of width {} are not supported on a GPU; they are 16, 32 or 64",
                self.d
            )));
        }
        Ok(format!("{name}_{}_{}", self.inward.arithmetic(), self.d))
    }

    fn element(&self) -> usize {
        self.inward.arithmetic().dtype().size_in_bytes()
    }

    /// Back to channels, norm and residual.
    fn finish(&self, x: &Rows, attended: &Rows) -> Result<Rows> {
        let attended = attended.first(self.inner())?;
        let out = self.outward.forward(&attended)?;
        channel_norm(&out, self.norms.1, Some(x), self.eps)
    }
}

/// Causal attention over the frames of every pixel, with the residual. `bias` `[heads, f]` by distance in
/// frames, `null_bias` `[heads]`.
///
/// # Errors
/// On mismatched shapes, or when interrupted.
pub fn frames(
    x: &Rows,
    layer: &Layer,
    bias: &Tensor,
    null_bias: &Tensor,
    interrupt: &Interrupt,
) -> Result<Rows> {
    let [b, f, h, w] = x.dims;
    if bias.dims() != [layer.heads, f] || null_bias.dims() != [layer.heads] {
        return Err(Error::Msg("a bias of another shape".into()));
    }
    let (bias, null_bias) = (bias.contiguous()?, null_bias.contiguous()?);
    let kernel = layer.kernel("attend_frames")?;
    let width = layer.inward.outputs();
    let size = h * w;
    let band = (BAND_BYTES / (b * f * width * layer.element())).clamp(1, size);
    let row = layer.d * layer.element() + UNIT;
    let values_row = FRAME_KEYS * layer.element() + UNIT;
    let shared = FRAME_KEYS * row
        + layer.d * values_row
        + 4 * FRAME_ROWS
        + layer.heads * f * size_of::<f32>();
    let out = Rows::new(x.tensor(), x.dims, x.channels, x.dtype())?;
    for start in (0..size).step_by(band) {
        interrupt.check()?;
        let pixels = band.min(size - start);
        let band = Band { start, pixels };
        let normed = Rows::new(x.tensor(), [b, f, 1, pixels], x.channels, x.dtype())?;
        channel_norm_band((x, &normed), layer.norms.0, None, band, layer.eps)?;
        let rows = layer.inward.forward(&normed)?;
        let tiles = if f <= FRAME_ROWS {
            pixels.div_ceil(FRAME_ROWS / f)
        } else {
            pixels * f.div_ceil(FRAME_ROWS)
        };
        launch!(
            device_of(x.tensor())?,
            attention_source(layer.inward.arithmetic()),
            kernel,
            (tiles, b, 1),
            128,
            shared,
            Frames {
                frames: int(f)?,
                size: int(pixels)?,
                heads: int(layer.heads)?,
                stride: int(rows.stride)?,
                key_offset: int(layer.inner())?,
            },
            rows.address()?,
            address(layer.null_kv)?,
            address(&bias)?,
            address(&null_bias)?,
            0i32,
        );
        let rows = rows.first(layer.inner())?;
        let back = layer.outward.forward(&rows)?;
        channel_norm_band((&back, &out), layer.norms.1, Some(x), band, layer.eps)?;
    }
    Ok(out)
}

/// Attention over all positions of a sample, with the residual.
///
/// # Errors
/// On mismatched shapes.
pub fn middle(x: &Rows, layer: &Layer) -> Result<Rows> {
    let normed = channel_norm(x, layer.norms.0, None, layer.eps)?;
    let rows = layer.inward.forward(&normed)?;
    let positions = x.positions_each();
    let keys = packed_keys(
        layer,
        rows.tensor(),
        (
            rows.address()? + (layer.inner() * layer.element()) as u64,
            rows.name(),
        ),
        &KeySource {
            batch: x.dims[0],
            heads: 1,
            keys: positions,
            batch_stride: positions * rows.stride,
            head_stride: 0,
            key_stride: rows.stride,
            to_value: layer.d,
        },
    )?;
    attend(layer, &rows, &keys)?;
    layer.finish(x, &rows)
}

/// Attention of every position to a few tokens, with the residual. `kv` `[b, m, 2, heads, d]`, `f32`.
///
/// # Errors
/// On mismatched shapes.
pub fn tokens(x: &Rows, layer: &Layer, kv: &Tensor) -> Result<Rows> {
    let (b, m, inner) = (x.dims[0], kv.dim(1)?, layer.inner());
    if kv.dims() != [b, m, 2, layer.heads, layer.d] || kv.dtype() != DType::F32 {
        return Err(Error::Msg("keys of another shape".into()));
    }
    let kv = kv.contiguous()?;
    let normed = channel_norm(x, layer.norms.0, None, layer.eps)?;
    let rows = layer.inward.forward(&normed)?;
    let keys = packed_keys(
        layer,
        &kv,
        (address(&kv)?, "f32"),
        &KeySource {
            batch: b,
            heads: layer.heads,
            keys: m,
            batch_stride: 2 * m * inner,
            head_stride: layer.d,
            key_stride: 2 * inner,
            to_value: inner,
        },
    )?;
    attend(layer, &rows, &keys)?;
    layer.finish(x, &rows)
}

/// Keys and values as the kernel reads them, the null key among them.
struct Packed {
    keys: Tensor,
    values: Tensor,
    count: usize,
    padded: usize,
    heads: usize,
}

struct KeySource {
    batch: usize,
    heads: usize,
    keys: usize,
    batch_stride: usize,
    head_stride: usize,
    key_stride: usize,
    to_value: usize,
}

fn packed_keys(
    layer: &Layer,
    like: &Tensor,
    (from, kind): (u64, &str),
    source: &KeySource,
) -> Result<Packed> {
    let dtype = layer.inward.arithmetic().dtype();
    let count = source.keys + 1;
    let padded = count.next_multiple_of(KEYS);
    let device = device_of(like)?;
    let shape = [source.batch, source.heads, padded, layer.d];
    let keys = uninitialised(device, &shape, dtype)?;
    let values = uninitialised(device, &shape, dtype)?;
    let elements = keys.elem_count();
    let long = |n: usize| i64::try_from(n).map_err(|_| Error::Msg("too many keys".into()));
    let kernel = match (kind, layer.inward.arithmetic()) {
        ("f32", Arithmetic::Bf16) => "pack_keys_f32_bf16",
        ("bf16", _) => "pack_keys_bf16",
        (_, Arithmetic::Tf32) => "pack_keys_tf32",
        _ => "pack_keys_f32",
    };
    launch!(
        device,
        attention_source(layer.inward.arithmetic()),
        kernel,
        (elements.div_ceil(256), 1, 1),
        256,
        0,
        Keys {
            batch_stride: long(source.batch_stride)?,
            head_stride: long(source.head_stride)?,
            key_stride: long(source.key_stride)?,
            to_value: long(source.to_value)?,
            keys: int(source.keys)?,
            padded: int(padded)?,
            heads: int(source.heads)?,
            width: int(layer.d)?,
        },
        from,
        address_or_null(Some(layer.null_kv))?,
        address(&keys)?,
        address(&values)?,
        int(elements)?,
    );
    Ok(Packed {
        keys,
        values,
        count,
        padded,
        heads: source.heads,
    })
}

/// In the rows' own place the queries become the results.
fn attend(layer: &Layer, rows: &Rows, keys: &Packed) -> Result<()> {
    const WARPS: usize = 8;
    let (queries, element) = (rows.positions_each(), layer.element());
    let tile = KEYS * (layer.d * element + UNIT) + layer.d * (KEYS * element + UNIT);
    let buffers = if element == 2 { 2 } else { 1 };
    launch!(
        device_of(rows.tensor())?,
        attention_source(layer.inward.arithmetic()),
        layer.kernel("attend")?,
        (queries.div_ceil(16 * WARPS), layer.heads, rows.dims[0]),
        32 * WARPS,
        buffers * tile,
        Attend {
            queries: int(queries)?,
            keys: int(keys.count)?,
            padded: int(keys.padded)?,
            heads: int(layer.heads)?,
            kv_heads: int(keys.heads)?,
            q_stride: int(rows.stride)?,
            out_stride: int(rows.stride)?,
        },
        rows.address()?,
        address(&keys.keys)?,
        address(&keys.values)?,
        rows.address()?,
    );
    Ok(())
}

/// As in attention.cu, the three of them.
#[repr(C)]
struct Frames {
    frames: i32,
    size: i32,
    heads: i32,
    stride: i32,
    key_offset: i32,
}

#[repr(C)]
struct Keys {
    batch_stride: i64,
    head_stride: i64,
    key_stride: i64,
    to_value: i64,
    keys: i32,
    padded: i32,
    heads: i32,
    width: i32,
}

#[repr(C)]
struct Attend {
    queries: i32,
    keys: i32,
    padded: i32,
    heads: i32,
    kv_heads: i32,
    q_stride: i32,
    out_stride: i32,
}

// SAFETY: plain numbers, laid out as the kernel's own structure.
unsafe impl DeviceRepr for Frames {}
// SAFETY: as above.
unsafe impl DeviceRepr for Keys {}
// SAFETY: as above.
unsafe impl DeviceRepr for Attend {}
