//! The motion cascade: imported from what training writes, run, corrected, repeated, measured, judged.

use crate::common::{Names, Pickler, write_zip};
use candle_core::{Device, Tensor};
use echoif::checkpoint::{Precision, Recipe, builtin_cascade, import, open_cascade, parse_cascade};
use echoif::edm::{Cascade, Plan, Seed, Seeded, Stage};
use echoif::ef::EfPercent;
use echoif::engine::{CascadeSource, Models, OpenDevice, Pace, Request, generate};
use echoif::hearts::simulated_heart;
use echoif::media::region::{Anatomy, Square};
use echoif::models::anatomy_encoder::AnatomyEncoder;
use echoif::models::unet3d::Unet;
use echoif::nn::{Interrupt, Params};
use echoif::puppet::Landmarks;
use std::path::Path;
use std::sync::Arc;

/// A motion stage as small as one can be.
const TINY: &str = "
unets: {unet1: {dim: 8, dim_mults: [1, 2], channels: 3, cond_images_channels: 4, attend_at_middle: false,
  num_resnet_blocks: 1, attn_heads: 2, attn_dim_head: 8, attn_pool_num_latents: 2,
  layer_cross_attns: [false, true], output: motion,
  motion: {scale: 3, picture_size: 112, third_channel: lv_cavity},
  encoder: {width: 8, embedding: 8, features: 4, size: 112}}}
imagen: {channels: 1, image_sizes: 28, num_sample_steps: 1, sigma_min: 3, sigma_max: 160, sigma_data: 0.5,
  rho: 7, S_churn: 0, S_tmin: 0.05, S_tmax: 50, S_noise: 1.003, dynamic_thresholding: false}
dataset: {fps: 16, duration: 1.0, beat_normalised: true}
checkpoint: {cond_scale: 1}
";

fn tensors(text: &str) -> Vec<(String, Vec<usize>)> {
    let config = parse_cascade(text).unwrap();
    let stage = &config.stages[0];
    let names = Names::default();
    let _ = Params::load(&names, &Device::Cpu, |p| {
        AnatomyEncoder::new(stage.encoder.as_ref().unwrap(), &p.at("enc"))?;
        Unet::new(&stage.unet, &p.at("unet"))
    });
    names.0.into_inner()
}

/// `{"ema": {...}}` as training saves it.
fn save(path: &Path, key: &str, prefix: &str, tensors: &[(String, Vec<usize>)]) {
    let mut p = Pickler::new();
    let dict = |p: &mut Pickler| {
        for (i, (name, shape)) in tensors.iter().enumerate() {
            p.text(&format!("{prefix}{name}"));
            p.tensor(&i.to_string(), shape, false);
        }
    };
    match key {
        "" => p.dict(dict),
        key => p.dict(|p| {
            p.text(key);
            p.dict(dict);
        }),
    }
    let values = |shape: &[usize]| vec![0.01; shape.iter().product()];
    let storages = tensors.iter().enumerate();
    let storages = storages.map(|(i, (_, shape))| (i.to_string(), values(shape)));
    write_zip(path, &p.finish(), storages);
}

fn anatomy(heart: usize) -> Arc<Anatomy> {
    let heart = simulated_heart(heart).unwrap();
    Arc::new(Anatomy::from_frame(&heart.frame, &Square::centred(112, 112).into()).unwrap())
}

