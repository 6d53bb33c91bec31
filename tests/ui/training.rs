//! Training in the window, through its accessible tree and by the keyboard alone.

use crate::harness::{Window, drop_file, press, step_until_seen};
use crate::study::said;
use echoif::drill::case::{Ladder, Recipe, Rung, Truth};
use echoif::drill::profile::Profile;
use echoif::drill::set::{CaseSet, FORMAT, VERSION};
use echoif::engine::DeviceChoice;
use echoif::phantom::Quality;
use echoif::ui::{App, Options, Picker, Purpose, Settings, TrainingFile};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// Files that are chosen, by what they are chosen for.
struct Chooses(Vec<(TrainingFile, PathBuf)>);

impl Picker for Chooses {
    fn pick(&self, purpose: Purpose) -> Option<PathBuf> {
        // A dialog that is closed at once is taken for none.
        std::thread::sleep(std::time::Duration::from_millis(2));
        let of = |(file, _): &&(TrainingFile, PathBuf)| Purpose::Training(*file) == purpose;
        self.0.iter().find(of).map(|(_, path)| path.clone())
    }
}

/// With profiles in a folder of their own.
pub fn options(folder: &Path, files: Vec<(TrainingFile, PathBuf)>) -> Options {
    Options {
        device: DeviceChoice::Cpu,
        picker: Arc::new(Chooses(files)),
        profiles: Some(folder.join("profiles")),
        settings: Some(Settings {
            welcomed: true,
            ..Settings::default()
        }),
        ..Options::default()
    }
}

pub fn window(folder: &Path, files: Vec<(TrainingFile, PathBuf)>) -> Window {
    let options = options(folder, files);
    let mut window = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| App::new(cc, options).expect("the worker starts"));
    press(&mut window, Modifiers::COMMAND, Key::Num2);
    until(&mut window, "Guess the EF");
    window
}

pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub fn until(window: &mut Window, text: &str) {
    step_until_seen(window, text, |w| said(w).contains(text));
}

pub fn enter(window: &mut Window) {
    press(window, Modifiers::NONE, Key::Enter);
}

fn type_guess(window: &mut Window, guess: u32) {
    for digit in format!("{guess:02}").chars() {
        window.event(egui::Event::Text(digit.to_string()));
        window.step();
    }
}

/// Types a guess and gives it, once the heart is there to be seen.
pub fn answer(window: &mut Window, guess: u32) {
    type_guess(window, guess);
    step_until_seen(window, "the heart", can_check);
    enter(window);
}

pub fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run_steps(3);
}

fn numeric_value(window: &Window) -> Option<f64> {
    let scale = window.get_by_role_and_label(Role::Slider, "Ejection fraction, percent");
    scale.accesskit_node().numeric_value()
}

fn can_check(window: &Window) -> bool {
    !window.get_by_label("Check").accesskit_node().is_disabled()
}

/// The truth, as the feedback says it.
fn truth(window: &Window) -> String {
    let said = said(window);
    let after = said.rsplit("The truth\n").next().unwrap();
    after.split(" %").next().unwrap().to_owned()
}

/// A set of one simulated heart.
fn one_case(folder: &Path, ef_percent: f64, truth: Truth) -> PathBuf {
    let set = CaseSet {
        format: FORMAT.into(),
        version: VERSION,
        name: String::new(),
        truth,
        truth_source: match truth {
            Truth::Exact => "simulated heart".into(),
            _ => "two readers".into(),
        },
        truth_error_points: if truth == Truth::Exact { 0.0 } else { 4.0 },
        ladders: vec![Ladder {
            ladder: "h0003".into(),
            quality: Quality::Good,
            rungs: vec![Rung {
                case: "a-case".into(),
                ef_percent,
                recipe: Recipe::Simulated { seed: 3 },
            }],
        }],
    };
    let path = folder.join("one.echocases");
    std::fs::write(&path, set.to_bytes()).unwrap();
    path
}

