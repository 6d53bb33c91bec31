//! The picture that a pane shows now, and what lies over it.

use super::super::Explore;
use super::super::made::shown::BETWEEN;
use super::Pane;
use super::captions::SMALL_TEXT;
use crate::clip::{Frame, Pixels};
use crate::engine;
use crate::media::region::SIDE;
use crate::motion::Beating;
use crate::ui::source::Origin;
use crate::ui::theme::tokens;
use crate::ui::widgets::{Cine, Key, Picture};
use egui::{Align2, FontId, Rect, Ui, vec2};
use std::sync::Arc;

/// The smallest words over a picture, in points.
const LEAST_TEXT: f32 = 7.0;

impl Explore {
    /// Paints what a pane shows now, with its marks.
    pub(in crate::ui::explore) fn paint(&mut self, ui: &Ui, pane: Pane, rect: Rect, now: f64) {
        match pane {
            Pane::Source => self.paint_source(ui, rect, now),
            _ => self.paint_made(ui, pane, rect, now),
        }
        self.paint_overlays(ui, pane, rect, now);
    }

    /// Takes the source's frame that is due, if it is there: one that is still being decoded leaves the one before on
    /// screen.
    pub(in crate::ui::explore) fn take_source_frame(&mut self, now: f64) {
        let frame = match &self.case.source {
            // The points belong to the anatomy.
            Some(source) if self.wanted.correcting.is_on => source.frame,
            _ => self.source_frame_now(now),
        };
        if let Some(projector) = &self.case.projector {
            let there = match &self.case.source {
                Some(source) if source.recording.is_still() || self.wanted.correcting.is_on => {
                    projector.single(frame).map(|picture| (frame, picture))
                }
                _ => projector.playing(frame),
            };
            if there.is_some() {
                self.case.on_screen = there;
            }
        }
    }

    fn paint_source(&mut self, ui: &Ui, rect: Rect, now: f64) {
        self.take_source_frame(now);
        let (reduced, parts) = (self.reduced_source(), self.view.beside_words(rect));
        if let (Some(source), Some((number, picture))) = (&self.case.source, &self.case.on_screen) {
            let (cine, look) = (&mut self.view.cines.panes[0], &self.view.look);
            if let Some((key, frame)) = reduced {
                let picture = Picture::Frame(&frame);
                let texture = cine.texture(ui, "pane-source", key, look, picture);
                Cine::fit_parts(ui, &texture, rect, look, &parts);
                return self.tag_source(ui, rect, Align2::LEFT_BOTTOM);
            }
            let key = Key {
                clip: source.id,
                frame: *number,
            };
            let picture = Picture::Frame(picture);
            let texture = cine.texture(ui, "pane-source", key, look, picture);
            // Only what the networks get: nothing outside the square.
            Cine::fit_crop(ui, &texture, &source.crop, rect, look, &parts);
            self.tag_source(ui, rect, Align2::LEFT_BOTTOM);
        }
    }

    pub(in crate::ui::explore) fn tag_source(&self, ui: &Ui, rect: Rect, at: Align2) {
        let Some(source) = &self.case.source else {
            return;
        };
        let tag = match (source.origin, source.is_synthetic) {
            (Origin::SimulatedHeart(_), _) => "Simulated",
            (_, true) => "SYNTHETIC",
            (_, false) => "Recorded",
        };
        on_picture(ui, rect, at, tag);
    }

    /// The source's frame as the networks get it, if it is to be shown so and is there.
    fn reduced_source(&self) -> Option<(Key, Frame)> {
        let (number, _) = self.case.on_screen.as_ref()?;
        if !self.view.overlays.reduced {
            return None;
        }
        let levels = self.gray(Pane::Source, *number)?;
        let Key { clip, frame } = self.source_key(*number)?;
        // Another picture than the one in full.
        let key = Key { clip: !clip, frame };
        Some((
            key,
            Frame {
                width: SIDE,
                height: SIDE,
                pixels: Pixels::Gray(levels.into_owned()),
            },
        ))
    }

    fn paint_made(&mut self, ui: &Ui, pane: Pane, rect: Rect, now: f64) {
        let (_, seconds) = self.cycle();
        let phase = self.view.playback.phase(seconds, now);
        let Some((seen, word)) = self.seen(pane) else {
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
            // Fine pictures replace the others as soon as they are there.
            clip: seen.clip ^ (u64::from(fine) << 61),
            frame: at,
        };
        let parts = self.view.beside_words(rect);
        let (cine, look) = (&mut self.view.cines.panes[pane.index()], &self.view.look);
        let texture = cine.held(key, look).unwrap_or_else(|| match &made {
            Shows::Frame(f) => cine.texture(
                ui,
                pane.name(),
                key,
                look,
                Picture::Video(&seen.cine.video, *f),
            ),
            Shows::Between(from, to, share) => {
                let picture = Picture::Between(&seen.cine.video, *from, *to, *share);
                cine.texture(ui, pane.name(), key, look, picture)
            }
            Shows::Moved(beating, share) => {
                let fine = beating.fine_picture_at(*share).filter(|_| seen.finished);
                let carried = fine.unwrap_or_else(|| beating.picture_at(*share));
                cine.texture(ui, pane.name(), key, look, Picture::Video(&carried, 0))
            }
        });
        Cine::fit_parts(ui, &texture, rect, look, &parts);
        if pane == Pane::Factual && self.made.factual.as_ref().is_some_and(|f| f.stale) {
            ui.painter().rect_filled(rect, 0.0, tokens(ui).dimmed);
        }
        if let Some(beating) = &seen.cine.beating {
            self.view.paint_outline(ui, beating, phase, rect);
        }
        on_picture(ui, rect, Align2::LEFT_BOTTOM, "SYNTHETIC");
        on_picture(ui, rect, self.view.word_at, &word);
    }

    /// The cine that a pane shows, and the word over it.
    fn seen(&self, pane: Pane) -> Option<(Seen, String)> {
        let part = pane.part();
        let running = self.made.running.as_ref();
        let preview = running.and_then(|r| Some((r, r.preview.as_ref()?)));
        if let Some((running, (_, made))) = preview.filter(|(_, (of, _))| Some(*of) == part) {
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
            .filter(|(of, _, _)| Some(*of) == part)
        {
            return Some((Seen::new(*id, made.clone()), "cancelled estimate".into()));
        }
        let shown = self.made.cine_of(pane)?;
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
        let size = (SMALL_TEXT * room / galley.size().x).max(LEAST_TEXT);
        let font = FontId::proportional(size);
        galley = painter.layout(text.to_owned(), font, tokens.on_picture, room);
    }
    let place = align.anchor_size(at, galley.size());
    painter.rect_filled(place.expand2(vec2(4.0, 2.0)), 3.0, tokens.plate);
    painter.galley(place.min, galley, tokens.on_picture);
}
