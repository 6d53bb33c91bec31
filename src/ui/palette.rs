//! The command palette: every action, found by a few letters; and an EF, asked for or given by its number.

use super::command::Command;
use super::mode::Mode;
use super::theme::tokens;
use crate::ef::EfPercent;
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

/// How far a text is from what was typed: begins with it, has a word that does, holds it, or its letters alone.
fn distance(text: &str, typed: &str) -> u8 {
    let (text, typed) = (text.to_lowercase(), typed.trim().to_lowercase());
    match typed.as_str() {
        typed if text.starts_with(typed) => 0,
        typed if text.split([' ', '-']).any(|word| word.starts_with(typed)) => 1,
        typed if text.contains(typed) => 2,
        _ => 3,
    }
}

/// An EF that can be asked for, such as `ef 35`, `35` or `35 %`.
fn ef_of(typed: &str) -> Option<f64> {
    let typed = typed.trim().to_lowercase();
    let number = typed.strip_prefix("ef").unwrap_or(&typed);
    let number = number.trim().trim_end_matches('%').trim_end();
    let ef: f64 = number.parse().ok()?;
    (10.0..=85.0).contains(&ef).then(|| ef.round())
}

/// An EF that is said of the source, such as `factual 62`.
fn factual_of(typed: &str) -> Option<f64> {
    let typed = typed.trim().to_lowercase();
    let (word, number) = typed.split_once(' ')?;
    let said = word.len() > 3 && "factual".starts_with(word);
    ef_of(number).filter(|_| said)
}

/// What can be chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    Command(Command),
    /// Another requested EF, in percent.
    Ef(f64),
    /// The source's own, in percent.
    Factual(f64),
}

impl Choice {
    fn text(self) -> String {
        match self {
            Self::Command(command) => command.text().to_owned(),
            Self::Ef(ef) => format!("Ask for EF {}", EfPercent::measured(ef)),
            Self::Factual(ef) => format!("The source's own EF is {}", EfPercent::measured(ef)),
        }
    }
}

/// What fits what was typed in a mode, the nearest first.
fn found(typed: &str, mode: Mode) -> Vec<Choice> {
    let commands = Command::iter();
    let mut commands: Vec<Command> = commands
        .filter(|c| c.is_of(mode) && *c != Command::Palette && matches(c.text(), typed))
        .collect();
    commands.sort_by_key(|c| distance(c.text(), typed));
    let ef = ef_of(typed).filter(|_| mode == Mode::Explore);
    let commands = commands.into_iter().map(Choice::Command);
    let factual = factual_of(typed).filter(|_| mode == Mode::Explore);
    let efs = ef.map(Choice::Ef).into_iter();
    let efs = efs.chain(factual.map(Choice::Factual));
    efs.chain(commands).collect()
}

impl Palette {
    /// Draws it, with the commands of a mode. What was chosen, and whether it stays open.
    pub fn show(&mut self, ui: &Ui, mode: Mode) -> (Option<Choice>, bool) {
        let found = found(&self.typed, mode);
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
                    for (i, choice) in found.iter().enumerate() {
                        ui.horizontal(|ui| {
                            ui.set_width(ui.available_width());
                            let line = ui.selectable_label(i == self.selected, choice.text());
                            if (up || down) && i == self.selected {
                                line.scroll_to_me(None);
                            }
                            if line.clicked() {
                                chosen = Some(*choice);
                            }
                            let Choice::Command(command) = choice else {
                                return;
                            };
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
    use super::*;

    proptest::proptest! {
        #[test]
        fn whatever_is_typed_is_an_ef_of_the_slider_or_none(typed in "(ef|factual|f|EF)? ?[-+0-9.eE%a-z ]{0,12}|\\PC{0,12}") {
            for ef in [ef_of(&typed), factual_of(&typed)].into_iter().flatten() {
                proptest::prop_assert!((10.0..=85.0).contains(&ef) && ef.fract() == 0.0);
            }
            for mode in [Mode::Explore, Mode::Training, Mode::Study] {
                let _ = found(&typed, mode);
            }
        }
    }

    #[test]
    fn what_begins_so_comes_first_and_a_number_is_an_ef() {
        let first = |typed| found(typed, Mode::Explore).first().copied();
        assert_eq!(first("ru"), Some(Choice::Command(Command::Run)));
        assert_eq!(first("out"), Some(Choice::Command(Command::Outline)));
        assert_eq!(
            first("cascade"),
            Some(Choice::Command(Command::OpenCascade))
        );
        assert_eq!(first("ef 35"), Some(Choice::Ef(35.0)));
        assert_eq!(first("EF 62.4 %"), Some(Choice::Ef(62.0)));
        assert_eq!(first("factual 62"), Some(Choice::Factual(62.0)));
        assert_eq!(first("fact 62 %"), Some(Choice::Factual(62.0)));
        assert_eq!(first("ef"), Some(Choice::Command(Command::EfDown)));
        for none in ["ef 5", "ef 99", "nan", "inf", "-20", "1e9"] {
            assert!(ef_of(none).is_none(), "{none}");
        }
        assert!(!found("30", Mode::Study).contains(&Choice::Ef(30.0)));
    }

    #[test]
    fn letters_in_order_find_a_command() {
        assert!(matches("Upside down", "updo"));
        assert!(matches("Open cascade...", "OPC"));
        assert!(matches("New seed", ""));
        assert!(!matches("New seed", "sn"));
    }
}
