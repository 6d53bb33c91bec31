use super::super::Explore;
use super::super::case::Case;
use super::super::made::shown::BETWEEN;
use super::captions::SMALL_TEXT;
use super::shares::{OVER, Shares, Words};
use super::{Comparison, Pane};
use crate::ef::EfOrigin;
use crate::engine::{self, Part};
use crate::motion::Beating;
use crate::ui::command::Command;
use crate::ui::source::Origin;
use crate::ui::theme::{GAP, SMALL_GAP, tokens};
use crate::ui::widgets::{Cine, Key, Picture};
use egui::{
    Align, Align2, FontId, Frame, Layout, Rect, RichText, Sense, Theme, Ui, UiBuilder, Vec2, vec2,
};
use std::sync::Arc;

/// Width of the words over a picture, with what is around them.
const CORNER: f32 = 168.0;
/// The smallest words over a picture, in points.
const LEAST_TEXT: f32 = 7.0;

impl Explore {
    /// Centre: source, factual, counterfactual, in lock-step; or a comparison of two of them.
    pub(in crate::ui::explore) fn centre(
        &mut self,
        ui: &mut Ui,
        now: f64,
        commands: &mut Vec<Command>,
    ) {
        self.compare_bar(ui, commands);
        ui.add_space(2.0);
        match self.view.mode {
            Comparison::SideBySide => self.side_by_side(ui, now, ui.available_size(), true),
            Comparison::Wipe | Comparison::Flicker | Comparison::Difference => {
                self.one_picture(ui, now)
            }
            Comparison::MMode => self.m_mode(ui, now),
        }
    }

    /// Which panes the centre has. A still needs none: its panel shows it, and the cines begin with it.
    fn panes(&self) -> Vec<Pane> {
        let corrects = self.wanted.correcting.is_on;
        match self.view.alone {
            Some(pane) if !corrects => vec![pane],
            _ if corrects || self.case.is_clip() => Pane::ALL.to_vec(),
            _ => vec![Pane::Factual, Pane::Counterfactual],
        }
    }

