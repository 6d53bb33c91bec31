//! What trainees and cases show: a page, a table and a summary.

mod page;
mod plot;

use super::case::{Relevance, Truth, relevance};
use super::profile::{Answer, Mode};
use super::progress::{Point, Progress};
use super::result::ClassResult;
use crate::ef::EfPercent;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// One answer, as all tables have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    pub alias: String,
    pub case: String,
    pub ladder: String,
    pub quality: &'static str,
    pub truth: &'static str,
    pub truth_source: String,
    pub ef_percent: f64,
    pub guess_percent: u32,
    pub error: f64,
    pub category: &'static str,
    pub guessed_category: &'static str,
    pub clinically_relevant: bool,
    pub seconds: f64,
}

/// What a report is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Sources {
    /// Of the class, or the alias; may be empty.
    pub title: String,
    pub truth: Truth,
    pub truth_source: String,
    pub truth_error_points: f64,
    pub rows: Vec<Row>,
    /// In the order they are to stand in.
    pub aliases: Vec<String>,
}

/// One trainee's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trainee {
    pub alias: String,
    #[serde(flatten)]
    pub progress: Progress,
    /// Of *which is lower*; none where that was not drilled.
    pub jnd: Option<super::staircase::Noticeable>,
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

/// All figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub truth: Truth,
    pub truth_source: String,
    pub truth_error_points: f64,
    pub trainees: Vec<Trainee>,
    /// Those with most errors of category first.
    pub cases: Vec<CaseFigures>,
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

fn row(alias: &str, truth: Truth, source: &str, answer: Guess) -> Row {
    let Guess {
        case,
        ladder,
        quality,
        ef_percent,
        guess_percent,
        seconds,
    } = answer;
    let guess = f64::from(guess_percent);
    let category = |ef| EfPercent::measured(ef).category().name();
    Row {
        alias: alias.to_owned(),
        case: case.to_owned(),
        ladder: ladder.to_owned(),
        quality,
        truth: truth.name(),
        truth_source: source.to_owned(),
        ef_percent,
        guess_percent,
        error: guess - ef_percent,
        category: category(ef_percent),
        guessed_category: category(guess),
        clinically_relevant: relevance(ef_percent, guess) == Relevance::ClinicallyRelevant,
        seconds,
    }
}

struct Guess<'a> {
    case: &'a str,
    ladder: &'a str,
    quality: &'static str,
    ef_percent: f64,
    guess_percent: u32,
    seconds: f64,
}

impl Sources {
    /// Of the results of one class, each trainee's once.
    ///
    /// # Errors
    /// When there is none, one is of another class, or a trainee is there twice.
    pub fn of_results(results: &[ClassResult]) -> Result<Self, ReportError> {
        let first = results.first().ok_or(ReportError::NoAnswers)?;
        let mut sources = Self {
            title: first.class.clone(),
            truth: first.truth,
            truth_source: first.truth_source.clone(),
            truth_error_points: first.truth_error_points,
            rows: Vec::new(),
            aliases: Vec::new(),
        };
        for result in results {
            let same = result.class_sha256 == first.class_sha256
                && result.cases_sha256 == first.cases_sha256;
            if !same {
                return Err(ReportError::OtherClass(result.alias.clone()));
            }
            if sources.aliases.contains(&result.alias) {
                return Err(ReportError::Twice(result.alias.clone()));
            }
            sources.aliases.push(result.alias.clone());
            let rows = result.answers.iter().filter_map(|answer| {
                let guess = Guess {
                    case: &answer.case,
                    ladder: &answer.ladder,
                    quality: answer.quality.name(),
                    ef_percent: answer.ef_percent,
                    guess_percent: answer.guess_percent?,
                    seconds: answer.seconds,
                };
                Some(row(
                    &result.alias,
                    result.truth,
                    &result.truth_source,
                    guess,
                ))
            });
            sources.rows.extend(rows);
        }
        Ok(sources)
    }

    /// Of a profile: first answers to cases that were not shown before, practice and tests of one kind of truth.
    pub fn of_profile(alias: &str, answers: &[Answer], mode: Mode) -> Self {
        let mut truths: BTreeMap<&'static str, usize> = BTreeMap::new();
        let wanted = |a: &&Answer| a.first && a.mode == mode;
        for answer in answers.iter().filter(wanted) {
            *truths.entry(answer.truth.name()).or_default() += 1;
        }
        // Kinds of truth are never taken together; the one with most answers is reported.
        let most = truths
            .iter()
            .max_by_key(|(_, n)| **n)
            .map(|(name, _)| *name);
        let of = answers
            .iter()
            .filter(wanted)
            .filter(|a| Some(a.truth.name()) == most);
        let truth = of.clone().next().map_or(Truth::Exact, |a| a.truth);
        let source = match truth {
            Truth::Exact => "simulated heart",
            Truth::Measured => "measured",
            Truth::Labelled => "labelled",
        };
        let rows = of.map(|a| {
            let guess = Guess {
                case: &a.case,
                ladder: &a.ladder,
                quality: a.quality.name(),
                ef_percent: a.ef_percent,
                guess_percent: a.guess_percent,
                seconds: a.seconds,
            };
            row(alias, truth, source, guess)
        });
        Self {
            title: String::new(),
            truth,
            truth_source: source.into(),
            truth_error_points: 0.0,
            rows: rows.collect(),
            aliases: vec![alias.to_owned()],
        }
    }

    fn points<'a>(&'a self, alias: &'a str) -> impl Iterator<Item = Point> + 'a {
        let of = self.rows.iter().filter(move |r| r.alias == alias);
        of.map(|r| Point {
            ef_percent: r.ef_percent,
            guess_percent: f64::from(r.guess_percent),
        })
    }

    /// # Errors
    /// When nothing was answered.
    pub fn report(&self) -> Result<Report, ReportError> {
        if self.rows.is_empty() {
            return Err(ReportError::NoAnswers);
        }
        let trainee = |alias: &String| Trainee {
            alias: alias.clone(),
            progress: Progress::of(&self.points(alias).collect::<Vec<_>>()),
            jnd: None,
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
    let form = |file: &'static str, why: String| ReportError::Form { file, why };
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in &sources.rows {
        csv.serialize(row)
            .map_err(|e| form("answers.csv", e.to_string()))?;
    }
    let csv = csv.into_inner();
    let csv = csv.map_err(|e| form("answers.csv", e.to_string()))?;
    let json = serde_json::to_vec_pretty(report);
    let json = json.map_err(|e| form("summary.json", e.to_string()))?;
    let page = page::page(report, sources, by_case).into_bytes();
    for (file, bytes) in [
        ("report.html", page),
        ("answers.csv", csv),
        ("summary.json", json),
    ] {
        write(file, &bytes).map_err(|why| ReportError::Write { file, why })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
