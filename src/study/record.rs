//! The lines of a reader's log.

use serde::{Deserialize, Serialize};

pub const FORMAT: &str = "echoif-study-log";
pub const VERSION: u32 = 1;

/// A line of the log: its number, the SHA-256 of the line before (of the plan in line 0), what happened, and
/// when, by both clocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub n: usize,
    pub prev: String,
    #[serde(flatten)]
    pub what: What,
    /// `2026-11-26T07:00:00.000Z`
    pub utc: String,
    /// Of the run's own monotonic clock.
    pub mono_ms: f64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum What {
    /// A run of the program begins.
    Open {
        format: String,
        version: u32,
        study: String,
        reader: String,
        run: String,
        program: String,
        presentation: PresentedBy,
    },
    Consent {
        text_sha256: String,
    },
    About {
        role: String,
        years: Option<f64>,
        glasses: Option<bool>,
    },
    Display {
        dark_seen: Option<bool>,
        bright_seen: Option<bool>,
        millimetres_a_point: Option<f64>,
        room: Option<Room>,
        /// Of the display, by a check of passes; none without a window.
        period_ms: Option<f64>,
        late_passes: Option<usize>,
    },
    /// A clip is about to be on screen.
    Show {
        trial: usize,
        clip: String,
        attempt: usize,
    },
    Answer {
        trial: usize,
        clip: String,
        attempt: usize,
        /// None where the time limit passed: missing, not wrong.
        answer: Option<Answer>,
        confidence: Option<u8>,
        rt_ms: f64,
        confidence_ms: Option<f64>,
        loops: usize,
        passes: usize,
        late_passes: usize,
        input: Input,
    },
    Pause,
    Resume,
    Break {
        block: usize,
    },
    /// The line before was left half written by a crash.
    Torn {
        bytes: usize,
        sha256: String,
    },
    /// The reader leaves; their readings are in no report.
    Withdraw,
    Close {
        complete: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PresentedBy {
    Window,
    Script,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    Real,
    Fake,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Room {
    Dark,
    Dim,
    Bright,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Input {
    Key,
    Pointer,
    Script,
    /// Nobody: the time limit passed.
    Limit,
}
