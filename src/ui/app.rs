use super::about::About;
use super::command::Command;
use super::explore::{Explore, Package, Settings};
use super::files::{Desk, Picker, Purpose};
use super::gallery::{Answer, Gallery};
use super::mode::{House, Mode, Screen};
use super::options::{Options, Reading};
use super::palette::Palette;
use super::projector::Wake;
use super::study::Study;
use super::theme::{self, tokens};
use crate::engine::{CascadeSource, Engine, Event, Owner};
use eframe::{CreationContext, wgpu};
use egui::{RichText, Theme, Ui};
use std::path::PathBuf;
use std::sync::Arc;

/// A sentence for the user.
#[derive(PartialEq)]
pub(super) struct Message {
    pub text: String,
    /// Something went well.
    pub done: bool,
}

/// The window's whole state.
pub struct App {
    pub(super) engine: Engine,
    /// What all modes share.
    pub(super) house: Arc<House>,
    /// The mode that is shown.
    pub(super) mode: Mode,
    pub(super) explore: Explore,
    pub(super) study: Study,
    pub(super) desk: Desk,
    /// A folder's recordings, to choose from.
    pub(super) gallery: Option<Gallery>,
    pub(super) picker: Arc<dyn Picker>,
    /// Sentences that stay until they are dismissed.
    pub(super) messages: Vec<Message>,
    /// An export to a file that is there already: it waits for the user's word.
    pub(super) replacing: Option<(Package, PathBuf)>,
    /// A pass of the window has been.
    has_begun: bool,
    /// The theme on screen.
    is_light: bool,
    pub(super) shortcuts: bool,
    pub(super) palette: Option<Palette>,
    pub(super) about: Option<About>,
    /// A path that is being typed, where the desktop has no file dialog.
    pub(super) typed: Option<(Purpose, String)>,
}

/// The badge that is always on screen.
const BADGE: &str =
    "Synthetic. Not a patient's scan. Research and education only, not for diagnosis.";
/// The same under a study's screens.
const STUDY: &str = "Reader studies hold recorded and synthetic clips. Research and education only, not for diagnosis.";
/// The same under a grid of what is there to be opened.
const RECORDINGS: &str = "Recordings. Research and education only, not for diagnosis.";
/// The room that a screen needs: a window of 1280 x 800 with text at 150 % has it.
pub(super) const LEAST: egui::Vec2 = egui::vec2(840.0, 460.0);
/// Older messages go when there are more.
const MOST_MESSAGES: usize = 4;
/// Lines of one message.
const MOST_LINES: usize = 8;

impl App {
    /// # Errors
    /// When the worker thread cannot be started.
    pub fn new(cc: &CreationContext<'_>, options: Options) -> std::io::Result<Self> {
        let kept = || cc.storage.and_then(Settings::restore);
        let settings = options.settings.or_else(kept).unwrap_or_default();
        theme::install(&cc.egui_ctx, settings.light);
        theme::paint_background(&cc.egui_ctx, options.paints_background);
        let ctx = cc.egui_ctx.clone();
        let mut engine = Engine::start(options.device, CascadeSource::Builtin, move || {
            ctx.request_repaint();
        })?;
        let ctx = cc.egui_ctx.clone();
        let wake: Wake = Arc::new(move || ctx.request_repaint());
        let mut explore = Explore::new(settings, wake.clone());
        let mut study = Study::new(wake, today());
        let renderer = cc.wgpu_render_state.as_ref();
        if renderer.is_some_and(|r| r.adapter.get_info().device_type == wgpu::DeviceType::Cpu) {
            explore.draw_frames_alone();
        }
        let mut desk = Desk::default();
        match &options.file {
            Some(path) => desk.open(path, &cc.egui_ctx),
            None => explore.open_simulated(&mut engine),
        }
        let mut mode = Mode::default();
        if let Some(Reading { bundle, code, log }) = options.study {
            mode = Mode::Study;
            study.open(bundle, code, log);
        }
        Ok(Self {
            engine,
            house: Arc::default(),
            mode,
            explore,
            study,
            desk,
            gallery: None,
            picker: options.picker,
            messages: Vec::new(),
            replacing: None,
            has_begun: false,
            is_light: false,
            shortcuts: false,
            palette: None,
            about: None,
            typed: None,
        })
    }

    /// What Explore shows; for tests.
    pub fn explore(&self) -> &Explore {
        &self.explore
    }

    /// Shows the first start's words again; for tests.
    pub fn forget_welcome(&mut self) {
        self.explore.kept.settings.welcomed = false;
    }

    /// How many cines of a run are made, of which the closest is kept; for tests.
    pub fn set_best_of(&mut self, n: usize) {
        self.explore.wanted.best_of = n;
    }

    /// The screen of the mode that is shown.
    fn screen(&mut self) -> Option<(&mut dyn Screen, &mut Engine)> {
        match self.mode {
            Mode::Explore => Some((&mut self.explore, &mut self.engine)),
            Mode::Study => Some((&mut self.study, &mut self.engine)),
            Mode::Training => None,
        }
    }

