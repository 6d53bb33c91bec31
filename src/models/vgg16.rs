//! The features of VGG-16 (Simonyan and Zisserman, 2015), configuration D, as far as LPIPS looks at them.

use crate::nn::conv::SpatialConv;
use crate::nn::{Interrupt, Params};
use candle_core::{Result, Tensor};

/// Convolutions in torchvision's numbers of `features`, with their channels; each is followed by a ReLU.
const LAYERS: [(usize, usize); 13] = [
    (0, 64),
    (2, 64),
    (5, 128),
    (7, 128),
    (10, 256),
    (12, 256),
    (14, 256),
    (17, 512),
    (19, 512),
    (21, 512),
    (24, 512),
    (26, 512),
    (28, 512),
];

/// Those of them whose ReLU's output is a feature; after each but the last, pictures are halved by the maximum of 2 x 2.
const FEATURES: [usize; 5] = [2, 7, 14, 21, 28];

/// Channels of the five features.
pub const CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

pub struct Vgg16 {
    convs: Vec<SpatialConv>,
}

impl Vgg16 {
    /// Loads `0.weight` `[64, 3, 3, 3]`, `0.bias` and so on below `p`: torchvision's `features`.
    ///
    /// # Errors
    /// When the device fails; missing tensors are reported by [`Params::load`].
    pub fn new(p: &Params) -> Result<Self> {
        let inputs = [3].into_iter().chain(LAYERS.iter().map(|(_, c)| *c));
        let convs = LAYERS
            .iter()
            .zip(inputs)
            .map(|(&(number, channels), input)| {
                SpatialConv::new(&p.at(number), input, channels, 3)
            });
        Ok(Self {
            convs: convs.collect::<Result<_>>()?,
        })
    }

    /// `[n, 3, h, w]`, scaled as the network wants it, to the outputs of the last ReLU of each of the five sizes,
    /// `[n, c, h', w']`.
    ///
    /// # Errors
    /// On mismatched shapes, of pictures below 16 x 16, or when interrupted.
    pub fn features(&self, x: &Tensor, interrupt: &Interrupt) -> Result<Vec<Tensor>> {
        let mut all = Vec::with_capacity(CHANNELS.len());
        // One picture after the other, as frames.
        let mut h = x.transpose(0, 1)?.unsqueeze(0)?;
        for (conv, (number, _)) in self.convs.iter().zip(LAYERS) {
            h = conv.forward(&h, interrupt)?.relu()?;
            if !FEATURES.contains(&number) {
                continue;
            }
            let pictures = h.squeeze(0)?.transpose(0, 1)?.contiguous()?;
            all.push(pictures.clone());
            if all.len() < FEATURES.len() {
                h = pictures.max_pool2d(2)?.transpose(0, 1)?.unsqueeze(0)?;
            }
        }
        Ok(all)
    }
}
