//! TIFF as ImageJ, scanners and microscopes write it.

use super::{case_bytes, difference, frame, opened, rgb};
use std::io::Cursor;
use tiff::encoder::colortype::{Gray8, Gray16, Gray32Float, GrayI16, RGB8};
use tiff::encoder::{Compression, DeflateLevel, TiffEncoder};
use tiff::tags::Tag;

const WIDTH: u32 = 20;
const HEIGHT: u32 = 12;

fn ramp(k: u32) -> Vec<u8> {
    (0..WIDTH * HEIGHT).map(|i| (i + 10 * k) as u8).collect()
}

fn gray_of(bytes: &[u8], i: usize) -> Vec<u8> {
    let opened = opened("a.tif", bytes).unwrap();
    rgb(&frame(&opened, i)).into_iter().step_by(3).collect()
}

/// One picture by its tags, all of 16 or 32 bits, and its strips or tiles.
struct Raw {
    big_endian: bool,
    big: bool,
    tags: Vec<(u16, u16, Vec<u64>)>,
    parts: Vec<Vec<u8>>,
    tiled: bool,
}

impl Raw {
    fn bytes(&self) -> Vec<u8> {
        let number = |v: u64, n: usize| {
            let mut le = v.to_le_bytes()[..n].to_vec();
            if self.big_endian {
                le.reverse();
            }
            le
        };
        let mut bytes = if self.big_endian {
            b"MM".to_vec()
        } else {
            b"II".to_vec()
        };
        let place = if self.big { 8 } else { 4 };
        bytes.extend(number(if self.big { 43 } else { 42 }, 2));
        if self.big {
            bytes.extend([number(8, 2), number(0, 2)].concat());
        }
        let pointer = bytes.len();
        bytes.extend(number(0, place));
        let mut offsets = Vec::new();
        for part in &self.parts {
            offsets.push(bytes.len() as u64);
            bytes.extend(part);
            bytes.resize(bytes.len().next_multiple_of(2), 0);
        }
        let mut tags = self.tags.clone();
        let (of, counts) = if self.tiled { (324, 325) } else { (273, 279) };
        tags.push((of, 4, offsets));
        tags.push((
            counts,
            4,
            self.parts.iter().map(|p| p.len() as u64).collect(),
        ));
        tags.sort();
        let mut entries = Vec::new();
        for (tag, kind, values) in &tags {
            let size = match kind {
                2 => 1,
                3 => 2,
                _ => 4,
            };
            let data: Vec<u8> = values.iter().flat_map(|&v| number(v, size)).collect();
            entries.extend(number(u64::from(*tag), 2));
            entries.extend(number(u64::from(*kind), 2));
            entries.extend(number(values.len() as u64, place));
            if data.len() <= place {
                entries.extend(&data);
                entries.resize(entries.len() + place - data.len(), 0);
            } else {
                entries.extend(number(bytes.len() as u64, place));
                bytes.extend(data);
            }
        }
        let at = number(bytes.len() as u64, place);
        bytes[pointer..pointer + place].copy_from_slice(&at);
        bytes.extend(number(tags.len() as u64, if self.big { 8 } else { 2 }));
        bytes.extend(entries);
        bytes.extend(number(0, place));
        bytes
    }

    fn new(bits: u64, photometric: u64, parts: Vec<Vec<u8>>) -> Self {
        let rows = u64::from(HEIGHT).div_ceil(parts.len() as u64);
        let tags = vec![
            (256, 3, vec![WIDTH.into()]),
            (257, 3, vec![HEIGHT.into()]),
            (258, 3, vec![bits]),
            (259, 3, vec![1]),
            (262, 3, vec![photometric]),
            (277, 3, vec![1]),
            (278, 3, vec![rows]),
        ];
        Self {
            big_endian: false,
            big: false,
            tags,
            parts,
            tiled: false,
        }
    }
}

