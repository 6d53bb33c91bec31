//! One heart that plays.

use super::reel::{Outcome, Reel};
use crate::drill::material::{Material, Subject};
use crate::ui::look::Look;
use crate::ui::theme::tokens;
use crate::ui::widgets::{Cine, Key, Picture};
use egui::{Align2, FontId, Rect, Sense, Stroke, Ui, pos2, vec2};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// A place where a heart is shown.
#[derive(Default)]
pub struct Pane {
    cine: Cine,
}

/// What is shown of it besides.
#[derive(Clone, Copy, Default)]
pub struct Overlay<'a> {
    /// Words on a plate below.
    pub caption: &'a str,
    pub outline: bool,
    /// A frame around it.
    pub marked: bool,
}

impl Pane {
    /// Draws the heart at `phase`, 0..1 of its frames, into a square of `side`. Its response; an error is written
    /// where the heart would be.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        name: &str,
        side: f32,
        shown: Option<(&Subject, &Outcome)>,
        phase: f64,
        overlay: Overlay<'_>,
    ) -> egui::Response {
        let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, name));
        // What a picture covers is not painted twice: a renderer in software takes as long for it once more.
        let first = shown.and_then(|(_, outcome)| outcome.as_ref().ok()?.frames.first());
        if first.is_none_or(|f| f.width != f.height) {
            ui.painter().rect_filled(rect, 4.0, tokens(ui).picture);
        }
        match shown {
            Some((subject, Ok(material))) => {
                let n = material.frames.len();
                let frame = ((phase * n as f64) as usize).min(n.saturating_sub(1));
                let picture = self.picture(ui, subject, material, frame, rect);
                if let Some(picture) = picture.filter(|_| overlay.outline) {
                    outline(ui, material, frame, picture);
                }
            }
            Some((_, Err(why))) => words(ui, rect, why),
            None => words(ui, rect, "..."),
        }
        if !overlay.caption.is_empty() {
            caption(ui, rect, overlay.caption);
        }
        if overlay.marked {
            let stroke = Stroke::new(2.0, tokens(ui).accent);
            let inside = egui::StrokeKind::Inside;
            ui.painter().rect_stroke(rect, 4.0, stroke, inside);
        }
        response
    }

    fn picture(
        &mut self,
        ui: &Ui,
        subject: &Subject,
        material: &Material,
        frame: usize,
        rect: Rect,
    ) -> Option<Rect> {
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        let key = Key {
            clip: hasher.finish(),
            frame,
        };
        let of = material.frames.get(frame)?;
        let look = Look::default();
        let texture = self
            .cine
            .texture(ui, "case", key, &look, Picture::Frame(of));
        Some(Cine::fit(ui, &texture, rect, &look))
    }
}

/// The left ventricle's border, where it is known.
fn outline(ui: &Ui, material: &Material, frame: usize, picture: Rect) {
    let border = material.beat.as_ref().and_then(|b| b.outlines.get(frame));
    let (Some(border), Some(first)) = (border, material.frames.first()) else {
        return;
    };
    let scale = picture.width() / first.width.max(1) as f32;
    let at = |p: &[f32; 2]| {
        let [x, y] = *p;
        pos2(
            picture.left() + (x + 0.5) * scale,
            picture.top() + (y + 0.5) * scale,
        )
    };
    let points = border.iter().map(at).collect();
    let stroke = Stroke::new(2.0, tokens(ui).outline);
    ui.painter()
        .with_clip_rect(picture.intersect(ui.clip_rect()))
        .add(egui::Shape::line(points, stroke));
}

/// The left ventricle's volume over the beat, as shares of that at end-diastole, and where the beat is.
pub fn volume_curve(ui: &mut Ui, material: &Material, phase: f64) {
    let Some(beat) = material.beat.as_ref().filter(|b| b.volumes.len() > 1) else {
        return;
    };
    let size = vec2(ui.available_width(), 96.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let name = "Volume over the beat";
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, name));
    let tokens = tokens(ui);
    let painter = ui.painter();
    painter.rect_filled(rect, 3.0, ui.visuals().extreme_bg_color);
    let plot = rect.shrink2(vec2(8.0, 16.0));
    let n = beat.volumes.len();
    let x = |i: f64| plot.left() + plot.width() * (i / n as f64) as f32;
    let y = |share: f64| plot.bottom() - plot.height() * share.clamp(0.0, 1.1) as f32;
    // Round to where it began.
    let around = (0..=n).filter_map(|i| Some(pos2(x(i as f64), y(*beat.volumes.get(i % n)?))));
    let stroke = Stroke::new(2.0, tokens.accent);
    painter.add(egui::Shape::line(around.collect(), stroke));
    let font = FontId::proportional(11.5);
    for (frame, name) in [(beat.ed_frame, "ED"), (beat.es_frame, "ES")] {
        let Some(share) = beat.volumes.get(frame) else {
            continue;
        };
        let at = pos2(x(frame as f64), y(*share));
        painter.circle_filled(at, 3.5, tokens.mark);
        let text = format!("{name} {:.0} %", 100.0 * share);
        let (anchor, by) = match frame == beat.ed_frame {
            true => (Align2::LEFT_BOTTOM, vec2(0.0, -3.0)),
            false => (Align2::CENTER_TOP, vec2(0.0, 3.0)),
        };
        painter.text(at + by, anchor, text, font.clone(), tokens.muted);
    }
    let now = x(phase * n as f64);
    painter.vline(now, rect.y_range(), Stroke::new(1.0, tokens.muted));
}

