//! From a published checkpoint to the native form.

use super::native::{CARD, MANIFEST, Manifest, stage_file};
use super::source::TorchSource;
use super::yaml_values::Section;
use super::{Error, TorchFile, hash_of, parse_cascade, read_text};
use super::{import_motion, regressor};
use crate::card::Card;
use crate::files::yaml;
use crate::hash::sha256;
use crate::models::r2plus1d::R2Plus1d;
use crate::nn::{Fetched, Interrupt, Params, TensorSource};
use candle_core::Device;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Precision {
    #[default]
    F32,
    F16,
}

/// Writes the native form of a cascade folder or a regressor file into the folder `out`.
///
/// Returns sentences for the user: the files with their hashes, then warnings.
///
/// # Errors
/// [`Error`]; nothing is left half-written.
pub fn import(from: &Path, out: &Path, precision: Precision) -> Result<Vec<String>, Error> {
    if from.is_dir() && from.join("merged.pt").is_file() {
        import_cascade(from, out, precision)
    } else if from.is_file() && from.extension().is_some_and(|e| e != "safetensors") {
        let file = TorchFile::open(from)?;
        if import_motion::is_motion_stage(&file) {
            import_motion::import(from, &file, out, precision)
        } else {
            import_regressor(from, out, precision)
        }
    } else if from.is_file() {
        import_regressor(from, out, precision)
    } else {
        Err(Error::NotACascade {
            path: from.to_owned(),
            why: "neither a folder with `config.yaml` and `merged.pt`, nor a regressor's or a motion \
                stage's file"
                .into(),
        })
    }
}

fn import_cascade(from: &Path, out: &Path, precision: Precision) -> Result<Vec<String>, Error> {
    let config_path = from.join("config.yaml");
    let text = read_text(&config_path)?;
    let config = parse_cascade(&text).map_err(|why| Error::config(&config_path, why))?;
    let merged = from.join("merged.pt");
    let file = TorchFile::open(&merged)?;
    let kept = kept_config(&text).map_err(|why| Error::config(&config_path, why))?;
    // Opened as a whole first, so that one error lists what is missing from every stage, and
    // nothing is made for a cascade that does not open.
    let mut warnings = super::open_cascade(from, &Device::Cpu)?.warnings;
    let source = hash_of(&merged, &Interrupt::new())?;
    let mut writer = Writer::new(out, "cascade", source)?;
    writer.write("config.yaml", kept.as_bytes())?;
    let card = from.join(CARD);
    if card.is_file() {
        // Its figures are of these weights, and screens show them.
        let text = read_text(&card)?;
        match Card::parse(&text) {
            Ok(_) => writer.write(CARD, text.as_bytes())?,
            Err(why) => warnings.push(format!("{CARD} is left out: {why}")),
        }
    }
    for (i, stage) in config.stages.iter().enumerate() {
        let source = TorchSource::stage(&file, i)?;
        let recorder = Recorder::new(&source);
        Params::load(&recorder, &Device::Cpu, |p| super::networks(stage, p))?;
        writer.write(&stage_file(i), &recorder.into_safetensors(precision, out)?)?;
    }
    writer.finish(warnings)
}

fn import_regressor(from: &Path, out: &Path, precision: Precision) -> Result<Vec<String>, Error> {
    let opened = regressor::open(from, None, &Interrupt::new())?;
    let yaml = opened
        .spec
        .to_yaml()
        .map_err(|why| Error::config(from, why))?;
    let source = hash_of(from, &Interrupt::new())?;
    let mut writer = Writer::new(out, "regressor", source)?;
    writer.write("regressor.yaml", yaml.as_bytes())?;
    let bytes = opened.with_source(from, |source| {
        let recorder = Recorder::new(source);
        let net = &opened.spec.net;
        Params::load(&recorder, &Device::Cpu, |p| R2Plus1d::new(net, p))?;
        recorder.into_safetensors(precision, out)
    })?;
    writer.write("regressor.safetensors", &bytes)?;
    writer.finish(Vec::new())
}

/// The parts of a published `config.yaml` that say what to compute; the rest holds its author's
/// folders.
pub(super) fn kept_config(text: &str) -> Result<String, String> {
    let root: Value = yaml::read(text)?;
    let mut kept = Section::new();
    for key in ["unets", "imagen"] {
        if let Some(value) = root.get(key) {
            kept.insert(key.into(), value.clone());
        }
    }
    for (section, keys) in [
        (
            "dataset",
            &["fps", "duration", "grayscale", "beat_normalised"][..],
        ),
        ("checkpoint", &["cond_scale"][..]),
    ] {
        let mut part = Section::new();
        for &key in keys {
            if let Some(value) = root.get(section).and_then(|s| s.get(key)) {
                part.insert(key.into(), value.clone());
            }
        }
        kept.insert(section.into(), part.into());
    }
    yaml::write(&kept)
}

/// A tensor's shape and row-major values.
type Values = (Vec<usize>, Vec<f32>);

