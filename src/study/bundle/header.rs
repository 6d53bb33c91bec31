//! What can be read of a bundle without a code.

use super::{MOST_CLIPS, about_reader};
use crate::files::head::{Head, head};
use crate::study::code::Code;
use crate::study::hex::{hex, is_hex, unhex, unhex_array};
use crate::study::seal::{CIPHER, ContentKey, Kdf, SealError, UnderWord};
use crate::study::stamp::utc_ms;
use serde::{Deserialize, Serialize};

pub const FORMAT: &str = "echoif-study-bundle";
pub const VERSION: u32 = 1;

/// Codes that are tried, each a tenth of a second.
const MOST_READERS: usize = 200;
/// Bytes of a sealed content key with its tag.
const SEALED_KEY: usize = 32 + 16;

/// `header.json`: compact, fields in this order. Plan, clips and readers are in it so that they can be
/// checked against what is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub format: String,
    pub version: u32,
    pub study: String,
    pub created_utc: String,
    pub plan_sha256: String,
    pub key_commitment: String,
    /// How many.
    pub clips: usize,
    /// Bytes of each, opened.
    pub clip_bytes: usize,
    pub kdf: Kdf,
    pub cipher: String,
    pub readers: Vec<SealedFor>,
}

/// The content key, sealed under a reader's code; all in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedFor {
    pub reader: String,
    pub salt: String,
    pub nonce: String,
    pub sealed_key: String,
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    NoHeader,
    Later(u32),
}

impl Header {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Nothing in it is without a form in JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        match head(bytes, FORMAT, VERSION) {
            Head::Ours => {}
            Head::Later(version) => return Err(HeaderError::Later(version)),
            Head::Other => return Err(HeaderError::NoHeader),
        }
        let header: Self = serde_json::from_slice(bytes).map_err(|_| HeaderError::NoHeader)?;
        let sound = is_hex(&header.study, 16)
            && is_hex(&header.plan_sha256, 64)
            && is_hex(&header.key_commitment, 64)
            && utc_ms(&header.created_utc).is_some()
            && header.clips <= MOST_CLIPS
            && header.cipher == CIPHER
            && header.kdf.check().is_ok()
            && (1..=MOST_READERS).contains(&header.readers.len())
            && header.to_bytes() == bytes;
        sound.then_some(header).ok_or(HeaderError::NoHeader)
    }

    /// The reader whose code this is, and the content key; `None` for a code that is nobody's.
    pub(super) fn opened_by(&self, code: &Code) -> Option<(&str, ContentKey)> {
        self.readers.iter().find_map(|sealed| {
            let key = sealed.open(&self.study, code, &self.kdf)?;
            Some((sealed.reader.as_str(), key))
        })
    }
}

impl SealedFor {
    pub(super) fn seal(
        study: &str,
        reader: &str,
        code: &Code,
        kdf: &Kdf,
        content: &ContentKey,
    ) -> Result<Self, SealError> {
        let about = about_reader(study, reader);
        let sealed = UnderWord::seal(code.letters().as_bytes(), kdf, &about, content.bytes())?;
        Ok(Self {
            reader: reader.to_owned(),
            salt: hex(&sealed.salt),
            nonce: hex(&sealed.nonce),
            sealed_key: hex(&sealed.sealed),
        })
    }

    fn open(&self, study: &str, code: &Code, kdf: &Kdf) -> Option<ContentKey> {
        let under = UnderWord {
            salt: unhex_array(&self.salt)?,
            nonce: unhex_array(&self.nonce)?,
            sealed: unhex(&self.sealed_key).filter(|sealed| sealed.len() == SEALED_KEY)?,
        };
        let about = about_reader(study, &self.reader);
        let key = under.open(code.letters().as_bytes(), kdf, &about).ok()?;
        Some(ContentKey::from_bytes(key.try_into().ok()?))
    }
}
