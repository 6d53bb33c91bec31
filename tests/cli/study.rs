//! `echoif study` as a script drives it: what is planned, sealed, read, checked and merged.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn study(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_echoif"))
        .arg("study")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What a command says to a script; it has to succeed.
fn said(arguments: &[&str]) -> Value {
    let output = study(arguments);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a command says that is refused.
fn refused(arguments: &[&str]) -> String {
    let output = study(arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// How the clips of a class are drawn.
#[derive(Clone, Copy)]
struct Drawn {
    side: u16,
    frames: usize,
    /// Hundredths of a second a frame.
    delay: u16,
    border: u8,
    /// Between the gray levels that there are.
    step: u8,
    brighter: u8,
}

const USUAL: Drawn = Drawn {
    side: 112,
    frames: 48,
    delay: 4,
    border: 0,
    step: 1,
    brighter: 0,
};

/// A sector of speckle that differs from frame to frame and from clip to clip.
fn draw(path: &Path, which: usize, drawn: Drawn) {
    let Drawn { side, .. } = drawn;
    let palette: Vec<u8> = (0..=255).flat_map(|v| [v; 3]).collect();
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = gif::Encoder::new(file, side, side, &palette).unwrap();
    encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    for f in 0..drawn.frames {
        let pixel = |p: usize| {
            let (x, y) = (p % usize::from(side), p / usize::from(side));
            let (x, y) = (x as f64 / f64::from(side), y as f64 / f64::from(side));
            if (x - 0.5).abs() > 0.08 + 0.45 * y || !(0.02..0.93).contains(&y) {
                return drawn.border;
            }
            let cell = (x * 56.0) as u64 + 64 * (y * 56.0) as u64;
            let seed = cell + 7919 * f as u64 + 1_000_003 * which as u64;
            let noise = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) >> 57;
            let level = 35 + noise as u8 + (p % 3) as u8 + drawn.brighter;
            level / drawn.step * drawn.step
        };
        let pixels: Vec<u8> = (0..usize::from(side).pow(2)).map(pixel).collect();
        let mut frame = gif::Frame::from_indexed_pixels(side, side, pixels, None);
        frame.delay = drawn.delay;
        encoder.write_frame(&frame).unwrap();
    }
}

struct Clips {
    folder: tempfile::TempDir,
}

impl Clips {
    fn new(counts: [usize; 3], drawn: [Drawn; 3]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut which = 0;
        for ((class, n), drawn) in ["real", "factual", "cf"].iter().zip(counts).zip(drawn) {
            let of = folder.path().join(class);
            std::fs::create_dir(&of).unwrap();
            for _ in 0..n {
                draw(&of.join(format!("patient_{which}.gif")), which, drawn);
                which += 1;
            }
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Plans into a folder.
    fn arguments(&self, out: &str, more: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = vec!["plan".into()];
        for (option, class) in [
            ("--real", "real"),
            ("--factual", "factual"),
            ("--counterfactual", "cf"),
        ] {
            all.extend([option.to_owned(), self.path(class)]);
        }
        all.extend([
            "--out".to_owned(),
            self.path(out),
            "--no-passphrase".into(),
            "--json".into(),
        ]);
        all.extend(more.iter().map(|m| (*m).to_owned()));
        all
    }

    fn plan(&self, out: &str, more: &[&str]) -> Value {
        let arguments = self.arguments(out, more);
        said(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A reader's code in a file of its own.
    fn code(&self, out: &str, reader: &str) -> String {
        let codes = std::fs::read_to_string(self.path(&format!("{out}/study-codes.txt"))).unwrap();
        let line = codes.lines().find(|l| l.starts_with(reader)).unwrap();
        let path = self.path(&format!("{out}/{reader}.code"));
        std::fs::write(&path, line.split_whitespace().last().unwrap()).unwrap();
        path
    }

    /// Answers to all trials of a reader, by what `answer` says of the trial's number.
    fn script(&self, out: &str, trials: usize, answer: impl Fn(usize) -> &'static str) -> String {
        let rows =
            (1..=trials).map(|t| format!("{t},{},{},{}.5\n", answer(t), 1 + t % 5, 2000 + t));
        let path = self.path(&format!("{out}/script.csv"));
        let text: String = rows.collect();
        std::fs::write(&path, format!("trial,answer,confidence,rt_ms\n{text}")).unwrap();
        path
    }
}

const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

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

/// Killed at random moments and run again, until the end is reached.
#[test]
#[cfg(unix)]
fn a_session_survives_being_killed() {
    let clips = Clips::new([16, 9, 9], [USUAL; 3]);
    let plan = clips.plan(
        "out",
        &["--trials", "30", "--repeat", "4", "--readers", "1"],
    );
    let bundle = clips.path("out/study.echostudy");
    let (code, script) = (
        clips.code("out", "R1"),
        clips.script("out", 34, |t| if t % 3 == 0 { "real" } else { "fake" }),
    );
    let log = PathBuf::from(clips.path("out/study-R1.jsonl"));
    let plan_file = clips.path("out/plan.json");
    let arguments = [
        "run",
        &bundle,
        "--script",
        &script,
        "--code-file",
        &code,
        "--pace-ms",
        "5",
    ];
    let (mut kept, mut kills, mut ended) = (Vec::new(), 0u64, false);
    while !ended {
        let mut child = Command::new(env!("CARGO_BIN_EXE_echoif"))
            .arg("study")
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Opening the bundle takes some of it; a little longer each time, so that it comes to an end.
        let moment = 60 + kills * 29 % 140 + 4 * kills;
        std::thread::sleep(Duration::from_millis(moment));
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success());
                ended = true;
            }
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
            }
        }
        assert!(kills < 400);
        if !log.exists() {
            continue;
        }
        let now = std::fs::read(&log).unwrap();
        assert!(now.starts_with(&kept), "a line was changed");
        kept = now;
        let checked = said(&[
            "verify",
            log.to_str().unwrap(),
            "--plan",
            &plan_file,
            "--json",
        ]);
        assert_eq!(checked["ok"], true, "{checked}");
    }
    assert!(kills >= 5, "{kills}");
    let end = said(&[
        "run",
        &bundle,
        "--script",
        &script,
        "--code-file",
        &code,
        "--json",
    ]);
    assert_eq!(
        (&end["answered"], &end["complete"]),
        (&34.into(), &true.into())
    );
    assert_eq!(plan["trials"], 34);
    // Half a line at the end is survived.
    let lines: Vec<&[u8]> = kept.split_inclusive(|&b| b == b'\n').collect();
    let half = [
        lines[..lines.len() - 2].concat(),
        lines[lines.len() - 2][..40].to_vec(),
    ]
    .concat();
    std::fs::write(&log, &half).unwrap();
    let end = said(&[
        "run",
        &bundle,
        "--script",
        &script,
        "--code-file",
        &code,
        "--json",
    ]);
    assert_eq!(
        (&end["answered"], &end["complete"]),
        (&34.into(), &true.into())
    );
    assert!(std::fs::read(&log).unwrap().starts_with(&half));
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("\"kind\":\"torn\""), "{text}");
}

#[test]
fn forgeries_are_found_and_logs_that_part_are_not_merged() {
    let clips = Clips::new([8, 5, 5], [USUAL; 3]);
    let few = ["--trials", "12", "--readers", "3"];
    clips.plan("out", &few);
    let (bundle, plan) = (
        clips.path("out/study.echostudy"),
        clips.path("out/plan.json"),
    );
    let mut receipts = Vec::new();
    for reader in ["R1", "R2", "R3"] {
        let (code, script) = (
            clips.code("out", reader),
            clips.script("out", 12, |_| "fake"),
        );
        let ran = said(&[
            "run",
            &bundle,
            "--script",
            &script,
            "--code-file",
            &code,
            "--json",
        ]);
        receipts.push(format!("{reader}={}", ran["receipt"].as_str().unwrap()));
    }
    let log = clips.path("out/study-R1.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let forged = |lines: &[&str], more: &[&str]| {
        let path = clips.path("out/forged.jsonl");
        let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
        std::fs::write(&path, text).unwrap();
        let arguments = [
            &["verify", path.as_str(), "--plan", plan.as_str(), "--json"],
            more,
        ]
        .concat();
        let output = study(&arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said["ok"], false);
        said["logs"][0]["problems"][0]["line"].as_u64().unwrap()
    };
    let place = lines
        .iter()
        .position(|l| l.contains("\"answer\":\"fake\""))
        .unwrap();
    let changed = lines[place].replace("\"fake\"", "\"real\"");
    let mut all = lines.clone();
    all[place] = &changed;
    assert_eq!(forged(&all, &[]), place as u64 + 1);
    let mut all = lines.clone();
    all.remove(place);
    assert_eq!(forged(&all, &[]), place as u64 + 1);
    let mut all = lines.clone();
    all.swap(place, place + 1);
    assert_eq!(forged(&all, &[]), place as u64 + 1);
    let mut all = lines.clone();
    all.insert(place, lines[place]);
    assert!(forged(&all, &[]) <= place as u64 + 2);
    // The end cut off is seen by the receipt alone.
    let cut = &lines[..lines.len() - 4];
    forged(cut, &["--receipt", &receipts[0]]);
    let whole = [
        "verify",
        &log,
        "--plan",
        &plan,
        "--receipt",
        &receipts[0],
        "--json",
    ];
    assert_eq!(said(&whole)["ok"], true);

    // From three folders into one file, in any order.
    let others = ["R2", "R3"].map(|r| clips.path(&format!("out/study-{r}.jsonl")));
    let out = clips.path("out/all.jsonl");
    let merged = said(&[
        "merge",
        &others[1],
        &log,
        &others[0],
        "--plan",
        &bundle,
        "--key",
        &clips.path("out/study.key"),
        "--out",
        &out,
        "--json",
    ]);
    assert_eq!(merged["readers"], serde_json::json!(["R1", "R2", "R3"]));
    assert_eq!(merged["answered"], 36);
    assert_eq!(
        said(&["verify", &out, "--plan", &plan, "--json"])["ok"],
        true
    );
    // The same reader once more, from the beginning.
    let second = clips.path("out/second.jsonl");
    let (code, script) = (
        clips.path("out/R1.code"),
        clips.script("out", 12, |_| "real"),
    );
    said(&[
        "run",
        &bundle,
        "--script",
        &script,
        "--code-file",
        &code,
        "--log",
        &second,
        "--json",
    ]);
    let why = refused(&["merge", &log, &second, "--plan", &plan, "--out", &out]);
    assert!(why.contains("R1 read twice"), "{why}");
    // Another plan's log.
    clips.plan("other", &few);
    let why = refused(&[
        "merge",
        &log,
        "--plan",
        &clips.path("other/plan.json"),
        "--out",
        &out,
    ]);
    assert!(why.contains("plan") || why.contains("study"), "{why}");
}

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
