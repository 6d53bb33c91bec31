//! Twenty letters that a person copies from a slip of paper: a reader's code, or the receipt of a log.

use super::secret::Secret;
use std::fmt;

/// Crockford's base 32: digits and letters without I, L, O and U.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 20;
const GROUP: usize = 5;
const BITS: usize = 5;

/// 100 bits, shown as `XXXXX-XXXXX-XXXXX-XXXXX`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(u128);

/// A code opens a study, so nothing that is printed by mistake has it.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    #[error(
        "a code has {LENGTH} letters and digits, and this has {0}: copy all four groups of five"
    )]
    Length(usize),
    #[error("'{0}' is in no code: codes have letters, digits and dashes")]
    Letter(char),
}

impl Code {
    /// Of the first 100 bits.
    pub fn from_bytes(bytes: [u8; 13]) -> Self {
        let all = bytes.iter().fold(0, |sum, &b| sum << 8 | u128::from(b));
        Self(all >> (8 * bytes.len() - BITS * LENGTH))
    }

    /// The code of a reader: it follows from the study's secret and the reader's name.
    pub fn of_reader(secret: &Secret, reader: &str) -> Self {
        Self::of_hash(&secret.derive("code of a reader", reader.as_bytes()))
    }

    /// Of the first 100 bits of a SHA-256.
    pub fn of_hash(hash: &[u8; 32]) -> Self {
        let mut bytes = [0; 13];
        bytes.copy_from_slice(&hash[..13]);
        Self::from_bytes(bytes)
    }

    /// Reads what a person typed: letters of any size, with dashes and spaces or without; O is 0, I and L
    /// are 1, U is V, none of which a code has.
    ///
    /// # Errors
    /// When there are not twenty letters, or one that no code has.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let (mut code, mut length) = (0, 0);
        for typed in text.chars() {
            let letter = match typed.to_ascii_uppercase() {
                ' ' | '\t' | '\r' | '\n' | '\u{a0}' => continue,
                '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' => continue,
                'O' => '0',
                'I' | 'L' => '1',
                'U' => 'V',
                other => other,
            };
            let value = LETTERS.iter().position(|&l| char::from(l) == letter);
            let value = value.ok_or(CodeError::Letter(typed))?;
            length += 1;
            if length <= LENGTH {
                code = code << BITS | value as u128;
            }
        }
        match length {
            LENGTH => Ok(Self(code)),
            other => Err(CodeError::Length(other)),
        }
    }

    /// The letters without dashes: what a key is derived from.
    pub fn letters(&self) -> String {
        let letter = |i: usize| LETTERS[(self.0 >> (BITS * i)) as usize % LETTERS.len()];
        (0..LENGTH).rev().map(|i| char::from(letter(i))).collect()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, letter) in self.letters().chars().enumerate() {
            let dash = if i > 0 && i % GROUP == 0 { "-" } else { "" };
            write!(f, "{dash}{letter}")?;
        }
        Ok(())
    }
}

/// The receipt of a log whose last line has this SHA-256: its first 100 bits, as a code is shown.
pub fn receipt(hash: &[u8; 32]) -> String {
    Code::of_hash(hash).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_has_the_first_hundred_bits() {
        let mut bytes = [0; 13];
        assert_eq!(
            Code::from_bytes(bytes).to_string(),
            "00000-00000-00000-00000"
        );
        bytes[0] = 0b0000_1000;
        bytes[12] = 0b0011_1111; // only its upper half is in the code
        assert_eq!(
            Code::from_bytes(bytes).to_string(),
            "10000-00000-00000-00003"
        );
        let hash = [0xff; 32];
        assert_eq!(receipt(&hash), "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ");
    }

    #[test]
    fn what_a_person_types_is_understood() {
        let code = Code::parse("01VZA-00000-11111-VVVVV").unwrap();
        for typed in [
            "01vza000001 1111vvvvv",
            " oLuza \u{2013} OOOOO \u{2212} iIlL1 -uUvVu\r\n",
        ] {
            assert_eq!(Code::parse(typed), Ok(code), "{typed}");
        }
        assert_eq!(Code::parse(""), Err(CodeError::Length(0)));
        assert_eq!(Code::parse(&"A".repeat(21)), Err(CodeError::Length(21)));
        assert_eq!(Code::parse("01VZA-0000!"), Err(CodeError::Letter('!')));
        assert_eq!(Code::parse("01VZÄ"), Err(CodeError::Letter('Ä')));
    }

    #[test]
    fn a_code_is_not_printed_by_mistake() {
        let code = Code::from_bytes([0x5a; 13]);
        assert!(!format!("{code:?}").contains(&code.letters()[..5]));
    }

    #[test]
    fn readers_have_codes_of_their_own_that_follow_from_the_secret() {
        let of = |n: u8, reader| Code::of_reader(&Secret::new([n; 32]), reader);
        assert_eq!(of(1, "R1"), of(1, "R1"));
        assert!(of(1, "R1") != of(1, "R2") && of(1, "R1") != of(2, "R1"));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(bytes: [u8; 13], text in "\\PC{0,30}") {
            let code = Code::from_bytes(bytes);
            prop_assert_eq!(Code::parse(&code.to_string()), Ok(code));
            prop_assert_eq!(Code::parse(&code.letters().to_lowercase()), Ok(code));
            if let Ok(read) = Code::parse(&text) {
                prop_assert_eq!(Code::parse(&read.to_string()), Ok(read));
            }
        }
    }
}
