//! M-mode: a line through the pictures, over time.

use super::super::Explore;
use super::Pane;
use super::View;
use super::pictures::on_picture;
use crate::clip::{Frame, Pixels};
use crate::ef::{EfOrigin, EfPercent};
use crate::media::region::SIDE;
use crate::ui::theme::{SMALL_GAP, tokens};
use crate::ui::widgets::{Cine, Key, Picture};
use egui::{Align2, Rect, Response, Sense, Stroke, Ui, Vec2, vec2};

/// Samples along the line.
const SAMPLES: usize = 112;
/// Frames of the source that a strip shows.
const MOST_COLUMNS: usize = 512;
/// Room for a strip's name.
const LABEL: f32 = 110.0;
/// Height of a strip, at most and at least.
const MOST_STRIP: f32 = 170.0;
const LEAST_STRIP: f32 = 24.0;
/// Of the pictures with their titles.
const LEAST_PANES: f32 = 72.0;
/// Height of the time axis, points that a number on it needs, and what may lie between two, in milliseconds.
const AXIS: f32 = 18.0;
const ROOM: f32 = 60.0;
const STEPS_MS: [f64; 7] = [50.0, 100.0, 200.0, 250.0, 500.0, 1000.0, 2000.0];
/// How far beyond the cavity a line goes, as a share of its width there.
const WALL: f32 = 0.35;
/// A line shorter than this, as a share of the picture, is a slip of the hand.
const SHORTEST: f32 = 0.04;
/// How near to an end a drag takes it, in points.
const REACH: f32 = 9.0;

/// Levels along a line, from its first end to its second, `[SAMPLES]`, between pixels bilinearly.
fn along(levels: &[u8], line: [Vec2; 2]) -> [u8; SAMPLES] {
    let last = (SIDE - 1) as f32;
    std::array::from_fn(|k| {
        let share = k as f32 / (SAMPLES - 1) as f32;
        let at = (line[0] + (line[1] - line[0]) * share) * SIDE as f32 - Vec2::splat(0.5);
        let at = at.clamp(Vec2::ZERO, Vec2::splat(last));
        let (x, y) = (at.x as usize, at.y as usize);
        let (right, below) = ((x + 1).min(SIDE - 1), (y + 1).min(SIDE - 1));
        let level = |x: usize, y: usize| f32::from(levels[y * SIDE + x]);
        let (fx, fy) = (at.x.fract(), at.y.fract());
        let upper = level(x, y) * (1.0 - fx) + level(right, y) * fx;
        let lower = level(x, below) * (1.0 - fx) + level(right, below) * fx;
        (upper * (1.0 - fy) + lower * fy).round() as u8
    })
}

/// A picture of the line over time: a column a frame, the line's first end on top.
fn strip(columns: &[[u8; SAMPLES]]) -> Frame {
    let width = columns.len();
    let pixels = (0..SAMPLES).flat_map(|row| columns.iter().map(move |c| c[row]));
    Frame {
        width,
        height: SAMPLES,
        pixels: Pixels::Gray(pixels.collect()),
    }
}

