//! What an earlier version of the program wrote opens still: sidecars, settings, history. In
//! `tests/versions/`: sidecars that the binary of commit 1d99d05 wrote, one of pictures, which is
//! byte for byte as commit a227f8c wrote them, and one of motion; and the settings of both, as eframe
//! keeps them. `generated_a227f8c.gif.json` and `window_a227f8c.ron` are what that commit's own program wrote:
//! `generate --frame assets/a4c_2.png --ef 30 --factual-ef 55 --seed 8 --best-of 2`, and its window's settings
//! after three runs on the same frame.

use echoif::edm::Preset;
use echoif::media::export::Sidecar;
use echoif::provenance::{Leaflets, Part, SCHEMA};
use echoif::ui::{Explore, Settings};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/versions")
        .join(name)
}

/// What a window keeps between two starts.
#[derive(Default)]
struct Storage(HashMap<String, String>);

impl eframe::Storage for Storage {
    fn get_string(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }
    fn set_string(&mut self, key: &str, value: String) {
        self.0.insert(key.into(), value);
    }
    fn remove_string(&mut self, key: &str) {
        self.0.remove(key);
    }
    fn flush(&mut self) {}
}

fn settings(name: &str) -> Settings {
    let mut storage = Storage::default();
    let text = std::fs::read_to_string(file(name)).unwrap();
    eframe::Storage::set_string(&mut storage, "settings", text);
    let settings = Settings::restore(&storage).expect("they open");
    // And what this version writes of them opens as well.
    settings.keep(&mut storage);
    assert_eq!(Settings::restore(&storage).as_ref(), Some(&settings));
    settings
}

#[test]
fn a_sidecar_of_pictures_opens() {
    let sidecar = Sidecar::read(&file("pictures_a227f8c.gif.json")).unwrap();
    let p = &sidecar.mark.provenance;
    assert_eq!((p.schema, SCHEMA), (1, 2));
    assert_eq!(sidecar.mark.part, Some(Part::Counterfactual));
    assert_eq!((p.requested_ef_percent, p.seed, p.best_of), (30.0, 8, 2));
    assert_eq!(p.measured_ef_percent, 41.03969192504883);
    assert_eq!(p.guidance, [1.5, 1.0]);
    assert_eq!(p.preset, Preset::Balanced);
    assert_eq!(p.candidates.len(), 2);
    // What it did not say, nobody says for it.
    assert!(p.stages.is_empty() && p.leaflets.is_none() && p.volumes.is_none());
    let anatomy = sidecar.anatomy().expect("its anatomy is in it");
    assert_eq!(anatomy.sha256, p.anatomy_sha256);
}

#[test]
fn a_sidecar_of_motion_opens() {
    let sidecar = Sidecar::read(&file("motion_1d99d05.gif.json")).unwrap();
    let p = &sidecar.mark.provenance;
    assert_eq!((p.schema, p.seed), (1, 3));
    assert_eq!(p.leaflets, Some(Leaflets::NoneSeen));
    assert_eq!((p.ed_frame, p.es_frame), (Some(14), Some(6)));
    assert_eq!(p.volumes.as_ref().unwrap().len(), 16);
    assert!(sidecar.anatomy().is_some());
}

#[test]
fn settings_and_history_open() {
    let old = settings("settings_a227f8c.ron");
    assert_eq!((old.preset, old.best_of), (Preset::Paper, 2));
    assert!(old.welcomed && old.keep_recent && old.keep_anatomies && !old.leaflets);
    assert_eq!(old.recent[0].date, "2026-11-25");
    let window = |settings| Explore::new(settings, Arc::new(|| {}));
    let history = window(old).kept.history;
    let [first, second] = &history[..] else {
        panic!("two lines");
    };
    let of_first = &first.kept.provenance;
    let anatomy = first.anatomy.as_ref().expect("it was kept");
    assert_eq!(anatomy.sha256, of_first.anatomy_sha256);
    assert_eq!((first.kept.factual_ef, of_first.seed), (Some(55.0), 8));
    assert!(second.anatomy.is_none() && second.kept.factual_ef.is_none());

    let newer = settings("settings_1d99d05.ron");
    assert_eq!((newer.preset, newer.best_of), (Preset::Preview, 3));
    assert!(newer.leaflets && !newer.keep_recent);
    let of_motion = newer.history[0].provenance.leaflets;
    assert_eq!(of_motion, Some(Leaflets::NoneSeen));
    assert!(window(newer).kept.history[0].anatomy.is_some());
}

