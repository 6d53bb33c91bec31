use super::*;
use crate::drill::case::Recipe;
use crate::drill::lower::{Pair, Side};
use std::collections::BTreeSet;

fn case(name: &str, ef_percent: f64) -> Case {
    Case {
        case: name.into(),
        ladder: "h0001".into(),
        quality: Quality::Good,
        ef_percent,
        recipe: Recipe::Simulated { seed: 1 },
    }
}

fn given<'a>(case: &'a Case, guess_percent: u32, seconds: f64) -> Given<'a> {
    Given {
        case,
        truth: Truth::Exact,
        set_sha256: "ab",
        guess_percent,
        seconds,
        loops: 3,
        mode: Mode::Practice,
        feedback: true,
        utc: "2026-11-26T07:00:00.000Z",
    }
}

#[test]
fn answers_are_kept_and_graded() {
    let folder = tempfile::tempdir().unwrap();
    let mut profile = Profile::open(folder.path(), "trainee 1").unwrap();
    let (a, b) = (case("a", 38.0), case("b", 60.0));
    let grades: Vec<(Grade, bool)> = [(&a, 35, 9.0), (&b, 67, 4.0), (&a, 39, 5.0), (&a, 52, 5.0)]
        .map(|(case, guess, seconds)| {
            let answer = profile.answer(&given(case, guess, seconds)).unwrap();
            (answer.grade, answer.first)
        })
        .to_vec();
    let wanted = [
        (Grade::Good, true),
        (Grade::Hard, true),
        (Grade::Easy, false),
        (Grade::Again, false),
    ];
    assert_eq!(grades, wanted);
    assert!(matches!(
        Profile::open(folder.path(), "trainee 1"),
        Err(ProfileError::Locked)
    ));
    assert!(matches!(
        delete(folder.path(), "trainee 1"),
        Err(ProfileError::Locked)
    ));
    let before = profile.answers().to_vec();
    drop(profile);
    let again = Profile::open(folder.path(), "trainee 1").unwrap();
    assert_eq!((again.answers(), again.was_torn()), (&before[..], false));
    assert_eq!(again.seen().len(), 2);
}

fn pair(points: f64, lower: Side) -> Pair {
    let (low, high) = (case("h0007-380", 38.0), case("h0007-420", 38.0 + points));
    let (left, right) = match lower {
        Side::Left => (low, high),
        Side::Right => (high, low),
    };
    Pair {
        left,
        right,
        points,
        lower,
    }
}

fn trial<'a>(pair: &'a Pair, said: Side, run: &'a str) -> Trial<'a> {
    Trial {
        pair,
        said,
        truth: Truth::Exact,
        set_sha256: "ab",
        run,
        seconds: 2.1,
        utc: "2026-11-26T07:00:00.000Z",
    }
}

#[test]
fn trials_of_which_is_lower_are_kept_beside_the_answers() {
    let folder = tempfile::tempdir().unwrap();
    let mut profile = Profile::open(folder.path(), "x").unwrap();
    let (a, pair) = (case("a", 38.0), pair(4.0, Side::Left));
    profile.answer(&given(&a, 40, 2.0)).unwrap();
    for said in [Side::Left, Side::Right] {
        profile.compare(&trial(&pair, said, "ef")).unwrap();
    }
    profile.answer(&given(&a, 41, 2.0)).unwrap();
    let compared = profile.compared().to_vec();
    let right: Vec<bool> = compared.iter().map(|c| c.right_answer).collect();
    assert_eq!(right, [true, false]);
    // Of a pair both were seen.
    assert_eq!((profile.seen().len(), profile.median_s()), (3, Some(2.0)));
    let right = profile.answer(&given(&pair.right, 41, 2.0)).unwrap();
    assert!(!right.first);
    let answers = profile.answers().to_vec();
    drop(profile);
    let listed = &list(folder.path()).unwrap()[0];
    assert_eq!(listed.answers, 3);
    let text = std::fs::read_to_string(&listed.path).unwrap();
    let line = r#"{"kind":"lower","utc":"2026-11-26T07:00:00.000Z","set":"ab","run":"ef","left":"h0007-380","right":"h0007-420","truth":"exact","quality":"good","points":4.0,"right_answer":true,"seconds":2.1,"different_hearts":false}"#;
    assert_eq!(text.lines().nth(2), Some(line));
    let again = Profile::open(folder.path(), "x").unwrap();
    assert_eq!(
        (again.answers(), again.compared()),
        (&answers[..], &compared[..])
    );
}

fn shown(cases: &[&str], seconds: Option<f64>) -> Shown {
    Shown {
        utc: "2026-11-26T07:00:00.000Z".into(),
        set: "ab".into(),
        cases: cases.iter().map(|c| (*c).to_owned()).collect(),
        mode: Mode::Practice,
        seconds,
    }
}