#[test]
fn twenty_cases_are_guessed_by_keys_alone() {
    let folder = folder();
    let mut window = window(folder.path(), Vec::new());
    enter(&mut window);
    for case in 1..=20 {
        until(&mut window, &format!("Practice, case {case} of 20"));
        until(&mut window, "What is the ejection fraction?");
        // No handle, no value, nothing to check; Enter does nothing.
        assert_eq!(numeric_value(&window), None);
        assert!(!can_check(&window));
        enter(&mut window);
        let before = said(&window);
        assert!(!before.contains("The truth"));
        type_guess(&mut window, 47);
        assert_eq!(numeric_value(&window), Some(47.0));
        step_until_seen(&mut window, "the heart", can_check);
        enter(&mut window);
        until(&mut window, "The truth");
        let truth = truth(&window);
        assert!(!before.contains(&truth), "{truth} in {before}");
        let told = said(&window);
        assert!(told.contains("simulated heart, exact"), "{told}");
        assert!(told.contains(&format!("This case: {truth} %")), "{told}");
        assert!(told.contains("Your guess as a heart: 47 %"), "{told}");
        enter(&mut window);
    }
    until(&mut window, "Practice: what it shows");
    let summary = said(&window);
    assert!(
        summary.contains("Limits of agreement") || summary.contains("Upper limit of agreement")
    );
    enter(&mut window);
    until(&mut window, "A heart plays");
    let profile = Profile::open(&folder.path().join("profiles"), "trainee 1").unwrap();
    assert_eq!(profile.answers().len(), 20);
    assert!(profile.answers().iter().all(|a| a.feedback && a.first));
}