    /// Every mode's screen, shown or not.
    fn screens(&mut self) -> ([&mut dyn Screen; 2], &mut Engine) {
        ([&mut self.explore, &mut self.study], &mut self.engine)
    }

    /// While a reader reads nothing else goes on: what would come of it would make passes late, and what was
    /// opened meanwhile waits.
    fn logic_of_a_session(&mut self) {
        self.mode = Mode::Study;
        while let Some(event) = self.engine.poll() {
            let is_ready = matches!(event, Event::Ready { .. });
            self.hear(event);
            if is_ready {
                self.engine.cancel_all();
            }
        }
        self.study.pursue(&mut self.engine);
    }

    /// What the window was is kept for the next start; of a session that was ended from outside, that is the
    /// full screen.
    fn end_full_screen(&mut self, ctx: &egui::Context) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        if ctx.input(|i| i.viewport().fullscreen == Some(true)) {
            ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(false));
        }
    }

    /// Takes one of the worker's events: what all modes share is settled here, the rest is the screen's.
    fn hear(&mut self, event: Event) {
        let event = match event {
            Event::Ready {
                cascade,
                regressor,
                cascades,
                device,
                ..
            } => {
                self.house = Arc::new(House {
                    cascade: Some(*cascade),
                    cascades,
                    regressor,
                    device,
                });
                let house = self.house.clone();
                let (screens, engine) = self.screens();
                for screen in screens {
                    screen.settle(house.clone(), engine);
                }
                return;
            }
            Event::Moved { ref device, .. } => {
                Arc::make_mut(&mut self.house).device.clone_from(device);
                event
            }
            other => other,
        };
        // What one mode asked for is none of the others' business.
        match event.owner() {
            Some(Owner::Study) => self.study.hear(event, &mut self.engine),
            Some(Owner::Explore) | None => self.explore.hear(event, &mut self.engine),
            Some(Owner::Training) => {}
        }
    }

    fn obey(&mut self, command: Command, ctx: &egui::Context) {
        match command {
            Command::GoToExplore => self.mode = Mode::Explore,
            Command::GoToStudy => self.go_to_study(),
            Command::OpenFile => self.desk.pick(&self.picker, Purpose::Source, ctx),
            Command::OpenFolder => self.desk.pick(&self.picker, Purpose::Folder, ctx),
            Command::OpenCascade => self.desk.pick(&self.picker, Purpose::Cascade, ctx),
            Command::OpenRegressor => self.desk.pick(&self.picker, Purpose::Regressor, ctx),
            Command::Cancel => self.step_back(),
            Command::Palette => self.palette = Some(Palette::default()),
            Command::About => {
                self.about = match self.about {
                    Some(_) => None,
                    None => Some(About::default()),
                }
            }
            Command::ToggleTheme => {
                let next = match ctx.theme() {
                    Theme::Dark => Theme::Light,
                    Theme::Light => Theme::Dark,
                };
                ctx.set_theme(next);
            }
            Command::Shortcuts => self.shortcuts = !self.shortcuts,
            _ => {
                if command == Command::NextSimulatedHeart {
                    self.mode = Mode::Explore;
                    self.desk.forget();
                    self.gallery = None;
                }
                let now = ctx.input(|i| i.time);
                if let Some((screen, engine)) = self.screen() {
                    screen.obey(command, now, engine);
                }
            }
        }
    }

    /// A study's screens come to the front; what lies over Explore is put away.
    pub(super) fn go_to_study(&mut self) {
        if self.gallery.take().is_some() {
            self.desk.forget();
        }
        self.mode = Mode::Study;
    }

    /// What Escape does: it closes what is on top, and only then stops what is being made.
    fn step_back(&mut self) {
        if std::mem::take(&mut self.shortcuts) || self.about.take().is_some() {
            return;
        }
        if self.gallery.is_some() && !self.desk.is_opening() {
            self.desk.forget();
            self.gallery = None;
            return;
        }
        let opening = self.desk.is_opening();
        self.desk.forget();
        if let Some((screen, engine)) = self.screen().filter(|_| !opening) {
            screen.step_back(engine);
        }
    }

    /// Says that something went well.
    pub(super) fn tell_done(&mut self, text: String) {
        self.push_message(Message { text, done: true });
    }

    pub(super) fn tell(&mut self, text: String) {
        // A list of missing tensors can have hundreds of lines.
        let more = text.lines().count().saturating_sub(MOST_LINES);
        let text = if more > 1 {
            let first: Vec<&str> = text.lines().take(MOST_LINES).collect();
            format!("{}\n  and {more} more", first.join("\n"))
        } else {
            text
        };
        self.push_message(Message { text, done: false });
    }

    fn push_message(&mut self, message: Message) {
        if !self.messages.contains(&message) {
            self.messages.push(message);
        }
        if self.messages.len() > MOST_MESSAGES {
            self.messages.remove(0);
        }
    }

    /// The grid of a folder's recordings, over the whole window.
    fn gallery(&mut self, ui: &mut Ui) {
        let Some(gallery) = &mut self.gallery else {
            return;
        };
        let surveying = self.desk.is_surveying();
        let answer = egui::CentralPanel::default()
            .frame(theme::background(ui).inner_margin(8))
            .show(ui, |ui| gallery.show(ui, surveying))
            .inner;
        let ctx = ui.ctx().clone();
        match answer {
            Some(Answer::Open(path)) => {
                // The rest is not looked at while the chosen one opens.
                self.desk.forget();
                self.desk.open(&path, &ctx);
            }
            Some(Answer::Close) => {
                self.desk.forget();
                self.gallery = None;
            }
            Some(Answer::Stop) => self.desk.forget(),
            None => {}
        }
    }
}

