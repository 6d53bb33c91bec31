//! A ward's export as a grid of thumbnails, and the way through it: kind, frames, rate, size, and what was made.
//! No names: neither the files' nor what is burned in outside the square.

mod batch;
mod card;

pub use card::{Look, look};

use super::command::Command;
use super::explore::Wanted;
use super::parts;
use super::projector::Wake;
use super::theme::{GAP, tokens};
use crate::calibration::Calibration;
use crate::ef::{EfPercent, SLIDER_RANGE};
use crate::engine::{Engine, Event};
use batch::{Came, Making};
use card::{CAPTION, Card, Did, SIDE};
use egui::{DragValue, Key, Modifiers, RichText, Ui};
use std::path::{Path, PathBuf};

/// A folder's or a disc's recordings, to choose from and to go through.
pub struct Folder {
    total: usize,
    looked_at: usize,
    cards: Vec<Card>,
    /// The grid is over the screen; else one of its recordings is open.
    pub is_shown: bool,
    /// The card that the keyboard is at.
    at: usize,
    /// The card whose recording is being opened, and the one whose recording is open.
    opening: Option<usize>,
    open: Option<usize>,
    /// The card comes into view.
    goes_there: bool,
    /// Columns of the grid.
    columns: usize,
    /// What is to be made of those that are chosen, in percent.
    ef: f64,
    making: Making,
    wake: Wake,
}

/// What the user wants.
pub enum Answer {
    Open(PathBuf),
    Close,
    /// No more files are to be looked at.
    Stop,
    /// An EF of all that are chosen.
    Make,
    /// No more of it.
    Cancel,
}

impl Folder {
    /// Of so many files; `ef` is what is asked for now.
    pub fn new(total: usize, ef: f64, wake: Wake) -> Self {
        Self {
            total,
            looked_at: 0,
            cards: Vec::new(),
            is_shown: true,
            at: 0,
            opening: None,
            open: None,
            goes_there: false,
            columns: 1,
            ef,
            making: Making::default(),
            wake,
        }
    }

    pub fn add(&mut self, look: Look) {
        self.looked_at += 1;
        if let Some(thumbnail) = look.thumbnail {
            self.cards.push(Card::new(look.path, thumbnail));
        }
    }

    /// Of the recording that is open, in the grid's order from 1, and of how many.
    pub fn place(&self) -> Option<(usize, usize)> {
        Some((self.open? + 1, self.cards.len()))
    }

    /// Puts the grid on the screen, where it was.
    pub fn come_back(&mut self) {
        self.is_shown = true;
        self.at = self.open.unwrap_or(self.at);
        self.goes_there = true;
    }

    /// Puts the grid away, if a recording of it is open behind it. Else it is to be closed.
    pub fn put_away(&mut self) -> bool {
        self.is_shown = self.open.is_none();
        !self.is_shown
    }

    /// The recording before or after the one that is open; none past the ends.
    pub fn step(&mut self, by: isize) -> Option<PathBuf> {
        let from = self.opening.or(self.open)?;
        let next = from.checked_add_signed(by)?;
        let card = self.cards.get(next)?;
        self.opening = Some(next);
        Some(card.path.clone())
    }

    /// A recording was opened: whether it is the one that was chosen here.
    pub fn is_opened(&mut self, path: &Path) -> bool {
        let Some(i) = self.opening.take() else {
            return false;
        };
        let own = self.cards.get(i).map(|card| card.path.as_path());
        if own != Some(path) {
            return false;
        }
        self.open = Some(i);
        self.at = i;
        self.is_shown = false;
        true
    }

    /// A recording could not be opened: the one before still is.
    pub fn is_not_opened(&mut self) {
        self.opening = None;
    }

    /// Notes of which EFs cines of the open recording are at hand.
    pub fn note_made(&mut self, efs: &[f64]) {
        if let Some(card) = self.open.and_then(|i| self.cards.get_mut(i)) {
            efs.iter().for_each(|ef| card.note_made(*ef));
        }
    }

