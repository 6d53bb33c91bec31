//! What nobody may read, or change unseen: XChaCha20-Poly1305 with a random nonce, under a key of the
//! study's secret or of a word that a person knows (Argon2id).

use super::secret::Secret;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::AeadInPlace as _;
use chacha20poly1305::{Key, KeyInit as _, Tag, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use std::fmt;

/// As the header of a bundle names it.
pub const CIPHER: &str = "xchacha20poly1305";
pub const NONCE: usize = 24;
const TAG: usize = 16;
/// Bytes by which what is sealed is longer.
pub const OVERHEAD: usize = NONCE + TAG;

/// Why something was not sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// A wrong key or word, or other bytes than were sealed: which of them cannot be told.
    #[error("it cannot be opened with this key, or it was changed")]
    Closed,
    #[error("the operating system gives no random numbers: try again, or on another machine")]
    NoRandom,
    #[error(
        "its key derivation is none that this program uses: Argon2id with up to 256 MiB, 10 passes and 4 lanes"
    )]
    Kdf,
}

/// Random bytes of the operating system.
///
/// # Errors
/// When it has none.
pub fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| SealError::NoRandom)?;
    Ok(bytes)
}

/// Opens all that is sealed in a bundle.
#[derive(Clone, PartialEq, Eq)]
pub struct ContentKey([u8; 32]);

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey")
    }
}

impl ContentKey {
    /// It follows from the secret, so who has the study's key needs no code.
    pub fn of(secret: &Secret) -> Self {
        Self(secret.derive("content key", &[]))
    }

    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Nonce, what is sealed, and its tag; [`OVERHEAD`] bytes more than `plain`. `about` says what it is and
    /// is not kept: who opens it has to know.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn seal(&self, about: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce = random::<NONCE>()?;
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = lock(&self.0, &nonce, about, &mut sealed[NONCE..])?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// What was sealed.
    ///
    /// # Errors
    /// When it was sealed with another key or as something else, or was changed since.
    pub fn open(&self, about: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, rest) = sealed
            .split_first_chunk::<NONCE>()
            .ok_or(SealError::Closed)?;
        unlock(&self.0, nonce, about, rest)
    }
}

/// Encrypts in place.
fn lock(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    about: &[u8],
    text: &mut [u8],
) -> Result<Tag, SealError> {
    XChaCha20Poly1305::new(Key::from_slice(key))
        .encrypt_in_place_detached(XNonce::from_slice(nonce), about, text)
        .map_err(|_| SealError::Closed)
}

fn unlock(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    about: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, SealError> {
    let (text, tag) = sealed.split_last_chunk::<TAG>().ok_or(SealError::Closed)?;
    let mut text = text.to_vec();
    XChaCha20Poly1305::new(Key::from_slice(key))
        .decrypt_in_place_detached(
            XNonce::from_slice(nonce),
            about,
            &mut text,
            Tag::from_slice(tag),
        )
        .map_err(|_| SealError::Closed)?;
    Ok(text)
}

/// How a key is made of a word: Argon2id, version 0x13.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kdf {
    name: String,
    /// Memory in KiB.
    m: u32,
    /// Passes.
    t: u32,
    /// Lanes.
    p: u32,
}

/// 64 MiB, three passes, one lane (RFC 9106's second choice with a lane for one core): a tenth of a second
/// for each code that is tried.
impl Default for Kdf {
    fn default() -> Self {
        Self::new(64 << 10, 3, 1)
    }
}

impl Kdf {
    const NAME: &str = "argon2id";

    fn new(m: u32, t: u32, p: u32) -> Self {
        let name = Self::NAME.to_owned();
        Self { name, m, t, p }
    }

    /// As quick as it gets, for tests; it protects nothing but a code of 100 random bits.
    pub fn quick() -> Self {
        Self::new(8, 1, 1)
    }

    /// A file that asks for more memory or time than any of ours is refused before either is spent.
    fn params(&self) -> Result<Params, SealError> {
        let known = self.name == Self::NAME;
        if !known || self.m > 256 << 10 || self.t > 10 || self.p > 4 {
            return Err(SealError::Kdf);
        }
        Params::new(self.m, self.t, self.p, Some(32)).map_err(|_| SealError::Kdf)
    }

    /// Whether this program derives keys so.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&self) -> Result<(), SealError> {
        self.params().map(|_| ())
    }

    fn key(&self, word: &[u8], salt: &[u8; SALT]) -> Result<[u8; 32], SealError> {
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params()?)
            .hash_password_into(word, salt, &mut key)
            .map_err(|_| SealError::Kdf)?;
        Ok(key)
    }
}

pub const SALT: usize = 16;

