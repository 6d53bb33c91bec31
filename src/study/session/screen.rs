//! What is on screen, all of it.

use super::frames::{Frame, frame_at};
use super::{Session, Stage, texts};
use crate::study::plan::{Answering, Presentation, Side};
use crate::study::record::Answer;

/// All that a window needs to paint the session.
#[derive(Clone, Debug, PartialEq)]
pub struct Screen<'a> {
    pub shows: Shows<'a>,
    /// Where the word Real is, on every screen of this reader.
    pub real_side: Side,
    /// What comes is to learn the keys, and counts nowhere.
    pub practice: bool,
    /// Of the trial that is on screen or comes next, from 1; 0 in practice.
    pub block: usize,
    /// How many there are: the only progress that is shown.
    pub blocks: usize,
    pub presentation: &'a Presentation,
    pub answering: &'a Answering,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Shows<'a> {
    /// A text; [`super::Control::Next`] goes on.
    Instruction {
        text: &'a str,
    },
    /// A text; [`super::Event::Consented`] or [`super::Event::Declined`].
    Consent {
        text: &'a str,
    },
    /// A form; [`super::Event::About`] goes on.
    About,
    /// The check of the display; [`super::Event::Display`] goes on.
    Display,
    /// Trials come next; [`super::Control::Next`] begins.
    Ready,
    /// Nothing, while the frames of this clip are made ready ([`super::Event::Loaded`]).
    Blank {
        clip: &'a str,
    },
    /// A clip, and two buttons.
    Trial {
        clip: &'a str,
        frame: Frame,
        /// Whether an answer is taken yet.
        takes_answers: bool,
        /// Until the time limit, where there is one.
        left_ms: Option<f64>,
    },
    /// The scale, without the clip.
    Confidence {
        answer: Answer,
        /// A word for each step.
        words: &'static [&'static str],
        /// The reader asked for a pause: it comes after this.
        pausing: bool,
    },
    /// A countdown; [`super::Control::Next`] goes on when it is over.
    Break {
        left_ms: f64,
    },
    /// [`super::Control::Next`] goes on.
    Paused {
        receipt: &'a str,
        /// The program was opened again.
        reopened: bool,
    },
    Finished {
        text: &'a str,
        receipt: &'a str,
    },
    Withdrawn {
        text: &'a str,
        receipt: &'a str,
    },
}

impl Session {
    /// What is on screen at this moment of the run's monotonic clock.
    pub fn screen(&self, mono_ms: f64) -> Screen<'_> {
        let plan = &self.plan;
        let next = self.next();
        let block = next.map_or(0, |trial| trial.block);
        let shows = match &self.stage {
            Stage::Instruction => Shows::Instruction {
                text: &self.instruction,
            },
            Stage::Consent => Shows::Consent {
                text: texts::consent(plan),
            },
            Stage::About => Shows::About,
            Stage::Display => Shows::Display,
            Stage::Ready => Shows::Ready,
            Stage::Blank { .. } => Shows::Blank {
                clip: next.map_or("", |trial| trial.clip.as_str()),
            },
            Stage::Trial(trial) => {
                let elapsed_ms = trial.elapsed_ms(mono_ms);
                let limit = plan.answer.time_limit_s;
                Shows::Trial {
                    clip: next.map_or("", |trial| trial.clip.as_str()),
                    frame: frame_at(elapsed_ms, &plan.presentation),
                    takes_answers: self.takes_answers(trial, mono_ms),
                    left_ms: limit.map(|s| (s * 1000.0 - elapsed_ms).max(0.0)),
                }
            }
            Stage::Confidence(given) => Shows::Confidence {
                answer: given.answer,
                words: texts::confidence(plan.answer.confidence),
                pausing: self.pausing,
            },
            Stage::Break { until_ms } => Shows::Break {
                left_ms: (until_ms - mono_ms).max(0.0),
            },
            Stage::Paused { reopened } => Shows::Paused {
                receipt: &self.receipt,
                reopened: *reopened,
            },
            Stage::Finished => Shows::Finished {
                text: texts::debrief(plan),
                receipt: &self.receipt,
            },
            Stage::Withdrawn => Shows::Withdrawn {
                text: texts::LEFT,
                receipt: &self.receipt,
            },
        };
        Screen {
            shows,
            real_side: self.reading().map_or(Side::Left, |r| r.real_side),
            practice: next.is_some() && block == 0,
            block,
            blocks: self.reading().map_or(0, |r| r.blocks()),
            presentation: &plan.presentation,
            answering: &plan.answer,
        }
    }
}
