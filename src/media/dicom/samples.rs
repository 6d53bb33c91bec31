//! From uncompressed samples to 8-bit frames: bit depths, colour spaces, palettes (PS3.3
//! C.7.6.3.1.2, C.7.6.3.1.5, C.11.2.1.2).

use super::dataset::Values;
use super::shape::Shape;
use crate::clip::{Frame, Pixels};
use dicom_core::value::PrimitiveValue;
use dicom_dictionary_std::tags;

/// How samples become levels.
pub struct Looks {
    palette: Option<[Vec<u8>; 3]>,
    window: Window,
}

/// `v * slope + intercept`, then this range to 0..255.
#[derive(Clone, Copy, Debug)]
struct Window {
    slope: f64,
    intercept: f64,
    /// Lowest and highest; those of the first frame where the file does not say.
    range: Option<[f64; 2]>,
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
    pub fn read(values: &Values, shape: &Shape) -> Self {
        let number = |tag| values.float(tag);
        let first = |tag| values.floats(tag).first().copied();
        let range = match (first(tags::WINDOW_CENTER), first(tags::WINDOW_WIDTH)) {
            // PS3.3 C.11.2.1.2.1, the linear function.
            (Some(centre), Some(width)) if width >= 2.0 => {
                let low = centre - 0.5 - (width - 1.0) / 2.0;
                Some([low, low + width - 1.0])
            }
            _ => None,
        };
        Self {
            palette: (shape.photometric == "PALETTE COLOR")
                .then(|| read_palette(values))
                .flatten(),
            window: Window {
                slope: number(tags::RESCALE_SLOPE)
                    .filter(|s| *s != 0.0)
                    .unwrap_or(1.0),
                intercept: number(tags::RESCALE_INTERCEPT).unwrap_or(0.0),
                range,
            },
        }
    }

    /// Whether the levels depend on the first frame.
    pub fn need_settling(&self, shape: &Shape) -> bool {
        self.window.range.is_none() && shape.samples == 1 && !is_plain(shape)
    }

    /// For gray of more than 8 bits without a window: the range of the first frame serves for all,
    /// so that the clip does not flicker.
    pub fn settle(&mut self, first: &[u8], shape: &Shape) {
        let mut range = [f64::INFINITY, f64::NEG_INFINITY];
        for value in values(first, shape) {
            let value = value * self.window.slope + self.window.intercept;
            range = [range[0].min(value), range[1].max(value)];
        }
        self.window.range = Some(range).filter(|[low, high]| low < high);
    }

    /// # Errors
    /// A phrase that says what is missing.
    pub fn frame(&self, samples: &Samples<'_>, shape: &Shape) -> Result<Frame, String> {
        let needed = match samples.photometric {
            "YBR_FULL_422" | "YBR_PARTIAL_422" => shape.native_bits(),
            _ => shape.area() * shape.samples * shape.bits_allocated,
        };
        if samples.bytes.len() < needed.div_ceil(8) {
            return Err("its pixels are cut off".into());
        }
        let pixels = match (samples.photometric, shape.samples) {
            ("PALETTE COLOR", 1) => self.through_palette(samples.bytes, shape)?,
            ("MONOCHROME1", 1) => Pixels::Gray(
                self.gray(samples.bytes, shape)
                    .iter()
                    .map(|v| 255 - v)
                    .collect(),
            ),
            (_, 1) => Pixels::Gray(self.gray(samples.bytes, shape)),
            (photometric, _) => {
                let bytes = to_8_bits(samples.bytes, shape);
                match photometric {
                    "YBR_FULL_422" => from_422(&bytes[..2 * shape.area()]),
                    "YBR_FULL" => colour(&bytes, shape, samples.planar, ybr_to_rgb),
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

    fn gray(&self, bytes: &[u8], shape: &Shape) -> Vec<u8> {
        let n = shape.area();
        if shape.bits_allocated == 1 {
            // Packed, the lowest bit first.
            return (0..n)
                .map(|i| 255 * (bytes[i / 8] >> (i % 8) & 1))
                .collect();
        }
        // Ultrasound's own levels are shown as they are.
        if is_plain(shape) {
            return bytes[..n].to_vec();
        }
        let Window {
            slope,
            intercept,
            range,
        } = self.window;
        let [low, high] = range.unwrap_or([0.0, 1.0]);
        let levels = values(bytes, shape).map(|v| {
            let v = (v * slope + intercept - low) / (high - low);
            (v.clamp(0.0, 1.0) * 255.0).round() as u8
        });
        levels.collect()
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

/// Full-range YCbCr (PS3.3 C.7.6.3.1.2).
fn ybr_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|v| v.round().clamp(0.0, 255.0) as u8)
}

/// Two luminances share one pair of colour differences: Y0 Y1 Cb Cr.
fn from_422(bytes: &[u8]) -> Pixels {
    let pairs = bytes.as_chunks::<4>().0.iter();
    let pixels = pairs.flat_map(|&[y0, y1, cb, cr]| {
        let [a, b] = [ybr_to_rgb([y0, cb, cr]), ybr_to_rgb([y1, cb, cr])];
        [a[0], a[1], a[2], b[0], b[1], b[2]]
    });
    Pixels::Rgb(pixels.collect())
}

/// Red, green and blue tables as 8 bits, index 0 first.
fn read_palette(values: &Values) -> Option<[Vec<u8>; 3]> {
    let table = |descriptor, data| -> Option<Vec<u8>> {
        let descriptor = values.get(descriptor)?.to_multi_int::<i32>().ok()?;
        let (entries, first) = (*descriptor.first()?, *descriptor.get(1)?);
        // 0 stands for 65,536, which does not fit; some readers take it for negative.
        let entries = match entries {
            1..=65_535 => entries as usize,
            _ => 65_536,
        };
        let words: Vec<u16> = match values.get(data)? {
            PrimitiveValue::U16(words) => words.to_vec(),
            other => {
                let bytes = other.to_bytes();
                if bytes.len() < 2 * entries {
                    bytes.iter().map(|&b| u16::from(b)).collect()
                } else {
                    let pairs = bytes.as_chunks::<2>().0.iter();
                    pairs.map(|&w| u16::from_le_bytes(w)).collect()
                }
            }
        };
        // Two 8-bit entries lie in each word where there are half as many.
        let words: Vec<u16> = if words.len() < entries && 2 * words.len() >= entries {
            words
                .iter()
                .flat_map(|w| w.to_le_bytes())
                .map(u16::from)
                .collect()
        } else {
            words
        };
        // 16-bit entries: the upper byte, or the lower where no upper one is used.
        let wide = words.iter().take(entries).any(|&w| w > 255);
        let narrow = |w: u16| if wide { (w >> 8) as u8 } else { w as u8 };
        let table: Vec<u8> = words.into_iter().take(entries).map(narrow).collect();
        // Indices below the first entry take its value.
        let below = usize::try_from(first).unwrap_or(0).min(65_536);
        let mut shifted = vec![*table.first()?; below];
        shifted.extend(table);
        Some(shifted)
    };
    Some([
        table(
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?,
        table(
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?,
        table(
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?,
    ])
}
