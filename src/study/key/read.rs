//! Whether bytes are a key.

use super::{FORMAT, Key, VERSION};
use crate::files::head::{Head, head};
use crate::study::code::Code;
use crate::study::hex::is_hex;
use crate::study::secret::Secret;
use std::collections::BTreeSet;

/// Bytes of a key's plain text.
const MOST_BYTES: usize = 64 << 20;

/// Why bytes are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("this is no key of a study")]
    NoKey,
    #[error(
        "this key was written by a later version of the program (its form is {0}): open it with that version"
    )]
    Later(u32),
    #[error("this key is not written as the program writes it: use the file as it was made")]
    Rewritten,
    #[error("this key cannot be used: {0}")]
    Content(&'static str),
}

impl Key {
    /// The key of its plain text.
    ///
    /// # Errors
    /// When it is no key, one of a later version, one with a secret, code, reader or clip that none is, or
    /// not written as [`Key::to_bytes`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() > MOST_BYTES {
            return Err(KeyError::NoKey);
        }
        match head(bytes, FORMAT, VERSION) {
            Head::Ours => {}
            Head::Later(version) => return Err(KeyError::Later(version)),
            Head::Other => return Err(KeyError::NoKey),
        }
        let key: Self = serde_json::from_slice(bytes).map_err(|_| KeyError::NoKey)?;
        key.check().map_err(KeyError::Content)?;
        if key.to_bytes() != bytes {
            return Err(KeyError::Rewritten);
        }
        Ok(key)
    }

    fn check(&self) -> Result<(), &'static str> {
        if !is_hex(&self.study, 16) {
            return Err("the study's identifier is not 16 hexadecimal digits");
        }
        if !is_hex(&self.secret, 64) {
            return Err("its secret is not 64 hexadecimal digits");
        }
        let mut names = BTreeSet::new();
        for reader in &self.readers {
            let whole = Code::parse(&reader.code).is_ok_and(|c| c.to_string() == reader.code);
            if !whole || !names.insert(reader.reader.as_str()) {
                return Err("a reader's code is none, or a reader has two");
            }
        }
        let hashes = |clip: &super::ClipTruth| {
            is_hex(&clip.clip, 16)
                && is_hex(&clip.source_sha256, 64)
                && is_hex(&clip.pixels_sha256, 64)
        };
        if !self.clips.iter().all(hashes) {
            return Err("a clip's identifier or hash is none");
        }
        if !self.clips.is_sorted_by(|a, b| a.clip < b.clip) {
            return Err("its clips are not in order, or one is there twice");
        }
        Ok(())
    }

    /// What all that is random follows from; `None` in a key that was not read by [`Key::parse`] and has none.
    pub fn secret(&self) -> Option<Secret> {
        Secret::parse(&self.secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{key, mutations, replaced};

    #[test]
    fn a_key_is_its_bytes() {
        let key = key();
        assert_eq!(Key::parse(&key.to_bytes()), Ok(key.clone()));
        assert_eq!(key.secret().map(|s| s.to_hex()), Some(key.secret));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let key = key();
        let bytes = key.to_bytes();
        let with = |from: &str, to: &str| Key::parse(&replaced(&bytes, from, to));
        assert_eq!(with("study-key", "study-plan"), Err(KeyError::NoKey));
        let later = with(r#""version":1"#, r#""version":2,"more":1"#);
        assert_eq!(later, Err(KeyError::Later(2)));
        assert_eq!(
            with(",\"readers\"", ", \"readers\""),
            Err(KeyError::Rewritten)
        );
        let (first, second) = (&key.clips[0].clip, &key.clips[1].clip);
        for (from, to) in [
            (key.study.as_str(), "12"),
            (&key.secret, "12"),
            (&key.readers[0].code, "12"),
            (&key.readers[0].code, &key.readers[0].code.to_lowercase()),
            (r#""reader":"R2""#, r#""reader":"R1""#),
            (first, "12"),
            (first, second),
            (&key.clips[0].pixels_sha256, "12"),
        ] {
            let parsed = with(from, to);
            assert!(
                matches!(parsed, Err(KeyError::Content(_))),
                "{to}: {parsed:?}"
            );
        }
    }

    #[test]
    fn a_damaged_key_is_refused_or_written_as_it_is_read() {
        for changed in mutations(&key().to_bytes(), 500) {
            if let Ok(key) = Key::parse(&changed) {
                assert_eq!(key.to_bytes(), changed);
            }
        }
    }
}
