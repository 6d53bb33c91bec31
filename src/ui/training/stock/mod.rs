//! What all of training's screens share: who trains, and where cases come from.

mod load;

pub use load::{bytes_of, clips_beside, clips_of, missing};

use super::files::TrainingFile;
use super::reel::Reel;
use super::said::{counted, sentence};
use crate::drill::material::Clips;
use crate::drill::profile::{Answer, Compared, Listed, Profile, is_alias};
use crate::drill::retention::Retention;
use crate::drill::sampler::Source;
use crate::drill::schedule::Cell;
use crate::drill::set::CaseSet;
use crate::drill::sitting::About;
use crate::phantom::Quality;
use crate::ui::parts::{FileField, FileRow, caution, error, muted, progress, row};
use crate::ui::projector::Wake;
use crate::ui::task::{Reporter, Task, finished};
use dicom_core::chrono::{NaiveDate, Utc};
use egui::{ComboBox, TextEdit, Ui};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Whoever has not said who they are.
const USUAL: &str = "trainee 1";

/// Who trains with what.
pub struct Stock {
    /// Where profiles lie; none where the system has no data directory.
    folder: Option<PathBuf>,
    /// Instead of the clock's.
    day: Option<NaiveDate>,
    pub alias: String,
    pub quality: Quality,
    set: Option<Chosen>,
    /// Of the built-in source in the quality that is chosen.
    built_in: (Quality, Arc<About>),
    profiles: Vec<Listed>,
    /// What the profile of this alias has answered.
    known: Option<Known>,
    /// How often profiles were looked at.
    looks: usize,
    looking: Option<(String, Task<Result<Looked, String>>)>,
    loading: Option<Task<Result<Loaded, String>>>,
    /// What was wrong with a file, or with the profiles.
    why: Option<String>,
    wake: Wake,
}

/// A set of cases that was opened.
struct Chosen {
    path: PathBuf,
    set: Arc<CaseSet>,
    about: Arc<About>,
    /// What is said of it.
    words: String,
    /// Clips of the set that are in no folder that was looked through.
    missing: usize,
}

enum Loaded {
    Set(Chosen, Arc<Clips>),
    Clips { missing: usize, clips: Arc<Clips> },
}

struct Looked {
    profiles: Vec<Listed>,
    known: Option<Known>,
}

/// What a profile holds.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub alias: String,
    pub answers: Vec<Answer>,
    pub compared: Vec<Compared>,
    /// What was practised, the weakest first.
    pub cells: Vec<Cell>,
    /// The retention test that is due.
    pub retention: Option<Retention>,
    /// Half an answer at its end was left out.
    pub was_torn: bool,
    /// Tells what was known before from what is known now.
    pub version: usize,
}

impl Stock {
    pub fn new(wake: Wake, folder: Option<PathBuf>, day: Option<NaiveDate>) -> Self {
        let mut stock = Self {
            folder,
            day,
            alias: USUAL.into(),
            quality: Quality::default(),
            built_in: built_in(Quality::default()),
            set: None,
            profiles: Vec::new(),
            known: None,
            looks: 0,
            looking: None,
            loading: None,
            why: None,
            wake,
        };
        stock.look();
        stock
    }

    /// Looks at the profiles anew, and at that of the alias.
    pub fn look(&mut self) {
        let Some(folder) = self.folder.clone() else {
            return;
        };
        let alias = self.alias.clone();
        let today = self.today();
        let task = Task::start("profiles", &self.wake, {
            let alias = alias.clone();
            move |_: &Reporter| load::looked(&folder, &alias, today)
        });
        match task {
            Ok(task) => self.looking = Some((alias, task)),
            Err(why) => self.why = Some(why),
        }
    }

    /// Nothing is remembered of any profile.
    pub fn forget(&mut self) {
        self.profiles.clear();
        self.known = None;
        self.looking = None;
    }

    /// By UTC, as answers have it.
    pub fn today(&self) -> NaiveDate {
        self.day.unwrap_or_else(|| Utc::now().date_naive())
    }

    /// Whose profile is trained with.
    pub fn known(&self) -> Option<&Known> {
        self.known.as_ref().filter(|k| k.alias == self.alias)
    }

    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Opens the profile of the alias, for a sitting.
    ///
    /// # Errors
    /// A sentence.
    pub fn open_profile(&self) -> Result<Profile, String> {
        let folder = self.folder.as_deref();
        let folder = folder.ok_or("This system has no place for profiles.")?;
        Profile::open(folder, &self.alias).map_err(|e| sentence(&e))
    }

    /// Where cases come from, and what is said of their truth.
    pub fn about(&mut self) -> Arc<About> {
        if let Some(chosen) = &self.set {
            return chosen.about.clone();
        }
        if self.built_in.0 != self.quality {
            self.built_in = built_in(self.quality);
        }
        self.built_in.1.clone()
    }

    pub fn set(&self) -> Option<&Arc<CaseSet>> {
        self.set.as_ref().map(|c| &c.set)
    }

    /// Whether what is chosen is being opened.
    pub fn is_busy(&self) -> bool {
        self.loading.is_some()
    }

    pub fn step_back(&mut self) {
        self.loading = None;
    }

