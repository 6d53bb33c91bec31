//! The EF ladder: the same heart and seed at several EFs, as a playing filmstrip.

use super::super::Explore;
use super::super::view::pictures::on_picture;
use super::Made;
use super::shown::{Shown, Strip};
use crate::ef::EfPercent;
use crate::engine::{self, Engine, Generated, Ladder, Owner, Request};
use crate::text::duration;
use crate::ui::command::Command;
use crate::ui::hints::{Hint as _, Room};
use crate::ui::theme::{SMALL_GAP, tokens};
use crate::ui::widgets::{Cine, Key, Picture};
use egui::{Align2, ProgressBar, RichText, Sense, Stroke, Ui, Vec2, vec2};
use std::sync::Arc;

/// From heart failure to a strong heart, within the range that the built-in cascade has seen.
pub const RUNGS: [f64; 7] = [20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0];
/// Height of the lines under a rung.
const CAPTION: f32 = 34.0;
/// Room that the hint and the button beside it need.
const HINT_WIDTH: f32 = 460.0;

impl Made {
    /// The worker does one thing at a time, and the newest first: a ladder that is not done waits.
    pub(in crate::ui::explore) fn put_ladder_off(&mut self) {
        if let Some(strip) = &mut self.ladder
            && strip.job.take().is_some()
        {
            strip.waits = true;
        }
    }

    pub(in crate::ui::explore) fn climbing(
        &mut self,
        fraction: f64,
        seconds: f64,
        previews: Vec<Arc<engine::Cine>>,
    ) {
        if let Some(strip) = &mut self.ladder {
            strip.fraction = fraction;
            strip.seconds_left = seconds;
            if !previews.is_empty() {
                strip.previews = previews;
                strip.count += 1;
            }
        }
    }
}

impl Explore {
    /// Makes a ladder of what is set, or takes the one there is away.
    pub fn toggle_ladder(&mut self, engine: &mut Engine) {
        match self.made.ladder.take() {
            // One that waits, or is done, is not what the worker is doing.
            Some(strip) if strip.job.is_none() => {}
            Some(_) => engine.cancel(),
            None => self.climb(engine, false),
        }
    }

    pub(in crate::ui::explore) fn climb(&mut self, engine: &mut Engine, confirmed: bool) {
        let Some(request) = self.request() else {
            return;
        };
        let covered = |ef: &f64| {
            // What the networks are conditioned on.
            let asked = EfPercent::new(*ef).ok().map(|ef| Request {
                ef,
                ..request.clone()
            });
            let told = asked.and_then(|r| r.conditioning());
            let told = told.map_or(*ef, EfPercent::get);
            let cascade = self.house.cascade.as_ref();
            cascade.is_none_or(|c| c.card.covers(told))
        };
        let efs = RUNGS.iter().copied().filter(covered);
        let efs: Vec<EfPercent> = efs.filter_map(|ef| EfPercent::new(ef).ok()).collect();
        if efs.is_empty() || self.house.cascade.is_none() {
            return;
        }
        self.made.running = None;
        let job = engine.climb(
            Owner::Explore,
            Ladder {
                request: Request {
                    best_of: 1,
                    ..request
                },
                efs: efs.clone(),
                confirmed,
            },
        );
        self.made.ladder = Some(Strip {
            cines: efs.iter().map(|_| Cine::default()).collect(),
            efs,
            job: Some(job),
            waits: false,
            fraction: 0.0,
            seconds_left: f64::NAN,
            previews: Vec::new(),
            count: 0,
            rungs: Vec::new(),
        });
    }

    /// The worker is free for a ladder that waits.
    pub(in crate::ui::explore) fn climb_on(&mut self, engine: &mut Engine) {
        if self.made.ladder.as_ref().is_some_and(|l| l.waits) {
            self.climb(engine, true);
        }
    }

    pub(in crate::ui::explore) fn climbed(&mut self, rungs: Vec<Arc<Generated>>) {
        for rung in &rungs {
            self.made.note_result(rung, self.wanted.best_of);
        }
        let shown = rungs.into_iter();
        let shown = shown.map(|result| Shown::new(self.next_id(), result));
        let shown: Vec<Shown> = shown.collect();
        if let Some(strip) = &mut self.made.ladder {
            strip.rungs = shown;
            strip.previews.clear();
        }
    }

