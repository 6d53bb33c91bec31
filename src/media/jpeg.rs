//! What the markers of a JPEG say (ITU T.81 Annex B), and the markers that some writers leave out.

use std::borrow::Cow;

/// How the components are coded as colours, by a marker of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// JFIF, which is always luminance and colour differences.
    Jfif,
    /// Adobe's: 0 as they are, 1 luminance and colour differences.
    Adobe(u8),
}

/// A JPEG's headers up to its first scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which kind: 0xc0 to 0xcf, or 0xf7 for JPEG-LS.
    pub start_of_frame: u8,
    /// Bits of a sample.
    pub precision: u8,
    /// Horizontal and vertical sampling of each component.
    pub sampling: Vec<[u8; 2]>,
    pub marked: Option<Marked>,
    pub has_huffman_tables: bool,
    /// Where the first scan begins.
    scan: usize,
}

/// Segments before the first scan that are walked through.
const MOST_SEGMENTS: usize = 1000;

impl Header {
    /// `None` for what is no JPEG, or ends before its first scan.
    pub fn read(jpeg: &[u8]) -> Option<Self> {
        if !jpeg.starts_with(b"\xff\xd8") {
            return None;
        }
        let mut header = Self {
            start_of_frame: 0,
            precision: 0,
            sampling: Vec::new(),
            marked: None,
            has_huffman_tables: false,
            scan: 0,
        };
        let mut at = 2;
        for _ in 0..MOST_SEGMENTS {
            // Markers may be preceded by any number of fill bytes.
            while jpeg.get(at) == Some(&0xff) && jpeg.get(at + 1) == Some(&0xff) {
                at += 1;
            }
            let &[0xff, marker, high, low] = jpeg.get(at..at + 4)?.first_chunk::<4>()? else {
                return None;
            };
            let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
            let content = jpeg.get(at + 4..end).unwrap_or_default();
            match marker {
                0xc4 => header.has_huffman_tables = true,
                0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7 => {
                    header.start_of_frame = marker;
                    header.precision = *content.first()?;
                    let components = content.get(6..).unwrap_or_default().as_chunks::<3>().0;
                    let sampling = components.iter().map(|c| [c[1] >> 4, c[1] & 15]);
                    header.sampling = sampling.collect();
                }
                0xe0 if content.starts_with(b"JFIF") && header.marked.is_none() => {
                    header.marked = Some(Marked::Jfif);
                }
                // One that is too short to say anything says nothing.
                0xee if content.starts_with(b"Adobe") => {
                    let transform = content.get(11).map(|t| Marked::Adobe(*t));
                    header.marked = transform.or(header.marked);
                }
                0xda => {
                    header.scan = at;
                    return (header.start_of_frame > 0).then_some(header);
                }
                _ => {}
            }
            at = end;
        }
        None
    }

    /// Whether colour has fewer samples than light: only luminance and colour differences are so.
    pub fn is_subsampled(&self) -> bool {
        self.sampling.len() == 3 && self.sampling.iter().any(|s| *s != self.sampling[0])
    }
}

/// The Adobe segment that says how the components are coded as colours, up to its last byte.
const ADOBE: [u8; 15] = *b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00";

/// The same JPEG, said to be of these colours, whatever it says now.
pub fn marked(jpeg: &[u8], transform: u8) -> Option<Vec<u8>> {
    let mut marked = jpeg.get(..2)?.to_vec();
    marked.extend(ADOBE);
    marked.push(transform);
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = jpeg.get(at..at + 4) {
        if marker == 0xda {
            break;
        }
        let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        // JFIF's own would speak against it.
        if !matches!(marker, 0xee | 0xe0) {
            marked.extend_from_slice(jpeg.get(at..end)?);
        }
        at = end;
    }
    marked.extend_from_slice(jpeg.get(at..)?);
    Some(marked)
}

/// The tables of ITU T.81 Annex K.3, which the frames of Motion JPEG may leave out: class and number,
/// codes of each length, values.
const TABLES: [(u8, [u8; 16], &[u8]); 4] = [
    (
        0x00,
        [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ),
    (
        0x01,
        [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ),
    (
        0x10,
        [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d],
        b"\x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07\x22\x71\x14\x32\x81\x91\
          \xa1\x08\x23\x42\xb1\xc1\x15\x52\xd1\xf0\x24\x33\x62\x72\x82\x09\x0a\x16\x17\x18\x19\x1a\
          \x25\x26\x27\x28\x29\x2a\x34\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\x53\
          \x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\x79\
          \x7a\x83\x84\x85\x86\x87\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\
          \xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\
          \xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf1\xf2\
          \xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa",
    ),
    (
        0x11,
        [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77],
        b"\x00\x01\x02\x03\x11\x04\x05\x21\x31\x06\x12\x41\x51\x07\x61\x71\x13\x22\x32\x81\x08\x14\
          \x42\x91\xa1\xb1\xc1\x09\x23\x33\x52\xf0\x15\x62\x72\xd1\x0a\x16\x24\x34\xe1\x25\xf1\x17\
          \x18\x19\x1a\x26\x27\x28\x29\x2a\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49\x4a\
          \x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\
          \x79\x7a\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\
          \xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5\xc6\xc7\
          \xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf2\
          \xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa",
    ),
];

/// The same JPEG with the usual Huffman tables, where it has none of its own.
pub fn with_huffman_tables(jpeg: &[u8]) -> Cow<'_, [u8]> {
    let lacking = Header::read(jpeg)
        .filter(|h| !h.has_huffman_tables && matches!(h.start_of_frame, 0xc0 | 0xc1));
    let Some((before, after)) = lacking.and_then(|h| jpeg.split_at_checked(h.scan)) else {
        return jpeg.into();
    };
    let mut whole = before.to_vec();
    for (class, lengths, values) in TABLES {
        let length = 2 + 1 + lengths.len() + values.len();
        whole.extend([0xff, 0xc4, (length >> 8) as u8, length as u8, class]);
        whole.extend(lengths);
        whole.extend(values);
    }
    whole.extend_from_slice(after);
    whole.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_usual_tables_are_complete() {
        for (_, lengths, values) in TABLES {
            let codes: usize = lengths.iter().map(|&n| usize::from(n)).sum();
            assert_eq!(codes, values.len());
            // No code is longer than there is room for, and none is twice.
            let kraft: u32 = (1u32..)
                .zip(lengths)
                .map(|(k, n)| u32::from(n) << (16 - k))
                .sum();
            assert!(kraft < 1 << 16);
            let distinct: std::collections::BTreeSet<_> = values.iter().collect();
            assert_eq!(distinct.len(), values.len());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_markers_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), jpeg in any::<bool>()) {
            if jpeg && bytes.len() > 3 {
                bytes[..3].copy_from_slice(b"\xff\xd8\xff");
            }
            let _ = Header::read(&bytes);
            let _ = marked(&bytes, 1);
            prop_assert!(with_huffman_tables(&bytes).len() >= bytes.len());
        }
    }
}
