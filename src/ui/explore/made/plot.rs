//! Requested against measured EF: all results of this anatomy.

use super::super::Explore;
use super::Made;
use super::shown::Point;
use crate::ef::{EfPercent, SLIDER_RANGE};
use crate::engine::{Generated, Request};
use crate::ui::theme::tokens;
use egui::{RichText, Stroke, Ui};
use egui_plot::{GridMark, Line, Plot, Points, Polygon};
use std::ops::RangeInclusive;

const HEIGHT: f32 = 190.0;
/// Between two ticks, in percent.
const STEP: f64 = 20.0;
/// Points that are drawn.
const MOST: usize = 400;
const SMALL_TEXT: f32 = 10.5;

impl Made {
    /// Adds a result, and what it was chosen from, to the plot; a mark, where as many were asked for.
    pub(in crate::ui::explore) fn note_result(&mut self, result: &Generated, best_of: usize) {
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
        if !self.generated.contains(&requested) && p.best_of == best_of.max(1) {
            self.generated.push(requested);
        }
    }

    /// A mark says that going there is instant: no longer, if it is of what is wanted `now`.
    pub(in crate::ui::explore) fn forget_mark(&mut self, gone: &Request, now: Request) {
        // Of everything but the EF that a request is made of.
        let as_now = Request {
            ef: now.ef,
            ..gone.clone()
        };
        if as_now == now {
            self.generated.retain(|&ef| ef != gone.ef.get());
        }
    }
}

impl Explore {
    pub(in crate::ui::explore) fn plot(&self, ui: &mut Ui) {
        let tokens = tokens(ui);
        let tick = |mark: GridMark, _: &RangeInclusive<f64>| format!("{:.0}", mark.value);
        let grid = |_| {
            let tick = |i| GridMark {
                value: STEP * f64::from(i),
                step_size: STEP,
            };
            (0..=5).map(tick).collect()
        };
        let plot = Plot::new("requested against measured")
            .height(HEIGHT)
            .default_x_bounds(-3.0, 103.0)
            .default_y_bounds(-3.0, 103.0)
            .x_axis_label(RichText::new("requested EF").size(SMALL_TEXT))
            .y_axis_label(RichText::new("measured").size(SMALL_TEXT))
            .x_grid_spacer(grid)
            .y_grid_spacer(grid)
            .x_axis_formatter(tick)
            .y_axis_formatter(tick)
            // It shows everything there is: nothing to zoom into, and the panel scrolls.
            .allow_drag(false)
            .allow_zoom(false)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .allow_double_click_reset(false)
            .allow_axis_zoom_drag(false)
            .show_x(false)
            .show_y(false);
        let shown = plot.show(ui, |plot| {
            // Where the cascade's results usually lie: two thirds of them within the band.
            if let Some(a) = self.agreement() {
                let now = self.request().filter(|r| r.conditioning().is_some());
                let curve = now.and_then(|r| r.calibration?.curve);
                let conditioning = |x: f64| {
                    let by_curve = curve.as_ref().zip(EfPercent::new(x).ok());
                    by_curve.map_or(x, |(curve, ef)| curve.conditioning(ef).get())
                };
                let pieces = if curve.is_some() { 15 } else { 1 };
                let (first, last) = (*SLIDER_RANGE.start(), *SLIDER_RANGE.end());
                let place = |k: u32| first + (last - first) * f64::from(k) / f64::from(pieces);
                let middle = |x: f64| a.slope * conditioning(x) + a.intercept;
                // Each piece for itself: the whole may not be convex.
                for k in 0..pieces {
                    let (from, to) = (place(k), place(k + 1));
                    let edge = |x: f64, sd: f64| [x, middle(x) + sd * a.residual_sd];
                    let corners = vec![
                        edge(from, 1.0),
                        edge(to, 1.0),
                        edge(to, -1.0),
                        edge(from, -1.0),
                    ];
                    let band = Polygon::new("usual", corners);
                    plot.polygon(
                        band.fill_color(tokens.accent.gamma_multiply(0.22))
                            .stroke(Stroke::NONE),
                    );
                }
            }
            let identity = Line::new("as requested", vec![[0.0, 0.0], [100.0, 100.0]]);
            plot.line(identity.color(tokens.muted).width(1.0));
            let points = |kept: bool| -> Vec<[f64; 2]> {
                let of = self.made.points.iter().filter(|p| p.kept == kept);
                of.map(|p| [p.requested, p.measured]).collect()
            };
            let others = Points::new("others of a best of N", points(false));
            plot.points(others.color(tokens.muted).radius(2.5).filled(false));
            let kept = Points::new("kept", points(true));
            plot.points(kept.color(tokens.accent).radius(3.0));
        });
        let count = self.made.points.iter().filter(|p| p.kept).count();
        shown.response.widget_info(|| {
            let text = format!("Requested against measured EF, {count} results");
            egui::WidgetInfo::labeled(egui::Role::Image, true, text)
        });
        shown.response.on_hover_ui(|ui| {
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
        explore.made.generated = vec![30.0, 45.0];
        let gone = Request {
            ef: EfPercent::new(45.0).unwrap(),
            ..explore.request().unwrap()
        };
        let now = explore.request().unwrap();
        let other = Request {
            seed: Seed(gone.seed.0 + 1),
            ..gone.clone()
        };
        explore.made.forget_mark(&other, now.clone());
        assert_eq!(explore.made.generated, [30.0, 45.0]);
        explore.made.forget_mark(&gone, now);
        assert_eq!(explore.made.generated, [30.0]);
    }
}