    /// What a key does while the grid is on the screen.
    pub fn obey(&mut self, command: Command) -> Option<Answer> {
        let last = self.cards.len().checked_sub(1)?;
        let to = match command {
            Command::EfDown => self.at.saturating_sub(1),
            Command::EfUp => self.at + 1,
            Command::PreviousClip => self.at.saturating_sub(3 * self.columns),
            Command::NextClip => self.at + 3 * self.columns,
            Command::PlayPause => {
                let card = self.cards.get_mut(self.at)?;
                card.is_chosen = !card.is_chosen;
                return None;
            }
            Command::Run => return self.chosen(self.at),
            _ => return None,
        };
        self.go(to.min(last));
        None
    }

    fn go(&mut self, to: usize) {
        self.at = to;
        self.goes_there = true;
    }

    fn chosen(&mut self, i: usize) -> Option<Answer> {
        let path = self.cards.get(i)?.path.clone();
        self.opening = Some(i);
        Some(Answer::Open(path))
    }

    /// Has an EF made of all that are chosen, with settings. A sentence where it cannot.
    pub fn make(&mut self, settings: &Wanted, calibration: Option<&Calibration>) -> Option<String> {
        let chosen = self.cards.iter().enumerate().filter(|(_, c)| c.is_chosen);
        let chosen = chosen.map(|(i, c)| (i, c.path.clone())).collect();
        let ef = EfPercent::new(self.ef.round()).ok()?;
        let alike = Box::new(settings.alike(ef, calibration));
        let begun = self.making.begin(chosen, alike, ef.get(), &self.wake);
        begun.err()
    }

    pub fn cancel(&mut self, engine: &Engine) {
        self.making.cancel(engine);
    }

    /// Another cascade is in use: what was made was made by the one before.
    pub fn settle(&mut self, engine: &Engine) {
        self.making.cancel(engine);
        self.cards.iter_mut().for_each(|card| card.made.clear());
    }

    /// Looks whether what other threads do has come. A sentence where it failed.
    pub fn pursue(&mut self, engine: &mut Engine) -> Option<String> {
        self.making.pursue(engine)
    }

    /// Takes one of the worker's events. A sentence at the end.
    pub fn hear(&mut self, event: &Event) -> Option<Result<String, String>> {
        match self.making.hear(event)? {
            Came::Cine(i, ef) => {
                self.cards.get_mut(i)?.note_made(ef);
                None
            }
            Came::End { ef, made, chosen } => {
                let recordings = if chosen == 1 {
                    "recording"
                } else {
                    "recordings"
                };
                let text = format!("EF {ef:.0} % was made of {made} of {chosen} {recordings}");
                Some(match made == chosen {
                    true => Ok(text + ": each is there at once when it is opened."),
                    false => Err(text + "; the others could not be read, or were not made."),
                })
            }
        }
    }

    pub fn show(&mut self, ui: &mut Ui, is_surveying: bool) -> Option<Answer> {
        let mut answer = None;
        ui.horizontal(|ui| {
            ui.label(RichText::new("Choose a recording").strong().size(15.0));
            if ui.button("Close").clicked() {
                answer = Some(Answer::Close);
            }
            answer = self.about_survey(ui, is_surveying).or(answer.take());
        });
        if !self.cards.is_empty() {
            answer = self.batch_line(ui).or(answer);
        }
        ui.add_space(GAP);
        if self.cards.is_empty() && !is_surveying {
            ui.label("There is no recording here. Open another folder or a single file.");
            return answer;
        }
        self.hear_rows(ui);
        self.grid(ui).or(answer)
    }

