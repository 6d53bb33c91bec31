//! `NAME.echocases`: ladders, their truth, and what it is.

use super::case::{Case, Ladder, RANGE, Recipe, Rung, Truth};
use crate::files::head::{Head, head};
use crate::hash::sha256;
use crate::phantom::Quality;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub const FORMAT: &str = "echoif-cases";
pub const VERSION: u32 = 1;
/// Bytes of a set that is read: a hundred thousand cases with room to spare.
pub const MOST_BYTES: usize = 64 << 20;
const MOST_CASES: usize = 100_000;
/// Letters of a name.
const MOST_NAME: usize = 200;

/// A set of cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSet {
    pub format: String,
    pub version: u32,
    pub name: String,
    pub truth: Truth,
    /// `simulated heart`, or the regressor's name, or who labelled.
    pub truth_source: String,
    /// By which the truth itself is off, SD, in EF points; 0 where it is exact.
    pub truth_error_points: f64,
    pub ladders: Vec<Ladder>,
}

/// Why a set cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    #[error("this is no set of cases: choose a file with the ending .echocases")]
    NoSet,
    #[error(
        "this set was written by a later version of the program (its form is {0}): open it with that version"
    )]
    Later(u32),
    #[error("this set cannot be used: {0}")]
    Content(String),
}

/// What is wanted of simulated hearts.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    pub hearts: usize,
    /// In percent.
    pub efs: Vec<f64>,
    pub quality: Quality,
    /// Of the first heart; the others follow.
    pub seed: u64,
}

impl CaseSet {
    /// Simulated hearts, each at each of the EFs.
    pub fn simulated(wanted: &Simulated) -> Self {
        let mut efs = wanted.efs.clone();
        efs.sort_by(f64::total_cmp);
        efs.dedup();
        let ladder = |i: usize| {
            let seed = wanted.seed.wrapping_add(i as u64);
            let rung = |ef: &f64| Rung {
                case: simulated_case(seed, *ef),
                ef_percent: *ef,
                recipe: Recipe::Simulated { seed },
            };
            Ladder {
                ladder: simulated_heart(seed),
                quality: wanted.quality,
                rungs: efs.iter().map(rung).collect(),
            }
        };
        Self {
            format: FORMAT.into(),
            version: VERSION,
            name: String::new(),
            truth: Truth::Exact,
            truth_source: "simulated heart".into(),
            truth_error_points: 0.0,
            ladders: (0..wanted.hearts).map(ladder).collect(),
        }
    }

    /// # Errors
    /// When it is none, is of a later version, or could not be drilled with.
    pub fn parse(bytes: &[u8]) -> Result<Self, SetError> {
        match head(bytes, FORMAT, VERSION) {
            Head::Ours => {}
            Head::Later(version) => return Err(SetError::Later(version)),
            Head::Other => return Err(SetError::NoSet),
        }
        let set: Self =
            serde_json::from_slice(bytes).map_err(|e| SetError::Content(e.to_string()))?;
        set.check().map_err(SetError::Content)?;
        Ok(set)
    }

    fn check(&self) -> Result<(), String> {
        let cases = self.ladders.iter().map(|l| l.rungs.len()).sum::<usize>();
        if !(1..=MOST_CASES).contains(&cases) {
            return Err(format!(
                "it has {cases} cases, and 1 to {MOST_CASES} can be drilled"
            ));
        }
        if !(0.0..=50.0).contains(&self.truth_error_points) {
            return Err("the error of its truth is 0 to 50 points".into());
        }
        let long = |text: &str| text.chars().count() > MOST_NAME;
        if long(&self.name) || long(&self.truth_source) {
            return Err(format!("its names have at most {MOST_NAME} letters"));
        }
        let (mut names, mut hearts) = (BTreeSet::new(), BTreeSet::new());
        for ladder in &self.ladders {
            if !is_name(&ladder.ladder) || !hearts.insert(&ladder.ladder) {
                return Err("its ladders have no names, or two have one".into());
            }
            for rung in &ladder.rungs {
                if !is_name(&rung.case) || !names.insert(&rung.case) {
                    return Err("its cases have no names, or two have one".into());
                }
                if !RANGE.contains(&rung.ef_percent) {
                    return Err(format!(
                        "an EF is {} to {} %, and {} has {}",
                        RANGE.start(),
                        RANGE.end(),
                        rung.case,
                        rung.ef_percent
                    ));
                }
            }
            let rises = |pair: &[Rung]| matches!(pair, [a, b] if a.ef_percent < b.ef_percent);
            if !ladder.rungs.windows(2).all(rises) {
                return Err(format!("the EFs of {} do not rise", ladder.ladder));
            }
        }
        Ok(())
    }

