//! Convolutions of one pixel of one frame.

use super::arranged::Arranged;
use super::heads::{Along, Heads};
use super::spatial::{mismatch, values};
use crate::nn::cpu::conv::pack_pointwise;
use crate::nn::cpu::product::Packed;
#[cfg(feature = "cuda")]
use crate::nn::cuda;
use crate::nn::learn::tracked;
#[cfg(any(test, feature = "cuda"))]
use crate::nn::matmul;
use crate::nn::{Backend, Params, cpu, on_gpu, profile};
use candle_core::{Result, Tensor};
use std::sync::Arc;

/// A 1 x 1 convolution.
#[derive(Clone, Debug)]
pub struct PointConv {
    outputs: usize,
    inputs: usize,
    /// `[out]`, in the host's memory.
    bias: Option<Tensor>,
    /// `[out, in]`
    weight: Arranged,
    /// What a weight that learns is multiplied by in every pass. Any other has been.
    times: f64,
}

impl PointConv {
    /// Loads `weight` `[out, in, 1, 1, 1]` and `bias` `[out]`.
    ///
    /// # Errors
    /// As [`SpatialConv::new`](super::SpatialConv::new).
    pub fn new(p: &Params, input: usize, output: usize) -> Result<Self> {
        let weight = p.get_host("weight", &[output, input, 1, 1, 1])?;
        let bias = p.get_host("bias", &[output])?;
        Self::from_host(&weight.reshape((output, input))?, Some(bias), p.backend())
    }

    /// As [`PointConv::new`], where the checkpoint keeps the weight as `[out, in, 1, 1]`.
    ///
    /// # Errors
    /// As [`PointConv::new`].
    pub fn new_2d(p: &Params, input: usize, output: usize) -> Result<Self> {
        let weight = p.get_host("weight", &[output, input, 1, 1])?;
        let bias = p.get_host("bias", &[output])?;
        Self::from_host(&weight.reshape((output, input))?, Some(bias), p.backend())
    }

    /// `weight` is `[out, in]`, `bias` `[out]`, both in the host's memory.
    ///
    /// # Errors
    /// When the weight cannot be made contiguous.
    pub fn from_host(weight: &Tensor, bias: Option<Tensor>, backend: &Backend) -> Result<Self> {
        Self::scaled(weight, 1.0, bias, backend)
    }

    /// As [`PointConv::from_host`], where the weight is multiplied by `times`.
    ///
    /// # Errors
    /// As [`PointConv::from_host`].
    pub fn scaled(
        weight: &Tensor,
        times: f64,
        bias: Option<Tensor>,
        backend: &Backend,
    ) -> Result<Self> {
        let (outputs, inputs) = weight.dims2()?;
        let weight = match times {
            1.0 => weight.clone(),
            _ if tracked(&[weight]) => weight.clone(),
            _ => (weight * times)?,
        };
        Ok(Self {
            outputs,
            inputs,
            bias,
            weight: Arranged::new(weight.contiguous()?, backend),
            times,
        })
    }

    /// x `[b, in, ...]` to `[b, out, ...]`; on a GPU `[b, in, f, h, w]` alone.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        profile::timed("convolution 1 x 1", x.device(), || {
            on_gpu!(x, learns: self.learns(), {
                let x = cuda::Rows::of(x)?;
                Ok(self.on_gpu()?.forward(&x)?.into_tensor())
            });
            let mut dims = x.dims().to_vec();
            let (b, n) = (dims[0], dims[2..].iter().product::<usize>());
            let (o, c) = (self.outputs, self.inputs);
            if dims[1] != c {
                return Err(mismatch(x, c));
            }
            if self.weight.learned().is_some() {
                let none;
                let bias = match &self.bias {
                    Some(bias) => bias,
                    None => {
                        none = Tensor::zeros(o, x.dtype(), x.device())?;
                        &none
                    }
                };
                let weight = self.learned()?.contiguous()?;
                #[cfg(feature = "cuda")]
                if x.device().is_cuda() {
                    dims[1] = o;
                    return self
                        .composed(&weight, &x.reshape((b, c, n))?)?
                        .reshape(dims);
                }
                return x
                    .contiguous()?
                    .apply_op3(&weight, bias, cpu::conv_grad::LearnedPoint);
            }
            let x = x.reshape((b, c, n))?;
            dims[1] = o;
            let weights = self.packed(&x)?;
            let op = cpu::conv::Pointwise { weights };
            x.contiguous()?.apply_op1(op)?.reshape(dims)
        })
    }

    /// Its weight `[out, in]` as it is now, for a kernel with a gradient.
    ///
    /// # Errors
    /// Where it does not learn and has been arranged for another kernel.
    pub(in crate::nn) fn learned(&self) -> Result<Tensor> {
        match self.weight.learned() {
            Some(weight) if self.times == 1.0 => Ok(weight.clone()),
            Some(weight) => weight * self.times,
            None => self.weight.read().ok_or_else(|| {
                candle_core::Error::Msg("no gradient passes: the weights do not learn".into())
            }),
        }
    }

    /// Whether its weights are variables.
    #[cfg(feature = "cuda")]
    pub(in crate::nn) fn learns(&self) -> bool {
        self.weight.learned().is_some()
    }

    /// As a matrix product: weight `[out, in]`, x `[b, in, n]`.
    #[cfg(any(test, feature = "cuda"))]
    fn composed(&self, weight: &Tensor, x: &Tensor) -> Result<Tensor> {
        let y = matmul(weight, x)?;
        match &self.bias {
            Some(bias) => y.broadcast_add(&bias.reshape((1, self.outputs, 1))?),
            None => Ok(y),
        }
    }

    /// Its weight in parts, a head each, for the CPU's kernels of attention. Held in that form alone.
    ///
    /// # Errors
    /// When the weights are on a GPU.
    pub(in crate::nn) fn by_heads(&self, along: Along, heads: usize) -> Result<Arc<Vec<Packed>>> {
        let shape = (self.outputs, self.inputs);
        let of = |w: &[f32]| Heads::of(w, shape, along, heads);
        Ok(self.weight.for_heads(of)?.parts.clone())
    }

    /// Its weight `[out, in]` as the CPU's kernels read it.
    ///
    /// # Errors
    /// When the weights are on a GPU.
    pub(in crate::nn) fn packed(&self, x: &Tensor) -> Result<Arc<Packed>> {
        self.weight.for_cpu(x, |weight| {
            let bias = self.bias.as_ref().map(values).transpose()?;
            let shape = (self.outputs, self.inputs);
            Ok(pack_pointwise(weight, shape, bias.as_deref()))
        })
    }
}

