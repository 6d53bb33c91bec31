use crate::ef::{EfPercent, SLIDER_RANGE};
use crate::ui::theme::{Tokens, tokens};
use egui::{Align2, Color32, FontId, Pos2, Rect, Response, Shape, Slider, Stroke, Ui, pos2, vec2};

/// A place on the track where something is known.
#[derive(Clone, Copy, PartialEq)]
pub enum Mark {
    /// The source's own EF.
    Factual(f64),
    /// An EF that has been generated: going there is instant.
    Generated(f64),
    /// What the cine that was asked for measures.
    Measured(f64),
}

/// The EF slider: the guideline's categories as bands, marks, hatching outside the range that the
/// cascade was trained on, and how far a calibration reaches.
pub struct EfSlider<'a> {
    pub value: &'a mut f64,
    pub marks: &'a [Mark],
    pub trained: Option<[f64; 2]>,
    /// The EFs that can be measured, where they are asked for by calibration.
    pub reach: Option<[f64; 2]>,
}

const TRACK_HEIGHT: f32 = 14.0;
const HANDLE_RADIUS: f32 = 9.0;
const HEIGHT: f32 = 58.0;

impl EfSlider<'_> {
    pub fn show(self, ui: &mut Ui, label: &Response) -> Response {
        let tokens = tokens(ui);
        let width = ui.available_width();
        let (rect, _) = ui.allocate_exact_size(vec2(width, HEIGHT), egui::Sense::hover());
        let track = Rect::from_min_max(
            pos2(
                rect.left() + HANDLE_RADIUS,
                rect.center().y - TRACK_HEIGHT / 2.0,
            ),
            pos2(
                rect.right() - HANDLE_RADIUS,
                rect.center().y + TRACK_HEIGHT / 2.0,
            ),
        );
        paint_bands(ui, track, self.trained, &tokens);
        if let Some(reach) = self.reach {
            paint_reach(ui, track, reach, &tokens);
        }
        paint_marks(ui, track, self.marks, &tokens);
        // egui's own slider brings keyboard, focus and accessibility; its looks are drawn here.
        let response = ui
            .scope_builder(
                egui::UiBuilder::new().max_rect(Rect::from_center_size(
                    rect.center(),
                    vec2(width, 2.0 * HANDLE_RADIUS),
                )),
                |ui| {
                    ui.spacing_mut().slider_width = width;
                    ui.spacing_mut().interact_size.y = 2.0 * HANDLE_RADIUS;
                    let widgets = &mut ui.visuals_mut().widgets;
                    for w in [
                        &mut widgets.inactive,
                        &mut widgets.hovered,
                        &mut widgets.active,
                    ] {
                        w.bg_fill = Color32::TRANSPARENT;
                        w.fg_stroke = Stroke::NONE;
                        w.expansion = 0.0;
                    }
                    ui.add(
                        Slider::new(self.value, SLIDER_RANGE)
                            .step_by(1.0)
                            .show_value(false),
                    )
                    .labelled_by(label.id)
                },
            )
            .inner;
        let center = pos2(x_of(track, *self.value), track.center().y);
        let radius = if response.dragged() || response.hovered() || response.has_focus() {
            HANDLE_RADIUS + 1.0
        } else {
            HANDLE_RADIUS
        };
        ui.painter().circle(
            center,
            radius,
            tokens.accent,
            Stroke::new(2.0, ui.visuals().panel_fill),
        );
        response
    }
}

fn x_of(track: Rect, ef: f64) -> f32 {
    let (low, high) = (*SLIDER_RANGE.start(), *SLIDER_RANGE.end());
    let t = ((ef - low) / (high - low)).clamp(0.0, 1.0) as f32;
    track.left() + t * track.width()
}

