//! The files that were open, by hash and date.

use super::super::heading;
use super::history::thumbnail;
use super::{Kept, Recent};
use crate::ui::command::Command;
use crate::ui::hints::Hint as _;
use crate::ui::theme::tokens;
use egui::{Button, RichText, Ui};

/// Files that are listed.
const MOST_RECENT: usize = 12;

impl Kept {
    /// Notes a file that was opened, if the user wants that; `source` is its number.
    pub fn note_recent(&mut self, mut recent: Recent, source: u64) {
        self.open_recent = None;
        if !self.settings.keep_recent {
            return;
        }
        self.open_recent = Some((source, recent.hash.clone()));
        let before = self.settings.recent.iter();
        if let Some(before) = before.clone().find(|r| r.hash == recent.hash) {
            recent.anatomy_sha256.clone_from(&before.anatomy_sha256);
        }
        self.settings.recent.retain(|r| r.hash != recent.hash);
        self.settings.recent.insert(0, recent);
        self.settings.recent.truncate(MOST_RECENT);
    }

    /// A run was made of the source with this number.
    pub(in crate::ui::explore) fn note_recent_anatomy(&mut self, source: u64, sha256: &str) {
        let Some((_, hash)) = self.open_recent.as_ref().filter(|(of, _)| *of == source) else {
            return;
        };
        let mut recent = self.settings.recent.iter_mut();
        if let Some(recent) = recent.find(|r| r.hash == *hash) {
            sha256.clone_into(&mut recent.anatomy_sha256);
        }
    }

    pub(in crate::ui::explore) fn recent_files(
        &mut self,
        ui: &mut Ui,
        commands: &mut Vec<Command>,
    ) {
        if self.settings.recent.is_empty() {
            return;
        }
        heading(ui, "Recent");
        let muted = tokens(ui).muted;
        for recent in &self.settings.recent {
            ui.horizontal(|ui| {
                if self.settings.keep_anatomies {
                    let mut of = self.history.iter();
                    let of = of.find(|past| past.is_of(&recent.anatomy_sha256));
                    let cine = self.thumbnails.entry(recent.hash.clone()).or_default();
                    thumbnail(ui, cine, of.and_then(|past| past.anatomy.as_deref()));
                }
                // Earlier versions kept no size.
                let parts = [recent.kind.as_str(), recent.size.as_str()];
                let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
                let text = format!("{}\n{}", parts.join(", "), recent.date);
                let line = Button::new(RichText::new(text).size(12.0))
                    .frame(false)
                    .wrap();
                let hint = if self.paths.contains_key(&recent.hash) {
                    "Open it again"
                } else {
                    "Where it lies is not kept: choose the file again"
                };
                if ui.add(line).hint(hint).clicked() {
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
