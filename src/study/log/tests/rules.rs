use super::{chained, problems, whole};
use crate::study::log::{Problem, read};
use crate::study::record::{Answer, Input, Line, What};
use crate::study::stamp::{utc_ms, utc_text};
use crate::study::testing::plan;

/// Each case is a log whose chain is whole, and which no session writes.
#[test]
fn what_no_session_writes_is_told_by_its_line() {
    let plan = plan();
    let good = whole(&plan);
    let show = |at: usize| match &good[at].what {
        What::Show { trial, clip, .. } => (*trial, clip.clone()),
        other => panic!("{other:?}"),
    };
    type Change<'a> = &'a dyn Fn(&mut Vec<Line>);
    fn answer(
        line: &mut Line,
    ) -> (
        &mut Option<Answer>,
        &mut Option<u8>,
        &mut f64,
        &mut Option<f64>,
        &mut Input,
        &mut usize,
    ) {
        match &mut line.what {
            What::Answer {
                answer,
                confidence,
                rt_ms,
                confidence_ms,
                input,
                late_passes,
                ..
            } => (answer, confidence, rt_ms, confidence_ms, input, late_passes),
            other => panic!("{other:?}"),
        }
    }
    // Lines 6, 8 and 10 of the good log answer the trials that 5, 7 and 9 show.
    let cases: [(usize, &str, Change); 27] = [
        (4, "before the reader consented", &|all| drop(all.remove(1))),
        (1, "no run", &|all| drop(all.remove(0))),
        (7, "another clip was shown", &|all| {
            all[6].what = What::Show {
                trial: 2,
                clip: show(8).1,
                attempt: 1,
            }
        }),
        (7, "no such trial", &|all| {
            all[6].what = What::Show {
                trial: 0,
                clip: show(6).1,
                attempt: 1,
            }
        }),
        (7, "no such trial", &|all| {
            all[6].what = What::Show {
                trial: usize::MAX,
                clip: show(6).1,
                attempt: 1,
            }
        }),
        (7, "before its turn", &|all| {
            all[6].what = What::Show {
                trial: 3,
                clip: show(8).1,
                attempt: 1,
            }
        }),
        (7, "attempt 1", &|all| {
            all[6].what = What::Show {
                trial: 2,
                clip: show(6).1,
                attempt: 2,
            }
        }),
        (9, "had its answer", &|all| {
            all[8].what = What::Show {
                trial: 2,
                clip: show(6).1,
                attempt: 2,
            }
        }),
        (7, "not on screen", &|all| drop(all.remove(6))),
        (9, "answered before", &|all| all.insert(8, all[7].clone())),
        (8, "confidence", &|all| *answer(&mut all[7]).1 = Some(6)),
        (8, "confidence", &|all| *answer(&mut all[7]).1 = Some(0)),
        (8, "confidence", &|all| *answer(&mut all[7]).1 = None),
        (8, "confidence", &|all| *answer(&mut all[7]).0 = None),
        (8, "no time", &|all| *answer(&mut all[7]).3 = None),
        (8, "times of this answer", &|all| {
            *answer(&mut all[7]).2 = -1.0
        }),
        (8, "took longer", &|all| *answer(&mut all[7]).2 = 5000.0),
        (8, "before answers are taken", &|all| {
            *answer(&mut all[7]).2 = 400.0
        }),
        (8, "nothing that gives an answer", &|all| {
            *answer(&mut all[7]).4 = Input::Key
        }),
        (8, "nothing that gives an answer", &|all| {
            *answer(&mut all[7]).4 = Input::Limit
        }),
        (8, "passes were late", &|all| *answer(&mut all[7]).5 = 9),
        (8, "went back", &|all| all[7].mono_ms = 1.0),
        (8, "not resumed", &|all| all[6].what = What::Pause),
        (7, "not paused", &|all| all[6].what = What::Resume),
        (8, "after it was closed", &|all| {
            all[6].what = What::Close { complete: false }
        }),
        (7, "no answer", &|all| {
            all[6].what = What::Close { complete: true }
        }),
        (8, "after its end", &|all| all[6].what = What::Withdraw),
    ];
    for (line, what, change) in cases {
        let mut all = good.clone();
        change(&mut all);
        let found = problems(&chained(&plan, all), &plan);
        let is_it = |p: &Problem| p.line == line && p.what.contains(what);
        assert!(found.iter().any(is_it), "{line}, {what}: {found:?}");
    }
    assert_eq!(problems(&chained(&plan, good), &plan), []);
}

