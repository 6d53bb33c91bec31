//! The cases of public reports, with the right pictures beside them.

use super::{case, case_bytes, difference, frame, rgb};
use echoif::media;
use serde_json::Value;
use std::process::Command;

#[test]
fn every_case_opens_as_it_should() {
    let cases: Vec<Value> = serde_json::from_slice(&case_bytes("cases.json")).unwrap();
    assert_eq!(cases.len(), 17);
    for about in cases {
        let name = about["file"].as_str().unwrap();
        let opened = media::open(&case(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        if let Some(right) = about["right"].as_str() {
            let i = about["frame"].as_u64().unwrap_or(0) as usize;
            let shown = frame(&opened, i);
            let right = image::open(case("right").join(right)).unwrap().to_rgb8();
            let size = (right.width() as usize, right.height() as usize);
            assert_eq!((shown.width, shown.height), size, "{name}");
            let off = difference(&rgb(&shown), &right);
            assert!(
                off <= about["mean"].as_f64().unwrap_or(0.0),
                "{name}: {off}"
            );
        }
        let facts = &about["json"];
        let recording = &opened.recording;
        if let Some(frames) = facts["frames"].as_u64() {
            assert_eq!(recording.frames() as u64, frames, "{name}");
        }
        if let Some(columns) = facts["columns"].as_u64() {
            assert_eq!(recording.width() as u64, columns, "{name}");
        }
        if let Some(ms) = facts["frame_ms"].as_f64() {
            let found = recording.rate.unwrap().frame_ms();
            assert!((found - ms).abs() < 0.01, "{name}: {found}");
        }
    }
}

fn echoif(arguments: &[&str]) -> (String, String) {
    let home = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_echoif"))
        .args(arguments)
        .env("HOME", home.path())
        .env("XDG_DATA_HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(done.stdout), text(done.stderr))
}

#[test]
fn open_and_measure_say_what_cannot_be_had_and_what_is_paused() {
    let bad = case("c09_one_bad_frame.dcm");
    let (said, _) = echoif(&["open", bad.to_str().unwrap(), "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let warnings = said["warnings"].to_string();
    assert!(
        warnings.contains("1 of 6 frames cannot be shown"),
        "{warnings}"
    );
    let measure = |path: &std::path::Path, more: &[&str]| {
        let all = [
            &["measure", path.to_str().unwrap(), "--device", "cpu"],
            more,
        ]
        .concat();
        echoif(&all).1
    };
    let said = measure(&bad, &["--fps", "8"]);
    assert!(said.contains("1 of 6 frames cannot be shown"), "{said}");
    let said = measure(&case("c07_frame_time_vector_pause.dcm"), &[]);
    assert!(said.contains("a pause of 1000 ms"), "{said}");
}
