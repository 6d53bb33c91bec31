//! Explore: one source, its factual and its counterfactual cine.
//!
//! Five owners: the [`Case`], what is [`Wanted`] of the cascade, what was [`Made`] of both, the [`View`] of it
//! and what is [`Kept`]. What one of them can do alone is its own method; what takes several is
//! [`Explore`]'s, in the folder of the one that it is about.

mod case;
mod kept;
mod made;
mod run;
mod view;
mod wanted;

pub use case::Case;
pub use case::measuring::Measuring;
pub use kept::{Kept, Recent, Settings};
pub use made::Made;
pub use made::choice::{What, usual_name};
pub use made::export_dialog::Package;
pub use view::beat::Moment;
pub use view::{Comparison, Pane, View};
pub use wanted::Wanted;

use super::hints::{Hint as _, Room};
use super::mode::{House, Screen};
use super::playback::Smoothness;
use super::projector::Wake;
use crate::engine::{Engine, Event};
use crate::ui::command::Command;
use crate::ui::look::Look;
use crate::ui::theme::{self, GAP};
use crate::ui::widgets::Filter;
use std::sync::Arc;

/// The mode's whole state.
pub struct Explore {
    pub house: Arc<House>,
    pub case: Case,
    pub wanted: Wanted,
    pub made: Made,
    pub view: View,
    pub kept: Kept,
    counter: u64,
    /// Sentences for the app to show.
    said: Vec<String>,
}

impl Explore {
    /// `wake` has the window drawn anew, from any thread.
    pub fn new(settings: Settings, wake: Wake) -> Self {
        Self {
            house: Arc::default(),
            case: Case::new(wake),
            wanted: Wanted::from_settings(&settings),
            made: Made::default(),
            view: View::from_settings(&settings),
            kept: Kept::from_settings(settings),
            counter: 0,
            said: Vec::new(),
        }
    }

    /// The settings as they are to be kept.
    pub fn settings(&mut self, light: bool) -> &Settings {
        self.kept.keep_history();
        let settings = &mut self.kept.settings;
        self.wanted.keep(settings);
        self.view.keep(settings);
        settings.light = light;
        settings
    }

    /// The renderer is software: no pictures between a cine's own frames.
    pub fn draw_frames_alone(&mut self) {
        self.view.smoothness = Smoothness::of_frames_alone();
    }

    fn next_id(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }
}

impl Screen for Explore {
    fn settle(&mut self, house: Arc<House>, engine: &mut Engine) {
        let before = std::mem::replace(&mut self.house, house);
        if !before.regressor.is_empty() && before.regressor != self.house.regressor {
            self.measure_source();
        }
        if let Some(cascade) = &self.house.cascade {
            self.wanted.settle(&cascade.identity.sha256);
        }
        self.made.running = None;
        self.forget_results();
        self.run(engine);
    }

    fn hear(&mut self, event: Event, engine: &mut Engine) {
        self.hear_worker(event, engine);
    }

    fn pursue(&mut self, engine: &mut Engine) {
        self.pursue_case(engine);
        self.pursue_tracking();
    }