/// What a GPU's kernels make of it.
#[cfg(feature = "cuda")]
impl PointConv {
    /// The weights as the kernel reads them.
    pub(in crate::nn) fn on_gpu(&self) -> Result<Arc<cuda::Conv>> {
        self.arranged(&[[0; 3]], 1, |o, _| o)
    }

    /// Of every square of four pixels one: space to depth before the convolution, as the four taps of one
    /// that strides.
    pub(in crate::nn) fn halving(&self, x: &Tensor) -> Result<Tensor> {
        profile::timed("convolution 1 x 1", x.device(), || {
            let taps = [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1]];
            let conv = self.arranged(&taps, 4, |o, _| o)?;
            let x = cuda::Rows::of(x)?;
            let [_, f, h, w] = x.dims;
            if h % 2 + w % 2 != 0 {
                return Err(candle_core::Error::Msg("a picture of an odd size".into()));
            }
            let out = conv.forward_to(&x, [f, h / 2, w / 2], (1, 2))?;
            Ok(out.into_tensor())
        })
    }

    /// SiLU and pixel shuffle after the convolution, as it writes its results.
    pub(in crate::nn) fn doubling(&self, x: &Tensor) -> Result<Tensor> {
        profile::timed("convolution 1 x 1", x.device(), || {
            // Channel `4 c + part` becomes channel `c` of its part.
            let conv = self.arranged(&[[0; 3]], 1, |o, outputs| {
                let own = outputs / 4;
                o % own * 4 + o / own
            })?;
            Ok(conv.pixels(&cuda::Rows::of(x)?)?.into_tensor())
        })
    }

    /// The first arrangement that is asked for: a layer is used in one way.
    fn arranged(
        &self,
        taps: &[[i8; 3]],
        inputs_a_channel: usize,
        row: impl Fn(usize, usize) -> usize,
    ) -> Result<Arc<cuda::Conv>> {
        let (outputs, inputs) = (self.outputs, self.inputs);
        self.weight.for_gpu(|backend, weight| {
            let bias = self.bias.as_ref().map(values).transpose()?;
            let bias = bias.map(|b| (0..outputs).map(|o| b[row(o, outputs)]).collect::<Vec<_>>());
            let bias = bias
                .map(|b| Tensor::new(b, &candle_core::Device::Cpu))
                .transpose()?;
            let shape = cuda::Shape {
                outputs,
                inputs: inputs / inputs_a_channel,
                taps,
                same: taps.len() == 1,
            };
            cuda::Conv::new(backend, &shape, bias.as_ref(), |o, tap, c| {
                weight[row(o, outputs) * inputs + c * inputs_a_channel + tap]
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{largest_difference, random, same_slopes, variable};
    use candle_core::Device;

    #[test]
    fn what_learns_has_the_gradients_of_a_matrix_product() {
        let backend = Backend::from(&Device::Cpu);
        for (c, o, shape, times) in [
            (6, 9, vec![2, 6, 40], 1.0),
            (3, 1, vec![2, 3, 4, 9, 21], 0.5),
        ] {
            let (x, w, bias) = (variable(&shape, 1), variable(&[o, c], 2), variable(&[o], 3));
            for with_bias in [true, false] {
                let of_bias = with_bias.then(|| bias.as_tensor().clone());
                let conv = PointConv::scaled(&w, times, of_bias, &backend).unwrap();
                let ours = conv.forward(&x).unwrap();
                let flat = x.flatten_from(2).unwrap();
                let theirs = conv.composed(&conv.learned().unwrap(), &flat).unwrap();
                let theirs = theirs.reshape(ours.shape()).unwrap();
                assert!(largest_difference(&ours, &theirs) < 2e-6);
                let vars = [&x, &w, &bias];
                same_slopes(&vars[..2 + usize::from(with_bias)], &ours, &theirs, 2e-6);
            }
        }
    }

    #[test]
    fn a_weight_in_heads_is_held_in_that_form_alone_and_multiplies_as_before() {
        let backend = Backend::from(&Device::Cpu);
        let x = random(&[1, 6, 40], 1);
        for along in [Along::Rows, Along::Columns] {
            let make = || PointConv::from_host(&random(&[9, 6], 2), None, &backend).unwrap();
            let (plain, split) = (make(), make());
            let twin = split.clone();
            let parts = split.by_heads(along, 3).unwrap();
            assert!(split.weight.read().is_none() && twin.weight.read().is_none());
            assert!(Arc::ptr_eq(&parts, &twin.by_heads(along, 3).unwrap()));
            let out = |conv: &PointConv| values(&conv.forward(&x).unwrap()).unwrap();
            assert_eq!(out(&plain), out(&twin));
            // And from the other form.
            let again = plain.by_heads(along, 3).unwrap();
            for (a, b) in parts.iter().zip(again.iter()) {
                assert_eq!(a.unpacked(), b.unpacked());
            }
        }
    }
}
