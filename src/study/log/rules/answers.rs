//! Whether an answer can be: to what was on screen, as the plan asks, in the time there was.

use super::{Rules, Wrong, wrong};
use crate::study::log::Answered;
use crate::study::record::{Answer, Input, Line, PresentedBy, What};

/// Milliseconds by which times of one line may not fit, since each is written to a tenth.
const ROUNDED_MS: f64 = 1.0;

impl Rules<'_> {
    pub(super) fn answer(&mut self, number: usize, line: &Line) -> Wrong {
        let What::Answer {
            trial,
            clip,
            attempt,
            answer,
            confidence,
            rt_ms,
            confidence_ms,
            loops,
            passes,
            late_passes,
            input,
        } = &line.what
        else {
            return Ok(());
        };
        let place = trial.checked_sub(1);
        let planned = place.and_then(|place| self.trials.get(place));
        let (Some(place), Some(planned)) = (place, planned) else {
            return wrong("the plan has no such trial for this reader");
        };
        if planned.clip != *clip {
            return wrong("the answer is to another clip than the plan has in this trial");
        }
        let Some(slot) = self.answers.get_mut(place) else {
            return Ok(());
        };
        if slot.is_some() {
            return wrong("this trial was answered before; the first answer counts");
        }
        *slot = Some(Answered {
            trial: *trial,
            clip: clip.clone(),
            kind: planned.kind,
            attempt: *attempt,
            run: self.runs.len().saturating_sub(1),
            answer: *answer,
            confidence: *confidence,
            rt_ms: *rt_ms,
            confidence_ms: *confidence_ms,
            loops: *loops,
            passes: *passes,
            late_passes: *late_passes,
            input: *input,
            line: number,
        });
        let shown = self.clip.take();
        let shown = shown.filter(|s| (s.place, s.attempt) == (place, *attempt));
        let Some(shown) = shown else {
            return wrong("an answer was given to a trial that was not on screen");
        };
        if *late_passes > *passes {
            return wrong("more passes were late than there were");
        }
        let by_script = self.runs.last().map(|run| run.presentation) == Some(PresentedBy::Script);
        self.given(*answer, *confidence, *input, by_script)?;
        self.took(
            *answer,
            *confidence,
            *rt_ms,
            *confidence_ms,
            line.mono_ms - shown.mono_ms,
        )
    }

    /// Whether the plan lets this be answered, in this way.
    fn given(
        &self,
        answer: Option<Answer>,
        confidence: Option<u8>,
        input: Input,
        by_script: bool,
    ) -> Wrong {
        let plan = &self.plan.answer;
        let by_input = match input {
            Input::Key | Input::Pointer => !by_script && answer.is_some(),
            Input::Script => by_script,
            Input::Limit => answer.is_none() && plan.time_limit_s.is_some(),
        };
        if !by_input {
            return wrong("nothing that gives an answer gave this one");
        }
        let steps = 1..=plan.confidence;
        let asked = answer.is_some() && plan.confidence > 0;
        let in_range = match confidence {
            Some(step) => asked && steps.contains(&step),
            None => !asked,
        };
        if in_range {
            Ok(())
        } else {
            wrong("the confidence is none of the plan's")
        }
    }

    /// Whether it can have taken so long, since the clip was shown so long before.
    fn took(
        &self,
        answer: Option<Answer>,
        confidence: Option<u8>,
        rt_ms: f64,
        confidence_ms: Option<f64>,
        since_ms: f64,
    ) -> Wrong {
        let plan = &self.plan.answer;
        if confidence.is_some() != confidence_ms.is_some() {
            return wrong("the confidence has no time, or a time has no confidence");
        }
        let sure_ms = confidence_ms.unwrap_or(0.0);
        let times = [rt_ms, sure_ms];
        if !times.iter().all(|ms| (0.0..1e12).contains(ms)) {
            return wrong("the times of this answer are none");
        }
        if rt_ms + sure_ms > since_ms + ROUNDED_MS {
            return wrong("the answer took longer than the clip was there");
        }
        let least = f64::from(plan.min_view_ms);
        if answer.is_some() && rt_ms + ROUNDED_MS < least {
            return wrong("the answer came before answers are taken");
        }
        // A pass late, a tick late: the limit is looked at only so often.
        let most = plan.time_limit_s.map(|s| s * 1000.0 + ROUNDED_MS);
        if answer.is_some() && most.is_some_and(|most| rt_ms > most) {
            return wrong("the answer came after the time limit");
        }
        Ok(())
    }
}
