//! Which clips there are to be.

use super::efs::{MOST_CLIPS, Wanted};
use super::{DatasetError, FPS};
use crate::calibration::Curve;
use crate::edm::Preset;
use crate::ef::EfPercent;
use crate::files::{read_at_most, write_atomically};
use crate::hash::sha256;
use crate::train::dice::Dice;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

const SETTINGS: &str = "plan.json";
const CLIPS: &str = "plan.csv";
/// Bytes of a plan's files at most.
const MOST_BYTES: usize = 512 << 20;
/// What [`Settings::schema`] is in this version.
const SCHEMA: u32 = 1;
const STATEMENT: &str =
    "Synthetic clips. Not patients' scans. Research and education only, not for diagnosis.";
/// How long a clip may be.
pub const SECONDS: RangeInclusive<f64> = 1.0..=60.0;
/// Beats a minute, where they are given.
pub const HEART_RATE: RangeInclusive<f64> = 30.0..=180.0;
/// Beats a minute, where they are drawn.
const HEART_RATES: [f64; 2] = [50.0, 100.0];

/// Where anatomies come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A folder of stills and clips.
    Folder,
    /// EchoNet-Dynamic's training split.
    Echonet,
}

/// Which frame of a clip is the anatomy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    First,
    /// By the clip's seed.
    Random,
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "first" => Ok(Self::First),
            "random" => Ok(Self::Random),
            _ => Err(format!("`{text}` is not a choice; give first or random")),
        }
    }
}

/// What a clip is for, in EchoNet-Dynamic's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Split {
    #[default]
    Train,
    Val,
    Test,
}

impl Split {
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "TRAIN",
            Self::Val => "VAL",
            Self::Test => "TEST",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Train, Self::Val, Self::Test]
            .into_iter()
            .find(|split| split.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("`{text}` is not a split; they are TRAIN, VAL and TEST"))
    }
}

/// What the clips' files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// Motion JPEG: the one that EchoNet-Dynamic's loader reads.
    Avi,
    /// H.264.
    Mp4,
}

impl Container {
    pub fn extension(self) -> &'static str {
        match self {
            Self::Avi => "avi",
            Self::Mp4 => "mp4",
        }
    }
}

impl FromStr for Container {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "avi" => Ok(Self::Avi),
            "mp4" if cfg!(feature = "mp4") => Ok(Self::Mp4),
            "mp4" => Err("this build does not write MP4; give avi".into()),
            _ => Err(format!("`{text}` is not a kind of file; give avi or mp4")),
        }
    }
}

/// What all clips of a data set have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub schema: u32,
    pub statement: String,
    pub clips: usize,
    pub source: Source,
    pub frame: Which,
    pub seed: u64,
    /// Of a clip, where the cascade makes one beat; else its own.
    pub seconds: f64,
    /// Beats a minute of all clips; drawn for each without it. Of a cascade that makes one beat.
    pub heart_rate: Option<f64>,
    pub preset: Preset,
    pub leaflets: bool,
    /// What the cascade is asked by, as its card had it when the set was planned, so that every part asks by the same.
    /// The cascade's own EF without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Curve>,
    pub container: Container,
    pub split: Split,
    pub cascade: String,
    pub cascade_sha256: String,
    pub regressor: String,
    pub regressor_sha256: String,
    /// Of `plan.csv`.
    pub plan_sha256: String,
}

impl Settings {
    /// With nothing said.
    pub fn new(source: Source, seed: u64) -> Self {
        Self {
            schema: SCHEMA,
            statement: STATEMENT.into(),
            clips: 0,
            source,
            frame: match source {
                Source::Folder => Which::First,
                Source::Echonet => Which::Random,
            },
            seed,
            seconds: 2.0,
            heart_rate: None,
            preset: Preset::default(),
            leaflets: false,
            calibration: None,
            container: Container::Avi,
            split: Split::Train,
            cascade: String::new(),
            cascade_sha256: String::new(),
            regressor: String::new(),
            regressor_sha256: String::new(),
            plan_sha256: String::new(),
        }
    }

