//! `ALIAS-NAME.echoresult`: what one trainee answered in a class, and nothing else of theirs.

use super::case::{Case, RANGE, Recipe, Truth};
use super::class::{Class, Kind};
use super::lower::{Pair, Side};
use super::profile::{Compared, GUESSES, is_alias};
use super::sampler::sha256_of;
use super::set::is_name;
use super::staircase::{Noticeable, Staircase, TRIALS};
use crate::files::head::{Head, head};
use crate::phantom::Quality;
use serde::{Deserialize, Serialize};

pub const FORMAT: &str = "echoif-result";
pub const VERSION: u32 = 1;
/// Bytes of a result that is read.
pub const MOST_BYTES: usize = 4 << 20;

/// One trainee's answers to a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassResult {
    pub format: String,
    pub version: u32,
    pub alias: String,
    pub class: String,
    pub class_sha256: String,
    pub cases_sha256: String,
    pub kind: Kind,
    pub truth: Truth,
    pub truth_source: String,
    pub truth_error_points: f64,
    /// In the order of the class, each of its cases.
    pub answers: Vec<Answered>,
    /// Of a class of kind *lower*, in the order in which they were answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<LowerTrial>,
}

/// A case of a class, and what was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    pub case: String,
    pub ladder: String,
    pub quality: Quality,
    pub ef_percent: f64,
    /// None where the time limit passed, or the trainee stopped before.
    pub guess_percent: Option<u32>,
    pub seconds: f64,
}

/// A trial of *Which is lower?*, and what was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LowerTrial {
    /// Cases.
    pub left: String,
    pub right: String,
    /// The difference that was shown, in EF points, above 0.
    pub points: f64,
    pub right_answer: bool,
    pub seconds: f64,
}

impl From<&Compared> for LowerTrial {
    fn from(kept: &Compared) -> Self {
        Self {
            left: kept.left.clone(),
            right: kept.right.clone(),
            points: kept.points,
            right_answer: kept.right_answer,
            seconds: kept.seconds,
        }
    }
}

impl LowerTrial {
    pub fn new(pair: &Pair, said: Side, seconds: f64) -> Self {
        Self {
            left: pair.left.case.clone(),
            right: pair.right.case.clone(),
            points: pair.points,
            right_answer: said == pair.lower,
            seconds,
        }
    }

    /// Whether it is one that can be given.
    fn is_sound(&self) -> bool {
        let points = self.points > 0.0 && self.points <= *RANGE.end();
        let seconds = self.seconds.is_finite() && self.seconds >= 0.0;
        let names = is_name(&self.left) && is_name(&self.right) && self.left != self.right;
        points && seconds && names
    }
}

/// Why a result cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResultError {
    #[error("this is no result of a class: choose a file with the ending .echoresult")]
    NoResult,
    #[error(
        "this result was written by a later version of the program (its form is {0}): open it with that version"
    )]
    Later(u32),
    #[error("this result cannot be used: {0}")]
    Content(String),
}

impl ClassResult {
    /// Of a class that nobody has answered yet.
    pub fn new(class: &Class, alias: &str) -> Self {
        let (truth, source, error) = class.truth();
        let open = |case: Case| Answered {
            case: case.case,
            ladder: case.ladder,
            quality: case.quality,
            ef_percent: case.ef_percent,
            guess_percent: None,
            seconds: 0.0,
        };
        Self {
            format: FORMAT.into(),
            version: VERSION,
            alias: alias.to_owned(),
            class: class.name.clone(),
            class_sha256: class.sha256(),
            cases_sha256: class.cases_sha256.clone(),
            kind: class.kind,
            truth,
            truth_source: source.to_owned(),
            truth_error_points: error,
            answers: class.list().into_iter().map(open).collect(),
            trials: Vec::new(),
        }
    }

    /// # Errors
    /// When it is none, is of a later version, or its cases were edited.
    pub fn parse(bytes: &[u8]) -> Result<Self, ResultError> {
        match head(bytes, FORMAT, VERSION) {
            Head::Ours => {}
            Head::Later(version) => return Err(ResultError::Later(version)),
            Head::Other => return Err(ResultError::NoResult),
        }
        let result: Self =
            serde_json::from_slice(bytes).map_err(|e| ResultError::Content(e.to_string()))?;
        let content = |why: &str| Err(ResultError::Content(why.into()));
        if !is_alias(&result.alias) {
            return content("its alias is none");
        }
        let cases: Vec<Case> = result.answers.iter().map(Answered::case).collect();
        if sha256_of(&cases) != result.cases_sha256 {
            return content(
                "its cases are not those of the class that it names: the file was edited",
            );
        }
        let is_sound = |a: &Answered| {
            let guess = a.guess_percent.is_none_or(|g| GUESSES.contains(&g));
            guess && a.seconds.is_finite() && a.seconds >= 0.0
        };
        if !result.answers.iter().all(is_sound) {
            return content("an answer in it is none that can be given");
        }
        let most = match result.kind {
            Kind::Guess => 0,
            Kind::Lower => *TRIALS.end(),
        };
        if result.trials.len() > most || !result.trials.iter().all(LowerTrial::is_sound) {
            return content("a trial in it is none that can be given");
        }
        Ok(result)
    }

