//! The middle attention of the published super-resolution stage: 12,544 tokens, 8 heads. Its score
//! matrix alone would take 5 GB. A process of its own, because it measures the peak.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

mod common;

use candle_core::{Device, Tensor};
use echoif::nn::attention::{MiddleAttention, attend};
use echoif::nn::{Fetched, Interrupt, Params, TensorSource};

/// Tensors of any name and shape.
struct Any;

impl TensorSource for Any {
    fn fetch(&self, _: &str, shape: &[usize]) -> Result<Fetched, String> {
        let n = shape.iter().product::<usize>();
        Ok(Fetched::Data(
            (0..n).map(|i| (i as f32 * 0.37).sin()).collect(),
        ))
    }
    fn origin(&self) -> String {
        "the test".into()
    }
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn twelve_thousand_tokens_take_at_most_512_mb() {
    let (heads, d, n) = (8, 64, 12_544);
    let wave =
        |len: usize, step: f32| -> Vec<f32> { (0..len).map(|i| (i as f32 * step).sin()).collect() };
    let q = Tensor::from_vec(wave(heads * d * n, 0.37), (1, heads * d, n), &Device::Cpu).unwrap();
    let k = Tensor::from_vec(wave((n + 1) * d, 0.11), (1, 1, n + 1, d), &Device::Cpu).unwrap();
    let v = Tensor::from_vec(wave((n + 1) * d, 0.23), (1, 1, n + 1, d), &Device::Cpu).unwrap();
    common::reset_peak();
    let (_, before) = common::memory();
    let out = attend(&q, &k, &v, heads, &Interrupt::new()).unwrap();
    let (peak, _) = common::memory();
    let extra = peak.saturating_sub(before) >> 20;
    println!("extra memory at the peak: {extra} MB");
    assert!(extra <= 512, "{extra} MB");

    // The layer as the CPU computes it keeps no scores at all.
    let layer = |p: &Params| MiddleAttention::new(p, 256, heads, d);
    let (layer, _) = Params::load(&Any, &Device::Cpu, layer).unwrap();
    let x = Tensor::from_vec(wave(256 * n, 0.19), (1, 256, 64, 14, 14), &Device::Cpu).unwrap();
    common::reset_peak();
    let (_, before) = common::memory();
    let whole = layer.forward(&x, &Interrupt::new()).unwrap();
    let (peak, _) = common::memory();
    let extra = peak.saturating_sub(before) >> 20;
    println!("extra memory of the layer at the peak: {extra} MB");
    assert_eq!(whole.dims(), x.dims());
    assert!(extra <= 100, "{extra} MB");

    // One query checked in double precision.
    let (head, at) = (5, 7_001);
    let get = |t: &Tensor| -> Vec<f32> { t.flatten_all().unwrap().to_vec1().unwrap() };
    let (q, k, v, out) = (get(&q), get(&k), get(&v), get(&out));
    let query: Vec<f64> = (0..d)
        .map(|j| f64::from(q[(head * d + j) * n + at]))
        .collect();
    let scores: Vec<f64> = (0..=n)
        .map(|i| (0..d).map(|j| query[j] * f64::from(k[i * d + j])).sum())
        .collect();
    let largest = scores.iter().copied().fold(f64::MIN, f64::max);
    let total: f64 = scores.iter().map(|s| (s - largest).exp()).sum();
    for j in 0..d {
        let exact: f64 = (0..=n)
            .map(|i| (scores[i] - largest).exp() / total * f64::from(v[i * d + j]))
            .sum();
        let ours = f64::from(out[(head * d + j) * n + at]);
        assert!((ours - exact).abs() < 1e-4, "{ours} against {exact}");
    }
}
