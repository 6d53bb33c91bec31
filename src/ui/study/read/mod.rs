//! *Read*: a door, and behind it a session that has the window to itself.

mod clock;
mod door;
mod film;
mod forms;
mod keys;
mod page;
mod pages;
mod reader;
mod trial;

use super::files::StudyFile;
use crate::study::stamp::Stamp;
use crate::ui::projector::Wake;
use door::Door;
use egui::{Ui, ViewportCommand};
pub use page::GROUND;
use reader::{Reader, Went};
use std::path::PathBuf;

/// The screen's state.
pub struct Read {
    door: Door,
    reader: Option<Box<Reader>>,
    wake: Wake,
}

impl Read {
    pub fn new(wake: Wake) -> Self {
        Self {
            door: Door::new(wake.clone()),
            reader: None,
            wake,
        }
    }

    /// Takes a file that was chosen.
    pub fn take(&mut self, file: StudyFile, path: PathBuf) {
        self.door.take(file, path);
    }

    /// A reader sits down before a study that is on this machine.
    pub fn begin(&mut self, bundle: PathBuf, code: String, log: Option<PathBuf>) {
        self.door.begin(bundle, code, log);
    }

    /// Whether a session has the window to itself.
    pub fn is_reading(&self) -> bool {
        self.reader.is_some()
    }

    pub fn is_busy(&self) -> bool {
        self.door.is_busy()
    }

    pub fn step_back(&mut self) {
        self.door.step_back();
    }

    pub fn pursue(&mut self) {
        if let Some(entered) = self.door.entered() {
            self.reader = Some(Box::new(Reader::new(entered, self.wake.clone())));
        }
    }

    /// Ends a run that goes on: the window is closed.
    pub fn close(&mut self) {
        if let Some(reader) = self.reader.take() {
            // What was answered is on the disk; that it was closed need not be.
            let _ = reader.close();
        }
    }

    /// Draws the door.
    pub fn ui(&mut self, ui: &mut Ui, entered: bool) -> Option<StudyFile> {
        self.door.ui(ui, entered)
    }

    /// Draws the session, over the whole window.
    pub fn session(&mut self, ui: &mut Ui) {
        let Some(reader) = &mut self.reader else {
            return;
        };
        let ctx = ui.ctx().clone();
        if reader.is_new() {
            ctx.send_viewport_cmd(ViewportCommand::Fullscreen(true));
        }
        let went = reader.ui(ui);
        if matches!(went, Went::On) {
            return;
        }
        if let Some(reader) = self.reader.take() {
            let closed = reader.close();
            match (went, closed) {
                (Went::Failed(why), _) | (_, Err(why)) => self.door.tell(why),
                _ => {}
            }
        }
        ctx.send_viewport_cmd(ViewportCommand::Fullscreen(false));
        ctx.options_mut(|o| o.zoom_with_keyboard = true);
        ctx.request_repaint();
    }
}

/// A moment of this run: by the wall clock, and by the window's own, which only goes on.
fn stamp(now_s: f64) -> Stamp {
    Stamp {
        mono_ms: 1000.0 * now_s,
        ..Stamp::now()
    }
}
