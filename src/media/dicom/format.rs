//! What pixels really are, by their first bytes. Archives that convert files, and tools that edit
//! them, leave transfer syntaxes behind that are not true any more.

use super::shape::Shape;
use crate::media::jpeg;
use dicom_dictionary_std::uids;

/// How a frame is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Of 8 bits, lossy.
    Jpeg,
    /// Of 12 bits, lossy.
    DeepJpeg,
    LosslessJpeg,
    /// Of a kind that nobody decodes: arithmetic coding or a hierarchy of frames.
    RareJpeg,
    JpegLs,
    Jpeg2000,
    JpegXl,
    Rle,
    Png,
    Video,
    /// Samples as they are.
    Native,
}

impl Format {
    /// By the bytes; `None` for what looks like nothing.
    pub fn of(data: &[u8], shape: &Shape) -> Option<Self> {
        const JP2: &[u8] = b"\0\0\0\x0cjP  ";
        const JXL: &[u8] = b"\0\0\0\x0cJXL ";
        if data.starts_with(b"\xff\xd8") {
            return jpeg::Header::read(data).map(|header| Self::of_jpeg(&header));
        }
        if data.starts_with(b"\xff\x4f\xff\x51") || data.starts_with(JP2) {
            return Some(Self::Jpeg2000);
        }
        if data.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Some(Self::Png);
        }
        if data.starts_with(b"\xff\x0a") || data.starts_with(JXL) {
            return Some(Self::JpegXl);
        }
        if is_rle(data, shape) {
            return Some(Self::Rle);
        }
        if data.len() as u64 * 8 / 16 == (shape.native_bits() as u64).div_ceil(16) {
            return Some(Self::Native);
        }
        // Start codes of MPEG-2 and of H.264 and H.265; a transport stream; MP4.
        let video = [b"\0\0\x01\xb3".as_slice(), b"\0\0\0\x01", b"\0\0\x01\xba"];
        let is_video = video.iter().any(|code| data.starts_with(code))
            || data.get(4..8) == Some(b"ftyp")
            || (data.first() == Some(&0x47) && data.get(188) == Some(&0x47));
        is_video.then_some(Self::Video)
    }

    fn of_jpeg(header: &jpeg::Header) -> Self {
        match header.start_of_frame {
            0xc0..=0xc2 if header.precision <= 8 => Self::Jpeg,
            0xc0..=0xc2 => Self::DeepJpeg,
            0xc3 => Self::LosslessJpeg,
            0xf7 => Self::JpegLs,
            _ => Self::RareJpeg,
        }
    }

    /// By the label alone.
    pub fn labelled(syntax: &str) -> Option<Self> {
        Some(match syntax {
            uids::RLE_LOSSLESS => Self::Rle,
            uids::JPEG_BASELINE8_BIT => Self::Jpeg,
            uids::JPEG_EXTENDED12_BIT => Self::DeepJpeg,
            uids::JPEG_LOSSLESS | uids::JPEG_LOSSLESS_SV1 => Self::LosslessJpeg,
            uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => Self::JpegLs,
            uids::JPEG2000 | uids::JPEG2000_LOSSLESS => Self::Jpeg2000,
            uids::HTJ2K | uids::HTJ2K_LOSSLESS | uids::HTJ2K_LOSSLESS_RPCL => Self::Jpeg2000,
            // Retired kinds: progressive and hierarchical.
            s if s.starts_with("1.2.840.10008.1.2.4.5") => Self::Jpeg,
            s if s.starts_with("1.2.840.10008.1.2.4.6") => Self::Jpeg,
            s if s.starts_with("1.2.840.10008.1.2.4.11") => Self::JpegXl,
            s if s.starts_with("1.2.840.10008.1.2.4.10") => Self::Video,
            _ => return None,
        })
    }

    /// As sentences say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::DeepJpeg => "12-bit JPEG",
            Self::LosslessJpeg => "lossless JPEG",
            Self::RareJpeg => "JPEG of a rare kind (arithmetic coding or hierarchical)",
            Self::JpegLs => "JPEG-LS",
            Self::Jpeg2000 => "JPEG 2000",
            Self::JpegXl => "JPEG XL",
            Self::Rle => "RLE",
            Self::Png => "PNG",
            Self::Video => "video",
            Self::Native => "uncompressed",
        }
    }

    /// As people call JPEG, whatever of it.
    pub fn is_jpeg(self) -> bool {
        matches!(
            self,
            Self::Jpeg | Self::DeepJpeg | Self::LosslessJpeg | Self::RareJpeg
        )
    }

    /// Whether a file in this transfer syntax may hold it.
    pub fn fits(self, syntax: &str) -> bool {
        let labelled = Self::labelled(syntax);
        match self {
            Self::Native => labelled.is_none(),
            // Eight bits are allowed where twelve are.
            Self::Jpeg | Self::DeepJpeg | Self::RareJpeg => {
                matches!(labelled, Some(Self::Jpeg | Self::DeepJpeg))
            }
            _ => labelled == Some(self),
        }
    }
}

/// The head of an RLE frame: as many segments as there are planes of bytes, the first after it.
fn is_rle(data: &[u8], shape: &Shape) -> bool {
    let number = |at: usize| {
        let four = data.get(at..at + 4)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*four) as usize)
    };
    let planes = shape.samples * shape.bits_allocated.div_ceil(8);
    number(0) == Some(planes) && number(4) == Some(64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape() -> Shape {
        Shape {
            rows: 4,
            columns: 5,
            frames: 1,
            photometric: "MONOCHROME2".into(),
            samples: 1,
            bits_allocated: 8,
            bits_stored: 8,
            signed: false,
            planar: false,
        }
    }

    #[test]
    fn pixels_are_known_by_their_beginning() {
        let of = |data: &[u8]| Format::of(data, &shape());
        assert_eq!(of(b"\xff\x4f\xff\x51more"), Some(Format::Jpeg2000));
        assert_eq!(of(&[7; 20]), Some(Format::Native));
        assert_eq!(of(&[7; 30]), None);
        let mut rle = vec![0; 70];
        (rle[0], rle[4]) = (1, 64);
        assert_eq!(of(&rle), Some(Format::Rle));
        assert!(Format::Jpeg.fits(uids::JPEG_EXTENDED12_BIT));
        assert!(!Format::Jpeg.fits(uids::EXPLICIT_VR_LITTLE_ENDIAN));
        assert!(Format::Native.fits(uids::EXPLICIT_VR_LITTLE_ENDIAN));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Format::of(&bytes, &shape());
        }
    }
}
