//! What no reader may know: which clip is which. Sealed by a passphrase and kept apart from the bundle.

mod read;

pub use read::KeyError;
use serde::{Deserialize, Serialize};

pub const FORMAT: &str = "echoif-study-key";
pub const VERSION: u32 = 1;

/// The key's plain text, compact JSON; the plan holds its SHA-256.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub format: String,
    pub version: u32,
    pub study: String,
    /// 32 bytes of the operating system in hexadecimal: all that is random follows from them.
    pub secret: String,
    pub readers: Vec<ReaderCode>,
    /// Sorted by identifier.
    pub clips: Vec<ClipTruth>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderCode {
    pub reader: String,
    pub code: String,
}

/// What a clip is and where it comes from; names no file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipTruth {
    pub clip: String,
    pub class: Class,
    /// The heart it shows: a hash, or a word of the administrator's.
    pub anatomy: String,
    pub requested_ef_percent: Option<f64>,
    pub measured_ef_percent: Option<f64>,
    pub cascade: Option<String>,
    pub weights_sha256: Option<String>,
    pub seed: Option<u64>,
    pub source_sha256: String,
    /// Of the frames as they are shown.
    pub pixels_sha256: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    Real,
    /// Generated at the source's own ejection fraction.
    Factual,
    /// Generated at another.
    Counterfactual,
}

impl Class {
    pub const ALL: [Self; 3] = [Self::Real, Self::Factual, Self::Counterfactual];

    pub fn is_fake(self) -> bool {
        self != Self::Real
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Factual => "factual",
            Self::Counterfactual => "counterfactual",
        }
    }
}

impl Key {
    /// The plain text that the plan commits to.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Nothing in it is without a form in JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
