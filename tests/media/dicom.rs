//! DICOM in, by files that this test writes.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use echoif::clip::Pixels;
use echoif::media::{self, Found, Kind};
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
    let clip = opened.recording.to_clip().unwrap();
    assert_eq!(clip.frames.len(), 3);
    let rate = clip.rate.unwrap();
    assert!((rate.fps() - 30.0).abs() < 0.01);
    for (frame, pixels) in clip.frames.iter().zip(image.pixels.chunks(48)) {
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
    assert!(opened.recording.is_still() && opened.recording.rate.is_none());
    let frame = opened.recording.frame(0).unwrap();
    assert_eq!(frame.pixels, Pixels::Rgb(image.pixels));
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

/// 2 x 2 pixels, one frame.
fn small(samples: u16, photometric: &'static str, pixels: Vec<u8>) -> Image {
    Image {
        rows: 2,
        columns: 2,
        frames: 1,
        samples,
        photometric,
        pixels,
    }
}

fn first_frame(image: &Image, more: &[(Tag, VR, PrimitiveValue)]) -> Pixels {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dcm");
    write(&path, image, more);
    let opened = media::open(&path).unwrap();
    opened.recording.frame(0).unwrap().pixels.clone()
}

#[test]
fn uncompressed_photometrics_are_converted() {
    let inverted = first_frame(&small(1, "MONOCHROME1", vec![0, 1, 200, 255]), &[]);
    assert_eq!(inverted, Pixels::Gray(vec![255, 254, 55, 0]));

    // Red, green, blue and gray as full-range YCbCr, by the standard's equations.
    let rgb = Pixels::Rgb(vec![254, 0, 0, 0, 255, 1, 0, 0, 254, 90, 90, 90]);
    let ybr = vec![76, 85, 255, 150, 44, 21, 29, 255, 107, 90, 128, 128];
    assert_eq!(first_frame(&small(3, "YBR_FULL", ybr.clone()), &[]), rgb);
    let planes: Vec<u8> = (0..3)
        .flat_map(|c| (0..4).map(move |k| 3 * k + c))
        .map(|i| ybr[i])
        .collect();
    let planar = [(tags::PLANAR_CONFIGURATION, VR::US, dicom_value!(U16, 1))];
    assert_eq!(first_frame(&small(3, "YBR_FULL", planes), &planar), rgb);

    // Two luminances and one pair of differences.
    let shared = vec![76, 76, 85, 255, 90, 40, 128, 128];
    let expected = Pixels::Rgb(vec![254, 0, 0, 254, 0, 0, 90, 90, 90, 40, 40, 40]);
    assert_eq!(
        first_frame(&small(3, "YBR_FULL_422", shared), &[]),
        expected
    );
}

#[test]
fn palette_colour_goes_through_its_tables() {
    let descriptor = || dicom_value!(U16, [3, 0, 16]);
    let table = |values: [u16; 3]| PrimitiveValue::U16(values.into_iter().collect());
    let more = [
        (
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            VR::US,
            descriptor(),
        ),
        (
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            VR::US,
            descriptor(),
        ),
        (
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            VR::US,
            descriptor(),
        ),
        (
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            VR::OW,
            table([0, 0x8000, 0xff00]),
        ),
        (
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            VR::OW,
            table([0x0100, 0, 0x2000]),
        ),
        (
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            VR::OW,
            table([0x0200, 0x4000, 0]),
        ),
    ];
    // Indices past the table take its last entry.
    let pixels = first_frame(&small(1, "PALETTE COLOR", vec![0, 1, 2, 9]), &more);
    assert_eq!(
        pixels,
        Pixels::Rgb(vec![0, 1, 2, 128, 0, 64, 255, 32, 0, 255, 32, 0])
    );
}

#[test]
fn the_ultrasound_region_gives_the_square_when_it_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.dcm");
    let region = |x1: u32, data_type: u16| {
        let mut item = InMemDicomObject::new_empty();
        let mut put = |tag, vr, value: PrimitiveValue| {
            item.put(DataElement::new(tag, vr, value));
        };
        put(tags::REGION_SPATIAL_FORMAT, VR::US, dicom_value!(U16, 1));
        put(tags::REGION_DATA_TYPE, VR::US, dicom_value!(U16, data_type));
        put(tags::REGION_LOCATION_MIN_X0, VR::UL, dicom_value!(U32, 1));
        put(tags::REGION_LOCATION_MIN_Y0, VR::UL, dicom_value!(U32, 2));
        put(tags::REGION_LOCATION_MAX_X1, VR::UL, dicom_value!(U32, x1));
        put(tags::REGION_LOCATION_MAX_Y1, VR::UL, dicom_value!(U32, 5));
        item
    };
    let square = |item: InMemDicomObject| {
        write(&path, &gray(1), &[]);
        let mut object = dicom_object::open_file(&path).unwrap();
        object.put(DataElement::new(
            tags::SEQUENCE_OF_ULTRASOUND_REGIONS,
            VR::SQ,
            dicom_core::value::DataSetSequence::from(vec![item]),
        ));
        object.write_to_file(&path).unwrap();
        let square = media::open(&path).unwrap().first_square();
        [square.x, square.y, square.side]
    };
    // 6 x 4 pixels from (1, 2): a square of 4 in its middle.
    assert_eq!(square(region(6, 1)), [2, 2, 4]);
    // Out of the image, or not tissue: the centre of the image.
    assert_eq!(square(region(8, 1)), [1, 0, 6]);
    assert_eq!(square(region(6, 2)), [1, 0, 6]);

    // How large its pixels are, where both directions are in centimetres.
    let scaled = |units: u16, across: f64| {
        let mut item = region(6, 1);
        let mut put = |tag, vr, value: PrimitiveValue| {
            item.put(DataElement::new(tag, vr, value));
        };
        for tag in [
            tags::PHYSICAL_UNITS_X_DIRECTION,
            tags::PHYSICAL_UNITS_Y_DIRECTION,
        ] {
            put(tag, VR::US, dicom_value!(U16, units));
        }
        put(tags::PHYSICAL_DELTA_X, VR::FD, across.into());
        put(tags::PHYSICAL_DELTA_Y, VR::FD, (-0.06).into());
        square(item);
        let opened = media::open(&path).unwrap();
        opened.scale.and_then(|s| s.of(opened.first_square()))
    };
    assert_eq!(scaled(3, 0.05), Some([0.05, 0.06]));
    for (units, across) in [(4, 0.05), (3, 0.0), (3, f64::NAN), (3, 1e9)] {
        assert_eq!(scaled(units, across), None, "{units} {across}");
    }
}

