//! How a convolution's positions are divided into boxes, each of which a block copies into shared memory
//! with what its taps reach around it.

use super::UNIT;
use super::block::{Block, CHUNK_UNITS, Span};

/// A division of a video.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Boxes {
    /// Frames, rows, columns of a box, and boxes along each.
    pub size: [usize; 3],
    pub count: [usize; 3],
    /// In the whole batch.
    pub number: usize,
    pub shared_bytes: usize,
}

/// Shared memory that every GPU from compute capability 8.0 on gives a block.
const MOST_SHARED: usize = 96 << 10;

/// Columns that are read side by side.
const LEAST_COLUMNS: usize = 8;

/// What copying a place costs, by what multiplying one position with one tap does: 64 bytes at the pace of
/// the second-level cache, 2048 products at that of the tensor cores.
const COPY: usize = 2;

impl Boxes {
    /// Whether there is a division at all.
    pub fn fit(block: Block, span: Span, taps: usize, chunks: usize) -> bool {
        candidates(block.rows)
            .any(|size| shared_bytes(block, size, span, taps, chunks) <= MOST_SHARED)
    }

    /// The cheapest division of a video `[batch, frames, height, width]`.
    pub fn choose(
        block: Block,
        span: Span,
        taps: usize,
        chunks: usize,
        [batch, frames, height, width]: [usize; 4],
    ) -> Option<Self> {
        candidates(block.rows)
            .filter_map(|size| {
                let shared_bytes = shared_bytes(block, size, span, taps, chunks);
                let whole = [frames, height, width];
                let count = [0, 1, 2].map(|i| whole[i].div_ceil(size[i]));
                let number = batch * count.iter().product::<usize>();
                let cost = number * (block.rows * taps + COPY * places(size, span));
                (shared_bytes <= MOST_SHARED).then_some((
                    cost,
                    Self {
                        size,
                        count,
                        number,
                        shared_bytes,
                    },
                ))
            })
            .min_by_key(|(cost, _)| *cost)
            .map(|(_, boxes)| boxes)
    }
}

/// Every box of so many positions whose sides are powers of two.
fn candidates(rows: usize) -> impl Iterator<Item = [usize; 3]> {
    let sides = move || (0..).map(|i| 1 << i).take_while(move |&s| s <= rows);
    sides()
        .filter(|&columns| columns >= LEAST_COLUMNS)
        .flat_map(move |columns| sides().map(move |high| (columns, high)))
        .filter(move |(columns, high)| columns * high <= rows)
        .map(move |(columns, high)| [rows / columns / high, high, columns])
}

/// Positions of a box and around it.
fn places(size: [usize; 3], span: Span) -> usize {
    (0..3).map(|i| size[i] + span.size[i] - 1).product()
}

/// As the kernel divides it: weights under way, one or two chunks of positions, and where they come from.
fn shared_bytes(block: Block, size: [usize; 3], span: Span, taps: usize, chunks: usize) -> usize {
    let places = places(size, span);
    let buffers = if chunks > 1 { 2 } else { 1 };
    block.weight_bytes()
        + buffers * places * CHUNK_UNITS * UNIT
        + (places + taps) * size_of::<i32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Arithmetic;

    #[test]
    fn boxes_cover_the_video_and_fit_into_shared_memory() {
        let square = |k: i32| Span {
            first: [0, -k / 2, -k / 2],
            size: [1, k as usize, k as usize],
        };
        let time = Span {
            first: [-2, 0, 0],
            size: [3, 1, 1],
        };
        for arithmetic in Arithmetic::ALL {
            for outputs in [3, 16, 64, 128, 256] {
                let block = Block::tile(outputs, arithmetic);
                for (span, taps) in [
                    (square(3), 9),
                    (square(7), 49),
                    (square(15), 225),
                    (time, 3),
                ] {
                    // Input convolutions have one chunk of channels.
                    let chunks = if taps > 9 { 1 } else { 4 };
                    for dims in [
                        [1, 16, 112, 112],
                        [2, 64, 14, 14],
                        [1, 16, 7, 7],
                        [3, 1, 1, 1],
                    ] {
                        let boxes = Boxes::choose(block, span, taps, chunks, dims).unwrap();
                        assert_eq!(boxes.size.iter().product::<usize>(), block.rows);
                        for i in 0..3 {
                            assert!(boxes.size[i] * boxes.count[i] >= dims[i + 1]);
                        }
                        assert!(boxes.shared_bytes <= MOST_SHARED);
                    }
                }
            }
        }
    }

    #[test]
    fn a_convolution_over_time_takes_all_frames_of_a_few_pixels() {
        let block = Block::tile(64, Arithmetic::Bf16);
        let span = Span {
            first: [-2, 0, 0],
            size: [3, 1, 1],
        };
        let boxes = Boxes::choose(block, span, 3, 2, [2, 64, 56, 56]).unwrap();
        assert!(boxes.size[0] >= 16, "{boxes:?}");
    }
}
