//! How a convolution's kernel divides its work among blocks, warps and threads.

use super::UNIT;
use crate::nn::Arithmetic;

/// Units of a row that are multiplied between two waits.
pub const CHUNK_UNITS: usize = 4;

/// The least of the taps' frames, rows and columns, and how many of them there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub first: [i32; 3],
    pub size: [usize; 3],
}

impl Span {
    pub fn of(taps: &[[i8; 3]]) -> Self {
        let along = |i: usize| taps.iter().map(move |t| i32::from(t[i]));
        let first = [0, 1, 2].map(|i| along(i).min().unwrap_or(0));
        let last = [0, 1, 2].map(|i| along(i).max().unwrap_or(0));
        Self {
            first,
            size: [0, 1, 2].map(|i| (last[i] - first[i] + 1) as usize),
        }
    }
}

/// How a block of a kernel divides its work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// Positions and channels.
    pub rows: usize,
    pub channels: usize,
    /// Tiles of eight channels that a warp computes.
    tiles: usize,
    pub threads: usize,
    pub stages: usize,
}

impl Block {
    /// Of the kernel that gathers.
    pub fn gather(outputs: usize) -> Self {
        let (tiles, threads, stages) = match block_channels(outputs) {
            16 => (2, 128, 4),
            64 => (4, 128, 4),
            _ => (4, 256, 3),
        };
        Self {
            rows: 128,
            channels: block_channels(outputs),
            tiles,
            threads,
            stages,
        }
    }

    /// Of the kernel that copies boxes.
    pub fn tile(outputs: usize, arithmetic: Arithmetic) -> Self {
        let channels = block_channels(outputs);
        let (rows, tiles, threads) = match (arithmetic, channels) {
            (Arithmetic::F32, 16) => (128, 2, 64),
            (Arithmetic::F32, 64) => (128, 4, 128),
            (Arithmetic::F32, _) => (128, 4, 256),
            (_, 16) => (256, 2, 128),
            (_, 64) => (256, 8, 128),
            (_, _) => (128, 8, 128),
        };
        Self {
            rows,
            channels,
            tiles,
            threads,
            stages: 3,
        }
    }

    /// Where a channel's row of weights is: dealt within a warp's channels, so that what a thread
    /// computes (columns 2t and 2t + 1 of each tile) are neighbours.
    pub fn row_of(self, channel: usize) -> usize {
        let warp = 8 * self.tiles;
        let (base, within) = (channel / warp * warp, channel % warp);
        let run = 2 * self.tiles;
        let (thread, rest) = (within / run, within % run);
        base + rest / 2 * 8 + 2 * thread + rest % 2
    }

    /// Bytes of the weights that are under way.
    pub fn weight_bytes(self) -> usize {
        self.stages * self.channels * CHUNK_UNITS * UNIT
    }
}

fn block_channels(outputs: usize) -> usize {
    match outputs {
        0..=16 => 16,
        o if o % 128 == 0 => 128,
        _ => 64,
    }
}

/// Where a unit of a row is kept (`swizzled` in conv.cuh).
pub fn swizzled(row: usize, unit: usize) -> usize {
    row * CHUNK_UNITS + (unit ^ (row >> 1 & 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threads_channels_are_neighbours() {
        for outputs in [16, 64, 128] {
            let tiles = Arithmetic::ALL.map(|a| Block::tile(outputs, a));
            for block in tiles.into_iter().chain([Block::gather(outputs)]) {
                let warp = 8 * block.tiles;
                let mut rows: Vec<usize> = (0..block.channels).map(|c| block.row_of(c)).collect();
                for (c, row) in rows.iter().enumerate() {
                    // Thread t of a row holds columns 2t and 2t + 1 of each tile.
                    assert_eq!((c % warp) / (2 * block.tiles), row % 8 / 2, "{block:?}");
                }
                rows.sort_unstable();
                assert!(rows.into_iter().eq(0..block.channels));
            }
        }
    }

    #[test]
    fn taps_say_what_they_span() {
        let span = Span::of(&[[-2, 0, 0], [-1, 0, 0], [0, 0, 0]]);
        assert_eq!((span.first, span.size), ([-2, 0, 0], [3, 1, 1]));
    }
}
