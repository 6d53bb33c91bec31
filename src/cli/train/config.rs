//! What a run is told, and what of it is kept.

use crate::checkpoint::Origin;
use crate::files::yaml;
use crate::train::{MotionSettings, PictureSettings, RegressorSettings};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::PathBuf;

const BUILT_IN: &str = "built-in";

/// What is to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// One of a cascade.
    Stage,
    Regressor,
}

/// What a run is told: what is its own, and the settings of its kind, side by side.
pub struct Config {
    pub what: What,
    pub from: Origin,
    /// Which stage, from 0.
    pub stage: usize,
    /// Pictures with outlines, of which puppets are made.
    pub stills: Option<PathBuf>,
    /// Recorded clips with EFs, for a stage that makes pictures or a regressor.
    pub clips: Option<PathBuf>,
    pub checkpoint_minutes: f64,
    pub seed: u64,
    settings: Map<String, Value>,
}

impl Config {
    /// # Errors
    /// A sentence that names what is wrong.
    pub fn read(text: &str) -> Result<Self, String> {
        let all: Option<Map<String, Value>> = yaml::read(text)?;
        let mut all = all.unwrap_or_default();
        let from: String = taken(&mut all, "from", BUILT_IN.to_owned())?;
        let what = taken(&mut all, "what", What::Stage)?;
        if what == What::Regressor && all.contains_key("stage") {
            return Err("a regressor has no `stage`".into());
        }
        let stage: usize = taken(&mut all, "stage", 1)?;
        let config = Self {
            what,
            from: origin(&from)?,
            stage: stage.checked_sub(1).ok_or("`stage` counts from 1")?,
            stills: taken(&mut all, "stills", None)?,
            clips: taken(&mut all, "clips", None)?,
            checkpoint_minutes: taken(&mut all, "checkpoint_minutes", 10.0)?,
            seed: match all.get("seed") {
                Some(seed) => (seed.as_u64()).ok_or("`seed` must be a whole number from 0 on")?,
                None => 0,
            },
            settings: all,
        };
        let minutes = config.checkpoint_minutes;
        match minutes > 0.0 && minutes <= 100_000.0 {
            true => Ok(config),
            false => Err("`checkpoint_minutes` is out of its range".into()),
        }
    }

    /// # Errors
    /// A sentence that names what is wrong.
    pub fn of_motion(&self) -> Result<MotionSettings, String> {
        if self.clips.is_some() {
            return Err("a stage that makes motion learns from `stills`, not from `clips`".into());
        }
        let settings: MotionSettings = self.settings()?;
        settings.check().map(|()| settings)
    }

    /// # Errors
    /// A sentence that names what is wrong.
    pub fn of_pictures(&self) -> Result<PictureSettings, String> {
        self.of_clips()?;
        let settings: PictureSettings = self.settings()?;
        settings.check().map(|()| settings)
    }

    /// # Errors
    /// A sentence that names what is wrong.
    pub fn of_regressor(&self) -> Result<RegressorSettings, String> {
        self.of_clips()?;
        let settings: RegressorSettings = self.settings()?;
        settings.check().map(|()| settings)
    }

    fn of_clips(&self) -> Result<(), String> {
        match self.stills.is_some() && self.clips.is_some() {
            true => Err("`clips` are recorded, and `stills` are made to beat: one of them".into()),
            false => Ok(()),
        }
    }

    fn settings<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_value(Value::Object(self.settings.clone())).map_err(|e| e.to_string())
    }
}

/// Where weights are to come from.
fn origin(from: &str) -> Result<Origin, String> {
    if from == BUILT_IN {
        return Ok(Origin::BuiltIn);
    }
    let path = PathBuf::from(from);
    if path.is_file() {
        return Ok(Origin::Config(path));
    }
    if !path.is_dir() {
        return Err(format!("`from`: {from} is not there"));
    }
    // A run, for what it made.
    for made in ["cascade", "regressor"] {
        if path.join("run.yaml").is_file() && path.join(made).is_dir() {
            let made = path.join(made);
            return Err(format!(
                "`from`: {from} is a run; name what it made, {}",
                made.display()
            ));
        }
    }
    Ok(Origin::Folder(path))
}

