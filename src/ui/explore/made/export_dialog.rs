//! Exporting what is shown: which cine, which kind of file, with or without its anatomy.

use super::super::Explore;
use super::super::view::Pane;
use super::Made;
use super::choice::{Choice, What};
use super::export_panes::PaneOf;
use super::shown::Shown;
use crate::clip::{Frame, FrameRate, Pixels};
use crate::ef::{EfOrigin, EfPercent};
use crate::engine::{self, Generated, Part};
use crate::media::export::{self, Cine, Format, Panel};
use crate::media::region::Anatomy;
use crate::provenance::Provenance;
use crate::ui::hints::Hint as _;
use crate::ui::theme::{GAP, tokens};
use egui::{ComboBox, RichText, Ui};
use std::path::Path;
use std::sync::Arc;

/// Everything that a file needs, so that it can be written on another thread.
pub struct Package {
    kind: PackageKind,
    provenance: Provenance,
    factual: Option<(EfPercent, EfOrigin)>,
    anatomy: Option<Arc<Anatomy>>,
}

pub(super) enum PackageKind {
    Cine {
        part: Part,
        cine: Arc<engine::Cine>,
        /// At the source's own resolution.
        fine: bool,
        rate: FrameRate,
        beat_normalised: bool,
    },
    Panes {
        panes: Vec<PaneOf>,
        side: usize,
        with_volumes: bool,
        rate: FrameRate,
        beat_normalised: bool,
        at: Option<usize>,
        rungs: Vec<Provenance>,
    },
    Picture {
        frame: Frame,
        words: Vec<String>,
        rungs: Vec<Provenance>,
    },
}

impl Package {
    /// Writes the file and its sidecar.
    ///
    /// # Errors
    /// A sentence.
    pub fn write(self, path: &Path) -> Result<(), String> {
        let anatomy = self.anatomy.as_deref();
        let written = match self.kind {
            PackageKind::Cine {
                part,
                cine,
                fine,
                rate,
                beat_normalised,
            } => {
                let fine = cine.beating.as_ref().filter(|_| fine);
                let fine = fine.and_then(|beating| beating.fine_video());
                export::write(
                    &Cine {
                        part,
                        video: fine.as_ref().unwrap_or(&cine.video),
                        rate,
                        beat_normalised,
                        provenance: &self.provenance,
                        factual: self.factual,
                        anatomy,
                    },
                    path,
                )
            }
            PackageKind::Panes {
                panes,
                side,
                with_volumes,
                rate,
                beat_normalised,
                at,
                rungs,
            } => {
                let panels: Vec<Panel> = panes.into_iter().map(|p| p.drawn(side)).collect();
                export::write_panes(
                    &export::Panes {
                        panels: &panels,
                        side,
                        with_volumes,
                        rate,
                        beat_normalised,
                        at,
                        provenance: &self.provenance,
                        rungs: &rungs,
                        anatomy,
                    },
                    path,
                )
            }
            PackageKind::Picture {
                frame,
                words,
                rungs,
            } => export::write_picture(
                &export::Picture {
                    frame: &frame,
                    words: &words,
                    provenance: &self.provenance,
                    rungs: &rungs,
                    anatomy,
                },
                path,
            ),
        };
        written.map(drop).map_err(|e| e.to_string())
    }
}

impl Explore {
    fn can_export(&self, what: What) -> bool {
        match what {
            What::Counterfactual | What::Panes | What::Moment => self.made.counterfactual.is_some(),
            What::Factual => self.made.factual.as_ref().is_some_and(|f| !f.stale),
            What::MMode => self.view.line.is_some() && self.made.counterfactual.is_some(),
            What::Ladder => self
                .made
                .ladder
                .as_ref()
                .is_some_and(|l| !l.rungs.is_empty()),
        }
    }

