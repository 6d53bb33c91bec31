//! The view: the panes, how they are looked at (which comparison, which part, which tones), and playback.

pub(in crate::ui::explore) mod beat;
mod bottom;
mod calipers;
mod captions;
mod compare;
mod m_mode;
mod overlays;
mod panes;
pub(in crate::ui::explore) mod pictures;
mod shares;
mod time;
mod tracked;

use super::kept::Settings;
use super::made::choice::Choice;
use crate::engine::Part;
use crate::metrics::beat::{Grays, HEART_RATES};
use crate::ui::command::Command;
use crate::ui::look::Look;
use crate::ui::playback::{Playback, SPEEDS, Smoothness};
use crate::ui::widgets::Cine;
use egui::{Align2, Rect, Response, Vec2};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub use calipers::Calipers;
pub use overlays::Overlays;
pub use tracked::Tracked;

/// How the counterfactual is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    #[default]
    SideBySide,
    Wipe,
    Flicker,
    Difference,
    MMode,
}

impl Comparison {
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
    /// A counterfactual cine that stays beside the next ones.
    Pinned,
    Counterfactual,
}

impl Pane {
    pub const ALL: [Self; 4] = [
        Self::Source,
        Self::Factual,
        Self::Pinned,
        Self::Counterfactual,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::Factual => "Factual",
            Self::Pinned => "Pinned",
            Self::Counterfactual => "Counterfactual",
        }
    }

    /// The part of a run that the pane shows while it is made.
    pub(in crate::ui::explore) fn part(self) -> Option<Part> {
        match self {
            Self::Source | Self::Pinned => None,
            Self::Factual => Some(Part::Factual),
            Self::Counterfactual => Some(Part::Counterfactual),
        }
    }

    pub fn index(self) -> usize {
        self as usize
    }
}

/// Which of the panels at the sides are put away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    pub source: bool,
    pub settings: bool,
}

impl Folded {
    /// Nothing but pictures is wanted.
    pub fn both(self) -> bool {
        self.source && self.settings
    }
}

pub struct View {
    pub mode: Comparison,
    pub folded: Folded,
    /// The user wants the source beside the cines, and as large.
    pub source_beside: bool,
    /// Where a pane's word is, such as that it is an estimate.
    pub(in crate::ui::explore) word_at: Align2,
    /// How large the words in the upper left corner of each pane are, and those of the pane that is being drawn.
    pub(in crate::ui::explore) words: [Vec2; 4],
    pub(in crate::ui::explore) words_here: Option<Vec2>,
    /// Whether a pane's lines are the numbers alone, where there is little height.
    pub(in crate::ui::explore) brief: bool,
    /// The pane that has the whole centre to itself.
    pub alone: Option<Pane>,
    /// What the counterfactual is compared with: the factual cine, the source or the pinned one.
    pub against: Pane,
    /// The counterfactual's pane, or the one picture of a comparison, shows that instead, while a key is held.
    pub before: bool,
    /// Where the wipe's edge is, as a share of the width.
    pub edge: f32,
    /// Changes a second.
    pub flicker: f32,
    /// How many times over a difference is shown.
    pub gain: f32,
    /// The line of the M-mode, in shares of the picture.
    pub line: Option<[Vec2; 2]>,
    /// Whether the user drew it; else it is where it usually is in this heart.
    pub line_is_drawn: bool,
    /// The end of it that is being dragged.
    pub(in crate::ui::explore) line_end: Option<usize>,
    pub look: Look,
    /// Whether the source is played in phase with the generated cines, where its phase is known.
    pub align: bool,
    /// The time in the source of the cines' first phase, in seconds, and the correlation there.
    pub offset: Option<(f64, f64)>,
    /// Shows pictures between the frames of slow cines.
    pub interpolate: bool,
    pub overlays: Overlays,
    pub calipers: Calipers,
    /// The source's frames, small; `None` while they are decoded, and for stills.
    pub grays: Option<Arc<Grays>>,
    /// Counts how often these were taken: another mask makes others of the same recording.
    pub(in crate::ui::explore) times_taken: u64,
    /// The source's own volume over the beat.
    pub tracked: Tracked,
    pub(in crate::ui::explore) difference: Cine,
    pub(in crate::ui::explore) strips: [Cine; 4],
    pub playback: Playback,
    pub(in crate::ui::explore) smoothness: Smoothness,
    /// Beats a minute, for cines that are one normalised beat; playback only. The source's own where it
    /// says one, so it is not kept.
    pub heart_rate: f64,
    pub(in crate::ui::explore) cines: Cines,
    /// The export dialog, while it is open.
    pub exporting: Option<Choice>,
}

/// The textures of the source's panel and of the panes.
#[derive(Default)]
pub(in crate::ui::explore) struct Cines {
    pub editor: Cine,
    pub anatomy: Cine,
    pub panes: [Cine; 4],
}

/// Beats a minute, where nothing says how many.
const USUAL_HEART_RATE: f64 = 60.0;

impl Default for View {
    fn default() -> Self {
        Self {
            mode: Comparison::default(),
            folded: Folded::default(),
            source_beside: false,
            word_at: Align2::LEFT_TOP,
            words: [Vec2::ZERO; 4],
            words_here: None,
            brief: false,
            alone: None,
            against: Pane::Factual,
            before: false,
            edge: 0.5,
            flicker: 2.0,
            gain: 2.0,
            line: None,
            line_is_drawn: false,
            line_end: None,
            look: Look::default(),
            align: true,
            offset: None,
            interpolate: false,
            overlays: Overlays::default(),
            calipers: Calipers::default(),
            grays: None,
            times_taken: 0,
            tracked: Tracked::default(),
            difference: Cine::default(),
            strips: Default::default(),
            playback: Playback::default(),
            smoothness: Smoothness::default(),
            heart_rate: USUAL_HEART_RATE,
            cines: Cines::default(),
            exporting: None,
        }
    }
}

