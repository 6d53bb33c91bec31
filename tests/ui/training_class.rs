//! Classes, the wall and sets of cases in the training window.

use crate::harness::{drop_file, press, step_until_seen};
use crate::study::said;
use crate::training::{answer, click, enter, folder, until, window};
use echoif::drill::case::Truth;
use echoif::drill::class::{Class, Feedback, Kind, Wanted};
use echoif::drill::make::Made;
use echoif::drill::profile::Profile;
use echoif::drill::result::ClassResult;
use echoif::drill::sampler::Source;
use echoif::drill::set::CaseSet;
use echoif::phantom::Quality;
use echoif::ui::TrainingFile;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use std::path::{Path, PathBuf};

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
    let (_, another) = class_of(folder.path(), 8);
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
    let of_another = of_another_cascade(&out, &kept.0);
    click(&mut window, "Make the set");
    step_until_seen(&mut window, "all clips", |w| {
        clips() == 24 && w.query_by_label("Make the set").is_some()
    });
    until(&mut window, "2 hearts");
    let first = std::fs::metadata(&kept.0).unwrap().modified().unwrap();
    assert_eq!(first, kept.1, "what was there is not made again");
    let cascade = |path: &Path| Made::of(path).unwrap().cascade_sha256;
    assert_eq!(
        cascade(&of_another),
        cascade(&kept.0),
        "but another cascade's is"
    );

    let path = out.join("generated.echocases");
    let set = CaseSet::parse(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!((set.truth, set.ladders.len()), (Truth::Measured, 2));
    assert!(set.cases().count() >= 16, "{}", set.cases().count());
    assert!(set.truth_error_points > 0.0 && set.truth_error_points < 15.0);
    let text = String::from_utf8(set.to_bytes()).unwrap();
    assert!(!text.contains("Erika") && !text.contains("a4c_"), "{text}");

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

/// Makes a clip of a folder, not the one that is kept, say in its mark that another cascade made it.
fn of_another_cascade(folder: &Path, kept: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path());
    let path = entries
        .find(|p| p != kept && p.extension().is_some_and(|e| e == "gif"))
        .unwrap();
    let (own, another) = (Made::of(&path).unwrap().cascade_sha256, "0".repeat(64));
    let mut bytes = std::fs::read(&path).unwrap();
    let at: Vec<usize> = (0..bytes.len() - own.len())
        .filter(|i| bytes[*i..].starts_with(own.as_bytes()))
        .collect();
    for i in at {
        bytes[i..i + another.len()].copy_from_slice(another.as_bytes());
    }
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(Made::of(&path).unwrap().cascade_sha256, another);
    path
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
