//! `checklist.md`: items of three reporting guidelines that a reader study answers, each filled from the data or
//! marked *to be written*. The wording is ours and short; the guidelines' own stands in:
//!
//! - STARD 2015: Bossuyt PM et al. BMJ 2015;351:h5527
//! - CLAIM: Mongan J, Moy L, Kahn CE. Radiol Artif Intell 2020;2:e200029
//! - GRRAS: Kottner J et al. J Clin Epidemiol 2011;64:96-106

mod fill;

use super::words::full_title;
use super::{Report, Study};
use fill::{
    agreement, analysis, cross, estimates, flow, intended, knew, plain, process, programs, sample,
};
use std::fmt::Write as _;

const OPEN: &str = "*to be written*";

struct Item {
    number: &'static str,
    what: &'static str,
    said: String,
}

fn item(number: &'static str, what: &'static str, said: impl Into<String>) -> Item {
    let said = said.into();
    Item { number, what, said }
}

pub(super) fn checklist(report: &Report, study: &Study) -> String {
    let mut text = format!("# Reporting checklist: {}\n\n", plain(&full_title(study)));
    text += "Filled by the program from plan, key and logs; what it cannot know is marked *to be written*.\n";
    let parts = [
        ("STARD 2015", stard(report, study)),
        ("CLAIM (2020)", claim(report, study)),
        ("GRRAS", grras(report, study)),
    ];
    for (name, items) in parts {
        let _ = write!(text, "\n## {name}\n"); // writing to a String cannot fail
        for Item { number, what, said } in items {
            let _ = write!(text, "\n**{number}. {what}**\n\n{said}\n");
        }
    }
    text
}

fn stard(report: &Report, study: &Study) -> Vec<Item> {
    vec![
        item(
            "13a",
            "What the readers of the index test knew",
            knew(study),
        ),
        item(
            "13b",
            "What those who assessed the reference standard knew",
            "Nobody assessed it: a clip's class is its origin, which the key has from before the first reading.",
        ),
        item(
            "18",
            "Intended sample size and how it was determined",
            intended(report, study),
        ),
        item("19", "Flow of participants", flow(report, study)),
        item(
            "23",
            "Cross tabulation of answers by the reference standard",
            cross(report),
        ),
        item(
            "24",
            "Estimates of accuracy and their precision",
            estimates(report, study),
        ),
    ]
}

fn claim(report: &Report, study: &Study) -> Vec<Item> {
    vec![
        item(
            "14",
            "Definition of ground truth",
            "The origin of a clip: real (recorded from a patient), factual (generated at the ejection fraction \
             of its source) or counterfactual (generated at another). Fake is factual or counterfactual.",
        ),
        item(
            "15",
            "Why this reference standard",
            "It is as sure as the folders or the list that the clips came from: nobody had to judge a clip.",
        ),
        item(
            "16",
            "Source of the ground truth, qualification of annotators",
            format!(
                "The key of the study, to which the plan is bound by the SHA-256 `{}`. No annotators. Where the \
                 real clips come from: {OPEN}.",
                study.plan.key_commitment
            ),
        ),
        item(
            "17",
            "Annotation tools",
            format!(
                "None for the truth. Answers were taken by {}.",
                programs(study)
            ),
        ),
        item(
            "18",
            "Variability between and within readers",
            agreement(report),
        ),
        item(
            "19",
            "Intended sample size and how it was determined",
            intended(report, study),
        ),
    ]
}

fn grras(report: &Report, study: &Study) -> Vec<Item> {
    vec![
        item(
            "6",
            "Sample size: raters, subjects, replicates",
            intended(report, study),
        ),
        item(
            "8",
            "Measurement process: intervals, information, blinding",
            process(study),
        ),
        item(
            "9",
            "Whether ratings were independent",
            format!(
                "Each reader opened the bundle with a code of their own and saw an order of their own, without \
                 others' answers and without feedback; an answer could not be changed. Whether readers spoke \
                 with each other meanwhile: {OPEN}."
            ),
        ),
        item("10", "Statistical analysis", analysis(study)),
        item("12", "Raters and subjects", sample(report, study)),
        item(
            "13",
            "Estimates of agreement and their uncertainty",
            agreement(report),
        ),
        item("14", "Practical relevance", OPEN),
    ]
}
