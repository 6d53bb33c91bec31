//! `echoif evaluate` of scores, of recorded clips and of features.

use super::{echoif, refused, said};
use serde_json::Value;
use std::path::Path;

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn scores_come_to_what_the_published_script_makes_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html").display().to_string();
    let scores = fixture("ef_scores.csv");
    let told = said(&echoif(&[
        "evaluate", "--scores", &scores, "--kind", "factual", "--report", &page, "--json",
    ]));
    let manifest = std::fs::read_to_string(fixture("metrics_ef.json")).unwrap();
    let exact = serde_json::from_str::<Value>(&manifest).unwrap()["exact"].clone();
    let (single, best) = (&told["single_shot"], &told["best_of"]);
    for (found, name) in [
        (&single["asked_generated"]["r_squared"], "r2"),
        (&single["asked_generated"]["mae"], "mae"),
        (&single["asked_reference"]["r_squared"], "r2_ref"),
        (&best["asked_generated"]["rmse"], "best_rmse"),
        (&best["ssim"], "best_ssim"),
        (&best["lpips"], "best_lpips"),
    ] {
        let off = found.as_f64().unwrap() - exact[name].as_f64().unwrap();
        assert!(off.abs() < 1e-9, "{name}: {off}");
    }
    assert_eq!(told["published"]["best_of_3"]["mae"], 4.514);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("5.049") && page.contains("7.391"));
    // The same rows, given in two files.
    let text = std::fs::read_to_string(&scores).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let parts = [&lines[1..20], &lines[20..]].map(|rows| {
        let path = folder.path().join(format!("{}.csv", rows.len()));
        std::fs::write(&path, format!("{}\n{}\n", lines[0], rows.join("\n"))).unwrap();
        path.display().to_string()
    });
    let both = said(&echoif(&[
        "evaluate", "--scores", &parts[0], &parts[1], "--json",
    ]));
    assert_eq!(
        both["single_shot"]["asked_generated"]["mae"],
        single["asked_generated"]["mae"]
    );
    assert!(refused(&echoif(&["evaluate", "--scores", "nothing.csv"])).contains("nothing.csv"));
}

/// Three clips of simulated hearts, with their list.
fn clips(folder: &Path) {
    let mut list = "file,ef_percent\n".to_owned();
    for (seed, ef) in [(3, 30), (4, 50), (5, 65)] {
        let name = format!("heart{seed}.avi");
        let out = folder.join(&name).display().to_string();
        let (seed, ef) = (seed.to_string(), ef.to_string());
        let drawn = [
            "phantom",
            "--seed",
            &seed,
            "--ef",
            &ef,
            "--rate",
            "32",
            "--seconds",
            "3",
            "--out",
            &out,
        ];
        assert!(echoif(&drawn).status.success());
        list += &format!("{name},{ef}\n");
    }
    std::fs::write(folder.join("list.csv"), list).unwrap();
}

#[test]
fn parts_are_the_whole_and_what_was_stopped_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let of_clips = folder.path().join("clips");
    std::fs::create_dir(&of_clips).unwrap();
    clips(&of_clips);
    let of_clips = of_clips.display().to_string();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let run = |out: &str, more: &[&str]| {
        let usual = [
            "evaluate",
            "--clips",
            &of_clips,
            "--kind",
            "counterfactual",
            "--samples",
            "2",
            "--preset",
            "preview",
            "--device",
            "cpu",
            "--json",
            "--out",
            out,
        ];
        echoif(&[&usual, more].concat())
    };
    let rows = |name: &str| {
        let text = std::fs::read_to_string(path(name)).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert_eq!(lines.remove(0), "FileName,GT EF,Gen EF,Ref EF,SSIM,LPIPS");
        lines
    };
    let told = said(&run(&path("whole.csv"), &[]));
    assert_eq!(
        (told["files"].as_u64(), told["samples"].as_u64()),
        (Some(3), Some(6))
    );
    let whole = rows("whole.csv");
    // Files may be named after patients: rows have the number in the list. The EF stays the same over a clip's samples,
    // its window and noise do not.
    let mut windows = 0;
    for i in 0..3 {
        let of = |k: usize| {
            whole[3 * k + i]
                .split(',')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (first, second) = (of(0), of(1));
        assert_eq!(first[0], format!("00000{}", i + 1));
        assert_eq!(first[..2], second[..2]);
        assert_ne!(first[2], second[2]);
        windows += usize::from(first[3] != second[3]);
        let asked: f64 = first[1].parse().unwrap();
        assert!((15.0..=85.0).contains(&asked), "{asked}");
    }
    assert!(windows >= 2, "{windows}");
    // In parts.
    let mut parts = Vec::new();
    for part in ["1/3", "2/3", "3/3"] {
        let name = format!("part{}.csv", &part[..1]);
        // A part without a clip has no figures to tell, and that is no fault.
        assert!(run(&path(&name), &["--shard", part]).status.success());
        parts.extend(rows(&name));
    }
    let sorted = |mut rows: Vec<String>| {
        rows.sort();
        rows
    };
    assert_eq!(sorted(parts), sorted(whole.clone()));
    // Stopped in the middle of a row.
    for kept in [1, 3, 5] {
        let text = std::fs::read_to_string(path("whole.csv")).unwrap();
        let end = text
            .lines()
            .take(kept + 1)
            .map(|l| l.len() + 1)
            .sum::<usize>();
        std::fs::write(path("whole.csv"), &text[..end + 7]).unwrap();
        assert!(run(&path("whole.csv"), &[]).status.success());
        assert_eq!(rows("whole.csv"), whole, "{kept}");
    }
    // As it was begun, or not at all.
    let why = refused(&run(&path("whole.csv"), &["--seed", "1"]));
    assert!(why.contains("another seed"), "{why}");
    let list = format!("{of_clips}/list.csv");
    let text = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, text.replace(",50", ",51")).unwrap();
    let why = refused(&run(&path("whole.csv"), &[]));
    assert!(why.contains("another list"), "{why}");
    std::fs::write(path("notes.csv"), "my notes\n").unwrap();
    let other = run(&path("notes.csv"), &[]);
    assert!(
        String::from_utf8(other.stderr)
            .unwrap()
            .contains("something else")
    );
    assert_eq!(
        std::fs::read_to_string(path("notes.csv")).unwrap(),
        "my notes\n"
    );
}

#[test]
fn features_of_clips_want_a_network_that_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(path("clips")).unwrap();
    std::fs::write(path("other.safetensors"), b"").unwrap();
    let run = |more: &[&str]| {
        let (clips, seen) = (path("clips"), path("seen"));
        let usual = ["evaluate", "--features-of", &clips, "--out", &seen];
        refused(&echoif(&[&usual, more].concat()))
    };
    assert!(run(&[]).contains("--fid or --fvd"));
    let said = run(&["--fid", &path("other.safetensors")]);
    assert!(said.contains("other.safetensors"), "{said}");
    let said = run(&["--fvd", "nothing.safetensors"]);
    assert!(
        said.contains("nothing.safetensors cannot be read"),
        "{said}"
    );
    // Nothing was begun.
    assert!(!folder.path().join("seen").exists());
}
