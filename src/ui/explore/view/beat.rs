//! What a motion cascade says of the beat: the left ventricle's outline over the pictures, its volume
//! under the transport, end-diastole and end-systole.

use super::super::Explore;
use super::super::made::shown::Shown;
use super::View;
use crate::ef::EfPercent;
use crate::motion::Beating;
use crate::provenance::Provenance;
use crate::ui::hints::Hint as _;
use crate::ui::look::Look;
use crate::ui::theme::{Tokens, tokens};
use egui::{
    Align2, FontId, Pos2, Rect, Response, RichText, Sense, Shape, Stroke, Ui, Vec2, pos2, vec2,
};

/// Height of the volume's curve, and of the letters below it.
const CURVE: f32 = 26.0;
const LETTERS: f32 = 11.0;
/// Height of the large plot.
const PLOT: f32 = 96.0;
/// Pictures a second that a cine is shown at, where its motion allows as many as one likes.
const SMOOTH: f64 = 30.0;

/// A time of the beat to go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    EndDiastole,
    EndSystole,
}

impl Explore {
    /// Pictures from one frame to the next, so that a beat is smooth at the speed it is played at.
    pub(in crate::ui::explore) fn between(&self) -> usize {
        let (n, seconds) = self.cycle();
        let duration = seconds / self.view.playback.speed();
        let between = (SMOOTH * duration / n.max(1) as f64).ceil() as usize;
        between.clamp(1, self.view.smoothness.limit())
    }

    /// Pauses at end-diastole or end-systole of the counterfactual cine, else of the factual one.
    pub fn jump(&mut self, to: Moment, now: f64) {
        let made = self.made.any();
        let Some(p) = made.map(|m| &m.result.provenance) else {
            return;
        };
        let frame = match to {
            Moment::EndDiastole => p.ed_frame,
            Moment::EndSystole => p.es_frame,
        };
        let (n, seconds) = self.cycle();
        match frame {
            // Just behind the frame's own time, so that rounding does not show the one before.
            Some(frame) => {
                let at = (frame as f64 + 0.01) * seconds / n.max(1) as f64;
                self.view.playback.seek(at, now);
            }
            None => self.said.push(
                "End-diastole and end-systole are known of cines that a motion cascade made."
                    .into(),
            ),
        }
    }

    /// The volume over the beat, factual and counterfactual, with end-diastole and end-systole of the
    /// latter; a click goes to its time.
    pub(in crate::ui::explore) fn volume_strip(&mut self, ui: &mut Ui, width: f32, now: f64) {
        if !self.house.makes_motion() {
            return;
        }
        let name = "Volume of the left ventricle over the beat";
        self.volume_curves(ui, vec2(width, CURVE), name, now);
    }

