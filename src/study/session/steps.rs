//! From one stage to the next.

use super::{
    About, BLANK_MS, Control, Event, Given, OnScreen, Press, Session, SessionError, Stage,
};
use super::{loops_at, texts};
use crate::study::plan::{Resume, Side};
use crate::study::record::{Answer, Input, PresentedBy, What};
use crate::study::stamp::{Stamp, tenths};

/// Letters of a role.
const LONGEST_ROLE: usize = 200;

type Done = Result<(), SessionError>;

impl Session {
    /// Something happened. What means nothing on this screen is ignored.
    ///
    /// # Errors
    /// When the log cannot be written. Then the screen stays what it was, and the session has to be opened
    /// again.
    pub fn take(&mut self, event: Event, at: Stamp) -> Done {
        let at = self.not_before(at);
        self.time(at)?;
        match event {
            Event::Tick => Ok(()),
            Event::Key(control, Press::Down) => {
                // One that is down since before counts no more than once.
                if self.held.insert(control) && self.by == PresentedBy::Window {
                    return self.control(control, Input::Key, at);
                }
                Ok(())
            }
            Event::Key(_, Press::Repeat) => Ok(()),
            Event::Key(control, Press::Up) => {
                self.held.remove(&control);
                Ok(())
            }
            Event::Click(control) if self.by == PresentedBy::Window => {
                self.control(control, Input::Pointer, at)
            }
            Event::Script(control) if self.by == PresentedBy::Script => {
                self.control(control, Input::Script, at)
            }
            Event::Click(_) | Event::Script(_) => Ok(()),
            Event::Unfocused => {
                self.held.clear();
                Ok(())
            }
            Event::Consented if matches!(self.stage, Stage::Consent) => {
                let text_sha256 = crate::hash::sha256(texts::consent(&self.plan).as_bytes());
                self.write(What::Consent { text_sha256 }, at)?;
                self.consented = true;
                self.prepare();
                Ok(())
            }
            Event::Declined if matches!(self.stage, Stage::Consent) => self.withdraw(at),
            Event::About(about) if matches!(self.stage, Stage::About) => {
                self.write(told(about), at)?;
                self.told_about = true;
                self.prepare();
                Ok(())
            }
            Event::Display(found) if matches!(self.stage, Stage::Display) => {
                let line = What::Display {
                    dark_seen: found.dark_seen,
                    bright_seen: found.bright_seen,
                    millimetres_a_point: found.millimetres_a_point.filter(|n| n.is_finite()),
                    room: found.room,
                    period_ms: found.period_ms.filter(|n| n.is_finite()),
                    late_passes: found.late_passes,
                };
                self.write(line, at)?;
                self.checked = true;
                self.prepare();
                Ok(())
            }
            Event::Loaded(clip) => {
                let is_it = self.next().is_some_and(|trial| trial.clip == clip);
                if let Stage::Blank { loaded, .. } = &mut self.stage {
                    *loaded |= is_it;
                }
                self.time(at)
            }
            Event::Painted { late } => {
                if let Stage::Trial(trial) = &mut self.stage {
                    trial.onset_ms.get_or_insert(at.mono_ms);
                    trial.passes += 1;
                    trial.late_passes += usize::from(late);
                }
                Ok(())
            }
            Event::Consented | Event::Declined | Event::About(_) | Event::Display(_) => Ok(()),
        }
    }

