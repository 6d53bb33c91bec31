//! `echoif calibrate`, and asking by what it wrote.

use super::{echoif, refused, said};
use serde_json::Value;
use std::path::Path;

fn repository(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// The built-in cascade as a folder, without a card.
fn cascade(to: &Path) -> String {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(repository("weights/cascade")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    to.display().to_string()
}

fn points(calibration: &Value) -> Vec<[f64; 2]> {
    let points = calibration["curve"]["points"].as_array().unwrap();
    let pair = |p: &Value| ["conditioned", "measured"].map(|k| p[k].as_f64().unwrap());
    points.iter().map(pair).collect()
}

#[test]
fn a_card_is_calibrated_and_asked_by() {
    let folder = tempfile::tempdir().unwrap();
    let within = |name: &str| folder.path().join(name).display().to_string();
    let own = cascade(&folder.path().join("cascade"));
    let frame = repository("assets/a4c_1.png");
    let generate = |more: &[&str], out: &str| {
        let mut all = vec!["generate", "--cascade", &own, "--json", "--out", out];
        all.extend(more);
        echoif(&all)
    };
    let plain = ["--frame", &frame, "--ef", "31"];
    let on = ["--frame", &frame, "--ef", "31", "--calibration", "on"];
    let out = within("asked.gif");
    assert!(refused(&generate(&on, &out)).contains("echoif calibrate"));

    // Of recorded frames, that is of files.
    std::fs::create_dir(folder.path().join("frames")).unwrap();
    for seed in ["11", "12", "13", "14"] {
        let png = within(&format!("frames/{seed}.gif"));
        said(&echoif(&[
            "phantom", "--seed", seed, "--ef", "55", "--json", "--out", &png,
        ]));
    }
    let frames = within("frames");
    let mut arguments = vec![
        "calibrate",
        "--cascade",
        &own,
        "--frames",
        &frames,
        "--ef",
        "20,30,50,70",
        "--test-ef",
        "31,60",
        "--json",
    ];
    let calibrated = said(&echoif(&arguments));
    assert_eq!(calibrated["kind"], "recorded_unseen");
    let calibration = &calibrated["calibration"];
    assert_eq!(
        (&calibration["anatomies"], &calibration["cines"]),
        (&2.into(), &8.into())
    );
    assert_eq!(calibration["test"]["anatomies"], 2);
    let curve = points(calibration);
    assert!(
        curve
            .windows(2)
            .all(|w| w[0][0] < w[1][0] && w[0][1] <= w[1][1]),
        "{curve:?}"
    );
    let test = &calibration["test"];
    let mean = |of: &str| test[of]["value"].as_f64().unwrap();
    assert!((mean("before") - mean("after") - mean("lowered_by")).abs() < 2e-3);
    assert!(mean("outline_before") < 5.0);

    // It asks for what measures 31 % by the curve's straight lines.
    let (a, b) = (curve[0], curve[1]);
    let [a, b] = if b[1] < 31.0 { [b, curve[2]] } else { [a, b] };
    let expected = a[0] + (31.0 - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
    let made = said(&generate(&on, &out));
    let conditioning = made["conditioning_ef_percent"].as_f64().unwrap();
    assert!(
        (conditioning - expected).abs() < 1e-6,
        "{conditioning} {expected}"
    );
    assert_eq!(made["requested_ef_percent"], 31.0);
    // Of four anatomies nothing is beyond doubt, or it is; where nobody says, the card does.
    let by_itself = said(&generate(&plain, &within("plain.gif")));
    let is_default = calibrated["is_default"].as_bool().unwrap();
    assert_eq!(
        by_itself.get("conditioning_ef_percent").is_some(),
        is_default
    );
    // A data set asks by it, too: each clip by the curve as it was planned.
    let wanted = within("wanted.csv");
    std::fs::write(&wanted, "ef_percent\n31\n").unwrap();
    let set = within("set");
    let plan = |out: &str, more: &[&str]| {
        let of = ["dataset", "plan", "--frames", &frames, "--efs", &wanted];
        let by = ["--cascade", &own, "--json", "--out", out];
        echoif(&[&of[..], &by, more].concat())
    };
    let planned = said(&plan(&set, &["--calibration", "on"]));
    assert_eq!(planned["calibrated"], true);
    let leaflets = ["--calibration", "on", "--leaflets"];
    assert!(refused(&plan(&within("none"), &leaflets)).contains("leaflets"));
    let uncalibrated = said(&plan(&within("off"), &["--calibration", "off"]));
    assert_eq!(uncalibrated["calibrated"], false);
    let done = said(&echoif(&[
        "dataset",
        "make",
        &set,
        "--frames",
        &frames,
        "--cascade",
        &own,
        "--json",
    ]));
    assert_eq!(done["made"], 1);
    let sidecars = std::fs::read_dir(folder.path().join("set/Sidecars")).unwrap();
    let clips: Vec<Value> = (sidecars.map(|e| e.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        .collect();
    let [clip] = clips.as_slice() else {
        panic!("{clips:?}")
    };
    let how = &clip["provenance"];
    assert_eq!(how["requested_ef_percent"], 31.0);
    let asked = how["conditioning_ef_percent"].as_f64().unwrap();
    assert!((asked - expected).abs() < 1e-6, "{asked} {expected}");

    // The file says so, and the run is repeated from it, whatever the card says by then.
    std::fs::remove_file(folder.path().join("cascade/card.yaml")).unwrap();
    let sidecar = within("asked.gif.json");
    let again = said(&generate(&["--from", &sidecar], &within("again.gif")));
    assert_eq!(again["same_pixels"], true);
    for key in [
        "requested_ef_percent",
        "conditioning_ef_percent",
        "pixels_sha256",
    ] {
        assert_eq!(again[key], made[key], "{key}");
    }

    // Another kind is put beside it, and what else the card says stays.
    let card = folder.path().join("cascade/card.yaml");
    std::fs::write(
        &card,
        "# by hand\nname: mine\ncalibration: {}\ntraining_ef_range_percent: [8, 82]\n",
    )
    .unwrap();
    arguments.extend(["--kind", "recorded_seen"]);
    assert_eq!(said(&echoif(&arguments))["is_default"], false);
    arguments.truncate(arguments.len() - 2);
    said(&echoif(&arguments));
    let text = std::fs::read_to_string(&card).unwrap();
    assert!(
        text.starts_with("# by hand\nname: mine\ntraining_ef_range_percent: [8, 82]\n"),
        "{text}"
    );
    assert!(text.contains("recorded_seen") && text.contains("recorded_unseen"));

    // It was measured of cines as they are.
    let leaflets = [
        "--frame",
        &frame,
        "--ef",
        "31",
        "--calibration",
        "on",
        "--leaflets",
    ];
    assert!(refused(&generate(&leaflets, &out)).contains("leaflets"));
    // And by one regressor.
    std::fs::write(
        &card,
        text.replace("regressor_sha256\":\"", "regressor_sha256\":\"0"),
    )
    .unwrap();
    assert!(refused(&generate(&on, &out)).contains("by this regressor"));
    // A card that is none is kept.
    std::fs::write(&card, "name: [").unwrap();
    assert!(refused(&echoif(&arguments)).contains("card.yaml"));
    assert_eq!(std::fs::read_to_string(&card).unwrap(), "name: [");
    // And the cascade is used without it, which is said.
    let without = generate(&plain, &within("without.gif"));
    let words = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(without.status.success(), "{words}");
    assert!(
        words.contains("card.yaml cannot be read") && words.contains("without its figures"),
        "{words}"
    );
}

#[test]
fn simulated_hearts_say_how_their_motion_is_met() {
    let told = said(&echoif(&[
        "evaluate",
        "--simulated",
        "1",
        "--first-heart",
        "901",
        "--ef",
        "20,60",
        "--json",
    ]));
    let quantity = |name: &str| {
        let all = told["quantities"].as_array().unwrap();
        let found = all.iter().find(|q| q["name"] == name).unwrap();
        found["by_ef"][1]["mean"].as_f64().unwrap()
    };
    // Flow reads low even of exact motion; the wall of a heart that moves by some pixels is met within two.
    assert!(
        (45.0..62.0).contains(&quantity("exact")),
        "{}",
        quantity("exact")
    );
    assert!(
        (0.05..2.0).contains(&quantity("wall")),
        "{}",
        quantity("wall")
    );
    let few = echoif(&["calibrate", "--simulated", "3"]);
    assert!(refused(&few).contains("four anatomies"));
    let both = echoif(&["calibrate", "--simulated", "4", "--kind", "recorded_seen"]);
    assert!(refused(&both).contains("--simulated"));
}
