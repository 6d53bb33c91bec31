use super::super::Explore;
use super::shares::{OVER, Shares, Words};
use super::{Comparison, Pane};
use crate::ef::EfOrigin;
use crate::ui::command::Command;
use crate::ui::hints::{self, Hint as _, Room};
use crate::ui::theme::{GAP, SMALL_GAP, tokens};
use crate::ui::widgets::Cine;
use egui::{
    Align, Align2, Button, Frame, Label, Layout, Rect, RichText, Sense, Theme, Ui, UiBuilder, Vec2,
    vec2,
};

/// Width of the words over a picture, with what is around them.
const CORNER: f32 = 168.0;
/// Where a title and the button of the source's pane have room beside each other.
const TITLE_AND_BUTTON: f32 = 146.0;

impl Explore {
    /// Centre: source, factual, counterfactual, in lock-step; or a comparison of two of them.
    pub(in crate::ui::explore) fn centre(
        &mut self,
        ui: &mut Ui,
        now: f64,
        commands: &mut Vec<Command>,
    ) {
        Room::Above.set(ui.ctx());
        self.compare_bar(ui, commands);
        Room::Anywhere.set(ui.ctx());
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

    /// Which panes the centre has. The source needs none: its panel shows it, and a clip plays there. Of a clip whose
    /// panel is folded something is seen all the same.
    pub(in crate::ui::explore) fn panes(&self) -> Vec<Pane> {
        let works = self.works_in_source_pane();
        let wanted = self.view.source_beside
            || self.view.folded.source && self.case.is_clip()
            || self.is_measuring_source();
        match self.view.alone {
            Some(pane) if !works => vec![pane],
            _ => self.panes_there(works || wanted),
        }
    }

    /// Sets the source beside the cines, or takes it away: from a comparison or a pane alone it brings it, too.
    pub(in crate::ui::explore) fn put_source_beside(&mut self) {
        let works = self.works_in_source_pane();
        let is_seen = self.view.mode == Comparison::SideBySide
            && !self.is_editing_large()
            && (works || self.view.source_beside && self.view.alone.is_none());
        if is_seen && works {
            self.wanted.put_points_away();
            self.case.large.in_pane = false;
        }
        self.view.source_beside = !is_seen;
        self.view.mode = Comparison::SideBySide;
        self.view.alone = None;
        self.case.large.is_open = false;
        if self.view.source_beside {
            self.view.calipers.go_to(Pane::Source);
        }
    }

    /// Whether points or the square are set in the source's pane.
    fn works_in_source_pane(&self) -> bool {
        self.wanted.correcting.is_on || self.is_editing_in_pane()
    }

    /// Whether the source is shown in the centre: then it does not play in its panel, too.
    pub(in crate::ui::explore) fn source_is_in_centre(&self) -> bool {
        match self.view.mode {
            _ if self.is_editing_large() => true,
            Comparison::SideBySide => self.panes().contains(&Pane::Source),
            Comparison::Wipe | Comparison::Flicker | Comparison::Difference => {
                self.view.against == Pane::Source
            }
            Comparison::MMode => true,
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
        let as_large = self.works_in_source_pane() || self.view.source_beside;
        let of = |panes, words| Shares::of(panes, area, words, as_large);
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
                    let narrow = column < TITLE_AND_BUTTON;
                    if !over {
                        Room::Above.set(ui.ctx());
                        self.title_line(ui, pane, captions && !narrow, commands);
                    }
                    self.view.words_here = over.then_some(self.view.words[pane.index()]);
                    Room::Within(ui.max_rect().x_range()).set(ui.ctx());
                    let rect = self.pane(ui, pane, side, now, over);
                    self.view.words_here = None;
                    if over {
                        self.words_over(ui, pane, rect, commands);
                    } else if captions {
                        ui.spacing_mut().item_spacing.y = 2.0;
                        if self.made.ladder.is_some() {
                            // Its rungs are below.
                            Room::Line.set(ui.ctx());
                        }
                        self.caption(ui, self.behind(pane));
                        if pane == Pane::Source && narrow {
                            self.frame_button(ui, commands);
                        }
                    }
                });
            }
            Room::Anywhere.set(ui.ctx());
        });
    }

    /// A pane's title and lines in the upper left corner of its picture.
    fn words_over(&mut self, ui: &mut Ui, pane: Pane, rect: Rect, commands: &mut Vec<Command>) {
        let corner = Rect::from_min_size(rect.min + Vec2::splat(4.0), vec2(CORNER, rect.height()));
        let layout = Layout::top_down(Align::Min);
        let mut ui = ui.new_child(UiBuilder::new().max_rect(corner).layout(layout));
        // Pictures are dark in both themes.
        *ui.visuals_mut() = ui.ctx().style_of(Theme::Dark).visuals.clone();
        // As if the picture ended there: nothing of it is drawn below.
        let ground = tokens(&ui).picture;
        Room::Line.set(ui.ctx());
        let words = Frame::new()
            .fill(ground)
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
        // To whole points, with what its soft edges reach.
        let corner = words.response.rect.max + Vec2::splat(2.0);
        self.view.words[pane.index()] = (corner - rect.min).ceil();
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
        if button.hint(hint).clicked() {
            commands.push(Command::EditInPane);
        }
    }

    fn pane(&mut self, ui: &mut Ui, pane: Pane, side: f32, now: f64, over: bool) -> Rect {
        if pane == Pane::Source && self.is_editing_in_pane() {
            let rect = self.frame_in_pane(ui, side);
            self.tag_source(ui, rect, Align2::LEFT_BOTTOM);
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
            if let Some(name) = self.wanted.paint_points(ui, rect, &look) {
                hints::say(ui.ctx(), name);
            }
        }
        if draws {
            self.view.draw_line(ui, &response, rect);
        }
        if measures {
            return rect;
        }
        let help = match draws {
            true => "Drag to draw the line.",
            false => {
                "Wheel: zoom. Drag: move. Right drag: window, level. Home: reset. Double click: alone."
            }
        };
        hints::describe(&response, help);
        if response.hovered() && !corrects {
            hints::say(ui.ctx(), help);
        }
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
