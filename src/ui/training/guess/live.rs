//! A sitting on screen: a case that plays, a guess, and what it was.

use super::super::keys::{Pressed, pressed};
use super::super::pane::{Beating, Overlay, Pane, cycle, there, volume_curve};
use super::super::reel::Reel;
use super::super::stock::sentence;
use super::entry::Entry;
use crate::drill::case::Case;
use crate::drill::material::Subject;
use crate::drill::profile::{GUESSES, Mode};
use crate::drill::rungs::{Role, Rung, around};
use crate::drill::sitting::{Done, Sitting};
use crate::study::stamp::Stamp;
use crate::ui::parts::{error, main_button, muted};
use crate::ui::theme::{GAP, SMALL_GAP, background};
use crate::ui::widgets::{EfScale, Told};
use egui::{RichText, Ui, vec2};

/// A sitting, and what of it is on screen.
pub struct Live {
    pub sitting: Sitting,
    entry: Entry,
    beating: Beating,
    /// When the case was first seen, by the window's clock in seconds.
    seen: Option<f64>,
    /// Rungs of the case that was answered.
    rungs: Vec<Rung>,
    outline: bool,
    panes: Vec<Pane>,
    why: Option<String>,
    /// Leaving was asked once.
    leaving: bool,
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    Yes,
    /// It is over, or was left.
    No,
}

/// Points of the words beside the clip.
const SIDE: f32 = 300.0;

impl Live {
    pub fn new(sitting: Sitting) -> Self {
        Self {
            sitting,
            entry: Entry::default(),
            beating: Beating::default(),
            seen: None,
            rungs: Vec::new(),
            outline: false,
            panes: Vec::new(),
            why: None,
            leaving: false,
        }
    }

    /// Asks before it ends early.
    pub fn step_back(&mut self) {
        self.leaving = !self.leaving;
    }

    /// The case on screen, those beside it, and the one that comes next.
    fn wanted(&self) -> Vec<Subject> {
        let case = self.sitting.case().map(Case::subject);
        let rungs = self.rungs.iter().map(|r| r.case.subject());
        let next = self.sitting.next().map(Case::subject);
        case.into_iter().chain(rungs).chain(next).collect()
    }

    pub fn ui(&mut self, ui: &mut Ui, reel: &Reel, entered: bool) -> Stays {
        let Some(case) = self.sitting.case().cloned() else {
            return Stays::No;
        };
        reel.want(self.wanted());
        let now = ui.input(|i| i.time);
        let subject = case.subject();
        let (seconds, frames) = cycle(reel, &subject);
        if self.seen.is_none() && frames > 0 {
            self.seen = Some(now);
            self.beating = Beating::start(now);
        }
        self.beating.wake(ui, now, seconds, frames);
        let told = self.told();
        self.keys(ui, now, seconds, told);
        let late = self.watch_limit(ui, now);
        let mut go_on = entered;
        let mut stays = Stays::Yes;
        egui::Panel::bottom("scale")
            .frame(background(ui).inner_margin(egui::Margin::symmetric(16, 4)))
            .show(ui, |ui| go_on |= self.scale(ui, told));
        egui::Panel::right("case")
            .resizable(false)
            .exact_size(SIDE.min(0.4 * ui.available_width()))
            .frame(background(ui).inner_margin(12))
            .show(ui, |ui| {
                stays = self.words(ui, now, seconds, told);
                if let Some(Ok(material)) = reel.get(&subject).filter(|_| told && self.outline) {
                    volume_curve(ui, &material, self.beating.phase(now, seconds));
                }
            });
        egui::CentralPanel::default()
            .frame(background(ui).inner_margin(8))
            .show(ui, |ui| {
                let phase = self.beating.phase(now, seconds);
                match told {
                    true => self.feedback(ui, reel, &case, phase),
                    false => self.clip(ui, reel, &subject, phase, now, seconds),
                }
            });
        if late || go_on {
            stays = self.go_on(now, seconds, late).min_with(stays);
        }
        stays
    }

    /// Whether the truth is on screen.
    fn told(&self) -> bool {
        self.sitting.is_answered() && self.sitting.tells_at_once()
    }

    fn keys(&mut self, ui: &Ui, now: f64, seconds: f64, told: bool) {
        for key in pressed(ui.ctx()) {
            match key {
                Pressed::Digit(digit) if !told => self.entry.digit(digit),
                Pressed::Backspace if !told => self.entry.backspace(),
                Pressed::Left if !told => self.entry.step(-1),
                Pressed::Right if !told => self.entry.step(1),
                Pressed::Space => self.beating.toggle(now, seconds),
                Pressed::Outline if told => self.outline = !self.outline,
                _ => {}
            }
        }
    }

    /// Seconds since the case was first seen.
    fn elapsed(&self, now: f64) -> f64 {
        self.seen.map_or(0.0, |seen| (now - seen).max(0.0))
    }

    fn loops(&self, now: f64, seconds: f64) -> usize {
        match seconds > 0.0 {
            true => (self.elapsed(now) / seconds) as usize + 1,
            false => 0,
        }
    }

