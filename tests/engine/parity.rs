//! Every recorded fixture, replayed within its tolerance, and `verify` on folders that are not ours.

use crate::common::{alone, fixtures};
use candle_core::{Device, Tensor};
use echoif::verify::{Report, verify};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

fn replay(folder: &Path) -> Report {
    verify(folder, &Device::Cpu, |_| {}).expect("the folder holds fixtures")
}

fn failures(report: &Report) -> Vec<String> {
    let failed = report.rows.iter().filter(|r| !r.pass);
    failed
        .map(|r| {
            format!(
                "{} {}: {:?} > {:?}",
                r.fixture, r.quantity, r.max_abs_difference, r.tolerance
            )
        })
        .collect()
}

#[test]
fn every_fixture_is_replayed_within_its_tolerance() {
    let _alone = alone();
    let report = replay(&fixtures());
    assert_eq!(failures(&report), Vec::<String>::new());
    assert_eq!(report.failed, 0);
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    let seen: BTreeSet<&str> = report.rows.iter().map(|r| r.fixture.as_str()).collect();
    for name in [
        "unet_tiny_1scm",
        "unet_tiny_2scm_s1",
        "unet_tiny_2scm_s2",
        "unet_tiny_4scm_s4",
        "unet_full_1scm",
        "unet_full_2scm_s2",
        "r2plus1d",
        "resize",
        "schedule",
        "sampler_1scm_cfg1",
        "sampler_1scm_cfg5",
        "sampler_2scm_cfg1",
        "sampler_2scm_cfg5",
        "sampler_4scm_cfg1",
        "sampler_4scm_cfg5",
        "train_1scm",
        "train_1scm_ignore_time",
        "train_2scm_s2",
    ] {
        assert!(seen.contains(name), "{name} was not replayed");
    }
    // Intermediates too, and both ways of running a sampler.
    let has = |fixture: &str, quantity: &str| {
        report
            .rows
            .iter()
            .any(|r| r.fixture == fixture && r.quantity.starts_with(quantity))
    };
    assert!(has("unet_tiny_2scm_s1", "act.mid_attn"));
    assert!(has("sampler_2scm_cfg5", "s2.out, free"));
    assert!(has("sampler_2scm_cfg5", "s2.denoised2"));
}

#[test]
fn unet_outputs_keep_a_tenth_of_the_tolerance() {
    let _alone = alone();
    let report = replay(&fixtures());
    for r in report
        .rows
        .iter()
        .filter(|r| r.fixture.starts_with("unet_"))
    {
        let (Some(d), Some(t)) = (r.max_abs_difference, r.tolerance) else {
            panic!("{} {} was not computed", r.fixture, r.quantity);
        };
        assert!(d <= 0.1 * t, "{} {}: {d} of {t}", r.fixture, r.quantity);
    }
}

/// Copies one fixture under another name.
fn copy_as(folder: &Path, fixture: &str, name: &str, edit: impl FnOnce(&mut serde_json::Value)) {
    let text = std::fs::read_to_string(fixtures().join(format!("{fixture}.json"))).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    manifest["fixture"] = name.into();
    edit(&mut manifest);
    std::fs::write(folder.join(format!("{name}.json")), manifest.to_string()).unwrap();
    let tensors = fixtures().join(format!("{fixture}.safetensors"));
    if tensors.is_file() {
        std::fs::copy(tensors, folder.join(format!("{name}.safetensors"))).unwrap();
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn other_names_work_and_a_changed_number_fails() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    copy_folder(
        &fixtures().join("merged_tiny_1scm"),
        &folder.join("elsewhere"),
    );
    copy_as(folder, "sampler_1scm_cfg5", "mine", |m| {
        m["checkpoint"] = "elsewhere".into()
    });
    copy_as(folder, "sampler_1scm_cfg1", "other", |m| {
        m["checkpoint"] = "elsewhere".into();
        m["noise_from"] = "mine".into();
    });
    copy_as(folder, "resize", "sizes", |_| {});
    copy_as(folder, "schedule", "unheard", |m| {
        m["family"] = "seances".into()
    });
    std::fs::write(folder.join("notes.json"), "{\"a\": 1}").unwrap();
    let report = replay(folder);
    assert_eq!(failures(&report), Vec::<String>::new());
    let skipped: Vec<&str> = report.skipped.iter().map(|s| s.fixture.as_str()).collect();
    assert_eq!(skipped, ["notes", "unheard"]);

    // One stored element off by a hundredth.
    let path = folder.join("sizes.safetensors");
    let mut tensors: HashMap<String, Tensor> =
        candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let changed = (tensors["a.nearest"].clone() + 0.01).unwrap();
    tensors.insert("a.nearest".into(), changed);
    candle_core::safetensors::save(&tensors, &path).unwrap();
    let report = replay(folder);
    assert_eq!(report.failed, 1);
    assert!(failures(&report)[0].starts_with("sizes a.nearest"));

    // An implemented family whose numbers are missing fails; it is not skipped.
    std::fs::remove_file(&path).unwrap();
    let report = replay(folder);
    assert_eq!(report.failed, 1);
    assert!(report.rows.iter().any(|r| !r.pass && r.fixture == "sizes"));
}
