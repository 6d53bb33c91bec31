//! What stands over or above the screen: messages, the typed path, palette, about, shortcuts.

use super::about;
use super::app::App;
use super::command::Command;
use super::files::{Arrival, Purpose};
use super::mode::Mode;
use super::palette::Choice;
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
    /// Over the screen, so that nothing below moves when one comes or goes.
    pub(super) fn messages(&mut self, ctx: &egui::Context) {
        if self.messages.is_empty() {
            return;
        }
        let mut dismissed = None;
        let width = (0.6 * ctx.content_rect().width()).min(720.0);
        egui::Area::new(egui::Id::unique("messages"))
            .anchor(egui::Align2::CENTER_TOP, egui::vec2(0.0, 34.0))
            .order(egui::Order::Foreground)
            .show(ctx, |ui| {
                ui.set_width(width);
                for (i, message) in self.messages.iter().enumerate() {
                    let tokens = tokens(ui);
                    let (fill, colour) = match message.done {
                        true => (tokens.success, ui.visuals().text_color()),
                        false => (tokens.warning, tokens.warning_text),
                    };
                    egui::Frame::new()
                        .fill(fill)
                        .corner_radius(5)
                        .inner_margin(egui::Margin::symmetric(10, 6))
                        .shadow(ui.visuals().popup_shadow)
                        .show(ui, |ui| {
                            ui.horizontal(|ui| {
                                if ui.button("Dismiss").clicked() {
                                    dismissed = Some(i);
                                }
                                let text = RichText::new(&message.text).color(colour);
                                ui.add(egui::Label::new(text).wrap());
                            });
                        });
                }
            });
        if let Some(i) = dismissed {
            self.messages.remove(i);
        }
    }

    /// Asks before a file is replaced that nobody asked about.
    pub(super) fn replace_dialog(&mut self, ctx: &egui::Context) {
        let Some((_, path)) = &self.replacing else {
            return;
        };
        let mut answer = None;
        let modal = egui::Modal::new(egui::Id::unique("replace")).show(ctx, |ui| {
            ui.set_width(420.0);
            ui.heading("Replace the file?");
            let text = format!("{} is there already.", path.display());
            ui.add(egui::Label::new(text).wrap());
            ui.add_space(GAP);
            ui.horizontal(|ui| {
                if ui.button("Replace").clicked() {
                    answer = Some(true);
                }
                if ui.button("Keep it").clicked() {
                    answer = Some(false);
                }
            });
        });
        if modal.should_close() {
            answer = Some(false);
        }
        if let Some(replace) = answer
            && let Some((package, path)) = self.replacing.take()
            && replace
        {
            self.desk.export(package, path, ctx);
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
                match purpose {
                    Purpose::Export(_, extension) => self.export_to(path, extension, true, ctx),
                    _ => self.arrive(Arrival::Picked(purpose, path), ctx),
                }
            }
            Some(false) => self.typed = None,
            _ => {}
        }
    }

    /// What the program is, at its first start.
    fn welcome(&mut self, ui: &Ui) {
        if self.explore.kept.settings.welcomed || self.mode != Mode::Explore {
            return;
        }
        let modal = egui::Modal::new(egui::Id::unique("welcome")).show(ui.ctx(), |ui| {
            ui.set_width(440.0);
            ui.heading("What would this heart look like if its EF were X?");
            for line in WELCOME {
                ui.add(egui::Label::new(line).wrap());
            }
            ui.add_space(GAP / 2.0);
            let begin = ui.button("Begin");
            let entered = ui.input(|i| i.key_pressed(egui::Key::Enter));
            begin.clicked() || entered
        });
        if modal.inner || modal.should_close() {
            self.explore.kept.settings.welcomed = true;
        }
    }

    /// Windows over the screen: palette, about, export.
    pub(super) fn sheets(&mut self, ui: &Ui, commands: &mut Vec<Command>) {
        self.welcome(ui);
        let mode = self.mode;
        if let Some(palette) = &mut self.palette {
            let (chosen, open) = palette.show(ui, mode);
            if !open {
                self.palette = None;
            }
            match chosen {
                Some(Choice::Command(command)) => commands.push(command),
                Some(Choice::Ef(ef)) => self.explore.set_requested(ef, &mut self.engine),
                Some(Choice::Factual(ef)) => self.explore.set_factual(ef, &mut self.engine),
                None => {}
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
        if self.mode == Mode::Explore
            && let Some(extension) = self.explore.export_dialog(ui)
            && let Some(choice) = self.explore.view.exporting
        {
            let purpose = Purpose::Export(choice.what, extension);
            self.desk.pick(&self.picker, purpose, ui.ctx());
        }
    }

    /// Everything that was kept: on disk, and what would be written there.
    pub(super) fn delete_data(&mut self) {
        self.explore.kept.forget_all();
        let file = about::settings_file().filter(|f| f.exists());
        let gone = file.map(std::fs::remove_file);
        // None that is open could be deleted.
        self.training.forget();
        let profiles = self.training.folder();
        let profiles = profiles.map(|folder| crate::drill::profile::delete_all(&folder));
        self.training.look();
        match (gone, profiles) {
            (Some(Err(e)), _) => self.tell(format!("Not all could be deleted: {e}.")),
            (_, Some(Err(e))) => self.tell(format!("Not all could be deleted: {e}.")),
            _ => self.tell(
                "Settings, history, kept anatomies and training profiles are deleted.".into(),
            ),
        }
    }
}
