//! *Collect*: are the logs what the readers' sessions wrote, and is anybody missing?

use super::super::files::StudyFile;
use super::{Checked, Gathered};
use crate::study::verify::LogVerified;
use crate::ui::parts::{
    caution, column, error, heading, main_button, muted, name_of, title, written,
};
use crate::ui::theme::{GAP, tokens};
use egui::{Grid, RichText, TextEdit, Ui};
use std::collections::BTreeMap;

impl Gathered {
    pub fn collect_ui(&mut self, ui: &mut Ui, entered: bool) -> Option<StudyFile> {
        let mut asks = None;
        column(ui, |ui| {
            title(
                ui,
                "Collect",
                "What readers handed in: is it whole, and as their sessions wrote it? Nothing here opens the key's \
                 secrets.",
            );
            asks = self.inputs_ui(ui, false);
            ui.add_space(GAP);
            if self.work_ui(ui) {
                return;
            }
            let missing = self.inputs.missing();
            if main_button(ui, "Check the logs", missing.is_none(), entered) {
                self.check();
            }
            if let Some(missing) = missing {
                muted(ui, missing);
            }
            if let Some(why) = &self.why {
                error(ui, why.clone());
            }
            if let Some(checked) = &self.verified {
                found(ui, checked, &mut self.receipts);
                ui.add_space(GAP);
                let file = ui.button("Merge into one file...");
                if file.clicked() {
                    asks = Some(StudyFile::Merged);
                }
                if let Some(merged) = &self.merged {
                    written(ui, "All logs in one", merged);
                }
            }
        });
        asks
    }
}

fn found(ui: &mut Ui, checked: &Checked, receipts: &mut BTreeMap<String, String>) {
    let verified = &checked.verified;
    heading(
        ui,
        match verified.ok {
            true => "Nothing is wrong with these logs",
            false => "Something is wrong with these logs",
        },
    );
    let missing = checked.missing();
    if !missing.is_empty() {
        caution(ui, format!("No log of {} yet.", missing.join(", ")));
    }
    if verified.ok && checked.is_complete() {
        muted(
            ui,
            "Every reader has read to the end, or left: the study can be reported.",
        );
    }
    Grid::new("logs")
        .num_columns(6)
        .striped(true)
        .spacing([20.0, 5.0])
        .show(ui, |ui| {
            for words in ["Reader", "Answered", "", "Runs", "Last receipt"] {
                ui.label(RichText::new(words).color(tokens(ui).muted));
            }
            ui.label(RichText::new("Receipt handed in").color(tokens(ui).muted));
            ui.end_row();
            for log in &verified.logs {
                ui.label(match log.reader.as_str() {
                    "" => "?",
                    reader => reader,
                });
                ui.label(format!("{} of {}", log.answered, log.trials));
                ui.label(end(log));
                ui.label(log.runs.to_string());
                ui.label(RichText::new(&log.receipt).monospace());
                let typed = receipts.entry(log.reader.clone()).or_default();
                let field = TextEdit::singleline(typed)
                    .font(egui::TextStyle::Monospace)
                    .desired_width(190.0);
                let field = ui.add(field);
                let name = format!("Receipt of {}", log.reader);
                field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, &name));
                ui.end_row();
            }
        });
    for log in &verified.logs {
        let file = checked.logs.get(log.file).map(|p| name_of(p));
        let file = file.unwrap_or_default();
        for problem in &log.problems {
            let line = problem.line;
            error(ui, format!("{file}, line {line}: {}.", problem.what));
        }
        for warning in &log.warnings {
            let line = warning.line;
            caution(ui, format!("{file}, line {line}: {}.", warning.what));
        }
    }
    muted(
        ui,
        "Type the receipts that readers handed in, and check again. Without them this finds accidents and edits; \
         someone who has the program and a code could have written a new log.",
    );
}

fn end(log: &LogVerified) -> &'static str {
    match (log.withdrawn, log.complete) {
        (true, _) => "left the study",
        (_, true) => "complete",
        _ => "not to the end",
    }
}
