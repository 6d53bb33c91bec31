//! What a pass costs, counted.

use super::UnetConfig;

/// Floating-point operations of one pass over one sample of `frames` pictures of `side` x `side`, a
/// multiplication and an addition counted as two; convolutions and matrix products only.
pub fn pass_flops(u: &UnetConfig, frames: usize, side: usize) -> f64 {
    let counter = Counter {
        unet: u,
        frames: frames as f64,
    };
    let mut size = side as f64;
    let d = u.dim as f64;
    let videos = 1 + usize::from(u.lowres_cond);
    let input = (u.channels * videos + u.cond_images_channels) as f64;
    // Kernels 3, 7 and 15 with dim / 2, / 4 and / 4 outputs.
    let embed = input * (d / 2.0 * 9.0 + d / 4.0 * 49.0 + d / 4.0 * 225.0);
    let mut macs = counter.positions(size) * embed + counter.over_time(d, size);
    if u.memory_efficient {
        macs += counter.block(d, d, size, false);
    }
    let levels: Vec<(f64, f64)> = u
        .levels()
        .into_iter()
        .map(|(a, b)| (a as f64, b as f64))
        .collect();
    let last = levels.len() - 1;
    let mut sizes = Vec::new();
    for (i, &(from, to)) in levels.iter().enumerate() {
        let c = if u.memory_efficient { to } else { from };
        if u.memory_efficient {
            size /= 2.0;
            macs += counter.positions(size) * 4.0 * from * to;
        }
        sizes.push(size);
        macs += counter.block(c, c, size, u.layer_cross_attns[i]);
        macs += u.num_resnet_blocks[i] as f64 * counter.block(c, c, size, false);
        macs += counter.over_time(c, size);
        if !u.memory_efficient {
            if i == last {
                macs += counter.positions(size) * 10.0 * from * to;
            } else {
                size /= 2.0;
                macs += counter.positions(size) * 4.0 * from * to;
            }
        }
    }
    let mid = levels[last].1;
    macs += 2.0 * counter.mid_block(mid, size) + counter.over_time(mid, size);
    if u.attend_at_middle {
        let n = counter.positions(size);
        let inner = (u.attn_heads * u.attn_dim_head) as f64;
        macs +=
            n * mid * (2.0 * inner + 2.0 * u.attn_dim_head as f64) + 2.0 * n * (n + 1.0) * inner;
    }
    for (j, &(from, to)) in levels.iter().enumerate().rev() {
        let size = sizes[j];
        let skip = if u.memory_efficient { to } else { from };
        macs += counter.block(to + skip, to, size, u.layer_cross_attns[j]);
        macs += u.num_resnet_blocks[j] as f64 * counter.block(to + skip, to, size, false);
        macs += counter.over_time(to, size);
        if u.memory_efficient || j > 0 {
            macs += counter.positions(size) * 4.0 * to * from;
        }
    }
    let size = side as f64;
    macs += counter.block(d, d, size, false);
    let extra = if u.lowres_cond {
        u.channels as f64
    } else {
        0.0
    };
    macs += counter.positions(size) * (d + extra) * 9.0 * u.channels as f64;
    2.0 * macs
}

struct Counter<'a> {
    unet: &'a UnetConfig,
    frames: f64,
}

impl Counter<'_> {
    fn positions(&self, size: f64) -> f64 {
        self.frames * size * size
    }

    fn inner(&self) -> f64 {
        (self.unet.attn_heads * self.unet.attn_dim_head) as f64
    }

    /// Two pseudo-3-D convolutions, the shortcut, and attention to about 40 tokens.
    fn block(&self, from: f64, to: f64, size: f64, cross: bool) -> f64 {
        let shortcut = if from == to { 0.0 } else { from * to };
        let cross = if cross {
            self.cross(to, self.inner())
        } else {
            0.0
        };
        self.positions(size)
            * (from * to * 9.0 + to * to * 9.0 + 2.0 * to * to * 3.0 + shortcut + cross)
    }

    fn mid_block(&self, c: f64, size: f64) -> f64 {
        self.block(c, c, size, false) + self.positions(size) * self.cross(c, 512.0)
    }

    /// A position.
    fn cross(&self, c: f64, inner: f64) -> f64 {
        let tokens = self.unet.attn_pool_num_latents as f64 + 9.0;
        2.0 * c * inner + 2.0 * tokens * inner
    }

    /// Temporal attention.
    fn over_time(&self, c: f64, size: f64) -> f64 {
        let inner = self.inner();
        let kv = 2.0 * self.unet.attn_dim_head as f64;
        let products = 2.0 * (self.frames + 1.0) * inner;
        self.positions(size) * (c * (2.0 * inner + kv) + 3.0 * c + products)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::ResizeMode;

    fn published(lowres: bool, efficient: bool, middle: bool, cross: [bool; 3]) -> UnetConfig {
        UnetConfig {
            dim: 64,
            channels: 3,
            cond_images_channels: 3,
            dim_mults: vec![1, 2, 4],
            num_resnet_blocks: vec![2; 3],
            resnet_groups: vec![8; 3],
            layer_cross_attns: cross.to_vec(),
            attend_at_middle: middle,
            memory_efficient: efficient,
            attn_heads: 8,
            attn_dim_head: 64,
            attn_pool_num_latents: 32,
            lowres_cond: lowres,
            resize_mode: ResizeMode::Nearest,
        }
    }

    /// The published networks, as torch counts them (GFLOP).
    #[test]
    fn work_is_counted_within_three_percent() {
        let third = [false, false, true];
        for (frames, side, unet, expected) in [
            (16, 112, published(false, false, false, third), 976.8),
            (16, 56, published(false, false, true, third), 266.2),
            (64, 112, published(true, true, true, third), 2134.1),
            (32, 56, published(true, true, true, third), 220.6),
            (64, 112, published(true, false, false, [false; 3]), 4173.6),
        ] {
            let gflop = pass_flops(&unet, frames, side) / 1e9;
            assert!(
                (gflop / expected - 1.0).abs() < 0.03,
                "{gflop} for {expected}"
            );
        }
    }

    /// Each number within its bounds, and all together larger than any memory.
    #[test]
    fn what_no_memory_holds_is_refused() {
        let published = published(false, false, true, [false, true, true]);
        assert_eq!(published.check(), Ok(()));
        let vast = UnetConfig {
            dim: 1024,
            dim_mults: vec![1, 8, 64],
            num_resnet_blocks: vec![2, 2, 16],
            ..published
        };
        assert!(vast.check().unwrap_err().contains("more weights"));
    }
}
