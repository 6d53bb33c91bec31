use super::compare::{Rows, Tolerance};
use super::{Fixture, Outcome, text};
use crate::checkpoint::{LoadedCascade, builtin_cascade, open_cascade};
use crate::edm::denoiser::{Conditions, Denoiser};
use crate::nn::{Backend, Interrupt};
use candle_core::Tensor;

/// What a manifest calls the weights inside the program.
pub(super) const BUILTIN: &str = "built-in";

/// Family `motion`: the encoder of a motion stage and its denoised estimates, one at the highest noise
/// level and those of a run of several steps, each from the stored state before it.
pub fn replay(fixture: &Fixture, _: &[Fixture], backend: &Backend, rows: &mut Rows) -> Outcome<()> {
    let stored = fixture.tensors()?;
    let loaded = cascade(fixture, backend)?;
    let (config, cascade) = (&loaded.cascade.config, &loaded.cascade);
    let (stage, networks) = match (config.stages.first(), cascade.stages.first()) {
        (Some(stage), Some(networks)) if config.makes_motion() => (stage, networks),
        _ => return Err("its cascade makes no motion".into()),
    };
    let encoder = networks
        .encoder
        .as_ref()
        .ok_or("its cascade has no encoder")?;
    let interrupt = Interrupt::new();
    let efs: Vec<f32> = stored.get("ef")?.to_vec1().map_err(text)?;
    let anatomies = stored.get("anatomy")?;
    if anatomies.dim(0).map_err(text)? != efs.len() {
        return Err("`anatomy` and `ef` differ in number".into());
    }
    let features = efs
        .iter()
        .enumerate()
        .map(|(i, &ef)| encoder.forward(&anatomies.narrow(0, i, 1)?, &[ef], &interrupt));
    let features = features.collect::<Result<Vec<_>, _>>().map_err(text)?;
    let features = Tensor::cat(&features, 0).map_err(text)?;
    rows.tensors(
        "features",
        &features,
        &stored.get("features")?,
        Tolerance::Network,
    )?;

    let on_device = |t: Tensor| t.to_device(&backend.device).map_err(text);
    let first = |t: &Tensor, n: usize| t.narrow(0, 0, n).map_err(text);
    let estimate = |x: &Tensor, sigma: f32| -> Outcome<Tensor> {
        let n = x.dim(0).map_err(text)?;
        let ef = Tensor::new(&efs[..n], &backend.device).and_then(|t| t.reshape((n, 1, 1)));
        let conditions = Conditions {
            ef: ef.map_err(text)?,
            cond_image: Some(on_device(first(&features, n)?)?),
            lowres: None,
        };
        let denoiser = Denoiser::new(&networks.unet, stage, &conditions, None, &interrupt, false);
        denoiser.denoise(x, sigma).map_err(text)
    };
    let schedule = stage.schedule();
    let noise = stored.get("noise")?;
    let (_, c, f, h, w) = noise.dims5().map_err(text)?;
    let loudest = noise
        .broadcast_as((efs.len(), c, f, h, w))
        .and_then(|n| n.contiguous()? * f64::from(schedule.sigmas[0]))
        .map_err(text)?;
    let one = estimate(&on_device(loudest)?, schedule.sigmas[0])?;
    rows.tensors(
        "one evaluation",
        &one,
        &stored.get("d1")?,
        Tolerance::Network,
    )?;
    let sigmas: Vec<f32> = stored.get("sigmas")?.to_vec1().map_err(text)?;
    let states = stored.get("x")?;
    let steps = sigmas
        .iter()
        .enumerate()
        .map(|(k, &sigma)| estimate(&on_device(states.get(k).map_err(text)?)?, sigma));
    let steps = steps.collect::<Outcome<Vec<_>>>()?;
    rows.stacked(
        "each step's evaluation",
        &steps,
        &stored.get("d")?,
        Tolerance::Network,
    )
}

/// The cascade that the manifest names: a folder beside it, or the one inside the program if that is
/// still the one that was recorded.
fn cascade(fixture: &Fixture, backend: &Backend) -> Outcome<LoadedCascade> {
    let name = fixture
        .field("checkpoint")?
        .as_str()
        .ok_or("`checkpoint` is not a name")?;
    let loaded = match name {
        BUILTIN => builtin_cascade(backend),
        name => open_cascade(&fixture.folder().join(name), backend),
    };
    let loaded = loaded.map_err(text)?;
    is_recorded(fixture, &loaded.identity.sha256)?;
    Ok(loaded)
}

/// # Errors
/// When the weights are others than those that were recorded.
pub(super) fn is_recorded(fixture: &Fixture, sha256: &str) -> Outcome<()> {
    match fixture.field("sha256")?.as_str() {
        Some(recorded) if recorded == sha256 => Ok(()),
        _ => Err(format!(
            "it was recorded from other weights than these, whose hash is {sha256}"
        )),
    }
}
