use super::about::About;
use super::command::Command;
use super::explore::{Explore, Package, Settings};
use super::files::{Desk, Picker, Purpose};
use super::folder::{Answer, Folder};
use super::help::Help;
use super::manual::Manual;
use super::mode::{House, Mode, Screen};
use super::options::{Options, Reading};
use super::palette::Palette;
use super::projector::Wake;
use super::still::Still;
use super::study::Study;
use super::theme;
use super::today;
use super::training::Training;
use super::widgets::Pipeline;
use crate::engine::{CascadeSource, Engine, Event, Owner};
use eframe::{CreationContext, wgpu};
use egui::{Theme, Ui};
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
    pub(super) training: Training,
    pub(super) desk: Desk,
    /// A folder's recordings, to choose from and to go through.
    pub(super) folder: Option<Folder>,
    pub(super) wake: Wake,
    pub(super) picker: Arc<dyn Picker>,
    /// Sentences that stay until they are dismissed.
    pub(super) messages: Vec<Message>,
    /// An export to a file that is there already: it waits for the user's word.
    pub(super) replacing: Option<(Package, PathBuf)>,
    /// A pass of the window has been.
    has_begun: bool,
    /// Text has the size that suits the screen.
    is_suited: bool,
    /// The theme on screen.
    pub(super) is_light: bool,
    pub(super) shortcuts: Option<Help>,
    pub(super) manual: Option<Manual>,
    pub(super) palette: Option<Palette>,
    pub(super) about: Option<About>,
    /// A path that is being typed, where the desktop has no file dialog.
    pub(super) typed: Option<(Purpose, String)>,
}

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
        let mut study = Study::new(wake.clone(), today());
        let profiles = options.profiles.or_else(crate::drill::profiles_folder);
        let training = Training::new(wake.clone(), profiles, options.day);
        let renderer = cc.wgpu_render_state.as_ref();
        if let Some(renderer) = renderer {
            Pipeline::install(&cc.egui_ctx, renderer);
            Still::install(&cc.egui_ctx, renderer);
        }
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
            training,
            desk,
            folder: None,
            wake,
            picker: options.picker,
            messages: Vec::new(),
            replacing: None,
            has_begun: false,
            is_suited: false,
            is_light: false,
            shortcuts: None,
            manual: None,
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
    pub(super) fn screen(&mut self) -> (&mut dyn Screen, &mut Engine) {
        match self.mode {
            Mode::Explore => (&mut self.explore, &mut self.engine),
            Mode::Training => (&mut self.training, &mut self.engine),
            Mode::Study => (&mut self.study, &mut self.engine),
        }
    }

    /// Every mode's screen, shown or not.
    pub(super) fn screens(&mut self) -> ([&mut dyn Screen; 3], &mut Engine) {
        let screens: [&mut dyn Screen; 3] =
            [&mut self.explore, &mut self.training, &mut self.study];
        (screens, &mut self.engine)
    }

    /// While a reader reads nothing else goes on: what would come of it would make passes late, and what was
    /// opened meanwhile waits.
    pub(super) fn logic_of_a_session(&mut self) {
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

    /// Text has the size that suits the screen, once that is known; what the user makes of it stays.
    pub(super) fn suit_text(&mut self, ctx: &egui::Context) {
        if self.is_suited {
            return;
        }
        let (screen, native) = ctx.input(|i| {
            let viewport = i.viewport();
            (viewport.monitor_size, viewport.native_pixels_per_point)
        });
        let (Some(screen), Some(native)) = (screen, native) else {
            return;
        };
        self.is_suited = true;
        // In points, as large as the zoom makes them.
        let lines = screen.y * ctx.pixels_per_point();
        let zoom = theme::zoom_on(lines, native);
        if ctx.zoom_factor() == 1.0 && zoom != 1.0 {
            ctx.set_zoom_factor(zoom);
        }
    }

    /// What the window was is kept for the next start; of a session that was ended from outside, that is the
    /// full screen.
    pub(super) fn end_full_screen(&mut self, ctx: &egui::Context) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        if ctx.input(|i| i.viewport().fullscreen == Some(true)) {
            ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(false));
        }
    }

    /// Takes one of the worker's events: what all modes share is settled here, the rest is the screen's.
    pub(super) fn hear(&mut self, event: Event) {
        let event = match event {
            Event::Ready {
                cascade,
                regressor,
                cascades,
                device,
                ..
            } => {
                let is_another = self.house.cascade.is_some();
                if let Some(folder) = self.folder.as_mut().filter(|_| is_another) {
                    folder.settle(&self.engine);
                }
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
        if let Event::Stopped(_) = &event {
            // Whoever waits for something waits in vain.
            self.training.hear(event.clone(), &mut self.engine);
            if let Some(folder) = &mut self.folder {
                folder.hear(&event);
            }
        }
        // What one mode asked for is none of the others' business.
        match event.owner() {
            Some(Owner::Study) => self.study.hear(event, &mut self.engine),
            Some(Owner::Explore) | None => self.explore.hear(event, &mut self.engine),
            Some(Owner::Training) => self.training.hear(event, &mut self.engine),
            Some(Owner::Folder) => {
                let folder = self.folder.as_mut();
                match folder.and_then(|folder| folder.hear(&event)) {
                    Some(Ok(text)) => self.tell_done(text),
                    Some(Err(text)) => self.tell(text),
                    None => {}
                }
            }
        }
    }

    pub(super) fn obey(&mut self, command: Command, ctx: &egui::Context) {
        match command {
            Command::GoToExplore => self.mode = Mode::Explore,
            Command::GoToTraining => self.go_to(Mode::Training),
            Command::GoToStudy => self.go_to(Mode::Study),
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
            Command::Shortcuts => {
                self.shortcuts = match self.shortcuts {
                    Some(_) => None,
                    None => Some(Help::default()),
                }
            }
            Command::Manual => {
                self.manual = match self.manual {
                    Some(_) => None,
                    None => Some(Manual::default()),
                }
            }
            Command::FullScreen => {
                let is_full = ctx.input(|i| i.viewport().fullscreen == Some(true));
                ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(!is_full));
            }
            Command::BackToFolder => {
                if let Some(folder) = &mut self.folder {
                    folder.come_back();
                }
            }
            _ if self.is_folder_shown() && command != Command::NextSimulatedHeart => {
                let folder = self.folder.as_mut();
                let answer = folder.and_then(|folder| folder.obey(command));
                self.answer_folder(answer, ctx);
            }
            Command::NextClip => self.step_in_folder(1, ctx),
            Command::PreviousClip => self.step_in_folder(-1, ctx),
            _ => {
                if command == Command::NextSimulatedHeart {
                    self.mode = Mode::Explore;
                    self.desk.forget();
                    self.close_folder();
                }
                let now = ctx.input(|i| i.time);
                let (screen, engine) = self.screen();
                screen.obey(command, now, engine);
            }
        }
    }

    /// Another mode's screens come to the front; what lies over Explore is put away.
    pub(super) fn go_to(&mut self, mode: Mode) {
        if let Some(folder) = &mut self.folder
            && !folder.put_away()
        {
            self.desk.forget();
            self.close_folder();
        }
        self.mode = mode;
    }

    /// What Escape does: it closes what is on top, and only then stops what is being made.
    fn step_back(&mut self) {
        let closed = self.shortcuts.take().is_some()
            || self.manual.take().is_some()
            || self.about.take().is_some();
        if closed {
            return;
        }
        if self.is_folder_shown() && !self.desk.is_opening() {
            let folder = self.folder.as_mut();
            if folder.is_some_and(|folder| !folder.put_away()) {
                self.close_folder();
            }
            return;
        }
        let opening = self.desk.is_opening();
        self.desk.forget();
        if let Some(folder) = &mut self.folder {
            folder.is_not_opened();
        }
        if !opening {
            let (screen, engine) = self.screen();
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

    /// Whether the grid of a folder's recordings is over the screen.
    pub(super) fn is_folder_shown(&self) -> bool {
        self.mode == Mode::Explore && self.folder.as_ref().is_some_and(|f| f.is_shown)
    }

    /// The grid of a folder's recordings, over the whole window.
    pub(super) fn show_folder(&mut self, ui: &mut Ui) {
        let Some(folder) = &mut self.folder else {
            return;
        };
        let surveying = self.desk.is_surveying();
        let answer = egui::CentralPanel::default()
            .frame(theme::background(ui).inner_margin(8))
            .show(ui, |ui| folder.show(ui, surveying))
            .inner;
        self.answer_folder(answer, &ui.ctx().clone());
    }

    fn answer_folder(&mut self, answer: Option<Answer>, ctx: &egui::Context) {
        match answer {
            Some(Answer::Open(path)) => self.desk.open(&path, ctx),
            Some(Answer::Close) => {
                self.desk.forget();
                self.close_folder();
            }
            Some(Answer::Stop) => self.desk.stop_surveying(),
            Some(Answer::Make) => {
                let settings = &self.explore.wanted;
                let calibration = self.explore.calibration_of_recorded();
                let folder = self.folder.as_mut();
                if let Some(why) = folder.and_then(|folder| folder.make(settings, calibration)) {
                    self.tell(why);
                }
            }
            Some(Answer::Cancel) => {
                if let Some(folder) = &mut self.folder {
                    folder.cancel(&self.engine);
                }
            }
            None => {}
        }
    }

    /// Nothing more of it is looked at or made.
    pub(super) fn close_folder(&mut self) {
        self.desk.stop_surveying();
        if let Some(mut folder) = self.folder.take() {
            folder.cancel(&self.engine);
        }
    }

    /// Opens the recording before or after the one that is open.
    fn step_in_folder(&mut self, by: isize, ctx: &egui::Context) {
        let Some(folder) = &mut self.folder else {
            return self.tell("A folder's recordings can be gone through: open one.".into());
        };
        if let Some(path) = folder.step(by) {
            self.desk.open(&path, ctx);
        }
    }
}
