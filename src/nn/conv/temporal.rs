//! Convolutions over frames of `[batch, channel, frame, height, width]`, and the position encoding that is
//! one.

use super::arranged::Arranged;
use super::spatial::{at_hand, mismatch, values};
use crate::nn::cpu::conv::pack_temporal;
#[cfg(feature = "cuda")]
use crate::nn::cuda;
#[cfg(feature = "cuda")]
use crate::nn::learn::made_again;
use crate::nn::learn::tracked;
#[cfg(any(test, feature = "cuda"))]
use crate::nn::matmul;
use crate::nn::{Backend, Interrupt, Params, cpu, on_gpu, profile};
use candle_core::{Result, Tensor};

/// A convolution over frames at every pixel.
#[derive(Clone, Debug)]
pub struct TemporalConv {
    taps: usize,
    outputs: usize,
    inputs: usize,
    /// `[out]`, in the host's memory.
    bias: Tensor,
    before: usize,
    after: usize,
    stride: usize,
    /// `[taps, out, in]`; `[out, in, taps]` where it learns.
    weight: Arranged,
}

impl TemporalConv {
    /// The causal one of the U-Net: kernel 3, two zero frames before the first.
    /// Loads `weight` `[c, c, 3]` and `bias` `[c]`.
    ///
    /// # Errors
    /// As [`SpatialConv::new`](super::SpatialConv::new).
    pub fn causal(p: &Params, channels: usize) -> Result<Self> {
        let weight = p.get_host("weight", &[channels, channels, 3])?;
        let bias = p.get_host("bias", &[channels])?;
        Self::build(&weight, &bias, (2, 0), 1, p.backend())
    }

    /// `weight` is `[out, in, taps]`; `padding` is the number of zero frames (before, after). It runs where
    /// its weights are, in `f32`.
    ///
    /// # Errors
    /// When the weight cannot be rearranged.
    pub fn from_tensors(
        weight: &Tensor,
        bias: Tensor,
        padding: (usize, usize),
        stride: usize,
    ) -> Result<Self> {
        Self::build(weight, &bias, padding, stride, &weight.device().into())
    }

    fn build(
        weight: &Tensor,
        bias: &Tensor,
        (before, after): (usize, usize),
        stride: usize,
        backend: &Backend,
    ) -> Result<Self> {
        let (outputs, inputs, taps) = weight.dims3()?;
        let [mut weight, bias] = at_hand([weight, bias])?;
        if !tracked(&[&weight]) {
            weight = weight.permute((2, 0, 1))?.contiguous()?;
        }
        Ok(Self {
            taps,
            outputs,
            inputs,
            bias,
            before,
            after,
            stride,
            weight: Arranged::new(weight, backend),
        })
    }

