//! A scale of EFs to guess on: the guideline's categories as bands, and no handle before the first input, since a
//! value to begin with pulls answers to itself.

use crate::drill::profile::GUESSES;
use crate::ef::EfPercent;
use crate::ui::theme::{Tokens, tokens};
use egui::accesskit::{Action, ActionData};
use egui::{
    Align2, Event, EventFilter, FontId, Key, Rect, Response, Sense, Shape, Stroke, Ui, WidgetInfo,
};
use egui::{pos2, vec2};

/// What is shown of a case that was answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    pub ef_percent: f64,
}

/// What was done with the scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Did {
    pub chosen: Option<u32>,
    /// Enter was pressed on it.
    pub entered: bool,
}

/// The scale.
pub struct EfScale {
    pub value: Option<u32>,
    /// The truth, once it may be told; then nothing can be changed.
    pub told: Option<Told>,
    /// Larger type, for a projector.
    pub size: f32,
}

const TRACK: f32 = 26.0;
const RADIUS: f32 = 10.0;
const HEIGHT: f32 = 100.0;

impl EfScale {
    /// Draws it as wide as there is room. What was done with it.
    pub fn show(&self, ui: &mut Ui) -> Did {
        let tokens = tokens(ui);
        let size = vec2(ui.available_width(), HEIGHT * self.size);
        let sense = match self.told {
            None => Sense::click_and_drag() | Sense::focusable_noninteractive(),
            Some(_) => Sense::hover(),
        };
        let (rect, response) = ui.allocate_exact_size(size, sense);
        let half = TRACK * self.size / 2.0;
        let track = Rect::from_min_max(
            pos2(rect.left() + RADIUS, rect.center().y - half),
            pos2(rect.right() - RADIUS, rect.center().y + half),
        );
        let (chosen, entered) = (
            self.chosen(ui, &response, track),
            self.entered(ui, &response),
        );
        let value = chosen.or(self.value);
        response.widget_info(|| {
            let name = "Ejection fraction, percent";
            match value {
                Some(value) => WidgetInfo::slider(self.told.is_none(), f64::from(value), name),
                None => WidgetInfo::labeled(egui::Role::Slider, self.told.is_none(), name),
            }
        });
        self.paint_bands(ui, track, &tokens);
        if let Some(told) = self.told {
            self.paint_truth(ui, track, told, &tokens);
        }
        if let Some(value) = value {
            self.paint_guess(ui, &response, track, value, &tokens);
            if let Some(told) = self.told {
                self.paint_names(ui, track, value, told, &tokens);
            }
        } else if response.has_focus() {
            let stroke = ui.visuals().selection.stroke;
            ui.painter()
                .rect_stroke(track.expand(3.0), 3.0, stroke, egui::StrokeKind::Outside);
        }
        Did { chosen, entered }
    }

    /// Enter, which else is a focused widget's own.
    fn entered(&self, ui: &Ui, response: &Response) -> bool {
        let is = |event: &Event| {
            let Event::Key {
                key,
                pressed,
                repeat,
                ..
            } = event
            else {
                return false;
            };
            *key == Key::Enter && *pressed && !repeat
        };
        response.has_focus() && ui.input(|i| i.events.iter().any(is))
    }

