//! Every layer with the same weights on both.

use super::{counted, difference, gpu, noise, sent, tolerance, twins, values};
use candle_core::{DType, Device, Tensor};
use echoif::checkpoint::Recipe;
use echoif::nn::attention::{CrossAttention, MiddleAttention, TemporalAttention};
use echoif::nn::context::GlobalContext;
use echoif::nn::conv::{PointConv, SpatialConv, TemporalConv, TemporalPeg};
use echoif::nn::embed::CrossEmbed;
use echoif::nn::norm::GroupNormSilu;
use echoif::nn::scale::{Downsample, Upsample};
use echoif::nn::threshold::dynamic_threshold;
use echoif::nn::{Arithmetic, Backend, Interrupt, Params, join, matmul};

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
fn products_of_matrices() {
    let (_held, gpu) = gpu();
    for (a, b) in [
        (vec![17, 40], vec![40, 33]),
        (vec![2, 3, 5, 7], vec![2, 3, 7, 4]),
        (vec![9, 20], vec![6, 20, 19]),
        (vec![3, 1, 16], vec![1, 16, 1]),
        (vec![2, 2, 3, 5], vec![1, 5, 4]),
    ] {
        let (a, b) = (noise(&a, 1), noise(&b, 2));
        let expected = matmul(&a, &b).unwrap();
        let out = matmul(&a.to_device(&gpu).unwrap(), &b.to_device(&gpu).unwrap()).unwrap();
        let d = difference(&out, &expected);
        assert!(d < 1e-6, "{:?} by {:?}: {d}", a.dims(), b.dims());
    }
    for (a, b) in [
        (vec![2, 4, 3], vec![5, 3, 4]),
        (vec![1, 1, 4, 3], vec![5, 3, 4]),
        (vec![4, 3], vec![4, 3]),
        (vec![4, 3], vec![3]),
    ] {
        let (a, b) = (noise(&a, 3), noise(&b, 4));
        let on = |t: &Tensor| t.to_device(&gpu).unwrap();
        assert!(
            matmul(&on(&a), &on(&b)).is_err(),
            "{:?} by {:?}",
            a.dims(),
            b.dims()
        );
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
