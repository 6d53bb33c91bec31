use super::*;
use crate::drill::case::Relevance;
use crate::drill::class;
use crate::drill::set::{CaseSet, Simulated};
use crate::ef::Category;
use crate::phantom::Quality;

fn asked(cases: usize) -> Asked {
    Asked {
        about: About::of(Source::built_in(Quality::Good)),
        seed: 5,
        cases,
        shares: [1.0; 5],
        time_limit_s: None,
        most_loops: None,
    }
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 26).unwrap()
}

const UTC: &str = "2026-11-26T07:00:00.000Z";

#[test]
fn practice_goes_from_the_first_case_to_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let profile = Profile::open(folder.path(), "a").unwrap();
    let mut sitting = Sitting::practice(profile, asked(8), day()).unwrap();
    let mut shown = Vec::new();
    while let Some(case) = sitting.case().cloned() {
        assert!(!sitting.is_answered());
        // What is not answered stays.
        sitting.proceed();
        assert_eq!(sitting.case(), Some(&case));
        let guess = (case.ef_percent.round() as u32).clamp(5, 90);
        sitting.answer(Some(guess), 4.0, 3, UTC).unwrap();
        sitting.answer(Some(5), 4.0, 3, UTC).unwrap();
        assert!(sitting.is_answered());
        shown.push(case.case);
        sitting.proceed();
    }
    assert_eq!((shown.len(), sitting.done().len()), (8, 8));
    assert!(sitting.progress().mae.unwrap() <= 0.5);
    drop(sitting);
    let profile = Profile::open(folder.path(), "a").unwrap();
    assert_eq!(profile.answers().len(), 8);
    // A test has none of them.
    let mut test = Sitting::test(profile, asked(20)).unwrap();
    assert!(!test.tells_at_once());
    while let Some(case) = test.case().cloned() {
        assert!(!shown.contains(&case.case));
        test.answer(None, 30.0, 9, UTC).unwrap();
        test.proceed();
    }
    assert_eq!(test.done().len(), 20);
    assert!(test.done().iter().all(|d| d.verdict.is_none()));
}

#[test]
fn what_was_shown_without_a_guess_is_no_case_of_a_test() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Profile::open(folder.path(), "a").unwrap();
    let set = CaseSet::simulated(&Simulated {
        hearts: 2,
        efs: vec![25.0, 35.0, 45.0, 55.0, 65.0],
        quality: Quality::Good,
        seed: 1,
    });
    let of_set = || Asked {
        about: About::of(Source::Set(set.clone())),
        ..asked(10)
    };
    let mut sitting = Sitting::practice(open(), of_set(), day()).unwrap();
    let first = sitting.case().cloned().unwrap();
    let next = sitting.next().cloned().unwrap();
    let beside: Vec<Case> = set.cases().filter(|c| c.ladder == first.ladder).collect();
    // On the disk before the sitting goes on: a program may die here.
    sitting.answer(None, 30.0, 9, UTC).unwrap();
    drop(sitting);
    let profile = open();
    assert_eq!(profile.seen(), BTreeSet::from([first.case.as_str()]));
    drop(profile);
    let mut sitting = Sitting::test(open(), of_set()).unwrap();
    sitting.tell(&beside, UTC).unwrap();
    sitting.tell(&beside, UTC).unwrap();
    drop(sitting);
    let profile = open();
    assert_eq!((profile.seen().len(), profile.shown().len()), (5, 2));
    let told = &profile.shown()[1];
    assert_eq!(
        (told.cases.len(), told.mode, told.seconds),
        (4, Mode::Test, None)
    );
    // Of the other heart alone, and no case twice.
    let mut test = Sitting::test(profile, of_set()).unwrap();
    assert_eq!(test.place(), (1, 5));
    let mut cases = Vec::new();
    while let Some(case) = test.case().cloned() {
        assert_ne!(case.ladder, first.ladder);
        test.answer(None, 30.0, 9, UTC).unwrap();
        cases.push(case.case);
        test.proceed();
    }
    assert_eq!(cases.len(), 5);
    assert!(cases.contains(&next.case) || next.ladder == first.ladder);
    drop(test);
    let none = Sitting::test(open(), of_set());
    assert!(matches!(none.err(), Some(SittingError::NoCases)));
}

