//! What a session leaves, and what is found in it.

use super::*;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A reader of a study whom a script reads for, with their log.
#[cfg(unix)]
struct Killed {
    arguments: Vec<String>,
    log: PathBuf,
    plan: String,
    /// The log after the last kill.
    kept: Vec<u8>,
}

#[cfg(unix)]
impl Killed {
    fn new(clips: &Clips, reader: &str, script: &str) -> Self {
        let words = ["run", "--pace-ms", "5", "--json", "--script", script];
        let mut arguments: Vec<String> = words.map(str::to_owned).to_vec();
        arguments.extend(["--code-file".into(), clips.code("out", reader)]);
        arguments.push(clips.path("out/study.echostudy"));
        Self {
            arguments,
            log: clips.path(&format!("out/study-{reader}.jsonl")).into(),
            plan: clips.path("out/plan.json"),
            kept: Vec::new(),
        }
    }

    fn spawn(&self) -> std::process::Child {
        Command::new(env!("CARGO_BIN_EXE_echoif"))
            .arg("study")
            .args(&self.arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Until something is written.
    fn opening(&self) -> Duration {
        let mut child = self.spawn();
        let start = Instant::now();
        while std::fs::metadata(&self.log).map_or(0, |m| m.len()) == 0 {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "nothing is written"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        start.elapsed()
    }

    /// Runs it, and kills it at that moment; whether it came so far.
    fn kill_after(&mut self, moment: Duration) -> bool {
        let mut child = self.spawn();
        std::thread::sleep(moment);
        let ended = child.try_wait().unwrap();
        if ended.is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        if let Some(status) = ended {
            assert!(status.success());
        }
        if self.log.exists() {
            self.is_sound();
        }
        ended.is_none()
    }

    /// Nothing in the log was changed, and it verifies.
    fn is_sound(&mut self) {
        let now = std::fs::read(&self.log).unwrap();
        assert!(now.starts_with(&self.kept), "a line was changed");
        self.kept = now;
        let log = self.log.to_str().unwrap();
        let checked = said(&["verify", log, "--plan", &self.plan, "--json"]);
        assert_eq!(checked["ok"], true, "{checked}");
    }

    /// Read to the end: every trial has one answer.
    fn read_on(&mut self, trials: usize) {
        let end = said(
            &self
                .arguments
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        );
        assert_eq!(
            (&end["answered"], &end["complete"]),
            (&trials.into(), &true.into())
        );
        self.is_sound();
        let text = String::from_utf8(self.kept.clone()).unwrap();
        let answers = text.matches("\"kind\":\"answer\"").count();
        assert_eq!(answers, trials);
    }
}

/// Killed at fifty moments and run again, until the end is reached.
#[test]
#[cfg(unix)]
fn a_session_survives_being_killed() {
    let clips = Clips::new([16, 9, 9], [USUAL; 3]);
    let readers = ["R1", "R2", "R3", "R4", "R5", "R6"];
    let many = ["--trials", "30", "--repeat", "4", "--readers", "6"];
    clips.plan("out", &many);
    let script = clips.script("out", 34, |t| if t % 3 == 0 { "real" } else { "fake" });
    let mut kills = 0;
    let mut random = 2026_u64;
    for reader in readers {
        let mut reader = Killed::new(&clips, reader, &script);
        // What a kill between making the log and its first line leaves is no fault.
        std::fs::write(&reader.log, "").unwrap();
        reader.is_sound();
        let opening = reader.opening();
        while kills < 50 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let after = Duration::from_micros((random >> 33) % 200_000);
            if !reader.kill_after(opening.mul_f64(0.7) + after) {
                break;
            }
            kills += 1;
        }
        reader.read_on(34);
        if kills == 50 {
            half_a_line_is_survived(&mut reader);
            return;
        }
    }
    panic!("only {kills} kills came before the end");
}

#[cfg(unix)]
fn half_a_line_is_survived(reader: &mut Killed) {
    let lines: Vec<&[u8]> = reader.kept.split_inclusive(|&b| b == b'\n').collect();
    let half = [
        lines[..lines.len() - 2].concat(),
        lines[lines.len() - 2][..40].to_vec(),
    ]
    .concat();
    std::fs::write(&reader.log, &half).unwrap();
    reader.kept = half;
    reader.read_on(34);
    let text = std::fs::read_to_string(&reader.log).unwrap();
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
