//! The directories of a TIFF file, as far as the decoder has to be told another thing than they say.

use crate::media::bytes::{Bytes, Reader};
use std::collections::HashSet;
use std::io::{self, Read, Seek, SeekFrom};

/// Pictures of a stack at most.
pub const MOST_PAGES: usize = 20_000;
/// Entries of a directory at most.
const MOST_ENTRIES: u64 = 4096;

/// How a file's numbers are written, by its first bytes.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub is_big_endian: bool,
    /// BigTIFF, with places of 64 bits.
    pub is_big: bool,
    first: u64,
}

/// One picture of a file.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Of its directory.
    pub at: u64,
    /// Of the place of the next one.
    pub next_at: u64,
    pub width: usize,
    pub height: usize,
    /// A smaller copy, or a mask.
    pub is_aside: bool,
    pub photometric: u64,
    /// Of the value of that entry.
    pub photometric_at: Option<u64>,
    /// Where it is one run of uncompressed bytes.
    pub run: Option<Run>,
}

/// Where the bytes of a picture lie.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    pub at: u64,
    pub length: u64,
    /// Of the entry's value that says where, and its length.
    pub said_at: u64,
    pub said_in: usize,
}

pub const WHITE_IS_ZERO: u64 = 0;
pub const BLACK_IS_ZERO: u16 = 1;
pub const PALETTE: u64 = 3;
const MASK: u64 = 4;

impl Header {
    /// `None` for what is too short.
    pub fn read(bytes: &Bytes) -> io::Result<Option<Self>> {
        let head = bytes.at(0, 16)?;
        let mut header = Self {
            is_big_endian: head.starts_with(b"MM"),
            is_big: matches!(head.get(2..4), Some(b"+\0" | b"\0+")),
            first: 0,
        };
        let (at, n) = if header.is_big { (8, 8) } else { (4, 4) };
        let Some(first) = head.get(at..at + n) else {
            return Ok(None);
        };
        header.first = header.number(first);
        Ok(Some(header))
    }

    fn number(self, bytes: &[u8]) -> u64 {
        let add = |v: u64, b: &u8| v << 8 | u64::from(*b);
        if self.is_big_endian {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        }
    }

    /// The directories, one after the other, of a file that may name one twice.
    pub fn pages(self, bytes: &Bytes) -> io::Result<Vec<Page>> {
        let (counter, size, width) = if self.is_big { (8, 20, 8) } else { (2, 12, 4) };
        let mut pages = Vec::new();
        let mut seen = HashSet::new();
        let mut at = self.first;
        while at > 0 && pages.len() < MOST_PAGES && seen.insert(at) {
            let count = bytes.at(at, counter)?;
            let count = self.number(&count);
            if count == 0 || count > MOST_ENTRIES {
                break;
            }
            let begin = at + counter as u64;
            let entries = bytes.at(begin, count as usize * size)?;
            let next_at = begin + count * size as u64;
            pages.extend(self.page([at, begin, next_at], entries.chunks_exact(size)));
            let next = bytes.at(next_at, width)?;
            at = if next.len() == width {
                self.number(&next)
            } else {
                0
            };
        }
        Ok(pages)
    }

    fn page<'a>(
        self,
        [at, begin, next_at]: [u64; 3],
        entries: impl Iterator<Item = &'a [u8]>,
    ) -> Option<Page> {
        let mut page = Page {
            at,
            next_at,
            width: 0,
            height: 0,
            is_aside: false,
            photometric: u64::from(BLACK_IS_ZERO),
            photometric_at: None,
            run: None,
        };
        let (mut run, mut is_plain) = (Run::default(), true);
        for (k, entry) in entries.enumerate() {
            let value = entry.get(if self.is_big { 12 } else { 8 }..)?;
            // Of 16, 32 and 64 bits; the others are of no use here.
            let length = match self.number(entry.get(2..4)?) {
                1 => 1,
                3 => 2,
                4 => 4,
                16 => 8,
                _ => continue,
            };
            let number = self.number(value.get(..length)?);
            let count = self.number(entry.get(4..entry.len() - value.len())?);
            let value_at = begin + (k * entry.len() + entry.len() - value.len()) as u64;
            match self.number(entry.get(..2)?) {
                254 => page.is_aside = number & 0b101 != 0,
                256 => page.width = usize::try_from(number).ok()?,
                257 => page.height = usize::try_from(number).ok()?,
                259 => is_plain = number == 1,
                273 if count == 1 => {
                    (run.at, run.said_at, run.said_in) = (number, value_at, length);
                }
                279 if count == 1 => run.length = number,
                262 => {
                    page.photometric = number;
                    page.photometric_at = (length == 2).then_some(value_at);
                    page.is_aside |= number == MASK;
                }
                _ => {}
            }
        }
        page.run = (is_plain && run.at > 0 && run.length > 0).then_some(run);
        (page.width > 0 && page.height > 0).then_some(page)
    }
}

/// A file as the decoder should see it: it begins with the picture that is wanted.
pub struct Patched<'a> {
    pub inner: Reader<'a>,
    pub at: u64,
    pub patches: Vec<(u64, u8)>,
}

impl Read for Patched<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(to)?;
        for &(at, byte) in &self.patches {
            let within = at
                .checked_sub(self.at)
                .and_then(|k| usize::try_from(k).ok());
            if let Some(there) = within.filter(|k| *k < n).and_then(|k| to.get_mut(k)) {
                *there = byte;
            }
        }
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Patched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.inner.seek(to)?;
        Ok(self.at)
    }
}
