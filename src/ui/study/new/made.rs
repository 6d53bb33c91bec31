//! What was made, and what it leaves to tell clips apart by.

use crate::study::assemble::Assembled;
use crate::study::audit::Content;
use crate::study::plan::Kind;
use crate::ui::parts::{caution, heading, main_button, muted, named, row, title, written};
use crate::ui::theme::{GAP, tokens};
use egui::{Grid, RichText, Ui};

/// What the user wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// This reader sits down, by the code.
    Read(String),
    Another,
}

pub fn show(ui: &mut Ui, made: &Assembled, entered: bool) -> Option<Next> {
    let mut next = None;
    let shown = made.plan.presentation;
    let first = made.plan.readers.first().map_or(&[][..], |r| &r.trials);
    let scored = first.iter().filter(|t| t.kind == Kind::Scored).count();
    title(
        ui,
        "The study is made",
        &format!(
            "{} trials for each reader, of {} clips of {} frames at {:.1} a second, {} x {} pixels, {} gray levels.",
            scored, made.clips, shown.frames, shown.fps, shown.width, shown.height, shown.levels
        ),
    );
    written(ui, "For the readers", &made.bundle);
    written(ui, "A code for each of them", &made.codes);
    written(ui, "For you alone, the key", &made.key);
    for warning in &made.warnings {
        caution(ui, warning);
    }
    heading(ui, "Who reads");
    muted(
        ui,
        "On this machine now, or on another: it needs the first file and one reader's code.",
    );
    ui.add_space(GAP / 2.0);
    for (i, reader) in made.readers.iter().enumerate() {
        row(ui, &reader.reader, |ui, _| {
            ui.label(RichText::new(&reader.code).monospace());
            let copy = ui.button("Copy");
            named(&copy, &format!("Copy the code of {}", reader.reader));
            if copy.clicked() {
                ui.ctx().copy_text(reader.code.clone());
            }
            let text = format!("Read as {}", reader.reader);
            let read = match i {
                0 => main_button(ui, &text, true, entered),
                _ => ui.button(text).clicked(),
            };
            if read {
                next = Some(Next::Read(reader.code.clone()));
            }
        });
    }
    audit(ui, made);
    ui.add_space(GAP);
    if ui.button("Another study").clicked() {
        next = Some(Next::Another);
    }
    next
}

fn audit(ui: &mut Ui, made: &Assembled) {
    heading(ui, "What could tell the clips apart");
    muted(
        ui,
        "How they are shown is the same for all: frames, rate, size, gray levels, sector and length in the file.",
    );
    muted(
        ui,
        "What they show may differ, as a generator's pictures do. The area under the curve of each figure alone, \
         for generated against real, with its 95 % interval; 0.5 tells nothing. It is reported beside what \
         readers can tell.",
    );
    ui.add_space(GAP / 2.0);
    Grid::new("audit")
        .num_columns(3)
        .striped(true)
        .spacing([24.0, 4.0])
        .show(ui, |ui| {
            for content in &made.audit.content {
                ui.label(content.feature.replace('_', " "));
                let figure = figure(content);
                let text = RichText::new(figure).monospace();
                let tells = tells(content);
                ui.label(if tells {
                    text.color(tokens(ui).caution)
                } else {
                    text
                });
                ui.label(if tells { "tells them apart" } else { "" });
                ui.end_row();
            }
        });
}

fn figure(content: &Content) -> String {
    match (content.auc, content.low, content.high) {
        (Some(auc), Some(low), Some(high)) => format!("{auc:.2} ({low:.2} to {high:.2})"),
        (Some(auc), ..) => format!("{auc:.2}"),
        _ => "not known of both".into(),
    }
}

/// Its interval lies on one side of chance.
fn tells(content: &Content) -> bool {
    content.low.is_some_and(|low| low > 0.5) || content.high.is_some_and(|high| high < 0.5)
}
