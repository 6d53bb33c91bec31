//! Small networks that learn.

mod gradients;
mod optimiser;
mod resume;

use super::{Batch, Draws, LossConfig};
use crate::checkpoint::Recipe;
use crate::edm::Seed;
use crate::models::unet3d::{Unet, UnetConfig};
use crate::nn::testing::random;
use crate::nn::{Params, ResizeMode};
use candle_core::{Device, Tensor, Var};
use std::collections::BTreeMap;

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