fn taken<T: DeserializeOwned>(
    all: &mut Map<String, Value>,
    name: &str,
    default: T,
) -> Result<T, String> {
    let value = all.remove(name).map(serde_json::from_value);
    let value = value.transpose().map_err(|e| format!("`{name}`: {e}"))?;
    Ok(value.unwrap_or(default))
}

/// What a run was begun with, in its folder: paths, which may name somebody, are not kept, what lay there is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Kept {
    pub what: What,
    pub from_sha256: String,
    /// From 1, of a cascade.
    pub stage: Option<usize>,
    /// Stills or clips, how many and which.
    pub data: usize,
    pub data_sha256: String,
    pub settings: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_configuration_is_refused_or_within_its_bounds() {
        let own = "what: stage\nfrom: built-in\nstage: 1\nstills: frames\nsteps: 2500\nbatch: 4\nstep_size: 0.0012\n\
                   seed: 3\npuppets: 0.67\ncompounded: 0.5\nlog_sigma: [3.4, 1.4]\nat_highest: 0.5\nuntold: 0.1\n\
                   strain: 5\nvolume: 2.5\ncheckpoint_minutes: 10\n";
        assert!(Config::read(own).unwrap().of_motion().is_ok());
        let mut read = 0;
        for changed in crate::damage::mutations(own.as_bytes(), 1500) {
            let Ok(config) = Config::read(&String::from_utf8_lossy(&changed)) else {
                continue;
            };
            if let Ok(settings) = config.of_motion() {
                read += 1;
                assert!((1..=64).contains(&settings.batch) && settings.steps > 0);
                assert!(settings.step_size_at(0).is_finite());
            }
            let _ = (config.of_pictures(), config.of_regressor());
        }
        assert!(read > 30, "{read}");
    }

    #[test]
    fn what_is_kept_of_a_run_is_read_or_refused() {
        let kept = Kept {
            what: What::Stage,
            from_sha256: "ab".into(),
            stage: Some(1),
            data: 3,
            data_sha256: "cd".into(),
            settings: serde_json::json!({"steps": 5, "seed": 1}),
        };
        let own = yaml::write(&kept).unwrap();
        assert_eq!(yaml::read::<Kept>(&own).unwrap(), kept);
        for changed in crate::damage::mutations(own.as_bytes(), 500) {
            let _ = yaml::read::<Kept>(&String::from_utf8_lossy(&changed));
        }
    }

    #[test]
    fn a_configuration_is_read_or_refused_by_name() {
        let empty = Config::read("# nothing\n").unwrap();
        assert_eq!((empty.from.clone(), empty.stage), (Origin::BuiltIn, 0));
        assert_eq!(empty.of_motion(), Ok(MotionSettings::default()));
        assert_eq!(empty.of_pictures(), Ok(PictureSettings::default()));
        let regressor = Config::read("what: regressor\nmoved: 4\n").unwrap();
        assert_eq!(regressor.what, What::Regressor);
        assert_eq!(regressor.of_regressor().unwrap().moved, 4);
        let own = Config::read("stage: 2\nclips: c\nbatch: 3\njoint: true\n").unwrap();
        assert_eq!((own.stage, own.of_pictures().unwrap().batch), (1, 3));
        assert!(own.of_motion().is_err());
        for (text, named) in [
            ("stage: 0", "stage"),
            ("seed: -1", "seed"),
            ("checkpoint_minutes: 0", "checkpoint_minutes"),
            ("from: [1]", "from"),
            ("what: meter", "what"),
            ("what: regressor\nstage: 1", "stage"),
            ("from: nowhere", "nowhere is not there"),
        ] {
            let why = Config::read(text).err().unwrap();
            assert!(why.contains(named), "{why}");
        }
        for (text, named) in [
            ("stepsize: 1", "stepsize"),
            ("batch: 0", "batch"),
            ("batch: x", "x"),
        ] {
            let why = Config::read(text).unwrap().of_motion().err().unwrap();
            assert!(why.contains(named), "{why}");
        }
    }
}
