//! DICOM in, by files that this test writes.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may stop a test

use dicom_core::{DataElement, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use echoif::clip::Pixels;
use echoif::media::{self, Kind};
use std::path::Path;

struct Image {
    rows: u16,
    columns: u16,
    frames: u16,
    samples: u16,
    photometric: &'static str,
    pixels: Vec<u8>,
}

fn write(path: &Path, image: &Image, more: &[(Tag, VR, PrimitiveValue)]) {
    let mut object = InMemDicomObject::new_empty();
    let mut put = |tag, vr, value: PrimitiveValue| {
        object.put(DataElement::new(tag, vr, value));
    };
    put(
        tags::SOP_CLASS_UID,
        VR::UI,
        uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE.into(),
    );
    put(tags::SOP_INSTANCE_UID, VR::UI, "2.25.1".into());
    put(tags::PATIENT_NAME, VR::PN, "DOE^JANE".into());
    put(
        tags::SAMPLES_PER_PIXEL,
        VR::US,
        dicom_value!(U16, image.samples),
    );
    put(
        tags::PHOTOMETRIC_INTERPRETATION,
        VR::CS,
        image.photometric.into(),
    );
    if image.samples > 1 {
        put(tags::PLANAR_CONFIGURATION, VR::US, dicom_value!(U16, 0));
    }
    put(
        tags::NUMBER_OF_FRAMES,
        VR::IS,
        image.frames.to_string().into(),
    );
    put(tags::ROWS, VR::US, dicom_value!(U16, image.rows));
    put(tags::COLUMNS, VR::US, dicom_value!(U16, image.columns));
    put(tags::BITS_ALLOCATED, VR::US, dicom_value!(U16, 8));
    put(tags::BITS_STORED, VR::US, dicom_value!(U16, 8));
    put(tags::HIGH_BIT, VR::US, dicom_value!(U16, 7));
    put(tags::PIXEL_REPRESENTATION, VR::US, dicom_value!(U16, 0));
    for (tag, vr, value) in more {
        put(*tag, *vr, value.clone());
    }
    put(tags::PIXEL_DATA, VR::OB, image.pixels.clone().into());
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("2.25.1");
    object.with_meta(meta).unwrap().write_to_file(path).unwrap();
}

fn gray(frames: u16) -> Image {
    Image {
        rows: 6,
        columns: 8,
        frames,
        samples: 1,
        photometric: "MONOCHROME2",
        pixels: (0..48 * u32::from(frames))
            .map(|i| (i * 5 % 256) as u8)
            .collect(),
    }
}

#[test]
fn gray_multi_frame_with_its_rate() {
    let folder = tempfile::tempdir().unwrap();
    // No extension: content decides.
    let path = folder.path().join("IM0001");
    let image = gray(3);
    write(
        &path,
        &image,
        &[(tags::FRAME_TIME, VR::DS, "33.333".into())],
    );
    let opened = media::open(&path).unwrap();
    assert_eq!(opened.kind, Kind::Dicom);
    assert_eq!(opened.clip.frames.len(), 3);
    let rate = opened.clip.rate.unwrap();
    assert!((rate.fps() - 30.0).abs() < 0.01);
    for (frame, pixels) in opened.clip.frames.iter().zip(image.pixels.chunks(48)) {
        assert_eq!((frame.width, frame.height), (8, 6));
        assert_eq!(frame.pixels, Pixels::Gray(pixels.to_vec()));
    }
}

#[test]
fn colour_single_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.dcm");
    let image = Image {
        samples: 3,
        photometric: "RGB",
        pixels: (0..144).map(|i| (i * 3 % 256) as u8).collect(),
        ..gray(1)
    };
    write(&path, &image, &[]);
    let opened = media::open(&path).unwrap();
    assert!(opened.clip.is_still() && opened.clip.rate.is_none());
    assert_eq!(opened.clip.frames[0].pixels, Pixels::Rgb(image.pixels));
}

#[test]
fn nothing_of_the_patient_is_kept_or_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.dcm");
    write(&path, &gray(2), &[]);
    let opened = media::open(&path).unwrap();
    assert!(!format!("{opened:?}").contains("DOE"));
}

#[test]
fn absurd_and_damaged_files_get_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.dcm");
    let said = |path: &Path| match media::open(path) {
        Ok(_) => panic!("it opened"),
        Err(e) => e.to_string(),
    };
    let huge = Image {
        rows: 60_000,
        columns: 60_000,
        ..gray(1)
    };
    write(&path, &huge, &[]);
    assert!(said(&path).contains("no scan has"));
    write(&path, &gray(1), &[]);
    let whole = std::fs::read(&path).unwrap();
    for cut in [140, 200, whole.len() / 2, whole.len() - 20] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert!(!said(&path).contains("DOE"), "cut at {cut}");
    }
    // Random changes end in a picture or a sentence.
    let mut state = 7u64;
    for _ in 0..200 {
        let mut bytes = whole.clone();
        for _ in 0..6 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = (state >> 20) as usize % bytes.len();
            bytes[at] = (state >> 50) as u8;
        }
        std::fs::write(&path, bytes).unwrap();
        let _ = media::open(&path).map_err(|e| assert!(!e.to_string().is_empty()));
    }
}
