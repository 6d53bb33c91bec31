//! Help where it covers no picture: bubbles that stay in their panel or lie above what they are about, and a line of
//! words elsewhere.

use egui::{Context, Id, Rangef, Rect, RectAlign, Response, Tooltip};

/// What is around the words of a bubble, in points of its width.
const AROUND: f32 = 14.0;

/// Where the bubbles of what follows in a pass lie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Room {
    /// Where there is room.
    #[default]
    Anywhere,
    /// Above what they are about: pictures are below.
    Above,
    /// Below it, between these two places of the window: pictures are beside.
    Within(Rangef),
    /// The same above it: a picture is below, too.
    AboveWithin(Rangef),
    /// Nowhere, since all around are pictures: it is said in the line that `said` is for.
    Line,
}

impl Room {
    /// Has what follows lie so.
    pub fn set(self, ctx: &Context) {
        ctx.data_mut(|data| data.insert_temp(Id::NULL, self));
    }

    fn of(ctx: &Context) -> Self {
        ctx.data(|data| data.get_temp(Id::NULL)).unwrap_or_default()
    }
}

/// Help for who rests the pointer on something, able or not, and for who has it read out. One for each thing: a second
/// is not shown.
pub trait Hint {
    fn hint(self, text: impl Into<String>) -> Self;
}

impl Hint for Response {
    fn hint(self, text: impl Into<String>) -> Self {
        let (room, text) = (Room::of(&self.ctx), text.into());
        describe(&self, &text);
        if room == Room::Line {
            if self.contains_pointer() {
                say(&self.ctx, text);
            }
            return self;
        }
        let mut bubble = Tooltip::for_widget(&self);
        let opens = Tooltip::should_show_tooltip(&self, true);
        let mut width = self.ctx.global_style().spacing.tooltip_width;
        bubble.popup = match room {
            Room::Anywhere | Room::Line => bubble.popup,
            Room::Above => bubble.popup.align(RectAlign::TOP_START),
            Room::Within(across) | Room::AboveWithin(across) => {
                width = width.min(across.span() - AROUND);
                let anchor = Rect::from_x_y_ranges(across, self.rect.y_range());
                let align = match room {
                    Room::Within(_) => RectAlign::BOTTOM_START,
                    _ => RectAlign::TOP_START,
                };
                bubble.popup.anchor(anchor).width(width).align(align)
            }
        };
        bubble.popup = bubble.popup.open(opens);
        bubble.show(|ui| {
            ui.set_max_width(width);
            ui.label(text);
        });
        self
    }
}

/// What `said` will answer.
#[derive(Clone, Default)]
struct Said(String);

/// Says what can be done with what is below the pointer.
pub fn say(ctx: &Context, text: impl Into<String>) {
    let said = Said(text.into());
    ctx.data_mut(|data| data.insert_temp(Id::NULL, said));
}

/// What was said since it was asked last.
pub fn said(ctx: &Context) -> Option<String> {
    ctx.data_mut(|data| data.remove_temp::<Said>(Id::NULL))
        .map(|said| said.0)
}

/// Says what something is to who has it read out.
pub fn describe(response: &Response, text: &str) {
    if !response.ctx.has_accesskit_node(response.id) {
        return;
    }
    response.ctx.accesskit_node_builder(response.id, |node| {
        if node.description().is_none() {
            node.set_description(text);
        }
    });
}
