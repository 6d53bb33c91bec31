//! Replays recorded fixtures, so that a user knows that this machine computes the same.
//!
//! A folder holds manifests (`*.json`), each with the safetensors file of the same name beside it.
//! Only the manifests' fields are read: `family` says what is replayed.

mod compare;
mod metrics;
mod motion;
mod numbers;
mod regress;
mod sampler;
mod train;
mod unet;

pub use compare::Row;

use crate::nn::Backend;
use candle_core::{Device, Tensor};
use compare::Rows;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A fixture that was not replayed.
#[derive(Clone, Debug, Serialize)]
pub struct Skipped {
    pub fixture: String,
    pub why: String,
}

/// The outcome of a whole folder.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub rows: Vec<Row>,
    pub skipped: Vec<Skipped>,
    /// Number of rows that failed.
    pub failed: usize,
}

/// A manifest with its tensors.
struct Fixture {
    name: String,
    path: PathBuf,
    manifest: Value,
}

type Outcome<T> = Result<T, String>;

impl Fixture {
    fn read(path: &Path) -> Outcome<Self> {
        let text = crate::files::read_text(path).map_err(|e| e.to_string())?;
        let manifest: Value =
            serde_json::from_str(&text).map_err(|e| format!("it is not JSON ({e})"))?;
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
        let name = manifest["fixture"].as_str().map(str::to_owned).or(stem);
        Ok(Self {
            name: name.unwrap_or_default(),
            path: path.to_owned(),
            manifest,
        })
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    fn field<'a>(&'a self, name: &str) -> Outcome<&'a Value> {
        let value = &self.manifest[name];
        if value.is_null() {
            return Err(format!("the field `{name}` is missing"));
        }
        Ok(value)
    }

    fn tensors(&self) -> Outcome<Tensors> {
        let path = self.path.with_extension("safetensors");
        let map = candle_core::safetensors::load(&path, &Device::Cpu)
            .map_err(|e| format!("the numbers beside the manifest cannot be read ({e})"))?;
        Ok(Tensors(map))
    }
}

/// Stored tensors by name, as `f32` on the CPU.
struct Tensors(HashMap<String, Tensor>);

impl Tensors {
    fn get(&self, name: &str) -> Outcome<Tensor> {
        self.find(name)?
            .ok_or_else(|| format!("the tensor `{name}` is missing"))
    }

    fn find(&self, name: &str) -> Outcome<Option<Tensor>> {
        self.0
            .get(name)
            .map(|t| t.to_dtype(candle_core::DType::F32))
            .transpose()
            .map_err(|e| e.to_string())
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

fn text<E: std::fmt::Display>(e: E) -> String {
    e.to_string()
}

/// Replays every fixture of `folder` at `backend`. `starting` is called with each one's name.
///
/// # Errors
/// When the folder cannot be listed or holds no manifest; a fixture that cannot be replayed is a
/// failed row.
pub fn verify(
    folder: &Path,
    backend: impl Into<Backend>,
    mut starting: impl FnMut(&str),
) -> Result<Report, String> {
    let backend = backend.into();
    let unreadable = |e: std::io::Error| {
        format!(
            "{} cannot be listed: {e}. Name a folder of fixtures.",
            folder.display()
        )
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(unreadable)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "json") && p.is_file())
        .collect();
    paths.sort();
    if paths.is_empty() {
        return Err(format!(
            "{} holds no fixture manifests (*.json). Name a folder that does.",
            folder.display()
        ));
    }
    let mut report = Report::default();
    let mut fixtures = Vec::new();
    for path in &paths {
        match Fixture::read(path) {
            Ok(fixture) => fixtures.push(fixture),
            Err(why) => report.skipped.push(Skipped {
                fixture: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                why,
            }),
        }
    }
    for fixture in &fixtures {
        let Some(family) = fixture.manifest["family"].as_str() else {
            report.skipped.push(Skipped {
                fixture: fixture.name.clone(),
                why: "it names no family".into(),
            });
            continue;
        };
        let mut rows = Rows::new(&fixture.name);
        let replay = match family {
            "unet" => unet::replay,
            "sampler" => sampler::replay,
            "motion" => motion::replay,
            "schedule" => numbers::schedule,
            "resize" => numbers::resize,
            "r2plus1d" => regress::r2plus1d,
            "regressor" => regress::regressor,
            "train" => train::replay,
            "metrics" => metrics::replay,
            other => {
                report.skipped.push(Skipped {
                    fixture: fixture.name.clone(),
                    why: format!("the family `{other}` is not implemented yet"),
                });
                continue;
            }
        };
        starting(&fixture.name);
        if let Err(why) = replay(fixture, &fixtures, &backend, &mut rows) {
            rows.failure(&why);
        } else if rows.is_empty() {
            rows.failure("nothing in it could be compared");
        }
        report.rows.extend(rows.into_rows());
    }
    report.failed = report.rows.iter().filter(|r| !r.pass).count();
    Ok(report)
}

/// The fixture whose `fixture` field is `name`.
fn named<'a>(fixtures: &'a [Fixture], name: &str) -> Outcome<&'a Fixture> {
    fixtures
        .iter()
        .find(|f| f.name == name)
        .ok_or_else(|| format!("the fixture `{name}` that it refers to is not in the folder"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fixtures may come from anybody, too.
    #[test]
    fn a_damaged_fixture_is_a_row_that_failed_or_is_skipped() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let folder = tempfile::tempdir().unwrap();
        let path = |end: &str| folder.path().join(format!("schedule.{end}"));
        std::fs::copy(own.join("schedule.safetensors"), path("safetensors")).unwrap();
        let manifest = std::fs::read(own.join("schedule.json")).unwrap();
        let replay = |manifest: &[u8]| {
            std::fs::write(path("json"), manifest).unwrap();
            verify(folder.path(), &Device::Cpu, |_| ()).unwrap()
        };
        assert!(replay(&manifest).skipped.is_empty());
        for changed in crate::damage::mutations(&manifest, 150) {
            let _ = replay(&changed);
        }
        let text = String::from_utf8(manifest).unwrap();
        let at = text.find("\"num_sample_steps\":").unwrap() + "\"num_sample_steps\":".len();
        let long = format!("{} 1e18, \"x\":{}", &text[..at], &text[at..]);
        let report = replay(long.as_bytes());
        let said = format!("{report:?}");
        assert!(said.contains("steps"), "{said}");
    }
}
