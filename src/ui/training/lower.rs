//! *Which is lower?*: two hearts in phase, and the difference in EF that is just told.

use super::Since;
use super::figures::{ef_in_words, noticeable_in_words, points_in_words};
use super::files::TrainingFile;
use super::guess::{grid, handed_in, write};
use super::keys::{Pressed, pressed};
use super::pane::{Beating, Overlay, Pane, cycle, there};
use super::reel::Reel;
use super::stock::{Stock, sentence};
use super::watch::Watch;
use crate::drill::class::{Class, Feedback};
use crate::drill::lower::{OfClass, Pair, Pairs, Side, of_class};
use crate::drill::profile::{Profile, Trial};
use crate::drill::result::{ClassResult, LowerTrial};
use crate::drill::sitting::About;
use crate::drill::staircase::{Noticeable, TRIALS};
use crate::study::stamp::Stamp;
use crate::ui::parts::{column, error, heading, main_button, muted, row, title};
use crate::ui::theme::{GAP, SMALL_GAP, background};
use egui::{Align, Layout, RichText, Ui, vec2};
use std::path::PathBuf;

/// The screen's state.
#[derive(Default)]
pub struct Lower {
    different_hearts: bool,
    shown: Shown,
    why: Option<String>,
}

#[derive(Default)]
enum Shown {
    #[default]
    Setup,
    Live(Box<Live>),
    Ended(Box<Ended>),
}

/// Points of a window in which words and buttons stand below each other.
const NARROW: f32 = 700.0;

/// Trials on their way.
struct Live {
    about: About,
    profile: Profile,
    pairs: Pairs,
    run: String,
    pair: Option<Pair>,
    /// What was said of the pair, once it was.
    said: Option<Side>,
    right: usize,
    beating: Beating,
    /// Since both were first seen; none before.
    watch: Option<Watch>,
    panes: [Pane; 2],
    leaving: bool,
    /// Whether it is told after each pair which was lower.
    tells: bool,
    why: Option<String>,
    class: Option<(PathBuf, ClassResult)>,
}

/// What is left of them.
struct Ended {
    trials: usize,
    right: usize,
    /// Whether there were trials enough to say something.
    enough: bool,
    noticeable: Noticeable,
    truth: String,
    result: Option<ClassResult>,
    written: Option<Result<PathBuf, String>>,
}

impl Lower {
    pub fn is_sitting(&self) -> bool {
        matches!(self.shown, Shown::Live(_))
    }

    pub fn step_back(&mut self) {
        match &mut self.shown {
            Shown::Setup => self.why = None,
            Shown::Live(live) => live.leaving = !live.leaving,
            Shown::Ended(_) => self.shown = Shown::Setup,
        }
    }

    /// Begins a class's trials; the result goes to `path`.
    pub fn begin_class(&mut self, profile: Profile, class: &Class, path: PathBuf) {
        let OfClass { run, trials, pairs } = of_class(&profile, class);
        let mut result = ClassResult::new(class, profile.alias());
        result.trials = trials;
        let mut live = Live::new(About::of_class(class), profile, pairs, Some((path, result)));
        live.tells = class.feedback == Feedback::AfterEach;
        live.right = live
            .class
            .iter()
            .flat_map(|(_, r)| &r.trials)
            .filter(|t| t.right_answer)
            .count();
        if let Some(run) = run {
            live.run = run;
        }
        if live.pairs.is_done() {
            // Nothing is left to be asked: the result is written once more.
            self.shown = Shown::Live(Box::new(live));
            self.end();
            return;
        }
        self.begin(live);
    }

    fn begin(&mut self, mut live: Live) {
        live.pair = live.pairs.ask();
        self.why = None;
        match live.pair {
            Some(_) => self.shown = Shown::Live(Box::new(live)),
            None => {
                let why = "Here are no two hearts whose EFs can be told apart: their truth is itself too far off, or \
                           no heart has two rungs.";
                self.why = Some(why.into());
            }
        }
    }

