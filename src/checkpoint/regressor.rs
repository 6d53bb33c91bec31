//! The three kinds of EF regressor: the built-in's (a checkpoint with a `.yaml` beside it),
//! EchoDiffusion's Lightning checkpoint, and EchoNet-Dynamic's.

use super::native::{self, NativeFile};
use super::regressor_layout::Layout;
use super::source::{SafetensorsSource, Until};
use super::{Error, Identity, TorchFile, extra_warning, hash_of, read_text};
use crate::files::yaml;
use crate::hash::{combined, sha256};
use crate::models::r2plus1d::{R2Plus1d, R2Plus1dConfig};
use crate::nn::{Interrupt, Params, TensorSource};
use candle_core::{Device, Result as TensorResult, Tensor};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Mean and standard deviation a channel, on the scale 0..255, of EchoNet-Dynamic's training clips.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    pub mean: [f64; 3],
    pub std: [f64; 3],
    /// Given by the user; the defaults are what third parties quote.
    pub verified: bool,
}

impl Default for Normalisation {
    fn default() -> Self {
        Self {
            mean: [32.6, 32.7, 33.0],
            std: [50.0; 3],
            verified: false,
        }
    }
}

/// A regressor's network and what it expects to see.
#[derive(Clone, Debug, PartialEq)]
pub struct RegressorSpec {
    pub net: R2Plus1dConfig,
    /// Frames of one window.
    pub frames: usize,
    /// Frames a second of one window.
    pub fps: f64,
    /// Height and width.
    pub size: usize,
    /// `None`: 0..1 as it is.
    pub normalisation: Option<Normalisation>,
}

/// `X.yaml` beside `X.ckpt`.
#[derive(Deserialize, Serialize)]
struct Description {
    network: String,
    widths: Vec<usize>,
    blocks: Vec<usize>,
    stem_mid: usize,
    channels: usize,
    frames: usize,
    fps: f64,
    image_size: usize,
    #[serde(default)]
    resize: Option<String>,
    #[serde(default)]
    input_range: Option<[f64; 2]>,
    #[serde(default)]
    output: Option<String>,
    /// Written by `import` for EchoNet-Dynamic's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    normalisation: Option<Normalisation>,
}

impl RegressorSpec {
    /// Section of the method: EchoDiffusion's own, 64 frames at 32 a second, RGB in 0..1.
    fn echodiffusion() -> Self {
        Self {
            net: R2Plus1dConfig::r2plus1d_18(),
            frames: 64,
            fps: 32.0,
            size: 112,
            normalisation: None,
        }
    }

    /// Of the built-in one's kind: 16 frames at 8 a second, gray in 0..1, averaged to 56 x 56.
    fn one_channel(net: R2Plus1dConfig) -> Self {
        Self {
            net,
            frames: 16,
            fps: 8.0,
            size: 56,
            normalisation: None,
        }
    }

    /// EchoNet-Dynamic's, 32 frames, every second one of clips at about 50 a second.
    fn echonet(normalisation: Normalisation) -> Self {
        Self {
            net: R2Plus1dConfig::r2plus1d_18(),
            frames: 32,
            fps: 25.0,
            size: 112,
            normalisation: Some(normalisation),
        }
    }

    pub(super) fn from_yaml(text: &str) -> Result<Self, String> {
        let d: Description =
            yaml::read(text).map_err(|e| format!("it does not describe a regressor ({e})"))?;
        if d.network != "r2plus1d" {
            return Err(format!(
                "the network `{}` is not known; `r2plus1d` is",
                d.network
            ));
        }
        if d.output.as_deref().unwrap_or("percent") != "percent" {
            return Err("`output` must be percent".into());
        }
        if d.input_range.unwrap_or([0.0, 1.0]) != [0.0, 1.0] {
            return Err("`input_range` must be [0, 1]".into());
        }
        if d.resize.as_deref().unwrap_or("area") != "area" {
            return Err("`resize` must be area".into());
        }
        let net = R2Plus1dConfig {
            widths: d.widths,
            blocks: d.blocks,
            stem_mid: d.stem_mid,
            channels: d.channels,
        };
        net.check()?;
        let sound = (1..=1024).contains(&d.frames)
            && (8..=1024).contains(&d.image_size)
            && (0.1..=1000.0).contains(&d.fps);
        if !sound {
            return Err("`frames`, `fps` or `image_size` is out of range".into());
        }
        Ok(Self {
            net,
            frames: d.frames,
            fps: d.fps,
            size: d.image_size,
            normalisation: d.normalisation,
        })
    }

