//! A carried anatomy on both, and what a second stage makes of it.

use super::common::{Names, Pickler, pixel_cascade, write_zip};
use super::{counted, farthest, gpu, values};
use candle_core::{DType, Device, Tensor};
use echoif::carry::{CELLS, Carrier, Motion, Picture};
use echoif::ef::EfPercent;
use echoif::engine::{
    CascadeSource, DeviceChoice, Generated, Models, OpenDevice, Pace, Request, generate,
};
use echoif::hash::sha256;
use echoif::hearts::simulated_heart;
use echoif::media::region::{Anatomy, Square};
use echoif::models::r2plus1d::{R2Plus1d, R2Plus1dConfig};
use echoif::motion::CarrierOnGpu;
use echoif::nn::{Arithmetic, Interrupt, Params, ResizeMode, carry::carry, resize};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

const FRAMES: usize = 5;
const SCALE: f64 = 3.0;

fn anatomy(heart: usize) -> Arc<Anatomy> {
    let heart = simulated_heart(heart).unwrap();
    Arc::new(Anatomy::from_frame(&heart.frame, &Square::centred(112, 112).into()).unwrap())
}

/// A simulated heart in so many planes, each of another brightness.
fn picture(channels: usize, side: usize) -> Picture {
    let gray = anatomy(1).tensor(1).unwrap().unsqueeze(2).unwrap();
    let gray = values(&resize(&gray, ResizeMode::Trilinear, 1, side, side).unwrap());
    let planes = (0..channels).flat_map(|c| gray.iter().map(move |v| v / (c + 1) as f32));
    Picture::new(channels, side, planes.collect()).unwrap()
}

/// What a motion stage makes, `[3, frames, 28, 28]`: waves of so many pixels.
fn waves(pixels: f32) -> Tensor {
    let value = |i: usize| {
        let (x, y) = ((i % CELLS) as f32, (i / CELLS % CELLS) as f32);
        let frame = i / (CELLS * CELLS);
        pixels / SCALE as f32 * (0.2 * x + 0.13 * y + 0.7 * frame as f32).sin()
    };
    let waves = (0..3 * FRAMES * CELLS * CELLS).map(value).collect();
    Tensor::from_vec(waves, (3, FRAMES, CELLS, CELLS), &Device::Cpu).unwrap()
}

/// The same as the CPU carries by.
fn displacement(waves: &Tensor) -> Motion {
    let motion = echoif::motion::Motion::from_tensor(waves, SCALE).unwrap();
    Motion::new(motion.displacement).unwrap()
}

/// Largest difference, and largest change by the motion.
fn compared(carrier: &Carrier, pixels: f32, gpu: &Device) -> (f32, f32) {
    let motion = waves(pixels);
    let expected = carrier.carry(&displacement(&motion));
    let on_gpu = CarrierOnGpu::new(carrier, gpu).unwrap();
    let motion = motion.to_device(gpu).unwrap();
    let found = on_gpu.carry(&motion, SCALE).unwrap();
    assert!(found.device().is_cuda());
    let side = expected.side;
    assert_eq!(found.dims(), [expected.channels, FRAMES, side, side]);
    let found = values(&found);
    let still = carrier.carry(&displacement(&waves(0.0)));
    (
        farthest(&found, &expected.values),
        farthest(&found, &still.values),
    )
}

#[test]
fn both_carry_the_same() {
    let (_held, gpu) = gpu();
    for (channels, side) in [(1, 112), (3, 112), (1, 150)] {
        let carrier = Carrier::new(picture(channels, side)).unwrap();
        // As hearts move; into the margin; far outside (farther, a coordinate has no four decimals in f32); as
        // far as numbers go.
        for pixels in [0.0, 6.0, 40.0, 500.0, 1e30] {
            let (d, moved) = compared(&carrier, pixels, &gpu);
            println!("{channels} x {side}, {pixels} pixels: {d:.1e}");
            assert!(d < 1e-4, "{channels} x {side}, {pixels} pixels: {d}");
            assert_eq!(moved > 0.1, pixels > 0.0, "{side}, {pixels}: {moved}");
        }
    }
}

#[test]
fn without_tissue_nothing_moves() {
    let (_held, gpu) = gpu();
    let picture = picture(1, 112);
    let carrier = Carrier::with_mask(picture.clone(), vec![false; 112 * 112]).unwrap();
    let (d, moved) = compared(&carrier, 6.0, &gpu);
    assert_eq!((d, moved), (0.0, 0.0));
}