    /// The dialog. Some extension when the user wants to choose where: empty for a folder.
    pub fn export_dialog(&mut self, ui: &Ui) -> Option<&'static str> {
        self.view.exporting?;
        let mut chosen = None;
        let mut closed = false;
        let modal = egui::Modal::new(egui::Id::unique("export")).show(ui.ctx(), |ui| {
            ui.set_width(420.0);
            ui.heading("Export");
            ui.add_space(GAP / 2.0);
            let able = |what| self.can_export(what);
            let simulated = self.case.source.as_ref().is_some_and(|s| s.is_simulated());
            let undecided = self.case.text_is_proposed();
            let (has_ladder, has_line) = (able(What::Ladder), able(What::MMode));
            let comparison = self.comparison_in_words();
            let available = [
                (What::Counterfactual, "Counterfactual cine"),
                (What::Factual, "Factual cine"),
                (What::Panes, "Panes side by side"),
                (What::Moment, "Panes at this moment, a picture"),
                (What::MMode, "M-mode picture"),
                (What::Ladder, "Ladder picture"),
            ]
            .map(|(what, text)| (what, text, able(what)));
            let needs_source = self.view.against == Pane::Source;
            let Some(choice) = &mut self.view.exporting else {
                return;
            };
            let made = self.made.any();
            let beating = made.and_then(|made| made.result.cine.beating.as_ref());
            let fine_side = beating.and_then(|beating| beating.fine_side());
            for (what, text, able) in available {
                let radio =
                    ui.add_enabled_ui(able, |ui| ui.radio_value(&mut choice.what, what, text));
                radio.inner.hint(what.about());
            }
            ui.add_space(GAP / 2.0);
            let picture = matches!(choice.what, What::MMode | What::Ladder | What::Moment);
            let panes = matches!(choice.what, What::Panes | What::Moment);
            if panes && choice.format == Format::Dicom {
                choice.format = Format::Gif;
            }
            if !picture {
                ui.horizontal(|ui| {
                    let label = ui.label("As");
                    ComboBox::from_id_salt("format")
                        .width(220.0)
                        .selected_text(choice.format.name())
                        .show_ui(ui, |ui| {
                            let formats = Format::ALL.into_iter().filter(|f| f.is_built());
                            for format in formats.filter(|f| !(panes && *f == Format::Dicom)) {
                                ui.selectable_value(&mut choice.format, format, format.name());
                            }
                        })
                        .response
                        .labelled_by(label.id)
                        .hint("What kind of file.");
                });
                if !Format::Mp4.is_built() {
                    let text = "MP4 needs a build with the feature mp4; AVI plays everywhere.";
                    ui.label(RichText::new(text).color(tokens(ui).muted).size(12.0));
                }
            }
            if panes {
                choice.panes_lines(ui, simulated, undecided);
                for (able, wanted, text, hint) in [
                    (
                        has_ladder,
                        &mut choice.with_ladder,
                        "The EF ladder beside them",
                        "All its rungs, once it is made.",
                    ),
                    (
                        has_line,
                        &mut choice.with_strips,
                        "The M-mode under them",
                        "One line of each cine over the beat.",
                    ),
                ] {
                    *wanted &= able;
                    ui.add_enabled(able, egui::Checkbox::new(wanted, text))
                        .hint(hint);
                }
                choice.comparison_line(ui, comparison, needs_source);
            } else if choice.what == What::MMode {
                choice.source_line(ui, simulated, undecided);
            } else if let Some(side) = fine_side.filter(|_| !picture) {
                ui.checkbox(
                    &mut choice.fine,
                    format!("At the source's size, {side} x {side}"),
                )
                .hint("Else 112 x 112, as the networks see it.");
            }
            let mut without = !choice.with_anatomy;
            ui.checkbox(&mut without, "Leave out the anatomy")
                .hint("The anatomy, 112 x 112 and masked, is what the run is repeated from.");
            choice.with_anatomy = !without;
            ui.add_space(GAP / 2.0);
            let text = "The file says that it is synthetic, in its pixels and in its data. \
                        Beside it NAME.EXT.json tells how it was made, and nothing of the patient.";
            ui.add(egui::Label::new(RichText::new(text).color(tokens(ui).muted)).wrap());
            ui.add_space(GAP);
            let able = available
                .iter()
                .any(|(w, _, able)| *w == choice.what && *able);
            ui.horizontal(|ui| {
                let save = egui::Button::new("Save...");
                let save = ui.add_enabled(able, save).hint("Asks where to.");
                if save.clicked() {
                    let extension = choice.format.extension();
                    chosen = Some(if picture { "png" } else { extension });
                }
                closed |= ui
                    .button("Do not export")
                    .hint("Nothing is written.")
                    .clicked();
            });
        });
        if closed || modal.should_close() {
            self.view.exporting = None;
        }
        chosen
    }

    /// What the dialog chose, made ready for another thread.
    pub fn package(&self, choice: Choice) -> Option<Package> {
        let result = match choice.what {
            What::Factual => &self.made.factual.as_ref()?.result,
            What::Counterfactual | What::MMode | What::Panes | What::Moment => {
                &self.made.counterfactual.as_ref()?.result
            }
            What::Ladder => self.made.rung(self.wanted.requested)?,
        };
        let kind = match choice.what {
            What::Counterfactual | What::Factual => PackageKind::Cine {
                part: match choice.what {
                    What::Factual => Part::Factual,
                    _ => Part::Counterfactual,
                },
                cine: result.cine.clone(),
                fine: choice.fine,
                rate: result.rate_at(self.view.heart_rate),
                beat_normalised: result.beat_normalised,
            },
            What::Panes | What::Moment => self.panes_package(&choice)?,
            // Text in the source, which may name somebody, may still wait for the user's word.
            What::MMode => {
                self.m_mode_picture(choice.with_source && !self.case.text_is_proposed())?
            }
            What::Ladder => self.made.ladder_picture()?,
        };
        let source = self.case.source.as_ref()?;
        let is_its = source.anatomy.sha256 == result.provenance.anatomy_sha256;
        Some(Package {
            kind,
            provenance: result.provenance.clone(),
            factual: EfPercent::new(self.case.factual_ef)
                .ok()
                .map(|ef| (ef, self.case.ef_origin)),
            // Nor while text in it, which may name somebody, waits for the user's word.
            anatomy: (choice.with_anatomy && is_its && !self.case.text_is_proposed())
                .then(|| source.anatomy.clone()),
        })
    }

    /// The strips under each other, the source's among them only if that was ticked.
    fn m_mode_picture(&self, with_source: bool) -> Option<PackageKind> {
        let line = self.view.line?;
        let is_recorded = self.case.source.as_ref()?.is_recorded();
        let panes = self.panes_there(with_source).into_iter();
        let strips = panes.map(|pane| self.strip_of(pane, line));
        let strips: Vec<Frame> = strips.flatten().collect();
        let width = 3 * strips.iter().map(|s| s.width).max()?.max(112);
        let gap = 4;
        let height = strips.iter().map(|s| s.height + gap).sum::<usize>();
        let mut pixels = vec![0u8; width * height];
        let mut top = 0;
        for strip in &strips {
            for y in 0..strip.height {
                for x in 0..width {
                    let level = strip.rgb(x * strip.width / width, y)[0];
                    pixels[(top + y) * width + x] = level;
                }
            }
            top += strip.height + gap;
        }
        Some(PackageKind::Picture {
            frame: Frame {
                width,
                height,
                pixels: Pixels::Gray(pixels),
            },
            words: vec![match (with_source, is_recorded) {
                (true, true) => "M-mode: source (recorded), factual, counterfactual".into(),
                (true, false) => "M-mode: source, factual, counterfactual".into(),
                (false, _) => "M-mode: factual, counterfactual".into(),
            }],
            rungs: Vec::new(),
        })
    }
}

