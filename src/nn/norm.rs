//! Normalisations of the U-Net. All use eps 1e-5.

#[cfg(feature = "cuda")]
use super::cuda;
use super::{Params, cpu, on_gpu, profile};
use candle_core::{D, Result, Tensor};

pub(super) const EPS: f64 = 1e-5;

/// GroupNorm over `(channels / groups) x frames x height x width`, then `x * (scale + 1) + shift`,
/// then SiLU: the front of every residual block.
#[derive(Clone, Debug)]
pub struct GroupNormSilu {
    /// `[2, c]`: weight, bias.
    affine: Tensor,
    groups: usize,
}

impl GroupNormSilu {
    /// Loads `weight` and `bias` `[c]`.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params, channels: usize, groups: usize) -> Result<Self> {
        let (weight, bias) = (p.get("weight", &[channels])?, p.get("bias", &[channels])?);
        Ok(Self {
            affine: Tensor::stack(&[weight, bias], 0)?,
            groups,
        })
    }

    /// x `[b, c, f, h, w]`; `scale_shift` `[b, 2c]`, scale first.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn forward(&self, x: &Tensor, scale_shift: Option<&Tensor>) -> Result<Tensor> {
        profile::timed("group norm, SiLU", x.device(), || {
            on_gpu!(x, {
                let x = cuda::Rows::of(x)?;
                let out = cuda::group_norm_silu(&x, &self.affine, scale_shift, self.groups, EPS)?;
                Ok(out.into_tensor())
            });
            let (b, c) = (x.dim(0)?, x.dim(1)?);
            let none;
            let scale_shift = match scale_shift {
                Some(t) => t,
                None => {
                    none = Tensor::zeros((b, 2 * c), x.dtype(), x.device())?;
                    &none
                }
            };
            let op = cpu::norm::GroupNormSilu {
                groups: self.groups,
                eps: EPS,
            };
            x.contiguous()?
                .apply_op3_no_bwd(&self.affine, &scale_shift.contiguous()?, &op)
        })
    }

    #[cfg(test)]
    fn composed(&self, x: &Tensor, scale_shift: &Tensor) -> Result<Tensor> {
        let shape = x.dims().to_vec();
        let (b, c) = (shape[0], shape[1]);
        let grouped = x.reshape((b, self.groups, ()))?;
        let centred = grouped.broadcast_sub(&grouped.mean_keepdim(2)?)?;
        let var = centred.sqr()?.mean_keepdim(2)?;
        let x = centred
            .broadcast_div(&(var + EPS)?.sqrt()?)?
            .reshape((b, c, ()))?;
        let column = |t: Tensor| t.reshape((1, c, 1));
        let x = x
            .broadcast_mul(&column(self.affine.get(0)?)?)?
            .broadcast_add(&column(self.affine.get(1)?)?)?;
        let scale = (scale_shift.narrow(1, 0, c)? + 1.0)?.unsqueeze(2)?;
        let shift = scale_shift.narrow(1, c, c)?.unsqueeze(2)?;
        x.broadcast_mul(&scale)?
            .broadcast_add(&shift)?
            .silu()?
            .reshape(shape)
    }
}

/// Layer norm over channels of `[b, c, n]` with a gain `g` and no bias.
#[derive(Clone, Debug)]
pub struct ChannelNorm {
    g: Tensor,
}

impl ChannelNorm {
    /// Loads `g` `[c]`.
    ///
    /// # Errors
    /// As [`GroupNormSilu::new`].
    pub fn new(p: &Params, channels: usize) -> Result<Self> {
        Ok(Self {
            g: p.get("g", &[channels])?,
        })
    }

    /// `[c]`
    pub(super) fn gain(&self) -> &Tensor {
        &self.g
    }

    /// On the CPU; a GPU's attentions have it inside.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        profile::timed("layer norm", x.device(), || {
            let op = cpu::norm::ChannelNorm { eps: EPS as f32 };
            x.contiguous()?.apply_op2_no_bwd(&self.g, &op)
        })
    }

    #[cfg(test)]
    fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let centred = x.broadcast_sub(&x.mean_keepdim(1)?)?;
        let var = centred.sqr()?.mean_keepdim(1)?;
        centred
            .broadcast_div(&(var + EPS)?.sqrt()?)?
            .broadcast_mul(&self.g.reshape((1, (), 1))?)
    }
}

/// Layer norm over the last dimension with a gain and, in some places, a bias.
#[derive(Clone, Debug)]
pub struct LastNorm {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl LastNorm {
    /// Loads `g` `[c]`: the attention's and feed-forward's kind.
    ///
    /// # Errors
    /// As [`GroupNormSilu::new`].
    pub fn gain(p: &Params, channels: usize) -> Result<Self> {
        Ok(Self {
            weight: p.get("g", &[channels])?,
            bias: None,
        })
    }

    /// Loads `weight` and `bias` `[c]`: the ordinary kind.
    ///
    /// # Errors
    /// As [`GroupNormSilu::new`].
    pub fn affine(p: &Params, channels: usize) -> Result<Self> {
        Ok(Self {
            weight: p.get("weight", &[channels])?,
            bias: Some(p.get("bias", &[channels])?),
        })
    }

    /// # Errors
    /// On mismatched shapes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        profile::timed("layer norm", x.device(), || {
            let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
            let var = centred.sqr()?.mean_keepdim(D::Minus1)?;
            let x = centred
                .broadcast_div(&(var + EPS)?.sqrt()?)?
                .broadcast_mul(&self.weight)?;
            match &self.bias {
                Some(bias) => x.broadcast_add(bias),
                None => Ok(x),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::largest_difference;
    use candle_core::Device;

    fn wave(shape: &[usize], step: f32) -> Tensor {
        let n = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..n)
            .map(|i| (i as f32 * step).sin() * 3.0 + 0.5)
            .collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn group_norm_equals_its_composition() {
        let norm = GroupNormSilu {
            affine: wave(&[2, 16], 0.7),
            groups: 8,
        };
        let x = wave(&[2, 16, 3, 5, 7], 0.13);
        let scale_shift = wave(&[2, 32], 0.9);
        let d = largest_difference(
            &norm.forward(&x, Some(&scale_shift)).unwrap(),
            &norm.composed(&x, &scale_shift).unwrap(),
        );
        assert!(d < 2e-5, "{d}");
    }

    #[test]
    fn channel_norm_equals_its_composition() {
        let norm = ChannelNorm {
            g: wave(&[12], 0.7),
        };
        for n in [1, 63, 200] {
            let x = wave(&[2, 12, n], 0.31);
            let d = largest_difference(&norm.forward(&x).unwrap(), &norm.composed(&x).unwrap());
            assert!(d < 1e-5, "{n}: {d}");
        }
    }
}
