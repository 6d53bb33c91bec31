use super::captions::SMALL_TEXT;
use super::shown::{BETWEEN, Shown};
use super::state::Explore;
use super::viewing::{Mode, Pane};
use crate::engine::Part;
use crate::ui::theme::{GAP, SMALL_GAP, tokens};
use crate::ui::widgets::{Cine, Key, Picture};
use egui::{Align, Align2, FontId, Layout, Rect, RichText, Sense, Ui, Vec2, vec2};

/// Height of a pane's title and of the lines under its picture.
const TITLE: f32 = 24.0;
pub(super) const CAPTION: f32 = 84.0;

impl Explore {
    /// Centre: source, factual, counterfactual, in lock-step; or a comparison of two of them.
    pub(super) fn centre(&mut self, ui: &mut Ui, now: f64) {
        self.compare_bar(ui);
        ui.add_space(SMALL_GAP);
        match self.viewing.mode {
            Mode::SideBySide => self.side_by_side(ui, now, ui.available_size(), true),
            Mode::Wipe | Mode::Flicker | Mode::Difference => self.one_picture(ui, now),
            Mode::MMode => self.m_mode(ui, now),
        }
    }

    /// The three panes, in the middle of an area.
    pub(super) fn side_by_side(&mut self, ui: &mut Ui, now: f64, area: Vec2, captions: bool) {
        let below = if captions { CAPTION } else { 0.0 };
        let gaps = 2.0 * GAP;
        let side = ((area.x - gaps) / 3.0)
            .min(area.y - below - TITLE)
            .max(80.0);
        let used = vec2(3.0 * side + gaps, side + below + TITLE);
        if captions {
            ui.add_space(((area.y - used.y) / 2.0).max(0.0));
        }
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = GAP;
            ui.add_space(((area.x - used.x) / 2.0 - GAP).max(0.0));
            for pane in Pane::ALL {
                let size = vec2(side, side + below + TITLE);
                ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
                    ui.set_width(side);
                    ui.spacing_mut().item_spacing.y = SMALL_GAP;
                    ui.label(RichText::new(pane.name()).strong());
                    self.pane(ui, pane, side, now);
                    if captions {
                        ui.spacing_mut().item_spacing.y = 2.0;
                        self.caption(ui, pane);
                    }
                });
            }
        });
    }

    fn pane(&mut self, ui: &mut Ui, pane: Pane, side: f32, now: f64) {
        let sense = Sense::click_and_drag();
        let response = Cine::ground(ui, Vec2::splat(side), pane.name(), sense);
        let rect = response.rect;
        let draws = self.viewing.mode == Mode::MMode;
        self.paint(ui, pane, rect, now);
        self.viewing.handle(&response, rect, !draws);
        if draws {
            self.draw_line(ui, &response, rect);
        }
        response.on_hover_text_at_pointer(if draws {
            "Drag to draw the line"
        } else {
            "Wheel: zoom. Drag: move. Right drag: window and level. Double click: reset."
        });
    }

    /// Paints what a pane shows now, with its marks.
    pub(super) fn paint(&mut self, ui: &Ui, pane: Pane, rect: Rect, now: f64) {
        match pane {
            Pane::Source => self.paint_source(ui, rect, now),
            Pane::Factual => self.paint_made(ui, Part::Factual, rect, now),
            Pane::Counterfactual => self.paint_made(ui, Part::Counterfactual, rect, now),
        }
    }

    fn paint_source(&mut self, ui: &Ui, rect: Rect, now: f64) {
        let frame = self.source_frame_now(now);
        if let Some(projector) = &self.projector {
            // A frame that is still being decoded leaves the one before on screen.
            let there = match &self.source {
                Some(source) if source.recording.is_still() => projector.single(frame),
                _ => projector.playing(frame),
            };
            if let Some(picture) = there {
                self.on_screen = Some((frame, picture));
            }
        }
        if let (Some(source), Some((number, picture))) = (&self.source, &self.on_screen) {
            let key = Key {
                clip: source.id,
                frame: *number,
            };
            let (cine, look) = (&mut self.cines.panes[0], &self.viewing.look);
            let picture = Picture::Frame(picture);
            let texture = cine.texture(ui, "pane-source", key, look, picture);
            // Only what the networks get: nothing outside the square.
            Cine::fit_crop(ui, &texture, &source.crop, rect, look);
        }
    }

    pub(super) fn shown(&self, part: Part) -> Option<&Shown> {
        match part {
            Part::Factual => self.factual.as_ref(),
            Part::Counterfactual => self.counterfactual.as_ref(),
        }
    }

    fn paint_made(&mut self, ui: &Ui, part: Part, rect: Rect, now: f64) {
        let (n, seconds) = self.cycle();
        let phase = self.playback.phase(seconds, now);
        let index = if part == Part::Factual { 1 } else { 2 };
        let shown = match part {
            Part::Factual => self.factual.as_ref(),
            Part::Counterfactual => self.counterfactual.as_ref(),
        };
        let running = self
            .running
            .as_ref()
            .and_then(|r| Some((r.id, r.previews, r.preview.as_ref()?)))
            .filter(|(_, _, (of, _))| *of == part);
        let cancelled = self.cancelled.as_ref();
        let cancelled = cancelled.filter(|(of, _, _)| *of == part && running.is_none());
        let (cine, look) = (&mut self.cines.panes[index], &self.viewing.look);
        let frame_of = |frames: usize| ((phase * frames as f64) as usize).min(frames.max(1) - 1);
        let (texture, word) = if let Some((job, count, (_, video))) = running {
            let key = Key {
                // Previews never share a key with results, whose numbers are small.
                clip: (1 << 63) | (job << 24) | count,
                frame: frame_of(video.frames),
            };
            let picture = Picture::Video(video, key.frame);
            let texture = cine.texture(ui, part.name(), key, look, picture);
            let follows = self.running.as_ref().and_then(|r| r.follows);
            let word = follows.map_or("estimate".to_owned(), |ef| format!("estimate, EF {ef}"));
            (Some(texture), word)
        } else if let Some((_, id, video)) = cancelled {
            let key = Key {
                clip: *id,
                frame: frame_of(video.frames),
            };
            let picture = Picture::Video(video, key.frame);
            let texture = cine.texture(ui, part.name(), key, look, picture);
            (Some(texture), "cancelled estimate".to_owned())
        } else if let Some(shown) = shown {
            let video = &shown.result.video;
            let (key, picture) = if self.viewing.interpolate {
                let at = (phase * (video.frames * BETWEEN) as f64) as usize;
                let (from, share) = (at / BETWEEN, (at % BETWEEN) as f32 / BETWEEN as f32);
                let to = (from + 1) % video.frames.max(1);
                (at, Picture::Between(video, from, to, share))
            } else {
                let frame = frame_of(video.frames);
                (frame * BETWEEN, Picture::Video(video, frame))
            };
            let key = Key {
                clip: shown.id,
                frame: key,
            };
            let texture = cine.texture(ui, part.name(), key, look, picture);
            let word = match self.viewing.interpolate && n > 1 {
                true => "interpolated".to_owned(),
                false => String::new(),
            };
            (Some(texture), word)
        } else {
            let word = match (&self.source, &self.running) {
                (None, _) => "",
                (_, Some(_)) => "waiting",
                (_, None) => "not made yet",
            };
            (None, word.to_owned())
        };
        if let Some(texture) = &texture {
            Cine::fit(ui, texture, rect, look);
            on_picture(ui, rect, Align2::LEFT_BOTTOM, "SYNTHETIC");
            on_picture(ui, rect, Align2::LEFT_TOP, &word);
        } else {
            on_picture(ui, rect, Align2::CENTER_CENTER, &word);
        }
    }
}

/// Small words over a picture.
pub(super) fn on_picture(ui: &Ui, rect: Rect, align: Align2, text: &str) {
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let at = align.pos_in_rect(&rect.shrink(6.0));
    let font = FontId::proportional(SMALL_TEXT);
    painter.text(at, align, text, font, tokens(ui).on_picture);
}
