//! *Take part*: a class that was handed out.

use super::super::files::TrainingFile;
use super::super::guess::{result_path, write};
use super::super::said::{counted, sentence};
use super::super::stock::Stock;
use super::{Classes, Wants};
use crate::drill::class::{Class, Feedback, Kind};
use crate::drill::sitting::{Sitting, SittingError, class_result};
use crate::ui::parts::{
    FileField, FileRow, caution, column, error, main_button, muted, progress, title,
};
use crate::ui::theme::GAP;
use egui::Ui;
use std::path::PathBuf;
use std::sync::Arc;

impl Classes {
    pub(super) fn take_ui(
        &mut self,
        ui: &mut Ui,
        stock: &mut Stock,
        entered: bool,
    ) -> Option<Wants> {
        let mut wants = None;
        column(ui, |ui| {
            title(
                ui,
                "Take part in a class",
                "Everybody reads the same cases in the same order. Your answers to it become one file, to be handed in.",
            );
            let path = self.opened.as_ref().map(|o| o.path.clone());
            let empty = "choose the file that you were given, or drop it here";
            let field = FileField::new("Class", TrainingFile::Class, path.as_deref(), empty);
            match field.show(ui) {
                Some(FileRow::Choose(file)) => wants = Some(Wants::File(file)),
                Some(FileRow::Clear) => self.opened = None,
                None => {}
            }
            if let Some(opened) = &self.opened {
                muted(ui, about(&opened.class));
                if opened.missing > 0 {
                    let clips = counted(opened.missing, "clip");
                    caution(ui, format!("{clips} of it were not found beside it."));
                    if ui.button("Folder with its clips...").clicked() {
                        wants = Some(Wants::File(TrainingFile::Clips));
                    }
                }
            }
            if let Some(task) = &self.opening
                && progress(ui, &task.progress())
            {
                self.opening = None;
            }
            stock.profile_ui(ui);
            ui.add_space(GAP);
            let trouble = match &self.opened {
                _ if self.opening.is_some() => Some("Wait until the class is open."),
                None => Some("Choose a class."),
                Some(opened) if opened.missing > 0 => Some("Choose the folder with its clips."),
                Some(_) => stock.alias_trouble(),
            };
            let begin = main_button(ui, "Begin", trouble.is_none(), entered);
            if let Some(trouble) = trouble {
                muted(ui, trouble);
            }
            if let Some(opened) = self.opened.clone().filter(|_| begin) {
                match begin_class(stock, &opened.class, opened.path) {
                    Ok(begun) => wants = Some(begun),
                    Err(why) => self.why = Some(why),
                }
            }
            if let Some(why) = &self.why {
                error(ui, why.clone());
            }
        });
        wants
    }
}

fn begin_class(stock: &Stock, class: &Arc<Class>, path: PathBuf) -> Result<Wants, String> {
    let profile = stock.open_profile()?;
    if class.kind == Kind::Lower {
        return Ok(Wants::Lower(Box::new(profile), class.clone(), path));
    }
    let done = class_result(&profile, class);
    match Sitting::class(profile, class) {
        Ok(sitting) => Ok(Wants::Guess(Box::new(sitting), path)),
        Err(SittingError::NoCases) => {
            let again = write(&done, result_path(&path, &done.alias))?;
            Err(format!(
                "{} has answered all of this class; the result is written once more: {}",
                done.alias,
                again.display()
            ))
        }
        Err(e) => Err(sentence(&e)),
    }
}

/// What a class is.
fn about(class: &Class) -> String {
    let (truth, source, _) = class.truth();
    let kind = match class.kind {
        Kind::Guess => format!("{} cases to guess the EF of", class.cases),
        Kind::Lower => "pairs of which one has the lower EF".into(),
    };
    let feedback = match class.feedback {
        Feedback::AfterEach => "feedback after each",
        Feedback::AtEnd => "feedback at the end",
    };
    let limit = class
        .time_limit_s
        .map_or(String::new(), |s| format!(", {s:.0} s each"));
    let name = match class.name.as_str() {
        "" => String::new(),
        name => format!("{name}: "),
    };
    format!(
        "{name}{kind}, {feedback}{limit}. The truth: {source}, {}.",
        truth.name()
    )
}
