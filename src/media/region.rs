//! From a picture to the anatomy: the square, what is masked in it, its size, its colour.

pub use super::scale::Scale;
pub use super::square::{Mask, SIDE, Square};

use super::times::at_even_pace;
use super::view::View;
use crate::clip::{Frame, Pixels, Video, luminance};
use crate::hash::sha256;
use crate::nn::{ResizeMode, resize};
use crate::recording::Recording;
use candle_core::{Device, Result, Tensor};
use std::sync::Arc;

/// What is taken of every frame of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crop {
    pub square: Square,
    /// Left and right change places.
    pub mirrored: bool,
    /// Top and bottom change places.
    pub upside_down: bool,
    /// Burned-in text that the user has confirmed.
    pub masks: Vec<Mask>,
}

impl From<Square> for Crop {
    fn from(square: Square) -> Self {
        Self {
            square,
            mirrored: false,
            upside_down: false,
            masks: Vec::new(),
        }
    }
}

impl Crop {
    /// Three planes `[3, 112, 112]` in 0..1: area averaging when shrinking, bilinear when
    /// enlarging.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn planes(&self, frame: &Frame) -> Result<Vec<f32>> {
        let square = self.square.within(frame.width, frame.height);
        let planes = if square.side >= SIDE {
            self.averaged(frame, square, SIDE)
        } else {
            self.enlarged(frame, square)?
        };
        Ok(self.turned(planes, SIDE))
    }

    /// The square at the source's own resolution, if that is finer than the networks': gray, of at most
    /// [`Fine::MOST`] pixels a side.
    fn fine(&self, frame: &Frame) -> Option<Fine> {
        let square = self.square.within(frame.width, frame.height);
        if 4 * square.side < 5 * SIDE {
            return None;
        }
        let side = square.side.min(Fine::MOST);
        Some(Fine {
            side,
            levels: self.levels(frame, side),
        })
    }

    /// Gray, 8 bits, `[to, to]`, by area averaging; `to` is at most the square's side.
    pub fn levels(&self, frame: &Frame, to: usize) -> Vec<u8> {
        let square = self.square.within(frame.width, frame.height);
        let planes = self.turned(self.averaged(frame, square, to), to);
        let levels = gray(&planes).into_iter().map(|v| (255.0 * v).round() as u8);
        levels.collect()
    }

    /// A pixel, black where it is masked.
    fn pixel(&self, frame: &Frame, x: usize, y: usize) -> [u8; 3] {
        if self.masks.iter().any(|m| m.holds(x, y)) {
            [0; 3]
        } else {
            frame.rgb(x, y)
        }
    }

    /// Adaptive average pooling to `to` x `to`: cell i is the mean of pixels `i * side / to` to
    /// `(i + 1) * side / to`, rounded outwards. Sums are exact; this runs while the square is
    /// dragged.
    fn averaged(&self, frame: &Frame, Square { x, y, side }: Square, to: usize) -> Vec<f32> {
        let ends = |i: usize| i * side / to..((i + 1) * side).div_ceil(to);
        let mut planes = vec![0f32; 3 * to * to];
        for row in 0..to {
            for column in 0..to {
                let (rows, columns) = (ends(row), ends(column));
                let count = (rows.len() * columns.len()) as f32;
                let mut sums = [0u32; 3];
                for at_y in rows {
                    for at_x in columns.clone() {
                        let rgb = self.pixel(frame, x + at_x, y + at_y);
                        for (sum, v) in sums.iter_mut().zip(rgb) {
                            *sum += u32::from(v);
                        }
                    }
                }
                for (c, sum) in sums.into_iter().enumerate() {
                    planes[(c * to + row) * to + column] = sum as f32 / count / 255.0;
                }
            }
        }
        planes
    }

    fn enlarged(&self, frame: &Frame, Square { x, y, side }: Square) -> Result<Vec<f32>> {
        let mut planes = vec![0f32; 3 * side * side];
        for row in 0..side {
            for column in 0..side {
                let rgb = self.pixel(frame, x + column, y + row);
                for (c, v) in rgb.into_iter().enumerate() {
                    planes[(c * side + row) * side + column] = f32::from(v) / 255.0;
                }
            }
        }
        let planes = Tensor::from_vec(planes, (1, 3, 1, side, side), &Device::Cpu)?;
        resize(&planes, ResizeMode::Trilinear, 1, SIDE, SIDE)?
            .flatten_all()?
            .to_vec1()
    }

    fn turned(&self, mut planes: Vec<f32>, side: usize) -> Vec<f32> {
        for plane in planes.chunks_exact_mut(side * side) {
            if self.mirrored {
                plane.chunks_exact_mut(side).for_each(<[f32]>::reverse);
            }
            if self.upside_down {
                // All pixels backwards, then each row backwards again.
                plane.reverse();
                plane.chunks_exact_mut(side).for_each(<[f32]>::reverse);
            }
        }
        planes
    }
}

