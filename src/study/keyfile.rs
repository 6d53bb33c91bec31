//! `NAME.key`: the key, sealed by a passphrase or, where its administrator said so, open.

use super::hex::{hex, unhex, unhex_array};
use super::seal::{Kdf, SealError, UnderWord};
use crate::files::head::{Head, head};
use serde::{Deserialize, Serialize};

pub const FORMAT: &str = "echoif-study-keyfile";
pub const VERSION: u32 = 1;
const ABOUT: &[u8] = b"echoif study key";
/// Bytes: more than the key of a study of any size that is planned.
const MOST: usize = 64 << 20;

/// What lies in the file. In JSON `sealed` is `false` where it is open.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    format: String,
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kdf: Option<Kdf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    sealed: Sealed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Sealed {
    Open(bool),
    Closed(String),
}

/// Why a key file was not written or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    #[error(
        "this is no key of a study: choose the file with the ending .key that was made with its bundle"
    )]
    NoKey,
    #[error(
        "this key was written by a later version of the program (its form is {0}): open it with that version"
    )]
    Later(u32),
    #[error("this key is sealed: its passphrase is needed")]
    NeedsPassphrase,
    #[error(
        "this passphrase does not open the key: type it again; if it is right, the file was changed"
    )]
    WrongPassphrase,
    #[error("a passphrase has at least one character: type one, or say that there is none")]
    EmptyPassphrase,
    #[error("the key could not be sealed: {0}")]
    Seal(SealError),
}

/// The plain text of a key, and how it lay there.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenedKey {
    /// What the plan commits to; [`super::key::Key::parse`] reads it.
    pub bytes: Vec<u8>,
    /// Whether it was sealed from its administrator.
    pub sealed: bool,
}

impl std::fmt::Debug for OpenedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedKey(sealed: {})", self.sealed)
    }
}

