//! A crossed study with repeats, missing answers, a trial shown again and a reader who withdrew.

use super::files;
use super::simulated::Simulated;
use crate::statistics::mrmc::{ReaderAveragedAuc, Readings};
use crate::study::plan::Kind;
use crate::study::report::{Report, Study, report};
use std::collections::{BTreeMap, BTreeSet};

fn study() -> Simulated {
    let mut study = Simulated::crossed(4, [30, 15, 15], 20).read(11, 0.8, 0.3);
    for place in [5, 90, 91, 200] {
        study.responses[place].answer = None;
        study.responses[place].confidence = None;
        study.responses[place].rt_ms = 30_000.0;
    }
    study.responses[17].attempt = 2;
    study.responses[17].rt_ms = 1e9;
    study.readers[2].withdrawn = true;
    study
}

/// An iMRMC file as iMRMC reads it: truth by case, and ratings by modality, reader and case.
struct Read {
    truth: BTreeMap<String, bool>,
    ratings: BTreeMap<String, BTreeMap<(String, String), f64>>,
}

fn read(text: &str) -> Read {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("BEGIN DATA:"));
    let (mut truth, mut ratings) = (BTreeMap::new(), BTreeMap::<_, BTreeMap<_, _>>::new());
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let [reader, case, modality, value] = cells[..] else {
            panic!("{line}");
        };
        if reader == "truth" {
            assert_eq!(modality, "truth");
            assert!(
                truth.insert(case.to_owned(), value == "1").is_none(),
                "{line}"
            );
            continue;
        }
        let of = ratings.entry(modality.to_owned()).or_default();
        let twice = of.insert((reader.to_owned(), case.to_owned()), value.parse().unwrap());
        assert!(twice.is_none(), "a case twice: {line}");
    }
    Read { truth, ratings }
}

impl Read {
    fn auc(&self, modality: &str, value: impl Fn(f64) -> f64) -> ReaderAveragedAuc {
        let ratings = &self.ratings[modality];
        let readers: BTreeSet<&str> = ratings.keys().map(|(reader, _)| reader.as_str()).collect();
        let of = |reader: &&str| {
            let rating = |case: &String| ratings.get(&((*reader).to_owned(), case.clone()));
            self.truth
                .keys()
                .map(|case| rating(case).map(|r| value(*r)))
                .collect()
        };
        let readings = Readings::new(
            self.truth.values().copied().collect(),
            readers.iter().map(of).collect(),
        );
        ReaderAveragedAuc::from_readings(&readings.unwrap()).unwrap()
    }
}

#[test]
fn the_imrmc_file_gives_the_figures_of_the_summary() {
    for simulated in [study(), super::published::published()] {
        let study = simulated.study();
        let files = files(&study);
        let summary: serde_json::Value = serde_json::from_str(&files["summary.json"]).unwrap();
        let imrmc = read(&files["study.imrmc"]);
        let figure = |which: &str, key: &str| summary[which][key].as_f64().unwrap();
        for (which, value) in [("auc", None), ("balanced_accuracy", Some(0.0))] {
            let value = |r: f64| value.map_or(r, |cut| f64::from(u8::from(r > cut)));
            let again = imrmc.auc("study", value);
            assert!((again.auc - figure(which, "value")).abs() < 1e-12);
            assert!((again.variance.unwrap() - figure(which, "variance")).abs() < 1e-12);
            assert!((again.df.unwrap() - figure(which, "df")).abs() < 1e-6);
            let interval = again.interval(0.95).unwrap();
            assert!((interval.low - figure(which, "low")).abs() < 1e-9);
            assert!((interval.high - figure(which, "high")).abs() < 1e-9);
        }
        let cases: BTreeSet<&String> = imrmc.ratings["study"]
            .keys()
            .map(|(_, case)| case)
            .collect();
        assert_eq!(cases.len(), imrmc.truth.len());
        assert_eq!(
            imrmc.ratings["study"].len() as u64,
            summary["answered"].as_u64().unwrap()
        );

        let by_class = read(&files["by_class.imrmc"]);
        for class in ["factual", "counterfactual"] {
            let found = &summary["by_class"].as_array().unwrap();
            let found = found.iter().find(|c| c["class"] == class).unwrap();
            let again = by_class.auc(class, |r| r);
            assert!((again.auc - found["auc"].as_f64().unwrap()).abs() < 1e-12);
        }
        let mut rows = files["mrmcaov.csv"].lines();
        assert_eq!(rows.next(), Some("reader,treatment,case,truth,rating"));
        for row in rows {
            let cells: Vec<&str> = row.split(',').collect();
            let rating = imrmc.ratings["study"][&(cells[0].to_owned(), cells[2].to_owned())];
            assert_eq!(cells[4].parse::<f64>().unwrap(), rating);
            assert_eq!(cells[3] == "1", imrmc.truth[cells[2]]);
        }
    }
}

/// All but sentences: those say what was left out.
fn figures(study: &Study) -> Report {
    let found = report(study).unwrap();
    Report {
        warnings: Vec::new(),
        ..found
    }
}

