//! A cascade's card: the figures that were measured on its weights. Screens read them from here.

use crate::calibration::Calibration;
use crate::files::yaml;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    #[serde(default)]
    pub name: String,
    /// EFs that the cascade was trained on, in percent: lowest, highest.
    pub training_ef_range_percent: Option<[f64; 2]>,
    #[serde(default)]
    pub regressor: RegressorCard,
    /// By kind of source: `simulated_unseen`, `recorded_unseen`, or `recorded_seen` where training saw the
    /// anatomies.
    #[serde(default)]
    pub requested_against_measured: BTreeMap<String, Agreement>,
    /// The same of the outline that a motion cascade gives.
    #[serde(default)]
    pub requested_against_outline: BTreeMap<String, Agreement>,
    /// By kind of source, as the figures above.
    #[serde(default)]
    pub calibration: BTreeMap<String, Calibration>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegressorCard {
    #[serde(default)]
    pub name: String,
    /// Against what it was held: `exact_motion`, `still`, `clinicians_label`, `authors_regressor`.
    #[serde(default)]
    pub against: BTreeMap<String, Reading>,
}

/// What a regressor reads against one reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Clips.
    #[serde(default)]
    pub n: Option<usize>,
    /// Mean absolute error, in points of EF.
    #[serde(default)]
    pub mae: Option<f64>,
    /// Mean and standard deviation of what it reads, where the reference is one value.
    #[serde(default)]
    pub mean: Option<f64>,
    #[serde(default)]
    pub sd: Option<f64>,
    #[serde(default)]
    pub slope: Option<f64>,
    #[serde(default)]
    pub r2: Option<f64>,
    #[serde(default)]
    pub correlation: Option<f64>,
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

/// Of simulated or recorded anatomies, of those kinds first whose figures say most, what fits.
fn of_kind<T>(all: &BTreeMap<String, T>, simulated: bool, fits: impl Fn(&T) -> bool) -> Option<&T> {
    let kinds: &[&str] = match simulated {
        true => &["simulated_unseen"],
        false => &["recorded_unseen", "recorded_seen"],
    };
    let of = |kind: &&str| all.get(*kind).filter(|one| fits(one));
    kinds.iter().find_map(of)
}

/// The line that a card's calibrations begin with.
const CALIBRATION: &str = "calibration:";

/// The text of a card with another calibration of a kind of anatomies; all else stays as it is written, but for
/// remarks among calibrations.
///
/// # Errors
/// A phrase, when the text is not a card or becomes none.
pub fn with_calibration(text: &str, kind: &str, new: &Calibration) -> Result<String, String> {
    let mut all = Card::parse(text)?.calibration;
    all.insert(kind.to_owned(), new.clone());
    let mut rest = String::new();
    let mut is_among = false;
    for line in text.lines() {
        let begins = line.starts_with(CALIBRATION);
        // What is indented belongs to the line above it, and so do empty lines within.
        let goes_on = line.starts_with([' ', '\t', '#']) || line.trim().is_empty();
        is_among = begins || (is_among && goes_on);
        if !is_among {
            rest += line;
            rest.push('\n');
        }
    }
    rest += CALIBRATION;
    rest.push('\n');
    for (kind, calibration) in &all {
        // JSON is YAML's flow style.
        let kind = serde_json::to_string(kind).map_err(|e| e.to_string())?;
        let one = serde_json::to_string(calibration).map_err(|e| e.to_string())?;
        rest += &format!("  {kind}: {one}\n");
    }
    let read = Card::parse(&rest)?;
    if read.calibration != all {
        return Err("its calibrations stand where they cannot be replaced".into());
    }
    Ok(rest)
}

impl Card {
    /// # Errors
    /// A phrase when the text is not a card.
    pub fn parse(text: &str) -> Result<Self, String> {
        yaml::read(text).map_err(|e| format!("it is not a card ({e})"))
    }

    /// How the measured EF follows the requested one on simulated or recorded anatomies.
    pub fn measured(&self, simulated: bool) -> Option<&Agreement> {
        of_kind(&self.requested_against_measured, simulated, |_| true)
    }

