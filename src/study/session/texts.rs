//! What readers are told where the plan has no words of its own.

use crate::study::plan::Plan;
use std::borrow::Cow;

/// Before the first trial.
pub fn instruction(plan: &Plan) -> Cow<'_, str> {
    let own = &plan.texts.instruction;
    if !own.is_empty() {
        return Cow::Borrowed(own);
    }
    let mut text = "You will be shown moving pictures of hearts, one at a time, each again and again. Some were \
         recorded, some were made by a program. Decide for each whether it is real or fake: with the keys R \
         and F, with the arrow towards the word, or with the button."
        .to_owned();
    if plan.answer.confidence > 0 {
        let steps = plan.answer.confidence;
        text += &format!(" Then say how sure you are, from 1 to {steps}.");
    }
    match plan.answer.time_limit_s {
        Some(limit) => text += &format!(" Each picture is there for {limit} seconds at most."),
        None => text += " Take the time that you need.",
    }
    if plan.prior_told {
        let percent = plan.shares.real * 100.0;
        text += &format!(" Of all pictures {percent:.0} % are real.");
    }
    text += " An answer cannot be changed, and you will not be told whether it was right. Escape pauses.";
    Cow::Owned(text)
}

/// What a reader consents to.
pub fn consent(plan: &Plan) -> &str {
    match plan.texts.consent.as_str() {
        "" => {
            "Your answers and the time they take are written to a file on this computer, without your name. \
             What you say of your role, your experience and your screen is written there, too. The file is \
             for this study. You may pause at any time, and you may leave the study at any time: then your \
             answers are in no result. Do you agree to take part?"
        }
        own => own,
    }
}

/// After the last trial.
pub fn debrief(plan: &Plan) -> &str {
    match plan.texts.debrief.as_str() {
        "" => {
            "That was the last one. Thank you. Please give the receipt below to whoever asked you to read."
        }
        own => own,
    }
}

/// To a reader who left.
pub const LEFT: &str = "You have left the study. Your answers are in no result.";

/// The words of a scale of confidence with so many steps; none where the plan asks for none.
pub fn confidence(steps: u8) -> &'static [&'static str] {
    match steps {
        2 => &["unsure", "sure"],
        3 => &["unsure", "fairly sure", "sure"],
        4 => &["a guess", "unsure", "sure", "certain"],
        5 => &["a guess", "unsure", "fairly sure", "sure", "certain"],
        6 => &[
            "a guess",
            "very unsure",
            "unsure",
            "sure",
            "very sure",
            "certain",
        ],
        7 => &[
            "a guess",
            "very unsure",
            "unsure",
            "fairly sure",
            "sure",
            "very sure",
            "certain",
        ],
        8 => &[
            "a guess",
            "very unsure",
            "unsure",
            "rather unsure",
            "rather sure",
            "sure",
            "very sure",
            "certain",
        ],
        9 => &[
            "a guess",
            "very unsure",
            "unsure",
            "rather unsure",
            "in between",
            "rather sure",
            "sure",
            "very sure",
            "certain",
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::plan;
    use std::collections::BTreeSet;

    #[test]
    fn every_step_has_a_word_of_its_own() {
        for steps in 2..=9 {
            let words = confidence(steps);
            assert_eq!(words.len(), usize::from(steps));
            assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
        }
        assert!(confidence(0).is_empty());
    }

    #[test]
    fn readers_are_told_what_the_plan_says() {
        let mut plan = plan();
        let told = instruction(&plan).into_owned();
        assert!(
            told.contains("from 1 to 5") && !told.contains('%'),
            "{told}"
        );
        plan.prior_told = true;
        plan.answer.time_limit_s = Some(7.5);
        plan.answer.confidence = 0;
        let told = instruction(&plan).into_owned();
        assert!(
            told.contains("50 % are real") && told.contains("7.5 seconds"),
            "{told}"
        );
        assert!(!told.contains("how sure"), "{told}");
        plan.texts.instruction = "Look.".into();
        plan.texts.consent = "Agree?".into();
        plan.texts.debrief = "Thanks.".into();
        assert_eq!(instruction(&plan), "Look.");
        assert_eq!((consent(&plan), debrief(&plan)), ("Agree?", "Thanks."));
    }
}
