//! R(2+1)D (Tran et al., 2018): a residual network whose convolutions are split into space and
//! time, here with one output. The 18-layer network and the small built-in one are configurations.

use super::unet3d::Probe;
use crate::nn::conv::{SpatialConv, TemporalConv};
use crate::nn::linear::linear;
use crate::nn::norm::BatchNorm;
use crate::nn::{Interrupt, Params, join};
use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

const EPS: f64 = 1e-5;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct R2Plus1dConfig {
    /// Planes of the four layers (any number of them).
    pub widths: Vec<usize>,
    /// Basic blocks of each layer.
    pub blocks: Vec<usize>,
    /// Planes between the stem's two convolutions.
    pub stem_mid: usize,
    /// Channels of the clip: 1 or 3.
    pub channels: usize,
}

impl R2Plus1dConfig {
    /// torchvision's `r2plus1d_18`.
    pub fn r2plus1d_18() -> Self {
        Self {
            widths: vec![64, 128, 256, 512],
            blocks: vec![2; 4],
            stem_mid: 45,
            channels: 3,
        }
    }

    /// # Errors
    /// A sentence that names the option.
    pub fn check(&self) -> std::result::Result<(), String> {
        let bad = |what: &str| Err(format!("`{what}` of the regressor is out of range"));
        if self.widths.is_empty() || self.widths.len() > 8 || self.widths.len() != self.blocks.len()
        {
            return bad("widths");
        }
        if self.widths.iter().any(|w| !(1..=4096).contains(w)) {
            return bad("widths");
        }
        if self.blocks.iter().any(|b| !(1..=64).contains(b)) {
            return bad("blocks");
        }
        // Each by itself is small; together they are to be no larger than memory.
        let squares = self.widths.iter().zip(&self.blocks).map(|(w, n)| n * w * w);
        if squares.sum::<usize>() > MOST_SQUARES {
            let what = "`widths` and `blocks` of the regressor together ask for more weights than any network has";
            return Err(what.into());
        }
        if !(1..=4096).contains(&self.stem_mid) {
            return bad("stem_mid");
        }
        if self.channels != 1 && self.channels != 3 {
            return bad("channels");
        }
        Ok(())
    }
}

/// Blocks by the squares of their widths: some 50 weights each. The published network has 700,000.
const MOST_SQUARES: usize = 10_000_000;

/// A convolution's weight and bias with the batch norm that follows folded in; where they learn, without a bias, and
/// the norm by itself.
fn with_norm(
    p: &Params,
    conv: &str,
    norm: &str,
    shape: &[usize],
) -> Result<(Tensor, Tensor, Option<BatchNorm>)> {
    let o = shape[0];
    let weight = p.at(conv).get("weight", shape)?;
    let p = p.at(norm);
    if p.learns() {
        let bias = Tensor::zeros(o, weight.dtype(), weight.device())?;
        return Ok((weight, bias, Some(BatchNorm::new(&p, o)?)));
    }
    let get = |name: &str| p.get(name, &[o]);
    let gain = (get("weight")? / (get("running_var")? + EPS)?.sqrt()?)?;
    let bias = (get("bias")? - (get("running_mean")? * &gain)?)?;
    let mut column = vec![1; shape.len()];
    column[0] = o;
    let weight = weight.broadcast_mul(&gain.reshape(column)?)?;
    Ok((weight, bias, None))
}

fn normed(x: Tensor, norm: Option<&BatchNorm>) -> Result<Tensor> {
    match norm {
        Some(norm) => norm.forward(&x),
        None => Ok(x),
    }
}

/// `(1, k, k)` convolution, norm, ReLU, `(3, 1, 1)` convolution, norm.
struct Factored {
    spatial: SpatialConv,
    temporal: TemporalConv,
    /// While they learn.
    norms: [Option<BatchNorm>; 2],
}

/// Shape of a factored convolution.
struct Shape {
    input: usize,
    mid: usize,
    output: usize,
    kernel: usize,
    spatial_stride: usize,
    temporal_stride: usize,
}

impl Factored {
    /// `names`: the two convolutions' and the two norms' keys, in order of use.
    fn new(p: &Params, names: [&str; 4], s: &Shape) -> Result<Self> {
        let [conv1, norm1, conv2, norm2] = names;
        let k = s.kernel;
        let (weight, bias, first) = with_norm(p, conv1, norm1, &[s.mid, s.input, 1, k, k])?;
        let spatial = SpatialConv::from_tensors(weight.squeeze(2)?, bias, k / 2, s.spatial_stride)?;
        let (weight, bias, second) = with_norm(p, conv2, norm2, &[s.output, s.mid, 3, 1, 1])?;
        let weight = weight.reshape((s.output, s.mid, 3))?;
        Ok(Self {
            spatial,
            temporal: TemporalConv::from_tensors(&weight, bias, (1, 1), s.temporal_stride)?,
            norms: [first, second],
        })
    }

    fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let [first, second] = &self.norms;
        let x = self.spatial.forward(x, interrupt)?;
        let x = join::relu(&normed(x, first.as_ref())?)?;
        normed(self.temporal.forward(&x, interrupt)?, second.as_ref())
    }
}

struct BasicBlock {
    conv1: Factored,
    conv2: Factored,
    downsample: Option<(SpatialConv, usize, Option<BatchNorm>)>,
}

