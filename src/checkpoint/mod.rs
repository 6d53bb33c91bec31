//! Weights in files: the published checkpoints, regressors of three kinds, and the native form.

mod builtin;
mod config_motion;
mod config_yaml;
mod fresh;
mod import;
mod import_motion;
mod learn;
mod learn_regressor;
mod native;
pub mod pickle;
mod regressor;
mod regressor_layout;
mod source;
mod torch_file;
mod yaml_values;

pub use builtin::{builtin_cascade, builtin_regressor, card, card_text, model_card};
pub use config_yaml::{parse_cascade, parse_unet};
pub use import::{Precision, import};
pub use learn::{LearningStage, Origin};
pub use learn_regressor::LearningRegressor;
pub use regressor::{
    Normalisation, Regressor, RegressorSpec, open_regressor, open_regressor_until,
};
pub use source::{Recipe, SafetensorsSource, TorchSource};
pub use torch_file::TorchFile;
pub use yaml_values::Section;

use crate::edm::{Cascade, CascadeConfig, Stage, StageConfig};
use crate::files::text_of;
use crate::hash::{combined, sha256, sha256_file};
use crate::models::anatomy_encoder::AnatomyEncoder;
use crate::models::unet3d::Unet;
use crate::nn::{Backend, Interrupt, LoadError, Params, TensorSource};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Why weights could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read at all.
    #[error("{} cannot be read: {why}. Check that it is there and that you may read it.", path.display())]
    Io { path: PathBuf, why: String },
    /// The file is not what its name says, or only part of it.
    #[error("{} is damaged or not a checkpoint: {why}. Copy or download it again.", path.display())]
    Damaged { path: PathBuf, why: String },
    /// The configuration is incomplete or asks for something this program does not compute.
    #[error("{}: {why}.", path.display())]
    Config { path: PathBuf, why: String },
    /// Tensors are missing or have other shapes.
    #[error(transparent)]
    Tensors(#[from] LoadError),
    /// The folder holds nothing that could be opened.
    #[error("{} is not a cascade: {why}.", path.display())]
    NotACascade { path: PathBuf, why: String },
    /// Whoever asked for it no longer wants it.
    #[error("Opening was stopped.")]
    Stopped,
    /// A file differs from the hash that was written beside it.
    #[error("{} has changed since it was imported. Import it again.", path.display())]
    Changed { path: PathBuf },
}

impl Error {
    pub(crate) fn io(path: &Path, e: &std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            why: e.to_string(),
        }
    }

    pub(crate) fn damaged(path: &Path, why: &str) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            why: why.to_owned(),
        }
    }

    pub(crate) fn config(path: &Path, why: impl Into<String>) -> Self {
        Self::Config {
            path: path.to_owned(),
            why: why.into(),
        }
    }
}

/// Which weights these are; travels with every result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// What screens show: where nothing better is known, the name of its folder or file.
    pub name: String,
    /// The name that its card gives it, or its kind; nothing that comes from a folder or file.
    pub published: Option<String>,
    /// SHA-256 of the configuration's and the weight files' SHA-256, in order.
    pub sha256: String,
}

impl Identity {
    /// What it is called in files that leave the program: by its card, else by its hash. A folder's or
    /// file's name may say whose it is.
    pub fn in_files(&self) -> String {
        let hash = self.sha256.get(..12).unwrap_or(&self.sha256);
        let published = self.published.clone().filter(|name| !name.is_empty());
        published.unwrap_or_else(|| format!("sha256 {hash}"))
    }
}

/// A cascade ready to run.
pub struct LoadedCascade {
    pub cascade: Cascade,
    pub identity: Identity,
    /// Sentences worth telling the user, such as tensors that nothing asked for.
    pub warnings: Vec<String>,
}

/// Opens a cascade folder: `config.yaml` with `merged.pt` as published, or what `import` wrote.
///
/// # Errors
/// [`Error`], with everything that is wrong in one message.
pub fn open_cascade(folder: &Path, backend: impl Into<Backend>) -> Result<LoadedCascade, Error> {
    open_cascade_until(folder, backend, &Interrupt::new())
}

/// As [`open_cascade`], until the flag is set: large checkpoints take a while.
///
/// # Errors
/// As [`open_cascade`], and [`Error::Stopped`].
pub fn open_cascade_until(
    folder: &Path,
    backend: impl Into<Backend>,
    interrupt: &Interrupt,
) -> Result<LoadedCascade, Error> {
    let backend = &backend.into();
    let not = |why: &str| Error::NotACascade {
        path: folder.to_owned(),
        why: why.to_owned(),
    };
    let config_path = folder.join("config.yaml");
    if !config_path.is_file() {
        return Err(not(
            "there is no `config.yaml` in it; choose the folder that holds `config.yaml` and `merged.pt`",
        ));
    }
    let merged = folder.join("merged.pt");
    if merged.is_file() {
        return open_published(folder, &config_path, &merged, backend, interrupt);
    }
    if folder.join(native::MANIFEST).is_file() {
        return native::open_cascade(folder, backend, interrupt);
    }
    Err(not(
        "there is a `config.yaml`, but neither `merged.pt` nor an imported `manifest.json` beside it",
    ))
}

