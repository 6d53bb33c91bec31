//! Convolution, batch norm, ReLU: what the networks of the Inception family are made of.

use crate::nn::{Interrupt, Params};
use candle_core::{D, Result, Tensor};

const EPS: f64 = 1e-3;

/// Zeros before and behind a direction's values.
pub type Pad = (usize, usize);

/// A convolution without a bias, its batch norm folded in, and ReLU.
pub struct Unit {
    /// `[o, c, kh, kw]`; of kernels in time, the frames' channels one after the other.
    weight: Tensor,
    /// `[1, o, 1, 1]`
    bias: Tensor,
    stride: usize,
}

impl Unit {
    /// Loads `{conv}.weight` of `shape`, `[o, c, kh, kw]` or `[o, c, kt, kh, kw]`, and the four tensors of `bn` below `p`.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params, conv: &str, shape: &[usize], stride: usize) -> Result<Self> {
        let o = shape[0];
        let weight = p.at(conv).get("weight", shape)?;
        let p = p.at("bn");
        let get = |name: &str| p.get(name, &[o]);
        let gain = (get("weight")? / (get("running_var")? + EPS)?.sqrt()?)?;
        let bias = (get("bias")? - (get("running_mean")? * &gain)?)?;
        let mut column = vec![1; shape.len()];
        column[0] = o;
        let mut weight = weight.broadcast_mul(&gain.reshape(column)?)?;
        if let &[o, c, kt, kh, kw] = shape {
            weight = weight
                .permute((0, 2, 1, 3, 4))?
                .reshape((o, kt * c, kh, kw))?;
        }
        Ok(Self {
            weight: weight.contiguous()?,
            bias: bias.reshape((1, o, 1, 1))?,
            stride,
        })
    }

    /// `[n, c, h, w]` to `[n, o, h', w']`, with zeros around the rows and the columns.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, x: &Tensor, rows: Pad, columns: Pad, go: &Interrupt) -> Result<Tensor> {
        go.check()?;
        padded(x, rows, columns)?
            .conv2d(&self.weight, 0, self.stride, 1, 1)?
            .broadcast_add(&self.bias)?
            .relu()
    }
}

/// With zeros around.
///
/// # Errors
/// When the device fails.
pub fn padded(x: &Tensor, rows: Pad, columns: Pad) -> Result<Tensor> {
    let mut x = x.clone();
    // What has none is not copied.
    if rows != (0, 0) {
        x = x.pad_with_zeros(D::Minus2, rows.0, rows.1)?;
    }
    if columns != (0, 0) {
        x = x.pad_with_zeros(D::Minus1, columns.0, columns.1)?;
    }
    x.contiguous()
}
