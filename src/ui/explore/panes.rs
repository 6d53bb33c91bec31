use super::measuring::Measuring;
use super::state::{Explore, Shown};
use crate::ef::EfPercent;
use crate::engine::Part;
use crate::ui::source::Origin;
use crate::ui::theme::{GAP, SMALL_GAP, tokens};
use crate::ui::widgets::{Cine, Picture};
use egui::{Align, Layout, RichText, Ui, vec2};

/// Height of the lines under a picture.
const CAPTION: f32 = 84.0;

impl Explore {
    /// Centre: source, factual, counterfactual, in lock-step.
    pub(super) fn panes(&mut self, ui: &mut Ui, now: f64) {
        let area = ui.available_size();
        let gaps = 2.0 * GAP;
        let side = ((area.x - gaps) / 3.0)
            .min(area.y - CAPTION - 24.0)
            .max(80.0);
        let used = vec2(3.0 * side + gaps, side + CAPTION + 24.0);
        ui.add_space(((area.y - used.y) / 2.0).max(0.0));
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = GAP;
            ui.add_space(((area.x - used.x) / 2.0 - GAP).max(0.0));
            self.pane(
                ui,
                side,
                "Source",
                |this, ui| this.source_picture(ui, side, now),
                Self::source_caption,
            );
            self.pane(
                ui,
                side,
                "Factual",
                |this, ui| this.made_picture(ui, side, Part::Factual, now),
                |this, ui| this.made_caption(ui, Part::Factual),
            );
            self.pane(
                ui,
                side,
                "Counterfactual",
                |this, ui| this.made_picture(ui, side, Part::Counterfactual, now),
                |this, ui| this.made_caption(ui, Part::Counterfactual),
            );
        });
    }

    fn pane(
        &mut self,
        ui: &mut Ui,
        side: f32,
        title: &str,
        picture: impl FnOnce(&mut Self, &mut Ui),
        caption: impl FnOnce(&Self, &mut Ui),
    ) {
        ui.allocate_ui_with_layout(
            vec2(side, side + CAPTION + 24.0),
            Layout::top_down(Align::Min),
            |ui| {
                ui.set_width(side);
                ui.spacing_mut().item_spacing.y = SMALL_GAP;
                ui.label(RichText::new(title).strong());
                picture(self, ui);
                ui.spacing_mut().item_spacing.y = 2.0;
                caption(self, ui);
            },
        );
    }

    fn source_picture(&mut self, ui: &mut Ui, side: f32, now: f64) {
        let frame = self.source_frame_now(now);
        if let Some(projector) = &self.projector {
            // A frame that is still being decoded leaves the one before on screen.
            let there = match &self.source {
                Some(source) if source.recording.is_still() => projector.single(frame),
                _ => projector.playing(frame),
            };
            if let Some(picture) = there {
                self.on_screen = Some((frame, picture));
            }
        }
        match (&self.source, &self.on_screen) {
            (Some(source), Some((number, picture))) => {
                let picture = Picture::Frame(picture);
                let cine = &mut self.cines.panes[0];
                let texture = cine.texture(ui, "pane-source", source.id, *number, picture);
                // Only what the networks get: nothing outside the square.
                Cine::show_crop(ui, &texture, &source.crop, side, "Source");
            }
            _ => {
                Cine::show(ui, None, side, "Source");
            }
        }
    }

    fn source_caption(&self, ui: &mut Ui) {
        let muted = tokens(ui).muted;
        let Some(source) = &self.source else {
            ui.label(RichText::new("Nothing is open.").color(muted));
            return;
        };
        let how = match &self.measuring {
            Measuring::Measured(_) if !self.ef_is_given => ", measured",
            _ => "",
        };
        ui.label(format!("EF {}{how}", EfPercent::measured(self.factual_ef)));
        let text = match (source.origin, source.recording.is_still()) {
            (Origin::SimulatedHeart(_), _) => "Simulated heart, still",
            (_, true) => "Still",
            (_, false) if source.rate.is_none() => "Clip of unknown rate, shown as a still",
            (_, false) => "Not phase-aligned",
        };
        ui.label(RichText::new(text).color(muted));
    }

    fn shown(&self, part: Part) -> Option<&Shown> {
        match part {
            Part::Factual => self.factual.as_ref(),
            Part::Counterfactual => self.counterfactual.as_ref(),
        }
    }

    fn made_picture(&mut self, ui: &mut Ui, side: f32, part: Part, now: f64) {
        let frame = self.frame_now(now);
        let index = if part == Part::Factual { 1 } else { 2 };
        let preview = self
            .running
            .as_ref()
            .and_then(|r| Some((r.id, r.previews, r.preview.as_ref()?)))
            .filter(|(_, _, (p, _))| *p == part);
        let texture = if let Some((job, count, (_, video))) = preview {
            // Previews never share a key with results, whose numbers are small.
            let key = (1 << 63) | (job << 24) | count;
            let frame = frame * video.frames / self.cycle().0.max(1);
            Some(self.cines.panes[index].texture(
                ui,
                part.name(),
                key,
                frame,
                Picture::Video(video, frame),
            ))
        } else {
            let shown = match part {
                Part::Factual => self.factual.as_ref(),
                Part::Counterfactual => self.counterfactual.as_ref(),
            };
            shown.map(|shown| {
                let frame = frame.min(shown.result.video.frames.saturating_sub(1));
                let picture = Picture::Video(&shown.result.video, frame);
                self.cines.panes[index].texture(ui, part.name(), shown.id, frame, picture)
            })
        };
        let is_preview = preview.is_some();
        let rect = Cine::show(ui, texture.as_ref(), side, part.name());
        let on_picture = tokens(ui).on_picture;
        let write = |text: &str, at, align| {
            ui.painter().text(
                at,
                align,
                text,
                egui::FontId::proportional(11.5),
                on_picture,
            );
        };
        if texture.is_some() {
            write(
                "SYNTHETIC",
                rect.left_bottom() + vec2(6.0, -5.0),
                egui::Align2::LEFT_BOTTOM,
            );
        }
        if is_preview {
            write(
                "estimate",
                rect.left_top() + vec2(6.0, 5.0),
                egui::Align2::LEFT_TOP,
            );
        } else if texture.is_none() {
            let text = match (&self.source, &self.running) {
                (None, _) => "",
                (_, Some(_)) => "waiting",
                (_, None) => "not made yet",
            };
            write(text, rect.center(), egui::Align2::CENTER_CENTER);
        }
    }

    fn made_caption(&self, ui: &mut Ui, part: Part) {
        let tokens = tokens(ui);
        let busy = self.running.as_ref().is_some_and(|r| r.part == part);
        let Some(shown) = self.shown(part) else {
            let text = if busy { "Being made" } else { "" };
            ui.label(RichText::new(text).color(tokens.muted));
            return;
        };
        let p = &shown.result.provenance;
        let requested = EfPercent::measured(p.requested_ef_percent);
        let measured = EfPercent::measured(p.measured_ef_percent);
        ui.label(format!("Requested EF {requested}"));
        ui.label(RichText::new(format!("Measured EF {measured}")).strong())
            .on_hover_text(format!("By {}. Not a diagnosis.", p.regressor));
        let band = self.error_band();
        let band = band.map_or(String::new(), |sd| {
            format!("typical spread {sd:.0} points, ")
        });
        ui.label(
            RichText::new(format!("{band}{}", p.regressor))
                .color(tokens.muted)
                .size(11.5),
        );
        let mut notes = Vec::new();
        if p.best_of > 1 {
            notes.push(format!("closest of {}", p.best_of));
        }
        if self
            .cascade
            .as_ref()
            .is_some_and(|c| !c.card.covers(p.requested_ef_percent))
        {
            notes.push("outside the training range".to_owned());
        }
        if busy {
            notes.push("a new one is being made".to_owned());
        }
        if !notes.is_empty() {
            ui.label(
                RichText::new(notes.join(", "))
                    .color(tokens.muted)
                    .size(11.5),
            );
        }
    }

    /// Spread of the measured EF around what the cascade usually answers, from its card.
    fn error_band(&self) -> Option<f64> {
        let card = &self.cascade.as_ref()?.card;
        let simulated = matches!(self.source.as_ref()?.origin, Origin::SimulatedHeart(_));
        let kind = if simulated {
            "simulated_unseen"
        } else {
            "recorded_unseen"
        };
        Some(card.requested_against_measured.get(kind)?.residual_sd)
    }
}
