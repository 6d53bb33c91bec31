//! The teacher's view: what trainees handed in, by trainee and by case, and two sessions compared.

use super::super::files::TrainingFile;
use super::super::said::{about_file, sentence};
use super::super::stock::bytes_of;
use super::wall::Wall;
use crate::drill::class::Class;
use crate::drill::progress::{CasePoint, Change, paired};
use crate::drill::report::{self, Report, Sources};
use crate::drill::result::{self, ClassResult};
use crate::statistics::means::MeanDifference;
use crate::ui::parts::{
    column, error, heading, main_button, muted, name_of, progress, table, title, written,
};
use crate::ui::projector::Wake;
use crate::ui::task::{Task, finished};
use crate::ui::theme::GAP;
use egui::Ui;
use std::path::{Path, PathBuf};

/// The screen's state.
pub struct Results {
    now: Vec<(PathBuf, ClassResult)>,
    /// Of the session before.
    before: Vec<(PathBuf, ClassResult)>,
    report: Option<(Sources, Report)>,
    hidden: bool,
    work: Option<Task<Result<PathBuf, String>>>,
    written: Option<PathBuf>,
    why: Option<String>,
    wake: Wake,
}

impl Results {
    pub fn new(wake: Wake) -> Self {
        Self {
            now: Vec::new(),
            before: Vec::new(),
            report: None,
            hidden: false,
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
        self.why = None;
    }

    pub fn pursue(&mut self) {
        if let Some(outcome) = finished(&mut self.work) {
            match outcome {
                Ok(page) => self.written = Some(page),
                Err(why) => self.why = Some(why),
            }
        }
    }

    pub fn take(&mut self, file: TrainingFile, path: PathBuf) {
        self.why = None;
        match file {
            TrainingFile::Report => self.write(path),
            TrainingFile::ResultBefore => {
                self.why = add(&mut self.before, path).err();
            }
            _ => {
                self.written = None;
                self.why = add(&mut self.now, path).err();
                self.report_anew();
            }
        }
    }

    fn report_anew(&mut self) {
        self.report = None;
        if self.now.is_empty() {
            return;
        }
        let results: Vec<ClassResult> = self.now.iter().map(|(_, r)| r.clone()).collect();
        let made = Sources::of_results(&results).and_then(|s| Ok((s.report()?, s)));
        match made {
            Ok((report, sources)) => self.report = Some((sources, report)),
            Err(e) => self.why = Some(sentence(&e)),
        }
    }

    fn write(&mut self, folder: PathBuf) {
        let Some((sources, report)) = self.report.clone() else {
            return;
        };
        let task = Task::start("report", &self.wake, move |_| {
            let failed = |e: &dyn std::fmt::Display| about_file(&folder, e);
            std::fs::create_dir_all(&folder).map_err(|e| failed(&e))?;
            let mut put = |name: &str, bytes: &[u8]| {
                crate::files::write_atomically(&folder.join(name), bytes)
            };
            report::write(&report, &sources, true, &mut put).map_err(|e| failed(&e))?;
            Ok(folder.join("report.html"))
        });
        match task {
            Ok(task) => self.work = Some(task),
            Err(why) => self.why = Some(why),
        }
    }

    /// What is to be chosen, and cases that are to go on the wall.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        class: Option<&Class>,
    ) -> (Option<TrainingFile>, Option<Wall>) {
        let (mut asks, mut wall) = (None, None);
        column(ui, |ui| {
            title(
                ui,
                "Results of a class",
                "Drop what trainees handed in on the window, or choose one after the other. Nothing of it is kept.",
            );
            let hidden = self.hidden;
            let (file, changed) = files(
                ui,
                ("Result...", TrainingFile::Result),
                &mut self.now,
                hidden,
            );
            asks = file;
            if changed {
                self.why = None;
                self.report_anew();
            }
            match &self.why {
                // It may name a file, and with it a trainee.
                Some(_) if hidden => {
                    error(ui, "Something was wrong: show the aliases to read what.")
                }
                Some(why) => error(ui, why.clone()),
                None => {}
            }
            let Some((sources, report)) = &self.report else {
                return;
            };
            ui.horizontal(|ui| {
                ui.checkbox(&mut self.hidden, "Hide aliases");
                if ui.button("Report...").clicked() {
                    asks = Some(TrainingFile::Report);
                }
                if !report.cases.is_empty() && main_button(ui, "Projector", true, false) {
                    wall = Some(Wall::new(report, &self.now, class));
                }
            });
            if let Some(task) = &self.work
                && progress(ui, &task.progress())
            {
                self.work = None;
            }
            if let Some(page) = &self.written {
                written(ui, "Report", page);
            }
            let truth = format!(
                "The truth: {}, {}.",
                sources.truth_source,
                sources.truth.name()
            );
            muted(ui, truth);
            trainees(ui, report, self.hidden);
            cases(ui, report);
            heading(ui, "Before and after");
            muted(
                ui,
                "Results of a session before, of the same aliases: the differences with their 95 % intervals.",
            );
            let before = ("Result before...", TrainingFile::ResultBefore);
            if let (Some(file), _) = files(ui, before, &mut self.before, hidden) {
                asks = Some(file);
            }
            compared(ui, &self.before, &self.now, self.hidden);
            ui.add_space(GAP);
        });
        (asks, wall)
    }
}

