//! End to end through the program, on the built-in weights.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn echoif(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_echoif"))
        .args(args)
        .output()
        .expect("the program starts")
}

fn json(args: &[&str]) -> Value {
    let out = echoif(args);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        out.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert_eq!(text.trim().lines().count(), 1, "one object: {text}");
    serde_json::from_str(&text).expect("standard output is one JSON object")
}

fn heart(i: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/a4c_{i}.png"))
}

#[test]
fn measured_ef_rises_with_the_request() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.gif");
    let out = out.to_str().unwrap();
    let mut rising = 0;
    for i in 1..=3 {
        for seed in ["0", "1"] {
            let measured: Vec<f64> = ["20", "40", "60", "75"]
                .iter()
                .map(|ef| {
                    let frame = heart(i);
                    let made = json(&[
                        "generate",
                        "--frame",
                        frame.to_str().unwrap(),
                        "--ef",
                        ef,
                        "--seed",
                        seed,
                        "--out",
                        out,
                        "--json",
                    ]);
                    made["measured_ef_percent"].as_f64().unwrap()
                })
                .collect();
            let strictly = measured.windows(2).all(|w| w[0] < w[1]);
            println!(
                "heart {i}, seed {seed}: requested 20, 40, 60, 75, measured {measured:.1?}{}",
                if strictly { "" } else { " (not rising)" }
            );
            rising += usize::from(strictly);
        }
    }
    assert!(rising >= 5, "{rising} of 6");
}

#[test]
fn a_cine_measures_the_same_from_its_file_and_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.gif");
    let frame = heart(2);
    let made = json(&[
        "generate",
        "--frame",
        frame.to_str().unwrap(),
        "--ef",
        "30",
        "--factual-ef",
        "60",
        "--best-of",
        "2",
        "--preset",
        "preview",
        "--out",
        out.to_str().unwrap(),
        "--json",
    ]);
    for key in [
        "requested_ef_percent",
        "measured_ef_percent",
        "regressor",
        "seed",
        "preset",
        "cascade",
        "cascade_sha256",
        "device",
        "evaluations",
        "seconds",
        "best_of",
        "candidates",
        "out",
        "warnings",
    ] {
        assert!(!made[key].is_null(), "{key}");
        assert!(!made["factual"][key].is_null(), "factual.{key}");
    }
    assert_eq!(made["requested_ef_percent"], 30.0);
    assert_eq!(made["factual"]["requested_ef_percent"], 60.0);
    // The factual cine shares the noise of the candidate that was kept.
    assert_eq!(made["seed"], made["factual"]["seed"]);
    let candidates = made["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 2);
    let error = |c: &Value| (c["measured_ef_percent"].as_f64().unwrap() - 30.0).abs();
    let closest = candidates
        .iter()
        .min_by(|a, b| error(a).total_cmp(&error(b)))
        .unwrap();
    assert_eq!(closest["seed"], made["seed"]);

    for part in [&made, &made["factual"]] {
        let path = part["out"].as_str().unwrap();
        let measured = json(&["measure", path, "--json"]);
        let difference = measured["measured_ef_percent"].as_f64().unwrap()
            - part["measured_ef_percent"].as_f64().unwrap();
        assert!(difference.abs() < 1.0, "{difference} points");
        let opened = echoif::media::open(Path::new(path)).unwrap();
        let mark = opened.mark.expect("the file says what it is");
        assert!(mark.synthetic && mark.beat_normalised);
        assert_eq!(mark.picture[2..], [112, 112]);
        assert_eq!(opened.recording.width(), 112);
        assert_eq!(opened.recording.frames(), 16);
    }
}

#[test]
fn the_same_seed_gives_the_same_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, seed: &str| {
        let out = folder.path().join(name);
        let frame = heart(3);
        let args = [
            "generate",
            "--frame",
            frame.to_str().unwrap(),
            "--ef",
            "55",
            "--seed",
            seed,
            "--preset",
            "preview",
            "--out",
            out.to_str().unwrap(),
        ];
        assert!(echoif(&args).status.success());
        echoif::media::open(&out)
            .unwrap()
            .recording
            .to_clip()
            .unwrap()
    };
    let first = make("a.gif", "7");
    assert_eq!(first, make("b.gif", "7"));
    assert_ne!(first, make("c.gif", "8"));
}

