use crate::nn::ResizeMode;
use serde::{Deserialize, Serialize};

/// Residual blocks by the squares of their channels: some twenty weights each. A published stage has at most ten million.
const MOST_SQUARES: usize = 50_000_000;

/// Everything that decides a U-Net's tensors and arithmetic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnetConfig {
    /// Channels of the first level; the width of the conditioning tokens.
    pub dim: usize,
    /// Channels of the video: 1 or 3.
    pub channels: usize,
    /// Channels of the conditioning image, or of what an encoder made of it; 0 for none.
    pub cond_images_channels: usize,
    /// A level's channels are `dim` times this.
    pub dim_mults: Vec<usize>,
    /// Residual blocks of each level, after its first.
    pub num_resnet_blocks: Vec<usize>,
    /// Groups of the group norms of each level.
    pub resnet_groups: Vec<usize>,
    /// Whether a level's first block attends to the conditioning tokens.
    pub layer_cross_attns: Vec<bool>,
    /// Attention over all positions in the middle.
    pub attend_at_middle: bool,
    /// Downsample before each level instead of after it.
    pub memory_efficient: bool,
    pub attn_heads: usize,
    pub attn_dim_head: usize,
    pub attn_pool_num_latents: usize,
    /// Takes the previous stage's video as well: every stage but the first.
    pub lowres_cond: bool,
    /// How the conditioning image comes to the stage's size.
    pub resize_mode: ResizeMode,
}

impl UnetConfig {
    /// Channels of the pictures that go in: the conditioning image, the noisy video and, after the first
    /// stage, the one before.
    pub fn input_channels(&self) -> usize {
        let videos = 1 + usize::from(self.lowres_cond);
        self.channels * videos + self.cond_images_channels
    }

    /// Width of the time embedding: 4 `dim`, doubled for low-resolution conditioning.
    pub fn time_cond_dim(&self) -> usize {
        self.dim * if self.lowres_cond { 8 } else { 4 }
    }

    /// Channels entering each level and leaving it, top to bottom.
    pub fn levels(&self) -> Vec<(usize, usize)> {
        let mut from = self.dim;
        self.dim_mults
            .iter()
            .map(|m| {
                let pair = (from, self.dim * m);
                from = pair.1;
                pair
            })
            .collect()
    }

    /// Height and width must be divisible by this.
    pub fn size_step(&self) -> usize {
        let levels = self.dim_mults.len();
        1 << (levels - usize::from(!self.memory_efficient))
    }

    /// Why this network cannot be built, if it cannot. Bounds keep a nonsensical file from asking
    /// for more memory than there is.
    ///
    /// # Errors
    /// A sentence that names the option.
    pub fn check(&self) -> Result<(), String> {
        let levels = self.dim_mults.len();
        let within = |name: &str, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(format!(
                    "`{name}` is {value}; it must be from {low} to {high}"
                ))
            }
        };
        within("dim", self.dim, 8, 1024)?;
        within("dim_mults: number of levels", levels, 1, 8)?;
        within("attn_heads", self.attn_heads, 1, 64)?;
        within("attn_dim_head", self.attn_dim_head, 1, 512)?;
        within("attn_pool_num_latents", self.attn_pool_num_latents, 1, 512)?;
        within("cond_images_channels", self.cond_images_channels, 0, 256)?;
        if self.channels != 1 && self.channels != 3 {
            return Err(format!(
                "`channels` is {}; it must be 1 or 3",
                self.channels
            ));
        }
        for (name, length) in [
            ("num_resnet_blocks", self.num_resnet_blocks.len()),
            ("resnet_groups", self.resnet_groups.len()),
            ("layer_cross_attns", self.layer_cross_attns.len()),
        ] {
            if length != levels {
                return Err(format!("`{name}` has {length} values for {levels} levels"));
            }
        }
        for &times in &self.dim_mults {
            within("dim_mults", times, 1, 64)?;
        }
        for &blocks in &self.num_resnet_blocks {
            within("num_resnet_blocks", blocks, 1, 16)?;
        }
        // Each by itself is small; together they are to be no larger than memory.
        let blocks = self.num_resnet_blocks.iter().zip(self.levels());
        let squares = blocks.map(|(n, (_, to))| n * to * to);
        if squares.sum::<usize>() > MOST_SQUARES {
            return Err("`dim`, `dim_mults` and `num_resnet_blocks` together ask for more weights than any network has".into());
        }
        for (i, (from, to)) in self.levels().into_iter().enumerate() {
            let groups = self.resnet_groups[i];
            within("resnet_groups", groups, 1, 1024)?;
            if from % groups != 0 || to % groups != 0 {
                return Err(format!(
                    "`resnet_groups` {groups} does not divide the {from} or {to} channels of level {i}"
                ));
            }
        }
        Ok(())
    }
}
