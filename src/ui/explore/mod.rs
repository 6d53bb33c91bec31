//! Explore: one source, its factual and its counterfactual cine.

mod bottom;
mod events;
mod measuring;
mod opening;
mod panes;
mod settings_panel;
mod source_marks;
mod source_panel;
mod state;

pub use measuring::Measuring;
pub use state::{Explore, Settings};

use crate::engine::Engine;
use crate::ui::command::Command;
use crate::ui::theme::GAP;

impl Explore {
    /// Draws the mode. Returns the commands that its buttons ask for.
    pub fn show(&mut self, ui: &mut egui::Ui, engine: &mut Engine) -> Vec<Command> {
        let mut commands = Vec::new();
        let now = ui.input(|i| i.time);
        egui::Panel::bottom("transport")
            .resizable(false)
            .frame(panel_frame(ui))
            .show(ui, |ui| self.bottom(ui, engine, now, &mut commands));
        egui::Panel::left("source")
            .resizable(false)
            .exact_size(272.0)
            .frame(panel_frame(ui))
            .show(ui, |ui| {
                egui::ScrollArea::vertical()
                    .show(ui, |ui| self.source_panel(ui, engine, now, &mut commands));
            });
        egui::Panel::right("settings")
            .resizable(false)
            .exact_size(248.0)
            .frame(panel_frame(ui))
            .show(ui, |ui| {
                egui::ScrollArea::vertical()
                    .show(ui, |ui| self.settings_panel(ui, engine, &mut commands));
            });
        egui::CentralPanel::default()
            .frame(panel_frame(ui))
            .show(ui, |ui| self.panes(ui, now));
        self.ask_first_dialog(ui, engine);
        if let Some(wait) = self.until_next_frame(now) {
            ui.ctx()
                .request_repaint_after(std::time::Duration::from_secs_f64(wait));
        }
        commands
    }
}

fn panel_frame(ui: &egui::Ui) -> egui::Frame {
    egui::Frame::new()
        .fill(ui.visuals().panel_fill)
        .inner_margin(egui::Margin::same(GAP as i8))
}

/// A panel's heading.
fn heading(ui: &mut egui::Ui, text: &str) {
    ui.label(egui::RichText::new(text).strong().size(15.0));
}