#[test]
fn white_may_be_zero_and_levels_a_palette_in_strips_and_tiles_of_either_order() {
    let ramp = ramp(0);
    let inverted: Vec<u8> = ramp.iter().map(|v| 255 - v).collect();
    let strips: Vec<Vec<u8>> = ramp
        .chunks(WIDTH as usize * 4)
        .map(<[u8]>::to_vec)
        .collect();
    for (big_endian, big) in [(false, false), (true, false), (false, true), (true, true)] {
        let raw = |bits, photometric, parts: &[Vec<u8>]| Raw {
            big_endian,
            big,
            ..Raw::new(bits, photometric, parts.to_vec())
        };
        assert_eq!(gray_of(&raw(8, 1, &strips).bytes(), 0), ramp);
        assert_eq!(gray_of(&raw(8, 0, &strips).bytes(), 0), inverted);
        // Tiles of 16 x 16, with what lies outside of the picture.
        let tile = |x0: usize| -> Vec<u8> {
            let at = |k: usize| {
                ((x0 + k % 16) < 20 && k / 16 < 12).then(|| ramp[k / 16 * 20 + x0 + k % 16])
            };
            (0..256).map(|k| at(k).unwrap_or(99)).collect()
        };
        let mut tiled = raw(8, 0, &[tile(0), tile(16)]);
        tiled.tiled = true;
        tiled.tags.retain(|(tag, ..)| *tag != 278);
        tiled.tags.extend([(322, 3, vec![16]), (323, 3, vec![16])]);
        assert_eq!(gray_of(&tiled.bytes(), 0), inverted);
        // A palette of 256, and one of 16 with two pixels a byte.
        let mut palette = raw(8, 3, &strips);
        let map = |n: u64| {
            [0, 1, 2]
                .iter()
                .flat_map(|c| (0..n).map(move |k| (k * (c + 1)) % n * 65535 / (n - 1)))
                .collect::<Vec<u64>>()
        };
        palette.tags.push((320, 3, map(256)));
        let found = rgb(&frame(&opened("a.tif", &palette.bytes()).unwrap(), 0));
        let colour = |v: u8| [0u64, 1, 2].map(|c| ((u64::from(v) * (c + 1)) % 256) as u8);
        assert_eq!(
            found,
            ramp.iter().flat_map(|&v| colour(v)).collect::<Vec<u8>>()
        );
        let nibbles: Vec<u8> = (0..120)
            .map(|k| ((2 * k % 16) << 4) | ((2 * k + 1) % 16))
            .collect();
        let mut small = raw(4, 3, &[nibbles]);
        small.tags.push((320, 3, map(16)));
        let found = rgb(&frame(&opened("a.tif", &small.bytes()).unwrap(), 0));
        assert_eq!(found[..6], [0, 0, 0, 17, 34, 51]);
        // One bit, of a scanner: white is zero.
        let bits = vec![0b1010_0000u8; 36];
        let found = gray_of(&raw(1, 0, &[bits]).bytes(), 0);
        assert_eq!(found[..8], [0, 255, 0, 255, 255, 255, 255, 255]);
        // Sixteen bits, white is zero; a camera of 12 of them.
        let words = |scale: u16| -> Vec<u8> {
            let each = |&v: &u8| {
                let w = u16::from(v) * scale;
                if big_endian {
                    w.to_be_bytes()
                } else {
                    w.to_le_bytes()
                }
            };
            ramp.iter().flat_map(each).collect()
        };
        assert_eq!(gray_of(&raw(16, 0, &[words(257)]).bytes(), 0), inverted);
        let camera = gray_of(&raw(16, 1, &[words(17)]).bytes(), 0);
        assert!(
            difference(
                &camera,
                &ramp
                    .iter()
                    .map(|&v| (u32::from(v) * 17 * 255 / 4095) as u8)
                    .collect::<Vec<_>>()
            ) < 1.0
        );
        // Held on its side.
        let mut turned = raw(8, 1, &strips);
        turned.tags.push((274, 3, vec![6]));
        let found = frame(&opened("a.tif", &turned.bytes()).unwrap(), 0);
        assert_eq!((found.width, found.height), (12, 20));
        assert_eq!(found.rgb(11, 0)[0], ramp[0]);
        assert_eq!(found.rgb(0, 0)[0], ramp[11 * 20]);
    }
}

