//! What became of a case.

use crate::drill::case::{Case, Relevance, relevance};
use crate::drill::progress::Point;
use crate::ef::{Category, EfPercent};

/// A case that was answered, or whose time passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    pub case: Case,
    pub guess_percent: Option<u32>,
    pub seconds: f64,
    /// None without a guess.
    pub verdict: Option<Verdict>,
}

/// What a guess is, beside the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Guess less truth, in points.
    pub error: f64,
    pub relevance: Relevance,
    pub truth: Category,
    pub guessed: Category,
}

impl Verdict {
    /// Both in percent; categories are of unrounded values.
    pub fn of(ef_percent: f64, guess_percent: u32) -> Self {
        let guess = f64::from(guess_percent);
        Self {
            error: guess - ef_percent,
            relevance: relevance(ef_percent, guess),
            truth: EfPercent::measured(ef_percent).category(),
            guessed: EfPercent::measured(guess).category(),
        }
    }
}

/// Guesses beside their truths.
pub fn points(done: &[Done]) -> Vec<Point> {
    let point = |d: &Done| {
        Some(Point {
            ef_percent: d.case.ef_percent,
            guess_percent: f64::from(d.guess_percent?),
        })
    };
    done.iter().filter_map(point).collect()
}
