//! Small networks that learn.

mod gradients;
mod optimiser;
mod resume;

use super::{Batch, Draws, LossConfig};
use crate::checkpoint::Recipe;
use crate::clip::{Frame, Pixels};
use crate::edm::Seed;
use crate::models::unet3d::{Unet, UnetConfig};
use crate::nn::testing::random;
use crate::nn::{Params, ResizeMode};
use candle_core::{Device, Tensor, Var};
use std::collections::BTreeMap;
use std::path::Path;

/// Weights of which none is zero.
pub fn recipe() -> Recipe {
    Recipe {
        prefix: "train.".into(),
        gain: 1.0,
    }
}

/// As the first stage of the built-in cascade, and smaller.
pub fn plain() -> UnetConfig {
    UnetConfig {
        dim: 8,
        channels: 1,
        cond_images_channels: 1,
        dim_mults: vec![1, 2],
        num_resnet_blocks: vec![1; 2],
        resnet_groups: vec![4; 2],
        layer_cross_attns: vec![false, true],
        attend_at_middle: false,
        memory_efficient: false,
        attn_heads: 2,
        attn_dim_head: 4,
        attn_pool_num_latents: 3,
        lowres_cond: false,
        resize_mode: ResizeMode::Area,
    }
}

/// As a later stage of the published cascades: whatever the plain one has not.
pub fn later() -> UnetConfig {
    UnetConfig {
        attend_at_middle: true,
        memory_efficient: true,
        lowres_cond: true,
        ..plain()
    }
}

pub const SHAPE: [usize; 5] = [2, 1, 3, 8, 8];

pub fn batch(config: &UnetConfig) -> Batch {
    let ef = Tensor::new(&[0.3f32, 0.6], &Device::Cpu).unwrap();
    let unit = |seed| ((random(&[2, 1, 16, 16], seed) + 1.0).unwrap() / 2.0).unwrap();
    Batch {
        video: random(&SHAPE, 1),
        ef: ef.reshape((2, 1, 1)).unwrap(),
        cond_image: Some(unit(2)),
        places: None,
        lowres: config.lowres_cond.then(|| random(&SHAPE, 3)),
    }
}

/// One of the two samples is not shown its EF.
pub fn draws(config: &UnetConfig) -> Draws {
    let published = LossConfig::PUBLISHED;
    let mut draws = Draws::seeded(Seed(5), 0, SHAPE, config.lowres_cond, &published).unwrap();
    draws.keep = vec![true, false];
    draws
}

pub fn learning(config: &UnetConfig) -> (Unet, BTreeMap<String, Var>) {
    Params::learn(&recipe(), &Device::Cpu, |p| Unet::new(config, p)).unwrap()
}

/// A GIF of `levels`, one a frame, at 10 frames a second.
pub fn clip(path: &Path, levels: &[u8]) {
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = image::codecs::gif::GifEncoder::new(file);
    let delay = image::Delay::from_numer_denom_ms(100, 1);
    for level in levels {
        let frame = Frame {
            width: 112,
            height: 112,
            pixels: Pixels::Gray(vec![*level; 112 * 112]),
        };
        let picture = frame.to_image().to_rgba8();
        let frame = image::Frame::from_parts(picture, 0, 0, delay);
        encoder.encode_frame(frame).unwrap();
    }
}
