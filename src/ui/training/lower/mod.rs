//! *Which is lower?*: two hearts in phase, and the smallest difference in EF that is told.

mod live;

use super::Since;
use super::figures::noticeable_in_words;
use super::files::TrainingFile;
use super::guess::{handed_in, write};
use super::reel::Reel;
use super::stock::Stock;
use crate::drill::class::{Class, Feedback};
use crate::drill::lower::{OfClass, Pairs, of_class};
use crate::drill::profile::Profile;
use crate::drill::result::ClassResult;
use crate::drill::sitting::About;
use crate::drill::staircase::{Noticeable, TRIALS};
use crate::ui::parts::{column, error, heading, main_button, muted, row, title};
use crate::ui::theme::GAP;
use egui::Ui;
use live::Live;
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
            if let Some(trouble) = trouble {
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
