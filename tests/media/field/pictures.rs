//! Pictures and clips that are no DICOM.

use super::{case_bytes, difference, frame, opened, rgb};
use image::{DynamicImage, ImageFormat, LumaA, Rgb, Rgba};
use std::borrow::Cow;
use std::io::Cursor;

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Frames of a GIF of 6 x 4, each `[x, y, width, height, index]`, with how it is taken away.
fn gif_of(frames: &[([u16; 4], u8, gif::DisposalMethod)], delays: &[u16]) -> Vec<u8> {
    let palette = [0, 0, 0, 80, 80, 80, 160, 160, 160, 240, 240, 240];
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, 6, 4, &palette).unwrap();
    for (k, ([left, top, width, height], index, dispose)) in frames.iter().enumerate() {
        let frame = gif::Frame {
            left: *left,
            top: *top,
            width: *width,
            height: *height,
            dispose: *dispose,
            delay: delays.get(k).copied().unwrap_or(4),
            buffer: Cow::Owned(vec![*index; usize::from(*width) * usize::from(*height)]),
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}

#[test]
fn gif_frames_are_taken_away_where_they_were() {
    use gif::DisposalMethod::{Background, Keep, Previous};
    let whole = [0, 0, 6, 4];
    let level = |opened: &echoif::media::Opened, i: usize, x: usize, y: usize| {
        frame(opened, i).rgb(x, y)[0]
    };
    // The part's place is cleared, and nothing around it; one that reaches past the edge as well.
    for part in [[1, 1, 2, 2], [1, 1, 9, 9]] {
        let bytes = gif_of(
            &[
                (whole, 1, Keep),
                (part, 3, Background),
                ([0, 0, 1, 1], 2, Keep),
            ],
            &[],
        );
        let clip = opened("a.gif", &bytes).unwrap();
        assert_eq!([level(&clip, 1, 0, 2), level(&clip, 1, 2, 2)], [80, 240]);
        assert_eq!(
            [
                level(&clip, 2, 0, 0),
                level(&clip, 2, 0, 2),
                level(&clip, 2, 2, 2)
            ],
            [160, 80, 0]
        );
    }
    // What was before comes back, also where that was nothing.
    let bytes = gif_of(
        &[
            (whole, 1, Keep),
            ([1, 1, 2, 2], 3, Previous),
            ([0, 0, 1, 1], 2, Keep),
        ],
        &[],
    );
    let clip = opened("a.gif", &bytes).unwrap();
    assert_eq!(
        [
            level(&clip, 1, 2, 2),
            level(&clip, 2, 2, 2),
            level(&clip, 2, 0, 0)
        ],
        [240, 80, 160]
    );
    let bytes = gif_of(&[(whole, 3, Previous), ([0, 0, 1, 1], 2, Keep)], &[]);
    assert_eq!(level(&opened("a.gif", &bytes).unwrap(), 1, 3, 3), 0);
}

#[test]
fn a_gif_that_waits_at_its_end_keeps_its_pace_and_lacks_nothing() {
    let frames = vec![([0, 0, 6, 4], 1, gif::DisposalMethod::Keep); 6];
    let bytes = gif_of(&frames, &[4, 4, 4, 4, 4, 200]);
    let clip = opened("a.gif", &bytes).unwrap();
    assert_eq!(clip.recording.rate.unwrap().frame_ms(), 40.0);
    let paused = opened("a.gif", &gif_of(&frames, &[4, 4, 90, 4, 4, 4])).unwrap();
    assert_eq!(paused.recording.rate.unwrap().frame_ms(), 40.0);
    assert!(
        paused.warnings[0].contains("pause of 900 ms"),
        "{:?}",
        paused.warnings
    );
    // The last byte is missing: nothing else is.
    let unended = opened("a.gif", &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(unended.recording.frames(), 6);
    assert!(unended.warnings.is_empty(), "{:?}", unended.warnings);
}

#[test]
fn what_is_transparent_lies_on_black() {
    let levels = [
        [200, 100, 50, 255],
        [200, 100, 50, 0],
        [200, 100, 50, 128],
        [255, 255, 255, 51],
    ];
    let right = [[200, 100, 50], [0, 0, 0], [100, 50, 25], [51, 51, 51]].concat();
    let rgba = image::RgbaImage::from_fn(4, 1, |x, _| Rgba(levels[x as usize]));
    let deep: image::ImageBuffer<Rgba<u16>, Vec<u16>> =
        image::ImageBuffer::from_fn(4, 1, |x, _| {
            Rgba(levels[x as usize].map(|v| u16::from(v) * 257))
        });
    for image in [DynamicImage::from(rgba), DynamicImage::ImageRgba16(deep)] {
        let opened = opened("a.png", &encoded(&image, ImageFormat::Png)).unwrap();
        assert_eq!(rgb(&frame(&opened, 0)), right);
    }
    let gray = image::GrayAlphaImage::from_fn(2, 1, |x, _| LumaA([200, [0, 128][x as usize]]));
    let opened_gray = opened("a.png", &encoded(&gray.into(), ImageFormat::Png)).unwrap();
    assert_eq!(rgb(&frame(&opened_gray, 0)), [0, 0, 0, 100, 100, 100]);
    // A palette with a transparent entry, and an animation.
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(vec![10, 20, 30, 40, 50, 60]);
    encoder.set_trns(vec![0, 255]);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&[0, 1])
        .unwrap();
    assert_eq!(
        rgb(&frame(&opened("a.png", &bytes).unwrap(), 0)),
        [0, 0, 0, 40, 50, 60]
    );
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_animated(2, 0).unwrap();
    encoder.set_frame_delay(40, 1000).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for alpha in [255, 0] {
        writer.write_image_data(&[90, 90, 90, alpha]).unwrap();
    }
    writer.finish().unwrap();
    let clip = opened("a.png", &bytes).unwrap();
    assert_eq!(clip.recording.rate.unwrap().frame_ms(), 40.0);
    assert_eq!(rgb(&frame(&clip, 0)), [90; 3]);
}

/// An Exif block that says an orientation, little or big endian.
fn exif(orientation: u8, big: bool) -> Vec<u8> {
    let head: &[u8] = if big {
        b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01"
    } else {
        b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"
    };
    let value = if big {
        [0, orientation, 0, 0]
    } else {
        [orientation, 0, 0, 0]
    };
    [head, &value, &[0; 4]].concat()
}

#[test]
fn pictures_stand_as_the_camera_was_held() {
    let upright = image::RgbImage::from_fn(40, 24, |x, y| Rgb([(6 * x) as u8, (10 * y) as u8, 90]));
    // As it lies in the file: what the orientation undoes.
    for (orientation, big) in (1..=8).flat_map(|o| [(o, false), (o, true)]) {
        let image = DynamicImage::from(upright.clone());
        let lying = match orientation {
            2 => image.fliph(),
            3 => image.rotate180(),
            4 => image.flipv(),
            5 => image.rotate90().fliph(),
            6 => image.rotate270(),
            7 => image.rotate270().fliph(),
            8 => image.rotate90(),
            _ => image,
        };
        let mut jpeg = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 98);
        lying.write_with_encoder(encoder).unwrap();
        let block = [b"Exif\0\0".as_slice(), &exif(orientation, big)].concat();
        let length = (block.len() as u16 + 2).to_be_bytes();
        let with = [&jpeg[..2], b"\xff\xe1", &length, &block, &jpeg[2..]].concat();
        let found = frame(&opened("a.jpg", &with).unwrap(), 0);
        assert_eq!((found.width, found.height), (40, 24), "{orientation}");
        assert!(
            difference(&rgb(&found), &upright) < 3.0,
            "{orientation} {big}"
        );
        // PNG has the block as well.
        let png = encoded(&lying, ImageFormat::Png);
        let mut chunk = [b"eXIf".as_slice(), &exif(orientation, big)].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&chunk);
        chunk.extend(crc.sum().to_be_bytes());
        let length = (chunk.len() as u32 - 8).to_be_bytes();
        let with = [&png[..33], &length, &chunk, &png[33..]].concat();
        assert_eq!(
            rgb(&frame(&opened("a.png", &with).unwrap(), 0)),
            upright.to_vec(),
            "{orientation}"
        );
    }
}

