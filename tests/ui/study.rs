//! A reader study in the window: read by the keyboard alone, interrupted, and gone on with.

use crate::common::clips::{Drawn, USUAL, draw};
use crate::harness::{Window, press, step_until_seen};
use echoif::engine::DeviceChoice;
use echoif::study::assemble::{Assembled, Order, assemble};
use echoif::study::design::Wanted;
use echoif::study::key::Class;
use echoif::study::log;
use echoif::study::plan::{Answering, Sitting};
use echoif::study::prepare::Wishes;
use echoif::study::record::{Answer, Input, What};
use echoif::study::seal::Kdf;
use echoif::study::secret::Secret;
use echoif::study::sources;
use echoif::ui::{App, Options, Picker, Purpose, Reading, Settings, StudyFile};
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// Small and short, so that much of a session fits into a test.
pub const SMALL: Drawn = Drawn {
    frames: 12,
    ..USUAL
};
pub const COUNTS: [usize; 3] = [6, 3, 3];

/// Folders with clips of each class.
pub fn clips(counts: [usize; 3]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut which = 0;
    for (class, n) in Class::ALL.iter().zip(counts) {
        let of = folder.path().join(class.name());
        std::fs::create_dir(&of).unwrap();
        for _ in 0..n {
            draw(&of.join(format!("patient_{which}.gif")), which, SMALL);
            which += 1;
        }
    }
    folder
}

/// A study of twelve clips in blocks of five, made by hand.
pub fn study(folder: &Path) -> Assembled {
    let listed = |class: &Class| sources::folder(&folder.join(class.name()), *class).unwrap();
    let usual = Wanted::usual("EchoIf of a test");
    let order = Order {
        listed: Class::ALL.iter().flat_map(listed).collect(),
        wishes: Wishes::default(),
        wanted: Wanted {
            readers: 2,
            trials: 12,
            practice: 1,
            session: Sitting {
                block: 5,
                break_s: 2,
                ..usual.session
            },
            answer: Answering {
                min_view_ms: 300,
                ..usual.answer
            },
            ..usual
        },
        secret: Secret::new([7; 32]),
        passphrase: None,
        kdf: Kdf::quick(),
        out: folder.join("out"),
        name: "study".into(),
        created_utc: "2026-11-26T07:00:00.000Z".into(),
    };
    assemble(order, &mut |_, _| true).unwrap()
}

/// All readers of a study read it, by a script that is right three times in four.
#[cfg(feature = "snapshots")]
pub fn read_all(made: &Assembled) {
    use echoif::study::{given, record::PresentedBy, script, session::Start, stamp::Stamp};
    let key = given::key(&made.key, None).unwrap().key;
    for (place, reading) in made.plan.readers.iter().enumerate() {
        let row = |trial: &echoif::study::plan::Trial| {
            let truth = key.clips.iter().find(|c| c.clip == trial.clip);
            let is_fake = truth.is_some_and(|c| c.class.is_fake());
            let says_fake = is_fake != (trial.trial + place).is_multiple_of(4);
            let answer = if says_fake { "fake" } else { "real" };
            format!(
                "{},{answer},{},{}\n",
                trial.trial,
                1 + trial.trial % 5,
                900 * trial.trial
            )
        };
        let rows: String = reading.trials.iter().map(row).collect();
        let answers = format!("trial,answer,confidence,rt_ms\n{rows}");
        let answers = script::Script::parse(answers.as_bytes()).unwrap();
        let log = log::beside(&made.bundle, &reading.reader);
        let start = Start {
            log: &log,
            by: PresentedBy::Script,
            program: "EchoIf of a test",
            at: Stamp {
                utc_ms: 1_795_676_400_000,
                mono_ms: 0.0,
            },
        };
        script::run(&answers, &made.plan.clone().into(), place, start, || ()).unwrap();
    }
}

/// Answers for each file that a study's screens ask for.
struct Files(Vec<(StudyFile, PathBuf)>);

impl Picker for Files {
    fn pick(&self, purpose: Purpose) -> Option<PathBuf> {
        let Purpose::Study(wanted) = purpose else {
            return None;
        };
        // A dialog that is closed at once is taken for none.
        std::thread::sleep(std::time::Duration::from_millis(2));
        let found = self.0.iter().find(|(file, _)| *file == wanted);
        found.map(|(_, path)| path.clone())
    }
}

pub fn options(study: Option<Reading>, files: Vec<(StudyFile, PathBuf)>) -> Options {
    Options {
        study,
        device: DeviceChoice::Cpu,
        picker: Arc::new(Files(files)),
        settings: Some(Settings {
            welcomed: true,
            ..Settings::default()
        }),
        ..Options::default()
    }
}

pub fn window(study: Option<Reading>, files: Vec<(StudyFile, PathBuf)>) -> Window {
    Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| App::new(cc, options(study, files)).expect("the worker starts"))
}

pub fn reading(made: &Assembled, reader: usize) -> Reading {
    Reading {
        bundle: made.bundle.clone(),
        code: Some(made.readers[reader].code.clone()),
        log: None,
    }
}

