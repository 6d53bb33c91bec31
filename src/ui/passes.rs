//! A pass of the window: what came is heard, the screen is drawn, and what was asked for is done.

use super::app::{App, LEAST};
use super::command::Command;
use super::mode::{Mode, Screen as _};
use super::still;
use super::theme::{self, tokens};
use super::widgets::Filter;
use egui::{RichText, Theme, Ui};
use std::path::PathBuf;

/// The same under a grid of what is there to be opened.
const RECORDINGS: &str = "Recordings. Research and education only, not for diagnosis.";
/// The same under a study's screens.
const STUDY: &str = "Reader studies hold recorded and synthetic clips. Research and education only, not for diagnosis.";
/// The same under training's.
const TRAINING: &str = "Training hearts are simulated, synthetic or recorded. Research and education only, not for diagnosis.";
/// The badge that is always on screen.
const BADGE: &str =
    "Synthetic. Not a patient's scan. Research and education only, not for diagnosis.";
/// Room for a screen: what the window leaves, or with very large text what a screen needs, to be scrolled.
fn whole(ui: &mut Ui, show: impl FnOnce(&mut Ui)) {
    let size = ui.available_size();
    if size.x >= LEAST.x && size.y >= LEAST.y {
        return show(ui);
    }
    egui::ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        let room = egui::Rect::from_min_size(ui.cursor().min, size.max(LEAST));
        ui.scope_builder(egui::UiBuilder::new().max_rect(room), |ui| {
            ui.set_min_size(room.size());
            show(ui);
        });
    });
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        self.end_full_screen(ctx);
        self.suit_text(ctx);
        if self.study.has_window() {
            return self.logic_of_a_session();
        }
        while let Some(event) = self.engine.poll() {
            self.hear(event);
        }
        while let Some(arrival) = self.desk.next() {
            self.arrive(arrival, ctx);
        }
        let (screens, engine) = self.screens();
        let mut said = Vec::new();
        for screen in screens {
            screen.pursue(engine);
            said.extend(screen.take_said());
        }
        for text in said {
            self.tell(text);
        }
        if let Some(folder) = &mut self.folder {
            folder.note_made(&self.explore.made.generated);
            self.explore.case.in_folder = folder.place();
            if let Some(why) = folder.pursue(&mut self.engine) {
                self.tell(why);
            }
        } else {
            self.explore.case.in_folder = None;
        }
        if let Some(purpose) = self.screen().0.take_wish() {
            self.desk.pick(&self.picker, purpose, ctx);
        }
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        self.is_light = ctx.theme() == Theme::Light;
        let ground = match theme::is_background_painted(ui) {
            true => [0.0; 4],
            false => self.ground(ui.visuals()),
        };
        still::ground(&ctx, ground);
        // What Explore chooses is for its own pictures: a reader's are all drawn alike.
        Filter::Smooth.choose(&ctx);
        // Nothing else is heard or seen while a reader reads.
        let (screen, engine) = self.screen();
        if screen.has_window() {
            screen.ui(ui, engine);
            return;
        }
        let dropped: Vec<PathBuf> = ctx.input(|i| {
            let files = i.raw.dropped_files.iter();
            files.map(|f| f.path().to_owned()).collect()
        });
        self.take_dropped(dropped, &ctx);
        // A dialog has the keys to itself.
        let dialog = self.replacing.is_some() || self.screen().0.has_dialog();
        // A drop-down closes by Escape, and nothing else does then.
        let popup = egui::Popup::is_any_open(&ctx);
        let mut commands = match dialog || self.typed.is_some() || self.palette.is_some() {
            true => Vec::new(),
            false => Command::pressed(&ctx, self.mode),
        };
        commands.retain(|command| !(popup && *command == Command::Cancel));
        egui::Panel::top("top")
            .frame(theme::background(ui).inner_margin(egui::Margin::symmetric(8, 2)))
            .show(ui, |ui| self.top_bar(ui, &mut commands));
        egui::Panel::bottom("badge")
            .resizable(false)
            .frame(
                egui::Frame::new()
                    .fill(tokens(ui).warning)
                    .inner_margin(egui::Margin::symmetric(12, 4)),
            )
            .show(ui, |ui| {
                let badge = match (self.is_folder_shown(), self.mode) {
                    (true, _) => RECORDINGS,
                    (false, Mode::Training) => TRAINING,
                    (false, Mode::Study) => STUDY,
                    (false, _) => BADGE,
                };
                ui.vertical_centered(|ui| {
                    let text = RichText::new(badge).color(tokens(ui).warning_text).strong();
                    ui.add(egui::Label::new(text).wrap());
                });
            });
        if self.mode != Mode::Training {
            self.training.is_away();
        }
        if self.is_folder_shown() {
            self.show_folder(ui);
        } else {
            let (screen, engine) = self.screen();
            match screen.flows() {
                true => commands.extend(screen.ui(ui, engine)),
                false => whole(ui, |ui| commands.extend(screen.ui(ui, engine))),
            }
        }
        if let Some(path) = self.explore.kept.reopen.take() {
            self.desk.open(&path, &ctx);
        }
        self.sheets(ui, &mut commands);
        self.shortcuts_sheet(&ctx);
        self.manual_sheet(&ctx);
        self.path_dialog(&ctx);
        self.replace_dialog(&ctx);
        self.messages(&ctx);
        for command in commands {
            self.obey(command, &ctx);
        }
    }

    /// The panels' colour, which they need not fill then; a session's is its own.
    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        self.ground(visuals)
    }

    /// Only the settings are kept; what egui remembers of widgets is nobody's business.
    fn persist_egui_memory(&self) -> bool {
        false
    }

    fn on_exit(&mut self) {
        self.study.close();
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        self.explore.settings(self.is_light).keep(storage);
    }
}

impl App {
    fn ground(&self, visuals: &egui::Visuals) -> [f32; 4] {
        let ground = self.study.ground();
        ground
            .unwrap_or(visuals.panel_fill)
            .to_normalized_gamma_f32()
    }
}