fn words(ui: &Ui, rect: Rect, text: &str) {
    let colour = tokens(ui).on_picture;
    let width = (rect.width() - 16.0).max(40.0);
    let font = FontId::proportional(14.0);
    let galley = ui.painter().layout(text.to_owned(), font, colour, width);
    let at = Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size());
    ui.painter().galley(at.min, galley, colour);
}

fn caption(ui: &Ui, rect: Rect, text: &str) {
    let tokens = tokens(ui);
    let size = (rect.width() / 18.0).clamp(11.5, 17.0);
    let width = rect.width() - 8.0;
    let font = FontId::proportional(size);
    let galley = ui
        .painter()
        .layout(text.to_owned(), font, tokens.on_picture, width);
    let plate = Rect::from_min_max(
        pos2(rect.left(), rect.bottom() - galley.size().y - 6.0),
        rect.max,
    );
    ui.painter().rect_filled(plate, 0.0, tokens.plate);
    let at = pos2(rect.center().x - galley.size().x / 2.0, plate.top() + 3.0);
    ui.painter().galley(at, galley, tokens.on_picture);
}

/// One clock for all hearts on screen: they beat in phase.
#[derive(Clone, Copy, Debug)]
pub struct Beating {
    /// Seconds of the window's clock at which it began; none while it stands.
    since: Option<f64>,
    /// Where it stands, 0..1.
    at: f64,
}

impl Default for Beating {
    fn default() -> Self {
        Self {
            since: None,
            at: 0.0,
        }
    }
}

impl Beating {
    /// From the first frame on.
    pub fn start(now: f64) -> Self {
        Self {
            since: Some(now),
            at: 0.0,
        }
    }

    /// Takes up where it was, so many seconds later.
    pub fn wait(&mut self, seconds: f64) {
        if let Some(since) = &mut self.since {
            *since += seconds;
        }
    }

    pub fn is_playing(&self) -> bool {
        self.since.is_some()
    }

    /// Stops it or lets it go on, where all frames take so many seconds.
    pub fn toggle(&mut self, now: f64, seconds: f64) {
        match self.since {
            Some(_) => {
                self.at = self.phase(now, seconds);
                self.since = None;
            }
            None => self.since = Some(now - self.at * seconds),
        }
    }

    /// 0..1 of a loop of so many seconds.
    pub fn phase(&self, now: f64, seconds: f64) -> f64 {
        match self.since {
            Some(since) if seconds > 0.0 => ((now - since).max(0.0) / seconds).fract(),
            _ => self.at,
        }
    }

    /// Has the window drawn when the next of `n` frames is due.
    pub fn wake(&self, ui: &Ui, now: f64, seconds: f64, n: usize) {
        if self.since.is_none() || n < 2 || seconds <= 0.0 {
            return;
        }
        let frame = seconds / n as f64;
        let within = (self.phase(now, seconds) * n as f64).fract();
        let wait = ((1.0 - within) * frame).max(0.001);
        ui.request_repaint_after(std::time::Duration::from_secs_f64(wait));
    }
}

/// The material of a subject that there is.
pub fn there<'a>(
    subject: &'a Subject,
    outcome: &'a Option<Outcome>,
) -> Option<(&'a Subject, &'a Outcome)> {
    outcome.as_ref().map(|o| (subject, o))
}

/// Seconds of a loop, and frames; of what is not there yet, those of nothing.
pub fn cycle(reel: &Reel, subject: &Subject) -> (f64, usize) {
    match reel.get(subject) {
        Some(Ok(material)) => (material.seconds, material.frames.len()),
        _ => (0.0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hearts_beat_by_the_clock_and_stand_where_they_were_stopped() {
        let mut beating = Beating::start(10.0);
        assert!((beating.phase(10.2, 0.8) - 0.25).abs() < 1e-9);
        assert!((beating.phase(11.0, 0.8) - 0.25).abs() < 1e-9);
        beating.toggle(10.2, 0.8);
        assert!((beating.phase(99.0, 0.8) - 0.25).abs() < 1e-9 && !beating.is_playing());
        beating.toggle(99.0, 0.8);
        assert!((beating.phase(99.4, 0.8) - 0.75).abs() < 1e-9);
    }
}
