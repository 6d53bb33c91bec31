//! The cascade and the regressor in use, and where cascades are found.

use super::device::OpenDevice;
use crate::calibration::Calibration;
use crate::card::Card;
use crate::checkpoint::{
    self, Identity, LoadedCascade, Normalisation, Regressor, builtin_cascade, builtin_regressor,
    open_cascade_until, open_regressor_until,
};
use crate::edm::{CascadeConfig, Openings};
use crate::media::region::{Anatomy, SIDE};
use crate::motion::Tissue;
use crate::nn::Interrupt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Where a cascade comes from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum CascadeSource {
    #[default]
    Builtin,
    Folder(PathBuf),
}

/// Where a regressor comes from; `None` is the one inside the program.
pub(super) type RegressorSource = Option<(PathBuf, Option<Normalisation>)>;

/// What a screen shows of the cascade in use.
#[derive(Clone, Debug)]
pub struct CascadeInfo {
    pub identity: Identity,
    pub card: Card,
    pub config: CascadeConfig,
    pub builtin: bool,
    pub calibrations: Calibrations,
}

/// What calibrates requests to the cascade in use, as its card has it, where the regressor in use measured it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibrations {
    pub simulated: Option<Calibration>,
    pub recorded: Option<Calibration>,
}

impl Calibrations {
    fn of(card: &Card, regressor_sha256: &str) -> Self {
        let of = |simulated| card.calibration(simulated, regressor_sha256).cloned();
        Self {
            simulated: of(true),
            recorded: of(false),
        }
    }

    /// Of simulated or recorded anatomies.
    pub fn get(&self, simulated: bool) -> Option<&Calibration> {
        let of = if simulated {
            &self.simulated
        } else {
            &self.recorded
        };
        of.as_ref()
    }
}

/// Everything a run needs, on one device.
pub struct Models {
    pub device: OpenDevice,
    pub cascade: LoadedCascade,
    pub regressor: Regressor,
    card: Card,
    cascade_source: CascadeSource,
    regressor_source: Option<(PathBuf, Option<Normalisation>)>,
    /// Of the cascade's runs.
    pub(super) openings: Openings,
    /// Of the last anatomy.
    tissue: Mutex<Option<(String, Arc<Tissue>)>>,
}

impl Models {
    /// # Errors
    /// [`checkpoint::Error`] when the weights cannot be opened.
    pub fn open(
        device: OpenDevice,
        cascade: CascadeSource,
        regressor: Option<(PathBuf, Option<Normalisation>)>,
    ) -> Result<Self, checkpoint::Error> {
        Self::open_until(device, cascade, regressor, &Interrupt::new())
    }

    /// As [`Models::open`], until the flag is set.
    ///
    /// # Errors
    /// As [`Models::open`], and [`checkpoint::Error::Stopped`].
    pub fn open_until(
        device: OpenDevice,
        cascade: CascadeSource,
        regressor: Option<(PathBuf, Option<Normalisation>)>,
        interrupt: &Interrupt,
    ) -> Result<Self, checkpoint::Error> {
        let (loaded, card) = load_cascade(&cascade, &device, interrupt)?;
        Ok(Self {
            regressor: load_regressor(regressor.as_ref(), &device, interrupt)?,
            cascade: loaded,
            card,
            cascade_source: cascade,
            regressor_source: regressor,
            openings: Openings::default(),
            tissue: Mutex::default(),
            device,
        })
    }

    /// What carries an anatomy; the last one's is kept.
    ///
    /// # Errors
    /// When memory runs out.
    pub(super) fn tissue(&self, anatomy: &Anatomy) -> candle_core::Result<Arc<Tissue>> {
        let mut last = self.tissue.lock().unwrap_or_else(PoisonError::into_inner);
        // The same 112 x 112 may come from sources of two resolutions.
        let side = anatomy.fine.as_ref().map_or(0, |fine| fine.side);
        let key = format!("{} {side}", anatomy.sha256);
        if let Some((_, tissue)) = last.as_ref().filter(|(of, _)| *of == key) {
            return Ok(tissue.clone());
        }
        let gray = anatomy.tensor(1)?.flatten_all()?.to_vec1()?;
        let fine = anatomy.fine.as_ref();
        let fine = fine.map(|fine| (fine.side, fine.levels.clone()));
        let tissue = Tissue::new(SIDE, gray, fine);
        let tissue = tissue.map_err(|why| candle_core::Error::Msg(why.to_string()))?;
        *last = Some((key, tissue.clone()));
        Ok(tissue)
    }

    /// Makes what carries an anatomy at its source's own resolution, if the cascade in use carries.
    pub(super) fn refine(&self, anatomy: &Anatomy) {
        if self.cascade.cascade.config.makes_motion()
            && let Ok(tissue) = self.tissue(anatomy)
        {
            tissue.refine();
        }
    }

