//! TIFF: single pictures and stacks of them, as ImageJ, scanners and microscopes write them. The
//! crate `tiff` decodes; palettes, white that is zero, and levels of more than 8 bits are shown here.

mod directories;
mod samples;

use super::bytes::Bytes;
use super::{Error, Kind, MAX_SIDE, Opened};
use crate::clip::{Frame, FrameRate};
use crate::recording::{FrameReader, Recording};
use directories::{BLACK_IS_ZERO, Header, MOST_PAGES, PALETTE, Page, Patched, Run, WHITE_IS_ZERO};
use image::metadata::Orientation;
use samples::Samples;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

pub fn is_tiff(head: &[u8]) -> bool {
    let heads: [&[u8; 4]; 4] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
    heads.iter().any(|h| head.starts_with(*h))
}

/// Opens a picture or a stack.
pub fn open(path: &Path) -> Result<Opened, Error> {
    let (stack, left_out) = read(path)?;
    let n = stack.pages.len();
    let rate = stack.rate().filter(|_| n > 1);
    let recording = Recording::new(n, rate, Box::new(stack))
        .map_err(|why| Error::undecodable(path, format!("{why}. Export it again as PNG.")))?;
    let mut opened = Opened::new(recording, Kind::Still);
    if left_out > 0 {
        let (are, is) = (
            "are pictures of another size, which are",
            "is a picture of another size, which is",
        );
        let are = if left_out == 1 { is } else { are };
        opened
            .warnings
            .push(format!("In the file {are} left out: {left_out}."));
    }
    Ok(opened)
}

/// The first picture of a file.
pub fn picture(path: &Path) -> Result<Frame, Error> {
    let (stack, _) = read(path)?;
    let fail = |why| Error::undecodable(path, format!("{why}. Export it again as PNG."));
    stack.picture(0).map_err(fail)
}

/// How many pictures there are, and their width and height.
pub fn dimensions(path: &Path) -> Option<(usize, (u32, u32))> {
    let (stack, _) = read(path).ok()?;
    let first = stack.pages.first()?;
    Some((stack.pages.len(), (first.width as u32, first.height as u32)))
}

/// The pictures of one size, and how many others there are.
fn read(path: &Path) -> Result<(Stack, usize), Error> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let bytes = Bytes::of_file(file).map_err(|e| Error::io(path, e))?;
    let header = Header::read(&bytes).map_err(|e| Error::io(path, e))?;
    let none = || Error::undecodable(path, "it holds no picture. Export it again as PNG.");
    let header = header.ok_or_else(none)?;
    let mut pages = header.pages(&bytes).map_err(|e| Error::io(path, e))?;
    // Thumbnails, smaller copies and masks are no frames.
    if pages.iter().any(|p| !p.is_aside) {
        pages.retain(|p| !p.is_aside);
    }
    let whole = pages.len();
    let first = *pages.first().ok_or_else(none)?;
    if first.width > MAX_SIDE || first.height > MAX_SIDE {
        let (w, h) = (first.width, first.height);
        return Err(Error::undecodable(
            path,
            format!("it claims a size of {w} x {h}."),
        ));
    }
    pages.retain(|p| (p.width, p.height) == (first.width, first.height));
    let left_out = whole - pages.len();
    let mut stack = Stack {
        bytes,
        header,
        pages,
        range: None,
    };
    stack.spread();
    stack.settle();
    Ok((stack, left_out))
}

/// The pictures of a file, all of one size.
struct Stack {
    bytes: Bytes,
    header: Header,
    pages: Vec<Page>,
    /// Lowest and highest of levels that are not of 8 bits.
    range: Option<[f64; 2]>,
}

type Decoded<'a> = Decoder<Patched<'a>>;

