//! What stands over or above the screen: messages, the typed path, palette, about, shortcuts.

use super::about;
use super::app::App;
use super::command::Command;
use super::files::{Arrival, Purpose};
use super::theme::{GAP, tokens};
use egui::{RichText, Ui};
use std::path::PathBuf;

/// The first start, in three lines.
const WELCOME: [&str; 3] = [
    "Open one frame of an apical four-chamber view: until then a simulated heart is open.",
    "Drag the slider at the bottom: that heart plays at the ejection fraction you ask for.",
    "Trust the measured EF under each cine, not the requested one. It is no diagnosis.",
];

impl App {
    pub(super) fn messages(&mut self, ui: &mut Ui) {
        let mut dismissed = None;
        for (i, text) in self.messages.iter().enumerate() {
            let tokens = tokens(ui);
            egui::Frame::new()
                .fill(tokens.warning)
                .corner_radius(5)
                .inner_margin(egui::Margin::symmetric(10, 6))
                .show(ui, |ui| {
                    ui.horizontal(|ui| {
                        if ui.button("Dismiss").clicked() {
                            dismissed = Some(i);
                        }
                        ui.add(
                            egui::Label::new(RichText::new(text).color(tokens.warning_text)).wrap(),
                        );
                    });
                });
        }
        if let Some(i) = dismissed {
            self.messages.remove(i);
        }
    }

    /// Asks for a path, where the desktop has no file dialog.
    pub(super) fn path_dialog(&mut self, ctx: &egui::Context) {
        let Some((purpose, text)) = &mut self.typed else {
            return;
        };
        let mut answer = None;
        let modal = egui::Modal::new(egui::Id::unique("path")).show(ctx, |ui| {
            ui.set_width(460.0);
            let label = ui.label(format!(
                "{} (this desktop has no file dialog):",
                purpose.text()
            ));
            let field = ui
                .add(egui::TextEdit::singleline(text).desired_width(f32::INFINITY))
                .labelled_by(label.id);
            field.request_focus();
            let entered = ui.input(|i| i.key_pressed(egui::Key::Enter));
            ui.horizontal(|ui| {
                if ui.button("Open").clicked() || entered {
                    answer = Some(true);
                }
                if ui.button("Do not open").clicked() {
                    answer = Some(false);
                }
            });
        });
        if modal.should_close() {
            answer = Some(false);
        }
        let (purpose, path) = (*purpose, PathBuf::from(text.trim()));
        match answer {
            Some(true) if !path.as_os_str().is_empty() => {
                self.typed = None;
                self.arrive(Arrival::Picked(purpose, path), ctx);
            }
            Some(false) => self.typed = None,
            _ => {}
        }
    }

    /// What the program is, at its first start.
    fn welcome(&mut self, ui: &Ui) {
        if self.explore.settings.welcomed {
            return;
        }
        egui::Window::new("What would this heart look like if its EF were X?")
            .collapsible(false)
            .resizable(false)
            .anchor(egui::Align2::CENTER_CENTER, egui::Vec2::ZERO)
            .show(ui.ctx(), |ui| {
                ui.set_width(440.0);
                for line in WELCOME {
                    ui.add(egui::Label::new(line).wrap());
                }
                ui.add_space(GAP / 2.0);
                if ui.button("Begin").clicked() {
                    self.explore.settings.welcomed = true;
                }
            });
    }

    /// Windows over the screen: palette, about, export.
    pub(super) fn sheets(&mut self, ui: &Ui, commands: &mut Vec<Command>) {
        self.welcome(ui);
        if let Some(palette) = &mut self.palette {
            let (chosen, open) = palette.show(ui);
            commands.extend(chosen);
            if !open {
                self.palette = None;
            }
        }
        if let Some(about) = &mut self.about {
            let (open, delete) = about.show(ui);
            if delete {
                self.delete_data();
            }
            if !open {
                self.about = None;
            }
        }
        if let Some(extension) = self.explore.export_dialog(ui)
            && let Some(choice) = self.explore.exporting
        {
            let purpose = Purpose::Export(choice.what, extension);
            self.desk.pick(&self.picker, purpose, ui.ctx());
        }
    }

    /// Everything that was kept: on disk, and what would be written there.
    pub(super) fn delete_data(&mut self) {
        self.explore.forget_all();
        let file = about::settings_file().filter(|f| f.exists());
        let gone = file.map(std::fs::remove_file);
        match gone {
            Some(Err(e)) => self.tell(format!("Not all could be deleted: {e}.")),
            _ => self.tell("Settings, history and kept anatomies are deleted.".into()),
        }
    }

    pub(super) fn shortcuts_sheet(&mut self, ctx: &egui::Context) {
        egui::Window::new("Shortcuts")
            .open(&mut self.shortcuts)
            .collapsible(false)
            .resizable(false)
            .max_height(0.8 * ctx.content_rect().height())
            .show(ctx, |ui| {
                egui::ScrollArea::vertical().show(ui, |ui| {
                    egui::Grid::new("shortcuts")
                        .striped(true)
                        .num_columns(2)
                        .show(ui, |ui| {
                            for command in Command::ALL {
                                ui.label(command.text());
                                ui.label(
                                    RichText::new(ui.ctx().format_shortcut(&command.shortcut()))
                                        .monospace(),
                                );
                                ui.end_row();
                            }
                            ui.label("Larger or smaller text");
                            ui.label(RichText::new("Ctrl+Plus, Ctrl+Minus").monospace());
                            ui.end_row();
                        });
                });
            });
    }
}
