//! Damaged files, for tests of whatever reads them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// So many damaged versions of some bytes, always the same.
pub fn mutations(bytes: &[u8], n: usize) -> impl Iterator<Item = Vec<u8>> + use<> {
    let bytes = bytes.to_vec();
    let mut random = ChaCha8Rng::seed_from_u64(bytes.len() as u64);
    (0..n).map(move |_| {
        let mut changed = bytes.clone();
        for _ in 0..1 + random.next_u32() % 3 {
            let mut below = |n: usize| random.next_u64() as usize % n.max(1);
            let at = below(changed.len());
            let to = (at + 1 + below(40)).min(changed.len());
            match below(8) {
                _ if changed.is_empty() => {}
                0 => changed.truncate(at),
                1 => drop(changed.drain(at..to)),
                2 => changed.insert(at, below(256) as u8),
                3 => {
                    let again = changed[at..to].to_vec();
                    changed.splice(at..at, again);
                }
                // Digits make numbers that are too large, or lie.
                4 => changed[at] = b"0123456789"[below(10)],
                5 => changed[at..to].fill(0xff),
                6 => changed[at] = below(256) as u8,
                _ => changed[at] ^= 1 << below(8),
            }
        }
        changed
    })
}
