//! Convolutions of every kind as one product of matrices (`kernels/conv.cuh`).

use super::block::{Block, CHUNK_UNITS, Span, swizzled};
use super::boxes::Boxes;
use super::rows::{Rows, unit};
use super::{UNIT, address, address_or_null, conv_source, int, launch, upload};
use crate::nn::{Arithmetic, Backend};
use candle_core::cuda_backend::cudarc::driver::DeviceRepr;
use candle_core::{CudaDevice, DType, Device, Error, Result, Tensor};
use half::bf16;

/// A convolution's weights as a kernel reads them.
#[derive(Clone, Debug)]
pub struct Conv {
    weights: Tensor,
    bias: Option<Tensor>,
    taps: Tensor,
    tap_count: usize,
    tap_units: usize,
    /// What the taps span, where a box of positions is copied with what is around it.
    span: Option<Span>,
    inputs: usize,
    outputs: usize,
    block: Block,
    arithmetic: Arithmetic,
}

/// What a weight is asked for by.
pub struct Shape<'a> {
    pub outputs: usize,
    pub inputs: usize,
    /// Frame, row and column of each tap, relative to the position.
    pub taps: &'a [[i8; 3]],
    /// Whether the result has the operand's positions, one for one.
    pub same: bool,
}

/// How the kernel writes its results.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Rows = 0,
    Pixels = 1,
    Planes = 2,
}

/// Where results go: memory, elements from one position to the next, the first channel.
type Target = (u64, usize, usize);

impl Conv {
    /// `weight(output, tap, input)`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(
        backend: &Backend,
        shape: &Shape,
        bias: Option<&Tensor>,
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> Result<Self> {
        let device = backend.device.as_cuda_device()?;
        let arithmetic = backend.arithmetic;
        let v = unit(arithmetic.dtype());
        let (outputs, inputs, taps) = (shape.outputs, shape.inputs, shape.taps.len());
        let tap_units = inputs.div_ceil(v);
        let span = Span::of(shape.taps);
        let tile = Block::tile(outputs, arithmetic);
        let boxed =
            taps > 1 && shape.same && Boxes::fit(tile, span, taps, tap_units.div_ceil(CHUNK_UNITS));
        let block = if boxed { tile } else { Block::gather(outputs) };
        // A chunk of a row of weights: of one tap, or of the taps one after the other.
        let chunks = if boxed {
            tap_units.div_ceil(CHUNK_UNITS) * taps
        } else {
            (tap_units * taps).div_ceil(CHUNK_UNITS)
        };
        let place = |tap: usize, unit: usize| {
            if boxed {
                let (chunk, within) = (unit / CHUNK_UNITS, unit % CHUNK_UNITS);
                (chunk * taps + tap, within)
            } else {
                let at = tap * tap_units + unit;
                (at / CHUNK_UNITS, at % CHUNK_UNITS)
            }
        };
        let blocks = outputs.div_ceil(block.channels);
        let stage = block.channels * CHUNK_UNITS * v;
        let mut values = vec![0f32; blocks * chunks * stage];
        for o in 0..outputs {
            let (part, row) = (o / block.channels, block.row_of(o % block.channels));
            for tap in 0..taps {
                for c in 0..inputs {
                    let (chunk, unit) = place(tap, c / v);
                    let start = (part * chunks + chunk) * stage + swizzled(row, unit) * v;
                    values[start + c % v] = weight(o, tap, c);
                }
            }
        }
        let packed: Vec<u32> = shape.taps.iter().map(|t| packed_tap(*t)).collect();
        Ok(Self {
            weights: stored(values, arithmetic, device)?,
            bias: bias
                .map(|b| b.to_device(&backend.device)?.contiguous())
                .transpose()?,
            taps: upload(&packed, device)?,
            tap_count: taps,
            tap_units,
            span: boxed.then_some(span),
            inputs,
            outputs,
            block,
            arithmetic,
        })
    }

    pub fn arithmetic(&self) -> Arithmetic {
        self.arithmetic
    }

    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// # Errors
    /// On mismatched shapes.
    pub fn forward(&self, x: &Rows) -> Result<Rows> {
        let [_, f, h, w] = x.dims;
        self.forward_to(x, [f, h, w], (1, 1))
    }

