//! The CUDA kernels against the CPU's: every layer with the same weights on both, in each arithmetic.
//! Where there is no GPU the emulated driver runs them (`tests/emulated_cuda/build.sh`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

mod common;

use candle_core::{DType, Device, Result, Tensor};
use common::fixtures;
use echoif::checkpoint::{Recipe, builtin_cascade, parse_unet};
use echoif::edm::{Plan, Seed, Seeded};
use echoif::engine::{DeviceChoice, OpenDevice};
use echoif::models::unet3d::{Inputs, Pass, Unet};
use echoif::nn::context::GlobalContext;
use echoif::nn::conv::{SpatialConv, TemporalConv, TemporalPeg};
use echoif::nn::cross::CrossAttention;
use echoif::nn::embed::CrossEmbed;
use echoif::nn::middle::MiddleAttention;
use echoif::nn::norm::GroupNormSilu;
use echoif::nn::point_conv::PointConv;
use echoif::nn::scale::{Downsample, Upsample};
use echoif::nn::temporal::TemporalAttention;
use echoif::nn::threshold::dynamic_threshold;
use echoif::nn::{Arithmetic, Backend, Interrupt, Params, join};
use echoif::verify::verify;
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
    use std::ffi::{CString, c_char, c_void};
    unsafe extern "C" {
        fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    }
    let name = CString::new("emulated_cuda_count").unwrap();
    // SAFETY: the name ends in a zero; a null handle looks through the whole program.
    let found = unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: the function of that name takes a string and returns a size.
    let count: extern "C" fn(*const c_char) -> usize = unsafe { std::mem::transmute(found) };
    let what = CString::new(what).unwrap();
    Some(count(what.as_ptr()))
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

