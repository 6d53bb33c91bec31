//! `echoif phantom`: hearts with everything known.

use echoif::media;
use echoif::media::mark::Puppetry;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn phantom(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_echoif"))
        .arg("phantom")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn said(arguments: &[&str]) -> Value {
    let output = phantom(arguments);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = phantom(arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn truth(path: &str) -> Value {
    let text = std::fs::read_to_string(format!("{path}.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()
}

/// EF in percent by disks about the axis from the apex, from outlines alone.
fn ef_of(outlines: &Value, apex: usize) -> f64 {
    let volumes = outlines.as_array().unwrap().iter().map(|outline| {
        let points: Vec<[f64; 2]> = serde_json::from_value(outline.clone()).unwrap();
        let (a, n) = (points[apex], points.len());
        let base = [0, 1].map(|k| 0.5 * (points[0][k] + points[n - 1][k]));
        let axis = [0, 1].map(|k| base[k] - a[k]);
        let length = axis[0].hypot(axis[1]);
        let unit = axis.map(|v| v / length);
        let places: Vec<(f64, f64)> = points
            .iter()
            .map(|p| {
                let d = [p[0] - a[0], p[1] - a[1]];
                (
                    d[0] * unit[0] + d[1] * unit[1],
                    d[0] * unit[1] - d[1] * unit[0],
                )
            })
            .collect();
        (0..400)
            .map(|k| {
                let h = (f64::from(k) + 0.5) / 400.0 * length;
                let crossed = places.iter().zip(places.iter().cycle().skip(1));
                let at: Vec<f64> = crossed
                    .filter(|(p, q)| (p.0 <= h) != (q.0 <= h))
                    .map(|(p, q)| p.1 + (q.1 - p.1) * (h - p.0) / (q.0 - p.0))
                    .collect();
                let width = at.iter().copied().fold(f64::MIN, f64::max)
                    - at.iter().copied().fold(f64::MAX, f64::min);
                width * width * length
            })
            .sum::<f64>()
    });
    let volumes: Vec<f64> = volumes.collect();
    let least = volumes.iter().copied().fold(f64::MAX, f64::min);
    let most = volumes.iter().copied().fold(0.0, f64::max);
    100.0 * (1.0 - least / most)
}

#[test]
fn a_heart_is_written_in_every_form_with_its_truth() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in [
        "heart.gif",
        "heart.apng",
        "heart.avi",
        "heart.dcm",
        "frames",
    ] {
        let out = path(name);
        let said = said(&["--seed", "7", "--ef", "35", "--out", &out, "--json"]);
        assert_eq!(said["frames"], 16);
        assert!((said["ef_percent"].as_f64().unwrap() - 35.0).abs() < 0.1);
        let truth = truth(&out);
        assert_eq!(
            (&truth["synthetic"], &truth["truth"]["es_frame"]),
            (&true.into(), &said["es_frame"])
        );
        let found = ef_of(&truth["truth"]["outlines"], 24);
        assert!((found - 35.0).abs() < 0.1, "{found}");
        if name == "frames" {
            continue;
        }
        let opened = media::open(Path::new(&out)).unwrap();
        let drawn = opened.mark.unwrap().drawn.unwrap();
        assert_eq!((drawn.what, drawn.seed), (Puppetry::SimulatedHeart, 7));
        let recording = opened.recording;
        assert_eq!(
            (recording.frames(), recording.frame(0).unwrap().width),
            (16, 112)
        );
    }
    // The same number, the same bytes.
    let again = path("again.gif");
    said(&["--seed", "7", "--ef", "35", "--out", &again, "--json"]);
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    assert!(read("heart.gif") == read("again.gif"));
    let dicom = read("heart.dcm");
    let has = |text: &str| dicom.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(has("SYNTHETIC^SIMULATED") && !has("COUNTERFACTUAL") && has("algorithmicMedia"));
}

#[test]
fn any_length_with_segments_and_its_motion() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (out, motion) = (path("long.dcm"), path("motion.safetensors"));
    let said = said(&[
        "--seed",
        "3",
        "--ef",
        "40",
        "--rate",
        "50",
        "--seconds",
        "1.5",
        "--heart-rate",
        "72",
        "--segment",
        "mid-septal=0",
        "--segment",
        "apical-septal=-0.2",
        "--out",
        &out,
        "--displacement",
        &motion,
        "--json",
    ]);
    assert_eq!((&said["frames"], &said["fps"]), (&75.into(), &50.0.into()));
    let truth = truth(&out);
    assert_eq!(truth["truth"]["segments"]["mid-septal"], 0.0);
    assert!((truth["truth"]["ef_percent"].as_f64().unwrap() - 40.0).abs() < 0.1);
    let bytes = std::fs::read(motion).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let field = tensors.tensor("displacement").unwrap();
    assert_eq!(field.shape(), [75, 112, 112, 2]);
    let value = |i: usize| f32::from_le_bytes(field.data()[4 * i..][..4].try_into().unwrap());
    let frame = 112 * 112 * 2;
    // At end-diastole nothing is away from itself, and at end-systole much is.
    assert!((0..frame).all(|i| value(i).abs() < 1e-3));
    let es = said["es_frame"].as_u64().unwrap() as usize;
    assert!((0..frame).any(|i| value(es * frame + i).abs() > 3.0));
}

#[test]
fn a_still_beats() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let still = path("still");
    said(&[
        "--seed", "5", "--ef", "50", "--frames", "2", "--out", &still, "--json",
    ]);
    let outlines = truth(&still)["truth"]["outlines"][0].clone();
    let at = |i: usize| outlines[i].clone();
    let outline = serde_json::json!({
        "apex": at(24), "septal_annulus": at(0), "lateral_annulus": at(48),
        "septal": [at(12), at(7), at(3)], "lateral": [at(36), at(41), at(45)],
    });
    std::fs::write(path("outline.json"), outline.to_string()).unwrap();
    let frame = format!("{still}/frame_000.png");
    let (out, outline) = (path("puppet.gif"), path("outline.json"));
    let arguments = [
        "--puppet",
        &frame,
        "--outline",
        &outline,
        "--ef",
        "30",
        "--decorrelation",
        "0.2",
        "--probe",
        "1",
        "--out",
        &out,
        "--json",
    ];
    let said = said(&arguments);
    assert!((said["ef_percent"].as_f64().unwrap() - 30.0).abs() < 0.3);
    let drawn = media::open(Path::new(&out)).unwrap().mark.unwrap();
    assert_eq!(drawn.digital_source_type, "compositeSynthetic");
    assert_eq!(drawn.drawn.unwrap().what, Puppetry::Puppet);
    assert_eq!(truth(&out)["truth"]["decorrelation"], 0.2);

    std::fs::write(path("wrong.json"), "{\"apex\": [1, 2]}").unwrap();
    let wrong = refused(&[
        "--puppet",
        &frame,
        "--outline",
        &path("wrong.json"),
        "--ef",
        "30",
        "--out",
        &path("no.gif"),
    ]);
    assert!(wrong.contains("no outline"), "{wrong}");
    let far = refused(&[
        "--puppet",
        &frame,
        "--outline",
        &outline,
        "--ef",
        "30",
        "--probe",
        "99",
        "--out",
        &path("no.gif"),
    ]);
    assert!(far.contains("--probe goes from 0 to 10"), "{far}");
    assert!(!Path::new(&path("no.gif")).exists());
}

#[test]
fn what_cannot_be_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let out = path("no.gif");
    let mut still = vec!["--ef", "70", "--out", &out];
    for segment in [
        "basal-septal=0",
        "mid-septal=0",
        "apical-septal=0",
        "apical-lateral=0",
        "mid-lateral=0",
    ] {
        still.extend(["--segment", segment]);
    }
    for (arguments, words) in [
        (vec!["--ef", "95", "--out", &out], "from 0 to 90 percent"),
        (vec!["--ef", "nan", "--out", &out], "from 0 to 90 percent"),
        (vec!["--ef", "35", "--out", &path("no.xyz")], ".gif"),
        (
            vec![
                "--ef",
                "35",
                "--rate",
                "2",
                "--heart-rate",
                "200",
                "--out",
                &out,
            ],
            "no two frames",
        ),
        (
            vec!["--ef", "35", "--rate", "50", "--frames", "4", "--out", &out],
            "before the heart has contracted",
        ),
        (
            vec![
                "--ef",
                "35",
                "--rate",
                "1000",
                "--seconds",
                "60",
                "--out",
                &out,
            ],
            "from 2 to 512 frames",
        ),
        (
            vec!["--ef", "35", "--segment", "left=1", "--out", &out],
            "mid-septal=0.5",
        ),
        (
            vec!["--ef", "35", "--segment", "mid-septal=9", "--out", &out],
            "mid-septal=0.5",
        ),
        (
            vec!["--ef", "35", "--frames", "0", "--out", &out],
            "from 2 to 512 frames",
        ),
        (
            vec![
                "--ef",
                "35",
                "--frames",
                "512",
                "--heart-rate",
                "250",
                "--out",
                &out,
            ],
            "The rate goes from 1 to 1000",
        ),
        (
            vec!["--ef", "35", "--displacement", &out, "--out", &out],
            "the same file",
        ),
        (still, "at most"),
    ] {
        let said = refused(&arguments);
        assert!(said.contains(words), "{arguments:?} {said}");
    }
    // What it says can be reached can be.
    let mut akinetic = vec!["--seed", "3", "--out", &out];
    for segment in [
        "basal-septal=0",
        "mid-septal=0",
        "basal-lateral=0",
        "mid-lateral=0",
    ] {
        akinetic.extend(["--segment", segment]);
    }
    let text = refused(&[&akinetic[..], &["--ef", "80"]].concat());
    let (_, rest) = text.split_once("an EF of ").unwrap();
    let (most, _) = rest.split_once(" %").unwrap();
    let made = path("most.gif");
    akinetic[3] = &made;
    said(&[&akinetic[..], &["--ef", most, "--json"]].concat());
    for name in ["most.gif", "most.gif.json"] {
        std::fs::remove_file(path(name)).unwrap();
    }
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
    // A truth is no run.
    let heart = path("heart.gif");
    said(&["--ef", "35", "--out", &heart, "--json"]);
    let output = Command::new(env!("CARGO_BIN_EXE_echoif"))
        .args([
            "generate",
            "--from",
            &format!("{heart}.json"),
            "--out",
            &path("again.gif"),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("echoif phantom"),
        "{said}"
    );
}
