//! Comparisons of two panes in one picture: wipe, flicker, signed difference.

use super::super::Explore;
use super::pictures::on_picture;
use super::shares::{BRIEF_CAPTION, CAPTION, SMALL_SIDE};
use super::{Comparison, Folded, Pane, calipers};
use crate::clip::{Frame, Pixels};
use crate::media::region::SIDE;
use crate::ui::command::Command;
use crate::ui::hints::Hint as _;
use crate::ui::look::Look;
use crate::ui::theme::{GAP, tokens};
use crate::ui::widgets::{Cine, Key, Picture};
use egui::{Align, Align2, CursorIcon, Layout, Rect, RichText, Sense, Slider, Stroke, Ui, Vec2};
use std::borrow::Cow;

/// Changes a second that flicker offers.
const FLICKER: std::ops::RangeInclusive<f32> = 0.5..=8.0;
/// How many times over a difference can be shown.
const GAIN: std::ops::RangeInclusive<f32> = 1.0..=8.0;
/// Of a difference: where it is brighter, and where darker. Told apart by who does not tell red from green, too.
const BRIGHTER: [f32; 3] = [255.0, 150.0, 40.0];
const DARKER: [f32; 3] = [60.0, 140.0, 255.0];
/// How much of its light the picture below has.
const BELOW: f32 = 0.45;
/// Points of the bar in which all of it has a place of its own; what a button for a folded panel takes of them, and what
/// a clip's phase does.
const ROOMY: f32 = 600.0;
const PANEL: f32 = 110.0;
const ALIGN: f32 = 130.0;
/// Height of a pane's name above its lines, and the width that none of them is broken in.
const NAME: f32 = 24.0;
const LINES: f32 = 210.0;
/// How near to the edge a drag takes it.
const GRIP: f32 = 12.0;

impl Explore {
    /// Above the panes: which comparison, and how pictures are looked at.
    pub(in crate::ui::explore) fn compare_bar(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) {
        let clip = self.case.is_clip();
        let motion = self.house.makes_motion();
        let slow = self.is_slow() && !motion;
        let unaligned = self.why_unaligned();
        if self.view.calipers.tool.is_some() {
            return self.calipers_bar(ui, commands);
        }
        let (pinned, able) = (self.made.pinned.is_some(), self.made.can_pin());
        let width = ui.available_width();
        let viewing = &mut self.view;
        ui.horizontal_wrapped(|ui| {
            let folded = viewing.folded;
            for (is_folded, panel) in [
                (folded.source, Command::SourcePanel),
                (folded.settings, Command::SettingsPanel),
            ] {
                let hint = panel.hint(ui.ctx());
                if is_folded && ui.button(panel.text()).hint(hint).clicked() {
                    commands.push(panel);
                }
            }
            if folded != Folded::default() {
                ui.separator();
            }
            for (mode, command) in Comparison::ALL {
                let hint = command.hint(ui.ctx());
                let button = ui.selectable_label(viewing.mode == mode, command.text());
                if button.hint(hint).clicked() {
                    viewing.mode = mode;
                }
            }
            if matches!(
                viewing.mode,
                Comparison::Wipe | Comparison::Flicker | Comparison::Difference
            ) {
                ui.separator();
                ui.label("with");
                let pinned = pinned.then_some(Pane::Pinned);
                for pane in [Pane::Factual, Pane::Source].into_iter().chain(pinned) {
                    let text = pane.name().to_lowercase();
                    ui.selectable_value(&mut viewing.against, pane, text)
                        .hint("What the counterfactual is compared with");
                }
            }
            if viewing.mode == Comparison::Flicker {
                ui.spacing_mut().slider_width = 70.0;
                let rate = Slider::new(&mut viewing.flicker, FLICKER).suffix(" Hz");
                let response = ui.add(rate.max_decimals(1));
                response.widget_info(|| {
                    egui::WidgetInfo::slider(true, viewing.flicker.into(), "Flicker rate")
                });
                response.hint("How often the picture changes in a second");
            }
            if viewing.mode == Comparison::Difference {
                ui.spacing_mut().slider_width = 70.0;
                let gain = Slider::new(&mut viewing.gain, GAIN).prefix("x ");
                let response = ui.add(gain.max_decimals(1));
                response.widget_info(|| {
                    egui::WidgetInfo::slider(true, viewing.gain.into(), "Gain of the difference")
                });
                response.hint("How many times over the difference is shown");
            }
            ui.separator();
            let mut tools = |ui: &mut Ui| {
                let pin = egui::Button::selectable(pinned, Command::Pin.text());
                let hint = Command::Pin.hint(ui.ctx());
                let pin = ui.add_enabled(able, pin).hint(hint);
                if pin.clicked() {
                    commands.push(Command::Pin);
                }
                viewing.overlays.menu(ui, motion, commands);
                calipers::menu(ui, commands);
                if !clip {
                    return;
                }
                ui.separator();
                let able = unaligned.is_none();
                let mut ticked = viewing.align && able;
                let align = egui::Checkbox::new(&mut ticked, "Align phase");
                let response = ui.add_enabled(able, align);
                if able {
                    viewing.align = ticked;
                    response.hint("Plays the clip from where its motion matches the cines'.");
                } else if let Some(why) = unaligned {
                    response.hint(format!("Not in phase: {why}."));
                }
            };
            let panels = f32::from(folded.source) + f32::from(folded.settings);
            let others = PANEL * panels + ALIGN * f32::from(clip);
            if width < ROOMY + others {
                let menu = ui.menu_button("More", tools).response;
                menu.hint(match clip {
                    true => "Pin, overlays, calipers, phase",
                    false => "Pin, overlays, calipers",
                });
            } else {
                tools(ui);
            }
            if slow {
                ui.separator();
                ui.checkbox(&mut viewing.interpolate, "Interpolate")
                    .hint("Shows pictures between the frames of a slow cine.");
            }
            if !viewing.look.is_plain() {
                ui.separator();
                let (window, level) = viewing.look.tone();
                let zoom = viewing.look.zoom();
                let text = format!("{:.0} %, W {window:.0} L {level:.0}", 100.0 * zoom);
                ui.label(RichText::new(text).color(tokens(ui).muted));
                if ui
                    .small_button("Reset view")
                    .hint(Command::ResetView.hint(ui.ctx()))
                    .clicked()
                {
                    viewing.look = Look::default();
                }
            }
        });
    }