impl Stack {
    /// A decoder that stands at a picture. Palettes, and white that is zero, come as gray.
    fn decoder(&self, page: &Page) -> tiff::TiffResult<Decoded<'_>> {
        let header = &self.header;
        let number = |value: u64, length: usize| {
            let le = value.to_le_bytes();
            let mut bytes = le.get(..length).unwrap_or(&le).to_vec();
            if header.is_big_endian {
                bytes.reverse();
            }
            bytes
        };
        let (place, length) = if header.is_big { (8, 8) } else { (4, 4) };
        let mut patches: Vec<(u64, u8)> = (place..).zip(number(page.at, length)).collect();
        patches.extend((page.next_at..).zip(number(0, length)));
        if let Some(at) = page.photometric_at
            && matches!(page.photometric, WHITE_IS_ZERO | PALETTE)
        {
            patches.extend((at..).zip(number(BLACK_IS_ZERO.into(), 2)));
        }
        if let Some(run) = page.run {
            patches.extend((run.said_at..).zip(number(run.at, run.said_in)));
        }
        Decoder::new(Patched {
            inner: self.bytes.reader(0),
            at: 0,
            patches,
        })
    }

    fn samples(&self, i: usize) -> Result<Samples, String> {
        let page = self.pages.get(i).ok_or("it has no frames")?;
        let refused = |e: tiff::TiffError| match e {
            tiff::TiffError::UnsupportedError(what) => format!("{what}"),
            tiff::TiffError::IoError(_) => "its data end too early".to_owned(),
            _ => "its data could not be decoded".to_owned(),
        };
        let mut decoder = self.decoder(page).map_err(refused)?;
        let tag = |d: &mut Decoded<'_>, t| d.find_tag_unsigned::<u16>(t).ok().flatten();
        let is_planar = tag(&mut decoder, Tag::PlanarConfiguration) == Some(2);
        let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples);
        let extra = extra.ok().flatten().and_then(|e| e.first().copied());
        let orientation = tag(&mut decoder, Tag::Orientation).and_then(|o| u8::try_from(o).ok());
        let palette = (page.photometric == PALETTE)
            .then(|| decoder.get_tag_u16_vec(Tag::ColorMap))
            .transpose()
            .map_err(refused)?;
        let colour = decoder.colortype().map_err(refused)?;
        samples::fits(page, colour)?;
        let mut numbers = DecodingResult::U8(Vec::new());
        decoder
            .read_image_to_buffer(&mut numbers)
            .map_err(refused)?;
        Ok(Samples {
            numbers,
            colour,
            is_planar,
            is_inverted: page.photometric == WHITE_IS_ZERO,
            has_transparency: matches!(extra, Some(1 | 2)),
            is_composed: extra == Some(1),
            palette,
            orientation: orientation
                .and_then(Orientation::from_exif)
                .unwrap_or(Orientation::NoTransforms),
        })
    }

    fn picture(&self, i: usize) -> Result<Frame, String> {
        let page = self.pages.get(i).ok_or("it has no frames")?;
        let samples = self.samples(i)?;
        let pixels = samples.pixels(page, self.range)?;
        let frame = Frame {
            width: page.width,
            height: page.height,
            pixels,
        };
        if samples.orientation == Orientation::NoTransforms {
            return Ok(frame);
        }
        let mut turned = frame.to_image();
        turned.apply_orientation(samples.orientation);
        Ok(super::still::frame(&turned))
    }

    /// ImageJ writes a large stack as one picture with its directory, and the others right after it.
    fn spread(&mut self) {
        let &[Page { run: Some(run), .. }] = self.pages.as_slice() else {
            return;
        };
        let text = self.description();
        let Some(images) =
            said(&text, "images").filter(|_| text.starts_with("ImageJ=") && run.said_in >= 4)
        else {
            return;
        };
        let there = self.bytes.len().saturating_sub(run.at) / run.length;
        let images = (images as u64).min(there).min(MOST_PAGES as u64);
        let first = self.pages[0];
        self.pages.extend((1..images).map(|k| Page {
            run: Some(Run {
                at: run.at + k * run.length,
                ..run
            }),
            ..first
        }));
    }

    /// The range of levels that all pictures are shown by, so that a stack does not flicker: what ImageJ
    /// last showed, or what the first picture needs.
    fn settle(&mut self) {
        let text = self.description();
        let said = |key: &str| said(&text, key);
        if let (Some(low), Some(high)) = (said("min"), said("max"))
            && low < high
            && text.starts_with("ImageJ=")
        {
            self.range = Some([low, high]);
        } else if let Ok(samples) = self.samples(0) {
            self.range = samples.range();
        }
    }

    /// Frames a second, where ImageJ noted it.
    fn rate(&self) -> Option<FrameRate> {
        let text = self.description();
        if !text.starts_with("ImageJ=") {
            return None;
        }
        // Seconds, or what else the unit says.
        let unit = match said_text(&text, "tunit").unwrap_or("sec") {
            "ms" | "msec" => 1.0,
            _ => 1000.0,
        };
        let by_interval = said(&text, "finterval").and_then(|t| FrameRate::from_frame_ms(t * unit));
        by_interval.or_else(|| said(&text, "fps").and_then(FrameRate::new))
    }

    fn description(&self) -> String {
        let decoder = self.pages.first().and_then(|p| self.decoder(p).ok());
        let text = decoder.and_then(|mut d| d.get_tag_ascii_string(Tag::ImageDescription).ok());
        text.unwrap_or_default()
    }
}

fn said_text<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|l| l.strip_prefix(key)?.strip_prefix('='))
}

fn said(text: &str, key: &str) -> Option<f64> {
    let number: f64 = said_text(text, key)?.trim().parse().ok()?;
    number.is_finite().then_some(number)
}

impl FrameReader for Stack {
    fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
        self.picture(i).map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_directories_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 16..300),
            head in 0usize..4,
        ) {
            let heads: [&[u8; 8]; 4] = [b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"];
            bytes[..8].copy_from_slice(heads[head]);
            let path = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(path.path(), &bytes).unwrap();
            let _ = dimensions(path.path());
            let _ = picture(path.path());
        }
    }
}
