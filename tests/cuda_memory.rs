//! What the published second stage takes of a GPU's memory. On the emulated driver nothing is computed
//! here: memory is counted as a GPU's driver gives it out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

use candle_core::{DType, Tensor};
use echoif::checkpoint::{Recipe, parse_unet};
use echoif::engine::{DeviceChoice, OpenDevice};
use echoif::models::unet3d::{Inputs, Pass, Unet};
use echoif::nn::{Arithmetic, Backend, Interrupt, Params};

const CONFIG: &str = "{dim: 64, dim_mults: [1, 2, 4], num_resnet_blocks: 2, max_text_len: 1,
  layer_attns: false, layer_cross_attns: [false, false, true], memory_efficient: true,
  cond_images_channels: 3}";

/// One pass over both branches of guidance, 64 frames of 112 x 112. Bytes, weights and all.
fn pass(backend: &Backend, device: &OpenDevice) -> usize {
    let options: serde_yaml_ng::Value = serde_yaml_ng::from_str(CONFIG).unwrap();
    let config = parse_unet("unet", options.as_mapping().unwrap(), 3, true).unwrap();
    let recipe = Recipe {
        prefix: String::new(),
        gain: 1.0,
    };
    let (unet, _) = Params::load(&recipe, backend, |p| Unet::new(&config, p)).unwrap();
    let gpu = &backend.device;
    let video = Tensor::ones((1, 3, 64, 112, 112), DType::F32, gpu).unwrap();
    let image = Tensor::ones((1, 3, 112, 112), DType::F32, gpu).unwrap();
    let two = Tensor::ones(2, DType::F32, gpu).unwrap();
    let ef = two.reshape((2, 1, 1)).unwrap();
    let keep = Tensor::ones(2, DType::U8, gpu).unwrap();
    let tokens = unet.ef_tokens(&ef, &keep).unwrap();
    let inputs = Inputs {
        x: &video,
        time: &two,
        ef: &tokens,
        cond_image: Some(&image),
        lowres: Some((&video, &two)),
    };
    unet.forward(&inputs, &Pass::new(&Interrupt::new()))
        .unwrap();
    gpu.synchronize().unwrap();
    device.peak_memory().expect("a GPU counts its memory")
}

#[test]
fn the_published_second_stage_fits_into_four_gigabytes() {
    // SAFETY: no other thread of this process runs yet.
    unsafe { std::env::set_var("EMULATED_CUDA_DRY", "1") };
    // The mark of the most is never taken back: the leanest first.
    for arithmetic in [Arithmetic::Bf16, Arithmetic::Tf32] {
        let device = OpenDevice::open(DeviceChoice::Cuda, Some(arithmetic)).unwrap();
        let bytes = pass(&device.backend(), &device);
        println!("{arithmetic}: {} MB for one guided pass", bytes >> 20);
        assert!(bytes < 4 << 30, "{arithmetic}: {bytes}");
    }
}
