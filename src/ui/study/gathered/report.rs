//! *Report*: the key is opened, and says what the readers could tell.

use super::super::files::StudyFile;
use super::Gathered;
use crate::study::report::{Averaged, Report};
use crate::ui::parts::{
    FileField, FileRow, caution, column, error, heading, main_button, muted, title, written,
};
use crate::ui::theme::{GAP, tokens};
use egui::{Checkbox, Grid, RichText, Ui};
use std::path::{Path, PathBuf};

impl Gathered {
    /// Where the report goes.
    fn report_folder(&self) -> Option<PathBuf> {
        let beside = |plan: &PathBuf| plan.with_file_name("report");
        let out = self.out.clone();
        out.or_else(|| self.inputs.plan.as_ref().map(beside))
    }

    pub fn report_ui(&mut self, ui: &mut Ui) -> Option<StudyFile> {
        let mut asks = None;
        column(ui, |ui| {
            title(
                ui,
                "Report",
                "Opens the key, writes down that it did, and says what the readers could tell.",
            );
            asks = self.inputs_ui(ui, true);
            let out = self.report_folder();
            let note = "in the study's folder";
            let label = "Folder for the report";
            let field = FileField {
                proposed: self.out.is_none(),
                ..FileField::new(label, StudyFile::Report, out.as_deref(), note)
            };
            match field.show(ui) {
                Some(FileRow::Choose(file)) => asks = Some(file),
                Some(FileRow::Clear) => self.out = None,
                None => {}
            }
            ui.add_space(GAP);
            if self.work_ui(ui) {
                return;
            }
            let words =
                "Look now, although not all have read to the end: every later report says so";
            ui.add(Checkbox::new(&mut self.interim, words));
            let missing = match self.inputs.missing() {
                None if self.inputs.key.is_none() => Some("Choose the key."),
                missing => missing,
            };
            if main_button(ui, "Open the key and report", missing.is_none(), false)
                && let Some(out) = out
            {
                self.report_to(out);
            }
            if let Some(missing) = missing {
                muted(ui, missing);
            }
            if let Some(why) = &self.why {
                error(ui, why.clone());
            }
            if let Some((folder, report)) = &self.reported {
                let page = folder.join("report.html");
                shown(ui, report);
                ui.add_space(GAP);
                written(ui, "The whole report", &page);
                if ui.button("Open it").clicked() {
                    ui.ctx().open_url(egui::OpenUrl::new_tab(url_of(&page)));
                }
            }
        });
        asks
    }
}

/// Where a browser finds a file. What has a meaning of its own in an address is written as a number.
fn url_of(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = path.display().to_string().replace('\\', "/");
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~:".contains(&b);
    let mut url = match text.starts_with('/') {
        true => "file://".to_owned(),
        false => "file:///".to_owned(),
    };
    for byte in text.bytes() {
        match plain(byte) {
            true => url.push(char::from(byte)),
            false => url += &format!("%{byte:02X}"),
        }
    }
    url
}

fn percent(share: Option<f64>) -> String {
    share.map_or("?".into(), |s| format!("{:.1} %", 100.0 * s))
}

fn shown(ui: &mut Ui, report: &Report) {
    heading(ui, &sentence(report));
    for warning in &report.warnings {
        caution(ui, warning.clone());
    }
    let interval = |figure: &Averaged, unit: f64, decimals: usize| {
        let said = |x: Option<f64>| x.map_or("?".into(), |x| format!("{:.decimals$}", unit * x));
        format!(
            "{} ({} to {})",
            said(figure.value),
            said(figure.low),
            said(figure.high)
        )
    };
    Grid::new("figures")
        .num_columns(2)
        .striped(true)
        .spacing([24.0, 4.0])
        .show(ui, |ui| {
            let mut row = |what: &str, figure: String| {
                ui.label(what);
                ui.label(RichText::new(figure).monospace());
                ui.end_row();
            };
            row(
                "Balanced accuracy, %",
                interval(&report.balanced_accuracy, 100.0, 1),
            );
            row("AUC of the ratings", interval(&report.auc, 1.0, 3));
            row("Generated clips called fake", percent(report.sensitivity));
            row("Recorded clips called real", percent(report.specificity));
            row(
                "Always \"fake\" would have had",
                percent(report.overall.always_fake),
            );
            row(
                "Trials answered",
                format!("{} of {}", report.answered, report.trials),
            );
        });
    heading(ui, "Readers");
    Grid::new("readers")
        .num_columns(5)
        .striped(true)
        .spacing([24.0, 4.0])
        .show(ui, |ui| {
            for words in ["", "Answered", "Balanced accuracy", "AUC", "Median time"] {
                ui.label(RichText::new(words).color(tokens(ui).muted));
            }
            ui.end_row();
            for reader in &report.by_reader {
                ui.label(&reader.reader);
                ui.label(format!("{} of {}", reader.answered, reader.trials));
                ui.label(percent(reader.balanced_accuracy.value));
                let auc = reader.auc.value;
                ui.label(auc.map_or("?".into(), |auc| format!("{auc:.2}")));
                let time = reader.median_response_s;
                ui.label(time.map_or("?".into(), |s| format!("{s:.1} s")));
                ui.end_row();
            }
        });
}

fn sentence(report: &Report) -> String {
    let interim = match report.interim {
        true => " An interim look.",
        false => "",
    };
    format!(
        "Balanced accuracy {}: {}.{interim}",
        percent(report.balanced_accuracy.value),
        report.verdict
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_finds_files_with_any_name() {
        let url = url_of(Path::new("/a b/50 % #1/report.html"));
        assert_eq!(url, "file:///a%20b/50%20%25%20%231/report.html");
        assert!(url_of(Path::new("out")).starts_with("file:///"));
    }
}