    /// What time alone does: a clip comes, or its limit passes.
    fn time(&mut self, at: Stamp) -> Done {
        match self.stage {
            Stage::Blank { since_ms, loaded } if loaded && at.mono_ms - since_ms >= BLANK_MS => {
                self.show(at)
            }
            Stage::Trial(trial) => {
                let Some(limit_s) = self.plan.answer.time_limit_s else {
                    return Ok(());
                };
                let limit_ms = limit_s * 1000.0;
                if trial.onset_ms.is_some() && trial.elapsed_ms(at.mono_ms) >= limit_ms {
                    return self.answer(trial, None, Input::Limit, limit_ms, None, at);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The clip may be painted when this returns.
    fn show(&mut self, at: Stamp) -> Done {
        let Some(trial) = self.next().cloned() else {
            return Ok(());
        };
        let place = trial.trial - 1;
        let attempt = self.shown.get(place).map_or(1, |shown| shown + 1);
        let line = What::Show {
            trial: trial.trial,
            clip: trial.clip,
            attempt,
        };
        self.write(line, at)?;
        if let Some(shown) = self.shown.get_mut(place) {
            *shown = attempt;
        }
        self.stage = Stage::Trial(OnScreen {
            attempt,
            onset_ms: None,
            passes: 0,
            late_passes: 0,
        });
        Ok(())
    }

    fn control(&mut self, control: Control, input: Input, at: Stamp) -> Done {
        if self.is_over() {
            return Ok(());
        }
        if control == Control::Withdraw {
            return self.withdraw(at);
        }
        match self.stage {
            Stage::Instruction if control == Control::Next => {
                self.instructed = true;
                self.prepare();
                Ok(())
            }
            Stage::Paused { reopened } if control == Control::Next => self.go_on(reopened, at),
            Stage::Ready if control == Control::Next => {
                self.blank(at);
                Ok(())
            }
            Stage::Break { until_ms } if control == Control::Next && at.mono_ms >= until_ms => {
                self.blank(at);
                Ok(())
            }
            Stage::Ready | Stage::Blank { .. } | Stage::Break { .. } | Stage::Trial(_)
                if control == Control::Pause =>
            {
                self.pause(at)
            }
            Stage::Confidence(_) if control == Control::Pause => {
                self.pausing = true;
                Ok(())
            }
            Stage::Trial(trial) if self.takes_answers(&trial, at.mono_ms) => {
                if control == Control::NoAnswer && input == Input::Script {
                    let rt_ms = trial.elapsed_ms(at.mono_ms);
                    return self.answer(trial, None, input, rt_ms, None, at);
                }
                let Some(answer) = self.answer_of(control) else {
                    return Ok(());
                };
                let given = Given {
                    on_screen: trial,
                    answer,
                    input,
                    at_ms: at.mono_ms,
                };
                if self.plan.answer.confidence > 0 {
                    self.stage = Stage::Confidence(given);
                    return Ok(());
                }
                self.sure(given, None, at)
            }
            Stage::Confidence(given) => match control {
                Control::Sure(step) if (1..=self.plan.answer.confidence).contains(&step) => {
                    self.sure(given, Some(step), at)
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn answer_of(&self, control: Control) -> Option<Answer> {
        let side = match control {
            Control::Real => return Some(Answer::Real),
            Control::Fake => return Some(Answer::Fake),
            Control::Left => Side::Left,
            Control::Right => Side::Right,
            _ => return None,
        };
        let is_real = self.reading()?.real_side == side;
        Some(if is_real { Answer::Real } else { Answer::Fake })
    }

    fn sure(&mut self, given: Given, confidence: Option<u8>, at: Stamp) -> Done {
        let rt_ms = given.on_screen.elapsed_ms(given.at_ms);
        let sure = confidence.map(|step| (step, at.mono_ms - given.at_ms));
        let answer = Some(given.answer);
        self.answer(given.on_screen, answer, given.input, rt_ms, sure, at)
    }

    fn answer(
        &mut self,
        shown: OnScreen,
        answer: Option<Answer>,
        input: Input,
        rt_ms: f64,
        confidence: Option<(u8, f64)>,
        at: Stamp,
    ) -> Done {
        let Some(trial) = self.next().cloned() else {
            return Ok(());
        };
        let line = What::Answer {
            trial: trial.trial,
            clip: trial.clip,
            attempt: shown.attempt,
            answer,
            confidence: confidence.map(|(step, _)| step),
            rt_ms: tenths(rt_ms),
            confidence_ms: confidence.map(|(_, ms)| tenths(ms)),
            loops: loops_at(rt_ms, &self.plan.presentation),
            passes: shown.passes,
            late_passes: shown.late_passes,
            input,
        };
        self.write(line, at)?;
        if let Some(answered) = self.answered.get_mut(trial.trial - 1) {
            *answered = true;
        }
        let Some(next) = self.next().map(|next| next.block) else {
            return self.finish(at);
        };
        self.blank(at);
        if std::mem::take(&mut self.pausing) {
            return self.pause(at);
        }
        if next == trial.block {
            return Ok(());
        }
        if trial.block == 0 {
            self.stage = Stage::Ready;
            return Ok(());
        }
        self.write(What::Break { block: trial.block }, at)?;
        let break_ms = f64::from(self.plan.session.break_s) * 1000.0;
        self.stage = Stage::Break {
            until_ms: at.mono_ms + break_ms,
        };
        Ok(())
    }

    fn blank(&mut self, at: Stamp) {
        self.stage = Stage::Blank {
            since_ms: at.mono_ms,
            loaded: false,
        };
    }

    fn pause(&mut self, at: Stamp) -> Done {
        self.write(What::Pause, at)?;
        self.stage = Stage::Paused { reopened: false };
        Ok(())
    }

    fn go_on(&mut self, reopened: bool, at: Stamp) -> Done {
        if !reopened {
            self.write(What::Resume, at)?;
        }
        let anew = self.plan.session.resume == Resume::Block;
        if anew {
            self.checked = false;
        }
        self.instructed = !anew;
        if reopened || anew {
            self.prepare();
        } else {
            self.blank(at);
        }
        Ok(())
    }

    /// What still comes before trials.
    fn prepare(&mut self) {
        self.stage = if !self.instructed {
            Stage::Instruction
        } else if !self.consented {
            Stage::Consent
        } else if !self.told_about {
            Stage::About
        } else if !self.checked {
            Stage::Display
        } else {
            Stage::Ready
        };
    }

    fn withdraw(&mut self, at: Stamp) -> Done {
        self.write(What::Withdraw, at)?;
        self.stage = Stage::Withdrawn;
        Ok(())
    }
}

fn told(about: About) -> What {
    What::About {
        role: about.role.trim().chars().take(LONGEST_ROLE).collect(),
        years: about.years.filter(|years| (0.0..=100.0).contains(years)),
        glasses: about.glasses,
    }
}
