//! *New study*: clips, a number of trials, and what is made of them.

mod form;
mod made;
mod more;

use super::files::StudyFile;
use crate::study::assemble::{Assembled, assemble};
use crate::study::key::Class;
use crate::study::power::{Assumed, power, warnings};
use crate::study::sources;
use crate::ui::parts::{
    FileField, FileRow, column, error, main_button, muted, progress, row, title,
};
use crate::ui::projector::Wake;
use crate::ui::task::Task;
use crate::ui::theme::GAP;
use egui::{CollapsingHeader, DragValue, Ui};
use form::Form;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// For what is being made, when the window is closed.
const PATIENCE: Duration = Duration::from_secs(2);

/// The screen's state.
pub struct NewStudy {
    form: Form,
    /// Files in the folder of each class.
    counts: [Count; 3],
    making: Option<Task<Result<Assembled, String>>>,
    made: Option<Assembled>,
    why: Option<String>,
    /// Where the study goes.
    out: Option<PathBuf>,
    /// `2026-11-26`
    today: String,
    wake: Wake,
}

#[derive(Default)]
enum Count {
    #[default]
    None,
    Counting(Task<Result<usize, String>>),
    Counted(Result<usize, String>),
}

/// What the screen asks for.
pub enum Asks {
    File(StudyFile),
    /// A reader of the study that was made sits down.
    Read {
        bundle: PathBuf,
        code: String,
    },
}

impl NewStudy {
    pub fn new(wake: Wake, today: String) -> Self {
        Self {
            form: Form::default(),
            counts: Default::default(),
            making: None,
            made: None,
            why: None,
            out: None,
            today,
            wake,
        }
    }

    /// Takes a file that was chosen.
    pub fn take(&mut self, file: StudyFile, path: PathBuf) {
        self.why = None;
        match file {
            StudyFile::Real => self.take_folder(0, path),
            StudyFile::Factual => self.take_folder(1, path),
            StudyFile::Counterfactual => self.take_folder(2, path),
            StudyFile::List => self.form.list = Some(path),
            StudyFile::Practice => self.form.practice = Some(path),
            StudyFile::Out => self.form.out = Some(path),
            _ => {}
        }
        self.settle_out();
    }

    fn settle_out(&mut self) {
        self.out = self.form.out(&self.today);
    }

    /// A folder that was dropped: the next that is missing.
    pub fn take_dropped(&mut self, path: PathBuf) {
        let place = self.form.folders.iter().position(Option::is_none);
        self.take_folder(place.unwrap_or(0), path);
        self.settle_out();
    }

    fn take_folder(&mut self, place: usize, path: PathBuf) {
        let (Some(folder), Some(count), Some(class)) = (
            self.form.folders.get_mut(place),
            self.counts.get_mut(place),
            Class::ALL.get(place),
        ) else {
            return;
        };
        let (counted, class) = (path.clone(), *class);
        *folder = Some(path);
        let counting = Task::start("count", &self.wake, move |_| {
            let found = sources::folder(&counted, class).map_err(|e| e.to_string())?;
            // What the program writes beside its exports is no clip.
            let is_clip = |l: &&sources::Listed| {
                let ending = l.path.extension().unwrap_or_default();
                !["json", "csv", "txt"]
                    .iter()
                    .any(|e| ending.eq_ignore_ascii_case(e))
            };
            Ok(found.iter().filter(is_clip).count())
        });
        *count = counting.map_or_else(|why| Count::Counted(Err(why)), Count::Counting);
    }

    pub fn is_busy(&self) -> bool {
        self.making.is_some()
    }

    pub fn step_back(&mut self) {
        self.making = None;
    }

