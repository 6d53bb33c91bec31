//! A 2-D encoder that reads the anatomy and the EF once, in front of a stage that would otherwise read
//! the same frame anew in each of its frames at each evaluation.
//!
//! A small U-Net of plain convolutions: half the anatomy's size (pixels folded into channels, with the
//! two coordinates beside them), then a quarter, an eighth and a sixteenth, and back to a quarter. The
//! EF scales and shifts three of its layers. What comes before the first of them depends on the anatomy
//! alone, and is kept: a slider that is dragged asks for the same anatomy again and again.

use crate::nn::conv::{PointConv, SpatialConv};
use crate::nn::linear::linear;
use crate::nn::norm::GroupNormSilu;
use crate::nn::{Interrupt, Params, ResizeMode, resize, space_to_depth};
use candle_core::{Device, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// Groups of every group norm.
const GROUPS: usize = 8;
/// Numbers that are made of an EF: itself, its square and root, five sines.
const EF_FEATURES: usize = 8;

/// Everything that decides an encoder's tensors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncoderConfig {
    /// Channels of the first layer; deeper ones have two, three and four times as many.
    pub width: usize,
    /// Width of the EF's embedding.
    pub embedding: usize,
    /// Channels that the stage is told.
    pub features: usize,
    /// Height and width of the anatomy; the features have a quarter of it.
    pub size: usize,
}

impl EncoderConfig {
    /// # Errors
    /// A sentence that names the option.
    pub fn check(&self) -> std::result::Result<(), String> {
        let bad = |what: &str| Err(format!("`{what}` of the encoder is out of range"));
        if !(8..=512).contains(&self.width) || !self.width.is_multiple_of(GROUPS) {
            return bad("width");
        }
        if !(1..=4096).contains(&self.embedding) {
            return bad("embedding");
        }
        if !(1..=256).contains(&self.features) {
            return bad("features");
        }
        if !(16..=1024).contains(&self.size) || !self.size.is_multiple_of(16) {
            return bad("size");
        }
        Ok(())
    }
}

/// 3 x 3 convolution, group norm, SiLU.
struct Block {
    conv: SpatialConv,
    norm: GroupNormSilu,
}

impl Block {
    fn new(p: &Params, input: usize, output: usize, stride: usize) -> Result<Self> {
        Ok(Self {
            conv: SpatialConv::strided(&p.at(0), input, output, 3, stride)?,
            norm: GroupNormSilu::new(&p.at(1), output, GROUPS)?,
        })
    }

    fn forward(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        self.norm.forward(&self.conv.forward(x, interrupt)?, None)
    }
}

struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    fn new(p: &Params, input: usize, output: usize) -> Result<Self> {
        Ok(Self {
            weight: p.get("weight", &[output, input])?,
            bias: p.get("bias", &[output])?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        linear(x, &self.weight, Some(&self.bias))
    }
}

/// What does not depend on the EF.
#[derive(Clone)]
struct Trunk {
    /// At a quarter, an eighth and a sixteenth of the anatomy's size.
    quarter: Tensor,
    eighth: Tensor,
    sixteenth: Tensor,
}

/// The network. Loaded, it runs on the CPU whatever the stage runs on: it is a hundredth of the work. It learns where
/// the stage does.
pub struct AnatomyEncoder {
    config: EncoderConfig,
    ef: [Linear; 2],
    stem: Block,
    down: [[Block; 2]; 3],
    told: [Linear; 3],
    middle: Block,
    attention: Linear,
    up: [[Block; 2]; 2],
    out: PointConv,
    /// Of the last anatomy.
    known: Mutex<Option<(Vec<f32>, Trunk)>>,
}

impl AnatomyEncoder {
    /// Loads the tensors below `p`: `e.*`, `stem`, `d1`, `d1b`, `d2`, `d2b`, `d3`, `d3b`, `f1` to `f3`,
    /// `m`, `att`, `u2`, `u2b`, `u1`, `u1b` and `out`.
    ///
    /// # Errors
    /// When the configuration is not buildable; missing tensors are reported by [`Params::load`].
    pub fn new(config: &EncoderConfig, p: &Params) -> Result<Self> {
        config.check().map_err(candle_core::Error::Msg)?;
        let (w, e) = (config.width, config.embedding);
        let block =
            |name: &str, input, output, stride| Block::new(&p.at(name), input, output, stride);
        let line = |name: &str, input, output| Linear::new(&p.at(name), input, output);
        Ok(Self {
            ef: [line("e.0", EF_FEATURES, e)?, line("e.2", e, e)?],
            stem: block("stem", 6, w, 1)?,
            down: [
                [block("d1", w, 2 * w, 2)?, block("d1b", 2 * w, 2 * w, 1)?],
                [
                    block("d2", 2 * w, 3 * w, 2)?,
                    block("d2b", 3 * w, 3 * w, 1)?,
                ],
                [
                    block("d3", 3 * w, 4 * w, 2)?,
                    block("d3b", 4 * w, 4 * w, 1)?,
                ],
            ],
            told: [
                line("f3", e, 8 * w)?,
                line("f2", e, 6 * w)?,
                line("f1", e, 6 * w)?,
            ],
            middle: block("m", 4 * w, 4 * w, 1)?,
            attention: line("att", 4 * w, 4 * w)?,
            up: [
                [
                    block("u2", 7 * w, 3 * w, 1)?,
                    block("u2b", 3 * w, 3 * w, 1)?,
                ],
                [
                    block("u1", 5 * w, 3 * w, 1)?,
                    block("u1b", 3 * w, 3 * w, 1)?,
                ],
            ],
            out: PointConv::new_2d(&p.at("out"), 3 * w, config.features)?,
            config: config.clone(),
            known: Mutex::default(),
        })
    }

    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// anatomy `[1, 1, size, size]` in 0..1, or one for each EF, EFs as fractions, to
    /// `[b, features, size / 4, size / 4]`, one for each EF.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, anatomy: &Tensor, efs: &[f32], interrupt: &Interrupt) -> Result<Tensor> {
        let trunk = self.trunk(anatomy, interrupt)?;
        let ef = self.embedding(efs)?;
        let told = |h: &Tensor, layer: &Linear| -> Result<Tensor> {
            let (_, c, _, _, _) = h.dims5()?;
            let scale_shift = layer.forward(&ef)?;
            let part = |at| {
                scale_shift
                    .narrow(1, at, c)?
                    .reshape((efs.len(), c, 1, 1, 1))
            };
            h.broadcast_mul(&(part(0)? + 1.0)?)?
                .broadcast_add(&part(c)?)
        };
        let h = told(&trunk.sixteenth, &self.told[0])?;
        let h = self.middle.forward(&h, interrupt)?;
        let (b, c, _, _, _) = h.dims5()?;
        let mean = h.flatten_from(2)?.mean(2)?;
        let all = self.attention.forward(&mean)?.reshape((b, c, 1, 1, 1))?;
        let mut h = h.broadcast_add(&all)?;
        for (i, beside) in [&trunk.eighth, &trunk.quarter].into_iter().enumerate() {
            let (_, c, f, height, width) = beside.dims5()?;
            let up = resize(&h, ResizeMode::Trilinear, f, height, width)?;
            let beside = beside
                .broadcast_as((b, c, f, height, width))?
                .contiguous()?;
            h = self.up[i][0].forward(&Tensor::cat(&[&up, &beside], 1)?, interrupt)?;
            h = self.up[i][1].forward(&told(&h, &self.told[i + 1])?, interrupt)?;
        }
        self.out.forward(&h)?.squeeze(2)
    }

    /// Of the anatomy alone; the last one's is kept.
    fn trunk(&self, anatomy: &Tensor, interrupt: &Interrupt) -> Result<Trunk> {
        let device = self.device();
        let anatomy = anatomy.to_device(device)?;
        let size = self.config.size;
        let b = anatomy.dim(0)?;
        if anatomy.dims() != [b, 1, size, size] {
            candle_core::bail!(
                "the encoder reads [b, 1, {size}, {size}], not {:?}",
                anatomy.dims()
            );
        }
        let values: Vec<f32> = anatomy.flatten_all()?.to_vec1()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, trunk)) = known.as_ref().filter(|(of, _)| *of == values) {
            return Ok(trunk.clone());
        }
        let folded = ((space_to_depth(&anatomy.unsqueeze(2)?)? * 2.0)? - 1.0)?;
        let places = coordinates(size / 2)?.to_device(device)?;
        let places = places.broadcast_as((b, 2, 1, size / 2, size / 2))?;
        let x = Tensor::cat(&[&folded, &places.contiguous()?], 1)?;
        let down = |x: &Tensor, blocks: &[Block; 2]| {
            blocks[1].forward(&blocks[0].forward(x, interrupt)?, interrupt)
        };
        let x = self.stem.forward(&x, interrupt)?;
        let quarter = down(&x, &self.down[0])?;
        let eighth = down(&quarter, &self.down[1])?;
        let sixteenth = down(&eighth, &self.down[2])?;
        let trunk = Trunk {
            quarter,
            eighth,
            sixteenth,
        };
        // What learns is another one after each step.
        if !trunk.quarter.track_op() {
            *known = Some((values, trunk.clone()));
        }
        Ok(trunk)
    }

    fn device(&self) -> &Device {
        self.ef[0].weight.device()
    }

    fn embedding(&self, efs: &[f32]) -> Result<Tensor> {
        // 3.14, as in training: not pi.
        #[allow(clippy::approx_constant)]
        const STEP: f32 = 3.14;
        let features = efs.iter().flat_map(|&ef| {
            let sines = (1..=5).map(move |k| (k as f32 * STEP * ef).sin());
            [ef, ef * ef, ef.sqrt()].into_iter().chain(sines)
        });
        let features: Vec<f32> = features.collect();
        let features = Tensor::from_vec(features, (efs.len(), EF_FEATURES), self.device())?;
        self.ef[1]
            .forward(&self.ef[0].forward(&features)?.silu()?)?
            .silu()
    }
}

/// Where a pixel lies, `[1, 2, 1, n, n]`: x, then y, from -1 to 1.
fn coordinates(n: usize) -> Result<Tensor> {
    let at = |i: usize| 2.0 * i as f32 / (n - 1) as f32 - 1.0;
    let x = (0..n * n).map(|i| at(i % n));
    let y = (0..n * n).map(|i| at(i / n));
    Tensor::from_vec(x.chain(y).collect(), (1, 2, 1, n, n), &Device::Cpu)
}
