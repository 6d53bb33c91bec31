mod damaged;

use super::*;
use crate::checkpoint::{LearningRegressor, LearningStage, Origin, Recipe};
use crate::train::clips::{Clips, Drawn};
use crate::train::samples::Source;
use crate::train::{Material, MotionSettings, MotionTask, PictureSettings, PictureTask};
use crate::train::{RegressorSettings, RegressorTask};

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

fn run(steps: u64) -> Run<MotionTask> {
    Run::new(task(steps)).unwrap()
}

fn task(steps: u64) -> MotionTask {
    let settings = MotionSettings {
        steps,
        batch: 2,
        seed: 4,
        ..MotionSettings::default()
    };
    let recipe = Recipe {
        prefix: "small.".into(),
        gain: 1.0,
    };
    let path = Path::new("small");
    let none = BTreeMap::new();
    let learning =
        LearningStage::of(SMALL, 0, (&recipe, &Device::Cpu), path, "0".into(), none).unwrap();
    let source = Source {
        seed: 0,
        stills: Vec::new(),
        puppets: 0.0,
        compounded: 0.0,
        scale: 1.0,
    };
    MotionTask::new(settings, learning, source).unwrap()
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = pool.stack_size(64 << 20).build().unwrap();
    pool.install(work)
}

fn advance<T: Task>(run: &mut Run<T>, steps: u64) -> Vec<Step> {
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
fn samples_that_are_gone_through_at_once_teach_the_same() {
    let (one, both) = with_threads(2, || {
        let mut together = task(6);
        together.at_once = 2;
        let mut both = Run::new(together).unwrap();
        (advance(&mut run(6), 1)[0], advance(&mut both, 1)[0])
    });
    println!("{one:?}, {both:?}");
    let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-5;
    assert!(near(one.loss, both.loss) && near(one.norm, both.norm));
}

#[test]
fn it_learns_and_what_it_learned_is_a_cascade() {
    let folder = tempfile::tempdir().unwrap();
    let (first, last) = with_threads(2, || {
        let mut run = run(20);
        let steps = advance(&mut run, 20);
        run.write(folder.path()).unwrap();
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
    let settings = MotionSettings {
        steps: 1000,
        ..MotionSettings::default()
    };
    let at = |step| settings.step_size_at(step) / settings.step_size;
    assert!(at(0) < 0.02 && (at(200) - 1.0).abs() < 0.01 && at(999) < 0.01);
    assert!(MotionSettings::default().check().is_ok());
    for wrong in [
        MotionSettings {
            batch: 0,
            ..settings.clone()
        },
        MotionSettings {
            step_size: f64::NAN,
            ..settings.clone()
        },
        MotionSettings {
            untold: 1.0,
            ..settings.clone()
        },
    ] {
        assert!(wrong.check().is_err(), "{wrong:?}");
    }
}

/// A stage of the tiny published cascade of two, from nothing; the second, which sees pieces of 8 pixels, joins pictures.
fn of_pictures(stage: usize) -> Run<PictureTask> {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/merged_tiny_2scm");
    let from = Origin::Config(config.join("config.yaml"));
    let learning = LearningStage::open(&from, stage, 4, &Device::Cpu).unwrap();
    let settings = PictureSettings {
        steps: 4,
        batch: 2,
        seed: 4,
        joint: stage == 1,
        ..PictureSettings::default()
    };
    let clips = Material::Clips(Clips::Drawn(Drawn::default()));
    Run::new(PictureTask::new(settings, learning, clips).unwrap()).unwrap()
}

#[test]
fn stages_of_pictures_are_gone_on_with_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for stage in [0, 1] {
        let unbroken = with_threads(1, || {
            let mut run = of_pictures(stage);
            let steps = advance(&mut run, 2);
            run.keep(&path("unbroken")).unwrap();
            steps
        });
        assert!(unbroken.iter().all(|s| s.loss > 0.0 && s.norm > 0.0));
        let resumed = with_threads(2, || {
            let mut first = of_pictures(stage);
            let mut steps = advance(&mut first, 1);
            first.keep(&path("half")).unwrap();
            let mut second = of_pictures(stage);
            second.go_on(&path("half")).unwrap();
            steps.extend(advance(&mut second, 1));
            second.keep(&path("resumed")).unwrap();
            steps
        });
        assert_eq!(resumed, unbroken, "stage {stage}");
        let read = |name: &str| std::fs::read(path(name)).unwrap();
        assert!(read("resumed") == read("unbroken"), "stage {stage}");
    }
}

#[test]
fn a_stage_of_pictures_learns() {
    let (first, last) = with_threads(2, || {
        let mut run = of_pictures(0);
        let steps = advance(&mut run, 60);
        let mean = |s: &[Step]| s.iter().map(|s| s.loss).sum::<f64>() / s.len() as f64;
        (mean(&steps[..15]), mean(&steps[45..]))
    });
    println!("loss {first:.2}, then {last:.2}");
    assert!(last < 0.9 * first, "{first} {last}");
}

#[test]
fn a_task_is_given_the_stage_that_it_is_of() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/merged_tiny_2scm");
    let pictures = LearningStage::open(
        &Origin::Config(config.join("config.yaml")),
        0,
        1,
        &Device::Cpu,
    )
    .unwrap();
    let source = Source {
        seed: 0,
        stills: Vec::new(),
        puppets: 0.0,
        compounded: 0.0,
        scale: 1.0,
    };
    assert!(MotionTask::new(MotionSettings::default(), pictures, source).is_err());
    let motion = LearningStage::open(&Origin::BuiltIn, 0, 1, &Device::Cpu).unwrap();
    let drawn = || Material::Clips(Clips::Drawn(Drawn::default()));
    let made = PictureTask::new(PictureSettings::default(), motion, drawn());
    assert!(made.is_err());
    // Pictures of one beat each.
    let text = std::fs::read_to_string(config.join("config.yaml")).unwrap();
    let text = text.replacen("dataset:", "dataset:\n  beat_normalised: true", 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    let beats = LearningStage::open(&Origin::Config(path), 0, 1, &Device::Cpu).unwrap();
    assert!(beats.cascade.beat_normalised);
    let made = PictureTask::new(PictureSettings::default(), beats, drawn());
    assert!(made.is_err());
}

/// A cascade whose second stage is given what is carried, of 16 x 16.
fn carried_cascade() -> String {
    let second = "  unet2:
    dim: 8
    dim_mults: [1, 2]
    num_resnet_blocks: 1
    cond_images_channels: 1
    layer_attns: false
    layer_cross_attns: [false, true]
    memory_efficient: true
    attend_at_middle: false
    attn_heads: 2
    attn_dim_head: 8
    attn_pool_num_latents: 2
imagen:";
    SMALL
        .replacen("imagen:", second, 1)
        .replacen("image_sizes: 28", "image_sizes: [28, 16]", 1)
        .replacen("num_sample_steps: 1", "num_sample_steps: [1, 2]", 1)
        .replacen("sigma_min: 3.0", "sigma_min: [3.0, 0.01]", 1)
        .replacen("sigma_max: 160.0", "sigma_max: [160.0, 80.0]", 1)
        .replacen("sigma_data: 0.5", "sigma_data: [0.5, 0.25]", 1)
}

#[test]
fn the_stage_after_motion_learns_from_what_is_carried() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let config = folder.join("config.yaml");
    std::fs::write(&config, carried_cascade()).unwrap();
    let (run_1, run_2) = (folder.join("1"), folder.join("2"));
    let source = || Source {
        seed: 0,
        stills: Vec::new(),
        puppets: 0.0,
        compounded: 0.0,
        scale: 1.0,
    };
    let first = LearningStage::open(&Origin::Config(config), 0, 1, &Device::Cpu).unwrap();
    let first = MotionTask::new(MotionSettings::default(), first, source()).unwrap();
    Run::new(first).unwrap().write(&run_1).unwrap();
    let of = |from: &Path, material: Material| {
        let from = Origin::Folder(from.to_owned());
        let learning = LearningStage::open(&from, 1, 1, &Device::Cpu).unwrap();
        let settings = PictureSettings {
            steps: 40,
            batch: 2,
            seed: 4,
            step_size: 2e-3,
            ..PictureSettings::default()
        };
        PictureTask::new(settings, learning, material)
    };
    assert!(of(&run_1, Material::Clips(Clips::Drawn(Drawn::default()))).is_err());
    let (first, last) = with_threads(2, || {
        let mut run = Run::new(of(&run_1, Material::Beats(source())).unwrap()).unwrap();
        let steps = advance(&mut run, 40);
        run.write(&run_2).unwrap();
        let mean = |s: &[Step]| s.iter().map(|s| s.loss).sum::<f64>() / s.len() as f64;
        (mean(&steps[..10]), mean(&steps[30..]))
    });
    println!("loss {first:.2}, then {last:.2}");
    assert!(last < 0.9 * first, "{first} {last}");
    // Both stages are there, and a run goes through them.
    let opened = crate::checkpoint::open_cascade(&run_2, &Device::Cpu).unwrap();
    assert!(opened.cascade.config.makes_motion() && opened.cascade.stages.len() == 2);
}

const METER: &str = "
network: r2plus1d
widths: [4, 8]
blocks: [1, 1]
stem_mid: 4
channels: 1
frames: 8
fps: 8.0
image_size: 56
";

fn of_regressor(folder: &Path, steps: u64, clips: Clips) -> Run<RegressorTask> {
    let path = folder.join("small.yaml");
    std::fs::write(&path, METER).unwrap();
    let learning = LearningRegressor::open(&Origin::Config(path), 4, &Device::Cpu).unwrap();
    let settings = RegressorSettings {
        steps,
        batch: 4,
        step_size: 6e-2,
        falls: true,
        seed: 4,
        ..RegressorSettings::default()
    };
    Run::new(RegressorTask::new(settings, learning, clips)).unwrap()
}

#[test]
fn a_regressor_is_gone_on_with_to_the_bit_and_opens_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let unbroken = with_threads(1, || {
        let mut run = of_regressor(folder.path(), 4, Clips::Drawn(Drawn::default()));
        let steps = advance(&mut run, 2);
        run.keep(&path("unbroken")).unwrap();
        steps
    });
    let resumed = with_threads(2, || {
        let mut first = of_regressor(folder.path(), 4, Clips::Drawn(Drawn::default()));
        let mut steps = advance(&mut first, 1);
        first.keep(&path("half")).unwrap();
        let mut second = of_regressor(folder.path(), 4, Clips::Drawn(Drawn::default()));
        second.go_on(&path("half")).unwrap();
        steps.extend(advance(&mut second, 1));
        second.keep(&path("resumed")).unwrap();
        steps
    });
    assert_eq!(resumed, unbroken);
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    assert!(read("resumed") == read("unbroken"));
}

