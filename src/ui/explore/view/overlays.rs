//! What lies over the pictures, each to be switched: outline, moments of the beat, EFs, frame, heart rate, scale.

use super::super::Explore;
use super::pictures::on_picture;
use super::{Comparison, Pane};
use crate::ef::{EfOrigin, EfPercent};
use crate::ui::command::Command;
use crate::ui::hints::Hint as _;
use crate::ui::theme::tokens;
use egui::containers::menu::{MenuButton, MenuConfig, SubMenuButton, is_in_menu};
use egui::{Align2, PopupCloseBehavior, Rect, Stroke, Ui, pos2, vec2};
use serde::{Deserialize, Serialize};

/// Which are on. What marks a picture as synthetic is not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overlays {
    /// The left ventricle's outline, where the cascade gives one.
    pub outline: bool,
    /// End-diastole and end-systole.
    pub moments: bool,
    pub ef: bool,
    pub frame: bool,
    pub heart_rate: bool,
    /// Centimetres, where the file says how large its pixels are.
    pub scale: bool,
    /// None is drawn, whichever are on.
    pub hidden: bool,
    /// Pictures are enlarged pixel by pixel, not smoothly.
    pub as_recorded: bool,
    /// The source is shown no finer than the networks get it, for a fair comparison.
    pub reduced: bool,
}

/// Length of a tick of the scale, and of every fifth.
const TICK: f32 = 5.0;
const FIFTH: f32 = 9.0;

impl Overlays {
    /// Whether one that is on or off is drawn.
    pub(in crate::ui::explore) fn shows(&self, is_on: bool) -> bool {
        is_on && !self.hidden
    }

    /// Switching it on while all are hidden is meant to show it.
    pub(in crate::ui::explore) fn toggle_outline(&mut self) {
        self.outline = !self.shows(self.outline);
        self.hidden &= !self.outline;
    }

    /// A button with a menu, to switch each.
    pub(in crate::ui::explore) fn menu(
        &mut self,
        ui: &mut Ui,
        motion: bool,
        commands: &mut Vec<Command>,
    ) {
        // Several are switched in one go.
        let stays = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        let rows = |ui: &mut Ui| {
            let outline = ui.ctx().format_shortcut(&Command::Outline.shortcut());
            let outline = format!("Outline ({outline})");
            let before = *self;
            let each = [
                (
                    &mut self.outline,
                    outline.as_str(),
                    motion,
                    "The left ventricle's inner border, as the cascade sees it.",
                ),
                (
                    &mut self.moments,
                    "End-diastole and end-systole",
                    motion,
                    "Says it at the frames where the outline holds most and least.",
                ),
                (
                    &mut self.ef,
                    "EF",
                    true,
                    "Requested, outline and measured EF.",
                ),
                (&mut self.frame, "Frame", true, "The number of the frame."),
                (
                    &mut self.heart_rate,
                    "Heart rate",
                    true,
                    "Beats a minute, as it plays.",
                ),
                (
                    &mut self.scale,
                    "Scale",
                    true,
                    "A ruler in centimetres, where the file says how large its pixels are.",
                ),
            ];
            for (is_on, text, able, hint) in each {
                ui.add_enabled(able, egui::Checkbox::new(is_on, text))
                    .hint(hint);
            }
            if *self != before {
                self.hidden = false;
            }
            ui.separator();
            ui.checkbox(&mut self.as_recorded, "Pixels as squares")
                .hint("Enlarges without smoothing, as pictures are recorded.");
            ui.checkbox(&mut self.reduced, "Source as the networks get it")
                .hint("112 x 112, for a fair comparison with what they make.");
            ui.separator();
            let hint = ui.ctx().format_shortcut(&Command::Overlays.shortcut());
            let text = if self.hidden { "Show them" } else { "Hide all" };
            let button = ui.button(format!("{text} ({hint})"));
            if button.hint(Command::Overlays.about()).clicked() {
                commands.push(Command::Overlays);
            }
        };
        let button = match is_in_menu(ui) {
            true => {
                let menu = SubMenuButton::new("Overlays").config(stays);
                menu.ui(ui, rows).0
            }
            false => MenuButton::new("Overlays").config(stays).ui(ui, rows).0,
        };
        button.hint("What lies over the pictures");
    }
}

