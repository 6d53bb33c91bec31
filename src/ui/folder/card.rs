//! One recording of a folder: its thumbnail, and what is said of it.

use crate::clip::{Frame, Pixels};
use crate::media::region::Anatomy;
use crate::media::{self, Found, Kind};
use crate::ui::theme::tokens;
use egui::{
    Align2, Color32, ColorImage, FontId, Pos2, Rect, Sense, Stroke, StrokeKind, TextureHandle,
    TextureOptions, Ui, Vec2, pos2, vec2,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) const SIDE: f32 = 148.0;
/// Height of the lines under a thumbnail.
pub(super) const CAPTION: f32 = 50.0;
const SMALL_TEXT: f32 = 11.5;

/// One file that was looked at.
pub struct Look {
    pub path: PathBuf,
    /// Nothing for a file that is no picture.
    pub thumbnail: Option<Thumbnail>,
}

/// A recording of the collection; its first frame's square is the thumbnail.
pub struct Thumbnail {
    pub picture: Frame,
    /// Kind, frames, rate, size.
    pub about: String,
}

/// Looks at a file of a collection. Not for the window's thread.
pub fn look(path: PathBuf) -> Look {
    let thumbnail = first_anatomy(&path).map(|(anatomy, about)| Thumbnail {
        picture: anatomy.to_frame(),
        about,
    });
    Look { path, thumbnail }
}

/// What the networks would get of a recording as it opens, and what is said of it: kind, frames, rate, size.
pub(super) fn first_anatomy(path: &Path) -> Option<(Arc<Anatomy>, String)> {
    let Ok(Found::Recording(opened)) = media::look(path) else {
        return None;
    };
    let recording = &opened.recording;
    let frames = match (recording.frames(), recording.rate) {
        (1, _) if opened.kind == Kind::Still => String::new(),
        (1, _) => ", still".to_owned(),
        (n, Some(rate)) => format!(", {n} frames, {:.0} a second", rate.fps()),
        (n, None) => format!(", {n} frames"),
    };
    let (width, height) = (recording.width(), recording.height());
    let about = format!("{}{frames}, {width} x {height}", opened.kind.text());
    let picture = recording.frame(0).ok()?;
    let anatomy = Anatomy::from_frame(&picture, &opened.first_square().into()).ok()?;
    Some((Arc::new(anatomy), about))
}

/// A recording in the grid.
pub(super) struct Card {
    pub path: PathBuf,
    pub is_chosen: bool,
    /// EFs of which a cine was made of it, in percent.
    pub made: BTreeSet<u8>,
    picture: Frame,
    about: String,
    /// Made when it first comes into view.
    texture: Option<TextureHandle>,
}

/// What was done with a card.
#[derive(PartialEq, Eq)]
pub(super) enum Did {
    Nothing,
    Open,
    Choose,
}

impl Card {
    pub fn new(path: PathBuf, thumbnail: Thumbnail) -> Self {
        Self {
            path,
            is_chosen: false,
            made: BTreeSet::new(),
            picture: thumbnail.picture,
            about: thumbnail.about,
            texture: None,
        }
    }

    /// Notes that a cine at an EF was made of it.
    pub fn note_made(&mut self, ef: f64) {
        // Requests are whole percents between 10 and 85.
        self.made.insert(ef.round().clamp(0.0, 100.0) as u8);
    }

    /// Draws it; `at` has the keyboard's frame around it.
    pub fn show(&mut self, ui: &mut Ui, i: usize, at: bool) -> Did {
        let size = vec2(SIDE, SIDE + CAPTION);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let name = format!("Recording {}: {}", i + 1, self.about);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
        let tokens = tokens(ui);
        let picture = Rect::from_min_size(rect.min, Vec2::splat(SIDE));
        ui.painter().rect_filled(picture, 4.0, tokens.picture);
        let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        let texture = self.texture(ui, i);
        ui.painter().image(texture, picture, whole, Color32::WHITE);
        let font = FontId::proportional(SMALL_TEXT);
        let number = format!("{}", i + 1);
        let galley = ui
            .painter()
            .layout_no_wrap(number, font.clone(), tokens.on_picture);
        let place = Align2::LEFT_TOP.anchor_size(picture.min + vec2(6.0, 5.0), galley.size());
        ui.painter()
            .rect_filled(place.expand2(vec2(4.0, 2.0)), 3.0, tokens.plate);
        ui.painter().galley(place.min, galley, tokens.on_picture);
        if response.hovered() || response.has_focus() || at {
            let stroke = Stroke::new(2.0, tokens.accent);
            ui.painter()
                .rect_stroke(picture, 4.0, stroke, StrokeKind::Inside);
        }
        let colour = ui.visuals().text_color();
        let galley = ui
            .painter()
            .layout(self.about.clone(), font.clone(), colour, SIDE);
        let below = galley.size().y;
        let lines = picture.left_bottom() + vec2(0.0, 4.0);
        ui.painter().galley(lines, galley, colour);
        if !self.made.is_empty() {
            let galley = ui
                .painter()
                .layout(self.made_words(), font, tokens.muted, SIDE);
            let at = lines + vec2(0.0, below + 1.0);
            ui.painter().galley(at, galley, tokens.muted);
        }
        // Above the card, so that it is not opened by it.
        let tick =
            Rect::from_center_size(picture.right_top() + vec2(-14.0, 14.0), Vec2::splat(22.0));
        let mut ticked = self.is_chosen;
        ui.painter().rect_filled(tick, 3.0, tokens.plate);
        let tick = ui.put(tick, egui::Checkbox::without_text(&mut ticked));
        let name = format!("Choose recording {}", i + 1);
        tick.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, ticked, &name));
        match () {
            () if tick.clicked() => Did::Choose,
            () if response.clicked() => Did::Open,
            () => Did::Nothing,
        }
    }

    fn made_words(&self) -> String {
        let efs: Vec<String> = self.made.iter().map(u8::to_string).collect();
        format!("made: EF {}", efs.join(", "))
    }

    fn texture(&mut self, ui: &Ui, i: usize) -> egui::TextureId {
        let picture = &self.picture;
        let texture = self.texture.get_or_insert_with(|| {
            let size = [picture.width, picture.height];
            let image = match &picture.pixels {
                Pixels::Gray(p) => ColorImage::from_gray(size, p),
                Pixels::Rgb(p) => ColorImage::from_rgb(size, p),
            };
            let name = format!("card {i}");
            ui.ctx().load_texture(name, image, TextureOptions::LINEAR)
        });
        texture.id()
    }
}
