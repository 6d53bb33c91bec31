//! Pictures in time: what every other room speaks.

pub mod resample;

use candle_core::{Device, Tensor};

/// One decoded picture, 8 bits a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub width: usize,
    pub height: usize,
    pub pixels: Pixels,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// One byte a pixel, row-major.
    Gray(Vec<u8>),
    /// Three bytes a pixel, row-major.
    Rgb(Vec<u8>),
}

impl Frame {
    /// Red, green and blue at a pixel inside the frame; black outside.
    pub fn rgb(&self, x: usize, y: usize) -> [u8; 3] {
        if x >= self.width || y >= self.height {
            return [0; 3];
        }
        let i = y * self.width + x;
        match &self.pixels {
            Pixels::Gray(p) => [p.get(i).copied().unwrap_or(0); 3],
            Pixels::Rgb(p) => match p.get(3 * i..3 * i + 3) {
                Some(&[r, g, b]) => [r, g, b],
                _ => [0; 3],
            },
        }
    }
}

impl Frame {
    /// Memory of its pixels.
    pub fn bytes(&self) -> usize {
        match &self.pixels {
            Pixels::Gray(p) | Pixels::Rgb(p) => p.len(),
        }
    }

    /// The same picture for the `image` crate.
    pub fn to_image(&self) -> image::DynamicImage {
        let (width, height) = (self.width as u32, self.height as u32);
        let made = match &self.pixels {
            Pixels::Gray(p) => image::GrayImage::from_raw(width, height, p.clone()).map(Into::into),
            Pixels::Rgb(p) => image::RgbImage::from_raw(width, height, p.clone()).map(Into::into),
        };
        made.unwrap_or_default()
    }
}

/// Frames a second, positive and finite; what the file said is kept exactly, rate or duration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameRate {
    fps: f64,
    frame_ms: f64,
}

impl FrameRate {
    /// `None` for a rate that no cine has.
    pub fn new(fps: f64) -> Option<Self> {
        Self {
            fps,
            frame_ms: 1000.0 / fps,
        }
        .checked()
    }

    pub fn from_frame_ms(frame_ms: f64) -> Option<Self> {
        Self {
            fps: 1000.0 / frame_ms,
            frame_ms,
        }
        .checked()
    }

    fn checked(self) -> Option<Self> {
        (0.1..=1000.0).contains(&self.fps).then_some(self)
    }

    pub fn fps(self) -> f64 {
        self.fps
    }

    pub fn frame_ms(self) -> f64 {
        self.frame_ms
    }
}

/// Frames from a file, with their rate where the file says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    pub frames: Vec<Frame>,
    pub rate: Option<FrameRate>,
    /// One heart beat from end-diastole, whatever its duration.
    pub beat_normalised: bool,
}

impl Clip {
    pub fn still(frame: Frame) -> Self {
        Self {
            frames: vec![frame],
            rate: None,
            beat_normalised: false,
        }
    }

    pub fn is_still(&self) -> bool {
        self.frames.len() <= 1
    }
}

/// A clip as the networks make and see it: `[channel, frame, height, width]` in 0..1.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    pub channels: usize,
    pub frames: usize,
    pub height: usize,
    pub width: usize,
    pub data: Vec<f32>,
}

impl Video {
    /// From a tensor `[c, f, h, w]` on any device.
    ///
    /// # Errors
    /// When the tensor has another rank or its device fails.
    pub fn from_tensor(t: &Tensor) -> candle_core::Result<Self> {
        let (channels, frames, height, width) = t.dims4()?;
        let data = t.flatten_all()?.to_device(&Device::Cpu)?.to_vec1()?;
        Ok(Self {
            channels,
            frames,
            height,
            width,
            data,
        })
    }

    /// `[1, c, f, h, w]` on the CPU.
    ///
    /// # Errors
    /// When the sizes do not fit the data.
    pub fn to_tensor(&self) -> candle_core::Result<Tensor> {
        let shape = (1, self.channels, self.frames, self.height, self.width);
        Tensor::from_slice(&self.data, shape, &Device::Cpu)
    }

    /// Frame `f` as 8-bit gray.
    pub fn gray_frame(&self, f: usize) -> Frame {
        let n = self.height * self.width;
        let plane = |c: usize| &self.data[(c * self.frames + f) * n..][..n];
        let quantise = |v: f32| (v.clamp(0.0, 1.0) * 255.0).round() as u8;
        let pixels = if self.channels == 1 {
            plane(0).iter().map(|&v| quantise(v)).collect()
        } else {
            let (r, g, b) = (plane(0), plane(1), plane(2));
            (0..n)
                .map(|i| quantise(luminance(r[i], g[i], b[i])))
                .collect()
        };
        Frame {
            width: self.width,
            height: self.height,
            pixels: Pixels::Gray(pixels),
        }
    }

    /// All frames as 8-bit gray, one after the other.
    pub fn gray_bytes(&self) -> Vec<u8> {
        let frames = (0..self.frames).map(|f| self.gray_frame(f).pixels);
        let bytes = frames.map(|(Pixels::Gray(bytes) | Pixels::Rgb(bytes))| bytes);
        bytes.collect::<Vec<_>>().concat()
    }

    /// All frames as 8-bit gray.
    pub fn to_clip(&self, rate: Option<FrameRate>, beat_normalised: bool) -> Clip {
        Clip {
            frames: (0..self.frames).map(|f| self.gray_frame(f)).collect(),
            rate,
            beat_normalised,
        }
    }
}

/// Gray of a colour: `.299 R + .587 G + .114 B`.
pub fn luminance(r: f32, g: f32, b: f32) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}