impl View {
    /// As it was left. A settings file may hold anything.
    pub(in crate::ui::explore) fn from_settings(settings: &Settings) -> Self {
        let mut view = Self {
            mode: settings.mode,
            folded: Folded {
                source: settings.source_folded,
                settings: settings.settings_folded,
            },
            source_beside: settings.source_beside,
            overlays: settings.overlays,
            ..Self::default()
        };
        if SPEEDS.contains(&settings.speed) {
            view.playback.set_speed(settings.speed, 0.0);
        }
        view
    }

    pub(in crate::ui::explore) fn keep(&self, settings: &mut Settings) {
        settings.mode = self.mode;
        settings.overlays = self.overlays;
        settings.source_folded = self.folded.source;
        settings.settings_folded = self.folded.settings;
        settings.source_beside = self.source_beside;
        settings.speed = self.playback.speed();
    }

    /// Takes over how fast the source's heart beats, in beats a minute.
    pub(in crate::ui::explore) fn beat_at(&mut self, rate: Option<f64>) {
        let (slowest, fastest) = HEART_RATES.into_inner();
        self.heart_rate = rate.unwrap_or(USUAL_HEART_RATE).clamp(slowest, fastest);
    }

    /// What its own commands change. False of all others.
    pub(in crate::ui::explore) fn obey(&mut self, command: Command, now: f64) -> bool {
        match command {
            Command::PlayPause => self.playback.toggle(now),
            Command::Slower => self.playback.change_speed(-1, now),
            Command::Faster => self.playback.change_speed(1, now),
            Command::Bounce => self.playback.set_bounce(!self.playback.bounces()),
            Command::SourcePanel => self.folded.source ^= true,
            Command::SettingsPanel => self.folded.settings ^= true,
            Command::Invert => self.look.invert ^= true,
            Command::ResetView => self.look = Look::default(),
            Command::Outline => self.overlays.toggle_outline(),
            Command::Overlays => self.overlays.hidden ^= true,
            Command::Export => self.exporting = Some(Choice::default()),
            _ => match Comparison::ALL.iter().find(|(_, its)| *its == command) {
                Some((mode, _)) => {
                    self.mode = *mode;
                    self.calipers.end();
                }
                None => return false,
            },
        }
        true
    }

    /// The parts of a picture that lie beside and below the words in its corner. What plays is not drawn below words,
    /// so that these stand still and are drawn once.
    pub(in crate::ui::explore) fn beside_words(&self, rect: Rect) -> Vec<Rect> {
        let Some(words) = self.words_here else {
            return vec![rect];
        };
        let corner = rect.min + words;
        vec![
            rect.with_min_x(corner.x),
            rect.with_max_x(corner.x).with_min_y(corner.y),
        ]
    }

    /// What lasts as long as its key is held.
    pub(in crate::ui::explore) fn hear_held_keys(&mut self, ctx: &egui::Context) {
        let key = Command::BeforeAfter.shortcut().logical_key;
        let held = !ctx.text_edit_focused() && ctx.input(|i| i.key_down(key));
        self.before = held;
    }

    /// Nothing is compared with, and nothing is alone, that is not there.
    pub(in crate::ui::explore) fn keep_comparable(&mut self, is_pinned: bool) {
        if is_pinned {
            // Beside the next one, not instead of it.
            self.alone = None;
        } else if self.against == Pane::Pinned {
            self.against = Pane::Factual;
        }
        self.alone = self.alone.filter(|pane| is_pinned || *pane != Pane::Pinned);
    }

    /// Another source, or another square of it.
    pub fn forget_source(&mut self) {
        self.calipers.forget();
        self.grays = None;
        self.offset = None;
        if !self.line_is_drawn {
            self.line = None;
        }
    }

    /// The source's frames are there, or cannot be had.
    pub(in crate::ui::explore) fn take(&mut self, grays: Option<Arc<Grays>>) {
        self.grays = grays;
        self.times_taken += 1;
    }

    /// No picture of what was open before stays.
    pub(in crate::ui::explore) fn forget_pictures(&mut self) {
        self.cines = Cines::default();
        self.difference = Cine::default();
        self.strips = Default::default();
    }

    /// Wheel and pinch zoom, left drags move, right drags change window and level.
    pub fn handle(&mut self, response: &Response, rect: Rect, moves: bool) {
        let share = |v: Vec2| v / rect.size();
        if let Some(at) = response.hover_pos() {
            let (scrolled, pinched) = response
                .ctx
                .input(|i| (i.smooth_scroll_delta().y, i.zoom_delta()));
            // On a difference that is its gain.
            let pinched = match self.mode {
                Comparison::Difference => 1.0,
                _ => pinched,
            };
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{pos2, vec2};

    #[test]
    fn a_picture_is_drawn_beside_its_words_and_nowhere_twice() {
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(400.0, 300.0));
        let mut view = View::default();
        assert_eq!(view.beside_words(rect), [rect]);
        view.words_here = Some(vec2(170.0, 110.0));
        let parts = view.beside_words(rect);
        let words = Rect::from_min_size(rect.min, vec2(170.0, 110.0));
        for x in 0..40 {
            for y in 0..30 {
                let at = rect.min + vec2(10.0 * x as f32 + 5.0, 10.0 * y as f32 + 5.0);
                let in_parts = parts.iter().filter(|part| part.contains(at)).count();
                assert_eq!(in_parts, usize::from(!words.contains(at)), "{at}");
            }
        }
    }
}
