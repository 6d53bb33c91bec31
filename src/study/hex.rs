//! Bytes as hexadecimal digits, written in one way only.

pub use crate::hash::hex;

/// Bytes of their digits; `None` where the text is not what [`hex`] writes.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |&[high, low]: &[u8; 2]| Some(digit(high)? * 16 + digit(low)?);
    let bytes = pairs.iter().map(byte).collect::<Option<_>>()?;
    rest.is_empty().then_some(bytes)
}

/// So many bytes of their digits.
pub fn unhex_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    unhex(text)?.try_into().ok()
}

/// Whether the text is so many digits as [`hex`] writes them.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|letter| digit(letter).is_some())
}

fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_they_are_written() {
        let all: Vec<u8> = (0..=255).collect();
        let text = hex(&all);
        assert!(
            text.starts_with("000102") && text.ends_with("feff"),
            "{text}"
        );
        assert_eq!(unhex(&text), Some(all));
        assert_eq!(unhex_array(&text[..4]), Some([0, 1]));
        for wrong in ["0", "0g", "FF", "é", "0x", "00 "] {
            assert_eq!(unhex(wrong), None, "{wrong}");
            assert!(!is_hex(wrong, wrong.len()) || wrong == "0", "{wrong}");
        }
        assert_eq!(unhex_array::<3>("0001"), None);
        assert!(is_hex("00af", 4) && !is_hex("00af", 5));
    }
}
