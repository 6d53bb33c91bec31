use super::super::Explore;
use super::shares::{OVER, Shares, Words};
use super::{Comparison, Pane};
use crate::ef::EfOrigin;
use crate::ui::command::Command;
use crate::ui::theme::{GAP, SMALL_GAP, tokens};
use crate::ui::widgets::Cine;
use egui::{
    Align, Align2, Button, Frame, Label, Layout, Rect, RichText, Sense, Theme, Ui, UiBuilder, Vec2,
    vec2,
};

/// Width of the words over a picture, with what is around them.
const CORNER: f32 = 168.0;

impl Explore {
    /// Centre: source, factual, counterfactual, in lock-step; or a comparison of two of them.
    pub(in crate::ui::explore) fn centre(
        &mut self,
        ui: &mut Ui,
        now: f64,
        commands: &mut Vec<Command>,
    ) {
        self.compare_bar(ui, commands);
        ui.add_space(2.0);
        match self.view.mode {
            Comparison::SideBySide => {
                self.side_by_side(ui, now, ui.available_size(), true, commands);
            }
            Comparison::Wipe | Comparison::Flicker | Comparison::Difference => {
                self.one_picture(ui, now)
            }
            Comparison::MMode => self.m_mode(ui, now),
        }
    }

    /// Which panes the centre has. A still needs none: its panel shows it, and the cines begin with it.
    pub(in crate::ui::explore) fn panes(&self) -> Vec<Pane> {
        let corrects = self.wanted.correcting.is_on;
        match self.view.alone {
            Some(pane) if !corrects && !self.is_editing_in_pane() => vec![pane],
            _ => self.panes_there(corrects || self.case.is_clip() || self.is_editing_in_pane()),
        }
    }

    /// Those that have something to show, the source among them if it is wanted.
    pub(in crate::ui::explore) fn panes_there(&self, with_source: bool) -> Vec<Pane> {
        let there = |pane: &Pane| match pane {
            Pane::Source => with_source,
            Pane::Pinned => self.made.pinned.is_some(),
            Pane::Factual | Pane::Counterfactual => true,
        };
        Pane::ALL.into_iter().filter(there).collect()
    }