#[test]
fn what_is_missing_in_settings_has_a_default() {
    let mut storage = Storage::default();
    let text =
        "(history:[(provenance:(seed:4)),(factual_ef:Some(50.0))],recent:[(hash:\"ab\")],later:3)";
    eframe::Storage::set_string(&mut storage, "settings", text.into());
    let settings = Settings::restore(&storage).unwrap();
    assert_eq!(settings.history[0].provenance.seed, 4);
    assert_eq!(settings.history[1].factual_ef, Some(50.0));
    assert_eq!(settings.recent[0].hash, "ab");
    assert_eq!(settings.best_of, Settings::default().best_of);
}

#[test]
fn what_a_later_version_wrote_costs_what_is_not_understood_alone() {
    let mut storage = Storage::default();
    let text = r#"{"preset": "overnight", "best_of": 3, "seed": "a word", "speed": 0.5, "tomorrow": [1],
        "recent": [7, {"hash": "ab"}], "keep_recent": null,
        "history": [{"provenance": {"seed": 1, "preset": "overnight"}},
                    {"provenance": {"seed": 2, "preset": "paper", "tomorrow": {}}, "factual_ef": 50},
                    "a word"]}"#;
    eframe::Storage::set_string(&mut storage, "settings", text.into());
    let settings = Settings::restore(&storage).unwrap();
    let default = Settings::default();
    assert_eq!((settings.best_of, settings.speed), (3, 0.5));
    assert_eq!(
        (settings.preset, settings.seed, settings.keep_recent),
        (default.preset, default.seed, default.keep_recent)
    );
    assert_eq!(settings.recent.len(), 1);
    assert_eq!(settings.recent[0].hash, "ab");
    assert_eq!(settings.history.len(), 1);
    let of = &settings.history[0];
    assert_eq!((of.provenance.seed, of.factual_ef), (2, Some(50.0)));
    assert_eq!(of.provenance.preset, Preset::Paper);
}

#[test]
fn what_is_no_settings_is_none() {
    let mut storage = Storage::default();
    assert!(Settings::restore(&storage).is_none());
    for text in ["", "{", "(", "nothing", "[]", "7"] {
        eframe::Storage::set_string(&mut storage, "settings", text.into());
        assert_eq!(Settings::restore(&storage), None, "{text}");
    }
}

#[test]
fn what_the_program_before_wrote_by_itself_opens() {
    let sidecar = Sidecar::read(&file("generated_a227f8c.gif.json")).unwrap();
    let p = &sidecar.mark.provenance;
    assert_eq!((p.requested_ef_percent, p.best_of), (30.0, 2));
    assert_eq!(p.candidates.len(), 2);
    let anatomy = sidecar.anatomy().expect("its anatomy is in it");
    assert_eq!(anatomy.sha256, p.anatomy_sha256);

    let old = settings("window_a227f8c.ron");
    assert!(old.welcomed && old.keep_recent && old.keep_anatomies);
    assert_eq!(
        (old.preset, old.best_of, old.recent.len()),
        (Preset::Balanced, 1, 1)
    );
    let history = Explore::new(old, Arc::new(|| {})).kept.history;
    assert_eq!(history.len(), 3);
    for past in &history {
        let of = &past.kept.provenance;
        assert_eq!(past.kept.factual_ef, Some(55.0));
        let anatomy = past.anatomy.as_ref().expect("it was kept");
        assert_eq!(anatomy.sha256, of.anatomy_sha256);
        // The same frame as the sidecar's.
        assert_eq!(anatomy.sha256, p.anatomy_sha256);
    }
    let asked: Vec<f64> = history
        .iter()
        .map(|past| past.kept.provenance.requested_ef_percent)
        .collect();
    assert_eq!(asked, [31.0, 30.0, 30.0]);
}
