//! Training in the window, through its accessible tree and by the keyboard alone.

use crate::harness::{Window, drop_file, press, step_until_seen};
use crate::study::said;
use echoif::drill::case::{Ladder, Recipe, Rung, Truth};
use echoif::drill::class::{Class, Feedback, Kind, Wanted};
use echoif::drill::profile::Profile;
use echoif::drill::result::ClassResult;
use echoif::drill::sampler::Source;
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

fn window(folder: &Path, files: Vec<(TrainingFile, PathBuf)>) -> Window {
    let options = options(folder, files);
    let mut window = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| App::new(cc, options).expect("the worker starts"));
    press(&mut window, Modifiers::COMMAND, Key::Num2);
    until(&mut window, "Guess the EF");
    window
}

/// A profile with three sessions of practice and one of tests, the last of them some days ago.
#[cfg(feature = "snapshots")]
pub fn practised(folder: &Path) {
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
#[cfg(feature = "snapshots")]
pub fn handed_in(folder: &Path) -> Vec<PathBuf> {
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

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn until(window: &mut Window, text: &str) {
    step_until_seen(window, text, |w| said(w).contains(text));
}

fn enter(window: &mut Window) {
    press(window, Modifiers::NONE, Key::Enter);
}

fn type_guess(window: &mut Window, guess: u32) {
    for digit in format!("{guess:02}").chars() {
        window.event(egui::Event::Text(digit.to_string()));
        window.step();
    }
}

/// Types a guess and gives it, once the heart is there to be seen.
fn answer(window: &mut Window, guess: u32) {
    type_guess(window, guess);
    step_until_seen(window, "the heart", can_check);
    enter(window);
}

fn click(window: &mut Window, label: &str) {
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

/// A class of three cases in a file.
fn class(folder: &Path, kind: Kind, feedback: Feedback) -> (PathBuf, Class) {
    let class = Class::new(Wanted {
        name: "Tuesday".into(),
        source: Source::built_in(Quality::Good),
        seed: 7,
        cases: 3,
        shares: [1.0; 5],
        kind,
        feedback,
        time_limit_s: None,
    });
    let (path, class) = (folder.join("tuesday.echoclass"), class.unwrap());
    std::fs::write(&path, class.to_bytes()).unwrap();
    (path, class)
}

#[test]
fn a_class_is_read_handed_in_and_looked_at_on_the_wall() {
    let folder = folder();
    let (path, class) = class(folder.path(), Kind::Guess, Feedback::AtEnd);
    let mut window = window(folder.path(), Vec::new());
    drop_file(&mut window, path);
    until(
        &mut window,
        "Tuesday: 3 cases to guess the EF of, feedback at the end",
    );
    click(&mut window, "Begin");
    for case in 1..=3 {
        until(&mut window, &format!("Class, case {case} of 3"));
        step_until_seen(&mut window, "the clip", |w| {
            w.query_by_label("Clip").is_some()
        });
        assert!(!said(&window).contains("The truth"));
        answer(&mut window, 60);
    }
    until(&mut window, "Your result, to be handed in");
    let handed = folder.path().join("trainee 1-tuesday.echoresult");
    let result = ClassResult::parse(&std::fs::read(&handed).unwrap()).unwrap();
    assert!(result.answers.iter().all(|a| a.guess_percent == Some(60)));

    // Another trainee's, by hand.
    let mut other = ClassResult::new(&class, "B");
    for answer in &mut other.answers {
        answer.guess_percent = Some(answer.ef_percent.round() as u32);
    }
    let second = folder.path().join("B-tuesday.echoresult");
    std::fs::write(&second, other.to_bytes()).unwrap();
    enter(&mut window);
    drop_file(&mut window, handed.clone());
    until(&mut window, "By trainee");
    drop_file(&mut window, second.clone());
    until(&mut window, "B-tuesday.echoresult");
    let text = said(&window);
    assert!(
        text.contains("trainee 1\n") && text.contains("By case"),
        "{text}"
    );
    click(&mut window, "Hide aliases");
    let hidden = said(&window);
    assert!(
        hidden.contains("Trainee 2") && !hidden.contains("\nB\n"),
        "{hidden}"
    );
    assert!(
        !hidden.contains("B-tuesday") && hidden.contains("Result 2"),
        "{hidden}"
    );
    click(&mut window, "Hide aliases");
    // What is taken away is in no table; the same file twice is one; of another class it is refused.
    click(&mut window, "Remove B-tuesday.echoresult");
    let one = said(&window);
    assert!(!one.contains("\nB\n"), "{one}");
    drop_file(&mut window, handed);
    drop_file(&mut window, second);
    until(&mut window, "B-tuesday.echoresult");
    let (_, another) = crate::training::class_of(folder.path(), 8);
    let foreign = folder.path().join("C.echoresult");
    std::fs::write(&foreign, ClassResult::new(&another, "C").to_bytes()).unwrap();
    drop_file(&mut window, foreign);
    until(&mut window, "it is of another class than the others");

    click(&mut window, "Projector");
    until(&mut window, "What is the EF?");
    let asked = said(&window);
    for answer in &class.list() {
        let ef = format!("{:.1} %", answer.ef_percent);
        assert!(!asked.contains(&ef), "{ef} in {asked}");
    }
    press(&mut window, Modifiers::NONE, Key::R);
    until(&mut window, "2 guesses");
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    until(&mut window, "Case 2 of 3");
    until(&mut window, "What is the EF?");
    press(&mut window, Modifiers::NONE, Key::Escape);
    until(&mut window, "Results of a class");
}

/// A class of another seed.
fn class_of(folder: &Path, seed: u64) -> (PathBuf, Class) {
    let class = Class::new(Wanted {
        name: String::new(),
        source: Source::built_in(Quality::Good),
        seed,
        cases: 3,
        shares: [1.0; 5],
        kind: Kind::Guess,
        feedback: Feedback::AfterEach,
        time_limit_s: None,
    });
    (folder.join("other.echoclass"), class.unwrap())
}

#[test]
fn a_class_is_made_and_saved() {
    let folder = folder();
    let path = folder.path().join("made.echoclass");
    let mut window = window(folder.path(), vec![(TrainingFile::ClassOut, path.clone())]);
    click(&mut window, "Class");
    click(&mut window, "Make a class");
    click(&mut window, "at the end");
    click(&mut window, "Save...");
    until(&mut window, "Make a class");
    step_until_seen(&mut window, "the class", |w| {
        said(w).contains("Take part in a class") || path.is_file()
    });
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() < 2048, "{}", bytes.len());
    let class = Class::parse(&bytes).unwrap();
    assert_eq!((class.cases, class.feedback), (20, Feedback::AtEnd));
}

#[test]
fn a_profile_that_another_program_has_is_a_sentence_and_a_deleted_one_is_gone() {
    let folder = folder();
    let profiles = folder.path().join("profiles");
    let held = Profile::open(&profiles, "trainee 1").unwrap();
    let mut window = window(folder.path(), Vec::new());
    enter(&mut window);
    until(&mut window, "Another program has this profile open");
    drop(held);
    enter(&mut window);
    until(&mut window, "What is the ejection fraction?");
    answer(&mut window, 30);
    until(&mut window, "The truth");
    click(&mut window, "Leave...");
    click(&mut window, "Leave");
    until(&mut window, "what it shows");
    enter(&mut window);
    click(&mut window, "Progress");
    until(&mut window, "Where the truth is exact");
    click(&mut window, "Delete...");
    click(&mut window, "Delete it");
    until(&mut window, "This profile has answered nothing yet.");
    assert_eq!(std::fs::read_dir(&profiles).unwrap().count(), 0);
}

#[test]
fn a_set_is_made_in_the_background_and_drilled_with() {
    let folder = folder();
    let frames = folder.path().join("frames of Erika Mustermann");
    std::fs::create_dir(&frames).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["a4c_1.png", "a4c_2.png"] {
        std::fs::copy(root.join("assets").join(name), frames.join(name)).unwrap();
    }
    std::fs::write(frames.join("notes.txt"), "no frame").unwrap();
    let out = folder.path().join("made");
    let files = vec![
        (TrainingFile::Frames, frames),
        (TrainingFile::Made, out.clone()),
    ];
    let mut window = window(folder.path(), files);
    until(&mut window, "built-in cascade");
    click(&mut window, "Class");
    click(&mut window, "Make a set");
    click(&mut window, "Frames: choose");
    until(&mut window, "frames of Erika");
    click(&mut window, "Folder for the set: choose");
    step_until_seen(&mut window, "the folder", |w| {
        w.query_by_label("Folder for the set: remove").is_some()
    });
    click(&mut window, "Make the set");
    let clips = || match std::fs::read_dir(&out) {
        Ok(entries) => entries
            .filter(|e| {
                e.as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|e| e == "gif")
            })
            .count(),
        Err(_) => 0,
    };
    // Stopped on the way, it keeps what it has.
    step_until_seen(&mut window, "some clips", |_| clips() >= 3);
    click(&mut window, "Cancel");
    step_until_seen(&mut window, "the end", |w| {
        w.query_by_label("Make the set").is_some()
    });
    let (before, kept) = (clips(), newest(&out));
    assert!(before < 24, "{before}");
    click(&mut window, "Make the set");
    step_until_seen(&mut window, "all clips", |w| {
        clips() == 24 && w.query_by_label("Make the set").is_some()
    });
    until(&mut window, "2 hearts");
    let first = std::fs::metadata(&kept.0).unwrap().modified().unwrap();
    assert_eq!(first, kept.1, "what was there is not made again");

    let path = out.join("generated.echocases");
    let set = CaseSet::parse(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!((set.truth, set.ladders.len()), (Truth::Measured, 2));
    assert!(set.cases().count() >= 16, "{}", set.cases().count());
    assert!(set.truth_error_points > 0.0 && set.truth_error_points < 15.0);
    let text = String::from_utf8(set.to_bytes()).unwrap();
    assert!(!text.contains("Erika") && !text.contains("a4c"), "{text}");

    drop_file(&mut window, path);
    until(&mut window, "A heart plays");
    until(&mut window, "cases; outline of built-in cascade");
    enter(&mut window);
    until(&mut window, "What is the ejection fraction?");
    step_until_seen(&mut window, "the clip", |w| {
        w.query_by_label("Clip").is_some()
    });
    answer(&mut window, 50);
    until(&mut window, "outline of built-in cascade, measured");
    until(&mut window, "Outline and volume (O)");
}

/// A clip of a folder, and when it was written.
fn newest(folder: &Path) -> (PathBuf, std::time::SystemTime) {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path());
    let gif = entries.filter(|p| p.extension().is_some_and(|e| e == "gif"));
    let dated = gif.map(|p| {
        (
            p.clone(),
            std::fs::metadata(&p).unwrap().modified().unwrap(),
        )
    });
    dated.max_by_key(|(_, at)| *at).unwrap()
}
