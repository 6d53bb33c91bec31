//! What the published 2SCM takes of a GPU's memory. On the emulated driver nothing is computed here:
//! memory is counted as a GPU's driver gives it out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

use candle_core::{DType, Tensor};
use echoif::checkpoint::{Recipe, parse_cascade};
use echoif::edm::{Cascade, Plan, Preset, Seed, Seeded, Stage};
use echoif::engine::{DeviceChoice, OpenDevice};
use echoif::models::unet3d::Unet;
use echoif::nn::{Arithmetic, Interrupt, Params};

const CONFIG: &str = "
unets:
  unet1:
    dim: 64
    dim_mults: [1, 2, 4]
    num_resnet_blocks: 2
    max_text_len: 1
    layer_attns: false
    layer_cross_attns: [false, false, true]
    attend_at_middle: true
    cond_images_channels: 3
  unet2:
    dim: 64
    dim_mults: [1, 2, 4]
    num_resnet_blocks: 2
    max_text_len: 1
    layer_attns: false
    layer_cross_attns: [false, false, true]
    attend_at_middle: true
    memory_efficient: true
    cond_images_channels: 3
imagen:
  condition_on_text: true
  image_sizes: [56, 112]
  text_embed_dim: 1
  num_sample_steps: [32, 64]
  temporal_downsample_factor: [4, 1]
  sigma_min: 0.002
  sigma_max: 80
  sigma_data: 0.25
  rho: 7
  S_churn: [80, 160]
  S_tmin: 0.05
  S_tmax: 50
  S_noise: 1.003
  resize_mode: trilinear
dataset:
  fps: 32
  duration: 2.0
  grayscale: false
checkpoint:
  cond_scale: 5.0
";

/// The most bytes of a whole run, weights and all.
fn run(device: &OpenDevice) -> usize {
    let config = parse_cascade(CONFIG).unwrap();
    let stages = config.stages.iter().enumerate().map(|(i, stage)| {
        let recipe = Recipe {
            prefix: format!("{i}."),
            gain: 1.0,
        };
        let (unet, _) =
            Params::load(&recipe, device.backend(), |p| Unet::new(&stage.unet, p)).unwrap();
        Stage {
            unet,
            encoder: None,
        }
    });
    let cascade = Cascade {
        stages: stages.collect(),
        config,
        backend: device.backend(),
    };
    // Few steps: every one takes the same.
    let mut config = Preset::Balanced.apply(&cascade.config);
    config.stages.iter_mut().for_each(|s| s.levels.steps = 3);
    let anatomy = Tensor::ones((1, 3, 112, 112), DType::F32, &candle_core::Device::Cpu).unwrap();
    let plan = Plan {
        config: &config,
        ef_percent: &[30.0],
        anatomy: &anatomy,
        noise: &Seeded(Seed(0)),
        interrupt: &Interrupt::new(),
        memory: device.pass_memory(),
        openings: None,
        carry: None,
        sharpen: false,
    };
    cascade.run(&plan, &mut |_| {}).unwrap();
    device.device.synchronize().unwrap();
    device.peak_memory().expect("a GPU counts its memory")
}

#[test]
fn the_published_two_stages_fit_into_four_gigabytes() {
    // SAFETY: no other thread of this process runs yet.
    unsafe { std::env::set_var("EMULATED_CUDA_DRY", "1") };
    // The mark of the most is never taken back: the leanest first.
    for arithmetic in [Arithmetic::Bf16, Arithmetic::Tf32] {
        let device = OpenDevice::open(DeviceChoice::Cuda, Some(arithmetic)).unwrap();
        let bytes = run(&device);
        println!("2SCM in {arithmetic}: {} MB at most", bytes >> 20);
        assert!(bytes < 4 << 30, "{arithmetic}: {bytes}");
    }
}
