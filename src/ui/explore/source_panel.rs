use super::heading;
use super::state::{Explore, Origin};
use crate::engine::Engine;
use crate::media::Kind;
use crate::media::region::Square;
use crate::ui::command::Command;
use crate::ui::theme::{GAP, tokens};
use crate::ui::widgets::{Cine, Picture, square_editor};
use egui::{RichText, Slider, Ui};

impl Explore {
    /// Left: the source, the square taken from it, and its EF.
    pub(super) fn source_panel(
        &mut self,
        ui: &mut Ui,
        engine: &mut Engine,
        now: f64,
        commands: &mut Vec<Command>,
    ) {
        heading(ui, "Source");
        ui.horizontal(|ui| {
            for command in [Command::OpenFile, Command::NextSimulatedHeart] {
                let hint = ui.ctx().format_shortcut(&command.shortcut());
                if ui.button(command.text()).on_hover_text(hint).clicked() {
                    commands.push(command);
                }
            }
        });
        let muted = tokens(ui).muted;
        let Some(source) = &mut self.source else {
            ui.add_space(GAP);
            ui.label(
                "Open one frame of an apical four-chamber echocardiogram: DICOM, PNG or JPEG.",
            );
            ui.label(RichText::new("Or drop a file anywhere on this window.").color(muted));
            return;
        };
        let about = match source.origin {
            Origin::SimulatedHeart(i) => format!("Simulated heart {}", i + 1),
            Origin::File(Kind::Dicom) => "DICOM".into(),
            Origin::File(Kind::Still) => "Still".into(),
            Origin::File(Kind::Gif) => "GIF".into(),
            Origin::File(Kind::Folder) => "Folder of stills".into(),
        };
        let frame = source.frame();
        let (width, height) = (frame.width, frame.height);
        ui.label(RichText::new(format!("{about}, {width} x {height}")).color(muted));

        // The scrubber chooses the anatomy frame.
        let mut changed = false;
        let n = source.clip.frames.len();
        if n > 1 {
            ui.horizontal(|ui| {
                let label = ui.label("Anatomy frame");
                let mut number = source.frame + 1;
                ui.spacing_mut().slider_width = 96.0;
                let response = ui
                    .add(Slider::new(&mut number, 1..=n))
                    .labelled_by(label.id);
                source.frame = number - 1;
                if response.dragged() {
                    // The picture follows; the anatomy is taken when the user lets go.
                    self.playback.seek(0.0, now);
                }
                changed |= response.drag_stopped() || (response.changed() && !response.dragged());
            });
        }
        let (frame_number, id) = (source.frame, source.id);
        let texture = {
            let picture = Picture::Frame(source.frame());
            self.cines
                .editor
                .texture(ui, "source", id, frame_number, picture)
        };
        let side = ui.available_width();
        let rect = Cine::show(ui, Some(&texture), side, "Source frame");
        let mut square = source.square;
        let frame = &source.clip.frames[frame_number.min(n - 1)];
        changed |= square_editor(ui, rect, frame, &mut square);
        source.square = square;
        ui.horizontal(|ui| {
            ui.label(
                RichText::new(format!("Square {} x {}", square.side, square.side)).color(muted),
            );
            let whole = Square::centred(frame);
            if ui
                .add_enabled(square != whole, egui::Button::new("Centre").small())
                .clicked()
            {
                source.square = whole;
                changed = true;
            }
        });
        ui.add_space(GAP / 2.0);
        ui.horizontal(|ui| {
            let texture = {
                let anatomy = source.anatomy.to_frame();
                let key = hash_id(&source.anatomy.sha256);
                self.cines
                    .anatomy
                    .texture(ui, "anatomy", key, 0, Picture::Frame(&anatomy))
            };
            Cine::show(ui, Some(&texture), 112.0, "Anatomy as the networks get it");
            let text =
                RichText::new("The anatomy, 112 x 112, as the networks get it.").color(muted);
            ui.add(egui::Label::new(text).wrap());
        });
        ui.add_space(GAP);
        let simulated = matches!(source.origin, Origin::SimulatedHeart(_));
        let mut ef_changed = false;
        ui.horizontal(|ui| {
            let label = ui.label("Factual EF");
            let value = egui::DragValue::new(&mut self.factual_ef)
                .range(10.0..=85.0)
                .speed(0.5)
                .max_decimals(0)
                .suffix(" %");
            let response = ui.add_enabled(!simulated, value).labelled_by(label.id);
            ef_changed = response.changed() && !response.dragged() || response.drag_stopped();
        });
        let note = if simulated {
            "Exact by construction."
        } else {
            "The source's own EF, as you know it."
        };
        ui.label(RichText::new(note).color(muted));
        if changed {
            self.retake_anatomy(engine);
        } else if ef_changed {
            self.run(engine);
        }
    }
}

/// A texture key from a hash.
fn hash_id(sha256: &str) -> u64 {
    u64::from_str_radix(sha256.get(..16).unwrap_or("0"), 16).unwrap_or(0)
}
