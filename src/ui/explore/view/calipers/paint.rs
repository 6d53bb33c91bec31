//! Calipers as they are seen: on the panes, in words, and in what is exported.

use super::super::super::Explore;
use super::super::Pane;
use super::{Caliper, Kind, sized};
use crate::media::export::DrawnOver;
use crate::metrics::caliper;
use crate::ui::look::Look;
use crate::ui::theme::tokens;
use egui::{Align2, Color32, FontId, Pos2, Rect, Shape, Stroke, Ui, Vec2, vec2};

impl Explore {
    /// Those of the cine that a pane shows, and the cross.
    pub(in crate::ui::explore) fn paint_calipers(&self, ui: &Ui, pane: Pane, rect: Rect, now: f64) {
        let calipers = &self.view.calipers;
        let (Some(of), look) = (self.measurable(pane, now), &self.view.look) else {
            return;
        };
        let colours = tokens(ui);
        for (i, caliper) in calipers.done.iter().enumerate() {
            if caliper.of.cine != of.cine {
                continue;
            }
            // On another frame it is remembered, not shown as if it were of this one.
            let strength = if caliper.of.frame == of.frame {
                1.0
            } else {
                0.35
            };
            let colour = colours.outline.gamma_multiply(strength);
            line(ui, &caliper.points, caliper.kind, rect, look, colour);
            self.say(ui, i, caliper, rect, colour);
        }
        if calipers.of == Some(of) {
            let kind = Kind::EndDiastole;
            line(ui, &calipers.points, kind, rect, look, colours.accent);
        }
        let by_keys = calipers.cross.filter(|(of, _)| *of == pane);
        if let (Some((_, at)), Some(_)) = (by_keys, calipers.tool) {
            let at = look.on_pane(rect, at);
            let painter = ui.painter().with_clip_rect(rect);
            let stroke = Stroke::new(1.5, colours.accent);
            painter.line_segment([at - vec2(8.0, 0.0), at + vec2(8.0, 0.0)], stroke);
            painter.line_segment([at - vec2(0.0, 8.0), at + vec2(0.0, 8.0)], stroke);
        }
    }

    /// What a caliper says, beside its last point, and to who reads the screen. An EF's two borders end near each
    /// other: the first one's words are at its other end.
    fn say(&self, ui: &Ui, i: usize, caliper: &Caliper, rect: Rect, colour: Color32) {
        let (end, align, aside) = match caliper.kind {
            Kind::EndDiastole => (caliper.points.first(), Align2::RIGHT_CENTER, -7.0),
            _ => (caliper.points.last(), Align2::LEFT_CENTER, 7.0),
        };
        let Some(end) = end else {
            return;
        };
        let words = self.caliper_words(caliper);
        let at = self.view.look.on_pane(rect, *end);
        let font = FontId::proportional(12.5);
        let painter = ui.painter().with_clip_rect(rect);
        let galley = painter.layout_no_wrap(words.clone(), font, colour);
        let place = align.anchor_size(at + vec2(aside, 0.0), galley.size());
        // Inside, at the borders too.
        let room = rect.shrink(4.0);
        let moved = vec2(
            (room.right() - place.right()).min(0.0) + (room.left() - place.left()).max(0.0),
            (room.bottom() - place.bottom()).min(0.0) + (room.top() - place.top()).max(0.0),
        );
        let place = place.translate(moved);
        painter.rect_filled(place.expand2(vec2(4.0, 2.0)), 3.0, tokens(ui).plate);
        painter.galley(place.min, galley, colour);
        let id = ui.scope_id().with(("caliper", i));
        let response = ui.interact(place.intersect(rect), id, egui::Sense::hover());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &words));
    }

    /// Those of the cine that a pane shows, to be drawn elsewhere.
    pub(in crate::ui::explore) fn calipers_of(&self, pane: Pane) -> Vec<DrawnOver> {
        let Some(of) = self.measurable(pane, 0.0) else {
            return Vec::new();
        };
        let own = self.view.calipers.done.iter();
        own.filter(|c| c.of.cine == of.cine)
            .map(|caliper| {
                let words = self.caliper_words(caliper);
                // Of glyphs that every font has.
                let words = words.replace('\u{b2}', "2").replace('\u{b3}', "3");
                DrawnOver {
                    points: caliper.points.iter().map(|p| [p.x, p.y]).collect(),
                    is_closed: caliper.kind == Kind::Area,
                    frame: caliper.of.frame,
                    words: words.lines().map(str::to_owned).collect(),
                }
            })
            .collect()
    }

    /// A caliper in words: in centimetres where the file says how large its pixels are.
    fn caliper_words(&self, caliper: &Caliper) -> String {
        let scale = self.case.cm_of_square();
        let Some(square) = scale.or_else(|| self.case.pixels_of_square()) else {
            return String::new();
        };
        let points = sized(&caliper.points, square);
        let unit = if scale.is_some() { "cm" } else { "px" };
        let digits = usize::from(scale.is_some());
        match caliper.kind {
            Kind::Length => format!("{:.1$} {unit}", caliper::length(&points), digits + 1),
            Kind::Area => format!("{:.*} {unit}\u{b2}", digits, caliper::area(&points)),
            Kind::EndDiastole | Kind::EndSystole => {
                let name = match caliper.kind {
                    Kind::EndDiastole => "EDV",
                    _ => "ESV",
                };
                let unit = if scale.is_some() { "ml" } else { "px\u{b3}" };
                let volume = caliper::volume(&points).unwrap_or_default();
                let mut text = format!("{name} {volume:.0} {unit}");
                let both = self.view.calipers.volumes(caliper.of.cine, square);
                if let Some([diastole, systole]) = both.filter(|_| name == "ESV") {
                    let ef = 100.0 * caliper::ejected(diastole, systole);
                    text += &format!("\nEF by hand {ef:.1} %");
                }
                text
            }
        }
    }
}

/// The line through points, closed where it encloses something.
fn line(ui: &Ui, points: &[Vec2], kind: Kind, rect: Rect, look: &Look, colour: Color32) {
    let places: Vec<Pos2> = points.iter().map(|p| look.on_pane(rect, *p)).collect();
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let stroke = Stroke::new(1.5, colour);
    let ends: Vec<Pos2> = match kind {
        Kind::Area => Vec::new(),
        _ => places
            .first()
            .into_iter()
            .chain(places.last())
            .copied()
            .collect(),
    };
    for at in ends {
        painter.circle(at, 3.0, colour, Stroke::new(1.0, Color32::BLACK));
    }
    painter.add(match kind {
        Kind::Area => Shape::closed_line(places, stroke),
        _ => Shape::line(places, stroke),
    });
}
