//! *Class*: made by a teacher, taken part in by trainees, and looked at together.

mod generated;
mod make;
mod results;
mod take;
mod wall;

use super::files::TrainingFile;
use super::reel::Reel;
use super::said::about_file;
use super::stock::{Stock, bytes_of, clips_beside, clips_of, missing};
use crate::drill::class::{self, Class};
use crate::drill::material::Clips;
use crate::drill::profile::Profile;
use crate::drill::sitting::Sitting;
use crate::engine::Engine;
use crate::ui::mode::House;
use crate::ui::projector::Wake;
use crate::ui::task::{Reporter, Task, finished};
use crate::ui::theme::GAP;
use egui::Ui;
use generated::MakeSet;
use make::Make;
use results::Results;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strum::IntoEnumIterator;
use wall::Wall;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
enum Part {
    #[default]
    Take,
    Make,
    Results,
    Set,
}

impl Part {
    fn text(self) -> &'static str {
        match self {
            Self::Take => "Take part",
            Self::Make => "Make a class",
            Self::Results => "Results",
            Self::Set => "Make a set",
        }
    }
}

/// The screen's state.
pub struct Classes {
    part: Part,
    opened: Option<Opened>,
    opening: Option<Task<Result<(Opened, Clips), String>>>,
    make: Make,
    results: Results,
    pub set: MakeSet,
    /// Cases on a projector.
    wall: Option<Wall>,
    why: Option<String>,
    wake: Wake,
}

/// A class that was opened.
#[derive(Clone)]
struct Opened {
    path: PathBuf,
    class: Arc<Class>,
    /// Clips of its set that are in no folder that was looked through.
    missing: usize,
}

/// What the page asks for.
pub enum Wants {
    File(TrainingFile),
    Guess(Box<Sitting>, PathBuf),
    Lower(Box<Profile>, Arc<Class>, PathBuf),
}

impl Classes {
    pub fn new(wake: Wake) -> Self {
        Self {
            part: Part::default(),
            opened: None,
            opening: None,
            wake: wake.clone(),
            make: Make::default(),
            results: Results::new(wake.clone()),
            set: MakeSet::new(wake),
            wall: None,
            why: None,
        }
    }

    pub fn is_busy(&self) -> bool {
        self.opening.is_some() || self.results.is_busy() || self.set.is_busy()
    }

    /// Whether it has the whole window.
    pub fn is_on_the_wall(&self) -> bool {
        self.wall.is_some()
    }

    pub fn step_back(&mut self, engine: &Engine) {
        self.why = None;
        if self.opening.take().is_some() {
            return;
        }
        match self.part {
            Part::Set => self.set.cancel(engine),
            _ => self.results.step_back(),
        }
    }

    pub fn pursue(&mut self, reel: Option<&Reel>) {
        self.results.pursue();
        let Some(outcome) = finished(&mut self.opening) else {
            return;
        };
        match outcome {
            Ok((opened, clips)) => {
                self.opened = Some(opened);
                if let Some(reel) = reel {
                    reel.add_clips(&clips);
                }
            }
            Err(why) => self.why = Some(why),
        }
    }

    fn open(
        &mut self,
        work: impl FnOnce(&Reporter) -> Result<(Opened, Clips), String> + Send + 'static,
    ) {
        match Task::start("class", &self.wake, work) {
            Ok(task) => self.opening = Some(task),
            Err(why) => self.why = Some(why),
        }
    }

    /// Takes a file that was chosen, opened or dropped.
    pub fn take(&mut self, file: TrainingFile, path: PathBuf, stock: &mut Stock) {
        self.why = None;
        match file {
            TrainingFile::Class => {
                self.part = Part::Take;
                self.open(move |reporter| open(path, reporter));
            }
            TrainingFile::Clips => {
                if let Some(opened) = self.opened.clone() {
                    self.open(move |reporter| more(opened, &path, reporter));
                }
            }
            TrainingFile::ClassOut => match self.make.write(path, stock) {
                Ok(path) => self.open(move |reporter| open(path, reporter)),
                Err(why) => self.make.why = Some(why),
            },
            TrainingFile::Result | TrainingFile::ResultBefore | TrainingFile::Report => {
                self.part = Part::Results;
                self.results.take(file, path);
            }
            TrainingFile::Frames | TrainingFile::Made => self.set.take(file, path),
            _ => {}
        }
    }

    pub fn ui(
        &mut self,
        ui: &mut Ui,
        stock: &mut Stock,
        (house, engine): (&House, &Engine),
        entered: bool,
    ) -> Option<Wants> {
        egui::Panel::top("parts of a class")
            .frame(crate::ui::theme::background(ui).inner_margin(6))
            .show_separator_line(false)
            .show(ui, |ui| {
                ui.horizontal(|ui| {
                    ui.add_space(GAP / 2.0);
                    for part in Part::iter() {
                        ui.selectable_value(&mut self.part, part, part.text());
                    }
                });
            });
        match self.part {
            Part::Take => self.take_ui(ui, stock, entered),
            Part::Make => self.make.ui(ui, stock).map(Wants::File),
            Part::Results => {
                let class = self.opened.as_ref().map(|o| o.class.as_ref());
                let (file, wall) = self.results.ui(ui, class);
                self.wall = wall;
                file.map(Wants::File)
            }
            Part::Set => self.set.ui(ui, house, engine).map(Wants::File),
        }
    }

    /// Cases and answers, for all to see.
    pub fn wall_ui(&mut self, ui: &mut Ui, reel: &Reel) {
        if let Some(wall) = &mut self.wall
            && !wall.ui(ui, reel)
        {
            self.wall = None;
        }
    }
}

/// Opens a class, and looks for its clips beside it.
fn open(path: PathBuf, reporter: &Reporter) -> Result<(Opened, Clips), String> {
    let bytes = bytes_of(&path, class::MOST_BYTES)?;
    let class = Class::parse(&bytes).map_err(|e| about_file(&path, &e))?;
    let clips = match &class.set {
        Some(set) => clips_beside(set, &path, reporter)?,
        None => Clips::default(),
    };
    let opened = Opened {
        missing: class.set.as_ref().map_or(0, |set| missing(set, &clips)),
        class: Arc::new(class),
        path,
    };
    Ok((opened, clips))
}

/// Looks for its clips in another folder.
fn more(opened: Opened, folder: &Path, reporter: &Reporter) -> Result<(Opened, Clips), String> {
    let clips = clips_of(folder, reporter)?;
    let missing = opened
        .class
        .set
        .as_ref()
        .map_or(0, |set| missing(set, &clips));
    Ok((Opened { missing, ..opened }, clips))
}
