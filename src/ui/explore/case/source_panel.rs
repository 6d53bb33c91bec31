use super::super::Explore;
use super::super::panel_heading;
use super::Case;
use super::large_editor::mask_button;
use super::measuring::Measuring;
use crate::clip::FrameRate;
use crate::ef::EfOrigin;
use crate::engine::Engine;
use crate::media::region::{MOST_MEASURED, Square};
use crate::ui::command::Command;
use crate::ui::hints::{Hint as _, Room};
use crate::ui::look::Look;
use crate::ui::theme::{GAP, tokens};
use crate::ui::widgets::{Cine, Key, Picture};
use egui::{Button, DragValue, RichText, Ui};

/// Width of the buttons beside the anatomy.
const BUTTONS: f32 = 104.0;

impl Explore {
    /// Left: the source, the square taken from it, and its EF.
    pub(in crate::ui::explore) fn source_panel(
        &mut self,
        ui: &mut Ui,
        engine: &mut Engine,
        now: f64,
        commands: &mut Vec<Command>,
    ) {
        panel_heading(ui, "Source", Command::SourcePanel, commands);
        ui.horizontal_wrapped(|ui| {
            // All three fit the panel's width, but in the smallest window.
            ui.spacing_mut().item_spacing.x = 4.0;
            for command in [
                Command::OpenFile,
                Command::OpenFolder,
                Command::NextSimulatedHeart,
            ] {
                let hint = command.hint(ui.ctx());
                if ui.button(command.text()).hint(hint).clicked() {
                    commands.push(command);
                }
            }
        });
        self.folder_line(ui, commands);
        let muted = tokens(ui).muted;
        let Some(source) = &self.case.source else {
            ui.add_space(GAP);
            ui.label(
                "Open one frame of an apical four-chamber echocardiogram: DICOM, PNG or JPEG.",
            );
            ui.label(RichText::new("Or drop a file or a folder on this window.").color(muted));
            return;
        };
        let (width, height) = (source.recording.width(), source.recording.height());
        let about = format!("{}, {width} x {height}", source.about());
        ui.label(RichText::new(about).color(muted));
        // First what the answer hangs on; how the frame is cut comes after.
        if self.case.rate_line(ui) {
            self.measure_source();
        }
        if self.case.is_clip() {
            self.clip_line(ui);
        }
        let ef_changed = self.case.factual_ef_line(ui);
        ui.add_space(GAP / 2.0);
        // Below it is the picture.
        let across = ui.max_rect().x_range();
        Room::AboveWithin(across).set(ui.ctx());
        let another_frame = self.anatomy_scrubber(ui, now);
        Room::Within(across).set(ui.ctx());
        let mut another_crop = self.source_editor(ui, now);
        let beside = Some(self.view.source_beside);
        another_crop |= self.case.square_line(ui, beside, commands);
        ui.add_space(GAP / 2.0);
        self.anatomy_preview(ui, commands);
        self.outline_line(ui, engine);
        another_crop |= self.case.mask_lines(ui);
        if another_crop {
            // First: while the clip is measured, no factual cine is made that it would replace.
            self.measure_source();
        }
        if another_crop || another_frame {
            self.retake_anatomy(engine);
        } else if ef_changed {
            self.run(engine);
        }
        ui.add_space(GAP);
        self.kept.recent_files(ui, commands);
    }

