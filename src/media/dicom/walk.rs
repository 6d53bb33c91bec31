//! A walk over the elements of a data set, in whichever syntax each of its parts is written.
//!
//! An element of unknown VR and undefined length is a sequence in implicit VR, whatever surrounds
//! it (PS3.5 6.2.2): private sequences come so out of archives that do not know them. One of known
//! length is such a sequence where the dictionary says that its attribute is one.

use super::start::BIG_ENDIAN;
use crate::media::bytes::{Bytes, Reader};
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::header::SequenceItemHeader;
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElementHeader, Length, Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags, uids};
use dicom_encoding::TransferSyntax;
use dicom_parser::StatefulDecode;
use dicom_parser::stateful::decode::DynStatefulDecoder;
use dicom_transfer_syntax_registry::entries::{
    EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN,
};

/// Values longer than this are not read to be passed over.
const FAR: u32 = 4096;
/// Sequences within sequences; no scan has more.
const MOST_DEPTH: usize = 64;

type Decoder<'a> = DynStatefulDecoder<Reader<'a>>;

/// A sequence, or an item of one, that is being read.
struct Level {
    /// Of the sequence.
    tag: Tag,
    is_item: bool,
    /// Where it ends; else its delimiter says so.
    end: Option<u64>,
    layout: &'static str,
}

/// What comes next. Sequences themselves are walked into.
pub enum Element {
    /// An item of the innermost sequence begins.
    Item,
    /// A value that the walk stands before: read or skipped next.
    Value(DataElementHeader),
    /// Encapsulated pixels, whose first item is next.
    Fragments,
}

/// A damaged data set, or one that ends too early.
pub struct Damaged;

pub struct Walk<'a> {
    bytes: &'a Bytes,
    decoder: Decoder<'a>,
    /// What `decoder` reads.
    layout: &'static str,
    /// Of the whole.
    outer: &'static str,
    levels: Vec<Level>,
    /// Tags of the sequences around.
    path: Vec<Tag>,
}

impl<'a> Walk<'a> {
    /// From the first element on, in a native syntax.
    pub fn new(bytes: &'a Bytes, at: u64, layout: &'static str) -> Result<Self, Damaged> {
        Ok(Self {
            bytes,
            decoder: decoder(bytes, at, layout)?,
            layout,
            outer: layout,
            levels: Vec::new(),
            path: Vec::new(),
        })
    }

    /// The sequences around, outermost first.
    pub fn path(&self) -> &[Tag] {
        &self.path
    }

    /// In the file.
    pub fn position(&self) -> u64 {
        self.decoder.position()
    }

    /// `None` at the end of the data set.
    pub fn next(&mut self) -> Result<Option<Element>, Damaged> {
        loop {
            let at = self.position();
            while self
                .levels
                .last()
                .is_some_and(|l| l.end.is_some_and(|end| at >= end))
            {
                self.leave();
            }
            let layout = self.levels.last().map_or(self.outer, |l| l.layout);
            if layout != self.layout {
                self.decoder = decoder(self.bytes, at, layout)?;
                self.layout = layout;
            }
            if self.levels.last().is_some_and(|l| !l.is_item) {
                if self.item()? {
                    return Ok(Some(Element::Item));
                }
                continue;
            }
            if self.levels.is_empty() && at >= self.bytes.len() {
                return Ok(None);
            }
            let header = self.decoder.decode_header().map_err(|_| Damaged)?;
            let header = match header.tag {
                // By an attribute that is never anything else.
                tags::PIXEL_DATA if header.vr == VR::UN => DataElementHeader {
                    vr: VR::OB,
                    ..header
                },
                _ => header,
            };
            match (header.tag.group(), header.tag.element()) {
                (0xfffe, 0xe00d | 0xe0dd) => {
                    // A delimiter more than there are items is harmless.
                    self.leave();
                    continue;
                }
                (0xfffe, _) => return Err(Damaged),
                _ => {}
            }
            if header.len.is_undefined() && matches!(header.vr, VR::OB | VR::OW) {
                if self.levels.is_empty() && header.tag == tags::PIXEL_DATA {
                    return Ok(Some(Element::Fragments));
                }
                // A thumbnail's, or a maker's own: the items hold no elements.
                self.skip_fragments()?;
                continue;
            }
            if let Some(layout) = self.sequence(&header) {
                self.enter(&header, layout)?;
                continue;
            }
            if header.len.is_undefined() {
                return Err(Damaged);
            }
            return Ok(Some(Element::Value(by_dictionary(header))));
        }
    }

