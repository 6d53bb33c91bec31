//! A motion stage that is to learn, and what it has learned as a cascade.

use super::import::Writer;
use super::{Error, SafetensorsSource, builtin, native, networks, parse_cascade, read_text};
use crate::edm::StageConfig;
use crate::edm::cascade::Stage;
use crate::hash::sha256;
use crate::nn::{Params, TensorSource};
use candle_core::{Device, Tensor, Var};
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The first stage of a motion cascade, whose parameters are variables.
pub struct LearningStage {
    pub stage: Stage,
    pub config: StageConfig,
    /// By their names in the native form.
    pub vars: BTreeMap<String, Var>,
    /// Of the cascade's `config.yaml`.
    pub text: String,
    /// What it was opened from: the SHA-256 of its weights.
    pub sha256: String,
}

impl LearningStage {
    /// Of a cascade in the native form, or of the one inside the program.
    ///
    /// # Errors
    /// [`Error`], also when its only stage makes no motion.
    pub fn open(folder: Option<&Path>) -> Result<Self, Error> {
        let (text, bytes, path) = match folder {
            None => {
                let (text, bytes) = builtin::motion_stage();
                (text.to_owned(), bytes.to_vec(), PathBuf::from("built-in"))
            }
            Some(folder) => {
                let text = read_text(&folder.join("config.yaml"))?;
                let file = native::read_checked(&folder.join(native::stage_file(0)))?;
                (text, file.bytes, folder.to_owned())
            }
        };
        let origin = path.join(native::stage_file(0));
        let source = SafetensorsSource::new(&bytes, origin.display().to_string())
            .map_err(|why| Error::damaged(&origin, &why))?;
        Self::of(&text, &source, &path, sha256(&bytes))
    }

    /// Of a description and tensors.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn of(
        text: &str,
        source: &dyn TensorSource,
        path: &Path,
        sha256: String,
    ) -> Result<Self, Error> {
        let config_path = path.join("config.yaml");
        let config = parse_cascade(text).map_err(|why| Error::config(&config_path, why))?;
        let [stage] = config.stages.as_slice() else {
            return Err(Error::config(&config_path, "it has more than one stage"));
        };
        if !config.makes_motion() || stage.encoder.is_none() {
            return Err(Error::config(
                &config_path,
                "its stage makes no motion behind an encoder, and others cannot be trained here yet",
            ));
        }
        let (networks, vars) = Params::learn(source, &Device::Cpu, |p| networks(stage, p))?;
        Ok(Self {
            stage: networks,
            config: stage.clone(),
            vars,
            text: text.to_owned(),
            sha256,
        })
    }

    /// Writes a cascade of these weights into a folder, which may be there already, with a card that says from which EFs
    /// in percent they learned.
    ///
    /// # Errors
    /// [`Error`], when the disk is full or fails: each file is whole or as it was.
    pub fn write(
        &self,
        weights: &BTreeMap<String, Tensor>,
        [low, high]: [f64; 2],
        out: &Path,
    ) -> Result<(), Error> {
        let card =
            format!("name: trained by echoif\ntraining_ef_range_percent: [{low:.0}, {high:.0}]\n");
        let fail = |e: candle_core::Error| Error::config(out, e.to_string());
        let mut data = Vec::new();
        for (name, t) in weights {
            let values: Vec<f32> = t.flatten_all().and_then(|t| t.to_vec1()).map_err(fail)?;
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            data.push((name, t.dims().to_vec(), bytes));
        }
        let views = data
            .iter()
            .map(|(name, shape, bytes)| {
                Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?))
            })
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        let bytes = views.and_then(|views| safetensors::serialize(views, None));
        let bytes = bytes.map_err(|e| Error::config(out, e.to_string()))?;
        let mut writer = Writer::new(out, "cascade", self.sha256.clone())?;
        writer.write("config.yaml", self.text.as_bytes())?;
        writer.write(&native::stage_file(0), &bytes)?;
        writer.write(native::CARD, card.as_bytes())?;
        writer.finish(Vec::new()).map(|_| ())
    }
}
