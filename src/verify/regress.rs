use super::compare::{Rows, Tolerance};
use super::unet::read_recipe;
use super::{Fixture, Outcome, named, text};
use crate::checkpoint::{Recipe, builtin_regressor, open_regressor};
use crate::clip::resample::average_blocks;
use crate::models::r2plus1d::{R2Plus1d, R2Plus1dConfig};
use crate::nn::{Backend, Interrupt, Params};
use candle_core::{Device, Tensor};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;

pub(super) fn numbers(value: &Value, name: &str) -> Outcome<Vec<f64>> {
    let list = value
        .as_array()
        .ok_or_else(|| format!("`{name}` is missing"))?;
    list.iter()
        .map(|v| v.as_f64().ok_or_else(|| format!("`{name}` is not numbers")))
        .collect()
}

/// Family `r2plus1d`: weights and inputs by recipe; outputs and statistics of each layer.
pub fn r2plus1d(
    fixture: &Fixture,
    _: &[Fixture],
    backend: &Backend,
    rows: &mut Rows,
) -> Outcome<()> {
    let recipe = read_recipe(fixture)?;
    let config = widths_of(&fixture.manifest["lightning_state_dict"]);
    let (net, _) =
        Params::load(&recipe, &backend.device, |p| R2Plus1d::new(&config, p)).map_err(text)?;
    let stored = fixture.tensors()?;
    let interrupt = Interrupt::new();
    let cases = fixture.field("cases")?;
    for (case, about) in cases.as_object().ok_or("`cases` holds nothing")? {
        let input = &about["input"];
        let shape: Vec<usize> = numbers(&input["shape"], "input.shape")?
            .into_iter()
            .map(|n| n as usize)
            .collect();
        let get = |key: &str| {
            input[key]
                .as_f64()
                .ok_or_else(|| format!("`input.{key}` is missing"))
        };
        let name = input["name"].as_str().ok_or("`input.name` is missing")?;
        let n = shape.iter().product();
        let values = Recipe::values(name, n, get("scale")?, get("offset")?);
        let x = Tensor::from_vec(values, shape, &backend.device).map_err(text)?;
        let seen = RefCell::new(BTreeMap::new());
        let probe = |name: &str, t: &Tensor| {
            seen.borrow_mut().insert(name.to_owned(), t.clone());
        };
        let out = net.forward(&x, &interrupt, Some(&probe)).map_err(text)?;
        let seen = seen.into_inner();
        if let Some(acts) = about["acts"].as_object() {
            for (layer, expected) in acts {
                match seen.get(layer) {
                    Some(t) => statistics(&format!("{case}.{layer}"), t, expected, rows)?,
                    None => rows.failure(&format!("{case}.{layer}: the network has no such layer")),
                }
            }
        }
        if let (Some(pooled), Some(t)) =
            (stored.find(&format!("{case}.pooled"))?, seen.get("avgpool"))
        {
            let t = t.flatten_from(1).map_err(text)?;
            rows.tensors(&format!("{case}.pooled"), &t, &pooled, Tolerance::Network)?;
        }
        let out: Vec<f32> = out.to_vec1().map_err(text)?;
        let out: Vec<f64> = out.into_iter().map(f64::from).collect();
        rows.values(
            &format!("{case}.out"),
            &out,
            &numbers(&about["out"], "out")?,
            Tolerance::Network,
        );
    }
    Ok(())
}

/// The network's widths from its list of tensors, where the manifest has one; else the 18-layer one.
fn widths_of(shapes: &Value) -> R2Plus1dConfig {
    let shape = |key: String| -> Option<Vec<usize>> {
        let list = shapes[format!("model.model.{key}")].as_array()?;
        list.iter()
            .map(|v| v.as_u64().map(|n| n as usize))
            .collect()
    };
    let read = || -> Option<R2Plus1dConfig> {
        let stem = shape("stem.0.weight".into())?;
        let (mut widths, mut blocks) = (Vec::new(), Vec::new());
        while let Some(bias) = shape(format!("layer{}.0.conv2.1.bias", widths.len() + 1)) {
            let layer = widths.len() + 1;
            let count = (0..)
                .take_while(|b| shape(format!("layer{layer}.{b}.conv2.1.bias")).is_some())
                .count();
            widths.push(*bias.first()?);
            blocks.push(count);
        }
        Some(R2Plus1dConfig {
            widths,
            blocks,
            stem_mid: *stem.first()?,
            channels: *stem.get(1)?,
        })
    };
    read()
        .filter(|c| c.check().is_ok())
        .unwrap_or_else(R2Plus1dConfig::r2plus1d_18)
}

/// Mean, standard deviation, first and last values of a layer.
fn statistics(name: &str, t: &Tensor, expected: &Value, rows: &mut Rows) -> Outcome<()> {
    let flat: Vec<f32> = t.flatten_all().and_then(|t| t.to_vec1()).map_err(text)?;
    let values: Vec<f64> = flat.into_iter().map(f64::from).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let get = |key: &str| {
        expected[key]
            .as_f64()
            .ok_or_else(|| format!("`{name}.{key}` is missing"))
    };
    let (mut computed, mut stored) = (vec![mean, std], vec![get("mean")?, get("std")?]);
    let first = numbers(&expected["first8"], "first8")?;
    let last = numbers(&expected["last8"], "last8")?;
    computed.extend(values.iter().take(first.len()));
    stored.extend(&first);
    computed.extend(values.iter().skip(values.len().saturating_sub(last.len())));
    stored.extend(&last);
    rows.values(name, &computed, &stored, Tolerance::Network);
    Ok(())
}

/// Family `regressor`: a checkpoint beside the manifest, on a clip of another fixture.
pub fn regressor(
    fixture: &Fixture,
    all: &[Fixture],
    backend: &Backend,
    rows: &mut Rows,
) -> Outcome<()> {
    let checkpoint = fixture
        .field("checkpoint")?
        .as_str()
        .ok_or("`checkpoint` is not a name")?;
    let regressor = if checkpoint == super::motion::BUILTIN {
        let regressor = builtin_regressor(&backend.device).map_err(text)?;
        super::motion::is_recorded(fixture, &regressor.identity.sha256)?;
        regressor
    } else {
        let path = fixture.folder().join(checkpoint);
        open_regressor(&path, &backend.device, None).map_err(text)?
    };
    let from = fixture.field("clip_from")?;
    let source = from["fixture"]
        .as_str()
        .ok_or("`clip_from.fixture` is missing")?;
    let tensor = from["tensor"]
        .as_str()
        .ok_or("`clip_from.tensor` is missing")?;
    let clip = named(all, source)?.tensors()?.get(tensor)?;
    // Levels of eight bits are stored as they are.
    let clip = (clip / from["divisor"].as_f64().unwrap_or(1.0)).map_err(text)?;
    let cases = fixture.field("cases")?;
    for (case, about) in cases.as_object().ok_or("`cases` holds nothing")? {
        let frames: Vec<u32> = numbers(&about["frames"], "frames")?
            .into_iter()
            .map(|n| n as u32)
            .collect();
        let block = about["average"].as_u64().unwrap_or(1) as usize;
        let window = Tensor::new(frames, &Device::Cpu)
            .and_then(|index| average_blocks(&clip.index_select(&index, 2)?, block))
            .map_err(text)?;
        let out = regressor
            .forward(&window, &Interrupt::new())
            .map_err(text)?;
        let stored = numbers(&about["out"], "out")?;
        rows.values(
            &format!("{case}.out"),
            &out,
            &stored,
            Tolerance::Absolute(0.01),
        );
    }
    Ok(())
}
