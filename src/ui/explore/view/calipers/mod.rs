//! Calipers on any pane: a length, an area, and an EF from the inner border drawn at end-diastole and at
//! end-systole; with the mouse, or with a cross that the arrow keys move.

mod bar;
mod paint;

pub(super) use bar::menu;

use super::super::Explore;
use super::beat::Moment;
use super::{Comparison, Pane};
use crate::metrics::caliper;
use crate::ui::command::Command;
use crate::ui::widgets::Key;
use egui::{PointerButton, Rect, Response, Ui, Vec2, vec2};

/// What is drawn next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Length,
    Area,
    /// The inner border at end-diastole, then at end-systole.
    Ef,
}

/// What a finished one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Length,
    Area,
    EndDiastole,
    EndSystole,
}

/// A frame of a cine, whichever pane shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Of {
    cine: u64,
    frame: usize,
}

/// A finished one.
#[derive(Clone, Debug)]
struct Caliper {
    kind: Kind,
    of: Of,
    /// In shares of the square.
    points: Vec<Vec2>,
}

/// Those that are there, and the one that is being drawn.
#[derive(Default)]
pub struct Calipers {
    pub tool: Option<Tool>,
    done: Vec<Caliper>,
    points: Vec<Vec2>,
    /// Where the points are.
    of: Option<Of>,
    /// The keyboard's cross: its pane and its place.
    cross: Option<(Pane, Vec2)>,
    /// The pointer draws without letting go, and has set so many points.
    drawn: usize,
}

/// Points of the screen between two places that are two.
const APART: f32 = 3.0;
/// Points that make one stroke a whole border.
const STROKE: usize = 8;
/// How far an arrow moves the cross, and with Shift, as a share of the picture.
const STEP: f32 = 0.01;
const LEAP: f32 = 0.05;

impl Calipers {
    /// Another source: what was measured is not of it.
    pub(in crate::ui::explore) fn forget(&mut self) {
        *self = Self::default();
    }

    /// An EF begins with end-diastole: the border of one that was left in the middle goes.
    fn begin(&mut self, tool: Tool) {
        self.end();
        self.tool = Some(tool);
        if tool == Tool::Ef {
            self.done.pop_if(|last| last.kind == Kind::EndDiastole);
        }
    }

    /// Nothing more is drawn; what is finished stays.
    pub(in crate::ui::explore) fn end(&mut self) {
        self.drop_points();
        self.tool = None;
    }

    /// Escape: the points that were set, else the tool. Whether there was one.
    pub(in crate::ui::explore) fn put_away(&mut self) -> bool {
        if self.points.is_empty() {
            return self.tool.take().is_some();
        }
        self.drop_points();
        true
    }

    /// The keyboard's cross, while there is one, to the middle of a pane.
    pub(in crate::ui::explore) fn go_to(&mut self, pane: Pane) {
        if self.tool.is_some() {
            self.cross = Some((pane, Vec2::splat(0.5)));
        }
    }

    fn drop_points(&mut self) {
        self.points.clear();
        self.of = None;
        self.drawn = 0;
    }

    /// The last point, else the last caliper; an EF's two borders go together.
    fn remove_last(&mut self) {
        if self.points.pop().is_some() {
            return;
        }
        if let Some(last) = self.done.pop()
            && last.kind == Kind::EndSystole
        {
            self.done.pop();
        }
    }

    /// What the next border or line will be.
    fn next(&self, of: Of) -> Option<Kind> {
        Some(match self.tool? {
            Tool::Length => Kind::Length,
            Tool::Area => Kind::Area,
            Tool::Ef if self.awaits_systole(of.cine) => Kind::EndSystole,
            Tool::Ef => Kind::EndDiastole,
        })
    }

    fn awaits_systole(&self, cine: u64) -> bool {
        let last = self.done.last();
        last.is_some_and(|c| c.kind == Kind::EndDiastole && c.of.cine == cine)
    }

    /// Sets a point, unless it is where the last one is.
    fn point(&mut self, of: Of, at: Vec2, apart: f32) -> bool {
        if self.of != Some(of) {
            self.drop_points();
            self.of = Some(of);
        }
        let is_new = self
            .points
            .last()
            .is_none_or(|p| (*p - at).length() > apart);
        if is_new {
            self.points.push(at.clamp(Vec2::ZERO, Vec2::splat(1.0)));
        }
        is_new
    }

