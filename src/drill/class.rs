//! `NAME.echoclass`: which cases everybody in a class reads, in which order; and `ALIAS-NAME.echoresult`, what one
//! of them answered.

use super::case::{Band, Case};
use super::lower::Pairs;
use super::sampler::{Sampler, Source, sha256_of};
use super::set::CaseSet;
use crate::files::head::{Head, head};
use crate::phantom::Quality;
use serde::{Deserialize, Serialize};

pub const FORMAT: &str = "echoif-class";
pub const VERSION: u32 = 1;
/// Bytes of a class that is read: one with a set of its own, too.
pub const MOST_BYTES: usize = 64 << 20;
const MOST_CASES: usize = 1000;
const MOST_NAME: usize = 200;
const LIMITS_S: std::ops::RangeInclusive<f64> = 1.0..=600.0;

/// What is asked of the trainees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Kind {
    /// The EF of one clip.
    #[default]
    Guess,
    /// Which of two clips of one heart has the lower EF.
    Lower,
}

/// When the truth is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Feedback {
    #[default]
    AfterEach,
    AtEnd,
}

/// A class: the same cases for everybody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    pub format: String,
    pub version: u32,
    pub name: String,
    /// Of what the cases are drawn from.
    pub set_sha256: String,
    /// The set itself; none where the hearts are the program's own.
    pub set: Option<CaseSet>,
    pub quality: Quality,
    pub seed: u64,
    pub cases: usize,
    /// Of the five bands, in their order.
    pub shares: [f64; Band::COUNT],
    pub kind: Kind,
    pub feedback: Feedback,
    pub time_limit_s: Option<f64>,
    /// Of the list of cases.
    pub cases_sha256: String,
}

/// Why a class cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassError {
    #[error("this is no class: choose a file with the ending .echoclass")]
    NoClass,
    #[error(
        "this class was written by a later version of the program (its form is {0}): open it with that version"
    )]
    Later(u32),
    #[error("this class cannot be used: {0}")]
    Content(String),
    #[error(
        "{wanted} cases are asked for, and the set gives {there}: ask for fewer, or for other bands"
    )]
    TooFew { wanted: usize, there: usize },
}

/// What a class is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub name: String,
    pub source: Source,
    pub seed: u64,
    pub cases: usize,
    pub shares: [f64; Band::COUNT],
    pub kind: Kind,
    pub feedback: Feedback,
    pub time_limit_s: Option<f64>,
}

impl Class {
    /// # Errors
    /// When the source does not give so many cases, or what is asked for cannot be.
    pub fn new(wanted: Wanted) -> Result<Self, ClassError> {
        let (set, quality) = match &wanted.source {
            Source::BuiltIn { quality, .. } => (None, *quality),
            Source::Set(set) => (Some(set.clone()), Quality::default()),
        };
        let mut class = Self {
            format: FORMAT.into(),
            version: VERSION,
            name: wanted.name,
            set_sha256: wanted.source.sha256(),
            set,
            quality,
            seed: wanted.seed,
            cases: wanted.cases,
            shares: wanted.shares,
            kind: wanted.kind,
            feedback: wanted.feedback,
            time_limit_s: wanted.time_limit_s,
            cases_sha256: String::new(),
        };
        class.check().map_err(ClassError::Content)?;
        let cases = class.list();
        if cases.len() < class.cases {
            return Err(ClassError::TooFew {
                wanted: class.cases,
                there: cases.len(),
            });
        }
        class.cases_sha256 = sha256_of(&cases);
        Ok(class)
    }

