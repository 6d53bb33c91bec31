//! The lines under the panes.

use super::super::Explore;
use super::Pane;
use super::shares::WIDE;
use crate::ef::{EfOrigin, EfPercent};
use crate::engine::Part;
use crate::provenance::Leaflets;
use crate::ui::hints::Hint as _;
use crate::ui::source::Origin;
use crate::ui::theme::tokens;
use egui::{Label, RichText, Ui};

pub(in crate::ui::explore) const SMALL_TEXT: f32 = 11.5;

impl Explore {
    pub(in crate::ui::explore) fn caption(&self, ui: &mut Ui, pane: Pane) {
        match pane {
            Pane::Source => self.source_caption(ui),
            _ => self.made_caption(ui, pane),
        }
    }

    fn source_caption(&self, ui: &mut Ui) {
        let muted = tokens(ui).muted;
        let Some(source) = &self.case.source else {
            ui.label(RichText::new("Nothing is open.").color(muted));
            return;
        };
        let ef = EfPercent::measured(self.case.factual_ef);
        ui.label(match self.case.ef_origin {
            EfOrigin::Given => format!("EF {ef}"),
            EfOrigin::Measured => format!("EF {ef}, measured"),
            EfOrigin::Assumed => "EF not known".to_owned(),
        });
        let still = match source.origin {
            Origin::SimulatedHeart(_) => "Simulated heart, still",
            Origin::Sidecar => "Anatomy of an exported cine, still",
            _ => "Still",
        };
        match source.recording.is_still() {
            true => {
                ui.label(RichText::new(still).color(muted));
            }
            false => self.clip_line(ui),
        }
        if let Some(rate) = source.rate.filter(|_| !source.recording.is_still()) {
            let text = format!("{:.1} frames a second", rate.fps());
            ui.label(RichText::new(text).color(muted).size(SMALL_TEXT));
        }
    }

    /// How a clip is played beside the cines, and if not in phase, why.
    pub(in crate::ui::explore) fn clip_line(&self, ui: &mut Ui) {
        let rate = self.case.source.as_ref().and_then(|s| s.rate);
        let text = match self.view.offset.filter(|_| self.view.align) {
            _ if rate.is_none() => "Clip of unknown rate, shown as a still".to_owned(),
            Some((_, r)) => format!("Phase-aligned, correlation {r:.2}"),
            None => "Not phase-aligned".to_owned(),
        };
        let text = RichText::new(text).color(tokens(ui).muted);
        let line = ui.add(Label::new(text).wrap());
        if let Some(why) = self.why_unaligned() {
            line.hint(format!("Not in phase: {why}."));
        }
    }

    fn made_caption(&self, ui: &mut Ui, pane: Pane) {
        let tokens = tokens(ui);
        let running = self.made.running.as_ref();
        let busy = running.is_some_and(|r| Some(r.part) == pane.part());
        let small = |text: String| RichText::new(text).color(tokens.muted).size(SMALL_TEXT);
        // The numbers are of the picture above them.
        if let Some(estimate) = pane.part().and_then(|part| self.estimate(part)) {
            ui.label(RichText::new(estimate).color(tokens.muted));
            return;
        }
        let Some(shown) = self.made.cine_of(pane) else {
            let text = if busy { "Being made" } else { "" };
            ui.label(RichText::new(text).color(tokens.muted));
            return;
        };
        let p = &shown.result.provenance;
        let requested = EfPercent::measured(p.requested_ef_percent);
        let measured = EfPercent::measured(p.measured_ef_percent);
        let mut text = RichText::new(format!("Measured EF {measured}")).strong();
        // What is shown was measured by the one in use: another makes all anew. Files name it otherwise.
        let mut hover = self.about_regressor(&self.house.regressor);
        if !p.looks_like_four_chamber {
            text = text.color(tokens.muted);
            hover += " The frame does not look like an apical four-chamber view: this says little.";
        }
        let conditioning = p.conditioning_ef_percent.map(EfPercent::measured);
        let mut notes: Vec<String> =
            (self.usual(conditioning.unwrap_or(requested)).into_iter()).collect();
        if let Some(conditioning) = conditioning {
            notes.push(format!("calibrated: conditioned on {conditioning}"));
        }
        notes.push(self.house.regressor.clone());
        if pane == Pane::Pinned {
            // The settings may be others by now.
            notes.push(format!("{}, seed {}", p.preset, p.seed));
        }
        if p.best_of > 1 {
            let measured = p.candidates.iter().map(|c| c.measured_ef_percent);
            let all: Vec<String> = measured.map(|m| format!("{m:.0}")).collect();
            notes.push(format!("closest of {} ({})", p.best_of, all.join(", ")));
        }
        let told = conditioning.unwrap_or(requested).get();
        let covered = |c: &crate::engine::CascadeInfo| c.card.covers(told);
        if !self.house.cascade.as_ref().is_none_or(covered) {
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
        if self.view.brief {
            hover += &format!(" {}.", notes.join(", "));
        }
        let outline = p.outline_ef_percent.map(EfPercent::measured);
        let numbers = |ui: &mut Ui| {
            ui.label(text).hint(hover);
            if let Some(outline) = outline {
                ui.label(RichText::new(format!("Outline EF {outline}")).strong())
                    .hint(
                        "The cascade's own: by the method of disks on the outline that it gives. Not a diagnosis.",
                    );
            }
            ui.label(format!("Requested EF {requested}"));
            if measured.differs_from(requested) {
                let (asked, got) = (requested.get(), measured.get());
                let text = format!("asked {asked:.0}, got {got:.0}");
                ui.label(RichText::new(text).color(tokens.caution).size(SMALL_TEXT));
            }
        };
        if ui.available_width() >= WIDE {
            ui.horizontal_wrapped(numbers);
        } else {
            numbers(ui);
        }
        if !self.view.brief {
            ui.label(small(notes.join(", ")));
        }
    }

    /// What is said under an estimate: whose it is, and that nobody measured it.
    fn estimate(&self, part: Part) -> Option<String> {
        let running = self.made.running.as_ref();
        let preview = running.and_then(|r| r.preview.as_ref().map(|(of, _)| (r, *of)));
        if let Some((running, _)) = preview.filter(|(_, of)| *of == part) {
            let asked = match (running.follows, part) {
                (Some(ef), _) => ef,
                (None, Part::Factual) => EfPercent::measured(self.case.factual_ef),
                (None, Part::Counterfactual) => EfPercent::measured(self.wanted.requested),
            };
            return Some(format!("EF {asked}, estimate, not measured"));
        }
        let cancelled = self
            .made
            .cancelled
            .as_ref()
            .is_some_and(|(of, _, _)| *of == part);
        cancelled.then(|| "Estimate of a run that was cancelled, not measured".to_owned())
    }

    /// Where this cascade's measured EF usually falls for what it is conditioned on, two times in three.
    fn usual(&self, conditioning: EfPercent) -> Option<String> {
        let a = self.agreement()?;
        let middle = a.slope * conditioning.get() + a.intercept;
        let (low, high) = (middle - a.residual_sd, middle + a.residual_sd);
        Some(format!(
            "usually {:.0} to {:.0} %",
            low.max(0.0),
            high.min(100.0)
        ))
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
    pub(in crate::ui::explore) fn agreement(&self) -> Option<&crate::card::Agreement> {
        let card = &self.house.cascade.as_ref()?.card;
        let simulated = matches!(self.case.source.as_ref()?.origin, Origin::SimulatedHeart(_));
        card.measured(simulated)
    }
}