#[test]
fn colours_may_lie_in_planes_and_have_transparency() {
    let planes: Vec<Vec<u8>> = [10u8, 100, 200].iter().map(|v| vec![*v; 240]).collect();
    let mut raw = Raw::new(8, 2, planes);
    raw.tags.retain(|(tag, ..)| ![258, 277, 278].contains(tag));
    raw.tags.extend([
        (258, 3, vec![8, 8, 8]),
        (277, 3, vec![3]),
        (278, 3, vec![12]),
        (284, 3, vec![2]),
    ]);
    assert_eq!(
        rgb(&frame(&opened("a.tif", &raw.bytes()).unwrap(), 0))[..3],
        [10, 100, 200]
    );
    for (kind, right) in [
        (2, [100, 100, 100]),
        (1, [200, 200, 200]),
        (0, [200, 200, 200]),
    ] {
        let mut raw = Raw::new(8, 1, vec![[200u8, 128].repeat(240)]);
        raw.tags.retain(|(tag, ..)| ![258, 277].contains(tag));
        raw.tags.extend([
            (258, 3, vec![8; 2]),
            (277, 3, vec![2]),
            (338, 3, vec![kind]),
        ]);
        let found = rgb(&frame(&opened("a.tif", &raw.bytes()).unwrap(), 0));
        assert_eq!(found[..3], right, "{kind}");
    }
    let mut raw = Raw::new(8, 2, vec![[200u8, 100, 50, 128].repeat(240)]);
    raw.tags.retain(|(tag, ..)| ![258, 277].contains(tag));
    raw.tags
        .extend([(258, 3, vec![8; 4]), (277, 3, vec![4]), (338, 3, vec![2])]);
    assert_eq!(
        rgb(&frame(&opened("a.tif", &raw.bytes()).unwrap(), 0))[..3],
        [100, 50, 25]
    );
}

#[test]
fn stacks_are_clips_in_every_compression() {
    for compression in [
        Compression::Uncompressed,
        Compression::Lzw,
        Compression::Deflate(DeflateLevel::Balanced),
        Compression::Packbits,
    ] {
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut bytes)
            .unwrap()
            .with_compression(compression);
        for k in 0..5 {
            let mut image = encoder.new_image::<Gray8>(WIDTH, HEIGHT).unwrap();
            image.rows_per_strip(5).unwrap();
            if k == 0 {
                let text = "ImageJ=1.54f\nimages=5\nframes=5\nfinterval=0.04\nloop=false\n";
                image
                    .encoder()
                    .write_tag(Tag::ImageDescription, text)
                    .unwrap();
            }
            image.write_data(&ramp(k)).unwrap();
        }
        let bytes = bytes.into_inner();
        let clip = opened("a.tif", &bytes).unwrap();
        assert_eq!(clip.recording.frames(), 5);
        assert_eq!(clip.recording.rate.unwrap().frame_ms(), 40.0);
        for k in 0..5 {
            assert_eq!(gray_of(&bytes, k), ramp(k as u32), "frame {k}");
        }
    }
}