    /// The filmstrip; a click takes a rung into the pane.
    pub(in crate::ui::explore) fn filmstrip(
        &mut self,
        ui: &mut Ui,
        engine: &mut Engine,
        now: f64,
        commands: &mut Vec<Command>,
    ) {
        let (_, seconds) = self.cycle();
        let phase = self.view.playback.phase(seconds, now);
        let requested = self.wanted.requested;
        let Some(strip) = &mut self.made.ladder else {
            return;
        };
        let tokens = tokens(ui);
        ui.horizontal(|ui| {
            ui.label(RichText::new("EF ladder").strong());
            if strip.job.is_some() {
                ui.add(
                    ProgressBar::new(strip.fraction as f32)
                        .desired_width(160.0)
                        .desired_height(8.0),
                );
                let left = duration(strip.seconds_left);
                ui.label(RichText::new(format!("{left} left")).color(tokens.muted));
            } else if strip.waits {
                let text = "Waits for the cine that was asked for.";
                ui.label(RichText::new(text).color(tokens.muted));
            } else if ui.available_width() > HINT_WIDTH {
                let text = "One heart, one seed. A click takes a rung into the pane.";
                ui.label(RichText::new(text).color(tokens.muted));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                // Its rungs are below.
                Room::Above.set(ui.ctx());
                let close = ui.small_button("Close ladder");
                let close = close.hint("Leaves its room to the panes");
                Room::Anywhere.set(ui.ctx());
                if close.clicked() {
                    commands.push(Command::Ladder);
                }
            });
        });
        let side = rung_side(ui.available_width(), strip.efs.len());
        let mut chosen = None;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = SMALL_GAP;
            for (i, ef) in strip.efs.iter().enumerate() {
                ui.vertical(|ui| {
                    ui.set_width(side);
                    ui.spacing_mut().item_spacing.y = 1.0;
                    ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
                    let name = format!("Rung EF {ef}");
                    let response = Cine::ground(ui, Vec2::splat(side), &name, Sense::click());
                    let shown = strip.rungs.get(i);
                    let video = shown.map(|s| (s.id, &s.result.cine.video)).or_else(|| {
                        let key = (1 << 62) | strip.count << 8 | i as u64;
                        strip.previews.get(i).map(|cine| (key, &cine.video))
                    });
                    if let Some((clip, video)) = video {
                        let frame = ((phase * video.frames as f64) as usize)
                            .min(video.frames.saturating_sub(1));
                        let look = &self.view.look;
                        let key = Key { clip, frame };
                        let picture = Picture::Video(video, frame);
                        let texture = strip.cines[i].texture(ui, &name, key, look, picture);
                        Cine::fit(ui, &texture, response.rect, look);
                        on_picture(ui, response.rect, Align2::LEFT_BOTTOM, "SYNTHETIC");
                    }
                    if ef.get() == requested {
                        let stroke = Stroke::new(2.0, tokens.accent);
                        let kind = egui::StrokeKind::Inside;
                        ui.painter().rect_stroke(response.rect, 4.0, stroke, kind);
                    }
                    let measured =
                        shown.map(|s| EfPercent::measured(s.result.provenance.measured_ef_percent));
                    let title = measured.map_or("not measured".into(), |m| format!("EF {m}"));
                    ui.label(RichText::new(title).size(12.5));
                    let off = measured.is_some_and(|m| m.differs_from(*ef));
                    let colour = if off { tokens.caution } else { tokens.muted };
                    ui.label(
                        RichText::new(format!("asked {ef}"))
                            .size(11.5_f32.min(side / 5.8))
                            .color(colour),
                    );
                    if response.clicked() && shown.is_some() {
                        chosen = Some(ef.get());
                    }
                });
            }
        });
        if let Some(ef) = chosen {
            // It is in the worker's cache: there at once.
            if ef == self.wanted.requested {
                self.run(engine);
            } else {
                self.set_requested(ef, engine);
            }
        }
    }
}

impl Made {
    /// How high the filmstrip is in a window of this width.
    pub(in crate::ui::explore) fn ladder_height(&self, width: f32) -> f32 {
        match &self.ladder {
            Some(strip) => rung_side(width, strip.efs.len()) + CAPTION + 34.0,
            None => 0.0,
        }
    }
}

fn rung_side(width: f32, rungs: usize) -> f32 {
    let n = rungs.max(1) as f32;
    vec2((width - (n - 1.0) * SMALL_GAP) / n, 0.0)
        .x
        .clamp(48.0, 190.0)
}
