//! How the panes are looked at: which comparison, which part, which tones.

use super::alignment::Grays;
use crate::ui::command::Command;
use crate::ui::look::Look;
use crate::ui::widgets::Cine;
use egui::{Rect, Response, Vec2};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How the counterfactual is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    #[default]
    SideBySide,
    Wipe,
    Flicker,
    Difference,
    MMode,
}

impl Mode {
    pub const ALL: [(Self, Command); 5] = [
        (Self::SideBySide, Command::SideBySide),
        (Self::Wipe, Command::Wipe),
        (Self::Flicker, Command::Flicker),
        (Self::Difference, Command::Difference),
        (Self::MMode, Command::MMode),
    ];
}

/// A pane, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    Source,
    Factual,
    Counterfactual,
}

impl Pane {
    pub const ALL: [Self; 3] = [Self::Source, Self::Factual, Self::Counterfactual];

    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::Factual => "Factual",
            Self::Counterfactual => "Counterfactual",
        }
    }

    pub fn index(self) -> usize {
        self as usize
    }
}

pub struct Viewing {
    pub mode: Mode,
    /// What the counterfactual is compared with: the source or the factual cine.
    pub against: Pane,
    /// Where the wipe's edge is, as a share of the width.
    pub edge: f32,
    /// Changes a second.
    pub flicker: f32,
    /// The line of the M-mode, in shares of the picture.
    pub line: Option<[Vec2; 2]>,
    pub look: Look,
    /// Whether the source is played in phase with the generated cines, where its phase is known.
    pub align: bool,
    /// The time in the source of the cines' first phase, in seconds, and the correlation there.
    pub offset: Option<(f64, f64)>,
    /// Shows pictures between the frames of slow cines.
    pub interpolate: bool,
    /// Whether the left ventricle's outline is drawn, where the cascade gives one.
    pub outline: bool,
    /// The source's frames, small; `None` while they are decoded, and for stills.
    pub grays: Option<Arc<Grays>>,
    pub(super) difference: Cine,
    pub(super) strips: [Cine; 3],
}

impl Default for Viewing {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            against: Pane::Factual,
            edge: 0.5,
            flicker: 2.0,
            line: None,
            look: Look::default(),
            align: true,
            offset: None,
            interpolate: false,
            outline: false,
            grays: None,
            difference: Cine::default(),
            strips: Default::default(),
        }
    }
}

impl Viewing {
    /// Another source, or another square of it.
    pub fn forget_source(&mut self) {
        self.grays = None;
        self.offset = None;
    }

    /// Wheel and pinch zoom, left drags move, right drags change window and level, a double click
    /// resets.
    pub fn handle(&mut self, response: &Response, rect: Rect, moves: bool) {
        let share = |v: Vec2| v / rect.size();
        if let Some(at) = response.hover_pos() {
            let (scrolled, pinched) = response
                .ctx
                .input(|i| (i.smooth_scroll_delta().y, i.zoom_delta()));
            let factor = pinched * (scrolled / 200.0).exp();
            if factor != 1.0 {
                self.look.zoom_at(share(at - rect.min), factor);
            }
        }
        if moves && response.dragged_by(egui::PointerButton::Primary) {
            self.look.pan(share(response.drag_delta()));
        }
        if response.dragged_by(egui::PointerButton::Secondary) {
            self.look.adjust(share(response.drag_delta()));
        }
        if response.double_clicked() {
            self.look = Look::default();
        }
    }
}
