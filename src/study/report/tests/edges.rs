//! Studies at the edge of what can be reported, and beyond.

use super::files;
use super::simulated::{Simulated, response};
use crate::study::key::Class;
use crate::study::plan::{Kind, Primary};
use crate::study::record::PresentedBy;
use crate::study::report::{ReportError, Verdict, report, write};

#[test]
fn one_reader_has_values_and_no_interval_for_readers() {
    let simulated = Simulated::crossed(1, [40, 20, 20], 20).read(5, 1.0, 0.0);
    let study = simulated.study();
    let found = report(&study).unwrap();
    assert!(found.balanced_accuracy.value.is_some() && found.balanced_accuracy.low.is_none());
    assert!(found.d_prime.value.is_some() && found.d_prime.low.is_none());
    assert_eq!(found.by_class[0].low, None);
    assert!(found.by_class[0].wilson_low.is_some() && found.by_reader[0].auc.low.is_some());
    assert_eq!(found.verdict, Verdict::Undecided);
    assert!(
        found
            .warnings
            .iter()
            .any(|w| w.starts_with("One reader read"))
    );
    assert_eq!(
        (found.agreement.clips, found.agreement.repeated.len()),
        (0, 1)
    );
    let html = &files(&study)["report.html"];
    assert!(html.contains("It has no interval") && !html.contains("NaN"));
}

#[test]
fn where_everybody_is_right_nothing_is_made_up() {
    let simulated = Simulated::crossed(3, [20, 10, 10], 0)
        .answered(|reader, trial, class| response(reader, trial, class.is_fake()));
    let study = simulated.study();
    let found = report(&study).unwrap();
    assert_eq!(found.balanced_accuracy.value, Some(1.0));
    assert_eq!(found.balanced_accuracy.variance, None);
    assert_eq!(found.verdict, Verdict::Undecided);
    assert!(found.d_prime.value.unwrap() > 3.0 && found.d_prime.low.unwrap().is_finite());
    assert_eq!(
        (found.agreement.percent, found.agreement.percent_low),
        (Some(1.0), None)
    );
    assert_eq!(found.agreement.pairs[0].kappa, Some(1.0));
    let wrong = found.response_s.iter().find(|t| !t.correct).unwrap();
    assert_eq!((wrong.n, wrong.median), (0, None));
    for (name, text) in files(&study) {
        assert!(!text.contains("NaN") && !text.contains("inf,"), "{name}");
    }
}

#[test]
fn one_class_alone_has_no_balanced_accuracy() {
    let simulated = Simulated::crossed(2, [25, 0, 0], 0)
        .answered(|reader, trial, _| response(reader, trial, true));
    let study = simulated.study();
    let found = report(&study).unwrap();
    assert_eq!(
        (found.balanced_accuracy.value, found.d_prime.value),
        (None, None)
    );
    assert_eq!((found.sensitivity, found.specificity), (None, Some(0.0)));
    assert!(found.warnings.iter().any(|w| w.contains("not defined")));
    assert!(
        found
            .warnings
            .iter()
            .any(|w| w == "R2 answered “fake” in every trial.")
    );
    assert!(files(&study)["report.html"].contains("is not defined"));
}

#[test]
fn nobody_answered_is_a_sentence() {
    let mut simulated = Simulated::crossed(2, [4, 2, 2], 0);
    let none = |simulated: &Simulated| {
        let error = report(&simulated.study()).unwrap_err();
        assert!(matches!(error, ReportError::NoAnswers));
        assert!(error.to_string().contains("nothing to report"));
    };
    none(&simulated);
    let answered = Simulated::crossed(2, [4, 2, 2], 0).read(1, 1.0, 0.0);
    simulated.responses = answered.responses;
    for about in &mut simulated.readers {
        about.withdrawn = true;
    }
    none(&simulated);
    for about in &mut simulated.readers {
        about.withdrawn = false;
    }
    for response in &mut simulated.responses {
        response.answer = None;
    }
    none(&simulated);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let simulated = Simulated::crossed(2, [4, 2, 2], 0).read(1, 1.0, 0.0);
    let sound = simulated.study();
    let refused = |change: &dyn Fn(&mut crate::study::report::Study)| {
        let mut study = sound.clone();
        change(&mut study);
        report(&study).unwrap_err()
    };
    let no_log = refused(&|s| drop(s.readers.remove(1)));
    assert!(matches!(&no_log, ReportError::Reader(name) if name == "R2"));
    let stranger = refused(&|s| s.readers[0].reader = "R9".into());
    assert!(matches!(&stranger, ReportError::Reader(name) if name == "R9"));
    let two = refused(&|s| s.readers.push(s.readers[0].clone()));
    assert!(matches!(&two, ReportError::TwoLogs(_)));
    let twice = refused(&|s| s.responses.push(s.responses[0].clone()));
    assert!(matches!(&twice, ReportError::Twice { trial: 1, .. }));
    for wrong in [0, 99] {
        let elsewhere = refused(&|s| s.responses[0].trial = wrong);
        assert!(matches!(&elsewhere, ReportError::Trial { .. }));
    }
    let kind = refused(&|s| s.responses[0].kind = Kind::Repeat);
    assert!(matches!(&kind, ReportError::Trial { .. }));
    let mut other = simulated.key.clone();
    other.clips.remove(3);
    let study = crate::study::report::Study {
        key: &other,
        ..sound.clone()
    };
    assert!(matches!(report(&study), Err(ReportError::Clip(_))));
}

