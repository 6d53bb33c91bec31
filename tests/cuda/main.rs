//! The CUDA kernels against the CPU's, in each arithmetic.
//! Where there is no GPU the emulated driver runs them (`tests/emulated_cuda/build.sh`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

mod carry;
#[path = "../common/mod.rs"]
mod common;
mod layers;
mod learning;
mod networks;

use candle_core::{DType, Device, Result, Tensor};
use echoif::checkpoint::Recipe;
use echoif::engine::{DeviceChoice, OpenDevice};
use echoif::nn::{Arithmetic, Backend, Params};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The device, for one test at a time: they share it and its counts.
fn gpu() -> (MutexGuard<'static, ()>, Device) {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    static ONE: Mutex<()> = Mutex::new(());
    let held = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let device = DEVICE.get_or_init(|| OpenDevice::open(DeviceChoice::Cuda, None).unwrap().device);
    (held, device.clone())
}

/// What the emulated driver has counted; nothing on a real one.
fn counted(what: &str) -> Option<usize> {
    use std::ffi::{CString, c_char};
    type Count = unsafe extern "C" fn(*const c_char) -> usize;
    // `tests/emulated_cuda/build.sh` says so.
    std::env::var_os("EMULATED_CUDA")?;
    let what = CString::new(what).unwrap();
    // SAFETY: the driver is loaded already; the function of that name takes a string and returns a size.
    unsafe {
        let driver = libloading::Library::new("libcuda.so.1").unwrap();
        let count = driver.get::<Count>("emulated_cuda_count").unwrap();
        Some(count(what.as_ptr()))
    }
}

fn noise(shape: &[usize], seed: u64) -> Tensor {
    let values = Recipe::values(&format!("noise {seed}"), shape.iter().product(), 1.0, 0.0);
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// A video on the GPU as a layer of that arithmetic would have left it.
fn sent(x: &Tensor, gpu: &Device, arithmetic: Arithmetic) -> Tensor {
    if x.rank() != 5 || arithmetic == Arithmetic::F32 {
        // Channels first, as it comes from outside.
        return x.to_device(gpu).unwrap();
    }
    x.permute((0, 2, 3, 4, 1))
        .and_then(|x| x.contiguous()?.to_dtype(arithmetic.dtype())?.to_device(gpu))
        .and_then(|x| x.permute((0, 4, 1, 2, 3)))
        .unwrap()
}

fn values(t: &Tensor) -> Vec<f32> {
    t.to_device(&Device::Cpu)
        .and_then(|t| t.to_dtype(DType::F32)?.flatten_all()?.to_vec1())
        .unwrap()
}

/// Largest difference.
fn farthest(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).fold(0f32, |most, (a, b)| {
        let d = (a - b).abs();
        // NaN is no difference that passes, whatever comes after it.
        if d > most || d.is_nan() { d } else { most }
    })
}

/// Largest difference by the largest value.
fn difference(ours: &Tensor, theirs: &Tensor) -> f32 {
    assert_eq!(ours.dims(), theirs.dims());
    let theirs = values(theirs);
    let most = theirs.iter().fold(0f32, |m, v| m.max(v.abs()));
    farthest(&values(ours), &theirs) / most
}

fn tolerance(arithmetic: Arithmetic) -> f32 {
    match arithmetic {
        Arithmetic::F32 => 1e-5,
        Arithmetic::Tf32 => 2e-3,
        Arithmetic::Bf16 => 2e-2,
    }
}

/// Builds a layer on both sides and compares what `run` makes of the inputs with it.
fn twins<L>(
    what: &str,
    inputs: &[Tensor],
    make: impl Fn(&Params) -> Result<L>,
    run: impl Fn(&L, &[Tensor]) -> Result<Tensor>,
) {
    let (_held, gpu) = gpu();
    let recipe = Recipe {
        prefix: format!("{what}."),
        gain: 1.0,
    };
    let layer = |backend: Backend| Params::load(&recipe, backend, &make).unwrap().0;
    let expected = run(&layer((&Device::Cpu).into()), inputs).unwrap();
    for arithmetic in Arithmetic::ALL {
        let on_gpu = layer(Backend {
            device: gpu.clone(),
            arithmetic,
        });
        let inputs: Vec<_> = inputs.iter().map(|x| sent(x, &gpu, arithmetic)).collect();
        let out = run(&on_gpu, &inputs).unwrap();
        let d = difference(&out, &expected);
        println!("{what} {:?} {arithmetic}: {d:.1e}", inputs[0].dims());
        assert!(
            d <= tolerance(arithmetic),
            "{what} of {:?} in {arithmetic}: {d}",
            inputs[0].dims()
        );
    }
}
