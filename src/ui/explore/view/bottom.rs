use super::super::Explore;
use super::super::made::Asked;
use crate::ef::EfPercent;
use crate::engine::{Engine, Part};
use crate::text::duration;
use crate::ui::command::Command;
use crate::ui::hints::{self, Hint as _, Room};
use crate::ui::playback::SPEEDS;
use crate::ui::theme::{GAP, tokens};
use crate::ui::widgets::EfSlider;
use egui::{Align, ComboBox, Label, Layout, ProgressBar, RichText, Slider, Ui};

/// Points of a window in which the transport has two lines beside it, and the transport's own.
const BESIDE: f32 = 1150.0;
const TRANSPORT: f32 = 520.0;
/// Width of the scrubber and of the curve below it.
const SCRUB: f32 = 150.0;

/// Help beside what is being done, as far as there is room.
fn helped(ui: &mut Ui, help: Option<&str>) {
    if let Some(help) = help {
        let text = RichText::new(help).color(tokens(ui).muted);
        ui.add(Label::new(text).truncate());
    }
}

impl Explore {
    /// Bottom: progress, the EF slider, transport.
    pub(in crate::ui::explore) fn bottom(
        &mut self,
        ui: &mut Ui,
        engine: &mut Engine,
        now: f64,
        commands: &mut Vec<Command>,
    ) {
        let help = hints::said(ui.ctx());
        let help = help.as_deref();
        let label = if ui.available_width() >= BESIDE {
            // Both lines beside the transport, whose height is theirs.
            ui.horizontal(|ui| {
                let words = egui::vec2(ui.available_width() - TRANSPORT, 0.0);
                let lines = Layout::top_down(Align::Min);
                let lines = ui.allocate_ui_with_layout(words, lines, |ui| {
                    ui.set_width(words.x);
                    ui.spacing_mut().item_spacing.y = 2.0;
                    self.progress(ui, help, commands);
                    ui.horizontal(|ui| self.requested_line(ui)).inner
                });
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    self.transport(ui, now, commands);
                });
                lines.inner
            })
            .inner
        } else {
            self.progress(ui, help, commands);
            ui.horizontal(|ui| {
                let label = self.requested_line(ui);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    self.transport(ui, now, commands);
                });
                label
            })
            .inner
        };
        let marks = self.marks();
        let trained = self
            .house
            .cascade
            .as_ref()
            .and_then(|c| c.card.training_ef_range_percent);
        let mut value = self.wanted.requested;
        // A bubble would lie over its scale.
        Room::Line.set(ui.ctx());
        EfSlider {
            value: &mut value,
            marks: &marks,
            trained,
            reach: self.reach(),
        }
        .show(ui, &label)
        .hint("Drag it, or press Left and Right: the EF that the counterfactual is made at.");
        Room::Anywhere.set(ui.ctx());
        self.set_requested(value, engine);
    }

    /// The EFs that can be measured, where they are asked for by calibration.
    fn reach(&self) -> Option<[f64; 2]> {
        let request = self.request()?;
        request.conditioning()?;
        Some(request.calibration?.curve?.reach())
    }

    /// What is asked for, and what was measured of it. Returns the label of the slider.
    fn requested_line(&self, ui: &mut Ui) -> egui::Response {
        let label = ui.label("Requested EF");
        let requested = EfPercent::measured(self.wanted.requested);
        ui.label(RichText::new(requested.to_string()).strong().size(20.0));
        match self.made.measured_at(self.wanted.requested) {
            Some(got) => ui.label(format!("measured {got}, {}", got.category().name())),
            None => {
                let text = format!("{} is asked for", requested.category().name());
                ui.label(RichText::new(text).color(tokens(ui).muted))
            }
        };
        let conditioning = self.request().and_then(|r| r.conditioning());
        let told = conditioning.map_or(self.wanted.requested, EfPercent::get);
        let covers = |c: &crate::engine::CascadeInfo| c.card.covers(told);
        if !self.house.cascade.as_ref().is_none_or(covers) {
            ui.label(RichText::new("outside the training range").color(tokens(ui).error));
        }
        if let Some([low, high]) = self.reach() {
            let (text, colour) = match (low..=high).contains(&self.wanted.requested) {
                true => ("calibrated".to_owned(), tokens(ui).muted),
                false => (
                    format!("calibrated, reaches {low:.0} to {high:.0} %"),
                    tokens(ui).caution,
                ),
            };
            ui.label(RichText::new(text).color(colour)).hint(
                "It is asked for so that the EF measured is the one requested, as far as the curve of the cascade's card reaches.",
            );
        }
        label
    }

    /// One line that is always there, so that nothing moves when a run begins. It says what can be done, too: with what
    /// is below the pointer, if that has no bubble.
    fn progress(&self, ui: &mut Ui, help: Option<&str>, commands: &mut Vec<Command>) {
        let muted = tokens(ui).muted;
        ui.allocate_ui_with_layout(
            egui::vec2(ui.available_width(), 26.0),
            Layout::left_to_right(Align::Center),
            |ui| {
                if self.made.ladder.as_ref().is_some_and(|l| l.job.is_some()) {
                    if ui.button(Command::Cancel.text()).hint("Esc").clicked() {
                        commands.push(Command::Cancel);
                    }
                    ui.label("The ladder is being made.");
                    return helped(ui, help);
                }
                let Some(running) = &self.made.running else {
                    let text = match (&self.house.cascade, &self.case.source) {
                        (None, _) => "Loading the cascade...",
                        (_, None) => "Open a frame to begin.",
                        _ => help.unwrap_or("Ready. Drag the slider to ask for another EF."),
                    };
                    let able = self.house.cascade.is_some() && self.case.source.is_some();
                    let run = egui::Button::new(Command::Run.text());
                    let hint = Command::Run.hint(ui.ctx());
                    if ui.add_enabled(able, run).hint(hint).clicked() {
                        commands.push(Command::Run);
                    }
                    ui.add(Label::new(RichText::new(text).color(muted)).truncate());
                    return;
                };
                if ui.button(Command::Cancel.text()).hint("Esc").clicked() {
                    commands.push(Command::Cancel);
                }
                ui.add(
                    ProgressBar::new(running.fraction as f32)
                        .desired_width(220.0)
                        .desired_height(10.0),
                );
                let part = match running.part {
                    Part::Factual => "Factual",
                    Part::Counterfactual => "Counterfactual",
                };
                let text = match running.at {
                    None => format!("{part}: starting"),
                    Some(at) => {
                        let which = if at.candidates > 1 {
                            format!("{} of {}, ", at.candidate + 1, at.candidates)
                        } else {
                            String::new()
                        };
                        format!(
                            "{part}: {which}stage {} of {}, step {} of {}, {} left",
                            at.stage + 1,
                            at.stages,
                            at.step + 1,
                            at.steps,
                            duration(running.seconds_left)
                        )
                    }
                };
                ui.label(text);
                helped(ui, help);
                if self.made.ladder.as_ref().is_some_and(|l| l.waits) {
                    ui.label(RichText::new("Next: the EF ladder").color(muted));
                    let drop = ui.small_button("Take it off");
                    if drop.hint("It is not made").clicked() {
                        commands.push(Command::Ladder);
                    }
                }
            },
        );
    }

    /// Right to left.
    fn transport(&mut self, ui: &mut Ui, now: f64, commands: &mut Vec<Command>) {
        let mut speed = self.view.playback.speed();
        let menu = ComboBox::from_id_salt("speed")
            .width(64.0)
            .selected_text(format!("{speed}x"))
            .show_ui(ui, |ui| {
                for s in SPEEDS {
                    ui.selectable_value(&mut speed, s, format!("{s}x"));
                }
            })
            .response;
        menu.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, "Speed"));
        menu.hint("How fast all cines play.");
        if speed != self.view.playback.speed() {
            self.view.playback.set_speed(speed, now);
        }
        if speed != 1.0 && ui.button("1x").hint("The cine's own speed").clicked() {
            self.view.playback.set_speed(1.0, now);
        }
        let bounces = self.view.playback.bounces();
        let text = if bounces { "Bounce" } else { "Loop" };
        let hint = Command::Bounce.hint(ui.ctx());
        if ui.button(text).hint(hint).clicked() {
            commands.push(Command::Bounce);
        }
        let play = if self.view.playback.is_playing() {
            "Pause"
        } else {
            "Play"
        };
        for (text, command) in [
            (">|", Command::StepForward),
            (play, Command::PlayPause),
            ("|<", Command::StepBack),
        ] {
            let hint = command.hint(ui.ctx());
            let button = egui::Button::new(text).min_size(egui::vec2(30.0, 0.0));
            let response = ui.add(button).hint(hint);
            response.widget_info(|| {
                egui::WidgetInfo::labeled(
                    egui::Role::Button,
                    true,
                    if text.len() > 2 { text } else { command.text() },
                )
            });
            if response.clicked() {
                commands.push(command);
            }
        }
        let (n, seconds) = self.cycle();
        let mut frame = self.frame_now(now) + 1;
        let cell = egui::vec2(
            SCRUB,
            if self.house.makes_motion() {
                56.0
            } else {
                22.0
            },
        );
        ui.allocate_ui_with_layout(cell, Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().slider_width = SCRUB;
            ui.spacing_mut().item_spacing.y = 1.0;
            let scrub = ui.add(Slider::new(&mut frame, 1..=n.max(1)).show_value(false));
            scrub.widget_info(|| egui::WidgetInfo::slider(true, frame as f64, "Frame"));
            let scrub = scrub.hint("Goes to a frame of the cines.");
            if scrub.changed() {
                self.view
                    .playback
                    .seek((frame as f64 - 0.5) * seconds / n.max(1) as f64, now);
            }
            self.volume_strip(ui, SCRUB, now);
        });
        ui.label(
            RichText::new(format!("{frame:>2} / {n}"))
                .monospace()
                .color(tokens(ui).muted),
        );
        ui.add_space(GAP);
    }

    pub(in crate::ui::explore) fn ask_first_dialog(&mut self, ui: &mut Ui, engine: &mut Engine) {
        let Some((asked, seconds)) = self.made.ask.clone() else {
            return;
        };
        let mut answer = None;
        egui::Modal::new(egui::Id::unique("ask-first")).show(ui.ctx(), |ui| {
            ui.set_width(380.0);
            ui.heading("This will take a while");
            ui.label(format!(
                "With this cascade and the preset {}, the run takes about {} on this device.",
                self.wanted.preset,
                duration(seconds)
            ));
            ui.label("A smaller preset, the built-in cascade or a GPU is faster.");
            ui.add_space(GAP);
            ui.horizontal(|ui| {
                if ui.button("Run it").clicked() {
                    answer = Some(true);
                }
                if ui.button("Do not run").clicked() {
                    answer = Some(false);
                }
            });
        });
        match answer {
            Some(true) => {
                self.made.ask = None;
                match asked {
                    Asked::Ladder => self.climb(engine, true),
                    Asked::Job(job) => {
                        let job = crate::engine::Job {
                            confirmed: true,
                            ..job
                        };
                        self.submit(job, engine);
                    }
                }
            }
            Some(false) => self.made.ask = None,
            None => {}
        }
    }
}
