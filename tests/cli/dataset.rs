//! `echoif dataset`: planned, made in parts, stopped, gone on with, merged.

mod layout;
mod refused;

use super::{refused, said};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echoif"));
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::null());
    command
}

fn dataset(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, &[&["dataset"], arguments].concat())
        .output()
        .unwrap()
}

/// Frames of two simulated hearts, in a folder and under names that are to stay there.
fn frames(folder: &Path) {
    std::fs::create_dir(folder.join("Mustermann")).unwrap();
    for seed in ["5", "6"] {
        let drawn = [
            "phantom", "--ef", "50", "--frames", "2", "--seed", seed, "--out", seed,
        ];
        let drawn = command(folder, &drawn).output().unwrap();
        assert!(drawn.status.success(), "{drawn:?}");
        let name = format!("Mustermann/Mustermann_{seed}.png");
        std::fs::copy(folder.join(seed).join("frame_000.png"), folder.join(name)).unwrap();
    }
}

const CLIPS: usize = 6;

fn plan(folder: &Path, out: &str) -> Value {
    let wanted = "ef_percent,anatomy\n20,\n35,Mustermann_6.png\n50,\n60.5,\n70,\n84,\n";
    std::fs::write(folder.join("wanted.csv"), wanted).unwrap();
    let arguments = [
        "plan",
        "--frames",
        "Mustermann",
        "--efs",
        "wanted.csv",
        "--preset",
        "preview",
        "--seed",
        "3",
        "--device",
        "cpu",
        "--json",
        "--out",
        out,
    ];
    said(&dataset(folder, &arguments))
}

fn making<'a>(out: &'a str, shard: &'a str) -> [&'a str; 8] {
    [
        "make",
        out,
        "--frames",
        "Mustermann",
        "--device",
        "cpu",
        "--shard",
        shard,
    ]
}

fn make(folder: &Path, out: &str, shard: &str) -> Value {
    said(&dataset(
        folder,
        &[&making(out, shard)[..], &["--json"]].concat(),
    ))
}

/// What lies in a data set, but for locks.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        for entry in std::fs::read_dir(inside).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !name.starts_with(".shard") {
                let bytes = std::fs::read(&path).unwrap();
                all.insert(path.strip_prefix(folder).unwrap().to_owned(), bytes);
            }
        }
    }
    all
}

fn sidecars(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder.join("Sidecars")) else {
        return Vec::new();
    };
    let paths = entries.map(|e| e.unwrap().path());
    paths
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect()
}