#[test]
fn a_run_has_its_own_name_and_the_logs_reader() {
    let plan = plan();
    let good = whole(&plan);
    let opened = |change: &dyn Fn(&mut String, &mut String, &mut String)| {
        let mut all = good[..4].to_vec();
        let mut again = good[0].clone();
        if let What::Open {
            run, reader, study, ..
        } = &mut again.what
        {
            change(run, reader, study);
        }
        all.push(again);
        problems(&chained(&plan, all), &plan)
    };
    assert_eq!(opened(&|run, _, _| *run = "another".into()), []);
    assert!(opened(&|_, _, _| {})[0].what.contains("one name"));
    assert!(
        opened(&|_, reader, _| *reader = "R2".into())[0]
            .what
            .contains("R1's, not R2's")
    );
    assert!(
        opened(&|_, _, study| *study = "0".repeat(16))[0]
            .what
            .contains("another study")
    );
    let mut nobody = good;
    if let What::Open { reader, .. } = &mut nobody[0].what {
        *reader = "R9".into();
    }
    let found = problems(&chained(&plan, nobody), &plan);
    assert!(found[0].what.contains("no reader R9"), "{found:?}");
}

#[test]
fn the_second_answer_is_refused_and_the_first_counts() {
    let plan = plan();
    let mut all = whole(&plan);
    let mut again = all[7].clone();
    if let What::Answer { answer, .. } = &mut again.what {
        assert_eq!(answer.replace(Answer::Fake), Some(Answer::Real));
    }
    all.insert(8, again);
    let read = read(&chained(&plan, all), &plan, 1);
    assert_eq!(read.answers[1].as_ref().unwrap().answer, Some(Answer::Real));
    assert_eq!(read.problems[0].line, 9);
}

#[test]
fn clocks_and_pauses_are_warnings() {
    let plan = plan();
    let shifted = |from: usize, utc: i64, mono: f64| {
        let mut all = whole(&plan);
        for line in all.iter_mut().skip(from) {
            line.utc = utc_text(utc_ms(&line.utc).unwrap() + utc);
            line.mono_ms += mono;
        }
        let read = read(&chained(&plan, all), &plan, 1);
        assert_eq!(read.problems, []);
        read.warnings
    };
    assert_eq!(shifted(0, 86_400_000, 0.0), []);
    assert_eq!(shifted(0, -3 * 3_600_000, 12_345.0), []);
    assert_eq!(shifted(9, 1900, 0.0), []);
    let set = shifted(9, 2100, 0.0);
    assert!(
        set.len() == 1 && set[0].line == 10 && set[0].what.contains("2.1 s"),
        "{set:?}"
    );
    assert!(shifted(9, -2100, 0.0)[0].what.contains("-2.1 s"));
    // A pause of 73 hours, within a run and between two.
    let hour = 3_600_000;
    for opened in [false, true] {
        let good = whole(&plan);
        let mut all = good[..8].to_vec();
        let mut then = all[7].clone();
        let mut pause = then.clone();
        pause.what = What::Pause;
        all.push(pause);
        then.utc = utc_text(utc_ms(&then.utc).unwrap() + 73 * hour);
        then.mono_ms += 73.0 * hour as f64;
        then.what = What::Resume;
        if opened {
            then.what = good[0].what.clone();
            if let What::Open { run, .. } = &mut then.what {
                *run = "second".into();
            }
        }
        all.push(then);
        let read = read(&chained(&plan, all), &plan, 1);
        assert_eq!(read.problems, []);
        let said = &read.warnings[0];
        assert!(
            said.line == 10 && said.what.contains("73.0 hours"),
            "{said:?}"
        );
    }
}
