//! How a cine was made. Names no patient and no file.

use crate::edm::{Multistep, NoiseLevels, Preset, Solver, StageConfig};
use crate::nn::Arithmetic;
use crate::puppet::Landmarks;
use serde::{Deserialize, Serialize};

/// The cine at the source's own EF, or the one at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    Factual,
    Counterfactual,
}

impl Part {
    pub fn name(self) -> &'static str {
        match self {
            Self::Factual => "Factual",
            Self::Counterfactual => "Counterfactual",
        }
    }
}

/// Whether a mitral valve opens in a carried cine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaflets {
    /// Not asked for, or not part of the preset.
    Off,
    /// The anatomy shows no closed valve that could be opened.
    NoneSeen,
    /// Its own closed leaflets are bent into the ventricle in diastole.
    Opened,
}

/// One of the N of a best of N.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Candidate {
    pub seed: u64,
    pub measured_ef_percent: f64,
}

/// How one stage was sampled: a preset's name alone may mean something else in another version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StageSampling {
    /// `heun` (EDM algorithm 2), `dpm++2m` or `unipc`.
    pub solver: String,
    /// N; Heun takes 2N - 1 evaluations.
    pub steps: usize,
    /// The noise levels that the schedule gives, the greatest first, without the last, 0.
    pub sigmas: Vec<f64>,
    pub sigma_data: f64,
    pub rho: f64,
    pub s_churn: f64,
    pub s_tmin: f64,
    pub s_tmax: f64,
    pub s_noise: f64,
    /// 1 is none.
    pub guidance: f64,
    /// The noise levels with guidance, lowest and highest; `None` where there is no guidance.
    pub guided: Option<[f64; 2]>,
    /// What the network's products were computed in: `f32`, `tf32` or `bf16`.
    pub arithmetic: String,
}

impl StageSampling {
    pub fn of(stage: &StageConfig, arithmetic: Arithmetic) -> Self {
        let NoiseLevels {
            steps,
            sigma_max,
            sigma_data,
            rho,
            s_churn,
            s_tmin,
            s_tmax,
            s_noise,
            ..
        } = stage.levels;
        let solver = match stage.solver {
            Solver::Heun => "heun",
            Solver::Multistep(Multistep::DpmPlusPlus) => "dpm++2m",
            Solver::Multistep(Multistep::UniPc) => "unipc",
        };
        let schedule = stage.schedule();
        let sigmas = schedule.sigmas.iter().map(|&sigma| f64::from(sigma));
        let sigmas = sigmas.take(schedule.steps()).collect();
        Self {
            solver: solver.into(),
            steps,
            sigmas,
            sigma_data,
            rho,
            s_churn,
            s_tmin,
            s_tmax,
            s_noise,
            guidance: stage.cond_scale,
            guided: (stage.cond_scale != 1.0).then_some([stage.guided_from, sigma_max]),
            arithmetic: arithmetic.name().into(),
        }
    }
}

/// What [`Provenance::schema`] is in this version. It grows when a field changes its meaning; a field that
/// is added has a default, so that older files are read.
pub const SCHEMA: u32 = 2;

/// Files from before there was a number.
const FIRST_SCHEMA: u32 = 1;

fn first_schema() -> u32 {
    FIRST_SCHEMA
}

/// Everything that a run can be repeated from, but for the anatomy itself. Every field has a default: what
/// another version wrote is read as far as it goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Of these fields: [`SCHEMA`].
    #[serde(default = "first_schema")]
    pub schema: u32,
    pub requested_ef_percent: f64,
    /// What the networks were conditioned on so that it measures what was requested ([`crate::calibration`]); `None`
    /// where that is the request itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditioning_ef_percent: Option<f64>,
    pub measured_ef_percent: f64,
    /// By the method of disks on the outline that a motion cascade gives with its cine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outline_ef_percent: Option<f64>,
    /// The left ventricle's volume in each frame, as a share of that at end-diastole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<f64>>,
    /// The frames at end-diastole and at end-systole, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ed_frame: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub es_frame: Option<usize>,
    /// Of a motion cascade: whether a mitral valve opens in the cine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaflets: Option<Leaflets>,
    /// The anatomy's outline as a person corrected it, in pixels of its 112 x 112.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outline: Option<Landmarks>,
    /// As `cascade`.
    pub regressor: String,
    pub regressor_sha256: String,
    /// Of the cine that was kept.
    pub seed: u64,
    pub preset: Preset,
    /// What the preset meant for each stage; empty in files of the first schema.
    pub stages: Vec<StageSampling>,
    /// Guidance of each stage.
    pub guidance: Vec<f64>,
    /// Guidance that was asked for instead of the cascade's own.
    pub guidance_asked: Option<f64>,
    /// By its card, or by its hash; never by a file's or folder's name, which may say whose it is.
    pub cascade: String,
    pub cascade_sha256: String,
    pub device: String,
    pub evaluations: usize,
    pub seconds: f64,
    pub best_of: usize,
    pub candidates: Vec<Candidate>,
    /// SHA-256 of the anatomy as 8-bit RGB.
    pub anatomy_sha256: String,
    /// SHA-256 of the cine as 8-bit gray, frame after frame.
    pub pixels_sha256: String,
    /// Whether the anatomy looks like the view that the networks were trained on.
    pub looks_like_four_chamber: bool,
    pub echoif_version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_a_default() {
        let empty: Provenance = serde_json::from_str("{}").unwrap();
        let expected = Provenance {
            schema: FIRST_SCHEMA,
            ..Provenance::default()
        };
        assert_eq!(empty, expected);
        let newer = r#"{"schema": 9, "seed": 3, "candidates": [{}], "what_comes_next": [1]}"#;
        let newer: Provenance = serde_json::from_str(newer).unwrap();
        assert_eq!((newer.schema, newer.seed), (9, 3));
        assert_eq!(newer.candidates, [Candidate::default()]);
    }
}