#[test]
fn parts_are_the_whole_file_by_file_and_a_missing_clip_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    frames(path);
    let planned = plan(path, "whole");
    assert_eq!(
        (&planned["clips"], &planned["anatomies"]),
        (&CLIPS.into(), &2.into())
    );
    plan(path, "parts");
    let unfinished = dataset(path, &["merge", "whole", "--json"]);
    assert_eq!(unfinished.status.code(), Some(1));
    let unfinished: Value = serde_json::from_slice(&unfinished.stdout).unwrap();
    assert_eq!(unfinished["missing"].as_array().unwrap().len(), CLIPS);
    assert_eq!(make(path, "whole", "1/1")["made"], CLIPS);
    let each = ["1/3", "2/3", "3/3"].map(|shard| make(path, "parts", shard));
    let made: u64 = each.iter().map(|e| e["made"].as_u64().unwrap()).sum();
    assert_eq!(made, CLIPS as u64);
    for out in ["whole", "parts"] {
        let merged = said(&dataset(path, &["merge", out, "--json"]));
        assert_eq!(
            (&merged["whole"], &merged["there"]),
            (&true.into(), &CLIPS.into())
        );
        assert_eq!(merged["without_outline"], 0);
    }
    let (whole, parts) = (content(&path.join("whole")), content(&path.join("parts")));
    assert_eq!(whole.len(), 2 + 3 + 2 * CLIPS, "{:?}", whole.keys());
    assert!(whole == parts);
    for (name, bytes) in &whole {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("Mustermann"), "{}", name.display());
    }
    layout::check(&path.join("whole"));

    // A clip that is gone, and one that was cut, are named; the rest of the work is theirs alone.
    let videos: Vec<&PathBuf> = whole.keys().filter(|p| p.starts_with("Videos")).collect();
    let (gone, cut) = (
        path.join("parts").join(videos[0]),
        path.join("parts").join(videos[3]),
    );
    std::fs::remove_file(&gone).unwrap();
    std::fs::write(&cut, &whole[videos[3]][..20_000]).unwrap();
    std::fs::remove_file(path.join("parts/FileList.csv")).unwrap();
    let words = refused(&dataset(path, &["merge", "parts"]));
    let name = |p: &Path| p.file_stem().unwrap().to_str().unwrap().to_owned();
    assert!(
        words.contains(&format!("Missing: {}", name(&gone))),
        "{words}"
    );
    assert!(
        words.contains(&format!("Damaged: {}", name(&cut))),
        "{words}"
    );
    assert!(!path.join("parts/FileList.csv").exists());
    let again = make(path, "parts", "1/1");
    assert_eq!(
        (&again["made"], &again["there_before"]),
        (&2.into(), &(CLIPS - 2).into())
    );
    said(&dataset(path, &["merge", "parts", "--json"]));
    assert!(content(&path.join("parts")) == whole);
}

