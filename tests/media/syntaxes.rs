//! Every transfer syntax that a writer can be had for, on files that this test writes.

use dicom_core::{DataElement, VR, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use echoif::clip::{Frame, Pixels};
use echoif::media;
use flate2::{Compression, write::DeflateEncoder};
use std::io::{Cursor, Write};
use std::path::Path;

const ROWS: usize = 24;
const COLUMNS: usize = 32;
const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Smooth, so that JPEG keeps it nearly as it is.
fn rgb(frame: usize) -> Vec<u8> {
    let pixel = |i: usize| {
        let (x, y) = (i % COLUMNS, i / COLUMNS);
        [(6 * x) as u8, (8 * y) as u8, (60 * frame + x) as u8]
    };
    (0..ROWS * COLUMNS).flat_map(pixel).collect()
}

/// The attributes of two frames, without the pixels.
fn attributes(samples: u16, photometric: &str, bits: u16) -> InMemDicomObject {
    let us = |v: u16| dicom_value!(U16, v);
    let mut object = InMemDicomObject::new_empty();
    for (tag, vr, value) in [
        (
            tags::SOP_CLASS_UID,
            VR::UI,
            uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE.into(),
        ),
        (tags::SAMPLES_PER_PIXEL, VR::US, us(samples)),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric.into()),
        (tags::PLANAR_CONFIGURATION, VR::US, us(0)),
        (tags::NUMBER_OF_FRAMES, VR::IS, "2".into()),
        (tags::ROWS, VR::US, us(ROWS as u16)),
        (tags::COLUMNS, VR::US, us(COLUMNS as u16)),
        (tags::BITS_ALLOCATED, VR::US, us(bits)),
        (tags::BITS_STORED, VR::US, us(bits)),
        (tags::HIGH_BIT, VR::US, us(bits - 1)),
        (tags::PIXEL_REPRESENTATION, VR::US, us(0)),
    ] {
        object.put(DataElement::new(tag, vr, value));
    }
    object
}

