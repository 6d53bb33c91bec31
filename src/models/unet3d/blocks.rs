//! The residual block and what stands between levels.

use super::pass::Pass;
use crate::nn::Params;
use crate::nn::attention::{CrossAttention, TemporalAttention};
use crate::nn::context::GlobalContext;
use crate::nn::conv::{PointConv, SpatialConv, TemporalConv, TemporalPeg};
use crate::nn::join;
use crate::nn::linear::linear_of_silu;
use crate::nn::norm::GroupNormSilu;
use crate::nn::scale::Downsample;
use candle_core::{Result, Tensor};

/// GroupNorm, optional scale and shift, SiLU, 3 x 3 convolution, causal convolution over frames.
#[derive(Clone, Debug)]
struct Block {
    norm: GroupNormSilu,
    spatial: SpatialConv,
    temporal: TemporalConv,
}

impl Block {
    fn new(p: &Params, input: usize, output: usize, groups: usize) -> Result<Self> {
        Ok(Self {
            norm: GroupNormSilu::new(&p.at("groupnorm"), input, groups)?,
            spatial: SpatialConv::new(&p.at("project.spatial_conv"), input, output, 3)?,
            temporal: TemporalConv::causal(&p.at("project.temporal_conv"), output)?,
        })
    }

    fn forward(&self, x: &Tensor, scale_shift: Option<&Tensor>, pass: &Pass) -> Result<Tensor> {
        pass.interrupt.check()?;
        let x = self.norm.forward(x, scale_shift)?;
        let x = self.spatial.forward(&x, pass.interrupt)?;
        if pass.ignore_time {
            return Ok(x);
        }
        self.temporal.forward(&x, pass.interrupt)
    }
}

/// What a residual block carries besides its two convolutions.
pub struct Extras {
    /// Heads and head width of the attention to the conditioning tokens, if any.
    pub cross: Option<(usize, usize)>,
    pub context: bool,
}

impl Extras {
    pub const CONTEXT: Self = Self {
        cross: None,
        context: true,
    };

    pub fn cross_only(cross: Option<(usize, usize)>) -> Self {
        Self {
            cross,
            context: false,
        }
    }
}

/// Widths that all blocks of a network share.
#[derive(Clone, Copy)]
pub struct Widths {
    pub time: usize,
    pub tokens: usize,
}

#[derive(Clone, Debug)]
pub struct ResnetBlock {
    time_mlp: (Tensor, Tensor),
    block1: Block,
    block2: Block,
    cross: Option<CrossAttention>,
    context: Option<GlobalContext>,
    residual: Option<PointConv>,
}

impl ResnetBlock {
    pub fn new(
        p: &Params,
        (input, output): (usize, usize),
        widths: Widths,
        groups: usize,
        extras: &Extras,
    ) -> Result<Self> {
        let mlp = p.at("time_mlp.1");
        let cross = extras.cross.map(|(heads, d)| {
            CrossAttention::new(&p.at("cross_attn"), output, widths.tokens, heads, d)
        });
        let context = extras
            .context
            .then(|| GlobalContext::new(&p.at("gca"), output));
        let residual = (input != output).then(|| PointConv::new(&p.at("res_conv"), input, output));
        Ok(Self {
            time_mlp: (
                mlp.get("weight", &[2 * output, widths.time])?,
                mlp.get("bias", &[2 * output])?,
            ),
            block1: Block::new(&p.at("block1"), input, output, groups)?,
            block2: Block::new(&p.at("block2"), output, output, groups)?,
            cross: cross.transpose()?,
            context: context.transpose()?,
            residual: residual.transpose()?,
        })
    }

    /// x `[b, in, f, h, w]`, t `[m b, time]`, tokens `[m b, n, dim]`; result `[m b, out, f, h, w]`.
    /// What does not depend on t is computed once for all m.
    pub fn forward(&self, x: &Tensor, t: &Tensor, tokens: &Tensor, pass: &Pass) -> Result<Tensor> {
        let scale_shift = linear_of_silu(t, &self.time_mlp.0, Some(&self.time_mlp.1))?;
        let copies = t.dim(0)? / x.dim(0)?;
        let mut h = join::repeat(&self.block1.forward(x, None, pass)?, copies)?;
        if let Some(cross) = &self.cross {
            h = cross.forward(&h, tokens, pass.interrupt)?;
        }
        let h = self.block2.forward(&h, Some(&scale_shift), pass)?;
        let residual = match &self.residual {
            Some(conv) => conv.forward(x)?,
            None => x.clone(),
        };
        let residual = join::repeat(&residual, copies)?;
        match &self.context {
            Some(context) => context.gate(&h, &residual),
            None => join::add(&h, &residual),
        }
    }
}

/// Temporal PEG, then temporal attention.
#[derive(Clone, Debug)]
pub struct OverTime {
    peg: TemporalPeg,
    attention: TemporalAttention,
}

impl OverTime {
    pub fn new(peg: &Params, attention: &Params, c: usize, heads: usize, d: usize) -> Result<Self> {
        Ok(Self {
            peg: TemporalPeg::new(peg, c)?,
            attention: TemporalAttention::new(attention, c, heads, d)?,
        })
    }

    pub fn peg(&self, x: &Tensor) -> Result<Tensor> {
        self.peg.forward(x)
    }

    pub fn attention(&self, x: &Tensor, pass: &Pass) -> Result<Tensor> {
        self.attention.forward(x, pass.interrupt)
    }

    pub fn forward(&self, x: &Tensor, pass: &Pass) -> Result<Tensor> {
        if pass.ignore_time {
            return Ok(x.clone());
        }
        self.attention(&self.peg(x)?, pass)
    }
}

/// Between levels, downwards.
#[derive(Clone, Debug)]
pub enum Down {
    Shuffle(Downsample),
    /// The last level of a plain network: a 3 x 3 and a 1 x 1 convolution, summed.
    Parallel(SpatialConv, PointConv),
}

impl Down {
    /// Loads `1.weight` and `1.bias`.
    pub fn shuffle(p: &Params, input: usize, output: usize) -> Result<Self> {
        Ok(Self::Shuffle(Downsample::new(&p.at(1), input, output)?))
    }

    /// Loads `fns.0` and `fns.1`.
    pub fn parallel(p: &Params, input: usize, output: usize) -> Result<Self> {
        let p = p.at("fns");
        Ok(Self::Parallel(
            SpatialConv::new_5d(&p.at(0), input, output, 3)?,
            PointConv::new(&p.at(1), input, output)?,
        ))
    }

    pub fn forward(&self, x: &Tensor, pass: &Pass) -> Result<Tensor> {
        match self {
            Self::Shuffle(down) => down.forward(x),
            Self::Parallel(conv, point) => {
                join::add(&conv.forward(x, pass.interrupt)?, &point.forward(x)?)
            }
        }
    }
}
