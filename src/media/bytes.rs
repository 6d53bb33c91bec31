//! Bytes at a place: of a file that stays open, or in memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

/// Where a data set lies. Any thread may read it.
pub enum Bytes {
    File(Mutex<File>, u64),
    Memory(Vec<u8>),
}

impl Bytes {
    /// # Errors
    /// When the file's length cannot be had.
    pub fn of_file(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self::File(Mutex::new(file), length))
    }

    pub fn len(&self) -> u64 {
        match self {
            Self::File(_, length) => *length,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Up to `n` bytes from `at`; fewer where they end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn at(&self, at: u64, n: usize) -> io::Result<Vec<u8>> {
        // What is claimed beyond the end is never allocated.
        let n = n.min(usize::try_from(self.len().saturating_sub(at)).unwrap_or(usize::MAX));
        let mut found = Vec::with_capacity(n);
        match self {
            Self::File(file, _) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(at))?;
                (&mut *file).take(n as u64).read_to_end(&mut found)?;
            }
            Self::Memory(bytes) => {
                let at = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                found.extend_from_slice(&bytes[at..at + n]);
            }
        }
        Ok(found)
    }

    /// A reader from `at` on. Several may read at once.
    pub fn reader(&self, at: u64) -> Reader<'_> {
        Reader {
            bytes: self,
            at,
            buffer: Vec::new(),
            from: at,
        }
    }
}

/// Bytes that a reader fetches at a time.
const BUFFER: usize = 16 << 10;

/// Reads from a place on, with a place of its own.
pub struct Reader<'a> {
    bytes: &'a Bytes,
    at: u64,
    buffer: Vec<u8>,
    /// Where the buffer begins.
    from: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let within = |r: &Self| {
            let skipped = usize::try_from(r.at.checked_sub(r.from)?).ok()?;
            r.buffer
                .get(skipped..)
                .filter(|b| !b.is_empty())
                .map(|_| skipped)
        };
        let skipped = match within(self) {
            Some(skipped) => skipped,
            None => {
                self.buffer = self.bytes.at(self.at, BUFFER.max(to.len().min(1 << 20)))?;
                self.from = self.at;
                0
            }
        };
        let there = self.buffer.get(skipped..).unwrap_or_default();
        let n = there.len().min(to.len());
        for (to, from) in to.iter_mut().zip(there) {
            *to = *from;
        }
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_do_not_disturb_each_other() {
        let bytes = Bytes::Memory((0..=255).cycle().take(70_000).collect());
        let (mut a, mut b) = (bytes.reader(10), bytes.reader(0));
        let mut four = [0; 4];
        a.read_exact(&mut four).unwrap();
        assert_eq!(four, [10, 11, 12, 13]);
        b.seek(SeekFrom::End(-2)).unwrap();
        assert!(b.read_exact(&mut four).is_err());
        a.seek(SeekFrom::Current(40_000)).unwrap();
        a.read_exact(&mut four).unwrap();
        assert_eq!(u64::from(four[0]), (40_014) % 256);
        assert!(a.seek(SeekFrom::End(-70_001)).is_err());
    }
}
