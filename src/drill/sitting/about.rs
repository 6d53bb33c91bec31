//! What a sitting is drawn from.

use crate::drill::case::Truth;
use crate::drill::class::Class;
use crate::drill::sampler::Source;

/// What cases are drawn from, and what is said of their truth.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    pub source: Source,
    pub truth: Truth,
    pub truth_source: String,
    pub truth_error_points: f64,
    /// Of the source; in a class, of the class.
    pub sha256: String,
}

impl About {
    pub fn of(source: Source) -> Self {
        let (truth, truth_source, truth_error_points) = match &source {
            Source::BuiltIn { .. } => (Truth::Exact, "simulated heart".to_owned(), 0.0),
            Source::Set(set) => (set.truth, set.truth_source.clone(), set.truth_error_points),
        };
        Self {
            sha256: source.sha256(),
            source,
            truth,
            truth_source,
            truth_error_points,
        }
    }

    /// Of what a class is drawn from; known by the class itself.
    pub fn of_class(class: &Class) -> Self {
        let source = match &class.set {
            Some(set) => Source::Set(set.clone()),
            None => Source::built_in(class.quality),
        };
        Self {
            sha256: class.sha256(),
            ..Self::of(source)
        }
    }

    /// As `simulated heart, exact`, or `a regressor, measured, itself off by 4 points (SD)`.
    pub fn in_words(&self) -> String {
        let mut words = format!("{}, {}", self.truth_source, self.truth.name());
        if self.truth_error_points > 0.0 {
            words += &format!(", itself off by {} points (SD)", self.truth_error_points);
        }
        words
    }
}