/// Everything that is said on screen, to whoever sees and whoever hears.
pub fn said(window: &Window) -> String {
    fn walk(node: &egui_kittest::Node<'_>, all: &mut String) {
        let node_ = node.accesskit_node();
        for text in [node_.label(), node_.value()].into_iter().flatten() {
            all.push_str(&text);
            all.push('\n');
        }
        for child in node.children() {
            walk(&child, all);
        }
    }
    let mut all = String::new();
    walk(&window.root(), &mut all);
    all
}

/// No screen of a session tells what a clip is, whose, or how the reader does.
fn tells_nothing(window: &Window) {
    let said = said(window);
    for word in [
        "factual",
        "patient",
        "EF ",
        "ejection",
        "eject",
        "right answer",
        "wrong",
        "correct",
        "score",
        ".gif",
    ] {
        // Only the instruction speaks of right answers: that readers are not told.
        let told = said.to_lowercase().contains(&word.to_lowercase());
        assert!(!told, "{word:?} in {said}");
    }
}

pub fn has(window: &Window, text: &str) -> bool {
    said(window).contains(text)
}

fn has_clip(window: &Window) -> bool {
    window.query_by_label("Clip").is_some()
}

pub fn until(window: &mut Window, text: &str) {
    step_until_seen(window, text, |w| has(w, text));
}

pub fn key(window: &mut Window, key: Key) {
    press(window, Modifiers::NONE, key);
}

/// From the instruction to the first screen that waits for a trial, by the keyboard alone.
pub fn up_to_ready(window: &mut Window) {
    until(window, "You will be shown");
    key(window, Key::Enter);
    until(window, "Do you agree");
    tells_nothing(window);
    key(window, Key::Enter);
    until(window, "About you");
    tells_nothing(window);
    key(window, Key::Enter);
    until(window, "Your display");
    tells_nothing(window);
    // Not before the display's period is known.
    key(window, Key::Enter);
    assert!(has(window, "Your display"));
    window.run_steps(130);
    key(window, Key::Enter);
    until(window, "Ready");
    tells_nothing(window);
}

/// Waits for the next clip, and until answers are taken.
fn clip_on_screen(window: &mut Window) {
    step_until_seen(window, "clip", has_clip);
    window.run_steps(25);
    tells_nothing(window);
}

fn log_of(made: &Assembled, reader: &str) -> log::ReadLog {
    let path = log::beside(&made.bundle, reader);
    let log = log::read(&std::fs::read(path).unwrap(), &made.plan, 0);
    assert_eq!(log.problems, []);
    log
}

#[test]
fn a_reader_needs_no_pointer_from_consent_to_the_last_trial() {
    let folder = clips(COUNTS);
    let made = study(folder.path());
    let mut window = window(Some(reading(&made, 0)), Vec::new());
    up_to_ready(&mut window);
    key(&mut window, Key::Enter);
    for trial in 1..=13 {
        clip_on_screen(&mut window);
        assert_eq!(has(&window, "Practice"), trial == 1);
        let answer = match trial % 4 {
            0 => Key::R,
            1 => Key::F,
            2 => Key::ArrowLeft,
            _ => Key::ArrowRight,
        };
        key(&mut window, answer);
        assert!(has(&window, "How sure are you?"), "{}", said(&window));
        tells_nothing(&window);
        assert!(!has_clip(&window));
        key(&mut window, Key::Num2);
        // Practice is over, and so is a block.
        if trial == 1 {
            until(&mut window, "Ready");
            key(&mut window, Key::Enter);
        } else if trial == 6 || trial == 11 {
            until(&mut window, "Break");
            tells_nothing(&window);
            key(&mut window, Key::Enter);
            assert!(has(&window, "Break"), "it is not over yet");
            until(&mut window, "Go on when you like.");
            key(&mut window, Key::Enter);
        }
    }
    until(&mut window, "Done");
    tells_nothing(&window);
    let log = log_of(&made, "R1");
    assert!(log.complete && log.answered() == 13, "{log:?}");
    let receipt = log.receipt().unwrap();
    assert!(has(&window, &receipt), "{}", said(&window));
    let answers: Vec<_> = log.answers.iter().flatten().collect();
    assert!(
        answers
            .iter()
            .all(|a| a.confidence == Some(2) && a.attempt == 1)
    );
    assert_eq!(answers[0].answer, Some(Answer::Fake));
    assert_eq!(answers[3].answer, Some(Answer::Real));
    // From the first pass with the clip: 25 passes and the few between.
    assert!(
        answers.iter().all(|a| (400.0..700.0).contains(&a.rt_ms)),
        "{answers:?}"
    );
    let keys = |line: &What| {
        matches!(
            line,
            What::Answer {
                input: Input::Key,
                ..
            }
        )
    };
    let lines = log.lines.iter().map(|(_, line)| &line.what);
    assert_eq!(lines.filter(|w| keys(w)).count(), 13);
    // Back to the door, with nobody's code.
    key(&mut window, Key::Enter);
    until(&mut window, "Your code");
    assert!(!said(&window).contains(&made.readers[0].code));
}

