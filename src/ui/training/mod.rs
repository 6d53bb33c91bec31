//! Training: eyes that see EF. What is asked and what an answer shows is [`crate::drill`]'s.

mod class;
mod figures;
mod files;
mod guess;
mod keys;
mod ladder;
mod lower;
mod pane;
mod progress;
mod reel;
mod said;
mod stock;
mod watch;

pub use files::TrainingFile;

use super::command::Command;
use super::files::Purpose;
use super::mode::{House, Screen};
use super::projector::Wake;
use super::theme::{self, GAP};
use crate::engine::{Engine, Event};
use class::{Classes, Wants};
use dicom_core::chrono::NaiveDate;
use egui::{RichText, Ui};
use guess::Guess;
use ladder::Ladders;
use lower::Lower;
use reel::Reel;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stock::Stock;
use strum::IntoEnumIterator;

/// The screens of training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
enum Tab {
    #[default]
    Guess,
    Lower,
    Ladder,
    Progress,
    Class,
}

impl Tab {
    fn text(self) -> &'static str {
        match self {
            Self::Guess => "Guess the EF",
            Self::Lower => "Which is lower?",
            Self::Ladder => "Ladder",
            Self::Progress => "Progress",
            Self::Class => "Class",
        }
    }
}

/// Points of a window under which a sitting has no tabs above it.
const LOW: f32 = 420.0;

/// What happened since the screen was drawn last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Since {
    /// Enter was pressed, and nothing else had the keyboard.
    entered: bool,
    /// Something else was on screen.
    away: bool,
}

/// The mode's whole state.
pub struct Training {
    house: Arc<House>,
    tab: Tab,
    stock: Stock,
    guess: Guess,
    lower: Lower,
    ladders: Ladders,
    progress: progress::Shown,
    classes: Classes,
    /// Started when the mode is first shown.
    reel: Option<Reel>,
    wish: Option<TrainingFile>,
    /// Whose result is to be saved elsewhere.
    result_of: Tab,
    said: Vec<String>,
    since: Since,
    wake: Wake,
}

impl Training {
    /// `wake` has the window drawn anew, from any thread; profiles lie in `folder`; `day` is today's, where it is not
    /// that of the clock.
    pub fn new(wake: Wake, folder: Option<PathBuf>, day: Option<NaiveDate>) -> Self {
        Self {
            house: Arc::default(),
            tab: Tab::default(),
            stock: Stock::new(wake.clone(), folder, day),
            guess: Guess::default(),
            lower: Lower::default(),
            ladders: Ladders::default(),
            progress: progress::Shown::new(wake.clone()),
            classes: Classes::new(wake.clone()),
            reel: None,
            wish: None,
            result_of: Tab::default(),
            said: Vec::new(),
            since: Since::default(),
            wake,
        }
    }

    /// Something else is on screen.
    pub fn is_away(&mut self) {
        self.since.away = true;
    }

    /// All profiles are to be deleted: none is held or remembered.
    pub fn forget(&mut self) {
        self.guess = Guess::default();
        self.lower = Lower::default();
        self.stock.forget();
    }

    /// Where profiles lie.
    pub fn folder(&self) -> Option<PathBuf> {
        self.stock.folder().map(Path::to_owned)
    }

    /// Looks at the profiles anew.
    pub fn look(&mut self) {
        self.stock.look();
    }

    /// A file that was opened or dropped.
    pub fn take_opened(&mut self, file: TrainingFile, path: PathBuf) {
        if file == TrainingFile::Set && matches!(self.tab, Tab::Progress | Tab::Class) {
            self.tab = Tab::Guess;
        }
        self.take_file(Purpose::Training(file), path);
    }

    /// Whether somebody is being asked.
    fn is_sitting(&self) -> bool {
        self.guess.is_sitting() || self.lower.is_sitting()
    }

    /// What a class's page asks for.
    fn grant(&mut self, wants: Wants) -> Option<TrainingFile> {
        match wants {
            Wants::File(file) => return Some(file),
            Wants::Guess(sitting, path) => {
                self.guess.begin(*sitting, Some(path));
                self.tab = Tab::Guess;
            }
            Wants::Lower(profile, class, path) => {
                let result = guess::result_path(&path, profile.alias());
                self.lower.begin_class(*profile, &class, result);
                self.tab = Tab::Lower;
            }
        }
        None
    }

    /// The screen that is chosen. A file that the user is to choose.
    fn screen(&mut self, ui: &mut Ui, engine: &Engine, since: Since) -> Option<TrainingFile> {
        let (stock, reel) = (&mut self.stock, self.reel.as_ref()?);
        match self.tab {
            Tab::Guess => self.guess.ui(ui, stock, reel, since),
            Tab::Lower => self.lower.ui(ui, stock, reel, since),
            Tab::Ladder => self.ladders.ui(ui, stock, reel),
            Tab::Progress => self.progress.ui(ui, stock),
            Tab::Class => {
                let shared = (self.house.as_ref(), engine);
                let wants = self.classes.ui(ui, stock, shared, since.entered)?;
                self.grant(wants)
            }
        }
    }

