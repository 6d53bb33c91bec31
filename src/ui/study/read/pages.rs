//! What is on each of a session's screens.

use super::film::Films;
use super::forms::{AboutForm, DisplayForm};
use super::page::{aside, button, column, quiet, space, text, title};
use super::{keys, trial};
use crate::study::plan::BARS;
use crate::study::session::{Control, Event, Frame, Session, Shows};
use crate::study::stamp::Stamp;
use egui::{RichText, Ui};
use std::path::Path;

/// What a reader wants, besides what the session hears.
pub enum Act {
    Tell(Event),
    /// The reader goes, and may come back.
    Close,
    AskToLeave,
}

/// What the screens show, and what is filled in on them.
pub struct Sight<'a> {
    pub session: &'a Session,
    pub films: &'a Films,
    pub about: &'a mut AboutForm,
    pub display: &'a mut DisplayForm,
    pub log: &'a Path,
    /// A question lies over the screen, and has the keys.
    pub leaving: bool,
    /// The clip is to come with the next pass.
    pub is_fresh: bool,
}

/// Draws the screen. What the reader wants.
pub fn page(ui: &mut Ui, sight: Sight, now_s: f64, at: Stamp) -> Option<Act> {
    let Sight {
        session,
        films,
        about,
        display,
        log,
        leaving,
        is_fresh,
    } = sight;
    let screen = session.screen(at.mono_ms);
    let bars = session.next().is_some_and(|next| next.clip == BARS);
    let click = |control: Option<Control>| control.map(|c| Act::Tell(Event::Click(c)));
    let next = || Act::Tell(Event::Click(Control::Next));
    let focused = ui.memory(|m| m.focused().is_some());
    let entered = !focused && !leaving && keys::entered(ui.ctx());
    match &screen.shows {
        Shows::Instruction { text: words } => column(ui, |ui| {
            let heading = match screen_title(session) {
                "" => "Reader study",
                named => named,
            };
            title(ui, heading);
            text(ui, *words);
            space(ui);
            let on = button(ui, "Continue (Enter)", true).then(next);
            on.or(later(ui, false))
        }),
        Shows::Consent { text: words } => column(ui, |ui| {
            title(ui, "Consent");
            text(ui, *words);
            space(ui);
            ui.horizontal(|ui| {
                let agreed = button(ui, "I agree (Enter)", true);
                let declined = button(ui, "I do not agree", true);
                match (agreed, declined) {
                    (true, _) => Some(Act::Tell(Event::Consented)),
                    (_, true) => Some(Act::AskToLeave),
                    _ => None,
                }
            })
            .inner
            .or(later(ui, false))
        }),
        Shows::About => column(ui, |ui| {
            let told = about.ui(ui, entered).map(Act::Tell);
            told.or(later(ui, true))
        }),
        Shows::Display => {
            display.check.pass(now_s);
            column(ui, |ui| {
                let told = display.ui(ui, entered).map(Act::Tell);
                told.or(later(ui, true))
            })
        }
        Shows::Ready => column(ui, |ui| {
            title(ui, "Ready");
            text(
                ui,
                match (screen.practice, bars) {
                    (true, true) => {
                        "Practice comes first, with moving bars in place of hearts. It counts nowhere."
                    }
                    (true, false) => "Practice comes first. It counts nowhere.",
                    (false, _) => "The next clip comes when you go on.",
                },
            );
            space(ui);
            let on = button(ui, "Begin (Enter)", true).then(next);
            on.or(later(ui, true))
        }),
        Shows::Trial { .. } if is_fresh => {
            ui.vertical_centered(|ui| trial::blank(ui, &screen));
            None
        }
        Shows::Blank { .. } => {
            ui.vertical_centered(|ui| trial::blank(ui, &screen));
            None
        }
        Shows::Trial {
            clip,
            frame,
            left_ms,
            ..
        } => {
            let frame = match frame {
                Frame::At(i) => films.frame(clip, *i),
                Frame::Blank => None,
            };
            let clicked = ui.vertical_centered(|ui| trial::trial(ui, &screen, frame, *left_ms));
            click(clicked.inner)
        }
        Shows::Confidence {
            answer,
            words,
            pausing,
        } => {
            let clicked =
                ui.vertical_centered(|ui| trial::confidence(ui, &screen, *answer, words, *pausing));
            click(clicked.inner)
        }
        Shows::Break { left_ms } => column(ui, |ui| {
            title(ui, "Break");
            text(
                ui,
                format!(
                    "Block {} of {} comes next. Rest your eyes.",
                    screen.block, screen.blocks
                ),
            );
            let seconds = (left_ms / 1000.0).ceil();
            let over = *left_ms <= 0.0;
            text(
                ui,
                match over {
                    true => "Go on when you like.".to_owned(),
                    false => format!("{seconds:.0} seconds are left."),
                },
            );
            space(ui);
            button(ui, "Continue (Enter)", over).then(next)
        }),
        Shows::Paused { receipt, reopened } => column(ui, |ui| {
            title(ui, if *reopened { "Welcome back" } else { "Paused" });
            text(
                ui,
                match reopened {
                    true => "What you answered is kept. It goes on where it stopped.",
                    false => "A clip that was on screen is shown again.",
                },
            );
            receipt_of(ui, receipt);
            space(ui);
            let on = button(ui, "Continue (Enter)", true).then(next);
            on.or(later(ui, true))
        }),
        Shows::Finished {
            text: words,
            receipt,
        }
        | Shows::Withdrawn {
            text: words,
            receipt,
        } => column(ui, |ui| {
            title(
                ui,
                if session.is_complete() {
                    "Done"
                } else {
                    "Left"
                },
            );
            text(ui, *words);
            receipt_of(ui, receipt);
            quiet(ui, format!("Your answers: {}", log.display()));
            space(ui);
            button(ui, "Close (Enter)", true).then_some(Act::Close)
        }),
    }
}

fn screen_title(session: &Session) -> &str {
    &session.plan().title
}

/// The ways out: for now, and for good.
fn later(ui: &mut Ui, may_leave: bool) -> Option<Act> {
    space(ui);
    ui.horizontal(|ui| {
        let closes = aside(ui, "Stop for now (Escape)");
        let leaves = may_leave && aside(ui, "Leave the study...");
        match (closes, leaves) {
            (true, _) => Some(Act::Close),
            (_, true) => Some(Act::AskToLeave),
            _ => None,
        }
    })
    .inner
}

fn receipt_of(ui: &mut Ui, receipt: &str) {
    space(ui);
    quiet(ui, "Receipt, for whoever asked you to read:");
    ui.horizontal(|ui| {
        ui.label(RichText::new(receipt).monospace().size(18.0));
        if aside(ui, "Copy") {
            ui.ctx().copy_text(receipt.to_owned());
        }
    });
}