    /// `[b, in, f, h, w]` to `[b, out, f', h, w]`.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        profile::timed("convolution over time", x.device(), || {
            interrupt.check()?;
            on_gpu!(x, learns: self.weight.learned().is_some(), self.forward_on_gpu(x));
            let (taps, o, c) = (self.taps, self.outputs, self.inputs);
            if let Some(weight) = self.weight.learned() {
                return self.learned(weight, x, interrupt);
            }
            let weights = self.weight.for_cpu(x, |weight| {
                Ok(pack_temporal(weight, (taps, o, c), &values(&self.bias)?))
            })?;
            if x.dim(1)? != c {
                return Err(mismatch(x, c));
            }
            let op = cpu::conv::Temporal {
                weights,
                taps,
                before: self.before,
                after: self.after,
                stride: self.stride,
                interrupt: interrupt.clone(),
            };
            x.contiguous()?.apply_op1(op)
        })
    }

    #[cfg(feature = "cuda")]
    fn forward_on_gpu(&self, x: &Tensor) -> Result<Tensor> {
        let (taps, outputs, inputs) = (self.taps, self.outputs, self.inputs);
        let conv = self.weight.for_gpu(|backend, weight| {
            let offsets: Vec<_> = (0..taps)
                .map(|i| [i as i8 - self.before as i8, 0, 0])
                .collect();
            let shape = cuda::Shape {
                outputs,
                inputs,
                taps: &offsets,
                same: self.stride == 1 && self.before + self.after + 1 == taps,
            };
            cuda::Conv::new(backend, &shape, Some(&self.bias), |o, tap, c| {
                weight[(tap * outputs + o) * inputs + c]
            })
        })?;
        let x = cuda::Rows::of(x)?;
        let [_, f, h, w] = x.dims;
        let frames = (f + self.before + self.after - taps) / self.stride + 1;
        let out = conv.forward_to(&x, [frames, h, w], (self.stride, 1))?;
        Ok(out.into_tensor())
    }

    /// With weights that are packed for this pass, and a gradient.
    fn learned(&self, weight: &Tensor, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        if x.dim(1)? != self.inputs {
            return Err(mismatch(x, self.inputs));
        }
        #[cfg(feature = "cuda")]
        if x.device().is_cuda() {
            let layer = self.clone();
            let make =
                move |x: &Tensor, weight: &Tensor, bias: &Tensor| layer.composed(weight, bias, x);
            return made_again(x, weight, &self.bias, make);
        }
        let op = cpu::conv_grad::LearnedTemporal {
            before: self.before,
            after: self.after,
            stride: self.stride,
            interrupt: interrupt.clone(),
        };
        x.contiguous()?
            .apply_op3(&weight.contiguous()?, &self.bias, op)
    }

    /// As one shifted matrix product a tap: weight `[out, in, taps]`.
    #[cfg(any(test, feature = "cuda"))]
    pub(in crate::nn) fn composed(
        &self,
        weight: &Tensor,
        bias: &Tensor,
        x: &Tensor,
    ) -> Result<Tensor> {
        let (b, c, f, h, w) = x.dims5()?;
        let (taps, o) = (self.taps, self.outputs);
        let x = x.pad_with_zeros(2, self.before, self.after)?;
        let out_frames = (f + self.before + self.after - taps) / self.stride + 1;
        let mut sum: Option<Tensor> = None;
        for tap in 0..taps {
            let part = if self.stride == 1 {
                x.narrow(2, tap, out_frames)?
            } else {
                let frames: Vec<u32> = (0..out_frames)
                    .map(|i| (i * self.stride + tap) as u32)
                    .collect();
                x.index_select(&Tensor::new(frames, x.device())?, 2)?
            };
            let part = part.reshape((b, c, out_frames * h * w))?;
            let tap = weight.narrow(2, tap, 1)?.squeeze(2)?.contiguous()?;
            let part = matmul(&tap, &part)?;
            sum = Some(match sum {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
        let sum = sum.ok_or_else(|| candle_core::Error::Msg("a kernel without taps".into()))?;
        sum.broadcast_add(&bias.reshape((1, o, 1))?)?
            .reshape((b, o, out_frames, h, w))
    }
}

/// Temporal position encoding generator: `x` plus a causal depthwise convolution over frames.
#[derive(Clone, Debug)]
pub struct TemporalPeg {
    /// `[c, 3]`
    weight: Tensor,
    bias: Tensor,
}

impl TemporalPeg {
    /// Loads `fn.1.weight` `[c, 1, 3, 1, 1]` and `fn.1.bias` `[c]`.
    ///
    /// # Errors
    /// As [`SpatialConv::new`](super::SpatialConv::new).
    pub fn new(p: &Params, channels: usize) -> Result<Self> {
        let p = p.at("fn.1");
        Ok(Self {
            weight: p
                .get("weight", &[channels, 1, 3, 1, 1])?
                .reshape((channels, 3))?,
            bias: p.get("bias", &[channels])?,
        })
    }

    /// # Errors
    /// On mismatched shapes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        profile::timed("temporal PEG", x.device(), || {
            on_gpu!(x, learns: tracked(&[&self.weight]), {
                let out = cuda::peg(&cuda::Rows::of(x)?, &self.weight, &self.bias)?;
                Ok(out.into_tensor())
            });
            #[cfg(feature = "cuda")]
            if x.device().is_cuda() {
                return made_again(x, &self.weight, &self.bias, peg_composed);
            }
            x.contiguous()?
                .apply_op3(&self.weight.contiguous()?, &self.bias, cpu::conv::Peg)
        })
    }
}

/// A [`TemporalPeg`] by Candle's operations.
#[cfg(any(test, feature = "cuda"))]
fn peg_composed(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (_, c, f, _, _) = x.dims5()?;
    let column = |t: &Tensor| t.reshape((1, c, 1, 1, 1));
    let padded = x.pad_with_zeros(2, 2, 0)?;
    let mut out = x.broadcast_add(&column(bias)?)?;
    for tap in 0..3 {
        let weight = column(&weight.narrow(1, tap, 1)?.contiguous()?)?;
        out = (out + padded.narrow(2, tap, f)?.broadcast_mul(&weight)?)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{largest_difference, random, same_slopes, variable};

    #[test]
    fn temporal_kernels_equal_shifted_products() {
        for (padding, stride, taps) in [((2, 0), 1, 3), ((1, 1), 2, 3), ((0, 0), 1, 1)] {
            let x = random(&[2, 6, 7, 5, 9], 4);
            let weight = random(&[4, 6, taps], 5);
            let conv =
                TemporalConv::from_tensors(&weight, random(&[4], 6), padding, stride).unwrap();
            let ours = conv.forward(&x, &Interrupt::new()).unwrap();
            let d = largest_difference(&ours, &conv.composed(&weight, &conv.bias, &x).unwrap());
            assert!(d < 1e-5, "{padding:?}, stride {stride}: {d}");
        }
    }

    #[test]
    fn peg_equals_its_composition() {
        let peg = TemporalPeg {
            weight: random(&[3, 3], 7),
            bias: random(&[3], 8),
        };
        let x = random(&[2, 3, 5, 4, 6], 9);
        let d = largest_difference(
            &peg.forward(&x).unwrap(),
            &peg_composed(&x, &peg.weight, &peg.bias).unwrap(),
        );
        assert!(d < 1e-6, "{d}");
        for frames in [1, 2, 9] {
            let (w, bias) = (variable(&[3, 3], 7), variable(&[3], 8));
            let x = variable(&[2, 3, frames, 4, 6], 9);
            let peg = TemporalPeg {
                weight: w.as_tensor().clone(),
                bias: bias.as_tensor().clone(),
            };
            let (ours, theirs) = (
                peg.forward(&x).unwrap(),
                peg_composed(&x, &w, &bias).unwrap(),
            );
            same_slopes(&[&x, &w, &bias], &ours, &theirs, 1e-6);
        }
    }
}
