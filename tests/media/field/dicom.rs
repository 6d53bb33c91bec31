//! DICOM whose data set is wrong, or right in rare ways: sequences, times, missing frames, names.

use super::elements::*;
use super::{case, coded, opened, red};
use echoif::media::{self, Found};

fn ramp() -> Vec<u8> {
    let pixel = |k: usize| (k % 32 * 7 + k / 32) as u8;
    (0..usize::from(ROWS) * usize::from(COLUMNS))
        .map(pixel)
        .collect()
}

/// A private sequence of unknown VR, with another one inside, in implicit VR.
fn private() -> Vec<u8> {
    let inner = element(
        [0x11, 0x1002],
        None,
        UNDEFINED,
        &items(&[element([0x11, 0x1003], None, 2, b"ab")]),
    );
    let item = [element([0x11, 0x1001], None, 4, b"1234"), inner].concat();
    element([0x11, 0x1000], Some("UN"), UNDEFINED, &items(&[item]))
}

/// The sequence of ultrasound regions: tissue at 4, 2 to 23, 21.
fn regions(vr: Option<&str>, length: Option<u32>) -> Vec<u8> {
    let us = |e: u16, v: u16| element([0x18, e], None, 2, &v.to_le_bytes());
    let ul = |e: u16, v: u32| element([0x18, e], None, 4, &v.to_le_bytes());
    let item = [
        us(0x6012, 1),
        us(0x6014, 1),
        ul(0x6018, 4),
        ul(0x601a, 2),
        ul(0x601c, 23),
        ul(0x601e, 21),
    ]
    .concat();
    let all = items(&[item]);
    element([0x18, 0x6011], vr, length.unwrap_or(UNDEFINED), &all)
}

#[test]
fn sequences_of_unknown_vr_are_followed_wherever_they_are() {
    let known = regions(Some("UN"), None);
    let sized = {
        let whole = regions(Some("UN"), None);
        regions(Some("UN"), Some(whole.len() as u32 - 12))
    };
    let explicit = element(
        [0x11, 0x1000],
        Some("UN"),
        UNDEFINED,
        &items(&[text([0x11, 0x1001], "LO", "explicit")]),
    );
    let within = sequence(
        [8, 0x1140],
        &[[text([8, 0x1150], "UI", "1.2"), private()].concat()],
    );
    for before in [
        private(),
        [private(), known.clone()].concat(),
        explicit,
        within,
        sized.clone(),
    ] {
        let image = Image {
            before: [text([8, 0x60], "CS", "US"), before].concat(),
            ..gray()
        };
        let opened = opened("I", &image.native(&ramp())).unwrap();
        assert_eq!(red(&opened, 0), ramp());
    }
    for regions in [known, sized] {
        let image = Image {
            before: [text([8, 0x60], "CS", "US"), private(), regions].concat(),
            ..gray()
        };
        let square = opened("I", &image.native(&ramp())).unwrap().first_square();
        assert_eq!([square.x, square.y, square.side], [4, 2, 20]);
    }
    // In implicit VR, where nothing says what is private; without anything before it.
    let mut bytes = meta(IMPLICIT);
    bytes.extend(element([8, 0x60], None, 2, b"US"));
    bytes.extend(element(
        [0x11, 0x1000],
        None,
        UNDEFINED,
        &items(&[element([0x11, 0x1001], None, 4, b"1234")]),
    ));
    bytes.extend(regions(None, None));
    for (e, v) in [
        (2u16, 1u16),
        (0x10, ROWS),
        (0x11, COLUMNS),
        (0x100, 8),
        (0x101, 8),
        (0x103, 0),
    ] {
        bytes.extend(element([0x28, e], None, 2, &v.to_le_bytes()));
    }
    bytes.extend(element([0x28, 4], None, 12, b"MONOCHROME2 "));
    bytes.extend(element([0x7fe0, 0x10], None, ramp().len() as u32, &ramp()));
    let opened = opened("I", &bytes).unwrap();
    assert_eq!(red(&opened, 0), ramp());
    assert_eq!(opened.first_square().side, 20);
    // Attributes of one value that an archive did not know either.
    let mut file = meta(EXPLICIT);
    file.extend(text([8, 0x60], "CS", "US"));
    file.extend(element([0x18, 0x1063], Some("UN"), 4, b"40.0"));
    let data = Image::gray(ROWS, COLUMNS, 2).data_set(&ramp().repeat(2));
    file.extend(data);
    let opened = super::opened("I", &file).unwrap();
    assert_eq!(opened.recording.rate.unwrap().frame_ms(), 40.0);
}

