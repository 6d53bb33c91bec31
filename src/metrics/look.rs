//! What the networks of FID and FVD see in clips (Heusel et al., 2017; Unterthiner et al., 2018), from the bytes on.

use crate::checkpoint::SafetensorsSource;
use crate::clip::Video;
use crate::models::i3d::{self, I3d};
use crate::models::inception_v3::{self, InceptionV3};
use crate::nn::{Interrupt, LoadError, Params, ResizeMode, TensorSource, resize};
use candle_core::{Device, Result, Tensor};

/// Clips of 112 x 112 are shown on black of this side, as published.
const PADDED: usize = 128;

/// Pictures that are looked at at once.
const AT_ONCE: usize = 8;

/// Which network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// Inception-v3, of every frame.
    Fid,
    /// I3D, of 16 consecutive frames.
    Fvd,
}

impl Distance {
    pub const ALL: [Self; 2] = [Self::Fid, Self::Fvd];

    pub fn name(self) -> &'static str {
        match self {
            Self::Fid => "FID",
            Self::Fvd => "FVD",
        }
    }

    /// Of the tensor that its features are kept as.
    pub fn tensor(self) -> &'static str {
        match self {
            Self::Fid => "inception_v3",
            Self::Fvd => "i3d",
        }
    }

    /// Numbers of a feature.
    pub fn numbers(self) -> usize {
        match self {
            Self::Fid => inception_v3::NUMBERS,
            Self::Fvd => i3d::NUMBERS,
        }
    }
}

enum Network {
    Inception(InceptionV3),
    I3d(I3d),
}

/// A network that looks at clips.
pub struct Look {
    network: Network,
    device: Device,
}

impl Look {
    /// Of weights that the user brings; `docs/evaluation.md` says where from.
    ///
    /// # Errors
    /// All tensors that are missing or have another shape.
    pub fn new(
        distance: Distance,
        source: &dyn TensorSource,
        device: &Device,
    ) -> std::result::Result<Self, LoadError> {
        let network = match distance {
            Distance::Fid => Params::load(source, device, |p| {
                InceptionV3::new(p).map(Network::Inception)
            }),
            Distance::Fvd => Params::load(source, device, |p| I3d::new(p).map(Network::I3d)),
        };
        let (network, _) = network?;
        Ok(Self {
            network,
            device: device.clone(),
        })
    }

    pub fn distance(&self) -> Distance {
        match self.network {
            Network::Inception(_) => Distance::Fid,
            Network::I3d(_) => Distance::Fvd,
        }
    }

    /// Of a clip in 0..1, a feature a row: of each frame, `[f, 2048]`; of the 16 frames from `first` on, `[1, 400]`.
    /// Gray clips are seen the same in red, green and blue, all as bytes (`floor(255 v)`, as published clips were
    /// written), frames below 128 x 128 in the middle of black. `None` of a clip without 16 frames from there on.
    ///
    /// # Errors
    /// When the device fails or when interrupted.
    pub fn at(&self, video: &Video, first: usize, go: &Interrupt) -> Result<Option<Tensor>> {
        match &self.network {
            Network::Inception(net) => {
                let frames = bytes(video, &self.device)?;
                let n = frames.dim(0)?;
                let some = |k: usize| {
                    let some = frames.narrow(0, k, AT_ONCE.min(n - k))?;
                    net.forward(&as_tensorflow(&some, inception_v3::SIDE)?, go)
                };
                let all: Vec<Tensor> = (0..n).step_by(AT_ONCE).map(some).collect::<Result<_>>()?;
                Ok(Some(Tensor::cat(&all, 0)?))
            }
            Network::I3d(net) => {
                if first + i3d::FRAMES > video.frames {
                    return Ok(None);
                }
                let frames = bytes(video, &self.device)?.narrow(0, first, i3d::FRAMES)?;
                let clip = frames.transpose(0, 1)?.contiguous()?.unsqueeze(0)?;
                let (f, side) = (i3d::FRAMES, i3d::SIDE);
                let clip = resize(&clip, ResizeMode::Trilinear, f, side, side)?.squeeze(0)?;
                let clip = ((clip / 127.5)? - 1.0)?.transpose(0, 1)?.contiguous()?;
                Ok(Some(net.forward(&clip, go)?.unsqueeze(0)?))
            }
        }
    }
}

/// `[f, 3, h, w]`, whole numbers of 0..255.
fn bytes(video: &Video, device: &Device) -> Result<Tensor> {
    let shape = (video.channels, video.frames, video.height, video.width);
    let mut frames = Tensor::from_slice(&video.data, shape, device)?.transpose(0, 1)?;
    if video.channels == 1 {
        frames = frames.repeat((1, 3, 1, 1))?;
    }
    let frames = (frames * 255.0)?.floor()?.clamp(0.0, 255.0)?;
    let pad = |size: usize| {
        let all = PADDED.saturating_sub(size);
        (all / 2, all - all / 2)
    };
    crate::models::unit::padded(&frames, pad(video.height), pad(video.width))
}

/// Bilinear as TensorFlow 1 resized: output `k` lies at `k * in / out`; then -1..1 by 128.
fn as_tensorflow(x: &Tensor, side: usize) -> Result<Tensor> {
    let (n, c, h, w) = x.dims4()?;
    let by = |from: usize| {
        let mut weights = vec![0f32; from * side];
        for k in 0..side {
            let at = k as f32 * (from as f32 / side as f32);
            let low = (at.floor() as usize).min(from - 1);
            let part = at - low as f32;
            weights[low * side + k] += 1.0 - part;
            weights[(low + 1).min(from - 1) * side + k] += part;
        }
        Tensor::from_vec(weights, (from, side), x.device())
    };
    let wide = x.reshape((n * c * h, w))?.matmul(&by(w)?)?;
    let turned = wide
        .reshape((n * c, h, side))?
        .transpose(1, 2)?
        .contiguous()?;
    let both = turned.reshape((n * c * side, h))?.matmul(&by(h)?)?;
    let both = both.reshape((n * c, side, side))?.transpose(1, 2)?;
    (both.reshape((n, c, side, side))? - 128.0)? / 128.0
}

/// Reads a network's weights from one safetensors file, with what they are told apart by.
///
/// # Errors
/// A sentence that names the file.
pub fn open(
    distance: Distance,
    path: &std::path::Path,
    device: &Device,
) -> std::result::Result<(Look, String), String> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|why| format!("{shown} cannot be read: {why}"))?;
    let source = SafetensorsSource::new(&bytes, shown.to_string())
        .map_err(|why| format!("{shown}: {why}"))?;
    let look = Look::new(distance, &source, device).map_err(|why| format!("{shown}: {why}"))?;
    Ok((look, crate::hash::sha256(&bytes)))
}
