//! A class's cases on a projector: the group answers first, then the truth is revealed, and what all had guessed.

use super::super::figures::ef_in_words;
use super::super::keys::{Pressed, pressed};
use super::super::pane::{Beating, Overlay, Pane, cycle, there};
use super::super::reel::Reel;
use crate::drill::case::Case;
use crate::drill::class::Class;
use crate::drill::report::Report;
use crate::drill::result::ClassResult;
use crate::drill::set::simulated;
use crate::ef::EfPercent;
use crate::ui::theme::{background, tokens};
use egui::{Align2, FontId, Key, Rect, RichText, Sense, Stroke, Ui, ViewportCommand, pos2, vec2};
use std::path::PathBuf;

/// Points of EF that a bar of the histogram spans.
const BIN: f64 = 5.0;
const BINS: usize = 17;

/// What is on the wall.
pub struct Wall {
    cases: Vec<Shown>,
    at: usize,
    revealed: bool,
    beating: Option<Beating>,
    pane: Pane,
    full: bool,
}

struct Shown {
    case: Option<Case>,
    ef_percent: f64,
    guesses: Vec<u32>,
}

impl Wall {
    /// The cases of a report, those with most errors first. Their hearts are those of the class, where it is open.
    pub fn new(report: &Report, results: &[(PathBuf, ClassResult)], class: Option<&Class>) -> Self {
        let of_class: Vec<Case> = class.map(Class::list).unwrap_or_default();
        let shown = |figures: &crate::drill::report::CaseFigures| {
            let answers = results.iter().flat_map(|(_, r)| &r.answers);
            let of: Vec<_> = answers.filter(|a| a.case == figures.case).collect();
            let known = of_class.iter().find(|c| c.case == figures.case).cloned();
            let simulated = || {
                let first = of.first()?;
                let seed = first.ladder.strip_prefix('h')?.parse().ok()?;
                Some(simulated(seed, first.ef_percent, first.quality))
            };
            Shown {
                case: known.or_else(simulated),
                ef_percent: figures.truth,
                guesses: of.iter().filter_map(|a| a.guess_percent).collect(),
            }
        };
        Self {
            cases: report.cases.iter().map(shown).collect(),
            at: 0,
            revealed: false,
            beating: None,
            pane: Pane::default(),
            full: false,
        }
    }

    /// Whether it goes on.
    pub fn ui(&mut self, ui: &mut Ui, reel: &Reel) -> bool {
        if !std::mem::replace(&mut self.full, true) {
            ui.ctx()
                .send_viewport_cmd(ViewportCommand::Fullscreen(true));
        }
        let enter = entered(ui.ctx());
        let mut leave = ui.input(|i| i.key_pressed(Key::Escape));
        let mut step: isize = 0;
        for key in pressed(ui.ctx()) {
            match key {
                Pressed::Reveal => self.revealed = true,
                Pressed::Left => step = -1,
                Pressed::Right => step = 1,
                _ => {}
            }
        }
        if enter {
            match self.revealed {
                false => self.revealed = true,
                true => step = 1,
            }
        }
        let scale = (ui.available_height() / 1080.0).clamp(0.6, 2.0);
        egui::Panel::bottom("what it is")
            .frame(egui::Frame::new().fill(tokens(ui).warning).inner_margin(6))
            .show(ui, |ui| {
                ui.vertical_centered(|ui| {
                    let words = "Research and education only, not for diagnosis. \
                                 R reveals, arrows go to another case, Escape leaves.";
                    ui.label(
                        RichText::new(words)
                            .color(tokens(ui).warning_text)
                            .size(16.0 * scale),
                    );
                });
            });
        egui::CentralPanel::default()
            .frame(
                background(ui)
                    .fill(ui.visuals().panel_fill)
                    .inner_margin(24),
            )
            .show(ui, |ui| {
                let (by, left) = self.case(ui, reel, scale);
                step += by;
                leave |= left;
            });
        if step != 0 {
            let n = self.cases.len().max(1) as isize;
            self.at = (self.at as isize + step).rem_euclid(n) as usize;
            self.revealed = false;
            self.beating = None;
        }
        if leave {
            ui.ctx()
                .send_viewport_cmd(ViewportCommand::Fullscreen(false));
        }
        !leave
    }