/// Largest difference by the largest value.
fn difference(ours: &Tensor, theirs: &Tensor) -> f32 {
    assert_eq!(ours.dims(), theirs.dims());
    let (a, b) = (values(ours), values(theirs));
    let most = b.iter().fold(0f32, |m, v| m.max(v.abs()));
    // NaN is no difference that passes.
    a.iter().zip(&b).fold(0f32, |m, (a, b)| {
        let d = (a - b).abs() / most;
        if d <= m { m } else { d }
    })
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

#[test]
fn convolutions_over_space() {
    let go = Interrupt::new();
    // Each width of block, with rows and columns that fill none.
    for (c, o, k, shape) in [
        (8, 8, 3, [2, 3, 5, 7]),
        (16, 24, 3, [1, 2, 9, 4]),
        (40, 128, 3, [1, 1, 6, 5]),
        (64, 64, 3, [1, 2, 4, 4]),
        (8, 16, 1, [2, 2, 3, 3]),
        (72, 200, 1, [1, 1, 5, 6]),
    ] {
        let [b, f, h, w] = shape;
        twins(
            &format!("convolution {k} x {k} to {o}"),
            &[noise(&[b, c, f, h, w], 1)],
            |p| SpatialConv::new(p, c, o, k),
            |conv, x| conv.forward(&x[0], &go),
        );
    }
    // What leaves the network is f32 and channels first.
    twins(
        "convolution out",
        &[noise(&[2, 24, 3, 6, 5], 2)],
        |p| SpatialConv::new(p, 24, 3, 3),
        |conv, x| {
            let out = conv.forward_out(&x[0], &go)?;
            assert!(out.is_contiguous() && out.dtype() == DType::F32);
            Ok(out)
        },
    );
}

#[test]
fn convolutions_that_stride_and_pad() {
    let (_held, gpu) = gpu();
    let go = Interrupt::new();
    // As the regressor has them: channels that fill no unit, strides in space and time.
    for (c, o, k, stride) in [(3, 45, 7, 2), (45, 20, 3, 2), (1, 5, 3, 1), (6, 8, 1, 2)] {
        let (x, weight) = (noise(&[2, c, 3, 9, 10], 3), noise(&[o, c, k, k], 4));
        let bias = noise(&[o], 5);
        let run = |device: &Device| {
            let to = |t: &Tensor| t.to_device(device).unwrap();
            let conv = SpatialConv::from_tensors(to(&weight), to(&bias), k / 2, stride).unwrap();
            conv.forward(&to(&x), &go).unwrap()
        };
        let d = difference(&run(&gpu), &run(&Device::Cpu));
        assert!(d < 1e-5, "{c} to {o}, stride {stride}: {d}");
    }
    for (c, o, padding, stride) in [(5, 7, (1, 1), 2), (16, 8, (0, 0), 1), (8, 3, (2, 0), 1)] {
        let (x, weight) = (noise(&[2, c, 6, 3, 5], 6), noise(&[o, c, 3], 7));
        let bias = noise(&[o], 8);
        let run = |device: &Device| {
            let to = |t: &Tensor| t.to_device(device).unwrap();
            let conv = TemporalConv::from_tensors(&to(&weight), to(&bias), padding, stride);
            conv.unwrap().forward(&to(&x), &go).unwrap()
        };
        let d = difference(&run(&gpu), &run(&Device::Cpu));
        assert!(d < 1e-5, "{c} to {o}, {padding:?}, stride {stride}: {d}");
    }
}

#[test]
fn what_a_residual_block_is_made_of() {
    let go = Interrupt::new();
    for (c, shape) in [(8, [2, 3, 5, 6]), (64, [1, 4, 7, 3]), (256, [2, 2, 3, 3])] {
        let [b, f, h, w] = shape;
        let x = noise(&[b, c, f, h, w], 1);
        twins(
            "convolution over time",
            std::slice::from_ref(&x),
            |p| TemporalConv::causal(p, c),
            |conv, x| conv.forward(&x[0], &go),
        );
        twins(
            "peg",
            std::slice::from_ref(&x),
            |p| TemporalPeg::new(p, c),
            |peg, x| peg.forward(&x[0]),
        );
        twins(
            "group norm",
            &[x.clone(), noise(&[b, 2 * c], 2)],
            |p| GroupNormSilu::new(p, c, 8),
            |norm, x| norm.forward(&x[0], Some(&x[1])),
        );
        twins(
            "group norm alone",
            std::slice::from_ref(&x),
            |p| GroupNormSilu::new(p, c, 8),
            |norm, x| norm.forward(&x[0], None),
        );
        twins(
            "global context",
            &[x.clone(), noise(&[b, c, f, h, w], 3)],
            |p| GlobalContext::new(p, c),
            |context, x| context.gate(&x[0], &x[1]),
        );
        twins(
            "point",
            std::slice::from_ref(&x),
            |p| PointConv::new(p, c, 2 * c),
            |conv, x| conv.forward(&x[0]),
        );
    }
}

#[test]
fn a_group_far_from_zero_is_normed_as_well() {
    let (_held, gpu) = gpu();
    let recipe = Recipe {
        prefix: "far.".into(),
        gain: 1.0,
    };
    let make = |p: &Params| GroupNormSilu::new(p, 16, 8);
    let x = ((noise(&[2, 16, 3, 9, 11], 1) * 0.5).unwrap() + 200.0).unwrap();
    let run = |device: &Device| {
        let (norm, _) = Params::load(&recipe, device, make).unwrap();
        norm.forward(&x.to_device(device).unwrap(), None).unwrap()
    };
    let d = difference(&run(&gpu), &run(&Device::Cpu));
    println!("a norm of 200 +- 0.3: {d:.1e}");
    // What is left of f32 at 200; a plain sum of squares would be off by a hundredth.
    assert!(d < 2e-4, "{d}");
}

#[test]
fn sums_joins_and_other_sizes() {
    for (c, shape) in [(8, [2, 3, 4, 6]), (24, [1, 2, 6, 2])] {
        let [b, f, h, w] = shape;
        let (x, y) = (noise(&[b, c, f, h, w], 1), noise(&[b, c, f, h, w], 2));
        let nothing = |_: &Params| Ok(());
        let both = [x.clone(), y];
        twins("add", &both, nothing, |(), x| join::add(&x[0], &x[1]));
        twins("join", &both, nothing, |(), x| {
            join::join(&x[0], &x[1], 0.7)
        });
        twins("repeat", &both, nothing, |(), x| {
            // Through a sum, so that it lies in rows.
            join::repeat(&join::add(&x[0], &x[1])?, 3)
        });
        twins(
            "down",
            std::slice::from_ref(&x),
            |p| Downsample::new(p, c, 16),
            |down, x| down.forward(&x[0]),
        );
        twins(
            "up",
            std::slice::from_ref(&x),
            |p| Upsample::new(p, c, 8),
            |up, x| up.forward(&x[0]),
        );
    }
    // The low-resolution video comes channels first, with channels that fill no unit.
    let (x, lowres) = (noise(&[2, 16, 2, 3, 5], 3), noise(&[2, 3, 2, 3, 5], 4));
    let (_held, gpu) = gpu();
    let expected = join::join(&x, &lowres, 1.0).unwrap();
    for arithmetic in Arithmetic::ALL {
        let x = sent(&x, &gpu, arithmetic);
        let out = join::join(&x, &lowres.to_device(&gpu).unwrap(), 1.0).unwrap();
        assert!(difference(&out, &expected) <= tolerance(arithmetic));
    }
}

#[test]
fn the_input_layer() {
    let go = Interrupt::new();
    let recipe = Recipe {
        prefix: "embed.".into(),
        gain: 1.0,
    };
    let (_held, gpu) = gpu();
    for (image, channels, dim) in [(3, 3, 16), (1, 1, 8), (3, 3, 64)] {
        let make = |p: &Params| CrossEmbed::new(p, image + 2 * channels, dim);
        // The first is one picture for the whole batch and all frames.
        let pictures = [
            noise(&[1, image, 1, 6, 9], 1),
            noise(&[2, channels, 3, 6, 9], 2),
            noise(&[2, channels, 3, 6, 9], 3),
        ];
        let (layer, _) = Params::load(&recipe, &Device::Cpu, make).unwrap();
        let expected = layer.forward(&pictures, &go).unwrap();
        for arithmetic in Arithmetic::ALL {
            let backend = Backend {
                device: gpu.clone(),
                arithmetic,
            };
            let (layer, _) = Params::load(&recipe, backend, make).unwrap();
            let sent: Vec<_> = pictures
                .iter()
                .map(|t| t.to_device(&gpu).unwrap())
                .collect();
            let d = difference(&layer.forward(&sent, &go).unwrap(), &expected);
            assert!(d <= tolerance(arithmetic), "{arithmetic}: {d}");
        }
    }
}

#[test]
fn the_three_attentions() {
    let go = Interrupt::new();
    // Frames that fill a tile, that share one, that leave a rest, and that need two.
    for (c, heads, d, f, (h, w)) in [
        (8, 2, 16, 16, (3, 3)),
        (16, 3, 32, 5, (2, 7)),
        (64, 2, 64, 64, (1, 2)),
        (8, 1, 16, 1, (4, 5)),
        (8, 2, 16, 70, (1, 3)),
    ] {
        twins(
            "attention over frames",
            &[noise(&[2, c, f, h, w], 1)],
            |p| TemporalAttention::new(p, c, heads, d),
            |layer, x| layer.forward(&x[0], &go),
        );
    }
    // Fewer positions than a tile has, and several tiles of keys.
    for (c, heads, d, shape) in [(8, 2, 16, [1, 3, 3]), (16, 3, 64, [2, 9, 10])] {
        let [f, h, w] = shape;
        twins(
            "attention over space",
            &[noise(&[2, c, f, h, w], 2)],
            |p| MiddleAttention::new(p, c, heads, d),
            |layer, x| layer.forward(&x[0], &go),
        );
        for m in [1, 39, 64] {
            twins(
                "attention to tokens",
                &[noise(&[2, c, f, h, w], 3), noise(&[2, m, 24], 4)],
                |p| CrossAttention::new(p, c, 24, heads, d),
                |layer, x| layer.forward(&x[0], &x[1], &go),
            );
        }
    }
}

#[test]
fn the_threshold_finds_the_same_order_statistics() {
    let (_held, gpu) = gpu();
    let mut x = values(&noise(&[3, 2, 5, 7, 11], 1));
    // Equal values around the rank, none above one, and one that stands out.
    x[..770]
        .iter_mut()
        .for_each(|v| *v = (*v * 4.0).round() / 2.0);
    x[1600] = -90.0;
    let x = Tensor::from_vec(x, (3, 2, 5, 7, 11), &Device::Cpu).unwrap();
    for percentile in [0.95, 0.5, 0.0, 1.0, 0.9987] {
        let (out, quantiles) = dynamic_threshold(&x, percentile).unwrap();
        let before = counted("waits");
        let (ours, ours_quantiles) =
            dynamic_threshold(&x.to_device(&gpu).unwrap(), percentile).unwrap();
        assert_eq!(counted("waits"), before, "a copy to the host");
        assert_eq!(values(&ours_quantiles), values(&quantiles), "{percentile}");
        assert!(difference(&ours, &out) < 1e-6, "{percentile}");
    }
}

const TINY: &str = "{dim: 8, dim_mults: [1, 2], num_resnet_blocks: 1, layer_attns: false,
  layer_cross_attns: [false, true], attend_at_middle: true, memory_efficient: true,
  attn_heads: 2, attn_dim_head: 16, attn_pool_num_latents: 4, cond_images_channels: 1}";