impl Made {
    /// The ladder's rung at a requested EF, else its first.
    fn rung(&self, requested: f64) -> Option<&Arc<Generated>> {
        let rungs = &self.ladder.as_ref()?.rungs;
        let asked = |r: &&Shown| r.result.provenance.requested_ef_percent == requested;
        let rung = rungs.iter().find(asked).or(rungs.first())?;
        Some(&rung.result)
    }

    /// Each rung at end-diastole, and below it at end-systole: about the cycle's third, where the cascade does
    /// not say.
    fn ladder_picture(&self) -> Option<PackageKind> {
        let rungs = self.ladder.as_ref()?.rungs.iter();
        let rungs: Vec<&Generated> = rungs.map(|r| &*r.result).collect();
        let first = &rungs.first()?.cine.video;
        let (w, h) = (first.width, first.height);
        let (width, height) = (w * rungs.len(), 2 * h);
        let mut pixels = vec![0u8; width * height];
        for (i, rung) in rungs.iter().enumerate() {
            let (video, p) = (&rung.cine.video, &rung.provenance);
            let moments = [
                p.ed_frame.unwrap_or(0),
                p.es_frame.unwrap_or(video.frames / 3),
            ];
            for (row, f) in moments.into_iter().enumerate() {
                let frame = video.gray_frame(f.min(video.frames.saturating_sub(1)));
                for y in 0..h {
                    for x in 0..w {
                        pixels[(row * h + y) * width + i * w + x] = frame.rgb(x, y)[0];
                    }
                }
            }
        }
        let rungs: Vec<Provenance> = rungs.iter().map(|r| r.provenance.clone()).collect();
        let list = |of: fn(&Provenance) -> f64| {
            let efs: Vec<String> = rungs.iter().map(|p| format!("{:.0}%", of(p))).collect();
            efs.join(" ")
        };
        let mut words = vec![format!(
            "EF ladder, asked {}",
            list(|p| p.requested_ef_percent)
        )];
        if rungs.iter().any(|p| p.conditioning_ef_percent.is_some()) {
            let told = |p: &Provenance| p.conditioning_ef_percent.unwrap_or(p.requested_ef_percent);
            words.push(format!("calibrated, conditioned on {}", list(told)));
        }
        words.push(format!("got {}", list(|p| p.measured_ef_percent)));
        Some(PackageKind::Picture {
            words,
            frame: Frame {
                width,
                height,
                pixels: Pixels::Gray(pixels),
            },
            rungs,
        })
    }
}
