//! What few need: design, scale of confidence, limits, words, passphrase.

use super::form::Form;
use crate::study::plan::{Design, Shares};
use crate::ui::parts::{FileField, FileRow, heading, muted, row};
use crate::ui::study::files::StudyFile;
use egui::{Checkbox, ComboBox, DragValue, TextEdit, Ui};
use std::path::PathBuf;

/// Lines of a text in the reader's words.
const LINES: usize = 3;

/// What the user did with the files that are named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    Ask(StudyFile),
    Changed,
}

/// Draws it.
pub fn more(ui: &mut Ui, form: &mut Form) -> Option<Did> {
    let mut did = None;
    heading(ui, "Who reads what");
    design(ui, form);
    shares(ui, form);
    number(ui, "Read once more", &mut form.wanted.repeats, 0..=1000);
    muted(
        ui,
        "For a reader's agreement with themselves alone, at least 20 trials later.",
    );
    number(ui, "Practice", &mut form.wanted.practice, 0..=20);
    muted(
        ui,
        "With moving bars that show no heart, to learn the keys.",
    );
    let practice = (StudyFile::Practice, &mut form.practice);
    let empty = "a folder; they are in no other trial";
    did = did.or(file(ui, "Practice with clips", practice, empty));
    number(
        ui,
        "Trials of a block",
        &mut form.wanted.session.block,
        1..=1000,
    );
    row(ui, "Break after a block", |ui, words| {
        let seconds = DragValue::new(&mut form.wanted.session.break_s)
            .range(0..=3600)
            .suffix(" s at least");
        ui.add(seconds).labelled_by(words);
    });

    heading(ui, "Answers");
    let answer = &mut form.wanted.answer;
    row(ui, "Steps of confidence", |ui, words| {
        let text = |n: u8| match n {
            0 => "none".to_owned(),
            n => n.to_string(),
        };
        let combo = ComboBox::from_id_salt("confidence").selected_text(text(answer.confidence));
        let response = combo.show_ui(ui, |ui| {
            for n in [0, 2, 3, 4, 5] {
                ui.selectable_value(&mut answer.confidence, n, text(n));
            }
        });
        response.response.labelled_by(words);
    });
    optional(
        ui,
        "Time limit",
        &mut answer.time_limit_s,
        10.0,
        1.0..=600.0,
        " s",
    );
    row(ui, "Readers are told", |ui, _| {
        let told = &mut form.wanted.prior_told;
        ui.add(Checkbox::new(told, "which share of the clips is real"));
    });

    heading(ui, "Clips");
    optional(
        ui,
        "Frames a second, at most",
        &mut form.wishes.rate,
        30.0,
        5.0..=120.0,
        "",
    );
    row(ui, "Length, at most", |ui, words| {
        let seconds = DragValue::new(&mut form.wishes.seconds)
            .range(0.2..=10.0)
            .speed(0.05)
            .suffix(" s");
        ui.add(seconds).labelled_by(words);
    });
    let list = (StudyFile::List, &mut form.list);
    let empty = "clips.csv: file, class, anatomy, EFs";
    did = did.or(file(ui, "A list instead of folders", list, empty));

    heading(ui, "Result");
    row(ui, "Margin of equivalence", |ui, words| {
        let mut points = 100.0 * form.wanted.analysis.equivalence_margin;
        let margin = DragValue::new(&mut points)
            .range(1.0..=49.0)
            .speed(0.5)
            .suffix(" points");
        if ui.add(margin).labelled_by(words).changed() {
            form.wanted.analysis.equivalence_margin = points / 100.0;
        }
    });
    muted(
        ui,
        "An accuracy within it, around 50 %, counts as no better than chance. Set it before anybody reads.",
    );

    heading(ui, "Words");
    text(ui, "Title", &mut form.wanted.title, 1, "");
    let texts = &mut form.wanted.texts;
    let own = "The program's own words where this is empty";
    text(ui, "Instruction", &mut texts.instruction, LINES, own);
    text(ui, "Consent", &mut texts.consent, LINES, own);
    text(ui, "After the last trial", &mut texts.debrief, LINES, own);

    heading(ui, "Key");
    for (label, word) in ["Passphrase", "Once more"].iter().zip(&mut form.passphrase) {
        row(ui, label, |ui, words| {
            let field = TextEdit::singleline(word)
                .password(true)
                .desired_width(240.0);
            ui.add(field).labelled_by(words);
        });
    }
    muted(
        ui,
        "Seals from you, too, which clip is which. Nobody can open the key without it. Without one the report \
         says that the study was not sealed from its administrator.",
    );
    did
}