    /// The way through a folder, where the source is of one.
    fn folder_line(&self, ui: &mut Ui, commands: &mut Vec<Command>) {
        let Some((at, n)) = self.case.in_folder else {
            return;
        };
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            for (text, command, able) in [
                ("Folder", Command::BackToFolder, true),
                ("<", Command::PreviousClip, at > 1),
                (">", Command::NextClip, at < n),
            ] {
                let hint = command.hint(ui.ctx());
                let button = ui.add_enabled(able, Button::new(text));
                let button = button.hint(hint);
                crate::ui::parts::named(&button, command.text());
                if button.clicked() {
                    commands.push(command);
                }
            }
            ui.label(RichText::new(format!("{at} of {n}")).color(tokens(ui).muted));
        });
    }

    fn anatomy_preview(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) {
        let tokens = tokens(ui);
        let Some(source) = &self.case.source else {
            return;
        };
        let anatomy = self.case.live_anatomy.as_ref().unwrap_or(&source.anatomy);
        let texture = {
            let (key, plain) = (Key::of_hash(&anatomy.sha256, 0), Look::default());
            let cine = &mut self.view.cines.anatomy;
            cine.held(key, &plain).unwrap_or_else(|| {
                let frame = anatomy.to_frame();
                cine.texture(ui, "anatomy", key, &plain, Picture::Frame(&frame))
            })
        };
        ui.horizontal(|ui| {
            // Beside it the buttons stay on one line each.
            let side = (ui.available_width() - BUTTONS).clamp(64.0, 112.0);
            Cine::show(ui, Some(&texture), side, "Anatomy as the networks get it");
            ui.vertical(|ui| {
                let text = RichText::new("As the networks get it.").size(12.0);
                ui.add(egui::Label::new(text.color(tokens.muted)).wrap());
                for (command, on) in [
                    (Command::Mirror, source.crop.mirrored),
                    (Command::UpsideDown, source.crop.upside_down),
                ] {
                    let hint = command.hint(ui.ctx());
                    let button = Button::new(command.text()).small().selected(on);
                    if ui.add(button).hint(hint).clicked() {
                        commands.push(command);
                    }
                }
                mask_button(ui, &mut self.case.drawing_mask);
            });
        });
        let unlike = !anatomy.view.is_like_training();
        let doubts = [
            unlike.then_some(crate::media::view::UNLIKE),
            source.coloured.then_some(crate::media::view::COLOURED),
        ];
        for doubt in doubts.into_iter().flatten() {
            egui::Frame::new()
                .fill(tokens.warning)
                .corner_radius(4)
                .inner_margin(6)
                .show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    let text = RichText::new(doubt).color(tokens.warning_text);
                    ui.add(egui::Label::new(text).wrap());
                });
        }
        self.case.live_anatomy = None;
    }
}

impl Case {
    /// How large the square is, usual ones, and the large editor; the pane beside the cines, where it is said whether
    /// there is one. True when another square was chosen.
    pub(super) fn square_line(
        &mut self,
        ui: &mut Ui,
        beside: Option<bool>,
        commands: &mut Vec<Command>,
    ) -> bool {
        let muted = tokens(ui).muted;
        let Some(source) = &mut self.source else {
            return false;
        };
        let square = source.crop.square;
        let mut chosen = None;
        ui.horizontal_wrapped(|ui| {
            let text = format!("Square {} x {}", square.side, square.side);
            ui.label(RichText::new(text).color(muted));
            let whole = Square::centred(source.picture.width, source.picture.height);
            for (text, to, hint) in [
                ("Sector", source.found, "Back to the sector that was found"),
                ("Centre", whole, "The largest centred square"),
            ] {
                if text == "Sector" && source.found == whole {
                    continue;
                }
                let button = Button::new(text).small();
                let response = ui.add_enabled(square != to, button).hint(hint);
                if response.clicked() {
                    chosen = Some(to);
                }
            }
            let (text, hint) = match self.large.is_open {
                true => ("Done", "Back to the cines".to_owned()),
                false => ("Large", Command::EditSource.hint(ui.ctx())),
            };
            let large = ui.add(Button::new(text).small()).hint(hint);
            if large.clicked() {
                commands.push(Command::EditSource);
            }
            if let Some(is_beside) = beside {
                let button = Button::new("Beside").small().selected(is_beside);
                let hint = Command::SourceBeside.hint(ui.ctx());
                if ui.add(button).hint(hint).clicked() {
                    commands.push(Command::SourceBeside);
                }
            }
        });
        if let Some(square) = chosen {
            source.crop.square = square;
        }
        chosen.is_some()
    }

