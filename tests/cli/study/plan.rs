//! What is planned, and what a bundle tells.

use super::*;
use std::collections::BTreeSet;
use std::path::PathBuf;

#[test]
fn power_says_what_a_design_can_show() {
    let power = said(&["power", "--readers", "3", "--trials", "100", "--json"]);
    for (key, value) in [
        ("wilson_half_width", 0.0962),
        ("mrmc_half_width", 0.1309),
        ("power_p60", 0.462),
        ("equivalence_n", 215.0),
    ] {
        assert!(
            (power[key].as_f64().unwrap() - value).abs() < 1e-4,
            "{key}: {power}"
        );
    }
    assert!((power["mrmc_df"].as_f64().unwrap() - 3.516).abs() < 1e-3);
    assert_eq!(power["warnings"].as_array().unwrap().len(), 1);
    assert!(refused(&["power", "--trials", "0"]).contains("trial"));
    assert!(refused(&["power", "--margin", "0.7"]).contains("--margin"));
    assert!(refused(&["power", "--reader-sd", "0.9"]).contains("--reader-sd"));
}

/// Names and times of a zip's entries, with their sizes.
fn entries(path: &Path) -> Vec<(String, u64, Option<zip::DateTime>)> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    (0..zip.len())
        .map(|i| {
            let entry = zip.by_index(i).unwrap();
            assert_eq!(entry.compression(), zip::CompressionMethod::Stored);
            (
                entry.name().unwrap().into_owned(),
                entry.size(),
                entry.last_modified(),
            )
        })
        .collect()
}