    /// Frames of a clip of [`Self::seconds`].
    pub fn frames(&self) -> usize {
        (self.seconds * FPS).round() as usize
    }
}

/// What a plan calls an anatomy: no name that a hospital gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnatomyName {
    /// EchoNet-Dynamic's own, which is public; else its number among the folder's files in order of name, from 1.
    pub name: String,
    /// Of the folder's file; empty for EchoNet-Dynamic's.
    pub sha256: String,
}

/// One clip that is to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// From 1.
    pub number: usize,
    /// Of its file, without ending: its number and a hash, nothing else.
    pub name: String,
    /// [`AnatomyName`].
    pub anatomy: String,
    pub anatomy_sha256: String,
    pub ef_percent: f64,
    /// Of all that is chance in it.
    pub seed: u32,
}

/// What chance says of a clip besides its noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chances {
    /// Where in its source the anatomy is, from 0 to below 1.
    pub frame: f64,
    /// Where in the beat the clip begins, from 0 to below 1.
    pub begins: f64,
    /// Beats a minute.
    pub heart_rate: f64,
}

impl Clip {
    /// What the cascade is conditioned on, in percent.
    pub fn conditioning(&self, settings: &Settings) -> f64 {
        let by =
            |curve: &Curve| Some(curve.conditioning(EfPercent::of_dataset(self.ef_percent).ok()?));
        let asked = settings.calibration.as_ref().and_then(by);
        asked.map_or(self.ef_percent, EfPercent::get)
    }

    pub fn chances(&self, settings: &Settings) -> Chances {
        let mut dice = Dice::new(u64::from(self.seed), 0);
        let (frame, begins, rate) = (dice.share(), dice.share(), dice.within(HEART_RATES));
        Chances {
            frame: match settings.frame {
                Which::First => 0.0,
                Which::Random => frame,
            },
            begins,
            heart_rate: settings.heart_rate.unwrap_or(rate),
        }
    }
}

/// A data set before it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub settings: Settings,
    pub clips: Vec<Clip>,
}

impl Plan {
    /// The clips for wanted EFs. Anatomies that nobody asked for by name are drawn; the same arguments make the same plan
    /// everywhere. `find` says which of `anatomies` a wanted name means.
    ///
    /// # Errors
    /// A sentence when a name is none of the anatomies, there are none, or too many clips.
    pub fn new(
        mut settings: Settings,
        wanted: &[Wanted],
        anatomies: &[AnatomyName],
        find: impl Fn(&str) -> Option<usize>,
    ) -> Result<Self, String> {
        if wanted.is_empty() {
            return Err("Nothing is wanted: every percent has its clips already.".into());
        }
        if wanted.len() > MOST_CLIPS {
            return Err(format!("A data set has at most {MOST_CLIPS} clips."));
        }
        if anatomies.is_empty() {
            return Err("There are no anatomies.".into());
        }
        let mut clips = Vec::with_capacity(wanted.len());
        for (i, wanted) in wanted.iter().enumerate() {
            let mut dice = Dice::new(settings.seed, i as u64);
            let (drawn, seed) = (dice.below(anatomies.len()), (dice.number() >> 32) as u32);
            let at = match &wanted.anatomy {
                None => drawn,
                Some(name) => find(name).ok_or_else(|| {
                    format!(
                        "The anatomy `{name}` of wanted clip {} is not there.",
                        i + 1
                    )
                })?,
            };
            let Some(anatomy) = anatomies.get(at) else {
                return Err("There are no anatomies.".into());
            };
            let number = i + 1;
            let ef_percent = wanted.ef.get();
            let AnatomyName { name, sha256: of } = anatomy;
            let hash = sha256(
                format!("{} {number} {name} {of} {ef_percent} {seed}", settings.seed).as_bytes(),
            );
            clips.push(Clip {
                number,
                // It begins with a letter: a column of digits alone would be read as numbers.
                name: format!("ECHOIF_{number:06}_{}", &hash[..8]),
                anatomy: name.clone(),
                anatomy_sha256: of.clone(),
                ef_percent,
                seed,
            });
        }
        settings.clips = clips.len();
        let mut plan = Self { settings, clips };
        plan.settings.plan_sha256 = sha256(plan.table()?.as_bytes());
        Ok(plan)
    }

