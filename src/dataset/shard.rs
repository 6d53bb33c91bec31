//! Which machine makes which clip.

use crate::hash::sha256;
use std::fmt;
use std::str::FromStr;

/// Part `index` of `count`, from 1: the clips whose names fall into it by their hash, whatever else there is. Every clip
/// is in one part of each `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    count: u64,
}

/// Parts at most.
const MOST: u64 = 100_000;

impl Shard {
    /// The one part of one.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// `None` where there is no such part.
    pub fn new(index: u64, count: u64) -> Option<Self> {
        ((1..=MOST).contains(&count) && (1..=count).contains(&index))
            .then_some(Self { index, count })
    }

    /// Whether it makes the clip of this name.
    pub fn has(self, name: &str) -> bool {
        let hash = sha256(name.as_bytes());
        // The hash has 64 digits; its first 16 are a number.
        let number = u64::from_str_radix(&hash[..16], 16).unwrap_or_default();
        number % self.count == self.index - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let number = |part: &str| part.trim().parse().ok();
        parts
            .and_then(|(i, n)| Self::new(number(i)?, number(n)?))
            .ok_or_else(|| {
                format!("`{text}` is no part; give one such as 1/3, up to {MOST} parts, from 1")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_part_is_stable_and_of_its_range() {
        // As long as these stand, shards of two versions fit together.
        let of = |name: &str| (1..=3).find(|&i| Shard::new(i, 3).unwrap().has(name));
        let parts = [
            "ECHOIF_000001_a75a3d1f",
            "ECHOIF_000002_2648fcee",
            "a",
            "b",
            "c",
        ]
        .map(of);
        assert_eq!(parts, [1, 2, 2, 2, 3].map(Some));
        assert!(Shard::WHOLE.has("whatever"));
        for bad in [
            "0/3", "4/3", "1/0", "1", "a/b", "-1/3", "1/3/3", "1/100001", "",
        ] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
        assert_eq!(" 2 / 3 ".parse::<Shard>().unwrap().to_string(), "2/3");
    }

    proptest! {
        #[test]
        fn a_clip_is_in_one_part_of_any_number(name in "[ -~]{0,20}", count in 1u64..40) {
            let parts = (1..=count).filter(|&i| Shard::new(i, count).unwrap().has(&name));
            prop_assert_eq!(parts.count(), 1);
        }

        #[test]
        fn nothing_panics(text in ".{0,12}") {
            let _ = text.parse::<Shard>();
        }
    }
}
