//! Normalisations of the U-Net and, while it learns, of the regressor. All use eps 1e-5.

#[cfg(feature = "cuda")]
use super::cuda;
#[cfg(feature = "cuda")]
use super::learn::made_again;
use super::learn::tracked;
use super::{Params, cpu, profile};
use candle_core::{D, Result, Tensor};
use std::sync::PoisonError;

pub(super) const EPS: f64 = 1e-5;

/// GroupNorm over `(channels / groups) x frames x height x width`, then `x * (scale + 1) + shift`,
/// then SiLU: the front of every residual block.
#[derive(Clone, Debug)]
pub struct GroupNormSilu {
    affine: Affine,
    groups: usize,
}

/// Weight and bias.
#[derive(Clone, Debug)]
enum Affine {
    /// One under the other, `[2, c]`, as the kernels read them.
    Stacked(Tensor),
    /// `[c]` each, while they learn.
    Apart(Tensor, Tensor),
}

impl Affine {
    fn new(weight: Tensor, bias: Tensor) -> Result<Self> {
        match tracked(&[&weight, &bias]) {
            true => Ok(Self::Apart(weight, bias)),
            false => Ok(Self::Stacked(Tensor::stack(&[weight, bias], 0)?)),
        }
    }

    #[cfg(test)]
    fn parts(&self) -> Result<(Tensor, Tensor)> {
        match self {
            Self::Stacked(both) => Ok((both.get(0)?, both.get(1)?)),
            Self::Apart(weight, bias) => Ok((weight.clone(), bias.clone())),
        }
    }
}

impl GroupNormSilu {
    /// Loads `weight` and `bias` `[c]`.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params, channels: usize, groups: usize) -> Result<Self> {
        let (weight, bias) = (p.get("weight", &[channels])?, p.get("bias", &[channels])?);
        Ok(Self {
            affine: Affine::new(weight, bias)?,
            groups,
        })
    }

    /// x `[b, c, f, h, w]`; `scale_shift` `[b, 2c]`, scale first.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn forward(&self, x: &Tensor, scale_shift: Option<&Tensor>) -> Result<Tensor> {
        profile::timed("group norm, SiLU", x.device(), || {
            #[cfg(feature = "cuda")]
            if let (Affine::Stacked(affine), true, false) =
                (&self.affine, x.device().is_cuda(), x.track_op())
            {
                let x = cuda::Rows::of(x)?;
                let out = cuda::group_norm_silu(&x, affine, scale_shift, self.groups, EPS)?;
                return Ok(out.into_tensor());
            }
            // Of variables a copy, which leads back to them.
            let stacked;
            let affine = match &self.affine {
                Affine::Stacked(affine) => affine,
                Affine::Apart(weight, bias) => {
                    stacked = Tensor::stack(&[weight, bias], 0)?;
                    &stacked
                }
            };
            let (b, c) = (x.dim(0)?, x.dim(1)?);
            let none;
            let scale_shift = match scale_shift {
                Some(t) => t,
                None => {
                    none = Tensor::zeros((b, 2 * c), x.dtype(), x.device())?;
                    &none
                }
            };
            #[cfg(feature = "cuda")]
            if x.device().is_cuda() {
                let groups = self.groups;
                let make = move |x: &Tensor, affine: &Tensor, told: &Tensor| {
                    group_norm_silu(x, (&affine.get(0)?, &affine.get(1)?), Some(told), groups)
                };
                return made_again(x, affine, scale_shift, make);
            }
            let op = cpu::norm::GroupNormSilu {
                groups: self.groups,
                eps: EPS,
            };
            x.contiguous()?
                .apply_op3(affine, &scale_shift.contiguous()?, op)
        })
    }

    /// By Candle's operations.
    #[cfg(test)]
    fn composed(&self, x: &Tensor, scale_shift: Option<&Tensor>) -> Result<Tensor> {
        let (weight, bias) = self.affine.parts()?;
        group_norm_silu(x, (&weight, &bias), scale_shift, self.groups)
    }
}