#[test]
fn a_pass_is_recorded_and_replayed_and_never_waited_for() {
    let (_held, gpu) = gpu();
    let options: serde_yaml_ng::Value = serde_yaml_ng::from_str(TINY).unwrap();
    let config = parse_unet("unet", options.as_mapping().unwrap(), 1, true).unwrap();
    let recipe = Recipe {
        prefix: "replayed.".into(),
        gain: 1.0,
    };
    let (cpu, _) = Params::load(&recipe, &Device::Cpu, |p| Unet::new(&config, p)).unwrap();
    let (ours, _) = Params::load(&recipe, &gpu, |p| Unet::new(&config, p)).unwrap();
    let go = Interrupt::new();
    let run = |unet: &Unet, device: &Device, seed: u64| {
        let on = |t: Tensor| t.to_device(device).unwrap();
        let (x, lowres) = (
            noise(&[1, 1, 4, 8, 8], seed),
            noise(&[1, 1, 4, 8, 8], seed + 1),
        );
        let (x, lowres) = (on(x), on(lowres));
        let image = on(noise(&[1, 1, 8, 8], 7));
        let time = on(noise(&[2], seed + 2));
        let ef = on(Tensor::new(&[[[0.3f32]], [[0.3]]], &Device::Cpu).unwrap());
        let keep = on(Tensor::new(&[1u8, 0], &Device::Cpu).unwrap());
        let tokens = unet.ef_tokens(&ef, &keep).unwrap();
        let embedded = unet
            .embed(&x, Some(&image), Some(&lowres), &Pass::new(&go))
            .unwrap();
        let inputs = Inputs {
            x: &x,
            time: &time,
            ef: &tokens,
            cond_image: Some(&image),
            lowres: Some((&lowres, &time)),
        };
        let (waits, graphs) = (counted("waits"), counted("graph launches"));
        let out = unet
            .forward_from(&embedded, &inputs, &Pass::new(&go))
            .unwrap();
        let waited = counted("waits").zip(waits).map_or(0, |(a, b)| a - b);
        let replayed = counted("graph launches").zip(graphs).map(|(a, b)| a - b);
        (out, waited, replayed)
    };
    for (round, seed) in [10, 20, 30, 40].into_iter().enumerate() {
        let (expected, ..) = run(&cpu, &Device::Cpu, seed);
        let (out, waited, replayed) = run(&ours, &gpu, seed);
        let d = difference(&out, &expected);
        assert!(d < 1e-5, "round {round}: {d}");
        // The first has its weights arranged.
        assert!(round == 0 || waited == 0, "round {round}: {waited} waits");
        // Computed, recorded, then replayed.
        assert!(
            replayed.is_none_or(|n| n == usize::from(round > 1)),
            "round {round}: {replayed:?}"
        );
    }
}

