//! Convolutions of every kind as one product of matrices (`kernels/conv.cu`).

use super::rows::{Rows, unit};
use super::{UNIT, address, address_or_null, int, launch, upload};
use crate::nn::{Arithmetic, Backend};
use candle_core::cuda_backend::cudarc::driver::DeviceRepr;
use candle_core::{CudaDevice, DType, Device, Error, Result, Tensor};
use half::bf16;

/// Positions that a block of the kernel computes.
const BLOCK_ROWS: usize = 128;

/// Units of a row of weights that are multiplied between two waits.
const CHUNK_UNITS: usize = 4;

/// A convolution's weights as the kernel reads them: `[channel][tap][input channel]`.
#[derive(Clone, Debug)]
pub struct Conv {
    weights: Tensor,
    bias: Option<Tensor>,
    /// Frame, row and column of each tap, relative to the position.
    taps: Tensor,
    tap_count: usize,
    tap_units: usize,
    chunks: usize,
    inputs: usize,
    outputs: usize,
    block: Block,
    arithmetic: Arithmetic,
}

/// What a weight is asked for by.
pub struct Shape<'a> {
    pub outputs: usize,
    pub inputs: usize,
    /// Frame, row and column offsets.
    pub taps: &'a [[i8; 3]],
}

/// Where the results are, and of what.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// Frames, height, width of the result.
    pub out: [usize; 3],
    pub time_stride: usize,
    pub space_stride: usize,
}

impl Geometry {
    /// The operand's own positions.
    pub fn same(x: &Rows) -> Self {
        let [_, f, h, w] = x.dims;
        Self {
            out: [f, h, w],
            time_stride: 1,
            space_stride: 1,
        }
    }
}

/// Channels that a block computes, and those whose results one warp holds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Block {
    channels: usize,
    /// Tiles of eight channels that a warp computes.
    tiles: usize,
    threads: usize,
    stages: usize,
}

impl Block {
    const WIDE: Self = Self {
        channels: 128,
        tiles: 4,
        threads: 256,
        stages: 3,
    };
    const MEDIUM: Self = Self {
        channels: 64,
        tiles: 4,
        threads: 128,
        stages: 4,
    };
    const NARROW: Self = Self {
        channels: 16,
        tiles: 2,
        threads: 128,
        stages: 4,
    };

    fn for_outputs(outputs: usize) -> Self {
        match outputs {
            0..=16 => Self::NARROW,
            o if o % Self::WIDE.channels == 0 => Self::WIDE,
            _ => Self::MEDIUM,
        }
    }

    /// Where a channel's row of weights is: dealt within a warp's channels, so that what a thread
    /// computes (columns 2t and 2t + 1 of each tile) are neighbours.
    fn row_of(self, channel: usize) -> usize {
        let warp = 8 * self.tiles;
        let (base, within) = (channel / warp * warp, channel % warp);
        let run = 2 * self.tiles;
        let (thread, rest) = (within / run, within % run);
        base + rest / 2 * 8 + 2 * thread + rest % 2
    }

    fn shared_bytes(self) -> usize {
        self.stages * (BLOCK_ROWS + self.channels) * CHUNK_UNITS * UNIT
    }
}

