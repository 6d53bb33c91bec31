//! What the layers' tests share.

use super::{Fetched, TensorSource};
use candle_core::{Device, Tensor, Var};

/// Tensors of any name and shape.
pub struct Any;

impl TensorSource for Any {
    fn fetch(&self, name: &str, shape: &[usize]) -> std::result::Result<Fetched, String> {
        let step = 0.31 + name.len() as f32 * 0.07;
        Ok(Fetched::Data(wave(shape.iter().product(), step)))
    }
    fn origin(&self) -> String {
        "the test".into()
    }
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

pub fn wave(n: usize, step: f32) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * step).sin()).collect()
}

/// Values in -1..1 without a pattern.
pub fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

pub fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let d = (a - b).unwrap().abs().unwrap().flatten_all().unwrap();
    d.max(0).unwrap().to_scalar().unwrap()
}

/// [`noise`] of a shape.
pub fn random(shape: &[usize], seed: u32) -> Tensor {
    let values = noise(shape.iter().product(), seed);
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Two results of the same variables, made in two ways: the gradients that they lead to are as far apart as `most`
/// times the largest, or 1.
pub fn same_slopes(vars: &[&Var], ours: &Tensor, theirs: &Tensor, most: f32) {
    assert_eq!(ours.dims(), theirs.dims());
    let slopes = |out: &Tensor| {
        let loss = (out * random(out.dims(), 77)).and_then(|y| y.sum_all());
        let grads = loss.unwrap().backward().unwrap();
        let each = vars.iter().map(|var| grads.get(var).unwrap().clone());
        each.collect::<Vec<_>>()
    };
    for (i, (ours, theirs)) in slopes(ours).iter().zip(&slopes(theirs)).enumerate() {
        let size = theirs.abs().unwrap().max_all().unwrap();
        let size = size.to_scalar::<f32>().unwrap().max(1.0);
        let d = largest_difference(ours, theirs) / size;
        assert!(d < most, "variable {i}: {d} of {size}");
    }
}

/// A variable of [`random`] values.
pub fn variable(shape: &[usize], seed: u32) -> Var {
    Var::from_tensor(&random(shape, seed)).unwrap()
}
