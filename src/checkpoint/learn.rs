//! A stage of a cascade that is to learn, and what it has learned as a cascade.

use super::fresh::Fresh;
use super::import::{Writer, kept_config};
use super::{Error, SafetensorsSource, builtin, native, networks, parse_cascade, read_text};
use crate::edm::cascade::Stage;
use crate::edm::{CascadeConfig, LossConfig, StageConfig};
use crate::files::yaml;
use crate::hash::{combined, sha256};
use crate::nn::{Params, TensorSource};
use candle_core::{Device, Tensor, Var};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a stage's weights are to come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// The motion cascade inside the program.
    BuiltIn,
    /// A cascade in the native form. A stage that is not there yet begins with nothing.
    Folder(PathBuf),
    /// A `config.yaml`, as published: all of it begins with nothing.
    Config(PathBuf),
}

/// One stage of a cascade, whose parameters are variables.
pub struct LearningStage {
    pub stage: Stage,
    pub config: StageConfig,
    pub cascade: CascadeConfig,
    /// Which of the cascade's stages, from 0.
    pub index: usize,
    /// By their names in the native form.
    pub vars: BTreeMap<String, Var>,
    /// How noise is drawn, where the configuration says it, else as published.
    pub noise: LossConfig,
    /// Height and width of the piece that a step is made of, where not of whole frames.
    pub crop: Option<usize>,
    /// Where its U-Net is.
    pub device: Device,
    /// Of what it was opened from: of the configuration's and each stage's SHA-256, as far as they are there.
    pub sha256: String,
    /// Of the cascade's `config.yaml`.
    text: String,
    /// The other stages' files, as far as they are there.
    others: BTreeMap<String, Vec<u8>>,
}

impl LearningStage {
    /// Stage `index`, from 0, to learn on a device. `seed` is of what begins with nothing.
    ///
    /// # Errors
    /// [`Error`], also when the cascade has no such stage.
    pub fn open(from: &Origin, index: usize, seed: u64, device: &Device) -> Result<Self, Error> {
        let mut files = BTreeMap::new();
        let (text, path) = match from {
            Origin::BuiltIn => {
                let (text, bytes) = builtin::motion_stage();
                files.insert(native::stage_file(0), bytes.to_vec());
                (text.to_owned(), PathBuf::from("built-in"))
            }
            Origin::Config(path) => {
                let text = read_text(path)?;
                // The rest holds its author's folders.
                let text = kept_config(&text).map_err(|why| Error::config(path, why))?;
                (text, path.clone())
            }
            Origin::Folder(folder) => {
                let text = read_text(&folder.join("config.yaml"))?;
                let stages = parse_cascade(&text)
                    .map_err(|why| Error::config(&folder.join("config.yaml"), why))?
                    .stages;
                for i in 0..stages.len() {
                    let path = folder.join(native::stage_file(i));
                    if path.is_file() {
                        files.insert(native::stage_file(i), native::read_checked(&path)?.bytes);
                    }
                }
                // What its author wrote beside is not carried on.
                let text = kept_config(&text)
                    .map_err(|why| Error::config(&folder.join("config.yaml"), why))?;
                (text, folder.join("config.yaml"))
            }
        };
        let parts = files.values().map(|bytes| sha256(bytes));
        let hash = combined(
            &[sha256(text.as_bytes())]
                .into_iter()
                .chain(parts)
                .collect::<Vec<_>>(),
        );
        match files.remove(&native::stage_file(index)) {
            Some(bytes) => {
                let origin = path.with_file_name(native::stage_file(index));
                let source = SafetensorsSource::new(&bytes, origin.display().to_string())
                    .map_err(|why| Error::damaged(&origin, &why))?;
                Self::of(&text, index, (&source, device), &path, hash, files)
            }
            None => {
                let source = Fresh::new(seed);
                Self::of(&text, index, (&source, device), &path, hash, files)
            }
        }
    }

    /// Of a description and tensors, with the other stages' files.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn of(
        text: &str,
        index: usize,
        (source, device): (&dyn TensorSource, &Device),
        path: &Path,
        sha256: String,
        others: BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, Error> {
        let bad = |why: String| Error::config(path, why);
        let cascade = parse_cascade(text).map_err(bad)?;
        let Some(config) = cascade.stages.get(index).cloned() else {
            let stages = cascade.stages.len();
            return Err(bad(format!(
                "it has no stage {}; there are {stages}",
                index + 1
            )));
        };
        let (stage, vars) = Params::learn(source, device, |p| networks(&config, p))?;
        let (noise, crop) = of_training(text, index, &config).map_err(bad)?;
        Ok(Self {
            stage,
            config,
            cascade,
            index,
            vars,
            noise,
            crop,
            device: device.clone(),
            sha256,
            text: text.to_owned(),
            others,
        })
    }

    /// The first stage, from 0, that is not there yet once this one is written.
    pub fn missing(&self) -> Option<usize> {
        let there =
            |i: &usize| *i == self.index || self.others.contains_key(&native::stage_file(*i));
        (0..self.cascade.stages.len()).find(|i| !there(i))
    }

    /// Writes a cascade of these weights into a folder, which may be there already, with a card that says from which EFs
    /// in percent they learned. Stages that are not there yet are missing in it.
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
        let bytes = safetensors_of(weights, out)?;
        let mut writer = Writer::new(out, "cascade", self.sha256.clone())?;
        writer.write("config.yaml", self.text.as_bytes())?;
        for (name, bytes) in &self.others {
            writer.write(name, bytes)?;
        }
        writer.write(&native::stage_file(self.index), &bytes)?;
        writer.write(native::CARD, card.as_bytes())?;
        writer.finish(Vec::new()).map(|_| ())
    }
}