impl Explore {
    /// The words and the scale over a pane; its outline belongs to the picture.
    pub(in crate::ui::explore) fn paint_overlays(&self, ui: &Ui, pane: Pane, rect: Rect, now: f64) {
        let on = self.view.overlays;
        if on.hidden {
            return;
        }
        let mut words = Vec::new();
        if on.ef {
            words.extend(self.ef_words(pane));
        }
        if on.moments {
            words.extend(self.moment(pane, now).map(str::to_owned));
        }
        if on.frame {
            words.extend(self.frame_words(pane, now));
        }
        if on.heart_rate {
            words.extend(self.heart_rate_words(pane));
        }
        // Of two pictures in one place, the words of both would lie there.
        if matches!(self.view.mode, Comparison::SideBySide | Comparison::MMode) {
            on_picture(ui, rect, Align2::RIGHT_BOTTOM, &words.join("\n"));
        }
        if on.scale {
            self.paint_scale(ui, rect);
        }
    }

    fn ef_words(&self, pane: Pane) -> Option<String> {
        if pane == Pane::Source {
            let ef = EfPercent::measured(self.case.factual_ef);
            return match self.case.ef_origin {
                EfOrigin::Given => Some(format!("EF {ef}")),
                EfOrigin::Measured => Some(format!("EF {ef}, measured")),
                EfOrigin::Assumed => None,
            };
        }
        // Nothing was measured of an estimate.
        if pane.part().is_some_and(|part| self.made.is_estimate(part)) {
            return None;
        }
        let p = &self.made.cine_of(pane)?.result.provenance;
        let say = |ef: f64| EfPercent::measured(ef).to_string();
        let mut text = format!("asked {}\n", say(p.requested_ef_percent));
        if let Some(conditioning) = p.conditioning_ef_percent {
            text += &format!("conditioned on {}\n", say(conditioning));
        }
        if let Some(outline) = p.outline_ef_percent {
            text += &format!("outline {}\n", say(outline));
        }
        Some(text + &format!("measured {}", say(p.measured_ef_percent)))
    }

    /// Whether a cine's frame now is one of its two moments.
    fn moment(&self, pane: Pane, now: f64) -> Option<&'static str> {
        let p = &self.made.cine_of(pane)?.result.provenance;
        match Some(self.frame_now(now)) {
            frame if frame == p.ed_frame => Some("end-diastole"),
            frame if frame == p.es_frame => Some("end-systole"),
            _ => None,
        }
    }

    fn frame_words(&self, pane: Pane, now: f64) -> Option<String> {
        let (at, n) = match pane {
            Pane::Source => {
                let source = self.case.source.as_ref()?;
                (self.case.frame_on_screen()?, source.recording.frames())
            }
            _ => (self.frame_now(now), self.cycle().0),
        };
        Some(format!("frame {} of {n}", at + 1))
    }

    fn heart_rate_words(&self, pane: Pane) -> Option<String> {
        let rate = match pane {
            Pane::Source => self.case.source.as_ref()?.heart_rate?,
            _ if self.house.beat_normalised() => self.view.heart_rate,
            _ => return None,
        };
        Some(format!("{rate:.0} bpm"))
    }

    /// A ruler of centimetres along the right border.
    fn paint_scale(&self, ui: &Ui, rect: Rect) {
        let Some([_, cm]) = self.case.cm_of_square() else {
            return;
        };
        let look = &self.view.look;
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        let colour = tokens(ui).on_picture;
        for k in 0..=cm as usize {
            let y = look.on_pane(rect, vec2(0.0, (k as f64 / cm) as f32)).y;
            let length = if k % 5 == 0 { FIFTH } else { TICK };
            let ends = [pos2(rect.right() - length, y), pos2(rect.right(), y)];
            painter.line_segment(ends, Stroke::new(1.5, colour));
        }
    }
}
