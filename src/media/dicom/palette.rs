//! Palettes, whole (PS3.3 C.7.6.3.1.5 and 6) or in segments (C.7.9.2).

use super::dataset::Values;
use dicom_core::Tag;
use dicom_core::value::PrimitiveValue;
use dicom_dictionary_std::tags;

/// Entries of a table at most.
const MOST: usize = 65_536;
/// Segments that segments may name again.
const MOST_COPIED: usize = 65_536;

/// Red, green and blue tables as 8 bits, index 0 first.
pub fn read(values: &Values) -> Option<[Vec<u8>; 3]> {
    let tables = [
        table(
            values,
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?,
        table(
            values,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?,
        table(
            values,
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?,
    ];
    // 16-bit entries: the upper byte, or the lower where no upper one is used.
    let wide = tables.iter().flatten().any(|&w| w > 255);
    let narrow = |w: u16| if wide { (w >> 8) as u8 } else { w as u8 };
    Some(tables.map(|table| table.into_iter().map(narrow).collect()))
}

/// One channel's entries, index 0 first.
fn table(values: &Values, descriptor: Tag, whole: Tag, segmented: Tag) -> Option<Vec<u16>> {
    let descriptor = values.get(descriptor)?.to_multi_int::<i32>().ok()?;
    let (entries, first) = (*descriptor.first()?, *descriptor.get(1)?);
    // 0 stands for 65,536, which does not fit; some readers take it for negative.
    let entries = match entries {
        1..=65_535 => entries as usize,
        -65_535..=-1 => (entries + 65_536) as usize,
        _ => MOST,
    };
    let is_narrow = descriptor.get(2) == Some(&8);
    let words = match (values.get(whole), values.get(segmented)) {
        (Some(data), _) if !data.to_bytes().is_empty() => unsegmented(data, entries),
        (_, Some(data)) => expand(&words_as_bytes(data), entries, is_narrow)?,
        _ => return None,
    };
    // Indices below the first entry take its value.
    let below = usize::try_from(first).unwrap_or(0).min(MOST);
    let mut shifted = vec![*words.first()?; below];
    shifted.extend(words.into_iter().take(entries));
    Some(shifted)
}

fn unsegmented(data: &PrimitiveValue, entries: usize) -> Vec<u16> {
    let words: Vec<u16> = match data {
        PrimitiveValue::U16(words) => words.to_vec(),
        other => {
            let bytes = other.to_bytes();
            if bytes.len() < 2 * entries {
                bytes.iter().map(|&b| u16::from(b)).collect()
            } else {
                let pairs = bytes.as_chunks::<2>().0.iter();
                pairs.map(|&w| u16::from_le_bytes(w)).collect()
            }
        }
    };
    // Two 8-bit entries lie in each word where there are half as many.
    if words.len() < entries && 2 * words.len() >= entries {
        let bytes = words.iter().flat_map(|w| w.to_le_bytes());
        return bytes.map(u16::from).collect();
    }
    words
}

fn words_as_bytes(data: &PrimitiveValue) -> Vec<u8> {
    match data {
        PrimitiveValue::U16(words) => words.iter().flat_map(|w| w.to_le_bytes()).collect(),
        other => other.to_bytes().into_owned(),
    }
}

/// The table that segments describe; they are of bytes in a table of 8 bits, else of words, unless
/// only the other reading gives as many entries as there should be.
fn expand(bytes: &[u8], entries: usize, is_narrow: bool) -> Option<Vec<u16>> {
    let as_bytes: Vec<u16> = bytes.iter().map(|&b| u16::from(b)).collect();
    let (pairs, _) = bytes.as_chunks::<2>();
    let as_words: Vec<u16> = pairs.iter().map(|&w| u16::from_le_bytes(w)).collect();
    let readings = match is_narrow {
        true => [Segments::bytes(&as_bytes), Segments::words(&as_words)],
        false => [Segments::words(&as_words), Segments::bytes(&as_bytes)],
    };
    let [likely, other] = readings.map(|r| r.expand(entries));
    let whole = |t: &Vec<u16>| t.len() >= entries;
    match (likely, other) {
        (Some(table), _) if whole(&table) => Some(table),
        (_, Some(table)) if whole(&table) => Some(table),
        (likely, _) => likely,
    }
}

struct Segments<'a> {
    data: &'a [u16],
    /// Bytes of an element.
    width: usize,
}

impl<'a> Segments<'a> {
    fn bytes(data: &'a [u16]) -> Self {
        Self { data, width: 1 }
    }

    fn words(data: &'a [u16]) -> Self {
        Self { data, width: 2 }
    }

    /// `None` where they cannot be followed.
    fn expand(&self, entries: usize) -> Option<Vec<u16>> {
        let mut table = Vec::new();
        let mut at = 0;
        let mut copied = 0;
        while at < self.data.len() && table.len() < entries {
            match *self.data.get(at)? {
                2 => {
                    let segments = usize::from(*self.data.get(at + 1)?);
                    copied += segments;
                    if copied > MOST_COPIED {
                        return None;
                    }
                    // The place in bytes, its lowest part first.
                    let parts = 4 / self.width;
                    let place = self.data.get(at + 2..at + 2 + parts)?.iter().rev();
                    let place =
                        place.fold(0usize, |p, &part| p << (8 * self.width) | usize::from(part));
                    let mut from = place / self.width;
                    for _ in 0..segments {
                        from = self.plain(from, &mut table)?;
                    }
                    at += 2 + parts;
                }
                _ => at = self.plain(at, &mut table)?,
            }
        }
        Some(table)
    }

    /// A discrete or a linear segment; where the next one begins.
    fn plain(&self, at: usize, table: &mut Vec<u16>) -> Option<usize> {
        let length = usize::from(*self.data.get(at + 1)?);
        if table.len() + length > MOST + 255 {
            return None;
        }
        match *self.data.get(at)? {
            0 => {
                table.extend_from_slice(self.data.get(at + 2..at + 2 + length)?);
                Some(at + 2 + length)
            }
            1 => {
                let to = f64::from(*self.data.get(at + 2)?);
                // From the entry before on, which a table's first segment does not have.
                let from = f64::from(*table.last()?);
                let step = (to - from) / length.max(1) as f64;
                table.extend((1..=length).map(|k| (from + step * k as f64).round() as u16));
                Some(at + 3)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_three_kinds_of_segments_in_both_widths() {
        // Two entries, a ramp of three to 9, and both again.
        let words = [0u16, 2, 1, 3, 1, 3, 9, 2, 2, 0, 0];
        let right = [1, 3, 5, 7, 9, 1, 3, 5, 7, 9];
        assert_eq!(Segments::words(&words).expand(10).unwrap(), right);
        let bytes = [0u16, 2, 1, 3, 1, 3, 9, 2, 2, 0, 0, 0, 0];
        assert_eq!(Segments::bytes(&bytes).expand(10).unwrap(), right);
        // The width that gives enough entries is taken, whatever the descriptor says.
        let stored: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        assert_eq!(expand(&stored, 10, true).unwrap(), right);
        assert_eq!(expand(&stored, 10, false).unwrap(), right);
    }

    #[test]
    fn an_indirect_segment_counts_bytes() {
        // A ramp at byte 8 of words: it is the second segment.
        let words = [0u16, 2, 0, 100, 1, 2, 200, 2, 1, 8, 0];
        let table = Segments::words(&words).expand(6).unwrap();
        assert_eq!(table, [0, 100, 150, 200, 200, 200]);
    }

    proptest! {
        #[test]
        fn no_segments_make_it_panic_or_grow(bytes in proptest::collection::vec(0u8..6, 0..200), entries in 1usize..300, narrow: bool) {
            if let Some(table) = expand(&bytes, entries, narrow) {
                prop_assert!(table.len() <= 2 * MOST);
            }
        }
    }
}
