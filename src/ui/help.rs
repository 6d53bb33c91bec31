//! The list of all keys and of what the mouse does, grouped, to be searched.

use super::about_commands::Group;
use super::app::App;
use super::command::Command;
use super::mode::Mode;
use super::theme::{GAP, tokens};
use egui::{RichText, Ui};
use strum::IntoEnumIterator;

/// The list, while it is open.
#[derive(Default)]
pub(super) struct Help {
    sought: String,
}

/// A line: what is pressed or done, its name, what it is for.
struct Line {
    keys: String,
    name: &'static str,
    about: &'static str,
}

impl App {
    pub(super) fn shortcuts_sheet(&mut self, ctx: &egui::Context) {
        let mode = self.mode;
        let Some(help) = &mut self.shortcuts else {
            return;
        };
        let mut open = true;
        let screen = ctx.content_rect().size();
        egui::Window::new("Shortcuts")
            .open(&mut open)
            .collapsible(false)
            .resizable(false)
            .anchor(egui::Align2::CENTER_CENTER, egui::Vec2::ZERO)
            .fixed_size([620.0_f32.min(0.9 * screen.x), 0.75 * screen.y])
            .show(ctx, |ui| help.show(ui, mode));
        if !open {
            self.shortcuts = None;
        }
    }
}

impl Help {
    fn show(&mut self, ui: &mut Ui, mode: Mode) {
        let field = egui::TextEdit::singleline(&mut self.sought)
            .hint_text("Search")
            .desired_width(f32::INFINITY);
        let field = ui.add(field);
        field.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Search the shortcuts")
        });
        ui.add_space(GAP / 2.0);
        egui::ScrollArea::vertical()
            .auto_shrink(false)
            .show(ui, |ui| {
                let mut any = false;
                for group in Group::iter() {
                    let lines = lines(ui.ctx(), group, mode, &self.sought);
                    any |= !lines.is_empty();
                    if !lines.is_empty() {
                        show_group(ui, group, &lines);
                    }
                }
                if !any {
                    ui.label("Nothing of that name.");
                }
            });
    }
}

/// Width of what is pressed.
const KEYS: f32 = 230.0;

fn show_group(ui: &mut Ui, group: Group, lines: &[Line]) {
    ui.label(RichText::new(group.title()).strong().size(15.0));
    let muted = tokens(ui).muted;
    for line in lines {
        ui.horizontal_top(|ui| {
            let keys = egui::Label::new(RichText::new(&line.keys).monospace()).wrap();
            ui.allocate_ui(egui::vec2(KEYS, 0.0), |ui| {
                ui.set_width(KEYS);
                ui.add(keys);
            });
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                ui.label(line.name);
                if !line.about.is_empty() {
                    let about = RichText::new(line.about).color(muted).size(12.0);
                    ui.add(egui::Label::new(about).wrap());
                }
            });
        });
    }
    ui.add_space(GAP);
}

/// Those of a group in which each word that is sought is found.
fn lines(ctx: &egui::Context, group: Group, mode: Mode, sought: &str) -> Vec<Line> {
    let commands = Command::iter().filter(|c| c.group() == group && c.is_of(mode));
    let commands = commands.map(|command| Line {
        keys: ctx.format_shortcut(&command.shortcut()),
        name: command.text(),
        about: command.about(),
    });
    let mouse = group.mouse().iter().filter(|_| mode == Mode::Explore);
    let mouse = mouse.map(|(keys, name)| Line {
        keys: (*keys).to_owned(),
        name,
        about: "",
    });
    let text = (group == Group::Program).then(|| Line {
        keys: "Ctrl+Plus, Ctrl+Minus".to_owned(),
        name: "Larger or smaller text",
        about: "",
    });
    let all = commands.chain(mouse).chain(text);
    all.filter(|line| line.holds(group, sought)).collect()
}

impl Line {
    fn holds(&self, group: Group, sought: &str) -> bool {
        let text = format!(
            "{} {} {} {}",
            group.title(),
            self.keys,
            self.name,
            self.about
        );
        let text = text.to_lowercase();
        let mut words = sought.split_whitespace();
        words.all(|word| text.contains(&word.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sought: &str) -> Vec<&'static str> {
        let ctx = egui::Context::default();
        let all = Group::iter().flat_map(|g| lines(&ctx, g, Mode::Explore, sought));
        all.map(|line| line.name).collect()
    }

    #[test]
    fn lines_are_found_by_name_by_key_and_by_what_they_are_for() {
        assert_eq!(found("export"), ["Export...", "Undo", "Redo"]);
        assert_eq!(found("brighter"), ["Difference"]);
        assert_eq!(found("wheel zoom"), ["Zoom at that place"]);
        assert!(found("F11").contains(&"Full screen"));
        assert!(found("no such thing").is_empty());
        // Each command once.
        let all = found("").len();
        let commands = Command::iter().filter(|c| c.is_of(Mode::Explore)).count();
        let mouse: usize = Group::iter().map(|g| g.mouse().len()).sum();
        assert_eq!(all, commands + mouse + 1);
    }
}
