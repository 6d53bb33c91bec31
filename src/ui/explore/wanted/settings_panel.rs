use super::super::Explore;
use super::super::{heading, panel_heading};
use crate::edm::Preset;
use crate::engine::{CascadeSource, Engine, run_flops};
use crate::text::duration;
use crate::ui::command::Command;
use crate::ui::hints::Hint as _;
use crate::ui::theme::{GAP, tokens};
use egui::{ComboBox, DragValue, RichText, Ui};

impl Explore {
    /// Right: cascade, preset, seed, guidance, best of N, history.
    pub(in crate::ui::explore) fn settings_panel(
        &mut self,
        ui: &mut Ui,
        engine: &mut Engine,
        commands: &mut Vec<Command>,
    ) {
        let muted = tokens(ui).muted;
        panel_heading(ui, "Cascade", Command::SettingsPanel, commands);
        self.cascade_menu(ui, engine, commands);
        ui.label(RichText::new(format!("Measured by {}", self.house.regressor)).color(muted));
        button(ui, Command::OpenRegressor, commands);
        ui.add_space(GAP);

        heading(ui, "Run");
        let mut changed = false;
        ui.horizontal(|ui| {
            let label = ui.label("Preset");
            ComboBox::from_id_salt("preset")
                .selected_text(self.wanted.preset.name())
                .show_ui(ui, |ui| {
                    for preset in Preset::ALL {
                        let text = match self.seconds_of(preset) {
                            Some(seconds) => {
                                format!("{}, about {}", preset.name(), duration(seconds))
                            }
                            None => preset.name().to_owned(),
                        };
                        let value = ui.selectable_value(&mut self.wanted.preset, preset, text);
                        changed |= value.changed();
                    }
                })
                .response
                .labelled_by(label.id)
                .hint("Fewer evaluations of the networks are sooner, more are finer.");
        });
        ui.horizontal_wrapped(|ui| {
            let label = ui.label("Seed");
            let seed = ui
                .add(DragValue::new(&mut self.wanted.seed).speed(1))
                .labelled_by(label.id)
                .hint("The noise that the cines begin with: the same seed makes the same cines.");
            if seed.changed() && !seed.dragged() || seed.drag_stopped() {
                self.run_anew(engine);
            }
            button(ui, Command::RerollSeed, commands);
        });
        if self.house.makes_motion() {
            let text = "Here a new seed changes little: the frame and the EF decide the motion.";
            let text = RichText::new(text).color(muted).size(12.0);
            ui.add(egui::Label::new(text).wrap());
            changed |= ui
                .checkbox(&mut self.wanted.leaflets, "Open the mitral valve")
                .hint(
                    "By rule, not by the network: where the frame shows a closed valve, its own leaflets are bent into the ventricle in diastole. The regressor has not learned from such cines and may read them higher. Not in the preset Preview.",
                )
                .changed();
        }
        if self.house.beat_normalised() {
            ui.horizontal(|ui| {
                let label = ui.label("Heart rate");
                ui.add(
                    DragValue::new(&mut self.view.heart_rate)
                        .range(crate::metrics::beat::HEART_RATES)
                        .max_decimals(0)
                        .suffix(" bpm"),
                )
                .labelled_by(label.id)
                .hint("Changes playback only.");
            });
        }
        // What is folded away must not work unseen.
        let text = match self.wanted.is_usual(self.calibration()) {
            true => "Advanced",
            false => "Advanced, changed",
        };
        egui::CollapsingHeader::new(text)
            .id_salt("advanced")
            .show(ui, |ui| changed |= self.advanced(ui))
            .header_response
            .hint("What few need: seed, guidance, calibration, best of several.");
        if changed {
            self.rerun(engine);
        }
        if self.house.makes_motion() {
            let now = ui.input(|i| i.time);
            egui::CollapsingHeader::new("Volume over the beat")
                .id_salt("volume")
                .show(ui, |ui| self.volume_plot(ui, now))
                .header_response
                .hint("The ventricle's volume in the cines, and the source's, large.");
        }
        ui.add_space(GAP);
        heading(ui, "Requested against measured");
        self.plot(ui);
        ui.add_space(GAP);
        heading(ui, "History");
        let open = self.case.anatomy_sha256();
        if let Some(asked) = self.kept.history_list(ui, open) {
            self.recall(asked, engine);
        }
        if std::mem::take(&mut self.kept.wants_file) {
            commands.push(Command::OpenFile);
        }
        ui.add_space(GAP);
        let response = ui
            .checkbox(&mut self.kept.settings.keep_recent, "List recent files")
            .hint("By a hash of their content and the date; never by name or place.");
        if response.changed() && !self.kept.settings.keep_recent {
            self.kept.settings.recent.clear();
        }
        ui.checkbox(&mut self.kept.settings.keep_anatomies, "Keep anatomies")
            .hint("Stores the anatomy of each run with the history, on this machine only.");
    }

