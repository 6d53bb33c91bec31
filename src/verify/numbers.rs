use super::compare::{Rows, Tolerance};
use super::{Fixture, Outcome, Tensors, text};
use crate::edm::NoiseLevels;
use crate::edm::schedule::{Augmentation, Preconditioning, Schedule, ema_decay, loss_weight};
use crate::nn::threshold::dynamic_threshold;
use crate::nn::{Backend, ResizeMode, resize as resize_video};
use serde_json::Value;

/// Steps of a replayed run at most.
const MOST_STEPS: f64 = 10_000.0;

/// The noise levels of a manifest's `hparams`.
pub fn levels_of(hparams: &Value) -> Outcome<NoiseLevels> {
    let get = |key: &str| {
        hparams[key]
            .as_f64()
            .ok_or_else(|| format!("the field `{key}` of its noise levels is missing"))
    };
    Ok(NoiseLevels {
        steps: match get("num_sample_steps")? {
            steps if (1.0..=MOST_STEPS).contains(&steps) => steps as usize,
            steps => {
                return Err(format!(
                    "it has {steps} steps, and 1 to {MOST_STEPS} are taken"
                ));
            }
        },
        sigma_min: get("sigma_min")?,
        sigma_max: get("sigma_max")?,
        sigma_data: get("sigma_data")?,
        rho: get("rho")?,
        s_churn: get("S_churn")?,
        s_tmin: get("S_tmin")?,
        s_tmax: get("S_tmax")?,
        s_noise: get("S_noise")?,
    })
}

fn vector(stored: &Tensors, name: &str) -> Outcome<Vec<f64>> {
    let t = stored.get(name)?;
    let values: Vec<f32> = t.flatten_all().and_then(|t| t.to_vec1()).map_err(text)?;
    Ok(values.into_iter().map(f64::from).collect())
}

/// Compares stored sigmas and gammas of `prefix` with a schedule.
pub fn compare_schedule(
    stored: &Tensors,
    prefix: &str,
    s: &Schedule,
    rows: &mut Rows,
) -> Outcome<()> {
    let sigmas: Vec<f64> = s.sigmas.iter().map(|&v| f64::from(v)).collect();
    for (name, computed) in [("sigmas", &sigmas), ("gammas", &s.gammas)] {
        let name = format!("{prefix}.{name}");
        rows.values(
            &name,
            computed,
            &vector(stored, &name)?,
            Tolerance::Schedule,
        );
    }
    Ok(())
}