    pub fn pursue(&mut self, reel: Option<&Reel>) {
        if let Some((alias, task)) = &self.looking
            && let Some(outcome) = task.take()
        {
            let alias = alias.clone();
            self.looking = None;
            match outcome.and_then(|o| o) {
                Ok(looked) => {
                    self.profiles = looked.profiles;
                    self.looks += 1;
                    let known = looked.known.unwrap_or(Known {
                        alias,
                        ..Known::default()
                    });
                    self.known = Some(Known {
                        version: self.looks,
                        ..known
                    });
                }
                Err(why) => self.why = Some(why),
            }
        }
        let Some(outcome) = finished(&mut self.loading) else {
            return;
        };
        match outcome {
            Ok(Loaded::Set(chosen, clips)) => {
                self.set = Some(chosen);
                if let Some(reel) = reel {
                    reel.add_clips(&clips);
                }
            }
            Ok(Loaded::Clips { missing, clips }) => {
                if let Some(chosen) = &mut self.set {
                    chosen.missing = missing;
                }
                if let Some(reel) = reel {
                    reel.add_clips(&clips);
                }
            }
            Err(why) => self.why = Some(why),
        }
    }

    /// Takes a set that was chosen, or the folder of its clips.
    pub fn take(&mut self, file: TrainingFile, path: PathBuf) {
        self.why = None;
        let task = match file {
            TrainingFile::Set => Task::start("set", &self.wake, move |reporter| {
                load::load(path, reporter)
            }),
            TrainingFile::Clips => {
                let Some(set) = self.set().cloned() else {
                    return;
                };
                Task::start("clips", &self.wake, move |reporter| {
                    let clips = clips_of(&path, reporter)?;
                    Ok(Loaded::Clips {
                        missing: missing(&set, &clips),
                        clips: Arc::new(clips),
                    })
                })
            }
            _ => return,
        };
        match task {
            Ok(task) => self.loading = Some(task),
            Err(why) => self.why = Some(why),
        }
    }

    /// Whether cases can be asked, and if not what is to be done.
    pub fn trouble(&self) -> Option<&'static str> {
        self.alias_trouble().or_else(|| self.source_trouble())
    }

    pub fn alias_trouble(&self) -> Option<&'static str> {
        let words = "An alias has 1 to 40 letters, digits, spaces and dashes.";
        (!is_alias(&self.alias)).then_some(words)
    }

    pub fn source_trouble(&self) -> Option<&'static str> {
        match &self.set {
            _ if self.is_busy() => Some("Wait until the set is open."),
            Some(chosen) if chosen.missing > 0 => Some("Choose the folder with the set's clips."),
            _ => None,
        }
    }

    /// Who trains.
    pub fn profile_ui(&mut self, ui: &mut Ui) {
        let before = self.alias.clone();
        row(ui, "Profile", |ui, label| {
            let field = TextEdit::singleline(&mut self.alias)
                .desired_width(200.0)
                .char_limit(40);
            ui.add(field).labelled_by(label);
            if !self.profiles.is_empty() {
                let choose = ComboBox::from_id_salt("profiles").selected_text("Choose...");
                choose.show_ui(ui, |ui| {
                    for listed in &self.profiles {
                        let text = format!("{}: {} answers", listed.alias, listed.answers);
                        if ui.selectable_label(false, text).clicked() {
                            self.alias = listed.alias.clone();
                        }
                    }
                });
            }
            muted(ui, "an alias, not a name");
        });
        if self.alias != before {
            self.look();
        }
        if self.known().is_some_and(|k| k.was_torn) {
            caution(
                ui,
                "Half an answer was left by a program that was stopped; it is left out.",
            );
        }
    }

    /// Where cases come from. A file that the user is to choose.
    pub fn source_ui(&mut self, ui: &mut Ui) -> Option<TrainingFile> {
        let mut asks = None;
        let about = self.set.as_ref().map(|c| c.words.clone());
        let path = self.set.as_ref().map(|c| c.path.clone());
        let field = FileField {
            about: about.as_deref().unwrap_or_default(),
            ..FileField::new(
                "Cases",
                TrainingFile::Set,
                path.as_deref(),
                "simulated hearts, as many as you like; or choose a set",
            )
        };
        match field.show(ui) {
            Some(FileRow::Choose(file)) => asks = Some(file),
            Some(FileRow::Clear) => {
                self.set = None;
                self.why = None;
            }
            None => {}
        }
        if self.set.is_none() {
            row(ui, "Picture quality", |ui, _| {
                for quality in Quality::ALL {
                    ui.selectable_value(&mut self.quality, quality, quality.name());
                }
            });
        }
        if let Some(missing) = self.set.as_ref().map(|c| c.missing).filter(|m| *m > 0) {
            row(ui, "", |ui, _| {
                if ui.button("Folder with its clips...").clicked() {
                    asks = Some(TrainingFile::Clips);
                }
                caution(
                    ui,
                    format!("{missing} of its clips were not found beside it."),
                );
            });
        }
        if let Some(task) = &self.loading
            && progress(ui, &task.progress())
        {
            self.loading = None;
        }
        if let Some(why) = &self.why {
            error(ui, why.clone());
        }
        asks
    }
}

fn built_in(quality: Quality) -> (Quality, Arc<About>) {
    (quality, Arc::new(About::of(Source::built_in(quality))))
}

/// As `12 hearts, 144 cases; measured by X, itself off by 4 points (SD)`.
fn described(set: &CaseSet, about: &About) -> String {
    let cases: usize = set.ladders.iter().map(|l| l.rungs.len()).sum();
    let words = about.in_words();
    let hearts = counted(set.ladders.len(), "heart");
    format!("{hearts}, {}; {words}", counted(cases, "case"))
}
