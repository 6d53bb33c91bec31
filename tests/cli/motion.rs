//! What the commands do with the motion cascade.

use echoif::media::region::Anatomy;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn echoif(args: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echoif"));
    let out = command.args(args).output().unwrap();
    let why = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{args:?}: {why}");
    serde_json::from_slice(&out.stdout).unwrap()
}

fn asset(name: &str) -> String {
    format!("{}/assets/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn nothing_moves_in_a_still() {
    for heart in 1..=3 {
        let still = asset(&format!("a4c_{heart}.png"));
        let measured = echoif(&["measure", &still, "--json", "--device", "cpu"]);
        let ef = measured["measured_ef_percent"].as_f64().unwrap();
        assert!(ef < 8.0, "{still}: {ef}");
    }
}

#[test]
fn a_run_with_an_outline_is_repeated_from_its_sidecar() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let outline = r#"{"apex": [58, 22], "septal_annulus": [45, 78], "lateral_annulus": [72, 80],
        "septal": [[46, 36], [42, 50], [42, 65]], "lateral": [[70, 36], [76, 50], [77, 66]]}"#;
    std::fs::write(at("outline.json"), outline).unwrap();
    let made = echoif(&[
        "generate",
        "--frame",
        &asset("a4c_2.png"),
        "--ef",
        "65",
        "--outline",
        &at("outline.json"),
        "--out",
        &at("made.gif"),
        "--json",
        "--device",
        "cpu",
    ]);
    assert_eq!(made["leaflets"], "off");
    assert_eq!(made["outline"]["apex"], serde_json::json!([58.0, 22.0]));
    assert_eq!(made["volumes"].as_array().unwrap().len(), 16);
    let asked = (made["outline_ef_percent"].as_f64().unwrap() - 65.0).abs();
    assert!(asked < 4.0, "{}", made["outline_ef_percent"]);
    assert!(made["es_frame"].as_u64() > made["ed_frame"].as_u64());
    let again = echoif(&[
        "generate",
        "--from",
        &at("made.gif.json"),
        "--out",
        &at("again.gif"),
        "--json",
        "--device",
        "cpu",
    ]);
    assert_eq!(again["same_pixels"], true);
    assert_eq!(again["outline"], made["outline"]);

    std::fs::write(at("outline.json"), outline.replace("[58, 22]", "[58, -5]")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_echoif"));
    let out = command
        .args([
            "generate",
            "--frame",
            &asset("a4c_2.png"),
            "--ef",
            "65",
            "--outline",
        ])
        .args([&at("outline.json"), "--out", &at("none.gif")])
        .output()
        .unwrap();
    let why = String::from_utf8_lossy(&out.stderr);
    assert!(
        !out.status.success() && why.contains("apex lies outside the picture"),
        "{why}"
    );
}

#[test]
fn the_built_in_cascade_is_judged_by_what_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let sheet = folder.path().join("sheet.png");
    let judged = echoif(&[
        "evaluate",
        "--frames",
        &asset("a4c_1.png"),
        &asset("a4c_2.png"),
        &asset("a4c_3.png"),
        "--ef",
        "20,45,70",
        "--json",
        "--device",
        "cpu",
        "--picture",
        sheet.to_str().unwrap(),
    ]);
    assert_eq!(judged["anatomies"], 3);
    let quantity = |name: &str| {
        let all = judged["quantities"].as_array().unwrap();
        all.iter().find(|q| q["name"] == name).unwrap().clone()
    };
    for (name, slope, mae) in [("outline", 0.85, 6.0), ("measured", 0.75, 8.0)] {
        let agreement = &quantity(name)["agreement"];
        assert!(
            agreement["slope"]["value"].as_f64().unwrap() > slope,
            "{name} {agreement}"
        );
        let error = agreement["mean_absolute_error"]["value"].as_f64().unwrap();
        assert!(error < mae, "{name} {agreement}");
        assert_eq!(agreement["rises"]["value"], 1.0, "{name}");
    }
    // Nothing learned sees it, too.
    let tracked = quantity("tracked");
    assert!(
        tracked["agreement"]["slope"]["value"].as_f64().unwrap() > 0.6,
        "{tracked}"
    );
    for spread in quantity("haze")["by_ef"].as_array().unwrap() {
        assert!(spread["mean"].as_f64().unwrap() < 3.0, "{spread}");
    }
    // The sheet shows generated pictures, so it is marked.
    assert!(
        echoif::media::open(&sheet)
            .unwrap()
            .mark
            .is_some_and(|m| m.synthetic)
    );
}

#[test]
fn a_finer_source_is_carried_at_its_own_resolution() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let small = image::open(asset("a4c_1.png")).unwrap();
    let large = small.resize_exact(336, 336, image::imageops::FilterType::CatmullRom);
    large.save(at("large.png")).unwrap();
    let make = |out: &str, more: &[&str]| {
        let frame = at("large.png");
        let (out, base) = (
            at(out),
            [
                "generate", "--frame", &frame, "--ef", "60", "--device", "cpu",
            ],
        );
        let args = [&base[..], &["--json", "--out", &out], more].concat();
        (echoif(&args), echoif::media::open(Path::new(&out)).unwrap())
    };
    let (made, coarse) = make("coarse.gif", &[]);
    let (fine_made, fine) = make("fine.gif", &["--fine"]);
    // One run, two sizes of its picture.
    assert_eq!(made["pixels_sha256"], fine_made["pixels_sha256"]);
    let side = |opened: &echoif::media::Opened| opened.first_square().side;
    assert_eq!((side(&coarse), side(&fine)), (112, 336));
    // At end-systole the fine picture is the coarse one, seen better.
    let levels = |opened: &echoif::media::Opened| {
        let frame = opened.recording.frame(6).unwrap();
        Anatomy::from_frame(&frame, &opened.first_square().into())
            .unwrap()
            .gray_bytes()
    };
    let (a, b) = (levels(&coarse), levels(&fine));
    let mean = a
        .iter()
        .zip(&b)
        .map(|(a, b)| f64::from(a.abs_diff(*b)))
        .sum::<f64>()
        / a.len() as f64;
    assert!(mean < 6.0, "{mean}");
    let again = echoif(&[
        "generate",
        "--from",
        &at("fine.gif.json"),
        "--out",
        &at("again.gif"),
        "--json",
        "--device",
        "cpu",
    ]);
    assert_eq!(again["same_pixels"], true);
}
