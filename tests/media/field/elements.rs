//! Data sets written element by element, so that they can be wrong.

pub const IMPLICIT: &str = "1.2.840.10008.1.2";
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
pub const BASELINE: &str = "1.2.840.10008.1.2.4.50";
pub const LOSSLESS: &str = "1.2.840.10008.1.2.4.70";
pub const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
pub const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";
pub const RLE: &str = "1.2.840.10008.1.2.5";

pub const UNDEFINED: u32 = u32::MAX;

/// The size of the pictures in `tests/coded`.
pub const ROWS: u16 = 24;
pub const COLUMNS: u16 = 32;

pub fn gray() -> Image {
    Image::gray(ROWS, COLUMNS, 1)
}

/// An element; `None` for a VR is implicit.
pub fn element(tag: [u16; 2], vr: Option<&str>, length: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = tag.map(u16::to_le_bytes).concat();
    match vr {
        None => bytes.extend(length.to_le_bytes()),
        Some(vr) if ["OB", "OW", "SQ", "UN", "UT"].contains(&vr) => {
            bytes.extend(vr.as_bytes());
            bytes.extend([0, 0]);
            bytes.extend(length.to_le_bytes());
        }
        Some(vr) => {
            bytes.extend(vr.as_bytes());
            bytes.extend((length as u16).to_le_bytes());
        }
    }
    bytes.extend_from_slice(value);
    bytes
}

/// What begins a file.
pub fn meta(syntax: &str) -> Vec<u8> {
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM");
    bytes.extend(text([2, 0x10], "UI", syntax));
    bytes
}

pub fn text(tag: [u16; 2], vr: &str, value: &str) -> Vec<u8> {
    let mut value = value.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == "UI" { 0 } else { b' ' });
    }
    element(tag, Some(vr), value.len() as u32, &value)
}

pub fn number(tag: [u16; 2], value: u16) -> Vec<u8> {
    element(tag, Some("US"), 2, &value.to_le_bytes())
}

/// Items of a sequence, each of undefined length, and the end of it.
pub fn items(all: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for item in all {
        bytes.extend(b"\xfe\xff\x00\xe0\xff\xff\xff\xff");
        bytes.extend(item);
        bytes.extend(b"\xfe\xff\x0d\xe0\0\0\0\0");
    }
    bytes.extend(b"\xfe\xff\xdd\xe0\0\0\0\0");
    bytes
}

/// A sequence of undefined length.
pub fn sequence(tag: [u16; 2], all: &[Vec<u8>]) -> Vec<u8> {
    element(tag, Some("SQ"), UNDEFINED, &items(all))
}

/// How pixels are, in the order of the standard.
#[derive(Clone)]
pub struct Image {
    pub syntax: String,
    /// Between the meta information and the pixels' own attributes.
    pub before: Vec<u8>,
    pub samples: u16,
    pub photometric: String,
    pub frames: usize,
    pub rows: u16,
    pub columns: u16,
    pub allocated: u16,
    pub stored: u16,
    pub signed: bool,
    /// Between those attributes and the pixels.
    pub after: Vec<u8>,
}

impl Image {
    pub fn gray(rows: u16, columns: u16, frames: usize) -> Self {
        Self {
            syntax: EXPLICIT.into(),
            before: Vec::new(),
            samples: 1,
            photometric: "MONOCHROME2".into(),
            frames,
            rows,
            columns,
            allocated: 8,
            stored: 8,
            signed: false,
            after: Vec::new(),
        }
    }

    pub fn rgb(rows: u16, columns: u16, frames: usize) -> Self {
        Self {
            samples: 3,
            photometric: "RGB".into(),
            ..Self::gray(rows, columns, frames)
        }
    }

    fn attributes(&self) -> Vec<u8> {
        let mut bytes = self.before.clone();
        bytes.extend(number([0x28, 2], self.samples));
        bytes.extend(text([0x28, 4], "CS", &self.photometric));
        if self.samples > 1 {
            bytes.extend(number([0x28, 6], 0));
        }
        bytes.extend(text([0x28, 8], "IS", &self.frames.to_string()));
        for (element, value) in [
            (0x10, self.rows),
            (0x11, self.columns),
            (0x100, self.allocated),
            (0x101, self.stored),
            (0x102, self.stored - 1),
            (0x103, u16::from(self.signed)),
        ] {
            bytes.extend(number([0x28, element], value));
        }
        bytes.extend(&self.after);
        bytes
    }

    /// With these bytes as they are.
    pub fn native(&self, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = meta(&self.syntax);
        bytes.extend(self.data_set(pixels));
        bytes
    }

    /// The same without the meta information.
    pub fn data_set(&self, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = self.attributes();
        let mut pixels = pixels.to_vec();
        pixels.resize(pixels.len().next_multiple_of(2), 0);
        let length = pixels.len() as u32;
        bytes.extend(element([0x7fe0, 0x10], Some("OB"), length, &pixels));
        bytes
    }

    /// With these fragments, and an empty offset table.
    pub fn fragments(&self, fragments: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = meta(&self.syntax);
        bytes.extend(self.attributes());
        let items = fragment_items(fragments);
        bytes.extend(element([0x7fe0, 0x10], Some("OB"), UNDEFINED, &items));
        bytes
    }
}

pub fn fragment_items(fragments: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for fragment in [Vec::new()].iter().chain(fragments) {
        let mut fragment = fragment.clone();
        fragment.resize(fragment.len().next_multiple_of(2), 0);
        bytes.extend(b"\xfe\xff\x00\xe0");
        bytes.extend((fragment.len() as u32).to_le_bytes());
        bytes.extend(fragment);
    }
    bytes.extend(b"\xfe\xff\xdd\xe0\0\0\0\0");
    bytes
}

/// The fragments of a file's pixels, without the offset table.
pub fn fragments_of(file: &[u8]) -> Vec<Vec<u8>> {
    let pixels = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff";
    let mut at = file.windows(12).position(|w| w == pixels).unwrap() + 12;
    let mut found = Vec::new();
    while file[at..].starts_with(b"\xfe\xff\x00\xe0") {
        let length = u32::from_le_bytes(file[at + 4..at + 8].try_into().unwrap()) as usize;
        found.push(file[at + 8..at + 8 + length].to_vec());
        at += 8 + length;
    }
    found.remove(0);
    found
}
