//! `echoif drill` as a script drives it: case sets, classes, profiles, reports.

mod lower;

use crate::common::clips::{USUAL, draw};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn drill(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_echoif"))
        .arg("drill")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn said(arguments: &[&str]) -> Value {
    let output = drill(arguments);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = drill(arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn class(&self, seed: &str, out: &str) -> Value {
        let out = self.path(out);
        said(&[
            "class", "--seed", seed, "--cases", "20", "--out", &out, "--json",
        ])
    }

    /// Answers to all cases of a class, by the number of the case and its EF.
    fn script(&self, class: &Value, guess: impl Fn(usize, f64) -> f64) -> String {
        let cases = class["cases"].as_array().unwrap();
        let row = |(i, case): (usize, &Value)| {
            let guess = guess(i, case["ef_percent"].as_f64().unwrap()).round();
            let guess = guess.clamp(5.0, 90.0);
            format!("{},{guess},{}\n", case["case"].as_str().unwrap(), 3 + i)
        };
        let rows: String = cases.iter().enumerate().map(row).collect();
        let path = self.path("script.csv");
        std::fs::write(&path, format!("case,guess_percent,seconds\n{rows}")).unwrap();
        path
    }

    fn run(&self, class: &str, alias: &str, script: &str, out: &str) -> Value {
        let (class, out, data) = (self.path(class), self.path(out), self.path("data"));
        let words = [
            "run",
            &class,
            "--profile",
            alias,
            "--script",
            script,
            "--out",
            &out,
            "--data",
            &data,
            "--json",
        ];
        said(&words)
    }
}

#[test]
fn a_class_is_the_same_for_everybody() {
    let room = Room::new();
    let first = room.class("7", "a.echoclass");
    let again = Room::new().class("7", "a.echoclass");
    assert_eq!(first["cases_sha256"], again["cases_sha256"]);
    assert_eq!(first["cases"], again["cases"]);
    assert_ne!(
        first["cases_sha256"],
        room.class("8", "b.echoclass")["cases_sha256"]
    );
    let size = std::fs::metadata(room.path("a.echoclass")).unwrap().len();
    assert!(size < 2048, "{size}");
    assert!(refused(&["class", "--cases", "0", "--out", &room.path("c")]).contains("1 to 1000"));
    assert!(refused(&["class", "--bands", "1,2", "--out", &room.path("c")]).contains("five"));
    assert!(!Path::new(&room.path("c")).exists());
}

#[test]
fn a_class_is_answered_reported_and_misread_cases_stand_first() {
    let room = Room::new();
    let class = room.class("7", "a.echoclass");
    let mut results = Vec::new();
    for trainee in 0..5 {
        let script = room.script(&class, |i, ef| match i {
            3 => {
                if ef > 60.0 {
                    ef - 30.0
                } else {
                    ef + 25.0
                }
            }
            _ => ef + f64::from(trainee) - 2.0,
        });
        let (alias, out) = (format!("T{trainee}"), format!("T{trainee}.echoresult"));
        let ran = room.run("a.echoclass", &alias, &script, &out);
        assert_eq!(ran["answered"], 20, "{ran}");
        results.push(room.path(&out));
    }
    let mut words = vec!["report", "--by-case", "--json", "--out"];
    let out = room.path("report");
    words.push(&out);
    words.extend(results.iter().map(String::as_str));
    let report = said(&words);
    assert_eq!(report["cases"][0]["case"], class["cases"][3]["case"]);
    assert_eq!(report["cases"][0]["category_errors"], 5);
    assert_eq!(report["trainees"].as_array().unwrap().len(), 5);
    let page = std::fs::read_to_string(room.path("report/report.html")).unwrap();
    assert!(page.contains("Truth: exact (simulated heart)"));
    let profiles = said(&["profiles", "--data", &room.path("data"), "--json"]);
    assert_eq!(profiles["profiles"][4]["answers"], 20);

    // Another class's result, and an edited one.
    room.class("8", "b.echoclass");
    let other = said(&[
        "class",
        "--seed",
        "8",
        "--cases",
        "20",
        "--out",
        &room.path("b.echoclass"),
        "--json",
    ]);
    let script = room.script(&other, |_, ef| ef);
    room.run("b.echoclass", "T9", &script, "T9.echoresult");
    let (a, b) = (results[0].clone(), room.path("T9.echoresult"));
    let why = refused(&["report", &a, &b, "--out", &out]);
    assert!(why.contains("another class"), "{why}");
    let text = std::fs::read_to_string(&a).unwrap();
    let ef = class["cases"][0]["ef_percent"].to_string();
    std::fs::write(
        &a,
        text.replacen(&format!("\"ef_percent\":{ef}"), "\"ef_percent\":44.4", 1),
    )
    .unwrap();
    let why = refused(&["report", &a, "--out", &out]);
    assert!(why.contains("the file was edited"), "{why}");
}

#[test]
fn practice_comes_due_and_a_deleted_profile_leaves_nothing() {
    let room = Room::new();
    let class = room.class("7", "a.echoclass");
    let script = room.script(&class, |_, ef| if ef <= 30.0 { ef + 30.0 } else { ef });
    room.run("a.echoclass", "anna 1", &script, "r.echoresult");
    let data = room.path("data");
    let due = |on: &str| {
        said(&[
            "due",
            "--profile",
            "anna 1",
            "--on",
            on,
            "--data",
            &data,
            "--json",
        ])
    };
    assert_eq!(due("2000-01-01")["cells"].as_array().unwrap().len(), 0);
    let far = due("2100-01-01");
    assert_eq!(far, due("2100-01-01"));
    assert_eq!(far["cells"].as_array().unwrap().len(), 5);
    assert_eq!(far["cells"][0]["band"], "to 30");
    assert_eq!(far["cells"][0]["last_grade"], "again");
    // What is answered again is what was answered.
    let wrong = room.script(&class, |_, _| 50.0);
    let again = room.run("a.echoclass", "anna 1", &wrong, "r.echoresult");
    assert_eq!(again["answered"], 20);
    assert!(again["mae"].as_f64().unwrap() < 10.0, "{again}");
    said(&["delete", "anna 1", "--data", &data, "--json"]);
    let left = std::fs::read_dir(format!("{data}/profiles")).unwrap();
    assert_eq!(left.count(), 0);
    assert!(refused(&["delete", "anna 1", "--data", &data]).contains("no profile anna 1"));
    assert!(refused(&["due", "--profile", "anna 1", "--data", &data]).contains("no profile"));
}

/// Killed at twenty moments: every answer that was acknowledged is there.
#[test]
#[cfg(unix)]
fn a_profile_survives_being_killed() {
    use std::time::Duration;
    let room = Room::new();
    let out = room.path("a.echoclass");
    let class = said(&[
        "class", "--seed", "7", "--cases", "200", "--out", &out, "--json",
    ]);
    let script = room.script(&class, |_, ef| ef);
    let (result, data) = (room.path("r.echoresult"), room.path("data"));
    let words = [
        "drill",
        "run",
        &out,
        "--profile",
        "x",
        "--script",
        &script,
        "--out",
        &result,
        "--data",
        &data,
        "--pace-ms",
        "5",
    ];
    let profile = || -> Option<PathBuf> {
        let files = std::fs::read_dir(format!("{data}/profiles")).ok()?;
        files.flatten().map(|f| f.path()).next()
    };
    let mut kept = Vec::new();
    let mut random = 7_u64;
    for kill in 0..20 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_echoif"))
            .args(words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        std::thread::sleep(Duration::from_micros(10_000 + (random >> 33) % 50_000));
        if kill == 10 {
            // Two programs on one profile.
            std::thread::sleep(Duration::from_millis(300));
            let output = Command::new(env!("CARGO_BIN_EXE_echoif"))
                .args(words)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                text.contains("another program has this profile open"),
                "{text}"
            );
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if let Some(path) = profile() {
            let now = std::fs::read(path).unwrap();
            let whole = |bytes: &[u8]| bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
            let lines: &[u8] = &kept;
            assert!(
                now.starts_with(&lines[..whole(lines)]),
                "an answer was changed"
            );
            kept = now;
        }
    }
    let ran = room.run("a.echoclass", "x", &script, "r.echoresult");
    assert_eq!(ran["answered"], 200);
    let text = std::fs::read_to_string(profile().unwrap()).unwrap();
    assert_eq!(text.lines().count(), 201);
}

#[test]
fn a_folder_of_patients_names_nobody() {
    let room = Room::new();
    let clips = room.path("clips");
    std::fs::create_dir(&clips).unwrap();
    let mut rows = String::from("file,ef_percent,ladder,quality\n");
    for (i, ef) in [22.0, 35.0, 44.0, 55.0, 66.0, 48.0].iter().enumerate() {
        let name = format!("Mustermann_Erika_{i}.gif");
        draw(&PathBuf::from(&clips).join(&name), i, USUAL);
        rows += &format!("{name},{ef},Mustermann {},good\n", i / 2);
    }
    let (csv, set) = (room.path("efs.csv"), room.path("clips.echocases"));
    std::fs::write(&csv, &rows).unwrap();
    let made = said(&[
        "cases",
        "--folder",
        &clips,
        "--csv",
        &csv,
        "--truth-error",
        "4",
        "--out",
        &set,
        "--json",
    ]);
    assert_eq!((&made["cases"], &made["ladders"]), (&6.into(), &3.into()));
    assert_eq!(made["truth"], "labelled");
    let class = room.path("a.echoclass");
    let words = [
        "class", "--set", &set, "--cases", "6", "--out", &class, "--json",
    ];
    let cases = said(&words);
    let script = room.script(&cases, |_, ef| ef + 3.0);
    room.run("a.echoclass", "x", &script, "r.echoresult");
    let (result, report) = (room.path("r.echoresult"), room.path("report"));
    said(&["report", &result, "--by-case", "--out", &report, "--json"]);
    let mut files = vec![set, class, result];
    for folder in [report, format!("{}/profiles", room.path("data"))] {
        files.extend(
            std::fs::read_dir(folder)
                .unwrap()
                .flatten()
                .map(|f| f.path().to_str().unwrap().to_owned()),
        );
    }
    assert!(files.len() >= 7);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            !text.contains("Mustermann") && !text.contains("Erika"),
            "{file}"
        );
    }
    let page = std::fs::read_to_string(room.path("report/report.html")).unwrap();
    assert!(page.contains("Truth: labelled (a list), itself off by 4.0 points"));
    assert!(page.contains("mean of guess and truth"));
    std::fs::write(&csv, rows.replace("44", "99")).unwrap();
    let why = refused(&[
        "cases",
        "--folder",
        &clips,
        "--csv",
        &csv,
        "--out",
        &room.path("x"),
    ]);
    assert!(why.contains("line 4") && why.contains("5 to 90"), "{why}");
}

#[test]
fn the_search_finds_what_is_known() {
    let found = said(&[
        "simulate",
        "--jnd-alpha",
        "6",
        "--observers",
        "200",
        "--json",
    ]);
    assert!((found["true_jnd"].as_f64().unwrap() - 5.146).abs() < 1e-3);
    assert!(
        (4.6..5.8).contains(&found["median_jnd"].as_f64().unwrap()),
        "{found}"
    );
    assert!(
        found["within_factor_1_5"].as_f64().unwrap() >= 0.9,
        "{found}"
    );
    assert!(
        found["interval_covers"].as_f64().unwrap() >= 0.92,
        "{found}"
    );
    assert!(refused(&["simulate", "--slope", "0"]).contains("--slope"));
}
