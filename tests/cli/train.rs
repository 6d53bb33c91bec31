//! `echoif train`: a run that is begun, stopped and gone on with.

use super::{refused, said};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn train(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_echoif"))
        .arg("train")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// A folder with a still and its outline, drawn.
fn stills(folder: &Path) -> PathBuf {
    let stills = folder.join("stills of Mustermann");
    std::fs::create_dir(&stills).unwrap();
    let drawn = Command::new(env!("CARGO_BIN_EXE_echoif"))
        .args([
            "phantom", "--seed", "5", "--ef", "50", "--frames", "2", "--out",
        ])
        .arg(folder.join("heart"))
        .output()
        .unwrap();
    assert!(drawn.status.success(), "{drawn:?}");
    std::fs::copy(folder.join("heart/frame_000.png"), stills.join("a.png")).unwrap();
    let text = std::fs::read_to_string(folder.join("heart.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    let at = |i: usize| truth["truth"]["outlines"][0][i].clone();
    let outline = serde_json::json!({
        "apex": at(24), "septal_annulus": at(0), "lateral_annulus": at(48),
        "septal": [at(12), at(7), at(3)], "lateral": [at(36), at(41), at(45)],
    });
    std::fs::write(stills.join("a.outline.json"), outline.to_string()).unwrap();
    stills
}

#[test]
fn a_run_is_stopped_gone_on_with_and_its_cascade_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let outline = stills(path).join("a.outline.json");
    let mut moved: Value =
        serde_json::from_str(&std::fs::read_to_string(outline).unwrap()).unwrap();
    moved["apex"][1] = (moved["apex"][1].as_f64().unwrap() + 1.0).into();
    let moved = moved.to_string();
    let config = "stills: stills of Mustermann\nsteps: 2\nbatch: 1\nseed: 3\npuppets: 0.5\n";
    std::fs::write(path.join("c.yaml"), config).unwrap();
    let whole = said(&train(
        path,
        &["--config", "c.yaml", "--out", "whole", "--json"],
    ));
    assert_eq!(
        (&whole["steps"], &whole["done"], &whole["data"]),
        (&2.into(), &true.into(), &1.into())
    );

    let half = ["--config", "c.yaml", "--out", "half", "--json"];
    let first = said(&train(path, &[&half[..], &["--stop-after", "1"]].concat()));
    assert_eq!(
        (&first["steps"], &first["done"]),
        (&1.into(), &false.into())
    );
    assert!(refused(&train(path, &half)).contains("--resume"));
    std::fs::write(
        path.join("other.yaml"),
        config.replace("seed: 3", "seed: 4"),
    )
    .unwrap();
    let other = ["--config", "other.yaml", "--out", "half", "--resume"];
    assert!(refused(&train(path, &other)).contains("other settings"));
    std::fs::write(path.join("other.yaml"), config).unwrap();
    let rest = said(&train(path, &[&half[..], &["--resume"]].concat()));
    assert_eq!((&rest["steps"], &rest["done"]), (&2.into(), &true.into()));
    for name in ["state.safetensors", "loss.csv", "cascade/unet1.safetensors"] {
        let read = |run: &str| std::fs::read(path.join(run).join(name)).unwrap();
        assert!(read("whole") == read("half"), "{name}");
    }
    let losses = std::fs::read_to_string(path.join("half/loss.csv")).unwrap();
    assert_eq!(losses.lines().count(), 3, "{losses}");
    for made in [
        "loss.png",
        "samples/step_000001.gif",
        "samples/step_000002.gif",
    ] {
        assert!(path.join("half").join(made).is_file(), "{made}");
    }
    let opened =
        echoif::checkpoint::open_cascade(&path.join("half/cascade"), &candle_core::Device::Cpu);
    assert!(opened.unwrap().cascade.config.makes_motion());
    let card = std::fs::read_to_string(path.join("half/cascade/card.yaml")).unwrap();
    assert_eq!(
        echoif::card::Card::parse(&card)
            .unwrap()
            .training_ef_range_percent,
        Some([6.0, 84.0])
    );
    // No path is kept, which could name somebody.
    for name in ["run.yaml", "cascade/manifest.json"] {
        let kept = std::fs::read_to_string(path.join("half").join(name)).unwrap();
        assert!(!kept.contains("Mustermann"), "{kept}");
    }
    // It may be made longer.
    std::fs::write(path.join("c.yaml"), config.replace("steps: 2", "steps: 3")).unwrap();
    let longer = said(&train(path, &[&half[..], &["--resume"]].concat()));
    assert_eq!(
        (&longer["steps"], &longer["done"]),
        (&3.into(), &true.into())
    );
    let losses = std::fs::read_to_string(path.join("half/loss.csv")).unwrap();
    assert_eq!(losses.lines().count(), 4, "{losses}");
    let kept = std::fs::read_to_string(path.join("half/run.yaml")).unwrap();
    assert!(kept.contains("steps: 3"), "{kept}");
    let shorter = train(
        path,
        &["--config", "other.yaml", "--out", "half", "--resume"],
    );
    assert!(refused(&shorter).contains("has made 3 steps already"));
    // Other stills make another run.
    std::fs::remove_file(path.join("stills of Mustermann/a.outline.json")).unwrap();
    std::fs::write(path.join("stills of Mustermann/a.outline.json"), moved).unwrap();
    let changed = train(path, &[&half[..], &["--resume"]].concat());
    assert!(refused(&changed).contains("other clips or stills"));
}

#[test]
fn what_cannot_be_trained_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("empty")).unwrap();
    for (config, words) in [
        ("steps: 0\n", "`steps` is out of its range"),
        ("step: 5\n", "step"),
        (
            "stills: empty\n",
            "no picture in it has an outline beside it",
        ),
        ("stills: nowhere\n", "it cannot be read"),
        ("from: nowhere\n", "nowhere"),
        ("checkpoint_minutes: -1\n", "checkpoint_minutes"),
        ("checkpoint_minutes: 1e20\n", "checkpoint_minutes"),
        ("batch: 65\n", "`batch` is out of its range"),
    ] {
        std::fs::write(path.join("c.yaml"), config).unwrap();
        let said = refused(&train(path, &["--config", "c.yaml", "--out", "run"]));
        assert!(said.contains(words), "{config} {said}");
        assert!(!path.join("run/state.safetensors").exists());
    }
    let none = ["--config", "c.yaml", "--out", "none", "--resume"];
    std::fs::write(path.join("c.yaml"), "steps: 5\n").unwrap();
    assert!(refused(&train(path, &none)).contains("holds no run"));
    // With it there may be one.
    if !cfg!(feature = "cuda") {
        let cuda = ["--config", "c.yaml", "--out", "none", "--device", "cuda"];
        assert!(refused(&train(path, &cuda)).contains("No CUDA device can be used"));
    }
    for (config, words) in [
        ("clips: data\n", "learns from `stills`"),
        ("seed: -1\n", "from 0 on"),
        ("stage: 2\n", "it has no stage 2"),
        ("stage: 0\n", "`stage` counts from 1"),
    ] {
        std::fs::write(path.join("c.yaml"), config).unwrap();
        let said = refused(&train(path, &["--config", "c.yaml", "--out", "run"]));
        assert!(said.contains(words), "{config} {said}");
    }
}

