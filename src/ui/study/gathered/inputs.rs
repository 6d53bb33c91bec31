//! A study's plan, key and logs, as they were chosen.

use super::super::files::{Found, StudyFile, found_in};
use crate::study::given::{self, GivenKey, Opener, Why};
use crate::study::plan::Plan;
use crate::ui::parts::{FileField, FileRow, error, name_of, row};
use egui::{RichText, TextEdit, Ui};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What both screens are given.
#[derive(Clone, Default)]
pub struct Inputs {
    pub folder: Option<PathBuf>,
    pub plan: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// Whether the key asks for its passphrase, or why it cannot be read.
    sealed: Option<Result<bool, String>>,
    pub passphrase: String,
    pub logs: Vec<PathBuf>,
}

/// What the user did with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    Ask(StudyFile),
    Changed,
}

impl Inputs {
    /// Takes a file that was chosen.
    ///
    /// # Errors
    /// In a sentence, when a folder cannot be looked through.
    pub fn take(&mut self, file: StudyFile, path: PathBuf) -> Result<(), String> {
        match file {
            StudyFile::Folder => {
                let Found { plan, key, logs } = found_in(&path)?;
                if plan.is_none() {
                    return Err(format!(
                        "{}: there is no study in it; choose the folder with plan.json or the file with the \
                         ending .echostudy.",
                        path.display()
                    ));
                }
                (self.plan, self.logs) = (plan, logs);
                self.take_key(key);
                self.folder = Some(path);
            }
            StudyFile::Plan => self.plan = Some(path),
            StudyFile::Key => self.take_key(Some(path)),
            StudyFile::Logs if !self.logs.contains(&path) => self.logs.push(path),
            _ => {}
        }
        Ok(())
    }

    fn take_key(&mut self, key: Option<PathBuf>) {
        self.passphrase.clear();
        let sealed = |path: &PathBuf| given::key_is_sealed(path).map_err(|e| format!("{e}."));
        self.sealed = key.as_ref().map(sealed);
        self.key = key;
    }

    /// The plan, as the key opens it where it is sealed.
    pub fn plan(&self) -> Result<Arc<Plan>, String> {
        let path = self.plan.as_ref().ok_or("Choose the study's plan.")?;
        let plan = match given::plan(path, Opener::Nothing) {
            Err(e) if matches!(e.why, Why::Sealed) => match self.key()? {
                Some(key) => given::plan(path, Opener::Key(&key.key)),
                None => Err(e),
            },
            plan => plan,
        };
        plan.map_err(|e| format!("{e}."))
    }

    pub fn key(&self) -> Result<Option<GivenKey>, String> {
        let Some(path) = &self.key else {
            return Ok(None);
        };
        let word = (!self.passphrase.is_empty()).then_some(self.passphrase.as_str());
        given::key(path, word)
            .map(Some)
            .map_err(|e| format!("{e}."))
    }

    /// Draws them; the key where it is needed.
    pub fn ui(&mut self, ui: &mut Ui, with_key: bool) -> Option<Did> {
        let mut did = None;
        let folder = self.folder.as_deref();
        let note = "plan, key and logs are looked for in it";
        let field = FileField::new("The study's folder", StudyFile::Folder, folder, note);
        match field.show(ui) {
            Some(FileRow::Choose(file)) => did = Some(Did::Ask(file)),
            Some(FileRow::Clear) => {
                *self = Self::default();
                return Some(Did::Changed);
            }
            None => {}
        }
        let plan = self.plan.as_deref();
        let note = "plan.json, or the study itself";
        match FileField::new("Plan", StudyFile::Plan, plan, note).show(ui) {
            Some(FileRow::Choose(file)) => did = Some(Did::Ask(file)),
            Some(FileRow::Clear) => {
                self.plan = None;
                did = Some(Did::Changed);
            }
            None => {}
        }
        if with_key || self.is_plan_sealed() {
            let key = self.key.as_deref();
            let note = "says which clip is which";
            match FileField::new("Key", StudyFile::Key, key, note).show(ui) {
                Some(FileRow::Choose(file)) => did = Some(Did::Ask(file)),
                Some(FileRow::Clear) => {
                    self.take_key(None);
                    did = Some(Did::Changed);
                }
                None => {}
            }
            match &self.sealed {
                Some(Ok(true)) => {
                    row(ui, "Its passphrase", |ui, words| {
                        let field = TextEdit::singleline(&mut self.passphrase)
                            .password(true)
                            .desired_width(240.0);
                        ui.add(field).labelled_by(words);
                    });
                }
                Some(Err(why)) => error(ui, why.clone()),
                _ => {}
            }
        }
        did.or(self.logs_ui(ui))
    }

    fn logs_ui(&mut self, ui: &mut Ui) -> Option<Did> {
        let mut did = None;
        let note = match self.logs.len() {
            0 => "one file of each reader",
            _ => "",
        };
        if let Some(FileRow::Choose(file)) =
            FileField::new("Readers' logs", StudyFile::Logs, None, note).show(ui)
        {
            did = Some(Did::Ask(file));
        }
        let mut gone = None;
        for (i, log) in self.logs.iter().enumerate() {
            row(ui, "", |ui, _| {
                let name = name_of(log);
                let remove = ui.button("Remove");
                crate::ui::parts::named(&remove, &format!("Remove {name}"));
                if remove.clicked() {
                    gone = Some(i);
                }
                let label = egui::Label::new(RichText::new(name)).truncate();
                ui.add(label).on_hover_text(log.display().to_string());
            });
        }
        if let Some(gone) = gone {
            self.logs.remove(gone);
            did = Some(Did::Changed);
        }
        did
    }

    /// Whether a path is one of them.
    pub fn has(&self, path: &Path) -> bool {
        let files = self.plan.iter().chain(&self.key).chain(&self.logs);
        files.into_iter().any(|file| file == path)
    }

    /// Whether the key is needed to open the plan, too.
    fn is_plan_sealed(&self) -> bool {
        let ending = self.plan.as_ref().and_then(|p| p.extension());
        ending.is_some_and(|e| e.eq_ignore_ascii_case("echostudy"))
    }

    /// What is missing to check logs, in a sentence.
    pub fn missing(&self) -> Option<&'static str> {
        match (&self.plan, self.logs.is_empty()) {
            (None, _) => Some("Choose the study's folder, or its plan."),
            (_, true) => Some("No log is there yet. Add those that readers handed in."),
            _ => None,
        }
    }
}