/// Something sealed under a word: a code, or a passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWord {
    pub salt: [u8; SALT],
    pub nonce: [u8; NONCE],
    /// With its tag.
    pub sealed: Vec<u8>,
}

impl UnderWord {
    /// Seals under a word, with a fresh salt and nonce.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn seal(word: &[u8], kdf: &Kdf, about: &[u8], plain: &[u8]) -> Result<Self, SealError> {
        let (salt, nonce) = (random()?, random()?);
        let mut sealed = plain.to_vec();
        let tag = lock(&kdf.key(word, &salt)?, &nonce, about, &mut sealed)?;
        sealed.extend_from_slice(&tag);
        Ok(Self {
            salt,
            nonce,
            sealed,
        })
    }

    /// What was sealed.
    ///
    /// # Errors
    /// When the word is another, or something was changed since.
    pub fn open(&self, word: &[u8], kdf: &Kdf, about: &[u8]) -> Result<Vec<u8>, SealError> {
        unlock(
            &kdf.key(word, &self.salt)?,
            &self.nonce,
            about,
            &self.sealed,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        crate::study::hex::unhex(text).unwrap()
    }

    /// draft-irtf-cfrg-xchacha-03, A.3.1.
    #[test]
    fn the_cipher_is_the_published_one() {
        let plain =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
                      future, sunscreen would be it.";
        let key: [u8; 32] = std::array::from_fn(|i| 0x80 + i as u8);
        let nonce: [u8; 24] = std::array::from_fn(|i| 0x40 + i as u8);
        let about = unhex("50515253c0c1c2c3c4c5c6c7");
        let mut text = plain.to_vec();
        let tag = lock(&key, &nonce, &about, &mut text).unwrap();
        assert_eq!(text[..16], unhex("bd6d179d3e83d43b9576579493c0e939"));
        assert_eq!(tag.to_vec(), unhex("c0875924c1c7987947deafd8780acf49"));
        let sealed = [nonce.as_slice(), &text, &tag].concat();
        assert_eq!(ContentKey(key).open(&about, &sealed).unwrap(), plain);
    }

    #[test]
    fn what_was_sealed_is_opened_and_nothing_else_is() {
        let key = ContentKey::of(&Secret::new([3; 32]));
        let sealed = key.seal(b"clip 1", b"pixels").unwrap();
        assert_eq!(sealed.len(), 6 + OVERHEAD);
        assert_eq!(key.open(b"clip 1", &sealed).unwrap(), b"pixels");
        assert_ne!(sealed, key.seal(b"clip 1", b"pixels").unwrap());
        assert_eq!(key.open(b"clip 2", &sealed), Err(SealError::Closed));
        let other = ContentKey::of(&Secret::new([4; 32]));
        assert_eq!(other.open(b"clip 1", &sealed), Err(SealError::Closed));
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert_eq!(key.open(b"clip 1", &changed), Err(SealError::Closed));
            assert_eq!(key.open(b"clip 1", &sealed[..i]), Err(SealError::Closed));
        }
    }

    #[test]
    fn a_word_opens_what_was_sealed_under_it() {
        let kdf = Kdf::quick();
        let sealed = UnderWord::seal(b"word", &kdf, b"a", b"key").unwrap();
        assert_eq!(sealed.open(b"word", &kdf, b"a").unwrap(), b"key");
        assert_eq!(sealed.open(b"Word", &kdf, b"a"), Err(SealError::Closed));
        assert_eq!(sealed.open(b"word", &kdf, b"b"), Err(SealError::Closed));
        let slower = Kdf::new(16, 1, 1);
        assert_eq!(sealed.open(b"word", &slower, b"a"), Err(SealError::Closed));
        let mut salted = sealed.clone();
        salted.salt[0] ^= 1;
        assert_eq!(salted.open(b"word", &kdf, b"a"), Err(SealError::Closed));
    }

    /// A file may ask for all memory there is; it gets none.
    #[test]
    fn absurd_derivations_are_refused() {
        for (m, t, p) in [
            (u32::MAX, 1, 1),
            (8, u32::MAX, 1),
            (1 << 18, 1, u32::MAX),
            ((256 << 10) + 1, 1, 1),
            (8, 11, 1),
            (64, 1, 5),
            (7, 1, 1),
            (8, 0, 1),
            (8, 1, 0),
            (8, 1, 2),
        ] {
            let kdf = Kdf::new(m, t, p);
            assert_eq!(kdf.check(), Err(SealError::Kdf), "{kdf:?}");
        }
        let mut other = Kdf::quick();
        other.name = "argon2i".into();
        assert_eq!(other.check(), Err(SealError::Kdf));
        assert_eq!(Kdf::default().check(), Ok(()));
    }
}
