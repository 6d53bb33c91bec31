use super::*;
use crate::study::log;
use crate::study::record::{Input, What};
use crate::study::testing::{
    START, TRIALS, folder_of_logs, log_of, mutations, plan, run_script, script,
};
use crate::study::verify::verify;
use std::collections::BTreeSet;
use std::path::Path;

/// A list of three: practice, a block, a break, a block.
fn short() -> Plan {
    let mut plan = plan();
    for reading in &mut plan.readers {
        reading.trials.truncate(3);
        reading.trials[2].block = 2;
    }
    assert!(Plan::parse(&plan.to_bytes()).is_ok());
    plan
}

fn three() -> String {
    script()
        .lines()
        .take(4)
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn a_script_answers_every_trial_as_it_says() {
    let plan = plan();
    let bytes = log_of(&plan, 1);
    let read = log::read(&bytes, &plan, 1);
    assert_eq!((&read.problems, &read.warnings), (&vec![], &vec![]));
    assert_eq!((read.reader.as_str(), read.place), ("R2", Some(1)));
    assert!(read.complete && read.ended && read.is_scripted());
    for (answered, i) in read.answers.iter().flatten().zip(1..) {
        assert_eq!((answered.trial, answered.attempt), (i, 1));
        let expected = [Answer::Real, Answer::Fake][i % 2];
        assert_eq!(answered.answer, Some(expected));
        assert_eq!(answered.confidence, Some(1 + i as u8 % 5));
        assert_eq!(answered.rt_ms, 1000.0 + 10.5 * i as f64);
        assert_eq!(answered.input, Input::Script);
        let sign = if expected == Answer::Fake { 1 } else { -1 };
        assert_eq!(answered.rating(), Some(sign * (1 + i as i8 % 5)));
    }
    assert_eq!(read.answered(), TRIALS);
    // The whole hour is the script's, so no clock parts from the other.
    let breaks = read
        .lines
        .iter()
        .filter(|(_, l)| matches!(l.what, What::Break { .. }));
    assert_eq!(breaks.count(), 2);
}

#[test]
fn a_script_that_ends_early_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let (path, plan) = (folder.path().join("log"), plan());
    let ran = run_script(&plan, 0, &three(), &path);
    assert_eq!((ran.answered, ran.trials, ran.complete), (3, TRIALS, false));
    let before = std::fs::read(&path).unwrap();
    let ran = run_script(&plan, 0, &script(), &path);
    assert_eq!(
        (ran.reader.as_str(), ran.answered, ran.complete),
        ("R1", TRIALS, true)
    );
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.starts_with(&before));
    let read = log::read(&bytes, &plan, 1);
    assert_eq!((read.problems.len(), read.runs.len()), (0, 2));
    assert_eq!(read.receipt(), Some(ran.receipt));
    // Run once more nothing is added.
    assert!(run_script(&plan, 0, &script(), &path).complete);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn no_answer_waits_for_the_limit_where_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = short();
    let rows = "trial,answer,confidence,rt_ms\n1,real,1,600\n2,,,\n3,FAKE,5,\n";
    for (limit, input, rt_ms) in [
        (None, Input::Script, 2000.0),
        (Some(7.5), Input::Limit, 7500.0),
    ] {
        plan.answer.time_limit_s = limit;
        let path = folder.path().join(format!("{limit:?}"));
        assert!(run_script(&plan, 0, rows, &path).complete);
        let read = log::read(&std::fs::read(&path).unwrap(), &plan, 1);
        assert_eq!(read.problems, []);
        let second = read.answers[1].clone().unwrap();
        assert_eq!(
            (second.answer, second.confidence, second.confidence_ms),
            (None, None, None)
        );
        assert_eq!(
            (second.input, second.rt_ms, second.rating()),
            (input, rt_ms, None)
        );
    }
}

#[test]
fn rows_that_no_reader_could_give_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut limited = plan();
    limited.answer.time_limit_s = Some(3.0);
    let mut unasked = plan();
    unasked.answer.confidence = 0;
    for (plan, row, why) in [
        (plan(), "10,real,1,600", "R1 has no trial 10"),
        (plan(), "0,real,1,600", "R1 has no trial 0"),
        (plan(), "1,real,,600", "asks for a confidence of 1 to 5"),
        (plan(), "1,real,0,600", "confidence of 0"),
        (plan(), "1,real,6,600", "confidence of 6"),
        (plan(), "1,,3,600", "confidence without an answer"),
        (plan(), "1,real,3,499", "no answer is taken after 499 ms"),
        (plan(), "1,real,3,NaN", "no answer is taken"),
        (plan(), "1,real,3,-1", "no answer is taken"),
        (limited, "1,real,3,3000", "no answer is taken after 3000 ms"),
        (unasked, "1,real,3,600", "scale of 0 steps"),
    ] {
        let path = folder.path().join("log");
        let script = Script::parse(format!("trial,answer,confidence,rt_ms\n{row}\n").as_bytes());
        let start = Start {
            log: &path,
            by: PresentedBy::Script,
            program: "test",
            at: START,
        };
        let ran = run(&script.unwrap(), &Arc::new(plan), 0, start, || {});
        let said = ran.unwrap_err().to_string();
        assert!(
            said.contains(why) && said.starts_with("line 2 "),
            "{row}: {said}"
        );
        assert!(!path.exists());
    }
}