#[test]
fn the_fixtures_of_small_networks() {
    let (_held, gpu) = gpu();
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "unet_tiny_1scm",
        "unet_tiny_2scm_s1",
        "unet_tiny_2scm_s2",
        "unet_tiny_4scm_s4",
        "schedule",
        "resize",
    ] {
        for ending in ["json", "safetensors"] {
            let file = format!("{name}.{ending}");
            std::fs::copy(fixtures().join(&file), folder.path().join(&file)).unwrap();
        }
    }
    let report = verify(folder.path(), &gpu, |_| {}).unwrap();
    let failed: Vec<_> = report
        .rows
        .iter()
        .filter(|r| !r.pass)
        .map(|r| format!("{} {}", r.fixture, r.quantity))
        .collect();
    assert_eq!(failed, Vec::<String>::new());
    assert!(report.rows.len() > 100 && report.skipped.is_empty());
}

#[test]
fn the_built_in_networks() {
    let (_held, gpu) = gpu();
    let anatomy = noise(&[1, 1, 112, 112], 1).affine(0.5, 0.5).unwrap();
    let estimate = |backend: Backend, i: usize| {
        let loaded = builtin_cascade(backend).unwrap();
        let plan = Plan {
            config: &loaded.cascade.config,
            ef_percent: &[30.0],
            anatomy: &anatomy,
            noise: &Seeded(Seed(1)),
            interrupt: &Interrupt::new(),
            memory: 1 << 30,
            openings: None,
            sharpen: false,
        };
        let evaluation = |evaluate: &dyn Fn() -> Result<Tensor>| evaluate();
        loaded
            .cascade
            .with_evaluation(&plan, i, evaluation)
            .unwrap()
    };
    let expected: Vec<_> = (0..2).map(|i| estimate((&Device::Cpu).into(), i)).collect();
    // The second stage takes its time on the emulated driver: in the leanest arithmetic only.
    for (i, arithmetic) in [
        (0, Arithmetic::F32),
        (0, Arithmetic::Tf32),
        (0, Arithmetic::Bf16),
        (1, Arithmetic::Bf16),
    ] {
        let backend = Backend {
            device: gpu.clone(),
            arithmetic,
        };
        let out = estimate(backend, i);
        let d = difference(&out, &expected[i]);
        println!("stage {} in {arithmetic}: {d:.1e}", i + 1);
        // Of a denoised estimate in -1..1.
        let most = match arithmetic {
            Arithmetic::F32 => 1e-5,
            Arithmetic::Tf32 => 5e-3,
            Arithmetic::Bf16 => 5e-2,
        };
        assert!(d <= most, "stage {} in {arithmetic}: {d}", i + 1);
    }
}