    fn tabs(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            ui.add_space(GAP / 2.0);
            for tab in Tab::iter() {
                let text = RichText::new(tab.text()).size(15.0);
                // Whoever is asked stays with it.
                let free = !self.is_sitting() || self.tab == tab;
                let label = egui::Button::selectable(self.tab == tab, text);
                if ui.add_enabled(free, label).clicked() {
                    self.tab = tab;
                }
            }
        });
    }
}

impl Screen for Training {
    fn settle(&mut self, house: Arc<House>, _: &mut Engine) {
        self.house = house;
    }

    fn hear(&mut self, event: Event, _: &mut Engine) {
        self.classes.set.hear(event);
    }

    fn pursue(&mut self, engine: &mut Engine) {
        self.classes.set.pursue(&self.house, engine);
        self.stock.pursue(self.reel.as_ref());
        self.classes.pursue(self.reel.as_ref());
        self.progress.pursue();
    }

    fn obey(&mut self, command: Command, _: f64, _: &mut Engine) {
        self.since.entered |= command == Command::Proceed;
    }

    fn ui(&mut self, ui: &mut Ui, engine: &mut Engine) -> Vec<Command> {
        let since = std::mem::take(&mut self.since);
        if self.reel.is_none() {
            match Reel::start(self.wake.clone()) {
                Ok(reel) => self.reel = Some(reel),
                Err(e) => self.said.push(format!(
                    "The system gives no thread ({e}): close other programs."
                )),
            }
        }
        if let Some(reel) = self.reel.as_ref().filter(|_| self.classes.is_on_the_wall()) {
            self.classes.wall_ui(ui, reel);
            return Vec::new();
        }
        // Whoever is being asked cannot go elsewhere, and needs the room where there is little.
        if !self.is_sitting() || ui.ctx().content_rect().height() > LOW {
            egui::Panel::top("screens of training")
                .frame(theme::background(ui).inner_margin(6))
                .show(ui, |ui| self.tabs(ui));
        }
        let shown = egui::CentralPanel::default()
            .frame(theme::background(ui))
            .show(ui, |ui| self.screen(ui, engine, since));
        self.wish = shown.inner;
        if self.wish == Some(TrainingFile::ResultOut) {
            self.result_of = self.tab;
        }
        Vec::new()
    }

    fn has_dialog(&self) -> bool {
        false
    }

    fn flows(&self) -> bool {
        true
    }

    fn has_window(&self) -> bool {
        self.classes.is_on_the_wall()
    }

    fn is_busy(&self) -> bool {
        let classes = self.classes.is_busy();
        self.is_sitting() || self.stock.is_busy() || classes || self.progress.is_busy()
    }

    fn step_back(&mut self, engine: &mut Engine) {
        if self.stock.is_busy() {
            self.stock.step_back();
            return;
        }
        match self.tab {
            Tab::Guess => self.guess.step_back(),
            Tab::Lower => self.lower.step_back(),
            Tab::Ladder => {}
            Tab::Progress => self.progress.step_back(),
            Tab::Class => self.classes.step_back(engine),
        }
    }

    fn take_said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    fn take_wish(&mut self) -> Option<Purpose> {
        self.wish.take().map(Purpose::Training)
    }

    fn take_file(&mut self, purpose: Purpose, path: PathBuf) {
        let Purpose::Training(file) = purpose else {
            return;
        };
        match file {
            TrainingFile::Clips if self.tab == Tab::Class => {
                self.classes.take(file, path, &mut self.stock);
            }
            TrainingFile::Set | TrainingFile::Clips => self.stock.take(file, path),
            TrainingFile::ResultOut if self.result_of == Tab::Lower => {
                self.lower.write_result(path);
            }
            TrainingFile::ResultOut => self.guess.write_result(path),
            TrainingFile::Csv | TrainingFile::Json => self.progress.take(file, path, &self.stock),
            TrainingFile::Report if self.tab == Tab::Progress => {
                self.progress.take(file, path, &self.stock);
            }
            TrainingFile::Class
            | TrainingFile::ClassOut
            | TrainingFile::Result
            | TrainingFile::ResultBefore
            | TrainingFile::Report => {
                // Whoever is being asked goes on; the file waits there.
                if !self.is_sitting() {
                    self.tab = Tab::Class;
                }
                self.classes.take(file, path, &mut self.stock);
            }
            TrainingFile::Frames | TrainingFile::Made => {
                self.classes.take(file, path, &mut self.stock);
            }
        }
    }
}