#[test]
fn what_cannot_be_done_is_said_and_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let png = std::fs::read(heart(1)).unwrap();
    let good = heart(1);
    let good = good.to_str().unwrap();
    let out = folder.path().join("out.gif");
    let out = out.to_str().unwrap();
    let missing = folder.path().join("none.png");
    let cases = [
        (
            missing.to_str().unwrap().to_owned(),
            "30",
            out,
            "cannot be read",
        ),
        (file("empty.png", b""), "30", out, "empty"),
        (
            file("words.dcm", b"not a picture at all"),
            "30",
            out,
            "no known kind",
        ),
        (
            file("cut.png", &png[..png.len() / 2]),
            "30",
            out,
            "cannot be shown",
        ),
        (good.to_owned(), "95", out, "10 to 85"),
        (good.to_owned(), "NaN", out, "10 to 85"),
        (good.to_owned(), "30", "out.tiff", ".gif"),
    ];
    for (frame, ef, out, expected) in &cases {
        let done = echoif(&[
            "generate", "--frame", frame, "--ef", ef, "--out", out, "--json",
        ]);
        assert_eq!(done.status.code(), Some(1), "{frame} {ef}");
        let said: Value = serde_json::from_slice(&done.stdout).expect("one JSON object");
        let said = said["error"].as_str().unwrap();
        assert!(said.contains(expected), "{said}");
    }
    assert!(!Path::new(out).exists());
    // A word too many is a matter of usage.
    assert_eq!(echoif(&["generate", "--sideways"]).status.code(), Some(2));
}

