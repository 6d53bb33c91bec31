//! Inception-v3 (Szegedy et al., *Rethinking the inception architecture for computer vision*, 2016), as the network of
//! December 2015 that FID is defined by: its means leave the padding out, and its last block takes maxima for means.

use super::unit::{Unit, padded};
use crate::nn::{Interrupt, Params};
use candle_core::{Result, Tensor};

/// Rows and columns that the network was trained on.
pub const SIDE: usize = 299;

/// Numbers of a picture's feature.
pub const NUMBERS: usize = 2048;

/// Name, channels, kernel's rows and columns.
type Conv = (&'static str, usize, [usize; 2]);

/// A convolution that keeps the size, or halves it.
struct Layer {
    unit: Unit,
    pad: [usize; 2],
}

impl Layer {
    fn keeping(p: &Params, input: usize, (name, output, [h, w]): Conv) -> Result<Self> {
        Ok(Self {
            unit: Unit::new(&p.at(name), "conv", &[output, input, h, w], 1)?,
            pad: [h / 2, w / 2],
        })
    }

    /// Without padding.
    fn valid(p: &Params, input: usize, conv: Conv, stride: usize) -> Result<Self> {
        let (name, output, [h, w]) = conv;
        Ok(Self {
            unit: Unit::new(&p.at(name), "conv", &[output, input, h, w], stride)?,
            pad: [0, 0],
        })
    }

    fn forward(&self, x: &Tensor, go: &Interrupt) -> Result<Tensor> {
        let [h, w] = self.pad;
        self.unit.forward(x, (h, h), (w, w), go)
    }
}

/// Convolutions one after the other; the last may be two beside each other.
struct Branch {
    layers: Vec<Layer>,
    beside: Vec<Layer>,
}

/// What a block does with its input beside the convolutions.
enum Pool {
    Mean(Layer),
    Maximum(Layer),
    Halving,
}

struct Block {
    branches: Vec<Branch>,
    pool: Pool,
}

/// The shape of a block: its branches, and the channels behind the pooling; none where it halves.
struct Shape<'a> {
    branches: &'a [&'a [Conv]],
    /// Pairs at the ends of the branches that have one.
    beside: &'a [&'a [Conv]],
    pooled: Option<(usize, bool)>,
}

impl Block {
    /// The block and the channels of its output.
    fn new(p: &Params, input: usize, shape: &Shape) -> Result<(Self, usize)> {
        let mut channels = 0;
        let mut branches = Vec::new();
        let halves = shape.pooled.is_none();
        for (k, convs) in shape.branches.iter().enumerate() {
            let (mut layers, mut c) = (Vec::new(), input);
            for (i, conv) in convs.iter().enumerate() {
                layers.push(match halves && i + 1 == convs.len() {
                    true => Layer::valid(p, c, *conv, 2)?,
                    false => Layer::keeping(p, c, *conv)?,
                });
                c = conv.1;
            }
            let pair = shape.beside.get(k).copied().unwrap_or_default();
            let beside: Vec<Layer> = (pair.iter())
                .map(|conv| Layer::keeping(p, c, *conv))
                .collect::<Result<_>>()?;
            channels += match pair {
                [] => c,
                pair => pair.iter().map(|conv| conv.1).sum(),
            };
            branches.push(Branch { layers, beside });
        }
        let pool = match shape.pooled {
            None => Pool::Halving,
            Some((output, maximum)) => {
                let layer = Layer::keeping(p, input, ("branch_pool", output, [1, 1]))?;
                if maximum {
                    Pool::Maximum(layer)
                } else {
                    Pool::Mean(layer)
                }
            }
        };
        channels += shape.pooled.map_or(input, |(output, _)| output);
        Ok((Self { branches, pool }, channels))
    }

    fn forward(&self, x: &Tensor, go: &Interrupt) -> Result<Tensor> {
        let mut parts = Vec::new();
        for branch in &self.branches {
            let mut h = x.clone();
            for layer in &branch.layers {
                h = layer.forward(&h, go)?;
            }
            if branch.beside.is_empty() {
                parts.push(h);
                continue;
            }
            for layer in &branch.beside {
                parts.push(layer.forward(&h, go)?);
            }
        }
        parts.push(match &self.pool {
            Pool::Mean(layer) => layer.forward(&mean_inside(x)?, go)?,
            // Nothing is below zero behind a ReLU: zeros around change no maximum.
            Pool::Maximum(layer) => {
                let x = padded(x, (1, 1), (1, 1))?;
                layer.forward(&x.max_pool2d_with_stride(3, 1)?, go)?
            }
            Pool::Halving => x.max_pool2d_with_stride(3, 2)?,
        });
        Tensor::cat(&parts, 1)
    }
}

/// Means of 3 x 3, at the border of what is inside.
fn mean_inside(x: &Tensor) -> Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    let mean = |x: &Tensor| padded(x, (1, 1), (1, 1))?.avg_pool2d_with_stride(3, 1);
    let inside = Tensor::ones((1, 1, h, w), x.dtype(), x.device())?;
    mean(x)?.broadcast_div(&mean(&inside)?)
}

