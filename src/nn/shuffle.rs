//! Space to depth and back, on the CPU; a GPU's convolutions have both inside.

use super::learn::tracked;
use super::{cpu, profile};
use candle_core::{Result, Tensor};

const KIND: &str = "shuffles";

/// `[b, c, f, 2h, 2w]` to `[b, 4c, f, h, w]`; channel `c * 4 + row parity * 2 + column parity`.
///
/// # Errors
/// When height or width is odd.
pub fn space_to_depth(x: &Tensor) -> Result<Tensor> {
    profile::timed(KIND, x.device(), || {
        let (b, c, f, h, w) = x.dims5()?;
        if x.device().is_cpu() && h % 2 == 0 && w % 2 == 0 && !tracked(&[x]) {
            return x.contiguous()?.apply_op1(cpu::join::SpaceToDepth);
        }
        x.reshape(vec![b, c, f, h / 2, 2, w / 2, 2])?
            .permute(vec![0, 1, 4, 6, 2, 3, 5])?
            .reshape((b, 4 * c, f, h / 2, w / 2))
    })
}

/// SiLU, then `[b, 4c, f, h, w]` to `[b, c, f, 2h, 2w]`; channel `c * 4 + r * 2 + s` goes to row
/// offset `r`, column offset `s`.
///
/// # Errors
/// When the channels are not a multiple of four.
pub fn silu_pixel_shuffle(x: &Tensor) -> Result<Tensor> {
    profile::timed(KIND, x.device(), || {
        if x.device().is_cpu() && x.dim(1)? % 4 == 0 && !tracked(&[x]) {
            return x.contiguous()?.apply_op1(cpu::join::SiluShuffle);
        }
        composed(x)
    })
}

fn composed(x: &Tensor) -> Result<Tensor> {
    let (b, c, f, h, w) = x.dims5()?;
    x.silu()?
        .reshape(vec![b, c / 4, 2, 2, f, h, w])?
        .permute(vec![0, 1, 4, 5, 2, 6, 3])?
        .reshape((b, c / 4, f, 2 * h, 2 * w))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::largest_difference;
    use candle_core::Device;

    #[test]
    fn depth_is_ordered_by_row_then_column_and_comes_back() {
        let x = Tensor::arange(0f32, 2.0 * 3.0 * 2.0 * 4.0 * 6.0, &Device::Cpu)
            .unwrap()
            .reshape((2, 3, 2, 4, 6))
            .unwrap();
        let deep = space_to_depth(&x).unwrap();
        let first: Vec<f32> = (0..4)
            .map(|c| {
                let t = deep.get(0).unwrap().get(c).unwrap().flatten_all().unwrap();
                t.get(0).unwrap().to_scalar().unwrap()
            })
            .collect();
        assert_eq!(first, [0.0, 1.0, 6.0, 7.0]);
        let back = silu_pixel_shuffle(&deep).unwrap();
        assert!(largest_difference(&back, &composed(&deep).unwrap()) < 1e-4);
        assert!(largest_difference(&back, &x.silu().unwrap()) < 1e-4);
    }

    #[test]
    fn odd_sizes_are_errors() {
        let x = |shape: (usize, usize, usize, usize, usize)| {
            Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap()
        };
        assert!(space_to_depth(&x((1, 1, 1, 3, 4))).is_err());
        assert!(silu_pixel_shuffle(&x((1, 3, 1, 4, 4))).is_err());
    }
}
