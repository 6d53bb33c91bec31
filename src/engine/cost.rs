//! How long a run will take: counted work divided by a measured pace.

use crate::edm::{CascadeConfig, StageConfig};
use crate::models::unet3d;
use crate::nn::Interrupt;
use crate::nn::conv::SpatialConv;
use candle_core::{Device, Result, Tensor};
use std::time::Instant;

/// A run expected to take longer asks first.
pub const ASK_FIRST_SECONDS: f64 = 120.0;

/// Floating-point operations of one network pass over one sample ([`unet3d::pass_flops`]).
pub fn pass_flops(stage: &StageConfig) -> f64 {
    unet3d::pass_flops(&stage.unet, stage.frames, stage.size)
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

/// Floating-point operations of one run of a configuration, for one sample.
pub fn run_flops(config: &CascadeConfig) -> f64 {
    config
        .stages
        .iter()
        .map(|s| s.passes() as f64 * pass_flops(s))
        .sum()
}
