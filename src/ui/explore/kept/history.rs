//! Finished runs, which a click restores; they survive a restart.

use super::super::Explore;
use super::{Kept, KeptRun, Past};
use crate::ef::{EfOrigin, EfPercent};
use crate::engine::{Engine, Generated, Job, Provenance};
use crate::media::export::anatomy_to_png;
use crate::ui::look::Look;
use crate::ui::source::{Origin, Source};
use crate::ui::theme::tokens;
use crate::ui::widgets::{Cine, Key, Picture};
use egui::{Button, RichText, Ui, Vec2};

/// Runs that are listed.
const MOST: usize = 50;
const THUMBNAIL: f32 = 36.0;

impl Kept {
    /// Takes the history over into the settings.
    pub(in crate::ui::explore) fn keep_history(&mut self) {
        let keep = self.settings.keep_anatomies;
        let kept = self.history.iter_mut().map(|past| {
            // Coded once, whenever settings are saved.
            let kept = &mut past.kept;
            kept.anatomy_png = match &past.anatomy {
                Some(anatomy) if keep => {
                    kept.anatomy_png.take().or_else(|| anatomy_to_png(anatomy))
                }
                _ => None,
            };
            kept.clone()
        });
        self.settings.history = kept.collect();
    }

    /// What was masked since may have named somebody: the history keeps no picture of it.
    pub(in crate::ui::explore) fn forget_anatomy(&mut self, sha256: &str) {
        let of = |past: &&mut Past| past.kept.provenance.anatomy_sha256 == sha256;
        for past in self.history.iter_mut().filter(of) {
            past.anatomy = None;
            past.kept.anatomy_png = None;
            past.thumbnail = Cine::default();
        }
    }

    /// Notes a run at the top of the list; without its anatomy while that may name somebody.
    pub(in crate::ui::explore) fn note_past(
        &mut self,
        result: &Generated,
        job: &Job,
        origin: EfOrigin,
        with_anatomy: bool,
    ) {
        self.history.retain(|p| !p.is_same(&result.provenance));
        let past = Past {
            kept: KeptRun {
                provenance: result.provenance.clone(),
                factual_ef: job.factual.map(EfPercent::get),
                factual_ef_origin: origin,
                anatomy_png: None,
            },
            anatomy: with_anatomy.then(|| job.counterfactual.anatomy.clone()),
            thumbnail: Cine::default(),
        };
        self.history.insert(0, past);
        self.history.truncate(MOST);
    }

    /// The lines; the one that was clicked.
    pub(in crate::ui::explore) fn history_list(&mut self, ui: &mut Ui) -> Option<usize> {
        let tokens = tokens(ui);
        if self.history.is_empty() {
            let text = "Finished runs appear here; a click restores one.";
            ui.label(RichText::new(text).color(tokens.muted));
        }
        let mut restore = None;
        for (i, past) in self.history.iter_mut().enumerate() {
            ui.horizontal(|ui| {
                let side = Vec2::splat(THUMBNAIL);
                let (rect, _) = ui.allocate_exact_size(side, egui::Sense::hover());
                ui.painter().rect_filled(rect, 3.0, tokens.picture);
                if let Some(anatomy) = &past.anatomy {
                    let (key, look) = (Key::of_hash(&anatomy.sha256, 0), Look::default());
                    let cine = &mut past.thumbnail;
                    let texture = cine.held(key, &look).unwrap_or_else(|| {
                        let frame = anatomy.to_frame();
                        cine.texture(ui, "past", key, &look, Picture::Frame(&frame))
                    });
                    Cine::fit(ui, &texture, rect, &look);
                }
                let p = &past.kept.provenance;
                let requested = EfPercent::measured(p.requested_ef_percent);
                let measured = EfPercent::measured(p.measured_ef_percent);
                let text = format!(
                    "Measured EF {measured}\nasked {requested}, {}, seed {}",
                    p.preset, p.seed
                );
                let line = Button::new(RichText::new(text).size(12.0))
                    .frame(false)
                    .wrap();
                let hint = match &past.anatomy {
                    Some(_) => "Restore this run",
                    None => "Its anatomy was not kept: open its source first",
                };
                if ui.add(line).on_hover_text(hint).clicked() {
                    restore = Some(i);
                }
            });
        }
        restore
    }
}

impl Explore {
    /// Restores a run; in the session that made it, its result is still in the worker's cache.
    pub(in crate::ui::explore) fn restore(&mut self, index: usize, engine: &mut Engine) {
        let Some(past) = self.kept.history.get(index) else {
            return;
        };
        let (kept, anatomy) = (past.kept.clone(), past.anatomy.clone());
        match anatomy {
            Some(anatomy) if self.case.anatomy_sha256() != Some(&anatomy.sha256) => {
                match Source::of_anatomy(&anatomy, Origin::Sidecar) {
                    Ok(source) => self.put_source(source),
                    Err(why) => return self.said.push(why),
                }
            }
            // Another patient's run must not touch the case that is open.
            None if self.case.anatomy_sha256() != Some(&kept.provenance.anatomy_sha256) => {
                let text = "The anatomy of that run was not kept. Open its source first.";
                return self.said.push(text.into());
            }
            _ => {}
        }
        if let Some(ef) = kept.factual_ef {
            self.case.factual_ef = ef;
            self.case.ef_origin = kept.factual_ef_origin;
        }
        self.repeat(&kept.provenance, engine);
    }

    /// Takes over what a run was made with, and runs it on the anatomy that is open.
    pub(in crate::ui::explore) fn repeat(&mut self, p: &Provenance, engine: &mut Engine) {
        let loaded = self
            .house
            .cascade
            .as_ref()
            .map(|c| c.identity.sha256.as_str());
        if loaded.is_some_and(|sha256| sha256 != p.cascade_sha256) {
            self.said.push(format!(
                "That run was made with the cascade {}, another than the one in use: \
                 the result will differ. Open that cascade to repeat it.",
                p.cascade
            ));
        }
        self.wanted.repeat(p);
        self.run(engine);
    }
}
