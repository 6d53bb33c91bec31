//! A regressor that is to learn, and what it has learned as one.

use super::fresh::Fresh;
use super::import::Writer;
use super::learn::{Origin, safetensors_of};
use super::regressor::{self, RegressorSpec};
use super::{Error, SafetensorsSource, builtin, read_text};
use crate::hash::sha256;
use crate::models::r2plus1d::R2Plus1d;
use crate::nn::{Interrupt, Params};
use candle_core::{Device, Tensor, Var};
use std::collections::BTreeMap;
use std::path::Path;

/// A regressor whose parameters are variables, the running averages of its norms among them.
pub struct LearningRegressor {
    pub spec: RegressorSpec,
    pub net: R2Plus1d,
    /// By torchvision's names.
    pub vars: BTreeMap<String, Var>,
    /// What it was opened from: the hash of its weights, or of its description where it begins with nothing.
    pub sha256: String,
}

impl LearningRegressor {
    /// Of the built-in one, a file or folder as `--regressor` takes it, or a `.yaml` that describes one, which begins
    /// with nothing, to learn on a device. `seed` is of what begins with nothing.
    ///
    /// # Errors
    /// [`Error`], with a sentence.
    pub fn open(from: &Origin, seed: u64, device: &Device) -> Result<Self, Error> {
        let learn = |spec: &RegressorSpec, source: &dyn crate::nn::TensorSource| {
            Ok(Params::learn(source, device, |p| {
                R2Plus1d::new(&spec.net, p)
            })?)
        };
        let (spec, (net, vars), sha256) = match from {
            Origin::BuiltIn => {
                let (text, bytes) = builtin::regressor_parts();
                let path = Path::new("built-in");
                let spec =
                    RegressorSpec::from_yaml(text).map_err(|why| Error::config(path, why))?;
                let source = SafetensorsSource::new(bytes, "built-in")
                    .map_err(|why| Error::damaged(path, &why))?;
                let made = learn(&spec, &source)?;
                (spec, made, sha256(bytes))
            }
            Origin::Config(path) if path.extension().is_some_and(|e| e == "yaml") => {
                let text = read_text(path)?;
                let spec =
                    RegressorSpec::from_yaml(&text).map_err(|why| Error::config(path, why))?;
                let made = learn(&spec, &Fresh::new(seed))?;
                (spec, made, sha256(text.as_bytes()))
            }
            Origin::Config(path) | Origin::Folder(path) => {
                let opened = regressor::open(path, None, &Interrupt::new())?;
                let made = opened.with_source(path, |source| learn(&opened.spec, source))?;
                (opened.spec, made, opened.identity.sha256)
            }
        };
        Ok(Self {
            spec,
            net,
            vars,
            sha256,
        })
    }

    /// Writes a regressor of these weights into a folder, which may be there already.
    ///
    /// # Errors
    /// [`Error`], when the disk is full or fails: each file is whole or as it was.
    pub fn write(&self, weights: &BTreeMap<String, Tensor>, out: &Path) -> Result<(), Error> {
        let yaml = self.spec.to_yaml().map_err(|why| Error::config(out, why))?;
        let mut writer = Writer::new(out, "regressor", self.sha256.clone())?;
        writer.write("regressor.yaml", yaml.as_bytes())?;
        writer.write("regressor.safetensors", &safetensors_of(weights, out)?)?;
        writer.finish(Vec::new()).map(|_| ())
    }
}