/// The bytes of a key file, sealed under the passphrase (as it is, in UTF-8) where there is one.
///
/// # Errors
/// When the passphrase is empty, the key is not UTF-8, or there are no random numbers.
pub fn seal_key(key: &[u8], passphrase: Option<&str>, kdf: &Kdf) -> Result<Vec<u8>, KeyFileError> {
    let mut envelope = Envelope {
        format: FORMAT.into(),
        version: VERSION,
        kdf: None,
        salt: None,
        nonce: None,
        sealed: Sealed::Open(false),
        key: None,
    };
    match passphrase {
        Some("") => return Err(KeyFileError::EmptyPassphrase),
        Some(passphrase) => {
            let made = UnderWord::seal(passphrase.as_bytes(), kdf, ABOUT, key);
            let made = made.map_err(KeyFileError::Seal)?;
            envelope.kdf = Some(kdf.clone());
            envelope.salt = Some(hex(&made.salt));
            envelope.nonce = Some(hex(&made.nonce));
            envelope.sealed = Sealed::Closed(hex(&made.sealed));
        }
        None => {
            let text = std::str::from_utf8(key).map_err(|_| KeyFileError::NoKey)?;
            envelope.key = Some(text.to_owned());
        }
    }
    let mut bytes = serde_json::to_vec(&envelope).map_err(|_| KeyFileError::NoKey)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Whether a key file is sealed, so that a passphrase has to be asked for.
///
/// # Errors
/// When it is no key file of this version.
pub fn is_sealed(file: &[u8]) -> Result<bool, KeyFileError> {
    let envelope = envelope(file)?;
    Ok(matches!(envelope.sealed, Sealed::Closed(_)))
}

/// The key of a file; the passphrase is not looked at where it is open.
///
/// # Errors
/// When it is no key file of this version, or the passphrase is missing or wrong.
pub fn open_key(file: &[u8], passphrase: Option<&str>) -> Result<OpenedKey, KeyFileError> {
    match envelope(file)? {
        Envelope {
            sealed: Sealed::Open(false),
            key: Some(key),
            kdf: None,
            salt: None,
            nonce: None,
            ..
        } => Ok(OpenedKey {
            bytes: key.into_bytes(),
            sealed: false,
        }),
        Envelope {
            sealed: Sealed::Closed(sealed),
            kdf: Some(kdf),
            salt: Some(salt),
            nonce: Some(nonce),
            key: None,
            ..
        } => {
            let bytes = (unhex_array(&salt), unhex_array(&nonce), unhex(&sealed));
            let (Some(salt), Some(nonce), Some(sealed)) = bytes else {
                return Err(KeyFileError::NoKey);
            };
            let under = UnderWord {
                salt,
                nonce,
                sealed,
            };
            let passphrase = passphrase.ok_or(KeyFileError::NeedsPassphrase)?;
            match under.open(passphrase.as_bytes(), &kdf, ABOUT) {
                Ok(bytes) => Ok(OpenedKey {
                    bytes,
                    sealed: true,
                }),
                Err(SealError::Closed) => Err(KeyFileError::WrongPassphrase),
                Err(_) => Err(KeyFileError::NoKey),
            }
        }
        _ => Err(KeyFileError::NoKey),
    }
}

fn envelope(file: &[u8]) -> Result<Envelope, KeyFileError> {
    if file.len() > MOST {
        return Err(KeyFileError::NoKey);
    }
    match head(file, FORMAT, VERSION) {
        Head::Ours => serde_json::from_slice(file).map_err(|_| KeyFileError::NoKey),
        Head::Later(version) => Err(KeyFileError::Later(version)),
        Head::Other => Err(KeyFileError::NoKey),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::mutations;

    const KEY: &[u8] = br#"{"format":"echoif-study-key","secret":"tell nobody"}"#;

    #[test]
    fn a_passphrase_opens_what_it_sealed() {
        let file = seal_key(KEY, Some("wörd"), &Kdf::quick()).unwrap();
        assert!(!String::from_utf8(file.clone()).unwrap().contains("nobody"));
        assert_eq!(is_sealed(&file), Ok(true));
        let opened = open_key(&file, Some("wörd")).unwrap();
        assert_eq!((opened.bytes.as_slice(), opened.sealed), (KEY, true));
        let wrong = open_key(&file, Some("word"));
        assert_eq!(wrong, Err(KeyFileError::WrongPassphrase));
        assert_eq!(open_key(&file, None), Err(KeyFileError::NeedsPassphrase));
        let empty = seal_key(KEY, Some(""), &Kdf::quick());
        assert_eq!(empty, Err(KeyFileError::EmptyPassphrase));
    }

    #[test]
    fn without_a_passphrase_it_says_that_it_is_open() {
        let file = seal_key(KEY, None, &Kdf::quick()).unwrap();
        let text = String::from_utf8(file.clone()).unwrap();
        assert!(text.contains(r#""sealed":false"#), "{text}");
        assert_eq!(is_sealed(&file), Ok(false));
        let opened = open_key(&file, Some("any")).unwrap();
        assert_eq!((opened.bytes.as_slice(), opened.sealed), (KEY, false));
    }

    #[test]
    fn what_is_no_key_of_this_version_is_told() {
        let file = String::from_utf8(seal_key(KEY, None, &Kdf::quick()).unwrap()).unwrap();
        let later = file.replace(r#""version":1"#, r#""version":2,"more":[]"#);
        assert_eq!(
            open_key(later.as_bytes(), None),
            Err(KeyFileError::Later(2))
        );
        for wrong in [
            file.replace("keyfile", "plan"),
            file.replace(r#""version":1"#, r#""version":0"#),
            file.replace("false", "true"),
            file.replace("\"key\"", "\"salt\""),
            String::new(),
            "[".repeat(100_000),
        ] {
            let opened = open_key(wrong.as_bytes(), Some("any"));
            assert_eq!(opened, Err(KeyFileError::NoKey), "{wrong:.200}");
        }
    }

    #[test]
    fn a_damaged_key_is_refused_or_the_same() {
        let file = seal_key(KEY, Some("word"), &Kdf::quick()).unwrap();
        for changed in mutations(&file, 500) {
            if let Ok(opened) = open_key(&changed, Some("word")) {
                assert_eq!(opened.bytes, KEY);
            }
        }
    }
}
