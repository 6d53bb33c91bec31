//! What lies around a session: a study is made, opened at its door, collected and reported.

use crate::harness::{Window, press};
use crate::study::{COUNTS, clips, has, key, reading, said, study, until, window};
use echoif::ui::{Reading, StudyFile};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use std::path::Path;

#[test]
fn a_study_is_made_by_four_clicks_read_collected_and_reported() {
    let folder = clips(COUNTS);
    let at = |name: &str| folder.path().join(name);
    let files = vec![
        (StudyFile::Real, at("real")),
        (StudyFile::Counterfactual, at("counterfactual")),
        (StudyFile::Merged, at("merged.jsonl")),
    ];
    let mut window = window(None, files);
    press(&mut window, Modifiers::COMMAND, Key::Num3);
    until(&mut window, "Choose a folder with recorded clips.");
    window.get_by_label("Recorded clips: choose").click();
    until(&mut window, "6 files");
    assert!(has(&window, "Choose a folder with generated clips"));
    window
        .get_by_label("Generated at another EF: choose")
        .click();
    until(&mut window, "3 files");
    window.get_by_label("Start").click();
    until(&mut window, "The study is made");
    let shown = said(&window);
    assert!(shown.contains("6 clips of 12 frames"), "{shown}");
    assert!(shown.contains("The key is not sealed"), "{shown}");
    window.get_by_label("Read as R1").click();
    until(&mut window, "You will be shown");
    // Out again before anything was answered.
    key(&mut window, Key::Escape);
    until(&mut window, "Your code");

    let made = std::fs::read_dir(folder.path()).unwrap().flatten();
    let made = made
        .map(|e| e.path())
        .find(|p| p.join("plan.json").is_file());
    let made = made.unwrap();
    window.get_by_label("Collect").click();
    window.run_steps(2);
    crate::harness::drop_file(&mut window, made.clone());
    until(&mut window, "study-R1.jsonl");
    window.get_by_label("Check the logs").click();
    until(&mut window, "Nothing is wrong with these logs");
    assert!(has(&window, "No log of R2, R3 yet."));
    assert!(has(&window, "0 of 6"));
    window.get_by_label("Merge into one file...").click();
    until(&mut window, "All logs in one");
    assert!(at("merged.jsonl").is_file());

    window.get_by_label("Report").click();
    window.run_steps(2);
    window.get_by_label("Open the key and report").click();
    until(
        &mut window,
        "the study is not complete (no log of R2, R3; R1 not read to the end)",
    );
    assert!(!made.join("study-unblinded.jsonl").exists());
}

#[test]
fn what_is_wrong_at_the_door_is_said() {
    let folder = clips(COUNTS);
    let made = study(folder.path());
    let tried = |code: &str, bundle: &Path, what: &str| {
        let reading = Reading {
            bundle: bundle.to_owned(),
            code: Some(code.to_owned()),
            log: None,
        };
        let mut window = window(Some(reading), Vec::new());
        until(&mut window, what);
    };
    tried("ABC", &made.bundle, "a code has 20 letters");
    let other = made.readers[0].code.replace(['A', 'B', 'C', '2'], "7");
    tried(
        &other,
        &made.bundle,
        "this code opens nothing in this bundle",
    );
    let code = made.readers[0].code.clone();
    tried(&code, &made.plan_file, "this is no bundle of a study");
    tried(&code, Path::new("/nowhere.echostudy"), "nowhere.echostudy");
    // Another program reads with this code.
    let _first = {
        let mut first = window(Some(reading(&made, 0)), Vec::new());
        until(&mut first, "You will be shown");
        first
    };
    tried(&code, &made.bundle, "another program is writing this log");
}

#[test]
fn a_study_that_is_opened_or_dropped_goes_to_its_door() {
    let folder = clips(COUNTS);
    let made = study(folder.path());
    let mut window = window(None, Vec::new());
    crate::harness::drop_file(&mut window, made.bundle.clone());
    until(&mut window, "Your code");
    assert!(has(&window, "Begin"));
    press(&mut window, Modifiers::COMMAND, Key::Num1);
    assert!(!has(&window, "Your code"));
}

#[test]
fn what_was_typed_can_be_mended() {
    let folder = clips(COUNTS);
    let made = study(folder.path());
    let files = vec![
        (StudyFile::Real, folder.path().join("real")),
        (StudyFile::Factual, folder.path().join("factual")),
    ];
    let mut window = window(None, files);
    press(&mut window, Modifiers::COMMAND, Key::Num3);
    window.get_by_label("Recorded clips: choose").click();
    until(&mut window, "6 files");
    window
        .get_by_label("Generated at the source's EF: choose")
        .click();
    until(&mut window, "3 files");
    // Enter ends a field, and starts nothing.
    let role = egui::accesskit::Role::SpinButton;
    let trials = |window: &Window| {
        let fields = window.get_all_by_role(role);
        fields.map(|f| f.rect()).next().unwrap().center()
    };
    let at = trials(&window);
    window.hover_at(at);
    window.drag_at(at);
    window.drop_at(at);
    window.run_steps(3);
    window.event(egui::Event::Text("4".into()));
    window.run_steps(2);
    key(&mut window, Key::Enter);
    window.run_steps(3);
    assert!(has(&window, "Prepares the clips"), "{}", said(&window));
    // A wrong receipt is told of, and its field stays.
    let mut reader = crate::study::window(Some(reading(&made, 0)), Vec::new());
    until(&mut reader, "You will be shown");
    key(&mut reader, Key::Escape);
    until(&mut reader, "Your code");
    window.get_by_label("Collect").click();
    window.run_steps(2);
    crate::harness::drop_file(&mut window, made.bundle.parent().unwrap().to_owned());
    until(&mut window, "study-R1.jsonl");
    window.get_by_label("Check the logs").click();
    until(&mut window, "Nothing is wrong");
    window.get_by_label("Receipt of R1").focus();
    window.run_steps(2);
    window.event(egui::Event::Text("ABC".into()));
    window.run_steps(2);
    window.get_by_label("Check the logs").click();
    until(&mut window, "a receipt is said as");
    assert!(window.query_by_label("Receipt of R1").is_some());
}
