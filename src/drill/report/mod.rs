//! What trainees and cases show: a page, a table and a summary.

mod page;
mod plot;
mod sources;

pub use sources::{Lower, Row, Sources, TrialRow};

use super::case::Truth;
use super::progress::{Group, Progress};
use super::staircase::Noticeable;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// One trainee's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trainee {
    pub alias: String,
    #[serde(flatten)]
    pub progress: Progress,
    /// The just-noticeable difference; none where *which is lower* was not drilled long enough.
    pub jnd: Option<Noticeable>,
    /// None where it was not drilled.
    pub lower: Option<Lower>,
}

/// What all made of one case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseFigures {
    pub case: String,
    /// In percent.
    pub truth: f64,
    /// Of the guesses.
    pub mean: f64,
    /// None with one guess.
    pub sd: Option<f64>,
    pub n: usize,
    /// Guesses of another category.
    pub category_errors: usize,
}

/// A profile's answers in parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Groups {
    pub by_band: Vec<Group>,
    pub by_quality: Vec<Group>,
    /// In the order of time.
    pub by_session: Vec<Group>,
}

/// All figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub truth: Truth,
    pub truth_source: String,
    /// SD; none where it is not known.
    pub truth_error_points: Option<f64>,
    pub trainees: Vec<Trainee>,
    /// Those with most errors of category first.
    pub cases: Vec<CaseFigures>,
    /// Of a profile.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("nothing was answered: there is nothing to report")]
    NoAnswers,
    #[error("{0} is a result of another class: report each class by itself")]
    OtherClass(String),
    #[error("there are two results of {0}: leave one out")]
    Twice(String),
    #[error("{file} cannot be written: {why}")]
    Write { file: &'static str, why: io::Error },
    #[error("{file} cannot be made: {why}")]
    Form { file: &'static str, why: String },
}

impl Sources {
    /// # Errors
    /// When nothing was answered.
    pub fn report(&self) -> Result<Report, ReportError> {
        if self.rows.is_empty() && self.trials.is_empty() {
            return Err(ReportError::NoAnswers);
        }
        let trainee = |alias: &String| {
            let lower = self.lower.get(alias).copied();
            Trainee {
                alias: alias.clone(),
                progress: Progress::of(&self.points(alias).collect::<Vec<_>>()),
                jnd: lower.and_then(|l| l.noticeable),
                lower,
            }
        };
        let mut by_case: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &self.rows {
            by_case.entry(&row.case).or_default().push(row);
        }
        let figures = |(case, rows): (&&str, &Vec<&Row>)| {
            let guesses: Vec<f64> = rows.iter().map(|r| f64::from(r.guess_percent)).collect();
            let n = guesses.len();
            let mean = guesses.iter().sum::<f64>() / n as f64;
            let squares: f64 = guesses.iter().map(|g| (g - mean).powi(2)).sum();
            let errors = rows.iter().filter(|r| r.category != r.guessed_category);
            Some(CaseFigures {
                case: (*case).to_owned(),
                truth: rows.first()?.ef_percent,
                mean,
                sd: (n > 1).then(|| (squares / (n as f64 - 1.0)).sqrt()),
                n,
                category_errors: errors.count(),
            })
        };
        let mut cases: Vec<CaseFigures> = by_case.iter().filter_map(figures).collect();
        let off = |c: &CaseFigures| (c.mean - c.truth).abs();
        cases.sort_by(|a, b| {
            let errors = b.category_errors.cmp(&a.category_errors);
            errors.then(off(b).total_cmp(&off(a)))
        });
        Ok(Report {
            truth: self.truth,
            truth_source: self.truth_source.clone(),
            truth_error_points: self.truth_error_points,
            trainees: self.aliases.iter().map(trainee).collect(),
            cases,
            groups: self.groups.clone(),
        })
    }
}

/// Makes every file of the report and gives each, whole, to `write` with its name.
///
/// # Errors
/// The first error of `write`, or when a table cannot be made.
pub fn write(
    report: &Report,
    sources: &Sources,
    by_case: bool,
    write: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>,
) -> Result<(), ReportError> {
    let json = serde_json::to_vec_pretty(report).map_err(|e| ReportError::Form {
        file: "summary.json",
        why: e.to_string(),
    })?;
    let page = page::page(report, sources, by_case).into_bytes();
    let mut files = vec![("report.html", page), ("summary.json", json)];
    // A class of which is lower has no answers but its trials.
    if !sources.rows.is_empty() {
        files.push(("answers.csv", table("answers.csv", &sources.rows)?));
    }
    if !sources.trials.is_empty() {
        files.push(("trials.csv", table("trials.csv", &sources.trials)?));
    }
    for (file, bytes) in files {
        write(file, &bytes).map_err(|why| ReportError::Write { file, why })?;
    }
    Ok(())
}

fn table(file: &'static str, rows: &[impl Serialize]) -> Result<Vec<u8>, ReportError> {
    let form = |why: String| ReportError::Form { file, why };
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in rows {
        csv.serialize(row).map_err(|e| form(e.to_string()))?;
    }
    csv.into_inner().map_err(|e| form(e.to_string()))
}

#[cfg(test)]
mod tests;