    fn cascade_menu(&mut self, ui: &mut Ui, engine: &mut Engine, commands: &mut Vec<Command>) {
        let name = self
            .house
            .cascade
            .as_ref()
            .map_or_else(|| "Loading...".to_owned(), |c| c.identity.name.clone());
        let mut chosen = None;
        let menu = ComboBox::from_id_salt("cascade")
            .width(ui.available_width() - 8.0)
            .selected_text(name)
            .show_ui(ui, |ui| {
                if ui.button("built-in cascade").clicked() {
                    chosen = Some(CascadeSource::Builtin);
                }
                for folder in &self.house.cascades {
                    let name = folder
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned();
                    if ui.button(name).clicked() {
                        chosen = Some(CascadeSource::Folder(folder.clone()));
                    }
                }
            })
            .response;
        menu.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, "Cascade"));
        menu.hint("The weights that make the cines.");
        button(ui, Command::OpenCascade, commands);
        if let Some(source) = chosen {
            engine.open_cascade(source);
        }
    }

    /// What few need. True when the user has changed it.
    fn advanced(&mut self, ui: &mut Ui) -> bool {
        let mut changed = false;
        ui.checkbox(&mut self.wanted.seed_locked, "Lock the seed")
            .hint("Unlocked, every change of a setting takes the next seed.");
        let guided = self
            .house
            .cascade
            .as_ref()
            .is_none_or(|c| c.config.stages.iter().any(|s| s.cond_scale != 1.0));
        // A cascade without guidance has none to change.
        ui.add_enabled_ui(guided, |ui| {
            ui.horizontal(|ui| {
                let own = self.own_guidance();
                let label = ui.label("Guidance");
                let mut value = self.wanted.guidance.unwrap_or(own);
                let response = ui
                    .add(
                        DragValue::new(&mut value)
                            .range(1.0..=10.0)
                            .speed(0.05)
                            .max_decimals(2),
                    )
                    .labelled_by(label.id)
                    .hint("How strongly the cines follow the EF; 1 is without guidance.");
                if response.changed() {
                    self.wanted.guidance = (value != own).then_some(value);
                }
                changed |= response.changed() && !response.dragged() || response.drag_stopped();
                if self.wanted.guidance.is_some()
                    && ui.small_button("Reset").hint("The cascade's own").clicked()
                {
                    self.wanted.guidance = None;
                    changed = true;
                }
            })
        });
        changed |= self.calibration_switch(ui);
        ui.horizontal(|ui| {
            let label = ui.label("Best of");
            let response = ui
                .add(DragValue::new(&mut self.wanted.best_of).range(1..=16).speed(0.1))
                .labelled_by(label.id)
                .hint("Makes this many with consecutive seeds and keeps the one that measures closest.");
            changed |= response.changed() && !response.dragged() || response.drag_stopped();
        });
        changed
    }

    /// Whether it is asked for by calibration, and what that is worth.
    fn calibration_switch(&mut self, ui: &mut Ui) -> bool {
        let known = self.calibration();
        let mut is_on = self.wanted.curve(known).is_some();
        let hint = "Asks so that the EF measured is the one requested, by the curve of the cascade's card.";
        let mut hint = hint.to_owned();
        let without = match known {
            None => Some(
                "This cascade's card has no calibration by this regressor; echoif calibrate makes one.",
            ),
            Some(known) => {
                hint += &format!(" {}", known.worth());
                let void = self.request().is_some_and(|r| r.conditioning().is_none());
                let why = match self.wanted.is_repeated() {
                    true => "Not in this run, which is repeated as it was asked.",
                    false => {
                        "Not with this preset, guidance, a corrected outline or an opened valve."
                    }
                };
                (is_on && void).then_some(why)
            }
        };
        let switch = egui::Checkbox::new(&mut is_on, "Calibrated");
        let response = ui.add_enabled(known.is_some(), switch);
        let response = match known {
            None => response.hint(without.unwrap_or_default()),
            Some(_) => response.hint(hint),
        };
        if let Some(why) = without.filter(|_| is_on) {
            let why = RichText::new(why).color(tokens(ui).muted).size(12.0);
            ui.add(egui::Label::new(why).wrap());
        }
        if response.changed() {
            self.wanted.calibrated = Some(is_on);
        }
        response.changed()
    }

    /// How long a cine takes here with a preset, as the last run tells; none before there was one.
    fn seconds_of(&self, preset: Preset) -> Option<f64> {
        let cascade = self.house.cascade.as_ref()?;
        let work = run_flops(&preset.apply(&cascade.config)) * self.wanted.best_of.max(1) as f64;
        Some(work / self.made.pace?)
    }

    /// Guidance of the cascade's own configuration, of its first guided stage.
    fn own_guidance(&self) -> f64 {
        let stages = self
            .house
            .cascade
            .as_ref()
            .map(|c| c.config.stages.as_slice());
        let guided = stages
            .unwrap_or_default()
            .iter()
            .map(|s| s.cond_scale)
            .find(|&s| s != 1.0);
        guided.unwrap_or(1.0)
    }
}

fn button(ui: &mut Ui, command: Command, commands: &mut Vec<Command>) {
    let hint = command.hint(ui.ctx());
    if ui.button(command.text()).hint(hint).clicked() {
        commands.push(command);
    }
}
