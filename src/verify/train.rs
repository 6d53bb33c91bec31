use super::compare::{Rows, Tolerance};
use super::{Fixture, Outcome, Tensors, text};
use crate::checkpoint::{TorchFile, TorchSource, parse_cascade};
use crate::edm::StageConfig;
use crate::edm::schedule::Augmentation;
use crate::files::read_text;
use crate::models::unet3d::{Pass, Unet};
use crate::nn::{Backend, Interrupt, Params};
use crate::train::{Batch, Draws, LossConfig, LowresDraw, loss};
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use std::collections::BTreeMap;

/// Family `train`: one step of a published checkpoint's own weights (not their average), from recorded random
/// numbers: loss, what it was made of, and gradients.
pub fn replay(fixture: &Fixture, _: &[Fixture], backend: &Backend, rows: &mut Rows) -> Outcome<()> {
    let stored = fixture.tensors()?;
    let field = |name: &str| fixture.field(name);
    let folder = field("checkpoint")?
        .as_str()
        .ok_or("`checkpoint` is not a name")?;
    let folder = fixture.folder().join(folder);
    let stage = field("stage")?
        .as_u64()
        .and_then(|n| n.checked_sub(1))
        .ok_or("`stage` does not count from 1")? as usize;
    let config = parse_cascade(&read_text(&folder.join("config.yaml")).map_err(text)?)?;
    let config = (config.stages.get(stage)).ok_or("its checkpoint has no such stage")?;
    let file = TorchFile::open(&folder.join("merged.pt")).map_err(text)?;
    let source = TorchSource::below(&file, &["model"], &format!("unets.{stage}."))
        .ok_or("its checkpoint has no `model` part")?;
    let (unet, vars) =
        Params::learn(&source, backend, |p| Unet::new(&config.unet, p)).map_err(text)?;

    let interrupt = Interrupt::new();
    let mut pass = Pass::new(&interrupt);
    pass.ignore_time = field("ignore_time")?
        .as_bool()
        .ok_or("`ignore_time` is not true or false")?;
    let (batch, draws) = recorded(&stored, &backend.device)?;
    let made = loss(&unet, &loss_config(config), &batch, &draws, &pass).map_err(text)?;
    let sigmas = Tensor::from_slice(&made.sigmas, made.sigmas.len(), &backend.device);
    let mut compared = vec![
        ("sigmas", sigmas.map_err(text)?, Tolerance::Schedule),
        ("unet.time", made.times, Tolerance::Schedule),
        ("noised_images", made.noised, Tolerance::Network),
        ("unet.x", made.input, Tolerance::Network),
        ("unet.out", made.output, Tolerance::Network),
        ("denoised", made.denoised, Tolerance::Network),
    ];
    if let Some((video, times)) = made.lowres {
        compared.push(("unet.lowres_cond_img", video, Tolerance::Network));
        compared.push(("unet.lowres_noise_times", times, Tolerance::Schedule));
    }
    for (name, computed, tolerance) in compared {
        rows.tensors(name, &computed, &stored.get(name)?, tolerance)?;
    }
    let wanted = field("loss")?.as_f64().ok_or("`loss` is no number")?;
    let value: f32 = made.value.to_scalar().map_err(text)?;
    rows.values("loss", &[value.into()], &[wanted], Tolerance::Network);

    let grads = made.value.backward().map_err(text)?;
    gradients(fixture, &stored, &vars, &grads, rows)
}

fn loss_config(stage: &StageConfig) -> LossConfig {
    LossConfig {
        sigma_data: stage.levels.sigma_data,
        ..LossConfig::PUBLISHED
    }
}

