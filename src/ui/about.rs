//! About: what this is, what is inside, where its data lies, and how to delete it.

use super::theme::{GAP, tokens};
use egui::{RichText, Ui};
use std::path::PathBuf;

const METHOD: &str = "H. Reynaud, M. Qiao, M. Dombrowski, T. Day, R. Razavi, A. Gomez, P. Leeson, \
                      B. Kainz: Feature-Conditioned Cascaded Video Diffusion Models for Precise \
                      Echocardiogram Synthesis. MICCAI 2023.";
const LICENCES: &str = include_str!("../../assets/licences.txt");
const WEIGHTS: &str = include_str!("../../weights/README.md");

/// The open window.
#[derive(Default)]
pub struct About {
    sure: bool,
}

/// Where settings and history lie; there are no logs. Cascades lie beside it: they stay.
pub fn settings_file() -> Option<PathBuf> {
    eframe::storage_dir("echoif").map(|folder| folder.join("app.ron"))
}

impl About {
    /// Draws it. Whether it stays open, and whether all data is to be deleted.
    pub fn show(&mut self, ui: &Ui) -> (bool, bool) {
        let mut open = true;
        let mut delete = false;
        egui::Window::new("About EchoIf")
            .open(&mut open)
            .collapsible(false)
            .default_width(520.0)
            .anchor(egui::Align2::CENTER_CENTER, egui::Vec2::ZERO)
            .show(ui.ctx(), |ui| {
                ui.label(RichText::new(concat!("EchoIf ", env!("CARGO_PKG_VERSION"))).strong());
                ui.label("Synthetic. Research and education only, not for diagnosis.");
                ui.add_space(GAP / 2.0);
                ui.label("If you publish with it, cite the method:");
                ui.add(egui::Label::new(METHOD).wrap().selectable(true));
                ui.add_space(GAP / 2.0);
                let place = settings_file().map_or("not kept on this system".into(), |p| {
                    p.display().to_string()
                });
                ui.label(format!("Settings and history: {place}"));
                ui.label("There are no logs, and nothing is sent anywhere.");
                ui.horizontal(|ui| {
                    if self.sure {
                        ui.label(
                            "Settings, history, kept anatomies and training profiles will be gone.",
                        );
                        if ui.button("Delete them").clicked() {
                            delete = true;
                            self.sure = false;
                        }
                        if ui.button("Keep them").clicked() {
                            self.sure = false;
                        }
                    } else if ui.button("Delete my data...").clicked() {
                        self.sure = true;
                    }
                });
                ui.add_space(GAP / 2.0);
                ui.collapsing("Licences of what is inside", |ui| {
                    egui::ScrollArea::vertical()
                        .max_height(220.0)
                        .show(ui, |ui| {
                            let text = format!("{WEIGHTS}\n\n{LICENCES}");
                            let muted = tokens(ui).muted;
                            ui.label(RichText::new(text).size(11.5).color(muted));
                        });
                });
            });
        (open, delete)
    }
}
