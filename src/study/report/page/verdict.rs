//! What the study says of chance, in words and in one picture.

use super::dots::{Dots, Row};
use super::draw::Unit;
use super::parts::{figure, number_row, percent_row, rated};
use crate::study::plan::Primary;
use crate::study::report::primary::{CHANCE, equivalence_level};
use crate::study::report::words::{
    count, number, number_or_none, percent_or_none, percent_range, range, whole_percent,
};
use crate::study::report::{Averaged, Estimate, Report, Study, Verdict};
use maud::{Markup, html};

pub fn verdict(report: &Report, study: &Study) -> Markup {
    html! {
        section class="verdict" {
            p class="said" { (said(report)) }
            p { (why(report, study)) }
        }
        (tiles(report, study))
        (picture(report, study))
    }
}

pub fn warnings(report: &Report) -> Markup {
    html! {
        @if !report.warnings.is_empty() {
            section class="notes" {
                h3 { "To keep in mind" }
                ul { @for warning in &report.warnings { li { (warning) } } }
            }
        }
    }
}

/// The verdict as a heading.
pub fn said(report: &Report) -> String {
    let who = if report.readers == 1 {
        "The reader"
    } else {
        "The readers"
    };
    match report.verdict {
        Verdict::Better => {
            format!("{who} told generated clips from real ones better than chance.")
        }
        Verdict::BetterWithin => format!(
            "{who} told generated clips from real ones better than chance, yet so little better that it \
             is equivalent to chance within the planned margin."
        ),
        Verdict::Worse => format!(
            "{who} told generated clips from real ones worse than chance: they took one for the other \
             more often than not."
        ),
        Verdict::WorseWithin => format!(
            "{who} told generated clips from real ones worse than chance, yet so little worse that it is \
             equivalent to chance within the planned margin."
        ),
        Verdict::Equivalent => {
            "Telling generated clips from real ones was equivalent to chance within the planned margin."
                .to_owned()
        }
        Verdict::Undecided => {
            "Undecided whether generated clips can be told from real ones.".to_owned()
        }
    }
}

fn measure(study: &Study) -> &'static str {
    match study.plan.analysis.primary {
        Primary::BalancedAccuracy => "Balanced accuracy",
        Primary::Auc => "The area under the ROC curve (AUC)",
    }
}

pub fn primary<'r>(report: &'r Report, study: &Study) -> &'r Averaged {
    match study.plan.analysis.primary {
        Primary::BalancedAccuracy => &report.balanced_accuracy,
        Primary::Auc => &report.auc,
    }
}

/// The sentence under the heading: numbers, and the rule that they were held to.
pub fn why(report: &Report, study: &Study) -> String {
    let analysis = &study.plan.analysis;
    let found = primary(report, study);
    let name = measure(study);
    let level = whole_percent(analysis.level);
    let narrow = whole_percent(equivalence_level(analysis.level));
    let share = analysis.primary == Primary::BalancedAccuracy;
    let number = |value| {
        if share {
            percent_or_none(value)
        } else {
            number_or_none(value, 3)
        }
    };
    let between = |low, high| {
        if share {
            percent_range(low, high)
        } else {
            range(low, high, 3)
        }
    };
    let chance = if share {
        whole_percent(CHANCE)
    } else {
        CHANCE.to_string()
    };
    if found.value.is_none() {
        return format!(
            "{name} is not defined: no reader answered both on a real and on a generated clip."
        );
    }
    let value = number(found.value);
    let margin = analysis.equivalence_margin;
    let margin = between(Some(CHANCE - margin), Some(CHANCE + margin)).unwrap_or_default();
    let wide = between(found.low, found.high);
    let inside = between(found.equivalence_low, found.equivalence_high);
    let Some((wide, inside)) = wide.zip(inside) else {
        let because = if report.readers == 1 {
            "One reader does not show how readers differ"
        } else {
            "The answers vary too little, or are too few, to estimate one"
        };
        return format!(
            "{name} is {value}, where {chance} is chance. It has no interval. {because}."
        );
    };
    let start = format!("{name} is {value} ({level} interval {wide}), where {chance} is chance.");
    match report.verdict {
        Verdict::Better | Verdict::Worse => {
            format!("{start} The interval, over readers and clips, does not hold {chance}.")
        }
        Verdict::BetterWithin | Verdict::WorseWithin => format!(
            "{start} That interval does not hold {chance}, and the {narrow} interval ({inside}) lies \
             inside the planned margin of {margin}."
        ),
        Verdict::Equivalent => format!(
            "{start} The {narrow} interval, over readers and clips ({inside}), lies inside the planned \
             margin of {margin}."
        ),
        Verdict::Undecided => format!(
            "{start} That interval holds {chance}, so no difference from chance is shown; and the \
             {narrow} interval ({inside}) reaches past the planned margin of {margin}, so equivalence \
             is not shown either."
        ),
    }
}