    /// What is drawn is whole; what it is.
    fn finish(&mut self) -> Option<Kind> {
        let of = self.of?;
        let kind = self.next(of)?;
        let least = if kind == Kind::Length { 2 } else { 3 };
        if self.points.len() < least {
            return None;
        }
        if kind == Kind::EndDiastole {
            // One EF a cine.
            let is_border = |c: &Caliper| matches!(c.kind, Kind::EndDiastole | Kind::EndSystole);
            self.done
                .retain(|c| !(c.of.cine == of.cine && is_border(c)));
        }
        let points = std::mem::take(&mut self.points);
        self.done.push(Caliper { kind, of, points });
        self.drop_points();
        Some(kind)
    }

    /// Volumes of both borders of a cine, in the unit of the pixel.
    fn volumes(&self, cine: u64, pixel: [f64; 2]) -> Option<[f64; 2]> {
        let of = |kind| {
            let mut borders = self.done.iter().filter(|c| c.of.cine == cine);
            let border = borders.find(|c| c.kind == kind)?;
            caliper::volume(&sized(&border.points, pixel))
        };
        Some([of(Kind::EndDiastole)?, of(Kind::EndSystole)?])
    }
}

/// Points in a unit, where the whole square is so wide and high.
fn sized(points: &[Vec2], square: [f64; 2]) -> Vec<[f64; 2]> {
    let size = |p: &Vec2| [f64::from(p.x) * square[0], f64::from(p.y) * square[1]];
    points.iter().map(size).collect()
}

impl Explore {
    /// What its keys do while one is drawn, and those that begin one. False of all others.
    pub(in crate::ui::explore) fn obey_calipers(&mut self, command: Command, now: f64) -> bool {
        let tool = match command {
            Command::CaliperLength => Tool::Length,
            Command::CaliperArea => Tool::Area,
            Command::CaliperEf => Tool::Ef,
            Command::RemoveCaliper => {
                self.view.calipers.remove_last();
                return true;
            }
            _ if self.view.calipers.tool.is_none() => return false,
            Command::EfDown => return self.move_cross(vec2(-STEP, 0.0)),
            Command::EfUp => return self.move_cross(vec2(STEP, 0.0)),
            Command::EfDownFive => return self.move_cross(vec2(-LEAP, 0.0)),
            Command::EfUpFive => return self.move_cross(vec2(LEAP, 0.0)),
            Command::Run => {
                self.point_at_cross(now);
                return true;
            }
            _ => return false,
        };
        self.begin_caliper(tool, now);
        true
    }

    fn begin_caliper(&mut self, tool: Tool, now: f64) {
        if self.made.any().is_none() && self.case.source.is_none() {
            return;
        }
        self.view.mode = Comparison::SideBySide;
        self.view.calipers.begin(tool);
        if self.view.playback.is_playing() {
            self.view.playback.toggle(now);
        }
        if tool == Tool::Ef && self.made.any().is_some_and(|m| m.has_moments()) {
            self.jump(Moment::EndDiastole, now);
        }
    }

    /// Which frame of which cine a pane shows, if it can be measured: an estimate cannot.
    fn measurable(&self, pane: Pane, now: f64) -> Option<Of> {
        let pane = self.behind(pane);
        if pane == Pane::Source {
            let source = self.case.source.as_ref()?;
            return Some(Of {
                cine: Key::of_hash(&source.anatomy.sha256, 0).clip,
                frame: self.case.frame_on_screen().unwrap_or_default(),
            });
        }
        if pane.part().is_some_and(|part| self.made.is_estimate(part)) {
            return None;
        }
        let shown = self.made.cine_of(pane)?;
        Some(Of {
            cine: Key::of_hash(&shown.result.provenance.pixels_sha256, 0).clip,
            frame: self.frame_now(now),
        })
    }

    /// Whether points are set on the source: they stay in view.
    pub(in crate::ui::explore) fn is_measuring_source(&self) -> bool {
        let of = self.view.calipers.of;
        let source = self.case.anatomy_sha256();
        of.zip(source)
            .is_some_and(|(of, sha256)| of.cine == Key::of_hash(sha256, 0).clip)
    }