fn write(path: &Path, object: InMemDicomObject, syntax: &str) {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(syntax)
        .media_storage_sop_class_uid(uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("2.25.1");
    object.with_meta(meta).unwrap().write_to_file(path).unwrap();
}

/// The same, with fragments after an empty offset table.
fn write_fragments(path: &Path, object: InMemDicomObject, syntax: &str, fragments: &[Vec<u8>]) {
    write(path, object, syntax);
    let mut bytes = std::fs::read(path).unwrap();
    bytes.extend(b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff");
    for fragment in [Vec::new()].iter().chain(fragments) {
        let mut fragment = fragment.clone();
        if fragment.len() % 2 == 1 {
            fragment.push(0);
        }
        bytes.extend(b"\xfe\xff\x00\xe0");
        bytes.extend((fragment.len() as u32).to_le_bytes());
        bytes.extend(fragment);
    }
    bytes.extend(b"\xfe\xff\xdd\xe0\0\0\0\0");
    std::fs::write(path, bytes).unwrap();
}

/// Both frames, after a check that the file names its syntax.
fn opened(path: &Path, syntax: &str) -> [Frame; 2] {
    let opened = media::open(path).unwrap();
    assert_eq!(opened.coding.as_ref().unwrap().transfer_syntax, syntax);
    assert_eq!(opened.recording.frames(), 2);
    [0, 1].map(|i| opened.recording.frame(i).unwrap().as_ref().clone())
}

fn bytes_of(frame: &Frame) -> &[u8] {
    match &frame.pixels {
        Pixels::Gray(p) | Pixels::Rgb(p) => p,
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn native_in_every_order() {
    let folder = folder();
    let path = folder.path().join("I");
    for syntax in [
        uids::IMPLICIT_VR_LITTLE_ENDIAN,
        uids::EXPLICIT_VR_LITTLE_ENDIAN,
        BIG_ENDIAN,
    ] {
        let mut object = attributes(3, "RGB", 8);
        let pixels = [rgb(0), rgb(1)].concat();
        object.put(DataElement::new(
            tags::PIXEL_DATA,
            VR::OB,
            dicom_core::PrimitiveValue::from(pixels),
        ));
        write(&path, object, syntax);
        let frames = opened(&path, syntax);
        assert_eq!(bytes_of(&frames[0]), rgb(0), "{syntax}");
        assert_eq!(bytes_of(&frames[1]), rgb(1), "{syntax}");
        // Sixteen bits come back by the first frame's range.
        let mut object = attributes(1, "MONOCHROME2", 16);
        let words: Vec<u16> = (0..2 * ROWS * COLUMNS).map(|i| (i % 766) as u16).collect();
        object.put(DataElement::new(
            tags::PIXEL_DATA,
            VR::OW,
            dicom_core::PrimitiveValue::U16(words.iter().copied().collect()),
        ));
        write(&path, object, syntax);
        let frames = opened(&path, syntax);
        let expected = |w: &u16| (f64::from(*w) / 765.0 * 255.0).round() as u8;
        let first: Vec<u8> = words[..ROWS * COLUMNS].iter().map(expected).collect();
        assert_eq!(bytes_of(&frames[0]), first, "{syntax}");
    }
}

#[test]
fn deflated() {
    let folder = folder();
    let path = folder.path().join("I");
    let mut object = attributes(3, "RGB", 8);
    let pixels = [rgb(0), rgb(1)].concat();
    object.put(DataElement::new(
        tags::PIXEL_DATA,
        VR::OB,
        dicom_core::PrimitiveValue::from(pixels),
    ));
    write(&path, object, uids::EXPLICIT_VR_LITTLE_ENDIAN);
    // The data set begins where group 0008 does; the meta information names the other syntax.
    let whole = std::fs::read(&path).unwrap();
    let begin = whole
        .windows(6)
        .position(|w| w == [8, 0, 0x16, 0, b'U', b'I'])
        .unwrap();
    let named = uids::EXPLICIT_VR_LITTLE_ENDIAN.as_bytes();
    let at = whole.windows(named.len()).position(|w| w == named).unwrap();
    let mut bytes = whole[..at - 2].to_vec();
    let deflated = uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
    bytes.extend((deflated.len() as u16).to_le_bytes());
    bytes.extend(deflated.as_bytes());
    let padded = named.len() + named.len() % 2;
    bytes.extend(&whole[at + padded..begin]);
    let mut encoder = DeflateEncoder::new(bytes, Compression::default());
    encoder.write_all(&whole[begin..]).unwrap();
    std::fs::write(&path, encoder.finish().unwrap()).unwrap();
    let frames = opened(&path, deflated);
    assert_eq!(bytes_of(&frames[1]), rgb(1));
}

/// PackBits of literals only, each plane a segment.
fn rle(interleaved: &[u8]) -> Vec<u8> {
    let mut header = vec![3u32];
    let mut segments: Vec<u8> = Vec::new();
    for c in 0..3 {
        header.push(64 + segments.len() as u32);
        let plane: Vec<u8> = interleaved.iter().skip(c).step_by(3).copied().collect();
        for run in plane.chunks(100) {
            segments.push(run.len() as u8 - 1);
            segments.extend(run);
        }
        if segments.len() % 2 == 1 {
            segments.push(128);
        }
    }
    header.resize(16, 0);
    let header = header.into_iter().flat_map(u32::to_le_bytes);
    header.chain(segments).collect()
}

#[test]
fn rle_by_its_label() {
    let folder = folder();
    let path = folder.path().join("I");
    let decoded = |photometric: &str, samples: [&[u8]; 2]| {
        let fragments = samples.map(rle);
        let object = attributes(3, photometric, 8);
        write_fragments(&path, object, uids::RLE_LOSSLESS, &fragments);
        opened(&path, uids::RLE_LOSSLESS).map(|f| bytes_of(&f).to_vec())
    };
    assert_eq!(decoded("RGB", [&rgb(0), &rgb(1)]), [rgb(0), rgb(1)]);
    // Luminance and colour differences; no sample is shared, even where the label says so.
    let red = [76, 85, 255].repeat(ROWS * COLUMNS);
    let expected = [254, 0, 0].repeat(ROWS * COLUMNS);
    for label in ["YBR_FULL", "YBR_FULL_422"] {
        assert_eq!(decoded(label, [&red, &red])[1], expected, "{label}");
    }
}

#[test]
fn jpeg_in_one_and_in_several_fragments() {
    let folder = folder();
    let path = folder.path().join("I");
    let jpeg = |frame: usize| {
        let mut bytes = Cursor::new(Vec::new());
        let image = image::RgbImage::from_raw(COLUMNS as u32, ROWS as u32, rgb(frame)).unwrap();
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95);
        image.write_with_encoder(encoder).unwrap();
        bytes.into_inner()
    };
    let split = |bytes: Vec<u8>| {
        let (a, b) = bytes.split_at(bytes.len() / 4 * 2);
        [a.to_vec(), b.to_vec()]
    };
    let one_each = vec![jpeg(0), jpeg(1)];
    let halves = [split(jpeg(0)), split(jpeg(1))].concat();
    for fragments in [one_each, halves] {
        let object = attributes(3, "YBR_FULL_422", 8);
        write_fragments(&path, object, uids::JPEG_BASELINE8_BIT, &fragments);
        for (i, frame) in opened(&path, uids::JPEG_BASELINE8_BIT).iter().enumerate() {
            let off = bytes_of(frame)
                .iter()
                .zip(rgb(i))
                .map(|(a, b)| a.abs_diff(b));
            assert!(off.max() <= Some(16), "frame {i}");
        }
    }
}

/// Frame 0 as `tests/coded/make.py` coded it.
fn coded(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/coded");
    std::fs::read(Path::new(folder).join(name)).unwrap()
}

/// What a file with the same coded frame twice is decoded to.
fn decoded(object: InMemDicomObject, syntax: &str, name: &str) -> Frame {
    let folder = folder();
    let path = folder.path().join("I");
    write_fragments(&path, object, syntax, &[coded(name), coded(name)]);
    let [first, second] = opened(&path, syntax);
    assert_eq!(first, second, "{name}");
    first
}

#[test]
fn jpeg_2000_and_its_high_throughput() {
    for (name, photometric, syntax) in [
        ("jpeg2000_rgb.j2k", "YBR_RCT", uids::JPEG2000_LOSSLESS),
        ("jpeg2000_rgb.j2k", "RGB", uids::JPEG2000),
        ("htj2k_rgb.j2c", "YBR_RCT", uids::HTJ2K_LOSSLESS),
        ("htj2k_rgb.j2c", "YBR_RCT", uids::HTJ2K_LOSSLESS_RPCL),
        ("htj2k_rgb.j2c", "YBR_RCT", uids::HTJ2K),
    ] {
        let frame = decoded(attributes(3, photometric, 8), syntax, name);
        assert_eq!(bytes_of(&frame), rgb(0), "{name} as {syntax}");
    }
    for (name, syntax) in [
        ("jpeg2000_gray.j2k", uids::JPEG2000_LOSSLESS),
        ("htj2k_gray.j2c", uids::HTJ2K_LOSSLESS),
    ] {
        let frame = decoded(attributes(1, "MONOCHROME2", 8), syntax, name);
        assert_eq!(bytes_of(&frame), red(), "{name}");
    }
    let lossy = decoded(
        attributes(3, "YBR_ICT", 8),
        uids::JPEG2000,
        "jpeg2000_lossy_rgb.j2k",
    );
    let off = bytes_of(&lossy).iter().zip(rgb(0));
    assert!(off.map(|(a, b)| a.abs_diff(b)).max() <= Some(3));
}

/// The first component of frame 0, which the gray files hold.
fn red() -> Vec<u8> {
    rgb(0).into_iter().step_by(3).collect()
}

#[test]
fn jpeg_lossless() {
    for syntax in [uids::JPEG_LOSSLESS, uids::JPEG_LOSSLESS_SV1] {
        let gray = attributes(1, "MONOCHROME2", 8);
        let frame = decoded(gray, syntax, "jpeg_lossless_gray.jpg");
        assert_eq!(bytes_of(&frame), red());
        let frame = decoded(attributes(3, "RGB", 8), syntax, "jpeg_lossless_rgb.jpg");
        assert_eq!(bytes_of(&frame), rgb(0));
        // Twelve bits come back by the frame's own range.
        let mut deep = attributes(1, "MONOCHROME2", 16);
        for (tag, v) in [(tags::BITS_STORED, 12u16), (tags::HIGH_BIT, 11)] {
            deep.put(DataElement::new(tag, VR::US, dicom_value!(U16, v)));
        }
        let frame = decoded(deep, syntax, "jpeg_lossless_deep.jpg");
        let brightest = f64::from(red().into_iter().max().unwrap());
        let expected = |v: u8| (f64::from(v) / brightest * 255.0).round() as u8;
        let expected: Vec<u8> = red().into_iter().map(expected).collect();
        assert_eq!(bytes_of(&frame), expected);
    }
}

#[cfg(feature = "jpeg-ls")]
#[test]
fn jpeg_ls() {
    for syntax in [uids::JPEGLS_LOSSLESS, uids::JPEGLS_NEAR_LOSSLESS] {
        let frame = decoded(attributes(3, "RGB", 8), syntax, "jpeg_ls_rgb.jls");
        assert_eq!(bytes_of(&frame), rgb(0));
        let frame = decoded(attributes(1, "MONOCHROME2", 8), syntax, "jpeg_ls_gray.jls");
        assert_eq!(bytes_of(&frame), red());
    }
}

#[test]
fn what_is_not_decoded_is_named() {
    let folder = folder();
    let path = folder.path().join("I");
    for syntax in [uids::MPEG2MPML, uids::MPEG4HP41, uids::HEVCMP51] {
        let fragments = [vec![1, 2, 3, 4], vec![5, 6, 7, 8]];
        write_fragments(
            &path,
            attributes(3, "YBR_PARTIAL_420", 8),
            syntax,
            &fragments,
        );
        let said = media::open(&path).unwrap_err().to_string();
        assert!(
            said.contains(syntax) && said.contains("Export it"),
            "{said}"
        );
    }
}