    /// Why the source cannot be played in phase with the cines, where it cannot.
    pub(in crate::ui::explore) fn why_unaligned(&self) -> Option<&'static str> {
        let source = self.case.source.as_ref()?;
        match () {
            () if self.view.offset.is_some() => None,
            () if source.rate.is_none() => Some("its rate is not known"),
            () if self.view.grays.is_none() => Some("its frames are being read"),
            () if self.made.counterfactual.is_none() && self.made.factual.is_none() => {
                Some("no cine yet")
            }
            () => Some("its motion does not match the cines'"),
        }
    }

    /// Fewer than 12 frames a second.
    fn is_slow(&self) -> bool {
        let (n, seconds) = self.cycle();
        self.made.counterfactual.is_some() && (n as f64) < 12.0 * seconds
    }

    /// One large picture, its words below.
    pub(in crate::ui::explore) fn one_picture(&mut self, ui: &mut Ui, now: f64) {
        self.view.word_at = Align2::LEFT_TOP;
        let area = ui.available_size();
        // In a low window the numbers alone.
        self.view.brief = area.y - CAPTION < SMALL_SIDE;
        let below = match self.view.brief {
            true => BRIEF_CAPTION + NAME,
            false => CAPTION,
        };
        let side = area.x.min(area.y - below).max(120.0);
        // The lines may be wider than the picture.
        let lines = side.max((2.0 * LINES + GAP).min(area.x));
        ui.add_space(((area.y - side - below) / 2.0).max(0.0));
        let against = self.view.against;
        let centred = |ui: &mut Ui, width: f32, add: &mut dyn FnMut(&mut Ui)| {
            ui.horizontal_top(|ui| {
                ui.add_space(((area.x - width) / 2.0).max(0.0));
                ui.vertical(|ui| {
                    ui.set_width(width);
                    add(ui);
                });
            });
        };
        centred(ui, side, &mut |ui| {
            let name = match self.view.mode {
                Comparison::Wipe => "Wipe",
                Comparison::Flicker => "Flicker",
                _ => "Difference",
            };
            let sense = Sense::click_and_drag();
            let response = Cine::ground(ui, Vec2::splat(side), name, sense);
            let rect = response.rect;
            let mut moves = true;
            match self.view.mode {
                _ if self.view.before => {
                    self.paint(ui, against, rect, now);
                    on_picture(ui, rect, Align2::CENTER_TOP, against.name());
                }
                Comparison::Wipe => moves = self.wipe(ui, &response, rect, now),
                Comparison::Flicker => self.flicker(ui, rect, now),
                _ => {
                    if response.hovered() {
                        let gain = self.view.gain * ui.input(|i| i.zoom_delta());
                        self.view.gain = gain.clamp(*GAIN.start(), *GAIN.end());
                    }
                    self.difference(ui, rect, now);
                }
            }
            self.view.handle(&response, rect, moves);
        });
        centred(ui, lines, &mut |ui| {
            ui.columns(2, |columns| {
                for (column, pane) in columns.iter_mut().zip([against, Pane::Counterfactual]) {
                    // A column would stretch its lines.
                    column.with_layout(Layout::top_down(Align::Min), |ui| {
                        ui.spacing_mut().item_spacing.y = 2.0;
                        ui.label(RichText::new(pane.name()).strong());
                        self.caption(ui, pane);
                    });
                }
            });
        });
    }

    /// The one to the left of an edge, the other to its right. False while the edge is dragged.
    fn wipe(&mut self, ui: &mut Ui, response: &egui::Response, rect: Rect, now: f64) -> bool {
        let x = rect.left() + self.view.edge * rect.width();
        let near = |at: egui::Pos2| (at.x - x).abs() <= GRIP;
        let pressed = ui
            .input(|i| i.pointer.press_origin())
            .filter(|p| rect.contains(*p));
        let held = response.dragged_by(egui::PointerButton::Primary);
        // The press decides, since the edge follows the pointer.
        let id = response.id.with("edge");
        let mut grips = ui.data(|d| d.get_temp::<bool>(id)).unwrap_or(false);
        if response.drag_started() {
            grips = pressed.is_some_and(near);
            ui.data_mut(|d| d.insert_temp(id, grips));
        }
        if let Some(at) = response.interact_pointer_pos().filter(|_| held && grips) {
            self.view.edge = ((at.x - rect.left()) / rect.width()).clamp(0.0, 1.0);
        }
        if response.hover_pos().is_some_and(near) {
            ui.ctx().set_cursor_icon(CursorIcon::ResizeHorizontal);
        }
        let x = rect.left() + self.view.edge * rect.width();
        let against = self.view.against;
        for (pane, part) in [
            (against, rect.with_max_x(x)),
            (Pane::Counterfactual, rect.with_min_x(x)),
        ] {
            ui.scope(|ui| {
                ui.set_clip_rect(part.intersect(ui.clip_rect()));
                self.paint(ui, pane, rect, now);
                on_picture(ui, part, Align2::CENTER_TOP, pane.name());
                if part.right() == rect.right() {
                    // The pane's own word is at its left, which may be the other's.
                    on_picture(ui, part, Align2::RIGHT_BOTTOM, "SYNTHETIC");
                }
            });
        }
        let accent = tokens(ui).accent;
        ui.painter()
            .vline(x, rect.y_range(), Stroke::new(2.0, accent));
        let handle = egui::pos2(x, rect.center().y);
        ui.painter().circle_filled(handle, 7.0, accent);
        !(held && grips)
    }

    /// The one, then the other.
    fn flicker(&mut self, ui: &Ui, rect: Rect, now: f64) {
        let half = 1.0 / f64::from(self.view.flicker.max(0.1));
        let second = (now / half).rem_euclid(2.0) >= 1.0;
        let pane = if second {
            Pane::Counterfactual
        } else {
            self.view.against
        };
        self.paint(ui, pane, rect, now);
        on_picture(ui, rect, Align2::CENTER_TOP, pane.name());
        if self.view.playback.is_held() {
            return;
        }
        let wait = half - now.rem_euclid(half);
        ui.ctx()
            .request_repaint_after(std::time::Duration::from_secs_f64(wait.max(0.004)));
    }

    fn difference(&mut self, ui: &Ui, rect: Rect, now: f64) {
        let against = self.view.against;
        let keys = (
            self.key_now(against, now),
            self.key_now(Pane::Counterfactual, now),
        );
        let (Some(from), Some(to)) = keys else {
            let text = "both are needed for a difference";
            on_picture(ui, rect, Align2::CENTER_CENTER, text);
            return;
        };
        let gain = self.view.gain;
        let both = from.clip.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ to.clip;
        let key = Key {
            clip: both ^ u64::from(gain.to_bits()).rotate_left(31),
            frame: from.frame << 16 | to.frame,
        };
        let held = self.view.difference.held(key, &self.view.look);
        let texture = held.or_else(|| {
            let a = self.gray(against, from.frame)?;
            let b = self.gray(Pane::Counterfactual, to.frame)?;
            let pixels = a.iter().zip(b.iter());
            let pixels = pixels.flat_map(|(a, b)| signed(*a, *b, gain));
            let frame = Frame {
                width: SIDE,
                height: SIDE,
                pixels: Pixels::Rgb(pixels.collect()),
            };
            let (picture, viewing) = (Picture::Frame(&frame), &mut self.view);
            let cine = &mut viewing.difference;
            Some(cine.texture(ui, "difference", key, &viewing.look, picture))
        });
        let Some(texture) = texture else {
            return;
        };
        Cine::fit(ui, &texture, rect, &self.view.look);
        on_picture(ui, rect, Align2::LEFT_BOTTOM, "SYNTHETIC");
        let text = format!(
            "counterfactual - {}: orange brighter, blue darker",
            against.name().to_lowercase()
        );
        on_picture(ui, rect, Align2::LEFT_TOP, &text);
    }

    /// What tells what a pane shows now from everything else.
    fn key_now(&self, pane: Pane, now: f64) -> Option<Key> {
        match pane {
            Pane::Source => self.source_key(self.source_frame_now(now)),
            _ => self.made_key(pane, now),
        }
    }

    fn made_key(&self, pane: Pane, now: f64) -> Option<Key> {
        let shown = self.made.cine_of(pane)?;
        let last = shown.result.cine.video.frames.saturating_sub(1);
        Some(Key {
            clip: shown.id,
            frame: self.frame_now(now).min(last),
        })
    }

    /// Of a frame of the source as the networks would see it. Another square makes another anatomy; another recording may
    /// begin with the same frame, and a mask may change all frames but the anatomy's. `None` while the frames are taken.
    pub(in crate::ui::explore) fn source_key(&self, frame: usize) -> Option<Key> {
        let source = self.case.source.as_ref()?;
        let there = source.recording.is_still() || self.view.grays.is_some();
        there.then(|| {
            let Key { clip, frame } = Key::of_hash(&source.anatomy.sha256, frame);
            Key {
                clip: clip.wrapping_add(source.id) ^ self.view.times_taken.rotate_left(40),
                frame,
            }
        })
    }

    /// A frame of a pane as 112 x 112 gray levels.
    pub(in crate::ui::explore) fn gray(&self, pane: Pane, frame: usize) -> Option<Cow<'_, [u8]>> {
        if pane == Pane::Source {
            let source = self.case.source.as_ref()?;
            return Some(match &self.view.grays {
                Some(grays) => grays.frames.get(frame)?.into(),
                // A still is its anatomy.
                None => source.anatomy.gray_bytes().into(),
            });
        }
        let video = &self.made.cine_of(pane)?.result.cine.video;
        match video.gray_frame(frame).pixels {
            Pixels::Gray(levels) => Some(levels.into()),
            Pixels::Rgb(_) => None,
        }
    }
}

/// A pixel of a difference: the first of both levels, dimmed, under what the second has more or less of.
fn signed(from: u8, to: u8, gain: f32) -> [u8; 3] {
    let (from, to) = (f32::from(from), f32::from(to));
    let by = (gain * (to - from) / 255.0).clamp(-1.0, 1.0);
    let colour = if by > 0.0 { BRIGHTER } else { DARKER };
    let share = by.abs();
    colour.map(|c| ((1.0 - share) * BELOW * from + share * c).round() as u8)
}

#[cfg(test)]
mod tests;