    /// What calibrates requests of simulated or recorded anatomies, as this regressor measures them.
    pub fn calibration(&self, simulated: bool, regressor_sha256: &str) -> Option<&Calibration> {
        let fits = |c: &Calibration| c.regressor_sha256 == regressor_sha256;
        of_kind(&self.calibration, simulated, fits)
    }

    /// What the regressor reads against what, in a sentence each; nothing where the card does not say.
    pub fn regressor_readings(&self) -> Vec<String> {
        let mae = |key: &str, of: &str| {
            let mae = self.regressor.against.get(key)?.mae?;
            Some(format!("Mean error {mae:.1} points against {of}."))
        };
        let still = self.regressor.against.get("still").and_then(|r| r.mean);
        let still = still.map(|mean| format!("It reads a still as {mean:.0} %."));
        [
            mae("exact_motion", "motion of known EF"),
            mae("clinicians_label", "clinicians' labels"),
            still,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether the cascade saw such EFs in training; yes where the card does not say.
    pub fn covers(&self, ef_percent: f64) -> bool {
        self.training_ef_range_percent
            .is_none_or(|[low, high]| (low..=high).contains(&ef_percent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_card_is_refused_or_read() {
        let own = include_str!("../weights/card.yaml");
        let mut read = 0;
        for changed in crate::damage::mutations(own.as_bytes(), 600) {
            let text = String::from_utf8_lossy(&changed);
            if let Ok(card) = Card::parse(&text) {
                read += 1;
                let _ = (card.covers(50.0), card.regressor_readings());
                let _ = card.calibration(false, "0");
            }
        }
        assert!(read > 30, "{read}");
    }

    #[test]
    fn what_a_card_says_is_said_and_what_it_lacks_is_not() {
        let card = Card::parse(
            "{name: a, regressor: {against: {still: {mean: 2.1, sd: 1.0}, exact_motion: {mae: 3.7}}}, \
             requested_against_measured: {recorded_seen: {slope: 1, intercept: 0, residual_sd: 3, r2: 0.9, mae: 2}}}",
        )
        .unwrap();
        let said = card.regressor_readings();
        assert_eq!(
            said,
            [
                "Mean error 3.7 points against motion of known EF.",
                "It reads a still as 2 %."
            ]
        );
        assert!(card.measured(false).is_some() && card.measured(true).is_none());
        assert!(Card::default().regressor_readings().is_empty());
    }

    #[test]
    fn a_calibration_replaces_its_own_and_nothing_else() {
        let json = r#"{"regressor_sha256":"r","anatomies":2,"cines":4,"seen_in_training":true,
            "curve":{"presets":["paper"],"points":[{"conditioned":20,"measured":25,"sd":1},{"conditioned":70,"measured":60,"sd":1}]},
            "test":{"anatomies":2,"requested":[30],"before":{"value":3,"low":2,"high":4},
            "after":{"value":2,"low":1,"high":3},"lowered_by":{"value":1,"low":0.5,"high":2}}}"#;
        let one: Calibration = serde_json::from_str(json).unwrap();
        let other = Calibration {
            regressor_sha256: "s".into(),
            ..one.clone()
        };
        let text = "name: a\nown_detail: {x: {mean: [1]}}\n";
        let first = with_calibration(text, "recorded_unseen", &one).unwrap();
        // Remarks and empty lines among them go with them.
        let edited = first.replace("calibration:\n", "calibration:\n\n# by hand\n");
        let both = with_calibration(&edited, "recorded_seen", &other).unwrap();
        assert!(both.starts_with(text), "{both}");
        let card = Card::parse(&both).unwrap();
        assert_eq!(card.calibration.len(), 2);
        assert_eq!(card.calibration(false, "r"), Some(&one));
        assert_eq!(card.calibration(false, "s"), Some(&other));
        assert_eq!(card.calibration(true, "r"), None);
        assert!(!one.is_default() && !card.calibration["recorded_seen"].is_default());
        let again = with_calibration(&both, "recorded_unseen", &other).unwrap();
        assert_eq!(Card::parse(&again).unwrap().calibration(false, "r"), None);
        assert!(with_calibration("name: [", "recorded_seen", &one).is_err());
    }
}