/// To the mean of its last maps, [`NUMBERS`] numbers a picture.
pub struct InceptionV3 {
    stem: Vec<Layer>,
    blocks: Vec<Block>,
}

impl InceptionV3 {
    /// Loads torchvision's names, `Conv2d_1a_3x3.conv.weight` and so on; what classifies is not asked for.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params) -> Result<Self> {
        let valid = |input, conv: Conv, stride| Layer::valid(p, input, conv, stride);
        let stem = vec![
            valid(3, ("Conv2d_1a_3x3", 32, [3, 3]), 2)?,
            valid(32, ("Conv2d_2a_3x3", 32, [3, 3]), 1)?,
            Layer::keeping(p, 32, ("Conv2d_2b_3x3", 64, [3, 3]))?,
            valid(64, ("Conv2d_3b_1x1", 80, [1, 1]), 1)?,
            valid(80, ("Conv2d_4a_3x3", 192, [3, 3]), 1)?,
        ];
        let mut blocks = Vec::new();
        let mut input = 192;
        let mut add = |name: &str, shape: &Shape| -> Result<()> {
            let (block, channels) = Block::new(&p.at(format!("Mixed_{name}")), input, shape)?;
            input = channels;
            blocks.push(block);
            Ok(())
        };
        for (name, pooled) in [("5b", 32), ("5c", 64), ("5d", 64)] {
            add(
                name,
                &Shape {
                    branches: &[
                        &[("branch1x1", 64, [1, 1])],
                        &[("branch5x5_1", 48, [1, 1]), ("branch5x5_2", 64, [5, 5])],
                        &[
                            ("branch3x3dbl_1", 64, [1, 1]),
                            ("branch3x3dbl_2", 96, [3, 3]),
                            ("branch3x3dbl_3", 96, [3, 3]),
                        ],
                    ],
                    beside: &[],
                    pooled: Some((pooled, false)),
                },
            )?;
        }
        add(
            "6a",
            &Shape {
                branches: &[
                    &[("branch3x3", 384, [3, 3])],
                    &[
                        ("branch3x3dbl_1", 64, [1, 1]),
                        ("branch3x3dbl_2", 96, [3, 3]),
                        ("branch3x3dbl_3", 96, [3, 3]),
                    ],
                ],
                beside: &[],
                pooled: None,
            },
        )?;
        for (name, c) in [("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)] {
            add(
                name,
                &Shape {
                    branches: &[
                        &[("branch1x1", 192, [1, 1])],
                        &[
                            ("branch7x7_1", c, [1, 1]),
                            ("branch7x7_2", c, [1, 7]),
                            ("branch7x7_3", 192, [7, 1]),
                        ],
                        &[
                            ("branch7x7dbl_1", c, [1, 1]),
                            ("branch7x7dbl_2", c, [7, 1]),
                            ("branch7x7dbl_3", c, [1, 7]),
                            ("branch7x7dbl_4", c, [7, 1]),
                            ("branch7x7dbl_5", 192, [1, 7]),
                        ],
                    ],
                    beside: &[],
                    pooled: Some((192, false)),
                },
            )?;
        }
        add(
            "7a",
            &Shape {
                branches: &[
                    &[("branch3x3_1", 192, [1, 1]), ("branch3x3_2", 320, [3, 3])],
                    &[
                        ("branch7x7x3_1", 192, [1, 1]),
                        ("branch7x7x3_2", 192, [1, 7]),
                        ("branch7x7x3_3", 192, [7, 1]),
                        ("branch7x7x3_4", 192, [3, 3]),
                    ],
                ],
                beside: &[],
                pooled: None,
            },
        )?;
        for (name, maximum) in [("7b", false), ("7c", true)] {
            add(
                name,
                &Shape {
                    branches: &[
                        &[("branch1x1", 320, [1, 1])],
                        &[("branch3x3_1", 384, [1, 1])],
                        &[
                            ("branch3x3dbl_1", 448, [1, 1]),
                            ("branch3x3dbl_2", 384, [3, 3]),
                        ],
                    ],
                    beside: &[
                        &[],
                        &[("branch3x3_2a", 384, [1, 3]), ("branch3x3_2b", 384, [3, 1])],
                        &[
                            ("branch3x3dbl_3a", 384, [1, 3]),
                            ("branch3x3dbl_3b", 384, [3, 1]),
                        ],
                    ],
                    pooled: Some((192, maximum)),
                },
            )?;
        }
        Ok(Self { stem, blocks })
    }

    /// `[n, 3, h, w]` in -1..1, of 75 x 75 at least, to `[n, 2048]`.
    ///
    /// # Errors
    /// On mismatched shapes, or when interrupted.
    pub fn forward(&self, x: &Tensor, go: &Interrupt) -> Result<Tensor> {
        let mut h = x.clone();
        for (i, layer) in self.stem.iter().enumerate() {
            h = layer.forward(&h, go)?;
            // Behind the third and the last.
            if i == 2 || i == 4 {
                h = h.max_pool2d_with_stride(3, 2)?;
            }
        }
        for block in &self.blocks {
            h = block.forward(&h, go)?;
        }
        h.mean((2, 3))
    }
}
