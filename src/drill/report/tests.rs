use super::*;
use crate::drill::class::{Class, Feedback, Kind, Wanted};
use crate::drill::lower::Side;
use crate::drill::profile::{Answer, Compared, Grade, Mode};
use crate::drill::result::{ClassResult, LowerTrial};
use crate::drill::sampler::Source;
use crate::drill::staircase::TRIALS;
use crate::phantom::Quality;

fn class(seed: u64) -> Class {
    class_of(seed, Kind::Guess)
}

fn class_of(seed: u64, kind: Kind) -> Class {
    Class::new(Wanted {
        name: "Tuesday <b>".into(),
        source: Source::built_in(Quality::Good),
        seed,
        cases: 20,
        shares: [1.0; 5],
        kind,
        feedback: Feedback::AtEnd,
        time_limit_s: None,
    })
    .unwrap()
}

/// Five trainees who are off by a number of points of their own, and all misread the fourth case.
fn results(class: &Class) -> Vec<ClassResult> {
    let of = |i: i32| {
        let mut result = ClassResult::new(class, &format!("T{i}"));
        for (k, answer) in result.answers.iter_mut().enumerate() {
            let off = if k == 3 {
                25
            } else {
                i - 2 + (k as i32 % 3) - 1
            };
            let low = answer.ef_percent > 60.0;
            let guess = answer.ef_percent.round() as i32 + if low && k == 3 { -off } else { off };
            answer.guess_percent = Some(guess.clamp(5, 90) as u32);
            answer.seconds = 4.0 + f64::from(i);
        }
        result
    };
    (0..5).map(of).collect()
}

#[test]
fn what_all_misread_stands_first_and_figures_are_those_of_the_answers() {
    let class = class(7);
    let sources = Sources::of_results(&results(&class)).unwrap();
    assert_eq!(sources.rows.len(), 100);
    let report = sources.report().unwrap();
    assert_eq!(report.cases.len(), 20);
    assert_eq!(report.cases[0].case, class.list()[3].case);
    assert_eq!(report.cases[0].category_errors, 5);
    for trainee in &report.trainees {
        let errors: Vec<f64> = sources
            .rows
            .iter()
            .filter(|r| r.alias == trainee.alias)
            .map(|r| f64::from(r.guess_percent) - r.ef_percent)
            .collect();
        let mean = errors.iter().sum::<f64>() / 20.0;
        let variance = errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / 19.0;
        let p = &trainee.progress;
        assert!((p.bias.unwrap() - mean).abs() < 1e-9);
        assert!((p.limit_high.unwrap() - mean - 1.96 * variance.sqrt()).abs() < 1e-9);
    }
    let files = files(&sources);
    let page = &files["report.html"];
    assert!(page.contains("Tuesday &lt;b&gt;") && page.contains("Truth: exact (simulated heart)"));
    assert!(!page.contains("<script") && page.contains("true EF, %"));
    assert_eq!(files["answers.csv"].lines().count(), 101);
    assert!(
        files["answers.csv"]
            .lines()
            .nth(1)
            .unwrap()
            .contains(",exact,simulated heart,")
    );
    let summary: serde_json::Value = serde_json::from_str(&files["summary.json"]).unwrap();
    assert_eq!(summary["trainees"][4]["alias"], "T4");
    assert!(summary["trainees"][0]["limit_low_ci"][1].is_number());
}

#[test]
fn results_of_another_class_are_refused() {
    let (a, b) = (class(7), class(8));
    let mut both = results(&a);
    both.extend(results(&b).into_iter().take(1));
    assert!(matches!(
        Sources::of_results(&both),
        Err(ReportError::OtherClass(_))
    ));
    let mut twice = results(&a);
    twice.push(twice[0].clone());
    assert!(matches!(
        Sources::of_results(&twice),
        Err(ReportError::Twice(_))
    ));
    assert!(matches!(
        Sources::of_results(&[]),
        Err(ReportError::NoAnswers)
    ));
    let open = Sources::of_results(&[ClassResult::new(&a, "x")]).unwrap();
    assert!(matches!(open.report(), Err(ReportError::NoAnswers)));
}

fn answer(i: usize, ef_percent: f64, guess_percent: u32) -> Answer {
    Answer {
        utc: format!("2026-11-{:02}T07:00:{:02}.000Z", 1 + i / 20, i % 20),
        set: "ab".into(),
        case: format!("c{i}"),
        ladder: format!("l{i}"),
        truth: Truth::Exact,
        quality: Quality::ALL[i % 3],
        ef_percent,
        guess_percent,
        seconds: 4.0,
        loops: 2,
        first: true,
        mode: Mode::Practice,
        feedback: true,
        grade: Grade::Good,
    }
}