    /// Compact, always the same.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Names, numbers and lists of them always have a form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What tells one set from another.
    pub fn sha256(&self) -> String {
        sha256(&self.to_bytes())
    }

    /// All its cases.
    pub fn cases(&self) -> impl Iterator<Item = Case> + '_ {
        self.ladders
            .iter()
            .flat_map(|ladder| ladder.rungs.iter().map(|rung| ladder.case(rung)))
    }
}

/// `h0007`
pub fn simulated_heart(seed: u64) -> String {
    format!("h{seed:04}")
}

/// `h0007-380`: EF to a tenth of a point.
pub fn simulated_case(seed: u64, ef_percent: f64) -> String {
    format!("{}-{:03.0}", simulated_heart(seed), 10.0 * ef_percent)
}

/// A simulated heart at an EF in percent, to a tenth of a point, as it is asked.
pub fn simulated(seed: u64, ef_percent: f64, quality: Quality) -> Case {
    Case {
        case: simulated_case(seed, ef_percent),
        ladder: simulated_heart(seed),
        quality,
        ef_percent,
        recipe: Recipe::Simulated { seed },
    }
}

/// Letters, digits and dashes: it may become part of a file's name.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=64).contains(&text.len()) && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Simulated {
        Simulated {
            hearts: 3,
            efs: vec![40.0, 20.0, 38.05, 40.0],
            quality: Quality::Medium,
            seed: 7,
        }
    }

    #[test]
    fn a_set_is_read_as_it_was_written() {
        let set = CaseSet::simulated(&wanted());
        let cases: Vec<String> = set.cases().map(|c| c.case).collect();
        assert_eq!(cases[..3], ["h0007-200", "h0007-380", "h0007-400"]);
        assert_eq!(cases.len(), 9);
        let read = CaseSet::parse(&set.to_bytes()).unwrap();
        assert_eq!((&read, read.sha256()), (&set, set.sha256()));
        let text = String::from_utf8(set.to_bytes()).unwrap();
        assert!(
            text.starts_with(
                r#"{"format":"echoif-cases","version":1,"name":"","truth":"exact","truth_source":"simulated heart","truth_error_points":0.0,"ladders":[{"ladder":"h0007","quality":"medium","rungs":[{"case":"h0007-200","ef_percent":20.0,"recipe":{"kind":"simulated","seed":7}}"#
            ),
            "{text}"
        );
    }

    /// Whatever is read is what it was written from.
    #[test]
    fn damage_is_refused_or_harmless() {
        let bytes = CaseSet::simulated(&wanted()).to_bytes();
        for damaged in crate::damage::mutations(&bytes, 3000) {
            if let Ok(set) = CaseSet::parse(&damaged) {
                assert_eq!(CaseSet::parse(&set.to_bytes()), Ok(set));
            }
        }
    }

    #[test]
    fn what_cannot_be_drilled_is_refused() {
        let text = String::from_utf8(CaseSet::simulated(&wanted()).to_bytes()).unwrap();
        let with = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            CaseSet::parse(text.replacen(from, to, 1).as_bytes())
        };
        assert_eq!(with("echoif-cases", "other"), Err(SetError::NoSet));
        assert_eq!(CaseSet::parse(b"\0"), Err(SetError::NoSet));
        assert_eq!(
            with("\"version\":1", "\"version\":2"),
            Err(SetError::Later(2))
        );
        for (from, to) in [
            ("h0007-380", "h0007-200"),
            ("h0007-380", "../h"),
            ("\"h0008\"", "\"h0007\""),
            ("\"ef_percent\":40.0", "\"ef_percent\":4.0"),
            ("\"ef_percent\":40.0", "\"ef_percent\":30.0"),
            ("\"truth_error_points\":0.0", "\"truth_error_points\":-1.0"),
            ("\"name\":\"\"", "\"name\":\"\",\"more\":1"),
        ] {
            let refused = with(from, to);
            assert!(
                matches!(refused, Err(SetError::Content(_))),
                "{to}: {refused:?}"
            );
        }
        let none = CaseSet {
            ladders: Vec::new(),
            ..CaseSet::simulated(&wanted())
        };
        assert!(CaseSet::parse(&none.to_bytes()).is_err());
    }
}