    /// The frame rate, asked for where the file does not say it; heart rate and R waves. True when the user
    /// has said how fast the clip is.
    fn rate_line(&mut self, ui: &mut Ui) -> bool {
        let muted = tokens(ui).muted;
        let Some(source) = &self.source else {
            return false;
        };
        if source.recording.is_still() {
            return false;
        }
        let mut chosen = None;
        if source.rate_is_known {
            let fps = source.rate.map_or(0.0, FrameRate::fps);
            let mut text = format!("{fps:.1} frames a second");
            if let Some(rate) = source.heart_rate {
                text += &format!(", heart rate {rate:.0}");
            }
            ui.label(RichText::new(text).color(muted));
        } else {
            ui.label("The file does not say how fast it is. How many frames a second?");
            ui.horizontal(|ui| {
                let mut fps = source.rate.map_or(0.0, FrameRate::fps);
                let field = DragValue::new(&mut fps)
                    .range(0.0..=200.0)
                    .speed(0.5)
                    .max_decimals(1)
                    .custom_formatter(|v, _| {
                        if v > 0.0 {
                            format!("{v:.1}")
                        } else {
                            "not known".into()
                        }
                    });
                let response = ui.add(field).hint("As the machine recorded it.");
                response.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::SpinButton, true, "Frames a second")
                });
                if (response.changed() && !response.dragged()) || response.drag_stopped() {
                    chosen = Some(FrameRate::new(fps));
                }
                for usual in [30.0, 50.0] {
                    if ui
                        .small_button(format!("{usual:.0}"))
                        .hint("A usual rate")
                        .clicked()
                    {
                        chosen = Some(FrameRate::new(usual));
                    }
                }
            });
        }
        let r_waves = source.r_waves_ms.len();
        if r_waves > 0 {
            let times: Vec<String> = source
                .r_waves_ms
                .iter()
                .take(6)
                .map(|t| format!("{:.2}", t / 1000.0))
                .collect();
            let more = if r_waves > 6 { ", ..." } else { "" };
            let text = format!("R waves at {}{more} s", times.join(", "));
            ui.label(RichText::new(text).color(muted));
        }
        if let Some(missing) = source.recording.missing() {
            let text = RichText::new(missing).color(tokens(ui).error);
            ui.add(egui::Label::new(text).wrap());
        }
        let Some(rate) = chosen else {
            return false;
        };
        if let Some(source) = &mut self.source {
            source.rate = rate;
        }
        true
    }

    /// True when the user has changed it.
    fn factual_ef_line(&mut self, ui: &mut Ui) -> bool {
        let muted = tokens(ui).muted;
        let simulated = self.source.as_ref().is_some_and(|s| s.is_simulated());
        let mut changed = false;
        let known = self.ef_origin != EfOrigin::Assumed;
        ui.horizontal(|ui| {
            let label = ui.label("Factual EF");
            let value = DragValue::new(&mut self.factual_ef)
                .range(10.0..=85.0)
                .speed(0.5)
                .max_decimals(0)
                .custom_formatter(move |v, _| match known {
                    true => format!("{v:.0} %"),
                    false => "not known".into(),
                });
            let response = ui.add_enabled(!simulated, value).labelled_by(label.id);
            let response = response.hint("The source's own EF: the factual cine is made at it.");
            if response.changed() {
                self.ef_origin = EfOrigin::Given;
            }
            changed = response.changed() && !response.dragged() || response.drag_stopped();
            if self.measuring.is_going_on() {
                ui.spinner();
            }
            if let Measuring::Measured(m) = &self.measuring {
                let measured = m.measured_ef_percent.clamp(10.0, 85.0).round();
                let differs = self.factual_ef != measured;
                if differs
                    && ui
                        .small_button("Use measured")
                        .hint("Takes the EF that was measured in the clip.")
                        .clicked()
                {
                    self.factual_ef = measured;
                    self.ef_origin = EfOrigin::Measured;
                    changed = true;
                }
            }
        });
        let note = match &self.measuring {
            _ if simulated => "Exact by construction.".to_owned(),
            Measuring::Nothing | Measuring::Viewing(..) if self.too_short && !known => {
                format!(
                    "Less than half a beat: no EF can be measured. Until you give it {:.0} % is assumed.",
                    self.factual_ef
                )
            }
            Measuring::Nothing | Measuring::Viewing(..) if known => {
                "The source's own EF, as you know it.".to_owned()
            }
            Measuring::Nothing | Measuring::Viewing(..) => format!(
                "The source's own EF, if you know it. Until then {:.0} % is assumed.",
                self.factual_ef
            ),
            Measuring::Cropping(..) | Measuring::Asked(_) => "Measuring the clip.".to_owned(),
            Measuring::Failed(why) => format!("It could not be measured: {why}."),
            Measuring::Measured(m) => {
                let windows = m.windows.len();
                let spread = if windows > 1 {
                    format!(", spread {:.1} over {windows} windows", m.spread)
                } else {
                    String::new()
                };
                let cut = self
                    .source
                    .as_ref()
                    .is_some_and(|s| s.recording.frames() > MOST_MEASURED);
                let short = match (m.short_clip, cut) {
                    (true, _) => ", short clip".to_owned(),
                    (_, true) => format!(", of its first {MOST_MEASURED} frames"),
                    _ => String::new(),
                };
                format!(
                    "Measured {:.1} %{spread}{short}, by {}. Not a diagnosis.",
                    m.measured_ef_percent, m.regressor
                )
            }
        };
        ui.add(egui::Label::new(RichText::new(note).color(muted)).wrap());
        changed
    }
}