/// What the step was given, and what it drew.
fn recorded(stored: &Tensors, device: &Device) -> Outcome<(Batch, Draws)> {
    let there = |t: Tensor| t.to_device(device).map_err(text);
    let keep: Vec<f32> = stored.get("text_keep_mask")?.to_vec1().map_err(text)?;
    let mut batch = Batch {
        video: there(stored.get("target_images")?)?,
        ef: there(stored.get("in.text_embeds")?)?,
        cond_image: (stored.find("unet.cond_images")?).map(there).transpose()?,
        places: None,
        lowres: None,
    };
    let mut draws = Draws {
        levels: stored.get("draws.sigma_eps")?.to_vec1().map_err(text)?,
        noise: there(stored.get("draws.noise")?)?,
        keep: keep.iter().map(|&keep| keep != 0.0).collect(),
        lowres: None,
    };
    let Some(noise) = stored.find("draws.lowres_noise")? else {
        return Ok((batch, draws));
    };
    // The time that was drawn and the video without noise are not recorded: they follow from what the network
    // was given.
    let times: Vec<f32> = (stored.get("unet.lowres_noise_times")?)
        .to_vec1()
        .map_err(text)?;
    let log_snr = times.first().ok_or("`unet.lowres_noise_times` is empty")?;
    let time = Augmentation::time_of(f64::from(*log_snr));
    let noised = stored.get("unet.lowres_cond_img")?;
    let clean = without_noise(&noised, &noise, time).map_err(text)?;
    let largest: f32 = clean
        .abs()
        .and_then(|t| t.flatten_all()?.max(0)?.to_scalar())
        .map_err(text)?;
    // Only with the right shares of picture and noise is it a picture.
    if largest.is_nan() || largest > 1.0 + 1e-5 {
        return Err("`unet.lowres_cond_img` is no picture beneath its noise".into());
    }
    batch.lowres = Some(there(clean)?);
    draws.lowres = Some(LowresDraw { time, noise });
    Ok((batch, draws))
}

fn without_noise(noised: &Tensor, noise: &Tensor, time: f64) -> candle_core::Result<Tensor> {
    let augmentation = Augmentation::at(time);
    (noised - (noise * augmentation.sigma)?)? / augmentation.alpha
}

/// Which variables have a gradient, its norm, and those that are stored whole.
fn gradients(
    fixture: &Fixture,
    stored: &Tensors,
    vars: &BTreeMap<String, Var>,
    grads: &GradStore,
    rows: &mut Rows,
) -> Outcome<()> {
    let norms = fixture.field("grad_norms")?;
    let norms = norms.as_object().ok_or("`grad_norms` holds nothing")?;
    for name in vars.keys().filter(|name| !norms.contains_key(*name)) {
        rows.failure(&format!("{name}: its gradient is not in the fixture"));
    }
    let mut compared = Vec::new();
    let mut total = 0.0;
    for (name, norm) in norms {
        let computed = vars.get(name).and_then(|var| grads.get(var.as_tensor()));
        match (computed, norm.as_f64()) {
            (None, None) => {}
            (None, Some(_)) => rows.failure(&format!("{name}: no gradient was computed")),
            (Some(_), None) => rows.failure(&format!("{name}: a gradient was computed")),
            (Some(grad), Some(norm)) => {
                let squares = squares_of(grad).map_err(text)?;
                total += squares;
                compared.push((name.as_str(), squares.sqrt(), norm));
            }
        }
    }
    rows.each("norm of the gradient", &compared, Tolerance::Gradient);
    let wanted = fixture.field("grad_total_norm")?.as_f64();
    let wanted = wanted.ok_or("`grad_total_norm` is no number")?;
    let name = "norm of all gradients";
    rows.values(name, &[total.sqrt()], &[wanted], Tolerance::Gradient);
    for name in stored.names() {
        let Some(parameter) = name.strip_prefix("grad.") else {
            continue;
        };
        match vars
            .get(parameter)
            .and_then(|var| grads.get(var.as_tensor()))
        {
            Some(grad) => rows.tensors(name, grad, &stored.get(name)?, Tolerance::Network)?,
            None => rows.failure(&format!("{name}: no gradient was computed")),
        }
    }
    Ok(())
}

fn squares_of(t: &Tensor) -> candle_core::Result<f64> {
    let values: Vec<f32> = t.flatten_all()?.to_vec1()?;
    Ok(values.into_iter().map(|v| f64::from(v).powi(2)).sum())
}