    /// The same, large, with what each curve comes to.
    pub(in crate::ui::explore) fn volume_plot(&mut self, ui: &mut Ui, now: f64) {
        let size = vec2(ui.available_width(), PLOT);
        self.volume_curves(ui, size, "Volume over the beat, large", now);
        let colours = tokens(ui);
        let outline = |shown: Option<&Shown>| shown?.result.provenance.outline_ef_percent;
        let lines = [
            (
                outline(self.made.counterfactual.as_ref()),
                "Counterfactual, outline",
                colours.accent,
            ),
            (
                outline(self.made.factual.as_ref()),
                "Factual, outline",
                colours.muted,
            ),
            (self.view.tracked.ef(), "Source, tracked", colours.caution),
        ];
        for (ef, name, colour) in lines {
            let Some(ef) = ef else { continue };
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
                let line = Stroke::new(2.0, colour);
                ui.painter().hline(rect.x_range(), rect.center().y, line);
                let text = format!("{name}: EF {}", EfPercent::measured(ef));
                ui.add(egui::Label::new(RichText::new(text).size(12.0)).wrap());
            });
        }
        if self.view.tracked.ef().is_some() {
            let text = "Tracked: the factual outline, followed through the recording by optical flow. It reads low even of \
                        exact motion: by 5 points at EF 20, by 14 at EF 75.";
            let text = RichText::new(text).color(colours.muted).size(11.0);
            ui.add(egui::Label::new(text).wrap());
        }
    }

    fn volume_curves(&mut self, ui: &mut Ui, size: Vec2, name: &str, now: f64) {
        let (rect, response) =
            ui.allocate_exact_size(size + vec2(0.0, LETTERS), Sense::click_and_drag());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, name));
        let area = Rect::from_min_size(rect.min, size);
        let colours = tokens(ui);
        let painter = ui.painter().with_clip_rect(rect);
        painter.rect_filled(area, 2.0, ui.visuals().extreme_bg_color);
        let (n, seconds) = self.cycle();
        let factual = self.made.factual.as_ref().map(|m| &m.result.provenance);
        let made = self
            .made
            .counterfactual
            .as_ref()
            .map(|m| &m.result.provenance);
        let of = |p: Option<&Provenance>| p.and_then(|p| p.volumes.clone());
        let curves = [
            (
                self.view.tracked.volumes().map(<[f64]>::to_vec),
                colours.caution,
            ),
            (of(factual), colours.muted),
            (of(made), colours.accent),
        ];
        for (volumes, colour) in curves {
            if let Some(points) = volumes.and_then(|volumes| curve(&volumes, area)) {
                painter.add(Shape::line(points, Stroke::new(1.5, colour)));
            }
        }
        if let Some(p) = made.or(factual) {
            let x = |frame: usize| area.left() + frame as f32 / n.max(1) as f32 * area.width();
            for (frame, text) in [(p.ed_frame, "ED"), (p.es_frame, "ES")] {
                if let Some(frame) = frame {
                    moment(&painter, x(frame), area, text, &colours);
                }
            }
        }
        let at = area.left() + self.view.playback.phase(seconds, now) as f32 * area.width();
        painter.vline(
            at,
            area.y_range(),
            Stroke::new(1.0, ui.visuals().text_color()),
        );
        self.view.seek_in(&response, area, seconds, now);
        response.hint(
            "Volume over the beat as the outline gives it: counterfactual in colour, factual in gray; in orange, the source's, tracked.",
        );
    }
}

impl View {
    fn seek_in(&mut self, response: &Response, area: Rect, seconds: f64, now: f64) {
        if let Some(at) = response.interact_pointer_pos() {
            let share = ((at.x - area.left()) / area.width()).clamp(0.0, 0.999);
            self.playback.seek(f64::from(share) * seconds, now);
        }
    }

    /// The outline of what a pane shows, if it is switched on.
    pub(in crate::ui::explore) fn paint_outline(
        &self,
        ui: &Ui,
        beating: &Beating,
        phase: f64,
        rect: Rect,
    ) {
        if !self.overlays.shows(self.overlays.outline) {
            return;
        }
        let colour = tokens(ui).outline;
        draw_outline(ui, &beating.outline_at(phase), rect, &self.look, colour);
    }
}

/// A closed line through points in shares of the picture.
pub(in crate::ui::explore) fn draw_outline(
    ui: &Ui,
    points: &[[f32; 2]],
    rect: Rect,
    look: &Look,
    colour: egui::Color32,
) {
    let points: Vec<Pos2> = points
        .iter()
        .map(|&[x, y]| look.on_pane(rect, vec2(x, y)))
        .collect();
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    painter.add(Shape::closed_line(points, Stroke::new(1.5, colour)));
}

/// Volumes as a line: the greatest on top, nothing at the bottom; the beat closes.
fn curve(volumes: &[f64], area: Rect) -> Option<Vec<Pos2>> {
    let n = volumes.len();
    if n < 2 {
        return None;
    }
    let point = |k: usize| {
        let share = volumes.get(k % n).copied().unwrap_or_default() as f32;
        pos2(
            area.left() + k as f32 / n as f32 * area.width(),
            area.bottom() - 1.0 - share * (area.height() - 3.0),
        )
    };
    Some((0..=n).map(point).collect())
}

/// A tick with its letters below the curve.
fn moment(painter: &egui::Painter, x: f32, area: Rect, text: &str, colours: &Tokens) {
    painter.vline(x, area.y_range(), Stroke::new(1.0, colours.mark));
    // The letters stay inside the strip at either end.
    let align = if x < area.left() + 8.0 {
        Align2::LEFT_TOP
    } else {
        Align2::CENTER_TOP
    };
    let font = FontId::proportional(9.5);
    painter.text(pos2(x, area.bottom()), align, text, font, colours.muted);
}
