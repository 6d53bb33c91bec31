//! *Ladder*: one heart at all its EFs, to be looked at freely. No score.

use super::figures::ef_in_words;
use super::files::TrainingFile;
use super::guess::grid;
use super::keys::{Pressed, pressed};
use super::pane::{Beating, Overlay, Pane, cycle, there};
use super::reel::Reel;
use super::stock::Stock;
use crate::drill::case::Case;
use crate::drill::material::Subject;
use crate::drill::rungs;
use crate::drill::sampler::{BUILT_IN_HEARTS, Source};
use crate::drill::set::simulated;
use crate::drill::sitting::About;
use crate::ef::EfPercent;
use crate::ui::parts::muted;
use crate::ui::theme::{SMALL_GAP, background};
use egui::{DragValue, ScrollArea, Slider, Ui};

/// EFs of a simulated heart's rungs, in percent.
const RUNGS: [f64; 13] = [
    15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 55.0, 60.0, 65.0, 70.0, 75.0,
];
/// Points of the strip's pictures.
const SMALL: f32 = 96.0;

/// The screen's state.
pub struct Ladders {
    /// Which heart: a simulated one's number, or a place in the set.
    heart: usize,
    /// EFs of the two large ones, in percent.
    efs: [f64; 2],
    /// Which of both a rung of the strip goes to.
    chosen: usize,
    beating: Option<Beating>,
    outline: bool,
    large: [Pane; 2],
    small: Vec<Pane>,
}

impl Default for Ladders {
    fn default() -> Self {
        Self {
            heart: 1,
            efs: [30.0, 60.0],
            chosen: 0,
            beating: None,
            outline: false,
            large: Default::default(),
            small: Vec::new(),
        }
    }
}

impl Ladders {
    pub fn ui(&mut self, ui: &mut Ui, stock: &mut Stock, reel: &Reel) -> Option<TrainingFile> {
        let about = stock.about();
        let source = &about.source;
        let rungs = self.rungs(source);
        let Some(first) = rungs.first().cloned() else {
            muted(ui, "This set has no heart.");
            return None;
        };
        let large: Vec<Case> = self
            .efs
            .iter()
            .filter_map(|ef| nearest(&first, *ef, &rungs, source))
            .collect();
        let subjects: Vec<Subject> = large.iter().chain(&rungs).map(Case::subject).collect();
        let of_first = large.first().unwrap_or(&first).subject();
        let all = subjects.len();
        reel.want(subjects, all);
        let now = ui.input(|i| i.time);
        let (seconds, frames) = cycle(reel, &of_first);
        let beating = self.beating.get_or_insert_with(|| Beating::start(now));
        beating.wake(ui, now, seconds, frames);
        for key in pressed(ui.ctx()) {
            let by = match key {
                Pressed::Space => {
                    beating.toggle(now, seconds);
                    continue;
                }
                Pressed::Outline => {
                    self.outline = !self.outline;
                    continue;
                }
                Pressed::Left => -1.0,
                Pressed::Right => 1.0,
                _ => continue,
            };
            if let Some(ef) = self.efs.get_mut(self.chosen) {
                *ef = (*ef + by).clamp(5.0, 90.0);
            }
        }
        let phase = beating.phase(now, seconds);
        let mut asks = None;
        egui::Panel::top("ladder")
            .frame(background(ui).inner_margin(8))
            .show(ui, |ui| asks = self.head(ui, &about, stock));
        egui::Panel::bottom("strip")
            .frame(background(ui).inner_margin(8))
            .show(ui, |ui| self.strip(ui, reel, &rungs, phase));
        egui::CentralPanel::default()
            .frame(background(ui).inner_margin(8))
            .show(ui, |ui| self.both(ui, reel, &large, source, phase));
        asks
    }

    /// All rungs of the heart, by EF.
    fn rungs(&mut self, source: &Source) -> Vec<Case> {
        match source {
            Source::BuiltIn { quality, .. } => {
                self.heart = self.heart.min(BUILT_IN_HEARTS as usize - 1);
                let seed = self.heart as u64;
                RUNGS.map(|ef| simulated(seed, ef, *quality)).to_vec()
            }
            Source::Set(set) => {
                self.heart = self.heart.min(set.ladders.len().saturating_sub(1));
                let Some(ladder) = set.ladders.get(self.heart) else {
                    return Vec::new();
                };
                ladder.rungs.iter().map(|rung| ladder.case(rung)).collect()
            }
        }
    }