#[cfg(test)]
mod tests {
    use crate::verify::{Report, verify};
    use candle_core::{Device, Tensor};
    use serde_json::Value;
    use std::path::Path;

    const NAMES: [&str; 3] = ["train_1scm", "train_1scm_ignore_time", "train_2scm_s2"];

    /// The recorded steps, with the manifest of each as `edit` leaves it.
    fn replay(edit: impl Fn(&Path, &mut Value)) -> Report {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for name in ["merged_tiny_1scm", "merged_tiny_2scm"] {
            std::fs::create_dir(folder.join(name)).unwrap();
            for file in ["config.yaml", "merged.pt"] {
                let file = Path::new(name).join(file);
                std::fs::copy(fixtures.join(&file), folder.join(&file)).unwrap();
            }
        }
        for name in NAMES {
            let file = |kind: &str| format!("{name}.{kind}");
            let numbers = folder.join(file("safetensors"));
            std::fs::copy(fixtures.join(file("safetensors")), &numbers).unwrap();
            let text = std::fs::read_to_string(fixtures.join(file("json"))).unwrap();
            let mut manifest = serde_json::from_str(&text).unwrap();
            edit(&numbers, &mut manifest);
            std::fs::write(folder.join(file("json")), manifest.to_string()).unwrap();
        }
        verify(folder, &Device::Cpu, |_| {}).unwrap()
    }

    #[test]
    fn recorded_steps_are_replayed_with_a_tenth_of_the_tolerance() {
        let report = replay(|_, _| {});
        assert!(report.skipped.is_empty());
        for r in &report.rows {
            let (Some(d), Some(t)) = (r.max_abs_difference, r.tolerance) else {
                panic!("{} {}", r.fixture, r.quantity);
            };
            // A bias before a norm that takes it away has no gradient: both are rounding.
            let norm = r.quantity.starts_with("norm of the gradient");
            assert!(
                r.pass && (norm || d <= 0.1 * t),
                "{} {}: {d} of {t}",
                r.fixture,
                r.quantity
            );
        }
        for name in NAMES {
            let seen = |what: &str| {
                let of = |q: &str| q.starts_with(what);
                report
                    .rows
                    .iter()
                    .any(|r| r.fixture == name && of(&r.quantity))
            };
            for what in [
                "loss",
                "unet.out",
                "denoised",
                "norm of the gradient",
                "grad.final_conv",
            ] {
                assert!(seen(what), "{name} {what}");
            }
        }
    }

    #[test]
    fn a_changed_gradient_fails_and_so_does_one_too_many_or_too_few() {
        let failed = |edit: &dyn Fn(&Path, &mut Value)| {
            let report = replay(edit);
            let failed = report.rows.into_iter().filter(|r| !r.pass);
            let failed: Vec<String> = failed.map(|r| r.quantity).collect();
            assert_eq!(failed.len(), report.failed);
            failed
        };
        // Of each of the three, one.
        let norm = "final_res_block.time_mlp.1.weight";
        let all = failed(&|_, m| {
            let norm = &mut m["grad_norms"][norm];
            *norm = (norm.as_f64().unwrap() * 1.01).into();
        });
        assert_eq!(all.len(), 3);
        assert!(
            all.iter()
                .all(|f| f.starts_with(&format!("norm of the gradient of {norm}")))
        );
        let all = failed(&|_, m| m["grad_norms"][norm] = Value::Null);
        assert!(
            all.iter()
                .any(|f| *f == format!("{norm}: a gradient was computed"))
        );
        let all = failed(&|_, m| m["grad_norms"]["who.knows"] = 1.0.into());
        assert_eq!(all, ["who.knows: no gradient was computed"; 3]);
        let all = failed(&|numbers, _| {
            let mut tensors = candle_core::safetensors::load(numbers, &Device::Cpu).unwrap();
            let name = "grad.text_to_cond.weight";
            let moved: Tensor = (tensors[name].clone() + 0.01).unwrap();
            tensors.insert(name.into(), moved);
            candle_core::safetensors::save(&tensors, numbers).unwrap();
        });
        assert_eq!(all, ["grad.text_to_cond.weight"; 3]);
    }
}
