//! Keys, files and settings: what closes first, what is asked before, what is still set afterwards.

use crate::harness::*;
use echoif::ui::{Comparison, NoPicker, Settings};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn has(w: &Window, text: &str) -> bool {
    w.query_all_by_label(text).next().is_some()
}

fn escape(w: &mut Window) {
    press(w, Modifiers::NONE, Key::Escape);
    w.run_steps(2);
}

#[test]
fn escape_closes_what_is_on_top_before_it_stops_a_run() {
    let _alone = alone();
    let mut window = plain();
    window.state_mut().set_best_of(64);
    press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    assert!(window.state().explore().made.running.is_some());
    press(&mut window, Modifiers::NONE, Key::Questionmark);
    assert!(has(&window, "Larger or smaller text"));
    escape(&mut window);
    assert!(!has(&window, "Larger or smaller text"));
    assert!(
        window.state().explore().made.running.is_some(),
        "the run goes on"
    );
    escape(&mut window);
    step_until(&mut window, "the end", |app| {
        app.explore().made.running.is_none()
    });
}

#[test]
fn keys_work_after_tab_and_enter_makes_the_same_again() {
    let _alone = alone();
    let mut window = plain();
    for _ in 0..4 {
        press(&mut window, Modifiers::NONE, Key::Tab);
    }
    press(&mut window, Modifiers::NONE, Key::Num2);
    assert_eq!(window.state().explore().view.mode, Comparison::Wipe);
    press(&mut window, Modifiers::NONE, Key::Num1);
    // Nothing has the focus: Enter runs.
    let mut window = plain();
    let before = window
        .state()
        .explore()
        .made
        .counterfactual
        .as_ref()
        .unwrap()
        .id;
    press(&mut window, Modifiers::NONE, Key::Enter);
    step_until(&mut window, "the same again", |app| {
        settled(app) && app.explore().made.counterfactual.as_ref().unwrap().id != before
    });
}

#[test]
fn what_was_set_outlives_the_source_and_the_program() {
    let _alone = alone();
    let mut window = plain();
    for _ in 0..3 {
        press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    }
    press(&mut window, Modifiers::NONE, Key::Num4);
    press(&mut window, Modifiers::NONE, Key::R);
    press(&mut window, Modifiers::NONE, Key::OpenBracket);
    press(&mut window, Modifiers::COMMAND, Key::T);
    step_until(&mut window, "pair", settled);
    press(&mut window, Modifiers::COMMAND, Key::H);
    step_until(&mut window, "another heart", settled);
    let set = |w: &Window| {
        let e = w.state().explore();
        (
            e.wanted.requested,
            e.wanted.seed,
            e.view.mode,
            e.view.playback.speed(),
        )
    };
    let before = set(&window);
    assert_eq!(before, (45.0, 1, Comparison::Difference, 0.5));
    let kept = after_a_restart(&mut window);
    assert!(kept.light);
    let window = self::window(Some(kept), Arc::new(NoPicker), None);
    assert_eq!(set(&window), before);
}

#[test]
fn settings_that_make_no_sense_are_not_taken() {
    let _alone = alone();
    let settings = Settings {
        requested: f64::NAN,
        speed: -3.0,
        guidance: Some(1e9),
        ..Settings::default()
    };
    let window = window(Some(settings), Arc::new(NoPicker), None);
    let e = window.state().explore();
    assert_eq!(
        (
            e.wanted.requested,
            e.view.playback.speed(),
            e.wanted.guidance
        ),
        (30.0, 1.0, None)
    );
}

#[test]
fn the_factual_cine_stays_until_the_new_one_is_there() {
    let _alone = alone();
    let mut window = plain();
    let before = window.state().explore().made.factual.as_ref().unwrap().id;
    press(&mut window, Modifiers::NONE, Key::R);
    let factual = window.state().explore().made.factual.as_ref().unwrap();
    assert!(factual.stale || factual.id != before);
    step_until(&mut window, "the new pair", |app| {
        settled(app) && !app.explore().made.factual.as_ref().unwrap().stale
    });
    assert_ne!(
        window.state().explore().made.factual.as_ref().unwrap().id,
        before
    );
}

/// Exports by the dialog, up to what it says or asks.
fn save(w: &mut Window, until: &str) {
    press(w, Modifiers::COMMAND, Key::S);
    w.run_steps(3);
    w.get_by_label("Save...").click();
    let start = Instant::now();
    while w.query_by_label_contains(until).is_none() {
        assert!(start.elapsed() < Duration::from_secs(20), "no `{until}`");
        w.step();
    }
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_asked() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("shown");
    let file = place.with_extension("gif");
    std::fs::write(&file, b"mine").unwrap();
    let heart = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_2.png");
    let mut window = window(None, Arc::new(Place(place)), Some(heart));
    save(&mut window, "Replace the file?");
    window.get_by_label("Keep it").click();
    window.run_steps(3);
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    save(&mut window, "Replace the file?");
    window.get_by_label("Replace").click();
    until_exported(&mut window);
    assert!(std::fs::read(&file).unwrap().starts_with(b"GIF89a"));
}
