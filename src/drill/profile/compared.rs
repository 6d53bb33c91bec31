//! Trials of *Which is lower?*, as a profile keeps them.

use super::{Line, Profile, ProfileError};
use crate::drill::case::Truth;
use crate::drill::lower::{Pair, Side};
use crate::phantom::Quality;
use serde::{Deserialize, Serialize};
use std::io;

/// A trial, as a line of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// `2026-11-26T07:00:00.000Z`
    pub utc: String,
    /// SHA-256 of what the pair was drawn from; in a class, of the class.
    pub set: String,
    /// Of all trials of one sitting: 32 hexadecimal digits.
    pub run: String,
    /// Cases.
    pub left: String,
    pub right: String,
    pub truth: Truth,
    /// Of both; the poorer one.
    pub quality: Quality,
    /// The difference that was shown, in EF points.
    pub points: f64,
    pub right_answer: bool,
    pub seconds: f64,
    pub different_hearts: bool,
}

/// A trial, as it is given.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    pub pair: &'a Pair,
    pub said: Side,
    pub truth: Truth,
    /// Of what the pair was drawn from; in a class, of the class.
    pub set_sha256: &'a str,
    /// The same for all trials of a sitting, and for no other.
    pub run: &'a str,
    pub seconds: f64,
    /// `2026-11-26T07:00:00.000Z`
    pub utc: &'a str,
}

impl Trial<'_> {
    fn compared(&self) -> Compared {
        let Pair { left, right, .. } = self.pair;
        let quality = Quality::ALL.into_iter().rev();
        let mut poorest = quality.filter(|q| [left.quality, right.quality].contains(q));
        Compared {
            utc: self.utc.to_owned(),
            set: self.set_sha256.to_owned(),
            run: self.run.to_owned(),
            left: left.case.clone(),
            right: right.case.clone(),
            truth: self.truth,
            quality: poorest.next().unwrap_or(left.quality),
            points: self.pair.points,
            right_answer: self.said == self.pair.lower,
            seconds: self.seconds,
            different_hearts: left.ladder != right.ladder,
        }
    }
}

impl Profile {
    /// Trials of *Which is lower?*, in the order in which they were given.
    pub fn compared(&self) -> &[Compared] {
        &self.compared
    }

    /// Keeps a trial. It is on the disk when this returns, and before the trainee is told which was lower.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn compare(&mut self, trial: &Trial<'_>) -> Result<(), ProfileError> {
        let compared = trial.compared();
        let line = serde_json::to_string(&Line::Lower(Box::new(compared.clone())));
        self.log.append(&line.map_err(io::Error::other)?)?;
        self.compared.push(compared);
        Ok(())
    }
}