/// A [`GroupNormSilu`] by Candle's operations.
#[cfg(any(test, feature = "cuda"))]
fn group_norm_silu(
    x: &Tensor,
    (weight, bias): (&Tensor, &Tensor),
    scale_shift: Option<&Tensor>,
    groups: usize,
) -> Result<Tensor> {
    let shape = x.dims().to_vec();
    let (b, c) = (shape[0], shape[1]);
    let grouped = x.reshape((b, groups, ()))?;
    let centred = grouped.broadcast_sub(&grouped.mean_keepdim(2)?)?;
    let var = centred.sqr()?.mean_keepdim(2)?;
    let x = centred
        .broadcast_div(&(var + EPS)?.sqrt()?)?
        .reshape((b, c, ()))?;
    let mut x = x
        .broadcast_mul(&weight.reshape((1, c, 1))?)?
        .broadcast_add(&bias.reshape((1, c, 1))?)?;
    if let Some(scale_shift) = scale_shift {
        let scale = (scale_shift.narrow(1, 0, c)? + 1.0)?.unsqueeze(2)?;
        let shift = scale_shift.narrow(1, c, c)?.unsqueeze(2)?;
        x = x.broadcast_mul(&scale)?.broadcast_add(&shift)?;
    }
    x.silu()?.reshape(shape)
}

/// Batch norm by the statistics of the batch, while it learns; what it has seen goes into the running averages that it
/// is used with afterwards.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    weight: Tensor,
    bias: Tensor,
    running: [Tensor; 2],
    seen: cpu::batch_norm::Seen,
}

impl BatchNorm {
    /// The share of what a batch saw in the running averages, as PyTorch's.
    const SHARE: f64 = 0.1;

    /// Loads `weight`, `bias`, `running_mean` and `running_var` `[c]`.
    ///
    /// # Errors
    /// As [`GroupNormSilu::new`].
    pub fn new(p: &Params, channels: usize) -> Result<Self> {
        let get = |name: &str| p.get(name, &[channels]);
        Ok(Self {
            weight: get("weight")?,
            bias: get("bias")?,
            running: [get("running_mean")?, get("running_var")?],
            seen: cpu::batch_norm::Seen::default(),
        })
    }