/// Passes tensors on and keeps them, so that what is written is exactly what a network asked for.
pub(super) struct Recorder<'a> {
    source: &'a dyn TensorSource,
    kept: RefCell<BTreeMap<String, Values>>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(source: &'a dyn TensorSource) -> Self {
        Self {
            source,
            kept: RefCell::default(),
        }
    }

    pub(super) fn into_safetensors(
        self,
        precision: Precision,
        out: &Path,
    ) -> Result<Vec<u8>, Error> {
        let fail = |e: safetensors::SafeTensorError| Error::config(out, e.to_string());
        let mut data: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (name, (shape, values)) in self.kept.into_inner() {
            let bytes = match precision {
                Precision::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                Precision::F16 => {
                    let halves: Vec<_> = values.iter().map(|&v| half::f16::from_f32(v)).collect();
                    if !halves.iter().all(|h| h.is_finite()) {
                        let why = format!("{name}: it has numbers beyond f16's; import it as f32");
                        return Err(Error::config(out, why));
                    }
                    halves.iter().flat_map(|h| h.to_le_bytes()).collect()
                }
            };
            data.push((name, shape, bytes));
        }
        let dtype = match precision {
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
        };
        let views = data
            .iter()
            .map(|(name, shape, bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(fail)?;
        safetensors::serialize(views, None).map_err(fail)
    }
}

impl TensorSource for Recorder<'_> {
    fn fetch(&self, name: &str, shape: &[usize]) -> Result<Fetched, String> {
        let fetched = self.source.fetch(name, shape)?;
        if let Fetched::Data(values) = &fetched {
            self.kept
                .borrow_mut()
                .insert(name.to_owned(), (shape.to_vec(), values.clone()));
        }
        Ok(fetched)
    }

    fn origin(&self) -> String {
        self.source.origin()
    }

    fn full_name(&self, name: &str) -> String {
        self.source.full_name(name)
    }

    fn names(&self) -> Vec<String> {
        self.source.names()
    }
}

/// Collects files under temporary names and renames all of them at the end.
pub(super) struct Writer<'a> {
    out: &'a Path,
    manifest: Manifest,
    pending: Vec<(tempfile::NamedTempFile, String)>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a Path, kind: &str, source_sha256: String) -> Result<Self, Error> {
        std::fs::create_dir_all(out).map_err(|e| Error::io(out, &e))?;
        Ok(Self {
            out,
            manifest: Manifest {
                kind: kind.to_owned(),
                name: String::new(),
                source_sha256,
                files: BTreeMap::new(),
            },
            pending: Vec::new(),
        })
    }

    pub(super) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.manifest.files.insert(name.to_owned(), sha256(bytes));
        self.pend(name, bytes)
    }

    fn pend(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let fail = |e: std::io::Error| Error::io(&self.out.join(name), &e);
        let mut file = crate::files::temporary_in(self.out).map_err(fail)?;
        file.write_all(bytes).map_err(fail)?;
        self.pending.push((file, name.to_owned()));
        Ok(())
    }

    pub(super) fn finish(mut self, warnings: Vec<String>) -> Result<Vec<String>, Error> {
        let manifest = serde_json::to_string_pretty(&self.manifest)
            .map_err(|e| Error::config(self.out, e.to_string()))?;
        self.pend(MANIFEST, format!("{manifest}\n").as_bytes())?;
        for (file, name) in self.pending {
            let path = self.out.join(name);
            crate::files::put(file, &path).map_err(|e| Error::io(&path, &e))?;
        }
        crate::files::sync_folder(self.out).map_err(|e| Error::io(self.out, &e))?;
        let mut said: Vec<String> = self
            .manifest
            .files
            .iter()
            .map(|(name, hash)| format!("{name}  sha256 {hash}"))
            .collect();
        said.extend(warnings.into_iter().map(|w| format!("Warning: {w}.")));
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD_TEXT: &str = "name: Twin stages\ntraining_ef_range_percent: [10, 85]\n";

    /// A folder's or a file's name could be a person's.
    #[test]
    fn an_import_keeps_no_name_and_brings_the_card() {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/merged_tiny_1scm");
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("Mueller Hans");
        std::fs::create_dir(&from).unwrap();
        for name in ["config.yaml", "merged.pt"] {
            std::fs::copy(fixture.join(name), from.join(name)).unwrap();
        }
        for (card, brought) in [
            (None, false),
            (Some("[not, a, card]"), false),
            (Some(CARD_TEXT), true),
        ] {
            let out = tempfile::tempdir().unwrap();
            if let Some(card) = card {
                std::fs::write(from.join(CARD), card).unwrap();
            }
            let said = import(&from, out.path(), Precision::F16)
                .unwrap()
                .join("\n");
            let manifest = std::fs::read_to_string(out.path().join(MANIFEST)).unwrap();
            assert!(!manifest.contains("Mueller"), "{manifest}");
            let there = std::fs::read_to_string(out.path().join(CARD)).ok();
            assert_eq!(there.as_deref(), card.filter(|_| brought));
            assert_eq!(manifest.contains(CARD), brought);
            let left_out = said.contains("card.yaml is left out: it is not a card");
            assert_eq!(left_out, card.is_some() && !brought, "{said}");
            let opened = crate::checkpoint::open_cascade(out.path(), &Device::Cpu).unwrap();
            let own = out.path().file_name().unwrap().to_string_lossy();
            assert_eq!(opened.cascade.stages.len(), 1);
            assert_eq!(opened.identity.name, own);
        }
    }
}
