//! What a report is made of: answers of a class's trainees, or of one profile.

use super::{Groups, ReportError};
use crate::drill::case::{Relevance, Truth, relevance};
use crate::drill::class::Kind;
use crate::drill::lower::{last_sitting, noticeable_of};
use crate::drill::profile::{Answer, Compared, Mode};
use crate::drill::progress::{Point, by_band, by_quality, by_session};
use crate::drill::result::ClassResult;
use crate::drill::staircase::Noticeable;
use crate::ef::EfPercent;
use serde::Serialize;
use std::collections::BTreeMap;

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

/// One trial of *Which is lower?*, as a table has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrialRow {
    pub alias: String,
    pub left: String,
    pub right: String,
    pub truth: &'static str,
    pub truth_source: String,
    /// The difference that was shown, in EF points.
    pub points: f64,
    pub right_answer: bool,
    pub seconds: f64,
}

/// What a report is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Sources {
    /// Of the class, or the alias; may be empty.
    pub title: String,
    pub truth: Truth,
    pub truth_source: String,
    /// By which the truth itself is off, SD, in EF points; none where that is not known.
    pub truth_error_points: Option<f64>,
    pub rows: Vec<Row>,
    /// In the order they are to stand in.
    pub aliases: Vec<String>,
    /// By alias, where *which is lower* was drilled.
    pub lower: BTreeMap<String, Lower>,
    /// What those figures are of.
    pub trials: Vec<TrialRow>,
    /// Of a profile.
    pub groups: Option<Groups>,
}

/// What trials of *Which is lower?* show.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Lower {
    pub trials: usize,
    pub truth: Truth,
    /// None where there are too few trials.
    #[serde(skip)]
    pub noticeable: Option<Noticeable>,
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

/// Of an exact truth 0 points are its error; of any other they mean that nobody has said it.
fn known_error(truth: Truth, points: f64) -> Option<f64> {
    (truth == Truth::Exact || points > 0.0).then_some(points)
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
            truth_error_points: known_error(first.truth, first.truth_error_points),
            rows: Vec::new(),
            aliases: Vec::new(),
            lower: BTreeMap::new(),
            trials: Vec::new(),
            groups: None,
        };
        for result in results {
            let same = result.class_sha256 == first.class_sha256
                && result.cases_sha256 == first.cases_sha256
                && result.kind == first.kind;
            if !same {
                return Err(ReportError::OtherClass(result.alias.clone()));
            }
            if sources.aliases.contains(&result.alias) {
                return Err(ReportError::Twice(result.alias.clone()));
            }
            sources.aliases.push(result.alias.clone());
            if result.kind == Kind::Lower {
                let lower = Lower {
                    trials: result.trials.len(),
                    truth: result.truth,
                    noticeable: result.noticeable(),
                };
                sources.lower.insert(result.alias.clone(), lower);
            }
            let trials = result.trials.iter().map(|trial| TrialRow {
                alias: result.alias.clone(),
                left: trial.left.clone(),
                right: trial.right.clone(),
                truth: result.truth.name(),
                truth_source: result.truth_source.clone(),
                points: trial.points,
                right_answer: trial.right_answer,
                seconds: trial.seconds,
            });
            sources.trials.extend(trials);
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

    /// Of a profile: first answers to cases that were not shown before, in one mode and of one kind of truth; and its
    /// last sitting of *Which is lower?*
    pub fn of_profile(alias: &str, answers: &[Answer], compared: &[Compared], mode: Mode) -> Self {
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
        let lower = last_sitting(compared);
        let guessed = of.clone().next().map(|a| a.truth);
        let truth = guessed.or_else(|| lower.first().map(|c| c.truth));
        let truth = truth.unwrap_or(Truth::Exact);
        let source = truth.source().unwrap_or(truth.name());
        let of_mode = answers.iter().filter(|a| a.mode == mode);
        let reported: Vec<&Answer> = of_mode.filter(|a| a.truth == truth).collect();
        let groups = Groups {
            by_band: by_band(&reported),
            by_quality: by_quality(&reported),
            by_session: by_session(&reported),
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
        let trials = lower.iter().map(|trial| TrialRow {
            alias: alias.to_owned(),
            left: trial.left.clone(),
            right: trial.right.clone(),
            truth: trial.truth.name(),
            truth_source: trial.truth.source().unwrap_or(trial.truth.name()).into(),
            points: trial.points,
            right_answer: trial.right_answer,
            seconds: trial.seconds,
        });
        let trials: Vec<TrialRow> = trials.collect();
        let lower = lower.first().map(|first| {
            let lower = Lower {
                trials: trials.len(),
                truth: first.truth,
                noticeable: noticeable_of(compared),
            };
            (alias.to_owned(), lower)
        });
        Self {
            title: String::new(),
            truth,
            truth_source: source.into(),
            // Answers do not say it.
            truth_error_points: known_error(truth, 0.0),
            rows: rows.collect(),
            aliases: vec![alias.to_owned()],
            lower: lower.into_iter().collect(),
            trials,
            groups: Some(groups),
        }
    }

    /// What a trainee guessed.
    pub(super) fn points<'a>(&'a self, alias: &'a str) -> impl Iterator<Item = Point> + 'a {
        let of = self.rows.iter().filter(move |r| r.alias == alias);
        of.map(|r| Point {
            ef_percent: r.ef_percent,
            guess_percent: f64::from(r.guess_percent),
        })
    }
}