    /// Always true, for who obeys.
    fn move_cross(&mut self, by: Vec2) -> bool {
        let panes = self.panes();
        let (mut pane, at) = self.cross();
        let mut at = at + by;
        // Over the border into the next pane.
        let index = panes.iter().position(|p| *p == pane).unwrap_or_default();
        let next = match at.x {
            x if x > 1.0 => panes.get(index + 1),
            x if x < 0.0 => index.checked_sub(1).and_then(|i| panes.get(i)),
            _ => None,
        };
        if let Some(next) = next {
            pane = *next;
            at.x -= at.x.floor();
        }
        let at = at.clamp(Vec2::ZERO, Vec2::splat(1.0));
        self.view.calipers.cross = Some((pane, at));
        true
    }

    /// Where the keyboard's cross is: on a pane that is there.
    fn cross(&self) -> (Pane, Vec2) {
        let panes = self.panes();
        let last = panes.last().copied().unwrap_or(Pane::Counterfactual);
        let set = self.view.calipers.cross;
        let set = set.filter(|(pane, _)| panes.contains(pane));
        set.unwrap_or((last, Vec2::splat(0.5)))
    }

    fn point_at_cross(&mut self, now: f64) {
        let (pane, at) = self.cross();
        self.view.calipers.cross = Some((pane, at));
        if let Some(of) = self.measurable(pane, now) {
            let is_new = self.view.calipers.point(of, at, 0.5 * STEP);
            self.went_on(!is_new, now);
        }
    }

    /// A point was set; `is_last` where the user says that it was the last one.
    fn went_on(&mut self, is_last: bool, now: f64) {
        let calipers = &mut self.view.calipers;
        let whole = calipers.tool == Some(Tool::Length) && calipers.points.len() >= 2;
        if !(is_last || whole) {
            return;
        }
        match calipers.finish() {
            Some(Kind::EndDiastole) if self.made.any().is_some_and(|m| m.has_moments()) => {
                self.jump(Moment::EndSystole, now);
            }
            Some(Kind::EndSystole) => self.view.calipers.tool = None,
            _ => {}
        }
    }

    /// The pointer sets points on a pane.
    pub(in crate::ui::explore) fn set_calipers(
        &mut self,
        ui: &Ui,
        pane: Pane,
        response: &Response,
        rect: Rect,
        now: f64,
    ) {
        let (Some(of), look) = (self.measurable(pane, now), self.view.look) else {
            return;
        };
        let apart = APART / (rect.width() * look.zoom());
        if response.drag_started_by(PointerButton::Primary)
            && let Some(from) = ui.input(|i| i.pointer.press_origin())
        {
            let calipers = &mut self.view.calipers;
            calipers.point(of, look.on_picture(rect, from), apart);
            calipers.drawn = 1;
        }
        let Some(at) = response.interact_pointer_pos() else {
            return;
        };
        let at = look.on_picture(rect, at);
        let is_length = self.view.calipers.tool == Some(Tool::Length);
        if response.dragged_by(PointerButton::Primary) && self.view.calipers.drawn > 0 {
            let calipers = &mut self.view.calipers;
            if is_length {
                calipers.points.truncate(1);
                calipers.point(of, at, apart);
            } else {
                calipers.drawn += usize::from(calipers.point(of, at, apart));
            }
        }
        if response.drag_stopped_by(PointerButton::Primary) {
            let stroke = std::mem::take(&mut self.view.calipers.drawn) >= STROKE;
            return self.went_on(stroke, now);
        }
        if response.clicked() {
            let is_new = self.view.calipers.point(of, at, apart);
            let ends = response.double_clicked() && !is_new;
            self.went_on(ends && !is_length, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(calipers: &mut Calipers, of: Of) -> Option<Kind> {
        for at in [vec2(0.3, 0.8), vec2(0.5, 0.2), vec2(0.7, 0.8)] {
            calipers.point(of, at, 0.01);
        }
        calipers.finish()
    }

    #[test]
    fn an_ef_that_was_left_in_the_middle_begins_anew() {
        let mut calipers = Calipers::default();
        let (first, second) = (Of { cine: 1, frame: 0 }, Of { cine: 1, frame: 6 });
        calipers.begin(Tool::Ef);
        assert_eq!(drawn(&mut calipers, first), Some(Kind::EndDiastole));
        calipers.end();
        calipers.begin(Tool::Ef);
        assert_eq!(drawn(&mut calipers, first), Some(Kind::EndDiastole));
        assert_eq!(drawn(&mut calipers, second), Some(Kind::EndSystole));
        // Both stay when another is begun, and go together.
        calipers.begin(Tool::Ef);
        assert_eq!(calipers.done.len(), 2);
        calipers.remove_last();
        assert!(calipers.done.is_empty());
    }
}
