//! The modes of the window: what they share, and what each of them does.

use super::command::Command;
use super::files::Purpose;
use crate::engine::{CascadeInfo, Engine, Event};
use egui::Ui;
use std::path::PathBuf;
use std::sync::Arc;

/// A mode of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// One source, its factual and its counterfactual cine.
    #[default]
    Explore,
    /// Cases to guess the EF of.
    Training,
    /// Trials of a reader study.
    Study,
}

impl Mode {
    /// As the top bar has them, with the command that goes there.
    pub(super) const SHOWN: [(Self, Command); 3] = [
        (Self::Explore, Command::GoToExplore),
        (Self::Training, Command::GoToTraining),
        (Self::Study, Command::GoToStudy),
    ];
}

/// What all modes share. Nobody changes it in place: another cascade, regressor or device makes another one.
#[derive(Clone, Default)]
pub struct House {
    /// The cascade in use; `None` while one is loaded.
    pub cascade: Option<CascadeInfo>,
    /// Cascade folders that were found, for the menu.
    pub cascades: Vec<PathBuf>,
    /// The regressor's name.
    pub regressor: String,
    /// The device's name.
    pub device: String,
}

impl House {
    /// Whether the cascade gives motion, and with it an outline.
    pub(super) fn makes_motion(&self) -> bool {
        let cascade = self.cascade.as_ref();
        cascade.is_some_and(|c| c.config.makes_motion())
    }

    /// Whether the cascade's cines are one normalised beat.
    pub(super) fn beat_normalised(&self) -> bool {
        let cascade = self.cascade.as_ref();
        cascade.is_some_and(|c| c.config.beat_normalised)
    }
}

/// A mode's screen. Each hears what the worker makes for it; only the one that is shown obeys commands and is drawn.
pub(super) trait Screen {
    /// The worker is ready with another cascade, regressor or device, or with its first.
    fn settle(&mut self, house: Arc<House>, engine: &mut Engine);

    /// Takes one of the worker's other events.
    fn hear(&mut self, event: Event, engine: &mut Engine);

    /// Looks whether what it has other threads do has come.
    fn pursue(&mut self, engine: &mut Engine);

    /// Does what its own commands say; `now` is the window's time in seconds. Others are none of its business.
    fn obey(&mut self, command: Command, now: f64, engine: &mut Engine);

    /// Draws it. Returns the commands that its buttons ask for.
    fn ui(&mut self, ui: &mut Ui, engine: &mut Engine) -> Vec<Command>;

    /// Whether a dialog of its own has the keys to itself.
    fn has_dialog(&self) -> bool;

    /// Whether it flows into any room that there is; else it is given a least one, to be scrolled.
    fn flows(&self) -> bool {
        false
    }

    /// Whether it has the whole window and all keys to itself.
    fn has_window(&self) -> bool {
        false
    }

    /// Whether the worker has anything of it, or something waits for the user's word.
    fn is_busy(&self) -> bool;

    /// Goes back one step: what is on top is put away, else what is being made is cancelled.
    fn step_back(&mut self, engine: &mut Engine);

    /// Takes the sentences that are to be shown.
    fn take_said(&mut self) -> Vec<String>;

    /// Takes what the user is to choose a file for.
    fn take_wish(&mut self) -> Option<Purpose> {
        None
    }

    /// Takes a file that was chosen.
    fn take_file(&mut self, _: Purpose, _: PathBuf) {}
}