/// As 2026-11-26, where the window is.
pub(super) fn today() -> String {
    let now = dicom_core::chrono::Local::now();
    now.format("%Y-%m-%d").to_string()
}

/// Room for a screen: what the window leaves, or with very large text what a screen needs, to be scrolled.
fn whole(ui: &mut Ui, show: impl FnOnce(&mut Ui)) {
    let size = ui.available_size();
    if size.x >= LEAST.x && size.y >= LEAST.y {
        return show(ui);
    }
    egui::ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        let room = egui::Rect::from_min_size(ui.cursor().min, size.max(LEAST));
        ui.scope_builder(egui::UiBuilder::new().max_rect(room), |ui| {
            ui.set_min_size(room.size());
            show(ui);
        });
    });
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        self.end_full_screen(ctx);
        if self.study.has_window() {
            return self.logic_of_a_session();
        }
        while let Some(event) = self.engine.poll() {
            self.hear(event);
        }
        while let Some(arrival) = self.desk.next() {
            self.arrive(arrival, ctx);
        }
        let (screens, engine) = self.screens();
        let mut said = Vec::new();
        for screen in screens {
            screen.pursue(engine);
            said.extend(screen.take_said());
        }
        for text in said {
            self.tell(text);
        }
        if let Some((screen, _)) = self.screen()
            && let Some(purpose) = screen.take_wish()
        {
            self.desk.pick(&self.picker, purpose, ctx);
        }
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        self.is_light = ctx.theme() == Theme::Light;
        // Nothing else is heard or seen while a reader reads.
        if let Some((screen, engine)) = self.screen().filter(|(screen, _)| screen.has_window()) {
            screen.ui(ui, engine);
            return;
        }
        let dropped = ctx.input(|i| i.raw.dropped_files.first().map(|f| f.path().to_owned()));
        if let Some(path) = dropped {
            self.take_dropped(path, &ctx);
        }
        // A dialog has the keys to itself.
        let dialog = self.replacing.is_some()
            || self.screen().is_some_and(|(screen, _)| screen.has_dialog());
        // A drop-down closes by Escape, and nothing else does then.
        let popup = egui::Popup::is_any_open(&ctx);
        let mut commands = match dialog || self.typed.is_some() || self.palette.is_some() {
            true => Vec::new(),
            false => Command::pressed(&ctx, self.mode),
        };
        commands.retain(|command| !(popup && *command == Command::Cancel));
        egui::Panel::top("top")
            .frame(theme::background(ui).inner_margin(egui::Margin::symmetric(8, 2)))
            .show(ui, |ui| self.top_bar(ui, &mut commands));
        egui::Panel::bottom("badge")
            .resizable(false)
            .frame(
                egui::Frame::new()
                    .fill(tokens(ui).warning)
                    .inner_margin(egui::Margin::symmetric(12, 4)),
            )
            .show(ui, |ui| {
                let badge = match (&self.gallery, self.mode) {
                    (Some(_), _) => RECORDINGS,
                    (None, Mode::Study) => STUDY,
                    (None, _) => BADGE,
                };
                ui.vertical_centered(|ui| {
                    let text = RichText::new(badge).color(tokens(ui).warning_text).strong();
                    ui.add(egui::Label::new(text).wrap());
                });
            });
        if self.gallery.is_some() {
            self.gallery(ui);
        } else if let Some((screen, engine)) = self.screen() {
            whole(ui, |ui| commands.extend(screen.ui(ui, engine)));
        }
        if let Some(path) = self.explore.kept.reopen.take() {
            self.desk.open(&path, &ctx);
        }
        self.sheets(ui, &mut commands);
        self.shortcuts_sheet(&ctx);
        self.path_dialog(&ctx);
        self.replace_dialog(&ctx);
        self.messages(&ctx);
        for command in commands {
            self.obey(command, &ctx);
        }
    }

    /// The panels' colour, which they need not fill then; a session's is its own.
    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        let ground = self.study.ground();
        ground
            .unwrap_or(visuals.panel_fill)
            .to_normalized_gamma_f32()
    }

    /// Only the settings are kept; what egui remembers of widgets is nobody's business.
    fn persist_egui_memory(&self) -> bool {
        false
    }

    fn on_exit(&mut self) {
        self.study.close();
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        self.explore.settings(self.is_light).keep(storage);
    }
}