/// A published configuration, from nothing, stage after stage, from clips that lie as EchoNet-Dynamic's do.
#[test]
fn a_published_cascade_is_trained_stage_by_stage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let videos = path.join("data/Videos");
    std::fs::create_dir_all(&videos).unwrap();
    let mut list =
        "FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split\n".to_owned();
    for (name, ef, split) in [
        ("0X1", 35, "TRAIN"),
        ("0X2", 60, "TRAIN"),
        ("0X3", 50, "VAL"),
    ] {
        let drawn = Command::new(env!("CARGO_BIN_EXE_echoif"))
            .args([
                "phantom", "--seed", "5", "--frames", "40", "--rate", "16", "--ef",
            ])
            .arg(ef.to_string())
            .arg("--out")
            .arg(videos.join(format!("{name}.avi")))
            .output()
            .unwrap();
        assert!(drawn.status.success(), "{drawn:?}");
        list += &format!("{name},{ef},40,80,112,112,16,40,{split}\n");
    }
    std::fs::write(path.join("data/FileList.csv"), list).unwrap();
    let published =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/merged_tiny_2scm/config.yaml");
    let shared = "clips: data\nsteps: 2\nbatch: 2\nseed: 3\njoint: true\n";
    let first = format!("from: {}\nstage: 1\n{shared}", published.display());
    std::fs::write(path.join("first.yaml"), first).unwrap();
    let second = format!("from: one/cascade\nstage: 2\n{shared}");
    std::fs::write(path.join("second.yaml"), second).unwrap();
    for (config, out) in [("first.yaml", "one"), ("second.yaml", "two")] {
        let done = said(&train(path, &["--config", config, "--out", out, "--json"]));
        assert_eq!((&done["steps"], &done["data"]), (&2.into(), &2.into()));
        assert!(done["loss"].as_f64().unwrap() > 0.0);
    }
    let opened = |run: &str| {
        let cascade = path.join(run).join("cascade");
        echoif::checkpoint::open_cascade(&cascade, &candle_core::Device::Cpu)
    };
    assert!(opened("one").is_err());
    let two = opened("two").unwrap();
    assert_eq!(two.cascade.stages.len(), 2);
    let read = |run: &str| std::fs::read(path.join(run).join("cascade/unet1.safetensors")).unwrap();
    assert!(read("one") == read("two"));
    let card = std::fs::read_to_string(path.join("two/cascade/card.yaml")).unwrap();
    let range = echoif::card::Card::parse(&card).unwrap();
    assert_eq!(range.training_ef_range_percent, Some([35.0, 60.0]));
    // Who does not read JSON is told what is missing.
    let third = std::fs::read_to_string(path.join("first.yaml")).unwrap();
    std::fs::write(
        path.join("third.yaml"),
        third.replace("steps: 2", "steps: 1"),
    )
    .unwrap();
    let told = train(path, &["--config", "third.yaml", "--out", "three"]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.contains("Stage 2 of the cascade is still to be taught"),
        "{told}"
    );
    // A clip that is cut off is named before anything is begun.
    let cut = videos.join("0X2.avi");
    let bytes = std::fs::read(&cut).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 3]).unwrap();
    let words = refused(&train(path, &["--config", "first.yaml", "--out", "four"]));
    assert!(words.contains("0X2.avi: it is cut off"), "{words}");
    assert!(!path.join("four").exists());
    // So is one of whose frames one cannot be shown, wherever in it that is.
    let jpegs = bytes.windows(2).enumerate();
    let jpegs: Vec<usize> = jpegs
        .filter_map(|(at, two)| (two == [0xff, 0xd8]).then_some(at))
        .collect();
    assert!(jpegs.len() >= 40);
    let mut damaged = bytes.clone();
    damaged[jpegs[20]..jpegs[20] + 64].fill(0);
    std::fs::write(&cut, damaged).unwrap();
    let words = refused(&train(path, &["--config", "first.yaml", "--out", "four"]));
    assert!(
        words.contains("0X2.avi: 1 of 40 frames cannot be shown (frame 20, "),
        "{words}"
    );
    assert!(!path.join("four").exists());
    // What it learned from is in the run by its hash alone.
    let kept = std::fs::read_to_string(path.join("two/run.yaml")).unwrap();
    assert!(!kept.contains("0X1") && kept.contains("stage: 2"), "{kept}");
}

