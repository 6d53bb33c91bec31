//! The networks' operations on a GPU, as our own CUDA kernels (`kernels/`).
//!
//! Tensors between the layers have the same shapes as on the CPU, `[batch, channel, frame, height,
//! width]`, and lie channels-last in memory: [`Rows`] is how a kernel sees one. Everything runs on
//! the device's one stream, so that memory which is freed here is given out again only after the
//! kernels that use it.

mod attention;
mod block;
mod boxes;
mod carry;
mod conv;
mod join;
mod linear;
mod matmul;
mod norm;
mod replay;
mod rows;
mod threshold;

pub use attention::{Layer, frames, middle, tokens};
pub use carry::carry;
pub use conv::{Conv, Shape};
pub use join::{add, channels_joined, gated, joined, peg, repeated};
pub use linear::{linear, pooled_gate};
pub use matmul::matmul;
pub use norm::{channel_norm, group_norm_silu};
pub use replay::Replay;
pub use rows::Rows;
pub use threshold::dynamic_threshold;

use super::Arithmetic;
use candle_core::cuda_backend::CudaStorageSlice;
use candle_core::cuda_backend::cudarc::driver::DevicePtr;
use candle_core::{CudaDevice, DType, Device, Error, Result, Storage, Tensor};

mod ptx {
    include!(concat!(env!("OUT_DIR"), "/kernels.rs"));
}

/// Bytes that the kernels copy at once.
const UNIT: usize = 16;

fn device_of(t: &Tensor) -> Result<&CudaDevice> {
    t.device().as_cuda_device()
}

/// Where a tensor's first element is in the GPU's memory.
fn address(t: &Tensor) -> Result<u64> {
    let (storage, layout) = t.storage_and_layout();
    let Storage::Cuda(cuda) = &*storage else {
        return Err(Error::Msg("a tensor that is not on the GPU".into()));
    };
    let stream = cuda.device.cuda_stream();
    let start = match &cuda.slice {
        CudaStorageSlice::F32(s) => s.device_ptr(&stream).0,
        CudaStorageSlice::BF16(s) => s.device_ptr(&stream).0,
        CudaStorageSlice::U32(s) => s.device_ptr(&stream).0,
        CudaStorageSlice::U8(s) => s.device_ptr(&stream).0,
        _ => return Err(Error::Msg("a tensor of a kind that no kernel takes".into())),
    };
    Ok(start + (layout.start_offset() * t.dtype().size_in_bytes()) as u64)
}

/// As [`address`]; 0 for none.
fn address_or_null(t: Option<&Tensor>) -> Result<u64> {
    t.map_or(Ok(0), address)
}

/// Memory that a kernel is about to fill.
fn uninitialised(device: &CudaDevice, shape: &[usize], dtype: DType) -> Result<Tensor> {
    let shape: candle_core::Shape = shape.into();
    // SAFETY: whoever asks fills all of it before anything reads it.
    let storage =
        unsafe { candle_core::backend::BackendDevice::alloc_uninit(device, &shape, dtype)? };
    let op = candle_core::op::BackpropOp::none();
    Ok(Tensor::from_storage(
        Storage::Cuda(storage),
        shape,
        op,
        false,
    ))
}

/// A tensor of small numbers that kernels read.
fn upload<T: candle_core::WithDType>(values: &[T], device: &CudaDevice) -> Result<Tensor> {
    Tensor::new(values, &Device::Cuda(device.clone()))
}

/// A number as kernels count.
fn int(n: usize) -> Result<i32> {
    i32::try_from(n).map_err(|_| Error::Msg(format!("{n} is more than a kernel can count")))
}

/// A source of kernels, compiled: its name and its PTX.
pub(super) type Source = (&'static str, &'static str);

fn conv_source(arithmetic: Arithmetic) -> Source {
    match arithmetic {
        Arithmetic::F32 => ("conv_f32", ptx::CONV_F32),
        Arithmetic::Tf32 => ("conv_tf32", ptx::CONV_TF32),
        Arithmetic::Bf16 => ("conv_bf16", ptx::CONV_BF16),
    }
}

fn attention_source(arithmetic: Arithmetic) -> Source {
    match arithmetic {
        Arithmetic::F32 => ("attention_f32", ptx::ATTENTION_F32),
        Arithmetic::Tf32 => ("attention_tf32", ptx::ATTENTION_TF32),
        Arithmetic::Bf16 => ("attention_bf16", ptx::ATTENTION_BF16),
    }
}

const CARRY: Source = ("carry", ptx::CARRY);
const LINEAR: Source = ("linear", ptx::LINEAR);
const MATMUL: Source = ("matmul", ptx::MATMUL);
const NORM: Source = ("norm", ptx::NORM);
const POINTWISE: Source = ("pointwise", ptx::POINTWISE);
const THRESHOLD: Source = ("threshold", ptx::THRESHOLD);

/// Shared memory that a block has without asking.
const SHARED_BYTES: usize = 48 << 10;

/// Starts a kernel of a source: blocks, threads a block, bytes of shared memory, arguments.
macro_rules! launch {
    ($device:expr, $source:expr, $kernel:expr, $blocks:expr, $threads:expr, $shared:expr, $($argument:expr),+ $(,)?) => {{
        use candle_core::cuda_backend::WrapErr;
        use candle_core::cuda_backend::cudarc::driver::{LaunchConfig, PushKernelArg, sys};
        let ((module, ptx), shared): ($crate::nn::cuda::Source, usize) = ($source, $shared);
        let name: &str = &$kernel;
        let function = $device.get_or_load_custom_func(name, module, ptx)?;
        if shared > $crate::nn::cuda::SHARED_BYTES {
            let what =
                sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            function.set_attribute(what, shared as i32).w()?;
        }
        let mut builder = function.builder();
        $crate::nn::cuda::arguments!(builder, $($argument),+);
        let (x, y, z): (usize, usize, usize) = $blocks;
        let config = LaunchConfig {
            grid_dim: (x as u32, y as u32, z as u32),
            block_dim: ($threads as u32, 1, 1),
            shared_mem_bytes: shared as u32,
        };
        // SAFETY: the arguments are those of the kernel, in order; what they point to lives on this
        // stream until the kernel has run.
        unsafe { builder.launch(config) }.w()?;
    }};
}
pub(crate) use launch;

/// Hands arguments over one by one; each lives as long as the builder.
macro_rules! arguments {
    ($builder:ident, $first:expr $(, $rest:expr)*) => {
        let argument = $first;
        $builder.arg(&argument);
        $crate::nn::cuda::arguments!($builder $(, $rest)*);
    };
    ($builder:ident) => {};
}
pub(crate) use arguments;
