//! A way to sample a cascade, as `echoif sweep` names it.

use crate::edm::{CascadeConfig, Multistep, Solver};
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    name: String,
    /// Nothing is the checkpoint's own sampling.
    change: Option<Change>,
}

/// Each list is by stage; the last entry counts for the stages after it.
#[derive(Clone, Debug, PartialEq)]
struct Change {
    solvers: Vec<Solver>,
    steps: Vec<usize>,
    rho: Option<f64>,
    guided_from: f64,
}

impl Trial {
    pub fn paper() -> Self {
        Self {
            name: "paper".into(),
            change: None,
        }
    }

    /// Deterministic Heun with so many steps a stage.
    pub fn long(steps: usize) -> Self {
        Self {
            name: format!("heun {steps}"),
            change: Some(Change {
                solvers: vec![Solver::Heun],
                steps: vec![steps.max(1)],
                rho: None,
                guided_from: 0.0,
            }),
        }
    }

    pub fn apply(&self, config: &CascadeConfig) -> CascadeConfig {
        let mut config = config.clone();
        let Some(change) = &self.change else {
            return config;
        };
        for (i, stage) in config.stages.iter_mut().enumerate() {
            stage.solver = change.solvers[i.min(change.solvers.len() - 1)];
            stage.levels.steps = change.steps[i.min(change.steps.len() - 1)];
            stage.levels.s_churn = 0.0;
            stage.levels.rho = change.rho.unwrap_or(stage.levels.rho);
            stage.guided_from = change.guided_from;
        }
        config
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

impl FromStr for Trial {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        const FORM: &str = "a trial is a solver and its steps, such as `unipc 5/2 rho=5 from=2`";
        let mut words = s.split_whitespace();
        let (Some(solvers), Some(steps)) = (words.next(), words.next()) else {
            return match s.trim() {
                "paper" => Ok(Self::paper()),
                _ => Err(FORM.into()),
            };
        };
        let solver = |word: &str| match word {
            "heun" => Ok(Solver::Heun),
            "dpm" => Ok(Solver::Multistep(Multistep::DpmPlusPlus)),
            "unipc" => Ok(Solver::Multistep(Multistep::UniPc)),
            other => Err(format!("`{other}` is no solver: heun, dpm or unipc")),
        };
        let count = |word: &str| match word.parse() {
            Ok(n @ 1..=1000) => Ok(n),
            _ => Err(format!("`{word}` is no number of steps from 1 to 1000")),
        };
        let mut change = Change {
            solvers: solvers.split('/').map(solver).collect::<Result<_, _>>()?,
            steps: steps.split('/').map(count).collect::<Result<_, _>>()?,
            rho: None,
            guided_from: 0.0,
        };
        for word in words {
            let number = |text: &str| match text.parse::<f64>() {
                Ok(v) if v.is_finite() && v > 0.0 => Ok(v),
                _ => Err(format!("`{text}` is no number above 0")),
            };
            match word.split_once('=') {
                Some(("rho", value)) => change.rho = Some(number(value)?),
                Some(("from", value)) => change.guided_from = number(value)?,
                _ => return Err(format!("`{word}` is not understood: {FORM}")),
            }
        }
        Ok(Self {
            name: s.split_whitespace().collect::<Vec<_>>().join(" "),
            change: Some(change),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_wrong_is_said() {
        for (text, word) in [
            ("", "solver"),
            ("heun", "steps"),
            ("euler 4", "euler"),
            ("heun 0", "0"),
            ("heun 4 rho=-1", "-1"),
            ("heun 4 sideways", "sideways"),
        ] {
            let why = text.parse::<Trial>().unwrap_err();
            assert!(why.contains(word), "{text}: {why}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = text.parse::<Trial>();
        }
    }
}
