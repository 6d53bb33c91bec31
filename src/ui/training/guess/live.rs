//! A sitting on screen: a case that plays, a guess, and what it was.

use super::super::Since;
use super::super::keys::{Pressed, pressed};
use super::super::pane::{Beating, Overlay, Pane, cycle, there};
use super::super::reel::{Outcome, Reel};
use super::super::said::sentence;
use super::super::watch::Watch;
use super::entry::Entry;
use super::words;
use crate::drill::case::Case;
use crate::drill::material::Subject;
use crate::drill::rungs::{Role, Rung, around};
use crate::drill::sitting::Sitting;
use crate::study::stamp::Stamp;
use crate::ui::parts::main_button;
use crate::ui::theme::{SMALL_GAP, background};
use crate::ui::widgets::{Did, EfScale, Told};
use egui::{Ui, vec2};

/// A sitting, and what of it is on screen.
pub struct Live {
    pub sitting: Sitting,
    pub(super) entry: Entry,
    pub(super) beating: Beating,
    /// Since the case was first seen; none before.
    pub(super) watch: Option<Watch>,
    /// Rungs of the case that was answered.
    rungs: Vec<Rung>,
    pub(super) outline: bool,
    panes: Vec<Pane>,
    pub(super) why: Option<String>,
    /// Leaving was asked once.
    pub(super) leaving: bool,
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    Yes,
    /// It is over, or was left.
    No,
}

/// What the case on screen is, in this pass.
pub(super) struct Now {
    pub seconds: f64,
    /// Seconds of a loop; 0 while it is made.
    pub cycle: f64,
    pub outcome: Option<Outcome>,
    /// Whether the truth is on screen.
    pub told: bool,
}

impl Now {
    /// Where it is in its beat.
    fn phase(&self, beating: &Beating) -> f64 {
        beating.phase(self.seconds, self.cycle)
    }

    pub fn failed(&self) -> bool {
        matches!(self.outcome, Some(Err(_)))
    }
}

/// Points of the words beside the clip.
const SIDE: f32 = 300.0;