    pub fn ui(
        &mut self,
        ui: &mut Ui,
        stock: &mut Stock,
        reel: &Reel,
        since: Since,
    ) -> Option<TrainingFile> {
        match &mut self.shown {
            Shown::Setup => return self.setup(ui, stock, since.entered),
            Shown::Live(live) => {
                if !live.ui(ui, reel, since) {
                    self.end();
                    stock.look();
                }
            }
            Shown::Ended(ended) => {
                let mut read = false;
                let mut elsewhere = false;
                column(ui, |ui| {
                    elsewhere = ended.ui(ui);
                    read = main_button(ui, "Done", true, since.entered);
                });
                if elsewhere {
                    return Some(TrainingFile::ResultOut);
                }
                if read {
                    self.shown = Shown::Setup;
                }
            }
        }
        None
    }

    fn setup(&mut self, ui: &mut Ui, stock: &mut Stock, entered: bool) -> Option<TrainingFile> {
        let mut asks = None;
        let mut begin = false;
        column(ui, |ui| {
            title(
                ui,
                "Which is lower?",
                "Two hearts beat side by side. The smallest difference in EF that you tell, the just-noticeable difference, is \
                 found in 30 to 60 pairs, some five minutes.",
            );
            stock.profile_ui(ui);
            asks = stock.source_ui(ui);
            row(ui, "Pairs", |ui, _| {
                ui.selectable_value(&mut self.different_hearts, false, "one heart twice");
                ui.selectable_value(&mut self.different_hearts, true, "different hearts, harder");
            });
            ui.add_space(GAP);
            let trouble = stock.trouble();
            begin = main_button(ui, "Begin", trouble.is_none(), entered);
            if let Some(trouble) = trouble.filter(|t| !t.is_empty()) {
                muted(ui, trouble);
            }
            if let Some(known) = stock.known() {
                let last = crate::drill::lower::noticeable_of(&known.compared);
                if let Some(last) = last {
                    muted(ui, format!("Last time: {}", noticeable_in_words(&last)));
                }
            }
            if let Some(why) = &self.why {
                error(ui, why.clone());
            }
        });
        if begin {
            match stock.open_profile() {
                Ok(profile) => {
                    let about = stock.about();
                    let seed = profile.compared().len() as u64;
                    let pairs = Pairs::new(
                        about.source.clone(),
                        seed,
                        self.different_hearts,
                        about.truth_error_points,
                    );
                    self.begin(Live::new((*about).clone(), profile, pairs, None));
                }
                Err(why) => self.why = Some(why),
            }
        }
        asks
    }

    fn end(&mut self) {
        let Shown::Live(live) = std::mem::take(&mut self.shown) else {
            return;
        };
        if live.pairs.trials() == 0 {
            return;
        }
        let (path, result) = live.class.unzip();
        let ended = Ended {
            trials: live.pairs.trials(),
            right: live.right,
            enough: live.pairs.trials() >= *TRIALS.start(),
            noticeable: live.pairs.noticeable(),
            truth: live.about.in_words(),
            result,
            written: None,
        };
        self.shown = Shown::Ended(Box::new(ended));
        if let Some(path) = path {
            self.write_result(path);
        }
    }

    /// Writes the result of a class.
    pub fn write_result(&mut self, path: PathBuf) {
        if let Shown::Ended(ended) = &mut self.shown
            && let Some(result) = &ended.result
        {
            ended.written = Some(write(result, path));
        }
    }
}

impl Live {
    fn new(
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
    fn ui(&mut self, ui: &mut Ui, reel: &Reel, since: Since) -> bool {
        let Some(pair) = self.pair.clone() else {
            return false;
        };
        let subjects = [pair.left.subject(), pair.right.subject()];
        reel.want(subjects.to_vec());
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

impl Ended {
    /// Whether another place is wanted for the result.
    fn ui(&self, ui: &mut Ui) -> bool {
        let mut elsewhere = false;
        title(
            ui,
            "Which is lower?",
            &format!("The truth: {}.", self.truth),
        );
        if self.result.is_some() {
            handed_in(ui, self.written.as_ref());
            elsewhere = ui.button("Save the result elsewhere...").clicked();
        }
        heading(
            ui,
            &format!("{} of {} pairs right", self.right, self.trials),
        );
        match self.enough {
            true => {
                ui.label(noticeable_in_words(&self.noticeable));
                muted(
                    ui,
                    "It is the smallest difference that you tell in 75 % of pairs.",
                );
            }
            false => muted(
                ui,
                "Too few pairs to say what the smallest difference is that you tell: it takes 30 at least.",
            ),
        }
        ui.add_space(GAP);
        elsewhere
    }
}