    fn about_survey(&self, ui: &mut Ui, is_surveying: bool) -> Option<Answer> {
        if is_surveying {
            let share = self.looked_at as f32 / self.total.max(1) as f32;
            let text = format!("{} of {} files", self.looked_at, self.total);
            let bar = egui::ProgressBar::new(share).text(text);
            ui.add(bar.desired_width(220.0));
            return ui.button("Stop").clicked().then_some(Answer::Stop);
        }
        let none = self.looked_at - self.cards.len();
        let mut text = format!("{} recordings", self.cards.len());
        if none > 0 {
            let files = if none == 1 { "file" } else { "files" };
            text += &format!(", {none} {files} without a picture");
        }
        if self.looked_at < self.total {
            text += &format!(", {} not looked at", self.total - self.looked_at);
        }
        ui.label(RichText::new(text).color(tokens(ui).muted));
        None
    }

    /// What can be made of those that are chosen, and how far that is.
    fn batch_line(&mut self, ui: &mut Ui) -> Option<Answer> {
        let mut answer = None;
        ui.horizontal(|ui| {
            if let Some(progress) = self.making.progress() {
                let cancelled = parts::progress(ui, &progress);
                answer = cancelled.then_some(Answer::Cancel);
                return;
            }
            let n = self.cards.iter().filter(|c| c.is_chosen).count();
            let (text, to) = match n == self.cards.len() {
                true => ("Choose none", false),
                false => ("Choose all", true),
            };
            if ui.button(text).clicked() {
                self.cards.iter_mut().for_each(|c| c.is_chosen = to);
            }
            ui.add_enabled_ui(n > 0, |ui| {
                let label = ui.label("Make EF");
                let field = DragValue::new(&mut self.ef).range(SLIDER_RANGE);
                ui.add(field.max_decimals(0).suffix(" %"))
                    .labelled_by(label.id);
                let text = match n {
                    0 => "of those that are chosen".to_owned(),
                    n => format!("of {n} chosen"),
                };
                let make = ui.button(text).on_hover_text(
                    "In the background, with the settings at the right: opened later, each is there at once.",
                );
                if make.clicked() {
                    answer = Some(Answer::Make);
                }
            });
        });
        answer
    }

    /// Up and down, which no command has.
    fn hear_rows(&mut self, ui: &Ui) {
        let Some(last) = self.cards.len().checked_sub(1) else {
            return;
        };
        if ui.memory(|m| m.focused().is_some()) {
            return;
        }
        let pressed = |key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
        if pressed(Key::ArrowUp) {
            self.go(self.at.saturating_sub(self.columns));
        }
        if pressed(Key::ArrowDown) {
            self.go((self.at + self.columns).min(last));
        }
    }

    fn grid(&mut self, ui: &mut Ui) -> Option<Answer> {
        let columns = ((ui.available_width() + GAP) / (SIDE + GAP)).floor();
        let columns = columns.max(1.0) as usize;
        self.columns = columns;
        let rows = self.cards.len().div_ceil(columns);
        let (mut open, mut choose) = (None, None);
        let height = SIDE + CAPTION;
        let mut area = egui::ScrollArea::vertical()
            .id_salt("recordings")
            .auto_shrink(false);
        if std::mem::take(&mut self.goes_there) {
            let top = (self.at / columns) as f32 * (height + ui.spacing().item_spacing.y);
            let middle = top - 0.5 * (ui.available_height() - height);
            area = area.vertical_scroll_offset(middle.max(0.0));
        }
        area.show_rows(ui, height, rows, |ui, visible| {
            for row in visible {
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = GAP;
                    for i in row * columns..((row + 1) * columns).min(self.cards.len()) {
                        match self.cards[i].show(ui, i, i == self.at) {
                            Did::Nothing => {}
                            Did::Open => open = Some(i),
                            Did::Choose => choose = Some(i),
                        }
                    }
                });
            }
        });
        if let Some(card) = choose.and_then(|i| self.cards.get_mut(i)) {
            card.is_chosen = !card.is_chosen;
        }
        open.and_then(|i| self.chosen(i))
    }
}
