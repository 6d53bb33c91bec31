//! From a picture's samples to levels of 8 bits.

use super::directories::Page;
use crate::clip::Pixels;
use image::metadata::Orientation;
use tiff::ColorType;
use tiff::decoder::DecodingResult;

/// Samples of a picture that are read: 1 GB while it is.
const MOST_SAMPLES: usize = 128 << 20;

/// Samples of a pixel.
fn channels(colour: ColorType) -> Result<usize, String> {
    Ok(match colour {
        ColorType::Gray(_) | ColorType::Palette(_) => 1,
        ColorType::GrayA(_) => 2,
        ColorType::RGB(_) | ColorType::YCbCr(_) | ColorType::Lab(_) => 3,
        ColorType::RGBA(_) | ColorType::CMYK(_) => 4,
        ColorType::CMYKA(_) => 5,
        ColorType::Multiband { num_samples, .. } => usize::from(num_samples),
        _ => return Err("its colours are not of a kind that is shown here".into()),
    })
}

/// Refuses a picture that is too large, before it is decoded: of one bit, a sample becomes 64 times of what it was.
///
/// # Errors
/// A phrase that says so.
pub fn fits(page: &Page, colour: ColorType) -> Result<(), String> {
    let area = page.width.saturating_mul(page.height);
    match area.saturating_mul(channels(colour)?) <= MOST_SAMPLES {
        true => Ok(()),
        false => Err(format!(
            "its {} x {} pixels have more than {} million samples",
            page.width,
            page.height,
            MOST_SAMPLES >> 20
        )),
    }
}

/// The samples of one picture.
pub struct Samples {
    pub numbers: DecodingResult,
    pub colour: ColorType,
    pub is_planar: bool,
    pub is_inverted: bool,
    pub has_transparency: bool,
    /// Transparency that is already in the levels.
    pub is_composed: bool,
    /// All reds, then all greens, then all blues, of 16 bits.
    pub palette: Option<Vec<u16>>,
    pub orientation: Orientation,
}

impl Samples {
    fn numbers(&self) -> Vec<f64> {
        fn all<T: Copy>(v: &[T], f: impl Fn(T) -> f64) -> Vec<f64> {
            v.iter().map(|&v| f(v)).collect()
        }
        match &self.numbers {
            DecodingResult::U8(v) => all(v, f64::from),
            DecodingResult::U16(v) => all(v, f64::from),
            DecodingResult::U32(v) => all(v, f64::from),
            DecodingResult::U64(v) => all(v, |v| v as f64),
            DecodingResult::F16(v) => all(v, |v| v.to_f64()),
            DecodingResult::F32(v) => all(v, f64::from),
            DecodingResult::F64(v) => all(v, |v| v),
            DecodingResult::I8(v) => all(v, f64::from),
            DecodingResult::I16(v) => all(v, f64::from),
            DecodingResult::I32(v) => all(v, f64::from),
            DecodingResult::I64(v) => all(v, |v| v as f64),
        }
    }

    /// Bits of a sample.
    fn bits(&self) -> u8 {
        self.colour.bit_depth()
    }

