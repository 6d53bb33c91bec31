//! The lines under the panes.

use super::measuring::Measuring;
use super::state::Explore;
use super::viewing::Pane;
use crate::ef::EfPercent;
use crate::engine::Part;
use crate::provenance::Leaflets;
use crate::ui::source::Origin;
use crate::ui::theme::tokens;
use egui::{RichText, Ui};

pub(super) const SMALL_TEXT: f32 = 11.5;

impl Explore {
    pub(super) fn caption(&self, ui: &mut Ui, pane: Pane) {
        match pane {
            Pane::Source => self.source_caption(ui),
            Pane::Factual => self.made_caption(ui, Part::Factual),
            Pane::Counterfactual => self.made_caption(ui, Part::Counterfactual),
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
            (Origin::SimulatedHeart(_), _) => "Simulated heart, still".to_owned(),
            (Origin::Sidecar, _) => "Anatomy of an exported cine, still".to_owned(),
            (_, true) => "Still".to_owned(),
            (_, false) if source.rate.is_none() => {
                "Clip of unknown rate, shown as a still".to_owned()
            }
            (_, false) => match self.viewing.offset.filter(|_| self.viewing.align) {
                Some((_, r)) => format!("Phase-aligned, correlation {r:.2}"),
                None => "Not phase-aligned".to_owned(),
            },
        };
        ui.label(RichText::new(text).color(muted));
        if let Some(rate) = source.rate.filter(|_| !source.recording.is_still()) {
            let text = format!("{:.1} frames a second", rate.fps());
            ui.label(RichText::new(text).color(muted).size(SMALL_TEXT));
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
        if let Some(outline) = self.outline_ef(part).map(EfPercent::measured) {
            ui.label(RichText::new(format!("Outline EF {outline}")).strong())
                .on_hover_text(
                    "The cascade's own: by the method of disks on the outline that it gives. Not a diagnosis.",
                );
        }
        ui.label(RichText::new(format!("Measured EF {measured}")).strong())
            .on_hover_text(self.about_regressor(&p.regressor));
        let band = self.agreement();
        let band = band.map_or(String::new(), |a| {
            format!("typical spread {:.0} points, ", a.residual_sd)
        });
        let small = |text: String| RichText::new(text).color(tokens.muted).size(SMALL_TEXT);
        ui.label(small(format!("{band}{}", p.regressor)));
        let mut notes = Vec::new();
        if p.best_of > 1 {
            let measured = p.candidates.iter().map(|c| c.measured_ef_percent);
            let all: Vec<String> = measured.map(|m| format!("{m:.0}")).collect();
            notes.push(format!("closest of {} ({})", p.best_of, all.join(", ")));
        }
        let covered = |c: &crate::engine::CascadeInfo| c.card.covers(p.requested_ef_percent);
        if !self.cascade.as_ref().is_none_or(covered) {
            notes.push("outside the training range".to_owned());
        }
        match p.leaflets {
            Some(Leaflets::Opened) => notes.push("valve opened by rule".to_owned()),
            Some(Leaflets::NoneSeen) => notes.push("no closed valve seen to open".to_owned()),
            _ => {}
        }
        if p.outline.is_some() {
            notes.push("outline corrected".to_owned());
        }
        if busy {
            notes.push("a new one is being made".to_owned());
        }
        if !notes.is_empty() {
            ui.label(small(notes.join(", ")));
        }
    }

    /// Who measured, and how well that one is known to: its card speaks of the built-in one alone.
    fn about_regressor(&self, name: &str) -> String {
        let card = crate::checkpoint::card();
        let known = if card.regressor.name == name {
            card.regressor_readings()
        } else {
            Vec::new()
        };
        format!("By {name}. {} Not a diagnosis.", known.join(" "))
    }

    /// How the measured EF usually follows the requested one on such a source, from the cascade's
    /// card.
    pub(super) fn agreement(&self) -> Option<&crate::card::Agreement> {
        let card = &self.cascade.as_ref()?.card;
        let simulated = matches!(self.source.as_ref()?.origin, Origin::SimulatedHeart(_));
        card.measured(simulated)
    }
}