#[test]
fn what_was_shown_is_never_unseen_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut profile = Profile::open(folder.path(), "x").unwrap();
    profile.show(shown(&["h0007-380"], Some(30.0))).unwrap();
    profile.show(shown(&["b", "c"], None)).unwrap();
    drop(profile);
    let text = std::fs::read_to_string(&list(folder.path()).unwrap()[0].path).unwrap();
    let lines = [
        r#"{"kind":"shown","utc":"2026-11-26T07:00:00.000Z","set":"ab","cases":["h0007-380"],"mode":"practice","seconds":30.0}"#,
        r#"{"kind":"shown","utc":"2026-11-26T07:00:00.000Z","set":"ab","cases":["b","c"],"mode":"practice"}"#,
    ];
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), lines);
    let mut profile = Profile::open(folder.path(), "x").unwrap();
    assert_eq!(profile.shown().len(), 2);
    assert_eq!(profile.seen(), BTreeSet::from(["h0007-380", "b", "c"]));
    assert_eq!(
        profile.passed("ab").collect::<Vec<_>>(),
        [("h0007-380", 30.0)]
    );
    assert_eq!(profile.passed("cd").count(), 0);
    for (name, first) in [("h0007-380", false), ("c", false), ("d", true)] {
        let answer = profile.answer(&given(&case(name, 38.0), 40, 2.0)).unwrap();
        assert_eq!(answer.first, first, "{name}");
    }
    // They are no answers.
    assert_eq!(list(folder.path()).unwrap()[0].answers, 3);
}

#[test]
fn of_two_qualities_a_trial_keeps_the_poorer() {
    let folder = tempfile::tempdir().unwrap();
    let mut profile = Profile::open(folder.path(), "x").unwrap();
    let mut pair = pair(4.0, Side::Right);
    pair.right.quality = Quality::Poor;
    pair.right.ladder = "h0002".into();
    profile.compare(&trial(&pair, Side::Right, "ef")).unwrap();
    let kept = &profile.compared()[0];
    assert_eq!((kept.quality, kept.different_hearts), (Quality::Poor, true));
}

#[test]
fn a_profile_is_looked_at_while_a_program_has_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let none = look(folder.path(), "x");
    assert!(matches!(none, Err(ProfileError::NoSuch(alias)) if alias == "x"));
    let mut profile = Profile::open(folder.path(), "x").unwrap();
    let pair = pair(4.0, Side::Left);
    profile.answer(&given(&pair.left, 40, 2.0)).unwrap();
    profile.compare(&trial(&pair, Side::Left, "ef")).unwrap();
    let looked = look(folder.path(), "x").unwrap();
    assert_eq!(looked.answers, profile.answers());
    assert_eq!(
        (&looked.compared[..], looked.was_torn),
        (profile.compared(), false)
    );
    // It is still that program's.
    let second = Profile::open(folder.path(), "x");
    assert!(matches!(second, Err(ProfileError::Locked)));
    profile.answer(&given(&pair.right, 41, 2.0)).unwrap();
    assert_eq!(look(folder.path(), "x").unwrap().answers.len(), 2);
}

#[test]
fn half_a_line_is_left_out_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let mut profile = Profile::open(folder.path(), "x").unwrap();
    let a = case("a", 38.0);
    profile.answer(&given(&a, 40, 2.0)).unwrap();
    drop(profile);
    let path = &list(folder.path()).unwrap()[0].path;
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, [&bytes[..], b"{\"kind\":\"ans"].concat()).unwrap();
    // Whoever only looks repairs nothing.
    for _ in 0..2 {
        let looked = look(folder.path(), "x").unwrap();
        assert_eq!((looked.answers.len(), looked.was_torn), (1, true));
    }
    let mut profile = Profile::open(folder.path(), "x").unwrap();
    assert!(profile.was_torn());
    assert_eq!(profile.answers().len(), 1);
    profile.answer(&given(&a, 41, 2.0)).unwrap();
    drop(profile);
    assert_eq!(
        Profile::open(folder.path(), "x").unwrap().answers().len(),
        2
    );
}

#[test]
fn damaged_profiles_are_refused_or_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut profile = Profile::open(folder.path(), "x").unwrap();
    for guess in [40, 41] {
        profile
            .answer(&given(&case("a", 38.0), guess, 2.0))
            .unwrap();
    }
    let pair = pair(4.0, Side::Left);
    for _ in 0..2 {
        profile.compare(&trial(&pair, Side::Left, "ef")).unwrap();
    }
    profile.show(shown(&["b"], Some(30.0))).unwrap();
    profile.show(shown(&["c", "d"], None)).unwrap();
    drop(profile);
    let path = list(folder.path()).unwrap()[0].path.clone();
    let bytes = std::fs::read(&path).unwrap();
    for damaged in crate::damage::mutations(&bytes, 600) {
        std::fs::write(&path, damaged).unwrap();
        if let Ok(read) = read(&path) {
            assert!(is_alias(&read.alias) && read.answers.len() <= 3 && read.compared.len() <= 3);
            assert!(read.shown.len() <= 3);
            let _ = crate::drill::schedule::cells(&read.answers);
            assert_eq!(crate::drill::lower::noticeable_of(&read.compared), None);
        }
    }
}

#[test]
fn who_is_deleted_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    for alias in ["one", "two"] {
        let mut profile = Profile::open(folder.path(), alias).unwrap();
        profile.answer(&given(&case("a", 38.0), 40, 2.0)).unwrap();
    }
    let aliases = |folder: &Path| -> Vec<String> {
        list(folder).unwrap().into_iter().map(|p| p.alias).collect()
    };
    assert_eq!(aliases(folder.path()), ["one", "two"]);
    for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
        assert!(!file.file_name().to_string_lossy().contains("one"));
    }
    delete(folder.path(), "one").unwrap();
    assert_eq!(aliases(folder.path()), ["two"]);
    assert!(matches!(
        delete(folder.path(), "one"),
        Err(ProfileError::NoSuch(_))
    ));
    for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(!text.contains("one"));
    }
    delete_all(folder.path()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    for wrong in ["", " a", "a/b", "a\nb", &"x".repeat(41)] {
        assert!(matches!(
            Profile::open(folder.path(), wrong),
            Err(ProfileError::Alias)
        ));
    }
}
