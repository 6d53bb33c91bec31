//! *Progress*: what a profile's first answers show, practice and tests apart.

use super::figures::{bland_altman, figures, noticeable_in_words, over_time};
use super::files::TrainingFile;
use super::said::sentence;
use super::stock::{Known, Stock};
use crate::drill::case::Truth;
use crate::drill::export;
use crate::drill::lower::noticeable_of;
use crate::drill::profile::{Answer, Grade, Mode, delete};
use crate::drill::progress::{Group, Point, Progress, by_band, by_quality, by_session};
use crate::drill::report::{self, Sources};
use crate::drill::schedule::Cell;
use crate::drill::staircase::Noticeable;
use crate::ui::parts::{column, error, heading, muted, progress, table, title, written};
use crate::ui::projector::Wake;
use crate::ui::task::{Task, finished};
use crate::ui::theme::GAP;
use egui::Ui;
use std::path::PathBuf;

/// The screen's state.
pub struct Shown {
    mode: Mode,
    /// What the profile shows; made anew when it, or the mode, is another.
    view: Option<View>,
    /// Deleting was asked once.
    deleting: bool,
    /// A file that is being written.
    work: Option<Task<Result<PathBuf, String>>>,
    written: Option<PathBuf>,
    why: Option<String>,
    wake: Wake,
}

/// All that is shown of a profile in one mode.
struct View {
    version: usize,
    mode: Mode,
    alias: String,
    is_empty: bool,
    parts: Vec<Part>,
    noticeable: Option<Noticeable>,
    cells: Vec<Cell>,
}

/// Answers of one kind of truth: kinds are never taken together.
struct Part {
    truth: Truth,
    points: Vec<Point>,
    progress: Progress,
    by_band: Vec<Group>,
    by_quality: Vec<Group>,
    by_session: Vec<Group>,
}

impl View {
    fn of(known: &Known, mode: Mode) -> Self {
        let part = |truth: Truth| {
            let of = known.answers.iter();
            let of: Vec<&Answer> = of.filter(|a| a.mode == mode && a.truth == truth).collect();
            let first = of.iter().filter(|a| a.first);
            let points: Vec<Point> = first.map(|a| Point::of(a)).collect();
            (!points.is_empty()).then(|| Part {
                truth,
                progress: Progress::of(&points),
                points,
                by_band: by_band(&of),
                by_quality: by_quality(&of),
                by_session: by_session(&of),
            })
        };
        Self {
            version: known.version,
            mode,
            alias: known.alias.clone(),
            is_empty: known.answers.is_empty() && known.compared.is_empty(),
            parts: Truth::ALL.into_iter().filter_map(part).collect(),
            noticeable: noticeable_of(&known.compared),
            cells: known.cells.clone(),
        }
    }
}

const MODES: [(Mode, &str); 3] = [
    (Mode::Practice, "Practice"),
    (Mode::Test, "Tests"),
    (Mode::Class, "Classes"),
];

impl Shown {
    pub fn new(wake: Wake) -> Self {
        Self {
            mode: Mode::Practice,
            view: None,
            deleting: false,
            work: None,
            written: None,
            why: None,
            wake,
        }
    }

    pub fn is_busy(&self) -> bool {
        self.work.is_some()
    }

    pub fn step_back(&mut self) {
        self.work = None;
        self.deleting = false;
        self.why = None;
    }

    pub fn pursue(&mut self) {
        if let Some(outcome) = finished(&mut self.work) {
            match outcome {
                Ok(path) => self.written = Some(path),
                Err(why) => self.why = Some(why),
            }
        }
    }

    /// Takes where something is to be written.
    pub fn take(&mut self, file: TrainingFile, path: PathBuf, stock: &Stock) {
        self.why = None;
        self.written = None;
        let Some(known) = stock.known().cloned() else {
            return;
        };
        let mode = self.mode;
        let task = Task::start("profile", &self.wake, move |_| {
            write(file, path, &known, mode)
        });
        match task {
            Ok(task) => self.work = Some(task),
            Err(why) => self.why = Some(why),
        }
    }

    pub fn ui(&mut self, ui: &mut Ui, stock: &mut Stock) -> Option<TrainingFile> {
        let mut asks = None;
        self.look(stock);
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
            let view = self.view.as_ref().filter(|v| !v.is_empty);
            match view.map(|v| v.alias.clone()) {
                Some(alias) => asks = self.files(ui, stock, &alias),
                None => muted(ui, "This profile has answered nothing yet."),
            }
            if let Some(task) = &self.work
                && progress(ui, &task.progress())
            {
                self.work = None;
            }
            if let Some(path) = &self.written {
                written(ui, "Written", path);
            }
            if let Some(why) = &self.why {
                error(ui, why.clone());
            }
            if let Some(view) = self.view.as_ref().filter(|v| !v.is_empty) {
                shown(ui, view);
            }
        });
        asks
    }

    fn look(&mut self, stock: &Stock) {
        let is_it = |view: &View, known: &Known| {
            (view.version, view.mode) == (known.version, self.mode) && view.alias == known.alias
        };
        match (stock.known(), &self.view) {
            (Some(known), Some(view)) if is_it(view, known) => {}
            (Some(known), _) => self.view = Some(View::of(known, self.mode)),
            (None, _) => self.view = None,
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

fn shown(ui: &mut Ui, view: &View) {
    if view.parts.is_empty() {
        muted(ui, "Nothing was answered so.");
    }
    for part in &view.parts {
        heading(ui, &format!("Where the truth is {}", part.truth.name()));
        figures(ui, &part.progress);
        bland_altman(ui, &part.points, &part.progress, part.truth, 260.0);
        over_time(ui, &part.by_session);
        groups(ui, ("By band of EFs", part.truth), &part.by_band);
        groups(ui, ("By picture quality", part.truth), &part.by_quality);
        groups(ui, ("By session", part.truth), &part.by_session);
    }
    if let Some(found) = &view.noticeable {
        heading(ui, "Which is lower?");
        ui.label(noticeable_in_words(found));
    }
    comes_back(ui, &view.cells);
}

fn groups(ui: &mut Ui, (title, truth): (&str, Truth), groups: &[Group]) {
    heading(ui, title);
    let number = |x: Option<f64>| x.map_or("-".into(), |x| format!("{x:.1}"));
    let head = [
        "",
        "Guesses",
        "Mean absolute error",
        "Bias",
        "Limits of agreement",
        "Right category",
    ];
    table(ui, &format!("{title} {}", truth.name()), &head, |ui| {
        for group in groups {
            let p = &group.progress;
            ui.label(&group.label);
            ui.label(p.n.to_string());
            ui.label(number(p.mae));
            ui.label(p.bias.map_or("-".into(), |b| format!("{b:+.1}")));
            let limits = p.limit_low.zip(p.limit_high);
            ui.label(limits.map_or("-".into(), |(low, high)| format!("{low:+.1} to {high:+.1}")));
            let right = p.category_accuracy;
            ui.label(right.map_or("-".into(), |share| format!("{:.0} %", 100.0 * share)));
            ui.end_row();
        }
    });
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
fn comes_back(ui: &mut Ui, cells: &[Cell]) {
    if cells.is_empty() {
        return;
    }
    heading(ui, "What comes back, the weakest first");
    table(ui, "cells", &["EFs", "Picture", "Due", "Last time"], |ui| {
        for cell in cells {
            ui.label(cell.band.name());
            ui.label(cell.quality.name());
            ui.label(&cell.due);
            ui.label(said(cell.last_grade));
            ui.end_row();
        }
    });
}
