//! What a data set's files hold, read without what wrote them where that can be.

use std::collections::BTreeMap;
use std::path::Path;

/// Frames with their lines.
type Traced = Vec<(usize, Vec<[f64; 4]>)>;

/// What EchoNet-Dynamic's loader needs.
pub fn check(out: &Path) {
    let mut list = csv::Reader::from_path(out.join("FileList.csv")).unwrap();
    let head: Vec<String> = list.headers().unwrap().iter().map(str::to_owned).collect();
    let published = [
        "FileName",
        "EF",
        "ESV",
        "EDV",
        "FrameHeight",
        "FrameWidth",
        "FPS",
        "NumberOfFrames",
        "Split",
    ];
    assert_eq!(head, published);
    let mut traced: BTreeMap<String, Traced> = BTreeMap::new();
    let mut tracings = csv::Reader::from_path(out.join("VolumeTracings.csv")).unwrap();
    assert_eq!(
        tracings.headers().unwrap().iter().collect::<Vec<_>>(),
        ["FileName", "X1", "Y1", "X2", "Y2", "Frame"]
    );
    for row in tracings.deserialize() {
        let (name, x1, y1, x2, y2, frame): (String, f64, f64, f64, f64, usize) = row.unwrap();
        let frames = traced.entry(name).or_default();
        if frames.last().is_none_or(|(last, _)| *last != frame) {
            frames.push((frame, Vec::new()));
        }
        frames.last_mut().unwrap().1.push([x1, y1, x2, y2]);
    }
    let efs = ["20.0", "35.0", "50.0", "60.5", "70.0", "84.0"];
    for (row, ef) in list.records().zip(efs) {
        let row = row.unwrap();
        assert_eq!(
            row.iter().skip(1).collect::<Vec<_>>(),
            [ef, "", "", "112", "112", "32.0", "64", "TRAIN"]
        );
        let video = out.join("Videos").join(format!("{}.avi", &row[0]));
        let bytes = std::fs::read(&video).unwrap();
        let is_there = |text: &[u8]| bytes.windows(text.len()).any(|w| w == text);
        assert!(is_there(b"vidsMJPG") && is_there(b"\"synthetic\":true"));
        // Scale and rate of the stream, and how many frames it has.
        let at = bytes.windows(8).position(|w| w == b"vidsMJPG").unwrap();
        let number = |k: usize| u32::from_le_bytes(bytes[at + k..][..4].try_into().unwrap());
        assert_eq!((number(24), number(20), number(32)), (32_000, 1000, 64));
        let opened = echoif::media::open(&video).unwrap();
        let recording = &opened.recording;
        assert_eq!(
            (recording.frames(), recording.width(), recording.height()),
            (64, 112, 112)
        );
        assert_eq!(recording.rate.unwrap().fps(), 32.0);
        // The word stands in every frame's corner, is the same in all clips, and the rest is the picture.
        let raw = jpegs(&bytes);
        assert_eq!(raw.len(), 64);
        let levels = |k: usize| -> Vec<u8> {
            let echoif::clip::Pixels::Gray(levels) = recording.frame(k).unwrap().pixels.clone()
            else {
                panic!("it is gray");
            };
            levels
        };
        for (k, jpeg) in raw.iter().enumerate() {
            let seen = image::load_from_memory(jpeg).unwrap().to_luma8();
            assert_eq!(seen.dimensions(), (112, 112));
            let corner = |x: usize, y: usize| (1..37).contains(&x) && (1..7).contains(&y);
            let shown = levels(k);
            let mut bright = 0;
            for (i, &level) in seen.as_raw().iter().enumerate() {
                if corner(i % 112, i / 112) {
                    bright += usize::from(level > 128);
                } else {
                    assert!(level.abs_diff(shown[i]) <= 2, "frame {k}, pixel {i}");
                }
            }
            assert!((40..140).contains(&bright), "{bright}");
        }
        // End-systole first, then end-diastole: the ventricle is larger there, and the frames differ.
        let frames = &traced[&format!("{}.avi", &row[0])];
        assert_eq!(frames.len(), 2, "{frames:?}");
        assert!(frames.iter().all(|(k, lines)| *k < 64 && lines.len() == 21));
        let length = |l: &[f64; 4]| (l[2] - l[0]).hypot(l[3] - l[1]);
        let volume = |lines: &[[f64; 4]]| {
            let squares: f64 = lines[1..].iter().map(|l| length(l).powi(2)).sum();
            squares * length(&lines[0])
        };
        let traced_ef = 100.0 * (1.0 - volume(&frames[0].1) / volume(&frames[1].1));
        let asked: f64 = ef.parse().unwrap();
        assert!((traced_ef - asked).abs() < 12.0, "{traced_ef} for {asked}");
        let (systole, diastole) = (levels(frames[0].0), levels(frames[1].0));
        let apart: u64 = systole
            .iter()
            .zip(&diastole)
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        assert!(apart > 10_000, "{apart}");
    }
}

/// The coded frames of an AVI.
fn jpegs(bytes: &[u8]) -> Vec<&[u8]> {
    let movie = bytes.windows(4).position(|w| w == b"movi").unwrap();
    let (mut at, mut all) = (movie + 4, Vec::new());
    while bytes.get(at..at + 4) == Some(b"00dc") {
        let length = u32::from_le_bytes(bytes[at + 4..][..4].try_into().unwrap()) as usize;
        all.push(&bytes[at + 8..at + 8 + length]);
        at += 8 + length + length % 2;
    }
    all
}
