//! Cases that were shown with their EF and not answered, as a profile keeps them.

use super::{Line, Mode, Profile, ProfileError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;

/// Cases that were shown with their EF, as a line of a profile: they are never unseen again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// `2026-11-26T07:00:00.000Z`
    pub utc: String,
    /// SHA-256 of what they were drawn from; in a class, of the class.
    pub set: String,
    pub cases: Vec<String>,
    pub mode: Mode,
    /// After which the time for a case that was asked had passed; none for those told beside one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

impl Profile {
    /// What was shown and not answered, in the order in which it was.
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    /// Keeps what was shown. It is on the disk when this returns, and before it is on screen.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn show(&mut self, shown: Shown) -> Result<(), ProfileError> {
        let line = serde_json::to_string(&Line::Shown(Box::new(shown.clone())));
        self.log.append(&line.map_err(io::Error::other)?)?;
        self.shown.push(shown);
        Ok(())
    }

    /// Cases that were answered, compared, or shown with their EF.
    pub fn seen(&self) -> BTreeSet<&str> {
        self.each_seen().collect()
    }

    pub fn has_seen(&self, case: &str) -> bool {
        self.each_seen().any(|seen| seen == case)
    }

    fn each_seen(&self) -> impl Iterator<Item = &str> {
        let answered = self.answers.iter().map(|a| &a.case);
        let compared = self.compared.iter().flat_map(|c| [&c.left, &c.right]);
        let shown = self.shown.iter().flat_map(|s| &s.cases);
        answered.chain(compared).chain(shown).map(String::as_str)
    }

    /// Cases of a set or a class that were asked until their time had passed, and after how many seconds.
    pub fn passed<'a>(&'a self, set_sha256: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        let of_set = self.shown.iter().filter(move |s| s.set == set_sha256);
        of_set.flat_map(|s| {
            s.seconds
                .into_iter()
                .flat_map(|t| s.cases.iter().map(move |c| (c.as_str(), t)))
        })
    }
}