    /// The panes, in the middle of an area.
    pub(in crate::ui::explore) fn side_by_side(
        &mut self,
        ui: &mut Ui,
        now: f64,
        area: Vec2,
        captions: bool,
    ) {
        let panes = if captions {
            self.panes()
        } else {
            Pane::ALL.to_vec()
        };
        let over = Shares::of(panes.clone(), area, Words::Over);
        let shares = match captions {
            false => Shares::of(panes, area, Words::Title),
            true if self.view.folded.both() && over.sides[1] >= OVER => over,
            true => Shares::of(panes, area, Words::Below),
        };
        let used = shares.size();
        self.view.brief = shares.is_brief();
        if captions {
            ui.add_space(((area.y - used.y) / 2.0).max(0.0));
        }
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = GAP;
            ui.add_space(((area.x - used.x) / 2.0 - GAP).max(0.0));
            for &pane in &shares.panes {
                let index = Shares::index(pane);
                let (side, column) = (shares.sides[index], shares.columns[index]);
                let size = vec2(column, used.y);
                ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
                    ui.set_width(column);
                    ui.spacing_mut().item_spacing.y = SMALL_GAP;
                    // Its words are short, and a smaller picture is not worth covering.
                    let over = shares.words == Words::Over && side >= OVER;
                    if !over {
                        ui.label(RichText::new(self.case.title(pane)).strong());
                    }
                    let rect = self.pane(ui, pane, side, now, over);
                    if over {
                        self.words_over(ui, pane, rect);
                    } else if captions {
                        ui.spacing_mut().item_spacing.y = 2.0;
                        self.caption(ui, pane);
                    }
                });
            }
        });
    }

    /// A pane's title and lines in the upper left corner of its picture.
    fn words_over(&self, ui: &mut Ui, pane: Pane, rect: Rect) {
        let corner = Rect::from_min_size(rect.min + Vec2::splat(4.0), vec2(CORNER, rect.height()));
        let layout = Layout::top_down(Align::Min);
        let mut ui = ui.new_child(UiBuilder::new().max_rect(corner).layout(layout));
        // Pictures are dark in both themes.
        *ui.visuals_mut() = ui.ctx().style_of(Theme::Dark).visuals.clone();
        let plate = tokens(&ui).plate;
        Frame::new()
            .fill(plate)
            .corner_radius(3)
            .inner_margin(5)
            .show(&mut ui, |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.label(RichText::new(self.case.title(pane)).strong());
                self.caption(ui, pane);
            });
    }

    fn pane(&mut self, ui: &mut Ui, pane: Pane, side: f32, now: f64, over: bool) -> Rect {
        let sense = Sense::click_and_drag();
        let response = Cine::ground(ui, Vec2::splat(side), pane.name(), sense);
        let rect = response.rect;
        let draws = self.view.mode == Comparison::MMode;
        self.view.word_at = match over {
            true => Align2::RIGHT_TOP,
            false => Align2::LEFT_TOP,
        };
        self.paint(ui, pane, rect, now);
        let corrects = pane == Pane::Source && self.wanted.correcting.is_on;
        self.view.handle(&response, rect, !draws && !corrects);
        if response.double_clicked() && !draws && !corrects {
            self.view.alone = match self.view.alone {
                Some(_) => None,
                None => Some(pane),
            };
        }
        if corrects {
            let look = self.view.look;
            self.wanted.paint_points(ui, rect, &look);
        }
        if draws {
            self.view.draw_line(ui, &response, rect);
        }
        response.on_hover_text_at_pointer(if draws {
            "Drag to draw the line"
        } else {
            "Wheel: zoom. Drag: move. Right drag: window and level. Home: reset. Double click: this pane alone, and back."
        });
        rect
    }

    /// Paints what a pane shows now, with its marks.
    pub(in crate::ui::explore) fn paint(&mut self, ui: &Ui, pane: Pane, rect: Rect, now: f64) {
        match pane {
            Pane::Source => self.paint_source(ui, rect, now),
            Pane::Factual => self.paint_made(ui, Part::Factual, rect, now),
            Pane::Counterfactual => self.paint_made(ui, Part::Counterfactual, rect, now),
        }
    }

    fn paint_source(&mut self, ui: &Ui, rect: Rect, now: f64) {
        let frame = match &self.case.source {
            // The points belong to the anatomy.
            Some(source) if self.wanted.correcting.is_on => source.frame,
            _ => self.source_frame_now(now),
        };
        if let Some(projector) = &self.case.projector {
            // A frame that is still being decoded leaves the one before on screen.
            let there = match &self.case.source {
                Some(source) if source.recording.is_still() || self.wanted.correcting.is_on => {
                    projector.single(frame)
                }
                _ => projector.playing(frame),
            };
            if let Some(picture) = there {
                self.case.on_screen = Some((frame, picture));
            }
        }
        if let (Some(source), Some((number, picture))) = (&self.case.source, &self.case.on_screen) {
            let key = Key {
                clip: source.id,
                frame: *number,
            };
            let (cine, look) = (&mut self.view.cines.panes[0], &self.view.look);
            let picture = Picture::Frame(picture);
            let texture = cine.texture(ui, "pane-source", key, look, picture);
            // Only what the networks get: nothing outside the square.
            Cine::fit_crop(ui, &texture, &source.crop, rect, look);
            let tag = match (source.origin, source.is_synthetic) {
                (Origin::SimulatedHeart(_), _) => "Simulated",
                (_, true) => "SYNTHETIC",
                (_, false) => "Recorded",
            };
            on_picture(ui, rect, Align2::LEFT_BOTTOM, tag);
        }
    }

    fn paint_made(&mut self, ui: &Ui, part: Part, rect: Rect, now: f64) {
        let (_, seconds) = self.cycle();
        let phase = self.view.playback.phase(seconds, now);
        let Some((seen, word)) = self.seen(part) else {
            let word = match (&self.case.source, &self.made.running) {
                (None, _) => "",
                (_, Some(_)) => "waiting",
                (_, None) => "not made yet",
            };
            return on_picture(ui, rect, Align2::CENTER_CENTER, word);
        };
        let (at, made) = self.picture_of(&seen, phase);
        let fine = seen.finished && seen.cine.beating.as_ref().is_some_and(|b| b.is_fine());
        let key = Key {
            clip: seen.clip,
            // The fine picture replaces the other as soon as it is there.
            frame: 2 * at + usize::from(fine),
        };
        let index = if part == Part::Factual { 1 } else { 2 };
        let (cine, look) = (&mut self.view.cines.panes[index], &self.view.look);
        let texture = cine.held(key, look).unwrap_or_else(|| match &made {
            Shows::Frame(f) => cine.texture(
                ui,
                part.name(),
                key,
                look,
                Picture::Video(&seen.cine.video, *f),
            ),
            Shows::Between(from, to, share) => {
                let picture = Picture::Between(&seen.cine.video, *from, *to, *share);
                cine.texture(ui, part.name(), key, look, picture)
            }
            Shows::Moved(beating, share) => {
                let fine = beating.fine_picture_at(*share).filter(|_| seen.finished);
                let carried = fine.unwrap_or_else(|| beating.picture_at(*share));
                cine.texture(ui, part.name(), key, look, Picture::Video(&carried, 0))
            }
        });
        Cine::fit(ui, &texture, rect, look);
        if part == Part::Factual && self.made.factual.as_ref().is_some_and(|f| f.stale) {
            ui.painter().rect_filled(rect, 0.0, tokens(ui).dimmed);
        }
        if let Some(beating) = &seen.cine.beating {
            self.view.paint_outline(ui, beating, phase, rect);
        }
        on_picture(ui, rect, Align2::LEFT_BOTTOM, "SYNTHETIC");
        on_picture(ui, rect, self.view.word_at, &word);
    }

    /// What a pane shows of a part, and the word over it.
    fn seen(&self, part: Part) -> Option<(Seen, String)> {
        let running = self.made.running.as_ref();
        let preview = running.and_then(|r| Some((r, r.preview.as_ref()?)));
        if let Some((running, (_, made))) = preview.filter(|(_, (of, _))| *of == part) {
            let word = running
                .follows
                .map_or("estimate".to_owned(), |ef| format!("estimate, EF {ef}"));
            // Previews never share a key with results, whose numbers are small.
            let clip = (1 << 63) | (running.id.number() << 24) | running.previews;
            return Some((Seen::new(clip, made.clone()), word));
        }
        if let Some((_, id, made)) = self
            .made
            .cancelled
            .as_ref()
            .filter(|(of, _, _)| *of == part)
        {
            return Some((Seen::new(*id, made.clone()), "cancelled estimate".into()));
        }
        let shown = self.made.shown(part)?;
        let mixed = self.view.interpolate && shown.result.cine.beating.is_none();
        let word = if mixed { "interpolated" } else { "" };
        let seen = Seen {
            clip: shown.id,
            mixed,
            finished: true,
            cine: shown.result.cine.clone(),
        };
        Some((seen, word.into()))
    }

    /// Which picture of a cine is due at a time of the loop, as a number that tells it from its others.
    fn picture_of(&self, seen: &Seen, phase: f64) -> (usize, Shows) {
        let n = seen.cine.video.frames.max(1);
        if let Some(beating) = &seen.cine.beating {
            let steps = n * self.between();
            let at = ((phase * steps as f64) as usize).min(steps - 1);
            let share = at as f64 / steps as f64;
            // Counted finely enough for any number of steps.
            return (
                (share * FINEST as f64).round() as usize,
                Shows::Moved(beating.clone(), share),
            );
        }
        if seen.mixed {
            let at = (phase * (n * BETWEEN) as f64) as usize;
            let (from, share) = (at / BETWEEN, (at % BETWEEN) as f32 / BETWEEN as f32);
            return (at, Shows::Between(from, (from + 1) % n, share));
        }
        let frame = ((phase * n as f64) as usize).min(n - 1);
        (frame * BETWEEN, Shows::Frame(frame))
    }
}