fn tiles(report: &Report, study: &Study) -> Markup {
    let level = whole_percent(study.plan.analysis.level);
    let balanced = &report.balanced_accuracy;
    let auc = &report.auc;
    let d = &report.d_prime;
    let overall = &report.overall;
    let tile = |name: &str, value: &str, under: String| {
        html! {
            div {
                dt { (name) }
                dd { div class="big" { (value) } div class="range" { (under) } }
            }
        }
    };
    let none = || "no interval".to_owned();
    html! {
        dl class="figures" {
            (tile(
                "Balanced accuracy",
                &percent_or_none(balanced.value),
                percent_range(balanced.low, balanced.high).unwrap_or_else(none),
            ))
            @if rated(report) {
                (tile("AUC of ratings", &number_or_none(auc.value, 3), range(auc.low, auc.high, 3).unwrap_or_else(none)))
            } @else {
                (tile(
                    "Sensitivity",
                    &percent_or_none(report.sensitivity),
                    format!("specificity {}", percent_or_none(report.specificity)),
                ))
            }
            (tile("d′, mean of readers", &number_or_none(d.value, 2), range(d.low, d.high, 2).unwrap_or_else(none)))
            (tile(
                "Right answers, all classes",
                &percent_or_none(overall.accuracy),
                format!("{} of {}; always “fake”: {}", overall.correct, overall.n, percent_or_none(overall.always_fake)),
            ))
        }
        p class="meta" {
            (count(report.readers, "reader")) ", " (count(report.answered, "answer")) ". Intervals are of " (level)
            ", readers and clips random."
        }
    }
}

fn picture(report: &Report, study: &Study) -> Markup {
    let analysis = &study.plan.analysis;
    let row = |label: &str, a: &Averaged, shares: bool| {
        let estimate = Estimate {
            value: a.value,
            low: a.low,
            high: a.high,
        };
        let row = if shares {
            percent_row(label, String::new(), estimate)
        } else {
            number_row(label, String::new(), estimate)
        };
        Row {
            broad: a.equivalence_low.zip(a.equivalence_high),
            ..row
        }
    };
    let margin = analysis.equivalence_margin;
    let mut rows = vec![row("Balanced accuracy", &report.balanced_accuracy, true)];
    if rated(report) {
        rows.push(row("AUC of ratings", &report.auc, false));
    }
    let dots = Dots {
        rows,
        unit: Unit::Percent,
        shares: true,
        name: if rated(report) {
            "Balanced accuracy, %; AUC × 100"
        } else {
            "Balanced accuracy, %"
        },
        lines: vec![(CHANCE, "chance")],
        band: Some((CHANCE - margin, CHANCE + margin)),
        what: "Balanced accuracy and area under the ROC curve against chance",
    };
    let caption = format!(
        "Thin line: {} interval. Thick line: {} interval; for equivalence it has to lie inside the \
         shaded margin of ± {} percentage points. Primary: {}.",
        whole_percent(analysis.level),
        whole_percent(equivalence_level(analysis.level)),
        number(100.0 * margin, 0),
        match analysis.primary {
            Primary::BalancedAccuracy => "balanced accuracy",
            Primary::Auc => "AUC",
        }
    );
    figure(dots.draw(), "Against chance.", &caption)
}