    /// For gray of more than 8 bits: as many bits as the brightest needs, so that cameras of 12 bits are
    /// not black; all there is of signed and fractional levels.
    pub fn range(&self) -> Option<[f64; 2]> {
        if self.bits() <= 8 && !matches!(self.numbers, DecodingResult::I8(_)) {
            return None;
        }
        let numbers = self.numbers();
        let finite = numbers.iter().copied().filter(|v| v.is_finite());
        let [low, high] = finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| {
            [low.min(v), high.max(v)]
        });
        let whole = match &self.numbers {
            DecodingResult::U16(_) => [8, 10, 12, 14, 16].as_slice(),
            DecodingResult::U32(_) | DecodingResult::U64(_) => &[8, 10, 12, 14, 16],
            _ => &[],
        };
        let by_bits = whole
            .iter()
            .map(|&bits| f64::from((1u32 << bits) - 1))
            .find(|&top| high <= top);
        match by_bits {
            Some(top) => Some([0.0, top]),
            None if low >= 0.0 && high <= 1.0 => Some([0.0, 1.0]),
            None => Some([low, high]).filter(|[low, high]| low < high),
        }
    }

    /// # Errors
    /// A phrase that says why they cannot be shown.
    pub fn pixels(&self, page: &Page, range: Option<[f64; 2]>) -> Result<Pixels, String> {
        let area = page.width * page.height;
        let channels = channels(self.colour)?;
        let numbers = self.unpacked(page.width, channels);
        if numbers.len() < area * channels {
            return Err("its pixels are fewer than it says".into());
        }
        let place = |k: usize, c: usize| match self.is_planar {
            true => c * area + k,
            false => k * channels + c,
        };
        let number = |k: usize, c: usize| numbers[place(k, c)];
        let bits = self.bits();
        if let Some(palette) = &self.palette {
            let n = palette.len() / 3;
            // Some write entries of 8 bits.
            let shift = if palette.iter().all(|&v| v < 256) {
                0
            } else {
                8
            };
            let colour = |k: usize, c: usize| {
                let index = (number(k, 0) as usize).min(n.saturating_sub(1));
                palette.get(c * n + index).map_or(0, |v| (v >> shift) as u8)
            };
            return Ok(Pixels::Rgb(
                (0..area)
                    .flat_map(|k| [0, 1, 2].map(|c| colour(k, c)))
                    .collect(),
            ));
        }
        let top = (2f64.powi(i32::from(bits)) - 1.0).max(1.0);
        let [low, high] = match range {
            Some(range) if channels <= 2 || !self.is_integer() => range,
            _ => [0.0, top],
        };
        let level = |v: f64| (((v - low) / (high - low)).clamp(0.0, 1.0) * 255.0).round() as u8;
        let rgb = |convert: &dyn Fn([u8; 4]) -> [u8; 3]| {
            let pixels = (0..area).flat_map(|k| {
                let of = |c: usize| {
                    if c < channels {
                        level(number(k, c))
                    } else {
                        255
                    }
                };
                convert([of(0), of(1), of(2), of(3)])
            });
            Pixels::Rgb(pixels.collect())
        };
        let over_black = |v: u8, alpha: u8| ((u16::from(v) * u16::from(alpha) + 127) / 255) as u8;
        let composed = |v: u8, alpha: u8| match self.is_composed {
            true => v,
            false => over_black(v, alpha),
        };
        Ok(match self.colour {
            ColorType::RGB(_) => rgb(&|[r, g, b, _]| [r, g, b]),
            ColorType::RGBA(_) => rgb(&|[r, g, b, a]| [r, g, b].map(|v| composed(v, a))),
            ColorType::YCbCr(_) => {
                rgb(&|[y, cb, cr, _]| crate::media::dicom::from_ybr([y, cb, cr]))
            }
            ColorType::CMYK(_) | ColorType::CMYKA(_) => {
                rgb(&|[c, m, y, k]| [c, m, y].map(|v| over_black(255 - v, 255 - k)))
            }
            ColorType::Lab(_) => return Err("its colours are Lab, which is not shown here".into()),
            // Of several channels the first, unless the second is how much of it is seen.
            _ => {
                let gray = (0..area).map(|k| {
                    let v = level(number(k, 0));
                    let v = if self.is_inverted { 255 - v } else { v };
                    if self.has_transparency && channels == 2 {
                        composed(v, level(number(k, 1)))
                    } else {
                        v
                    }
                });
                Pixels::Gray(gray.collect())
            }
        })
    }

    fn is_integer(&self) -> bool {
        !matches!(
            self.numbers,
            DecodingResult::F16(_) | DecodingResult::F32(_) | DecodingResult::F64(_)
        )
    }

    /// Samples of less than 8 bits one by one: rows begin at whole bytes.
    fn unpacked(&self, width: usize, channels: usize) -> Vec<f64> {
        let bits = usize::from(self.bits());
        let DecodingResult::U8(bytes) = &self.numbers else {
            return self.numbers();
        };
        if bits >= 8 || bits == 0 {
            return self.numbers();
        }
        let samples = width * if self.is_planar { 1 } else { channels };
        let row_bytes = (samples * bits).div_ceil(8).max(1);
        let unpack = |row: &[u8]| -> Vec<f64> {
            let sample = |k: usize| {
                let of = (0..bits).fold(0u32, |v, b| {
                    let at = k * bits + b;
                    let byte = row.get(at / 8).copied().unwrap_or(0);
                    v << 1 | u32::from(byte >> (7 - at % 8) & 1)
                });
                f64::from(of)
            };
            (0..samples).map(sample).collect()
        };
        bytes.chunks_exact(row_bytes).flat_map(unpack).collect()
    }
}
