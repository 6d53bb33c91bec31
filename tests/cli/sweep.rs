//! `echoif sweep` and `echoif bench` as a script sees them.

use serde_json::Value;
use std::process::{Command, Output};

fn echoif(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echoif"));
    command.args(args).output().unwrap()
}

fn json(args: &[&str]) -> Value {
    let out = echoif(args);
    let why = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{args:?}: {why}");
    serde_json::from_slice(&out.stdout).unwrap()
}

#[test]
fn a_sweep_holds_every_trial_against_the_papers() {
    let pixels = crate::common::pixel_cascade();
    let pixels = pixels.to_str().unwrap();
    let sweep = json(&[
        "sweep",
        "--cascade",
        pixels,
        "--device",
        "cpu",
        "--json",
        "--ef",
        "25,65",
        "--long",
        "4",
        "--try",
        "heun 4/2",
        "--try",
        "dpm 2/1",
        "--try",
        "unipc 4/2 from=2",
    ]);
    let rows = sweep["rows"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|r| r["trial"].as_str().unwrap()).collect();
    assert_eq!(names, ["paper", "heun 4/2", "dpm 2/1", "unipc 4/2 from=2"]);
    let number = |row: usize, key: &str| rows[row][key].as_f64().unwrap();
    // The cascade's own sampling is just this.
    assert_eq!(rows[0]["above_paper"], serde_json::json!([0.0, 0.0, 0.0]));
    for key in ["ef_error", "ssim", "passes", "evaluations", "rises"] {
        assert_eq!(rows[0][key], rows[1][key], "{key}");
    }
    // Two guided evaluations and one without guidance.
    assert_eq!((number(2, "evaluations"), number(2, "passes")), (3.0, 5.0));
    assert!(number(3, "passes") < 10.0 && number(3, "evaluations") == 6.0);
    for row in 0..rows.len() {
        assert!((0.5..=1.0).contains(&number(row, "ssim")), "{row}");
        assert!((0.0..40.0).contains(&number(row, "ef_error")), "{row}");
        assert!(number(row, "median_seconds") > 0.0, "{row}");
    }
    assert!(number(2, "ssim") < number(1, "ssim"));
}

#[test]
fn a_trial_that_is_none_is_told() {
    let out = echoif(&["sweep", "--try", "euler 4"]);
    assert!(!out.status.success());
    let why = String::from_utf8_lossy(&out.stderr);
    assert!(why.contains("`euler` is no solver"), "{why}");
}

#[test]
fn bench_times_what_it_says() {
    let pixels = crate::common::pixel_cascade();
    let bench = json(&[
        "bench",
        "--cascade",
        pixels.to_str().unwrap(),
        "--device",
        "cpu",
        "--json",
        "--repeat",
        "1",
        "--evaluations",
    ]);
    assert_eq!(bench["evaluations"].as_array().unwrap().len(), 2);
    assert!(bench["presets"].as_array().unwrap().is_empty());
    let bench = json(&["bench", "--device", "cpu", "--json", "--repeat", "1"]);
    assert!(bench["follow_per_second"].as_f64().unwrap() > 0.5);
    let presets = bench["presets"].as_array().unwrap();
    let seconds = |i: usize| presets[i]["median_seconds"].as_f64().unwrap();
    assert_eq!(presets.len(), 3);
    assert!((0..3).all(|i| seconds(i) > 0.0));
    assert!(bench["operations"].as_array().unwrap().len() > 5);
}

#[test]
fn a_motion_cascade_is_swept_by_its_outline_and_pictures_too() {
    let sweep = json(&[
        "sweep", "--device", "cpu", "--json", "--ef", "25,65", "--long", "0", "--try", "heun 3",
    ]);
    let rows = sweep["rows"].as_array().unwrap();
    let number = |row: usize, key: &str| rows[row][key].as_f64().unwrap();
    assert_eq!(
        (number(0, "evaluations"), number(1, "evaluations")),
        (1.0, 5.0)
    );
    for row in 0..2 {
        assert!(number(row, "outline_error") < 15.0, "{row}");
        assert!(
            number(row, "haze").abs() < 5.0 && number(row, "detail") > 10.0,
            "{row}"
        );
    }
}
