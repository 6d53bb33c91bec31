//! SHA-256: which file, which anatomy, which weights.

use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::path::Path;

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of a file in hexadecimal, read in pieces; `None` when `stopped` says so before its end.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256_file(path: &Path, stopped: impl Fn() -> bool) -> io::Result<Option<String>> {
    const PIECE: usize = 1 << 20;
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        if stopped() {
            return Ok(None);
        }
        match file.read(&mut piece) {
            Ok(0) => return Ok(Some(hex(&hasher.finalize()))),
            Ok(n) => hasher.update(&piece[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// One hash for several files, from theirs in order.
pub fn combined(hashes: &[String]) -> String {
    sha256(hashes.join("\n").as_bytes())
}

/// Two small digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, b| {
        let _ = write!(text, "{b:02x}"); // writing to a String cannot fail
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4's own example.
    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_file_has_the_hash_of_its_bytes_unless_stopped() {
        assert_eq!(sha256(b"abc"), OF_ABC);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"abc").unwrap();
        assert_eq!(sha256_file(&path, || false).unwrap().unwrap(), OF_ABC);
        assert_eq!(sha256_file(&path, || true).unwrap(), None);
        assert!(sha256_file(&folder.path().join("b"), || false).is_err());
        let long = vec![7; 3 << 20];
        std::fs::write(&path, &long).unwrap();
        assert_eq!(sha256_file(&path, || false).unwrap(), Some(sha256(&long)));
    }
}