    /// What the trials show; None where there are fewer than a sitting has.
    pub fn noticeable(&self) -> Option<Noticeable> {
        let trials = self.trials.iter();
        Staircase::replayed(trials.map(|t| (t.points, t.right_answer)))
    }

    /// Compact, always the same.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Answered {
    fn case(&self) -> Case {
        Case {
            case: self.case.clone(),
            ladder: self.ladder.clone(),
            quality: self.quality,
            ef_percent: self.ef_percent,
            // A list is told by names and EFs.
            recipe: Recipe::Simulated { seed: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::class::{Feedback, Wanted};
    use crate::drill::sampler::Source;

    #[test]
    fn a_result_is_read_as_it_was_written_and_not_when_it_was_edited() {
        let class = Class::new(Wanted {
            name: "c".into(),
            source: Source::built_in(Quality::Good),
            seed: 7,
            cases: 4,
            shares: [1.0; 5],
            kind: Kind::Guess,
            feedback: Feedback::AtEnd,
            time_limit_s: None,
        })
        .unwrap();
        let mut result = ClassResult::new(&class, "A1");
        result.answers[0].guess_percent = Some(50);
        assert_eq!(ClassResult::parse(&result.to_bytes()), Ok(result.clone()));
        let edited = |edit: &dyn Fn(&mut ClassResult)| {
            let mut result = result.clone();
            edit(&mut result);
            ClassResult::parse(&result.to_bytes())
        };
        let refusals: [&dyn Fn(&mut ClassResult); 5] = [
            &|r| r.answers[1].ef_percent += 1.0,
            &|r| r.answers.swap(0, 1),
            &|r| r.answers[0].guess_percent = Some(95),
            &|r| r.answers[0].seconds = -1.0,
            &|r| r.alias = "a/b".into(),
        ];
        for edit in refusals {
            assert!(matches!(edited(edit), Err(ResultError::Content(_))));
        }
        assert_eq!(ClassResult::parse(b"{}"), Err(ResultError::NoResult));
        for damaged in crate::damage::mutations(&result.to_bytes(), 3000) {
            if let Ok(read) = ClassResult::parse(&damaged) {
                assert_eq!(ClassResult::parse(&read.to_bytes()), Ok(read));
            }
        }
    }

    fn lower() -> Class {
        Class::new(Wanted {
            name: "c".into(),
            source: Source::built_in(Quality::Good),
            seed: 7,
            cases: 4,
            shares: [1.0; 5],
            kind: Kind::Lower,
            feedback: Feedback::AfterEach,
            time_limit_s: None,
        })
        .unwrap()
    }

    #[test]
    fn a_result_of_which_is_lower_holds_its_trials() {
        let class = lower();
        let mut result = ClassResult::new(&class, "A1");
        assert!(
            !String::from_utf8(result.to_bytes())
                .unwrap()
                .contains("trials")
        );
        let mut pairs = class.pairs();
        while let Some(pair) = pairs.ask() {
            let said = match pairs.trials() % 4 {
                3 => Side::Left,
                _ => pair.lower,
            };
            pairs.answered(&pair, said);
            result.trials.push(LowerTrial::new(&pair, said, 2.5));
        }
        assert_eq!(ClassResult::parse(&result.to_bytes()), Ok(result.clone()));
        assert_eq!(result.noticeable(), Some(pairs.noticeable()));
        let text = String::from_utf8(result.to_bytes()).unwrap();
        assert!(text.contains(r#""points":16.0,"right_answer":true,"seconds":2.5}"#));
        // Everybody's first pair is the same.
        let first = class.pairs().ask().unwrap();
        assert_eq!(first.left.case, result.trials[0].left);
        let refused = |edit: &dyn Fn(&mut ClassResult)| {
            let mut result = result.clone();
            edit(&mut result);
            let why = ClassResult::parse(&result.to_bytes());
            matches!(why, Err(ResultError::Content(_)))
        };
        assert!(refused(&|r| r.trials[1].points = 0.0));
        assert!(refused(&|r| r.trials[1].points = f64::INFINITY));
        assert!(refused(&|r| r.trials[1].points = 91.0));
        assert!(refused(&|r| r.trials[1].seconds = -1.0));
        assert!(refused(&|r| r.trials[1].left = "../x".into()));
        assert!(refused(&|r| r.trials[1].right = r.trials[1].left.clone()));
        assert!(refused(&|r| r.trials = vec![r.trials[0].clone(); 61]));
        assert!(refused(&|r| r.kind = Kind::Guess));
        for damaged in crate::damage::mutations(&result.to_bytes(), 2000) {
            if let Ok(read) = ClassResult::parse(&damaged) {
                let _ = read.noticeable();
                assert_eq!(ClassResult::parse(&read.to_bytes()), Ok(read));
            }
        }
        result.trials.truncate(29);
        assert_eq!(result.noticeable(), None);
    }
}
