//! How different two pictures look, to a network's eye.

use crate::clip::Video;
use crate::models::vgg16::{CHANNELS, Vgg16};
use crate::nn::{Interrupt, Params};
use candle_core::{D, Device, Result, Tensor};

/// What the network takes as mean and standard deviation of red, green and blue in -1..1.
const SHIFT: [f32; 3] = [-0.030, -0.088, -0.188];
const SCALE: [f32; 3] = [0.458, 0.448, 0.450];

/// Frames that are looked at at once.
const AT_ONCE: usize = 16;

/// Learned perceptual image patch similarity (Zhang et al., CVPR 2018), of VGG-16, version 0.1: the mean over places of
/// the weighted squared difference of features of unit length, added over five layers. 0 of what is alike, larger of
/// what is not.
pub struct Lpips {
    vgg: Vgg16,
    /// `[1, c, 1, 1]` for each of the five features.
    weights: Vec<Tensor>,
}

impl Lpips {
    /// Loads torchvision's VGG-16 below `features.` and the five layers `lin0.weight` to `lin4.weight`,
    /// `[1, c, 1, 1]`.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params) -> Result<Self> {
        let weight =
            |(k, &c): (usize, &usize)| p.at(format!("lin{k}")).get("weight", &[1, c, 1, 1]);
        let weights = CHANNELS.iter().enumerate().map(weight);
        Ok(Self {
            vgg: Vgg16::new(&p.at("features"))?,
            weights: weights.collect::<Result<_>>()?,
        })
    }

    /// Of a network and weights `[c]`.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn of(vgg: Vgg16, weights: &[Tensor]) -> Result<Self> {
        let each = weights.iter().zip(CHANNELS);
        let weights = each.map(|(w, c)| w.reshape((1, c, 1, 1)));
        Ok(Self {
            vgg,
            weights: weights.collect::<Result<_>>()?,
        })
    }

    /// Of each frame of two videos of one shape, in 0..1; gray ones as they are shown, the same in red, green and
    /// blue. Their mean is the published figure.
    ///
    /// # Errors
    /// When their shapes differ or the frames are below 16 x 16, or when interrupted.
    pub fn of_frames(&self, a: &Video, b: &Video, interrupt: &Interrupt) -> Result<Vec<f64>> {
        let shape = |v: &Video| (v.channels, v.frames, v.height, v.width);
        if shape(a) != shape(b) {
            candle_core::bail!("{:?} and {:?} cannot be compared", shape(a), shape(b));
        }
        let (a, b) = (frames(a)?, frames(b)?);
        let mut all = Vec::new();
        for first in (0..a.dim(0)?).step_by(AT_ONCE) {
            let n = AT_ONCE.min(a.dim(0)? - first);
            let some = |t: &Tensor| t.narrow(0, first, n);
            let each = self.distances(&some(&a)?, &some(&b)?, interrupt)?;
            all.extend(each.to_vec1::<f32>()?.into_iter().map(f64::from));
        }
        Ok(all)
    }

    /// Of pictures `[n, 3, h, w]` in 0..1, `[n]`.
    ///
    /// # Errors
    /// As for [`Self::of_frames`].
    pub fn distances(&self, a: &Tensor, b: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let seen = |x: &Tensor| self.vgg.features(&scaled(x)?, interrupt);
        let (a, b) = (seen(a)?, seen(b)?);
        let mut sum: Option<Tensor> = None;
        for ((a, b), weight) in a.iter().zip(&b).zip(&self.weights) {
            let off = (unit(a)? - unit(b)?)?.sqr()?;
            let off = off.broadcast_mul(weight)?.sum(1)?.mean((1, 2))?;
            sum = Some(match sum {
                Some(sum) => (sum + off)?,
                None => off,
            });
        }
        sum.ok_or_else(|| candle_core::Error::Msg("a network without features".into()))
    }
}

/// `[n, 3, h, w]`
fn frames(video: &Video) -> Result<Tensor> {
    let shape = (video.channels, video.frames, video.height, video.width);
    let frames = Tensor::from_slice(&video.data, shape, &Device::Cpu)?.transpose(0, 1)?;
    match video.channels {
        1 => frames.repeat((1, 3, 1, 1)),
        _ => frames.contiguous(),
    }
}

fn scaled(x: &Tensor) -> Result<Tensor> {
    let row = |values: [f32; 3]| Tensor::from_slice(&values, (1, 3, 1, 1), x.device());
    ((x * 2.0)? - 1.0)?
        .broadcast_sub(&row(SHIFT)?)?
        .broadcast_div(&row(SCALE)?)
}

/// Of unit length over channels.
fn unit(x: &Tensor) -> Result<Tensor> {
    let length = (x.sqr()?.sum_keepdim(D::Minus(3))?.sqrt()? + 1e-10)?;
    x.broadcast_div(&length)
}