#[test]
fn a_run_that_is_killed_at_five_moments_ends_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    frames(path);
    for out in ["whole", "killed"] {
        plan(path, out);
    }
    make(path, "whole", "1/1");
    said(&dataset(path, &["merge", "whole", "--json"]));
    let killed = path.join("killed");
    let begin = || -> Child {
        let arguments = [&["dataset"], &making("killed", "1/1")[..]].concat();
        let mut make = command(path, &arguments);
        make.stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut before: BTreeMap<PathBuf, std::time::SystemTime> = BTreeMap::new();
    for moment in 0..5 {
        let mut child = begin();
        let begun = Instant::now();
        let lock = killed.join(".shard-1-of-1.lock");
        while sidecars(&killed).len() < moment || !lock.exists() {
            assert!(begun.elapsed() < Duration::from_secs(120));
            assert!(child.try_wait().unwrap().is_none() || moment == 0);
            std::thread::sleep(Duration::from_millis(2));
        }
        // Somewhere in what comes next.
        std::thread::sleep(Duration::from_millis(37 * moment as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        let words = refused(&dataset(path, &["merge", "killed"]));
        assert!(words.contains("Missing: ECHOIF_"), "{words}");
        for sidecar in sidecars(&killed) {
            let made = std::fs::metadata(&sidecar).unwrap().modified().unwrap();
            let first = before.entry(sidecar).or_insert(made);
            assert_eq!(*first, made, "a clip was made twice");
        }
    }
    make(path, "killed", "1/1");
    for (sidecar, made) in before {
        assert_eq!(
            std::fs::metadata(&sidecar).unwrap().modified().unwrap(),
            made
        );
    }
    said(&dataset(path, &["merge", "killed", "--json"]));
    assert!(content(&killed) == content(&path.join("whole")));
    // With nothing left to do, nothing is done.
    assert_eq!(make(path, "killed", "1/1")["made"], 0);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_asked_to_stop_says_so_and_no_second_one_comes_between() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    frames(path);
    plan(path, "set");
    let arguments = [&["dataset"], &making("set", "1/1")[..], &["--json"]].concat();
    let mut make = command(path, &arguments);
    let child = make
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while sidecars(&path.join("set")).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(2));
    }
    let words = refused(&dataset(path, &making("set", "1/1")));
    assert!(words.contains("Another program makes part 1/1"), "{words}");
    let asked = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(asked.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let there = sidecars(&path.join("set")).len();
    assert_eq!(
        (&told["done"], &told["made"]),
        (&false.into(), &there.into())
    );
    assert!(there < CLIPS);
}

/// A histogram, EchoNet-Dynamic's training split, and a cascade of pictures, which draws no outline.
#[test]
fn a_histogram_is_filled_from_the_training_split_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir_all(path.join("data/Videos")).unwrap();
    let mut list =
        "FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split\n".to_owned();
    for (name, ef, split) in [
        ("0X1", 35, "TRAIN"),
        ("0X2", 60, "TRAIN"),
        ("0X3", 34, "VAL"),
    ] {
        let out = format!("data/Videos/{name}.avi");
        let ef_text = ef.to_string();
        let drawn = [
            "phantom",
            "--frames",
            "20",
            "--rate",
            "16",
            "--heart-rate",
            "60",
            "--ef",
            &ef_text,
            "--out",
            &out,
        ];
        let drawn = command(path, &drawn).output().unwrap();
        assert!(drawn.status.success(), "{drawn:?}");
        list += &format!("{name},{ef},40,80,112,112,16,20,{split}\n");
    }
    std::fs::write(path.join("data/FileList.csv"), list).unwrap();
    let pixels = crate::common::pixel_cascade();
    let pixels = pixels.to_str().unwrap();
    let planned = [
        "plan",
        "--echonet",
        "data",
        "--fill",
        "1",
        "--list",
        "data/FileList.csv",
        "--lowest",
        "34",
        "--highest",
        "36",
        "--preset",
        "preview",
        "--cascade",
        pixels,
        "--device",
        "cpu",
        "--json",
        "--out",
        "set",
    ];
    assert_eq!(said(&dataset(path, &planned))["clips"], 2);
    let table = std::fs::read_to_string(path.join("set/plan.csv")).unwrap();
    assert!(
        !table.contains("0X3") && table.contains(",34.0,") && table.contains(",36.0,"),
        "{table}"
    );
    let made = [
        "make",
        "set",
        "--echonet",
        "data",
        "--device",
        "cpu",
        "--json",
    ];
    let words = refused(&dataset(path, &made));
    assert!(words.contains("planned with another cascade"), "{words}");
    let made = said(&dataset(
        path,
        &[&made[..], &["--cascade", pixels]].concat(),
    ));
    assert_eq!(made["made"], 2);
    let merged = said(&dataset(path, &["merge", "set", "--json"]));
    assert_eq!(merged["without_outline"], 2);
    // Kept by the loader, which wants two traced frames.
    let tracings = std::fs::read_to_string(path.join("set/VolumeTracings.csv")).unwrap();
    assert_eq!(tracings.lines().count(), 1 + 2 * 2 * 21);
    // This program's own training takes it as it is.
    let clips = echoif::train::clips::Clips::of_folder(&path.join("set")).unwrap();
    assert_eq!((clips.len(), clips.ef_range()), (2, [0.34, 0.36]));
    assert_eq!(clips.check(|| false, || ()), Ok(()));
}

#[cfg(feature = "mp4")]
#[test]
fn clips_can_be_mp4() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    frames(path);
    std::fs::write(path.join("wanted.csv"), "ef_percent\n30\n").unwrap();
    let planned = [
        "plan",
        "--frames",
        "Mustermann",
        "--efs",
        "wanted.csv",
        "--preset",
        "preview",
        "--format",
        "mp4",
        "--heart-rate",
        "75",
        "--split",
        "VAL",
        "--json",
        "--out",
        "set",
    ];
    said(&dataset(path, &planned));
    make(path, "set", "1/1");
    said(&dataset(path, &["merge", "set", "--json"]));
    let list = std::fs::read_to_string(path.join("set/FileList.csv")).unwrap();
    assert!(list.contains(".mp4,30.0,,,112,112,32.0,64,VAL"), "{list}");
}
