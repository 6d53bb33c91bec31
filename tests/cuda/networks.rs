//! Whole passes: what is replayed, what is waited for, the recorded fixtures, trained networks.

use super::common::{fixtures, pixel_cascade};
use super::{counted, difference, gpu, noise};
use candle_core::{Device, Result, Tensor};
use echoif::checkpoint::{Recipe, builtin_cascade, open_cascade, parse_unet};
use echoif::edm::{Cascade, Plan, Seed, Seeded};
use echoif::files::yaml;
use echoif::models::unet3d::{Inputs, Pass, Unet};
use echoif::nn::{Arithmetic, Backend, Interrupt, Params};
use echoif::verify::verify;

const TINY: &str = "{dim: 8, dim_mults: [1, 2], num_resnet_blocks: 1, layer_attns: false,
  layer_cross_attns: [false, true], attend_at_middle: true, memory_efficient: true,
  attn_heads: 2, attn_dim_head: 16, attn_pool_num_latents: 4, cond_images_channels: 1}";

#[test]
fn a_pass_is_recorded_and_replayed_and_never_waited_for() {
    let (_held, gpu) = gpu();
    let options: serde_json::Value = yaml::read(TINY).unwrap();
    let config = parse_unet("unet", options.as_object().unwrap(), 1, true).unwrap();
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

/// The built-in motion stage is not small: [`networks_that_were_trained`] holds it against the CPU, which its
/// fixtures hold.
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
fn networks_that_were_trained() {
    let (_held, gpu) = gpu();
    let anatomy = noise(&[1, 1, 112, 112], 1).affine(0.5, 0.5).unwrap();
    let estimate = |cascade: &Cascade, i: usize, ef: f64| {
        let mut config = cascade.config.clone();
        // Pictures take their time on the emulated driver, and four frames show what sixteen do.
        if !config.makes_motion() {
            config.stages.iter_mut().for_each(|stage| stage.frames = 4);
        }
        let plan = Plan {
            config: &config,
            ef_percent: &[ef],
            anatomy: &anatomy,
            noise: &Seeded(Seed(1)),
            interrupt: &Interrupt::new(),
            memory: 1 << 30,
            openings: None,
            carry: None,
            sharpen: false,
        };
        let evaluation = |evaluate: &dyn Fn() -> Result<Tensor>| evaluate();
        cascade.with_evaluation(&plan, i, evaluation).unwrap()
    };
    let motion = |backend: Backend| builtin_cascade(backend).unwrap().cascade;
    let pixels = |backend: Backend| open_cascade(&pixel_cascade(), backend).unwrap().cascade;
    type Open<'a> = &'a dyn Fn(Backend) -> Cascade;
    let networks: [(&str, Open, usize); 3] = [
        ("the built-in motion stage", &motion, 0),
        ("a stage of pictures", &pixels, 0),
        ("the stage after it", &pixels, 1),
    ];
    for (what, open, i) in networks {
        // The third is replayed, with what an encoder says of another EF.
        let efs: &[f64] = match what {
            "the built-in motion stage" => &[20.0, 45.0, 70.0],
            _ => &[30.0],
        };
        let cpu = open((&Device::Cpu).into());
        let expected: Vec<_> = efs.iter().map(|&ef| estimate(&cpu, i, ef)).collect();
        assert!(expected.len() < 2 || difference(&expected[0], &expected[2]) > 0.01);
        for arithmetic in Arithmetic::ALL {
            // A second stage takes its time there, too: in the leanest arithmetic only.
            if i > 0 && arithmetic != Arithmetic::Bf16 {
                continue;
            }
            let backend = Backend {
                device: gpu.clone(),
                arithmetic,
            };
            let ours = open(backend);
            // Of the largest value of a denoised estimate.
            let most = match arithmetic {
                Arithmetic::F32 => 1e-5,
                Arithmetic::Tf32 => 5e-3,
                Arithmetic::Bf16 => 5e-2,
            };
            let runs = efs.iter().zip(&expected);
            // Replaying is the same in every arithmetic.
            for (ef, expected) in runs.take(if arithmetic == Arithmetic::F32 { 3 } else { 1 }) {
                let d = difference(&estimate(&ours, i, *ef), expected);
                println!("{what} in {arithmetic}, EF {ef}: {d:.1e}");
                assert!(d <= most, "{what} in {arithmetic}, EF {ef}: {d}");
            }
        }
    }
}
