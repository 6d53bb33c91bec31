//! Explore: one source, its factual and its counterfactual cine.

mod alignment;
mod beat;
mod bottom;
mod captions;
mod choice;
mod compare;
mod events;
mod export_dialog;
mod history;
mod kept;
mod ladder;
mod m_mode;
mod measuring;
mod opening;
mod outline;
mod panes;
mod plot;
mod settings_panel;
mod shown;
mod source_marks;
mod source_panel;
mod state;
mod steps;
mod undo;
mod viewing;

pub use beat::Moment;
pub use choice::{What, usual_name};
pub use export_dialog::Package;
pub use kept::Settings;
pub use measuring::Measuring;
pub use state::Explore;
pub use viewing::{Mode, Pane};

use crate::engine::Engine;
use crate::ui::command::Command;
use crate::ui::theme::GAP;

impl Explore {
    /// Draws the mode. Returns the commands that its buttons ask for.
    pub fn show(&mut self, ui: &mut egui::Ui, engine: &mut Engine) -> Vec<Command> {
        let mut commands = Vec::new();
        let now = ui.input(|i| i.time);
        let width = ui.available_width();
        egui::Panel::bottom("transport")
            .resizable(false)
            .frame(panel_frame(ui))
            .show(ui, |ui| self.bottom(ui, engine, now, &mut commands));
        egui::Panel::left("source")
            .resizable(false)
            .exact_size((0.2125 * width).clamp(240.0, 272.0))
            .frame(panel_frame(ui))
            .show(ui, |ui| {
                egui::ScrollArea::vertical()
                    .auto_shrink(false)
                    .show(ui, |ui| self.source_panel(ui, engine, now, &mut commands));
            });
        egui::Panel::right("settings")
            .resizable(false)
            .exact_size((0.194 * width).clamp(208.0, 248.0))
            .frame(panel_frame(ui))
            .show(ui, |ui| {
                egui::ScrollArea::vertical()
                    .auto_shrink(false)
                    .show(ui, |ui| self.settings_panel(ui, engine, &mut commands));
            });
        egui::CentralPanel::default()
            .frame(panel_frame(ui))
            .show(ui, |ui| {
                let height = self.ladder_height(ui.available_width());
                if height > 0.0 {
                    egui::Panel::bottom("ladder")
                        .resizable(false)
                        .exact_size(height)
                        .frame(egui::Frame::new())
                        .show(ui, |ui| self.filmstrip(ui, engine, now, &mut commands));
                }
                self.centre(ui, now);
                self.take_outline(engine);
            });
        // A step ends when the user lets go.
        let held = ui.input(|i| i.pointer.any_down()) || ui.ctx().egui_wants_keyboard_input();
        self.note_step(held);
        self.ask_first_dialog(ui, engine);
        if let Some(wait) = self.until_next_frame(now) {
            self.smoothness.drawn(now, wait);
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
    let text = egui::RichText::new(text).strong().size(15.0);
    ui.add(egui::Label::new(text).wrap());
}
