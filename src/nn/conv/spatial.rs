//! Convolutions over space of `[batch, channel, frame, height, width]`: one half of the pseudo-3-D
//! convolutions of video diffusion models; [`super::temporal`] has the other.

use super::arranged::Arranged;
use crate::nn::cpu::conv::pack_spatial;
#[cfg(feature = "cuda")]
use crate::nn::cuda;
#[cfg(feature = "cuda")]
use crate::nn::learn::made_again;
use crate::nn::learn::tracked;
#[cfg(any(test, feature = "cuda"))]
use crate::nn::matmul;
use crate::nn::{Backend, Interrupt, Params, cpu, on_gpu, profile};
use candle_core::{Device, Result, Tensor};
#[cfg(feature = "cuda")]
use std::sync::Arc;

pub(super) fn values(t: &Tensor) -> Result<Vec<f32>> {
    t.flatten_all()?.to_vec1()
}

/// A `k x k` convolution of every frame.
#[derive(Clone, Debug)]
pub struct SpatialConv {
    outputs: usize,
    inputs: usize,
    /// Height and width of the kernel.
    k: usize,
    /// `[out]`, in the host's memory.
    bias: Tensor,
    padding: usize,
    stride: usize,
    /// `[out, in, k, k]`
    weight: Arranged,
}

