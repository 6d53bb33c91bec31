//! Opening a 200 MB checkpoint with Adam state: the peak stays near what is kept. A process of its
//! own, because it measures the peak.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

mod common;

use candle_core::Device;
use common::{Names, Pickler};
use echoif::checkpoint::{open_cascade, parse_cascade};
use echoif::models::unet3d::Unet;
use echoif::nn::Params;

const CONFIG: &str = "
unets: {unet1: {dim: 56, dim_mults: [1, 2, 4], num_resnet_blocks: 2, cond_images_channels: 3,
  attend_at_middle: false, layer_cross_attns: [false, false, true], max_text_len: 1}}
imagen: {image_sizes: 112, num_sample_steps: 64, sigma_min: 0.002, sigma_max: 80, sigma_data: 0.25,
  rho: 7, S_churn: 160, S_tmin: 0.05, S_tmax: 50, S_noise: 1.003, text_embed_dim: 1}
dataset: {fps: 8, duration: 2.0}
";

#[test]
fn a_200_mb_checkpoint_opens_near_the_size_of_what_is_kept() {
    let config = parse_cascade(CONFIG).unwrap();
    let names = Names::default();
    let _ = Params::load(&names, &Device::Cpu, |p| {
        Unet::new(&config.stages[0].unet, p)
    });
    let tensors = names.0.into_inner();
    let sizes: Vec<usize> = tensors.iter().map(|(_, s)| s.iter().product()).collect();
    let kept = 4 * sizes.iter().sum::<usize>();

    // model and online_model share storage 0.., ema has n.., Adam 2n.. and 3n...
    let n = tensors.len();
    let mut p = Pickler::new();
    p.dict(|p| {
        let set = |p: &mut Pickler, prefix: &str, base: usize| {
            for (i, (name, shape)) in tensors.iter().enumerate() {
                p.text(&format!("{prefix}{name}"));
                p.tensor(&format!("{}", base + i), shape, false);
            }
        };
        p.text("model");
        p.dict(|p| set(p, "unets.0.", 0));
        p.text("ema");
        p.dict(|p| {
            set(p, "0.online_model.", 0);
            set(p, "0.ema_model.", n);
        });
        p.text("optim0");
        p.dict(|p| {
            p.text("state");
            p.dict(|p| {
                for (i, (_, shape)) in tensors.iter().enumerate() {
                    p.int(i as i32);
                    p.dict(|p| {
                        p.text("exp_avg");
                        p.tensor(&format!("{}", 2 * n + i), shape, false);
                        p.text("exp_avg_sq");
                        p.tensor(&format!("{}", 3 * n + i), shape, false);
                    });
                }
            });
        });
    });
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.yaml"), CONFIG).unwrap();
    let path = folder.path().join("merged.pt");
    let storages = (0..4 * n).map(|key| (key.to_string(), vec![0.01; sizes[key % n]]));
    common::write_zip(&path, &p.finish(), storages);
    let length = std::fs::metadata(&path).unwrap().len();
    assert!(length > 200_000_000, "{length}");

    common::reset_peak();
    let (_, idle) = common::memory();
    let loaded = open_cascade(folder.path(), &Device::Cpu).unwrap();
    let (peak, _) = common::memory();
    let above = peak.saturating_sub(idle);
    println!(
        "file {} MB, kept {} MB, peak {} MB above idle",
        length >> 20,
        kept >> 20,
        above >> 20
    );
    assert!(above <= kept * 3 / 2 + (64 << 20), "{} MB", above >> 20);
    assert!(above >= kept, "the weights were not read");
    assert_eq!(loaded.warnings, Vec::<String>::new());
}
