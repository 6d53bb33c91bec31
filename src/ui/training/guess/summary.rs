//! After a sitting: each case, and what all of them show.

use super::super::figures::{self, ef_in_words};
use super::super::said::counted;
use crate::drill::case::Relevance;
use crate::drill::profile::Mode;
use crate::drill::progress::{Point, Progress};
use crate::drill::result::ClassResult;
use crate::drill::sitting::{About, Done, Sitting, points};
use crate::ui::parts::{column, error, heading, main_button, muted, title, written};
use crate::ui::theme::{GAP, tokens};
use egui::{Grid, RichText, Ui};
use std::path::PathBuf;

/// What is left of a sitting when it is over.
pub struct Ended {
    about: About,
    mode: Mode,
    alias: String,
    done: Vec<Done>,
    points: Vec<Point>,
    progress: Progress,
    pub result: Option<ClassResult>,
    /// Where the result was written, or why it was not.
    pub written: Option<Result<PathBuf, String>>,
    /// A class that tells nothing before its end, and has more cases.
    goes_on: bool,
}

impl Ended {
    pub fn of(sitting: &Sitting) -> Self {
        Self {
            about: sitting.about().clone(),
            mode: sitting.mode(),
            alias: sitting.alias().to_owned(),
            points: points(sitting.done()),
            done: sitting.done().to_vec(),
            progress: sitting.progress(),
            result: sitting.result().cloned(),
            written: None,
            goes_on: !sitting.tells_at_once() && sitting.is_class_open(),
        }
    }

    /// Whether it was read, and whether another place is wanted for the result.
    pub fn ui(&self, ui: &mut Ui, entered: bool) -> (bool, bool) {
        let (mut read, mut elsewhere) = (false, false);
        column(ui, |ui| {
            let name = match self.mode {
                Mode::Practice => "Practice",
                Mode::Test => "Test",
                Mode::Class => "Class",
            };
            let about = format!(
                "{}, by {}. The truth: {}.",
                counted(self.done.len(), "case"),
                self.alias,
                self.about.in_words()
            );
            title(ui, &format!("{name}: what it shows"), &about);
            if self.result.is_some() {
                handed_in(ui, self.written.as_ref());
                elsewhere = ui.button("Save the result elsewhere...").clicked();
                ui.add_space(GAP);
            }
            if self.goes_on {
                muted(
                    ui,
                    "More cases of this class are to come: what the truth was is told after the last.",
                );
                read = main_button(ui, "Done", true, entered);
                return;
            }
            figures::figures(ui, &self.progress);
            figures::bland_altman(ui, &self.points, &self.progress, self.about.truth, 260.0);
            heading(ui, "Each case");
            cases(ui, &self.done);
            ui.add_space(GAP);
            read = main_button(ui, "Done", true, entered);
        });
        (read, elsewhere)
    }
}

/// Where a class's result is, or why it is nowhere.
pub fn handed_in(ui: &mut Ui, result: Option<&Result<PathBuf, String>>) {
    match result {
        Some(Ok(path)) => written(ui, "Your result, to be handed in", path),
        Some(Err(why)) => error(ui, why.clone()),
        None => muted(ui, "Your result is not written yet."),
    }
}

fn cases(ui: &mut Ui, done: &[Done]) {
    let muted = tokens(ui).muted;
    Grid::new("cases")
        .num_columns(5)
        .striped(true)
        .spacing([24.0, 4.0])
        .show(ui, |ui| {
            for words in ["Truth", "Guess", "Error", "Category", "Time"] {
                ui.label(RichText::new(words).color(muted));
            }
            ui.end_row();
            for done in done {
                ui.label(ef_in_words(done.case.ef_percent));
                match (done.guess_percent, done.verdict) {
                    (Some(guess), Some(verdict)) => {
                        ui.label(format!("{guess} %"));
                        ui.label(format!("{:+.1}", verdict.error));
                        let (truth, guessed) = (verdict.truth.name(), verdict.guessed.name());
                        ui.label(match verdict.relevance {
                            Relevance::SameCategory => truth.to_owned(),
                            Relevance::AtTheBorder => {
                                format!("{truth}, said {guessed}: at the border")
                            }
                            Relevance::ClinicallyRelevant => {
                                format!("{truth}, said {guessed}: clinically relevant")
                            }
                        });
                    }
                    _ => {
                        ui.label("none");
                        ui.label("");
                        ui.label("");
                    }
                }
                ui.label(format!("{:.1} s", done.seconds));
                ui.end_row();
            }
        });
}
