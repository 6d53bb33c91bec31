//! I3D (Carreira and Zisserman, *Quo vadis, action recognition?*, CVPR 2017): Inception-v1 with kernels in time, as FVD
//! looks with it. Padding is TensorFlow's SAME.

use super::unit::{Pad, Unit, padded};
use crate::nn::{Interrupt, Params};
use candle_core::{Result, Tensor};

/// Rows and columns that the network was trained on.
pub const SIDE: usize = 224;

/// Frames that FVD shows it.
pub const FRAMES: usize = 16;

/// Numbers of a clip's feature: the classes of Kinetics-400.
pub const NUMBERS: usize = 400;

/// Blocks, with the channels of their six convolutions.
const MIXED: [(&str, [usize; 6]); 9] = [
    ("Mixed_3b", [64, 96, 128, 16, 32, 32]),
    ("Mixed_3c", [128, 128, 192, 32, 96, 64]),
    ("Mixed_4b", [192, 96, 208, 16, 48, 64]),
    ("Mixed_4c", [160, 112, 224, 24, 64, 64]),
    ("Mixed_4d", [128, 128, 256, 24, 64, 64]),
    ("Mixed_4e", [112, 144, 288, 32, 64, 64]),
    ("Mixed_4f", [256, 160, 320, 32, 128, 128]),
    ("Mixed_5b", [256, 160, 320, 32, 128, 128]),
    ("Mixed_5c", [384, 192, 384, 48, 128, 128]),
];

/// Zeros that bring a direction to `ceil(size / stride)` outputs.
fn same(size: usize, kernel: usize, stride: usize) -> Pad {
    let last = match size % stride {
        0 => stride,
        rest => rest,
    };
    let all = kernel.saturating_sub(last);
    (all / 2, all - all / 2)
}

/// The frames that each of a kernel's places in time sees, zeros outside: `kernel` tensors of one length. `x` is
/// `[f, c, h, w]`.
fn in_time(x: &Tensor, kernel: usize, stride: usize) -> Result<Vec<Tensor>> {
    let frames = x.dim(0)?;
    let (before, behind) = same(frames, kernel, stride);
    let x = x.pad_with_zeros(0, before, behind)?;
    let outputs = frames.div_ceil(stride);
    (0..kernel)
        .map(|k| {
            let at: Vec<u32> = (0..outputs).map(|o| (o * stride + k) as u32).collect();
            x.index_select(&Tensor::new(at, x.device())?, 0)
        })
        .collect()
}

/// A convolution of `kernel` in all three directions.
struct Layer {
    unit: Unit,
    kernel: usize,
    stride: usize,
}

impl Layer {
    fn new(p: &Params, [input, output]: [usize; 2], kernel: usize, stride: usize) -> Result<Self> {
        let shape = [output, input, kernel, kernel, kernel];
        Ok(Self {
            unit: Unit::new(p, "conv3d", &shape, stride)?,
            kernel,
            stride,
        })
    }

    fn forward(&self, x: &Tensor, go: &Interrupt) -> Result<Tensor> {
        let (_, _, h, w) = x.dims4()?;
        let pad = |size| same(size, self.kernel, self.stride);
        let seen = match (self.kernel, self.stride) {
            (1, 1) => x.clone(),
            (kernel, stride) => Tensor::cat(&in_time(x, kernel, stride)?, 1)?,
        };
        self.unit.forward(&seen, pad(h), pad(w), go)
    }
}

/// Maxima of `time` frames of `space` x `space`. Nothing is below zero behind a ReLU: zeros around change none.
fn maxima(x: &Tensor, time: usize, space: usize, strides: [usize; 2]) -> Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    let pad = |size| same(size, space, strides[1]);
    let x = padded(x, pad(h), pad(w))?.max_pool2d_with_stride(space, strides[1])?;
    let places = in_time(&x, time, strides[0])?;
    let Some((first, others)) = places.split_first() else {
        return Ok(x);
    };
    others
        .iter()
        .try_fold(first.clone(), |most, x| most.maximum(x))
}

