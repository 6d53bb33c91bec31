//! Files as they are met in the field: each kind reproduces a public report, in every way that it can
//! come. The pictures in `cases` are drawn, and nobody's.

mod cases;
mod dicom;
mod elements;
mod pictures;
mod pixels;
mod texts;
mod tiff;

use echoif::clip::Frame;
use echoif::media;
use std::path::{Path, PathBuf};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/media/field/cases")
        .join(name)
}

fn case_bytes(name: &str) -> Vec<u8> {
    std::fs::read(case(name)).unwrap()
}

/// Opens bytes as a file of this name.
fn opened(name: &str, bytes: &[u8]) -> Result<media::Opened, String> {
    let folder = tempfile::tempdir().unwrap().keep();
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    let opened = media::open(&path).map_err(|e| e.to_string());
    // What is read later is read from the open file.
    if let Ok(opened) = &opened {
        for i in 0..opened.recording.frames() {
            let _ = opened.recording.frame(i);
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    opened
}

fn frame(opened: &media::Opened, i: usize) -> Frame {
    opened.recording.frame(i).unwrap().as_ref().clone()
}

fn coded(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/coded")
            .join(name),
    )
    .unwrap()
}

/// The red samples of an opened file's frame.
fn red(opened: &media::Opened, i: usize) -> Vec<u8> {
    rgb(&frame(opened, i)).into_iter().step_by(3).collect()
}

/// Three levels a pixel.
fn rgb(frame: &Frame) -> Vec<u8> {
    let pixels =
        (0..frame.width * frame.height).map(|k| frame.rgb(k % frame.width, k / frame.width));
    pixels.flatten().collect()
}

/// Mean of the differences.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: u64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.len() as f64
}