impl BasicBlock {
    fn new(p: &Params, input: usize, output: usize, stride: usize) -> Result<Self> {
        let mid = input * output * 27 / (input * 9 + 3 * output);
        let conv = |name: &str, input: usize, stride: usize| {
            let inner = |i: &str| format!("{name}.{i}");
            let names = [inner("0.0"), inner("0.1"), inner("0.3"), inner("1")];
            Factored::new(
                p,
                [&names[0], &names[1], &names[2], &names[3]],
                &Shape {
                    input,
                    mid,
                    output,
                    kernel: 3,
                    spatial_stride: stride,
                    temporal_stride: stride,
                },
            )
        };
        let downsample = if stride != 1 || input != output {
            let shape = [output, input, 1, 1, 1];
            let (weight, bias, norm) = with_norm(p, "downsample.0", "downsample.1", &shape)?;
            let conv = SpatialConv::from_tensors(weight.squeeze(2)?, bias, 0, stride)?;
            Some((conv, stride, norm))
        } else {
            None
        };
        Ok(Self {
            conv1: conv("conv1", input, stride)?,
            conv2: conv("conv2", output, 1)?,
            downsample,
        })
    }

    fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let h = join::relu(&self.conv1.forward(x, interrupt)?)?;
        let h = self.conv2.forward(&h, interrupt)?;
        let residual = match &self.downsample {
            Some((conv, stride, norm)) => {
                let x = conv.forward(&every(x, *stride)?, interrupt)?;
                normed(x, norm.as_ref())?
            }
            None => x.clone(),
        };
        let sum = match h.device().is_cpu() {
            true => join::add(&h, &residual)?,
            false => (h + residual)?,
        };
        join::relu(&sum)
    }
}

/// Frames 0, stride, 2 stride, ...
fn every(x: &Tensor, stride: usize) -> Result<Tensor> {
    if stride == 1 {
        return Ok(x.clone());
    }
    let frames: Vec<u32> = (0..x.dim(2)?).step_by(stride).map(|i| i as u32).collect();
    x.contiguous()?
        .index_select(&Tensor::new(frames, x.device())?, 2)
}

/// The EF regressor. Output in percent.
pub struct R2Plus1d {
    stem: Factored,
    layers: Vec<Vec<BasicBlock>>,
    fc: (Tensor, Tensor),
}

impl R2Plus1d {
    /// Loads tensors by torchvision's names.
    ///
    /// # Errors
    /// When the configuration is not buildable or the device fails; missing tensors are reported
    /// by [`Params::load`].
    pub fn new(config: &R2Plus1dConfig, p: &Params) -> Result<Self> {
        config.check().map_err(candle_core::Error::Msg)?;
        let mut input = config.widths[0];
        let stem = Factored::new(
            p,
            ["stem.0", "stem.1", "stem.3", "stem.4"],
            &Shape {
                input: config.channels,
                mid: config.stem_mid,
                output: input,
                kernel: 7,
                spatial_stride: 2,
                temporal_stride: 1,
            },
        )?;
        let mut layers = Vec::new();
        for (i, (&width, &blocks)) in config.widths.iter().zip(&config.blocks).enumerate() {
            let p = p.at(format!("layer{}", i + 1));
            let mut layer = Vec::new();
            for b in 0..blocks {
                let stride = if i > 0 && b == 0 { 2 } else { 1 };
                layer.push(BasicBlock::new(&p.at(b), input, width, stride)?);
                input = width;
            }
            layers.push(layer);
        }
        let p = p.at("fc");
        Ok(Self {
            stem,
            layers,
            fc: (p.get("weight", &[1, input])?, p.get("bias", &[1])?),
        })
    }

    /// Of every batch norm what its running averages are after the last pass, while it learns: the variable, and its
    /// new value.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn averages(&self) -> Result<Vec<(Tensor, Tensor)>> {
        let of_block = |b: &'_ BasicBlock| -> Vec<BatchNorm> {
            let own = b.downsample.iter().filter_map(|(_, _, norm)| norm.clone());
            let norms = b.conv1.norms.iter().chain(&b.conv2.norms);
            norms.flatten().cloned().chain(own).collect()
        };
        let blocks = self.layers.iter().flatten().flat_map(of_block);
        let stem = self.stem.norms.iter().flatten().cloned();
        let each = stem.chain(blocks).map(|norm| norm.averages());
        Ok(each.collect::<Result<Vec<_>>>()?.concat())
    }

    /// `[b, channels, f, h, w]` to EF in percent `[b]`. `probe` sees `stem`, `layer1`.. and
    /// `avgpool` `[b, c, 1, 1, 1]`.
    ///
    /// # Errors
    /// On mismatched shapes, when the device fails, or when interrupted.
    pub fn forward(
        &self,
        x: &Tensor,
        interrupt: &Interrupt,
        probe: Option<Probe<'_>>,
    ) -> Result<Tensor> {
        let see = |name: &str, x: &Tensor| {
            if let Some(probe) = probe {
                probe(name, x);
            }
        };
        let mut x = join::relu(&self.stem.forward(x, interrupt)?)?;
        see("stem", &x);
        for (i, layer) in self.layers.iter().enumerate() {
            for block in layer {
                x = block.forward(&x, interrupt)?;
            }
            see(&format!("layer{}", i + 1), &x);
        }
        let (b, c) = (x.dim(0)?, x.dim(1)?);
        let pooled = x.flatten_from(2)?.mean(2)?;
        see("avgpool", &pooled.reshape((b, c, 1, 1, 1))?);
        let y = linear(&pooled, &self.fc.0, Some(&self.fc.1))?;
        y.squeeze(1)
    }
}
