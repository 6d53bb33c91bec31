//! How pictures are looked at: zoom, place, window and level. Playback only: what is measured and
//! exported never goes through it.

use egui::{Rect, Vec2, pos2, vec2};

/// Shared by all panes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    zoom: f32,
    /// The middle of what is seen, as a share of the picture.
    centre: Vec2,
    /// Width and middle of the range of levels that is spread over black to white.
    window: f32,
    level: f32,
    pub invert: bool,
}

const MOST_ZOOM: f32 = 8.0;
const WINDOWS: std::ops::RangeInclusive<f32> = 8.0..=510.0;
const LEVELS: std::ops::RangeInclusive<f32> = 0.0..=255.0;

impl Default for Look {
    fn default() -> Self {
        Self {
            zoom: 1.0,
            centre: Vec2::splat(0.5),
            window: 255.0,
            level: 127.5,
            invert: false,
        }
    }
}

impl Look {
    pub fn zoom(&self) -> f32 {
        self.zoom
    }

    /// Window and level.
    pub fn tone(&self) -> (f32, f32) {
        (self.window, self.level)
    }

    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// What is seen of a picture, in shares of it.
    pub fn seen(&self) -> Rect {
        Rect::from_center_size(self.centre.to_pos2(), Vec2::splat(1.0 / self.zoom))
    }

    /// Zooms so that what is under `at`, a share of the pane, stays there.
    pub fn zoom_at(&mut self, at: Vec2, factor: f32) {
        let under = self.seen().min.to_vec2() + at / self.zoom;
        self.zoom = (self.zoom * factor).clamp(1.0, MOST_ZOOM);
        self.centre = under - (at - Vec2::splat(0.5)) / self.zoom;
        self.keep_inside();
    }

    /// Moves by a share of the pane.
    pub fn pan(&mut self, by: Vec2) {
        self.centre -= by / self.zoom;
        self.keep_inside();
    }

    fn keep_inside(&mut self) {
        let half = Vec2::splat(0.5 / self.zoom);
        self.centre = self.centre.max(half).min(Vec2::splat(1.0) - half);
    }

    /// Right drags widen the window, upward ones raise the level, by shares of the pane.
    pub fn adjust(&mut self, by: Vec2) {
        self.window = (self.window + 300.0 * by.x).clamp(*WINDOWS.start(), *WINDOWS.end());
        self.level = (self.level - 255.0 * by.y).clamp(*LEVELS.start(), *LEVELS.end());
    }

    /// What each level becomes.
    pub fn table(&self) -> [u8; 256] {
        std::array::from_fn(|v| {
            let share = (v as f32 - self.level) / self.window + 0.5;
            let shown = (255.0 * share).round().clamp(0.0, 255.0) as u8;
            if self.invert { 255 - shown } else { shown }
        })
    }

    /// Tells one table from another.
    pub fn tone_key(&self) -> u64 {
        let bits = u64::from(self.window.to_bits()) << 32 | u64::from(self.level.to_bits());
        bits ^ u64::from(self.invert)
    }

    /// Where a place of the picture, in shares of it, is in a pane.
    pub fn on_pane(&self, pane: Rect, share: Vec2) -> egui::Pos2 {
        let seen = self.seen();
        let within = (share - seen.min.to_vec2()) * self.zoom;
        pane.min + within * pane.size()
    }

    /// The reverse.
    pub fn on_picture(&self, pane: Rect, at: egui::Pos2) -> Vec2 {
        let within = (at - pane.min) / pane.size();
        self.seen().min.to_vec2() + within / self.zoom
    }

    /// The part of a texture that is seen, where the picture is this part of the texture; mirrored
    /// where its left is right of its right.
    pub fn part_of(&self, picture: Rect) -> Rect {
        let seen = self.seen();
        let at = |share: egui::Pos2| {
            let size = vec2(picture.max.x - picture.min.x, picture.max.y - picture.min.y);
            pos2(
                picture.min.x + share.x * size.x,
                picture.min.y + share.y * size.y,
            )
        };
        Rect {
            min: at(seen.min),
            max: at(seen.max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_look_changes_no_level() {
        let table = Look::default().table();
        assert!((0..256).all(|v| usize::from(table[v]) == v));
        let inverted = Look {
            invert: true,
            ..Look::default()
        };
        assert_eq!(inverted.table()[0], 255);
    }

    #[test]
    fn zooming_keeps_what_is_under_the_pointer_and_stays_inside() {
        let mut look = Look::default();
        let pane = Rect::from_min_size(pos2(10.0, 20.0), Vec2::splat(100.0));
        let at = pos2(80.0, 50.0);
        let under = look.on_picture(pane, at);
        look.zoom_at(vec2(0.7, 0.3), 3.0);
        assert!((look.on_picture(pane, at) - under).length() < 1e-5);
        assert!((look.on_pane(pane, under) - at).length() < 1e-3);
        for _ in 0..9 {
            look.pan(vec2(0.9, -0.9));
        }
        let seen = look.seen();
        assert!(seen.min.x >= -1e-6 && seen.max.y <= 1.0 + 1e-6);
        look.zoom_at(vec2(0.0, 0.0), 1e-9);
        assert_eq!((look.zoom(), look.seen().center()), (1.0, pos2(0.5, 0.5)));
    }

    #[test]
    fn a_narrow_window_has_more_contrast() {
        let mut look = Look::default();
        look.adjust(vec2(-0.5, 0.0));
        let table = look.table();
        assert!(table[60] < 60 && table[200] > 200);
        look.adjust(vec2(-99.0, 99.0));
        assert_eq!(look.tone(), (8.0, 0.0));
    }
}
