//! *Which is lower?*: what profiles and classes of it report.

use super::{Room, refused, said};
use echoif::drill::case::Truth;
use echoif::drill::class::Class;
use echoif::drill::lower::{Pairs, Side};
use echoif::drill::profile::{Profile, Trial};
use echoif::drill::result::{ClassResult, LowerTrial};
use echoif::drill::sampler::Source;
use echoif::phantom::Quality;
use serde_json::Value;

#[test]
fn a_profile_that_drilled_it_has_its_difference_in_the_report() {
    let room = Room::new();
    let data = room.path("data");
    let folder = std::path::Path::new(&data).join("profiles");
    let mut profile = Profile::open(&folder, "anna 1").unwrap();
    let source = Source::built_in(Quality::Good);
    let sha256 = source.sha256();
    let mut pairs = Pairs::new(source, 1, false, 0.0);
    while let Some(pair) = pairs.ask() {
        let said = match pair.points >= 5.0 {
            true => pair.lower,
            false => Side::Left,
        };
        pairs.answered(&pair, said);
        let trial = Trial {
            pair: &pair,
            said,
            truth: Truth::Exact,
            set_sha256: &sha256,
            run: "00112233445566778899aabbccddeeff",
            seconds: 2.0,
            utc: "2026-11-26T07:00:00.000Z",
        };
        profile.compare(&trial).unwrap();
    }
    // Another program has it open; whoever only looks at it need not wait.
    let out = room.path("report");
    let words = [
        "report",
        "--profile",
        "anna 1",
        "--data",
        &data,
        "--out",
        &out,
        "--json",
    ];
    let found = said(&words);
    let trainee = &found["trainees"][0];
    let near = |key: &str, wanted: f64| {
        let value = trainee["jnd"][key].as_f64().unwrap();
        assert!((value - wanted).abs() < 1e-9, "{trainee}");
    };
    let known = pairs.noticeable();
    near("value", known.value);
    near("low", known.low);
    near("high", known.high);
    assert_eq!(trainee["lower"]["trials"], pairs.trials());
    let page = std::fs::read_to_string(room.path("report/report.html")).unwrap();
    assert!(page.contains("Just-noticeable difference") && !page.contains("of agreement"));
    let trials = std::fs::read_to_string(room.path("report/trials.csv")).unwrap();
    assert_eq!(trials.lines().count(), 1 + pairs.trials());
    // They are no answers, and nothing of them comes due.
    let listed = said(&["profiles", "--data", &data, "--json"]);
    assert_eq!(listed["profiles"][0]["answers"], 0);
    let due = ["due", "--profile", "anna 1", "--data", &data, "--json"];
    assert_eq!(said(&due)["cells"].as_array().unwrap().len(), 0);
    assert_eq!(said(&due)["retention"], Value::Null);
    let delete = ["delete", "anna 1", "--data", &data];
    assert!(refused(&delete).contains("another program"));
    drop(profile);
}

#[test]
fn a_class_of_it_is_reported_and_an_edited_result_refused() {
    let room = Room::new();
    let file = room.path("a.echoclass");
    let words = ["class", "--kind", "lower", "--seed", "7", "--out", &file];
    said(&[&words[..], &["--json"]].concat());
    let class = Class::parse(&std::fs::read(&file).unwrap()).unwrap();
    let result = |alias: &str, points: f64| {
        let mut result = ClassResult::new(&class, alias);
        let mut pairs = class.pairs();
        while let Some(pair) = pairs.ask() {
            let said = match pair.points >= points {
                true => pair.lower,
                false => Side::Right,
            };
            pairs.answered(&pair, said);
            result.trials.push(LowerTrial::new(&pair, said, 2.0));
        }
        let path = room.path(&format!("{alias}.echoresult"));
        std::fs::write(&path, result.to_bytes()).unwrap();
        path
    };
    let (a, b) = (result("A", 4.0), result("B", 14.0));
    let out = room.path("report");
    let found = said(&["report", &a, &b, "--out", &out, "--json"]);
    let jnd = |i: usize| found["trainees"][i]["jnd"]["value"].as_f64().unwrap();
    assert!(jnd(0) < jnd(1), "{found}");
    assert_eq!(found["trainees"][0]["limit_low"], Value::Null);
    assert!(found["trainees"][1]["lower"]["trials"].as_u64().unwrap() >= 30);
    let text = std::fs::read_to_string(&a).unwrap();
    std::fs::write(&a, text.replacen("\"points\":16.0", "\"points\":-16.0", 1)).unwrap();
    let why = refused(&["report", &a, &b, "--out", &out]);
    assert!(why.contains("a trial in it is none"), "{why}");
    let run = [
        "run",
        &file,
        "--profile",
        "x",
        "--script",
        "s",
        "--out",
        "o",
    ];
    assert!(refused(&run).contains("in the window"));
}
