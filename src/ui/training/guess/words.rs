//! What is said beside the clip.

use super::super::figures::ef_in_words;
use super::super::pane::volume_curve;
use super::live::{Live, Now};
use crate::drill::case::{Case, Relevance};
use crate::drill::profile::{GUESSES, Mode};
use crate::drill::rungs::{Role, Rung};
use crate::drill::sitting::Done;
use crate::ui::parts::{error, muted};
use crate::ui::theme::{GAP, SMALL_GAP};
use egui::{RichText, ScrollArea, Ui};

/// What was asked for there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub leave: bool,
    /// The case cannot be seen: the next one.
    pub skip: bool,
}

impl Live {
    pub(super) fn words(&mut self, ui: &mut Ui, now: &Now) -> Said {
        let scroll = ScrollArea::vertical().auto_shrink(false);
        scroll.show(ui, |ui| self.all_words(ui, now)).inner
    }

    fn all_words(&mut self, ui: &mut Ui, now: &Now) -> Said {
        let mut said = Said::default();
        let (place, count) = self.sitting.place();
        let kind = match self.sitting.mode() {
            Mode::Practice => "Practice",
            Mode::Test => "Test",
            Mode::Class => "Class",
        };
        let head = format!("{kind}, case {place} of {count}");
        ui.add(egui::Label::new(RichText::new(head).strong().size(16.0)).wrap());
        muted(ui, format!("Profile: {}", self.sitting.alias()));
        ui.add_space(SMALL_GAP);
        match (now.told, self.sitting.done().last()) {
            (true, Some(done)) => verdict(ui, done, &self.sitting.about().in_words()),
            _ => said.skip = self.asked(ui, now),
        }
        if let Some(why) = &self.why {
            ui.add_space(SMALL_GAP);
            error(ui, why.clone());
        }
        ui.add_space(GAP);
        ui.horizontal_wrapped(|ui| {
            let playing = match self.beating.is_playing() {
                true => "Stop (Space)",
                false => "Play (Space)",
            };
            if ui.button(playing).clicked() {
                self.beating.toggle(now.seconds, now.cycle);
            }
            said.leave = self.leave(ui);
        });
        self.anatomy(ui, now);
        said
    }

    /// Asked twice.
    fn leave(&mut self, ui: &mut Ui) -> bool {
        if !self.leaving {
            self.leaving = ui.button("Leave...").clicked();
            return false;
        }
        let left = ui.button("Leave").clicked();
        if ui.button("Go on").clicked() {
            self.leaving = false;
        }
        muted(ui, "What was answered is kept.");
        left
    }

    /// The border and the volume, where they are known and the truth is told.
    fn anatomy(&mut self, ui: &mut Ui, now: &Now) {
        let Some(Ok(material)) = now.outcome.as_ref().filter(|_| now.told) else {
            return;
        };
        let text = match (material.has_outline(), material.beat.is_some()) {
            (true, _) => "Outline and volume (O)",
            (false, true) => "Volume (O)",
            (false, false) => return,
        };
        ui.add_space(SMALL_GAP);
        ui.checkbox(&mut self.outline, text);
        if self.outline {
            volume_curve(ui, material, self.beating.phase(now.seconds, now.cycle));
        }
    }

    /// Before the guess. Whether the case is to be skipped.
    fn asked(&self, ui: &mut Ui, now: &Now) -> bool {
        if now.failed() {
            error(
                ui,
                "This clip cannot be played. Skip it: it is not asked again.",
            );
            return ui.button("Skip").clicked();
        }
        ui.label("What is the ejection fraction?");
        let typed = match (self.entry.typed(), self.entry.is_half()) {
            (Some(v), true) => format!("{v}_"),
            (Some(v), false) => format!("{v:02}"),
            (None, _) => "_ _".into(),
        };
        ui.label(RichText::new(format!("{typed} %")).size(34.0).strong());
        let (low, high) = (GUESSES.start(), GUESSES.end());
        match (self.entry.typed(), self.entry.guess()) {
            (Some(_), None) if !self.entry.is_half() => {
                error(ui, format!("A guess is {low} to {high} %."));
            }
            _ => muted(
                ui,
                "Type two digits and press Enter, or click on the scale.",
            ),
        }
        if let Some(limit) = self.sitting.time_limit_s() {
            let left = (limit - self.looked_s()).max(0.0).ceil();
            ui.label(format!("{left:.0} s left"));
        }
        if let Some(most) = self.sitting.most_loops() {
            let times = match most {
                1 => "once".to_owned(),
                most => format!("{most} times"),
            };
            muted(ui, format!("The clip plays {times}."));
        }
        false
    }
}

pub fn ef(case: &Case) -> String {
    ef_in_words(case.ef_percent)
}

/// What stands on a rung.
pub fn caption(rung: &Rung) -> String {
    let ef = ef(&rung.case);
    match rung.role {
        Role::Step(by) if by < 0.0 => format!("Lower: {ef}"),
        Role::Step(_) => format!("Higher: {ef}"),
        // Guesses are whole.
        Role::Guessed => format!("Your guess as a heart: {:.0} %", rung.case.ef_percent),
    }
}

/// What the guess was.
fn verdict(ui: &mut Ui, done: &Done, truth: &str) {
    ui.label("The truth");
    ui.label(RichText::new(ef(&done.case)).size(34.0).strong());
    muted(ui, format!("({truth})"));
    ui.add_space(SMALL_GAP);
    let (Some(guess), Some(verdict)) = (done.guess_percent, done.verdict) else {
        ui.label("No guess was given.");
        return;
    };
    ui.label(RichText::new(format!("Your guess: {guess} %")).size(18.0));
    ui.label(format!("Error {:+.1} points", verdict.error));
    ui.add_space(SMALL_GAP);
    let (truth, guessed) = (verdict.truth.name(), verdict.guessed.name());
    let words = match verdict.relevance {
        Relevance::SameCategory => format!("Both {truth}."),
        _ => format!("It is {truth}, and you said {guessed}."),
    };
    ui.add(egui::Label::new(words).wrap());
    match verdict.relevance {
        Relevance::SameCategory => {}
        Relevance::AtTheBorder => muted(ui, "At the border: another category by 5 points or less."),
        Relevance::ClinicallyRelevant => error(
            ui,
            "Clinically relevant: another category, by more than 5 points.",
        ),
    }
}
