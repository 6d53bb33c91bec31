//! A run's state on the disk.

use crate::files;
use candle_core::{Device, Error, Result, Tensor};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Named tensors.
pub type Tensors = BTreeMap<String, Tensor>;

/// Writes the parts of a state into one safetensors file, `PART/NAME` each; whole or not at all.
///
/// # Errors
/// When the disk is full or fails.
pub fn write_state(path: &Path, parts: &[(&str, &Tensors)]) -> Result<()> {
    let named = parts.iter().flat_map(|(part, tensors)| {
        let name = move |name: &String| format!("{part}/{name}");
        tensors.iter().map(move |(n, t)| (name(n), t))
    });
    let bytes = safetensors::serialize(named, None).map_err(Error::wrap)?;
    files::write_atomically(path, &bytes)?;
    Ok(())
}

/// Whether all numbers of a state's tensor are such that a run can go on from them.
///
/// # Errors
/// When one is not, by the tensor's name.
pub fn finite(name: &str, t: &Tensor) -> Result<Vec<f32>> {
    let values = t.flatten_all()?.to_vec1::<f32>()?;
    match values.iter().all(|v| v.is_finite()) {
        true => Ok(values),
        false => Err(Error::Msg(format!("{name} holds what is no number"))),
    }
}

/// The parts that [`write_state`] wrote.
///
/// # Errors
/// When the file cannot be read or is not in the format.
pub fn read_state(path: &Path) -> Result<HashMap<String, Tensors>> {
    let mut parts: HashMap<String, Tensors> = HashMap::new();
    for (name, t) in candle_core::safetensors::load(path, &Device::Cpu)? {
        let (part, name) = name.split_once('/').unwrap_or(("", &name));
        let part = parts.entry(part.to_owned()).or_default();
        part.insert(name.to_owned(), t);
    }
    Ok(parts)
}
