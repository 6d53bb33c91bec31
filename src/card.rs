//! A cascade's card: the figures that were measured on its weights. Screens read them from here.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    pub name: String,
    /// EFs that the cascade was trained on, in percent: lowest, highest.
    pub training_ef_range_percent: Option<[f64; 2]>,
    #[serde(default)]
    pub regressor: RegressorCard,
    /// By kind of source: `simulated_unseen`, `recorded_unseen`.
    #[serde(default)]
    pub requested_against_measured: BTreeMap<String, Agreement>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegressorCard {
    #[serde(default)]
    pub name: String,
}

/// How the measured EF follows the requested one: `measured = slope * requested + intercept`,
/// with a spread around that line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    pub slope: f64,
    pub intercept: f64,
    /// Points of EF.
    pub residual_sd: f64,
    pub r2: f64,
    pub mae: f64,
}

impl Card {
    /// # Errors
    /// A phrase when the text is not a card.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_yaml_ng::from_str(text).map_err(|e| format!("it is not a card ({e})"))
    }

    /// Whether the cascade saw such EFs in training; yes where the card does not say.
    pub fn covers(&self, ef_percent: f64) -> bool {
        self.training_ef_range_percent
            .is_none_or(|[low, high]| (low..=high).contains(&ef_percent))
    }
}
