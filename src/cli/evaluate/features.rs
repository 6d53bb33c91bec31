//! `echoif evaluate --features`: the Fréchet distance of two sets of features, FID or FVD by the network that they are of.

use crate::cli::anatomies::files;
use crate::metrics::frechet::{Moments, frechet};
use crate::metrics::look::Distance;
use anyhow::{Context, bail, ensure};
use candle_core::{DType, Device};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Numbers of a feature at most: a covariance has the square of it.
const MOST: usize = 8192;

pub fn run([recorded, generated]: [&Path; 2], json: bool) -> anyhow::Result<()> {
    let (of_recorded, distance) = moments(recorded)?;
    let (of_generated, other) = moments(generated)?;
    let d = of_recorded.numbers();
    ensure!(
        d == of_generated.numbers() && distance.or(other) == other.or(distance),
        "{} and {} hold features of two networks.",
        recorded.display(),
        generated.display()
    );
    let name = distance
        .or(other)
        .map_or("Fréchet distance", Distance::name);
    let found = frechet(&of_recorded, &of_generated)
        .context("These features have no distance: their numbers are too large.")?;
    let counts = [of_recorded.len(), of_generated.len()];
    if json {
        let told = json!({
            "frechet_distance": found,
            "name": name,
            "recorded": counts[0],
            "generated": counts[1],
            "numbers": d,
        });
        println!("{told}");
        return Ok(());
    }
    println!(
        "{name} {found:.4}, of {} recorded and {} generated features of {d} numbers",
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

/// Of a file, or of the files of a folder in order of name, with what they are features of.
fn moments(path: &Path) -> anyhow::Result<(Moments, Option<Distance>)> {
    let mut all: Option<(Moments, String)> = None;
    for file in parts(path)? {
        let (features, name) = rows(&file)?;
        let (moments, other) =
            all.get_or_insert_with(|| (Moments::new(features[0].len()), name.clone()));
        ensure!(
            *other == name,
            "{}: its tensor is called {name}, that of a file before {other}: they are of two networks.",
            file.display()
        );
        for (row, feature) in features.iter().enumerate() {
            ensure!(
                feature.len() == moments.numbers(),
                "{} has features of {} numbers and a file before of {}: they are of two networks.",
                file.display(),
                feature.len(),
                moments.numbers()
            );
            ensure!(
                moments.add(feature),
                "{}: row {row} holds what is no number.",
                file.display()
            );
        }
    }
    let (moments, name) = all.context("There are no features.")?;
    let of = Distance::ALL
        .into_iter()
        .find(|d| d.tensor() == name && d.numbers() == moments.numbers());
    Ok((moments, of))
}

/// The file, or those of a folder.
fn parts(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut all = files(&[path.to_owned()])?;
    all.retain(|file| file.extension().is_some_and(|e| e == "safetensors"));
    ensure!(
        !all.is_empty(),
        "{} holds no safetensors files.",
        path.display()
    );
    Ok(all)
}

/// Of the one tensor `[n, d]` of a file, with its name; one at least.
fn rows(path: &Path) -> anyhow::Result<(Vec<Vec<f64>>, String)> {
    let tensors = candle_core::safetensors::load(path, &Device::Cpu)
        .with_context(|| format!("{} is no safetensors file that can be read", path.display()))?;
    let mut one = tensors.iter();
    let (Some((name, features)), None) = (one.next(), one.next()) else {
        bail!(
            "{} holds {} tensors. It is to hold one, of a feature a row.",
            path.display(),
            tensors.len()
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
    Ok((features.to_dtype(DType::F64)?.to_vec2()?, name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Tensor;
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
        // Of folders: all of their files, of one network.
        let parts = folder.path().join("parts");
        std::fs::create_dir(&parts).unwrap();
        std::fs::write(parts.join("settings.json"), "{}").unwrap();
        assert!(said(&parts).contains("no safetensors files"));
        for (file, tensor) in [("1", "i3d"), ("2", "i3d")] {
            write(&format!("parts/{file}.safetensors"), &[(tensor, &[2, 400])]);
        }
        let (all, of) = moments(&parts).unwrap();
        assert_eq!((all.len(), of), (4, Some(Distance::Fvd)));
        assert_eq!(moments(&good).unwrap().1, None);
        write("parts/3.safetensors", &[("inception_v3", &[2, 400])]);
        assert!(said(&parts).contains("two networks"));
        std::fs::write(folder.path().join("text"), "no tensors").unwrap();
        assert!(said(&folder.path().join("text")).contains("no safetensors"));
    }
}
