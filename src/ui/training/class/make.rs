//! *Make a class*.

use super::super::files::TrainingFile;
use super::super::guess::shares_ui;
use super::super::said::sentence;
use super::super::stock::Stock;
use crate::drill::case::Band;
use crate::drill::class::{Class, Feedback, Kind, Wanted};
use crate::ui::parts::{column, error, main_button, muted, row, title, written};
use crate::ui::theme::GAP;
use egui::{DragValue, TextEdit, Ui};
use std::path::PathBuf;

/// What a class is to be.
pub struct Make {
    name: String,
    seed: u64,
    cases: usize,
    shares: [f64; Band::COUNT],
    kind: Kind,
    feedback: Feedback,
    limited: bool,
    limit_s: f64,
    written: Option<PathBuf>,
    pub why: Option<String>,
}

impl Default for Make {
    fn default() -> Self {
        Self {
            name: String::new(),
            seed: 1,
            cases: 20,
            shares: [1.0; Band::COUNT],
            kind: Kind::default(),
            feedback: Feedback::default(),
            limited: false,
            limit_s: 30.0,
            written: None,
            why: None,
        }
    }
}

impl Make {
    pub fn ui(&mut self, ui: &mut Ui, stock: &mut Stock) -> Option<TrainingFile> {
        let mut asks = None;
        column(ui, |ui| {
            title(
                ui,
                "Make a class",
                "One small file: with simulated hearts under 2 kB. Whoever has it reads the same cases.",
            );
            row(ui, "Name", |ui, label| {
                let field = TextEdit::singleline(&mut self.name)
                    .char_limit(200)
                    .desired_width(240.0);
                ui.add(field).labelled_by(label);
            });
            asks = stock.source_ui(ui);
            row(ui, "Asked", |ui, _| {
                ui.selectable_value(&mut self.kind, Kind::Guess, "guess the EF");
                ui.selectable_value(&mut self.kind, Kind::Lower, "which is lower");
            });
            row(ui, "Feedback", |ui, _| {
                ui.selectable_value(&mut self.feedback, Feedback::AfterEach, "after each case");
                ui.selectable_value(&mut self.feedback, Feedback::AtEnd, "at the end");
            });
            if self.kind == Kind::Guess {
                row(ui, "How many", |ui, label| {
                    ui.add(DragValue::new(&mut self.cases).range(1..=1000))
                        .labelled_by(label);
                });
                row(ui, "Time limit", |ui, _| {
                    ui.checkbox(&mut self.limited, "for each case");
                    let seconds = DragValue::new(&mut self.limit_s)
                        .range(1.0..=600.0)
                        .suffix(" s");
                    let seconds = ui.add_enabled(self.limited, seconds);
                    seconds.widget_info(|| {
                        egui::WidgetInfo::labeled(
                            egui::Role::SpinButton,
                            true,
                            "Seconds for each case",
                        )
                    });
                });
                shares_ui(ui, &mut self.shares);
            }
            row(ui, "Seed", |ui, label| {
                ui.add(DragValue::new(&mut self.seed)).labelled_by(label);
                muted(ui, "another number is another class");
            });
            ui.add_space(GAP);
            let trouble = stock.source_trouble();
            if main_button(ui, "Save...", trouble.is_none(), false) {
                asks = Some(TrainingFile::ClassOut);
            }
            if let Some(trouble) = trouble {
                muted(ui, trouble);
            }
            if let Some(path) = &self.written {
                written(ui, "To be handed out", path);
            }
            if let Some(why) = &self.why {
                error(ui, why.clone());
            }
        });
        asks
    }

    /// Writes the class. Where it is then.
    ///
    /// # Errors
    /// A sentence.
    pub fn write(&mut self, mut path: PathBuf, stock: &mut Stock) -> Result<PathBuf, String> {
        self.written = None;
        self.why = None;
        if path.extension().is_none() {
            path.set_extension("echoclass");
        }
        let class = Class::new(Wanted {
            name: self.name.trim().to_owned(),
            source: stock.about().source.clone(),
            seed: self.seed,
            cases: match self.kind {
                Kind::Guess => self.cases,
                // The staircase says when it is enough.
                Kind::Lower => 1,
            },
            shares: self.shares,
            kind: self.kind,
            feedback: self.feedback,
            time_limit_s: Some(self.limit_s).filter(|_| self.limited && self.kind == Kind::Guess),
        });
        let class = class.map_err(|e| sentence(&e))?;
        crate::files::write_atomically(&path, &class.to_bytes())
            .map_err(|e| format!("{}: it cannot be written ({e}).", path.display()))?;
        self.written = Some(path.clone());
        Ok(path)
    }
}