#[test]
fn a_test_tells_nothing_before_its_end() {
    let folder = folder();
    let mut window = window(folder.path(), Vec::new());
    click(&mut window, "Test");
    for case in 1..=20 {
        until(&mut window, &format!("Test, case {case} of 20"));
        step_until_seen(&mut window, "the clip", |w| {
            w.query_by_label("Clip").is_some()
        });
        type_guess(&mut window, 52);
        step_until_seen(&mut window, "the heart", can_check);
        let text = said(&window);
        for word in ["truth", "Error", "points", "reduced.", "exact", "h0"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        enter(&mut window);
    }
    until(&mut window, "Test: what it shows");
    let profile = Profile::open(&folder.path().join("profiles"), "trainee 1").unwrap();
    assert_eq!(profile.answers().len(), 20);
    assert!(profile.answers().iter().all(|a| !a.feedback));
}

#[test]
fn borders_are_told_from_what_matters() {
    for (ef, guess, words, not) in [
        (40.0, 41, "At the border", "Clinically relevant"),
        (38.0, 52, "Clinically relevant", "At the border"),
        (49.99, 45, "Both mildly reduced.", "Clinically"),
        (50.0, 55, "Both preserved.", "Clinically"),
    ] {
        let folder = folder();
        let set = one_case(folder.path(), ef, Truth::Exact);
        let mut window = window(folder.path(), Vec::new());
        drop_file(&mut window, set);
        until(&mut window, "1 heart, 1 case");
        enter(&mut window);
        until(&mut window, "What is the ejection fraction?");
        answer(&mut window, guess);
        until(&mut window, "The truth");
        let said = said(&window);
        assert!(said.contains(words) && !said.contains(not), "{ef}: {said}");
    }
}

#[test]
fn another_truth_says_so() {
    let folder = folder();
    let set = one_case(folder.path(), 44.0, Truth::Labelled);
    let mut window = window(folder.path(), Vec::new());
    drop_file(&mut window, set);
    until(&mut window, "1 heart, 1 case");
    enter(&mut window);
    until(&mut window, "What is the ejection fraction?");
    answer(&mut window, 44);
    until(
        &mut window,
        "two readers, labelled, itself off by 4 points (SD)",
    );
}

#[test]
fn a_scale_is_clicked_and_stepped_and_odd_numbers_are_refused() {
    let folder = folder();
    let mut window = window(folder.path(), Vec::new());
    enter(&mut window);
    until(&mut window, "What is the ejection fraction?");
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    assert_eq!(numeric_value(&window), None, "an arrow is no first guess");
    let scale = window.get_by_role_and_label(Role::Slider, "Ejection fraction, percent");
    scale.click();
    window.run_steps(3);
    let middle = numeric_value(&window).unwrap();
    assert!((45.0..=50.0).contains(&middle), "{middle}");
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    assert_eq!(numeric_value(&window), Some(middle + 1.0));
    type_guess(&mut window, 99);
    until(&mut window, "A guess is 5 to 90 %.");
    assert!(!can_check(&window));
    // Leaving is asked once more; what was answered is kept.
    press(&mut window, Modifiers::NONE, Key::Escape);
    until(&mut window, "What was answered is kept.");
    press(&mut window, Modifiers::NONE, Key::Escape);
    until(&mut window, "Leave...");
}

#[test]
fn a_case_is_timed_while_it_is_on_screen() {
    let folder = folder();
    let mut window = window(folder.path(), Vec::new());
    enter(&mut window);
    until(&mut window, "What is the ejection fraction?");
    type_guess(&mut window, 40);
    step_until_seen(&mut window, "the heart", can_check);
    window.run_steps(30);
    // A quarter of an hour somewhere else.
    press(&mut window, Modifiers::COMMAND, Key::Num1);
    window.run_steps(54_000 / 60);
    press(&mut window, Modifiers::COMMAND, Key::Num2);
    answer(&mut window, 55);
    until(&mut window, "The truth");
    click(&mut window, "Leave...");
    click(&mut window, "Leave");
    until(&mut window, "what it shows");
    let profile = Profile::open(&folder.path().join("profiles"), "trainee 1").unwrap();
    let answer = &profile.answers()[0];
    assert!((0.3..8.0).contains(&answer.seconds), "{answer:?}");
    assert!(answer.loops < 12, "{answer:?}");
}

#[test]
fn small_windows_with_large_text_lose_nothing() {
    let folder = folder();
    let options = options(folder.path(), Vec::new());
    // 900 x 600 with text at 200 %.
    let mut window = Harness::builder()
        .with_size([450.0, 300.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| App::new(cc, options).expect("the worker starts"));
    press(&mut window, Modifiers::COMMAND, Key::Num2);
    until(&mut window, "Guess the EF");
    enter(&mut window);
    until(&mut window, "What is the ejection fraction?");
    step_until_seen(&mut window, "the clip", |w| {
        w.query_by_label("Clip").is_some()
    });
    let inside = |window: &Window, label: &str| {
        let rect = window.get_by_label(label).rect();
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(450.0, 300.0));
        assert!(screen.contains_rect(rect), "{label}: {rect:?}");
        rect
    };
    let clip = inside(&window, "Clip");
    assert!(clip.width() > 60.0, "{clip:?}");
    inside(&window, "Check");
    inside(&window, "Ejection fraction, percent");
}

#[test]
fn which_is_lower_goes_on_until_enough_is_known() {
    let folder = folder();
    let mut window = window(folder.path(), Vec::new());
    click(&mut window, "Which is lower?");
    until(&mut window, "The smallest difference in EF that you tell");
    enter(&mut window);
    let mut pairs = 0;
    while !said(&window).contains("pairs right") {
        pairs += 1;
        assert!(pairs <= 60);
        until(&mut window, &format!("Pair {pairs}\n"));
        step_until_seen(&mut window, "both hearts", |w| {
            !w.get_by_label("Left is lower")
                .accesskit_node()
                .is_disabled()
        });
        let before = said(&window);
        assert!(!before.contains("points."), "{before}");
        let key = if pairs % 2 == 0 {
            Key::ArrowLeft
        } else {
            Key::ArrowRight
        };
        press(&mut window, Modifiers::NONE, key);
        until(&mut window, "Press Enter for the next.");
        enter(&mut window);
    }
    assert!(pairs >= 30, "{pairs}");
    let profile = Profile::open(&folder.path().join("profiles"), "trainee 1").unwrap();
    assert_eq!(profile.compared().len(), pairs);
    let right = profile.compared().iter().filter(|c| c.right_answer).count();
    assert!(said(&window).contains(&format!("{right} of {pairs} pairs right")));
}
