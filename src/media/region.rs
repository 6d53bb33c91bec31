//! From a picture to the anatomy: the square, its size, its colour.

use crate::checkpoint::sha256;
use crate::clip::{Frame, luminance};
use crate::nn::{ResizeMode, resize};
use candle_core::{Device, Result, Tensor};

/// Side of the anatomy, in pixels.
pub const SIDE: usize = 112;

/// A square of a frame, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Square {
    pub x: usize,
    pub y: usize,
    pub side: usize,
}

impl Square {
    /// The largest centred square.
    pub fn centred(frame: &Frame) -> Self {
        let side = frame.width.min(frame.height).max(1);
        Self {
            x: (frame.width - side.min(frame.width)) / 2,
            y: (frame.height - side.min(frame.height)) / 2,
            side,
        }
    }

    /// The same square, moved and shrunk as needed to lie within the frame.
    pub fn within(self, frame: &Frame) -> Self {
        let side = self.side.clamp(1, frame.width.min(frame.height).max(1));
        Self {
            x: self.x.min(frame.width.saturating_sub(side)),
            y: self.y.min(frame.height.saturating_sub(side)),
            side,
        }
    }
}

/// The conditioning frame: 112 x 112, RGB, 0..1.
#[derive(Clone, Debug, PartialEq)]
pub struct Anatomy {
    /// `[3, 112, 112]`
    rgb: Vec<f32>,
    /// SHA-256 of the picture as 8-bit RGB, row-major.
    pub sha256: String,
}

impl Anatomy {
    /// Takes a square of a frame: area averaging when shrinking, bilinear when enlarging.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn from_frame(frame: &Frame, square: Square) -> Result<Self> {
        let Square { x, y, side } = square.within(frame);
        let mut planes = vec![0f32; 3 * side * side];
        for row in 0..side {
            for column in 0..side {
                let rgb = frame.rgb(x + column, y + row);
                for (c, v) in rgb.into_iter().enumerate() {
                    planes[(c * side + row) * side + column] = f32::from(v) / 255.0;
                }
            }
        }
        let planes = Tensor::from_vec(planes, (1, 3, 1, side, side), &Device::Cpu)?;
        let mode = if side >= SIDE {
            ResizeMode::Area
        } else {
            ResizeMode::Trilinear
        };
        let rgb: Vec<f32> = resize(&planes, mode, 1, SIDE, SIDE)?
            .flatten_all()?
            .to_vec1()?;
        let sha256 = sha256(&bytes(&rgb));
        Ok(Self { rgb, sha256 })
    }

    /// `[1, channels, 112, 112]` in 0..1; gray for one channel.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn tensor(&self, channels: usize) -> Result<Tensor> {
        if channels == 3 {
            return Tensor::from_slice(&self.rgb, (1, 3, SIDE, SIDE), &Device::Cpu);
        }
        let n = SIDE * SIDE;
        let gray: Vec<f32> = (0..n)
            .map(|i| {
                let [r, g, b] = [0, 1, 2].map(|c| self.rgb[c * n + i]);
                // A gray picture keeps its values exactly.
                if r == g && g == b {
                    r
                } else {
                    luminance(r, g, b)
                }
            })
            .collect();
        Tensor::from_vec(gray, (1, 1, SIDE, SIDE), &Device::Cpu)
    }

    /// The picture as 8-bit RGB.
    pub fn to_frame(&self) -> Frame {
        Frame {
            width: SIDE,
            height: SIDE,
            pixels: crate::clip::Pixels::Rgb(bytes(&self.rgb)),
        }
    }
}

fn bytes(rgb: &[f32]) -> Vec<u8> {
    let n = SIDE * SIDE;
    (0..n)
        .flat_map(|i| [0, 1, 2].map(|c| (rgb[c * n + i].clamp(0.0, 1.0) * 255.0).round() as u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Pixels;

    #[test]
    fn a_frame_of_the_networks_size_is_taken_as_it_is() {
        let pixels: Vec<u8> = (0..SIDE * SIDE).map(|i| (i % 251) as u8).collect();
        let frame = Frame {
            width: SIDE,
            height: SIDE,
            pixels: Pixels::Gray(pixels.clone()),
        };
        let anatomy = Anatomy::from_frame(&frame, Square::centred(&frame)).unwrap();
        let gray: Vec<f32> = anatomy
            .tensor(1)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap();
        assert!(
            gray.iter()
                .zip(&pixels)
                .all(|(&g, &p)| g == f32::from(p) / 255.0)
        );
    }

    #[test]
    fn the_square_is_averaged_down_and_kept_inside() {
        // A 2 x 2 checkerboard averages to mid-gray.
        let (w, h) = (300, 224);
        let pixels = (0..w * h)
            .map(|i| if (i % w + i / w) % 2 == 0 { 255 } else { 0 })
            .collect();
        let frame = Frame {
            width: w,
            height: h,
            pixels: Pixels::Gray(pixels),
        };
        let square = Square {
            x: 500,
            y: 500,
            side: 999,
        }
        .within(&frame);
        assert_eq!(
            square,
            Square {
                x: 76,
                y: 0,
                side: 224
            }
        );
        let anatomy = Anatomy::from_frame(&frame, square).unwrap();
        assert!(anatomy.rgb.iter().all(|&v| (v - 0.5).abs() < 1e-6));
    }
}