/// Named tensors as a file that is written below `out`.
pub(super) fn safetensors_of(
    weights: &BTreeMap<String, Tensor>,
    out: &Path,
) -> Result<Vec<u8>, Error> {
    let fail = |e: candle_core::Error| Error::config(out, e.to_string());
    let mut data = Vec::new();
    for (name, t) in weights {
        let values: Vec<f32> = t.flatten_all().and_then(|t| t.to_vec1()).map_err(fail)?;
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        data.push((name, t.dims().to_vec(), bytes));
    }
    let views = data
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    let bytes = views.and_then(|views| safetensors::serialize(views, None));
    bytes.map_err(|e| Error::config(out, e.to_string()))
}

/// What a configuration says of training alone: how noise is drawn, and the size of pieces.
fn of_training(
    text: &str,
    index: usize,
    stage: &StageConfig,
) -> Result<(LossConfig, Option<usize>), String> {
    let root: Value = yaml::read(text)?;
    // One for all stages, or one a stage.
    let of = |name: &str| {
        let value = root.get("imagen").and_then(|imagen| imagen.get(name))?;
        let own = value.as_array().map(|all| all.get(index));
        own.unwrap_or(Some(value)).filter(|v| !v.is_null())
    };
    let number = |name: &str, default: f64| match of(name) {
        None => Ok(default),
        Some(value) => (value.as_f64().filter(|v| v.is_finite()))
            .ok_or_else(|| format!("`{name}` must be a number")),
    };
    let published = LossConfig::PUBLISHED;
    let noise = LossConfig {
        sigma_data: stage.levels.sigma_data,
        p_mean: number("P_mean", published.p_mean)?,
        p_std: number("P_std", published.p_std)?,
        cond_drop_prob: number("cond_drop_prob", published.cond_drop_prob)?,
    };
    let good = [
        ("cond_drop_prob", (0.0..1.0).contains(&noise.cond_drop_prob)),
        ("P_mean", noise.p_mean.abs() <= 10.0),
        ("P_std", noise.p_std > 0.0 && noise.p_std <= 10.0),
    ];
    if let Some((name, _)) = good.iter().find(|(_, good)| !good) {
        return Err(format!("`{name}` is out of its range"));
    }
    let unet = &stage.unet;
    if stage.encoder.is_none() && unet.cond_images_channels != unet.channels {
        return Err("`cond_images_channels` must be the pictures' channels".into());
    }
    let crop = match of("random_crop_sizes") {
        None => None,
        Some(value) => match value.as_u64().map(|v| v as usize) {
            Some(size) if (1..=stage.size).contains(&size) && fits(size, stage) => Some(size),
            _ => {
                let why = "`random_crop_sizes` are at most the stage's size, and can be halved at each level";
                return Err(why.into());
            }
        },
    };
    Ok((noise, crop))
}

/// Whether a network can halve a picture as often as it has to.
fn fits(size: usize, stage: &StageConfig) -> bool {
    let levels = stage.unet.dim_mults.len();
    let halved = levels - usize::from(!stage.unet.memory_efficient);
    size.is_multiple_of(1 << halved.min(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}"))
    }

    #[test]
    fn the_built_in_cascade_can_be_gone_on_with() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/cascade");
        let stage = LearningStage::open(&Origin::Folder(own), 0, 1, &Device::Cpu).unwrap();
        assert!(stage.cascade.makes_motion() && stage.missing().is_none());
    }

    #[test]
    fn a_published_configuration_begins_with_nothing_stage_by_stage() {
        let from = Origin::Config(fixture("merged_tiny_2scm/config.yaml"));
        let first = LearningStage::open(&from, 0, 1, &Device::Cpu).unwrap();
        assert!(first.missing() == Some(1) && first.crop.is_none());
        assert_eq!(first.noise, LossConfig::PUBLISHED);
        let folder = tempfile::tempdir().unwrap();
        let weights = |stage: &LearningStage| -> BTreeMap<String, Tensor> {
            let each = stage.vars.iter();
            each.map(|(name, var)| (name.clone(), var.as_tensor().clone()))
                .collect()
        };
        let write = |stage: &LearningStage| {
            stage
                .write(&weights(stage), [10.0, 85.0], folder.path())
                .unwrap();
        };
        write(&first);
        assert!(crate::checkpoint::open_cascade(folder.path(), &Device::Cpu).is_err());
        let second = LearningStage::open(
            &Origin::Folder(folder.path().to_owned()),
            1,
            1,
            &Device::Cpu,
        )
        .unwrap();
        assert!(second.missing().is_none() && second.config.unet.lowres_cond);
        assert!(second.crop.is_some_and(|size| size < second.config.size));
        write(&second);
        let whole = crate::checkpoint::open_cascade(folder.path(), &Device::Cpu).unwrap();
        assert_eq!(whole.cascade.stages.len(), 2);
        let again = LearningStage::open(
            &Origin::Folder(folder.path().to_owned()),
            0,
            9,
            &Device::Cpu,
        )
        .unwrap();
        let (a, b) = (weights(&first), weights(&again));
        for (name, a) in &a {
            let values = |t: &Tensor| -> Vec<f32> { t.flatten_all().unwrap().to_vec1().unwrap() };
            assert_eq!(values(a), values(&b[name]), "{name}");
        }
        assert!(LearningStage::open(&from, 2, 1, &Device::Cpu).is_err());
    }
}