/// A file that need not be there.
fn file(
    ui: &mut Ui,
    label: &str,
    (which, path): (StudyFile, &mut Option<PathBuf>),
    empty: &str,
) -> Option<Did> {
    match FileField::new(label, which, path.as_deref(), empty).show(ui)? {
        FileRow::Choose(which) => Some(Did::Ask(which)),
        FileRow::Clear => {
            *path = None;
            Some(Did::Changed)
        }
    }
}

fn design(ui: &mut Ui, form: &mut Form) {
    let wanted = &mut form.wanted;
    row(ui, "Clips of a reader", |ui, words| {
        let text = |design| match design {
            Design::Crossed => "the same for all",
            Design::Split => "each clip to one reader alone",
            Design::Shared => "some for all, the rest to one alone",
        };
        let combo = ComboBox::from_id_salt("design")
            .width(260.0)
            .selected_text(text(wanted.design));
        let response = combo.show_ui(ui, |ui| {
            for design in [Design::Crossed, Design::Split, Design::Shared] {
                ui.selectable_value(&mut wanted.design, design, text(design));
            }
        });
        response.response.labelled_by(words);
    });
    if wanted.design == Design::Shared {
        number(ui, "Trials that all share", &mut wanted.shared, 0..=5000);
    }
}

fn shares(ui: &mut Ui, form: &mut Form) {
    let mut shares = form.shares();
    row(ui, "Shares of the trials", |ui, words| {
        let mut changed = false;
        let mut percent = |ui: &mut Ui, share: &mut f64, what: &str, most: f64| {
            let mut value = (100.0 * *share).round();
            let drag = DragValue::new(&mut value)
                .range(0.0..=most)
                .suffix(format!(" % {what}"));
            if ui.add(drag).labelled_by(words).changed() {
                *share = value / 100.0;
                changed = true;
            }
        };
        percent(ui, &mut shares.real, "real", 100.0);
        let rest = 100.0 * (1.0 - shares.real);
        percent(ui, &mut shares.factual, "at the source's EF", rest.round());
        let other = (1.0 - shares.real - shares.factual).max(0.0);
        ui.label(format!("{:.0} % at another EF", 100.0 * other));
        if changed {
            form.shares = Some(Shares {
                counterfactual: other,
                factual: shares.factual.min(1.0 - shares.real),
                ..shares
            });
        }
    });
}

fn number(ui: &mut Ui, label: &str, n: &mut usize, range: std::ops::RangeInclusive<usize>) {
    row(ui, label, |ui, words| {
        ui.add(DragValue::new(n).range(range)).labelled_by(words);
    });
}

/// A number that need not be there.
fn optional(
    ui: &mut Ui,
    label: &str,
    value: &mut Option<f64>,
    usual: f64,
    range: std::ops::RangeInclusive<f64>,
    unit: &str,
) {
    row(ui, label, |ui, words| {
        let mut is = value.is_some();
        let tick = ui.add(Checkbox::without_text(&mut is)).labelled_by(words);
        if tick.changed() {
            *value = is.then_some(usual);
        }
        match value {
            Some(value) => {
                let drag = DragValue::new(value).range(range).speed(0.5).suffix(unit);
                ui.add(drag).labelled_by(words);
            }
            None => muted(ui, "none"),
        }
    });
}

fn text(ui: &mut Ui, label: &str, text: &mut String, lines: usize, hint: &str) {
    row(ui, label, |ui, words| {
        let field = match lines {
            1 => TextEdit::singleline(text),
            n => TextEdit::multiline(text).desired_rows(n),
        };
        let field = field.hint_text(hint).desired_width(f32::INFINITY);
        ui.add(field).labelled_by(words);
    });
}
