//! Pictures of training's screens. As the other snapshots, with the feature `snapshots` only.

use crate::harness::drop_file;
use crate::shown::{LARGE, SMALL, Shown, Size};
use crate::training::options;
use dicom_core::chrono::NaiveDate;
use echoif::drill::case::Truth;
use echoif::drill::class::{Class, Feedback, Kind, Wanted};
use echoif::drill::profile::Profile;
use echoif::drill::result::ClassResult;
use echoif::drill::sampler::Source;
use echoif::phantom::Quality;
use echoif::ui::Options;
use egui::{Key, Modifiers, Theme};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What plays, and is sampled differently by renderers.
const MOVING: &[&str] = &[
    "Clip",
    "This case",
    "Lower: ",
    "Higher: ",
    "Your guess as",
    "Rung",
    "Left heart",
    "Right heart",
    "Volume over",
];
const PROJECTOR: Size = ([1920.0, 1080.0], "1920");

#[test]
fn training_dark() {
    screens(SMALL, Theme::Dark, "dark");
}

#[test]
fn training_light() {
    screens(SMALL, Theme::Light, "light");
}

#[test]
fn training_on_a_large_screen() {
    screens(LARGE, Theme::Dark, "dark");
}

#[test]
fn training_on_a_large_light_screen() {
    screens(LARGE, Theme::Light, "light");
}

/// Until all hearts on screen are drawn; then so far into the beat.
fn settle(shown: &mut Shown) {
    std::thread::sleep(Duration::from_millis(1200));
    shown.window.run_steps(30);
}

fn type_guess(shown: &mut Shown, guess: &str) {
    for digit in guess.chars() {
        shown.window.event(egui::Event::Text(digit.to_string()));
        shown.window.run_steps(2);
    }
}

fn screens(size: Size, theme: Theme, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    practised(folder.path());
    let options = Options {
        day: NaiveDate::from_ymd_opt(2026, 11, 26),
        ..options(folder.path(), Vec::new())
    };
    let mut shown = Shown::new("training", MOVING, options, folder.path(), size);
    shown.window.ctx.set_theme(theme);
    shown
        .window
        .key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    shown.window.run_steps(3);
    shown.until("built-in cascade");
    shown.until("Due today");
    shown.picture(&format!("guess_{text}"));
    shown.click("Progress");
    shown.until("Where the truth is exact");
    shown.picture(&format!("progress_{text}"));
    shown.click("Guess the EF");
    shown.key(Key::Enter);
    shown.until("case 1 of 20");
    // Before there is a clip to look at, a guess does not count.
    shown.until("Stop (Space)");
    settle(&mut shown);
    shown.picture(&format!("case_{text}"));
    type_guess(&mut shown, "45");
    shown.key(Key::Enter);
    shown.until("The truth");
    shown.key(Key::O);
    settle(&mut shown);
    shown.picture(&format!("feedback_{text}"));
    shown.key(Key::Enter);
    shown.click("Leave...");
    shown.click("Leave");
    shown.until("what it shows");
    shown.picture(&format!("summary_{text}"));
    shown.key(Key::Enter);

    shown.click("Which is lower?");
    shown.picture(&format!("lower_{text}"));
    shown.key(Key::Enter);
    // An answer counts once both hearts are on screen.
    let answered = |shown: &Shown| {
        let said = shown.said();
        said.iter()
            .any(|(t, _)| t.contains("Press Enter for the next."))
    };
    for _ in 0..60 {
        settle(&mut shown);
        shown.key(Key::ArrowLeft);
        if answered(&shown) {
            break;
        }
    }
    shown.until("Press Enter for the next.");
    shown.picture(&format!("pair_{text}"));
    shown.click("Leave...");
    shown.click("Leave");
    shown.until("pairs right");
    shown.key(Key::Enter);

    shown.click("Ladder");
    settle(&mut shown);
    shown.picture(&format!("ladder_{text}"));
    shown.click("Class");
    shown.picture(&format!("take_part_{text}"));
    shown.click("Make a class");
    shown.picture(&format!("make_class_{text}"));
    shown.click("Make a set");
    shown.picture(&format!("make_set_{text}"));
    shown.click("Results");
    shown.picture(&format!("results_empty_{text}"));
    for result in handed_in(folder.path()) {
        let name = result.file_name().unwrap().to_string_lossy().into_owned();
        drop_file(&mut shown.window, result);
        shown.until(&name);
    }
    shown.picture(&format!("results_{text}"));
}

#[test]
fn on_a_projector() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), Vec::new());
    let mut shown = Shown::new("training", MOVING, options, folder.path(), PROJECTOR);
    for result in handed_in(folder.path()) {
        let name = result.file_name().unwrap().to_string_lossy().into_owned();
        drop_file(&mut shown.window, result);
        shown.until(&name);
    }
    shown.click("Projector");
    settle(&mut shown);
    shown.picture("projector_asked");
    shown.key(Key::R);
    shown.picture("projector_revealed");
}

/// A profile with three sessions of practice and one of tests, the last of them some days ago.
fn practised(folder: &Path) {
    use echoif::drill::profile::{Given, Mode};
    let mut profile = Profile::open(&folder.join("profiles"), "trainee 1").unwrap();
    let source = Source::built_in(Quality::Good);
    let cases = echoif::drill::sampler::Sampler::even(source.clone(), 11);
    let days = ["2026-11-02", "2026-11-09", "2026-11-16", "2026-11-17"];
    for (i, case) in cases.take(48).enumerate() {
        let session = i / 12;
        // Read towards the middle, less so each time.
        let pull = [0.4, 0.25, 0.15, 0.15][session];
        let wobble = f64::from((i * 7 % 11) as u32) - 5.0;
        let guess = case.ef_percent + pull * (50.0 - case.ef_percent) + wobble;
        let mode = if session == 3 {
            Mode::Test
        } else {
            Mode::Practice
        };
        let given = Given {
            case: &case,
            truth: Truth::Exact,
            set_sha256: &source.sha256(),
            guess_percent: guess.round().clamp(5.0, 90.0) as u32,
            seconds: 5.0,
            loops: 4,
            mode,
            feedback: mode == Mode::Practice,
            utc: &format!("{}T07:{:02}:00.000Z", days[session], i % 12),
        };
        profile.answer(&given).unwrap();
    }
}

/// Results of five trainees in one class.
fn handed_in(folder: &Path) -> Vec<PathBuf> {
    let class = Class::new(Wanted {
        name: "Tuesday".into(),
        source: Source::built_in(Quality::Good),
        seed: 7,
        cases: 12,
        shares: [1.0; 5],
        kind: Kind::Guess,
        feedback: Feedback::AtEnd,
        time_limit_s: None,
    })
    .unwrap();
    let result = |i: usize| {
        let mut result = ClassResult::new(&class, &format!("T{}", i + 1));
        for (c, answer) in result.answers.iter_mut().enumerate() {
            let wobble = f64::from(((i * 5 + c * 7) % 13) as u32) - 6.0;
            let guess = answer.ef_percent + 0.2 * (50.0 - answer.ef_percent) + 1.5 * wobble;
            answer.guess_percent = Some(guess.round().clamp(5.0, 90.0) as u32);
            answer.seconds = 6.0;
        }
        let path = folder.join(format!("T{}-tuesday.echoresult", i + 1));
        std::fs::write(&path, result.to_bytes()).unwrap();
        path
    };
    (0..5).map(result).collect()
}
