//! How a session's screens look: neutral and dark, whatever the window's theme is.

use crate::ui::theme;
use egui::{
    Align, Button, Color32, Frame, Key, Label, Layout, Response, RichText, Sense, Stroke, Ui,
    UiBuilder, Vec2, Visuals, vec2,
};

/// Behind all: no colour, and dark, as in a reading room.
pub const GROUND: Color32 = Color32::from_gray(18);
const BUTTON: Color32 = Color32::from_gray(52);
const HOVERED: Color32 = Color32::from_gray(70);
const PRESSED: Color32 = Color32::from_gray(92);
pub const TEXT: Color32 = Color32::from_gray(222);
pub const QUIET: Color32 = Color32::from_gray(150);
/// Points of a column of text.
const WIDTH: f32 = 620.0;
const TEXT_SIZE: f32 = 16.0;
const GAP: f32 = 14.0;
/// Points that an arrow key scrolls, and more than any page has.
const LINE: f32 = 48.0;
const END: f32 = 1e5;
/// True of every clip of a study, so it tells nothing of any.
const BADGE: &str = "Reader study: some of the clips are synthetic. Research and education only, not for diagnosis.";

/// No colour, in all that follows.
pub fn neutral(ui: &mut Ui) {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = GROUND;
    visuals.extreme_bg_color = Color32::from_gray(8);
    visuals.override_text_color = Some(TEXT);
    visuals.selection.bg_fill = Color32::from_gray(110);
    visuals.selection.stroke = Stroke::new(1.0, Color32::WHITE);
    for (widget, fill) in [
        (&mut visuals.widgets.inactive, BUTTON),
        (&mut visuals.widgets.hovered, HOVERED),
        (&mut visuals.widgets.active, PRESSED),
        (&mut visuals.widgets.open, HOVERED),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.corner_radius = 5.into();
    }
    // What has the keyboard is seen without colour.
    visuals.widgets.hovered.bg_stroke = Stroke::new(1.0, Color32::from_gray(200));
    *ui.visuals_mut() = visuals;
}

/// Of a question over a screen.
pub fn sheet() -> Frame {
    Frame::new()
        .fill(Color32::from_gray(32))
        .stroke(Stroke::new(1.0, Color32::from_gray(80)))
        .corner_radius(6)
        .inner_margin(18)
}

/// The whole window, for one screen of a session.
pub fn ground<R>(ui: &mut Ui, show: impl FnOnce(&mut Ui) -> R) -> R {
    let whole = ui.max_rect();
    // Else the window is cleared to it.
    if theme::is_background_painted(ui) {
        ui.painter().rect_filled(whole, 0, GROUND);
    }
    ui.scope_builder(UiBuilder::new().max_rect(whole), |ui| {
        neutral(ui);
        egui::Panel::bottom("what this is")
            .frame(Frame::new().inner_margin(6))
            .show_separator_line(false)
            .show(ui, |ui| {
                ui.vertical_centered(|ui| {
                    let text = RichText::new(BADGE).size(12.0).color(QUIET);
                    ui.add(Label::new(text).wrap());
                });
            });
        egui::CentralPanel::default()
            .frame(Frame::new())
            .show(ui, show)
            .inner
    })
    .inner
}

/// A column of text in the middle; scrolled where it is too long.
pub fn column<R>(ui: &mut Ui, show: impl FnOnce(&mut Ui) -> R) -> R {
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .show(ui, |ui| {
            scroll_by_keys(ui);
            let room = ui.available_size();
            let width = WIDTH.min(room.x - 2.0 * GAP);
            ui.add_space((0.12 * room.y).max(GAP));
            ui.horizontal(|ui| {
                ui.add_space((room.x - width) / 2.0);
                let layout = Layout::top_down(Align::Min);
                ui.allocate_ui_with_layout(vec2(width, 0.0), layout, |ui| {
                    ui.set_width(width);
                    ui.spacing_mut().item_spacing = vec2(10.0, 10.0);
                    show(ui)
                })
                .inner
            })
            .inner
        })
        .inner
}

/// Scrolls where nothing has the keyboard: a page that is longer than the window is read by keys, too.
fn scroll_by_keys(ui: &Ui) {
    if ui.memory(|m| m.focused().is_some()) {
        return;
    }
    let page = 0.8 * ui.clip_rect().height();
    let by = ui.input(|i| {
        let steps = |key| i.num_presses(key) as f32;
        LINE * (steps(Key::ArrowUp) - steps(Key::ArrowDown))
            + page * (steps(Key::PageUp) - steps(Key::PageDown))
            + END * (steps(Key::Home) - steps(Key::End))
    });
    if by != 0.0 {
        ui.scroll_with_delta(vec2(0.0, by));
    }
}

/// What the keyboard comes to is seen.
fn seen(response: Response) -> bool {
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    response.clicked()
}

pub fn title(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).size(24.0).strong());
    ui.add_space(GAP / 2.0);
}

pub fn text(ui: &mut Ui, text: impl Into<String>) {
    let text = RichText::new(text).size(TEXT_SIZE);
    ui.add(Label::new(text).wrap());
}

pub fn quiet(ui: &mut Ui, text: impl Into<String>) {
    let text = RichText::new(text).size(13.0).color(QUIET);
    ui.add(Label::new(text).wrap());
}

pub fn space(ui: &mut Ui) {
    ui.add_space(GAP);
}

/// A button that the keyboard can reach.
pub fn button(ui: &mut Ui, text: &str, enabled: bool) -> bool {
    let button = Button::new(RichText::new(text).size(TEXT_SIZE)).min_size(vec2(150.0, 36.0));
    seen(ui.add_enabled(enabled, button))
}

/// A smaller one, for what is not the way on.
pub fn aside(ui: &mut Ui, text: &str) -> bool {
    let button = Button::new(RichText::new(text).size(13.0)).min_size(vec2(0.0, 28.0));
    seen(ui.add(button))
}

/// An answer. Its keys are the session's, so that the keyboard's focus never stands in their way.
pub fn answer(ui: &mut Ui, text: &str, size: Vec2) -> bool {
    let button = Button::new(RichText::new(text).size(TEXT_SIZE))
        .min_size(size)
        .sense(Sense::CLICK);
    ui.add(button).clicked()
}