#[test]
fn what_does_not_count_changes_nothing() {
    let simulated = study();
    let study = simulated.study();
    let found = figures(&study);
    assert_eq!((found.readers, found.trials), (3, 180));
    // Two of the four missing answers are the third reader's or repeats.
    assert_eq!(found.answered + found.missing, 180);

    let mut other = study.clone();
    for response in &mut other.responses {
        if response.reader == 2 {
            response.answer = None;
        }
    }
    assert_eq!(figures(&other), found);
    other.responses.retain(|r| r.reader != 2);
    other.readers.remove(2);
    assert_eq!(figures(&other), found);

    // Repeats tell about a reader's agreement with themselves and nothing else.
    let mut other = study.clone();
    other.responses.retain(|r| r.kind != Kind::Repeat);
    let mut without = figures(&other);
    assert!(without.agreement.repeated.is_empty() && !found.agreement.repeated.is_empty());
    without.agreement.repeated = found.agreement.repeated.clone();
    assert_eq!(without, found);
}

#[test]
fn a_trial_shown_again_counts_in_accuracy_and_not_in_times() {
    let simulated = study();
    let study = simulated.study();
    let found = figures(&study);
    assert!(found.response_s.iter().all(|t| t.q3.unwrap() < 1000.0));
    let timed: usize = found.response_s.iter().map(|t| t.n).sum();
    assert_eq!(timed, found.answered - 1);

    let also = &found.balanced_accuracy.also;
    assert_eq!(also.len(), 2);
    assert!(also[0].what.contains("shown again") && also[0].trials == found.answered - 1);
    assert!(also[1].what.contains("wrong") && also[1].trials == found.trials);
    assert!(also[1].value < found.balanced_accuracy.value);
    let html = &files(&study)["report.html"];
    assert!(html.contains("missing answers taken as wrong") && html.contains("shown again"));
}

#[test]
fn the_order_of_logs_and_answers_changes_nothing() {
    let simulated = study();
    let study = simulated.study();
    let mut other = study.clone();
    other.responses.reverse();
    other.responses.rotate_left(101);
    other.readers.reverse();
    assert_eq!(files(&study), files(&other));
}

#[test]
fn agreement_is_that_of_a_hand_count() {
    let simulated = study();
    let found = figures(&simulated.study());
    let agreement = &found.agreement;
    assert_eq!((agreement.clips, agreement.pairs.len()), (60, 3));
    // Not every clip has three answers.
    assert_eq!(agreement.fleiss, None);
    let answer = |reader: usize, clip: &str, kind: Kind| {
        let mut of = simulated
            .responses
            .iter()
            .filter(|r| r.reader == reader && r.kind == kind);
        of.find(|r| r.clip == clip).unwrap().answer
    };
    let pair = &agreement.pairs[1];
    assert_eq!((pair.a.as_str(), pair.b.as_str()), ("R1", "R4"));
    let clips = || simulated.key.clips.iter().map(|c| c.clip.as_str());
    let both =
        clips().filter_map(|clip| answer(0, clip, Kind::Scored).zip(answer(3, clip, Kind::Scored)));
    let both: Vec<_> = both.collect();
    let alike = both.iter().filter(|(a, b)| a == b).count();
    assert_eq!(pair.clips, both.len());
    assert_eq!(pair.percent, Some(alike as f64 / both.len() as f64));
    for (low, value, high) in [
        (pair.percent_low, pair.percent, pair.percent_high),
        (pair.kappa_low, pair.kappa, pair.kappa_high),
        (agreement.alpha_low, agreement.alpha, agreement.alpha_high),
        (agreement.ac1_low, agreement.ac1, agreement.ac1_high),
        (
            agreement.percent_low,
            agreement.percent,
            agreement.percent_high,
        ),
    ] {
        assert!(
            low < value && value < high && low.is_some(),
            "{low:?} {value:?} {high:?}"
        );
    }
    let repeated = &agreement.repeated[2];
    let again = simulated
        .responses
        .iter()
        .filter(|r| r.reader == 3 && r.kind == Kind::Repeat);
    let both: Vec<_> = again
        .filter_map(|r| r.answer.zip(answer(3, &r.clip, Kind::Scored)))
        .collect();
    let alike = both.iter().filter(|(a, b)| a == b).count();
    assert_eq!(
        (repeated.reader.as_str(), repeated.clips),
        ("R4", both.len())
    );
    assert_eq!(repeated.percent, Some(alike as f64 / both.len() as f64));
}

#[test]
fn tables_have_a_row_for_each_trial_reader_and_clip() {
    let simulated = study();
    let study = simulated.study();
    let files = files(&study);
    let rows = |name: &str| {
        let mut reader = csv::Reader::from_reader(files[name].as_bytes());
        let header = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
        (header, rows)
    };
    let (header, trials) = rows("trials.csv");
    assert_eq!(trials.len(), 3 * 80);
    let column = |name: &str| header.iter().position(|h| h == name).unwrap();
    let missing = trials
        .iter()
        .filter(|row| row[column("answer")].is_empty())
        .count();
    let (kind, correct) = (column("kind"), column("correct"));
    assert!(
        trials
            .iter()
            .all(|row| row[column("answer")].is_empty() == row[correct].is_empty())
    );
    assert_eq!(
        trials.iter().filter(|row| &row[kind] == "repeat").count(),
        60
    );
    assert!(missing >= report(&study).unwrap().missing);
    let (header, readers) = rows("readers.csv");
    let withdrawn = header.iter().position(|h| h == "withdrawn").unwrap();
    assert_eq!(readers.len(), 4);
    assert!(&readers[2][withdrawn] == "true" && readers[2].iter().skip(10).all(str::is_empty));
    assert_eq!(rows("clips.csv").1.len(), 60);
    // What the key calls a heart is in no table.
    assert!(!files.values().any(|text| text.contains("heart 1")));
}