/// A sitting of thirty trials: told from so many points on, guessed below.
fn sitting(told_from: f64) -> Vec<Compared> {
    let levels = [2.0, 3.0, 5.0, 8.0, 16.0, 40.0];
    let trial = |i: usize| Compared {
        utc: "2026-11-03T07:00:00.000Z".into(),
        set: "ab".into(),
        run: "r1".into(),
        left: "h0007-380".into(),
        right: "h0007-420".into(),
        truth: Truth::Labelled,
        quality: Quality::Good,
        points: levels[i % 6],
        right_answer: levels[i % 6] >= told_from || (i / 6).is_multiple_of(2),
        seconds: 2.0,
        different_hearts: false,
    };
    (0..*TRIALS.start()).map(trial).collect()
}

fn files(sources: &Sources) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    write(
        &sources.report().unwrap(),
        sources,
        true,
        &mut |name, bytes| {
            files.insert(name.to_owned(), String::from_utf8(bytes.to_vec()).unwrap());
            Ok(())
        },
    )
    .unwrap();
    files
}

#[test]
fn a_profile_that_drilled_which_is_lower_has_its_difference_in_the_report() {
    let answers: Vec<Answer> = (0..12)
        .map(|i| answer(i, 20.0 + 4.0 * i as f64, 40))
        .collect();
    let of = |compared: &[Compared], answers: &[Answer]| {
        files(&Sources::of_profile("x", answers, compared, Mode::Practice))
    };
    let summary = |files: &BTreeMap<String, String>| -> serde_json::Value {
        serde_json::from_str(&files["summary.json"]).unwrap()
    };
    let found = of(&sitting(5.0), &answers);
    let jnd = summary(&found)["trainees"][0].clone();
    let value = jnd["jnd"]["value"].as_f64().unwrap();
    assert!((2.0..8.0).contains(&value), "{jnd}");
    assert!(jnd["jnd"]["low"].as_f64().unwrap() < value && jnd["jnd"]["high"].is_number());
    assert_eq!(
        (&jnd["lower"]["trials"], &jnd["n"]),
        (&30.into(), &12.into())
    );
    let page = &found["report.html"];
    assert!(
        page.contains("30 trials, truth labelled")
            && page.contains("Just-noticeable difference (JND)")
            && page.contains(&format!("{value:.1}"))
    );
    assert!(page.contains("Truth: exact"), "of the guesses");
    // Who guesses at everything.
    let found = of(&sitting(100.0), &answers);
    assert!(found["report.html"].contains("not measurable in this range"));
    // Not drilled, or too few trials of a profile: nothing is said of it.
    for compared in [&[][..], &sitting(5.0)[..29]] {
        let found = of(compared, &answers);
        assert!(!found["report.html"].contains("Which is lower"));
        assert_eq!(
            summary(&found)["trainees"][0]["jnd"],
            serde_json::Value::Null
        );
    }
    // Nothing but that.
    let found = of(&sitting(5.0), &[]);
    let page = &found["report.html"];
    assert!(page.contains("Truth: labelled") && page.contains("Just-noticeable"));
    assert!(!page.contains("<svg") && !page.contains("of agreement"));
    let none = Sources::of_profile("x", &[], &[], Mode::Practice).report();
    assert!(matches!(none, Err(ReportError::NoAnswers)));
}

#[test]
fn of_a_truth_whose_error_nobody_knows_none_is_told() {
    let mut answers: Vec<Answer> = (0..12)
        .map(|i| answer(i, 20.0 + 4.0 * i as f64, 40))
        .collect();
    let error = |files: &BTreeMap<String, String>| -> serde_json::Value {
        let summary: serde_json::Value = serde_json::from_str(&files["summary.json"]).unwrap();
        summary["truth_error_points"].clone()
    };
    let of = |answers: &[Answer]| files(&Sources::of_profile("x", answers, &[], Mode::Practice));
    assert_eq!(error(&of(&answers)), 0.0, "of simulated hearts it is none");
    for answer in &mut answers {
        answer.truth = Truth::Measured;
    }
    let found = of(&answers);
    assert_eq!(error(&found), serde_json::Value::Null);
    let page = &found["report.html"];
    assert!(page.contains("Truth: measured.") && page.contains("mean of guess and truth"));
    assert!(!page.contains("itself off by") && !page.contains("of the spread"));
    // A class knows it where its set does.
    let class = class(7);
    let labelled = |points: f64| {
        let mut all = results(&class);
        for result in &mut all {
            (result.truth, result.truth_error_points) = (Truth::Labelled, points);
            result.truth_source = "two readers".into();
        }
        files(&Sources::of_results(&all).unwrap())
    };
    let found = labelled(4.0);
    assert_eq!(error(&found), 4.0);
    let page = &found["report.html"];
    assert!(page.contains("Truth: labelled (two readers), itself off by 4.0 points (SD)."));
    assert!(page.contains("The truth's own error explains"));
    let found = labelled(0.0);
    assert_eq!(error(&found), serde_json::Value::Null);
    let page = &found["report.html"];
    assert!(page.contains("Truth: labelled (two readers)."));
    assert!(!page.contains("of the spread"));
}

