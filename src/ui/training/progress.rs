//! *Progress*: what a profile's first answers show, practice and tests apart.

use super::figures::{bland_altman, figures, noticeable_in_words, over_time};
use super::files::TrainingFile;
use super::stock::{Known, Stock, sentence};
use crate::drill::export;
use crate::drill::lower::noticeable_of;
use crate::drill::profile::{Answer, Grade, Mode, delete};
use crate::drill::progress::{Group, Point, Progress, by_band, by_quality, by_session};
use crate::drill::report::{self, Sources};
use crate::drill::schedule;
use crate::ui::parts::{column, error, heading, muted, title, written};
use crate::ui::theme::{GAP, tokens};
use egui::{Grid, RichText, Ui};
use std::path::PathBuf;

/// The screen's state.
pub struct Shown {
    mode: Mode,
    /// Deleting was asked once.
    deleting: bool,
    written: Option<PathBuf>,
    why: Option<String>,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            mode: Mode::Practice,
            deleting: false,
            written: None,
            why: None,
        }
    }
}

const MODES: [(Mode, &str); 3] = [
    (Mode::Practice, "Practice"),
    (Mode::Test, "Tests"),
    (Mode::Class, "Classes"),
];

impl Shown {
    pub fn step_back(&mut self) {
        self.deleting = false;
        self.why = None;
    }

    /// Takes where something is to be written.
    pub fn take(&mut self, file: TrainingFile, path: PathBuf, stock: &Stock) {
        self.why = None;
        self.written = None;
        let Some(known) = stock.known() else {
            return;
        };
        match write(file, path, known, self.mode) {
            Ok(path) => self.written = Some(path),
            Err(why) => self.why = Some(why),
        }
    }

    pub fn ui(&mut self, ui: &mut Ui, stock: &mut Stock) -> Option<TrainingFile> {
        let mut asks = None;
        column(ui, |ui| {
            title(
                ui,
                "Progress",
                "First answers to cases that were not seen before: a clip that is seen again is recognised, not read.",
            );
            stock.profile_ui(ui);
            ui.horizontal(|ui| {
                for (mode, text) in MODES {
                    ui.selectable_value(&mut self.mode, mode, text);
                }
            });
            ui.add_space(GAP);
            let known = stock
                .known()
                .filter(|k| !k.answers.is_empty() || !k.compared.is_empty());
            match known.cloned() {
                Some(known) => {
                    asks = self.files(ui, stock, &known.alias);
                    self.told(ui);
                    self.answers(ui, &known);
                    lower(ui, &known);
                    due(ui, &known);
                }
                None => {
                    muted(ui, "This profile has answered nothing yet.");
                    self.told(ui);
                }
            }
        });
        asks
    }

    /// What was written, or why not.
    fn told(&self, ui: &mut Ui) {
        if let Some(path) = &self.written {
            written(ui, "Written", path);
        }
        if let Some(why) = &self.why {
            error(ui, why.clone());
        }
    }

    /// Kinds of truth are never taken together: each has its figures.
    fn answers(&self, ui: &mut Ui, known: &Known) {
        use crate::drill::case::Truth;
        let mut any = false;
        for truth in [Truth::Exact, Truth::Measured, Truth::Labelled] {
            let of: Vec<&Answer> = known
                .answers
                .iter()
                .filter(|a| a.mode == self.mode && a.truth == truth)
                .collect();
            let points: Vec<Point> = of
                .iter()
                .filter(|a| a.first)
                .map(|a| Point::of(a))
                .collect();
            if points.is_empty() {
                continue;
            }
            any = true;
            let progress = Progress::of(&points);
            heading(ui, &format!("Where the truth is {}", truth.name()));
            figures(ui, &progress);
            bland_altman(ui, &points, &progress, truth, 260.0);
            let sessions = by_session(&of);
            over_time(ui, &sessions);
            groups(ui, "By band of EFs", &by_band(&of));
            groups(ui, "By picture quality", &by_quality(&of));
            groups(ui, "By session", &sessions);
        }
        if !any {
            muted(ui, "Nothing was answered so.");
        }
    }