    fn obey(&mut self, command: Command, now: f64, engine: &mut Engine) {
        if command == Command::ResetView {
            self.case.large.look = Look::default();
        }
        if self.view.obey(command, now) {
            let at = self.frame_now(now);
            if let Some(choice) = &mut self.view.exporting {
                choice.at = at;
            }
            return;
        }
        if self.obey_calipers(command, now) {
            return;
        }
        let (n, seconds) = self.cycle();
        let requested = self.wanted.requested;
        match command {
            Command::Pin => self.pin(),
            Command::EditSource if self.case.source.is_some() => self.case.large.is_open ^= true,
            Command::EditInPane if self.case.source.is_some() => self.edit_in_pane(),
            Command::SourceBeside if self.case.source.is_some() => self.put_source_beside(),
            Command::NextSimulatedHeart => self.open_simulated(engine),
            Command::Mirror | Command::UpsideDown => self.turn(command, engine),
            Command::StepBack => self.view.playback.step(-1, n, seconds, now),
            Command::StepForward => self.view.playback.step(1, n, seconds, now),
            Command::EfDown => self.set_requested(requested - 1.0, engine),
            Command::EfUp => self.set_requested(requested + 1.0, engine),
            Command::EfDownFive => self.set_requested(requested - 5.0, engine),
            Command::EfUpFive => self.set_requested(requested + 5.0, engine),
            Command::RerollSeed => self.reroll(engine),
            Command::EndDiastole => self.jump(Moment::EndDiastole, now),
            Command::EndSystole => self.jump(Moment::EndSystole, now),
            Command::Ladder => self.toggle_ladder(engine),
            Command::Run => self.run(engine),
            Command::Undo => self.undo(engine),
            Command::Redo => self.redo(engine),
            _ => {}
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, engine: &mut Engine) -> Vec<Command> {
        let mut commands = Vec::new();
        let now = ui.input(|i| i.time);
        // Behind a dialog every picture would have the whole window drawn, dimmed: a renderer in software does nothing
        // else then, and the dialog is what is looked at.
        let behind = ui.ctx().memory(|memory| memory.top_modal_layer().is_some());
        let held = behind && self.view.smoothness.is_of_frames_alone();
        self.view.playback.hold(held, now);
        let width = ui.available_width();
        Room::Anywhere.set(ui.ctx());
        self.view.hear_held_keys(ui.ctx());
        let filter = match self.view.overlays.as_recorded {
            true => Filter::AsRecorded,
            false => Filter::Smooth,
        };
        filter.choose(ui.ctx());
        egui::Panel::bottom("transport")
            .resizable(false)
            .frame(panel_frame(ui))
            .show(ui, |ui| self.bottom(ui, engine, now, &mut commands));
        let folded = self.view.folded;
        if !folded.source {
            egui::Panel::left("source")
                .resizable(false)
                .exact_size((0.156 * width).clamp(200.0, 320.0))
                .frame(panel_frame(ui))
                .show(ui, |ui| {
                    Room::Within(ui.max_rect().x_range()).set(ui.ctx());
                    egui::ScrollArea::vertical()
                        .auto_shrink(false)
                        .show(ui, |ui| self.source_panel(ui, engine, now, &mut commands));
                });
        }
        if !folded.settings {
            egui::Panel::right("settings")
                .resizable(false)
                .exact_size((0.15 * width).clamp(194.0, 300.0))
                .frame(panel_frame(ui))
                .show(ui, |ui| {
                    Room::Within(ui.max_rect().x_range()).set(ui.ctx());
                    egui::ScrollArea::vertical()
                        .auto_shrink(false)
                        .show(ui, |ui| self.settings_panel(ui, engine, &mut commands));
                });
        }
        Room::Anywhere.set(ui.ctx());
        // Little above and below: the pictures' height is what there is least of.
        let margin = egui::Margin::symmetric(GAP as i8, 6);
        egui::CentralPanel::default()
            .frame(theme::background(ui).inner_margin(margin))
            .show(ui, |ui| {
                let height = self.made.ladder_height(ui.available_width());
                if height > 0.0 {
                    egui::Panel::bottom("ladder")
                        .resizable(false)
                        .exact_size(height)
                        .frame(egui::Frame::new())
                        .show(ui, |ui| self.filmstrip(ui, engine, now, &mut commands));
                }
                if self.is_editing_large() {
                    self.large_editor(ui, engine, &mut commands);
                } else {
                    self.centre(ui, now, &mut commands);
                    self.take_square(engine);
                    self.take_outline(engine);
                }
            });
        // A step ends when the user lets go.
        let held = ui.input(|i| i.pointer.any_down()) || ui.ctx().egui_wants_keyboard_input();
        self.note_step(held);
        self.ask_first_dialog(ui, engine);
        if let Some(wait) = self.until_next_frame(now) {
            self.view.smoothness.drawn(now, wait);
            ui.ctx()
                .request_repaint_after(std::time::Duration::from_secs_f64(wait));
        }
        commands
    }

    fn has_dialog(&self) -> bool {
        self.view.exporting.is_some() || self.made.ask.is_some() || !self.kept.settings.welcomed
    }

    fn is_busy(&self) -> bool {
        self.made.is_busy() || self.case.measuring.is_going_on()
    }

    fn step_back(&mut self, engine: &mut Engine) {
        // What is on top goes first.
        let away = std::mem::take(&mut self.case.large.is_open)
            || self.wanted.put_points_away()
            || self.view.calipers.put_away()
            || (self.is_editing_in_pane() && std::mem::take(&mut self.case.large.in_pane));
        if away || self.view.alone.take().is_some() {
            return;
        }
        if self.is_busy() {
            engine.cancel_all();
            self.made.ask = None;
        }
    }

    fn take_said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }
}

fn panel_frame(ui: &egui::Ui) -> egui::Frame {
    theme::background(ui).inner_margin(egui::Margin::same(GAP as i8))
}

/// A panel's heading, with the button that puts the panel away.
fn panel_heading(ui: &mut egui::Ui, text: &str, fold: Command, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        heading(ui, text);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let hint = ui.ctx().format_shortcut(&fold.shortcut());
            let button = ui.small_button("Fold");
            let button = button.hint(format!("Leaves its room to the pictures ({hint})"));
            button.widget_info(|| {
                let name = format!("Fold the {}", fold.text().to_lowercase());
                egui::WidgetInfo::labeled(egui::Role::Button, true, name)
            });
            if button.clicked() {
                commands.push(fold);
            }
        });
    });
}

/// A panel's heading.
fn heading(ui: &mut egui::Ui, text: &str) {
    let text = egui::RichText::new(text).strong().size(15.0);
    ui.add(egui::Label::new(text).wrap());
}