    /// The window is closed: what is being made puts away what it began.
    pub fn close(&mut self) {
        if let Some(making) = self.making.take() {
            making.stop();
            let since = Instant::now();
            while making.take().is_none() && since.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Looks whether what other threads do has come.
    pub fn pursue(&mut self) {
        for count in &mut self.counts {
            if let Count::Counting(task) = count
                && let Some(counted) = task.take()
            {
                *count = Count::Counted(counted.and_then(|c| c));
            }
        }
        let done = self.making.as_ref().and_then(Task::take);
        if let Some(done) = done {
            self.making = None;
            match done.and_then(|d| d) {
                Ok(made) => self.made = Some(made),
                Err(why) => self.why = Some(why),
            }
        }
    }

    fn files(&self) -> [usize; 3] {
        self.counts.each_ref().map(|count| match count {
            Count::Counted(Ok(n)) => *n,
            _ => 0,
        })
    }

    pub fn ui(&mut self, ui: &mut Ui, entered: bool) -> Option<Asks> {
        let mut asks = None;
        column(ui, |ui| {
            if let Some(made) = &self.made {
                match made::show(ui, made, entered) {
                    Some(made::Next::Read(code)) => {
                        let bundle = made.bundle.clone();
                        asks = Some(Asks::Read { bundle, code });
                    }
                    Some(made::Next::Another) => {
                        // The clips may be the same; the folder is not.
                        self.made = None;
                        self.form.out = None;
                        self.settle_out();
                    }
                    None => {}
                }
                return;
            }
            title(
                ui,
                "New study",
                "Recorded and generated clips, made alike, one at a time. Readers say which is which; the report \
                 says what they could tell.",
            );
            ui.add_enabled_ui(self.making.is_none(), |ui| {
                asks = self.fields(ui);
            });
            ui.add_space(GAP);
            self.start(ui, entered);
        });
        asks
    }

    fn fields(&mut self, ui: &mut Ui) -> Option<Asks> {
        let mut asks = None;
        let rows = [
            ("Recorded clips", StudyFile::Real, "a folder"),
            (
                "Generated at the source's EF",
                StudyFile::Factual,
                "a folder",
            ),
            (
                "Generated at another EF",
                StudyFile::Counterfactual,
                "a folder",
            ),
        ];
        for (place, (label, file, empty)) in rows.into_iter().enumerate() {
            let folder = self.form.folders.get(place).cloned().flatten();
            let count = self.counts.get(place).unwrap_or(&Count::None);
            let about = match count {
                Count::None | Count::Counted(Err(_)) => String::new(),
                Count::Counting(_) => "is looked through...".into(),
                Count::Counted(Ok(1)) => "1 file".into(),
                Count::Counted(Ok(n)) => format!("{n} files"),
            };
            let field = FileField {
                about: &about,
                ..FileField::new(label, file, folder.as_deref(), empty)
            };
            if let Count::Counted(Err(why)) = count {
                error(ui, why.clone());
            }
            match field.show(ui) {
                Some(FileRow::Choose(file)) => asks = Some(Asks::File(file)),
                Some(FileRow::Clear) => {
                    self.form.folders[place] = None;
                    self.counts[place] = Count::None;
                    self.settle_out();
                }
                None => {}
            }
        }
        let files = self.files();
        let mut trials = self.form.trials(files);
        row(ui, "Trials of a reader", |ui, words| {
            if self.form.trials.is_none() && self.form.missing().is_some() {
                muted(ui, "as many as the clips suffice for, at most 100");
                return;
            }
            let drag = DragValue::new(&mut trials).range(1..=5000);
            if ui.add(drag).labelled_by(words).changed() {
                self.form.trials = Some(trials);
            }
        });
        row(ui, "Readers", |ui, words| {
            let drag = DragValue::new(&mut self.form.wanted.readers).range(1..=200);
            ui.add(drag).labelled_by(words);
        });
        if self.form.missing().is_none() {
            self.power(ui, trials);
        }
        let label = "Folder for the study";
        let field = FileField {
            proposed: self.form.out.is_none(),
            ..FileField::new(
                label,
                StudyFile::Out,
                self.out.as_deref(),
                "beside the clips",
            )
        };
        match field.show(ui) {
            Some(FileRow::Choose(file)) => asks = Some(Asks::File(file)),
            Some(FileRow::Clear) => {
                self.form.out = None;
                self.settle_out();
            }
            None => {}
        }
        ui.add_space(GAP / 2.0);
        CollapsingHeader::new("More")
            .id_salt("more of a study")
            .show(ui, |ui| match more::more(ui, &mut self.form) {
                Some(more::Did::Ask(file)) => asks = Some(Asks::File(file)),
                Some(more::Did::Changed) => self.settle_out(),
                None => {}
            });
        asks
    }

    /// What such a study can show.
    fn power(&self, ui: &mut Ui, trials: usize) {
        let wanted = &self.form.wanted;
        let margin = wanted.analysis.equivalence_margin;
        let assumed = Assumed::usual(wanted.readers, trials, margin);
        let Ok(power) = power(&assumed) else { return };
        let points = |share: f64| format!("{:.0} points", 100.0 * share);
        let text = match power.mrmc {
            Some(mrmc) if mrmc.half_width >= 0.5 => {
                "So few trials say nothing of the accuracy.".to_owned()
            }
            Some(mrmc) => format!(
                "Where all read the same clips, the accuracy is known to about +/- {}.",
                points(mrmc.half_width)
            ),
            None => format!(
                "This reader's accuracy is known to about +/- {}.",
                points(power.wilson_half_width)
            ),
        };
        let warning = warnings(wanted.readers).join(" ");
        muted(ui, format!("{text} {warning}"));
    }

    fn start(&mut self, ui: &mut Ui, entered: bool) {
        if let Some(making) = &self.making {
            if progress(ui, &making.progress()) {
                self.making = None;
            }
            return;
        }
        let counting = |count: &Count| matches!(count, Count::Counting(_));
        let missing = match self.counts.iter().any(counting) {
            true => Some("The files are counted."),
            false => self.form.missing(),
        };
        let out = self.out.clone();
        if main_button(ui, "Start", missing.is_none(), entered)
            && let Some(out) = &out
        {
            self.make(out);
        }
        match (missing, &self.why) {
            (Some(missing), _) => muted(ui, missing),
            (None, Some(why)) => error(ui, why.clone()),
            (None, None) => muted(
                ui,
                "Prepares the clips, draws who reads what, and seals it all. Your files stay as they are.",
            ),
        }
    }

    fn make(&mut self, out: &Path) {
        self.why = None;
        let (form, out) = (self.form.clone(), out.to_owned());
        let trials = form.trials(self.files());
        let making = Task::start("study", &self.wake, move |reporter| {
            let order = form.order(trials, out)?;
            assemble(order, &mut |what, share| reporter.report(what, share))
                .map_err(|e| e.to_string())
        });
        match making {
            Ok(making) => self.making = Some(making),
            Err(why) => self.why = Some(why),
        }
    }
}