    /// Clips `[b, channels, f, h, w]` in 0..1 as the network gets them.
    ///
    /// # Errors
    /// On mismatched shapes, or when the device fails.
    pub fn normalised(&self, x: &Tensor) -> TensorResult<Tensor> {
        let Some(n) = self.normalisation else {
            return Ok(x.clone());
        };
        let column = |v: [f64; 3]| -> TensorResult<Tensor> {
            let v: Vec<f32> = v.iter().map(|&v| v as f32).collect();
            Tensor::from_vec(v, (1, 3, 1, 1, 1), x.device())
        };
        (x * 255.0)?
            .broadcast_sub(&column(n.mean)?)?
            .broadcast_div(&column(n.std)?)
    }

    pub(super) fn to_yaml(&self) -> Result<String, String> {
        yaml::write(&Description {
            network: "r2plus1d".into(),
            widths: self.net.widths.clone(),
            blocks: self.net.blocks.clone(),
            stem_mid: self.net.stem_mid,
            channels: self.net.channels,
            frames: self.frames,
            fps: self.fps,
            image_size: self.size,
            resize: Some("area".into()),
            input_range: Some([0.0, 1.0]),
            output: Some("percent".into()),
            normalisation: self.normalisation,
        })
    }
}

/// A regressor ready to measure.
pub struct Regressor {
    pub spec: RegressorSpec,
    pub identity: Identity,
    pub warnings: Vec<String>,
    net: R2Plus1d,
    device: Device,
}

impl Regressor {
    pub(super) fn build(
        spec: RegressorSpec,
        identity: Identity,
        source: &dyn TensorSource,
        device: &Device,
    ) -> Result<Self, Error> {
        let (net, extra) = Params::load(source, device, |p| R2Plus1d::new(&spec.net, p))?;
        let extra: Vec<String> = extra
            .into_iter()
            .filter(|n| !n.ends_with("num_batches_tracked"))
            .collect();
        let mut warnings: Vec<String> =
            extra_warning(&extra, "the regressor").into_iter().collect();
        if spec.normalisation.is_some_and(|n| !n.verified) {
            warnings.push(
                "The mean and standard deviation that this regressor needs are not stored in its \
                 file; the usual values are used, unverified."
                    .into(),
            );
        }
        Ok(Self {
            spec,
            identity,
            warnings,
            net,
            device: device.clone(),
        })
    }

    /// EF in percent of each window; x `[b, channels, frames, size, size]` in 0..1.
    ///
    /// # Errors
    /// On mismatched shapes, when the device fails, or when interrupted.
    pub fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> TensorResult<Vec<f64>> {
        let x = self.spec.normalised(&x.to_device(&self.device)?)?;
        let out = self.net.forward(&x, interrupt, None)?.to_vec1::<f32>()?;
        Ok(out.into_iter().map(f64::from).collect())
    }
}

/// A regressor's file, opened but not yet on a device.
pub(super) struct Opened {
    pub spec: RegressorSpec,
    pub identity: Identity,
    pub body: Body,
}

pub(super) enum Body {
    /// The file, and where the tensors are in it.
    Torch(TorchFile, Layout),
    Native(Vec<u8>, String),
}

impl Opened {
    pub fn with_source<T>(
        &self,
        path: &Path,
        f: impl FnOnce(&dyn TensorSource) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.body {
            Body::Torch(file, layout) => {
                let source = layout
                    .source(file)
                    .ok_or_else(|| Error::damaged(path, "its tensors cannot be found again"))?;
                f(&source)
            }
            Body::Native(bytes, origin) => {
                let source = SafetensorsSource::new(bytes, origin.clone())
                    .map_err(|why| Error::damaged(path, &why))?;
                f(&source)
            }
        }
    }
}

