use super::*;
use crate::checkpoint::Recipe;

/// The built-in stage's kind, small.
const SMALL: &str = "
unets:
  unet1:
    dim: 8
    dim_mults: [1, 2, 4]
    channels: 3
    cond_images_channels: 4
    num_resnet_blocks: 1
    max_text_len: 1
    layer_attns: false
    layer_cross_attns: [false, false, true]
    memory_efficient: false
    attend_at_middle: false
    attn_heads: 2
    attn_dim_head: 8
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

fn run(steps: u64) -> Run {
    let settings = Settings {
        steps,
        batch: 2,
        seed: 4,
        ..Settings::default()
    };
    let recipe = Recipe {
        prefix: "small.".into(),
        gain: 1.0,
    };
    let learning = LearningStage::of(SMALL, &recipe, Path::new("small"), "0".into()).unwrap();
    let source = Source {
        seed: 0,
        stills: Vec::new(),
        puppets: 0.0,
        scale: 1.0,
    };
    Run::new(settings, learning, source).unwrap()
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = pool.stack_size(64 << 20).build().unwrap();
    pool.install(work)
}

fn advance(run: &mut Run, steps: u64) -> Vec<Step> {
    let interrupt = Interrupt::new();
    (0..steps)
        .map(|_| run.advance(&interrupt).unwrap())
        .collect()
}

#[test]
fn a_run_that_was_stopped_is_the_unbroken_one_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let unbroken = with_threads(1, || {
        let mut run = run(6);
        let steps = advance(&mut run, 6);
        assert!(run.is_done());
        run.keep(&path("unbroken")).unwrap();
        steps
    });
    for threads in [1, 2] {
        let resumed = with_threads(threads, || {
            let mut first = run(6);
            let mut steps = advance(&mut first, 3);
            first.keep(&path("half")).unwrap();
            let mut second = run(6);
            second.go_on(&path("half")).unwrap();
            assert_eq!(second.step_number(), 3);
            steps.extend(advance(&mut second, 3));
            second.keep(&path("resumed")).unwrap();
            steps
        });
        assert_eq!(resumed, unbroken, "{threads} threads");
        let read = |name: &str| std::fs::read(path(name)).unwrap();
        assert!(read("resumed") == read("unbroken"), "{threads} threads");
    }
    assert!(run(6).go_on(&path("nothing")).is_err());
}

#[test]
fn it_learns_and_what_it_learned_is_a_cascade() {
    let folder = tempfile::tempdir().unwrap();
    let (first, last) = with_threads(2, || {
        let mut run = run(20);
        let steps = advance(&mut run, 20);
        run.write_cascade(folder.path()).unwrap();
        let mean = |s: &[Step]| s.iter().map(|s| s.loss).sum::<f64>() / s.len() as f64;
        (mean(&steps[..5]), mean(&steps[15..]))
    });
    println!("loss {first:.2}, then {last:.2}");
    assert!(last < 0.8 * first, "{first} {last}");
    let opened = crate::checkpoint::open_cascade(folder.path(), &Device::Cpu).unwrap();
    assert!(opened.cascade.config.makes_motion());
}

#[test]
fn the_step_size_rises_and_falls() {
    let settings = Settings {
        steps: 1000,
        ..Settings::default()
    };
    let at = |step| settings.step_size_at(step) / settings.step_size;
    assert!(at(0) < 0.02 && (at(200) - 1.0).abs() < 0.01 && at(999) < 0.01);
    assert!(Settings::default().check().is_ok());
    for wrong in [
        Settings {
            batch: 0,
            ..settings.clone()
        },
        Settings {
            step_size: f64::NAN,
            ..settings.clone()
        },
        Settings {
            untold: 1.0,
            ..settings.clone()
        },
    ] {
        assert!(wrong.check().is_err(), "{wrong:?}");
    }
}