#[test]
fn an_error_of_the_disk_names_the_file() {
    let simulated = Simulated::crossed(2, [4, 2, 2], 0).read(1, 1.0, 0.0);
    let study = simulated.study();
    let found = report(&study).unwrap();
    let error = write(&found, &study, &mut |name, _| match name {
        "clips.csv" => Err(std::io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    });
    assert!(
        error
            .unwrap_err()
            .to_string()
            .starts_with("clips.csv cannot be written")
    );
}

#[test]
fn an_interim_look_at_little_is_reported() {
    let mut simulated = Simulated::crossed(3, [10, 5, 5], 0).read(2, 1.0, 0.2);
    simulated.responses.retain(|r| r.reader == 0 && r.trial < 9);
    simulated.readers.truncate(1);
    simulated.readers[0].complete = false;
    let mut study = simulated.study();
    study.interim = true;
    let found = report(&study).unwrap();
    assert_eq!((found.readers, found.trials, found.answered), (1, 20, 8));
    assert!(
        found.interim
            && found
                .warnings
                .iter()
                .any(|w| w == "There is no log of R2 and R3.")
    );
    let html = &files(&study)["report.html"];
    assert!(html.contains("<title>Can experts tell? – interim</title>"));
    assert!(html.contains("12 not reached yet"));
}

#[test]
fn warnings_name_what_limits_a_result() {
    let mut simulated = Simulated::crossed(3, [10, 5, 5], 0).read(2, 1.0, 0.2);
    simulated.readers[0].presentation = PresentedBy::Script;
    simulated.readers[1].programs.push("EchoIf 0.9.1".into());
    simulated.readers[2].withdrawn = true;
    simulated.readers[1]
        .warnings
        .push("the clock jumped".into());
    simulated.responses[3].answer = None;
    simulated.responses[30].confidence = None;
    let mut study = simulated.study();
    study.key_sealed = false;
    study.interim_before = true;
    let found = report(&study).unwrap();
    for sentence in [
        "Not read by people: the answers of R1",
        "An interim look was taken",
        "not sealed from its administrator",
        "R3 withdrew",
        "2 versions of the program: EchoIf 0.9.0 and EchoIf 0.9.1",
        "1\u{a0}trial ended without an answer",
        "1\u{a0}answer came without confidence",
        "The result of 2 readers",
        "R2: the clock jumped",
    ] {
        assert!(
            found.warnings.iter().any(|w| w.contains(sentence)),
            "{sentence}: {:?}",
            found.warnings
        );
    }
    assert!(
        files(&study)["report.html"]
            .contains("<title>Can experts tell? – not read by people</title>")
    );
}

#[test]
fn the_verdict_is_that_of_the_planned_measure() {
    // Confidence tells better than the answers, which lean to real.
    let mut simulated = Simulated::crossed(6, [60, 30, 30], 0).answered(|reader, trial, class| {
        let sure = (trial.trial + reader) % 5 != 0;
        let fake = class.is_fake() && sure && trial.trial % 2 == 0;
        let mut response = response(reader, trial, fake);
        response.confidence = Some(if class == Class::Real && sure { 5 } else { 1 });
        response
    });
    let found = report(&simulated.study()).unwrap();
    simulated.plan.analysis.primary = Primary::Auc;
    simulated.plan.analysis.equivalence_margin = 0.4;
    let by_auc = report(&simulated.study()).unwrap();
    assert_eq!(found.verdict, Verdict::Better);
    assert!(by_auc.auc.low.unwrap() > 0.5);
    assert!(files(&simulated.study())["report.html"].contains("The area under the ROC curve"));
    let inside = by_auc.auc.equivalence_high.unwrap() < 0.9;
    assert_eq!(
        by_auc.verdict,
        if inside {
            Verdict::BetterWithin
        } else {
            Verdict::Better
        }
    );
}