    fn files(&mut self, ui: &mut Ui, stock: &mut Stock, alias: &str) -> Option<TrainingFile> {
        let mut asks = None;
        ui.horizontal_wrapped(|ui| {
            for (text, file) in [
                ("Answers as CSV...", TrainingFile::Csv),
                ("All as JSON...", TrainingFile::Json),
                ("Report...", TrainingFile::Report),
            ] {
                if ui.button(text).clicked() {
                    asks = Some(file);
                }
            }
            if self.deleting {
                ui.label(format!("All answers of {alias} will be gone."));
                if ui.button("Delete it").clicked() {
                    self.deleting = false;
                    if let Some(folder) = stock.folder() {
                        self.why = delete(folder, alias).err().map(|e| sentence(&e));
                    }
                    stock.look();
                }
                if ui.button("Keep it").clicked() {
                    self.deleting = false;
                }
            } else if ui.button("Delete...").clicked() {
                self.deleting = true;
            }
        });
        asks
    }
}

fn write(
    file: TrainingFile,
    mut path: PathBuf,
    known: &Known,
    mode: Mode,
) -> Result<PathBuf, String> {
    let failed = |path: &PathBuf, e: &dyn std::fmt::Display| {
        format!("{}: it cannot be written ({e}).", path.display())
    };
    let (bytes, ending) = match file {
        TrainingFile::Csv => (export::csv(&known.answers), "csv"),
        TrainingFile::Json => (
            export::json(&known.alias, &known.answers, &known.compared),
            "json",
        ),
        _ => {
            let sources = Sources::of_profile(&known.alias, &known.answers, &known.compared, mode);
            let report = sources.report().map_err(|e| sentence(&e))?;
            std::fs::create_dir_all(&path).map_err(|e| failed(&path, &e))?;
            let mut put =
                |name: &str, bytes: &[u8]| crate::files::write_atomically(&path.join(name), bytes);
            report::write(&report, &sources, false, &mut put).map_err(|e| failed(&path, &e))?;
            return Ok(path.join("report.html"));
        }
    };
    if path.extension().is_none() {
        path.set_extension(ending);
    }
    crate::files::write_atomically(&path, &bytes).map_err(|e| failed(&path, &e))?;
    Ok(path)
}

fn groups(ui: &mut Ui, title: &str, groups: &[Group]) {
    heading(ui, title);
    let number = |x: Option<f64>| x.map_or("-".into(), |x| format!("{x:.1}"));
    Grid::new(title)
        .num_columns(6)
        .striped(true)
        .spacing([18.0, 4.0])
        .show(ui, |ui| {
            for words in [
                "",
                "Guesses",
                "Mean error",
                "Bias",
                "Limits of agreement",
                "Right category",
            ] {
                ui.label(RichText::new(words).color(tokens(ui).muted));
            }
            ui.end_row();
            for group in groups {
                let p = &group.progress;
                ui.label(&group.label);
                ui.label(p.n.to_string());
                ui.label(number(p.mae));
                ui.label(p.bias.map_or("-".into(), |b| format!("{b:+.1}")));
                let limits = p.limit_low.zip(p.limit_high);
                ui.label(
                    limits.map_or("-".into(), |(low, high)| format!("{low:+.1} to {high:+.1}")),
                );
                let right = p.category_accuracy;
                ui.label(right.map_or("-".into(), |share| format!("{:.0} %", 100.0 * share)));
                ui.end_row();
            }
        });
}

fn lower(ui: &mut Ui, known: &Known) {
    if let Some(found) = noticeable_of(&known.compared) {
        heading(ui, "Which is lower?");
        ui.label(noticeable_in_words(&found));
    }
}

fn said(grade: Grade) -> &'static str {
    match grade {
        Grade::Again => "missed",
        Grade::Hard => "hard",
        Grade::Good => "good",
        Grade::Easy => "easy",
    }
}

/// What comes back when.
fn due(ui: &mut Ui, known: &Known) {
    let Ok(cells) = schedule::cells(&known.answers) else {
        return;
    };
    if cells.is_empty() {
        return;
    }
    heading(ui, "What comes back, the weakest first");
    Grid::new("cells")
        .num_columns(4)
        .striped(true)
        .spacing([18.0, 4.0])
        .show(ui, |ui| {
            for words in ["EFs", "Picture", "Due", "Last time"] {
                ui.label(RichText::new(words).color(tokens(ui).muted));
            }
            ui.end_row();
            for cell in cells {
                ui.label(cell.band.name());
                ui.label(cell.quality.name());
                ui.label(&cell.due);
                ui.label(said(cell.last_grade));
                ui.end_row();
            }
        });
}
