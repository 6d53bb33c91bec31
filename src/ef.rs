//! Left-ventricular ejection fraction, in percent, and the guideline's categories.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An ejection fraction in percent. Inside the networks it is a fraction; nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EfPercent(f64);

/// Whose word a source's own EF is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EfOrigin {
    /// Typed by the user, or exact by construction.
    Given,
    /// The regressor's answer on the source.
    Measured,
    /// Nobody's: a value to begin with.
    #[default]
    Assumed,
}

/// The slider's ends.
pub const SLIDER_RANGE: std::ops::RangeInclusive<f64> = 10.0..=85.0;

/// EFs that a data set can be filled with, as the published balancing fills it: some past the slider's end.
pub const DATASET_RANGE: std::ops::RangeInclusive<f64> = 10.0..=89.0;

impl EfPercent {
    /// An EF of a clip in a data set.
    ///
    /// # Errors
    /// A sentence when it is outside [`DATASET_RANGE`].
    pub fn of_dataset(percent: f64) -> Result<Self, String> {
        if DATASET_RANGE.contains(&percent) {
            Ok(Self(percent))
        } else {
            Err(format!(
                "an EF of {percent} % cannot be asked for in a data set; give one from {} to {}",
                DATASET_RANGE.start(),
                DATASET_RANGE.end()
            ))
        }
    }

    /// # Errors
    /// A sentence when the value is not an EF that can be asked for.
    pub fn new(percent: f64) -> Result<Self, String> {
        if SLIDER_RANGE.contains(&percent) {
            Ok(Self(percent))
        } else {
            Err(format!(
                "an EF of {percent} % cannot be asked for; give one from {} to {}",
                SLIDER_RANGE.start(),
                SLIDER_RANGE.end()
            ))
        }
    }

    /// A value that was measured: any number.
    pub fn measured(percent: f64) -> Self {
        Self(percent)
    }

    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether what was found is another answer than what was asked for: by more than five points, or of
    /// another category.
    pub fn differs_from(self, asked: Self) -> bool {
        (self.0 - asked.0).abs() > 5.0 || self.category() != asked.category()
    }

    pub fn category(self) -> Category {
        // On unrounded values: 40 or less, above 40 and below 50, 50 or more.
        if self.0 <= 40.0 {
            Category::Reduced
        } else if self.0 < 50.0 {
            Category::MildlyReduced
        } else {
            Category::Preserved
        }
    }
}

impl fmt::Display for EfPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} %", self.0)
    }
}

/// The guideline's categories of left-ventricular function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    Reduced,
    MildlyReduced,
    Preserved,
}

impl Category {
    pub fn name(self) -> &'static str {
        match self {
            Self::Reduced => "reduced",
            Self::MildlyReduced => "mildly reduced",
            Self::Preserved => "preserved",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_on_unrounded_values() {
        let category = |v| EfPercent::measured(v).category();
        assert_eq!(category(40.0), Category::Reduced);
        assert_eq!(category(40.01), Category::MildlyReduced);
        assert_eq!(category(49.99), Category::MildlyReduced);
        assert_eq!(category(50.0), Category::Preserved);
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused() {
        assert!(EfPercent::new(9.9).is_err());
        assert!(EfPercent::new(f64::NAN).is_err());
        assert!(EfPercent::new(85.0).is_ok());
    }

    #[test]
    fn another_answer_is_five_points_or_a_category_away() {
        let ef = EfPercent::measured;
        assert!(!ef(33.0).differs_from(ef(30.0)) && ef(36.0).differs_from(ef(30.0)));
        // 51 is preserved, 49 is not.
        assert!(ef(51.0).differs_from(ef(49.0)) && !ef(52.0).differs_from(ef(55.0)));
    }
}
