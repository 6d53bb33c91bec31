//! *Guess the EF*: practice and tests, from what is wanted to what it showed.

mod entry;
mod live;
mod setup;
mod summary;
mod words;

pub use live::grid;
pub use setup::shares_ui;
pub use summary::handed_in;

use super::Since;
use super::files::TrainingFile;
use super::reel::Reel;
use super::said::about_file;
use super::stock::Stock;
use crate::drill::result::ClassResult;
use crate::drill::sitting::Sitting;
use egui::Ui;
use live::{Live, Stays};
use setup::{Setup, Wants};
use std::path::{Path, PathBuf};
use summary::Ended;

/// The screen's state.
#[derive(Default)]
pub struct Guess {
    setup: Setup,
    shown: Shown,
    /// The class's file, beside which its result goes.
    class: Option<PathBuf>,
}

#[derive(Default)]
enum Shown {
    #[default]
    Setup,
    Live(Box<Live>),
    Ended(Box<Ended>),
}

impl Guess {
    /// Whether cases are being asked.
    pub fn is_sitting(&self) -> bool {
        matches!(self.shown, Shown::Live(_))
    }

    /// Shows a sitting; that of a class with the class's file.
    pub fn begin(&mut self, sitting: Sitting, class: Option<PathBuf>) {
        self.class = class;
        self.shown = Shown::Live(Box::new(Live::new(sitting)));
    }

    pub fn ui(
        &mut self,
        ui: &mut Ui,
        stock: &mut Stock,
        reel: &Reel,
        since: Since,
    ) -> Option<TrainingFile> {
        match &mut self.shown {
            Shown::Setup => match self.setup.ui(ui, stock, since.entered) {
                Some(Wants::File(file)) => return Some(file),
                Some(Wants::Begin(sitting)) => self.begin(*sitting, None),
                None => {}
            },
            Shown::Live(live) => {
                if live.ui(ui, reel, since) == Stays::No {
                    self.end(stock);
                }
            }
            Shown::Ended(ended) => {
                let (read, elsewhere) = ended.ui(ui, since.entered);
                if elsewhere {
                    return Some(TrainingFile::ResultOut);
                }
                if read {
                    self.shown = Shown::Setup;
                }
            }
        }
        None
    }

    /// It is over, or was left: what was answered is shown. A class's result is written beside it.
    fn end(&mut self, stock: &mut Stock) {
        let Shown::Live(live) = std::mem::take(&mut self.shown) else {
            return;
        };
        if live.sitting.done().is_empty() {
            drop(live);
            stock.look();
            return;
        }
        let ended = Ended::of(&live.sitting);
        // The profile is free again.
        drop(live);
        stock.look();
        let beside = ended.result.as_ref().zip(self.class.as_deref());
        let path = beside.map(|(result, class)| result_path(class, &result.alias));
        self.shown = Shown::Ended(Box::new(ended));
        if let Some(path) = path {
            self.write_result(path);
        }
    }

    /// Writes the result of a class. Where that fails the page says why.
    pub fn write_result(&mut self, path: PathBuf) {
        if let Shown::Ended(ended) = &mut self.shown
            && let Some(result) = &ended.result
        {
            ended.written = Some(write(result, path));
        }
    }

    pub fn step_back(&mut self) {
        match &mut self.shown {
            Shown::Setup => self.setup.why = None,
            Shown::Live(live) => live.step_back(),
            Shown::Ended(_) => self.shown = Shown::Setup,
        }
    }
}

/// Writes a result; its path where it is then.
///
/// # Errors
/// A sentence.
pub fn write(result: &ClassResult, mut path: PathBuf) -> Result<PathBuf, String> {
    if path.extension().is_none() {
        path.set_extension("echoresult");
    }
    match crate::files::write_atomically(&path, &result.to_bytes()) {
        Ok(()) => Ok(path),
        Err(e) => Err(about_file(&path, &format!("it cannot be written ({e})"))),
    }
}

/// `ALIAS-NAME.echoresult`, beside the class.
pub fn result_path(class: &Path, alias: &str) -> PathBuf {
    let stem = class.file_stem().unwrap_or_default().to_string_lossy();
    class.with_file_name(format!("{alias}-{stem}.echoresult"))
}