#[test]
fn what_training_saves_is_imported_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("stage.pt"), folder.path().join("out"));
    save(&file, "ema", "", &tensors(TINY));
    // Without a description it is taken for a stage of the usual size, whose tensors it lacks.
    let why = import(&file, &out, Precision::F32).unwrap_err().to_string();
    assert!(
        why.contains("ema.enc.e.0.weight: expected [64, 8], found [8, 8]"),
        "{why}"
    );
    assert!(!out.join("manifest.json").exists());

    std::fs::write(file.with_extension("yaml"), TINY).unwrap();
    import(&file, &out, Precision::F32).unwrap();
    let loaded = open_cascade(&out, &Device::Cpu).unwrap();
    assert!(loaded.cascade.config.makes_motion() && loaded.warnings.is_empty());
    let models = Models::open(OpenDevice::cpu(None), CascadeSource::Folder(out), None).unwrap();
    let mut pace = Pace::calibrate(&Device::Cpu).unwrap();
    let request = Request::new(anatomy(0), EfPercent::new(40.0).unwrap());
    let made = generate(&models, &request, &mut pace, &Interrupt::new(), &mut |_| {}).unwrap();
    assert_eq!((made.cine.video.frames, made.cine.video.height), (16, 112));
    assert!(made.cine.beating.is_some() && made.beat_normalised);
}

#[test]
fn a_second_stage_is_given_the_carried_anatomy() {
    let text = TINY.replace(
        "size: 112}}}",
        "size: 112}}, unet2: {dim: 8, dim_mults: [1, 2], memory_efficient: true, attend_at_middle: false, \
         num_resnet_blocks: 1, attn_heads: 2, attn_dim_head: 8, attn_pool_num_latents: 2, \
         layer_cross_attns: [false, false], cond_images_channels: 1}}",
    );
    let text = text.replace(
        "image_sizes: 28",
        "resize_mode: trilinear, image_sizes: [28, 32]",
    );
    let config = parse_cascade(&text).unwrap();
    let recipe = |prefix: &str| Recipe {
        prefix: prefix.into(),
        gain: 1.0,
    };
    let stage = |i: usize| {
        let stage = &config.stages[i];
        let (networks, _) = Params::load(&recipe(&i.to_string()), &Device::Cpu, |p| {
            let encoder = stage.encoder.as_ref();
            Ok(Stage {
                unet: Unet::new(&stage.unet, p)?,
                encoder: encoder.map(|e| AnatomyEncoder::new(e, p)).transpose()?,
            })
        })
        .unwrap();
        networks
    };
    let cascade = Cascade {
        stages: vec![stage(0), stage(1)],
        config: config.clone(),
        backend: (&Device::Cpu).into(),
    };
    let carried = std::cell::Cell::new(0);
    let carry = |motion: &Tensor| {
        carried.set(carried.get() + 1);
        assert_eq!(motion.dims(), [1, 3, 16, 28, 28]);
        Tensor::full(0.5f32, (1, 1, 16, 112, 112), &Device::Cpu)
    };
    let anatomy = anatomy(0).tensor(1).unwrap();
    let mut plan = Plan {
        config: &config,
        ef_percent: &[30.0],
        anatomy: &anatomy,
        noise: &Seeded(Seed(1)),
        interrupt: &Interrupt::new(),
        memory: usize::MAX,
        openings: None,
        carry: Some(&carry),
        sharpen: true,
    };
    let made = cascade.run(&plan, &mut |_| {}).unwrap();
    assert_eq!(made.video.unwrap().dims(), [1, 1, 16, 32, 32]);
    assert_eq!(made.motion.unwrap().dims(), [1, 3, 16, 28, 28]);
    assert_eq!(carried.get(), 1);
    plan.carry = None;
    assert!(cascade.run(&plan, &mut |_| {}).is_err());
}

#[test]
fn a_batch_gives_what_each_ef_gives_alone() {
    let cascade = builtin_cascade(&Device::Cpu).unwrap().cascade;
    let anatomy = anatomy(1).tensor(1).unwrap();
    let run = |efs: &[f64]| {
        let plan = Plan {
            config: &cascade.config,
            ef_percent: efs,
            anatomy: &anatomy,
            noise: &Seeded(Seed(3)),
            interrupt: &Interrupt::new(),
            memory: usize::MAX,
            openings: None,
            carry: None,
            sharpen: false,
        };
        cascade.run(&plan, &mut |_| {}).unwrap().motion.unwrap()
    };
    let both = run(&[25.0, 65.0]);
    for (i, ef) in [25.0, 65.0].into_iter().enumerate() {
        let alone = run(&[ef]);
        let d = (both.narrow(0, i, 1).unwrap() - alone)
            .unwrap()
            .abs()
            .unwrap();
        let d: f32 = d
            .flatten_all()
            .unwrap()
            .max(0)
            .unwrap()
            .to_scalar()
            .unwrap();
        assert!(d < 1e-4, "EF {ef}: {d}");
    }
}