impl Explore {
    /// The panes, and under them the strips.
    pub(in crate::ui::explore) fn m_mode(&mut self, ui: &mut Ui, now: f64) {
        let area = ui.available_size();
        let strips = self.panes_there(true);
        let n = strips.len() as f32;
        // In a low window the strips, where the motion is, before the pictures.
        let room = area.y - n * (LEAST_STRIP + SMALL_GAP) - AXIS - SMALL_GAP;
        let height = (area.y * 0.46).min(area.x / 3.0 + 24.0).min(room);
        let panes = vec2(area.x, height.max(LEAST_PANES));
        if self.view.line.is_none() {
            self.view.line = Some(self.usual_line());
        }
        self.side_by_side(ui, now, panes, false, &mut Vec::new());
        ui.add_space(SMALL_GAP);
        let left = ui.available_height() - n * SMALL_GAP - AXIS;
        let height = (left / n).clamp(LEAST_STRIP, MOST_STRIP);
        let (_, seconds) = self.cycle();
        let phase = self.view.playback.phase(seconds, now);
        for pane in strips {
            ui.horizontal(|ui| {
                let (name, _) = ui.allocate_exact_size(vec2(LABEL, height), Sense::hover());
                let font = egui::FontId::proportional(12.5);
                let colour = ui.visuals().text_color();
                let at = name.left_center();
                let painter = ui.painter();
                let name = match self.ef_of(pane) {
                    Some(ef) => format!("{}\nEF {ef}", pane.name()),
                    None => pane.name().to_owned(),
                };
                painter.text(at, Align2::LEFT_CENTER, name, font, colour);
                let width = ui.available_width();
                let label = format!("M-mode, {}", pane.name().to_lowercase());
                let size = vec2(width, height);
                let response = Cine::ground(ui, size, &label, Sense::click_and_drag());
                self.paint_strip(ui, pane, response.rect, phase);
                // The strip is a time line, too.
                if let Some(at) = response.interact_pointer_pos() {
                    let share = (at.x - response.rect.left()) / response.rect.width();
                    let to = f64::from(share.clamp(0.0, 0.999)) * seconds;
                    self.view.playback.seek(to, now);
                }
            });
        }
        self.time_axis(ui, seconds);
    }

    /// The time of the strips, in milliseconds.
    fn time_axis(&self, ui: &mut Ui, seconds: f64) {
        let size = vec2(ui.available_width(), AXIS);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        let left = rect.left() + LABEL + ui.spacing().item_spacing.x;
        let width = rect.right() - left;
        let colour = tokens(ui).muted;
        let font = egui::FontId::proportional(10.5);
        let all = 1000.0 * seconds;
        let most = f64::from(width / ROOM).max(1.0);
        let step = STEPS_MS.into_iter().find(|step| all / step <= most);
        let step = step.unwrap_or(all);
        for k in 0..=(all / step) as usize {
            let ms = k as f64 * step;
            let x = left + (ms / all) as f32 * width;
            let align = match k {
                0 => Align2::LEFT_TOP,
                _ if x + 0.5 * ROOM > rect.right() => Align2::RIGHT_TOP,
                _ => Align2::CENTER_TOP,
            };
            let text = if k == 0 {
                "0 ms".to_owned()
            } else {
                format!("{ms:.0}")
            };
            let painter = ui.painter();
            painter.vline(x, rect.top()..=rect.top() + 3.0, Stroke::new(1.0, colour));
            painter.text(
                egui::pos2(x, rect.top() + 3.0),
                align,
                text,
                font.clone(),
                colour,
            );
        }
    }

    /// What a strip's heart is known to have: measured, or the source's own.
    fn ef_of(&self, pane: Pane) -> Option<EfPercent> {
        if pane == Pane::Source {
            let known = self.case.ef_origin != EfOrigin::Assumed;
            return known.then(|| EfPercent::measured(self.case.factual_ef));
        }
        let p = &self.made.cine_of(pane)?.result.provenance;
        Some(EfPercent::measured(p.measured_ef_percent))
    }

    /// Across the left ventricle at half its height, walls included; where it usually is, where no outline says it.
    fn usual_line(&self) -> [Vec2; 2] {
        let made = self.made.any();
        let beating = made.and_then(|m| m.result.cine.beating.as_ref());
        let outline = beating.map(|b| b.outline_at(0.0)).unwrap_or_default();
        across(&outline).unwrap_or([vec2(0.25, 0.45), vec2(0.8, 0.45)])
    }

