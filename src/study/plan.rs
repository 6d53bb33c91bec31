//! A study as it was planned, before anybody read: what is shown to whom, how, and what will be computed.
//! It names no class of any clip. Its bytes are what is hashed, so they are written in one way only.

mod check;
mod read;

use super::key::Class;
pub use read::{BARS, MOST_BYTES, PlanError};
use serde::{Deserialize, Serialize};

pub const FORMAT: &str = "echoif-study-plan";
pub const VERSION: u32 = 1;

/// The plan, as `plan.json` has it: compact, fields in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub format: String,
    pub version: u32,
    /// 16 hexadecimal digits.
    pub study: String,
    pub title: String,
    /// Name and version of the program that planned.
    pub program: String,
    pub design: Design,
    pub shares: Shares,
    /// Whether readers are told the share of real clips.
    pub prior_told: bool,
    pub presentation: Presentation,
    pub answer: Answering,
    pub session: Sitting,
    pub analysis: Analysis,
    pub texts: Texts,
    /// SHA-256 of the key's plain text, in hexadecimal.
    pub key_commitment: String,
    pub readers: Vec<Reading>,
}

/// Who reads what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Design {
    /// Every reader the same clips, each in an order of their own.
    #[default]
    Crossed,
    /// No clip is read by two readers.
    Split,
    /// Some clips are read by all, the rest by one reader each.
    Shared,
}

/// Of the scored trials, by class; they add up to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    pub real: f64,
    pub factual: f64,
    pub counterfactual: f64,
}

impl Shares {
    /// Half of all clips are real; the other half is of what there is of generated ones.
    pub fn of_classes(factual: bool, counterfactual: bool) -> Self {
        let (factual, counterfactual) = match (factual, counterfactual) {
            (true, false) => (0.5, 0.0),
            (false, true) => (0.0, 0.5),
            _ => (0.25, 0.25),
        };
        Self {
            real: 0.5,
            factual,
            counterfactual,
        }
    }

    pub fn of(&self, class: Class) -> f64 {
        match class {
            Class::Real => self.real,
            Class::Factual => self.factual,
            Class::Counterfactual => self.counterfactual,
        }
    }
}

/// How every clip is shown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presentation {
    pub frames: usize,
    /// Frames a second.
    pub fps: f64,
    pub width: usize,
    pub height: usize,
    /// Gray levels, at most 256.
    pub levels: usize,
    /// Side of the picture on screen, in points.
    pub points: u32,
    /// The screen is blank for so long between repeats.
    pub loop_gap_ms: u32,
}

impl Presentation {
    /// Bytes of a clip: 8 bits a pixel, `[frames, height, width]`.
    pub fn clip_bytes(&self) -> usize {
        self.frames * self.height * self.width
    }

    /// Milliseconds from one beginning of a clip to the next: the clip once, and the gap.
    pub fn loop_ms(&self) -> f64 {
        self.frames as f64 * 1000.0 / self.fps + f64::from(self.loop_gap_ms)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answering {
    /// Steps of the confidence scale; 0 where none is asked for.
    pub confidence: u8,
    pub time_limit_s: Option<f64>,
    /// An answer before that is not taken.
    pub min_view_ms: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sitting {
    /// Trials of a block; a break follows each but the last.
    pub block: usize,
    pub break_s: u32,
    pub resume: Resume,
    /// A longer pause is flagged.
    pub max_pause_h: u32,
}

/// Whether a session that was interrupted may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Resume {
    /// At the trial that was interrupted, which is shown again.
    #[default]
    Resume,
    /// At the same trial (answers stay), but as a block begins: with the instruction, the check of the display
    /// and a screen that waits.
    Block,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analysis {
    pub primary: Primary,
    /// Of the intervals.
    pub level: f64,
    /// Of the balanced accuracy, around 0.5.
    pub equivalence_margin: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Primary {
    #[default]
    BalancedAccuracy,
    Auc,
}

/// What readers are told, in the administrator's words; empty where the program's own words serve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    pub instruction: String,
    pub consent: String,
    pub debrief: String,
}

/// One reader's list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// `R1`, `R2` ...
    pub reader: String,
    pub real_side: Side,
    pub trials: Vec<Trial>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Left,
    Right,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// From 1, through all kinds.
    pub trial: usize,
    /// 16 hexadecimal digits.
    pub clip: String,
    pub kind: Kind,
    /// From 1; practice has 0.
    pub block: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Counts in every result.
    Scored,
    /// A clip read before, for the reader's agreement with themselves alone.
    Repeat,
    /// To learn the keys; counts nowhere.
    Practice,
}