fn models() -> Models {
    Models::open(OpenDevice::cpu(None), CascadeSource::Builtin, None).unwrap()
}

#[test]
fn a_picture_at_any_time_is_that_of_the_motion_then() {
    let models = models();
    let mut pace = Pace::calibrate(&Device::Cpu).unwrap();
    let request = Request::new(anatomy(0), EfPercent::new(60.0).unwrap());
    let made = generate(&models, &request, &mut pace, &Interrupt::new(), &mut |_| {}).unwrap();
    let (video, beating) = (&made.cine.video, made.cine.beating.as_ref().unwrap());
    let n = 112 * 112;
    for frame in [0, 6, 15] {
        let at = beating.picture_at(frame as f64 / 16.0);
        let worst = at.data.iter().zip(&video.data[frame * n..][..n]);
        let worst = worst.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{frame}: {worst}");
    }
    // Half-way pictures are as sharp as frames, not the mean of two of them.
    let (between, mixed) = (
        beating.picture_at(3.5 / 16.0).data,
        (0..n)
            .map(|i| (video.data[3 * n + i] + video.data[4 * n + i]) / 2.0)
            .collect::<Vec<_>>(),
    );
    let detail = |picture: &[f32]| {
        let rows = (1..111).flat_map(|y| (1..111).map(move |x| y * 112 + x));
        let laplacian = |i: usize| {
            picture[i - 1] + picture[i + 1] + picture[i - 112] + picture[i + 112] - 4.0 * picture[i]
        };
        rows.map(|i| laplacian(i).powi(2)).sum::<f32>()
    };
    assert!(detail(&between) > detail(&mixed));
    // And the outline closes in between, too.
    let area = |share: f64| {
        let points = beating.outline_at(share);
        let pairs = points.iter().zip(points.iter().cycle().skip(1));
        pairs
            .map(|(a, b)| a[0] * b[1] - b[0] * a[1])
            .sum::<f32>()
            .abs()
            / 2.0
    };
    let (ed, between, es) = (area(0.0), area(3.0 / 16.0), area(6.0 / 16.0));
    assert!(
        ed > between && between > es && es > 0.005,
        "{ed} {between} {es}"
    );
}

#[test]
fn a_corrected_outline_moves_as_asked_and_is_kept() {
    let models = models();
    let mut pace = Pace::calibrate(&Device::Cpu).unwrap();
    let ef = EfPercent::new(35.0).unwrap();
    let mut request = Request::new(anatomy(0), ef);
    let mut make = |request: &Request| {
        generate(&models, request, &mut pace, &Interrupt::new(), &mut |_| {}).unwrap()
    };
    let own = make(&request);
    let said = own.cine.beating.as_ref().unwrap().motion().guess().unwrap();
    // The lateral wall further out than the cascade sees it.
    let mut points = said.landmarks.points();
    for point in &mut points[5..8] {
        point[0] += 5.0;
    }
    let outline = Landmarks::from_points(points);
    request.outline = Some(Arc::new(outline.clone()));
    let corrected = make(&request);
    let p = &corrected.provenance;
    assert_eq!(p.outline.as_ref(), Some(&outline));
    assert!(
        (p.outline_ef_percent.unwrap() - 35.0).abs() < 3.0,
        "{:?}",
        p.outline_ef_percent
    );
    assert_ne!(p.pixels_sha256, own.provenance.pixels_sha256);
}
