//! JPEG 2000 frames: their own precision, sign and colour transform count, not what the data set says
//! of them (ITU T.800 Annex A).

use super::coded::Decoded;
use super::colour;
use super::shape::Shape;

/// What the codestream's main header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    width: usize,
    height: usize,
    components: usize,
    /// The encoder made luminance and colour differences, which a decoder turns back.
    transforms_colours: bool,
}

impl Header {
    fn read(data: &[u8]) -> Option<Self> {
        let at = data.windows(4).position(|w| w == b"\xff\x4f\xff\x51")?;
        let stream = data.get(at..)?;
        let number = |at: usize| {
            let four = stream.get(at..at + 4)?.first_chunk::<4>()?;
            Some(u32::from_be_bytes(*four) as usize)
        };
        let short = |at: usize| {
            let two = stream.get(at..at + 2)?.first_chunk::<2>()?;
            Some(usize::from(u16::from_be_bytes(*two)))
        };
        let mut header = Self {
            width: number(8)?.checked_sub(number(16)?)?,
            height: number(12)?.checked_sub(number(20)?)?,
            components: short(40)?,
            transforms_colours: false,
        };
        // COD lies somewhere before the first tile.
        let mut at = 4 + short(4)?;
        while let Some(&[0xff, marker]) = stream.get(at..at + 2) {
            match marker {
                0x52 => {
                    header.transforms_colours = *stream.get(at + 8)? != 0;
                    break;
                }
                0x90 => break,
                _ => at += 2 + short(at + 2)?,
            }
        }
        Some(header)
    }
}

/// # Errors
/// A phrase that says why not.
pub fn decode(data: &[u8], shape: &Shape) -> Result<Decoded, String> {
    let undecodable = "its pixels could not be decoded";
    let header = Header::read(data).ok_or(undecodable)?;
    // Memory is for what the data set says, not for what a codestream claims.
    if (header.width, header.height) != (shape.columns, shape.rows) {
        return Err("its pixels are of another size than it says".into());
    }
    if header.components < shape.samples {
        return Err("its pixels have fewer colours than it says".into());
    }
    let image = jpeg2k::Image::from_bytes(data).map_err(|_| undecodable)?;
    let components = image.components().get(..shape.samples).ok_or(undecodable)?;
    let width = shape.bits_allocated.div_ceil(8);
    let mut bytes = vec![0; shape.area() * shape.samples * width];
    let mut subsampled = false;
    for (c, component) in components.iter().enumerate() {
        let (w, h) = (component.width() as usize, component.height() as usize);
        if w == 0 || h == 0 || w > shape.columns || h > shape.rows {
            return Err(undecodable.into());
        }
        subsampled |= (w, h) != (shape.columns, shape.rows);
        let precision = component.precision().clamp(1, 32);
        // Some encoders wrote signed samples as unsigned ones of the same bits.
        let unused = 32 - precision;
        let lost_sign = shape.signed && !component.is_signed();
        let too_deep = precision.saturating_sub(shape.bits_allocated as u32);
        let samples = component.data();
        for y in 0..shape.rows {
            let row = samples.get(y * h / shape.rows * w..).unwrap_or_default();
            for x in 0..shape.columns {
                let mut value = row.get(x * w / shape.columns).copied().unwrap_or(0);
                if lost_sign {
                    value = value << unused >> unused;
                }
                let at = ((y * shape.columns + x) * shape.samples + c) * width;
                let le = (value >> too_deep).to_le_bytes();
                bytes[at..at + width].copy_from_slice(&le[..width]);
            }
        }
    }
    let photometric = if shape.samples == 1 {
        shape.photometric.clone()
    } else if subsampled && !header.transforms_colours {
        colour::full_range(&shape.photometric).into()
    } else if header.transforms_colours {
        "RGB".into()
    } else {
        // Without a transform the colours are as the data set calls them, unless the picture
        // speaks against it.
        colour::seen(&bytes, shape, colour::full_range(&shape.photometric)).into()
    };
    Ok(Decoded::Samples {
        bytes,
        photometric,
        planar: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_codestream_says_its_size_and_its_colour_transform() {
        let gray = include_bytes!("../../../tests/coded/jpeg2000_gray.j2k");
        let rgb = include_bytes!("../../../tests/coded/jpeg2000_rgb.j2k");
        let gray = Header::read(gray).unwrap();
        let rgb = Header::read(rgb).unwrap();
        assert_eq!((gray.components, rgb.components), (1, 3));
        assert!(!gray.transforms_colours && rgb.transforms_colours);
        assert_eq!((gray.width, gray.height), (rgb.width, rgb.height));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_header_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if bytes.len() > 8 {
                bytes[2..6].copy_from_slice(b"\xff\x4f\xff\x51");
            }
            let _ = Header::read(&bytes);
        }
    }
}