    /// The layout of the sequence that a header begins.
    fn sequence(&self, header: &DataElementHeader) -> Option<&'static str> {
        match header.vr {
            VR::SQ => Some(self.layout),
            // Implicit VR has no letters: what the dictionary does not know reads as unknown.
            VR::UN if header.len.is_undefined() || dictionary(header.tag) == Some(VR::SQ) => {
                Some(uids::IMPLICIT_VR_LITTLE_ENDIAN)
            }
            _ if header.len.is_undefined() => Some(self.layout),
            _ => None,
        }
    }

    fn enter(&mut self, header: &DataElementHeader, layout: &'static str) -> Result<(), Damaged> {
        if self.levels.len() >= 2 * MOST_DEPTH {
            return Err(Damaged);
        }
        self.path.push(header.tag);
        self.levels.push(Level {
            tag: header.tag,
            is_item: false,
            end: self.end(header.len),
            layout,
        });
        Ok(())
    }

    /// Whether an item begins; else the sequence has ended.
    fn item(&mut self) -> Result<bool, Damaged> {
        let Some((tag, layout)) = self.levels.last().map(|l| (l.tag, l.layout)) else {
            return Err(Damaged);
        };
        match self.decoder.decode_item_header().map_err(|_| Damaged)? {
            SequenceItemHeader::Item { len } => {
                let layout = match layout {
                    uids::IMPLICIT_VR_LITTLE_ENDIAN if self.outer != layout => self.within()?,
                    layout => layout,
                };
                self.levels.push(Level {
                    tag,
                    is_item: true,
                    end: self.end(len),
                    layout,
                });
                Ok(true)
            }
            SequenceItemHeader::SequenceDelimiter => {
                self.leave();
                Ok(false)
            }
            SequenceItemHeader::ItemDelimiter => Ok(false),
        }
    }

    /// The layout of an item of unknown VR in a file of explicit VR: implicit by the standard,
    /// and explicit as some write it.
    fn within(&self) -> Result<&'static str, Damaged> {
        let head = self.bytes.at(self.position(), 6).map_err(|_| Damaged)?;
        let letters = head.get(4..6).and_then(|l| l.try_into().ok());
        let is_explicit = letters.and_then(VR::from_binary).is_some();
        Ok(if is_explicit {
            self.outer
        } else {
            uids::IMPLICIT_VR_LITTLE_ENDIAN
        })
    }

    fn end(&self, length: Length) -> Option<u64> {
        length.get().map(|n| self.position() + u64::from(n))
    }

    fn leave(&mut self) {
        if self.levels.pop().is_some_and(|l| !l.is_item) {
            self.path.pop();
        }
    }

    fn skip_fragments(&mut self) -> Result<(), Damaged> {
        loop {
            match self.decoder.decode_item_header().map_err(|_| Damaged)? {
                SequenceItemHeader::Item { len } => {
                    self.skip(len.get().ok_or(Damaged)?)?;
                }
                SequenceItemHeader::SequenceDelimiter => return Ok(()),
                SequenceItemHeader::ItemDelimiter => {}
            }
        }
    }

    /// Passes over a value.
    pub fn skip(&mut self, length: u32) -> Result<(), Damaged> {
        let to = self.position() + u64::from(length);
        if to > self.bytes.len() {
            return Err(Damaged);
        }
        if length > FAR {
            self.decoder = decoder(self.bytes, to, self.layout)?;
            return Ok(());
        }
        self.decoder.skip_bytes(length).map_err(|_| Damaged)
    }

    /// Reads a value.
    pub fn read(&mut self, header: &DataElementHeader) -> Result<PrimitiveValue, Damaged> {
        let value = self.decoder.read_value_preserved(header);
        value.map_err(|_| Damaged)
    }
}

