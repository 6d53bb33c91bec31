//! Networks that learn: the same steps as on the CPU, up to rounding, and the same ones again.

use super::common::fixtures;
use super::{difference, gpu, noise};
use candle_core::{Device, Tensor, Var};
use echoif::checkpoint::{LearningRegressor, LearningStage, Origin, Recipe};
use echoif::models::anatomy_encoder::{AnatomyEncoder, EncoderConfig};
use echoif::nn::{Interrupt, Params};
use echoif::train::clips::{Clips, Drawn};
use echoif::train::samples::Source;
use echoif::train::{
    Material, MotionSettings, MotionTask, PictureSettings, PictureTask, RegressorSettings,
    RegressorTask, Run, Step, Task, beat_errors, read_state,
};
use echoif::verify::verify;
use std::collections::BTreeMap;
use std::path::Path;

/// The built-in stage's kind, small.
const MOTION: &str = "
unets:
  unet1:
    dim: 8
    dim_mults: [1, 2]
    channels: 3
    cond_images_channels: 4
    num_resnet_blocks: 1
    max_text_len: 1
    layer_attns: false
    layer_cross_attns: [false, true]
    memory_efficient: false
    attend_at_middle: false
    attn_heads: 2
    attn_dim_head: 4
    attn_pool_num_latents: 2
    resize_mode: area
    output: motion
    motion: {scale: 3.0, picture_size: 112, third_channel: lv_cavity}
    encoder: {width: 8, embedding: 8, features: 4, size: 112}
imagen:
  elucidated: true
  condition_on_text: true
  channels: 1
  image_sizes: 28
  text_embed_dim: 1
  num_sample_steps: 1
  sigma_min: 3.0
  sigma_max: 160.0
  sigma_data: 0.5
  rho: 7
  S_churn: 0
  S_tmin: 0.05
  S_tmax: 50
  S_noise: 1.003
  dynamic_thresholding: false
dataset: {fps: 16, duration: 1.0, grayscale: true, beat_normalised: true}
checkpoint: {cond_scale: 1.0}
";

const METER: &str = "
network: r2plus1d
widths: [4, 8]
blocks: [1, 1]
stem_mid: 4
channels: 1
frames: 4
fps: 8.0
image_size: 28
";

/// With weights that all have a gradient from the first step on, unlike those of a stage that begins with nothing.
fn stage(text: &str, index: usize, folder: &Path, device: &Device) -> LearningStage {
    let recipe = Recipe {
        prefix: "learning.".into(),
        gain: 1.0,
    };
    let none = BTreeMap::new();
    LearningStage::of(text, index, (&recipe, device), folder, "0".into(), none).unwrap()
}

fn of_motion(folder: &Path, device: &Device) -> Run<MotionTask> {
    let learning = stage(MOTION, 0, folder, device);
    let settings = MotionSettings {
        steps: 4,
        // On the CPU one after the other, there at once.
        batch: 2,
        seed: 4,
        ..MotionSettings::default()
    };
    let source = Source {
        seed: 0,
        stills: Vec::new(),
        puppets: 0.0,
        compounded: 0.0,
        scale: 1.0,
    };
    Run::new(MotionTask::new(settings, learning, source).unwrap()).unwrap()
}

fn of_pictures(folder: &Path, device: &Device) -> Run<PictureTask> {
    let config = fixtures().join("merged_tiny_2scm/config.yaml");
    let text = std::fs::read_to_string(config).unwrap();
    let learning = stage(&text, 1, folder, device);
    let settings = PictureSettings {
        steps: 4,
        batch: 1,
        seed: 4,
        ..PictureSettings::default()
    };
    let clips = Material::Clips(Clips::Drawn(Drawn::default()));
    Run::new(PictureTask::new(settings, learning, clips).unwrap()).unwrap()
}

fn of_regressor(folder: &Path, device: &Device) -> Run<RegressorTask> {
    let path = folder.join("meter.yaml");
    std::fs::write(&path, METER).unwrap();
    let learning = LearningRegressor::open(&Origin::Config(path), 4, device).unwrap();
    let settings = RegressorSettings {
        steps: 4,
        batch: 2,
        seed: 4,
        ..RegressorSettings::default()
    };
    let clips = Clips::Drawn(Drawn::default());
    Run::new(RegressorTask::new(settings, learning, clips)).unwrap()
}

/// Steps with the state after them.
fn steps<T: Task>(run: &mut Run<T>, n: usize, state: &Path) -> Vec<Step> {
    let go = Interrupt::new();
    let steps = (0..n).map(|_| run.advance(&go).unwrap()).collect();
    run.keep(state).unwrap();
    steps
}

fn largest(t: &Tensor) -> f32 {
    super::values(t).iter().fold(0f32, |m, v| m.max(v.abs()))
}

