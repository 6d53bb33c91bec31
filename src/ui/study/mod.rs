//! Study: real-or-fake reader studies. Four screens: a study is made, read, collected and reported; what they do
//! is [`crate::study`]'s.

mod files;
mod gathered;
mod new;
mod read;

pub use files::StudyFile;

use super::command::Command;
use super::files::Purpose;
use super::mode::{House, Screen};
use super::projector::Wake;
use super::theme::{self, GAP};
use crate::engine::{Engine, Event};
use egui::{Color32, RichText, Ui};
use gathered::Gathered;
use new::{Asks, NewStudy};
use read::Read;
use std::path::PathBuf;
use std::sync::Arc;
use strum::IntoEnumIterator;

/// The screens of a study, in the order of its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
enum Tab {
    #[default]
    New,
    Read,
    Collect,
    Report,
}

impl Tab {
    fn text(self) -> &'static str {
        match self {
            Self::New => "New study",
            Self::Read => "Read",
            Self::Collect => "Collect",
            Self::Report => "Report",
        }
    }
}

/// The mode's whole state.
pub struct Study {
    tab: Tab,
    new: NewStudy,
    read: Read,
    gathered: Gathered,
    /// A file that the user is to choose.
    wish: Option<StudyFile>,
    /// Enter was pressed, and nothing else had the keyboard.
    entered: bool,
}

impl Study {
    /// `wake` has the window drawn anew, from any thread; `today` as 2026-11-26.
    pub fn new(wake: Wake, today: String) -> Self {
        Self {
            tab: Tab::default(),
            new: NewStudy::new(wake.clone(), today),
            read: Read::new(wake.clone()),
            gathered: Gathered::new(wake),
            wish: None,
            entered: false,
        }
    }

    /// Opens the door to a study, and goes through it where there is a code.
    pub fn open(&mut self, bundle: PathBuf, code: Option<String>, log: Option<PathBuf>) {
        self.tab = Tab::Read;
        match code {
            Some(code) => self.read.begin(bundle, code, log),
            None => {
                self.read.take(StudyFile::Bundle, bundle);
                if let Some(log) = log {
                    self.read.take(StudyFile::Log, log);
                }
            }
        }
    }

    /// What the window is cleared to, where it is not the theme's.
    pub fn ground(&self) -> Option<Color32> {
        self.read.is_reading().then_some(read::GROUND)
    }

    /// A folder that was dropped on the window.
    pub fn take_folder(&mut self, path: PathBuf) {
        match self.tab {
            Tab::New => self.new.take_dropped(path),
            Tab::Read => {}
            Tab::Collect | Tab::Report => self.gathered.take(StudyFile::Folder, path),
        }
    }

    /// The window is closed.
    pub fn close(&mut self) {
        self.read.close();
        self.new.close();
    }

    fn tabs(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            ui.add_space(GAP / 2.0);
            for tab in Tab::iter() {
                let text = RichText::new(tab.text()).size(15.0);
                if ui.selectable_label(self.tab == tab, text).clicked() {
                    self.tab = tab;
                }
            }
        });
    }
}

impl Screen for Study {
    fn settle(&mut self, _: Arc<House>, _: &mut Engine) {}

    fn hear(&mut self, _: Event, _: &mut Engine) {}

    fn pursue(&mut self, engine: &mut Engine) {
        self.new.pursue();
        let was_reading = self.read.is_reading();
        self.read.pursue();
        if self.read.is_reading() && !was_reading {
            // Whatever is being made elsewhere would make passes late.
            engine.cancel_all();
        }
        self.gathered.pursue();
    }

    fn obey(&mut self, command: Command, _: f64, _: &mut Engine) {
        self.entered |= command == Command::Proceed;
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut Engine) -> Vec<Command> {
        if self.read.is_reading() {
            self.read.session(ui);
            return Vec::new();
        }
        let entered = std::mem::take(&mut self.entered);
        egui::Panel::top("screens of a study")
            .frame(theme::background(ui).inner_margin(6))
            .show(ui, |ui| self.tabs(ui));
        egui::CentralPanel::default()
            .frame(theme::background(ui))
            .show(ui, |ui| {
                self.wish = match self.tab {
                    Tab::New => match self.new.ui(ui, entered) {
                        Some(Asks::File(file)) => Some(file),
                        Some(Asks::Read { bundle, code }) => {
                            self.open(bundle, Some(code), None);
                            None
                        }
                        None => None,
                    },
                    Tab::Read => self.read.ui(ui, entered),
                    Tab::Collect => self.gathered.collect_ui(ui, entered),
                    Tab::Report => self.gathered.report_ui(ui),
                };
            });
        Vec::new()
    }

    fn has_dialog(&self) -> bool {
        false
    }

    fn flows(&self) -> bool {
        true
    }

    fn has_window(&self) -> bool {
        self.read.is_reading()
    }

    fn is_busy(&self) -> bool {
        self.new.is_busy() || self.read.is_busy() || self.gathered.is_busy()
    }

    fn step_back(&mut self, _: &mut Engine) {
        match self.tab {
            Tab::New => self.new.step_back(),
            Tab::Read => self.read.step_back(),
            Tab::Collect | Tab::Report => self.gathered.step_back(),
        }
    }

    fn take_said(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn take_wish(&mut self) -> Option<Purpose> {
        self.wish.take().map(Purpose::Study)
    }

    fn take_file(&mut self, purpose: Purpose, path: PathBuf) {
        let Purpose::Study(file) = purpose else {
            return;
        };
        match file {
            StudyFile::Real
            | StudyFile::Factual
            | StudyFile::Counterfactual
            | StudyFile::List
            | StudyFile::Practice
            | StudyFile::Out => self.new.take(file, path),
            StudyFile::Bundle | StudyFile::Log => self.read.take(file, path),
            StudyFile::Folder
            | StudyFile::Plan
            | StudyFile::Key
            | StudyFile::Logs
            | StudyFile::Merged
            | StudyFile::Report => self.gathered.take(file, path),
        }
    }
}
