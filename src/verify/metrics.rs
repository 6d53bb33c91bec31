//! Family `metrics`: figures of pairs of videos, and of scores.

use super::compare::{Rows, Tolerance};
use super::regress::numbers;
use super::unet::read_recipe;
use super::{Fixture, Outcome, text};
use crate::clip::Video;
use crate::metrics::look::{Distance, Look};
use crate::metrics::scores::{read, summary};
use crate::metrics::{Lpips, ssim};
use crate::models::vgg16::Vgg16;
use crate::nn::{Backend, Interrupt, Params};
use candle_core::{Device, Tensor};

/// By what the manifest has.
pub fn replay(fixture: &Fixture, _: &[Fixture], backend: &Backend, rows: &mut Rows) -> Outcome<()> {
    let has = |field: &str| !fixture.manifest[field].is_null();
    match (has("csv"), has("per_frame"), has("features")) {
        (true, ..) => scores(fixture, rows),
        (_, true, _) => lpips(fixture, rows),
        (.., true) => features(fixture, backend, rows),
        _ => ssim_values(fixture, rows),
    }
}

/// What FID's and FVD's networks see in the bytes of frames `[f, h, w]`.
fn features(fixture: &Fixture, backend: &Backend, rows: &mut Rows) -> Outcome<()> {
    let named = fixture.field("features")?;
    let distance = match named.as_str() {
        Some("fid") => Distance::Fid,
        Some("fvd") => Distance::Fvd,
        _ => return Err("`features` is neither fid nor fvd".into()),
    };
    let stored = fixture.tensors()?;
    let look =
        Look::new(distance, &read_recipe(fixture)?, &backend.device).map_err(|e| e.to_string())?;
    let frames = stored.get("frames")?;
    let video = (frames / 255.0).and_then(|v| v.unsqueeze(0));
    let video = Video::from_tensor(&video.map_err(text)?).map_err(text)?;
    let seen = look.at(&video, 0, &Interrupt::new()).map_err(text)?;
    let seen = seen.ok_or("there are too few frames")?;
    rows.tensors(
        "features",
        &seen,
        &stored.get("features")?,
        Tolerance::Network,
    )
}

/// LPIPS of pairs of pictures `[n, 3, h, w]`.
fn lpips(fixture: &Fixture, rows: &mut Rows) -> Outcome<()> {
    let stored = fixture.tensors()?;
    let weights = read_recipe(fixture)?;
    let (vgg, _) = Params::load(&weights, &Device::Cpu, Vgg16::new).map_err(|e| e.to_string())?;
    let layers: Vec<Tensor> = (0..5)
        .map(|k| stored.get(&format!("lin{k}")))
        .collect::<Outcome<_>>()?;
    let lpips = Lpips::of(vgg, &layers).map_err(text)?;
    let (made, reference) = (stored.get("gen")?, stored.get("ref")?);
    let mut compare = |what: &str, a: &Tensor, b: &Tensor, field: &str| -> Outcome<f64> {
        let found = lpips.distances(a, b, &Interrupt::new()).map_err(text)?;
        let found: Vec<f32> = found.to_vec1().map_err(text)?;
        let found: Vec<f64> = found.into_iter().map(f64::from).collect();
        let expected = numbers(fixture.field(field)?, field)?;
        rows.values(what, &found, &expected, Tolerance::Absolute(2e-6));
        Ok(found.iter().sum::<f64>() / found.len().max(1) as f64)
    };
    let mean = compare("lpips of each frame", &made, &reference, "per_frame")?;
    compare("lpips of what is alike", &made, &made, "identity")?;
    let expected = fixture
        .field("mean")?
        .as_f64()
        .ok_or("`mean` is no number")?;
    rows.values("lpips", &[mean], &[expected], Tolerance::Absolute(2e-6));
    Ok(())
}

/// What the published script makes of a CSV of scores.
fn scores(fixture: &Fixture, rows: &mut Rows) -> Outcome<()> {
    let csv = fixture.field("csv")?.as_str().ok_or("`csv` is no name")?;
    let scores = read(&fixture.folder().join(csv)).map_err(|e| e.to_string())?;
    let found = summary(&scores).ok_or("there are no scores")?;
    let (all, best) = (&found.single_shot, &found.best_of);
    let reference = all
        .asked_reference
        .ok_or("recorded clips were not measured")?;
    let figures = [
        ("r2", all.asked_generated.r_squared),
        ("mae", Some(all.asked_generated.mae)),
        ("rmse", Some(all.asked_generated.rmse)),
        ("r2_ref", reference.r_squared),
        ("best_r2", best.asked_generated.r_squared),
        ("best_mae", Some(best.asked_generated.mae)),
        ("best_rmse", Some(best.asked_generated.rmse)),
        ("best_ssim", best.ssim),
        ("best_lpips", best.lpips),
    ];
    let exact = fixture.field("exact")?;
    for (name, value) in figures {
        let expected = exact[name].as_f64();
        let (Some(value), Some(expected)) = (value, expected) else {
            rows.failure(&format!("{name}: there is no such figure"));
            continue;
        };
        rows.values(name, &[value], &[expected], Tolerance::Absolute(1e-9));
    }
    Ok(())
}

/// Family `metrics`, SSIM of pairs of videos `[c, f, h, w]`.
fn ssim_values(fixture: &Fixture, rows: &mut Rows) -> Outcome<()> {
    let stored = fixture.tensors()?;
    let expected = fixture.field("expected")?;
    let expected = expected.as_object().ok_or("`expected` holds nothing")?;
    for (case, value) in expected {
        let value = value.as_f64().ok_or("an expected value is no number")?;
        let video = |name: &str| {
            let tensor = stored.get(&format!("{case}.{name}"))?;
            Video::from_tensor(&tensor).map_err(text)
        };
        let computed = ssim(&video("gen")?, &video("ref")?)
            .ok_or("the two videos of a case cannot be compared")?;
        rows.values(
            &format!("ssim of case {case}"),
            &[computed],
            &[value],
            Tolerance::Schedule,
        );
    }
    Ok(())
}
