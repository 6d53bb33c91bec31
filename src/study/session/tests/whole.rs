use super::Reader;
use crate::study::plan::Side;
use crate::study::record::{Answer, Input, What};
use crate::study::session::{About, BLANK_MS, Control, Display, Event, Frame, Shows};
use crate::study::testing::{TRIALS, plan};

#[test]
fn a_reader_reads_from_beginning_to_end_by_keyboard() {
    let plan = plan();
    let mut reader = Reader::new(plan.clone(), 1);
    let screen = reader.session.screen(0.0);
    assert_eq!((screen.real_side, screen.blocks), (Side::Right, 3));
    assert!(screen.practice && screen.block == 0);
    assert!(matches!(screen.shows, Shows::Instruction { text } if text.contains("real or fake")));
    reader.press(Control::Next);
    assert!(matches!(reader.shows(), Shows::Consent { text } if text.contains("agree")));
    reader.take(Event::Consented);
    assert_eq!(reader.shows(), Shows::About);
    reader.take(Event::About(About {
        role: format!(" {} ", "é".repeat(300)),
        years: Some(f64::INFINITY),
        glasses: Some(true),
    }));
    let told = What::About {
        role: "é".repeat(200),
        years: None,
        glasses: Some(true),
    };
    assert_eq!(reader.last(), told);
    assert_eq!(reader.shows(), Shows::Display);
    let found = Display {
        dark_seen: Some(true),
        period_ms: Some(16.7),
        late_passes: Some(1),
        ..Display::default()
    };
    reader.take(Event::Display(found));
    assert_eq!(reader.shows(), Shows::Ready);
    reader.press(Control::Next);
    let mut blocks = Vec::new();
    for trial in 1..=TRIALS {
        blocks.push(reader.session.screen(reader.now.mono_ms).block);
        let clip = plan.readers[1].trials[trial - 1].clip.clone();
        assert_eq!(reader.session.upcoming().next(), Some(clip.as_str()));
        assert_eq!(reader.shows(), Shows::Blank { clip: &clip });
        reader.on_screen();
        reader.wait(600.0);
        let frame = match reader.shows() {
            Shows::Trial {
                frame,
                takes_answers: true,
                left_ms: None,
                ..
            } => frame,
            other => panic!("{other:?}"),
        };
        assert_eq!(frame, Frame::At(2));
        reader.take(Event::Painted { late: trial == 2 });
        reader.answer(Control::Left);
        match reader.shows() {
            // The first is practice: what counts begins with a screen that waits.
            Shows::Ready if trial == 1 => reader.press(Control::Next),
            Shows::Break { left_ms } if trial % 3 == 1 => {
                assert_eq!(left_ms, 60_000.0);
                reader.wait(59_999.0);
                reader.press(Control::Next);
                assert_eq!(reader.shows(), Shows::Break { left_ms: 1.0 });
                reader.wait(1.0);
                reader.press(Control::Next);
            }
            Shows::Blank { .. } if trial % 3 != 1 => {}
            Shows::Finished { receipt, .. } if trial == TRIALS => {
                assert_eq!(Some(receipt), reader.log().receipt().as_deref());
            }
            other => panic!("{trial}: {other:?}"),
        }
    }
    assert_eq!(blocks, [0, 1, 1, 1, 2, 2, 2, 3, 3]);
    assert!(reader.session.is_complete() && reader.session.upcoming().next().is_none());
    assert_eq!(reader.session.answered(), reader.session.trials());
    let read = reader.log();
    assert!(read.complete && read.warnings.is_empty());
    let second = read.answers[1].clone().unwrap();
    assert_eq!(
        (second.answer, second.confidence),
        (Some(Answer::Fake), Some(4))
    );
    assert_eq!((second.rt_ms, second.confidence_ms), (2600.0, Some(700.0)));
    assert_eq!((second.loops, second.passes, second.late_passes), (2, 2, 1));
    assert_eq!(second.input, Input::Key);
    // Opened again it is over, and the log stays as it is.
    let bytes = std::fs::read(&reader.path).unwrap();
    let mut reader = reader.reopen();
    assert!(matches!(reader.shows(), Shows::Finished { .. }));
    reader.press(Control::Next);
    reader.press(Control::Withdraw);
    let receipt = reader.session.receipt().to_owned();
    assert_eq!(reader.session.close(reader.now).unwrap(), receipt);
    assert_eq!(std::fs::read(&reader.path).unwrap(), bytes);
}

#[test]
fn a_clip_comes_when_it_is_ready_and_its_line_is_on_the_disk() {
    let mut reader = Reader::at_first_trial(plan(), 0);
    reader.answer(Control::Real);
    reader.press(Control::Next);
    let clip = plan().readers[0].trials[1].clip.clone();
    let blank = Shows::Blank { clip: &clip };
    // Time alone brings no clip, nor does another clip, nor one that is ready too soon.
    reader.wait(10_000.0);
    reader.take(Event::Tick);
    reader.take(Event::Loaded("another".into()));
    assert_eq!(reader.shows(), blank);
    let mut reader = Reader::at_first_trial(plan(), 0);
    reader.answer(Control::Real);
    reader.press(Control::Next);
    reader.wait(BLANK_MS - 1.0);
    reader.take(Event::Loaded(clip.clone()));
    assert_eq!(reader.shows(), blank);
    assert_eq!(reader.log().shown[..2], [1, 0]);
    reader.wait(1.0);
    reader.take(Event::Tick);
    let attempt = 1;
    assert_eq!(
        reader.last(),
        What::Show {
            trial: 2,
            clip: clip.clone(),
            attempt
        }
    );
    // Before the first pass with it no time has gone by, however late that is.
    reader.wait(900.0);
    let waits = Shows::Trial {
        clip: &clip,
        frame: Frame::At(0),
        takes_answers: false,
        left_ms: None,
    };
    assert_eq!(reader.shows(), waits);
    reader.press(Control::Real);
    assert_eq!(reader.shows(), waits);
}

#[test]
fn what_means_nothing_on_a_screen_changes_nothing() {
    let mut reader = Reader::new(plan(), 0);
    let before = std::fs::read(&reader.path).unwrap();
    let all = [
        Control::Real,
        Control::Left,
        Control::Sure(1),
        Control::Pause,
        Control::NoAnswer,
    ];
    for control in all {
        reader.press(control);
        reader.take(Event::Click(control));
        reader.take(Event::Script(control));
    }
    reader.take(Event::Consented);
    reader.take(Event::Display(Display::default()));
    reader.take(Event::Painted { late: false });
    assert!(matches!(reader.shows(), Shows::Instruction { .. }));
    assert_eq!(std::fs::read(&reader.path).unwrap(), before);
    let mut reader = Reader::at_first_trial(plan(), 0);
    reader.wait(2000.0);
    for control in [Control::NoAnswer, Control::Next, Control::Sure(1)] {
        reader.press(control);
        reader.take(Event::Script(control));
    }
    assert!(matches!(reader.shows(), Shows::Trial { .. }));
}
