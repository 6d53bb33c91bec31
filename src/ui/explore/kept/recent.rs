//! The files that were open, by hash and date.

use super::super::heading;
use super::{Kept, Recent};
use crate::ui::command::Command;
use crate::ui::theme::tokens;
use egui::{Button, RichText, Ui};

/// Files that are listed.
const MOST_RECENT: usize = 12;

impl Kept {
    /// Notes a file that was opened, if the user wants that.
    pub fn note_recent(&mut self, recent: Recent) {
        if !self.settings.keep_recent {
            return;
        }
        self.settings.recent.retain(|r| r.hash != recent.hash);
        self.settings.recent.insert(0, recent);
        self.settings.recent.truncate(MOST_RECENT);
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
