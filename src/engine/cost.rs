//! How long a run will take: counted work divided by a measured pace.

use crate::edm::{CascadeConfig, StageConfig};
use crate::models::unet3d::UnetConfig;
use crate::nn::Interrupt;
use crate::nn::conv::SpatialConv;
use candle_core::{Device, Result, Tensor};
use std::time::Instant;

/// A run expected to take longer asks first.
pub const ASK_FIRST_SECONDS: f64 = 120.0;

/// Floating-point operations of one network pass over one sample, a multiplication and an addition
/// counted as two; convolutions and matrix products only.
pub fn pass_flops(stage: &StageConfig) -> f64 {
    let u = &stage.unet;
    let counter = Counter {
        unet: u,
        frames: stage.frames as f64,
    };
    let mut size = stage.size as f64;
    let d = u.dim as f64;
    let videos = 1 + usize::from(u.lowres_cond);
    let input = (u.channels * videos + u.cond_images_channels) as f64;
    // Kernels 3, 7 and 15 with dim / 2, / 4 and / 4 outputs.
    let embed = input * (d / 2.0 * 9.0 + d / 4.0 * 49.0 + d / 4.0 * 225.0);
    let mut macs = counter.positions(size) * embed + counter.over_time(d, size);
    if u.memory_efficient {
        macs += counter.block(d, d, size, false);
    }
    let levels: Vec<(f64, f64)> = u
        .levels()
        .into_iter()
        .map(|(a, b)| (a as f64, b as f64))
        .collect();
    let last = levels.len() - 1;
    let mut sizes = Vec::new();
    for (i, &(from, to)) in levels.iter().enumerate() {
        let c = if u.memory_efficient { to } else { from };
        if u.memory_efficient {
            size /= 2.0;
            macs += counter.positions(size) * 4.0 * from * to;
        }
        sizes.push(size);
        macs += counter.block(c, c, size, u.layer_cross_attns[i]);
        macs += u.num_resnet_blocks[i] as f64 * counter.block(c, c, size, false);
        macs += counter.over_time(c, size);
        if !u.memory_efficient {
            if i == last {
                macs += counter.positions(size) * 10.0 * from * to;
            } else {
                size /= 2.0;
                macs += counter.positions(size) * 4.0 * from * to;
            }
        }
    }
    let mid = levels[last].1;
    macs += 2.0 * counter.mid_block(mid, size) + counter.over_time(mid, size);
    if u.attend_at_middle {
        let n = counter.positions(size);
        let inner = (u.attn_heads * u.attn_dim_head) as f64;
        macs +=
            n * mid * (2.0 * inner + 2.0 * u.attn_dim_head as f64) + 2.0 * n * (n + 1.0) * inner;
    }
    for (j, &(from, to)) in levels.iter().enumerate().rev() {
        let size = sizes[j];
        let skip = if u.memory_efficient { to } else { from };
        macs += counter.block(to + skip, to, size, u.layer_cross_attns[j]);
        macs += u.num_resnet_blocks[j] as f64 * counter.block(to + skip, to, size, false);
        macs += counter.over_time(to, size);
        if u.memory_efficient || j > 0 {
            macs += counter.positions(size) * 4.0 * to * from;
        }
    }
    let size = stage.size as f64;
    macs += counter.block(d, d, size, false);
    let extra = if u.lowres_cond {
        u.channels as f64
    } else {
        0.0
    };
    macs += counter.positions(size) * (d + extra) * 9.0 * u.channels as f64;
    2.0 * macs
}

struct Counter<'a> {
    unet: &'a UnetConfig,
    frames: f64,
}

impl Counter<'_> {
    fn positions(&self, size: f64) -> f64 {
        self.frames * size * size
    }

    fn inner(&self) -> f64 {
        (self.unet.attn_heads * self.unet.attn_dim_head) as f64
    }

    /// Two pseudo-3-D convolutions, the shortcut, and attention to about 40 tokens.
    fn block(&self, from: f64, to: f64, size: f64, cross: bool) -> f64 {
        let shortcut = if from == to { 0.0 } else { from * to };
        let cross = if cross {
            self.cross(to, self.inner())
        } else {
            0.0
        };
        self.positions(size)
            * (from * to * 9.0 + to * to * 9.0 + 2.0 * to * to * 3.0 + shortcut + cross)
    }

    fn mid_block(&self, c: f64, size: f64) -> f64 {
        self.block(c, c, size, false) + self.positions(size) * self.cross(c, 512.0)
    }

    /// A position.
    fn cross(&self, c: f64, inner: f64) -> f64 {
        let tokens = self.unet.attn_pool_num_latents as f64 + 9.0;
        2.0 * c * inner + 2.0 * tokens * inner
    }

    /// Temporal attention.
    fn over_time(&self, c: f64, size: f64) -> f64 {
        let inner = self.inner();
        let kv = 2.0 * self.unet.attn_dim_head as f64;
        let products = 2.0 * (self.frames + 1.0) * inner;
        self.positions(size) * (c * (2.0 * inner + kv) + 3.0 * c + products)
    }
}

