//! A case: one heart at one EF that is known, and how surely.

use crate::ef::{Category, EfPercent};
use crate::phantom::Quality;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

/// Whose word a case's EF is. It stands beside every figure that is made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Truth {
    /// A simulated heart's, by construction.
    Exact,
    /// A generated cine's, by a regressor or by its outline.
    Measured,
    /// A recording's, by somebody's reading.
    Labelled,
}

impl Truth {
    pub const ALL: [Self; 3] = [Self::Exact, Self::Measured, Self::Labelled];

    /// Whose word it is, where that follows from its kind.
    pub fn source(self) -> Option<&'static str> {
        (self == Self::Exact).then_some("simulated heart")
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Measured => "measured",
            Self::Labelled => "labelled",
        }
    }
}

/// EFs that are practised alike: the guideline's categories, of which the outer ones are two bands each.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::EnumIter,
)]
pub enum Band {
    #[serde(rename = "to 30")]
    To30,
    #[serde(rename = "30 to 40")]
    To40,
    #[serde(rename = "40 to 50")]
    Below50,
    #[serde(rename = "50 to 60")]
    To60,
    #[serde(rename = "over 60")]
    Over60,
}

/// EFs of cases, in percent.
pub const RANGE: std::ops::RangeInclusive<f64> = 5.0..=90.0;
/// How low and how high the program's own cases go.
pub(super) const OUTER: [f64; 2] = [15.0, 75.0];

impl Band {
    pub const COUNT: usize = 5;

    /// On unrounded values: 30 or less, to 40, to below 50, 50 to 60, over 60.
    pub fn of(ef_percent: f64) -> Self {
        match EfPercent::measured(ef_percent).category() {
            Category::Reduced if ef_percent <= 30.0 => Self::To30,
            Category::Reduced => Self::To40,
            Category::MildlyReduced => Self::Below50,
            Category::Preserved if ef_percent <= 60.0 => Self::To60,
            Category::Preserved => Self::Over60,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::To30 => "30 or less",
            Self::To40 => "above 30 to 40",
            Self::Below50 => "above 40 to below 50",
            Self::To60 => "50 to 60",
            Self::Over60 => "over 60",
        }
    }

    /// EFs of cases that are drawn in it, in percent; one decimal of either end is in the band.
    pub fn drawn(self) -> (f64, f64) {
        match self {
            Self::To30 => (OUTER[0], 30.0),
            Self::To40 => (30.1, 40.0),
            Self::Below50 => (40.1, 49.9),
            Self::To60 => (50.0, 60.0),
            Self::Over60 => (60.1, OUTER[1]),
        }
    }

    /// Its place among all, from 0.
    pub fn place(self) -> usize {
        Self::iter().position(|b| b == self).unwrap_or(0)
    }
}

/// What a case is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Recipe {
    /// By the program, when it is needed.
    Simulated { seed: u64 },
    /// A clip of a folder, known by the SHA-256 of its pixels, never by its name.
    Clip { pixels_sha256: String },
}

/// One heart at one EF.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// `h0007-380`, or the first 16 digits of the SHA-256 of its pixels.
    pub case: String,
    pub ef_percent: f64,
    pub recipe: Recipe,
}

/// One heart at several EFs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    pub ladder: String,
    pub quality: Quality,
    /// By EF, rising.
    pub rungs: Vec<Rung>,
}

impl Ladder {
    /// One of its rungs, as it is asked.
    pub fn case(&self, rung: &Rung) -> Case {
        Case {
            case: rung.case.clone(),
            ladder: self.ladder.clone(),
            quality: self.quality,
            ef_percent: rung.ef_percent,
            recipe: rung.recipe.clone(),
        }
    }
}

/// A case as it is asked: a rung, and what its ladder says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub case: String,
    pub ladder: String,
    pub quality: Quality,
    pub ef_percent: f64,
    pub recipe: Recipe,
}

impl Case {
    pub fn band(&self) -> Band {
        Band::of(self.ef_percent)
    }
}

/// What an answer is, beside the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relevance {
    SameCategory,
    /// Another category, by five points or less.
    AtTheBorder,
    /// Another category, by more than five points.
    ClinicallyRelevant,
}

/// More than so many points, together with another category, matter.
const RELEVANT: f64 = 5.0;

/// Says what a guess is. Both in percent; categories are of unrounded values.
pub fn relevance(ef_percent: f64, guess_percent: f64) -> Relevance {
    let category = |ef| EfPercent::measured(ef).category();
    let error = (guess_percent - ef_percent).abs();
    if category(ef_percent) == category(guess_percent) {
        Relevance::SameCategory
    } else if error > RELEVANT {
        Relevance::ClinicallyRelevant
    } else {
        Relevance::AtTheBorder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_part_the_range_where_the_guideline_does() {
        for (ef, band) in [
            (5.0, Band::To30),
            (30.0, Band::To30),
            (30.01, Band::To40),
            (40.0, Band::To40),
            (40.01, Band::Below50),
            (49.99, Band::Below50),
            (50.0, Band::To60),
            (60.0, Band::To60),
            (60.01, Band::Over60),
            (90.0, Band::Over60),
        ] {
            assert_eq!(Band::of(ef), band, "{ef}");
        }
        for band in Band::iter() {
            let (low, high) = band.drawn();
            assert_eq!((Band::of(low), Band::of(high)), (band, band));
        }
        assert_eq!(Band::iter().count(), Band::COUNT);
        assert_eq!(Band::Over60.place(), 4);
    }

    #[test]
    fn border_cases_are_no_errors_that_matter() {
        assert_eq!(relevance(40.0, 41.0), Relevance::AtTheBorder);
        assert_eq!(relevance(38.0, 52.0), Relevance::ClinicallyRelevant);
        assert_eq!(relevance(49.99, 50.0), Relevance::AtTheBorder);
        assert_eq!(relevance(50.0, 72.0), Relevance::SameCategory);
        assert_eq!(relevance(45.0, 50.0), Relevance::AtTheBorder);
        assert_eq!(relevance(44.9, 50.0), Relevance::ClinicallyRelevant);
    }
}