/// The conditioning frame: 112 x 112, RGB, 0..1 in steps of 1/255.
#[derive(Clone, Debug, PartialEq)]
pub struct Anatomy {
    /// `[3, 112, 112]`
    rgb: Vec<f32>,
    /// SHA-256 of the picture as 8-bit RGB, row-major.
    pub sha256: String,
    /// What it looks like.
    pub view: View,
    /// The same square at the source's own resolution, where that is finer: for pictures that are carried,
    /// never for the networks.
    pub fine: Option<Arc<Fine>>,
}

/// A square of gray levels, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fine {
    pub side: usize,
    pub levels: Vec<u8>,
}

impl Fine {
    /// Pixels a side at most: more than a pane shows.
    pub const MOST: usize = 640;
}

impl Anatomy {
    /// Takes a crop of a frame.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn from_frame(frame: &Frame, crop: &Crop) -> Result<Self> {
        // Eight bits, as in the clips that the networks were trained on: so that a picture file can
        // hold exactly what the networks get, and a run can be repeated from it.
        let rgb: Vec<f32> = crop.planes(frame)?.into_iter().map(eight_bits).collect();
        let sha256 = sha256(&bytes(&rgb));
        let view = View::of(&gray(&rgb));
        let fine = crop.fine(frame).map(Arc::new);
        Ok(Self {
            rgb,
            sha256,
            view,
            fine,
        })
    }

    /// `[1, channels, 112, 112]` in 0..1; gray for one channel.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn tensor(&self, channels: usize) -> Result<Tensor> {
        if channels == 3 {
            return Tensor::from_slice(&self.rgb, (1, 3, SIDE, SIDE), &Device::Cpu);
        }
        Tensor::from_vec(gray(&self.rgb), (1, 1, SIDE, SIDE), &Device::Cpu)
    }

    /// The picture as 8-bit gray, row-major.
    pub fn gray_bytes(&self) -> Vec<u8> {
        let gray = gray(&self.rgb);
        gray.iter().map(|v| (v * 255.0).round() as u8).collect()
    }

    /// The picture as 8-bit RGB.
    pub fn to_frame(&self) -> Frame {
        Frame {
            width: SIDE,
            height: SIDE,
            pixels: Pixels::Rgb(bytes(&self.rgb)),
        }
    }
}

/// Frames of a recording that are measured at most: half a minute at 50 frames a second, 75 MB.
pub const MOST_MEASURED: usize = 1500;

/// Frames that are tried for the first that can be had.
const MOST_TRIED: usize = 64;

/// The first [`MOST_MEASURED`] frames of a recording as gray video `[1, f, 112, 112]`, for the
/// regressor, at the recording's even rate: where frames have times of their own, the longest part
/// without a pause, between its frames as needed. A frame that cannot be decoded repeats the one
/// before; [`Recording::missing`] says which.
///
/// # Errors
/// When memory runs out, or `stop` says so.
pub fn video(recording: &Recording, crop: &Crop, stop: impl Fn() -> bool) -> Result<Video> {
    let n = recording.frames();
    let mut steps = at_even_pace(recording);
    steps.truncate(MOST_MEASURED);
    let frames = steps.len();
    let mut data = Vec::with_capacity(frames * SIDE * SIDE);
    // What stands for frames before the first that can be had.
    let mut last = match (0..n)
        .take(MOST_TRIED)
        .find_map(|i| recording.frame_in_passing(i).ok())
    {
        Some(frame) => gray(&crop.planes(&frame)?),
        None => vec![0.0; SIDE * SIDE],
    };
    // The two frames looked at last.
    let mut kept: [(usize, Vec<f32>); 2] = [(usize::MAX, Vec::new()), (usize::MAX, Vec::new())];
    for (low, way) in steps {
        if stop() {
            candle_core::bail!("stopped");
        }
        let high = if way > 0.0 { low + 1 } else { low };
        for i in [low, high] {
            if kept.iter().all(|(k, _)| *k != i) {
                if let Ok(frame) = recording.frame_in_passing(i.min(n - 1)) {
                    last = gray(&crop.planes(&frame)?);
                }
                kept.swap(0, 1);
                kept[1] = (i, last.clone());
            }
        }
        let of = |i: usize| kept.iter().find(|(k, _)| *k == i).map(|(_, levels)| levels);
        match (of(low), of(high)) {
            (Some(a), Some(b)) if way > 0.0 => {
                data.extend(a.iter().zip(b).map(|(a, b)| a + way * (b - a)));
            }
            (Some(a), _) => data.extend_from_slice(a),
            _ => data.extend_from_slice(&last),
        }
    }
    Ok(Video {
        channels: 1,
        frames,
        height: SIDE,
        width: SIDE,
        data,
    })
}