    /// By the pointer, the arrows of a scale that has a value, or a screen reader.
    fn chosen(&self, ui: &Ui, response: &Response, track: Rect) -> Option<u32> {
        if self.told.is_some() {
            return None;
        }
        let down = response.is_pointer_button_down_on() || response.clicked();
        if down && let Some(at) = response.interact_pointer_pos() {
            return Some(ef_at(track, at.x));
        }
        if response.has_focus() {
            let id = response.id;
            ui.memory_mut(|memory| {
                let arrows = EventFilter {
                    horizontal_arrows: true,
                    ..EventFilter::default()
                };
                memory.set_focus_lock_filter(id, arrows);
            });
            let steps = ui.input(|i| {
                let times = |key| i.num_presses(key) as i32;
                times(Key::ArrowRight) - times(Key::ArrowLeft)
            });
            let from = self.value.filter(|_| steps != 0);
            if let Some(value) = from.and_then(|v| v.checked_add_signed(steps)) {
                return Some(bounded(f64::from(value)));
            }
        }
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.add_action(Action::SetValue);
            node.set_min_numeric_value(ends().0);
            node.set_max_numeric_value(ends().1);
            node.set_numeric_value_step(1.0);
        });
        let asked = ui.input(|i| {
            let requests = i.accesskit_action_requests(response.id, Action::SetValue);
            let values = requests.filter_map(|request| match request.data {
                Some(ActionData::NumericValue(value)) => Some(value),
                _ => None,
            });
            values.last()
        });
        asked.map(|value| bounded(value.round()))
    }

    fn font(&self, size: f32) -> FontId {
        FontId::proportional(size * self.size)
    }

    fn paint_bands(&self, ui: &Ui, track: Rect, tokens: &Tokens) {
        let painter = ui.painter();
        let (low, high) = ends();
        for (from, to, colour, lean) in [
            (low, 40.0, tokens.reduced, 1.0),
            (40.0, 50.0, tokens.mildly_reduced, -1.0),
            (50.0, high, tokens.preserved, 0.0),
        ] {
            let band = Rect::from_min_max(
                pos2(x_of(track, from), track.top()),
                pos2(x_of(track, to), track.bottom()),
            );
            painter.rect_filled(band, 2.0, colour);
            hatch(ui, band, lean, tokens);
            let name = EfPercent::measured((from + to) / 2.0).category().name();
            let font = self.font(12.5);
            let galley = painter.layout_no_wrap(name.to_owned(), font, tokens.muted);
            // The narrow band's words are wider than it; its neighbours' stand far enough away.
            let at = pos2(
                band.center().x - galley.size().x / 2.0,
                track.bottom() + 5.0 * self.size,
            );
            painter.galley(at, galley, tokens.muted);
        }
        for tick in [5, 10, 20, 30, 40, 50, 60, 70, 80, 90] {
            let x = x_of(track, f64::from(tick));
            painter.text(
                pos2(x, track.top() - 4.0),
                Align2::CENTER_BOTTOM,
                tick,
                self.font(12.5),
                tokens.muted,
            );
        }
    }

    fn paint_guess(&self, ui: &Ui, response: &Response, track: Rect, value: u32, tokens: &Tokens) {
        let x = x_of(track, f64::from(value));
        let held = response.dragged() || response.hovered() || response.has_focus();
        let radius = (RADIUS + if held { 1.0 } else { 0.0 }) * self.size;
        ui.painter().circle(
            pos2(x, track.center().y),
            radius,
            tokens.accent,
            Stroke::new(2.0, ui.visuals().panel_fill),
        );
    }

    /// Which of both is which, each on its own side.
    fn paint_names(&self, ui: &Ui, track: Rect, value: u32, told: Told, tokens: &Tokens) {
        let guess = f64::from(value);
        let (left, right) = match guess <= told.ef_percent {
            true => ((guess, "guess"), (told.ef_percent, "truth")),
            false => ((told.ef_percent, "truth"), (guess, "guess")),
        };
        let y = track.bottom() + 22.0 * self.size;
        for ((ef, name), anchor, by) in [
            (left, Align2::RIGHT_TOP, RADIUS),
            (right, Align2::LEFT_TOP, -RADIUS),
        ] {
            let at = pos2(x_of(track, ef) + by * self.size, y);
            ui.painter()
                .text(at, anchor, name, self.font(12.5), tokens.mark);
        }
    }

    /// A wedge above the track and a line through it: no colour is needed to tell it from the guess.
    fn paint_truth(&self, ui: &Ui, track: Rect, told: Told, tokens: &Tokens) {
        let x = x_of(track, told.ef_percent);
        let (w, h) = (7.0 * self.size, 10.0 * self.size);
        let tip = |dx: f32, y: f32| pos2(x + dx, y);
        ui.painter().add(Shape::convex_polygon(
            vec![
                tip(-w, track.top() - h),
                tip(w, track.top() - h),
                tip(0.0, track.top()),
            ],
            tokens.mark,
            Stroke::new(1.0, ui.visuals().panel_fill),
        ));
        let line = Stroke::new(3.0 * self.size, tokens.mark);
        ui.painter().vline(x, track.y_range(), line);
    }
}

/// Diagonal lines over a band, leaning right or left, or none.
fn hatch(ui: &Ui, band: Rect, lean: f32, tokens: &Tokens) {
    if lean == 0.0 {
        return;
    }
    let painter = ui.painter().with_clip_rect(band.intersect(ui.clip_rect()));
    let stroke = Stroke::new(1.0, tokens.hatch);
    let mut x = band.left() - band.height();
    while x < band.right() {
        let (from, to) = match lean > 0.0 {
            true => (band.bottom(), band.top()),
            false => (band.top(), band.bottom()),
        };
        painter.line_segment([pos2(x, from), pos2(x + band.height(), to)], stroke);
        x += 9.0;
    }
}

fn ends() -> (f64, f64) {
    (f64::from(*GUESSES.start()), f64::from(*GUESSES.end()))
}

fn x_of(track: Rect, ef: f64) -> f32 {
    let (low, high) = ends();
    let share = ((ef - low) / (high - low)).clamp(0.0, 1.0) as f32;
    track.left() + share * track.width()
}

fn ef_at(track: Rect, x: f32) -> u32 {
    let (low, high) = ends();
    let share = f64::from((x - track.left()) / track.width().max(1.0));
    bounded((low + share * (high - low)).round())
}

fn bounded(percent: f64) -> u32 {
    let (low, high) = ends();
    percent.clamp(low, high) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_the_track_is_a_whole_percent_within_the_range() {
        let track = Rect::from_min_max(pos2(100.0, 0.0), pos2(950.0, 20.0));
        assert_eq!(ef_at(track, 100.0), 5);
        assert_eq!(ef_at(track, 950.0), 90);
        assert_eq!(ef_at(track, 0.0), 5);
        assert_eq!(ef_at(track, 2000.0), 90);
        for ef in 5..=90 {
            assert_eq!(ef_at(track, x_of(track, f64::from(ef))), ef);
        }
    }
}