#[test]
fn a_regressor_is_trained_and_measures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let config = "what: regressor\nsteps: 2\nbatch: 2\nfalls: true\n";
    std::fs::write(path.join("c.yaml"), config).unwrap();
    let done = said(&train(
        path,
        &["--config", "c.yaml", "--out", "run", "--json"],
    ));
    assert_eq!((&done["steps"], &done["data"]), (&2.into(), &0.into()));
    assert!(done["regressor"].as_str().unwrap().ends_with("regressor"));
    let heart = Command::new(env!("CARGO_BIN_EXE_echoif"))
        .args([
            "phantom",
            "--ef",
            "40",
            "--rate",
            "16",
            "--seconds",
            "2",
            "--out",
            "heart.avi",
        ])
        .current_dir(path)
        .output()
        .unwrap();
    assert!(heart.status.success(), "{heart:?}");
    let measured = Command::new(env!("CARGO_BIN_EXE_echoif"))
        .args([
            "measure",
            "heart.avi",
            "--regressor",
            "run/regressor",
            "--json",
        ])
        .current_dir(path)
        .output()
        .unwrap();
    said(&measured);
    std::fs::write(path.join("c.yaml"), "what: regressor\nstage: 2\n").unwrap();
    let words = refused(&train(path, &["--config", "c.yaml", "--out", "other"]));
    assert!(words.contains("no `stage`"), "{words}");
}

/// What a folder holds is not written over, and no second program comes between.
#[test]
fn a_folder_is_one_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("c.yaml"), "steps: 400\nbatch: 1\n").unwrap();
    std::fs::create_dir(path.join("mine")).unwrap();
    std::fs::write(path.join("mine/loss.csv"), "file,ef_percent\n").unwrap();
    let run = ["--config", "c.yaml", "--out"];
    let words = refused(&train(path, &[&run[..], &["mine"]].concat()));
    assert!(words.contains("is no run's"), "{words}");
    let kept = std::fs::read_to_string(path.join("mine/loss.csv")).unwrap();
    assert_eq!(kept, "file,ef_percent\n");
    let mut first = Command::new(env!("CARGO_BIN_EXE_echoif"))
        .arg("train")
        .args(run)
        .arg("one")
        .current_dir(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = std::time::Instant::now();
    while !path.join("one/run.yaml").is_file() {
        assert!(begun.elapsed().as_secs() < 60);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let words = refused(&train(path, &[&run[..], &["one"]].concat()));
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(words.contains("Another program trains in one"), "{words}");
}