fn eight_bits(v: f32) -> f32 {
    (v.clamp(0.0, 1.0) * 255.0).round() / 255.0
}

/// Gray of three planes; a gray picture keeps its values exactly.
pub fn gray(rgb: &[f32]) -> Vec<f32> {
    let n = rgb.len() / 3;
    let (red, rest) = rgb.split_at(n);
    let (green, blue) = rest.split_at(n);
    red.iter()
        .zip(green)
        .zip(blue)
        .map(|((&r, &g), &b)| {
            if r == g && g == b {
                r
            } else {
                luminance(r, g, b)
            }
        })
        .collect()
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
    use crate::recording::FrameReader;

    fn ramp() -> Frame {
        Frame {
            width: SIDE,
            height: SIDE,
            pixels: Pixels::Gray((0..SIDE * SIDE).map(|i| (i % 251) as u8).collect()),
        }
    }

    #[test]
    fn a_frame_of_the_networks_size_is_taken_as_it_is() {
        let frame = ramp();
        let crop = Crop::from(Square::centred(SIDE, SIDE));
        let anatomy = Anatomy::from_frame(&frame, &crop).unwrap();
        let gray: Vec<f32> = anatomy
            .tensor(1)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap();
        let Pixels::Gray(pixels) = frame.pixels else {
            panic!("it was made gray");
        };
        assert!(
            gray.iter()
                .zip(&pixels)
                .all(|(&g, &p)| g == f32::from(p) / 255.0)
        );
    }

    #[test]
    fn a_crop_is_turned_and_masked() {
        let frame = ramp();
        let crop = Crop {
            mirrored: true,
            upside_down: true,
            masks: vec![Mask {
                x: 0,
                y: 0,
                width: 3,
                height: 2,
            }],
            ..Square::centred(SIDE, SIDE).into()
        };
        let anatomy = Anatomy::from_frame(&frame, &crop).unwrap().to_frame();
        // The mask is in the frame's corner, which is now the lower right.
        let last = SIDE - 1;
        assert_eq!(anatomy.rgb(last, last), [0; 3]);
        assert_eq!(anatomy.rgb(last - 2, last - 1), [0; 3]);
        assert_eq!(anatomy.rgb(last - 3, last), frame.rgb(3, 0));
        assert_eq!(anatomy.rgb(5, 7), frame.rgb(last - 5, last - 7));
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
        .within(w, h);
        assert_eq!(
            square,
            Square {
                x: 76,
                y: 0,
                side: 224
            }
        );
        let anatomy = Anatomy::from_frame(&frame, &square.into()).unwrap();
        // Of eight bits, the one above.
        assert!(anatomy.rgb.iter().all(|&v| v == 128.0 / 255.0));
    }

    #[test]
    fn a_very_long_clip_is_measured_by_its_beginning() {
        struct Same(Arc<Frame>);
        impl FrameReader for Same {
            fn read(&self, _: usize) -> std::result::Result<Arc<Frame>, String> {
                Ok(self.0.clone())
            }
        }
        let reader = Same(Arc::new(ramp()));
        let recording = Recording::new(MOST_MEASURED + 9, None, Box::new(reader)).unwrap();
        let crop = Crop::from(Square::centred(SIDE, SIDE));
        let taken = video(&recording, &crop, || false).unwrap();
        assert_eq!(taken.frames, MOST_MEASURED);
        assert_eq!(taken.data.len(), MOST_MEASURED * SIDE * SIDE);
        assert!(video(&recording, &crop, || true).is_err());
    }
}