#[test]
fn a_profiles_report_has_its_bands_qualities_and_sessions() {
    let answers: Vec<Answer> = (0..45).map(|i| answer(i, 20.0 + i as f64, 40)).collect();
    let found = files(&Sources::of_profile("x", &answers, &[], Mode::Practice));
    let summary: serde_json::Value = serde_json::from_str(&found["summary.json"]).unwrap();
    let labels = |key: &str| -> Vec<(String, u64)> {
        let groups = summary[key].as_array().unwrap().iter();
        let label = |g: &serde_json::Value| g["label"].as_str().unwrap().to_owned();
        groups
            .map(|g| (label(g), g["n"].as_u64().unwrap()))
            .collect()
    };
    let days = ["2026-11-01", "2026-11-02", "2026-11-03"].map(str::to_owned);
    let sessions: Vec<(String, u64)> = days.into_iter().zip([20, 20, 5]).collect();
    assert_eq!(labels("by_session"), sessions);
    assert_eq!(labels("by_band").len(), 5);
    assert_eq!(labels("by_band").iter().map(|b| b.1).sum::<u64>(), 45);
    assert_eq!(labels("by_quality")[2], ("poor".into(), 15));
    let page = &found["report.html"];
    for words in ["By band", "By picture quality", "By session", "2026-11-03"] {
        assert!(page.contains(words), "{words}");
    }
    // A class has no such parts; and one part alone is all answers.
    let class = files(&Sources::of_results(&results(&class(7))).unwrap());
    assert!(!class["summary.json"].contains("by_band"));
    let one = files(&Sources::of_profile(
        "x",
        &answers[..5],
        &[],
        Mode::Practice,
    ));
    assert!(!one["report.html"].contains("By session"));
}

/// A trainee who tells differences from so many points on, and says *left* below.
fn lower(class: &Class, alias: &str, told_from: f64, trials: usize) -> ClassResult {
    let mut result = ClassResult::new(class, alias);
    let mut pairs = class.pairs();
    while let Some(pair) = pairs.ask() {
        if pairs.trials() == trials {
            break;
        }
        let said = match pair.points >= told_from {
            true => pair.lower,
            false => Side::Left,
        };
        pairs.answered(&pair, said);
        result.trials.push(LowerTrial::new(&pair, said, 2.0));
    }
    result
}

#[test]
fn a_class_of_which_is_lower_gives_each_trainees_difference_and_no_limits() {
    let class = class_of(7, Kind::Lower);
    let all = [
        lower(&class, "A", 5.0, 60),
        lower(&class, "B", 12.0, 60),
        lower(&class, "C", 5.0, 12),
        lower(&class, "D", 5.0, 0),
        lower(&class, "E", 100.0, 60),
    ];
    let sources = Sources::of_results(&all).unwrap();
    let report = sources.report().unwrap();
    let jnd = |i: usize| report.trainees[i].jnd.map(|jnd| jnd.value);
    let (a, b) = (jnd(0).unwrap(), jnd(1).unwrap());
    assert!(
        a < b && (2.0..7.0).contains(&a) && (6.0..14.0).contains(&b),
        "{a} {b}"
    );
    assert_eq!(report.trainees[0].jnd, all[0].noticeable());
    assert_eq!((jnd(2), jnd(3)), (None, None));
    let trials: Vec<usize> = report
        .trainees
        .iter()
        .map(|t| t.lower.unwrap().trials)
        .collect();
    assert_eq!(trials, all.each_ref().map(|r| r.trials.len()));
    assert!(
        report
            .trainees
            .iter()
            .all(|t| t.progress == Progress::default())
    );
    let files = files(&sources);
    let page = &files["report.html"];
    assert!(page.contains("fewer than 30 trials") && page.contains("not measurable"));
    for guesses in ["of agreement", "<svg", "answers.", "Cases, those"] {
        assert!(!page.contains(guesses), "{guesses}");
    }
    let csv = &files["trials.csv"];
    assert_eq!(csv.lines().count(), 1 + trials.iter().sum::<usize>());
    let row = csv.lines().nth(1).unwrap();
    assert!(row.starts_with("A,h") && row.contains(",exact,simulated heart,16.0,true,2.0"));
    assert!(!files.contains_key("answers.csv"));
    let none = Sources::of_results(&all[3..4]).unwrap().report();
    assert!(matches!(none, Err(ReportError::NoAnswers)));
    // Whoever says that it was a class of guesses.
    let mut other = all.to_vec();
    other[1].kind = Kind::Guess;
    assert!(matches!(
        Sources::of_results(&other),
        Err(ReportError::OtherClass(_))
    ));
}
