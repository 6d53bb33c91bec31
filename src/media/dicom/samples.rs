//! From uncompressed samples to 8-bit frames: bit depths, colour spaces, palettes (PS3.3
//! C.7.6.3.1.2, C.7.6.3.1.5, C.11.2.1.2).

use super::colour::{from_full, from_partial};
use super::dataset::DataSet;
use super::palette;
use super::shape::Shape;
use super::window::Windows;
use crate::clip::{Frame, Pixels};

/// How samples become levels.
pub struct Looks {
    palette: Option<[Vec<u8>; 3]>,
    windows: Windows,
}

/// The samples of one frame.
pub struct Samples<'a> {
    /// Little endian, `bits_allocated` each.
    pub bytes: &'a [u8],
    /// The colour space they are in now, which a decoder may have changed.
    pub photometric: &'a str,
    pub planar: bool,
}

impl Looks {
    pub fn read(data: &DataSet, shape: &Shape) -> Self {
        let is_palette = shape.photometric == "PALETTE COLOR";
        Self {
            palette: is_palette.then(|| palette::read(&data.values)).flatten(),
            windows: Windows::read(data),
        }
    }

    /// Whether the levels depend on the first frame.
    pub fn need_settling(&self, shape: &Shape) -> bool {
        self.windows.need_settling() && shape.samples == 1 && !is_plain(shape)
    }

    /// For gray of more than 8 bits without a window: the range of the first frame serves for all,
    /// so that the clip does not flicker.
    pub fn settle(&mut self, first: &[u8], shape: &Shape) {
        let mut range = [f64::INFINITY, f64::NEG_INFINITY];
        for value in values(first, shape) {
            range = [range[0].min(value), range[1].max(value)];
        }
        self.windows.settle(range);
    }

    /// Frame `i`, counted from 0.
    ///
    /// # Errors
    /// A phrase that says what is missing.
    pub fn frame(&self, samples: &Samples<'_>, shape: &Shape, i: usize) -> Result<Frame, String> {
        let needed = match samples.photometric {
            "YBR_FULL_422" | "YBR_PARTIAL_422" | "YBR_PARTIAL_420" => shape.native_bits(),
            _ => shape.area() * shape.samples * shape.bits_allocated,
        };
        if samples.bytes.len() < needed.div_ceil(8) {
            return Err("its pixels are fewer than it says".into());
        }
        let pixels = match (samples.photometric, shape.samples) {
            ("PALETTE COLOR", 1) => self.through_palette(samples.bytes, shape)?,
            ("MONOCHROME1", 1) => Pixels::Gray(
                self.gray(samples.bytes, shape, i)
                    .iter()
                    .map(|v| 255 - v)
                    .collect(),
            ),
            (_, 1) => Pixels::Gray(self.gray(samples.bytes, shape, i)),
            (photometric, _) => {
                let bytes = to_8_bits(samples.bytes, shape);
                match photometric {
                    "YBR_FULL_422" => from_422(&bytes[..2 * shape.area()], from_full),
                    "YBR_PARTIAL_422" => from_422(&bytes[..2 * shape.area()], from_partial),
                    "YBR_FULL" => colour(&bytes, shape, samples.planar, from_full),
                    "YBR_PARTIAL" => colour(&bytes, shape, samples.planar, from_partial),
                    "RGB" => colour(&bytes, shape, samples.planar, |rgb| rgb),
                    other => return Err(format!("the colour space {other} is not supported")),
                }
            }
        };
        Ok(Frame {
            width: shape.columns,
            height: shape.rows,
            pixels,
        })
    }

    fn gray(&self, bytes: &[u8], shape: &Shape, i: usize) -> Vec<u8> {
        let n = shape.area();
        if shape.bits_allocated == 1 {
            // Packed, the lowest bit first.
            return (0..n)
                .map(|i| 255 * (bytes[i / 8] >> (i % 8) & 1))
                .collect();
        }
        // Ultrasound's own levels are shown as they are, unless each frame is given a window.
        if is_plain(shape) && !self.windows.are_of_groups() {
            return bytes[..n].to_vec();
        }
        let window = self.windows.of_frame(i);
        values(bytes, shape).map(|v| window.level(v)).collect()
    }

    fn through_palette(&self, bytes: &[u8], shape: &Shape) -> Result<Pixels, String> {
        let tables = self.palette.as_ref().ok_or("its palette is missing")?;
        let mut pixels = Vec::with_capacity(3 * shape.area());
        for index in raw(bytes, shape) {
            for table in tables {
                // Indices past the table take its last entry.
                let last = table.len().saturating_sub(1);
                let at = (index as usize).min(last);
                pixels.push(table.get(at).copied().unwrap_or(0));
            }
        }
        Ok(Pixels::Rgb(pixels))
    }
}

/// Bytes that are levels already.
fn is_plain(shape: &Shape) -> bool {
    shape.bits_allocated == 8 && shape.bits_stored == 8 && !shape.signed
}

/// Samples of the first plane as unsigned integers.
fn raw<'a>(bytes: &'a [u8], shape: &Shape) -> impl Iterator<Item = u32> + 'a {
    let width = shape.bits_allocated.div_ceil(8);
    bytes.chunks_exact(width).take(shape.area()).map(|chunk| {
        let mut wide = [0; 4];
        wide[..chunk.len()].copy_from_slice(chunk);
        u32::from_le_bytes(wide)
    })
}

/// The same with their sign; bits past those stored are not looked at.
fn values<'a>(bytes: &'a [u8], shape: &Shape) -> impl Iterator<Item = f64> + 'a {
    let unused = 32 - shape.bits_stored.min(32) as u32;
    let signed = shape.signed;
    raw(bytes, shape).map(move |v| {
        let high = v << unused;
        if signed {
            f64::from(high.cast_signed() >> unused)
        } else {
            f64::from(high >> unused)
        }
    })
}

/// Colour samples: their highest 8 stored bits.
fn to_8_bits<'a>(bytes: &'a [u8], shape: &Shape) -> std::borrow::Cow<'a, [u8]> {
    let width = shape.bits_allocated / 8;
    if width <= 1 {
        return bytes.into();
    }
    let shift = shape.bits_stored.saturating_sub(8);
    let levels = bytes.chunks_exact(width).map(|chunk| {
        let mut wide = [0; 4];
        wide[..width].copy_from_slice(chunk);
        (u32::from_le_bytes(wide) >> shift) as u8
    });
    levels.collect::<Vec<u8>>().into()
}

fn colour(
    bytes: &[u8],
    shape: &Shape,
    planar: bool,
    convert: impl Fn([u8; 3]) -> [u8; 3],
) -> Pixels {
    let n = shape.area();
    let pixel = |k: usize| {
        if planar {
            [bytes[k], bytes[n + k], bytes[2 * n + k]]
        } else {
            [bytes[3 * k], bytes[3 * k + 1], bytes[3 * k + 2]]
        }
    };
    Pixels::Rgb((0..n).flat_map(|k| convert(pixel(k))).collect())
}

/// Two luminances share one pair of colour differences: Y0 Y1 Cb Cr.
fn from_422(bytes: &[u8], convert: impl Fn([u8; 3]) -> [u8; 3]) -> Pixels {
    let pairs = bytes.as_chunks::<4>().0.iter();
    let pixels = pairs.flat_map(|&[y0, y1, cb, cr]| {
        let [a, b] = [convert([y0, cb, cr]), convert([y1, cb, cr])];
        [a[0], a[1], a[2], b[0], b[1], b[2]]
    });
    Pixels::Rgb(pixels.collect())
}
