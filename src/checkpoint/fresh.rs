//! Weights of a network that has learned nothing, as PyTorch and the published package begin with them.

use crate::hash::sha256;
use crate::nn::{Fetched, TensorSource};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};
use std::cell::RefCell;
use std::collections::HashMap;

/// Each tensor follows from the seed and its name alone.
///
/// Convolutions and linear layers are uniform in `+- 1 / sqrt(fan in)`, weights and biases; norms are 1 and 0. Of the
/// published package: what has no layer (null embeddings, latents, frequencies) and the table of positions are standard
/// normal, convolutions over frames begin as the identity of their middle tap, upsampling as four times the same (He et
/// al., 2015), attention over frames and the last convolution as nothing.
pub struct Fresh {
    seed: u64,
    /// Inputs of each output, of the layers whose weight was asked for.
    fans: RefCell<HashMap<String, usize>>,
}

impl Fresh {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            fans: RefCell::default(),
        }
    }

    fn rng(&self, name: &str) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let hash = sha256(name.as_bytes());
        let stream = hash.get(..16).and_then(|h| u64::from_str_radix(h, 16).ok());
        rng.set_stream(stream.unwrap_or_default());
        rng
    }

    fn uniform(&self, name: &str, n: usize, within: f64) -> Vec<f32> {
        let mut rng = self.rng(name);
        let share = |v: u64| (v >> 11) as f64 / (1u64 << 53) as f64;
        let values = (0..n).map(|_| within * (2.0 * share(rng.next_u64()) - 1.0));
        values.map(|v| v as f32).collect()
    }

    fn weight(&self, name: &str, layer: &str, shape: &[usize]) -> Vec<f32> {
        let n = shape.iter().product();
        let inputs: usize = shape[1..].iter().product();
        self.fans.borrow_mut().insert(layer.to_owned(), inputs);
        if layer.ends_with("temporal_conv") {
            let taps = shape[shape.len() - 1];
            let one = |i: usize| {
                let (o, c, tap) = (i / inputs, i % inputs / taps, i % taps);
                f32::from(u8::from(o == c && tap == taps / 2))
            };
            return (0..n).map(one).collect();
        }
        let inputs = inputs.max(1) as f64;
        if shuffles(layer) {
            let each = n / 4;
            let within = (6.0 / inputs).sqrt();
            let part = self.uniform(name, each, within);
            let row = inputs as usize;
            return part.chunks(row).flat_map(|row| row.repeat(4)).collect();
        }
        self.uniform(name, n, 1.0 / inputs.sqrt())
    }
}

/// The convolution before a pixel shuffle.
fn shuffles(layer: &str) -> bool {
    layer.ends_with("net.0") && layer.contains("ups.") && !layer.contains("gca")
}

/// The norm behind an attention over frames.
fn begins_as_nothing(layer: &str) -> bool {
    layer.ends_with("fn.fn.to_out.1") && !layer.contains("mid_attn.")
}

impl TensorSource for Fresh {
    fn fetch(&self, name: &str, shape: &[usize]) -> Result<Fetched, String> {
        let n: usize = shape.iter().product();
        let (layer, kind) = name.rsplit_once('.').unwrap_or(("", name));
        let last = layer.ends_with("final_conv");
        let values = match kind {
            "weight" | "bias" if last => vec![0.0; n],
            "g" if begins_as_nothing(layer) => vec![0.0; n],
            "g" | "running_var" => vec![1.0; n],
            "running_mean" => vec![0.0; n],
            // A regressor begins with the mean of what it will be shown, as published.
            "bias" if layer == "fc" => vec![55.6; n],
            "weight" if shape.len() == 1 => vec![1.0; n],
            "weight" if !layer.ends_with("pos_emb") => self.weight(name, layer, shape),
            "bias" => match self.fans.borrow().get(layer) {
                Some(_) if layer.ends_with("temporal_conv") || shuffles(layer) => vec![0.0; n],
                Some(&inputs) => self.uniform(name, n, 1.0 / (inputs.max(1) as f64).sqrt()),
                None => vec![0.0; n],
            },
            _ => {
                let mut rng = self.rng(name);
                (0..n).map(|_| StandardNormal.sample(&mut rng)).collect()
            }
        };
        Ok(Fetched::Data(values))
    }

    fn origin(&self) -> String {
        "nothing".into()
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &Fresh, name: &str, shape: &[usize]) -> Vec<f32> {
        match source.fetch(name, shape).unwrap() {
            Fetched::Data(values) => values,
            _ => panic!("{name}"),
        }
    }

    #[test]
    fn layers_begin_as_theirs_do() {
        let source = Fresh::new(3);
        let largest = |v: &[f32]| v.iter().fold(0f32, |m, v| m.max(v.abs()));
        let conv = of(&source, "unet.a.spatial_conv.weight", &[8, 4, 3, 3]);
        let bias = of(&source, "unet.a.spatial_conv.bias", &[8]);
        for values in [&conv, &bias] {
            let most = largest(values);
            assert!(most <= 1.0 / 6.0 && most > 0.1, "{most}");
        }
        assert_eq!(
            conv,
            of(&Fresh::new(3), "unet.a.spatial_conv.weight", &[8, 4, 3, 3])
        );
        assert_ne!(
            conv,
            of(&Fresh::new(4), "unet.a.spatial_conv.weight", &[8, 4, 3, 3])
        );
        assert_eq!(of(&source, "unet.a.groupnorm.weight", &[2]), [1.0; 2]);
        assert_eq!(of(&source, "unet.a.groupnorm.bias", &[2]), [0.0; 2]);
        assert_eq!(
            of(&source, "unet.final_conv.weight", &[1, 2, 1, 1, 1]),
            [0.0; 2]
        );
        let taps = of(&source, "unet.a.temporal_conv.weight", &[2, 2, 3]);
        assert_eq!(taps, [0., 1., 0., 0., 0., 0., 0., 0., 0., 0., 1., 0.]);
        let up = of(&source, "unet.ups.0.6.net.0.weight", &[8, 3, 1, 1, 1]);
        assert!(up[..3] == up[3..6] && up[..3] == up[9..12] && up[..3] != up[12..15]);
        assert_eq!(of(&source, "unet.ups.0.6.net.0.bias", &[8]), [0.0; 8]);
        for (name, g) in [
            ("unet.downs.0.5.fn.fn.to_out.1.g", 0.0),
            ("unet.mid_attn.fn.fn.to_out.1.g", 1.0),
            ("unet.mid_block1.cross_attn.fn.to_out.1.g", 1.0),
        ] {
            assert_eq!(of(&source, name, &[2]), [g; 2], "{name}");
        }
        assert!(largest(&of(&source, "unet.attn_pool.pos_emb.weight", &[64, 64])) > 2.5);
        let latents = of(&source, "unet.attn_pool.latents", &[40, 40]);
        let square: f32 = latents.iter().map(|v| v * v).sum::<f32>() / 1600.0;
        assert!((square - 1.0).abs() < 0.1, "{square}");
    }
}
