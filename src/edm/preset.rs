use super::{CascadeConfig, Multistep, Solver};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How much work a run takes. The one table of presets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// DPM-Solver++(2M) with four evaluations where the checkpoint's own sampling takes ten, at most
    /// 6 a stage.
    Preview,
    /// DPM-Solver++(2M) with seven evaluations where the checkpoint's own sampling takes ten, at most
    /// 18 a stage.
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
        // Chosen from the table of `echoif sweep` (docs/performance.md).
        let (share, most) = match self {
            Self::Paper => return config.clone(),
            Self::Balanced => (0.7, 18),
            Self::Preview => (0.4, 6),
        };
        let mut config = config.clone();
        for stage in &mut config.stages {
            let steps = (stage.evaluations() as f64 * share).round() as usize;
            stage.solver = Solver::Multistep(Multistep::DpmPlusPlus);
            stage.levels.steps = steps.clamp(1, most);
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
