//! Agreement of readers with each other and with themselves.

use super::parts::{long_table, number_cell, percent_cell, table};
use crate::statistics::quantile::median;
use crate::study::report::resample::DRAWS;
use crate::study::report::words::{count, number_or_none, percent_or_none, whole_percent};
use crate::study::report::{Agreement, Estimate, Pair, Report, Study};
use maud::{Markup, html};

/// More pairs are summed up.
const MOST_PAIRS: usize = 28;

pub fn agreement(report: &Report, study: &Study) -> Markup {
    let found = &report.agreement;
    let level = whole_percent(study.plan.analysis.level);
    html! {
        section {
            h2 { "Agreement" }
            @if found.clips == 0 {
                p {
                    "No clip was read by two readers, so agreement between readers is not defined. That \
                     every reader was right equally often would not be agreement: they may be right on \
                     different clips."
                }
            } @else {
                (together(found, &level))
                (pairs(found, &level))
            }
            h3 { "Repeated readings" }
            @if found.repeated.is_empty() {
                p { "No clip was answered twice by the same reader: agreement of readers with themselves is not known." }
            } @else {
                (repeated(found, &level))
            }
        }
    }
}

fn estimate(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> Estimate {
    Estimate { value, low, high }
}

fn together(a: &Agreement, level: &str) -> Markup {
    let caption = format!(
        "Agreement between readers on {} that at least two of them answered; 1 is full agreement, 0 that \
         of chance. {level} intervals by {DRAWS} resamples of clips.",
        count(a.clips, "clip")
    );
    let missing = if a.fleiss.is_none() {
        " (needs the same number of answers on every clip)"
    } else {
        ""
    };
    table(
        &caption,
        &["Measure", "Value"],
        html! {
            tr { th scope="row" { "Pairs of readers that agree" } (percent_cell(estimate(a.percent, a.percent_low, a.percent_high))) }
            tr { th scope="row" { "Fleiss’ kappa" (missing) } (number_cell(estimate(a.fleiss, a.fleiss_low, a.fleiss_high), 3)) }
            tr { th scope="row" { "Krippendorff’s alpha, nominal" } (number_cell(estimate(a.alpha, a.alpha_low, a.alpha_high), 3)) }
            tr { th scope="row" { "Gwet’s AC1" } (number_cell(estimate(a.ac1, a.ac1_low, a.ac1_high), 3)) }
        },
    )
}

fn pairs(a: &Agreement, level: &str) -> Markup {
    let of = |p: &Pair| {
        html! {
            tr {
                th scope="row" { (p.a) " and " (p.b) }
                td { (p.clips) }
                (percent_cell(estimate(p.percent, p.percent_low, p.percent_high)))
                (number_cell(estimate(p.kappa, p.kappa_low, p.kappa_high), 3))
            }
        }
    };
    let caption = format!("Every two readers. {level} intervals by {DRAWS} resamples of clips.");
    let mut kappas: Vec<f64> = a.pairs.iter().filter_map(|p| p.kappa).collect();
    kappas.sort_by(f64::total_cmp);
    html! {
        @if a.pairs.len() > MOST_PAIRS {
            p {
                "Cohen’s kappa of the " (a.pairs.len()) " pairs of readers lies between "
                (number_or_none(kappas.first().copied(), 3)) " and " (number_or_none(kappas.last().copied(), 3))
                ", with the median " (number_or_none(median(&kappas), 3))
                "; " code { "summary.json" } " has them all."
            }
        } @else if a.pairs.len() > 1 {
            (long_table(a.pairs.len(), &caption, &["Readers", "Clips", "Agree", "Cohen’s kappa"], html! {
                @for pair in &a.pairs { (of(pair)) }
            }))
        } @else if let Some(pair) = a.pairs.first() {
            p {
                "Cohen’s kappa of the two readers is " (number_or_none(pair.kappa, 3)) "; they agree on "
                (percent_or_none(pair.percent)) "."
            }
        }
    }
}

fn repeated(a: &Agreement, level: &str) -> Markup {
    let caption = format!(
        "Each reader’s first answer against that of the repeat. Repeats are in no other figure. {level} \
         intervals by {DRAWS} resamples of clips; none where all resamples are alike."
    );
    long_table(
        a.repeated.len(),
        &caption,
        &["Reader", "Clips", "Agree", "Cohen’s kappa"],
        html! {
            @for r in &a.repeated {
                tr {
                    th scope="row" { (r.reader) }
                    td { (r.clips) }
                    (percent_cell(estimate(r.percent, r.percent_low, r.percent_high)))
                    (number_cell(estimate(r.kappa, r.kappa_low, r.kappa_high), 3))
                }
            }
        },
    )
}