#[test]
fn a_bare_data_set_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.dcm");
    let image = gray(2);
    write(&path, &image, &[]);
    let whole = std::fs::read(&path).unwrap();
    // From SOP Class UID (0008,0016) on: no preamble, no file meta.
    let start = whole
        .windows(6)
        .position(|w| w == [8, 0, 0x16, 0, b'U', b'I'])
        .unwrap();
    let bare = folder.path().join("bare");
    std::fs::write(&bare, &whole[start..]).unwrap();
    let opened = media::open(&bare).unwrap();
    let whole = media::open(&path).unwrap().recording;
    assert_eq!(opened.recording.to_clip(), whole.to_clip());
}

#[test]
fn times_and_counts_that_no_clip_has_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.dcm");
    for time in ["-33.3", "0", "1e300", "soon", "", "0.0001"] {
        write(&path, &gray(3), &[(tags::FRAME_TIME, VR::DS, time.into())]);
        let opened = media::open(&path).unwrap();
        assert!(opened.recording.rate.is_none(), "{time:?}");
        assert_eq!(opened.recording.frames(), 3);
    }
    // A sensible cine rate behind a senseless frame time counts.
    let both = [
        (tags::FRAME_TIME, VR::DS, "0".into()),
        (tags::CINE_RATE, VR::IS, "40".into()),
        (tags::HEART_RATE, VR::IS, "0".into()),
    ];
    write(&path, &gray(3), &both);
    let opened = media::open(&path).unwrap();
    assert_eq!(opened.recording.rate.unwrap().fps(), 40.0);
    assert_eq!(opened.heart_rate, None);
    // No frames means one; more than there are means those that are there.
    let mut image = gray(3);
    image.frames = 0;
    write(&path, &image, &[]);
    assert_eq!(media::open(&path).unwrap().recording.frames(), 1);
    image.frames = 9;
    write(&path, &image, &[]);
    let opened = media::open(&path).unwrap();
    assert_eq!(opened.recording.frames(), 3);
    assert!(opened.warnings[0].contains("3 of its 9 frames"));
    let waves = [
        (
            tags::R_WAVE_TIME_VECTOR,
            VR::FL,
            PrimitiveValue::F32([-20.0, 310.0, 1110.0].into_iter().collect()),
        ),
        (tags::HEART_RATE, VR::IS, "75".into()),
    ];
    write(&path, &gray(3), &waves);
    let opened = media::open(&path).unwrap();
    assert_eq!(opened.r_waves_ms, [310.0, 1110.0]);
    assert_eq!(opened.heart_rate, Some(75.0));
}

/// A DICOMDIR that refers to files by these ids.
fn write_directory(path: &Path, ids: &[&str]) {
    let item = |id: &&str| {
        let mut item = InMemDicomObject::new_empty();
        let value = PrimitiveValue::from(*id);
        item.put(DataElement::new(tags::REFERENCED_FILE_ID, VR::CS, value));
        item
    };
    let items: Vec<InMemDicomObject> = ids.iter().map(item).collect();
    let mut object = InMemDicomObject::new_empty();
    object.put(DataElement::new(
        tags::DIRECTORY_RECORD_SEQUENCE,
        VR::SQ,
        dicom_core::value::DataSetSequence::from(items),
    ));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::MEDIA_STORAGE_DIRECTORY_STORAGE)
        .media_storage_sop_instance_uid("2.25.1");
    object.with_meta(meta).unwrap().write_to_file(path).unwrap();
}

#[test]
fn a_directory_that_names_itself_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("DICOMDIR");
    write_directory(&path, &["DICOMDIR"]);
    let said = media::open(&path).unwrap_err().to_string();
    assert!(said.contains("holds 1 files"), "{said}");
}

#[test]
fn a_directory_finds_its_files_in_either_case_and_none_outside() {
    let folder = tempfile::tempdir().unwrap();
    let disc = folder.path().join("disc");
    std::fs::create_dir_all(disc.join("dicom/Ser1")).unwrap();
    let outside = folder.path().join("OUTSIDE");
    for file in [disc.join("dicom/Ser1/im01"), disc.join("IM02"), outside] {
        write(&file, &gray(3), &[]);
    }
    let path = disc.join("DICOMDIR");
    write_directory(&path, &["DICOM\\SER1\\IM01", "IM02", "..\\OUTSIDE"]);
    let Found::Collection(files) = media::look(&path).unwrap() else {
        panic!("it lists two files");
    };
    assert_eq!(files, [disc.join("dicom/Ser1/im01"), disc.join("IM02")]);
    for file in files {
        assert_eq!(media::open(&file).unwrap().recording.frames(), 3);
    }
}