    /// Whether the time for this case has passed.
    fn watch_limit(&self, ui: &Ui, now: f64) -> bool {
        let (Some(limit), Some(_)) = (self.sitting.time_limit_s(), self.seen) else {
            return false;
        };
        if self.sitting.is_answered() {
            return false;
        }
        let left = limit - self.elapsed(now);
        let soon = std::time::Duration::from_secs_f64(left.clamp(0.01, 1.0));
        ui.request_repaint_after(soon);
        left <= 0.0
    }

    /// Gives the guess, or goes on to the next case.
    fn go_on(&mut self, now: f64, seconds: f64, late: bool) -> Stays {
        if !self.sitting.is_answered() {
            let guess = self.entry.guess();
            if guess.is_none() && !late {
                return Stays::Yes;
            }
            let took = (10.0 * self.elapsed(now)).round() / 10.0;
            let loops = self.loops(now, seconds);
            let utc = Stamp::now().utc();
            if let Err(e) = self.sitting.answer(guess, took, loops, &utc) {
                self.why = Some(sentence(&e));
                return Stays::Yes;
            }
            self.why = None;
            if self.sitting.tells_at_once() {
                let case = self.sitting.case().cloned();
                let source = &self.sitting.about().source;
                self.rungs = case.map_or_else(Vec::new, |c| around(&c, guess, source));
                return Stays::Yes;
            }
        }
        self.sitting.proceed();
        self.entry = Entry::default();
        self.rungs = Vec::new();
        self.seen = None;
        self.leaving = false;
        match self.sitting.case() {
            Some(_) => Stays::Yes,
            None => Stays::No,
        }
    }

    /// The scale with the button beside it. Whether that was pressed.
    fn scale(&mut self, ui: &mut Ui, told: bool) -> bool {
        let truth = self.sitting.case().filter(|_| told);
        let told_on_scale = truth.map(|c| Told {
            ef_percent: c.ef_percent,
        });
        ui.horizontal(|ui| {
            let width = (ui.available_width() - 150.0).max(120.0);
            let scale = ui
                .allocate_ui_with_layout(
                    vec2(width, 0.0),
                    egui::Layout::top_down(egui::Align::Min),
                    |ui| {
                        let scale = EfScale {
                            value: self.entry.guess(),
                            told: told_on_scale,
                            size: 1.0,
                        };
                        scale.show(ui).1
                    },
                )
                .inner;
            if let Some(value) = scale {
                self.entry.set(value);
            }
            let (text, enabled) = match told {
                true => ("Next", true),
                false => ("Check", self.entry.guess().is_some()),
            };
            // What Enter does was taken from the keyboard already.
            main_button(ui, text, enabled, false)
        })
        .inner
    }

    /// What is said beside the clip. Whether the sitting goes on.
    fn words(&mut self, ui: &mut Ui, now: f64, seconds: f64, told: bool) -> Stays {
        let (place, count) = self.sitting.place();
        let kind = match self.sitting.mode() {
            Mode::Practice => "Practice",
            Mode::Test => "Test",
            Mode::Class => "Class",
        };
        ui.label(
            RichText::new(format!("{kind}, case {place} of {count}"))
                .strong()
                .size(16.0),
        );
        muted(ui, format!("Profile: {}", self.sitting.alias()));
        ui.add_space(GAP);
        match (told, self.sitting.done().last()) {
            (true, Some(done)) => verdict(ui, done, &self.sitting.about().in_words()),
            _ => self.asked(ui, now),
        }
        if let Some(why) = &self.why {
            ui.add_space(SMALL_GAP);
            error(ui, why.clone());
        }
        ui.add_space(GAP);
        if told {
            ui.checkbox(&mut self.outline, "Outline and volume (O)");
        }
        let playing = if self.beating.is_playing() {
            "Stop (Space)"
        } else {
            "Play (Space)"
        };
        if ui.button(playing).clicked() {
            self.beating.toggle(now, seconds);
        }
        ui.add_space(GAP);
        if !self.leaving {
            if ui.button("Leave...").clicked() {
                self.leaving = true;
            }
            return Stays::Yes;
        }
        muted(ui, "What was answered is kept.");
        let left = ui.button("Leave").clicked();
        if ui.button("Go on").clicked() {
            self.leaving = false;
        }
        if left { Stays::No } else { Stays::Yes }
    }

    /// Before the guess.
    fn asked(&self, ui: &mut Ui, now: f64) {
        ui.label("What is the ejection fraction?");
        let typed = self.entry.typed().map_or("_ _".into(), |v| v.to_string());
        ui.label(RichText::new(format!("{typed} %")).size(34.0).strong());
        let (low, high) = (GUESSES.start(), GUESSES.end());
        match (self.entry.typed(), self.entry.guess()) {
            (Some(_), None) => error(ui, format!("A guess is {low} to {high} %.")),
            _ => muted(
                ui,
                "Type two digits and press Enter, or click on the scale.",
            ),
        }
        if let Some(limit) = self.sitting.time_limit_s() {
            let left = (limit - self.elapsed(now)).max(0.0).ceil();
            ui.label(format!("{left:.0} s left"));
        }
        if let Some(most) = self.sitting.most_loops() {
            muted(ui, format!("The clip plays {most} times."));
        }
    }