/// Adds a result that was not there.
fn add(all: &mut Vec<(PathBuf, ClassResult)>, path: PathBuf) -> Result<(), String> {
    if all.iter().any(|(there, _)| *there == path) {
        return Ok(());
    }
    let bytes = bytes_of(&path, result::MOST_BYTES)?;
    let result = ClassResult::parse(&bytes).map_err(|e| about_file(&path, &e))?;
    if let Some((_, first)) = all.first()
        && first.class_sha256 != result.class_sha256
    {
        return Err(about_file(
            &path,
            &"it is of another class than the others: report each class by itself",
        ));
    }
    if all.iter().any(|(_, there)| there.alias == result.alias) {
        return Err(about_file(
            &path,
            &format!("there is a result of {} already", result.alias),
        ));
    }
    all.push((path, result));
    Ok(())
}

/// What was handed in. A file that is to be chosen, and whether one was taken away.
fn files(
    ui: &mut Ui,
    (text, file): (&str, TrainingFile),
    all: &mut Vec<(PathBuf, ClassResult)>,
    hidden: bool,
) -> (Option<TrainingFile>, bool) {
    let mut asks = None;
    let mut gone = None;
    ui.horizontal_wrapped(|ui| {
        if ui.button(text).clicked() {
            asks = Some(file);
        }
        for (i, (path, _)) in all.iter().enumerate() {
            // The name of the file has the alias in it.
            let name = match hidden {
                true => format!("Result {}", i + 1),
                false => name_of(Path::new(path)),
            };
            ui.label(&name);
            let remove = ui.small_button("Remove");
            crate::ui::parts::named(&remove, &format!("Remove {name}"));
            if remove.clicked() {
                gone = Some(i);
            }
        }
    });
    if let Some(i) = gone {
        all.remove(i);
    }
    (asks, gone.is_some())
}

/// Whose figures they are, or which of several.
fn called(alias: &str, place: usize, hidden: bool) -> String {
    match hidden {
        true => format!("Trainee {}", place + 1),
        false => alias.to_owned(),
    }
}

fn trainees(ui: &mut Ui, report: &Report, hidden: bool) {
    heading(ui, "By trainee");
    muted(ui, "JND: the just-noticeable difference, in points of EF.");
    let number = |x: Option<f64>| x.map_or("-".into(), |x| format!("{x:.1}"));
    let words = [
        "",
        "Guesses",
        "Mean absolute error",
        "Bias",
        "Limits of agreement",
        "Right category",
        "JND",
    ];
    table(ui, "trainees", &words, |ui| {
        for (i, trainee) in report.trainees.iter().enumerate() {
            let p = &trainee.progress;
            ui.label(called(&trainee.alias, i, hidden));
            ui.label(p.n.to_string());
            ui.label(number(p.mae));
            ui.label(p.bias.map_or("-".into(), |b| format!("{b:+.1}")));
            let limits = p.limit_low.zip(p.limit_high);
            ui.label(limits.map_or("-".into(), |(low, high)| format!("{low:+.1} to {high:+.1}")));
            let right = p.category_accuracy;
            ui.label(right.map_or("-".into(), |share| format!("{:.0} %", 100.0 * share)));
            let jnd = trainee.jnd.as_ref();
            ui.label(jnd.map_or("-".into(), |j| match j.is_measurable() {
                true => format!("{:.1} points", j.value),
                false => "over 25".into(),
            }));
            ui.end_row();
        }
    });
}

fn cases(ui: &mut Ui, report: &Report) {
    if report.cases.is_empty() {
        return;
    }
    heading(ui, "By case, those with most errors of category first");
    let number = |x: Option<f64>| x.map_or("-".into(), |x| format!("{x:.1}"));
    table(
        ui,
        "cases of a class",
        &[
            "Case",
            "Truth",
            "Mean guess",
            "SD",
            "Guesses",
            "Wrong category",
        ],
        |ui| {
            for case in &report.cases {
                ui.label(&case.case);
                ui.label(format!("{:.1} %", case.truth));
                ui.label(format!("{:.1} %", case.mean));
                ui.label(number(case.sd));
                ui.label(case.n.to_string());
                ui.label(case.category_errors.to_string());
                ui.end_row();
            }
        },
    );
}

fn points(result: &ClassResult) -> Vec<CasePoint<'_>> {
    result
        .answers
        .iter()
        .filter_map(CasePoint::of_result)
        .collect()
}

/// Trainees of both sessions.
fn compared(
    ui: &mut Ui,
    before: &[(PathBuf, ClassResult)],
    now: &[(PathBuf, ClassResult)],
    hidden: bool,
) {
    if before.is_empty() {
        return;
    }
    let both: Vec<(String, Change)> = now
        .iter()
        .enumerate()
        .filter_map(|(i, (_, after))| {
            let (_, before) = before.iter().find(|(_, b)| b.alias == after.alias)?;
            let name = called(&after.alias, i, hidden);
            Some((name, paired(&points(before), &points(after))))
        })
        .collect();
    if both.is_empty() {
        muted(ui, "No alias is in both sessions.");
        return;
    }
    table(
        ui,
        "before and after",
        &[
            "",
            "Mean absolute error, after less before",
            "Change in absolute bias",
            "Compared",
        ],
        |ui| {
            for (name, change) in both {
                ui.label(name);
                let said = |d: &Option<MeanDifference>| match d {
                    Some(d) => format!(
                        "{:+.1} ({:+.1} to {:+.1})",
                        d.value, d.interval.low, d.interval.high
                    ),
                    None => "too few guesses".into(),
                };
                ui.label(said(&change.mae));
                ui.label(said(&change.absolute_bias));
                ui.label(change.by.name());
                ui.end_row();
            }
        },
    );
}
