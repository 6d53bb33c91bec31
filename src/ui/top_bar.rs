//! The bar that is always on top: name, cascade, device, and the buttons of what is often done.

use super::app::{App, LEAST};
use super::command::Command;
use super::mode::Mode;
use super::theme::{GAP, tokens};
use egui::{Align, Label, Layout, RichText, Ui};

impl App {
    /// Name, cascade and device, and the buttons: beside each other, or below where there is no room.
    pub(super) fn top_bar(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) {
        if ui.available_width() < LEAST.x {
            ui.horizontal_wrapped(|ui| {
                self.name(ui, commands);
                ui.separator();
                self.in_use(ui);
            });
            ui.horizontal_wrapped(|ui| self.buttons(ui, TOP.iter().rev(), commands));
            return;
        }
        let roomy = ui.available_width() > ROOMY;
        ui.horizontal(|ui| {
            self.name(ui, commands);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                self.buttons(ui, TOP.iter(), commands);
                // A narrow window has none to give away.
                if roomy {
                    ui.add_space(GAP);
                }
                self.in_use(ui);
            });
        });
    }

    fn name(&self, ui: &mut Ui, commands: &mut Vec<Command>) {
        ui.label(RichText::new("EchoIf").strong().size(18.0));
        self.modes(ui, commands);
        if self.desk.is_opening() {
            ui.spinner();
            ui.label("Opening...");
            if ui.button("Stop").clicked() {
                commands.push(Command::Cancel);
            }
        }
    }

    /// The modes, the one that is shown marked.
    fn modes(&self, ui: &mut Ui, commands: &mut Vec<Command>) {
        for (mode, command) in Mode::SHOWN {
            let hint = command.hint(ui.ctx());
            let label = ui.selectable_label(self.mode == mode, command.text());
            if label.on_hover_text(hint).clicked() {
                commands.push(command);
            }
        }
    }

    /// Device and cascade.
    fn in_use(&self, ui: &mut Ui) {
        let device = match self.house.device.as_str() {
            "" => "loading",
            device => device,
        };
        let device = RichText::new(device).color(tokens(ui).muted);
        ui.add(Label::new(device).truncate());
        ui.separator();
        let cascade = self.house.cascade.as_ref();
        let name = cascade.map_or("Loading...", |c| c.identity.name.as_str());
        ui.add(Label::new(name).truncate());
    }

    fn buttons<'a>(
        &self,
        ui: &mut Ui,
        buttons: impl Iterator<Item = &'a Command>,
        commands: &mut Vec<Command>,
    ) {
        for &command in buttons.filter(|c| c.is_of(self.mode)) {
            let hint = command.hint(ui.ctx());
            if ui.button(command.text()).on_hover_text(hint).clicked() {
                commands.push(command);
            }
        }
    }
}

/// Points of a window with room between its groups.
const ROOMY: f32 = 960.0;

/// The buttons of the top bar, from right to left.
const TOP: [Command; 6] = [
    Command::About,
    Command::Shortcuts,
    Command::Palette,
    Command::ToggleTheme,
    Command::Export,
    Command::Ladder,
];
