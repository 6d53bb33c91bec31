//! Tables for spreadsheets and scripts: one row for each trial, reader, clip. A figure that is not defined is
//! an empty cell.

use super::readings::{Reading, Readings};
use super::{Estimate, ReaderFigures, Report, ReportError, Study};
use crate::statistics::quantile::median;
use crate::study::plan::Kind;
use crate::study::record::{Answer, PresentedBy};

/// Scored and repeated trials of readers who did not withdraw.
pub(super) fn trials(study: &Study, readings: &Readings) -> Result<Vec<u8>, ReportError> {
    let mut all: Vec<&Reading> = readings.scored.iter().chain(&readings.repeats).collect();
    all.sort_by_key(|r| (r.reader, r.response.trial));
    let steps = study.plan.answer.confidence;
    let row = |r: &&Reading| {
        let (response, truth) = (r.response, readings.clips.get(r.clip)?);
        let answer = response.answer.map(|answer| match answer {
            Answer::Real => "real",
            Answer::Fake => "fake",
        });
        let kind = match response.kind {
            Kind::Scored => "scored",
            Kind::Repeat => "repeat",
            Kind::Practice => "practice",
        };
        Some(vec![
            readings.readers.get(r.reader)?.name.to_owned(),
            response.trial.to_string(),
            response.block.to_string(),
            kind.to_owned(),
            response.clip.clone(),
            r.class.name().to_owned(),
            cell(readings.hearts.get(r.clip)),
            cell(truth.requested_ef_percent),
            cell(truth.measured_ef_percent),
            answer.unwrap_or_default().to_owned(),
            cell(response.confidence.filter(|c| (1..=steps).contains(c))),
            cell(r.rating),
            cell(r.correct()),
            cell(Some(response.rt_ms).filter(|ms| ms.is_finite())),
            response.attempt.to_string(),
            response.passes.to_string(),
            response.late_passes.to_string(),
        ])
    };
    let header = "reader,trial,block,kind,clip,class,anatomy,requested_ef_percent,measured_ef_percent,answer,\
                  confidence,rating,correct,rt_ms,attempt,passes,late_passes";
    csv("trials.csv", header, all.iter().filter_map(row))
}

/// Every log, also of those who withdrew: then without a figure.
pub(super) fn readers(report: &Report, study: &Study) -> Result<Vec<u8>, ReportError> {
    let logs = study.plan.readers.iter().filter_map(|planned| {
        let log = study
            .readers
            .iter()
            .find(|about| about.reader == planned.reader)?;
        let presentation = match log.presentation {
            PresentedBy::Window => "window",
            PresentedBy::Script => "script",
        };
        let mut row = vec![
            log.reader.clone(),
            word(&log.role),
            cell(log.years),
            cell(log.glasses),
            presentation.to_owned(),
            word(&log.programs.join("; ")),
            word(&log.receipt),
            log.complete.to_string(),
            log.withdrawn.to_string(),
            cell(log.period_ms),
        ];
        let figures = report.by_reader.iter().find(|r| r.reader == planned.reader);
        row.extend(figures.map_or_else(|| vec![String::new(); 29], |f| figures_of(f, report)));
        Some(row)
    });
    let mut header =
        "reader,role,years,glasses,presentation,programs,receipt,complete,withdrawn,period_ms,\
                      trials,answered,missing,correct,accuracy,wilson_low,wilson_high"
            .to_owned();
    for figure in [
        "sensitivity",
        "specificity",
        "balanced_accuracy",
        "d_prime",
        "criterion",
        "auc",
    ] {
        header += &format!(",{figure},{figure}_low,{figure}_high");
    }
    header += ",repeats,repeats_percent,repeats_kappa,median_response_s";
    csv("readers.csv", &header, logs)
}

fn figures_of(f: &ReaderFigures, report: &Report) -> Vec<String> {
    let mut row = vec![
        f.trials.to_string(),
        f.answered.to_string(),
        f.missing.to_string(),
        f.correct.to_string(),
        cell(f.accuracy),
        cell(f.wilson_low),
        cell(f.wilson_high),
    ];
    for Estimate { value, low, high } in [
        f.sensitivity,
        f.specificity,
        f.balanced_accuracy,
        f.d_prime,
        f.criterion,
        f.auc,
    ] {
        row.extend([cell(value), cell(low), cell(high)]);
    }
    let repeated = report
        .agreement
        .repeated
        .iter()
        .find(|r| r.reader == f.reader);
    row.extend([
        cell(repeated.map(|r| r.clips)),
        cell(repeated.and_then(|r| r.percent)),
        cell(repeated.and_then(|r| r.kappa)),
        cell(f.median_response_s),
    ]);
    row
}

/// Every clip that was on screen in a trial that counts.
pub(super) fn clips(readings: &Readings) -> Result<Vec<u8>, ReportError> {
    let rows = readings.clips.iter().enumerate().map(|(place, truth)| {
        let of = || readings.scored.iter().filter(|r| r.clip == place);
        let fakes = of().filter(|r| r.call() == Some(1.0)).count();
        let answers = of().filter_map(Reading::correct).count();
        let correct = of().filter(|r| r.correct() == Some(true)).count();
        let seconds: Vec<f64> = of().filter_map(Reading::response_s).collect();
        vec![
            truth.clip.clone(),
            truth.class.name().to_owned(),
            cell(readings.hearts.get(place)),
            cell(truth.requested_ef_percent),
            cell(truth.measured_ef_percent),
            word(truth.cascade.as_deref().unwrap_or_default()),
            word(truth.weights_sha256.as_deref().unwrap_or_default()),
            cell(truth.seed),
            answers.to_string(),
            (of().count() - answers).to_string(),
            fakes.to_string(),
            correct.to_string(),
            cell((answers > 0).then(|| correct as f64 / answers as f64)),
            cell(median(&seconds)),
        ]
    });
    let header = "clip,class,anatomy,requested_ef_percent,measured_ef_percent,cascade,weights_sha256,seed,\
                  answers,missing,answered_fake,correct,accuracy,median_response_s";
    csv("clips.csv", header, rows)
}

fn cell<T: ToString>(value: Option<T>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

/// Words of others: a spreadsheet takes what begins so for a formula.
fn word(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn csv(
    file: &'static str,
    header: &str,
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<Vec<u8>, ReportError> {
    let form = |why: String| ReportError::Form { file, why };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(header.split(','))
        .map_err(|e| form(e.to_string()))?;
    for row in rows {
        writer.write_record(row).map_err(|e| form(e.to_string()))?;
    }
    writer.into_inner().map_err(|e| form(e.to_string()))
}
