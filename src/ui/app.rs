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
use super::theme;
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
    pub(super) is_light: bool,
    pub(super) shortcuts: bool,
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
        let training = Training::new(wake, profiles, options.day);
        let renderer = cc.wgpu_render_state.as_ref();
        if let Some(renderer) = renderer {
            Pipeline::install(&cc.egui_ctx, renderer);
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
        }
        // What one mode asked for is none of the others' business.
        match event.owner() {
            Some(Owner::Study) => self.study.hear(event, &mut self.engine),
            Some(Owner::Explore) | None => self.explore.hear(event, &mut self.engine),
            Some(Owner::Training) => self.training.hear(event, &mut self.engine),
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
            Command::Shortcuts => self.shortcuts = !self.shortcuts,
            Command::FullScreen => {
                let is_full = ctx.input(|i| i.viewport().fullscreen == Some(true));
                ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(!is_full));
            }
            _ => {
                if command == Command::NextSimulatedHeart {
                    self.mode = Mode::Explore;
                    self.desk.forget();
                    self.gallery = None;
                }
                let now = ctx.input(|i| i.time);
                let (screen, engine) = self.screen();
                screen.obey(command, now, engine);
            }
        }
    }

    /// Another mode's screens come to the front; what lies over Explore is put away.
    pub(super) fn go_to(&mut self, mode: Mode) {
        if self.gallery.take().is_some() {
            self.desk.forget();
        }
        self.mode = mode;
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

    /// The grid of a folder's recordings, over the whole window.
    pub(super) fn gallery(&mut self, ui: &mut Ui) {
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
