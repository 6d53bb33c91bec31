//! How the centre is shared among the panes: sizes of pictures, and where their words are.

use super::Pane;
use crate::ui::theme::GAP;
use egui::{Vec2, vec2};

/// Height of a pane's title.
const TITLE: f32 = 24.0;
/// Height of the lines under a picture: one under the other, or the numbers side by side.
pub const CAPTION: f32 = 102.0;
const WIDE_CAPTION: f32 = 54.0;
/// The same of the numbers alone, and the side of a picture that is not worth more.
pub const BRIEF_CAPTION: f32 = 58.0;
pub const SMALL_SIDE: f32 = 160.0;
/// Points that the numbers need side by side.
pub const WIDE: f32 = 340.0;
/// The smallest side of a pane, and how wide its lines may be where the pane is narrower.
const LEAST_SIDE: f32 = 48.0;
const CAPTION_WIDTH: f32 = 150.0;
/// The source's side where it is small, as a share of the others', and its least where words lie over them.
const SOURCE: f32 = 0.2;
const SOURCE_SIDE: f32 = 120.0;
/// The smallest side of a picture that words lie over.
pub const OVER: f32 = 360.0;

/// Where a pane's title and lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// No lines, and the title above.
    Title,
    Below,
    /// In the corner where the sector leaves the picture black.
    Over,
}

/// How the centre is shared.
pub struct Shares {
    pub panes: Vec<Pane>,
    /// Sides of the source's picture and of the others, and widths of their columns.
    pub sides: [f32; 2],
    pub columns: [f32; 2],
    pub words: Words,
    /// Height of the lines.
    below: f32,
}

impl Shares {
    /// `as_large`: the source is worked on or wanted so, and no smaller than what was made.
    pub fn of(panes: Vec<Pane>, area: Vec2, words: Words, as_large: bool) -> Self {
        let gaps = GAP * (panes.len() - 1) as f32;
        let third = (area.x - gaps) / panes.len() as f32;
        let title = if words == Words::Over { 0.0 } else { TITLE };
        // Beside those that were made, the source may be small: what it is like is seen in them.
        let with_source = panes.len() >= 3 && panes.first() == Some(&Pane::Source);
        let beside = with_source && !as_large && words != Words::Title && third >= CAPTION_WIDTH;
        let made = (panes.len() - 1) as f32;
        let least = match words {
            Words::Over => SOURCE_SIDE,
            Words::Title | Words::Below => CAPTION_WIDTH,
        };
        let width = match beside {
            true => ((area.x - gaps) / (made + SOURCE)).min((area.x - gaps - least) / made),
            false => third,
        };
        let below = match words {
            Words::Below if width >= WIDE => WIDE_CAPTION,
            Words::Below if area.y - CAPTION - title < SMALL_SIDE => BRIEF_CAPTION,
            Words::Below => CAPTION,
            Words::Title | Words::Over => 0.0,
        };
        let side = width.min(area.y - below - title).max(LEAST_SIDE);
        let source = match beside {
            true => (area.x - gaps - made * side).min(side),
            false => side,
        };
        // Of a picture that is narrower than its lines.
        let lines = if below == WIDE_CAPTION {
            WIDE
        } else {
            CAPTION_WIDTH
        };
        let column = |side: f32, lines: f32| match words {
            Words::Below => side.max(third.min(lines)),
            Words::Title | Words::Over => side,
        };
        // What is beside the others has the room that they leave.
        let of_source = if beside { CAPTION_WIDTH } else { lines };
        Self {
            sides: [source, side],
            columns: [column(source, of_source), column(side, lines)],
            panes,
            words,
            below,
        }
    }

    pub fn index(pane: Pane) -> usize {
        usize::from(pane != Pane::Source)
    }

    /// Whether the lines are the numbers alone.
    pub fn is_brief(&self) -> bool {
        self.below == BRIEF_CAPTION
    }

    /// Width and height of all of it.
    pub fn size(&self) -> Vec2 {
        let columns = self.panes.iter().map(|p| self.columns[Self::index(*p)]);
        let title = if self.words == Words::Over {
            0.0
        } else {
            TITLE
        };
        vec2(
            columns.sum::<f32>() + GAP * (self.panes.len() - 1) as f32,
            self.sides[1] + self.below + title,
        )
    }
}
