//! What begins a caliper, and the bar while one is drawn.

use super::super::super::Explore;
use super::super::Pane;
use super::{Kind, LEAP, STEP, Tool};
use crate::ui::command::Command;
use crate::ui::hints::Hint as _;
use crate::ui::theme::tokens;
use egui::{Modifiers, RichText, Ui, vec2};

/// A button with a menu.
pub(in crate::ui::explore) fn menu(ui: &mut Ui, commands: &mut Vec<Command>) {
    ui.menu_button("Calipers", |ui| {
        for command in [
            Command::CaliperLength,
            Command::CaliperArea,
            Command::CaliperEf,
            Command::RemoveCaliper,
        ] {
            let hint = ui.ctx().format_shortcut(&command.shortcut());
            let button = ui.button(format!("{} ({hint})", command.text()));
            if button.hint(command.about()).clicked() {
                commands.push(command);
            }
        }
    })
    .response
    .hint("Measure on the pictures: a length, an area, an EF by hand");
}

impl Explore {
    /// In place of the comparisons while one is drawn: what to do.
    pub(in crate::ui::explore) fn calipers_bar(
        &mut self,
        ui: &mut Ui,
        commands: &mut Vec<Command>,
    ) {
        // The arrows that no command has.
        let (up, down) = (egui::Key::ArrowUp, egui::Key::ArrowDown);
        for (key, sign) in [(up, -1.0), (down, 1.0)] {
            for (modifiers, by) in [(Modifiers::SHIFT, LEAP), (Modifiers::NONE, STEP)] {
                if ui.input_mut(|i| i.consume_key(modifiers, key)) {
                    self.move_cross(vec2(0.0, sign * by));
                }
            }
        }
        let Some(tool) = self.view.calipers.tool else {
            return;
        };
        let systole = self.view.calipers.done.last();
        let systole = systole.is_some_and(|c| c.kind == Kind::EndDiastole);
        let words = match tool {
            Tool::Length => "Length: click both ends, or drag.",
            Tool::Area => "Area: click around it, or draw it in one stroke.",
            Tool::Ef if systole => "Now the inner border at end-systole, in the same cine.",
            Tool::Ef => {
                "EF by hand: at end-diastole, draw the inner border from one side of the annulus over the apex to the other."
            }
        };
        ui.horizontal_wrapped(|ui| {
            if ui.button("Done").hint("Esc").clicked() {
                self.view.calipers.end();
            }
            if self.case.source.is_some() && self.view.alone != Some(Pane::Source) {
                // It is measured in a pane alone, and well only in a large one.
                let button = egui::Button::new("On the source").selected(self.view.source_beside);
                let hint = Command::SourceBeside.hint(ui.ctx());
                if ui.add(button).hint(hint).clicked() {
                    commands.push(Command::SourceBeside);
                }
            }
            ui.label(words);
            let muted = tokens(ui).muted;
            let mut keys = "Arrows and Enter set points".to_owned();
            if tool != Tool::Length {
                keys += "; a double click or Enter twice ends it";
            }
            if self.case.cm_of_square().is_none() {
                keys += ". The file says no scale: pixels of the source";
            }
            ui.label(RichText::new(keys + ".").color(muted));
        });
    }
}
