//! Requested against measured EF: all results of this anatomy.

use super::shown::Point;
use super::state::Explore;
use crate::ef::SLIDER_RANGE;
use crate::engine::{Generated, Request};
use crate::ui::theme::tokens;
use egui::{Align2, Color32, FontId, Pos2, Rect, RichText, Sense, Shape, Stroke, Ui, pos2, vec2};

const HEIGHT: f32 = 170.0;
/// Points that are drawn.
const MOST: usize = 400;
const SMALL_TEXT: f32 = 10.5;

impl Explore {
    /// Adds a result, and what it was chosen from, to the plot.
    pub(super) fn note_result(&mut self, result: &Generated) {
        let p = &result.provenance;
        let requested = p.requested_ef_percent;
        for candidate in &p.candidates {
            let point = Point {
                requested,
                measured: candidate.measured_ef_percent,
                kept: candidate.seed == p.seed,
            };
            if !self.points.contains(&point) {
                self.points.push(point);
            }
        }
        let excess = self.points.len().saturating_sub(MOST);
        self.points.drain(..excess);
        if !self.generated.contains(&requested) && p.best_of == self.settings.best_of.max(1) {
            self.generated.push(requested);
        }
    }

    /// A mark says that going there is instant: no longer.
    pub(super) fn forget_mark(&mut self, gone: &Request) {
        let marked = self.request().is_some_and(|now| {
            // Of everything but the EF that a request is made of.
            let as_now = Request {
                ef: now.ef,
                ..gone.clone()
            };
            as_now == now
        });
        if marked {
            self.generated.retain(|&ef| ef != gone.ef.get());
        }
    }

    pub(super) fn plot(&mut self, ui: &mut Ui) {
        let tokens = tokens(ui);
        let size = vec2(ui.available_width(), HEIGHT);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        let count = self.points.iter().filter(|p| p.kept).count();
        response.widget_info(|| {
            let text = format!("Requested against measured EF, {count} results");
            egui::WidgetInfo::labeled(egui::Role::Image, true, text)
        });
        let area = Rect::from_min_max(rect.min + vec2(26.0, 4.0), rect.max - vec2(12.0, 26.0));
        let (low, high) = (0.0, 100.0);
        let at = |x: f64, y: f64| -> Pos2 {
            let share = |v: f64| ((v - low) / (high - low)) as f32;
            pos2(
                area.left() + share(x) * area.width(),
                area.bottom() - share(y) * area.height(),
            )
        };
        let painter = ui.painter().with_clip_rect(rect);
        painter.rect_filled(area, 2.0, ui.visuals().extreme_bg_color);
        let font = FontId::proportional(SMALL_TEXT);
        for tick in [0.0, 20.0, 40.0, 60.0, 80.0, 100.0] {
            let faint = Stroke::new(0.5, tokens.muted.gamma_multiply(0.35));
            painter.line_segment([at(tick, low), at(tick, high)], faint);
            painter.line_segment([at(low, tick), at(high, tick)], faint);
            let text = format!("{tick:.0}");
            let below = at(tick, low) + vec2(0.0, 2.0);
            painter.text(below, Align2::CENTER_TOP, &text, font.clone(), tokens.muted);
            let left = at(low, tick) - vec2(3.0, 0.0);
            painter.text(
                left,
                Align2::RIGHT_CENTER,
                &text,
                font.clone(),
                tokens.muted,
            );
        }
        // Where the cascade's results usually lie: two thirds of them within the band.
        if let Some(a) = self.agreement() {
            let (first, last) = (*SLIDER_RANGE.start(), *SLIDER_RANGE.end());
            let edge = |x: f64, sd: f64| at(x, a.slope * x + a.intercept + sd * a.residual_sd);
            let corners = vec![
                edge(first, 1.0),
                edge(last, 1.0),
                edge(last, -1.0),
                edge(first, -1.0),
            ];
            let fill = tokens.accent.gamma_multiply(0.22);
            let clipped = painter.with_clip_rect(area);
            clipped.add(Shape::convex_polygon(corners, fill, Stroke::NONE));
        }
        let identity = Stroke::new(1.0, tokens.muted);
        painter.line_segment([at(low, low), at(high, high)], identity);
        let clipped = painter.with_clip_rect(area.expand(3.0));
        for point in &self.points {
            let place = at(point.requested, point.measured);
            if point.kept {
                clipped.circle_filled(place, 3.0, tokens.accent);
            } else {
                let stroke = Stroke::new(1.0, tokens.muted);
                clipped.circle(place, 2.5, Color32::TRANSPARENT, stroke);
            }
        }
        let axis = at(50.0, low) + vec2(0.0, 13.0);
        let words = "requested EF, against measured";
        painter.text(axis, Align2::CENTER_TOP, words, font, tokens.muted);
        response.on_hover_ui(|ui| {
            ui.label(
                "Line: measured as requested. Band: where this cascade's results usually lie.",
            );
            ui.label("Filled: kept. Hollow: the others of a best of N.");
            let text = "Results of this anatomy, from every seed and preset of this session.";
            ui.label(RichText::new(text).color(tokens.muted));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Clip;
    use crate::edm::Seed;
    use crate::ef::EfPercent;
    use crate::hearts::simulated_heart;
    use crate::media::{Kind, Opened};
    use crate::recording::Recording;
    use crate::ui::source::{Origin, Source};
    use std::sync::Arc;

    #[test]
    fn a_mark_goes_with_its_result_and_with_no_other() {
        let mut explore = Explore::new(Default::default(), Arc::new(|| {}));
        let heart = simulated_heart(0).unwrap();
        let recording = Recording::of_clip(Clip::still(heart.frame)).unwrap();
        let opened = Opened::new(recording, Kind::Still);
        let source = Source::prepare(opened, Origin::SimulatedHeart(0)).unwrap();
        explore.put_source(source);
        explore.generated = vec![30.0, 45.0];
        let gone = Request {
            ef: EfPercent::new(45.0).unwrap(),
            ..explore.request().unwrap()
        };
        explore.forget_mark(&Request {
            seed: Seed(gone.seed.0 + 1),
            ..gone.clone()
        });
        assert_eq!(explore.generated, [30.0, 45.0]);
        explore.forget_mark(&gone);
        assert_eq!(explore.generated, [30.0]);
    }
}
