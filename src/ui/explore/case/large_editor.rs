//! The whole frame with its square and masks, in the centre or in the source's pane: where the panel's own is too small to
//! be exact.

use super::super::Explore;
use super::super::view::Comparison;
use crate::engine::Engine;
use crate::ui::command::Command;
use crate::ui::hints::{Hint as _, Room};
use crate::ui::look::Look;
use crate::ui::theme::{GAP, tokens};
use crate::ui::widgets::{Cine, Edit, Key, Picture, mask_drawer, show_masks, square_editor};
use egui::{Button, PointerButton, Rect, RichText, Sense, Ui, UiBuilder, Vec2, pos2};

/// Whether it is open, and how the frame is looked at in it.
#[derive(Default)]
pub struct Large {
    /// In the centre.
    pub is_open: bool,
    /// Beside the cines, in the source's pane.
    pub in_pane: bool,
    /// In the pane something was changed and let go of.
    is_changed: bool,
    pub look: Look,
    cine: Cine,
}

impl Large {
    /// Another source is open.
    pub(super) fn forget_source(&mut self) {
        self.look = Look::default();
        self.cine = Cine::default();
    }
}

impl Explore {
    /// Whether the centre is the editor's.
    pub(in crate::ui::explore) fn is_editing_large(&self) -> bool {
        self.case.large.is_open && self.case.source.is_some()
    }

    pub(in crate::ui::explore) fn large_editor(
        &mut self,
        ui: &mut Ui,
        engine: &mut Engine,
        commands: &mut Vec<Command>,
    ) {
        let mut is_changed = false;
        // The frame is below.
        Room::Above.set(ui.ctx());
        ui.horizontal_wrapped(|ui| {
            is_changed |= self.case.square_line(ui, None, commands);
            ui.separator();
            mask_button(ui, &mut self.case.drawing_mask);
            is_changed |= self.case.mask_lines(ui);
        });
        Room::Anywhere.set(ui.ctx());
        let words = "Drag the square or its corners; Alt: without snapping. Wheel: zoom. Drag beside it: move. \
                     Right drag: window and level.";
        ui.label(RichText::new(words).color(tokens(ui).muted).size(12.0));
        ui.add_space(GAP / 2.0);
        is_changed |= self.large_frame(ui, ui.available_size(), "Source frame, large");
        if is_changed {
            self.measure_source();
            self.retake_anatomy(engine);
        }
    }

    /// Opens it in the source's pane, or puts it away: beside the others, since alone it is the centre's.
    pub(in crate::ui::explore) fn edit_in_pane(&mut self) {
        let is_on = !self.is_editing_in_pane();
        self.case.large.in_pane = is_on;
        if is_on {
            self.case.large.is_open = false;
            self.view.mode = Comparison::SideBySide;
            self.wanted.put_points_away();
            self.view.calipers.put_away();
        }
    }

    /// Whether the source's pane is the editor's: not while points or calipers are set in it.
    pub(in crate::ui::explore) fn is_editing_in_pane(&self) -> bool {
        let is_free = !self.wanted.correcting.is_on && self.view.calipers.tool.is_none();
        self.case.large.in_pane
            && is_free
            && self.case.source.is_some()
            && self.view.mode == Comparison::SideBySide
    }

    /// The frame in a pane of this side. Where.
    pub(in crate::ui::explore) fn frame_in_pane(&mut self, ui: &mut Ui, side: f32) -> Rect {
        let at = ui.next_widget_position();
        let name = "Source frame, in its pane";
        let is_changed = self.large_frame(ui, Vec2::splat(side), name);
        self.case.large.is_changed |= is_changed;
        Rect::from_min_size(at, Vec2::splat(side))
    }

    /// Takes what was changed in the pane.
    pub(in crate::ui::explore) fn take_square(&mut self, engine: &mut Engine) {
        if std::mem::take(&mut self.case.large.is_changed) {
            self.measure_source();
            self.retake_anatomy(engine);
        }
    }

    /// True when the user has let go of something changed.
    fn large_frame(&mut self, ui: &mut Ui, size: Vec2, name: &str) -> bool {
        let Some(source) = &mut self.case.source else {
            return false;
        };
        let Large { look, cine, .. } = &mut self.case.large;
        let ground = Cine::ground(ui, size, name, Sense::click_and_drag());
        let size = [source.picture.width, source.picture.height];
        let pixels = Vec2::new(size[0] as f32, size[1] as f32).max(Vec2::splat(1.0));
        let shown = Rect::from_center_size(
            ground.rect.center(),
            pixels * (ground.rect.size() / pixels).min_elem(),
        );
        // Over the square, too, which has the pointer there.
        let is_over = ui.rect_contains_pointer(shown);
        let (at, scrolled, pinched, right, by) = ui.input(|i| {
            let right = i.pointer.button_down(PointerButton::Secondary);
            let at = i.pointer.hover_pos();
            (
                at,
                i.smooth_scroll_delta().y,
                i.zoom_delta(),
                right,
                i.pointer.delta(),
            )
        });
        if let Some(at) = at.filter(|_| is_over) {
            let factor = pinched * (scrolled / 200.0).exp();
            if factor != 1.0 {
                look.zoom_at((at - shown.min) / shown.size(), factor);
            }
        }
        if right && is_over {
            look.adjust(by / shown.size());
        } else if ground.dragged_by(PointerButton::Primary) {
            look.pan(ground.drag_delta() / shown.size());
        }
        let key = Key {
            clip: source.id,
            frame: source.picture_number,
        };
        let picture = Picture::Frame(&source.picture);
        let texture = cine.texture(ui, "source, large", key, look, picture);
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        texture.paint(ui.painter(), shown, look.part_of(whole));
        // Where the whole frame would be, of which a part is shown.
        let frame = Rect::from_min_size(
            shown.min - look.seen().min.to_vec2() * look.zoom() * shown.size(),
            shown.size() * look.zoom(),
        );
        let mut ui = ui.new_child(UiBuilder::new().max_rect(shown).id_salt("large editor"));
        ui.shrink_clip_rect(shown);
        show_masks(&ui, frame, size[0], &source.crop.masks, &source.proposals);
        if self.case.drawing_mask {
            let mask = mask_drawer(&mut ui, frame, size);
            if let Some(mask) = mask {
                source.crop.masks.push(mask);
                self.case.drawing_mask = false;
            }
            return mask.is_some();
        }
        match square_editor(&mut ui, frame, size, source.found, &mut source.crop.square) {
            Edit::None => false,
            Edit::Live => {
                self.case.live_anatomy = source.take_anatomy().ok();
                false
            }
            Edit::Done => true,
        }
    }
}

/// Turns the drawing of a mask on or off.
pub(super) fn mask_button(ui: &mut Ui, is_drawing: &mut bool) {
    let text = match is_drawing {
        true => "Drag over the text",
        false => "Draw a mask",
    };
    let button = Button::new(text).small().selected(*is_drawing);
    let hint = "Blackens a rectangle of the source: burned-in text that names somebody";
    if ui.add(button).hint(hint).clicked() {
        *is_drawing ^= true;
    }
}
