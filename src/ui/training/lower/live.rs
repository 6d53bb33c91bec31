//! Pairs on screen, one after the other.

use super::super::Since;
use super::super::figures::{ef_in_words, points_in_words};
use super::super::guess::grid;
use super::super::keys::{Pressed, pressed};
use super::super::pane::{Beating, Overlay, Pane, cycle, there};
use super::super::reel::Reel;
use super::super::said::sentence;
use super::super::watch::Watch;
use crate::drill::lower::{Pair, Pairs, Side};
use crate::drill::profile::{Profile, Trial};
use crate::drill::result::{ClassResult, LowerTrial};
use crate::drill::sitting::About;
use crate::study::stamp::Stamp;
use crate::ui::parts::{error, main_button, muted};
use crate::ui::theme::{GAP, SMALL_GAP, background};
use egui::{Align, Layout, RichText, Ui, vec2};
use std::path::PathBuf;

/// Points of a window in which words and buttons stand below each other.
const NARROW: f32 = 700.0;

/// Trials on their way.
pub struct Live {
    pub about: About,
    profile: Profile,
    pub pairs: Pairs,
    pub run: String,
    pub pair: Option<Pair>,
    /// What was said of the pair, once it was.
    said: Option<Side>,
    pub right: usize,
    beating: Beating,
    /// Since both were first seen; none before.
    watch: Option<Watch>,
    panes: [Pane; 2],
    pub leaving: bool,
    /// Whether it is told after each pair which was lower.
    pub tells: bool,
    why: Option<String>,
    pub class: Option<(PathBuf, ClassResult)>,
}

impl Live {
    pub fn new(
        about: About,
        profile: Profile,
        pairs: Pairs,
        class: Option<(PathBuf, ClassResult)>,
    ) -> Self {
        Self {
            about,
            profile,
            pairs,
            run: uuid::Uuid::new_v4().simple().to_string(),
            pair: None,
            said: None,
            right: 0,
            beating: Beating::default(),
            watch: None,
            panes: Default::default(),
            leaving: false,
            tells: true,
            why: None,
            class,
        }
    }

    /// Whether it goes on.
    pub fn ui(&mut self, ui: &mut Ui, reel: &Reel, since: Since) -> bool {
        let Some(pair) = self.pair.clone() else {
            return false;
        };
        let subjects = [pair.left.subject(), pair.right.subject()];
        reel.want(subjects.to_vec(), 2);
        let now = ui.input(|i| i.time);
        // Both by the left one's heart rate: in phase.
        let [(seconds, frames), (_, others)] = subjects.each_ref().map(|s| cycle(reel, s));
        if self.watch.is_none() && frames > 0 && others > 0 {
            self.watch = Some(Watch::default());
            self.beating = Beating::start(now);
        }
        if let Some(watch) = &mut self.watch {
            let hidden = watch.pass(now, self.beating.is_playing(), since.away);
            self.beating.wait(hidden);
        }
        self.beating.wake(ui, now, seconds, frames);
        let mut said = None;
        for key in pressed(ui.ctx()) {
            match key {
                Pressed::Left => said = said.or(Some(Side::Left)),
                Pressed::Right => said = said.or(Some(Side::Right)),
                Pressed::Space => self.beating.toggle(now, seconds),
                _ => {}
            }
        }
        let (mut left, mut next) = (false, false);
        egui::Panel::bottom("which is lower")
            .frame(background(ui).inner_margin(egui::Margin::symmetric(16, 8)))
            .show(ui, |ui| (left, next) = self.words(ui, &pair, &mut said));
        egui::CentralPanel::default()
            .frame(background(ui).inner_margin(8))
            .show(ui, |ui| {
                let phase = self.beating.phase(now, seconds);
                self.both(ui, reel, &pair, phase);
            });
        let mut go_on = since.entered || next;
        if let Some(said) = said.filter(|_| self.said.is_none() && self.watch.is_some()) {
            self.answer(&pair, said);
            go_on = !self.tells;
        }
        if go_on && self.said.is_some() {
            self.said = None;
            self.watch = None;
            self.leaving = false;
            self.pair = self.pairs.ask();
            return self.pair.is_some();
        }
        !left
    }