    /// The steps that buttons ask for, and whether it is left.
    fn case(&mut self, ui: &mut Ui, reel: &Reel, scale: f32) -> (isize, bool) {
        let n = self.cases.len();
        let Some(shown) = self.cases.get(self.at) else {
            return (0, true);
        };
        let subject = shown.case.as_ref().map(Case::subject);
        reel.want(subject.iter().cloned().collect(), 1);
        let now = ui.input(|i| i.time);
        let (seconds, frames) = subject.as_ref().map_or((0.0, 0), |s| cycle(reel, s));
        let beating = self.beating.get_or_insert_with(|| Beating::start(now));
        beating.wake(ui, now, seconds, frames);
        let phase = beating.phase(now, seconds);
        let (mut step, mut leave) = (0, false);
        let room = ui.available_size();
        let side = room.y.min(0.56 * room.x);
        let outcome = match &subject {
            Some(subject) => reel.get(subject),
            None => Some(Err(
                "Choose the class under Take part to see its clips here.".into(),
            )),
        };
        let none = crate::drill::material::Subject::Clip {
            pixels_sha256: String::new(),
        };
        let subject = subject.unwrap_or(none);
        ui.horizontal_top(|ui| {
            let shown_there = there(&subject, &outcome);
            self.pane
                .show(ui, "Clip", side, shown_there, phase, Overlay::default());
            ui.add_space(32.0 * scale);
            ui.vertical(|ui| {
                let place = format!("Case {} of {n}", self.at + 1);
                ui.label(
                    RichText::new(place)
                        .size(30.0 * scale)
                        .color(tokens(ui).muted),
                );
                match self.revealed {
                    false => {
                        ui.label(RichText::new("What is the EF?").size(64.0 * scale).strong());
                        ui.add_space(24.0 * scale);
                        let button =
                            egui::Button::new(RichText::new("Reveal (R)").size(30.0 * scale));
                        if ui.add(button).clicked() {
                            self.revealed = true;
                        }
                    }
                    true => reveal(ui, shown, scale),
                }
                ui.add_space(24.0 * scale);
                ui.horizontal(|ui| {
                    let button = |ui: &mut Ui, text: &str| {
                        ui.button(RichText::new(text).size(22.0 * scale)).clicked()
                    };
                    if button(ui, "Back") {
                        step = -1;
                    }
                    if button(ui, "Next case") {
                        step = 1;
                    }
                    leave = button(ui, "Leave");
                });
            });
        });
        (step, leave)
    }
}

/// Whether Enter was pressed anew, and no button has the keyboard.
fn entered(ctx: &egui::Context) -> bool {
    let is = |event: &egui::Event| {
        matches!(
            event,
            egui::Event::Key {
                key: Key::Enter,
                pressed: true,
                repeat: false,
                ..
            }
        )
    };
    let focused = ctx.memory(|memory| memory.focused().is_some());
    !focused && ctx.input(|i| i.events.iter().any(is))
}

/// The truth, and what all had guessed.
fn reveal(ui: &mut Ui, shown: &Shown, scale: f32) {
    let ef = shown.ef_percent;
    ui.label(RichText::new(ef_in_words(ef)).size(80.0 * scale).strong());
    let category = EfPercent::measured(ef).category().name();
    ui.label(RichText::new(category).size(36.0 * scale));
    ui.add_space(16.0 * scale);
    let n = shown.guesses.len();
    ui.label(
        RichText::new(format!("{n} guesses"))
            .size(26.0 * scale)
            .color(tokens(ui).muted),
    );
    let size = vec2(ui.available_width(), 300.0 * scale);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let words = format!("Histogram of {n} guesses");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &words));
    histogram(ui, rect, shown, scale);
}

fn histogram(ui: &Ui, rect: Rect, shown: &Shown, scale: f32) {
    let mut bins = [0usize; BINS];
    for guess in &shown.guesses {
        let bin = ((f64::from(*guess) - BIN) / BIN).max(0.0) as usize;
        if let Some(bin) = bins.get_mut(bin.min(BINS - 1)) {
            *bin += 1;
        }
    }
    let most = bins.iter().copied().max().unwrap_or(0).max(1);
    let tokens = tokens(ui);
    let painter = ui.painter();
    let foot = rect.bottom() - 34.0 * scale;
    let x = |ef: f64| rect.left() + rect.width() * ((ef - BIN) / (BIN * BINS as f64)) as f32;
    let font = FontId::proportional(20.0 * scale);
    painter.hline(rect.x_range(), foot, Stroke::new(2.0, tokens.muted));
    for (i, count) in bins.iter().enumerate() {
        if *count == 0 {
            continue;
        }
        let from = BIN * (i + 1) as f64;
        let height = (foot - rect.top() - 24.0 * scale) * *count as f32 / most as f32;
        let bar = Rect::from_min_max(
            pos2(x(from) + 1.0, foot - height),
            pos2(x(from + BIN) - 1.0, foot),
        );
        painter.rect_filled(bar, 2.0, tokens.accent);
        let at = pos2(bar.center().x, bar.top() - 2.0);
        painter.text(at, Align2::CENTER_BOTTOM, count, font.clone(), tokens.mark);
    }
    for ef in [10.0, 30.0, 50.0, 70.0, 90.0] {
        let at = pos2(x(ef), foot + 4.0);
        painter.text(at, Align2::CENTER_TOP, ef, font.clone(), tokens.muted);
    }
    let stroke = Stroke::new(4.0 * scale, tokens.mark);
    painter.vline(x(shown.ef_percent), rect.top()..=foot, stroke);
}