    fn table(&self) -> Result<String, String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = self
            .clips
            .iter()
            .try_for_each(|clip| writer.serialize(clip));
        written.map_err(|e| e.to_string())?;
        let bytes = writer.into_inner().map_err(|e| e.to_string())?;
        String::from_utf8(bytes).map_err(|e| e.to_string())
    }

    /// Whether a folder has a plan.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(SETTINGS).exists()
    }

    /// Writes `plan.csv` and then `plan.json`, with which the plan is there.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), DatasetError> {
        let fail = |path: PathBuf, why: String| DatasetError::Write { path, why };
        let table = folder.join(CLIPS);
        let text = self.table().map_err(|why| fail(table.clone(), why))?;
        write_atomically(&table, text.as_bytes()).map_err(|e| fail(table, e.to_string()))?;
        let path = folder.join(SETTINGS);
        let text = serde_json::to_string_pretty(&self.settings);
        let text = text.map_err(|e| fail(path.clone(), e.to_string()))? + "\n";
        write_atomically(&path, text.as_bytes()).map_err(|e| fail(path, e.to_string()))
    }

    /// Whether it could have been planned. Whoever writes another table can write its hash, too: names of files stay in
    /// the data set's folder, and nothing is longer than memory.
    fn is_sound(&self) -> bool {
        let Settings {
            clips,
            seconds,
            heart_rate,
            calibration,
            preset,
            leaflets,
            ..
        } = &self.settings;
        let slowest = heart_rate.unwrap_or(HEART_RATES[0]);
        let mut names = HashSet::new();
        self.clips.len() == *clips
            && (1..=MOST_CLIPS).contains(clips)
            && SECONDS.contains(seconds)
            && heart_rate.is_none_or(|rate| HEART_RATE.contains(&rate))
            && seconds * slowest >= 60.0
            && calibration
                .as_ref()
                .is_none_or(|curve| curve.is_of(*preset) && !leaflets)
            && self.clips.iter().all(|clip| {
                let own = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
                (1..=64).contains(&clip.name.len())
                    && clip.name.bytes().all(own)
                    && names.insert(&clip.name)
                    && EfPercent::of_dataset(clip.ef_percent).is_ok()
            })
    }

    /// Reads the plan in a folder.
    ///
    /// # Errors
    /// When there is none, or it was changed.
    pub fn read(folder: &Path) -> Result<Self, DatasetError> {
        let file = |name: &str| {
            let path = folder.join(name);
            match read_at_most(&path, MOST_BYTES) {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => Err(DatasetError::Changed(folder.to_owned())),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                    Err(DatasetError::NoPlan(folder.to_owned()))
                }
                Err(e) => Err(DatasetError::Unreadable {
                    path,
                    why: e.to_string(),
                }),
            }
        };
        let (settings, table) = (file(SETTINGS)?, file(CLIPS)?);
        let settings: Settings =
            serde_json::from_slice(&settings).map_err(|e| DatasetError::List {
                path: folder.join(SETTINGS),
                why: format!("it is no plan that this version reads ({e})."),
            })?;
        let changed = || DatasetError::Changed(folder.to_owned());
        if settings.schema != SCHEMA {
            return Err(DatasetError::List {
                path: folder.join(SETTINGS),
                why: "another version of EchoIf made this plan. Use that one.".into(),
            });
        }
        if sha256(&table) != settings.plan_sha256 {
            return Err(changed());
        }
        let clips: Result<Vec<Clip>, _> = csv::Reader::from_reader(table.as_slice())
            .deserialize()
            .collect();
        let clips = clips.map_err(|_| changed())?;
        let plan = Self { settings, clips };
        match plan.is_sound() {
            true => Ok(plan),
            false => Err(changed()),
        }
    }
}

#[cfg(test)]
mod tests;