impl Case {
    /// What stands above a pane: a cine at an EF that nobody gave is not the factual one.
    fn title(&self, pane: Pane) -> String {
        match (pane, self.ef_origin) {
            (Pane::Factual, EfOrigin::Assumed) => {
                format!("At EF {:.0} % (assumed)", self.factual_ef)
            }
            _ => pane.name().to_owned(),
        }
    }
}

/// Pictures of one loop that can be told apart.
const FINEST: usize = 1 << 16;

/// A cine in a pane, and what tells it from others.
struct Seen {
    clip: u64,
    cine: Arc<engine::Cine>,
    /// Pictures between its frames are mixed of them.
    mixed: bool,
    /// No estimate.
    finished: bool,
}

impl Seen {
    fn new(clip: u64, cine: Arc<engine::Cine>) -> Self {
        Self {
            clip,
            cine,
            mixed: false,
            finished: false,
        }
    }
}

/// The picture of a cine that is due.
enum Shows {
    Frame(usize),
    /// Two frames, and how far it is from the first to the second.
    Between(usize, usize, f32),
    /// A time of the beat, from 0 to 1.
    Moved(Arc<Beating>, f64),
}

/// Small words over a picture.
pub(in crate::ui::explore) fn on_picture(ui: &Ui, rect: Rect, align: Align2, text: &str) {
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let at = align.pos_in_rect(&rect.shrink(6.0));
    if text.is_empty() {
        return;
    }
    // On a plate, so that bright tissue and inverted pictures leave them legible.
    let tokens = tokens(ui);
    let sized = |size: f32| {
        let font = FontId::proportional(size);
        painter.layout_no_wrap(text.to_owned(), font, tokens.on_picture)
    };
    let mut galley = sized(SMALL_TEXT);
    // Whole, on small pictures too.
    let room = rect.width() - 12.0;
    if galley.size().x > room {
        galley = sized((SMALL_TEXT * room / galley.size().x).max(LEAST_TEXT));
    }
    let place = align.anchor_size(at, galley.size());
    painter.rect_filled(place.expand2(vec2(4.0, 2.0)), 3.0, tokens.plate);
    painter.galley(place.min, galley, tokens.on_picture);
}
