//! Whole passes: what is replayed, what is waited for, the recorded fixtures, the built-in cascade.

use super::common::fixtures;
use super::{counted, difference, gpu, noise};
use candle_core::{Device, Result, Tensor};
use echoif::checkpoint::{Recipe, builtin_cascade, parse_unet};
use echoif::edm::{Plan, Seed, Seeded};
use echoif::models::unet3d::{Inputs, Pass, Unet};
use echoif::nn::{Arithmetic, Backend, Interrupt, Params};
use echoif::verify::verify;

const TINY: &str = "{dim: 8, dim_mults: [1, 2], num_resnet_blocks: 1, layer_attns: false,
  layer_cross_attns: [false, true], attend_at_middle: true, memory_efficient: true,
  attn_heads: 2, attn_dim_head: 16, attn_pool_num_latents: 4, cond_images_channels: 1}";

#[test]
fn a_pass_is_recorded_and_replayed_and_never_waited_for() {
    let (_held, gpu) = gpu();
    let options: serde_yaml_ng::Value = serde_yaml_ng::from_str(TINY).unwrap();
    let config = parse_unet("unet", options.as_mapping().unwrap(), 1, true).unwrap();
    let recipe = Recipe {
        prefix: "replayed.".into(),
        gain: 1.0,
    };
    let (cpu, _) = Params::load(&recipe, &Device::Cpu, |p| Unet::new(&config, p)).unwrap();
    let (ours, _) = Params::load(&recipe, &gpu, |p| Unet::new(&config, p)).unwrap();
    let go = Interrupt::new();
    let run = |unet: &Unet, device: &Device, seed: u64| {
        let on = |t: Tensor| t.to_device(device).unwrap();
        let (x, lowres) = (
            noise(&[1, 1, 4, 8, 8], seed),
            noise(&[1, 1, 4, 8, 8], seed + 1),
        );
        let (x, lowres) = (on(x), on(lowres));
        let image = on(noise(&[1, 1, 8, 8], 7));
        let time = on(noise(&[2], seed + 2));
        let ef = on(Tensor::new(&[[[0.3f32]], [[0.3]]], &Device::Cpu).unwrap());
        let keep = on(Tensor::new(&[1u8, 0], &Device::Cpu).unwrap());
        let tokens = unet.ef_tokens(&ef, &keep).unwrap();
        let embedded = unet
            .embed(&x, Some(&image), Some(&lowres), &Pass::new(&go))
            .unwrap();
        let inputs = Inputs {
            x: &x,
            time: &time,
            ef: &tokens,
            cond_image: Some(&image),
            lowres: Some((&lowres, &time)),
        };
        let (waits, graphs) = (counted("waits"), counted("graph launches"));
        let out = unet
            .forward_from(&embedded, &inputs, &Pass::new(&go))
            .unwrap();
        let waited = counted("waits").zip(waits).map_or(0, |(a, b)| a - b);
        let replayed = counted("graph launches").zip(graphs).map(|(a, b)| a - b);
        (out, waited, replayed)
    };
    for (round, seed) in [10, 20, 30, 40].into_iter().enumerate() {
        let (expected, ..) = run(&cpu, &Device::Cpu, seed);
        let (out, waited, replayed) = run(&ours, &gpu, seed);
        let d = difference(&out, &expected);
        assert!(d < 1e-5, "round {round}: {d}");
        // The first has its weights arranged.
        assert!(round == 0 || waited == 0, "round {round}: {waited} waits");
        // Computed, recorded, then replayed.
        assert!(
            replayed.is_none_or(|n| n == usize::from(round > 1)),
            "round {round}: {replayed:?}"
        );
    }
}

#[test]
fn the_fixtures_of_small_networks() {
    let (_held, gpu) = gpu();
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "unet_tiny_1scm",
        "unet_tiny_2scm_s1",
        "unet_tiny_2scm_s2",
        "unet_tiny_4scm_s4",
        "schedule",
        "resize",
    ] {
        for ending in ["json", "safetensors"] {
            let file = format!("{name}.{ending}");
            std::fs::copy(fixtures().join(&file), folder.path().join(&file)).unwrap();
        }
    }
    let report = verify(folder.path(), &gpu, |_| {}).unwrap();
    let failed: Vec<_> = report
        .rows
        .iter()
        .filter(|r| !r.pass)
        .map(|r| format!("{} {}", r.fixture, r.quantity))
        .collect();
    assert_eq!(failed, Vec::<String>::new());
    assert!(report.rows.len() > 100 && report.skipped.is_empty());
}

#[test]
fn the_built_in_networks() {
    let (_held, gpu) = gpu();
    let anatomy = noise(&[1, 1, 112, 112], 1).affine(0.5, 0.5).unwrap();
    let estimate = |backend: Backend, i: usize| {
        let loaded = builtin_cascade(backend).unwrap();
        let plan = Plan {
            config: &loaded.cascade.config,
            ef_percent: &[30.0],
            anatomy: &anatomy,
            noise: &Seeded(Seed(1)),
            interrupt: &Interrupt::new(),
            memory: 1 << 30,
            openings: None,
            carry: None,
            sharpen: false,
        };
        let evaluation = |evaluate: &dyn Fn() -> Result<Tensor>| evaluate();
        loaded
            .cascade
            .with_evaluation(&plan, i, evaluation)
            .unwrap()
    };
    let expected: Vec<_> = (0..2).map(|i| estimate((&Device::Cpu).into(), i)).collect();
    // The second stage takes its time on the emulated driver: in the leanest arithmetic only.
    for (i, arithmetic) in [
        (0, Arithmetic::F32),
        (0, Arithmetic::Tf32),
        (0, Arithmetic::Bf16),
        (1, Arithmetic::Bf16),
    ] {
        let backend = Backend {
            device: gpu.clone(),
            arithmetic,
        };
        let out = estimate(backend, i);
        let d = difference(&out, &expected[i]);
        println!("stage {} in {arithmetic}: {d:.1e}", i + 1);
        // Of a denoised estimate in -1..1.
        let most = match arithmetic {
            Arithmetic::F32 => 1e-5,
            Arithmetic::Tf32 => 5e-3,
            Arithmetic::Bf16 => 5e-2,
        };
        assert!(d <= most, "stage {} in {arithmetic}: {d}", i + 1);
    }
}
