//! Motion of one heart beat, as a motion cascade gives it, and what is seen of it: the left ventricle's
//! outline, its volume, end-diastole and end-systole.

mod beating;
mod on_gpu;
mod tissue;

pub use beating::Beating;
pub use on_gpu::CarrierOnGpu;
pub use tissue::Tissue;

use crate::puppet::{self, Guess, Landmarks};
use candle_core::{Device, Result, Tensor};

/// What a motion stage made of one anatomy and EF.
#[derive(Clone, Debug, PartialEq)]
pub struct Motion {
    pub frames: usize,
    /// Height and width of each frame.
    pub side: usize,
    /// `[frames, side, side, 2]`: x and y from a pixel of a frame to its place in the anatomy, in pixels of
    /// the 112 x 112 picture.
    pub displacement: Vec<f32>,
    /// `[frames, side, side]`, the left ventricle's cavity: -1 outside, 1 inside.
    pub cavity: Vec<f32>,
}

impl Motion {
    /// From what a stage whose output is motion makes, `[3, frames, side, side]`; `scale` pixels make 1.
    ///
    /// # Errors
    /// When the tensor has another shape, or its device fails.
    pub fn from_tensor(t: &Tensor, scale: f64) -> Result<Self> {
        let (channels, frames, side, width) = t.dims4()?;
        if channels != 3 || side != width {
            candle_core::bail!("motion has 3 channels of squares, not {:?}", t.dims());
        }
        let values: Vec<f32> = t.flatten_all()?.to_device(&Device::Cpu)?.to_vec1()?;
        let n = frames * side * side;
        let (x, rest) = values.split_at(n);
        let (y, cavity) = rest.split_at(n);
        let scale = scale as f32;
        let displacement = x.iter().zip(y).flat_map(|(x, y)| [x * scale, y * scale]);
        Ok(Self {
            frames,
            side,
            displacement: displacement.collect(),
            cavity: cavity.to_vec(),
        })
    }

    /// The beat of the same anatomy whose outline a person has corrected, at an EF of `ef` (a share): the
    /// motion of a heart with just that outline ([`puppet::refit`]). Of this motion it keeps how far the
    /// anatomy itself is contracted, and when systole ends.
    ///
    /// # Errors
    /// A sentence, when this motion shows no cavity, or no motion fits the outline.
    pub fn corrected(&self, outline: &Landmarks, ef: f64) -> std::result::Result<Self, String> {
        let said = self.guess()?;
        let beat = puppet::refit(outline, &said, ef).map_err(|why| why.to_string())?;
        Ok(Self {
            frames: puppet::FRAMES,
            side: puppet::GRID,
            displacement: beat.motion,
            cavity: beat.cavity,
        })
    }

    /// The anatomy's own outline, as this motion shows it.
    ///
    /// # Errors
    /// A sentence, when it shows none.
    pub fn guess(&self) -> std::result::Result<Guess, String> {
        puppet::guess(&self.cavity, &self.displacement).map_err(|why| why.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_become_displacement_and_cavity() {
        let values: Vec<f32> = (0..3 * 2 * 4).map(|i| i as f32).collect();
        let t = Tensor::from_vec(values, (3, 2, 2, 2), &Device::Cpu).unwrap();
        let motion = Motion::from_tensor(&t, 3.0).unwrap();
        assert_eq!((motion.frames, motion.side), (2, 2));
        assert_eq!(motion.displacement[2..4], [3.0, 27.0]);
        assert_eq!(motion.cavity[7], 23.0);
        assert!(Motion::from_tensor(&t.narrow(0, 0, 2).unwrap(), 3.0).is_err());
    }
}