    fn paint_strip(&mut self, ui: &Ui, pane: Pane, rect: Rect, phase: f64) {
        let Some(line) = self.view.line else {
            return;
        };
        let texture = self.strip_key(pane, line).and_then(|key| {
            let held = self.view.strips[pane.index()].held(key, &self.view.look);
            held.or_else(|| {
                let frame = self.strip_of(pane, line)?;
                let (viewing, picture) = (&mut self.view, Picture::Frame(&frame));
                let cine = &mut viewing.strips[pane.index()];
                Some(cine.texture(ui, pane.name(), key, &viewing.look, picture))
            })
        });
        match texture {
            Some(texture) => {
                // The whole line, whatever part of the picture is seen.
                let whole = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
                texture.paint(ui.painter(), rect, whole);
                if pane != Pane::Source {
                    on_picture(ui, rect, Align2::LEFT_BOTTOM, "SYNTHETIC");
                }
            }
            None => on_picture(ui, rect, Align2::CENTER_CENTER, "not there yet"),
        }
        self.depth_ticks(ui, rect, line);
        let tokens = tokens(ui);
        let x = rect.left() + phase as f32 * rect.width();
        ui.painter()
            .vline(x, rect.y_range(), Stroke::new(1.5, tokens.accent));
    }

    /// Centimetres along the line at a strip's left border, where the file says how large its pixels are.
    fn depth_ticks(&self, ui: &Ui, rect: Rect, line: [Vec2; 2]) {
        let Some(square) = self.case.cm_of_square() else {
            return;
        };
        let [x, y] = [line[1].x - line[0].x, line[1].y - line[0].y].map(f64::from);
        let cm = (x * square[0]).hypot(y * square[1]);
        let colour = tokens(ui).on_picture;
        for k in 0..=cm as usize {
            let y = rect.top() + (k as f64 / cm) as f32 * rect.height();
            let ends = [egui::pos2(rect.left(), y), egui::pos2(rect.left() + 5.0, y)];
            ui.painter().line_segment(ends, Stroke::new(1.5, colour));
        }
        on_picture(ui, rect, Align2::LEFT_TOP, &format!("  {cm:.1} cm"));
    }

    /// What tells a strip from others.
    fn strip_key(&self, pane: Pane, line: [Vec2; 2]) -> Option<Key> {
        let (clip, more) = match pane {
            Pane::Source => {
                let offset = self.view.offset.filter(|_| self.view.align);
                let begins = offset.map_or(0, |(at, _)| at.to_bits());
                (self.source_key(0)?.clip, begins.rotate_left(17))
            }
            _ => (self.made.cine_of(pane)?.id, 0),
        };
        Some(Key {
            clip: clip ^ more ^ line_key(line),
            frame: self.strip_columns(pane),
        })
    }

    /// Frames of one cycle.
    fn strip_columns(&self, pane: Pane) -> usize {
        let (n, seconds) = self.cycle();
        let source = self
            .case
            .source
            .as_ref()
            .filter(|s| !s.recording.is_still());
        match source.and_then(|s| s.rate).filter(|_| pane == Pane::Source) {
            Some(rate) => ((seconds * rate.fps()).ceil() as usize).clamp(2, MOST_COLUMNS),
            None => n,
        }
    }

    /// One cycle of a pane along the line.
    pub(in crate::ui::explore) fn strip_of(&self, pane: Pane, line: [Vec2; 2]) -> Option<Frame> {
        let (_, seconds) = self.cycle();
        let columns = self.strip_columns(pane);
        let frame = |k: usize| match pane {
            Pane::Source => self.source_frame_at(seconds * k as f64 / columns as f64),
            _ => k,
        };
        let made = (0..columns).map(|k| Some(along(&self.gray(pane, frame(k))?, line)));
        Some(strip(&made.collect::<Option<Vec<_>>>()?))
    }
}

