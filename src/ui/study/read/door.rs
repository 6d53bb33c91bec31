//! The way into a session: a study's file and a reader's code.

use super::super::files::StudyFile;
use crate::study::PROGRAM;
use crate::study::bundle::Opened;
use crate::study::code::Code;
use crate::study::given;
use crate::study::log::beside;
use crate::study::record::PresentedBy;
use crate::study::session::{Session, Start};
use crate::study::stamp::Stamp;
use crate::ui::parts::{FileField, FileRow, column, error, main_button, muted, row, title};
use crate::ui::projector::Wake;
use crate::ui::task::Task;
use crate::ui::theme::GAP;
use egui::{CollapsingHeader, Spinner, TextEdit, Ui};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was filled in.
pub struct Door {
    bundle: Option<PathBuf>,
    code: String,
    /// Beside the bundle where none is given.
    log: Option<PathBuf>,
    /// It is tried as soon as it can be.
    at_once: bool,
    opening: Option<Task<Result<Entered, String>>>,
    why: Option<String>,
    wake: Wake,
}

/// A reader who may sit down.
pub struct Entered {
    pub bundle: Arc<Opened>,
    pub session: Session,
    pub log: PathBuf,
}

impl Door {
    pub fn new(wake: Wake) -> Self {
        Self {
            bundle: None,
            code: String::new(),
            log: None,
            at_once: false,
            opening: None,
            why: None,
            wake,
        }
    }

    /// A reader sits down before a study that is on this machine.
    pub fn begin(&mut self, bundle: PathBuf, code: String, log: Option<PathBuf>) {
        self.opening = None;
        self.why = None;
        (self.bundle, self.code, self.log) = (Some(bundle), code, log);
        self.at_once = true;
    }

    /// Says why a session ended that should not have.
    pub fn tell(&mut self, why: String) {
        self.why = Some(why);
    }

    /// Takes a file that was chosen.
    pub fn take(&mut self, file: StudyFile, path: PathBuf) {
        self.why = None;
        match file {
            StudyFile::Bundle => {
                self.bundle = Some(path);
                self.log = None;
            }
            StudyFile::Log => self.log = Some(path),
            _ => {}
        }
    }

    pub fn is_busy(&self) -> bool {
        self.opening.is_some()
    }

    pub fn step_back(&mut self) {
        self.opening = None;
    }

    /// The reader, when the bundle is open.
    pub fn entered(&mut self) -> Option<Entered> {
        let outcome = self.opening.as_ref()?.take()?;
        self.opening = None;
        match outcome.and_then(|o| o) {
            Ok(entered) => {
                // Whoever comes next has a code of their own.
                self.code.clear();
                self.log = None;
                Some(entered)
            }
            Err(why) => {
                self.why = Some(why);
                None
            }
        }
    }

    pub fn ui(&mut self, ui: &mut Ui, entered: bool) -> Option<StudyFile> {
        let mut asks = None;
        column(ui, |ui| {
            title(
                ui,
                "Read",
                "Your code opens the study, and says who reads. What you answer is kept at once; you may stop and \
                 go on another day.",
            );
            ui.add_enabled_ui(!self.is_busy(), |ui| asks = self.fields(ui));
            ui.add_space(GAP);
            self.start(ui, entered);
        });
        asks
    }

    fn fields(&mut self, ui: &mut Ui) -> Option<StudyFile> {
        let mut asks = None;
        let bundle = self.bundle.as_deref();
        let file = StudyFile::Bundle;
        match FileField::new("Study", file, bundle, "a file with the ending .echostudy").show(ui) {
            Some(FileRow::Choose(file)) => asks = Some(file),
            Some(FileRow::Clear) => self.bundle = None,
            None => {}
        }
        row(ui, "Your code", |ui, words| {
            let field = TextEdit::singleline(&mut self.code)
                .hint_text("XXXXX-XXXXX-XXXXX-XXXXX")
                .font(egui::TextStyle::Monospace)
                .desired_width(260.0);
            if ui.add(field).labelled_by(words).changed() {
                self.why = None;
            }
        });
        ui.add_space(GAP / 2.0);
        CollapsingHeader::new("More")
            .id_salt("more of reading")
            .show(ui, |ui| {
                let log = self.log.as_deref();
                match FileField::new("Your answers", StudyFile::Log, log, "beside the study")
                    .show(ui)
                {
                    Some(FileRow::Choose(file)) => asks = Some(file),
                    Some(FileRow::Clear) => self.log = None,
                    None => {}
                }
                muted(
                    ui,
                    "Choose a file where the study lies on a disk that cannot be written to.",
                );
            });
        asks
    }

    fn start(&mut self, ui: &mut Ui, entered: bool) {
        if self.is_busy() {
            ui.horizontal(|ui| {
                ui.add(Spinner::new());
                ui.label("The study is opened...");
                if ui.button("Cancel").clicked() {
                    self.opening = None;
                }
            });
            return;
        }
        let ready = self.bundle.is_some() && !self.code.trim().is_empty();
        let at_once = std::mem::take(&mut self.at_once) && ready;
        if (main_button(ui, "Begin", ready, entered) || at_once)
            && let Some(bundle) = self.bundle.clone()
        {
            let at = super::stamp(ui.input(|i| i.time));
            self.open(bundle, at);
        }
        if let Some(why) = &self.why {
            error(ui, why.clone());
        }
    }

    fn open(&mut self, bundle: PathBuf, at: Stamp) {
        self.why = None;
        let code = match Code::parse(&self.code) {
            Ok(code) => code,
            Err(e) => {
                self.why = Some(format!("{e}."));
                return;
            }
        };
        let log = self.log.clone();
        let opening = Task::start("open study", &self.wake, move |reporter| {
            let goes_on = || reporter.report("", 0.5);
            enter(&bundle, &code, log.as_deref(), at, &goes_on)
        });
        match opening {
            Ok(opening) => self.opening = Some(opening),
            Err(why) => self.why = Some(why),
        }
    }
}

fn enter(
    bundle: &Path,
    code: &Code,
    log: Option<&Path>,
    at: Stamp,
    goes_on: &dyn Fn() -> bool,
) -> Result<Entered, String> {
    let opened = given::bundle(bundle, code).map_err(|e| format!("{e}."))?;
    let place = opened.reader.unwrap_or(usize::MAX);
    let reader = opened.plan.readers.get(place).map(|r| r.reader.as_str());
    let usual = || beside(bundle, reader.unwrap_or_default());
    let log = log.map_or_else(usual, Path::to_owned);
    // Before anything is written: nobody waits for it any more.
    if !goes_on() {
        return Err(String::new());
    }
    let start = Start {
        log: &log,
        by: PresentedBy::Window,
        program: PROGRAM,
        at,
    };
    let session = Session::open(opened.plan.clone(), place, start);
    Ok(Entered {
        session: session.map_err(|e| format!("{}: {e}.", log.display()))?,
        bundle: Arc::new(opened),
        log,
    })
}
