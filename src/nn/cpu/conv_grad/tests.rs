use super::*;
use crate::nn::conv::TemporalConv;
use crate::nn::testing::{largest_difference, random};
use candle_core::Var;

/// Candle's own convolution of every frame.
fn composed(
    x: &Tensor,
    w: &Tensor,
    bias: &Tensor,
    padding: usize,
    stride: usize,
) -> Result<Tensor> {
    let (b, c, f, h, wd) = x.dims5()?;
    let y = x.transpose(1, 2)?.reshape((b * f, c, h, wd))?;
    let y = y.conv2d(w, padding, stride, 1, 1)?;
    let y = y.broadcast_add(&bias.reshape((1, (), 1, 1))?)?;
    let (_, o, oh, ow) = y.dims4()?;
    y.reshape((b, f, o, oh, ow))?.transpose(1, 2)?.contiguous()
}

/// The gradients of x, weights and bias that a result's `towards` gives.
fn slopes(vars: &[Var; 3], out: &Tensor) -> [Tensor; 3] {
    let towards = random(out.dims(), 9);
    let loss = (out * towards).unwrap().sum_all().unwrap();
    let grads = loss.backward().unwrap();
    vars.each_ref()
        .map(|var| grads.get(var.as_tensor()).unwrap().clone())
}

/// Results, and the gradients that they lead to.
fn alike(vars: &[Var; 3], ours: &Tensor, other: &Tensor) {
    assert!(largest_difference(ours, other) < 2e-5);
    let pairs = slopes(vars, ours).into_iter().zip(slopes(vars, other));
    for (i, (ours, other)) in pairs.enumerate() {
        let size = other.abs().unwrap().flatten_all().unwrap().max(0).unwrap();
        let size: f32 = size.to_scalar().unwrap();
        let (d, dims) = (largest_difference(&ours, &other), vars[0].dims());
        assert!(
            d < 2e-6 * size.max(1.0),
            "{dims:?}, operand {i}: {d} of {size}"
        );
    }
}

#[test]
fn gradients_are_those_of_candles_convolution() {
    // Pieces of several frames and of a part of one; kernels wider than the picture; strides, where Candle's own
    // derivative takes pictures whose sides leave the same rest.
    for (k, padding, stride, [b, c, o, f], (h, w)) in [
        (3, 1, 1, [2, 3, 5, 4], (9, 13)),
        (3, 1, 1, [1, 17, 9, 2], (6, 5)),
        (3, 1, 1, [1, 7, 3, 1], (37, 41)),
        (3, 0, 1, [1, 2, 2, 2], (5, 6)),
        (3, 2, 1, [1, 2, 3, 1], (5, 4)),
        (1, 0, 1, [2, 3, 4, 2], (5, 6)),
        (7, 3, 1, [1, 3, 2, 3], (8, 9)),
        (15, 7, 1, [1, 2, 2, 2], (8, 8)),
        (3, 1, 2, [2, 3, 5, 4], (10, 14)),
        (7, 3, 2, [1, 1, 6, 3], (17, 17)),
        (1, 0, 2, [2, 3, 4, 2], (6, 8)),
        (3, 1, 3, [1, 2, 3, 2], (7, 7)),
    ] {
        let shapes = [vec![b, c, f, h, w], vec![o, c, k, k], vec![o]];
        let vars = [0, 1, 2].map(|i| {
            let values = random(&shapes[i], i as u32 + 1);
            Var::from_tensor(&values).unwrap()
        });
        let [x, weight, bias] = vars.each_ref().map(Var::as_tensor);
        let interrupt = Interrupt::new();
        let op = LearnedSpatial {
            k,
            padding,
            stride,
            interrupt,
        };
        let ours = x.apply_op3(weight, bias, op).unwrap();
        let other = composed(x, weight, bias, padding, stride).unwrap();
        alike(&vars, &ours, &other);
    }
}

#[test]
fn the_sums_do_not_depend_on_the_threads() {
    let (g, x) = (
        random(&[2, 9, 3, 20, 21], 1),
        random(&[2, 30, 3, 20, 21], 2),
    );
    let with = |threads: usize| -> Vec<f32> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let op = SpatialWeights {
            k: 3,
            padding: 1,
            interrupt: Interrupt::new(),
        };
        let made = pool
            .build()
            .unwrap()
            .install(|| g.apply_op2_no_bwd(&x, &op));
        made.unwrap().flatten_all().unwrap().to_vec1().unwrap()
    };
    let one = with(1);
    assert!([2, 3, 8].into_iter().all(|threads| with(threads) == one));
}

#[test]
fn what_leads_nowhere_is_not_computed() {
    let (x, bias) = (random(&[1, 2, 1, 4, 4], 1), random(&[2], 3));
    let weight = Var::from_tensor(&random(&[2, 2, 3, 3], 2)).unwrap();
    let op = LearnedSpatial {
        k: 3,
        padding: 1,
        stride: 1,
        interrupt: Interrupt::new(),
    };
    let grad = random(&[1, 2, 1, 4, 4], 4);
    let (of_x, of_w, of_bias) = op.bwd(&x, weight.as_tensor(), &bias, &x, &grad).unwrap();
    assert!(of_x.is_none() && of_w.is_some() && of_bias.is_none());
}

#[test]
fn a_set_flag_stops_the_way_back() {
    let interrupt = Interrupt::new();
    interrupt.set();
    let op = SpatialWeights {
        k: 3,
        padding: 1,
        interrupt,
    };
    let x = random(&[1, 1, 1, 4, 4], 1);
    assert!(x.apply_op2_no_bwd(&x, &op).is_err());
}

#[test]
fn gradients_over_frames_are_those_of_shifted_products() {
    for ((before, after), taps, stride, [b, c, o, f], (h, w)) in [
        ((2, 0), 3, 1, [2, 3, 5, 4], (5, 7)),
        ((2, 0), 3, 1, [1, 23, 9, 1], (3, 3)),
        ((1, 1), 3, 1, [1, 4, 4, 6], (20, 21)),
        ((0, 0), 3, 1, [1, 2, 3, 5], (4, 5)),
        ((0, 0), 1, 1, [2, 3, 2, 2], (2, 9)),
        ((1, 1), 3, 2, [2, 3, 5, 7], (4, 5)),
        ((1, 1), 3, 2, [1, 3, 4, 8], (6, 3)),
        ((0, 0), 1, 2, [1, 2, 3, 5], (2, 3)),
    ] {
        let shapes = [vec![b, c, f, h, w], vec![o, c, taps], vec![o]];
        let vars = [0, 1, 2].map(|i| Var::from_tensor(&random(&shapes[i], i as u32 + 1)).unwrap());
        let [x, weight, bias] = vars.each_ref().map(Var::as_tensor);
        let interrupt = Interrupt::new();
        let op = LearnedTemporal {
            before,
            after,
            stride,
            interrupt,
        };
        let ours = x.apply_op3(weight, bias, op).unwrap();
        let padding = (before, after);
        let twin = TemporalConv::from_tensors(weight, bias.clone(), padding, stride).unwrap();
        alike(&vars, &ours, &twin.composed(weight, bias, x).unwrap());
    }
}