#[test]
fn a_held_key_answers_once_and_escape_pauses() {
    let folder = clips(COUNTS);
    let made = study(folder.path());
    let mut window = window(Some(reading(&made, 1)), Vec::new());
    up_to_ready(&mut window);
    key(&mut window, Key::Enter);
    clip_on_screen(&mut window);
    let hold = |window: &mut Window, pressed| {
        window.event(egui::Event::Key {
            key: Key::R,
            physical_key: None,
            pressed,
            repeat: false,
            modifiers: Modifiers::NONE,
        });
        window.step();
    };
    hold(&mut window, true);
    hold(&mut window, true);
    assert!(has(&window, "You said: Real"));
    window.key_down(Key::Num5);
    window.step();
    until(&mut window, "Ready");
    key(&mut window, Key::Enter);
    clip_on_screen(&mut window);
    // R is still down.
    for _ in 0..30 {
        hold(&mut window, true);
    }
    assert!(has_clip(&window), "{}", said(&window));
    hold(&mut window, false);
    // Escape pauses; what was on screen is shown again.
    key(&mut window, Key::Escape);
    until(&mut window, "Paused");
    tells_nothing(&window);
    key(&mut window, Key::Enter);
    clip_on_screen(&mut window);
    hold(&mut window, true);
    hold(&mut window, false);
    // The key that said how sure is still down, too.
    window.key_down(Key::Num5);
    window.step();
    assert!(has(&window, "How sure are you?"));
    window.key_up(Key::Num5);
    window.step();
    key(&mut window, Key::Num5);
    clip_on_screen(&mut window);

    // The window is closed in a trial, and another goes on with it.
    eframe::App::on_exit(window.state_mut());
    drop(window);
    let log = log_of(&made, "R2");
    assert_eq!((log.answered(), log.complete), (2, false));
    assert_eq!(log.answers[1].as_ref().map(|a| a.attempt), Some(2));
    let mut window = self::window(Some(reading(&made, 1)), Vec::new());
    until(&mut window, "Welcome back");
    tells_nothing(&window);
    key(&mut window, Key::Enter);
    until(&mut window, "Your display");
    window.run_steps(130);
    key(&mut window, Key::Enter);
    until(&mut window, "Ready");
    key(&mut window, Key::Enter);
    clip_on_screen(&mut window);
    key(&mut window, Key::F);
    key(&mut window, Key::Num1);
    window.run_steps(3);
    let log = log_of(&made, "R2");
    assert_eq!(log.answered(), 3);
    assert_eq!(log.answers[2].as_ref().map(|a| a.attempt), Some(2));
    assert_eq!(log.runs.len(), 2);
    // By the pointer, too; and who leaves is asked twice.
    clip_on_screen(&mut window);
    window.get_by_label_contains("Real  (").click();
    window.run_steps(2);
    window.get_by_label_contains("3  fairly sure").click();
    window.run_steps(2);
    key(&mut window, Key::Escape);
    until(&mut window, "Paused");
    window.get_by_label("Leave the study...").click();
    window.run_steps(3);
    window.get_by_label("Stay").click();
    window.run_steps(3);
    assert!(has(&window, "Paused"));
    window.get_by_label("Leave the study...").click();
    window.run_steps(3);
    window.get_by_label("Leave").click();
    window.run_steps(3);
    until(&mut window, "You have left the study");
    let log = log_of(&made, "R2");
    assert!(log.withdrawn && log.answered() == 4);
}

#[test]
fn a_session_comes_to_the_front_and_fits_a_small_window_with_large_text() {
    let folder = clips(COUNTS);
    let made = study(folder.path());
    let mut window = Harness::builder()
        .with_size([450.0, 300.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| {
            let options = options(Some(reading(&made, 0)), Vec::new());
            App::new(cc, options).expect("the worker starts")
        });
    // While the bundle is opened, the user goes elsewhere.
    window.step();
    press(&mut window, Modifiers::COMMAND, Key::Num1);
    until(&mut window, "You will be shown");
    let inside = |window: &Window, label: &str| {
        let rect = window.get_by_label_contains(label).rect();
        let room = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(450.0, 300.0));
        assert!(room.contains_rect(rect), "{label}: {rect:?}");
    };
    key(&mut window, Key::Enter);
    until(&mut window, "Do you agree");
    // What is below is reached by keys, and seen then.
    for _ in 0..2 {
        key(&mut window, Key::Tab);
    }
    window.run_steps(60);
    inside(&window, "I do not agree");
    key(&mut window, Key::Tab);
    window.run_steps(60);
    key(&mut window, Key::Escape);
    until(&mut window, "Your code");
    drop(window);

    let mut window = Harness::builder()
        .with_size([450.0, 300.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| {
            let options = options(Some(reading(&made, 1)), Vec::new());
            App::new(cc, options).expect("the worker starts")
        });
    up_to_ready(&mut window);
    key(&mut window, Key::Enter);
    clip_on_screen(&mut window);
    for label in ["Clip", "Real  (", "Fake  ("] {
        inside(&window, label);
    }
    key(&mut window, Key::R);
    for label in ["1  a guess", "5  certain"] {
        inside(&window, label);
    }
}
