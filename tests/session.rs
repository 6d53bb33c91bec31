//! A session of Explore from opening to export, and back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

#[path = "common/window.rs"]
mod window;

use echoif::media::export::{Sidecar, sidecar_of};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use std::path::Path;
use std::sync::Arc;
use window::*;

/// From opening to export, and back by a drop.
#[test]
fn one_session_from_opening_to_export_and_back() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("shown");
    let heart = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_2.png");
    let picker = Arc::new(Place(place.clone()));
    let mut window = window(None, picker, Some(heart));
    for _ in 0..2 {
        press(&mut window, Modifiers::SHIFT, Key::ArrowLeft);
    }
    step_until(&mut window, "pair", settled);
    assert_eq!(window.state().explore().requested, 20.0);
    let of = |w: &Window| {
        let made = w.state().explore().counterfactual.as_ref().unwrap();
        made.result.provenance.clone()
    };
    let before = of(&window);

    press(&mut window, Modifiers::COMMAND, Key::S);
    window.run_steps(3);
    window.get_by_label("Counterfactual cine");
    window.get_by_label("Save...").click();
    let file = place.with_extension("gif");
    until_exported(&mut window);
    let sidecar = Sidecar::read(&sidecar_of(&file)).unwrap();
    assert_eq!(sidecar.mark.provenance, before);
    assert!(sidecar.anatomy().is_some());
    assert!(window.state().explore().exporting.is_none());

    // Another heart and another EF; then the file is dropped, and the run is back.
    press(&mut window, Modifiers::COMMAND, Key::H);
    step_until(&mut window, "another pair", settled);
    assert_ne!(of(&window).pixels_sha256, before.pixels_sha256);
    drop_file(&mut window, file);
    step_until(&mut window, "the run of the file", |app| {
        let e = app.explore();
        let anatomy = e.source.as_ref().map(|s| s.anatomy.sha256.clone());
        settled(app) && anatomy.as_ref() == Some(&before.anatomy_sha256)
    });
    assert_eq!(of(&window).pixels_sha256, before.pixels_sha256);
    assert_eq!(window.state().explore().requested, 20.0);
}
