//! DICOM whose pixels are wrong, or right in rare ways: coding, colour, palettes, windows, signs.

use super::elements::*;
use super::{case, case_bytes, coded, difference, frame, opened, red, rgb};
use std::path::Path;

/// Four values a channel in a ramp and a copy of it, as words or bytes.
fn segments(top: u16, narrow: bool) -> Vec<u8> {
    let mut words = vec![0, 1, 0, 1, 3, top];
    let place = 0u32;
    let mut bytes: Vec<u8> = Vec::new();
    let put = |bytes: &mut Vec<u8>, w: u16| match narrow {
        true => bytes.push(w as u8),
        false => bytes.extend(w.to_le_bytes()),
    };
    words.extend([2, 2]);
    words.iter().for_each(|&w| put(&mut bytes, w));
    bytes.extend(place.to_le_bytes());
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

#[test]
fn palettes_in_segments_of_both_widths_and_all_kinds() {
    for (bits, top, narrow) in [
        (16u16, [60_000u16, 30_000, 600], false),
        (8, [240, 120, 9], true),
    ] {
        let mut after = Vec::new();
        for c in 0..3u16 {
            let descriptor: Vec<u8> = [8u16, 0, bits]
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect();
            after.extend(element([0x28, 0x1101 + c], Some("US"), 6, &descriptor));
        }
        for c in 0..3u16 {
            let data = segments(top[usize::from(c)], narrow);
            after.extend(element(
                [0x28, 0x1221 + c],
                Some("OW"),
                data.len() as u32,
                &data,
            ));
        }
        let image = Image {
            photometric: "PALETTE COLOR".into(),
            after,
            ..Image::gray(1, 8, 1)
        };
        let found = opened("I", &image.native(&[0, 1, 2, 3, 4, 5, 6, 7])).unwrap();
        let right = |k: u16, c: usize| {
            let entry = (f64::from(top[c]) * f64::from(k % 4) / 3.0).round() as u16;
            if narrow {
                entry as u8
            } else {
                (entry >> 8) as u8
            }
        };
        let right: Vec<u8> = (0..8)
            .flat_map(|k| [0, 1, 2].map(|c| right(k, c)))
            .collect();
        assert_eq!(rgb(&frame(&found, 0)), right, "{bits} bits");
    }
}

/// A frame of RLE with literals alone.
fn rle(plane: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    (bytes[0], bytes[4]) = (1, 64);
    for run in plane.chunks(128) {
        bytes.push(run.len() as u8 - 1);
        bytes.extend(run);
    }
    bytes
}

fn png(gray: &[u8]) -> Vec<u8> {
    let image =
        image::GrayImage::from_raw(u32::from(COLUMNS), u32::from(ROWS), gray.to_vec()).unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn pixels_are_what_they_are_whatever_the_syntax_says() {
    let right: Vec<u8> = {
        // The red of `tests/coded`'s pictures.
        let image = Image {
            syntax: JPEG_2000.into(),
            ..gray()
        };
        red(
            &opened("I", &image.fragments(&[coded("jpeg2000_gray.j2k")])).unwrap(),
            0,
        )
    };
    let frames = [
        coded("jpeg2000_gray.j2k"),
        coded("jpeg_lossless_gray.jpg"),
        coded("htj2k_gray.j2c"),
        rle(&right),
        png(&right),
        right.clone(),
    ];
    for syntax in [
        IMPLICIT,
        EXPLICIT,
        BASELINE,
        LOSSLESS,
        JPEG_LS,
        JPEG_2000,
        RLE,
        "1.2.840.10008.1.2.4.102",
        "1.2.3.4",
    ] {
        for (k, coded) in frames.iter().enumerate() {
            let image = Image {
                syntax: syntax.into(),
                frames: 2,
                ..gray()
            };
            let file = image.fragments(&[coded.clone(), coded.clone()]);
            let found = opened("I", &file).unwrap_or_else(|e| panic!("{k} as {syntax}: {e}"));
            assert_eq!(found.recording.frames(), 2);
            assert_eq!(red(&found, 1), right, "{k} as {syntax}");
            // As one value of known length: fragments, or one picture.
            let fragments = fragment_items(&[coded.clone(), coded.clone()]);
            let found = opened("I", &image.native(&fragments)).unwrap();
            assert_eq!(red(&found, 1), right, "{k} as {syntax}, of known length");
            let image = Image { frames: 1, ..image };
            let found = opened("I", &image.native(coded))
                .unwrap_or_else(|e| panic!("{k} as {syntax}: {e}"));
            assert_eq!(red(&found, 0), right, "{k} as {syntax}, alone");
        }
        // All uncompressed frames in one fragment.
        let image = Image {
            syntax: syntax.into(),
            frames: 2,
            ..gray()
        };
        let found = opened("I", &image.fragments(&[right.repeat(2)])).unwrap();
        assert_eq!(red(&found, 1), right);
        let lies = found.warnings.iter().any(|w| w.contains("uncompressed"));
        assert_eq!(
            lies,
            ![IMPLICIT, EXPLICIT, "1.2.3.4"].contains(&syntax),
            "{:?}",
            found.warnings
        );
    }
}

#[test]
fn colour_is_what_the_picture_shows_whatever_the_label_says() {
    for (name, right, mean) in [
        ("c04_rgb_label_420_no_marker.dcm", "c04.png", 3.0),
        ("c05_j2k_ybr_full_no_mct.dcm", "c05.png", 1.0),
    ] {
        let right = image::open(case("right").join(right)).unwrap().to_rgb8();
        let mut frame_bytes = fragments_of(&case_bytes(name));
        let plain = frame_bytes.remove(0);
        // An Adobe marker that denies it.
        let adobe = [
            &plain[..2],
            b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00",
            &plain[2..],
        ]
        .concat();
        let mut frames = vec![plain];
        if name.starts_with("c04") {
            frames.push(adobe);
        }
        for coded in frames {
            for label in [
                "RGB",
                "YBR_FULL",
                "YBR_FULL_422",
                "YBR_ICT",
                "YBR_RCT",
                "YBR_PARTIAL_422",
            ] {
                if label == "YBR_PARTIAL_422" && name.starts_with("c05") {
                    // There it says another range of levels.
                    continue;
                }
                let image = Image {
                    photometric: label.into(),
                    syntax: JPEG_2000.into(),
                    ..Image::rgb(120, 160, 1)
                };
                let found = opened("I", &image.fragments(std::slice::from_ref(&coded))).unwrap();
                let off = difference(&rgb(&frame(&found, 0)), &right);
                assert!(off <= mean, "{name} as {label}: {off}");
            }
        }
    }
    // Colours that are RGB stay so, with a transform or without.
    let right = rgb(&frame(
        &opened(
            "I",
            &Image {
                syntax: JPEG_2000.into(),
                ..Image::rgb(ROWS, COLUMNS, 1)
            }
            .fragments(&[coded("jpeg2000_rgb.j2k")]),
        )
        .unwrap(),
        0,
    ));
    let lossless = Image {
        syntax: LOSSLESS.into(),
        ..Image::rgb(ROWS, COLUMNS, 1)
    }
    .fragments(&[coded("jpeg_lossless_rgb.jpg")]);
    assert_eq!(rgb(&frame(&opened("I", &lossless).unwrap(), 0)), right);
}

#[test]
fn shared_colour_of_video_range_and_labels_that_say_too_little() {
    // White, black, gray and gray, as Y0 Y1 Cb Cr.
    let shared = [235, 16, 128, 128, 126, 126, 128, 128];
    let image = Image {
        photometric: "YBR_PARTIAL_422".into(),
        ..Image::rgb(1, 4, 1)
    };
    let found = rgb(&frame(&opened("I", &image.native(&shared)).unwrap(), 0));
    assert_eq!(found, [[255u8; 3], [0; 3], [128; 3], [128; 3]].concat());
    // Every pixel has its own colour, though the label says that two share it.
    let own = [235, 128, 128, 16, 128, 128, 126, 128, 128, 126, 128, 128];
    for label in ["YBR_PARTIAL_422", "YBR_PARTIAL_420"] {
        let image = Image {
            photometric: label.into(),
            ..Image::rgb(1, 4, 1)
        };
        let file = image.native(&own);
        assert_eq!(
            rgb(&frame(&opened("I", &file).unwrap(), 0)),
            found,
            "{label}"
        );
    }
    let image = Image {
        photometric: "YBR_FULL_422".into(),
        ..Image::rgb(1, 4, 1)
    };
    let full = rgb(&frame(&opened("I", &image.native(&own)).unwrap(), 0));
    assert_eq!(full, [[235u8; 3], [16; 3], [126; 3], [126; 3]].concat());
    // What cannot be unshared is named.
    let image = Image {
        photometric: "YBR_PARTIAL_420".into(),
        ..Image::rgb(2, 4, 1)
    };
    let said = opened("I", &image.native(&[128; 12])).unwrap_err();
    assert!(
        said.contains("YBR_PARTIAL_420") && !said.contains("cut off"),
        "{said}"
    );
}

/// A functional group with a window.
fn window_group(centre: &str, width: &str, more: &[u8]) -> Vec<u8> {
    let values = [
        text([0x28, 0x1050], "DS", centre),
        text([0x28, 0x1051], "DS", width),
        more.to_vec(),
    ]
    .concat();
    sequence([0x28, 0x9132], &[values])
}

#[test]
fn windows_of_functional_groups_are_used_shared_and_of_each_frame() {
    let words: Vec<u8> = (0..4u16).flat_map(|k| (k * 100).to_le_bytes()).collect();
    let image = Image {
        allocated: 16,
        stored: 12,
        ..Image::gray(1, 4, 2)
    };
    let with = |after: Vec<u8>| {
        let opened = opened(
            "I",
            &Image {
                after,
                ..image.clone()
            }
            .native(&words.repeat(2)),
        )
        .unwrap();
        [red(&opened, 0), red(&opened, 1)]
    };
    let shared = |group: Vec<u8>| sequence([0x5200, 0x9229], &[group]);
    // From 99.5 to 299.5.
    let first = with(shared(window_group("200", "201", &[])));
    assert_eq!(first[0], [0, 1, 128, 255]);
    assert_eq!(first[0], first[1]);
    let each = sequence(
        [0x5200, 0x9230],
        &[
            window_group("200", "201", &[]),
            window_group("100", "201", &[]),
        ],
    );
    assert_eq!(
        with(each.clone()),
        [vec![0, 1, 128, 255], vec![1, 128, 255, 255]]
    );
    // A frame's own goes before the shared one, and that before the image's.
    let all = [
        text([0x28, 0x1050], "DS", "9"),
        text([0x28, 0x1051], "DS", "3"),
        shared(window_group("9", "5", &[])),
        each,
    ]
    .concat();
    assert_eq!(with(all)[1], [1, 128, 255, 255]);
    // With the function and the rescaling that enhanced images have.
    let exact = with(shared(window_group(
        "150",
        "300",
        &text([0x28, 0x1056], "CS", "LINEAR_EXACT"),
    )));
    assert_eq!(exact[0], [0, 85, 170, 255]);
    let slope = sequence(
        [0x28, 0x9145],
        &[[
            text([0x28, 0x1052], "DS", "0"),
            text([0x28, 0x1053], "DS", "2"),
        ]
        .concat()],
    );
    let scaled = with(shared([window_group("400", "401", &[]), slope].concat()));
    assert_eq!(scaled[0], [0, 0, 128, 255]);
    let sigmoid = with(shared(window_group(
        "100",
        "100",
        &text([0x28, 0x1056], "CS", "SIGMOID"),
    )));
    assert_eq!(sigmoid[0], [5, 128, 250, 255]);
    // Eight bits as well.
    let image = Image {
        after: shared(window_group("128", "64", &[])),
        ..Image::gray(1, 4, 1)
    };
    let found = red(&opened("I", &image.native(&[0, 96, 128, 200])).unwrap(), 0);
    assert_eq!(found, [0, 0, 130, 255]);
}

#[test]
fn signed_jpeg_2000_is_signed_whether_its_encoder_knew_or_not() {
    // A ramp from -1000 to 1300, coded as unsigned samples of the same bits, and as signed ones.
    for name in ["signed_as_unsigned.j2k", "signed.j2k"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/field");
        let file = std::fs::read(folder.join(name)).unwrap();
        let after = [
            text([0x28, 0x1050], "DS", "150.5"),
            text([0x28, 0x1051], "DS", "2301"),
        ]
        .concat();
        let image = Image {
            syntax: JPEG_2000.into(),
            allocated: 16,
            stored: 16,
            signed: true,
            after,
            ..Image::gray(ROWS, COLUMNS, 1)
        };
        let found = red(
            &opened("I", &image.fragments(std::slice::from_ref(&file))).unwrap(),
            0,
        );
        let right: Vec<u8> = (0..ROWS * COLUMNS)
            .map(|k| (f64::from(3 * k) / 2300.0 * 255.0).round() as u8)
            .collect();
        assert!(
            difference(&found, &right) < 0.6,
            "{name}: {:?}",
            &found[..40]
        );
    }
}