impl SpatialConv {
    /// Loads `weight` `[out, in, k, k]` and `bias` `[out]`; "same" padding.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params, input: usize, output: usize, k: usize) -> Result<Self> {
        Self::from_weight(p.get_host("weight", &[output, input, k, k])?, p, output, k)
    }

    /// As [`SpatialConv::new`], at every `stride`-th row and column.
    ///
    /// # Errors
    /// As [`SpatialConv::new`].
    pub fn strided(
        p: &Params,
        input: usize,
        output: usize,
        k: usize,
        stride: usize,
    ) -> Result<Self> {
        let weight = p.get_host("weight", &[output, input, k, k])?;
        let bias = p.get_host("bias", &[output])?;
        Self::build(&weight, &bias, k / 2, stride, p.backend())
    }

    /// As [`SpatialConv::new`], where the checkpoint keeps the weight as `[out, in, 1, k, k]`.
    ///
    /// # Errors
    /// As [`SpatialConv::new`].
    pub fn new_5d(p: &Params, input: usize, output: usize, k: usize) -> Result<Self> {
        let weight = p.get_host("weight", &[output, input, 1, k, k])?;
        Self::from_weight(weight.squeeze(2)?, p, output, k)
    }

    fn from_weight(weight: Tensor, p: &Params, output: usize, k: usize) -> Result<Self> {
        let bias = p.get_host("bias", &[output])?;
        Self::build(&weight, &bias, k / 2, 1, p.backend())
    }

    /// A convolution that runs where its weights are, in `f32`.
    ///
    /// # Errors
    /// When the weight cannot be made contiguous.
    pub fn from_tensors(
        weight: Tensor,
        bias: Tensor,
        padding: usize,
        stride: usize,
    ) -> Result<Self> {
        let backend = weight.device().into();
        Self::build(&weight, &bias, padding, stride, &backend)
    }

    fn build(
        weight: &Tensor,
        bias: &Tensor,
        padding: usize,
        stride: usize,
        backend: &Backend,
    ) -> Result<Self> {
        let (outputs, inputs, k, _) = weight.dims4()?;
        let [weight, bias] = at_hand([weight, bias])?;
        let weight = weight.contiguous()?;
        Ok(Self {
            outputs,
            inputs,
            k,
            bias,
            padding,
            stride,
            weight: Arranged::new(weight, backend),
        })
    }

    /// Whether its weights are variables.
    #[cfg(feature = "cuda")]
    pub(in crate::nn) fn learns(&self) -> bool {
        self.weight.learned().is_some()
    }

    /// Channels of what goes in.
    pub(in crate::nn) fn inputs(&self) -> usize {
        self.inputs
    }

    /// The same of `n` of its input channels alone, on the CPU. Before it has been used.
    pub(in crate::nn) fn of_inputs(&self, at: usize, n: usize, bias: bool) -> Result<Self> {
        let bias = match bias {
            true => self.bias.clone(),
            false => self.bias.zeros_like()?,
        };
        let backend = (&Device::Cpu).into();
        let used = || candle_core::Error::Msg("weights are parted before they are used".into());
        let weight = self.weight.read().ok_or_else(used)?.narrow(1, at, n)?;
        Self::build(&weight, &bias, self.padding, self.stride, &backend)
    }

    /// `[b, in, f, h, w]` to `[b, out, f, h', w']`.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        profile::timed(self.kind(), x.device(), || {
            interrupt.check()?;
            on_gpu!(x, learns: self.learns(), {
                let x = cuda::Rows::of(x)?;
                let (size, strides) = self.geometry(&x);
                Ok(self.on_gpu()?.forward_to(&x, size, strides)?.into_tensor())
            });
            let (o, c, k) = (self.outputs, self.inputs, self.k);
            if let Some(weight) = self.weight.learned() {
                return self.learned(weight, x, interrupt);
            }
            let weights = self.weight.for_cpu(x, |weight| {
                Ok(pack_spatial(weight, (o, c, k), &values(&self.bias)?))
            })?;
            if x.dim(1)? != c {
                return Err(mismatch(x, c));
            }
            let op = cpu::conv::Spatial {
                weights,
                k,
                padding: self.padding,
                stride: self.stride,
                interrupt: interrupt.clone(),
            };
            x.contiguous()?.apply_op1(op)
        })
    }

    /// As [`SpatialConv::forward`], for a result that leaves the network: `f32` and contiguous.
    ///
    /// # Errors
    /// As [`SpatialConv::forward`].
    pub fn forward_out(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        on_gpu!(
            x,
            learns: self.learns(),
            profile::timed(self.kind(), x.device(), || {
                interrupt.check()?;
                let x = cuda::Rows::of(x)?;
                let (size, strides) = self.geometry(&x);
                self.on_gpu()?.planes(&x, size, strides)
            })
        );
        self.forward(x, interrupt)
    }

    /// The weights as a GPU's kernel reads them.
    #[cfg(feature = "cuda")]
    pub(in crate::nn) fn on_gpu(&self) -> Result<Arc<cuda::Conv>> {
        self.weight.for_gpu(|backend, weight| {
            let (outputs, inputs, k) = (self.outputs, self.inputs, self.k);
            let at = |i: usize| i as i8 - self.padding as i8;
            let taps: Vec<_> = (0..k * k).map(|i| [0, at(i / k), at(i % k)]).collect();
            let shape = cuda::Shape {
                outputs,
                inputs,
                taps: &taps,
                same: self.stride == 1 && 2 * self.padding + 1 == k,
            };
            cuda::Conv::new(backend, &shape, Some(&self.bias), |o, tap, c| {
                weight[(o * inputs + c) * k * k + tap]
            })
        })
    }

    /// Frames, rows and columns of the result, and the strides to them.
    #[cfg(feature = "cuda")]
    fn geometry(&self, x: &cuda::Rows) -> ([usize; 3], (usize, usize)) {
        let [_, f, h, w] = x.dims;
        let size = |n: usize| (n + 2 * self.padding - self.k) / self.stride + 1;
        ([f, size(h), size(w)], (1, self.stride))
    }

    /// As a profile names it.
    fn kind(&self) -> &'static str {
        match self.k {
            3 => "convolution 3 x 3",
            1 => "convolution 1 x 1",
            _ => "convolution, larger",
        }
    }

    /// With weights that are packed for this pass, and a gradient.
    fn learned(&self, weight: &Tensor, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let k = self.k;
        if x.dim(1)? != self.inputs {
            return Err(mismatch(x, self.inputs));
        }
        #[cfg(feature = "cuda")]
        if x.device().is_cuda() {
            let (padding, stride) = (self.padding, self.stride);
            let make = move |x: &Tensor, weight: &Tensor, bias: &Tensor| {
                unfolded(x, weight, bias, padding, stride)
            };
            return made_again(x, weight, &self.bias, make);
        }
        let op = cpu::conv_grad::LearnedSpatial {
            k,
            padding: self.padding,
            stride: self.stride,
            interrupt: interrupt.clone(),
        };
        x.contiguous()?
            .apply_op3(&weight.contiguous()?, &self.bias, op)
    }

    /// By Candle's own convolution.
    #[cfg(test)]
    fn composed(&self, weight: &Tensor, x: &Tensor) -> Result<Tensor> {
        let (b, c, f, h, w) = x.dims5()?;
        let o = self.outputs;
        let y = x
            .transpose(1, 2)?
            .reshape((b * f, c, h, w))?
            .conv2d(weight, self.padding, self.stride, 1, 1)?
            .broadcast_add(&self.bias.reshape((1, o, 1, 1))?)?;
        let (_, _, oh, ow) = y.dims4()?;
        y.reshape((b, f, o, oh, ow))?.transpose(1, 2)?.contiguous()
    }
}

/// Weights that are arranged are taken from the host's memory, with their bias; variables stay where they are.
pub(super) fn at_hand(weight_and_bias: [&Tensor; 2]) -> Result<[Tensor; 2]> {
    let [weight, bias] = weight_and_bias;
    match tracked(&weight_and_bias) {
        true => Ok([weight.clone(), bias.clone()]),
        false => Ok([
            weight.to_device(&Device::Cpu)?,
            bias.to_device(&Device::Cpu)?,
        ]),
    }
}

