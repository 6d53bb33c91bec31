//! Space to depth and back.

use candle_core::{Result, Tensor};

/// `[b, c, f, 2h, 2w]` to `[b, 4c, f, h, w]`; channel `c * 4 + row parity * 2 + column parity`.
///
/// # Errors
/// When height or width is odd.
pub fn space_to_depth(x: &Tensor) -> Result<Tensor> {
    let (b, c, f, h, w) = x.dims5()?;
    x.reshape(vec![b, c, f, h / 2, 2, w / 2, 2])?
        .permute(vec![0, 1, 4, 6, 2, 3, 5])?
        .reshape((b, 4 * c, f, h / 2, w / 2))
}

/// `[b, 4c, f, h, w]` to `[b, c, f, 2h, 2w]`; channel `c * 4 + r * 2 + s` goes to row offset `r`,
/// column offset `s`.
///
/// # Errors
/// When the channels are not a multiple of four.
pub fn pixel_shuffle(x: &Tensor) -> Result<Tensor> {
    let (b, c, f, h, w) = x.dims5()?;
    x.reshape(vec![b, c / 4, 2, 2, f, h, w])?
        .permute(vec![0, 1, 4, 5, 2, 6, 3])?
        .reshape((b, c / 4, f, 2 * h, 2 * w))
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let back = pixel_shuffle(&deep).unwrap();
        let same = back.eq(&x).unwrap().flatten_all().unwrap().min(0).unwrap();
        assert_eq!(same.to_scalar::<u8>().unwrap(), 1);
    }
}