fn decoder<'a>(bytes: &'a Bytes, at: u64, layout: &str) -> Result<Decoder<'a>, Damaged> {
    let syntax: TransferSyntax = match layout {
        uids::IMPLICIT_VR_LITTLE_ENDIAN => IMPLICIT_VR_LITTLE_ENDIAN.erased(),
        BIG_ENDIAN => EXPLICIT_VR_BIG_ENDIAN.erased(),
        _ => EXPLICIT_VR_LITTLE_ENDIAN.erased(),
    };
    DynStatefulDecoder::new_with_ts(bytes.reader(at), &syntax, at).map_err(|_| Damaged)
}

fn dictionary(tag: Tag) -> Option<VR> {
    let entry = StandardDataDictionary.by_tag(tag)?;
    Some(entry.vr().relaxed())
}

/// A known attribute that came as unknown is read as what it is.
fn by_dictionary(header: DataElementHeader) -> DataElementHeader {
    let vr = match header.vr {
        VR::UN => dictionary(header.tag).unwrap_or(VR::UN),
        vr => vr,
    };
    DataElementHeader { vr, ..header }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A private sequence of unknown VR with another one inside, and a value after it.
    const WHOLE: &[u8] = b"\x11\x00\x00\x10UN\0\0\xff\xff\xff\xff\
        \xfe\xff\x00\xe0\xff\xff\xff\xff\
        \x11\x00\x01\x10\x02\0\0\0ab\
        \x11\x00\x02\x10\xff\xff\xff\xff\xfe\xff\xdd\xe0\0\0\0\0\
        \xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0\
        \x28\x00\x10\x00US\x02\x00\x07\x00";

    /// The tags of the values, and how they are nested; whether the walk came to the end.
    fn walked(bytes: Vec<u8>) -> (Vec<(usize, Tag)>, bool) {
        let bytes = Bytes::Memory(bytes);
        let mut found = Vec::new();
        let Ok(mut walk) = Walk::new(&bytes, 0, uids::EXPLICIT_VR_LITTLE_ENDIAN) else {
            return (found, false);
        };
        loop {
            match walk.next() {
                Ok(None) => return (found, true),
                Ok(Some(Element::Item)) => {}
                Ok(Some(Element::Value(header))) => {
                    found.push((walk.path().len(), header.tag));
                    let length = header.len.get().unwrap_or(0);
                    if walk.skip(length).is_err() {
                        return (found, false);
                    }
                }
                Ok(Some(Element::Fragments)) | Err(Damaged) => return (found, false),
            }
        }
    }

    #[test]
    fn a_sequence_of_unknown_vr_is_followed_to_its_end() {
        let right = vec![(1, Tag(0x11, 0x1001)), (0, tags::ROWS)];
        assert_eq!(walked(WHOLE.to_vec()), (right, true));
        let (found, whole) = walked(WHOLE[..WHOLE.len() - 12].to_vec());
        assert!(found.len() == 1 && !whole);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_go_round(
            changes in proptest::collection::vec((0..WHOLE.len(), any::<u8>()), 0..6),
            rest in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut bytes = WHOLE.to_vec();
            for (at, byte) in changes {
                bytes[at] = byte;
            }
            bytes.extend(rest);
            let (found, _) = walked(bytes);
            prop_assert!(found.len() < WHOLE.len());
        }
    }
}
