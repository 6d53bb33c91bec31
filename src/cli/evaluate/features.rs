//! `echoif evaluate --features`: the Fréchet distance of two sets of features, FID or FVD by the network that they are of.

use crate::metrics::frechet::{Moments, frechet};
use anyhow::{Context, bail};
use candle_core::{DType, Device, Tensor};
use serde_json::json;
use std::path::Path;

/// Numbers of a feature at most: a covariance has the square of it.
const MOST: usize = 8192;

pub fn run([recorded, generated]: [&Path; 2], json: bool) -> anyhow::Result<()> {
    let (of_recorded, d) = moments(recorded)?;
    let (of_generated, other) = moments(generated)?;
    if d != other {
        bail!(
            "{} has features of {d} numbers and {} of {other}: they are of two networks.",
            recorded.display(),
            generated.display()
        );
    }
    let distance = frechet(&of_recorded, &of_generated).context("There are no features.")?;
    let counts = [of_recorded.len(), of_generated.len()];
    if json {
        let told = json!({
            "frechet_distance": distance,
            "recorded": counts[0],
            "generated": counts[1],
            "numbers": d,
        });
        println!("{told}");
        return Ok(());
    }
    println!(
        "Fréchet distance {distance:.4}, of {} recorded and {} generated features of {d} numbers",
        counts[0], counts[1]
    );
    if counts.iter().any(|n| *n <= d) {
        println!(
            "Fewer features than numbers: the covariance is not full, and the distance is too large by what depends on \
             their number. Compare it only with distances of as many."
        );
    }
    Ok(())
}

/// Of the one tensor `[n, d]` of a file.
fn moments(path: &Path) -> anyhow::Result<(Moments, usize)> {
    let tensors = candle_core::safetensors::load(path, &Device::Cpu)
        .with_context(|| format!("{} is no safetensors file that can be read", path.display()))?;
    let one: Vec<&Tensor> = tensors.values().collect();
    let [features] = one.as_slice() else {
        bail!(
            "{} holds {} tensors. It is to hold one, of a feature a row.",
            path.display(),
            one.len()
        );
    };
    let [n, d] = *features.dims() else {
        bail!(
            "{}: its tensor is {:?}. It is to have a feature a row.",
            path.display(),
            features.dims()
        );
    };
    if !(1..=MOST).contains(&d) || n == 0 {
        bail!(
            "{}: {n} features of {d} numbers; there is to be one at least, of 1 to {MOST} numbers.",
            path.display()
        );
    }
    let mut all = Moments::new(d);
    for row in 0..n {
        let feature: Vec<f64> = features.get(row)?.to_dtype(DType::F64)?.to_vec1()?;
        if !all.add(&feature) {
            bail!("{}: row {row} holds what is no number.", path.display());
        }
    }
    Ok((all, d))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn a_file_holds_one_feature_a_row() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, tensors: &[(&str, &[usize])]| {
            let path = folder.path().join(name);
            let map: HashMap<String, Tensor> = tensors
                .iter()
                .map(|(name, shape)| {
                    let t = Tensor::ones(*shape, DType::F32, &Device::Cpu).unwrap();
                    ((*name).to_owned(), t)
                })
                .collect();
            candle_core::safetensors::save(&map, &path).unwrap();
            path
        };
        let good = write("good", &[("features", &[3, 2])]);
        assert_eq!(moments(&good).unwrap().0.len(), 3);
        run([&good, &good], true).unwrap();
        let said = |path: &Path| moments(path).unwrap_err().to_string();
        assert!(said(&write("two", &[("a", &[3, 2]), ("b", &[3, 2])])).contains("2 tensors"));
        assert!(said(&write("flat", &[("a", &[3])])).contains("a feature a row"));
        assert!(said(&write("none", &[("a", &[0, 2])])).contains("0 features"));
        let other = write("other", &[("features", &[3, 4])]);
        let both = run([&good, &other], true).unwrap_err().to_string();
        assert!(both.contains("two networks"), "{both}");
        std::fs::write(folder.path().join("text"), "no tensors").unwrap();
        assert!(said(&folder.path().join("text")).contains("no safetensors"));
    }
}
