//! What a report says of answers.

use super::*;

/// The published study's counts, read by scripts: 83 of 130, 45 of 89, 35 of 81 right.
#[test]
fn the_published_counts_give_the_published_figures() {
    // Few pixels: many clips are drawn here.
    let small = Drawn {
        side: 48,
        frames: 16,
        ..USUAL
    };
    let clips = Clips::new([130, 89, 81], [small; 3]);
    clips.plan("out", &["--preset", "published", "--repeat", "0"]);
    let key: Value =
        serde_json::from_slice(&std::fs::read(clips.path("out/study.key")).unwrap()).unwrap();
    let key: Value = serde_json::from_str(key["key"].as_str().unwrap()).unwrap();
    let plan_file = clips.path("out/plan.json");
    let plan: Value = serde_json::from_slice(&std::fs::read(&plan_file).unwrap()).unwrap();
    let class = |clip: &Value| {
        let all = key["clips"].as_array().unwrap();
        let one = all.iter().find(|c| c["clip"] == *clip).unwrap();
        one["class"].as_str().unwrap().to_owned()
    };
    let mut right = std::collections::BTreeMap::from([
        ("real".to_owned(), 83),
        ("factual".to_owned(), 45),
        ("counterfactual".to_owned(), 35),
    ]);
    let bundle = clips.path("out/study.echostudy");
    let mut logs = Vec::new();
    for reading in plan["readers"].as_array().unwrap() {
        let reader = reading["reader"].as_str().unwrap();
        let trials = reading["trials"].as_array().unwrap();
        assert_eq!(trials.len(), 100);
        let answers: Vec<&str> = trials
            .iter()
            .map(|trial| {
                let class = class(&trial["clip"]);
                let left = right.get_mut(&class).unwrap();
                let is_right = *left > 0;
                *left -= i32::from(is_right);
                if (class == "real") == is_right {
                    "real"
                } else {
                    "fake"
                }
            })
            .collect();
        let script = clips.script("out", 100, |t| answers[t - 1]);
        let code = clips.code("out", reader);
        said(&[
            "run",
            &bundle,
            "--script",
            &script,
            "--code-file",
            &code,
            "--json",
        ]);
        logs.push(clips.path(&format!("out/study-{reader}.jsonl")));
    }
    let (key, out) = (clips.path("out/study.key"), clips.path("report"));
    let report = |logs: &[String], more: &[&str]| {
        let logs: Vec<&str> = logs.iter().map(String::as_str).collect();
        let rest = ["--plan", &plan_file, "--key", &key, "--out", &out, "--json"];
        study(&[&["report"], &logs[..], &rest[..], more].concat())
    };
    // Not before all are in, but with --interim, and then every later report says so.
    let early = report(&logs[..2], &[]);
    let why = String::from_utf8(early.stderr).unwrap();
    assert_eq!(early.status.code(), Some(1));
    assert!(why.contains("R3") && why.contains("--interim"), "{why}");
    let early = report(&logs[..2], &["--interim"]);
    let early: Value = serde_json::from_slice(&early.stdout).unwrap();
    assert_eq!(
        (&early["interim"], &early["readers"]),
        (&true.into(), &2.into())
    );
    let found = report(&logs, &[]);
    assert!(found.status.success(), "{found:?}");
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(found["interim"], false);
    let warnings = found["warnings"].to_string();
    assert!(
        warnings.contains("nterim") && warnings.contains("script"),
        "{warnings}"
    );
    let near = |value: &Value, expected: f64| {
        assert!(
            (value.as_f64().unwrap() - expected).abs() < 5e-5,
            "{value} {expected}"
        );
    };
    near(&found["overall"]["accuracy"], 0.5433);
    near(&found["overall"]["wilson_low"], 0.4868);
    near(&found["overall"]["wilson_high"], 0.5988);
    near(&found["overall"]["always_fake"], 0.5667);
    for (of, (name, share)) in found["by_class"].as_array().unwrap().iter().zip([
        ("real", 0.6385),
        ("factual", 0.5056),
        ("counterfactual", 0.4321),
    ]) {
        assert_eq!(of["class"], name);
        near(&of["accuracy"], share);
    }
    near(&found["sensitivity"], 0.4706);
    near(&found["specificity"], 0.6385);
    near(&found["d_prime"]["pooled"], 0.2782);
    assert_eq!(found["agreement"]["clips"], 0);
    for file in [
        "report.html",
        "summary.json",
        "trials.csv",
        "readers.csv",
        "clips.csv",
        "study.imrmc",
        "by_class.imrmc",
        "mrmcaov.csv",
        "checklist.md",
    ] {
        assert!(Path::new(&out).join(file).is_file(), "{file}");
    }
    // A key that is of another study.
    let other = Clips::new([8, 5, 5], [small; 3]);
    other.plan("out", &["--trials", "12"]);
    let why = refused(&[
        "report",
        &logs[0],
        "--plan",
        &plan_file,
        "--key",
        &other.path("out/study.key"),
        "--out",
        &out,
    ]);
    assert!(why.contains("not the key"), "{why}");
}

#[test]
fn a_key_that_is_sealed_needs_its_passphrase() {
    let clips = Clips::new([8, 5, 5], [USUAL; 3]);
    let word = clips.path("word.txt");
    std::fs::write(&word, "three warm hearts\n").unwrap();
    let mut arguments = clips.arguments(
        "out",
        &["--trials", "12", "--readers", "1", "--passphrase-file"],
    );
    arguments.push(word.clone());
    arguments.retain(|a| a != "--no-passphrase");
    said(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let text = std::fs::read_to_string(clips.path("out/study.key")).unwrap();
    assert!(!text.contains("real") && !text.contains("secret"), "{text}");
    let (bundle, plan) = (
        clips.path("out/study.echostudy"),
        clips.path("out/plan.json"),
    );
    let (code, script) = (clips.code("out", "R1"), clips.script("out", 12, |_| "fake"));
    said(&[
        "run",
        &bundle,
        "--script",
        &script,
        "--code-file",
        &code,
        "--json",
    ]);
    let (log, key, out) = (
        clips.path("out/study-R1.jsonl"),
        clips.path("out/study.key"),
        clips.path("report"),
    );
    let base = [
        "report", &log, "--plan", &plan, "--key", &key, "--out", &out,
    ];
    let why = refused(&base);
    assert!(why.contains("passphrase"), "{why}");
    let wrong = clips.path("wrong.txt");
    std::fs::write(&wrong, "two").unwrap();
    let why = refused(&[&base[..], &["--passphrase-file", &wrong]].concat());
    assert!(why.contains("passphrase"), "{why}");
    assert!(!Path::new(&out).exists());
    let found = said(&[&base[..], &["--passphrase-file", &word, "--json"]].concat());
    assert_eq!(found["answered"], 12);
}