#[test]
fn what_is_no_script_is_told() {
    for (text, why) in [
        ("", "no script"),
        ("trial,confidence\n1,1\n", "answer is missing"),
        ("trial,answer\n1,maybe\n", "'maybe'"),
        ("trial,answer\n1,real\n1,fake\n", "there twice"),
        ("trial,answer\n-1,real\n", "line 2"),
        ("trial,answer\n1\n", "no script"),
        ("trial,answer,confidence\n1,real,300\n", "line 2"),
    ] {
        let said = Script::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(said.contains(why), "{text:?}: {said}");
    }
    // Columns in any order, with blanks and the mark of an editor.
    let text = "\u{feff}answer, trial\nreal, 2\n , 1\n";
    let script = Script::parse(text.as_bytes()).unwrap();
    assert_eq!(script.rows[&2].answer, Some(Answer::Real));
    assert_eq!(script.rows[&1].answer, None);
}

#[test]
fn a_damaged_script_is_told_or_read() {
    let (text, plan) = (script(), plan());
    let mut refused = 0;
    for changed in mutations(text.as_bytes(), 500) {
        let script = Script::parse(&changed).and_then(|script| script.check(&plan, 0));
        refused += usize::from(script.is_err());
    }
    assert!(refused > 100, "{refused}");
}

/// Runs on until the end, and looks whether all is well: what was there is as it was, and each trial has one
/// answer. How often each trial was shown.
fn goes_on(plan: &Plan, path: &Path, rows: &str) -> Vec<usize> {
    let before = std::fs::read(path).unwrap();
    assert!(run_script(plan, 0, rows, path).complete);
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(&before));
    let verified = verify([bytes.as_slice()], plan, &[]).unwrap();
    assert!(verified.ok, "{}: {:#?}", before.len(), verified.logs);
    let read = log::read(&bytes, plan, 1);
    let answers = read.lines.iter().filter_map(|(_, line)| match &line.what {
        What::Answer { trial, .. } => Some(*trial),
        _ => None,
    });
    assert_eq!(answers.collect::<Vec<_>>(), [1, 2, 3], "{}", before.len());
    assert!(read.complete && read.ended);
    read.shown
}

/// A program that is killed leaves a beginning of its log: every one there is.
#[test]
fn whatever_is_left_of_a_log_is_gone_on_with() {
    let folder = folder_of_logs();
    let (path, plan, rows) = (folder.path().join("log"), short(), three());
    assert!(run_script(&plan, 0, &rows, &path).complete);
    let whole = std::fs::read(&path).unwrap();
    let mut shown = BTreeSet::new();
    for cut in 0..=whole.len() {
        let left = &whole[..cut];
        if cut > 0 {
            let verified = verify([left], &plan, &[]).unwrap();
            assert!(verified.ok, "{cut}: {:#?}", verified.logs);
            let half = !(left.ends_with(b"\n") || left.ends_with(b"}"));
            assert_eq!(verified.logs[0].warnings.len(), usize::from(half), "{cut}");
        }
        std::fs::write(&path, left).unwrap();
        shown.extend(goes_on(&plan, &path, &rows));
    }
    // Some trials were interrupted, and none was shown again that was not.
    assert_eq!(shown, BTreeSet::from([1, 2]));
}

/// The program that mends what another left is killed, too.
#[test]
fn whatever_is_left_of_a_mended_log_is_gone_on_with() {
    let folder = folder_of_logs();
    let (path, plan, rows) = (folder.path().join("log"), short(), three());
    assert!(run_script(&plan, 0, &rows, &path).complete);
    let whole = std::fs::read(&path).unwrap();
    let lines: Vec<usize> = (0..whole.len()).filter(|&i| whole[i] == b'\n').collect();
    // In the first line, early and late; in an answer; in the last line.
    for cut in [
        1,
        lines[0] - 20,
        lines[6] - 90,
        lines[6] - 1,
        whole.len() - 30,
    ] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        goes_on(&plan, &path, &rows);
        let mended = std::fs::read(&path).unwrap();
        let torn = mended[cut + 1..].iter().position(|&b| b == b'\n').unwrap();
        for again in cut..=cut + torn + 40 {
            std::fs::write(&path, &mended[..again]).unwrap();
            goes_on(&plan, &path, &rows);
            if again % 17 == 0 {
                // And a third time, in the line that mends both.
                let twice = std::fs::read(&path).unwrap();
                std::fs::write(&path, &twice[..again + 50]).unwrap();
                goes_on(&plan, &path, &rows);
            }
        }
    }
}
