//! A full-size network stops within a second, wherever it is.

use crate::common::alone;
use candle_core::{Device, Tensor};
use echoif::checkpoint::{Recipe, parse_unet};
use echoif::files::yaml;
use echoif::models::unet3d::{Inputs, Pass, Unet};
use echoif::nn::{Interrupt, Params};
use std::time::{Duration, Instant};

const CONFIG: &str = "{dim: 64, dim_mults: [1, 2, 4], num_resnet_blocks: 2, max_text_len: 1,
  layer_attns: false, layer_cross_attns: [false, false, true], memory_efficient: true,
  cond_images_channels: 3}";

/// The published super-resolution stage: 64 frames of 112 x 112, the middle attention included.
#[test]
fn a_full_size_evaluation_stops_within_a_second() {
    let _alone = alone();
    let options: serde_json::Value = yaml::read(CONFIG).unwrap();
    let config = parse_unet("unet", options.as_object().unwrap(), 3, true).unwrap();
    let recipe = Recipe {
        prefix: String::new(),
        gain: 1.0,
    };
    let (unet, _) = Params::load(&recipe, &Device::Cpu, |p| Unet::new(&config, p)).unwrap();
    let device = Device::Cpu;
    let video = Tensor::ones((1, 3, 64, 112, 112), candle_core::DType::F32, &device).unwrap();
    let image = Tensor::ones((1, 3, 112, 112), candle_core::DType::F32, &device).unwrap();
    let one = Tensor::ones(1, candle_core::DType::F32, &device).unwrap();
    let ef = one.reshape((1, 1, 1)).unwrap();
    let keep = Tensor::ones(1, candle_core::DType::U8, &device).unwrap();
    let tokens = unet.ef_tokens(&ef, &keep).unwrap();

    // In the input convolution, in attention over frames, and in later blocks.
    let mut tried = 0;
    for after in [0.1, 0.5, 2.0, 6.0, 12.0, 20.0] {
        let interrupt = Interrupt::new();
        let (interrupted, stopped) = std::thread::scope(|scope| {
            let runner = scope.spawn(|| {
                let outcome = unet.forward(
                    &Inputs {
                        x: &video,
                        time: &one,
                        ef: &tokens,
                        cond_image: Some(&image),
                        lowres: Some((&video, &one)),
                    },
                    &Pass::new(&interrupt),
                );
                (outcome.is_err(), Instant::now())
            });
            std::thread::sleep(Duration::from_secs_f64(after));
            let asked = Instant::now();
            interrupt.set();
            let (interrupted, ended) = runner.join().unwrap();
            (interrupted, ended.saturating_duration_since(asked))
        });
        // On a fast machine the evaluation is over before the later moments.
        if !interrupted {
            break;
        }
        tried += 1;
        println!(
            "asked after {after} s, stopped within {} ms",
            stopped.as_millis()
        );
        assert!(
            stopped < Duration::from_secs(1),
            "{stopped:?} after {after} s"
        );
    }
    assert!(tried >= 2, "the evaluation was over too early to tell");
}