#[test]
fn no_number_reaches_beyond_the_tissue() {
    let (_held, gpu) = gpu();
    let carrier = Carrier::new(picture(1, 112)).unwrap();
    let on_gpu = CarrierOnGpu::new(&carrier, &gpu).unwrap();
    for no in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let motion = Tensor::full(no, (3, 1, CELLS, CELLS), &gpu).unwrap();
        let made = values(&on_gpu.carry(&motion, SCALE).unwrap());
        assert!(made.iter().all(|v| (0.0..=1.0).contains(v)), "{no}");
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let (_held, gpu) = gpu();
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &gpu).unwrap();
    let (share, frame, motion) = (
        zeros(&[8, 8]),
        zeros(&[1, 8, 8]),
        zeros(&[2, CELLS, CELLS, 2]),
    );
    let made = carry(&zeros(&[1, 14, 14]), &share, &frame, &motion).unwrap();
    assert_eq!(made.dims(), [1, 2, 8, 8]);
    for coefficients in [[1, 12, 12], [1, 15, 15], [2, 14, 14], [1, 14, 13]] {
        assert!(carry(&zeros(&coefficients), &share, &frame, &motion).is_err());
    }
    let elsewhere = motion.to_device(&Device::Cpu).unwrap();
    assert!(carry(&zeros(&[1, 14, 14]), &share, &frame, &elsewhere).is_err());
}

/// The built-in motion stage and a second one that makes pictures of what is carried.
fn two_stages(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (motion, pixels) = (root.join("weights/cascade"), pixel_cascade());
    let config = |folder: &Path| -> Value {
        let text = std::fs::read_to_string(folder.join("config.yaml")).unwrap();
        echoif::files::yaml::read(&text).unwrap()
    };
    let mut both = config(&motion);
    both["unets"]["unet2"] = config(&pixels)["unets"]["unet2"].clone();
    // Small: it takes its time on the emulated driver.
    both["imagen"]["image_sizes"] = json!([28, 16]);
    both["imagen"]["num_sample_steps"] = json!([1, 1]);
    both["imagen"]["resize_mode"] = json!("trilinear");
    both["imagen"]["lowres_sample_noise_level"] = json!(0.1);
    let mut files = serde_json::Map::new();
    for (name, bytes) in [
        ("config.yaml", both.to_string().into_bytes()),
        (
            "unet1.safetensors",
            std::fs::read(motion.join("unet1.safetensors")).unwrap(),
        ),
        (
            "unet2.safetensors",
            std::fs::read(pixels.join("unet2.safetensors")).unwrap(),
        ),
    ] {
        files.insert(name.into(), sha256(&bytes).into());
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let manifest = json!({"kind": "cascade", "name": "both", "source_sha256": "", "files": files});
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
}

/// A regressor that takes little time on the emulated driver: nothing here is about what it says.
fn small_regressor(path: &Path) {
    let config = R2Plus1dConfig {
        widths: vec![4, 8],
        blocks: vec![1, 1],
        stem_mid: 3,
        channels: 1,
    };
    let names = Names::default();
    let _ = Params::load(&names, &Device::Cpu, |p| R2Plus1d::new(&config, p));
    let tensors = names.0.into_inner();
    let mut pickle = Pickler::new();
    pickle.dict(|p| {
        for (i, (name, shape)) in tensors.iter().enumerate() {
            p.text(name);
            p.tensor(&i.to_string(), shape, false);
        }
    });
    let storages = tensors.iter().enumerate().map(|(i, (_, shape))| {
        let values = vec![0.01; shape.iter().product()];
        (i.to_string(), values)
    });
    write_zip(path, &pickle.finish(), storages);
}

#[test]
fn a_second_stage_is_given_what_was_carried_there() {
    let (_held, _) = gpu();
    let folder = tempfile::tempdir().unwrap();
    two_stages(folder.path());
    let meter = folder.path().join("meter.pt");
    small_regressor(&meter);
    let models = |device: OpenDevice| {
        let folder = CascadeSource::Folder(folder.path().to_owned());
        Models::open(device, folder, Some((meter.clone(), None))).unwrap()
    };
    let cpu = models(OpenDevice::cpu(None));
    let ours = models(OpenDevice::open(DeviceChoice::Cuda, Some(Arithmetic::F32)).unwrap());
    let mut request = Request::new(anatomy(1), EfPercent::new(30.0).unwrap());
    let made = |models: &Models, request: &Request| -> Generated {
        let mut pace = Pace::calibrate(&Device::Cpu).unwrap();
        generate(models, request, &mut pace, &Interrupt::new(), &mut |_| {}).unwrap()
    };
    let apart = |request: &Request| {
        let (a, b) = (made(&ours, request).cine, made(&cpu, request).cine);
        assert!(b.beating.is_some());
        farthest(&a.video.data, &b.video.data)
    };
    let before = counted("carry");
    let d = apart(&request);
    assert!(d < 1e-4, "{d}");
    let carried = |before: Option<usize>| counted("carry").zip(before).map(|(a, b)| a - b);
    assert!(carried(before).is_none_or(|n| n == 1));

    // With an outline that a person corrected the motion is the host's, and so is what is carried.
    let seen = made(&cpu, &request).cine;
    let seen = seen.beating.as_ref().unwrap().motion().guess().unwrap();
    request.outline = Some(Arc::new(seen.landmarks));
    let before = counted("carry");
    let d = apart(&request);
    assert!(d < 1e-4, "{d}");
    assert!(carried(before).is_none_or(|n| n == 0));
}