#[test]
fn without_a_display_the_program_says_what_is_missing() {
    let done = Command::new(env!("CARGO_BIN_EXE_echoif"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    if cfg!(target_os = "linux") {
        assert_eq!(done.status.code(), Some(1));
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(
            said.contains("no display") && said.contains("echoif generate"),
            "{said}"
        );
    }
}

#[test]
fn doctor_says_what_there_is() {
    let found = json(&["doctor", "--json"]);
    assert!(found["devices"]["cpu"].as_str().unwrap().starts_with("CPU"));
    assert_eq!(found["builtin_cascade"], "built-in cascade");
    let cuda = cfg!(feature = "cuda");
    assert_eq!(found["devices"]["built_with_cuda"], cuda);
    let said = String::from_utf8(echoif(&["doctor"]).stdout).unwrap();
    let how = if cuda { "with" } else { "without" };
    assert!(said.contains(&format!(", built {how} CUDA\n")), "{said}");
}

#[test]
fn open_says_what_a_file_holds_and_writes_a_frame() {
    let folder = tempfile::tempdir().unwrap();
    let png = folder.path().join("frame.png");
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_1.gif");
    let said = json(&[
        "open",
        clip.to_str().unwrap(),
        "--json",
        "--frame",
        "3",
        "--png",
        png.to_str().unwrap(),
    ]);
    assert_eq!(said["kind"], "gif");
    assert_eq!(said["frames"], 16);
    assert_eq!(said["square"], serde_json::json!([0, 0, 112]));
    assert_eq!(said["frame_ms"], 60.0);
    assert!(said["photometric"].is_null());
    let whole = echoif::media::open(&clip)
        .unwrap()
        .recording
        .to_clip()
        .unwrap();
    let written = echoif::media::open(&png)
        .unwrap()
        .recording
        .to_clip()
        .unwrap();
    assert_eq!(written.frames[0], whole.frames[3]);
}

#[test]
fn a_run_is_repeated_from_its_sidecar() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (frame, dicom) = (heart(2), at("ef25.dcm"));
    let frame = frame.to_str().unwrap();
    let first = json(&[
        "generate",
        "--frame",
        frame,
        "--ef",
        "25",
        "--seed",
        "3",
        "--best-of",
        "2",
        "--preset",
        "preview",
        "--guidance",
        "2.5",
        "--out",
        &dicom,
        "--json",
    ]);
    let sidecar = format!("{dicom}.json");
    let again = json(&[
        "generate",
        "--from",
        &sidecar,
        "--out",
        &at("again"),
        "--json",
    ]);
    assert_eq!(again["same_pixels"], true);
    for key in [
        "requested_ef_percent",
        "measured_ef_percent",
        "seed",
        "pixels_sha256",
        "best_of",
    ] {
        assert_eq!(first[key], again[key], "{key}");
    }
    // Without the anatomy the frame is asked for, and only the right one is taken.
    let bare = at("bare.gif");
    let without = ["--without-anatomy", "--out", &bare, "--json"];
    json(&[["generate", "--from", &sidecar].as_slice(), &without].concat());
    let sidecar = format!("{bare}.json");
    let told = std::fs::read_to_string(&sidecar).unwrap();
    assert!(told.contains("\"anatomy_png\": null"), "{told}");
    let said = |more: &[&str]| {
        let out = echoif(
            &[
                ["generate", "--from", &sidecar, "--out", &bare].as_slice(),
                more,
            ]
            .concat(),
        );
        assert_eq!(out.status.code(), Some(1));
        String::from_utf8(out.stderr).unwrap()
    };
    assert!(said(&[]).contains("--frame"));
    let other = heart(3);
    assert!(said(&["--frame", other.to_str().unwrap()]).contains("not the anatomy"));
    let tiny = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/merged_tiny_1scm"
    );
    assert!(said(&["--frame", frame, "--cascade", tiny]).contains("--cascade"));
    let made = json(&[
        "generate", "--from", &sidecar, "--frame", frame, "--out", &bare, "--json",
    ]);
    assert_eq!(made["same_pixels"], true);
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_echoif"))
        .args(["doctor"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && !said.contains("panicked"), "{said}");
}

/// A device that takes nothing, as a full disk.
#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_sentence() {
    let full = || {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        full.unwrap()
    };
    let doctor = || {
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_echoif"));
        doctor.arg("doctor").stdout(full());
        doctor
    };
    let out = doctor().output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(1), "{said}");
    let sentence = "The output cannot be written: No space left";
    assert!(
        said.contains(sentence) && !said.contains("panicked"),
        "{said}"
    );
    // Nor does it end otherwise where there is no room for the sentence.
    let neither = doctor().stderr(full()).status().unwrap();
    assert_eq!(neither.code(), Some(1));
}

#[test]
fn an_anatomy_with_what_looks_like_text_is_not_written_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let heart = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_2.png");
    let mut picture = image::open(heart).unwrap().to_luma8();
    for (x, y) in (4..28).flat_map(|x| (5..11).map(move |y| (x, y))) {
        let level = if (x + y) % 3 == 0 { 230 } else { 0 };
        picture.put_pixel(x, y, image::Luma([level]));
    }
    let frame = folder.path().join("named.png");
    picture.save(&frame).unwrap();
    let make = |more: &[&str]| {
        let out = folder.path().join("made.gif");
        let (frame, out) = (frame.to_str().unwrap(), out.to_str().unwrap());
        let base = [
            "generate", "--frame", frame, "--ef", "30", "--out", out, "--json",
        ];
        let made = json(&[&base, more].concat());
        let text = std::fs::read_to_string(format!("{out}.json")).unwrap();
        let sidecar: Value = serde_json::from_str(&text).unwrap();
        (
            made["warnings"].to_string(),
            sidecar["anatomy_png"].is_null(),
        )
    };
    let (warnings, left_out) = make(&[]);
    assert!(
        left_out && warnings.contains("--mask X,Y,W,H"),
        "{warnings}"
    );
    for answer in [&["--no-text"][..], &["--mask", "3,4,27,9"]] {
        let (warnings, left_out) = make(answer);
        assert!(!left_out && !warnings.contains("--mask"), "{warnings}");
    }
    let out = echoif(&[
        "generate", "--frame", "f.png", "--ef", "30", "--out", "o.gif", "--mask", "1,2",
    ]);
    assert_eq!(out.status.code(), Some(2));
}
