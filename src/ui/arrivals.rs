//! What comes from dialogs and from the threads that open and write files.

use super::app::App;
use super::explore::Recent;
use super::files::{Arrival, Purpose, Ready};
use super::folder::Folder;
use super::mode::{Mode, Screen as _};
use super::training::TrainingFile;
use crate::engine::CascadeSource;
use crate::ui::today;
use std::path::{Path, PathBuf};

impl App {
    pub(super) fn arrive(&mut self, arrival: Arrival, ctx: &egui::Context) {
        match arrival {
            Arrival::Picked(Purpose::Source | Purpose::Folder, path) => self.desk.open(&path, ctx),
            Arrival::Picked(Purpose::Cascade, path) => {
                self.engine.open_cascade(CascadeSource::Folder(path));
            }
            Arrival::Picked(Purpose::Regressor, path) => {
                self.engine.open_regressor(Some((path, None)));
            }
            Arrival::Picked(Purpose::Export(_, extension), path) => {
                self.export_to(path, extension, false, ctx);
            }
            Arrival::Picked(purpose @ Purpose::Study(_), path) => {
                self.study.take_file(purpose, path);
            }
            Arrival::Picked(purpose @ Purpose::Training(_), path) => {
                self.training.take_file(purpose, path);
            }
            Arrival::Exported(Ok(path)) => self.tell_done(format!("Exported: {}", path.display())),
            Arrival::Exported(Err(why)) => self.tell(why),
            Arrival::NothingPicked { purpose, no_dialog } => {
                if no_dialog {
                    self.typed = Some((purpose, String::new()));
                }
            }
            Arrival::Opened(opened) => match *opened {
                Ok(Ready::Study(path)) => {
                    self.go_to(Mode::Study);
                    self.study.open(path, None, None);
                }
                Ok(Ready::Training(file, path)) => {
                    self.go_to(Mode::Training);
                    self.training.take_opened(file, path);
                }
                Ok(Ready::Source { source, hash, path }) => {
                    self.is_opened(&path);
                    self.mode = Mode::Explore;
                    self.explore.open(*source, &mut self.engine);
                    if let Some(hash) = hash {
                        self.explore.kept.paths.insert(hash.clone(), path);
                        if let Some(source) = &self.explore.case.source {
                            let recent = Recent {
                                hash,
                                date: today(),
                                kind: source.about(),
                                size: source.size(),
                                ..Recent::default()
                            };
                            self.explore.kept.note_recent(recent, source.id);
                        }
                    }
                }
                Ok(Ready::Run {
                    source,
                    sidecar,
                    path,
                }) => {
                    self.is_opened(&path);
                    self.mode = Mode::Explore;
                    self.explore.reopen_run(*source, &sidecar, &mut self.engine);
                }
                Ok(Ready::Collection(paths)) => {
                    self.mode = Mode::Explore;
                    let ef = self.explore.wanted.requested;
                    let wake = self.wake.clone();
                    self.close_folder();
                    self.folder = Some(Folder::new(paths.len(), ef, wake));
                    self.desk.survey(&paths, ctx);
                }
                Err(why) => {
                    if let Some(folder) = &mut self.folder {
                        folder.is_not_opened();
                    }
                    self.tell(why);
                }
            },
            Arrival::Card(card) => {
                if let Some(folder) = &mut self.folder {
                    folder.add(card);
                }
            }
            Arrival::Surveyed => {}
        }
    }

    /// A file was opened: the folder goes, unless it was chosen there.
    fn is_opened(&mut self, path: &Path) {
        let folder = self.folder.as_mut();
        if !folder.is_some_and(|folder| folder.is_opened(path)) {
            self.close_folder();
        }
    }

    /// Files or folders were dropped on the window. A study's screens want folders; of results all are taken, of
    /// other files the first is opened.
    pub(super) fn take_dropped(&mut self, paths: Vec<PathBuf>, ctx: &egui::Context) {
        let is_result = |p: &PathBuf| TrainingFile::of(p) == Some(TrainingFile::Result);
        if paths.len() > 1 && paths.iter().all(is_result) {
            self.go_to(Mode::Training);
            for path in paths {
                self.training.take_opened(TrainingFile::Result, path);
            }
            return;
        }
        let Some(path) = paths.into_iter().next() else {
            return;
        };
        if self.mode == Mode::Study && path.is_dir() {
            self.study.take_folder(path);
        } else {
            self.desk.open(&path, ctx);
        }
    }

    /// Exports to a path that was chosen. Whether a file there may be replaced was asked by the desktop's
    /// dialog, unless the path was typed or ends as the program has it.
    pub(super) fn export_to(
        &mut self,
        mut path: PathBuf,
        extension: &str,
        typed: bool,
        ctx: &egui::Context,
    ) {
        let mut unasked = typed;
        if path.extension().is_none() && !extension.is_empty() {
            path.set_extension(extension);
            unasked = true;
        }
        let choice = self.explore.view.exporting.take();
        let Some(package) = choice.and_then(|choice| self.explore.package(choice)) else {
            return;
        };
        if unasked && path.is_file() {
            self.replacing = Some((package, path));
        } else {
            self.desk.export(package, path, ctx);
        }
    }
}