/// As one product of matrices a frame, of the weight `[out, in, k, k]` and all that its taps see.
#[cfg(any(test, feature = "cuda"))]
fn unfolded(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    padding: usize,
    stride: usize,
) -> Result<Tensor> {
    let (b, c, f, h, w) = x.dims5()?;
    let (o, _, k, _) = weight.dims4()?;
    let padded = x
        .transpose(1, 2)?
        .reshape((b * f, c, h, w))?
        .pad_with_zeros(2, padding, padding)?
        .pad_with_zeros(3, padding, padding)?;
    let size = |n: usize| (n + 2 * padding - k) / stride + 1;
    let (oh, ow) = (size(h), size(w));
    let every = |t: &Tensor, dim: usize, from: usize, n: usize| {
        if stride == 1 {
            return t.narrow(dim, from, n);
        }
        let at: Vec<u32> = (0..n).map(|i| (i * stride + from) as u32).collect();
        t.contiguous()?
            .index_select(&Tensor::new(at, t.device())?, dim)
    };
    let tap = |i: usize| {
        let rows = every(&padded, 2, i / k, oh)?;
        every(&rows, 3, i % k, ow)?.reshape((b * f, c, 1, oh * ow))
    };
    let seen: Vec<Tensor> = (0..k * k).map(tap).collect::<Result<_>>()?;
    let seen = Tensor::cat(&seen, 2)?.reshape((b * f, c * k * k, oh * ow))?;
    let y = matmul(&weight.reshape((o, c * k * k))?, &seen)?;
    y.broadcast_add(&bias.reshape((1, o, 1))?)?
        .reshape((b, f, o, oh, ow))?
        .transpose(1, 2)?
        .contiguous()
}

pub(super) fn mismatch(x: &Tensor, channels: usize) -> candle_core::Error {
    let dims = x.dims();
    candle_core::Error::Msg(format!(
        "{dims:?} has not the {channels} channels of the weights"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{largest_difference, random, same_slopes, variable};

    #[test]
    fn spatial_kernels_equal_candles() {
        for (k, stride, h, w) in [
            (3, 1, 9, 13),
            (7, 1, 5, 6),
            (15, 1, 8, 8),
            (3, 2, 9, 7),
            (1, 2, 6, 6),
            (3, 1, 1, 1),
            (3, 1, 1, 40),
            (7, 1, 2, 1),
        ] {
            let x = random(&[2, 3, 4, h, w], 1);
            let weight = random(&[5, 3, k, k], 2);
            let conv =
                SpatialConv::from_tensors(weight.clone(), random(&[5], 3), k / 2, stride).unwrap();
            let ours = conv.forward(&x, &Interrupt::new()).unwrap();
            let d = largest_difference(&ours, &conv.composed(&weight, &x).unwrap());
            assert!(d < 2e-5, "kernel {k}, stride {stride}: {d}");
            let (x, weight, bias) = (
                variable(&[2, 3, 4, h, w], 1),
                variable(&[5, 3, k, k], 2),
                variable(&[5], 3),
            );
            let unfolded = unfolded(&x, &weight, &bias, k / 2, stride).unwrap();
            assert!(largest_difference(&unfolded, &ours) < 2e-5);
            let learns = SpatialConv::from_tensors(
                weight.as_tensor().clone(),
                bias.as_tensor().clone(),
                k / 2,
                stride,
            )
            .unwrap();
            let ours = learns.forward(&x, &Interrupt::new()).unwrap();
            same_slopes(&[&x, &weight, &bias], &ours, &unfolded, 2e-5);
        }
    }

    #[test]
    fn weights_are_held_in_one_form_at_a_time() {
        let x = random(&[1, 3, 2, 5, 5], 1);
        let weight = random(&[4, 3, 3, 3], 2);
        let conv = SpatialConv::from_tensors(weight, random(&[4], 3), 1, 1).unwrap();
        let twin = conv.clone();
        assert!(conv.weight.read().is_some());
        let first = conv.forward(&x, &Interrupt::new()).unwrap();
        assert!(conv.weight.read().is_none() && twin.weight.read().is_none());
        let second = twin.forward(&x, &Interrupt::new()).unwrap();
        assert_eq!(values(&first).unwrap(), values(&second).unwrap());
    }

    #[test]
    fn a_set_flag_stops_a_convolution() {
        let interrupt = Interrupt::new();
        interrupt.set();
        let conv =
            SpatialConv::from_tensors(random(&[1, 1, 3, 3], 1), random(&[1], 1), 1, 1).unwrap();
        assert!(
            conv.forward(&random(&[1, 1, 1, 4, 4], 1), &interrupt)
                .is_err()
        );
    }
}
