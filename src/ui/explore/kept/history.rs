//! Finished runs, which a click restores; they survive a restart.

use super::super::Explore;
use super::super::made::shown::Shown;
use super::{Kept, KeptRun, Past};
use crate::ef::{EfOrigin, EfPercent};
use crate::engine::{Engine, Generated, Job, Provenance};
use crate::media::export::anatomy_to_png;
use crate::media::region::Anatomy;
use crate::ui::hints::Hint as _;
use crate::ui::look::Look;
use crate::ui::parts::named;
use crate::ui::source::{Origin, Source};
use crate::ui::theme::tokens;
use crate::ui::today;
use crate::ui::widgets::{Cine, Key, Picture};
use egui::{
    Align, Button, Label, Layout, RichText, Role, Sense, Shape, Stroke, Ui, UiBuilder, Vec2,
    WidgetInfo,
};
use std::sync::Arc;

/// Runs that are listed, and those whose cines are kept for this session.
const MOST: usize = 50;
const MOST_CINES: usize = 12;
const THUMBNAIL: f32 = 36.0;
/// Of the bar that scrolls the panel: nothing lies under it.
const BAR: f32 = 10.0;

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

    /// Notes a run at the top of the list; without its anatomy while that may name somebody. `source` says what it
    /// was made of.
    pub(in crate::ui::explore) fn note_past(
        &mut self,
        result: &Arc<Generated>,
        job: &Job,
        origin: EfOrigin,
        source: String,
        with_anatomy: bool,
    ) {
        let before = self.history.iter();
        let mut before = before.filter(|p| p.is_same(&result.provenance));
        let starred = before.any(|p| p.kept.starred);
        self.history.retain(|p| !p.is_same(&result.provenance));
        let past = Past {
            kept: KeptRun {
                provenance: result.provenance.clone(),
                factual_ef: job.factual.map(EfPercent::get),
                factual_ef_origin: origin,
                anatomy_png: None,
                source,
                date: today(),
                starred,
            },
            anatomy: with_anatomy.then(|| job.counterfactual.anatomy.clone()),
            thumbnail: Cine::default(),
            result: Some(result.clone()),
        };
        self.history.insert(0, past);
        for old in self.history.iter_mut().skip(MOST_CINES) {
            old.result = None;
        }
        // What has a star stays before what has none.
        while self.history.len() > MOST {
            let last = self.history.iter().rposition(|p| !p.kept.starred);
            self.history.remove(last.unwrap_or(MOST));
        }
    }

    /// The lines; `open` is the anatomy that is open. What was asked of one of them.
    pub(in crate::ui::explore) fn history_list(
        &mut self,
        ui: &mut Ui,
        open: Option<&str>,
    ) -> Option<(usize, Did)> {
        let tokens = tokens(ui);
        if self.history.is_empty() {
            let text = "Finished runs appear here; a click restores one.";
            ui.label(RichText::new(text).color(tokens.muted));
            return None;
        }
        let mut did = None;
        for (i, past) in self.history.iter_mut().enumerate() {
            let is_open = open == Some(past.kept.provenance.anatomy_sha256.as_str());
            let row = UiBuilder::new().id_salt(i).sense(Sense::click());
            let row = ui.scope_builder(row, |ui| past.row(ui, is_open));
            if row.inner {
                did = Some((i, Did::Pin));
            }
            let hint = match &past.anatomy {
                None if !is_open => format!(
                    "Its anatomy was not kept: open its source first ({}, {})",
                    past.kept.source, past.kept.date
                ),
                _ => "Restore this run".to_owned(),
            };
            let row = row.response.hint(hint);
            named(&row, &past.words());
            if row.clicked() {
                did = Some((i, Did::Restore));
            }
        }
        self.clear_line(ui);
        did
    }

    /// Clears all but the starred, asked twice.
    fn clear_line(&mut self, ui: &mut Ui) {
        let n = self.history.iter().filter(|p| !p.kept.starred).count();
        if n == 0 {
            return;
        }
        ui.horizontal(|ui| {
            if !self.clearing {
                self.clearing = ui
                    .small_button("Clear all but starred...")
                    .hint("Asks once more first.")
                    .clicked();
                return;
            }
            let runs = if n == 1 { "run" } else { "runs" };
            if ui
                .small_button(format!("Clear {n} {runs}"))
                .hint("They cannot be had back.")
                .clicked()
            {
                self.history.retain(|p| p.kept.starred);
                self.clearing = false;
            }
            if ui
                .small_button("Keep them")
                .hint("Nothing is cleared.")
                .clicked()
            {
                self.clearing = false;
            }
        });
    }
}

/// A star to click, filled or not: no font of the window has one.
fn star(ui: &mut Ui, is_filled: bool) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(18.0), Sense::click());
    let point = |k: usize| {
        let angle = std::f32::consts::PI * (0.2 * k as f32 - 0.5);
        let radius = if k.is_multiple_of(2) { 7.0 } else { 2.9 };
        rect.center() + radius * Vec2::angled(angle)
    };
    let tokens = tokens(ui);
    let colour = match response.hovered() || response.has_focus() {
        true => tokens.accent,
        false if is_filled => tokens.caution,
        false => tokens.muted,
    };
    if is_filled {
        let stroke = Stroke::NONE;
        let middle = (0..5).map(|k| point(2 * k + 1)).collect();
        ui.painter()
            .add(Shape::convex_polygon(middle, colour, stroke));
        for k in 0..5 {
            let tip = vec![point((2 * k + 9) % 10), point(2 * k), point(2 * k + 1)];
            ui.painter().add(Shape::convex_polygon(tip, colour, stroke));
        }
    }
    let border = (0..10).map(point).collect();
    ui.painter()
        .add(Shape::closed_line(border, Stroke::new(1.2, colour)));
    response
}

