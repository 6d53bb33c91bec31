use super::Reader;
use crate::study::record::{Answer, Input};
use crate::study::session::{Control, Event, Press, Shows};
use crate::study::testing::plan;

#[test]
fn a_held_key_counts_once() {
    let mut plan = plan();
    plan.answer.confidence = 0;
    let mut reader = Reader::at_first_trial(plan, 0);
    // Down before answers are taken: not this trial's, however long it is held.
    reader.wait(300.0);
    reader.take(Event::Key(Control::Fake, Press::Down));
    reader.wait(600.0);
    reader.take(Event::Key(Control::Fake, Press::Repeat));
    reader.take(Event::Key(Control::Fake, Press::Down));
    assert_eq!(reader.session.answered(), 0);
    reader.take(Event::Key(Control::Fake, Press::Up));
    reader.take(Event::Key(Control::Fake, Press::Down));
    assert_eq!(reader.session.answered(), 1);
    reader.press(Control::Next);
    // Still down in the next trial.
    reader.on_screen();
    reader.wait(2000.0);
    reader.take(Event::Key(Control::Fake, Press::Repeat));
    reader.take(Event::Key(Control::Fake, Press::Down));
    assert_eq!(reader.session.answered(), 1);
    // Another key is another press, and so is this one when the window lost and got back the keyboard.
    reader.press(Control::Real);
    assert_eq!(reader.session.answered(), 2);
    reader.on_screen();
    reader.wait(2000.0);
    reader.take(Event::Unfocused);
    reader.take(Event::Key(Control::Fake, Press::Repeat));
    assert_eq!(reader.session.answered(), 2);
    reader.take(Event::Key(Control::Fake, Press::Down));
    assert_eq!(reader.session.answered(), 3);
}

#[test]
fn sides_are_the_readers_and_a_click_is_a_pointers() {
    for (place, left) in [(0, Answer::Real), (1, Answer::Fake)] {
        let mut reader = Reader::at_first_trial(plan(), place);
        reader.wait(2000.0);
        reader.take(Event::Click(Control::Left));
        let answer = left;
        assert!(matches!(reader.shows(), Shows::Confidence { answer: a, .. } if a == answer));
        // Neither another answer, nor a step that is none.
        reader.press(Control::Right);
        reader.press(Control::Sure(0));
        reader.press(Control::Sure(6));
        assert!(matches!(reader.shows(), Shows::Confidence { answer: a, .. } if a == answer));
        reader.press(Control::Sure(5));
        let given = reader.log().answers[0].clone().unwrap();
        assert_eq!((given.answer, given.confidence), (Some(left), Some(5)));
        assert_eq!(given.input, Input::Pointer);
    }
}

#[test]
fn what_comes_too_early_is_not_taken() {
    let mut reader = Reader::at_first_trial(plan(), 0);
    reader.wait(499.0);
    reader.press(Control::Real);
    assert!(matches!(
        reader.shows(),
        Shows::Trial {
            takes_answers: false,
            ..
        }
    ));
    reader.wait(1.0);
    reader.press(Control::Real);
    assert!(matches!(reader.shows(), Shows::Confidence { .. }));
}

#[test]
fn a_trial_ends_at_its_limit_without_an_answer() {
    let mut plan = plan();
    plan.answer.time_limit_s = Some(3.0);
    let mut reader = Reader::at_first_trial(plan, 0);
    reader.wait(1000.0);
    let left = |reader: &Reader| match reader.shows() {
        Shows::Trial { left_ms, .. } => left_ms,
        other => panic!("{other:?}"),
    };
    assert_eq!(left(&reader), Some(2000.0));
    reader.wait(1999.0);
    reader.take(Event::Tick);
    assert_eq!(left(&reader), Some(1.0));
    // A pass later, and a key that comes with it: the limit was first.
    reader.wait(16.0);
    reader.press(Control::Real);
    let given = reader.log().answers[0].clone().unwrap();
    assert_eq!((given.answer, given.confidence), (None, None));
    assert_eq!((given.rt_ms, given.input), (3000.0, Input::Limit));
    assert_eq!(reader.shows(), Shows::Ready);
    // An answer in time is one, and how sure one is has no limit.
    reader.press(Control::Next);
    reader.on_screen();
    reader.wait(2999.0);
    reader.press(Control::Fake);
    reader.wait(60_000.0);
    reader.press(Control::Sure(1));
    let given = reader.log().answers[1].clone().unwrap();
    assert_eq!(
        (given.answer, given.confidence_ms),
        (Some(Answer::Fake), Some(60_000.0))
    );
}
