//! What is particular about a CUDA GPU.

use candle_core::cuda_backend::cudarc::driver::{result, sys};
use candle_core::{CudaDevice, Device};

/// The least compute capability that the kernels are compiled for: tensor cores that take tf32 and
/// bfloat16 (Ampere, 2020).
const LEAST_CAPABILITY: (i32, i32) = (8, 0);

/// Opens the first GPU.
///
/// # Errors
/// Why it cannot be used.
pub fn open() -> Result<Device, String> {
    #[cfg(target_os = "linux")]
    super::driver::installed()?;
    let opened = std::panic::catch_unwind(|| Device::new_cuda_with_stream(0));
    let device = match opened {
        Ok(Ok(device)) => device,
        Ok(Err(e)) => return Err(e.to_string()),
        Err(_) => return Err("the CUDA driver failed".into()),
    };
    let cuda = device.as_cuda_device().map_err(|e| e.to_string())?;
    let stream = cuda.cuda_stream();
    let context = stream.context();
    let capability = context.compute_capability().map_err(|e| e.to_string())?;
    if capability < LEAST_CAPABILITY {
        return Err(format!(
            "the GPU has compute capability {}.{}; {}.{} is the least that is supported",
            capability.0, capability.1, LEAST_CAPABILITY.0, LEAST_CAPABILITY.1
        ));
    }
    // SAFETY: everything of this program runs on the one stream that was just made, so that nothing has to
    // wait for another one's events.
    unsafe { cuda.disable_event_tracking() };
    keep_memory(cuda);
    Ok(device)
}

/// Memory that is given back stays with the program: asking the driver for it again between two
/// evaluations takes longer than the kernels.
fn keep_memory(cuda: &CudaDevice) {
    // A driver that refuses leaves the program slower, no more.
    let what = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
    set_pool(cuda, what, u64::MAX);
}

/// Gives the driver what is kept; what graphs were recorded with stays.
pub fn give_back(device: &Device) {
    if let Ok(cuda) = device.as_cuda_device()
        && let Some(pool) = pool_of(cuda)
    {
        // SAFETY: the pool is the device's own; what is in use is left.
        let _ = unsafe { sys::cuMemPoolTrimTo(pool, 0) };
    }
}

/// As the driver says it.
pub fn name(device: &Device) -> String {
    let name = device.as_cuda_device().ok().and_then(|cuda| {
        let name = cuda.cuda_stream().context().name().ok()?;
        Some(name.trim().to_owned())
    });
    name.filter(|n| !n.is_empty())
        .unwrap_or_else(|| "CUDA GPU".into())
}

/// Memory that can be had now, in bytes: what is free, and what the program keeps for itself.
pub fn available_memory(device: &Device) -> Option<usize> {
    use sys::CUmemPool_attribute as A;
    let cuda = device.as_cuda_device().ok()?;
    let (free, _) = cuda.cuda_stream().context().mem_get_info().ok()?;
    let kept = ask_pool(cuda, A::CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT)
        .zip(ask_pool(cuda, A::CU_MEMPOOL_ATTR_USED_MEM_CURRENT))
        .map_or(0, |(reserved, used)| reserved.saturating_sub(used));
    Some(free + kept)
}

/// The most memory that was in use at once since the program began, in bytes; what the driver needs for
/// itself not counted.
pub fn peak_memory(device: &Device) -> Option<usize> {
    let cuda = device.as_cuda_device().ok()?;
    let pool = ask_pool(
        cuda,
        sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH,
    )?;
    let ordinal = device_of(cuda)?;
    let mut graphs = 0u64;
    // SAFETY: the attribute is a 64-bit number.
    let asked = unsafe {
        let what = sys::CUgraphMem_attribute::CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH;
        sys::cuDeviceGetGraphMemAttribute(ordinal, what, (&raw mut graphs).cast())
    };
    (asked == sys::CUresult::CUDA_SUCCESS).then_some(pool + usize::try_from(graphs).ok()?)
}

fn device_of(cuda: &CudaDevice) -> Option<sys::CUdevice> {
    let ordinal = cuda.cuda_stream().context().ordinal();
    result::device::get(i32::try_from(ordinal).ok()?).ok()
}

/// The pool that Candle's tensors come from.
fn pool_of(cuda: &CudaDevice) -> Option<sys::CUmemoryPool> {
    let device = device_of(cuda)?;
    let mut pool = std::ptr::null_mut();
    // SAFETY: the pool is the device's own and lives as long.
    let got = unsafe { sys::cuDeviceGetDefaultMemPool(&raw mut pool, device) };
    (got == sys::CUresult::CUDA_SUCCESS).then_some(pool)
}

fn ask_pool(cuda: &CudaDevice, what: sys::CUmemPool_attribute) -> Option<usize> {
    let (pool, mut value) = (pool_of(cuda)?, 0u64);
    // SAFETY: every attribute that is asked for here is a 64-bit number.
    let got = unsafe { sys::cuMemPoolGetAttribute(pool, what, (&raw mut value).cast()) };
    (got == sys::CUresult::CUDA_SUCCESS)
        .then(|| usize::try_from(value).ok())
        .flatten()
}

fn set_pool(cuda: &CudaDevice, what: sys::CUmemPool_attribute, mut value: u64) {
    if let Some(pool) = pool_of(cuda) {
        // SAFETY: as above.
        let _ = unsafe { sys::cuMemPoolSetAttribute(pool, what, (&raw mut value).cast()) };
    }
}