    fn pane(&mut self, i: usize) -> &mut Pane {
        while self.panes.len() <= i {
            self.panes.push(Pane::default());
        }
        // There are so many now.
        &mut self.panes[i]
    }

    /// The clip alone, as large as there is room.
    fn clip(
        &mut self,
        ui: &mut Ui,
        reel: &Reel,
        subject: &Subject,
        phase: f64,
        now: f64,
        seconds: f64,
    ) {
        let room = ui.available_size();
        let side = room.min_elem().max(40.0);
        let outcome = reel.get(subject);
        let played = self
            .sitting
            .most_loops()
            .is_some_and(|most| self.loops(now, seconds) > most);
        ui.vertical_centered(|ui| {
            let shown = there(subject, &outcome).filter(|_| !played);
            let caption = if played {
                "The clip has been played."
            } else {
                ""
            };
            let overlay = Overlay {
                caption,
                ..Overlay::default()
            };
            self.pane(0).show(ui, "Clip", side, shown, phase, overlay);
        });
    }

    /// The case between its rungs, in phase.
    fn feedback(&mut self, ui: &mut Ui, reel: &Reel, case: &Case, phase: f64) {
        let mut all: Vec<(Case, String, bool)> = self
            .rungs
            .iter()
            .map(|r| (r.case.clone(), caption(r), false))
            .collect();
        let text = format!("This case: {:.1} %", case.ef_percent);
        let middle = all
            .iter()
            .position(|(c, ..)| c.ef_percent > case.ef_percent);
        let steps = self
            .rungs
            .iter()
            .filter(|r| r.role != Role::Guessed)
            .count();
        let at = middle.unwrap_or(steps).min(steps);
        all.insert(at, (case.clone(), text, true));
        let room = ui.available_size();
        let (columns, side) = grid(all.len(), room.x, room.y);
        let rows = all.len().div_ceil(columns);
        let height = rows as f32 * (side + SMALL_GAP);
        ui.spacing_mut().item_spacing = vec2(SMALL_GAP, SMALL_GAP);
        ui.add_space(((room.y - height) / 2.0).max(0.0));
        for (r, row) in all.chunks(columns).enumerate() {
            let width = row.len() as f32 * (side + SMALL_GAP);
            ui.horizontal(|ui| {
                ui.add_space(((room.x - width) / 2.0).max(0.0));
                for (c, (case, text, marked)) in row.iter().enumerate() {
                    let subject = case.subject();
                    let outcome = reel.get(&subject);
                    let overlay = Overlay {
                        caption: text,
                        outline: self.outline,
                        marked: *marked,
                    };
                    let shown = there(&subject, &outcome);
                    self.pane(1 + r * columns + c)
                        .show(ui, text, side, shown, phase, overlay);
                }
            });
        }
    }
}

impl Stays {
    /// Whichever of both ends it.
    fn min_with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::No,
        }
    }
}

/// The columns, and the side of a square, with which `n` squares are largest in so much room.
pub fn grid(n: usize, width: f32, height: f32) -> (usize, f32) {
    let side = |columns: usize| {
        let rows = n.div_ceil(columns);
        let of = |room: f32, count: usize| room / count as f32 - SMALL_GAP;
        of(width, columns).min(of(height, rows))
    };
    let best = (1..=n.max(1)).max_by(|a, b| side(*a).total_cmp(&side(*b)));
    let columns = best.unwrap_or(1);
    (columns, side(columns).max(24.0))
}

fn caption(rung: &Rung) -> String {
    let ef = rung.case.ef_percent;
    match rung.role {
        Role::Step(by) if by < 0.0 => format!("Lower: {ef:.1} %"),
        Role::Step(_) => format!("Higher: {ef:.1} %"),
        Role::Guessed => format!("Your guess as a heart: {ef:.0} %"),
    }
}

/// What the guess was.
fn verdict(ui: &mut Ui, done: &Done, truth: &str) {
    use crate::drill::case::Relevance;
    ui.label("The truth");
    let ef = format!("{:.1} %", done.case.ef_percent);
    ui.label(RichText::new(ef).size(34.0).strong());
    muted(ui, format!("({truth})"));
    ui.add_space(SMALL_GAP);
    let (Some(guess), Some(verdict)) = (done.guess_percent, done.verdict) else {
        ui.label("No guess in time.");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_as_large_as_the_room_allows() {
        assert_eq!(grid(6, 930.0, 600.0).0, 3);
        assert_eq!(grid(6, 2000.0, 300.0).0, 6);
        assert_eq!(grid(1, 500.0, 300.0), (1, 300.0 - SMALL_GAP));
        assert!(grid(6, 10.0, 10.0).1 >= 24.0);
    }
}
