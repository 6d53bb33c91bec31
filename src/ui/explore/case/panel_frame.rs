//! The frame in the panel, with its square and masks, in which a clip plays; and which of its frames is the anatomy.

use super::super::Explore;
use crate::ui::hints::Hint as _;
use crate::ui::look::Look;
use crate::ui::widgets::{Cine, Edit, Key, Picture, mask_drawer, show_masks, square_editor};
use egui::{Align2, InputState, Rect, Slider, Ui, Vec2};

/// Width of the number beside a slider.
const NUMBER: f32 = 64.0;

impl Explore {
    /// Chooses the anatomy frame of a clip. True when the user has let go.
    pub(super) fn anatomy_scrubber(&mut self, ui: &mut Ui, now: f64) -> bool {
        let Some(source) = &mut self.case.source else {
            return false;
        };
        let n = source.recording.frames();
        let mut changed = false;
        if n > 1 {
            ui.horizontal(|ui| {
                let label = ui.label("Anatomy frame");
                let mut number = source.frame + 1;
                // With room for the number beside it.
                ui.spacing_mut().slider_width = (ui.available_width() - NUMBER).clamp(24.0, 96.0);
                let response = ui
                    .add(Slider::new(&mut number, 1..=n))
                    .labelled_by(label.id)
                    .hint("The frame of the clip that the cines begin with.");
                source.frame = number - 1;
                if response.dragged() {
                    // The picture follows; the anatomy is taken when the user lets go.
                    self.view.playback.seek(0.0, now);
                }
                self.case.is_choosing = response.dragged() || response.has_focus();
                changed = response.drag_stopped() || (response.changed() && !response.dragged());
            });
        }
        changed
    }

    /// Whether the panel's picture, which is to be at `rect`, is the frame that plays: a clip's that plays nowhere else. Not
    /// while the anatomy frame is chosen, or its square dragged; a mask, which is of all frames, is drawn where text is seen.
    fn plays_in_panel(&self, ui: &Ui, rect: Rect) -> bool {
        let down = |i: &InputState| i.pointer.primary_down().then(|| i.pointer.press_origin());
        let from = ui.input(down).flatten();
        let drags = from.is_some_and(|from| rect.contains(from)) && !self.case.drawing_mask;
        let moves = !drags && !self.case.is_choosing;
        self.case.is_clip() && moves && !self.source_is_in_centre()
    }

    /// The frame with its square and masks. True when the user has let go of something changed.
    pub(super) fn source_editor(&mut self, ui: &mut Ui, now: f64) -> bool {
        let side = ui.available_width();
        let place = Rect::from_min_size(ui.next_widget_position(), Vec2::splat(side));
        let plays = self.plays_in_panel(ui, place);
        if plays {
            self.take_source_frame(now);
        }
        let Some(source) = &self.case.source else {
            return false;
        };
        let anatomy = (source.picture_number, source.picture.clone());
        let playing = self.case.on_screen.clone().filter(|_| plays);
        let (frame, picture) = playing.unwrap_or(anatomy);
        let key = Key {
            clip: source.id,
            frame,
        };
        let size = [picture.width, picture.height];
        let (plain, picture) = (Look::default(), Picture::Frame(&picture));
        let cine = &mut self.view.cines.editor;
        let texture = cine.texture(ui, "source", key, &plain, picture);
        let rect = Cine::show(ui, Some(&texture), side, "Source frame");
        show_masks(ui, rect, size[0], &source.crop.masks, &source.proposals);
        // Above, where a low panel shows it, too; over masks, and under the square's corners.
        self.tag_source(ui, rect, Align2::LEFT_TOP);
        let Some(source) = &mut self.case.source else {
            return false;
        };
        if self.case.drawing_mask {
            let mask = mask_drawer(ui, rect, size);
            if let Some(mask) = mask {
                source.crop.masks.push(mask);
                self.case.drawing_mask = false;
            }
            return mask.is_some();
        }
        match square_editor(ui, rect, size, source.found, &mut source.crop.square) {
            Edit::None => false,
            Edit::Live => {
                self.case.live_anatomy = source.take_anatomy().ok();
                false
            }
            Edit::Done => true,
        }
    }
}
