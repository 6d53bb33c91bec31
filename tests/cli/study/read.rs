//! What a session leaves, and what is found in it.

use super::*;
use std::path::PathBuf;
use std::time::Duration;

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
    // What a kill between making the log and its first line leaves is no fault.
    std::fs::write(&log, "").unwrap();
    let checked = said(&[
        "verify",
        log.to_str().unwrap(),
        "--plan",
        &plan_file,
        "--json",
    ]);
    assert_eq!(checked["ok"], true, "{checked}");
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
