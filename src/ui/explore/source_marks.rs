//! Masks over burned-in text, turns of the picture, and the files that were open.

use super::heading;
use super::kept::Recent;
use super::state::Explore;
use crate::engine::Engine;
use crate::media::region::Mask;
use crate::media::text_areas;
use crate::ui::command::Command;
use crate::ui::theme::tokens;
use crossbeam_channel::{TryRecvError, bounded};
use egui::{Button, RichText, Ui};

/// Files that are listed.
const MOST_RECENT: usize = 12;

impl Explore {
    /// Whether areas that look like text wait for the user's word: until then the anatomy is not kept.
    pub(super) fn text_is_proposed(&self) -> bool {
        let source = self.source.as_ref();
        self.seeking.is_some() || source.is_some_and(|s| !s.proposals.is_empty())
    }

    /// Proposals wait for the user's word; masks can be drawn and taken away. True when the
    /// anatomy is to be taken anew.
    pub(super) fn mask_lines(&mut self, ui: &mut Ui) -> bool {
        let tokens = tokens(ui);
        let Some(source) = &mut self.source else {
            return false;
        };
        let mut changed = false;
        let proposed = source.proposals.len();
        if proposed > 0 {
            let text = if proposed == 1 {
                "One area looks like burned-in text.".to_owned()
            } else {
                format!("{proposed} areas look like burned-in text.")
            };
            ui.label(RichText::new(text).color(tokens.warning_text));
            ui.horizontal(|ui| {
                if ui.button("Mask").clicked() {
                    source.crop.masks.append(&mut source.proposals);
                    changed = true;
                }
                if ui.button("Leave as it is").clicked() {
                    source.proposals.clear();
                }
            });
        }
        let masks = source.crop.masks.len();
        if masks > 0 {
            ui.horizontal(|ui| {
                let text = format!("{masks} masked");
                ui.label(RichText::new(text).color(tokens.muted));
                if ui.small_button("Unmask last").clicked() {
                    source.crop.masks.pop();
                    changed = true;
                }
            });
        }
        changed
    }

    /// Looks for burned-in text in another square, on another thread.
    pub(super) fn seek_text(&mut self) {
        let Some(source) = &mut self.source else {
            return;
        };
        let square = source.crop.square;
        if source.searched.is_none_or(|searched| searched == square) {
            return;
        }
        source.searched = Some(square);
        source.proposals.clear();
        let (sender, receiver) = bounded(1);
        let (recording, wake) = (source.recording.clone(), self.wake.clone());
        let spawned = std::thread::Builder::new()
            .name("seeking text".into())
            .spawn(move || {
                // Fails only when nobody waits any more.
                let _ = sender.send(text_areas::propose(&recording, square));
                wake();
            });
        self.seeking = spawned.ok().map(|_| (source.id, receiver));
    }

    /// Takes what was found, less what is masked already.
    pub(super) fn hear_of_text(&mut self) {
        let Some((id, receiver)) = &self.seeking else {
            return;
        };
        let found = match receiver.try_recv() {
            Err(TryRecvError::Empty) => return,
            other => other.unwrap_or_default(),
        };
        if let Some(source) = self.source.as_mut().filter(|s| s.id == *id) {
            let masks = &source.crop.masks;
            let is_new = |m: &Mask| !masks.iter().any(|known| known.covers(m));
            source.proposals = found.into_iter().filter(is_new).collect();
        }
        self.seeking = None;
    }

    /// Left and right, or top and bottom, change places.
    pub fn turn(&mut self, command: Command, engine: &mut Engine) {
        let Some(source) = &mut self.source else {
            return;
        };
        match command {
            Command::Mirror => source.crop.mirrored ^= true,
            _ => source.crop.upside_down ^= true,
        }
        self.measure_source();
        self.retake_anatomy(engine);
    }

    /// Notes a file that was opened, if the user wants that.
    pub fn note_recent(&mut self, hash: String, date: String) {
        let Some(source) = &self.source else {
            return;
        };
        if !self.settings.keep_recent {
            return;
        }
        let recent = Recent {
            hash,
            date,
            kind: source.about(),
        };
        self.settings.recent.retain(|r| r.hash != recent.hash);
        self.settings.recent.insert(0, recent);
        self.settings.recent.truncate(MOST_RECENT);
    }

    pub(super) fn recent_files(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) {
        if self.settings.recent.is_empty() {
            return;
        }
        heading(ui, "Recent");
        let muted = tokens(ui).muted;
        for recent in &self.settings.recent {
            ui.horizontal(|ui| {
                let text = format!("{} {}, {}", recent.hash, recent.kind, recent.date);
                let line = Button::new(RichText::new(text).size(12.0)).frame(false);
                let hint = if self.paths.contains_key(&recent.hash) {
                    "Open it again"
                } else {
                    "Where it lies is not kept: choose the file again"
                };
                if ui.add(line).on_hover_text(hint).clicked() {
                    self.reopen = self.paths.get(&recent.hash).cloned();
                    if self.reopen.is_none() {
                        commands.push(Command::OpenFile);
                    }
                }
            });
        }
        let text = "Neither names nor places of files are kept.";
        ui.label(RichText::new(text).color(muted).size(11.5));
    }
}