    /// Results of so many frames, rows and columns, at these strides over frames and in space.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn forward_to(
        &self,
        x: &Rows,
        [f, h, w]: [usize; 3],
        strides: (usize, usize),
    ) -> Result<Rows> {
        let dims = [x.dims[0], f, h, w];
        let out = Rows::new(x.tensor(), dims, self.outputs, self.arithmetic.dtype())?;
        let target = (out.address()?, out.stride, 0);
        self.run(x, Form::Rows, target, [f, h, w], strides)?;
        Ok(out)
    }

    /// Results into channels `at ..` of rows that are there.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn write(&self, x: &Rows, out: &Rows, at: usize) -> Result<()> {
        let [_, f, h, w] = x.dims;
        let target = (out.address()?, out.stride, at);
        self.run(x, Form::Rows, target, [f, h, w], (1, 1))
    }

    /// SiLU of the results, of which the four quarters are the pixels of a square, upper left first.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn pixels(&self, x: &Rows) -> Result<Rows> {
        let [b, f, h, w] = x.dims;
        let dtype = self.arithmetic.dtype();
        let out = Rows::new(x.tensor(), [b, f, 2 * h, 2 * w], self.outputs / 4, dtype)?;
        let target = (out.address()?, out.stride, 0);
        self.run(x, Form::Pixels, target, [f, h, w], (1, 1))?;
        Ok(out)
    }

    /// Results as `f32`, `[b, channels, f, h, w]`, contiguous.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn planes(
        &self,
        x: &Rows,
        [f, h, w]: [usize; 3],
        strides: (usize, usize),
    ) -> Result<Tensor> {
        let shape = [x.dims[0], self.outputs, f, h, w];
        let out = super::uninitialised(super::device_of(x.tensor())?, &shape, DType::F32)?;
        self.run(x, Form::Planes, (address(&out)?, 0, 0), [f, h, w], strides)?;
        Ok(out)
    }

    fn run(
        &self,
        x: &Rows,
        form: Form,
        (out, stride, offset): Target,
        [frames, height, width]: [usize; 3],
        strides: (usize, usize),
    ) -> Result<()> {
        let v = unit(x.dtype());
        if x.channels != self.inputs || x.dtype() != self.arithmetic.dtype() {
            return Err(Error::Msg(format!(
                "{} channels of {:?} for weights of {}",
                x.channels,
                x.dtype(),
                self.inputs
            )));
        }
        let [batch, x_frames, x_height, x_width] = x.dims;
        let positions = batch * frames * height * width;
        // Taps reach past the end by no more than a kernel.
        int(batch * x_frames * x_height * x_width + 16 * x_width * (1 + x_height))?;
        let result = ResultOf {
            frames: int(frames)?,
            height: int(height)?,
            width: int(width)?,
            outputs: int(self.outputs)?,
            stride: int(stride)?,
            offset: int(offset)?,
            form: form as i32,
        };
        let device = super::device_of(x.tensor())?;
        let source = conv_source(self.arithmetic);
        let block = self.block;
        let parts = self.outputs.div_ceil(block.channels);
        if let Some(span) = self.span {
            let fits = strides == (1, 1) && x.dims == [batch, frames, height, width];
            let chunks = self.tap_units.div_ceil(CHUNK_UNITS);
            let boxes = Boxes::choose(block, span, self.tap_count, chunks, x.dims)
                .filter(|_| fits)
                .ok_or_else(|| Error::Msg("weights that were arranged for another shape".into()))?;
            let ints =
                |n: [usize; 3]| -> Result<[i32; 3]> { Ok([int(n[0])?, int(n[1])?, int(n[2])?]) };
            launch!(
                device,
                source,
                format!("tile_{}_{}", self.arithmetic, block.channels),
                (boxes.number, parts, 1),
                block.threads,
                boxes.shared_bytes,
                Tile {
                    y: result,
                    batch: int(batch)?,
                    size: ints(boxes.size)?,
                    count: ints(boxes.count)?,
                    first: span.first,
                    span: ints(span.size)?,
                    taps: int(self.tap_count)?,
                    units: int(self.tap_units)?,
                    x_units: int(x.stride / v)?,
                },
                x.address()?,
                address(&self.weights)?,
                address_or_null(self.bias.as_ref())?,
                address(&self.taps)?,
                out,
            );
            return Ok(());
        }
        launch!(
            device,
            source,
            format!("gather_{}_{}", self.arithmetic, block.channels),
            (positions.div_ceil(block.rows), parts, 1),
            block.threads,
            block.weight_bytes() + block.stages * block.rows * CHUNK_UNITS * UNIT,
            Gather {
                y: result,
                positions: int(positions)?,
                frames: int(x_frames)?,
                height: int(x_height)?,
                width: int(x_width)?,
                time_stride: int(strides.0)?,
                space_stride: int(strides.1)?,
                taps: int(self.tap_count)?,
                tap_units: int(self.tap_units)?,
                x_units: int(x.stride / v)?,
                chunks: int((self.tap_count * self.tap_units).div_ceil(CHUNK_UNITS))?,
            },
            x.address()?,
            address(&self.weights)?,
            address_or_null(self.bias.as_ref())?,
            address(&self.taps)?,
            out,
        );
        Ok(())
    }
}

/// A byte each; as `u32`, which Candle has.
fn packed_tap([frame, row, column]: [i8; 3]) -> u32 {
    let byte = |v: i8| u32::from(v.cast_unsigned());
    byte(frame) | byte(row) << 8 | byte(column) << 16
}

/// Weights as they are multiplied.
fn stored(values: Vec<f32>, arithmetic: Arithmetic, device: &CudaDevice) -> Result<Tensor> {
    let device = Device::Cuda(device.clone());
    match arithmetic {
        Arithmetic::Bf16 => {
            let values: Vec<bf16> = values.into_iter().map(bf16::from_f32).collect();
            Tensor::new(values, &device)
        }
        Arithmetic::F32 | Arithmetic::Tf32 => Tensor::new(values, &device),
    }
}

/// As in conv.cuh, the three of them.
#[repr(C)]
struct ResultOf {
    frames: i32,
    height: i32,
    width: i32,
    outputs: i32,
    stride: i32,
    offset: i32,
    form: i32,
}

#[repr(C)]
struct Gather {
    y: ResultOf,
    positions: i32,
    frames: i32,
    height: i32,
    width: i32,
    time_stride: i32,
    space_stride: i32,
    taps: i32,
    tap_units: i32,
    x_units: i32,
    chunks: i32,
}

#[repr(C)]
struct Tile {
    y: ResultOf,
    batch: i32,
    size: [i32; 3],
    count: [i32; 3],
    first: [i32; 3],
    span: [i32; 3],
    taps: i32,
    units: i32,
    x_units: i32,
}

// SAFETY: plain numbers, laid out as the kernel's own structure.
unsafe impl DeviceRepr for Gather {}
// SAFETY: as above.
unsafe impl DeviceRepr for Tile {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_keep_their_signs() {
        assert_eq!(packed_tap([-2, 1, -1]), 0x00ff_01fe);
    }
}
