//! NVIDIA's driver, found when it is first called.
//!
//! Candle's CUDA is linked with the driver, cuBLAS and cuRAND, and a program that is linked so does not
//! start where one of them is missing. What is called of them is defined here instead; the linker takes a
//! program's own functions first and then does not note the libraries as needed. The driver's functions
//! are looked up in `libcuda.so.1` when they are called, and fail where it is not installed. Of cuBLAS and
//! cuRAND Candle makes a handle when it opens a device; the networks need nothing of either
//! (`nn/cuda/`), so the handle is empty, and a product is refused.
//!
//! A function that is missing here is taken from its library, as ever, and so it is where the linker looks
//! for libraries before it drops what nothing calls: lld, which Rust links with on x86-64, does not, GNU ld
//! does. `tests/cuda_absent.rs` starts the program where there is no library.

use libloading::Library;
use std::error::Error as _;
use std::ffi::{c_char, c_int, c_longlong, c_uchar, c_uint, c_ulonglong, c_void};
use std::sync::OnceLock;

const NAME: &str = "libcuda.so.1";

/// `CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND`
const NO_FUNCTION: c_int = 302;
/// `CUDA_ERROR_SHARED_OBJECT_INIT_FAILED`
const NO_LIBRARY: c_int = 303;
/// `CUBLAS_STATUS_NOT_SUPPORTED`
const NO_PRODUCT: c_int = 15;

/// The driver, loaded once and kept; a sentence where it is not there.
pub fn installed() -> Result<&'static Library, String> {
    static DRIVER: OnceLock<Result<Library, String>> = OnceLock::new();
    let driver = DRIVER.get_or_init(|| {
        // SAFETY: what runs when NVIDIA's driver is loaded is as trusted as the driver.
        let loaded = unsafe { Library::new(NAME) };
        loaded.map_err(|e| {
            let why = e
                .source()
                .map_or_else(|| e.to_string(), ToString::to_string);
            format!("NVIDIA's driver cannot be loaded ({why})")
        })
    });
    driver.as_ref().map_err(Clone::clone)
}

/// A handle, whatever it points to.
type Handle = *mut c_void;
/// An address in the GPU's memory.
type Address = c_ulonglong;

/// Functions of the driver, by its names and with its arguments (cuda.h); enumerations are `c_int`.
macro_rules! driver {
    ($($name:ident($($argument:ident: $type:ty),*);)+) => {$(
        #[unsafe(no_mangle)]
        #[allow(non_snake_case)] // the driver's name
        unsafe extern "C" fn $name($($argument: $type),*) -> c_int {
            type Function = unsafe extern "C" fn($($type),*) -> c_int;
            static FOUND: OnceLock<Result<Function, c_int>> = OnceLock::new();
            let found = FOUND.get_or_init(|| {
                let driver = installed().map_err(|_| NO_LIBRARY)?;
                // SAFETY: the function of that name in cuda.h has this type.
                let symbol = unsafe { driver.get::<Function>(stringify!($name)) };
                symbol.map(|f| *f).map_err(|_| NO_FUNCTION)
            });
            match found {
                // SAFETY: the caller keeps the driver's rules.
                Ok(function) => unsafe { function($($argument),*) },
                Err(code) => *code,
            }
        }
    )+};
}