fn paint_bands(ui: &Ui, track: Rect, trained: Option<[f64; 2]>, tokens: &Tokens) {
    let (low, high) = (*SLIDER_RANGE.start(), *SLIDER_RANGE.end());
    let painter = ui.painter();
    for (from, to, colour) in [
        (low, 40.0, tokens.reduced),
        (40.0, 50.0, tokens.mildly_reduced),
        (50.0, high, tokens.preserved),
    ] {
        let band = Rect::from_min_max(
            pos2(x_of(track, from), track.top()),
            pos2(x_of(track, to), track.bottom()),
        );
        painter.rect_filled(band, 2.0, colour);
        let middle = EfPercent::measured((from + to) / 2.0).category().name();
        // The narrow middle band has no room for its name beside the ticks.
        if band.width() > 70.0 {
            painter.text(
                pos2(band.center().x, track.bottom() + 4.0),
                Align2::CENTER_TOP,
                middle,
                FontId::proportional(11.5),
                tokens.muted,
            );
        }
    }
    for tick in [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0] {
        painter.text(
            pos2(x_of(track, tick), track.top() - 3.0),
            Align2::CENTER_BOTTOM,
            format!("{tick:.0}"),
            FontId::proportional(11.5),
            tokens.muted,
        );
    }
    if let Some([first, last]) = trained {
        hatch(ui, track, low, first, tokens);
        hatch(ui, track, last, high, tokens);
    }
}

/// A line along the track's upper edge, with its two ends.
fn paint_reach(ui: &Ui, track: Rect, reach: [f64; 2], tokens: &Tokens) {
    let [low, high] = reach.map(|ef| x_of(track, ef));
    let stroke = Stroke::new(1.5, tokens.accent);
    let y = track.top() + 1.0;
    ui.painter().hline(low..=high, y, stroke);
    for x in [low, high] {
        ui.painter().vline(x, y..=y + 5.0, stroke);
    }
}

/// Diagonal lines over the part of the track from `from` to `to`.
fn hatch(ui: &Ui, track: Rect, from: f64, to: f64, tokens: &Tokens) {
    if to <= from {
        return;
    }
    let area = Rect::from_min_max(
        pos2(x_of(track, from), track.top()),
        pos2(x_of(track, to), track.bottom()),
    );
    let painter = ui.painter().with_clip_rect(area);
    let mut x = area.left() - area.height();
    while x < area.right() {
        painter.line_segment(
            [pos2(x, area.bottom()), pos2(x + area.height(), area.top())],
            Stroke::new(2.0, tokens.hatch),
        );
        x += 5.0;
    }
}

fn paint_marks(ui: &Ui, track: Rect, marks: &[Mark], tokens: &Tokens) {
    for mark in marks {
        match *mark {
            Mark::Generated(ef) => {
                ui.painter().circle_filled(
                    pos2(x_of(track, ef), track.center().y),
                    2.5,
                    tokens.mark,
                );
            }
            Mark::Measured(ef) => {
                let (low, high) = (*SLIDER_RANGE.start(), *SLIDER_RANGE.end());
                let x = x_of(track, ef.clamp(low, high));
                let tip = |dx: f32, y: f32| -> Pos2 { pos2(x + dx, y) };
                ui.painter().add(Shape::convex_polygon(
                    vec![
                        tip(-5.0, track.bottom() + 7.0),
                        tip(0.0, track.bottom()),
                        tip(5.0, track.bottom() + 7.0),
                    ],
                    tokens.accent,
                    Stroke::new(1.0, ui.visuals().panel_fill),
                ));
            }
            Mark::Factual(ef) => {
                let x = x_of(track, ef);
                let tip = |dx: f32, y: f32| -> Pos2 { pos2(x + dx, y) };
                ui.painter().add(Shape::convex_polygon(
                    vec![
                        tip(-5.0, track.top() - 7.0),
                        tip(5.0, track.top() - 7.0),
                        tip(0.0, track.top()),
                    ],
                    tokens.mark,
                    Stroke::NONE,
                ));
                ui.painter()
                    .vline(x, track.y_range(), Stroke::new(1.5, tokens.mark));
            }
        }
    }
}