    fn head(&mut self, ui: &mut Ui, about: &About, stock: &mut Stock) -> Option<TrainingFile> {
        let source = &about.source;
        let hearts = match source {
            Source::BuiltIn { hearts, .. } => *hearts as usize,
            Source::Set(set) => set.ladders.len(),
        };
        let mut asks = None;
        ui.horizontal_wrapped(|ui| {
            let label = ui.label("Heart");
            let number = DragValue::new(&mut self.heart).range(0..=hearts.saturating_sub(1));
            ui.add(number).labelled_by(label.id);
            if ui.button("Next heart").clicked() {
                self.heart = (self.heart + 1) % hearts.max(1);
            }
            ui.separator();
            if let Source::BuiltIn { .. } = source {
                for quality in crate::phantom::Quality::ALL {
                    ui.selectable_value(&mut stock.quality, quality, quality.name());
                }
                ui.separator();
            }
            ui.checkbox(&mut self.outline, "Outline (O)");
            if ui.button("Cases...").clicked() {
                asks = Some(TrainingFile::Set);
            }
            muted(ui, format!("Whose word the EFs are: {}.", about.in_words()));
        });
        asks
    }

    /// Every rung, playing; a click takes it to the large one that is chosen.
    fn strip(&mut self, ui: &mut Ui, reel: &Reel, rungs: &[Case], phase: f64) {
        while self.small.len() < rungs.len() {
            self.small.push(Pane::default());
        }
        ScrollArea::horizontal()
            .auto_shrink([false, true])
            .show(ui, |ui| {
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = SMALL_GAP;
                    let width = rungs.len() as f32 * (SMALL + SMALL_GAP);
                    ui.add_space(((ui.available_width() - width) / 2.0).max(0.0));
                    for (case, pane) in rungs.iter().zip(&mut self.small) {
                        let subject = case.subject();
                        let outcome = reel.get(&subject);
                        let caption = format!("{:.0} %", case.ef_percent);
                        let on_show = self.efs.iter().any(|ef| (ef - case.ef_percent).abs() < 0.5);
                        let overlay = Overlay {
                            caption: &caption,
                            outline: self.outline,
                            marked: on_show,
                        };
                        let name = format!("Rung at {caption}");
                        let shown = there(&subject, &outcome);
                        let response = pane.show(ui, &name, SMALL, shown, phase, overlay);
                        if response.clicked()
                            && let Some(ef) = self.efs.get_mut(self.chosen)
                        {
                            *ef = case.ef_percent;
                        }
                    }
                });
            });
    }

    /// Any two, large and side by side.
    fn both(&mut self, ui: &mut Ui, reel: &Reel, large: &[Case], source: &Source, phase: f64) {
        let room = ui.available_size();
        let controls = 58.0;
        let (_, side) = grid(2, room.x, (room.y - controls).max(60.0));
        let side = side.min((room.x - SMALL_GAP) / 2.0).max(40.0);
        let width = 2.0 * side + SMALL_GAP;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = SMALL_GAP;
            ui.add_space(((room.x - width) / 2.0).max(0.0));
            for (i, case) in large.iter().enumerate() {
                ui.vertical(|ui| {
                    ui.set_width(side);
                    let subject = case.subject();
                    let outcome = reel.get(&subject);
                    let category = EfPercent::measured(case.ef_percent).category().name();
                    let caption = format!("{}, {category}", ef_in_words(case.ef_percent));
                    let overlay = Overlay {
                        caption: &caption,
                        outline: self.outline,
                        marked: self.chosen == i,
                    };
                    let name = if i == 0 { "Left heart" } else { "Right heart" };
                    let shown = there(&subject, &outcome);
                    let Some(pane) = self.large.get_mut(i) else {
                        return;
                    };
                    if pane.show(ui, name, side, shown, phase, overlay).clicked() {
                        self.chosen = i;
                    }
                    let Some(ef) = self.efs.get_mut(i) else {
                        return;
                    };
                    ui.spacing_mut().slider_width = (side - 90.0).max(40.0);
                    let slider = Slider::new(ef, range(source)).step_by(1.0).suffix(" %");
                    let slider = ui.add(slider);
                    let (value, what) = (*ef, format!("EF of the {}", name.to_lowercase()));
                    slider.widget_info(|| egui::WidgetInfo::slider(true, value, &what));
                    if slider.changed() {
                        self.chosen = i;
                    }
                });
            }
        });
    }
}

fn range(source: &Source) -> std::ops::RangeInclusive<f64> {
    match source {
        Source::BuiltIn { .. } => 5.0..=90.0,
        Source::Set(set) => {
            let all = set
                .ladders
                .iter()
                .flat_map(|l| &l.rungs)
                .map(|r| r.ef_percent);
            let (low, high) = all.fold((90.0f64, 5.0f64), |(l, h), ef| (l.min(ef), h.max(ef)));
            low.floor()..=high.ceil()
        }
    }
}

/// The heart at an EF, or the rung of a set that is nearest.
fn nearest(of: &Case, ef: f64, rungs: &[Case], source: &Source) -> Option<Case> {
    rungs::at(of, ef, source).or_else(|| {
        let off = |c: &&Case| (c.ef_percent - ef).abs();
        let nearest = rungs.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
        nearest.cloned()
    })
}