/// How fast this device is on such networks, learned from what it did.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Floating-point operations a second.
    flops: f64,
    measured: bool,
}

impl Pace {
    /// A first guess from one convolution like the networks' own; a tenth of a second on a CPU.
    ///
    /// # Errors
    /// When the device fails.
    pub fn calibrate(device: &Device) -> Result<Self> {
        // Small networks and small steps reach a part of what one large convolution does.
        const SHARE: f64 = 0.5;
        let (c, f, s) = (32, 8, 56);
        let x = Tensor::ones((1, c, f, s, s), candle_core::DType::F32, device)?;
        let weight = Tensor::ones((c, c, 3, 3), candle_core::DType::F32, device)?;
        let bias = Tensor::zeros(c, candle_core::DType::F32, device)?;
        let conv = SpatialConv::from_tensors(weight, bias, 1, 1)?;
        let interrupt = Interrupt::new();
        conv.forward(&x, &interrupt)?;
        device.synchronize()?;
        let start = Instant::now();
        let runs = 4;
        for _ in 0..runs {
            conv.forward(&x, &interrupt)?;
        }
        device.synchronize()?;
        let work = f64::from(runs) * 2.0 * (c * c * 9 * f * s * s) as f64;
        Ok(Self {
            flops: SHARE * work / start.elapsed().as_secs_f64().max(1e-6),
            measured: false,
        })
    }

    /// Takes note of work that was done.
    pub fn learn(&mut self, flops: f64, seconds: f64) {
        if flops <= 0.0 || seconds <= 0.0 {
            return;
        }
        let now = flops / seconds;
        // The first measurement replaces the guess, later ones move it.
        self.flops = if self.measured {
            0.7 * self.flops + 0.3 * now
        } else {
            now
        };
        self.measured = true;
    }

    pub fn seconds(&self, flops: f64) -> f64 {
        flops / self.flops.max(1.0)
    }

    /// Seconds until the first evaluation of a run is done.
    pub fn first_seconds(&self, config: &CascadeConfig) -> f64 {
        let first = config.stages.first();
        first.map_or(0.0, |stage| {
            let passes = stage.passes_at(stage.levels.sigma_max);
            self.seconds(passes as f64 * pass_flops(stage))
        })
    }

    /// Seconds that one evaluation of the second stage takes, if there is one.
    pub fn second_stage_seconds(&self, config: &CascadeConfig) -> Option<f64> {
        let stage = config.stages.get(1)?;
        let passes = stage.passes_at(stage.levels.sigma_max);
        Some(self.seconds(passes as f64 * pass_flops(stage)))
    }

    /// Expected duration of one run of a configuration for one sample.
    pub fn run_seconds(&self, config: &CascadeConfig) -> f64 {
        self.seconds(run_flops(config))
    }
}

pub fn run_flops(config: &CascadeConfig) -> f64 {
    config
        .stages
        .iter()
        .map(|s| s.passes() as f64 * pass_flops(s))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::ResizeMode;

    fn stage(
        frames: usize,
        size: usize,
        lowres: bool,
        efficient: bool,
        middle: bool,
        cross: [bool; 3],
    ) -> StageConfig {
        StageConfig {
            encoder: None,
            output: crate::edm::Output::Picture,
            unet: UnetConfig {
                dim: 64,
                channels: 3,
                cond_images_channels: 3,
                dim_mults: vec![1, 2, 4],
                num_resnet_blocks: vec![2; 3],
                resnet_groups: vec![8; 3],
                layer_cross_attns: cross.to_vec(),
                attend_at_middle: middle,
                memory_efficient: efficient,
                attn_heads: 8,
                attn_dim_head: 64,
                attn_pool_num_latents: 32,
                lowres_cond: lowres,
                resize_mode: ResizeMode::Nearest,
            },
            size,
            frames,
            levels: crate::edm::NoiseLevels {
                steps: 64,
                sigma_min: 0.002,
                sigma_max: 80.0,
                sigma_data: 0.25,
                rho: 7.0,
                s_churn: 160.0,
                s_tmin: 0.05,
                s_tmax: 50.0,
                s_noise: 1.003,
            },
            solver: crate::edm::Solver::Heun,
            cond_scale: 5.0,
            guided_from: 0.0,
        }
    }

    /// The published networks, as torch counts them (GFLOP).
    #[test]
    fn work_is_counted_within_three_percent() {
        let third = [false, false, true];
        for (s, expected) in [
            (stage(16, 112, false, false, false, third), 976.8),
            (stage(16, 56, false, false, true, third), 266.2),
            (stage(64, 112, true, true, true, third), 2134.1),
            (stage(32, 56, true, true, true, third), 220.6),
            (stage(64, 112, true, false, false, [false; 3]), 4173.6),
        ] {
            let gflop = pass_flops(&s) / 1e9;
            assert!(
                (gflop / expected - 1.0).abs() < 0.03,
                "{gflop} for {expected}"
            );
        }
    }
}
