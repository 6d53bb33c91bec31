//! Pictures of a study's screens, in two sizes. As the other snapshots, with the feature `snapshots` only.

use crate::shown::{LARGE, SMALL, Shown, Size};
use crate::study::{clips, options, study};
use echoif::study::assemble::Assembled;
use echoif::ui::{Reading, StudyFile};
use egui::{Key, Modifiers};

fn reading(made: &Assembled) -> Reading {
    Reading {
        bundle: made.bundle.clone(),
        code: Some(made.readers[0].code.clone()),
        log: None,
    }
}

#[test]
fn a_session() {
    session(SMALL);
}

#[test]
fn a_session_on_a_large_screen() {
    session(LARGE);
}

fn session(size: Size) {
    let folder = clips([6, 3, 3]);
    let made = study(folder.path());
    let options = options(Some(reading(&made)), Vec::new());
    let mut shown = Shown::new("study", &["Clip"], options, folder.path(), size);
    shown.until("You will be shown");
    shown.picture("instruction");
    shown.key(Key::Enter);
    shown.picture("consent");
    shown.key(Key::Enter);
    shown.picture("about");
    shown.key(Key::Enter);
    shown.window.run_steps(130);
    shown.picture("display");
    shown.key(Key::Enter);
    shown.picture("ready");
    shown.key(Key::Enter);
    for trial in 1..=6 {
        shown.until("Clip");
        // Into the second round of the clip.
        shown.window.run_steps(52);
        if trial == 1 {
            shown.picture("practice");
        } else if trial == 2 {
            shown.picture("trial");
        }
        shown.key(Key::R);
        if trial == 2 {
            shown.picture("confidence");
        }
        shown.key(Key::Num4);
        if trial == 1 {
            shown.until("Ready");
            shown.key(Key::Enter);
        }
    }
    shown.until("Break");
    shown.until("Go on when you like.");
    shown.picture("break");
    shown.key(Key::Enter);
    shown.until("Clip");
    shown.key(Key::Escape);
    shown.until("Paused");
    shown.picture("paused");
    shown.click("Leave the study...");
    shown.picture("leave");
    shown.click("Leave");
    shown.until("You have left");
    shown.picture("left");
}

#[test]
fn around_a_session() {
    screens(SMALL, egui::Theme::Dark, "dark");
}

#[test]
fn around_a_session_in_light() {
    screens(SMALL, egui::Theme::Light, "light");
}

#[test]
fn around_a_session_on_a_large_screen() {
    screens(LARGE, egui::Theme::Dark, "dark");
}

fn screens(size: Size, theme: egui::Theme, text: &str) {
    let folder = clips([6, 3, 3]);
    let at = |name: &str| folder.path().join(name);
    let files = vec![
        (StudyFile::Real, at("real")),
        (StudyFile::Factual, at("factual")),
        (StudyFile::Counterfactual, at("counterfactual")),
    ];
    let mut shown = Shown::new(
        "study",
        &["Clip"],
        options(None, files),
        folder.path(),
        size,
    );
    shown.window.ctx.set_theme(theme);
    shown
        .window
        .key_press_modifiers(Modifiers::COMMAND, Key::Num3);
    shown.window.run_steps(3);
    shown.until("Choose a folder with recorded clips.");
    shown.until("built-in cascade");
    shown.picture(&format!("new_empty_{text}"));
    shown.click("Recorded clips: choose");
    shown.until("6 files");
    shown.click("Generated at the source's EF: choose");
    shown.until("3 files");
    shown.click("Generated at another EF: choose");
    shown.window.run_steps(20);
    shown.click("More");
    shown.window.run_steps(30);
    shown.picture(&format!("new_filled_{text}"));
    shown.click("More");
    shown.window.run_steps(30);
    shown.click("Start");
    shown.until("The study is made");
    shown.picture(&format!("new_made_{text}"));
    shown.click("Read");
    shown.picture(&format!("read_{text}"));

    // A study that was read, by the script's machinery.
    let made = study(folder.path());
    crate::study::read_all(&made);
    shown.click("Collect");
    crate::harness::drop_file(&mut shown.window, made.bundle.parent().unwrap().to_owned());
    shown.until("study-R1.jsonl");
    shown.click("Check the logs");
    shown.until("Nothing is wrong");
    shown.picture(&format!("collect_{text}"));
    shown.click("Report");
    shown.click("Open the key and report");
    shown.until("Balanced accuracy");
    shown.picture(&format!("report_{text}"));
}
