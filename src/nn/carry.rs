//! A frame carried along a motion where the motion is, on a GPU: what is shown is carried on the CPU
//! ([`crate::carry`]), and a test holds the two against each other.

#[cfg(feature = "cuda")]
use super::cuda;
use super::on_gpu;
use candle_core::{DType, Error, Result, Tensor};

/// Cells of a motion along an edge.
const CELLS: usize = 28;
/// A spline has four coefficients about every place.
const LEAST_MARGIN: usize = 3;

/// `coefficients` `[planes, side + 2 margin, side + 2 margin]` of the cubic B-spline through the frame and
/// what continues it; `share` `[side, side]`, how much of what is carried a pixel shows, 0 to 1; `frame`
/// `[planes, side, side]`, 0 to 1; `motion` `[frames, 28, 28, 2]`, x and y from a pixel of a target frame
/// to its place in `frame`, in pixels of a 112 x 112 frame. All are `f32` and on the same GPU. Returns
/// `[planes, frames, side, side]`, 0 to 1.
///
/// # Errors
/// On mismatched shapes or kinds, on the CPU, or when the device fails.
pub fn carry(
    coefficients: &Tensor,
    share: &Tensor,
    frame: &Tensor,
    motion: &Tensor,
) -> Result<Tensor> {
    let ((planes, side, _), frames) = (frame.dims3()?, motion.dim(0)?);
    let (_, wide, _) = coefficients.dims3()?;
    let fits = frame.dims() == [planes, side, side]
        && coefficients.dims() == [planes, wide, wide]
        && share.dims() == [side, side]
        && motion.dims() == [frames, CELLS, CELLS, 2]
        && wide >= side + 2 * LEAST_MARGIN
        && (wide - side).is_multiple_of(2)
        && planes * side * frames > 0;
    let tensors = [coefficients, share, frame, motion];
    let alike = |t: &&Tensor| t.dtype() == DType::F32 && t.device().same_device(motion.device());
    if !fits || !tensors.iter().all(alike) {
        let shapes: Vec<_> = tensors.iter().map(|t| t.dims()).collect();
        return Err(Error::Msg(format!("these cannot be carried: {shapes:?}")));
    }
    on_gpu!(motion, cuda::carry(coefficients, share, frame, motion));
    Err(Error::Msg("frames on the CPU are not tensors yet".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn what_does_not_fit_is_an_error() {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let why = |wide: usize, motion: &[usize]| {
            let (share, frame) = (zeros(&[8, 8]), zeros(&[1, 8, 8]));
            let made = carry(&zeros(&[1, wide, wide]), &share, &frame, &zeros(motion));
            made.unwrap_err().to_string()
        };
        // On the CPU there is no kernel, whatever fits.
        assert!(why(14, &[2, 28, 28, 2]).contains("CPU"));
        for (wide, motion) in [
            (12, [2, 28, 28, 2]),
            (15, [2, 28, 28, 2]),
            (14, [2, 27, 28, 2]),
            (14, [0, 28, 28, 2]),
        ] {
            assert!(why(wide, &motion).contains("cannot be carried"), "{wide}");
        }
    }
}