    /// x `[b, c, ...]`
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if x.device().is_cuda() {
            return self.composed(x);
        }
        let op = cpu::batch_norm::BatchNorm {
            eps: EPS,
            seen: self.seen.clone(),
        };
        x.contiguous()?.apply_op3(&self.weight, &self.bias, op)
    }

    /// By Candle's operations.
    #[cfg(any(test, feature = "cuda"))]
    fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let (b, c) = (x.dim(0)?, x.dim(1)?);
        let flat = x.reshape((b, c, ()))?;
        let n = (b * flat.dim(2)?) as f64;
        // Over each channel of all samples.
        let over = |t: &Tensor| t.sum_keepdim(2)?.sum_keepdim(0)? / n;
        let mean = over(&flat)?;
        let centred = flat.broadcast_sub(&mean)?;
        let var = over(&centred.sqr()?)?;
        let values = |t: &Tensor| t.detach().flatten_all()?.to_vec1::<f32>();
        let unbiased = (&var * (n / (n - 1.0).max(1.0)))?;
        let seen = [values(&mean)?, values(&unbiased)?];
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        let column = |t: &Tensor| t.reshape((1, c, 1));
        centred
            .broadcast_div(&(var + EPS)?.sqrt()?)?
            .broadcast_mul(&column(&self.weight)?)?
            .broadcast_add(&column(&self.bias)?)?
            .reshape(x.shape())
    }

    /// What the running averages are after the last pass: the variables that they are, each with its new value.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn averages(&self) -> Result<Vec<(Tensor, Tensor)>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(seen) = seen.as_ref() else {
            return Ok(Vec::new());
        };
        let pairs = self.running.iter().zip(seen);
        let next = |(running, seen): (&Tensor, &Vec<f32>)| {
            let new = Tensor::from_slice(seen, running.shape(), running.device())?;
            let old = running.detach();
            Ok((
                running.clone(),
                ((old * (1.0 - Self::SHARE))? + (new * Self::SHARE)?)?,
            ))
        };
        pairs.map(next).collect()
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

    /// On a GPU while it learns alone: its attentions have it inside.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        profile::timed("layer norm", x.device(), || {
            #[cfg(feature = "cuda")]
            if x.device().is_cuda() {
                return self.composed(x);
            }
            let op = cpu::norm::ChannelNorm { eps: EPS as f32 };
            x.contiguous()?.apply_op2(&self.g.contiguous()?, op)
        })
    }

    /// By Candle's operations.
    #[cfg(any(test, feature = "cuda"))]
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
    use crate::nn::testing::{largest_difference, same_slopes, variable};
    use candle_core::{Device, Var};

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
            affine: Affine::Stacked(wave(&[2, 16], 0.7)),
            groups: 8,
        };
        let x = wave(&[2, 16, 3, 5, 7], 0.13);
        let scale_shift = wave(&[2, 32], 0.9);
        for scale_shift in [None, Some(&scale_shift)] {
            let d = largest_difference(
                &norm.forward(&x, scale_shift).unwrap(),
                &norm.composed(&x, scale_shift).unwrap(),
            );
            assert!(d < 2e-5, "{d}");
        }
    }

    #[test]
    fn group_norms_gradients_are_those_of_its_composition() {
        for (shape, groups) in [
            ([2, 16, 3, 5, 7], 8),
            ([1, 8, 1, 9, 9], 2),
            ([3, 4, 2, 2, 3], 4),
        ] {
            let (b, c) = (shape[0], shape[1]);
            let var = |shape: &[usize], step| Var::from_tensor(&wave(shape, step)).unwrap();
            let (weight, bias) = (var(&[c], 0.7), var(&[c], 0.3));
            let (x, told) = (var(&shape, 0.13), var(&[b, 2 * c], 0.9));
            let norm = GroupNormSilu {
                affine: Affine::Apart(weight.as_tensor().clone(), bias.as_tensor().clone()),
                groups,
            };
            let towards = wave(&shape, 0.41);
            let slopes = |y: Tensor| {
                let loss = (y * &towards).and_then(|y| y.sum_all()).unwrap();
                let grads = loss.backward().unwrap();
                [&x, &weight, &bias, &told].map(|v| grads.get(v).cloned())
            };
            for scale_shift in [None, Some(told.as_tensor())] {
                let ours = slopes(norm.forward(&x, scale_shift).unwrap());
                let theirs = slopes(norm.composed(&x, scale_shift).unwrap());
                for (k, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                    let (Some(ours), Some(theirs)) = (ours, theirs) else {
                        assert!(k == 3 && scale_shift.is_none() && ours.is_none());
                        continue;
                    };
                    let size = theirs.abs().unwrap().max_all().unwrap();
                    let size = size.to_scalar::<f32>().unwrap().max(1.0);
                    let d = largest_difference(ours, theirs) / size;
                    assert!(d < 2e-5, "{shape:?} {k}: {d}");
                }
            }
        }
    }

    #[test]
    fn batch_norms_gradients_are_those_of_its_composition() {
        for shape in [[3, 5, 2, 7, 9], [1, 2, 1, 1, 3], [2, 3, 16, 16, 16]] {
            let c = shape[1];
            let (x, weight, bias) = (variable(&shape, 1), variable(&[c], 2), variable(&[c], 3));
            let (mean, var) = (variable(&[c], 4), variable(&[c], 5));
            let norm = BatchNorm {
                weight: weight.as_tensor().clone(),
                bias: bias.as_tensor().clone(),
                running: [mean.as_tensor().clone(), var.as_tensor().clone()],
                seen: cpu::batch_norm::Seen::default(),
            };
            assert!(norm.averages().unwrap().is_empty());
            let ours = norm.forward(&x).unwrap();
            let flat = x.reshape((shape[0], c, ())).unwrap();
            let over = |t: &Tensor| t.mean_keepdim(2).unwrap().mean_keepdim(0).unwrap();
            let centred = flat.broadcast_sub(&over(&flat)).unwrap();
            let spread = over(&centred.sqr().unwrap());
            let n = (x.elem_count() / c) as f64;
            let right = ((var.as_tensor() * 0.9).unwrap()
                + (spread.flatten_all().unwrap() * (0.1 * n / (n - 1.0))).unwrap())
            .unwrap();
            let averages = norm.averages().unwrap();
            assert!(largest_difference(&averages[1].1, &right) < 1e-5);
            let theirs = norm.composed(&x).unwrap();
            assert!(largest_difference(&ours, &theirs) < 1e-5);
            same_slopes(&[&x, &weight, &bias], &ours, &theirs, 1e-5);
            for (ours, theirs) in averages.iter().zip(norm.averages().unwrap()) {
                assert!(largest_difference(&ours.1, &theirs.1) < 1e-5);
            }
        }
    }

    #[test]
    fn channel_norms_gradients_are_those_of_its_composition() {
        for (c, n) in [(12, 1), (5, 63), (8, 5000)] {
            let (x, g) = (variable(&[2, c, n], 1), variable(&[c], 2));
            let norm = ChannelNorm {
                g: g.as_tensor().clone(),
            };
            let (ours, theirs) = (norm.forward(&x).unwrap(), norm.composed(&x).unwrap());
            same_slopes(&[&x, &g], &ours, &theirs, 1e-5);
        }
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
