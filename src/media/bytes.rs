//! Bytes at a place: of a file that stays open, or in memory.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

/// Where a data set lies. Any thread may read it.
pub enum Bytes {
    File(Mutex<File>, u64),
    Memory(Vec<u8>),
}

/// What the parser needs.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

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

    /// A reader from `at` on. A file is opened once more by its handle.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn reader(&self, at: u64) -> io::Result<Box<dyn ReadSeek + '_>> {
        Ok(match self {
            Self::File(file, _) => {
                let file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(at))?;
                Box::new(io::BufReader::new(file))
            }
            Self::Memory(bytes) => {
                let mut cursor = Cursor::new(bytes.as_slice());
                cursor.set_position(at);
                Box::new(cursor)
            }
        })
    }
}