driver! {
    cuCtxDestroy_v2(context: Handle);
    cuCtxGetCurrent(context: *mut Handle);
    cuCtxSetCurrent(context: Handle);
    cuCtxSynchronize();
    cuDeviceGet(device: *mut c_int, ordinal: c_int);
    cuDeviceGetAttribute(value: *mut c_int, attribute: c_int, device: c_int);
    cuDeviceGetDefaultMemPool(pool: *mut Handle, device: c_int);
    cuDeviceGetGraphMemAttribute(device: c_int, attribute: c_int, value: *mut c_void);
    cuDeviceGetName(name: *mut c_char, length: c_int, device: c_int);
    cuDevicePrimaryCtxRelease_v2(device: c_int);
    cuDevicePrimaryCtxRetain(context: *mut Handle, device: c_int);
    cuEventCreate(event: *mut Handle, flags: c_uint);
    cuEventDestroy_v2(event: Handle);
    cuEventRecord(event: Handle, stream: Handle);
    cuFuncSetAttribute(function: Handle, attribute: c_int, value: c_int);
    cuGetErrorString(error: c_int, text: *mut *const c_char);
    cuGraphDestroy(graph: Handle);
    cuGraphExecDestroy(graph: Handle);
    cuGraphInstantiateWithFlags(made: *mut Handle, graph: Handle, flags: c_ulonglong);
    cuGraphLaunch(graph: Handle, stream: Handle);
    cuInit(flags: c_uint);
    cuLaunchKernel(
        function: Handle, grid_x: c_uint, grid_y: c_uint, grid_z: c_uint, block_x: c_uint,
        block_y: c_uint, block_z: c_uint, shared_bytes: c_uint, stream: Handle,
        arguments: *mut *mut c_void, extra: *mut *mut c_void
    );
    cuMemAllocAsync(memory: *mut Address, bytes: usize, stream: Handle);
    cuMemAlloc_v2(memory: *mut Address, bytes: usize);
    cuMemFreeAsync(memory: Address, stream: Handle);
    cuMemFree_v2(memory: Address);
    cuMemGetInfo_v2(free: *mut usize, total: *mut usize);
    cuMemPoolGetAttribute(pool: Handle, attribute: c_int, value: *mut c_void);
    cuMemPoolSetAttribute(pool: Handle, attribute: c_int, value: *mut c_void);
    cuMemPoolTrimTo(pool: Handle, kept: usize);
    cuMemcpyDtoDAsync_v2(to: Address, from: Address, bytes: usize, stream: Handle);
    cuMemcpyDtoHAsync_v2(to: *mut c_void, from: Address, bytes: usize, stream: Handle);
    cuMemcpyHtoDAsync_v2(to: Address, from: *const c_void, bytes: usize, stream: Handle);
    cuMemcpyPeerAsync(
        to: Address, to_context: Handle, from: Address, from_context: Handle, bytes: usize,
        stream: Handle
    );
    cuMemsetD8Async(memory: Address, value: c_uchar, bytes: usize, stream: Handle);
    cuModuleGetFunction(function: *mut Handle, module: Handle, name: *const c_char);
    cuModuleLoad(module: *mut Handle, file: *const c_char);
    cuModuleLoadData(module: *mut Handle, image: *const c_void);
    cuModuleUnload(module: Handle);
    cuStreamBeginCapture_v2(stream: Handle, mode: c_int);
    cuStreamCreate(stream: *mut Handle, flags: c_uint);
    cuStreamDestroy_v2(stream: Handle);
    cuStreamEndCapture(stream: Handle, graph: *mut Handle);
    cuStreamIsCapturing(stream: Handle, status: *mut c_int);
    cuStreamSynchronize(stream: Handle);
    cuStreamWaitEvent(stream: Handle, event: Handle, flags: c_uint);
}

/// Functions of cuBLAS and cuRAND that have nothing to do, or are refused, by the code that they return.
macro_rules! absent {
    ($($name:ident($($type:ty),*) -> $code:expr;)+) => {$(
        #[unsafe(no_mangle)]
        #[allow(non_snake_case)] // the library's name
        extern "C" fn $name($(_: $type),*) -> c_int {
            $code
        }
    )+};
}

absent! {
    cublasDestroy_v2(Handle) -> 0;
    cublasSetStream_v2(Handle, Handle) -> 0;
    cublasDgemmStridedBatched(
        Handle, c_int, c_int, c_int, c_int, c_int, *const f64, *const f64, c_int, c_longlong,
        *const f64, c_int, c_longlong, *const f64, *mut f64, c_int, c_longlong, c_int
    ) -> NO_PRODUCT;
    cublasGemmStridedBatchedEx(
        Handle, c_int, c_int, c_int, c_int, c_int, *const c_void, *const c_void, c_int, c_int,
        c_longlong, *const c_void, c_int, c_int, c_longlong, *const c_void, *mut c_void, c_int, c_int,
        c_longlong, c_int, c_int, c_int
    ) -> NO_PRODUCT;
    curandDestroyGenerator(Handle) -> 0;
    curandSetPseudoRandomGeneratorSeed(Handle, c_ulonglong) -> 0;
    curandSetStream(Handle, Handle) -> 0;
}

/// # Safety
/// `handle` is a place for one.
#[unsafe(no_mangle)]
unsafe extern "C" fn cublasCreate_v2(handle: *mut Handle) -> c_int {
    // SAFETY: the caller's.
    unsafe { handle.write(std::ptr::null_mut()) };
    0
}

/// # Safety
/// `generator` is a place for one.
#[unsafe(no_mangle)]
unsafe extern "C" fn curandCreateGenerator(generator: *mut Handle, _: c_int) -> c_int {
    // SAFETY: the caller's.
    unsafe { generator.write(std::ptr::null_mut()) };
    0
}
