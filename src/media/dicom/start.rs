//! Where a data set begins, and its transfer syntax. Files without preamble, without meta
//! information, or with some of it missing are what some archives and old exports hold.

use crate::media::bytes::Bytes;
use dicom_dictionary_std::uids;
use flate2::read::DeflateDecoder;
use std::io::{self, Read};

/// A data set and how it is coded.
pub struct Start {
    pub bytes: Bytes,
    /// Of the first attribute.
    pub at: u64,
    /// The transfer syntax's UID; as it looks, where the file does not say.
    pub syntax: String,
    /// The native syntax that the attributes are really written in.
    pub layout: &'static str,
}

/// Explicit VR Big Endian, retired.
pub const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
/// Deflated data sets are unpacked into memory, up to here.
const MOST_UNPACKED: u64 = 200 << 20;
/// Attributes of the file meta group that are looked at.
const MOST_META: usize = 64;

/// `None` for a file that does not look like DICOM.
///
/// # Errors
/// When the file cannot be read.
pub fn find(bytes: Bytes) -> io::Result<Option<Start>> {
    let mut at = if bytes.at(128, 4)? == b"DICM" { 132 } else { 0 };
    let with_preamble = at > 0;
    let mut syntax = None;
    for _ in 0..MOST_META {
        let head = bytes.at(at, 12)?;
        let Some(element) = meta_element(&head) else {
            break;
        };
        let value = at + element.header;
        if element.number == 0x0010 {
            let text = bytes.at(value, element.length.min(64) as usize)?;
            let text = String::from_utf8_lossy(&text);
            syntax = Some(text.trim_end_matches(['\0', ' ']).to_owned());
        }
        at = value + u64::from(element.length);
    }
    let named = syntax.filter(|s| s.starts_with("1."));
    let looks = looks_like(&bytes.at(at, 8)?);
    // What is there counts, not what the file says of itself: a data set that can be read is not
    // deflated, and one that cannot may be.
    if looks.is_none() && with_preamble {
        let unpacked = unpack(&bytes, at)?;
        let named = named.as_deref() == Some(uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN);
        if named || looks_like(&unpacked.bytes.at(0, 8)?).is_some() {
            return Ok(Some(unpacked));
        }
    }
    // With a preamble it is DICOM, whatever follows.
    if looks.is_none() && !with_preamble {
        return Ok(None);
    }
    let layout = looks.unwrap_or(uids::EXPLICIT_VR_LITTLE_ENDIAN);
    // Some writers name one syntax and write in another; what is there counts.
    let syntax = match named {
        Some(named) if !is_native(&named) => named,
        _ => layout.to_owned(),
    };
    Ok(Some(Start {
        bytes,
        at,
        syntax,
        layout,
    }))
}

/// Uncompressed and not deflated.
pub fn is_native(syntax: &str) -> bool {
    [
        uids::IMPLICIT_VR_LITTLE_ENDIAN,
        uids::EXPLICIT_VR_LITTLE_ENDIAN,
        BIG_ENDIAN,
    ]
    .contains(&syntax)
}

fn unpack(bytes: &Bytes, at: u64) -> io::Result<Start> {
    let mut unpacked = Vec::new();
    let packed = bytes.reader(at);
    // What could be unpacked of a damaged stream is what there is.
    let _ = DeflateDecoder::new(packed)
        .take(MOST_UNPACKED)
        .read_to_end(&mut unpacked);
    Ok(Start {
        bytes: Bytes::Memory(unpacked),
        at: 0,
        syntax: uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN.into(),
        layout: uids::EXPLICIT_VR_LITTLE_ENDIAN,
    })
}

struct MetaElement {
    number: u16,
    /// Bytes before the value.
    header: u64,
    length: u32,
}

/// An element of group 0002, explicit little endian by the standard, implicit by mistake.
fn meta_element(head: &[u8]) -> Option<MetaElement> {
    let &[2, 0, n0, n1, v0, v1, l0, l1, ..] = head else {
        return None;
    };
    let number = u16::from_le_bytes([n0, n1]);
    let (header, length) = match &[v0, v1] {
        b"OB" | b"OW" | b"UN" | b"UT" | b"SQ" => {
            (12, u32::from_le_bytes(*head.get(8..12)?.first_chunk()?))
        }
        [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => {
            (8, u32::from(u16::from_le_bytes([l0, l1])))
        }
        _ => (8, u32::from_le_bytes([v0, v1, l0, l1])),
    };
    (length < 1 << 16).then_some(MetaElement {
        number,
        header,
        length,
    })
}

/// The syntax that the first attribute seems to be written in. Deflated data look like nothing.
fn looks_like(head: &[u8]) -> Option<&'static str> {
    let &[g0, g1, _, _, v0, v1, ..] = head else {
        return None;
    };
    let explicit = v0.is_ascii_uppercase() && v1.is_ascii_uppercase();
    match ([g0, g1], explicit) {
        // Image data sets begin in group 0008, directories in 0004.
        ([4 | 8, 0], true) => Some(uids::EXPLICIT_VR_LITTLE_ENDIAN),
        ([4 | 8, 0], false) => Some(uids::IMPLICIT_VR_LITTLE_ENDIAN),
        ([0, 4 | 8], true) => Some(BIG_ENDIAN),
        _ => None,
    }
}