#[test]
fn motion_jpeg_without_tables_is_read_in_whatever_it_comes() {
    let avi = case_bytes("c11_avi_mjpeg_no_huffman.avi");
    let at = avi.windows(4).position(|w| w == b"00dc").unwrap();
    let length = u32::from_le_bytes(avi[at + 4..at + 8].try_into().unwrap()) as usize;
    let jpeg = &avi[at + 8..at + 8 + length];
    assert!(!jpeg.windows(2).any(|w| w == b"\xff\xc4"));
    let right = rgb(&frame(&opened("a.avi", &avi).unwrap(), 0));
    // As a still; and under the other names of the same coding.
    assert_eq!(rgb(&frame(&opened("a.jpg", jpeg).unwrap(), 0)), right);
    for name in [b"mjpg", b"JPEG", b"dmb1"] {
        let mut other = avi.clone();
        while let Some(at) = other.windows(4).position(|w| w == b"MJPG") {
            other[at..at + 4].copy_from_slice(name);
        }
        assert_eq!(rgb(&frame(&opened("a.avi", &other).unwrap(), 0)), right);
    }
    // In DICOM too.
    let image = super::elements::Image::rgb(120, 160, 1);
    let (w, h) = {
        let f = frame(&opened("a.jpg", jpeg).unwrap(), 0);
        (f.width as u16, f.height as u16)
    };
    let image = super::elements::Image {
        rows: h,
        columns: w,
        photometric: "YBR_FULL_422".into(),
        syntax: super::elements::BASELINE.into(),
        ..image
    };
    let found = opened("I", &image.fragments(&[jpeg.to_vec()])).unwrap();
    assert_eq!(rgb(&frame(&found, 0)), right);
}
