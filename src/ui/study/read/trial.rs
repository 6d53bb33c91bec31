//! A clip and two buttons, and the scale that follows.

use super::page::{QUIET, answer, text};
use crate::study::plan::Side;
use crate::study::record::Answer;
use crate::study::session::{Control, Screen};
use egui::{
    Align, Color32, Label, Layout, Rect, RichText, Sense, TextureId, Ui, WidgetInfo, pos2, vec2,
};

/// Points of an answer's button.
const BUTTON: egui::Vec2 = vec2(190.0, 46.0);
/// Of a step of confidence, at least.
const NARROW: f32 = 104.0;
/// Of the line above a clip, and of what lies below it.
const ABOVE: f32 = 34.0;
const BELOW: f32 = 74.0;

/// The clip's frame, or the gap between two repeats. What the reader clicked.
pub fn trial(
    ui: &mut Ui,
    screen: &Screen,
    frame: Option<TextureId>,
    left_ms: Option<f64>,
) -> Option<Control> {
    let side = head(ui, screen, left_ms);
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, "Clip"));
    ui.painter().rect_filled(rect, 0, Color32::BLACK);
    if let Some(frame) = frame {
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().image(frame, rect, whole, Color32::WHITE);
    }
    ui.add_space(14.0);
    let mut clicked = None;
    sides(ui, |ui, side| {
        let is_real = screen.real_side == side;
        let (word, key, control) = match is_real {
            true => ("Real", "R", Control::Real),
            false => ("Fake", "F", Control::Fake),
        };
        let arrow = match side {
            Side::Left => "left arrow",
            Side::Right => "right arrow",
        };
        if answer(ui, &format!("{word}  ({key} or {arrow})"), BUTTON) {
            clicked = Some(control);
        }
    });
    clicked
}

/// Nothing, where the clip will be: the screen stays as it is around it.
pub fn blank(ui: &mut Ui, screen: &Screen) {
    let side = head(ui, screen, None);
    let (rect, _) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    ui.painter().rect_filled(rect, 0, Color32::BLACK);
}

/// The scale of confidence, without the clip. The step that was clicked.
pub fn confidence(
    ui: &mut Ui,
    screen: &Screen,
    given: Answer,
    words: &[&str],
    pausing: bool,
) -> Option<Control> {
    let side = head(ui, screen, None);
    let mut clicked = None;
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), side),
        Layout::top_down(Align::Center),
        |ui| {
            let gap = 10.0;
            let room = ui.available_width();
            let in_line = (((room + gap) / (NARROW + gap)).floor() as usize).max(1);
            let lines = words.len().div_ceil(in_line).max(1);
            let of_line = words.len().div_ceil(lines).max(1);
            let width = ((room + gap) / of_line as f32 - gap).min(128.0);
            ui.add_space(if lines > 1 { 0.05 } else { 0.3 } * side);
            let said = match given {
                Answer::Real => "Real",
                Answer::Fake => "Fake",
            };
            text(ui, format!("You said: {said}. How sure are you?"));
            ui.add_space(18.0);
            let steps: Vec<(u8, &str)> = (1..).zip(words.iter().copied()).collect();
            for line in steps.chunks(of_line) {
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = gap;
                    let all = line.len() as f32 * (width + gap) - gap;
                    ui.add_space(((room - all) / 2.0).max(0.0));
                    for (step, word) in line {
                        if answer(ui, &format!("{step}  {word}"), vec2(width, 42.0)) {
                            clicked = Some(Control::Sure(*step));
                        }
                    }
                });
            }
            ui.add_space(14.0);
            let hint = match pausing {
                true => "The pause comes after this.".to_owned(),
                false => format!("Keys 1 to {}", words.len()),
            };
            ui.label(RichText::new(hint).color(QUIET));
        },
    );
    clicked
}

/// The line above the clip, which is no further from it where the window is small. The clip's side in points.
fn head(ui: &mut Ui, screen: &Screen, left_ms: Option<f64>) -> f32 {
    ui.set_width(ui.available_width());
    let room = ui.available_size();
    let side = (screen.presentation.points as f32)
        .min(room.y - ABOVE - BELOW)
        .min(room.x - 20.0)
        .max(64.0);
    ui.add_space(((room.y - side - ABOVE - BELOW) / 2.0).max(0.0));
    let block = match screen.practice {
        true => "Practice".to_owned(),
        false => format!("Block {} of {}", screen.block, screen.blocks),
    };
    let left = left_ms.map(|ms| format!(", {:.0} s left", (ms / 1000.0).ceil()));
    let line = RichText::new(block + left.as_deref().unwrap_or_default()).color(QUIET);
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), ABOVE),
        Layout::top_down(Align::Center),
        |ui| {
            ui.add_space(6.0);
            ui.add(Label::new(line));
            ui.set_min_height(ABOVE);
        },
    );
    side
}

/// Something on either side, in the middle of the window.
fn sides(ui: &mut Ui, mut show: impl FnMut(&mut Ui, Side)) {
    let gap = 40.0;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap;
        let all = 2.0 * BUTTON.x + gap;
        ui.add_space(((ui.available_width() - all) / 2.0).max(0.0));
        for side in [Side::Left, Side::Right] {
            show(ui, side);
        }
    });
}
