//! Asking by a cascade's calibration, and what the window says of it.

use crate::harness::{Window, after_a_restart, alone, made, press, settled, step_until, window};
use candle_core::Device;
use echoif::calibration::{Calibration, Curve, Point, Test};
use echoif::card::with_calibration;
use echoif::checkpoint::builtin_regressor;
use echoif::edm::Preset;
use echoif::statistics::bootstrap::Estimate;
use echoif::ui::{Picker, Purpose};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The built-in cascade as a folder, whose card says that it measures from 20 to 75 % what is conditioned on from 10 to 85.
fn cascade(to: &Path) {
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/cascade");
    for entry in std::fs::read_dir(weights).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    let point = |conditioned: f64, measured: f64| Point {
        conditioned,
        measured,
        sd: 2.0,
    };
    let by = |value: f64| Estimate {
        value,
        low: value - 0.5,
        high: value + 0.5,
    };
    let calibration = Calibration {
        regressor_sha256: builtin_regressor(&Device::Cpu).unwrap().identity.sha256,
        anatomies: 12,
        cines: 24,
        seen_in_training: false,
        curve: Curve::new(
            vec![Preset::Balanced],
            vec![point(10.0, 20.0), point(85.0, 75.0)],
        )
        .unwrap(),
        test: Test {
            anatomies: 12,
            requested: vec![30.0, 60.0],
            before: by(4.0),
            after: by(3.0),
            lowered_by: by(1.0),
            outline_before: None,
            outline_after: None,
        },
    };
    let card = with_calibration("name: other\n", "simulated_unseen", &calibration).unwrap();
    std::fs::write(to.join("card.yaml"), card).unwrap();
}

/// Chooses a cascade.
struct Weights(PathBuf);

impl Picker for Weights {
    fn pick(&self, purpose: Purpose) -> Option<PathBuf> {
        matches!(purpose, Purpose::Cascade).then(|| self.0.clone())
    }
}

fn conditioning(window: &Window) -> Option<f64> {
    made(window).conditioning_ef_percent
}

#[test]
fn what_a_card_calibrates_is_asked_by_it_and_said() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    cascade(folder.path());
    let mut window = window(None, Arc::new(Weights(folder.path().to_owned())), None);
    // The built-in card's is not used by itself.
    assert_eq!(conditioning(&window), None);
    assert!(window.query_by_label("calibrated").is_none());
    // All of the panel in view.
    window.set_size(egui::vec2(1280.0, 1700.0));
    press(&mut window, Modifiers::COMMAND, Key::L);
    step_until(&mut window, "the other cascade", |app| {
        let made = app.explore().made.counterfactual.as_ref();
        made.is_some_and(|m| m.result.provenance.cascade == "other") && settled(app)
    });
    // 20 to 75 for 10 to 85: what measures 30 is 10 + 10 / 55 of 75.
    assert!((conditioning(&window).unwrap() - (10.0 + 750.0 / 55.0)).abs() < 1e-9);
    window.get_by_label("calibrated");
    assert!(
        window
            .get_all_by_label_contains("calibrated: conditioned on 24 %")
            .count()
            >= 1
    );
    // The factual cine is asked for in the same way.
    let factual = window.state().explore().made.factual.as_ref().unwrap();
    assert!(factual.result.provenance.conditioning_ef_percent.is_some());
    // Further than it reaches.
    for _ in 0..11 {
        press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    }
    step_until(&mut window, "85 %", settled);
    assert_eq!(conditioning(&window), Some(85.0));
    window.get_by_label("calibrated, reaches 20 to 75 %");

    window.get_by_label("Advanced").click();
    window.run_steps(20);
    window.get_by_label("Calibrated").click();
    window.run_steps(2);
    step_until(&mut window, "a plain one", settled);
    assert_eq!(conditioning(&window), None);
    assert!(
        window
            .query_by_label_contains("calibrated, reaches")
            .is_none()
    );
    window.get_by_label("Advanced, changed");
    assert_eq!(after_a_restart(&mut window).calibrated, Some(false));
    press(&mut window, Modifiers::COMMAND, Key::Z);
    step_until(&mut window, "the step back", |app| {
        app.explore().wanted.calibrated.is_none() && settled(app)
    });
    assert_eq!(conditioning(&window), Some(85.0));
    // A run of the list is repeated as it was, whatever is set now: its first line of 30 %, asked by the curve.
    window.get_by_label("Calibrated").click();
    window.run_steps(2);
    step_until(&mut window, "a plain one", settled);
    let history = window.state().explore().kept.history.iter();
    let made_before = history
        .map(|past| past.kept.provenance.clone())
        .find(|p| p.requested_ef_percent == 30.0 && p.conditioning_ef_percent.is_some());
    let made_before = made_before
        .expect("the first run of this cascade")
        .pixels_sha256;
    window
        .get_by_label_contains("asked 30 %, calibrated")
        .click();
    window.run_steps(2);
    step_until(&mut window, "the run of the list", |app| {
        app.explore().wanted.requested == 30.0 && settled(app)
    });
    assert_eq!(made(&window).pixels_sha256, made_before);
    assert!(conditioning(&window).is_some());
    assert_eq!(window.state().explore().wanted.calibrated, Some(false));
    window.get_by_label("Calibrated").click();
    window.run_steps(2);
    step_until(&mut window, "one by the curve", settled);

    // Of cines with guidance, other presets and the like the curve says nothing.
    window.get_by_label("Open the mitral valve").click();
    window.run_steps(2);
    step_until(&mut window, "an open valve", settled);
    assert_eq!(conditioning(&window), None);
    window.get_by_label_contains("Not with this preset");
}