    fn answer(&mut self, pair: &Pair, said: Side) {
        let seconds = self.watch.map_or(0.0, |w| w.tenths_s());
        let kept = self.profile.compare(&Trial {
            pair,
            said,
            truth: self.about.truth,
            set_sha256: &self.about.sha256,
            run: &self.run,
            seconds,
            utc: &Stamp::now().utc(),
        });
        if let Err(e) = kept {
            self.why = Some(sentence(&e));
            return;
        }
        self.why = None;
        self.pairs.answered(pair, said);
        self.right += usize::from(said == pair.lower);
        if let Some((_, result)) = &mut self.class {
            result.trials.push(LowerTrial::new(pair, said, seconds));
        }
        self.said = Some(said);
    }

    /// Whether it was left, and whether the next pair is wanted.
    fn words(&mut self, ui: &mut Ui, pair: &Pair, said: &mut Option<Side>) -> (bool, bool) {
        if ui.available_width() < NARROW {
            self.question(ui, pair);
            return ui
                .horizontal_wrapped(|ui| self.buttons(ui, said, false))
                .inner;
        }
        ui.horizontal(|ui| {
            ui.vertical(|ui| self.question(ui, pair));
            let layout = Layout::right_to_left(Align::Center);
            ui.with_layout(layout, |ui| self.buttons(ui, said, true))
                .inner
        })
        .inner
    }

    fn question(&self, ui: &mut Ui, pair: &Pair) {
        let number = self.pairs.trials() + usize::from(self.said.is_none());
        ui.label(RichText::new(format!("Pair {number}")).strong().size(16.0));
        match self.said {
            None => muted(
                ui,
                "Which EF is lower? Press the left or the right arrow key.",
            ),
            Some(said) => {
                let right = if said == pair.lower { "Right" } else { "Wrong" };
                let side = match pair.lower {
                    Side::Left => "left",
                    Side::Right => "right",
                };
                let words = format!(
                    "{right}: the {side} one is lower, by {}. Press Enter for the next.",
                    points_in_words(pair.points)
                );
                ui.label(words);
            }
        }
        if let Some(why) = &self.why {
            error(ui, why.clone());
        }
    }

    /// In the order of their layout. Whether it was left, and whether the next pair is wanted.
    fn buttons(&mut self, ui: &mut Ui, said: &mut Option<Side>, backwards: bool) -> (bool, bool) {
        let (mut left, mut go_on) = (false, false);
        if self.leaving {
            left = ui.button("Leave").clicked();
            if ui.button("Go on").clicked() {
                self.leaving = false;
            }
        } else if ui.button("Leave...").clicked() {
            self.leaving = true;
        }
        ui.add_space(GAP);
        if self.said.is_some() {
            go_on = main_button(ui, "Next", true, false);
            return (left, go_on);
        }
        let mut sides = [
            (Side::Left, "Left is lower"),
            (Side::Right, "Right is lower"),
        ];
        if backwards {
            sides.reverse();
        }
        for (side, text) in sides {
            if main_button(ui, text, self.watch.is_some(), false) {
                *said = Some(side);
            }
        }
        (left, go_on)
    }

    fn both(&mut self, ui: &mut Ui, reel: &Reel, pair: &Pair, phase: f64) {
        let room = ui.available_size();
        let (_, side) = grid(2, room.x, room.y);
        let side = side.min(room.x / 2.0 - SMALL_GAP).min(room.y).max(40.0);
        let width = 2.0 * side + SMALL_GAP;
        let ready = self.watch.is_some();
        let told = self.said.is_some();
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing = vec2(SMALL_GAP, 0.0);
            ui.add_space(((room.x - width) / 2.0).max(0.0));
            let sides = [Side::Left, Side::Right];
            for (which, pane) in sides.into_iter().zip(&mut self.panes) {
                let case = pair.case(which);
                let subject = case.subject();
                // Both at once, or none.
                let outcome = reel.get(&subject).filter(|o| ready || o.is_err());
                let caption = match told {
                    true => ef_in_words(case.ef_percent),
                    false => String::new(),
                };
                let overlay = Overlay {
                    caption: &caption,
                    outline: false,
                    marked: told && which == pair.lower,
                };
                let name = match which {
                    Side::Left => "Left heart",
                    Side::Right => "Right heart",
                };
                pane.show(ui, name, side, there(&subject, &outcome), phase, overlay);
            }
        });
    }
}