#[test]
fn a_sitting_says_how_many_cases_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Profile::open(folder.path(), "a").unwrap();
    let set = CaseSet::simulated(&Simulated {
        hearts: 1,
        efs: vec![25.0, 35.0, 45.0, 55.0, 65.0],
        quality: Quality::Good,
        seed: 1,
    });
    let of_set = |cases, shares| Asked {
        about: About::of(Source::Set(set.clone())),
        shares,
        ..asked(cases)
    };
    let even = [1.0; 5];
    let mut asked_of: BTreeSet<String> = BTreeSet::new();
    for time in 0..2 {
        let mut sitting = Sitting::practice(open(), of_set(20, even), day()).unwrap();
        assert_eq!(sitting.place(), (1, 5));
        let mut n = 0;
        while let Some(case) = sitting.case().cloned() {
            n += 1;
            sitting.answer(Some(50), 4.0, 3, UTC).unwrap();
            let beside: Vec<Case> = set.cases().collect();
            sitting.tell(&beside, UTC).unwrap();
            asked_of.insert(case.case);
            sitting.proceed();
        }
        assert_eq!((n, asked_of.len()), (5, 5), "{time}");
    }
    let profile = open();
    let first = profile.answers().iter().filter(|a| a.first).count();
    assert_eq!(
        (profile.answers().len(), first),
        (10, 1),
        "the others were told beside"
    );
    drop(profile);
    let place = |asked| Sitting::practice(open(), asked, day()).unwrap().place();
    assert_eq!(place(of_set(3, even)), (1, 3));
    assert_eq!(place(of_set(20, [1.0, 0.0, 0.0, 0.0, 1.0])), (1, 2));
    assert_eq!(place(asked(20)), (1, 20));
}

fn class_of_four() -> Class {
    let class = Class::new(class::Wanted {
        name: "c".into(),
        source: Source::built_in(Quality::Medium),
        seed: 7,
        cases: 4,
        shares: [1.0; 5],
        kind: class::Kind::Guess,
        feedback: Feedback::AtEnd,
        time_limit_s: Some(30.0),
    });
    class.unwrap()
}

#[test]
fn a_case_of_a_class_whose_time_has_passed_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let class = class_of_four();
    let list = class.list();
    let open = || Profile::open(folder.path(), "a").unwrap();
    let mut sitting = Sitting::class(open(), &class).unwrap();
    // Whatever was told beside is asked all the same: everybody has the same cases.
    sitting.tell(&list[2..3], UTC).unwrap();
    sitting.answer(None, 30.0, 9, UTC).unwrap();
    drop(sitting);
    let mut sitting = Sitting::class(open(), &class).unwrap();
    assert_eq!((sitting.case(), sitting.place()), (Some(&list[1]), (1, 3)));
    while sitting.case().is_some() {
        sitting.answer(Some(50), 4.0, 3, UTC).unwrap();
        sitting.proceed();
    }
    let result = sitting.result().unwrap().clone();
    let given: Vec<_> = result
        .answers
        .iter()
        .map(|a| (a.guess_percent, a.seconds))
        .collect();
    let guess = (Some(50), 4.0);
    assert_eq!(given, [(None, 30.0), guess, guess, guess]);
    drop(sitting);
    let profile = open();
    assert_eq!(class_result(&profile, &class), result);
    let first: Vec<bool> = profile.answers().iter().map(|a| a.first).collect();
    assert_eq!(first, [true, false, true]);
    let again = Sitting::class(profile, &class);
    assert!(matches!(again.err(), Some(SittingError::NoCases)));
}

#[test]
fn a_class_goes_on_where_it_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let class = class_of_four();
    let open = || Profile::open(folder.path(), "a").unwrap();
    let mut sitting = Sitting::class(open(), &class).unwrap();
    let first = sitting.case().cloned().unwrap();
    assert_eq!(sitting.place(), (1, 4));
    sitting.answer(Some(44), 4.0, 3, UTC).unwrap();
    drop(sitting);
    let mut sitting = Sitting::class(open(), &class).unwrap();
    assert_eq!(sitting.place(), (1, 3));
    assert_ne!(sitting.case(), Some(&first));
    while sitting.case().is_some() {
        sitting.answer(Some(50), 4.0, 3, UTC).unwrap();
        sitting.proceed();
    }
    let result = sitting.result().unwrap();
    let guesses: Vec<_> = result.answers.iter().map(|a| a.guess_percent).collect();
    assert_eq!(guesses, [Some(44), Some(50), Some(50), Some(50)]);
    let result = result.clone();
    drop(sitting);
    assert_eq!(class_result(&open(), &class), result);
    let again = Sitting::class(open(), &class);
    assert!(matches!(again.err(), Some(SittingError::NoCases)));
}

#[test]
fn a_verdict_is_of_unrounded_values() {
    let border = Verdict::of(40.0, 41);
    assert_eq!(border.relevance, Relevance::AtTheBorder);
    let relevant = Verdict::of(38.0, 52);
    assert_eq!(relevant.relevance, Relevance::ClinicallyRelevant);
    assert_eq!(Verdict::of(49.99, 50).truth, Category::MildlyReduced);
    assert_eq!(Verdict::of(50.0, 50).truth, Category::Preserved);
}