/// Finds out which kind `path` is. `normalisation` is for EchoNet-Dynamic's.
pub(super) fn open(
    path: &Path,
    normalisation: Option<Normalisation>,
    interrupt: &Interrupt,
) -> Result<Opened, Error> {
    let path = if path.is_dir() {
        path.join("regressor.safetensors")
    } else {
        path.to_owned()
    };
    let yaml = path.with_extension("yaml");
    let described = if yaml.is_file() {
        let text = read_text(&yaml)?;
        let spec = RegressorSpec::from_yaml(&text).map_err(|why| Error::config(&yaml, why))?;
        Some((spec, sha256(text.as_bytes())))
    } else {
        None
    };
    let stem = path
        .file_stem()
        .map_or_else(|| "regressor".into(), |n| n.to_string_lossy().into_owned());
    let hashes = |yaml_hash: Option<&String>, own: String| match yaml_hash {
        Some(yaml_hash) => combined(&[yaml_hash.clone(), own]),
        None => own,
    };
    if path.extension().is_some_and(|e| e == "safetensors") {
        let Some((spec, yaml_hash)) = described else {
            return Err(Error::config(
                &path,
                "the `.yaml` that describes it is not beside it",
            ));
        };
        let NativeFile { bytes, sha256 } = native::read_checked(&path)?;
        return Ok(Opened {
            spec,
            identity: Identity {
                name: stem,
                published: None,
                sha256: hashes(Some(&yaml_hash), sha256),
            },
            body: Body::Native(bytes, path.display().to_string()),
        });
    }
    let file = TorchFile::open(&path)?;
    let layout = Layout::of(&file).ok_or_else(|| Error::Config {
        path: path.clone(),
        why: "it holds no EF regressor: no tensor in it is called `stem.0.weight`, with or without a \
            prefix that the name of a network gives"
            .into(),
    })?;
    let own = hash_of(&path, interrupt)?;
    let yaml_hash = described.as_ref().map(|(_, hash)| hash.clone());
    let (spec, name, published) = match described {
        Some((spec, _)) => (spec, stem, None),
        None => {
            let (spec, kind) = undescribed(&path, &file, &layout, normalisation)?;
            (spec, kind.clone(), Some(kind))
        }
    };
    Ok(Opened {
        spec,
        identity: Identity {
            name,
            published,
            sha256: hashes(yaml_hash.as_ref(), own),
        },
        body: Body::Torch(file, layout),
    })
}

/// What a file without a `.yaml` beside it is, by how its tensors are named, and what it is called.
fn undescribed(
    path: &Path,
    file: &TorchFile,
    layout: &Layout,
    normalisation: Option<Normalisation>,
) -> Result<(RegressorSpec, String), Error> {
    // Only one kind has a single channel.
    let single = || layout.network(file).filter(|net| net.channels == 1);
    match layout.prefix.as_str() {
        "model.model." => Ok((
            RegressorSpec::echodiffusion(),
            "EchoDiffusion R(2+1)D".into(),
        )),
        prefix => {
            if let Some(net) = single() {
                return Ok((RegressorSpec::one_channel(net), "R(2+1)D".into()));
            }
            if prefix != "module." {
                return Err(Error::config(
                    path,
                    "its tensors do not say what frames the regressor expects; put a `.yaml` of the \
                     same name beside it that does (`weights/regressor/regressor.yaml` is one)",
                ));
            }
            let spec = RegressorSpec::echonet(normalisation.unwrap_or_default());
            Ok((spec, "EchoNet-Dynamic R(2+1)D".into()))
        }
    }
}

/// Opens a regressor: a Lightning `.ckpt` with or without a `.yaml` beside it, EchoNet-Dynamic's
/// `.pt`, or what `import` wrote. `normalisation` is for EchoNet-Dynamic's alone.
///
/// # Errors
/// [`Error`], with everything that is wrong in one message.
pub fn open_regressor(
    path: &Path,
    device: &Device,
    normalisation: Option<Normalisation>,
) -> Result<Regressor, Error> {
    open_regressor_until(path, device, normalisation, &Interrupt::new())
}

/// As [`open_regressor`], until the flag is set.
///
/// # Errors
/// As [`open_regressor`], and [`Error::Stopped`].
pub fn open_regressor_until(
    path: &Path,
    device: &Device,
    normalisation: Option<Normalisation>,
    interrupt: &Interrupt,
) -> Result<Regressor, Error> {
    let opened = open(path, normalisation, interrupt)?;
    let built = opened.with_source(path, |source| {
        let source = Until { source, interrupt };
        let (spec, identity) = (opened.spec.clone(), opened.identity.clone());
        Regressor::build(spec, identity, &source, device)
    });
    match built {
        Err(_) if interrupt.is_set() => Err(Error::Stopped),
        built => built,
    }
}

#[cfg(test)]
mod damage {
    use super::RegressorSpec;

    #[test]
    fn a_damaged_description_is_refused_or_of_a_network_that_fits_into_memory() {
        let own = include_str!("../../weights/regressor/regressor.yaml");
        assert!(RegressorSpec::from_yaml(own).is_ok());
        let mut read = 0;
        for changed in crate::damage::mutations(own.as_bytes(), 1000) {
            if let Ok(spec) = RegressorSpec::from_yaml(&String::from_utf8_lossy(&changed)) {
                read += 1;
                assert_eq!(spec.net.check(), Ok(()));
            }
        }
        assert!(read > 30, "{read}");
        let vast = "network: r2plus1d\nwidths: [4096, 4096, 4096, 4096]\nblocks: [64, 64, 64, 64]\nstem_mid: 45\n\
                    channels: 3\nframes: 64\nfps: 32\nimage_size: 112\n";
        let why = RegressorSpec::from_yaml(vast).map(|_| ()).unwrap_err();
        assert!(why.contains("widths"), "{why}");
    }
}