    /// # Errors
    /// When it is none, is of a later version, or is not as it was made.
    pub fn parse(bytes: &[u8]) -> Result<Self, ClassError> {
        match head(bytes, FORMAT, VERSION) {
            Head::Ours => {}
            Head::Later(version) => return Err(ClassError::Later(version)),
            Head::Other => return Err(ClassError::NoClass),
        }
        let class: Self =
            serde_json::from_slice(bytes).map_err(|e| ClassError::Content(e.to_string()))?;
        class.check().map_err(ClassError::Content)?;
        if let Some(set) = &class.set {
            CaseSet::parse(&set.to_bytes()).map_err(|e| ClassError::Content(e.to_string()))?;
        }
        if class.source().sha256() != class.set_sha256 {
            let why = match class.set {
                Some(_) => "its set was edited after the class was made",
                None => "its hearts are another version's of the program",
            };
            return Err(ClassError::Content(why.into()));
        }
        if sha256_of(&class.list()) != class.cases_sha256 {
            let why = "its cases are not those that it was made with";
            return Err(ClassError::Content(why.into()));
        }
        Ok(class)
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=MOST_CASES).contains(&self.cases) {
            return Err(format!("a class has 1 to {MOST_CASES} cases"));
        }
        let name = &self.name;
        if name.chars().count() > MOST_NAME || name.chars().any(char::is_control) {
            return Err(format!("its name has at most {MOST_NAME} letters"));
        }
        let shares = self.shares.iter();
        if !shares.clone().all(|s| (0.0..=1e6).contains(s)) || shares.sum::<f64>() <= 0.0 {
            return Err("its bands have no shares".into());
        }
        match self.time_limit_s {
            Some(limit) if !LIMITS_S.contains(&limit) => Err(format!(
                "a time limit is {} to {} s",
                LIMITS_S.start(),
                LIMITS_S.end()
            )),
            _ => Ok(()),
        }
    }

    /// What its cases, or its pairs, are drawn from.
    pub fn source(&self) -> Source {
        match &self.set {
            Some(set) => Source::Set(set.clone()),
            None => Source::built_in(self.quality),
        }
    }

    /// The cases, in the order in which everybody reads them.
    pub fn list(&self) -> Vec<Case> {
        let sampler = Sampler::new(self.source(), self.seed, self.shares);
        sampler.take(self.cases).collect()
    }

    /// Of a class of kind *lower*: the pairs of one trainee, whose answers decide which come next. Who answers alike
    /// sees the same ones.
    pub fn pairs(&self) -> Pairs {
        let (_, _, truth_error_points) = self.truth();
        Pairs::new(self.source(), self.seed, false, truth_error_points)
    }

    /// What the truth of its cases is.
    pub fn truth(&self) -> (super::case::Truth, &str, f64) {
        match &self.set {
            Some(set) => (set.truth, &set.truth_source, set.truth_error_points),
            None => (super::case::Truth::Exact, "simulated heart", 0.0),
        }
    }

    /// Compact, always the same.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What tells one class from another.
    pub fn sha256(&self) -> String {
        crate::hash::sha256(&self.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::set::Simulated;

    fn wanted(seed: u64) -> Wanted {
        Wanted {
            name: "Tuesday".into(),
            source: Source::built_in(Quality::Good),
            seed,
            cases: 20,
            shares: [1.0; 5],
            kind: Kind::Guess,
            feedback: Feedback::AfterEach,
            time_limit_s: None,
        }
    }

    #[test]
    fn everybody_sees_the_same_cases() {
        let class = Class::new(wanted(7)).unwrap();
        assert!(class.to_bytes().len() < 2048, "{}", class.to_bytes().len());
        let read = Class::parse(&class.to_bytes()).unwrap();
        assert_eq!(read.list(), class.list());
        assert_eq!(class.list().len(), 20);
        let other = Class::new(wanted(8)).unwrap();
        assert_ne!(other.cases_sha256, class.cases_sha256);
    }

    #[test]
    fn damage_is_refused_or_harmless() {
        let bytes = Class::new(wanted(7)).unwrap().to_bytes();
        for damaged in crate::damage::mutations(&bytes, 3000) {
            if let Ok(class) = Class::parse(&damaged) {
                assert_eq!(class.list().len(), class.cases);
                assert_eq!(Class::parse(&class.to_bytes()), Ok(class));
            }
        }
    }

    #[test]
    fn an_edited_class_is_refused() {
        let set = CaseSet::simulated(&Simulated {
            hearts: 8,
            efs: vec![25.0, 35.0, 45.0, 55.0, 65.0],
            quality: Quality::Poor,
            seed: 1,
        });
        let class = Class::new(Wanted {
            source: Source::Set(set),
            ..wanted(3)
        });
        let text = String::from_utf8(class.unwrap().to_bytes()).unwrap();
        let with = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            Class::parse(text.replacen(from, to, 1).as_bytes())
        };
        assert!(with("Tuesday", "Monday").is_ok());
        for (from, to) in [
            ("\"ef_percent\":45.0", "\"ef_percent\":46.0"),
            ("\"seed\":3", "\"seed\":4"),
            ("\"cases\":20", "\"cases\":0"),
            ("\"time_limit_s\":null", "\"time_limit_s\":0.0"),
            ("\"kind\":\"guess\"", "\"kind\":\"other\""),
        ] {
            let refused = with(from, to);
            assert!(
                matches!(refused, Err(ClassError::Content(_))),
                "{to}: {refused:?}"
            );
        }
        assert_eq!(Class::parse(b"[]"), Err(ClassError::NoClass));
        assert_eq!(
            with("echoif-class", "echoif-cases"),
            Err(ClassError::NoClass)
        );
        let too_few = Class::new(Wanted {
            cases: 2000,
            ..wanted(1)
        });
        assert!(too_few.is_err());
    }
}
