//! Runs of before: starred, pinned, restored, cleared, and after a restart.

use crate::harness::*;
use echoif::ui::NoPicker;
use egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::Queryable as _;
use std::path::Path;
use std::sync::Arc;

#[test]
fn a_starred_run_stays_and_one_of_the_list_stands_beside_the_next() {
    let _alone = alone();
    let mut window = exporting();
    // All of the list in view.
    window.set_size(vec2(1280.0, 1300.0));
    press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    step_until(&mut window, "another pair", settled);
    let asked = |window: &Window| -> Vec<f64> {
        let history = window.state().explore().kept.history.iter();
        let asked = history.map(|past| past.kept.provenance.requested_ef_percent);
        asked.collect()
    };
    assert_eq!(asked(&window), [35.0, 30.0]);
    // The older one.
    let of = |window: &Window, name: &str| {
        let all = window.get_all_by_label(name);
        all.map(|node| node.rect()).next_back().unwrap().center()
    };
    let at = of(&window, "Pin this run");
    drag(&mut window, at, vec2(0.0, 0.0));
    let pinned = window
        .state()
        .explore()
        .made
        .pinned
        .as_ref()
        .expect("a pinned cine");
    assert_eq!(pinned.result.provenance.requested_ef_percent, 30.0);
    let at = of(&window, "Star this run");
    drag(&mut window, at, vec2(0.0, 0.0));
    window.get_by_label("Clear all but starred...").click();
    window.run_steps(2);
    window.get_by_label("Keep them").click();
    window.run_steps(2);
    assert_eq!(asked(&window).len(), 2);
    window.get_by_label("Clear all but starred...").click();
    window.run_steps(2);
    window.get_by_label("Clear 1 run").click();
    window.run_steps(2);
    assert_eq!(asked(&window), [30.0]);
    let settings = after_a_restart(&mut window);
    assert!(settings.history[0].starred && settings.history[0].source.contains("Simulated heart"));
}

#[test]
fn a_run_of_another_heart_cannot_be_pinned_and_is_not_restored_by_trying() {
    let _alone = alone();
    let mut window = exporting();
    // All of the list in view.
    window.set_size(vec2(1280.0, 1300.0));
    let first = source(&window).anatomy.sha256.clone();
    press(&mut window, Modifiers::COMMAND, Key::H);
    step_until(&mut window, "another heart", |app| {
        let other = app.explore().case.source.as_ref();
        other.is_some_and(|s| s.anatomy.sha256 != first) && settled(app)
    });
    let second = source(&window).anatomy.sha256.clone();
    let pins = window.get_all_by_label("Pin this run");
    let at = pins.map(|pin| pin.rect()).next_back().unwrap();
    drag(&mut window, at.center(), vec2(0.0, 0.0));
    window.run_steps(4);
    assert_eq!(source(&window).anatomy.sha256, second);
    // And it says why.
    window.hover_at(at.center() + vec2(1.0, 0.0));
    window.run_steps(60);
    window.get_by_label_contains("Of this heart and since the start only");
    assert!(window.state().explore().made.pinned.is_none());
    // Beside it the row restores.
    drag(
        &mut window,
        at.left_center() - vec2(60.0, 0.0),
        vec2(0.0, 0.0),
    );
    step_until(&mut window, "the run of before", |app| {
        let source = app.explore().case.source.as_ref();
        source.is_some_and(|s| s.anatomy.sha256 == first) && settled(app)
    });
}

#[test]
fn history_survives_a_restart_and_anatomies_only_if_asked() {
    let _alone = alone();
    let mut first = plain();
    let pixels = |w: &Window| {
        let made = w.state().explore().made.counterfactual.as_ref().unwrap();
        made.result.provenance.pixels_sha256.clone()
    };
    let made = pixels(&first);
    let shown = first
        .state()
        .explore()
        .made
        .counterfactual
        .as_ref()
        .unwrap();
    let measured = shown.result.provenance.measured_ef_percent;
    let entry = format!("Measured EF {measured:.0} %\nasked 30 %");
    let bare = after_a_restart(&mut first);
    assert_eq!(bare.history.len(), 1);
    assert!(bare.history[0].anatomy_png.is_none());
    first.get_by_label("Keep anatomies").scroll_to_me();
    first.run_steps(3);
    first.get_by_label("Keep anatomies").click();
    first.run_steps(2);
    let whole = after_a_restart(&mut first);
    assert!(whole.history[0].anatomy_png.is_some());
    drop(first);

    // Another heart is open after the restart; the run comes back with its own.
    let another = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_3.png");
    let mut second = window(Some(whole), Arc::new(NoPicker), Some(another.clone()));
    assert_ne!(pixels(&second), made);
    second.get_by_label_contains(&entry).scroll_to_me();
    second.run_steps(3);
    second.get_by_label_contains(&entry).click();
    second.run_steps(2);
    step_until(&mut second, "the run of before", settled);
    assert_eq!(pixels(&second), made);
    drop(second);

    // Without its anatomy it must not touch the case that is open, and that is said.
    let mut third = window(Some(bare), Arc::new(NoPicker), Some(another));
    let before = pixels(&third);
    third.get_by_label_contains(&entry).scroll_to_me();
    third.run_steps(3);
    third.get_by_label_contains(&entry).click();
    third.run_steps(4);
    third.get_by_label_contains("Open its source first");
    assert!(third.state().explore().made.running.is_none());
    assert_eq!(pixels(&third), before);
}
