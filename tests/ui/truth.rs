//! What the screen says is so: no EF that nobody gave, numbers of the picture above them.

use crate::harness::*;
use echoif::ef::EfOrigin;
use echoif::media::export::{Sidecar, sidecar_of};
use echoif::ui::{NoPicker, Settings};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

fn heart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_2.png")
}

fn has(w: &Window, text: &str) -> bool {
    w.query_all_by_role_and_label(Role::Label, text)
        .next()
        .is_some()
}

#[test]
fn an_ef_that_nobody_gave_is_said_to_be_assumed() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("shown");
    let mut window = window(None, Arc::new(Place(place.clone())), Some(heart()));
    window.get_by_value("not known");
    assert!(has(&window, "At EF 55 % (assumed)") && !has(&window, "Factual"));
    window.get_by_label_contains("Until then 55 % is assumed");

    // An export says so, too.
    press(&mut window, Modifiers::COMMAND, Key::S);
    window.run_steps(3);
    window.get_by_label("Factual cine").click();
    window.run_steps(2);
    window.get_by_label("Save...").click();
    until_exported(&mut window);
    let sidecar = Sidecar::read(&sidecar_of(&place.with_extension("gif"))).unwrap();
    assert_eq!(sidecar.mark.factual_ef_percent, Some(55.0));
    assert_eq!(sidecar.mark.factual_ef_origin, EfOrigin::Assumed);

    // Typed, it is the source's own.
    let field = window.get_by_role_and_label(Role::SpinButton, "Factual EF");
    field.focus();
    window.step();
    window.key_press(Key::ArrowUp);
    window.run_steps(3);
    step_until(&mut window, "pair", settled);
    assert_eq!(window.state().explore().case.ef_origin, EfOrigin::Given);
    assert!(has(&window, "Factual"));
}

#[test]
fn a_simulated_hearts_ef_is_known_and_tagged() {
    let _alone = alone();
    let window = plain();
    assert_eq!(window.state().explore().case.ef_origin, EfOrigin::Given);
    window.get_by_label("Exact by construction.");
    assert!(has(&window, "Factual"));
}

#[test]
fn an_export_brings_its_factual_ef_back() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made.gif");
    let mut command = Command::new(env!("CARGO_BIN_EXE_echoif"));
    command.args([
        "generate",
        "--device",
        "cpu",
        "--ef",
        "30",
        "--factual-ef",
        "62",
        "--frame",
    ]);
    assert!(
        command
            .arg(heart())
            .arg("--out")
            .arg(&out)
            .output()
            .unwrap()
            .status
            .success()
    );
    let mut window = plain();
    drop_file(&mut window, out);
    step_until(&mut window, "the run of the file", |app| {
        settled(app) && app.explore().case.factual_ef == 62.0
    });
    assert_eq!(window.state().explore().case.ef_origin, EfOrigin::Given);
}

#[test]
fn after_cancel_the_last_finished_cine_is_back_with_its_numbers() {
    let _alone = alone();
    let settings = Settings {
        best_of: 1,
        ..Settings::default()
    };
    let mut window = window(Some(settings), Arc::new(NoPicker), Some(heart()));
    let measured = |w: &Window| {
        let made = w.state().explore().made.counterfactual.as_ref().unwrap();
        made.result.provenance.measured_ef_percent
    };
    let before = measured(&window);
    // A long run of another EF: its estimates are said to be estimates.
    window.state_mut().set_best_of(64);
    press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    step_until_seen(&mut window, "an estimate", |w| {
        w.query_all_by_label_contains("estimate, not measured")
            .next()
            .is_some()
    });
    press(&mut window, Modifiers::NONE, Key::Escape);
    step_until(&mut window, "the end", |app| {
        app.explore().made.running.is_none()
    });
    assert_eq!(measured(&window), before);
    assert!(has(&window, &format!("Measured EF {before:.0} %")));
    assert!(
        window
            .query_all_by_label_contains("estimate")
            .next()
            .is_none()
    );
}