struct Mixed {
    straight: Layer,
    middle: [Layer; 2],
    wide: [Layer; 2],
    pooled: Layer,
}

impl Mixed {
    fn new(p: &Params, input: usize, o: [usize; 6]) -> Result<Self> {
        let layer = |name: &str, channels, kernel| Layer::new(&p.at(name), channels, kernel, 1);
        Ok(Self {
            straight: layer("b0", [input, o[0]], 1)?,
            middle: [
                layer("b1a", [input, o[1]], 1)?,
                layer("b1b", [o[1], o[2]], 3)?,
            ],
            wide: [
                layer("b2a", [input, o[3]], 1)?,
                layer("b2b", [o[3], o[4]], 3)?,
            ],
            pooled: layer("b3b", [input, o[5]], 1)?,
        })
    }

    fn forward(&self, x: &Tensor, go: &Interrupt) -> Result<Tensor> {
        let two = |[a, b]: &[Layer; 2]| b.forward(&a.forward(x, go)?, go);
        let parts = [
            self.straight.forward(x, go)?,
            two(&self.middle)?,
            two(&self.wide)?,
            self.pooled.forward(&maxima(x, 3, 3, [1, 1])?, go)?,
        ];
        Tensor::cat(&parts, 1)
    }
}

/// To what it would choose Kinetics' class by, [`NUMBERS`] numbers a clip.
pub struct I3d {
    stem: [Layer; 3],
    mixed: Vec<Mixed>,
    /// `[400, 1024]`
    weight: Tensor,
    bias: Tensor,
}

impl I3d {
    /// Loads the names of the usual PyTorch state, `Conv3d_1a_7x7.conv3d.weight` to `logits.conv3d.bias`.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params) -> Result<Self> {
        let layer = |name: &str, channels, kernel, stride| {
            Layer::new(&p.at(name), channels, kernel, stride)
        };
        let stem = [
            layer("Conv3d_1a_7x7", [3, 64], 7, 2)?,
            layer("Conv3d_2b_1x1", [64, 64], 1, 1)?,
            layer("Conv3d_2c_3x3", [64, 192], 3, 1)?,
        ];
        let mut input = 192;
        let mut mixed = Vec::new();
        for (name, o) in MIXED {
            mixed.push(Mixed::new(&p.at(name), input, o)?);
            input = o[0] + o[2] + o[4] + o[5];
        }
        let p = p.at("logits.conv3d");
        Ok(Self {
            stem,
            mixed,
            weight: p
                .get("weight", &[NUMBERS, input, 1, 1, 1])?
                .reshape((NUMBERS, input))?,
            bias: p.get("bias", &[NUMBERS])?,
        })
    }

    /// One clip `[f, 3, 224, 224]` in -1..1, of 16 frames at least, to `[400]`.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, x: &Tensor, go: &Interrupt) -> Result<Tensor> {
        let [first, second, third] = &self.stem;
        let mut h = maxima(&first.forward(x, go)?, 1, 3, [1, 2])?;
        h = third.forward(&second.forward(&h, go)?, go)?;
        h = maxima(&h, 1, 3, [1, 2])?;
        for (block, (name, _)) in self.mixed.iter().zip(MIXED) {
            h = match name {
                "Mixed_4b" => maxima(&h, 3, 3, [2, 2])?,
                "Mixed_5b" => maxima(&h, 2, 2, [2, 2])?,
                _ => h,
            };
            h = block.forward(&h, go)?;
        }
        // Means of 2 x 7 x 7, the scores of each, and their mean: all three are linear.
        let means = h.avg_pool2d_with_stride((7, 7), (1, 1))?.mean((2, 3))?;
        let frames = means.dim(0)?;
        let windows = frames.saturating_sub(1).max(1);
        let pairs = (means.narrow(0, 0, windows)? + means.narrow(0, frames - windows, windows)?)?;
        let mean = (pairs.mean_keepdim(0)? / 2.0)?;
        (mean.matmul(&self.weight.t()?)?.squeeze(0)?) + &self.bias
    }
}