/// Family `schedule`: noise levels, preconditioning, augmentation, threshold, EMA decay.
pub fn schedule(
    fixture: &Fixture,
    _: &[Fixture],
    backend: &Backend,
    rows: &mut Rows,
) -> Outcome<()> {
    let stored = fixture.tensors()?;
    let values = fixture.field("values")?;
    let values = values.as_object().ok_or("`values` holds nothing")?;
    let mut sigma_data = None;
    for (key, value) in values {
        if let Some(prefix) = key.strip_suffix(".hp") {
            let hp = levels_of(value)?;
            sigma_data.get_or_insert(hp.sigma_data);
            compare_schedule(&stored, prefix, &Schedule::new(&hp), rows)?;
        } else if key == "ema_decay" {
            let table = value.as_object().ok_or("`ema_decay` holds nothing")?;
            let (mut computed, mut expected) = (Vec::new(), Vec::new());
            for (step, decay) in table {
                let step = step
                    .parse()
                    .map_err(|_| "a key of `ema_decay` is not a step")?;
                computed.push(ema_decay(step));
                expected.push(decay.as_f64().ok_or("a decay is not a number")?);
            }
            rows.values(key, &computed, &expected, Tolerance::Schedule);
        } else if let Some(t) = key.strip_prefix('t').and_then(|t| t.parse().ok()) {
            let a = Augmentation::at(t);
            let want = |name: &str| {
                value[name]
                    .as_f64()
                    .ok_or(format!("`{key}.{name}` is missing"))
            };
            let expected = [want("log_snr")?, want("alpha")?, want("sigma")?];
            rows.values(
                key,
                &[a.log_snr, a.alpha, a.sigma],
                &expected,
                Tolerance::Schedule,
            );
        }
    }
    let sigma_data = sigma_data.ok_or("no noise levels (`*.hp`) are given")?;
    let sigmas = vector(&stored, "pre.sigma")?;
    let pre: Vec<Preconditioning> = sigmas
        .iter()
        .map(|&s| Preconditioning::new(s as f32, sigma_data))
        .collect();
    let columns: [(&str, Vec<f64>); 5] = [
        ("pre.c_skip", pre.iter().map(|p| p.c_skip.into()).collect()),
        ("pre.c_out", pre.iter().map(|p| p.c_out.into()).collect()),
        ("pre.c_in", pre.iter().map(|p| p.c_in.into()).collect()),
        (
            "pre.c_noise",
            pre.iter().map(|p| p.c_noise.into()).collect(),
        ),
        (
            "pre.loss_weight",
            sigmas
                .iter()
                .map(|&s| loss_weight(s as f32, sigma_data))
                .collect(),
        ),
    ];
    for (name, computed) in &columns {
        rows.values(name, computed, &vector(&stored, name)?, Tolerance::Schedule);
    }
    let augmentations: Vec<Augmentation> = vector(&stored, "aug.t")?
        .into_iter()
        .map(Augmentation::at)
        .collect();
    let columns: [(&str, Vec<f64>); 3] = [
        (
            "aug.log_snr",
            augmentations.iter().map(|a| a.log_snr).collect(),
        ),
        ("aug.alpha", augmentations.iter().map(|a| a.alpha).collect()),
        ("aug.sigma", augmentations.iter().map(|a| a.sigma).collect()),
    ];
    for (name, computed) in &columns {
        rows.values(name, computed, &vector(&stored, name)?, Tolerance::Schedule);
    }
    let (out, quantiles) = stored
        .get("thr.x")?
        .to_device(&backend.device)
        .and_then(|x| dynamic_threshold(&x, 0.95))
        .map_err(text)?;
    rows.tensors(
        "thr.quantile",
        &quantiles,
        &stored.get("thr.quantile")?,
        Tolerance::Schedule,
    )?;
    rows.tensors(
        "thr.out",
        &out,
        &stored.get("thr.out")?,
        Tolerance::Schedule,
    )
}

/// Family `resize`.
pub fn resize(fixture: &Fixture, _: &[Fixture], backend: &Backend, rows: &mut Rows) -> Outcome<()> {
    let stored = fixture.tensors()?;
    let cases = fixture.field("cases")?;
    for (case, about) in cases.as_object().ok_or("`cases` holds nothing")? {
        let number = |v: &Value, name: &str| {
            v.as_u64()
                .map(|n| n as usize)
                .ok_or_else(|| format!("`{name}` of case {case} is missing"))
        };
        let frames = number(&about["target_frames"], "target_frames")?;
        let size = number(&about["target_size"], "target_size")?;
        let channels = number(&about["stored"]["channels"], "stored.channels")?;
        let step = number(&about["stored"]["frame_step"], "stored.frame_step")?;
        let input = stored.get(&format!("{case}.in"))?;
        let input = input.to_device(&backend.device).map_err(text)?;
        for (mode, name) in [
            (ResizeMode::Nearest, "nearest"),
            (ResizeMode::Trilinear, "trilinear"),
            (ResizeMode::Area, "area"),
        ] {
            let name = format!("{case}.{name}");
            let Some(expected) = stored.find(&name)? else {
                continue;
            };
            let kept: Vec<u32> = (0..frames as u32).step_by(step.max(1)).collect();
            let computed = resize_video(&input, mode, frames, size, size)
                .and_then(|y| {
                    let index = candle_core::Tensor::new(kept, &backend.device)?;
                    y.narrow(1, 0, channels)?
                        .contiguous()?
                        .index_select(&index, 2)
                })
                .map_err(text)?;
            rows.tensors(&name, &computed, &expected, Tolerance::Network)?;
        }
    }
    Ok(())
}