/// What was asked of a line.
pub(in crate::ui::explore) enum Did {
    Restore,
    Pin,
}

/// An anatomy, small; an empty place where it is not kept.
pub(super) fn thumbnail(ui: &mut Ui, cine: &mut Cine, anatomy: Option<&Anatomy>) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(THUMBNAIL), Sense::hover());
    ui.painter().rect_filled(rect, 3.0, tokens(ui).picture);
    if let Some(anatomy) = anatomy {
        let (key, look) = (Key::of_hash(&anatomy.sha256, 0), Look::default());
        let texture = cine.held(key, &look).unwrap_or_else(|| {
            let frame = anatomy.to_frame();
            cine.texture(ui, "past", key, &look, Picture::Frame(&frame))
        });
        Cine::fit(ui, &texture, rect, &look);
    }
}

impl Past {
    /// Whether it shows this anatomy, and still has it.
    pub(super) fn is_of(&self, anatomy_sha256: &str) -> bool {
        self.anatomy
            .as_ref()
            .is_some_and(|a| a.sha256 == anatomy_sha256)
    }

    /// A picture with what was measured and asked beside it, the rest below. Whether it is to be pinned.
    fn row(&mut self, ui: &mut Ui, is_open: bool) -> bool {
        let tokens = tokens(ui);
        let colour = match ui.response().hovered() || ui.response().has_focus() {
            true => tokens.accent,
            false => ui.visuals().text_color(),
        };
        // A click is for the row, not for the words in it.
        let label = |text: String, colour| {
            let text = RichText::new(text).size(12.0).color(colour);
            Label::new(text).selectable(false)
        };
        ui.set_width(ui.available_width() - BAR);
        let mut pins = false;
        let [measured, asked, rest] = self.lines();
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.horizontal(|ui| {
            thumbnail(ui, &mut self.thumbnail, self.anatomy.as_deref());
            ui.vertical(|ui| {
                ui.horizontal(|ui| {
                    ui.add(label(measured, colour));
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let starred = self.kept.starred;
                        let star = star(ui, starred);
                        let hint = "Starred runs stay when the others are cleared";
                        let star = star.hint(hint);
                        star.widget_info(|| {
                            WidgetInfo::selected(Role::Button, true, starred, "Star this run")
                        });
                        self.kept.starred ^= star.clicked();
                    });
                });
                ui.horizontal(|ui| {
                    ui.add(label(asked, colour));
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let able = is_open && self.result.is_some();
                        let beside = ui.add_enabled(able, Button::new("Pin").small());
                        let beside = beside.hint(match able {
                            true => "Beside the one that is shown",
                            false => "Of this heart and since the start only: else restore it",
                        });
                        named(&beside, "Pin this run");
                        pins = beside.clicked();
                        if !able {
                            // What cannot be pinned is not restored by a click on *Pin*.
                            let id = beside.id.with("cover");
                            ui.interact(beside.rect, id, Sense::click());
                        }
                    });
                });
            });
        });
        ui.add(label(rest, tokens.muted).wrap());
        ui.add_space(4.0);
        pins
    }

    /// What was measured, what was asked, and how.
    fn lines(&self) -> [String; 3] {
        let p = &self.kept.provenance;
        let mut how = Vec::new();
        if p.conditioning_ef_percent.is_some() {
            how.push("calibrated".to_owned());
        }
        if let Some(outline) = p.outline_ef_percent {
            how.push(format!("outline {}", EfPercent::measured(outline)));
        }
        // Never apart.
        how.extend([p.preset.to_string(), format!("seed\u{a0}{}", p.seed)]);
        [
            format!("Measured EF {}", EfPercent::measured(p.measured_ef_percent)),
            format!("asked {}", EfPercent::measured(p.requested_ef_percent)),
            how.join(", "),
        ]
    }

    /// All of it, for who cannot see the row.
    fn words(&self) -> String {
        let [measured, asked, rest] = self.lines();
        format!("{measured}\n{asked}, {rest}")
    }
}

impl Explore {
    /// Does what was asked of a line of the history.
    pub(in crate::ui::explore) fn recall(
        &mut self,
        (index, did): (usize, Did),
        engine: &mut Engine,
    ) {
        match did {
            Did::Restore => self.restore(index, engine),
            Did::Pin => {
                let past = self.kept.history.get(index);
                if let Some(result) = past.and_then(|p| p.result.clone()) {
                    let id = self.next_id();
                    self.made.pinned = Some(Shown::new(id, result));
                    self.view.keep_comparable(true);
                }
            }
        }
    }

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
                let text = match kept.source.as_str() {
                    "" => "The anatomy of that run was not kept. Open its source first.".into(),
                    source => format!(
                        "The anatomy of that run was not kept. Open its source first: {source}, run on {}.",
                        kept.date
                    ),
                };
                self.kept.wants_file = true;
                return self.said.push(text);
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
        let before = self.state();
        self.wanted.repeat(p);
        // Marks and a ladder of other settings are none of its.
        let now = self.state();
        let same = before.settings() == now.settings();
        if same {
            self.run(engine);
        } else {
            self.run_anew(engine);
        }
    }
}