#[test]
fn a_plan_is_repeated_by_its_secret_and_its_bundle_tells_nothing() {
    let clips = Clips::new([8, 5, 5], [USUAL; 3]);
    let few = ["--trials", "12", "--readers", "2", "--repeat", "0"];
    let with = |secret| [&few[..], &["--secret", secret]].concat();
    let first = clips.plan("a", &with(SECRET));
    let again = clips.plan("b", &with(SECRET));
    let other = clips.plan("c", &few);
    assert_eq!(first["plan_sha256"], again["plan_sha256"]);
    assert_ne!(first["plan_sha256"], other["plan_sha256"]);
    assert_eq!(first["clips"], 12);
    assert_eq!(first["trials"], 24);
    let read = |folder: &str| std::fs::read(clips.path(folder)).unwrap();
    assert_eq!(read("a/plan.json"), read("b/plan.json"));
    assert_eq!(read("a/study.key"), read("b/study.key"));
    assert_eq!(
        echoif::hash::sha256(&read("a/plan.json")),
        first["plan_sha256"].as_str().unwrap()
    );
    // Fresh nonces: no two bundles are alike, but in what can be seen of them.
    assert_ne!(read("a/study.echostudy"), read("b/study.echostudy"));
    let bundle = PathBuf::from(clips.path("a/study.echostudy"));
    let seen = entries(&bundle);
    assert_eq!(seen, entries(Path::new(&clips.path("b/study.echostudy"))));
    let sealed: BTreeSet<u64> = seen[3..].iter().map(|e| e.1).collect();
    assert_eq!((seen.len(), sealed.len()), (3 + 12, 1));
    assert!(seen.iter().all(|e| e.2 == seen[0].2));

    // No name, class or hash of pixels, neither in the file nor in what a reader's code opens.
    let key: Value = serde_json::from_slice(&read("a/study.key")).unwrap();
    let key: Value = serde_json::from_str(key["key"].as_str().unwrap()).unwrap();
    let mut words: Vec<String> = ["patient_", "factual"].map(String::from).into();
    for clip in key["clips"].as_array().unwrap() {
        for of in ["pixels_sha256", "source_sha256"] {
            words.push(clip[of].as_str().unwrap().to_owned());
        }
    }
    let code = std::fs::read_to_string(clips.code("a", "R1")).unwrap();
    let code = echoif::study::code::Code::parse(&code).unwrap();
    let opened = echoif::study::bundle::open(&bundle, &code).unwrap();
    let mut plan = serde_json::to_value(&*opened.plan).unwrap();
    // The shares are of the whole study.
    plan.as_object_mut().unwrap().remove("shares");
    let mut all = read("a/study.echostudy");
    all.extend(plan.to_string().into_bytes());
    for word in words {
        let found = all.windows(word.len()).any(|w| w == word.as_bytes());
        assert!(!found, "{word}");
    }
    for clip in opened.clips() {
        assert_eq!(opened.clip(clip).unwrap().len(), opened.header.clip_bytes);
    }
    let wrong = clips.path("a/wrong.code");
    std::fs::write(&wrong, "AAAAA-AAAAA-AAAAA-AAAAA").unwrap();
    let script = clips.script("a", 12, |_| "real");
    let bundle = bundle.to_str().unwrap();
    let why = refused(&["run", bundle, "--script", &script, "--code-file", &wrong]);
    assert!(why.contains("code"), "{why}");
    let there = clips.arguments("a", &few);
    let why = refused(&there.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(why.contains("there already"), "{why}");
}

#[test]
fn what_differs_between_classes_leaks_nothing() {
    let clips = Clips::new(
        [8, 5, 5],
        [
            USUAL,
            Drawn {
                side: 150,
                frames: 90,
                delay: 2,
                border: 94,
                ..USUAL
            },
            Drawn {
                frames: 64,
                delay: 3,
                step: 4,
                ..USUAL
            },
        ],
    );
    let plan = clips.plan("out", &["--trials", "12"]);
    let audit = &plan["audit"];
    assert_eq!(audit["presentation_equal"], true);
    for shown in audit["presentation"].as_array().unwrap() {
        assert_eq!(shown["auc"], 0.5, "{shown}");
        assert_eq!(shown["low"], shown["high"], "{shown}");
    }
    let shown = &plan["presentation"];
    // 25 frames a second is the slowest; 90 frames of 20 ms last longest, 64 of 30 ms 1.92 s.
    assert_eq!(
        (&shown["fps"], &shown["width"]),
        (&25.0.into(), &112.into())
    );
    assert!(shown["levels"].as_u64().unwrap() <= 64, "{shown}");
    let written: Value =
        serde_json::from_slice(&std::fs::read(clips.path("out/audit.json")).unwrap()).unwrap();
    assert_eq!(&written, audit);
}

#[test]
fn a_brighter_class_is_told_of() {
    let brighter = Drawn {
        brighter: 40,
        ..USUAL
    };
    let clips = Clips::new([6, 4, 4], [USUAL, brighter, brighter]);
    let plan = clips.plan("out", &["--trials", "8"]);
    assert_eq!(plan["audit"]["presentation_equal"], true);
    let content = plan["audit"]["content"].as_array().unwrap();
    let mean = content.iter().find(|c| c["feature"] == "mean").unwrap();
    assert_eq!(mean["auc"], 1.0);
}

#[test]
fn what_is_missing_is_said_and_nothing_is_written() {
    let clips = Clips::new([4, 3, 3], [USUAL; 3]);
    let refused = |more: &[&str]| {
        let arguments = clips.arguments("out", more);
        refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let why = refused(&["--trials", "12"]);
    assert!(
        why.contains("6 real clips") && why.contains("4 hearts"),
        "{why}"
    );
    let why = refused(&["--trials", "8", "--design", "split"]);
    assert!(
        why.contains("12 real clips") && why.contains("--design crossed"),
        "{why}"
    );
    let why = refused(&["--shares", "0.5,0.6,0.1"]);
    assert!(why.contains("add up to 1"), "{why}");
    assert!(!Path::new(&clips.path("out/study.echostudy")).exists());
    assert!(!Path::new(&clips.path("out/study.key")).exists());
    let without = study(&[
        "plan",
        "--real",
        &clips.path("real"),
        "--out",
        &clips.path("out"),
    ]);
    let why = String::from_utf8(without.stderr).unwrap();
    assert!(
        !without.status.success() && why.contains("--passphrase-file"),
        "{why}"
    );
}

#[test]
fn practice_shows_hearts_that_are_in_no_trial_and_words_are_the_administrators() {
    let clips = Clips::new([8, 5, 5], [USUAL; 3]);
    let practice = clips.path("practice");
    std::fs::create_dir(&practice).unwrap();
    for which in 100..103 {
        let path = PathBuf::from(&practice).join(format!("{which}.gif"));
        draw(&path, which, USUAL);
    }
    let words = clips.path("consent.txt");
    std::fs::write(&words, "Do you want to?\n").unwrap();
    let more = [
        "--trials",
        "12",
        "--readers",
        "2",
        "--practice",
        &practice,
        "--consent",
        &words,
        "--block",
        "4",
    ];
    let made = clips.plan("out", &more);
    assert_eq!((&made["clips"], &made["trials"]), (&12.into(), &30.into()));
    let plan: Value =
        serde_json::from_slice(&std::fs::read(clips.path("out/plan.json")).unwrap()).unwrap();
    assert_eq!(plan["texts"]["consent"], "Do you want to?");
    assert_eq!(plan["session"]["block"], 4);
    let key = std::fs::read_to_string(clips.path("out/study.key")).unwrap();
    for reader in plan["readers"].as_array().unwrap() {
        let trials = reader["trials"].as_array().unwrap();
        let of = |kind: &str| -> BTreeSet<&str> {
            let is = trials.iter().filter(|t| t["kind"] == kind);
            is.map(|t| t["clip"].as_str().unwrap()).collect()
        };
        let (practised, scored) = (of("practice"), of("scored"));
        assert_eq!((practised.len(), scored.len()), (3, 12));
        assert!(practised.is_disjoint(&scored));
        // What they are counts nowhere, so the key does not say.
        assert!(practised.iter().all(|clip| !key.contains(clip)));
    }
    // They are in the bundle: it opens, and is read to its end.
    let ran = said(&[
        "run",
        &clips.path("out/study.echostudy"),
        "--script",
        &clips.script("out", 15, |_| "fake"),
        "--code-file",
        &clips.code("out", "R1"),
        "--json",
    ]);
    assert_eq!(ran["complete"], true);

    // The same pixels in practice and in a class.
    std::fs::copy(
        clips.path("real/patient_0.gif"),
        clips.path("practice/a.gif"),
    )
    .unwrap();
    let arguments = clips.arguments("other", &more);
    let said = refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("practice shows the heart of"), "{said}");
}
