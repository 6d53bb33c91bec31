//! A session with the motion cascade: the outline, end-systole, a corrected point, export and back.

use crate::harness::*;
use echoif::media::export::{Sidecar, sidecar_of};
use echoif::provenance::Provenance;
use egui::accesskit::Role;
use egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::Queryable as _;
use std::path::Path;
use std::sync::Arc;

fn made(w: &Window) -> Provenance {
    let made = w.state().explore().made.counterfactual.as_ref().unwrap();
    made.result.provenance.clone()
}

/// Open, drag, see the outline, jump to end-systole, correct a point, export, drop the file.
#[test]
fn an_outline_is_seen_corrected_exported_and_comes_back() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("shown");
    let heart = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_2.png");
    let mut window = window(None, Arc::new(Place(place.clone())), Some(heart));

    // The slider is dragged: estimates follow it, each a whole beat with its outline.
    let slider = window
        .get_by_role_and_label(Role::Slider, "Requested EF")
        .rect();
    drag(
        &mut window,
        slider.lerp_inside(vec2(0.27, 0.5)),
        vec2(0.4 * slider.width(), 0.0),
    );
    step_until(&mut window, "pair", settled);
    let own = made(&window);
    assert!(
        (own.requested_ef_percent - 60.0).abs() < 3.0,
        "{}",
        own.requested_ef_percent
    );
    assert!((own.outline_ef_percent.unwrap() - own.requested_ef_percent).abs() < 12.0);
    window.get_by_label("Volume of the left ventricle over the beat");
    assert!(window.query_all_by_label_contains("Outline EF ").count() >= 2);

    press(&mut window, Modifiers::NONE, Key::O);
    assert!(window.state().explore().view.overlays.outline);
    press(&mut window, Modifiers::NONE, Key::S);
    let explore = window.state().explore();
    assert!(!explore.view.playback.is_playing());
    assert_eq!(Some(explore.frame_now(0.0)), own.es_frame);
    press(&mut window, Modifiers::NONE, Key::D);
    assert_eq!(Some(window.state().explore().frame_now(0.0)), own.ed_frame);

    // A point of the lateral wall is dragged outwards: the motion is made anew.
    window.get_by_label("Correct outline...").click();
    window.run_steps(3);
    let name = "Outline: middle lateral point";
    let point = window.get_by_label(name).rect().center();
    drag(&mut window, point, vec2(12.0, 0.0));
    step_until(&mut window, "the corrected pair", |app| {
        settled(app) && app.explore().wanted.outline.is_some()
    });
    let corrected = made(&window);
    assert!(corrected.outline.is_some());
    assert_ne!(corrected.pixels_sha256, own.pixels_sha256);
    let error = corrected.outline_ef_percent.unwrap() - corrected.requested_ef_percent;
    assert!(error.abs() < 4.0, "{error}");
    window.get_by_label("Done").click();
    window.run_steps(3);
    window.get_by_label("The outline is yours.");

    // Undone and done again.
    press(&mut window, Modifiers::COMMAND, Key::Z);
    step_until(&mut window, "the pair before", |app| {
        settled(app) && app.explore().wanted.outline.is_none()
    });
    assert_eq!(made(&window).pixels_sha256, own.pixels_sha256);
    press(
        &mut window,
        Modifiers::COMMAND.plus(Modifiers::SHIFT),
        Key::Z,
    );
    step_until(&mut window, "the corrected pair again", |app| {
        settled(app) && app.explore().wanted.outline.is_some()
    });
    assert_eq!(made(&window).pixels_sha256, corrected.pixels_sha256);

    press(&mut window, Modifiers::COMMAND, Key::S);
    window.run_steps(3);
    window.get_by_label("Save...").click();
    let file = place.with_extension("gif");
    until_exported(&mut window);
    let sidecar = Sidecar::read(&sidecar_of(&file)).unwrap();
    assert_eq!(sidecar.mark.provenance, corrected);

    // Another heart has another outline; the file brings this one back.
    press(&mut window, Modifiers::COMMAND, Key::H);
    step_until(&mut window, "another pair", settled);
    assert!(window.state().explore().wanted.outline.is_none());
    drop_file(&mut window, file);
    step_until(&mut window, "the run of the file", |app| {
        settled(app) && app.explore().wanted.outline.is_some()
    });
    assert_eq!(made(&window).pixels_sha256, corrected.pixels_sha256);
}
