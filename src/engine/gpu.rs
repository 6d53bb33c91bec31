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
    // Candle panics where the driver's library is missing.
    let opened = std::panic::catch_unwind(|| Device::new_cuda_with_stream(0));
    let device = match opened {
        Ok(Ok(device)) => device,
        Ok(Err(e)) => return Err(e.to_string()),
        Err(_) => return Err("the CUDA driver or its libraries are not installed".into()),
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
    let ordinal = cuda.cuda_stream().context().ordinal();
    let Ok(device) = result::device::get(ordinal as i32) else {
        return;
    };
    let mut all = u64::MAX;
    // SAFETY: the device's own pool lives as long as the device; the attribute is a 64-bit number. A
    // driver that refuses leaves the program slower, no more.
    unsafe {
        let mut pool = std::ptr::null_mut();
        if sys::cuDeviceGetDefaultMemPool(&raw mut pool, device) == sys::CUresult::CUDA_SUCCESS {
            let what = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
            let _ = sys::cuMemPoolSetAttribute(pool, what, (&raw mut all).cast());
        }
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
    let cuda = device.as_cuda_device().ok()?;
    let (free, _) = cuda.cuda_stream().context().mem_get_info().ok()?;
    Some(free + kept(cuda).unwrap_or(0))
}

/// Bytes of the device's pool that are not in use.
fn kept(cuda: &CudaDevice) -> Option<usize> {
    let ordinal = cuda.cuda_stream().context().ordinal();
    let device = result::device::get(ordinal as i32).ok()?;
    let ask = |what| {
        let (mut pool, mut value) = (std::ptr::null_mut(), 0u64);
        // SAFETY: as in `keep_memory`.
        let ok = unsafe {
            sys::cuDeviceGetDefaultMemPool(&raw mut pool, device) == sys::CUresult::CUDA_SUCCESS
                && sys::cuMemPoolGetAttribute(pool, what, (&raw mut value).cast())
                    == sys::CUresult::CUDA_SUCCESS
        };
        ok.then_some(value)
    };
    let reserved = ask(sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT)?;
    let used = ask(sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT)?;
    usize::try_from(reserved.saturating_sub(used)).ok()
}