impl Live {
    pub fn new(sitting: Sitting) -> Self {
        Self {
            sitting,
            entry: Entry::default(),
            beating: Beating::default(),
            watch: None,
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

    /// The case on screen, those that are shown beside it when it is answered, and the one that comes next.
    fn wanted(&self) -> Vec<Subject> {
        let case = self.sitting.case();
        let source = &self.sitting.about().source;
        let beside = match case.filter(|_| self.rungs.is_empty() && self.sitting.tells_at_once()) {
            Some(case) => around(case, None, source),
            None => self.rungs.clone(),
        };
        let beside = beside.iter().map(|r| r.case.subject());
        let next = self.sitting.next().map(Case::subject);
        let case = case.map(Case::subject);
        case.into_iter().chain(beside).chain(next).collect()
    }

    pub fn ui(&mut self, ui: &mut Ui, reel: &Reel, keys: Since) -> Stays {
        let Some(case) = self.sitting.case().cloned() else {
            return Stays::No;
        };
        reel.want(self.wanted(), 1 + self.rungs.len());
        let subject = case.subject();
        let (cycle, frames) = cycle(reel, &subject);
        let now = Now {
            seconds: ui.input(|i| i.time),
            cycle,
            outcome: reel.get(&subject),
            told: self.sitting.is_answered() && self.sitting.tells_at_once(),
        };
        self.watched(ui, &now, frames, keys.away);
        self.keys(ui, &now);
        let late = self.is_late(ui);
        let mut go_on = keys.entered;
        let mut said = words::Said::default();
        egui::Panel::bottom("scale")
            .frame(background(ui).inner_margin(egui::Margin::symmetric(16, 4)))
            .show(ui, |ui| go_on |= self.scale(ui, now.told));
        egui::Panel::right("case")
            .resizable(false)
            .exact_size(SIDE.min(0.4 * ui.available_width()))
            .frame(background(ui).inner_margin(12))
            .show(ui, |ui| said = self.words(ui, &now));
        egui::CentralPanel::default()
            .frame(background(ui).inner_margin(8))
            .show(ui, |ui| match now.told {
                true => self.feedback(ui, reel, &case, &now),
                false => self.clip(ui, &subject, &now),
            });
        let skipped = late || said.skip;
        let mut stays = Stays::Yes;
        if skipped || go_on {
            stays = self.go_on(&now, skipped);
        }
        match said.leave {
            true => Stays::No,
            false => stays,
        }
    }

    /// How long the case is looked at.
    fn watched(&mut self, ui: &Ui, now: &Now, frames: usize, away: bool) {
        if self.watch.is_none() && frames > 0 {
            self.watch = Some(Watch::default());
            self.beating = Beating::start(now.seconds);
        }
        if let Some(watch) = &mut self.watch {
            let hidden = watch.pass(now.seconds, self.beating.is_playing(), away);
            self.beating.wait(hidden);
        }
        self.beating.wake(ui, now.seconds, now.cycle, frames);
    }

    fn keys(&mut self, ui: &Ui, now: &Now) {
        for key in pressed(ui.ctx()) {
            match key {
                Pressed::Digit(digit) if !now.told => self.entry.digit(digit),
                Pressed::Backspace if !now.told => self.entry.backspace(),
                Pressed::Left if !now.told => self.entry.step(-1),
                Pressed::Right if !now.told => self.entry.step(1),
                Pressed::Space => self.beating.toggle(now.seconds, now.cycle),
                Pressed::Outline if now.told => self.outline = !self.outline,
                _ => {}
            }
        }
    }

    pub(super) fn looked_s(&self) -> f64 {
        self.watch.map_or(0.0, |w| w.looked_s)
    }

    /// How often the clip has begun to play.
    fn loops(&self, now: &Now) -> usize {
        let played = self.watch.map_or(0.0, |w| w.played_s);
        match now.cycle > 0.0 && self.watch.is_some() {
            true => (played / now.cycle) as usize + 1,
            false => 0,
        }
    }

    /// Whether the time for this case has passed.
    fn is_late(&self, ui: &Ui) -> bool {
        let (Some(limit), Some(watch)) = (self.sitting.time_limit_s(), self.watch) else {
            return false;
        };
        if self.sitting.is_answered() {
            return false;
        }
        let left = limit - watch.looked_s;
        let soon = std::time::Duration::from_secs_f64(left.clamp(0.01, 1.0));
        ui.request_repaint_after(soon);
        left <= 0.0
    }

    /// Gives the guess, or none where it is too late or there is nothing to see; or goes on to the next case.
    fn go_on(&mut self, now: &Now, skipped: bool) -> Stays {
        if !self.sitting.is_answered() {
            let guess = self.entry.guess().filter(|_| self.watch.is_some());
            if guess.is_none() && !skipped {
                return Stays::Yes;
            }
            let took = self.watch.map_or(0.0, |w| w.tenths_s());
            let utc = Stamp::now().utc();
            if let Err(e) = self.sitting.answer(guess, took, self.loops(now), &utc) {
                self.why = Some(sentence(&e));
                return Stays::Yes;
            }
            self.why = None;
            if self.sitting.tells_at_once() {
                let case = self.sitting.case().cloned();
                let source = &self.sitting.about().source;
                self.rungs = case.map_or_else(Vec::new, |c| around(&c, guess, source));
                // What is shown with its EF is never unseen again.
                let beside: Vec<Case> = self.rungs.iter().map(|r| r.case.clone()).collect();
                if let Err(e) = self.sitting.tell(&beside, &utc) {
                    self.rungs = Vec::new();
                    self.why = Some(sentence(&e));
                }
                return Stays::Yes;
            }
        }
        self.sitting.proceed();
        self.entry = Entry::default();
        self.rungs = Vec::new();
        self.watch = None;
        self.leaving = false;
        match self.sitting.case() {
            Some(_) => Stays::Yes,
            None => Stays::No,
        }
    }

    /// The scale with the button beside it. Whether the guess is given, or the next case wanted.
    fn scale(&mut self, ui: &mut Ui, told: bool) -> bool {
        let truth = self.sitting.case().filter(|_| told);
        let told_on_scale = truth.map(|c| Told {
            ef_percent: c.ef_percent,
        });
        ui.horizontal(|ui| {
            let width = (ui.available_width() - 150.0).max(120.0);
            let across = egui::Layout::top_down(egui::Align::Min);
            let Did { chosen, entered } = ui
                .allocate_ui_with_layout(vec2(width, 0.0), across, |ui| {
                    let scale = EfScale {
                        value: self.entry.guess(),
                        told: told_on_scale,
                        // A small window leaves the room to the clip.
                        size: (ui.ctx().content_rect().height() / 700.0).clamp(0.55, 1.0),
                    };
                    scale.show(ui)
                })
                .inner;
            if let Some(value) = chosen {
                self.entry.set(value);
            }
            let can_check = self.entry.guess().is_some() && self.watch.is_some();
            // Two buttons: a key that is held on one does not press the other.
            let clicked = match told {
                true => ui.push_id("next", |ui| main_button(ui, "Next", true, false)),
                false => ui.push_id("check", |ui| main_button(ui, "Check", can_check, false)),
            };
            clicked.inner || entered
        })
        .inner
    }

    fn pane(&mut self, i: usize) -> &mut Pane {
        while self.panes.len() <= i {
            self.panes.push(Pane::default());
        }
        // There are so many now.
        &mut self.panes[i]
    }

    /// The clip alone, as large as there is room. Why it cannot be seen may name its file: that waits.
    fn clip(&mut self, ui: &mut Ui, subject: &Subject, now: &Now) {
        let side = ui.available_size().min_elem().max(40.0);
        let most = self.sitting.most_loops();
        let played = most.is_some_and(|most| self.loops(now) > most);
        let shown = there(subject, &now.outcome).filter(|_| !played && !now.failed());
        let caption = match (played, now.failed()) {
            (true, _) => "The clip has been played.",
            (_, true) => "This clip cannot be played.",
            _ => "",
        };
        let overlay = Overlay {
            caption,
            ..Overlay::default()
        };
        let phase = now.phase(&self.beating);
        ui.vertical_centered(|ui| {
            self.pane(0).show(ui, "Clip", side, shown, phase, overlay);
        });
    }

    /// The case between its rungs, in phase.
    fn feedback(&mut self, ui: &mut Ui, reel: &Reel, case: &Case, now: &Now) {
        let mut all: Vec<(Case, String, bool)> = self
            .rungs
            .iter()
            .map(|r| (r.case.clone(), words::caption(r), false))
            .collect();
        let text = format!("This case: {}", words::ef(case));
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
        let phase = now.phase(&self.beating);
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