#[test]
fn a_data_set_is_deflated_or_not_whatever_it_says() {
    let image = Image {
        before: text([8, 0x60], "CS", "US"),
        ..gray()
    };
    let data = image.data_set(&ramp());
    let plain = [meta(DEFLATED), data.clone()].concat();
    assert_eq!(red(&opened("I", &plain).unwrap(), 0), ramp());
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, &data).unwrap();
    let packed = packed.finish().unwrap();
    for syntax in [DEFLATED, EXPLICIT, IMPLICIT] {
        let file = [meta(syntax), packed.clone()].concat();
        assert_eq!(red(&opened("I", &file).unwrap(), 0), ramp(), "{syntax}");
    }
}

#[test]
fn times_of_frames_are_real_ones_and_never_a_mean_over_a_pause() {
    let of = |vector: &str, more: &[u8], frames: usize| {
        let before = [more.to_vec(), text([0x18, 0x1065], "DS", vector)].concat();
        let pointer = element([0x28, 9], Some("AT"), 4, &[0x18, 0, 0x65, 0x10]);
        let image = Image {
            before,
            after: pointer,
            ..Image::gray(ROWS, COLUMNS, frames)
        };
        opened("I", &image.native(&ramp().repeat(frames))).unwrap()
    };
    let even = of("0\\40\\40\\40\\40\\40", &[], 6);
    assert_eq!(even.recording.rate.unwrap().frame_ms(), 40.0);
    assert!(even.warnings.is_empty() && even.recording.times().is_none());
    let paused = of(
        "0\\40\\40\\900\\40\\40",
        &text([0x18, 0x1063], "DS", "212"),
        6,
    );
    assert_eq!(paused.recording.rate.unwrap().frame_ms(), 40.0);
    assert_eq!(paused.recording.times().unwrap()[3], 980.0);
    assert!(
        paused.warnings[0].contains("pause of 900 ms after frame 2"),
        "{:?}",
        paused.warnings
    );
    // What is measured is the longest part without a pause.
    let video = media::region::video(&paused.recording, &paused.first_square().into(), || false);
    assert_eq!(video.unwrap().frames, 3);
    let short = of("0\\33\\33", &[], 20);
    assert_eq!(short.recording.rate.unwrap().frame_ms(), 33.0);
    assert!(
        short.warnings[0].contains("17 of its 20 frames"),
        "{:?}",
        short.warnings
    );
    // Without the first 0, and as the times themselves.
    assert_eq!(
        of("40\\40\\40\\40\\40", &[], 6)
            .recording
            .rate
            .unwrap()
            .frame_ms(),
        40.0
    );
    assert_eq!(
        of("0\\40\\80\\120\\160\\200", &[], 6)
            .recording
            .rate
            .unwrap()
            .frame_ms(),
        40.0
    );
    // A vector that says nothing does not hide the frame time.
    let none = of("0\\0\\0\\0\\0\\0", &text([0x18, 0x1063], "DS", "25"), 6);
    assert_eq!(none.recording.rate.unwrap().frame_ms(), 25.0);
}

