//! The hot operations of the networks, at sizes of the published cascades' first levels.
//!
//!     cargo bench --bench operations
//!
//! `ECHOIF_SIMD=avx2` leaves AVX-512 out, `ECHOIF_SIMD=off` all hand-written vector code.

use candle_core::{Device, Result, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};
use echoif::nn::conv::{SpatialConv, TemporalConv};
use echoif::nn::norm::GroupNormSilu;
use echoif::nn::{Fetched, Interrupt, Params, TensorSource};

/// Tensors of any name and shape.
struct Any;

impl TensorSource for Any {
    fn fetch(&self, _: &str, shape: &[usize]) -> std::result::Result<Fetched, String> {
        let n = shape.iter().product::<usize>();
        Ok(Fetched::Data(
            (0..n).map(|i| (0.37 * i as f32).sin()).collect(),
        ))
    }
    fn origin(&self) -> String {
        "the bench".into()
    }
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

fn wave(shape: &[usize]) -> Result<Tensor> {
    let n = shape.iter().product::<usize>() as f32;
    let ramp = Tensor::arange(0f32, n, &Device::Cpu)?;
    (ramp * 0.37)?.sin()?.reshape(shape)
}

fn operations(c: &mut Criterion) {
    let go = Interrupt::new();
    for (channels, size) in [(64, 56), (128, 28)] {
        let run = || -> Result<_> {
            let x = wave(&[1, channels, 16, size, size])?;
            let weight = wave(&[channels, channels, 3, 3])?;
            let over_time = wave(&[channels, channels, 3])?;
            let bias = wave(&[channels])?;
            Ok((
                SpatialConv::from_tensors(weight, bias.clone(), 1, 1)?,
                SpatialConv::from_tensors(wave(&[channels, channels, 1, 1])?, bias.clone(), 0, 1)?,
                TemporalConv::from_tensors(&over_time, bias, (2, 0), 1)?,
                x,
            ))
        };
        let Ok((three, one, time, x)) = run() else {
            continue;
        };
        let name = |what: &str| format!("{what}, {channels} channels, 16 x {size} x {size}");
        c.bench_function(&name("convolution 3 x 3"), |b| {
            b.iter(|| three.forward(&x, &go))
        });
        c.bench_function(&name("convolution 1 x 1"), |b| {
            b.iter(|| one.forward(&x, &go))
        });
        c.bench_function(&name("convolution over time"), |b| {
            b.iter(|| time.forward(&x, &go))
        });
        let norm = Params::load(&Any, &Device::Cpu, |p: &Params| {
            GroupNormSilu::new(p, channels, 8)
        });
        if let Ok((norm, _)) = norm {
            c.bench_function(&name("group norm, SiLU"), |b| {
                b.iter(|| norm.forward(&x, None))
            });
        }
    }
}

criterion_group!(benches, operations);
criterion_main!(benches);
