//! Tensors as the kernels see them.

use super::{UNIT, address, device_of, int, launch, uninitialised};
use candle_core::cuda_backend::cudarc::driver::DeviceRepr;
use candle_core::{DType, Error, Result, Tensor};

/// A tensor whose positions lie one after the other with their channels side by side.
#[derive(Clone, Debug)]
pub struct Rows {
    /// `[batch, channel, frame, height, width]` over that memory.
    tensor: Tensor,
    /// Batch, frames, height, width.
    pub dims: [usize; 4],
    pub channels: usize,
    /// Elements from one position to the next.
    pub stride: usize,
}

/// Threads of the kernels that pass over memory once.
const THREADS: usize = 256;

/// Elements of a unit.
pub(super) fn unit(dtype: DType) -> usize {
    UNIT / dtype.size_in_bytes()
}

impl Rows {
    /// Memory for a result; channels that only fill a unit up are zeros.
    pub fn new(like: &Tensor, dims: [usize; 4], channels: usize, dtype: DType) -> Result<Self> {
        let stride = channels.next_multiple_of(unit(dtype));
        let [b, f, h, w] = dims;
        let shape = [b, f, h, w, stride];
        let memory = if stride == channels {
            uninitialised(device_of(like)?, &shape, dtype)?
        } else {
            Tensor::zeros(&shape, dtype, like.device())?
        };
        let tensor = memory.permute((0, 4, 1, 2, 3))?;
        let all = Self {
            tensor,
            dims,
            channels: stride,
            stride,
        };
        all.first(channels)
    }

    /// The same rows, of which only the first channels are looked at.
    pub fn first(&self, channels: usize) -> Result<Self> {
        Ok(Self {
            tensor: self.tensor.narrow(1, 0, channels)?,
            channels,
            ..*self
        })
    }

    /// x `[b, c, f, h, w]`: as it lies if it lies in rows, else copied into rows.
    ///
    /// # Errors
    /// When x is neither `f32` nor in rows.
    pub fn of(x: &Tensor) -> Result<Self> {
        Self::of_kind(x, x.dtype())
    }

    /// As [`Rows::of`], in rows of this kind.
    ///
    /// # Errors
    /// When x is neither `f32` nor in rows of this kind.
    pub fn of_kind(x: &Tensor, dtype: DType) -> Result<Self> {
        let (b, c, f, h, w) = x.dims5()?;
        if let Some(stride) = row_stride(x, dtype) {
            return Ok(Self {
                tensor: x.clone(),
                dims: [b, f, h, w],
                channels: c,
                stride,
            });
        }
        if x.dtype() != DType::F32 {
            return Err(Error::Msg("rows can only be made of f32".into()));
        }
        let out = Self::new(x, [b, f, h, w], c, dtype)?;
        let x = x.contiguous()?;
        out.fill(&x, 0, c)?;
        Ok(out)
    }

    /// Copies planes `[b or 1, c, f or 1, h, w]`, `f32` and contiguous, into channels `at ..`, and
    /// zeros behind them up to `end`. What has one sample or one frame is repeated.
    pub fn fill(&self, planes: &Tensor, at: usize, end: usize) -> Result<()> {
        let (b, c, f, _, _) = planes.dims5()?;
        let [batch, frames, h, w] = self.dims;
        let planes = Planes {
            from: address(planes)?,
            channels: int(c)?,
            at: int(at)?,
            fill: int((end - at).max(c))?,
            size: int(h * w)?,
            repeat: int(if f == 1 { frames } else { 1 })?,
            batched: i32::from(b > 1),
        };
        let positions = frames * h * w;
        let blocks = (batch * positions).div_ceil(THREADS);
        launch!(
            device_of(&self.tensor)?,
            super::POINTWISE,
            format!("rows_of_planes_{}", self.name()),
            (blocks, 1, 1),
            THREADS,
            0,
            planes,
            self.address()?,
            int(positions)?,
            int(self.stride)?,
            int(batch)?,
        );
        Ok(())
    }

    pub fn address(&self) -> Result<u64> {
        address(&self.tensor)
    }

    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    pub fn dtype(&self) -> DType {
        self.tensor.dtype()
    }

    /// How kernels over rows of this kind are named.
    pub fn name(&self) -> &'static str {
        if self.dtype() == DType::BF16 {
            "bf16"
        } else {
            "f32"
        }
    }

    /// Of the whole batch.
    pub fn positions(&self) -> usize {
        self.dims.iter().product()
    }

    /// Of one sample.
    pub fn positions_each(&self) -> usize {
        self.dims[1..].iter().product()
    }

    /// `[b, c, f, h, w]`, over the same memory.
    pub fn into_tensor(self) -> Tensor {
        self.tensor
    }
}

/// Elements from one position to the next, where x lies in rows that the kernels can read.
fn row_stride(x: &Tensor, dtype: DType) -> Option<usize> {
    /// Dimensions that make a position, the innermost first.
    const PLACES: [usize; 4] = [4, 3, 2, 0];
    let (dims, strides) = (x.dims(), x.stride());
    let innermost = PLACES.into_iter().find(|&i| dims[i] > 1);
    let stride = innermost.map_or(dims[1], |i| strides[i]);
    let mut expected = stride;
    for i in PLACES {
        if dims[i] > 1 && strides[i] != expected {
            return None;
        }
        expected *= dims[i];
    }
    let aligned =
        stride % unit(dtype) == 0 && x.layout().start_offset().is_multiple_of(unit(dtype));
    let beside = dims[1] == 1 || strides[1] == 1;
    (x.dtype() == dtype && aligned && beside && stride >= dims[1]).then_some(stride)
}

/// As in pointwise.cu.
#[repr(C)]
struct Planes {
    from: u64,
    channels: i32,
    at: i32,
    fill: i32,
    size: i32,
    repeat: i32,
    batched: i32,
}

// SAFETY: plain numbers, laid out as the kernel's own structure.
unsafe impl DeviceRepr for Planes {}
