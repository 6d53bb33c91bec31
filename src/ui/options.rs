//! How the window starts, and with what.

use super::explore::Settings;
use super::files::{Picker, SystemPicker};
use crate::engine::DeviceChoice;
use dicom_core::chrono::NaiveDate;
use std::path::PathBuf;
use std::sync::Arc;

/// How the window starts.
pub struct Options {
    /// Opened at the start; a simulated heart without it.
    pub file: Option<PathBuf>,
    /// A reader study to read, instead.
    pub study: Option<Reading>,
    pub device: DeviceChoice,
    pub picker: Arc<dyn Picker>,
    /// Where training's profiles lie, instead of the data directory.
    pub profiles: Option<PathBuf>,
    /// What day it is to training, by UTC, for pictures of the window.
    pub day: Option<NaiveDate>,
    /// Instead of what was kept.
    pub settings: Option<Settings>,
    /// Paints the background, for pictures of the window, whose renderer does not clear them.
    pub paints_background: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file: None,
            study: None,
            device: DeviceChoice::Auto,
            picker: Arc::new(SystemPicker),
            profiles: None,
            day: None,
            settings: None,
            paints_background: false,
        }
    }
}

/// A reader study that is to be read.
#[derive(Clone, Default)]
pub struct Reading {
    pub bundle: PathBuf,
    /// Who reads; asked for where it is not given.
    pub code: Option<String>,
    /// Beside the bundle without it.
    pub log: Option<PathBuf>,
}

/// What the window opens with.
#[derive(Default)]
pub struct Opening {
    /// A frame or clip to explore.
    pub file: Option<PathBuf>,
    /// A reader study to read.
    pub study: Option<Reading>,
}
