//! Pieces that the screens of forms and files share.

use super::task::Progress;
use crate::ui::theme::{GAP, SMALL_GAP, tokens};
use egui::{Align, Button, Grid, Layout, Response, RichText, ScrollArea, Ui, vec2};
use std::path::{Path, PathBuf};

/// Points of a column of text and fields.
const WIDTH: f32 = 760.0;
/// Of the words before a field.
const LABEL: f32 = 210.0;
/// Of the button that chooses a file.
const CHOOSE: f32 = 92.0;

/// A column in the middle, to be scrolled where it is longer than the window.
pub fn column(ui: &mut Ui, show: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let room = ui.available_width();
        let width = WIDTH.min(room - 2.0 * GAP);
        ui.add_space(GAP);
        ui.horizontal(|ui| {
            ui.add_space((room - width) / 2.0);
            ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                ui.set_width(width);
                show(ui);
                ui.add_space(2.0 * GAP);
            });
        });
    });
}

/// A title, and what it is about.
pub fn title(ui: &mut Ui, title: &str, about: &str) {
    ui.label(RichText::new(title).strong().size(20.0));
    ui.add_space(SMALL_GAP / 2.0);
    muted(ui, about);
    ui.add_space(GAP);
}

/// A title within a column.
pub fn heading(ui: &mut Ui, text: &str) {
    ui.add_space(GAP);
    ui.label(RichText::new(text).strong().size(15.0));
}

pub fn muted(ui: &mut Ui, text: impl Into<String>) {
    let text = RichText::new(text).color(tokens(ui).muted);
    ui.add(egui::Label::new(text).wrap());
}

/// Something to look at twice.
pub fn caution(ui: &mut Ui, text: impl Into<String>) {
    let text = RichText::new(text).color(tokens(ui).caution);
    ui.add(egui::Label::new(text).wrap());
}

pub fn error(ui: &mut Ui, text: impl Into<String>) {
    let text = RichText::new(text).color(tokens(ui).error);
    ui.add(egui::Label::new(text).wrap());
}

/// Words, and beside them what they are about.
pub fn row<R>(ui: &mut Ui, label: &str, show: impl FnOnce(&mut Ui, egui::Id) -> R) -> R {
    ui.horizontal(|ui| {
        let width = LABEL.min(0.36 * ui.available_width());
        let size = vec2(width, ui.spacing().interact_size.y);
        let words = ui
            .allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
                ui.set_width(width);
                ui.add(egui::Label::new(label).wrap()).id
            })
            .inner;
        show(ui, words)
    })
    .inner
}

/// What the user did with a file's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileRow<F> {
    Choose(F),
    Clear,
}

/// A file that is to be chosen, or is.
#[derive(Clone, Copy)]
pub struct FileField<'a, F> {
    pub label: &'a str,
    pub file: F,
    pub path: Option<&'a Path>,
    /// What is wanted, where there is none.
    pub empty: &'a str,
    /// What is known of what was chosen.
    pub about: &'a str,
    /// The program proposes it; there is nothing to remove.
    pub proposed: bool,
}

impl<'a, F> FileField<'a, F> {
    pub fn new(label: &'a str, file: F, path: Option<&'a Path>, empty: &'a str) -> Self {
        Self {
            label,
            file,
            path,
            empty,
            about: "",
            proposed: false,
        }
    }

    pub fn show(self, ui: &mut Ui) -> Option<FileRow<F>> {
        let mut did = None;
        row(ui, self.label, |ui, _| {
            let button = Button::new("Choose...").min_size(vec2(CHOOSE, 0.0));
            let button = ui.add(button);
            named(&button, &format!("{}: choose", self.label));
            if button.clicked() {
                did = Some(FileRow::Choose(self.file));
            }
            let Some(path) = self.path else {
                muted(ui, self.empty);
                return;
            };
            if !self.proposed {
                let remove = ui.button("Remove");
                named(&remove, &format!("{}: remove", self.label));
                if remove.clicked() {
                    did = Some(FileRow::Clear);
                }
            }
            if !self.about.is_empty() {
                muted(ui, self.about);
            }
            let path = path.display().to_string();
            ui.add(egui::Label::new(&path).truncate())
                .on_hover_text(path);
        });
        did
    }
}

/// What a button is called where its words alone do not say it.
pub fn named(response: &Response, name: &str) {
    let enabled = response.enabled();
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, enabled, name));
}

/// The button that a screen is there for; `entered` presses it, too.
pub fn main_button(ui: &mut Ui, text: &str, enabled: bool, entered: bool) -> bool {
    let fill = ui.visuals().selection.bg_fill;
    let words = RichText::new(text).strong();
    let button = Button::new(words).fill(fill).min_size(vec2(120.0, 30.0));
    let clicked = ui.add_enabled(enabled, button).clicked();
    clicked || (enabled && entered)
}

/// What is being done. Whether it is to stop.
pub fn progress(ui: &mut Ui, progress: &Progress) -> bool {
    let mut stop = false;
    ui.horizontal(|ui| {
        let text = match progress.what.as_str() {
            "" => "...",
            what => what,
        };
        let bar = egui::ProgressBar::new(progress.share as f32)
            .desired_width(360.0)
            .text(format!("{text} {:.0} %", 100.0 * progress.share));
        ui.add(bar);
        stop = ui.button("Cancel").clicked();
    });
    stop
}

/// A file that was written, on a line of its own.
pub fn written(ui: &mut Ui, what: &str, path: &Path) {
    row(ui, what, |ui, _| {
        let text = path.display().to_string();
        let label = egui::Label::new(RichText::new(&text).monospace()).truncate();
        ui.add(label).on_hover_text(text);
    });
}

/// The name of a file, for a list of several.
pub fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    PathBuf::from(name).display().to_string()
}

/// A table with a head, scrolled sideways where it is wider than its column.
pub fn table(ui: &mut Ui, id: &str, head: &[&str], rows: impl FnOnce(&mut Ui)) {
    let scroll = ScrollArea::horizontal();
    let scroll = scroll.id_salt(id).auto_shrink([false, true]);
    scroll.show(ui, |ui| {
        Grid::new(id)
            .num_columns(head.len())
            .striped(true)
            .spacing([18.0, 4.0])
            .show(ui, |ui| {
                let muted = tokens(ui).muted;
                for words in head {
                    ui.label(RichText::new(*words).color(muted));
                }
                ui.end_row();
                rows(ui);
            });
    });
}