#[test]
fn thumbnails_are_no_frames_and_deep_levels_keep_their_range() {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new_big(&mut bytes).unwrap();
    for k in 0..3u16 {
        let words: Vec<u16> = ramp(0).iter().map(|&v| u16::from(v) * 4 + k).collect();
        encoder
            .write_image::<Gray16>(WIDTH, HEIGHT, &words)
            .unwrap();
    }
    let mut image = encoder.new_image::<Gray16>(5, 3).unwrap();
    image
        .encoder()
        .write_tag(Tag::NewSubfileType, 1u32)
        .unwrap();
    image.write_data(&[9; 15]).unwrap();
    encoder.write_image::<RGB8>(4, 4, &[7; 48]).unwrap();
    let bytes = bytes.into_inner();
    let clip = opened("a.tif", &bytes).unwrap();
    assert_eq!(clip.recording.frames(), 3);
    assert!(
        clip.warnings[0].contains("another size"),
        "{:?}",
        clip.warnings
    );
    assert!(difference(&gray_of(&bytes, 2), &ramp(0)) < 1.0);
    // Signed and fractional levels are shown by their own range.
    let mut bytes = Cursor::new(Vec::new());
    let signed: Vec<i16> = ramp(0).iter().map(|&v| i16::from(v) * 10 - 900).collect();
    TiffEncoder::new(&mut bytes)
        .unwrap()
        .write_image::<GrayI16>(WIDTH, HEIGHT, &signed)
        .unwrap();
    let found = gray_of(&bytes.into_inner(), 0);
    assert_eq!([found[0], found[239]], [0, 255]);
    let mut bytes = Cursor::new(Vec::new());
    let parts: Vec<f32> = ramp(0).iter().map(|&v| f32::from(v) / 255.0).collect();
    TiffEncoder::new(&mut bytes)
        .unwrap()
        .write_image::<Gray32Float>(WIDTH, HEIGHT, &parts)
        .unwrap();
    assert_eq!(gray_of(&bytes.into_inner(), 0), ramp(0));
    // The range that ImageJ showed.
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    let mut image = encoder.new_image::<Gray16>(WIDTH, HEIGHT).unwrap();
    let text = "ImageJ=1.53k\nmin=1000.0\nmax=3550.0\n";
    image
        .encoder()
        .write_tag(Tag::ImageDescription, text)
        .unwrap();
    let words: Vec<u16> = ramp(0).iter().map(|&v| u16::from(v) * 10 + 1000).collect();
    image.write_data(&words).unwrap();
    assert_eq!(gray_of(&bytes.into_inner(), 0), ramp(0));
}

#[test]
fn a_large_stack_of_imagej_has_one_directory() {
    for big_endian in [false, true] {
        let whole: Vec<u8> = (0..4).flat_map(ramp).collect();
        let mut raw = Raw {
            big_endian,
            ..Raw::new(8, 1, vec![whole])
        };
        let text = b"ImageJ=1.53t\nimages=4\nframes=4\nfps=25.0\n\0";
        raw.tags
            .push((270, 2, text.iter().map(|&b| b.into()).collect()));
        let mut bytes = raw.bytes();
        // The directory speaks of the first picture alone.
        let number = |v: u32| {
            if big_endian {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let at = bytes.windows(4).rposition(|w| w == number(960)).unwrap();
        bytes[at..at + 4].copy_from_slice(&number(240));
        let clip = opened("a.tif", &bytes).unwrap();
        assert_eq!(clip.recording.frames(), 4);
        assert_eq!(clip.recording.rate.unwrap().fps(), 25.0);
        for k in 0..4 {
            assert_eq!(gray_of(&bytes, k), ramp(k as u32));
        }
    }
}

#[test]
fn a_directory_that_names_itself_is_one_picture() {
    let mut stack = case_bytes("c13_tiff_stack.tif");
    let first = u32::from_le_bytes(stack[4..8].try_into().unwrap()) as usize;
    let count = usize::from(u16::from_le_bytes(
        stack[first..first + 2].try_into().unwrap(),
    ));
    let next = first + 2 + 12 * count;
    stack[next..next + 4].copy_from_slice(&(first as u32).to_le_bytes());
    assert_eq!(opened("a.tif", &stack).unwrap().recording.frames(), 1);
}

/// A few bytes that ask for gigabytes.
#[test]
fn a_picture_of_more_samples_than_memory_is_a_sentence() {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    let fields: [(u16, u32); 9] = [
        (256, 16_384),
        (257, 16_384),
        (258, 1),
        (259, 32_773),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 16_384),
        (279, 2),
    ];
    bytes.extend((fields.len() as u16).to_le_bytes());
    for (tag, value) in fields {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(4u16.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    let why = opened("large.tif", &bytes).map(|_| ()).unwrap_err();
    assert!(why.to_string().contains("million samples"), "{why}");
}
