use super::compare::{Rows, Tolerance};
use super::{Fixture, Outcome, text};
use crate::checkpoint::{Recipe, parse_unet};
use crate::models::unet3d::{Inputs, Pass, Unet};
use crate::nn::{Backend, Interrupt, Params, TensorSource};
use candle_core::Tensor;
use std::cell::RefCell;
use std::collections::HashMap;

/// Family `unet`: one forward pass a variant, outputs and intermediates.
pub fn replay(fixture: &Fixture, _: &[Fixture], backend: &Backend, rows: &mut Rows) -> Outcome<()> {
    let stored = fixture.tensors()?;
    let recipe = read_recipe(fixture)?;
    let options = fixture
        .field("unet_config")?
        .as_object()
        .ok_or("`unet_config` holds no options")?;
    let input = |name: &str| -> Outcome<Option<Tensor>> {
        stored
            .find(&format!("in.{name}"))?
            .map(|t| t.to_device(&backend.device))
            .transpose()
            .map_err(text)
    };
    let needed =
        |name: &str| input(name)?.ok_or_else(|| format!("the tensor `in.{name}` is missing"));
    let (x, time, ef) = (needed("x")?, needed("time")?, needed("text_embeds")?);
    let cond_image = input("cond_images")?;
    let lowres = input("lowres_cond_img")?.zip(input("lowres_noise_times")?);
    let lowres_cond = fixture.manifest["unet_config"]["lowres_cond"]
        .as_bool()
        .unwrap_or(lowres.is_some());
    let channels = x.dim(1).map_err(text)?;
    let config = parse_unet("unet_config", options, channels, lowres_cond)?;
    let (unet, _) = Params::load(&recipe, backend, |p| Unet::new(&config, p)).map_err(text)?;

    check_weights(&stored, &recipe, rows)?;
    let b = x.dim(0).map_err(text)?;
    let zero_ef = ef.zeros_like().map_err(text)?;
    let interrupt = Interrupt::new();
    let forward = |ef: &Tensor, keep: u8, ignore_time: bool, probe: &dyn Fn(&str, &Tensor)| {
        let keep_ef = Tensor::full(keep, b, &backend.device)?;
        let mut pass = Pass::new(&interrupt);
        pass.ignore_time = ignore_time;
        pass.probe = Some(probe);
        unet.forward(
            &Inputs {
                x: &x,
                time: &time,
                ef: &unet.ef_tokens(ef, &keep_ef)?,
                cond_image: cond_image.as_ref(),
                lowres: lowres.as_ref().map(|(v, t)| (v, t)),
            },
            &pass,
        )
    };

    let mut outputs = HashMap::new();
    for (variant, prefix, ef, keep, ignore_time) in [
        ("cond", "act.", &ef, 1, false),
        ("null", "act_null.", &ef, 0, false),
        ("ignore_time", "act_ignore_time.", &ef, 1, true),
        ("ef0", "act_ef0.", &zero_ef, 1, false),
    ] {
        let wanted = format!("out.{variant}");
        let needed_for_guidance = matches!(variant, "cond" | "null");
        let target = stored.find(&wanted)?;
        if target.is_none() && !needed_for_guidance {
            continue;
        }
        let seen = RefCell::new(HashMap::new());
        let out = forward(ef, keep, ignore_time, &|name, t| {
            seen.borrow_mut().insert(name.to_owned(), t.clone());
        })
        .map_err(text)?;
        let seen = seen.into_inner();
        for name in stored.names() {
            let Some(activation) = name.strip_prefix(prefix) else {
                continue;
            };
            match seen.get(activation) {
                Some(t) => rows.tensors(name, t, &stored.get(name)?, Tolerance::Network)?,
                None => rows.failure(&format!("{name}: the network has no such intermediate")),
            }
        }
        if let Some(target) = target {
            rows.tensors(&wanted, &out, &target, Tolerance::Network)?;
        }
        outputs.insert(variant, out);
    }
    for name in stored.names() {
        let Some(scale) = name.strip_prefix("out.cfg") else {
            continue;
        };
        let scale: f64 = scale
            .parse()
            .map_err(|_| format!("`{name}` names no scale"))?;
        let (cond, null) = (&outputs["cond"], &outputs["null"]);
        let guided = (cond - null)
            .and_then(|d| null + (d * scale)?)
            .map_err(text)?;
        rows.tensors(name, &guided, &stored.get(name)?, Tolerance::Network)?;
    }
    Ok(())
}

pub fn read_recipe(fixture: &Fixture) -> Outcome<Recipe> {
    let recipe = fixture.field("recipe")?;
    Ok(Recipe {
        prefix: recipe["prefix"].as_str().unwrap_or_default().to_owned(),
        gain: recipe["gain"]
            .as_f64()
            .ok_or("the field `recipe.gain` is missing")?,
    })
}

/// Stored samples of the weights (`w.*`) against the recipe.
fn check_weights(stored: &super::Tensors, recipe: &Recipe, rows: &mut Rows) -> Outcome<()> {
    let (mut computed, mut expected) = (Vec::new(), Vec::new());
    for name in stored.names() {
        let Some(key) = name.strip_prefix("w.") else {
            continue;
        };
        let t = stored.get(name)?;
        if let crate::nn::Fetched::Data(values) = recipe.fetch(key, t.dims())? {
            computed.extend(values.into_iter().map(f64::from));
        }
        let values: Vec<f32> = t.flatten_all().and_then(|t| t.to_vec1()).map_err(text)?;
        expected.extend(values.into_iter().map(f64::from));
    }
    if !expected.is_empty() {
        rows.values("w.*", &computed, &expected, Tolerance::Absolute(1e-6));
    }
    Ok(())
}
