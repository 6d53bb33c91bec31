//! To half the size and to twice the size.

use super::conv::PointConv;
use super::shuffle::{silu_pixel_shuffle, space_to_depth};
use super::{Params, on_gpu};
use candle_core::{Result, Tensor};

/// Space to depth, then a 1 x 1 convolution.
#[derive(Clone, Debug)]
pub struct Downsample(PointConv);

impl Downsample {
    /// Loads `weight` `[output, 4 input, 1, 1, 1]` and `bias`.
    ///
    /// # Errors
    /// As [`PointConv::new`].
    pub fn new(p: &Params, input: usize, output: usize) -> Result<Self> {
        Ok(Self(PointConv::new(p, 4 * input, output)?))
    }

    /// `[b, input, f, 2h, 2w]` to `[b, output, f, h, w]`.
    ///
    /// # Errors
    /// When height or width is odd.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        on_gpu!(x, learns: self.0.learns(), self.0.halving(x));
        self.0.forward(&space_to_depth(x)?)
    }
}

/// 1 x 1 convolution, SiLU, pixel shuffle.
#[derive(Clone, Debug)]
pub struct Upsample(PointConv);

impl Upsample {
    /// Loads `net.0.weight` `[4 output, input, 1, 1, 1]` and `net.0.bias`.
    ///
    /// # Errors
    /// As [`PointConv::new`].
    pub fn new(p: &Params, input: usize, output: usize) -> Result<Self> {
        Ok(Self(PointConv::new(&p.at("net.0"), input, 4 * output)?))
    }

    /// `[b, input, f, h, w]` to `[b, output, f, 2h, 2w]`.
    ///
    /// # Errors
    /// On mismatched shapes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        on_gpu!(x, learns: self.0.learns(), self.0.doubling(x));
        silu_pixel_shuffle(&self.0.forward(x)?)
    }
}
