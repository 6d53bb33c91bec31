//! The anatomy's own outline, which the user may correct by nine points.

use super::super::Explore;
use super::super::view::beat::draw_outline;
use super::Wanted;
use crate::engine::Engine;
use crate::puppet::{Landmarks, Rig, SIDE, Traits};
use crate::ui::hints::Hint as _;
use crate::ui::look::Look;
use crate::ui::theme::tokens;
use egui::{Color32, Pos2, Rect, RichText, Sense, Stroke, Ui, Vec2, vec2};
use std::sync::Arc;

/// Radius of a point, and of where it can be taken hold of.
const POINT: f32 = 4.0;
const REACH: f32 = 9.0;

/// The correction, while it is being made.
#[derive(Default)]
pub struct Correcting {
    /// Whether the points are on the source's pane.
    pub(in crate::ui::explore) is_on: bool,
    /// What is shown: the user's points, or the cascade's own before the first is moved.
    pub(in crate::ui::explore) points: Option<Landmarks>,
    /// A point was let go of.
    dropped: bool,
    /// Why the points as they are make no outline.
    pub(in crate::ui::explore) wrong: Option<String>,
}

impl Explore {
    /// Shows the points, or puts them away.
    pub(in crate::ui::explore) fn toggle_correcting(&mut self) {
        if std::mem::take(&mut self.wanted.correcting.is_on) {
            self.wanted.correcting = Correcting::default();
            return;
        }
        let own = || {
            let made = self.made.any()?;
            let beating = made.result.cine.beating.as_ref()?;
            Some(beating.motion().guess().map(|said| said.landmarks))
        };
        match (&self.wanted.outline, own()) {
            (Some(corrected), _) => self.wanted.correcting.points = Some((**corrected).clone()),
            (None, Some(Ok(points))) => self.wanted.correcting.points = Some(points),
            (None, Some(Err(why))) => return self.said.push(why),
            (None, None) => {
                let text = "The outline can be corrected once a cine has been made.";
                return self.said.push(text.into());
            }
        }
        self.wanted.correcting.is_on = true;
    }

    /// The correction is taken back: the cascade's own outline counts.
    pub(in crate::ui::explore) fn reset_outline(&mut self, engine: &mut Engine) {
        self.wanted.correcting = Correcting::default();
        if self.wanted.outline.take().is_some() {
            self.run_anew(engine);
        }
    }

    /// A line in the source's panel, where the cascade gives an outline.
    pub(in crate::ui::explore) fn outline_line(&mut self, ui: &mut Ui, engine: &mut Engine) {
        if !self.house.makes_motion() || self.case.source.is_none() {
            return;
        }
        ui.horizontal_wrapped(|ui| {
            let text = match self.wanted.correcting.is_on {
                true => "Done",
                false => "Correct outline...",
            };
            let button = ui.button(text).hint(
                "Nine points on the left ventricle's inner border in this frame, from which the motion is made.",
            );
            if button.clicked() {
                self.toggle_correcting();
            }
            let hint = "The motion is made of the outline that the cascade sees.";
            let own = "Use the cascade's own";
            if self.wanted.outline.is_some() && ui.button(own).hint(hint).clicked() {
                self.reset_outline(engine);
            }
        });
        let colours = tokens(ui);
        if let Some(why) = &self.wanted.correcting.wrong {
            ui.add(egui::Label::new(RichText::new(why).color(colours.error)).wrap());
        } else if self.wanted.correcting.is_on {
            let text = "Drag the points on the Source pane to the inner border, apex to annulus.";
            ui.add(egui::Label::new(RichText::new(text).color(colours.muted)).wrap());
        } else if self.wanted.outline.is_some() {
            ui.label(RichText::new("The outline is yours.").color(colours.muted));
        }
    }

    /// The user has let go of a point: the motion is made anew from the outline.
    pub(in crate::ui::explore) fn take_outline(&mut self, engine: &mut Engine) {
        if !std::mem::take(&mut self.wanted.correcting.dropped) {
            return;
        }
        let Some(points) = self.wanted.correcting.points.clone() else {
            return;
        };
        let sound = points
            .check()
            .and_then(|()| Rig::new(&points, Traits::default()));
        self.wanted.correcting.wrong = sound.err().map(|why| why.to_string());
        let is_new = self.wanted.outline.as_deref() != Some(&points);
        if self.wanted.correcting.wrong.is_none() && is_new {
            self.wanted.outline = Some(Arc::new(points));
            self.run_anew(engine);
        }
    }
}

impl Wanted {
    /// The points and their curve over the anatomy in the source's pane. The name of the one below the pointer.
    pub(in crate::ui::explore) fn paint_points(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        look: &Look,
    ) -> Option<&'static str> {
        let mut points = self.correcting.points.clone()?;
        let mut here = None;
        let colour = tokens(ui).outline;
        let share = |p: [f64; 2]| p.map(|v| ((v + 0.5) / SIDE as f64) as f32);
        let place = |p: [f64; 2]| -> Pos2 {
            let [x, y] = share(p);
            look.on_pane(rect, vec2(x, y))
        };
        if let Ok(curve) = Rig::new(&points, Traits::default()).and_then(|rig| rig.outline(0.0)) {
            let curve: Vec<[f32; 2]> = curve.into_iter().map(share).collect();
            draw_outline(ui, &curve, rect, look, colour);
        }
        let (mut all, mut done) = (points.points(), false);
        for (i, name) in Landmarks::NAMES.iter().enumerate() {
            let Some(point) = all.get_mut(i) else {
                continue;
            };
            let area = Rect::from_center_size(place(*point), Vec2::splat(2.0 * REACH));
            let id = ui.scope_id().with(("outline point", i));
            let response = ui.interact(area.intersect(rect), id, Sense::drag());
            response.widget_info(|| {
                egui::WidgetInfo::labeled(
                    egui::Role::GenericContainer,
                    true,
                    format!("Outline: {name}"),
                )
            });
            if response.dragged()
                && let Some(at) = response.interact_pointer_pos()
            {
                let to = look.on_picture(rect, at) * SIDE as f32 - Vec2::splat(0.5);
                let last = (SIDE - 1) as f64;
                *point = [to.x, to.y].map(|v| f64::from(v).clamp(0.0, last));
            }
            done |= response.drag_stopped();
            let held = response.dragged() || response.hovered();
            let painter = ui.painter().with_clip_rect(rect);
            let radius = if held { POINT + 1.5 } else { POINT };
            let ring = Stroke::new(1.5, Color32::BLACK);
            painter.circle(place(*point), radius, colour, ring);
            here = here.or(held.then_some(*name));
        }
        if all != points.points() {
            points = Landmarks {
                septal_thickness: points.septal_thickness,
                lateral_thickness: points.lateral_thickness,
                ..Landmarks::from_points(all)
            };
            self.correcting.points = Some(points);
        }
        self.correcting.dropped |= done;
        here
    }
}