fn folder_name(folder: &Path) -> String {
    folder
        .file_name()
        .map_or_else(|| "cascade".into(), |n| n.to_string_lossy().into_owned())
}

fn open_published(
    folder: &Path,
    config_path: &Path,
    merged: &Path,
    backend: &Backend,
    interrupt: &Interrupt,
) -> Result<LoadedCascade, Error> {
    let text = read_text(config_path)?;
    let config = parse_cascade(&text).map_err(|why| Error::config(config_path, why))?;
    let file = TorchFile::open(merged)?;
    let identity = Identity {
        name: folder_name(folder),
        published: None,
        sha256: combined(&[sha256(text.as_bytes()), hash_of(merged, interrupt)?]),
    };
    build(config, identity, backend, interrupt, |i| {
        source::TorchSource::stage(&file, i)
    })
}

/// Builds every stage's network from the source that `source` gives for it.
fn build<S: TensorSource>(
    config: CascadeConfig,
    identity: Identity,
    backend: &Backend,
    interrupt: &Interrupt,
    source: impl Fn(usize) -> Result<S, Error>,
) -> Result<LoadedCascade, Error> {
    let mut stages = Vec::new();
    let mut warnings = Vec::new();
    let mut failed: Option<LoadError> = None;
    for (i, stage) in config.stages.iter().enumerate() {
        let source = source::Until {
            source: &source(i)?,
            interrupt,
        };
        match Params::load(&source, backend, |p| networks(stage, p)) {
            Ok((networks, extra)) => {
                warnings.extend(extra_warning(&extra, &format!("stage {}", i + 1)));
                stages.push(networks);
            }
            Err(_) if interrupt.is_set() => return Err(Error::Stopped),
            // Every stage's problems are listed together.
            Err(e) => {
                failed = Some(match failed {
                    Some(before) => before.and(e),
                    None => e,
                });
            }
        }
    }
    if let Some(failed) = failed {
        return Err(failed.into());
    }
    Ok(LoadedCascade {
        cascade: Cascade {
            config,
            stages,
            backend: backend.clone(),
        },
        identity,
        warnings,
    })
}

/// The networks of a stage: where there is an encoder, its tensors are below `enc.` and the U-Net's below
/// `unet.`; else the U-Net's have no prefix, as published.
pub(crate) fn networks(stage: &StageConfig, p: &Params) -> candle_core::Result<Stage> {
    let Some(encoder) = &stage.encoder else {
        return Ok(Stage {
            unet: Unet::new(&stage.unet, p)?,
            encoder: None,
        });
    };
    let mut unet = Unet::new(&stage.unet, &p.at("unet"))?;
    // The same sums, sooner; of weights that stay.
    if !p.learns() {
        unet.part_input()?;
    }
    let of_encoder = p.at("enc");
    let of_encoder = match p.learns() {
        true => of_encoder,
        // One small answer is sooner there than a GPU has been asked for it.
        false => of_encoder.on_cpu(),
    };
    Ok(Stage {
        unet,
        encoder: Some(AnatomyEncoder::new(encoder, &of_encoder)?),
    })
}

/// The warning about tensors that no part of the network asked for.
pub(crate) fn extra_warning(extra: &[String], of: &str) -> Option<String> {
    if extra.is_empty() {
        return None;
    }
    let shown: Vec<&str> = extra.iter().take(5).map(String::as_str).collect();
    let more = if extra.len() > 5 { ", ..." } else { "" };
    Some(format!(
        "{} tensors of {of} are not used by its configuration: {}{more}",
        extra.len(),
        shown.join(", ")
    ))
}

pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    const MOST: u64 = 4 << 20;
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, &e))?;
    let mut bytes = Vec::new();
    file.take(MOST)
        .read_to_end(&mut bytes)
        .and_then(|_| text_of(&bytes))
        .map_err(|e| Error::io(path, &e))
}

/// SHA-256 of a file in hexadecimal.
pub(crate) fn hash_of(path: &Path, interrupt: &Interrupt) -> Result<String, Error> {
    match sha256_file(path, || interrupt.is_set()) {
        Ok(Some(hash)) => Ok(hash),
        Ok(None) => Err(Error::Stopped),
        Err(e) => Err(Error::io(path, &e)),
    }
}
