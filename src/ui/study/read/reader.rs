//! A reader at work: the session says what is on screen, and hears what the reader does.

use super::clock::Passes;
use super::door::Entered;
use super::film::Films;
use super::forms::{AboutForm, DisplayForm};
use super::page::{button, ground, neutral, sheet, space, text, title};
use super::pages::{Act, Sight, page};
use super::{keys, stamp};
use crate::study::session::{Control, Event, Session, Shows};
use crate::study::stamp::Stamp;
use crate::ui::projector::Wake;
use egui::{Context, Ui};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Between two looks at a countdown.
const COUNT: Duration = Duration::from_millis(200);

/// A session, and all that its screens remember.
pub struct Reader {
    session: Session,
    log: PathBuf,
    films: Films,
    passes: Passes,
    about: AboutForm,
    display: DisplayForm,
    /// The reader is asked once more whether to leave for good.
    leaving: bool,
    /// The screen of the last pass.
    last: Option<u8>,
    /// When the last pass was, by the window's clock and by one that goes on between passes.
    seen: (f64, Instant),
}

/// How it goes on.
pub enum Went {
    On,
    /// The session is closed, or over.
    Closed,
    /// It cannot go on, for this reason. What was answered is kept.
    Failed(String),
}

impl Reader {
    pub fn new(entered: Entered, wake: Wake) -> Self {
        Self {
            films: Films::new(entered.bundle, wake),
            session: entered.session,
            log: entered.log,
            passes: Passes::default(),
            about: AboutForm::default(),
            display: DisplayForm::default(),
            leaving: false,
            last: None,
            seen: (0.0, Instant::now()),
        }
    }

    /// Whether nothing of it was painted yet.
    pub fn is_new(&self) -> bool {
        self.last.is_none()
    }

    /// Ends the run where it is.
    ///
    /// # Errors
    /// In a sentence, when the log cannot be written.
    pub fn close(self) -> Result<(), String> {
        let (pass_s, since) = self.seen;
        let closed = self
            .session
            .close(stamp(pass_s + since.elapsed().as_secs_f64()));
        closed
            .map(|_| ())
            .map_err(|e| format!("{}: {e}.", self.log.display()))
    }

    /// One pass of the window.
    pub fn ui(&mut self, ui: &mut Ui) -> Went {
        let now_s = ui.input(|i| i.time);
        let at = stamp(now_s);
        self.seen = (now_s, Instant::now());
        let went = self.hear(ui.ctx(), at).and_then(|go| {
            if go {
                self.show(ui, now_s, at)
            } else {
                Ok(false)
            }
        });
        match went {
            Ok(true) => Went::On,
            Ok(false) => Went::Closed,
            Err(why) => Went::Failed(why),
        }
    }

    fn tell(&mut self, event: Event, at: Stamp) -> Result<(), String> {
        let told = self.session.take(event, at);
        told.map_err(|e| {
            format!(
                "{}: {e}. What was answered before is kept: make room, and open the study again.",
                self.log.display()
            )
        })
    }

    /// Keys, the loss of the keyboard, and time. Whether the session goes on.
    fn hear(&mut self, ctx: &Context, at: Stamp) -> Result<bool, String> {
        let shows = self.session.screen(at.mono_ms).shows;
        let is_form = matches!(shows, Shows::About | Shows::Display);
        let is_trial = matches!(
            shows,
            Shows::Blank { .. } | Shows::Trial { .. } | Shows::Confidence { .. }
        );
        let closes = !is_trial && !matches!(shows, Shows::Break { .. });
        let focused = ctx.memory(|m| m.focused().is_some());
        let leaving = self.leaving;
        let heard = keys::taken(ctx, |control| match control {
            _ if leaving => false,
            Control::Pause => true,
            Control::Next => !focused && !is_form,
            _ => is_trial,
        });
        if ctx.input(|i| i.events.contains(&egui::Event::WindowFocused(false))) {
            self.tell(Event::Unfocused, at)?;
        }
        for (control, press) in heard {
            let down = press == crate::study::session::Press::Down;
            if down && control == Control::Pause && closes {
                return Ok(false);
            }
            let consents = matches!(self.session.screen(at.mono_ms).shows, Shows::Consent { .. });
            if down && control == Control::Next && consents {
                self.tell(Event::Consented, at)?;
                continue;
            }
            if down && control == Control::Next && self.session.is_over() {
                return Ok(false);
            }
            self.tell(Event::Key(control, press), at)?;
        }
        self.tell(Event::Tick, at)?;
        Ok(true)
    }

