use super::{Reader, open};
use crate::study::log;
use crate::study::plan::Resume;
use crate::study::record::{Answer, What};
use crate::study::session::{Control, Display, Event, Shows};
use crate::study::testing::{START, plan};

#[test]
fn a_pause_interrupts_a_trial_and_comes_after_an_answer() {
    let mut reader = Reader::at_first_trial(plan(), 0);
    reader.wait(2000.0);
    reader.press(Control::Pause);
    let receipt = reader.log().receipt().unwrap();
    let paused = Shows::Paused {
        receipt: &receipt,
        reopened: false,
    };
    assert_eq!(reader.shows(), paused);
    reader.press(Control::Real);
    assert_eq!(reader.shows(), paused);
    reader.press(Control::Next);
    assert_eq!(reader.last(), What::Resume);
    reader.on_screen();
    assert!(matches!(
        reader.last(),
        What::Show {
            trial: 1,
            attempt: 2,
            ..
        }
    ));
    reader.wait(2000.0);
    reader.press(Control::Fake);
    reader.press(Control::Pause);
    assert!(matches!(
        reader.shows(),
        Shows::Confidence { pausing: true, .. }
    ));
    reader.press(Control::Sure(2));
    assert!(matches!(reader.shows(), Shows::Paused { .. }));
    let given = reader.log().answers[0].clone().unwrap();
    assert_eq!((given.attempt, given.answer), (2, Some(Answer::Fake)));
    reader.press(Control::Next);
    reader.on_screen();
    assert!(matches!(
        reader.last(),
        What::Show {
            trial: 2,
            attempt: 1,
            ..
        }
    ));
}

#[test]
fn after_a_crash_the_interrupted_trial_is_shown_again() {
    let mut reader = Reader::at_first_trial(plan(), 0);
    reader.wait(2000.0);
    reader.press(Control::Fake);
    // An answer without its confidence is none yet.
    let mut reader = reader.reopen();
    assert!(matches!(
        reader.shows(),
        Shows::Paused { reopened: true, .. }
    ));
    reader.press(Control::Next);
    assert_eq!(reader.shows(), Shows::Display);
    reader.take(Event::Display(Display::default()));
    assert_eq!(reader.shows(), Shows::Ready);
    reader.press(Control::Next);
    reader.on_screen();
    assert!(matches!(
        reader.last(),
        What::Show {
            trial: 1,
            attempt: 2,
            ..
        }
    ));
    reader.answer(Control::Real);
    let read = reader.log();
    assert_eq!((read.runs.len(), read.answered()), (2, 1));
    assert_eq!(
        read.answers[0].as_ref().map(|a| (a.attempt, a.run)),
        Some((2, 1))
    );
    assert_eq!(read.warnings, []);
}

#[test]
fn what_was_not_asked_before_a_crash_is_asked_after_it() {
    let mut reader = Reader::new(plan(), 0);
    reader.press(Control::Next);
    let mut reader = reader.reopen();
    assert!(matches!(reader.shows(), Shows::Instruction { .. }));
    reader.press(Control::Next);
    reader.take(Event::Consented);
    let mut reader = reader.reopen();
    reader.press(Control::Next);
    assert_eq!(reader.shows(), Shows::About);
}

#[test]
fn where_the_plan_says_so_a_block_begins_anew() {
    let mut plan = plan();
    plan.session.resume = Resume::Block;
    let mut reader = Reader::at_first_trial(plan, 0);
    reader.answer(Control::Real);
    reader.press(Control::Next);
    reader.on_screen();
    reader.answer(Control::Real);
    reader.on_screen();
    for crash in [false, true] {
        let shown = reader.log().shown[2];
        if crash {
            reader = reader.reopen();
        } else {
            reader.press(Control::Pause);
        }
        reader.press(Control::Next);
        assert!(matches!(reader.shows(), Shows::Instruction { .. }));
        reader.press(Control::Next);
        reader.take(Event::Display(Display::default()));
        assert_eq!(reader.shows(), Shows::Ready);
        reader.press(Control::Next);
        // The block's answers stay.
        reader.on_screen();
        let attempt = shown + 1;
        let clip = reader.plan.readers[0].trials[2].clip.clone();
        assert_eq!(
            reader.last(),
            What::Show {
                trial: 3,
                clip,
                attempt
            }
        );
        assert_eq!(reader.log().answered(), 2);
    }
}

#[test]
fn a_reader_may_leave() {
    let mut reader = Reader::new(plan(), 0);
    reader.press(Control::Next);
    reader.take(Event::Declined);
    assert!(matches!(reader.shows(), Shows::Withdrawn { text, .. } if text.contains("left")));
    let mut reader = Reader::at_first_trial(plan(), 0);
    reader.answer(Control::Real);
    reader.take(Event::Click(Control::Withdraw));
    let read = reader.log();
    assert!(read.withdrawn && read.ended && !read.complete);
    let bytes = std::fs::read(&reader.path).unwrap();
    let mut reader = reader.reopen();
    assert!(matches!(reader.shows(), Shows::Withdrawn { .. }));
    assert!(reader.session.is_over() && !reader.session.is_complete());
    reader.press(Control::Next);
    assert_eq!(std::fs::read(&reader.path).unwrap(), bytes);
}

#[test]
fn a_session_that_is_closed_gives_a_receipt_and_goes_on_later() {
    let mut reader = Reader::at_first_trial(plan(), 0);
    reader.answer(Control::Real);
    let Reader {
        plan,
        path,
        session,
        now,
        _folder,
        ..
    } = reader;
    let receipt = session.close(now).unwrap();
    let read = log::read(&std::fs::read(&path).unwrap(), &plan, 1);
    assert_eq!(read.receipt(), Some(receipt));
    assert!(!read.ended && !read.complete && read.problems.is_empty());
    let again = open(&plan, 0, &path, now).unwrap();
    assert_eq!((again.answered(), again.reader()), (1, "R1"));
}

#[test]
fn a_second_program_and_a_second_reader_are_told() {
    let reader = Reader::new(plan(), 0);
    let said = open(&reader.plan, 0, &reader.path, START)
        .unwrap_err()
        .to_string();
    assert!(said.contains("another program"), "{said}");
    let Reader {
        plan,
        path,
        session,
        _folder,
        ..
    } = reader;
    drop(session);
    let said = open(&plan, 1, &path, START).unwrap_err().to_string();
    assert!(said.contains("R1's"), "{said}");
    let said = open(&plan, 3, &path, START).unwrap_err().to_string();
    assert!(said.contains("no such reader"), "{said}");
}
