//! Sentences that belong beside every figure.

use super::figures::Report;
use super::readings::{Reading, Readings};
use super::words::{count, list, percent, scripted};
use super::{ReaderAbout, Study};
use crate::study::power::FEW;
use std::collections::BTreeSet;

/// Share of late passes that is worth a sentence.
const LATE: f64 = 0.01;

pub(super) fn of(report: &Report, study: &Study, readings: &Readings) -> Vec<String> {
    let mut all = Vec::new();
    who_read(&mut all, study);
    how_it_went(&mut all, report, study, readings);
    what_it_can_say(&mut all, report, readings);
    of_logs(&mut all, study, readings);
    all
}

fn who_read(all: &mut Vec<String>, study: &Study) {
    let scripted = scripted(study);
    if !scripted.is_empty() {
        let who = list(&scripted);
        all.push(format!(
            "Not read by people: the answers of {who} come from a script and say nothing about readers."
        ));
    }
    if study.interim {
        all.push(
            "This is an interim look: logs are missing or incomplete, and figures will change. Whoever \
             decides by it to go on or to stop changes what the intervals mean."
                .to_owned(),
        );
    }
    if study.interim_before {
        all.push("An interim look was taken before all logs were complete.".to_owned());
    }
    if !study.key_sealed {
        all.push(
            "The key was not sealed by a passphrase: the study was not sealed from its administrator."
                .to_owned(),
        );
    }
    let with = |wanted: fn(&ReaderAbout) -> bool| of_plan(study, wanted);
    let withdrawn = with(|about| about.withdrawn);
    if !withdrawn.is_empty() {
        let who = list(&withdrawn);
        all.push(format!(
            "{who} withdrew: none of their readings is in any figure."
        ));
    }
    let logged: BTreeSet<&str> = study
        .readers
        .iter()
        .map(|about| about.reader.as_str())
        .collect();
    let planned = study.plan.readers.iter().map(|r| r.reader.as_str());
    let without: Vec<&str> = planned.filter(|name| !logged.contains(name)).collect();
    if !without.is_empty() {
        all.push(format!("There is no log of {}.", list(&without)));
    }
    let incomplete = with(|about| !about.complete && !about.withdrawn);
    if !incomplete.is_empty() {
        let who = list(&incomplete);
        all.push(format!(
            "Not all trials are answered: the log of {who} is incomplete."
        ));
    }
}

fn how_it_went(all: &mut Vec<String>, report: &Report, study: &Study, readings: &Readings) {
    let programs = study.readers.iter().flat_map(|about| &about.programs);
    let programs: BTreeSet<&str> = programs.map(String::as_str).collect();
    if programs.len() > 1 {
        let programs: Vec<&str> = programs.into_iter().collect();
        all.push(format!(
            "Readers used {} versions of the program: {}.",
            programs.len(),
            list(&programs)
        ));
    }
    if report.missing > 0 {
        all.push(format!(
            "{} ended without an answer within the time: missing, not wrong. The table of other ways to \
             count gives the result with these as wrong.",
            count(report.missing, "trial")
        ));
    }
    let again = readings
        .scored
        .iter()
        .filter(|r| r.response.attempt > 1)
        .count();
    if again > 0 {
        all.push(format!(
            "{} in accuracy, not in response times; the table of other ways to count gives the result without.",
            match again {
                1 => "1 trial was shown again after an interruption. It counts".to_owned(),
                n => format!("{n} trials were shown again after an interruption. They count"),
            }
        ));
    }
    let answered = |r: &&Reading| r.response.answer.is_some();
    let unrated = readings
        .scored
        .iter()
        .filter(answered)
        .filter(|r| r.rating.is_none())
        .count();
    if unrated > 0 {
        all.push(format!(
            "{} came without confidence: they count in accuracy, not in the area under the ROC curve.",
            count(unrated, "answer")
        ));
    }
    if study.plan.answer.confidence > 0 && readings.steps == 0 {
        all.push(
            "No answer came with confidence: the area under the ROC curve is that of the bare answers, which \
             is the balanced accuracy."
                .to_owned(),
        );
    }
}

fn what_it_can_say(all: &mut Vec<String>, report: &Report, readings: &Readings) {
    if report.readers == 1 {
        all.push(
            "One reader read: there is no interval for readers in general, and the result says something \
             about this reader alone."
                .to_owned(),
        );
    } else if report.readers < FEW {
        let n = report.readers;
        all.push(format!(
            "The result of {n} readers says something about these readers alone: with under {FEW}, how \
             readers differ is hardly known."
        ));
    }
    if report.balanced_accuracy.value.is_none() {
        all.push(
            "No reader answered both on a real and on a generated clip: balanced accuracy is not defined."
                .to_owned(),
        );
    } else if report.readers > 1 && report.balanced_accuracy.low.is_none() {
        all.push(
            "The answers vary too little, or are too few, to say how precise the balanced accuracy is: it \
             has no interval."
                .to_owned(),
        );
    }
    if let (Some(accuracy), Some(always)) = (report.overall.accuracy, report.overall.always_fake)
        && accuracy <= always.max(1.0 - always)
    {
        let word = if always >= 0.5 { "fake" } else { "real" };
        all.push(format!(
            "{} of all answers are right. Always to say “{word}” would have got {} right: with unequal \
             classes plain accuracy has no fixed chance level.",
            percent(accuracy),
            percent(always.max(1.0 - always))
        ));
    }
    for (index, reader) in readings.readers.iter().enumerate() {
        let calls = || readings.of_reader(index).filter_map(|r| r.call());
        let fakes = calls().filter(|call| *call > 0.0).count();
        let word = match (fakes, calls().count()) {
            (_, 0 | 1) => continue,
            (0, _) => "real",
            (fakes, n) if fakes == n => "fake",
            _ => continue,
        };
        all.push(format!("{} answered “{word}” in every trial.", reader.name));
    }
    if report.agreement.clips == 0 && report.readers > 1 {
        all.push(
            "No clip was shared by two readers: agreement between readers is not defined in this study."
                .to_owned(),
        );
    }
}

fn of_logs(all: &mut Vec<String>, study: &Study, readings: &Readings) {
    for (index, reader) in readings.readers.iter().enumerate() {
        let passes: usize = readings.of_reader(index).map(|r| r.response.passes).sum();
        let late: usize = readings
            .of_reader(index)
            .map(|r| r.response.late_passes)
            .sum();
        let share = late as f64 / passes.max(1) as f64;
        if share > LATE {
            let (name, share) = (reader.name, percent(share));
            all.push(format!("{name}: {share} of the screen's passes were late."));
        }
    }
    for planned in &study.plan.readers {
        let log = study
            .readers
            .iter()
            .find(|about| about.reader == planned.reader);
        for warning in log.iter().flat_map(|about| &about.warnings) {
            all.push(format!("{}: {warning}", planned.reader));
        }
    }
}

/// Names of those wanted, in the order of the plan.
fn of_plan<'a>(study: &'a Study, wanted: fn(&ReaderAbout) -> bool) -> Vec<&'a str> {
    let planned = study.plan.readers.iter().map(|r| r.reader.as_str());
    let is_wanted = |name: &&str| {
        study
            .readers
            .iter()
            .any(|about| about.reader == *name && wanted(about))
    };
    planned.filter(is_wanted).collect()
}
