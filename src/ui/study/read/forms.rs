//! What a reader is asked before the first trial: about them, and about their display.

use super::clock::Check;
use super::page::{button, quiet, space, text, title};
use crate::study::record::Room;
use crate::study::session::{About, Display, Event};
use egui::{Align, Button, Color32, Layout, Rect, RichText, Sense, Slider, TextEdit, Ui, vec2};

/// Points before a field.
const LABEL: f32 = 230.0;
/// Of a bank card, by ISO/IEC 7810 (ID-1).
const CARD_MM: f32 = 85.6;
const CARD_RATIO: f32 = 53.98 / 85.6;
/// Sides of a field with a patch, and of the patch.
const FIELD: f32 = 120.0;
const PATCH: f32 = 36.0;
/// 5 and 95 % of the levels.
const DARK: u8 = 13;
const BRIGHT: u8 = 242;

/// The reader's own words.
#[derive(Default)]
pub struct AboutForm {
    role: String,
    years: String,
    glasses: Option<bool>,
}

fn row<R>(ui: &mut Ui, label: &str, show: impl FnOnce(&mut Ui, egui::Id) -> R) -> R {
    ui.horizontal(|ui| {
        let layout = Layout::left_to_right(Align::Center);
        let width = LABEL.min(0.42 * ui.available_width());
        let words = ui.allocate_ui_with_layout(vec2(width, 26.0), layout, |ui| {
            ui.set_width(width);
            let words = RichText::new(label).size(15.0);
            ui.add(egui::Label::new(words).wrap()).id
        });
        show(ui, words.inner)
    })
    .inner
}

/// One of several, or none.
fn one_of<T: PartialEq + Copy>(ui: &mut Ui, label: &str, value: &mut Option<T>, all: &[(T, &str)]) {
    row(ui, label, |ui, _| {
        for (this, name) in all {
            let is = *value == Some(*this);
            let button = Button::selectable(is, *name).frame_when_inactive(true);
            if ui.add(button).clicked() {
                *value = if is { None } else { Some(*this) };
            }
        }
    });
}

impl AboutForm {
    /// Draws it; what was said, when the reader goes on.
    pub fn ui(&mut self, ui: &mut Ui, entered: bool) -> Option<Event> {
        title(ui, "About you");
        text(ui, "All of it may be left out. Please give no name.");
        space(ui);
        row(ui, "What you do", |ui, words| {
            let field = TextEdit::singleline(&mut self.role)
                .hint_text("cardiologist, sonographer ...")
                .char_limit(200)
                .desired_width(ui.available_width().min(300.0));
            ui.add(field).labelled_by(words);
        });
        row(ui, "Years of reading echoes", |ui, words| {
            let field = TextEdit::singleline(&mut self.years)
                .char_limit(5)
                .desired_width(70.0);
            ui.add(field).labelled_by(words);
        });
        let years = self.years.trim().replace(',', ".");
        let years = (!years.is_empty()).then(|| years.parse::<f64>());
        let wrong = match &years {
            Some(Ok(years)) => !(0.0..=100.0).contains(years),
            Some(Err(_)) => true,
            None => false,
        };
        if wrong {
            quiet(ui, "Years are a number from 0 to 100.");
        }
        let yes_or_no = [(true, "yes"), (false, "no")];
        one_of(ui, "Glasses or lenses, now", &mut self.glasses, &yes_or_no);
        space(ui);
        let on = button(ui, "Continue (Enter)", !wrong) || (entered && !wrong);
        on.then(|| {
            Event::About(About {
                role: self.role.clone(),
                years: years.and_then(Result::ok),
                glasses: self.glasses,
            })
        })
    }
}

/// What the reader sees of their display.
pub struct DisplayForm {
    dark: Option<bool>,
    bright: Option<bool>,
    room: Option<Room>,
    /// Points of a bank card's width, as long as nobody moved it.
    card: f32,
    sized: bool,
    pub check: Check,
}

impl Default for DisplayForm {
    fn default() -> Self {
        Self {
            dark: None,
            bright: None,
            room: None,
            card: 320.0,
            sized: false,
            check: Check::default(),
        }
    }
}

impl DisplayForm {
    /// Draws it; what was found, when the reader goes on.
    pub fn ui(&mut self, ui: &mut Ui, entered: bool) -> Option<Event> {
        title(ui, "Your display");
        let yes_or_no = [(true, "yes"), (false, "no")];
        ui.horizontal(|ui| {
            let width = (2.0 * FIELD).min(0.5 * (ui.available_width() - 10.0));
            field(ui, width, Color32::BLACK, Color32::from_gray(DARK));
            field(ui, width, Color32::WHITE, Color32::from_gray(BRIGHT));
        });
        one_of(
            ui,
            "Is there a square in the black field?",
            &mut self.dark,
            &yes_or_no,
        );
        one_of(ui, "And in the white field?", &mut self.bright, &yes_or_no);
        let rooms = [
            (Room::Dark, "dark"),
            (Room::Dim, "dim"),
            (Room::Bright, "bright"),
        ];
        one_of(ui, "The room is", &mut self.room, &rooms);
        row(ui, "As wide as a bank card", |ui, words| {
            ui.spacing_mut().slider_width = (ui.available_width() - 110.0).clamp(60.0, 220.0);
            let slider = Slider::new(&mut self.card, 120.0..=600.0).show_value(false);
            self.sized |= ui.add(slider).labelled_by(words).changed();
            quiet(ui, if self.sized { "set" } else { "or leave it" });
        });
        let size = vec2(self.card, 0.35 * CARD_RATIO * self.card);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        ui.painter().rect_filled(rect, 4, Color32::from_gray(70));
        space(ui);
        let found = self.check.found();
        let on = ui.horizontal(|ui| {
            let pressed = button(ui, "Continue (Enter)", found.is_some());
            if found.is_none() {
                let percent = 100.0 * self.check.share();
                quiet(ui, format!("How often the display draws: {percent:.0} %"));
            }
            pressed
        });
        let found = found.filter(|_| on.inner || entered)?;
        Some(Event::Display(Display {
            dark_seen: self.dark,
            bright_seen: self.bright,
            millimetres_a_point: self.sized.then(|| f64::from(CARD_MM / self.card)),
            room: self.room,
            period_ms: Some(found.period_ms),
            late_passes: Some(found.late_passes),
        }))
    }
}

/// A field with a patch that is hardly seen.
fn field(ui: &mut Ui, width: f32, around: Color32, patch: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(width, FIELD), Sense::hover());
    ui.painter().rect_filled(rect, 0, around);
    let patch_rect = Rect::from_center_size(rect.center(), vec2(PATCH, PATCH));
    ui.painter().rect_filled(patch_rect, 0, patch);
}
