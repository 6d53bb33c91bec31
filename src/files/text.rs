//! Text files, whatever editor saved them.

use super::read_at_most;
use std::io;
use std::path::Path;

/// A text file's characters, without the byte order mark that editors on Windows put before them; UTF-16
/// where that mark says so, else UTF-8.
///
/// # Errors
/// When the bytes are no text of that kind.
pub fn text_of(bytes: &[u8]) -> io::Result<String> {
    let no_text = || io::Error::new(io::ErrorKind::InvalidData, "it is not a text in UTF-8");
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|&pair| unit(pair)).collect();
        let text = String::from_utf16(&units).ok();
        text.filter(|_| odd.is_empty()).ok_or_else(no_text)
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest)
            .map(str::to_owned)
            .map_err(|_| no_text()),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| no_text()),
    }
}

/// Bytes of a text file at most.
const MOST_BYTES: usize = 256 << 20;

/// Reads a text file as [`text_of`] does.
///
/// # Errors
/// When it cannot be read, is larger than any that is asked for, or is no text.
pub fn read_text(path: &Path) -> io::Result<String> {
    match read_at_most(path, MOST_BYTES)? {
        Some(bytes) => text_of(&bytes),
        None => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {} MB", MOST_BYTES >> 20),
        )),
    }
}

/// The lines that the rows of a CSV stand in, from 1, its head first: empty lines are none, nor, where they may be, remarks.
/// A row is a line; one with a line break between quotes is counted as two.
pub fn lines_of_rows(text: &str, remarks: bool) -> Vec<usize> {
    let is_none = |line: &str| line.is_empty() || (remarks && line.starts_with('#'));
    let numbered = text.lines().enumerate();
    numbered
        .filter_map(|(i, line)| (!is_none(line)).then_some(i + 1))
        .collect()
}

/// Why a row of a CSV is none, without the line, which [`lines_of_rows`] knows better.
pub fn why_no_row(e: &csv::Error) -> String {
    match e.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        csv::ErrorKind::UnequalLengths { .. } => {
            "it has more or fewer columns than the first line".into()
        }
        _ => "it cannot be read".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_stand_where_their_lines_are() {
        let text = "a,b\n\n# a remark\n1,2\n#3,4\n5,6";
        assert_eq!(lines_of_rows(text, true), [1, 4, 6]);
        assert_eq!(lines_of_rows(text, false), [1, 3, 4, 5, 6]);
    }

    proptest! {
        #[test]
        fn marks_of_byte_order_are_read_and_gone(text in "[^\u{feff}]{0,40}", rest in proptest::collection::vec(any::<u8>(), 0..40)) {
            let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
                std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect()
            };
            let marked = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
            for bytes in [text.clone().into_bytes(), marked, utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
                prop_assert_eq!(&text_of(&bytes).unwrap(), &text);
            }
            let _ = text_of(&rest);
        }
    }
}
