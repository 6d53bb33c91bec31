use super::CascadeConfig;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How much work a run takes. The one table of presets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Deterministic Heun, at most 6 steps a stage; a cascade that takes so few anyway runs its
    /// first stage alone, enlarged.
    Preview,
    /// Deterministic Heun, at most 18 steps a stage.
    #[default]
    Balanced,
    /// The checkpoint's `config.yaml` to the letter.
    Paper,
}

impl Preset {
    pub const ALL: [Self; 3] = [Self::Preview, Self::Balanced, Self::Paper];

    pub fn name(self) -> &'static str {
        match self {
            Self::Preview => "Preview",
            Self::Balanced => "Balanced",
            Self::Paper => "Paper",
        }
    }

    /// The cascade as this preset runs it. Guidance is never changed.
    pub fn apply(self, config: &CascadeConfig) -> CascadeConfig {
        let mut config = config.clone();
        let most = match self {
            Self::Paper => return config,
            Self::Balanced => 18,
            Self::Preview => 6,
        };
        if self == Self::Preview && config.stages.iter().all(|s| s.levels.steps <= most) {
            config.stages.truncate(1);
        }
        for stage in &mut config.stages {
            stage.levels.steps = stage.levels.steps.min(most);
            stage.levels.s_churn = 0.0;
        }
        config
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|p| p.name().eq_ignore_ascii_case(s))
            .ok_or_else(|| format!("`{s}` is not a preset; they are preview, balanced and paper"))
    }
}
