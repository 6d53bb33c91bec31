//! *Class*: made by a teacher, taken part in by trainees, and looked at together.

mod generated;
mod make;
mod results;
mod take;
mod wall;

use super::files::TrainingFile;
use super::reel::Reel;
use super::stock::{Stock, about_file, bytes_of};
use crate::drill::class::{self, Class};
use crate::drill::profile::Profile;
use crate::drill::sitting::Sitting;
use crate::engine::Engine;
use crate::ui::mode::House;
use crate::ui::projector::Wake;
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
    opened: Option<(PathBuf, Arc<Class>)>,
    make: Make,
    results: Results,
    pub set: MakeSet,
    /// Cases on a projector.
    wall: Option<Wall>,
    why: Option<String>,
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
            make: Make::default(),
            results: Results::new(wake.clone()),
            set: MakeSet::new(wake),
            wall: None,
            why: None,
        }
    }

    pub fn is_busy(&self) -> bool {
        self.results.is_busy() || self.set.is_busy()
    }

    /// Whether it has the whole window.
    pub fn is_on_the_wall(&self) -> bool {
        self.wall.is_some()
    }

    pub fn step_back(&mut self, engine: &Engine) {
        self.why = None;
        match self.part {
            Part::Set => self.set.cancel(engine),
            _ => self.results.step_back(),
        }
    }

    pub fn pursue(&mut self) {
        self.results.pursue();
    }

    /// Takes a file that was chosen, opened or dropped.
    pub fn take(&mut self, file: TrainingFile, path: PathBuf, stock: &Stock) {
        self.why = None;
        match file {
            TrainingFile::Class => {
                self.part = Part::Take;
                match open(&path) {
                    Ok(class) => self.opened = Some((path, Arc::new(class))),
                    Err(why) => self.why = Some(why),
                }
            }
            TrainingFile::ClassOut => match self.make.write(path, stock) {
                Ok((path, class)) => self.opened = Some((path, Arc::new(class))),
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
                let class = self.opened.as_ref().map(|(_, class)| class.as_ref());
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

fn open(path: &Path) -> Result<Class, String> {
    let bytes = bytes_of(path, class::MOST_BYTES)?;
    Class::parse(&bytes).map_err(|e| about_file(path, &e))
}