    /// The panes, in the middle of an area.
    pub(in crate::ui::explore) fn side_by_side(
        &mut self,
        ui: &mut Ui,
        now: f64,
        area: Vec2,
        captions: bool,
        commands: &mut Vec<Command>,
    ) {
        let panes = if captions {
            self.panes()
        } else {
            self.panes_there(true)
        };
        let edits = self.is_editing_in_pane();
        let of = |panes, words| Shares::of(panes, area, words, edits);
        let over = of(panes.clone(), Words::Over);
        let shares = match captions {
            false => of(panes, Words::Title),
            // A whole frame has no corner that words may cover.
            true if self.view.folded.both() && !edits && over.sides[1] >= OVER => over,
            true => of(panes, Words::Below),
        };
        let used = shares.size();
        self.view.brief = shares.is_brief();
        if captions {
            ui.add_space(((area.y - used.y) / 2.0).max(0.0));
        }
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = GAP;
            ui.add_space(((area.x - used.x) / 2.0 - GAP).max(0.0));
            for &pane in &shares.panes {
                let index = Shares::index(pane);
                let (side, column) = (shares.sides[index], shares.columns[index]);
                let size = vec2(column, used.y);
                ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
                    ui.set_width(column);
                    ui.spacing_mut().item_spacing.y = SMALL_GAP;
                    // Its words are short, and a smaller picture is not worth covering.
                    let over = shares.words == Words::Over && side >= OVER;
                    if !over {
                        self.title_line(ui, pane, captions, commands);
                    }
                    let rect = self.pane(ui, pane, side, now, over);
                    if over {
                        self.words_over(ui, pane, rect, commands);
                    } else if captions {
                        ui.spacing_mut().item_spacing.y = 2.0;
                        self.caption(ui, self.behind(pane));
                    }
                });
            }
        });
    }

    /// A pane's title and lines in the upper left corner of its picture.
    fn words_over(&self, ui: &mut Ui, pane: Pane, rect: Rect, commands: &mut Vec<Command>) {
        let corner = Rect::from_min_size(rect.min + Vec2::splat(4.0), vec2(CORNER, rect.height()));
        let layout = Layout::top_down(Align::Min);
        let mut ui = ui.new_child(UiBuilder::new().max_rect(corner).layout(layout));
        // Pictures are dark in both themes.
        *ui.visuals_mut() = ui.ctx().style_of(Theme::Dark).visuals.clone();
        let plate = tokens(&ui).plate;
        Frame::new()
            .fill(plate)
            .corner_radius(3)
            .inner_margin(5)
            .show(&mut ui, |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.label(RichText::new(self.title(pane)).strong());
                self.caption(ui, self.behind(pane));
                if pane == Pane::Source {
                    self.frame_button(ui, commands);
                }
            });
    }

    /// A pane's title above its picture.
    fn title_line(&self, ui: &mut Ui, pane: Pane, with_button: bool, commands: &mut Vec<Command>) {
        let title = Label::new(RichText::new(self.title(pane)).strong()).truncate();
        if pane != Pane::Source || !with_button {
            ui.add(title);
            return;
        }
        ui.scope(|ui| {
            // As high as a title alone: pictures begin at one height.
            ui.spacing_mut().interact_size.y = 0.0;
            ui.horizontal(|ui| {
                ui.add(title);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    self.frame_button(ui, commands);
                });
            });
        });
    }

    /// Turns the source's pane into the whole frame with its square, and back.
    fn frame_button(&self, ui: &mut Ui, commands: &mut Vec<Command>) {
        let is_on = self.is_editing_in_pane();
        let text = if is_on { "Done" } else { "Set the square" };
        let button = Button::new(RichText::new(text).size(12.0)).small();
        let hint = Command::EditInPane.hint(ui.ctx());
        let able = self.case.source.is_some() && !self.wanted.correcting.is_on;
        let button = ui.add_enabled(able, button.selected(is_on));
        if button.on_hover_text(hint).clicked() {
            commands.push(Command::EditInPane);
        }
    }

    fn pane(&mut self, ui: &mut Ui, pane: Pane, side: f32, now: f64, over: bool) -> Rect {
        if pane == Pane::Source && self.is_editing_in_pane() {
            let rect = self.frame_in_pane(ui, side);
            self.tag_source(ui, rect);
            return rect;
        }
        let sense = Sense::click_and_drag();
        let response = Cine::ground(ui, Vec2::splat(side), pane.name(), sense);
        let rect = response.rect;
        let draws = self.view.mode == Comparison::MMode;
        self.view.word_at = match over {
            true => Align2::RIGHT_TOP,
            false => Align2::LEFT_TOP,
        };
        self.paint(ui, self.behind(pane), rect, now);
        let corrects = pane == Pane::Source && self.wanted.correcting.is_on;
        let measures = self.view.calipers.tool.is_some() && !draws && !corrects;
        self.view
            .handle(&response, rect, !draws && !corrects && !measures);
        if measures {
            self.set_calipers(ui, pane, &response, rect, now);
        }
        if !draws {
            self.paint_calipers(ui, pane, rect, now);
        }
        if response.double_clicked() && !draws && !corrects && !measures {
            self.view.alone = match self.view.alone {
                Some(_) => None,
                None => Some(pane),
            };
        }
        if corrects {
            let look = self.view.look;
            self.wanted.paint_points(ui, rect, &look);
        }
        if draws {
            self.view.draw_line(ui, &response, rect);
        }
        if measures {
            return rect;
        }
        response.on_hover_text_at_pointer(if draws {
            "Drag to draw the line"
        } else {
            "Wheel: zoom. Drag: move. Right drag: window and level. Home: reset. Double click: this pane alone, and back."
        });
        rect
    }

    /// What a pane shows: the counterfactual's, while the key for it is held, what it is compared with.
    pub(in crate::ui::explore) fn behind(&self, pane: Pane) -> Pane {
        match pane {
            Pane::Counterfactual if self.view.before => self.view.against,
            _ => pane,
        }
    }

    /// What stands above a pane: a cine at an EF that nobody gave is not the factual one.
    fn title(&self, pane: Pane) -> String {
        let shown = self.behind(pane);
        match (shown, self.case.ef_origin) {
            (Pane::Factual, EfOrigin::Assumed) => {
                format!("At EF {:.0} % (assumed)", self.case.factual_ef)
            }
            _ => shown.name().to_owned(),
        }
    }
}
