//! The command palette: every action, found by a few letters.

use super::command::Command;
use super::mode::Mode;
use super::theme::tokens;
use egui::{Key, RichText, Ui};
use strum::IntoEnumIterator;

/// Open, with what was typed.
#[derive(Default)]
pub struct Palette {
    typed: String,
    selected: usize,
}

/// Whether a text holds these letters in this order.
fn matches(text: &str, letters: &str) -> bool {
    let mut rest = text.chars().flat_map(char::to_lowercase);
    let mut letters = letters.chars().filter(|c| !c.is_whitespace());
    letters.all(|letter| {
        let letter = letter.to_lowercase().next();
        rest.any(|c| Some(c) == letter)
    })
}

impl Palette {
    /// Draws it, with the commands of a mode. The command that was chosen, and whether it stays open.
    pub fn show(&mut self, ui: &Ui, mode: Mode) -> (Option<Command>, bool) {
        let found: Vec<Command> = Command::iter()
            .filter(|c| c.is_of(mode) && *c != Command::Palette && matches(c.text(), &self.typed))
            .collect();
        let mut chosen = None;
        let modal = egui::Modal::new(egui::Id::unique("palette")).show(ui.ctx(), |ui| {
            ui.set_width(420.0);
            let field = egui::TextEdit::singleline(&mut self.typed)
                .hint_text("What to do?")
                .desired_width(f32::INFINITY);
            let field = ui.add(field);
            field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Command"));
            field.request_focus();
            if field.changed() {
                self.selected = 0;
            }
            let (up, down, enter) = ui.input(|i| {
                let pressed = |key| i.key_pressed(key);
                (
                    pressed(Key::ArrowUp),
                    pressed(Key::ArrowDown),
                    pressed(Key::Enter),
                )
            });
            let last = found.len().saturating_sub(1);
            self.selected = (self.selected + usize::from(down)).min(last);
            self.selected -= usize::from(up && self.selected > 0);
            if enter {
                chosen = found.get(self.selected).copied();
            }
            egui::ScrollArea::vertical()
                .max_height(320.0)
                .show(ui, |ui| {
                    for (i, command) in found.iter().enumerate() {
                        ui.horizontal(|ui| {
                            ui.set_width(ui.available_width());
                            let line = ui.selectable_label(i == self.selected, command.text());
                            if (up || down) && i == self.selected {
                                line.scroll_to_me(None);
                            }
                            if line.clicked() {
                                chosen = Some(*command);
                            }
                            let end = egui::Layout::right_to_left(egui::Align::Center);
                            ui.with_layout(end, |ui| {
                                let keys = ui.ctx().format_shortcut(&command.shortcut());
                                ui.label(RichText::new(keys).monospace().color(tokens(ui).muted));
                            });
                        });
                    }
                    if found.is_empty() {
                        ui.label("Nothing of that name.");
                    }
                });
        });
        let open = chosen.is_none() && !modal.should_close();
        (chosen, open)
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn letters_in_order_find_a_command() {
        assert!(matches("Upside down", "updo"));
        assert!(matches("Open cascade...", "OPC"));
        assert!(matches("New seed", ""));
        assert!(!matches("New seed", "sn"));
    }
}
