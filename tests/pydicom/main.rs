//! Every file of the pydicom package's test data: a picture as pydicom gives it, or a sentence.
//!
//! `ECHOIF_PYDICOM_DIR` names the folder `pydicom/data/test_files` of an installed or unpacked
//! wheel of pydicom 3.0.2; `.ci/run` fetches one. The table is made by `make_table.py`
//! beside it. A process of its own, because it measures the peak.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may stop a test

#[path = "../common/mod.rs"]
mod common;

use echoif::clip::{Frame, Pixels};
use echoif::media::{self, Error, Found};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A file opens, or is refused, within this time, as the tests are compiled.
const MOST_TIME: Duration = Duration::from_secs(2);
/// More than the process had before, in bytes.
const MOST_MEMORY: usize = 500 << 20;

#[derive(Deserialize)]
struct Row {
    file: String,
    outcome: String,
    #[serde(rename = "why_or_sha256_of_frame_0")]
    what: String,
    frames: Option<usize>,
    shape: String,
    feature: String,
}

fn table() -> Vec<Row> {
    let mut reader = csv::Reader::from_path("tests/pydicom/table.csv").unwrap();
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

fn wheel() -> Option<PathBuf> {
    let folder = std::env::var_os("ECHOIF_PYDICOM_DIR").map(PathBuf::from);
    if folder.is_none() {
        // Printed even when the test passes: what was not looked at must be seen.
        use std::io::Write;
        let _ = writeln!(
            std::io::stderr(),
            "\n*** NOT TESTED: pydicom's files. Set ECHOIF_PYDICOM_DIR to pydicom/data/test_files. ***\n"
        );
    }
    folder
}

/// 8-bit samples, gray or RGB as the shape says.
fn samples(frame: &Frame, shape: &str) -> Vec<u8> {
    match (
        &frame.pixels,
        shape.ends_with("x3") && shape.matches('x').count() == 2,
    ) {
        (Pixels::Gray(p), true) => p.iter().flat_map(|&v| [v; 3]).collect(),
        (Pixels::Gray(p) | Pixels::Rgb(p), _) => p.clone(),
    }
}

fn check(folder: &Path, row: &Row) -> Result<(), String> {
    let path = folder.join(&row.file);
    if !path.is_file() {
        return Err("is not in the wheel".into());
    }
    let start = Instant::now();
    let found = media::look(&path);
    let took = start.elapsed();
    if took > MOST_TIME {
        return Err(format!("took {took:?}"));
    }
    let not_built = row.feature == "jpeg-ls" && !cfg!(feature = "jpeg-ls");
    let outcome = if not_built {
        "sentence"
    } else {
        row.outcome.as_str()
    };
    match (outcome, found) {
        ("sentence", Err(why)) => {
            let text = why.to_string();
            let is_known = !matches!(why, Error::Unknown { .. }) || row.what == "no pixel data";
            let says = text.len() > row.file.len() + 30 && is_known;
            if says { Ok(()) } else { Err(text) }
        }
        ("collection", Ok(Found::Collection(files))) if files.len() > 1 => Ok(()),
        ("picture", Ok(Found::Recording(opened))) => {
            let frame = opened.recording.frame(0)?;
            let of = &opened.recording;
            if row.what == "unchecked" {
                return Ok(());
            }
            if row.frames != Some(of.frames()) {
                return Err(format!("{} frames", of.frames()));
            }
            let ours = samples(&frame, &row.shape);
            if row.what == "within 3" {
                let name = row.file.replace('/', "_");
                let theirs = image::open(format!("tests/pydicom/{name}.png")).unwrap();
                let theirs = theirs.as_bytes();
                let worst = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b)).max();
                if ours.len() != theirs.len() || worst > Some(3) {
                    return Err(format!("is {worst:?} levels off"));
                }
                return Ok(());
            }
            let digest = Sha256::digest(&ours);
            let hash: String = digest.iter().map(|b| format!("{b:02x}")).collect();
            if hash == row.what {
                Ok(())
            } else {
                Err("differs from pydicom".into())
            }
        }
        (wanted, Ok(found)) => Err(format!("{found:?} instead of a {wanted}")),
        (wanted, Err(why)) => Err(format!("{why} instead of a {wanted}")),
    }
}

#[test]
fn every_file_of_the_wheel_has_the_outcome_of_the_table() {
    let Some(folder) = wheel() else {
        return;
    };
    common::reset_peak();
    let (_, before) = common::memory();
    let rows = table();
    assert!(rows.len() > 150, "the table is short");
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| Some(format!("{}: {}", row.file, check(&folder, row).err()?)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let more = common::memory().0.saturating_sub(before);
    assert!(more < MOST_MEMORY, "{} MB", more >> 20);
}

#[test]
fn the_table_excuses_only_what_may_be_excused() {
    let excuses = ["no pixel data", "12-bit JPEG", "damaged or incomplete"];
    for row in table() {
        if row.outcome == "sentence" {
            assert!(excuses.contains(&row.what.as_str()), "{}", row.file);
        }
    }
}