    /// Draws what is on screen, and does what was clicked. Whether the session goes on.
    fn show(&mut self, ui: &mut Ui, now_s: f64, at: Stamp) -> Result<bool, String> {
        let ctx = ui.ctx().clone();
        self.load(&ctx, at)?;
        // A screen begins with nothing that has the keyboard.
        let kind = kind(&self.session.screen(at.mono_ms).shows);
        // The pass that wrote the clip's line waited for the disk: the clip comes with the next one.
        let is_fresh = kind == TRIAL && self.last != Some(TRIAL);
        if kind == DISPLAY && self.last != Some(DISPLAY) {
            self.display = DisplayForm::default();
        }
        ctx.options_mut(|o| o.zoom_with_keyboard = !(BLANK..=CONFIDENCE).contains(&kind));
        if self.last.replace(kind) != Some(kind) {
            ctx.memory_mut(|m| {
                if let Some(id) = m.focused() {
                    m.surrender_focus(id);
                }
            });
        }
        let sight = Sight {
            session: &self.session,
            films: &self.films,
            about: &mut self.about,
            display: &mut self.display,
            log: &self.log,
            leaving: self.leaving,
            is_fresh,
        };
        let act = ground(ui, |ui| page(ui, sight, now_s, at));
        if self.leaving && self.leave(&ctx, at)? {
            return Ok(true);
        }
        match act {
            Some(Act::Tell(event)) => self.tell(event, at)?,
            Some(Act::Close) => return Ok(false),
            Some(Act::AskToLeave) => self.leaving = true,
            None => {}
        }
        match is_fresh {
            true => ctx.request_repaint(),
            false => self.painted(&ctx, now_s, at)?,
        }
        Ok(true)
    }

    /// What was painted in this pass is told, and the next one is asked for.
    fn painted(&mut self, ctx: &Context, now_s: f64, at: Stamp) -> Result<(), String> {
        let shows = self.session.screen(at.mono_ms).shows;
        let is_trial = matches!(shows, Shows::Trial { .. });
        match shows {
            Shows::Trial { .. } | Shows::Blank { .. } | Shows::Display => ctx.request_repaint(),
            Shows::Break { .. } => ctx.request_repaint_after(COUNT),
            _ => {}
        }
        if !is_trial {
            self.passes.none();
            return Ok(());
        }
        let period = self.display.check.found().map(|f| f.period_ms);
        let late = self.passes.pass(now_s, period);
        self.tell(Event::Painted { late }, at)
    }

    /// Has the clip that is needed made ready, and the next one opened.
    fn load(&mut self, ctx: &Context, at: Stamp) -> Result<(), String> {
        match self.session.screen(at.mono_ms).shows {
            Shows::Blank { clip } => {
                let clip = clip.to_owned();
                if self.films.load(&clip, ctx)? {
                    self.tell(Event::Loaded(clip), at)?;
                }
            }
            Shows::Trial { .. } | Shows::Confidence { .. } => {
                if let Some(next) = self.session.upcoming().nth(1) {
                    self.films.prepare(next);
                }
            }
            Shows::Ready | Shows::Break { .. } => {
                if let Some(next) = self.session.upcoming().next() {
                    self.films.prepare(next);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Asks once more. Whether it is settled in this pass.
    fn leave(&mut self, ctx: &Context, at: Stamp) -> Result<bool, String> {
        let mut answer = None;
        let modal = egui::Modal::new(egui::Id::unique("leave"))
            .frame(sheet())
            .show(ctx, |ui| {
                neutral(ui);
                ui.set_width(400.0);
                title(ui, "Leave the study?");
                text(
                    ui,
                    "For good: your answers will be in no result, and you cannot go on later.",
                );
                space(ui);
                ui.horizontal(|ui| {
                    if button(ui, "Leave", true) {
                        answer = Some(true);
                    }
                    if button(ui, "Stay", true) {
                        answer = Some(false);
                    }
                });
            });
        if modal.should_close() {
            answer = Some(false);
        }
        let Some(leave) = answer else {
            return Ok(false);
        };
        self.leaving = false;
        if leave {
            let consents = matches!(self.session.screen(at.mono_ms).shows, Shows::Consent { .. });
            let event = match consents {
                true => Event::Declined,
                false => Event::Click(Control::Withdraw),
            };
            self.tell(event, at)?;
        }
        Ok(true)
    }
}

const DISPLAY: u8 = 3;
const BLANK: u8 = 5;
const TRIAL: u8 = 6;
const CONFIDENCE: u8 = 7;

/// Tells one screen from another; those of a trial lie beside each other.
fn kind(shows: &Shows) -> u8 {
    match shows {
        Shows::Instruction { .. } => 0,
        Shows::Consent { .. } => 1,
        Shows::About => 2,
        Shows::Display => DISPLAY,
        Shows::Ready => 4,
        Shows::Blank { .. } => BLANK,
        Shows::Trial { .. } => TRIAL,
        Shows::Confidence { .. } => CONFIDENCE,
        Shows::Break { .. } => 8,
        Shows::Paused { .. } => 9,
        Shows::Finished { .. } => 10,
        Shows::Withdrawn { .. } => 11,
    }
}
