//! Right answers by class, the counts behind them, and confidence.

use super::dots::{Dots, Row};
use super::draw::Unit;
use super::parts::{cell, figure, number_cell, percent_row, rated, read, table};
use super::ratings;
use crate::study::report::words::{
    class, count, number_or_none, percent_or_none, percent_range, range, whole_percent,
};
use crate::study::report::{ClassFigures, Estimate, Report, Study};
use maud::{Markup, html};

pub fn accuracy(report: &Report, study: &Study) -> Markup {
    let level = whole_percent(study.plan.analysis.level);
    let classes = read(report);
    html! {
        section {
            h2 { "Right answers by class" }
            (figure(
                picture(report, &classes),
                "Right answers by class.",
                &format!("Thin line: {level} interval, readers and clips random. Thick line: Wilson’s, \
                 as if all trials were independent, which is too narrow where readers differ or share \
                 clips."),
            ))
            (by_class(report, &classes, &level))
            (counts(report, &classes))
            div class="pair" {
                (against_real(&classes, &level, rated(report)))
                (differences(&classes, &level))
            }
            @if rated(report) {
                h3 { "Confidence" }
                (figure(
                    ratings::draw(&classes),
                    "Confidence by class.",
                    "From 1, a guess, to the highest step, certain; pale bars said real, full bars said \
                     fake. Where classes look alike to readers their pictures look alike here.",
                ))
            }
        }
    }
}

fn picture(report: &Report, classes: &[&ClassFigures]) -> Markup {
    let row = |c: &&ClassFigures| {
        let estimate = Estimate {
            value: c.accuracy,
            low: c.low,
            high: c.high,
        };
        Row {
            colour: c.class.name(),
            broad: c.wilson_low.zip(c.wilson_high),
            ..percent_row(class(c.class), count(c.n as usize, "answer"), estimate)
        }
    };
    let mut rows: Vec<Row> = classes.iter().map(row).collect();
    let overall = &report.overall;
    let all = Estimate {
        value: overall.accuracy,
        low: None,
        high: None,
    };
    rows.push(Row {
        broad: overall.wilson_low.zip(overall.wilson_high),
        ..percent_row("All", count(overall.n as usize, "answer"), all)
    });
    let always = overall
        .always_fake
        .map(|share| (share, "always “fake”, of all"));
    Dots {
        rows,
        unit: Unit::Percent,
        shares: true,
        name: "Right answers, %",
        lines: always.into_iter().collect(),
        band: None,
        what: "Right answers by class, with intervals",
    }
    .draw()
}

fn by_class(report: &Report, classes: &[&ClassFigures], level: &str) -> Markup {
    let overall = &report.overall;
    let caption = format!(
        "Right answers by class. {level} intervals. The last line, and Wilson’s intervals, stand here \
         beside published figures: they hold if all trials were independent."
    );
    let heads = [
        "Class",
        "Answers",
        "Right",
        "Accuracy",
        "Readers and clips random",
        "df",
        "If independent",
    ];
    table(
        &caption,
        &heads,
        html! {
            @for c in classes {
                tr {
                    th scope="row" { (class(c.class)) }
                    td { (c.n) }
                    td { (c.correct) }
                    td { (percent_or_none(c.accuracy)) }
                    td { (percent_range(c.low, c.high).unwrap_or_else(|| "–".to_owned())) }
                    td { (number_or_none(c.df, 1)) }
                    td { (percent_range(c.wilson_low, c.wilson_high).unwrap_or_else(|| "–".to_owned())) }
                }
            }
            tr class="sum" {
                th scope="row" { "All" }
                td { (overall.n) }
                td { (overall.correct) }
                td { (percent_or_none(overall.accuracy)) }
                td { "–" }
                td { "–" }
                td { (percent_range(overall.wilson_low, overall.wilson_high).unwrap_or_else(|| "–".to_owned())) }
            }
            tr {
                th scope="row" { "Always “fake”" }
                td { (overall.n) }
                td { (report.by_class.iter().filter(|c| c.class.is_fake()).map(|c| c.n).sum::<u64>()) }
                td { (percent_or_none(overall.always_fake)) }
                td { "–" }
                td { "–" }
                td { "–" }
            }
        },
    )
}

fn counts(report: &Report, classes: &[&ClassFigures]) -> Markup {
    let fake = |c: &ClassFigures| {
        if c.class.is_fake() {
            c.correct
        } else {
            c.n - c.correct
        }
    };
    let caption = format!(
        "Answers by class. Sensitivity, the share of generated clips called fake, is {}; specificity, \
         the share of real clips called real, is {}.",
        percent_or_none(report.sensitivity),
        percent_or_none(report.specificity)
    );
    table(
        &caption,
        &["Class", "Said real", "Said fake", "No answer", "Clips"],
        html! {
            @for c in classes {
                tr {
                    th scope="row" { (class(c.class)) }
                    td { (c.n.saturating_sub(fake(c))) }
                    td { (fake(c)) }
                    td { (c.missing) }
                    td { (c.clips) }
                }
            }
        },
    )
}

fn against_real(classes: &[&ClassFigures], level: &str, rated: bool) -> Markup {
    let fakes: Vec<_> = classes.iter().filter(|c| c.auc.is_some()).collect();
    // Of answers the area is the balanced accuracy.
    let (what, measure) = if rated {
        ("Ratings", "AUC")
    } else {
        ("Answers", "Balanced accuracy")
    };
    let caption = format!(
        "{what} of each generated class against the real clips. {level} intervals, readers and clips random."
    );
    html! {
        @if fakes.len() > 1 {
            (table(&caption, &["Class", measure], html! {
                @for c in &fakes {
                    tr {
                        th scope="row" { (class(c.class)) }
                        @if rated {
                            (cell(&number_or_none(c.auc, 3), range(c.auc_low, c.auc_high, 3)))
                        } @else {
                            (cell(&percent_or_none(c.auc), percent_range(c.auc_low, c.auc_high)))
                        }
                    }
                }
            }))
        }
    }
}

/// In percentage points.
fn points(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> Markup {
    let hundred = |share: f64| 100.0 * share;
    let estimate = Estimate {
        value: value.map(hundred),
        low: low.map(hundred),
        high: high.map(hundred),
    };
    number_cell(estimate, 1)
}

fn differences(classes: &[&ClassFigures], level: &str) -> Markup {
    let all = classes
        .iter()
        .flat_map(|c| c.differences.iter().map(move |d| (c.class, d)));
    let all: Vec<_> = all.filter(|(_, d)| d.value.is_some()).collect();
    let caption = format!(
        "Differences in accuracy between classes, with Newcombe’s {level} intervals, as if all trials were independent."
    );
    html! {
        @if !all.is_empty() {
            (table(&caption, &["Classes", "Difference, percentage points"], html! {
                @for (from, d) in &all {
                    tr {
                        th scope="row" { (class(*from)) " less " (d.minus.name()) }
                        (points(d.value, d.low, d.high))
                    }
                }
            }))
        }
    }
}
