//! The secret that all randomness of a study follows from.
//!
//! It is 32 bytes of the operating system and not a seed: from a seed that a person types, a curious reader
//! could try all seeds until order and identifiers fit.

use super::hex::{hex, unhex_array};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use sha2::{Digest, Sha256};

/// 32 bytes that lie in the key alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        unhex_array(&text.to_ascii_lowercase()).map(Self)
    }

    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// 32 bytes for one use, named by its label: SHA-256 of the secret, the label and what it is for, each
    /// with its length. Nobody without the secret can make them or tell them from others.
    pub fn derive(&self, label: &str, of: &[u8]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for part in [&self.0[..], label.as_bytes(), of] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }

    /// 16 hexadecimal digits for one use.
    pub fn identifier(&self, label: &str, of: &[u8]) -> String {
        hex(&self.derive(label, of)[..8])
    }

    /// Random numbers for one use.
    pub fn random(&self, label: &str) -> Random {
        Random(ChaCha20Rng::from_seed(self.derive(label, &[])))
    }
}

/// A stream of random numbers (ChaCha20).
#[derive(Clone, Debug)]
pub struct Random(ChaCha20Rng);

impl Random {
    /// Uniform below `n`: numbers that would favour the first are drawn again. 0 where `n` is.
    pub fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        if n == 0 {
            return 0;
        }
        let whole = u64::MAX - u64::MAX % n;
        loop {
            let drawn = self.0.next_u64();
            if drawn < whole {
                return (drawn % n) as usize;
            }
        }
    }

    /// Uniform in 0..1.
    pub fn share(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Every order is as likely as any other (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_and_written() {
        let text = "00ff".repeat(16);
        let secret = Secret::parse(&text).unwrap();
        assert_eq!(secret.to_hex(), text);
        assert_eq!(Secret::parse(&text.to_uppercase()), Some(secret));
        for wrong in ["", "00", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64)] {
            assert_eq!(Secret::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_derived_differs_by_label_and_use() {
        let secret = Secret::new([7; 32]);
        let all = [
            secret.derive("a", b"bc"),
            secret.derive("ab", b"c"),
            secret.derive("a", b"b"),
            Secret::new([8; 32]).derive("a", b"bc"),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a != b));
        }
        assert_eq!(secret.identifier("clip", b"x").len(), 16);
    }

    #[test]
    fn orders_are_uniform() {
        let mut random = Secret::new([1; 32]).random("test");
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let mut order = [0, 1, 2];
            random.shuffle(&mut order);
            *counts.entry(order).or_insert(0) += 1;
        }
        // Expected 1000 each, standard deviation 29.
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|&n| (880..1120).contains(&n)),
            "{counts:?}"
        );
        assert!((0..1000).all(|_| (0.0..1.0).contains(&random.share())));
        assert_eq!(random.below(0), 0);
    }
}