    /// Puts another cascade in place of the present one, which stays if the new one cannot be
    /// opened.
    ///
    /// # Errors
    /// As [`Models::open_until`].
    pub fn set_cascade(
        &mut self,
        source: CascadeSource,
        interrupt: &Interrupt,
    ) -> Result<(), checkpoint::Error> {
        let (loaded, card) = load_cascade(&source, &self.device, interrupt)?;
        (self.cascade, self.card, self.cascade_source) = (loaded, card, source);
        self.openings = Openings::default();
        Ok(())
    }

    /// Puts another regressor in place; `None` is the built-in one.
    ///
    /// # Errors
    /// As [`Models::open_until`].
    pub fn set_regressor(
        &mut self,
        source: Option<(PathBuf, Option<Normalisation>)>,
        interrupt: &Interrupt,
    ) -> Result<(), checkpoint::Error> {
        self.regressor = load_regressor(source.as_ref(), &self.device, interrupt)?;
        self.regressor_source = source;
        Ok(())
    }

    /// The same models on the CPU, after a GPU failed.
    ///
    /// # Errors
    /// As [`Models::open_until`].
    pub fn on_cpu(&self, why: String, interrupt: &Interrupt) -> Result<Self, checkpoint::Error> {
        Self::open_until(
            OpenDevice::cpu(Some(why)),
            self.cascade_source.clone(),
            self.regressor_source.clone(),
            interrupt,
        )
    }

    /// What the cascade and the regressor were opened from.
    pub(super) fn sources(&self) -> (CascadeSource, RegressorSource) {
        (self.cascade_source.clone(), self.regressor_source.clone())
    }

    pub fn info(&self) -> CascadeInfo {
        CascadeInfo {
            identity: self.cascade.identity.clone(),
            card: self.card.clone(),
            config: self.cascade.cascade.config.clone(),
            builtin: self.cascade_source == CascadeSource::Builtin,
            calibrations: Calibrations::of(&self.card, &self.regressor.identity.sha256),
        }
    }

    /// Sentences from opening the weights.
    pub fn warnings(&self) -> Vec<String> {
        let both = self.cascade.warnings.iter().chain(&self.regressor.warnings);
        both.cloned().collect()
    }
}

fn load_cascade(
    source: &CascadeSource,
    device: &OpenDevice,
    interrupt: &Interrupt,
) -> Result<(LoadedCascade, Card), checkpoint::Error> {
    match source {
        CascadeSource::Builtin => Ok((
            builtin_cascade(device.backend())?,
            checkpoint::card().clone(),
        )),
        CascadeSource::Folder(folder) => {
            let mut loaded = open_cascade_until(folder, device.backend(), interrupt)?;
            // A folder may bring its own card; without one, nothing is known about its EFs.
            let path = folder.join("card.yaml");
            let card = match crate::files::read_text(&path) {
                Ok(text) => Card::parse(&text),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Card::default()),
                Err(e) => Err(e.to_string()),
            };
            let card = card.unwrap_or_else(|why| {
                loaded.warnings.push(format!(
                    "{} cannot be read ({why}): the cascade is used without its figures and its calibration. Correct the \
                     file, or take it away.",
                    path.display()
                ));
                Card::default()
            });
            loaded.identity.published = Some(card.name.clone());
            Ok((loaded, card))
        }
    }
}

fn load_regressor(
    source: Option<&(PathBuf, Option<Normalisation>)>,
    device: &OpenDevice,
    interrupt: &Interrupt,
) -> Result<Regressor, checkpoint::Error> {
    match source {
        None => builtin_regressor(&device.device),
        Some((path, normalisation)) => {
            open_regressor_until(path, &device.device, *normalisation, interrupt)
        }
    }
}

/// The folders that are searched for cascades, in order, each with why.
pub fn search_places() -> Vec<(PathBuf, &'static str)> {
    let mut places = Vec::new();
    if let Some(folder) = std::env::var_os("ECHOIF_WEIGHTS") {
        places.push((PathBuf::from(folder), "$ECHOIF_WEIGHTS"));
    }
    if let Some(dirs) = directories::ProjectDirs::from("", "", "echoif") {
        places.push((dirs.data_dir().join("cascades"), "your data folder"));
    }
    places
}

/// Every cascade folder found in the search places.
pub fn cascade_folders() -> Vec<PathBuf> {
    let is_cascade = |p: &Path| p.join("config.yaml").is_file();
    let mut found = Vec::new();
    for (place, _) in search_places() {
        if is_cascade(&place) {
            found.push(place);
            continue;
        }
        let Ok(entries) = std::fs::read_dir(&place) else {
            continue;
        };
        let mut below: Vec<PathBuf> = entries
            .filter_map(|e| Some(e.ok()?.path()))
            .filter(|p| is_cascade(p))
            .collect();
        below.sort();
        found.extend(below);
    }
    found
}
