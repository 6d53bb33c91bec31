//! A session of Explore from opening to export, and back.

use crate::harness::*;
use echoif::media::export::{Sidecar, sidecar_of};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use std::path::Path;
use std::sync::Arc;

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
    assert_eq!(window.state().explore().wanted.requested, 20.0);
    let of = |w: &Window| {
        let made = w.state().explore().made.counterfactual.as_ref().unwrap();
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
    assert!(window.state().explore().view.exporting.is_none());

    // Another heart and another EF; then the file is dropped, and the run is back.
    press(&mut window, Modifiers::COMMAND, Key::H);
    step_until(&mut window, "another pair", settled);
    assert_ne!(of(&window).pixels_sha256, before.pixels_sha256);
    drop_file(&mut window, file);
    step_until(&mut window, "the run of the file", |app| {
        let e = app.explore();
        let anatomy = e.case.source.as_ref().map(|s| s.anatomy.sha256.clone());
        settled(app) && anatomy.as_ref() == Some(&before.anatomy_sha256)
    });
    assert_eq!(of(&window).pixels_sha256, before.pixels_sha256);
    assert_eq!(window.state().explore().wanted.requested, 20.0);
}

/// Each rung says how it was made, also where no counterfactual cine is there.
#[test]
fn a_ladder_is_exported_with_the_provenance_of_each_rung() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("rungs");
    let heart = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_2.png");
    let mut window = window(None, Arc::new(Place(place.clone())), Some(heart));
    step_until(&mut window, "pair", settled);
    // A run that is cancelled for the ladder: its anatomy has no counterfactual cine.
    press(&mut window, Modifiers::NONE, Key::F);
    press(&mut window, Modifiers::NONE, Key::L);
    step_until(&mut window, "ladder", |app| {
        let ladder = app.explore().made.ladder.as_ref();
        ladder.is_some_and(|l| l.job.is_none() && !l.rungs.is_empty())
    });
    let made = &window.state().explore().made;
    assert!(made.counterfactual.is_none());
    let rungs = made.ladder.as_ref().unwrap().rungs.iter();
    let rungs: Vec<_> = rungs.map(|r| r.result.provenance.clone()).collect();

    press(&mut window, Modifiers::COMMAND, Key::S);
    window.run_steps(3);
    window.get_by_label("Ladder picture").click();
    window.run_steps(2);
    window.get_by_label("Save...").click();
    let file = place.with_extension("png");
    until_exported(&mut window);
    let mark = Sidecar::read(&sidecar_of(&file)).unwrap().mark;
    assert_eq!(mark.rungs, rungs);
    // What is repeated from the file is the rung that was asked for.
    assert_eq!(mark.provenance.requested_ef_percent, 30.0);
    assert!(rungs.contains(&mark.provenance));
}