#[test]
fn frames_that_cannot_be_had_are_named_whichever_they_are() {
    let good = coded("jpeg2000_gray.j2k");
    let bad = good[..60].to_vec();
    for (k, missing) in [
        (0, bad.clone()),
        (1, bad.clone()),
        (2, bad),
        (1, Vec::new()),
        (1, b"no picture at all".to_vec()),
    ] {
        let mut frames = vec![good.clone(); 3];
        frames[k] = missing;
        let image = Image {
            syntax: JPEG_2000.into(),
            ..Image::gray(ROWS, COLUMNS, 3)
        };
        let opened = opened("I", &image.fragments(&frames)).unwrap();
        let recording = &opened.recording;
        assert_eq!(recording.frames(), 3);
        let had: Vec<bool> = (0..3).map(|i| recording.frame(i).is_ok()).collect();
        assert_eq!(had, (0..3).map(|i| i != k).collect::<Vec<_>>());
        let said = recording.missing().unwrap();
        assert!(
            said.starts_with(&format!("1 of 3 frames cannot be shown (frame {k}")),
            "{said}"
        );
        assert!(!said.contains("cut off"), "{said}");
    }
    // Fewer than it says, though the file is whole; and a file that is not.
    let image = Image {
        syntax: JPEG_2000.into(),
        ..Image::gray(ROWS, COLUMNS, 5)
    };
    let file = image.fragments(&vec![good.clone(); 3]);
    let whole = opened("I", &file).unwrap();
    assert!(
        whole.warnings[0].contains("Only 3 of its 5 frames are in the file"),
        "{:?}",
        whole.warnings
    );
    let cut = opened("I", &file[..file.len() - 20]).unwrap();
    assert!(
        cut.warnings[0].contains("cut off: 2 of its 5"),
        "{:?}",
        cut.warnings
    );
}

#[test]
fn the_names_of_a_disc_are_found_on_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let original = case("c06_dicomdir_dcm_ending");
    let image = std::fs::read(original.join("PT000000/ST000000/SE000000/IM000000.dcm")).unwrap();
    for (k, there) in [
        "PT000000/ST000000/SE000000/IM000000",
        "pt000000/st000000/se000000/im000000",
        "PT000000/ST000000/SE000000/IM000000.DCM",
        "pt000000/ST000000/SE000000/IM000000.dcm;1",
        "PT000000/ST000000/SE000000/IM000000;1",
        "PT000000/ST000000/SE000000/IM000000.;1",
        "PT000000/ST000000/SE000000/im000000.ima",
    ]
    .iter()
    .enumerate()
    {
        let disc = folder.path().join(k.to_string());
        let path = disc.join(there);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &image).unwrap();
        std::fs::copy(original.join("DICOMDIR"), disc.join("DICOMDIR")).unwrap();
        let Found::Recording(_) = media::look(&path).unwrap() else {
            panic!("it is a picture");
        };
        let opened = media::open(&disc.join("DICOMDIR"));
        assert!(opened.is_ok(), "{there}: {}", opened.unwrap_err());
    }
}

#[test]
fn sentences_say_what_is_true() {
    let jpeg_ls = Image {
        syntax: JPEG_LS.into(),
        ..gray()
    }
    .fragments(&[coded("jpeg_ls_gray.jls")]);
    match opened("I", &jpeg_ls) {
        Err(said) => {
            assert!(
                said.contains("JPEG-LS") && said.contains("jpeg-ls"),
                "{said}"
            );
            assert!(
                !said.contains("damaged") && !said.contains("cut off"),
                "{said}"
            );
        }
        Ok(opened) => assert_eq!(opened.recording.frames(), 1),
    }
    // Nobody is told to export as JPEG what is one.
    let arithmetic = b"\xff\xd8\xff\xc9\x00\x0b\x08\x00\x18\x00\x20\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00abcdef\xff\xd9";
    let rare = Image {
        syntax: BASELINE.into(),
        ..gray()
    }
    .fragments(&[arithmetic.to_vec()]);
    let said = opened("I", &rare).unwrap_err();
    assert!(
        said.contains("arithmetic") && !said.contains("as JPEG."),
        "{said}"
    );
    assert!(!said.contains("damaged"), "{said}");
}