/// How the kernel writes its results.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Rows = 0,
    Pixels = 1,
    Planes = 2,
}

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
        let (outputs, inputs) = (shape.outputs, shape.inputs);
        let tap_units = inputs.div_ceil(v);
        let chunks = (shape.taps.len() * tap_units).div_ceil(CHUNK_UNITS);
        let depth = chunks * CHUNK_UNITS * v;
        let block = Block::for_outputs(outputs);
        let padded = outputs.next_multiple_of(block.channels);
        let mut values = vec![0f32; padded * depth];
        for o in 0..outputs {
            let row = &mut values[block.row_of(o) * depth..][..depth];
            for tap in 0..shape.taps.len() {
                for (c, to) in row[tap * tap_units * v..][..inputs].iter_mut().enumerate() {
                    *to = weight(o, tap, c);
                }
            }
        }
        let packed: Vec<i32> = shape.taps.iter().map(|t| packed_tap(*t)).collect();
        // As u32, which Candle has: the bits are the same.
        let packed: Vec<u32> = packed.into_iter().map(i32::cast_unsigned).collect();
        Ok(Self {
            weights: stored(values, arithmetic, device)?,
            bias: bias
                .map(|b| b.to_device(&backend.device)?.contiguous())
                .transpose()?,
            taps: upload(&packed, device)?,
            tap_count: shape.taps.len(),
            tap_units,
            chunks,
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
    pub fn forward(&self, x: &Rows, geometry: Geometry) -> Result<Rows> {
        let [f, h, w] = geometry.out;
        let dims = [x.dims[0], f, h, w];
        let out = Rows::new(x.tensor(), dims, self.outputs, self.arithmetic.dtype())?;
        self.write(x, geometry, &out, 0)?;
        Ok(out)
    }

    /// Results into channels `at ..` of rows that are there.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn write(&self, x: &Rows, geometry: Geometry, out: &Rows, at: usize) -> Result<()> {
        self.run(x, geometry, Form::Rows, out.address()?, (out.stride, at))
    }

    /// SiLU of the results, of which the four quarters are the pixels of a square, upper left first.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn pixels(&self, x: &Rows) -> Result<Rows> {
        let [b, f, h, w] = x.dims;
        let dtype = self.arithmetic.dtype();
        let out = Rows::new(x.tensor(), [b, f, 2 * h, 2 * w], self.outputs / 4, dtype)?;
        let geometry = Geometry::same(x);
        self.run(x, geometry, Form::Pixels, out.address()?, (out.stride, 0))?;
        Ok(out)
    }

    /// Results as `f32`, `[b, channels, f, h, w]`, contiguous.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn planes(&self, x: &Rows, geometry: Geometry) -> Result<Tensor> {
        let [f, h, w] = geometry.out;
        let shape = [x.dims[0], self.outputs, f, h, w];
        let out = super::uninitialised(super::device_of(x.tensor())?, &shape, DType::F32)?;
        self.run(x, geometry, Form::Planes, address(&out)?, (0, 0))?;
        Ok(out)
    }

    fn run(
        &self,
        x: &Rows,
        geometry: Geometry,
        form: Form,
        out: u64,
        (y_stride, y_offset): (usize, usize),
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
        let [b, x_frames, x_height, x_width] = x.dims;
        let [frames, height, width] = geometry.out;
        let positions = b * frames * height * width;
        // Taps reach past the end by no more than a kernel.
        int(positions + 16 * x_width * (1 + x_height))?;
        let parameters = Parameters {
            positions: int(positions)?,
            frames: int(frames)?,
            height: int(height)?,
            width: int(width)?,
            x_frames: int(x_frames)?,
            x_height: int(x_height)?,
            x_width: int(x_width)?,
            time_stride: int(geometry.time_stride)?,
            space_stride: int(geometry.space_stride)?,
            taps: int(self.tap_count)?,
            tap_units: int(self.tap_units)?,
            x_units: int(x.stride / v)?,
            chunks: int(self.chunks)?,
            outputs: int(self.outputs)?,
            y_stride: int(y_stride)?,
            y_offset: int(y_offset)?,
            form: form as i32,
        };
        let block = self.block;
        launch!(
            super::device_of(x.tensor())?,
            CONV::format!("conv_{}_{}", self.arithmetic, block.channels),
            (
                positions.div_ceil(BLOCK_ROWS),
                self.outputs.div_ceil(block.channels),
                1
            ),
            block.threads,
            block.shared_bytes(),
            parameters,
            x.address()?,
            address(&self.weights)?,
            address_or_null(self.bias.as_ref())?,
            address(&self.taps)?,
            out,
        );
        Ok(())
    }
}

fn packed_tap([frame, row, column]: [i8; 3]) -> i32 {
    let byte = |v: i8| i32::from(v.cast_unsigned());
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

/// As in conv.cu.
#[repr(C)]
struct Parameters {
    positions: i32,
    frames: i32,
    height: i32,
    width: i32,
    x_frames: i32,
    x_height: i32,
    x_width: i32,
    time_stride: i32,
    space_stride: i32,
    taps: i32,
    tap_units: i32,
    x_units: i32,
    chunks: i32,
    outputs: i32,
    y_stride: i32,
    y_offset: i32,
    form: i32,
}

// SAFETY: plain numbers, laid out as the kernel's own structure.
unsafe impl DeviceRepr for Parameters {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threads_channels_are_neighbours() {
        for block in [Block::WIDE, Block::MEDIUM, Block::NARROW] {
            let warp = 8 * block.tiles;
            let mut rows: Vec<usize> = (0..block.channels).map(|c| block.row_of(c)).collect();
            for (c, row) in rows.iter().enumerate() {
                // Thread t of a row holds columns 2t and 2t + 1 of each tile.
                assert_eq!((c % warp) / (2 * block.tiles), row % 8 / 2, "{block:?}");
            }
            rows.sort_unstable();
            assert!(rows.into_iter().eq(0..block.channels));
        }
    }

    #[test]
    fn taps_keep_their_signs() {
        assert_eq!(packed_tap([-2, 1, -1]), 0x00ff_01fe);
    }
}