/// Clips that are as bright as their EF is high.
#[test]
fn a_regressor_learns_and_measures_by_its_running_averages() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut list = "file,ef_percent\n".to_owned();
    for ef in [10, 25, 40, 55, 70, 85u8] {
        crate::train::tests::clip(&path(&format!("{ef}.gif")), &[3 * ef; 9]);
        list += &format!("{ef}.gif,{ef}\n");
    }
    std::fs::write(path("list.csv"), list).unwrap();
    let clips = Clips::of_folder(folder.path()).unwrap();
    let (first, last) = with_threads(2, || {
        let mut run = of_regressor(folder.path(), 150, clips.clone());
        let steps = advance(&mut run, 150);
        run.write(&path("regressor")).unwrap();
        let mean = |s: &[Step]| s.iter().map(|s| s.loss).sum::<f64>() / s.len() as f64;
        (mean(&steps[..30]), mean(&steps[120..]))
    });
    let opened = crate::checkpoint::open_regressor(&path("regressor"), &Device::Cpu, None);
    let opened = opened.unwrap();
    let mut most = 0f64;
    for number in 0..6 {
        let window = clips.window(99, number, (8, 8.0), 1).unwrap();
        let x = crate::clip::resample::average_blocks(&window.video, 2).unwrap();
        let said = opened.forward(&x, &Interrupt::new()).unwrap()[0];
        most = most.max((said - 100.0 * window.ef).abs());
    }
    println!("loss {first:.0}, then {last:.0}; at most {most:.1} points off");
    assert!(last < 0.5 * first && most < 15.0, "{first} {last} {most}");
}