/// A level line across a closed line at half its height, longer at both ends by where a wall is.
fn across(outline: &[[f32; 2]]) -> Option<[Vec2; 2]> {
    let (low, high) = outline.iter().fold((1f32, 0f32), |(low, high), [_, y]| {
        (low.min(*y), high.max(*y))
    });
    let y = 0.5 * (low + high);
    let next = outline.iter().cycle().skip(1);
    let crossings = outline.iter().zip(next).filter_map(|(a, b)| {
        let between = (a[1] - y) * (b[1] - y) < 0.0;
        between.then(|| a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
    });
    let (left, right) = crossings.fold((1f32, 0f32), |(l, r), x| (l.min(x), r.max(x)));
    let wall = WALL * (right - left);
    (right - left > SHORTEST).then(|| {
        [
            vec2((left - wall).max(0.0), y),
            vec2((right + wall).min(1.0), y),
        ]
    })
}

impl View {
    /// A drag on a pane draws the line; the line is on all of them.
    pub(in crate::ui::explore) fn draw_line(&mut self, ui: &Ui, response: &Response, rect: Rect) {
        let look = self.look;
        let inside = |at| {
            look.on_picture(rect, at)
                .clamp(Vec2::ZERO, Vec2::splat(1.0))
        };
        let begun = ui.input(|i| i.pointer.press_origin());
        if response.drag_started_by(egui::PointerButton::Primary) {
            // One that is taken by an end keeps the other.
            let near = |end: &Vec2| {
                let at = look.on_pane(rect, *end);
                begun.is_some_and(|begun| at.distance(begun) <= REACH)
            };
            self.line_end = self.line.and_then(|line| line.iter().position(near));
        }
        if response.dragged_by(egui::PointerButton::Primary)
            && let (Some(from), Some(to)) = (begun, response.interact_pointer_pos())
        {
            let line = match (self.line_end, self.line) {
                (Some(0), Some([_, other])) => [inside(to), other],
                (Some(_), Some([other, _])) => [other, inside(to)],
                _ => [inside(from), inside(to)],
            };
            if (line[1] - line[0]).length() > SHORTEST {
                self.line = Some(line);
                self.line_is_drawn = true;
            }
        }
        if let Some(line) = self.line {
            let ends = line.map(|share| look.on_pane(rect, share));
            let painter = ui.painter().with_clip_rect(rect);
            let accent = tokens(ui).accent;
            painter.line_segment(ends, Stroke::new(2.0, accent));
            painter.circle_filled(ends[0], 4.0, accent);
            painter.circle_stroke(ends[1], 3.5, Stroke::new(1.5, accent));
        }
    }
}

fn line_key(line: [Vec2; 2]) -> u64 {
    let bits = |v: f32| u64::from(v.to_bits());
    let values = [line[0].x, line[0].y, line[1].x, line[1].y];
    values.into_iter().fold(0, |key, v| {
        (key ^ bits(v)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_goes_across_an_outline_at_half_its_height() {
        let square = [[0.4, 0.2], [0.6, 0.2], [0.6, 0.8], [0.4, 0.8]];
        let [from, to] = across(&square).unwrap();
        assert!((from - vec2(0.33, 0.5)).length() < 1e-5, "{from:?}");
        assert!((to - vec2(0.67, 0.5)).length() < 1e-5, "{to:?}");
        assert!(across(&[]).is_none() && across(&[[0.5, 0.5]]).is_none());
    }

    #[test]
    fn a_line_meets_the_levels_it_crosses() {
        let levels: Vec<u8> = (0..SIDE * SIDE).map(|i| (2 * (i % SIDE)) as u8).collect();
        let across = along(&levels, [vec2(0.0, 0.5), vec2(1.0, 0.5)]);
        assert_eq!((across[0], across[SAMPLES - 1]), (0, 222));
        assert!(across.windows(2).all(|w| w[0] <= w[1]));
        let down = along(&levels, [vec2(0.5, 0.0), vec2(0.5, 1.0)]);
        assert!(down.iter().all(|v| *v == down[0]));
        let frame = strip(&[across, down]);
        assert_eq!((frame.width, frame.height), (2, SAMPLES));
        assert_eq!(frame.rgb(0, SAMPLES - 1)[0], 222);
        assert_eq!(frame.rgb(1, 0)[0], down[0]);
    }
}