fn same_steps<T: Task>(what: &str, make: impl Fn(&Path, &Device) -> Run<T>, resumed: bool) {
    let (_held, gpu) = gpu();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = |name: &str| folder.join(name);
    let expected = steps(&mut make(folder, &Device::Cpu), 1, &path("cpu"));
    let mut run = make(folder, &gpu);
    let mut ours = steps(&mut run, 1, &path("one"));
    let near = |a: f64, b: f64, most: f64| (a / b - 1.0).abs() < most;
    println!("{what}: {:?}, on the CPU {:?}", ours[0], expected[0]);
    assert!(near(ours[0].loss, expected[0].loss, 1e-4), "{what}");
    assert!(near(ours[0].norm, expected[0].norm, 1e-3), "{what}");
    // The first moments are a tenth of the gradients.
    let state = |name: &str| read_state(&path(name)).unwrap().remove("adam").unwrap();
    let (a, b) = (state("one"), state("cpu"));
    let moments: Vec<_> = (b.iter())
        .filter(|(name, _)| name.starts_with("m."))
        .collect();
    let of_all = moments.iter().fold(0f32, |m, (_, t)| m.max(largest(t)));
    let mut compared = 0;
    for (name, theirs) in moments {
        // Of what is all but nothing, only rounding is left.
        if largest(theirs) < 1e-4 * of_all {
            continue;
        }
        let d = difference(&a[name], theirs);
        assert!(d < 5e-3, "{what}, {name}: {d} of {}", largest(theirs));
        compared += 1;
    }
    assert!(compared > 10, "{what}: {compared}");
    if !resumed {
        return;
    }
    ours.extend(steps(&mut run, 1, &path("unbroken")));
    let mut second = make(folder, &gpu);
    second.go_on(&path("one")).unwrap();
    assert_eq!(steps(&mut second, 1, &path("resumed")), ours[1..]);
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    assert!(read("resumed") == read("unbroken"), "{what}");
}

/// On the emulated driver it takes ten minutes: its grid cannot be smaller. What it has that no other network has is
/// [`what_only_a_motion_stage_has`], and that many samples at once teach what one after the other do is tested on the
/// CPU.
#[test]
#[ignore = "minutes on the emulated driver; for a GPU: cargo test --features cuda --test cuda -- --ignored"]
fn a_motion_stage_learns_there() {
    same_steps("a motion stage", of_motion, false);
}

#[test]
fn what_only_a_motion_stage_has() {
    let (_held, gpu) = gpu();
    // Two anatomies with an EF each.
    let config = EncoderConfig {
        width: 8,
        embedding: 6,
        features: 3,
        size: 32,
    };
    let recipe = Recipe {
        prefix: "encoder.".into(),
        gain: 1.0,
    };
    let anatomies = ((noise(&[2, 1, 32, 32], 1) + 1.0).unwrap() / 2.0).unwrap();
    let encoded = |device: &Device| {
        let (encoder, vars) =
            Params::learn(&recipe, device, |p| AnatomyEncoder::new(&config, p)).unwrap();
        let out = encoder.forward(&anatomies, &[0.3, 0.7], &Interrupt::new());
        let out = out.unwrap();
        assert!(out.device().same_device(device));
        let slopes = out.sqr().and_then(|out| out.sum_all()?.backward()).unwrap();
        let slope = |(name, var): (&String, &Var)| (name.clone(), slopes.get(var).unwrap().clone());
        (out, vars.iter().map(slope).collect::<BTreeMap<_, _>>())
    };
    let ((ours, slopes), (theirs, expected)) = (encoded(&gpu), encoded(&Device::Cpu));
    assert!(difference(&ours, &theirs) < 1e-4);
    // A bias before a norm of its channel alone has none but for rounding.
    let of_all = expected.values().map(largest).fold(0f32, f32::max);
    let told = expected.iter().filter(|(_, t)| largest(t) > 1e-4 * of_all);
    let mut compared = 0;
    for (name, expected) in told {
        let d = difference(&slopes[name], expected);
        assert!(d < 1e-3, "{name}: {d}");
        compared += 1;
    }
    assert!(compared > expected.len() / 2, "{compared}");

    // Two beats' errors as a whole.
    let target = |seed| super::values(&noise(&[3, 16, 28, 28], seed));
    let targets = [target(2), target(3)];
    let targets: Vec<&[f32]> = targets.iter().map(Vec::as_slice).collect();
    let errors = |device: &Device| {
        let estimate = noise(&[2, 3, 16, 28, 28], 4).to_device(device);
        let estimate = Var::from_tensor(&estimate.unwrap()).unwrap();
        let made = beat_errors(&estimate, &targets, 3.0).unwrap();
        let sum = (made.strain + made.volume).unwrap();
        let slopes = sum.sum_all().and_then(|sum| sum.backward()).unwrap();
        (sum, slopes.get(&estimate).unwrap().clone())
    };
    let ((ours, slope), (theirs, expected)) = (errors(&gpu), errors(&Device::Cpu));
    assert_eq!(ours.dims(), [2]);
    assert!(difference(&ours, &theirs) < 1e-4);
    assert!(difference(&slope, &expected) < 1e-4);
}

#[test]
fn a_second_stage_of_pictures_learns_there() {
    same_steps("a stage of pictures", of_pictures, false);
}

#[test]
fn a_regressor_learns_there() {
    // The smallest of them: gone on with to the bit.
    same_steps("a regressor", of_regressor, true);
}

#[test]
fn recorded_steps_and_their_gradients() {
    let (_held, gpu) = gpu();
    let folder = tempfile::tempdir().unwrap();
    let copy = |file: &str| {
        let to = folder.path().join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(fixtures().join(file), to).unwrap();
    };
    for name in ["merged_tiny_1scm", "merged_tiny_2scm"] {
        copy(&format!("{name}/config.yaml"));
        copy(&format!("{name}/merged.pt"));
    }
    for name in ["train_1scm", "train_2scm_s2"] {
        copy(&format!("{name}.json"));
        copy(&format!("{name}.safetensors"));
    }
    let report = verify(folder.path(), &gpu, |_| {}).unwrap();
    let failed = report.rows.iter().filter(|r| !r.pass);
    let failed: Vec<_> = failed
        .map(|r| format!("{} {}", r.fixture, r.quantity))
        .collect();
    assert_eq!(failed, Vec::<String>::new());
    println!("{} rows", report.rows.len());
    assert!(report.rows.len() > 25 && report.skipped.is_empty());
}
