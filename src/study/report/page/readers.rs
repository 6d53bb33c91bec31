//! Each reader: accuracy, signal detection, ROC points, the course of the session, and who they are.

use super::dots::{Dots, Row};
use super::draw::Unit;
use super::parts::{figure, long_table, number_cell, or_none, percent_cell, percent_row};
use super::{blocks, roc};
use crate::study::record::PresentedBy;
use crate::study::report::words::{count, list, number_or_none, whole_percent};
use crate::study::report::{Estimate, ReaderFigures, Report, Study};
use maud::{Markup, html};

pub fn readers(report: &Report, study: &Study) -> Markup {
    let level = whole_percent(study.plan.analysis.level);
    html! {
        section {
            h2 { "Each reader" }
            (figure(
                picture(report),
                "Balanced accuracy of each reader.",
                &format!("{level} intervals with the clips random (from Wilson’s of sensitivity and \
                 specificity). They say how sure the figure of this reader is, not how readers differ. \
                 All readers: readers and clips random."),
            ))
            (accuracy(report, &level))
            (detection(report, &level))
            @if report.by_reader.iter().any(|r| !r.roc.is_empty()) {
                (figure(
                    roc::draw(&report.by_reader),
                    "ROC points of each reader.",
                    "Small rings: every step of the rating. Full dot: the answers themselves. Gray: the \
                     other readers. Broken line: chance.",
                ))
            }
            @if blocks::pooled(&report.by_reader).len() > 1 {
                h3 { "In the course of the session" }
                (figure(
                    blocks::draw(&report.by_reader, study.plan.analysis.level),
                    "Right answers by block.",
                    &format!("Large dots: all readers together, with Wilson’s {level} intervals as if \
                     all trials were independent. Gray: each reader. Classes are in random order, so \
                     their shares vary from block to block."),
                ))
            }
        }
    }
}

fn picture(report: &Report) -> Markup {
    let row = |r: &ReaderFigures| {
        percent_row(
            &r.reader,
            count(r.answered as usize, "answer"),
            r.balanced_accuracy,
        )
    };
    let mut rows: Vec<Row> = report.by_reader.iter().map(row).collect();
    if rows.len() > 1 {
        let all = &report.balanced_accuracy;
        let all = Estimate {
            value: all.value,
            low: all.low,
            high: all.high,
        };
        rows.push(Row {
            colour: "all",
            ..percent_row("All readers", String::new(), all)
        });
    }
    Dots {
        rows,
        unit: Unit::Percent,
        shares: true,
        name: "Balanced accuracy, %",
        lines: vec![(0.5, "chance")],
        band: None,
        what: "Balanced accuracy of each reader, with intervals",
    }
    .draw()
}

fn accuracy(report: &Report, level: &str) -> Markup {
    let caption = format!(
        "Right answers of each reader. {level} intervals: Wilson’s; of balanced accuracy from both."
    );
    let heads = [
        "Reader",
        "Answers",
        "No answer",
        "Right",
        "Accuracy",
        "Sensitivity",
        "Specificity",
        "Balanced",
    ];
    long_table(
        report.by_reader.len(),
        &caption,
        &heads,
        html! {
            @for r in &report.by_reader {
                tr {
                    th scope="row" { (r.reader) }
                    td { (r.answered) }
                    td { (r.missing) }
                    td { (r.correct) }
                    (percent_cell(Estimate { value: r.accuracy, low: r.wilson_low, high: r.wilson_high }))
                    (percent_cell(r.sensitivity))
                    (percent_cell(r.specificity))
                    (percent_cell(r.balanced_accuracy))
                }
            }
        },
    )
}

fn detection(report: &Report, level: &str) -> Markup {
    let d = &report.d_prime;
    let caption = format!(
        "Signal detection, fake as the signal: d′ 0 is chance; a criterion above 0 leans to real. AUC of \
         the ratings with DeLong’s interval. {level} intervals."
    );
    let mean = Estimate {
        value: d.value,
        low: d.low,
        high: d.high,
    };
    long_table(
        report.by_reader.len(),
        &caption,
        &["Reader", "d′", "Criterion", "AUC", "Median response, s"],
        html! {
            @for r in &report.by_reader {
                tr {
                    th scope="row" { (r.reader) }
                    (number_cell(r.d_prime, 2))
                    (number_cell(r.criterion, 2))
                    (number_cell(r.auc, 3))
                    td { (number_or_none(r.median_response_s, 1)) }
                }
            }
            @if report.by_reader.len() > 1 {
                tr class="sum" {
                    th scope="row" { "Mean of readers" }
                    (number_cell(mean, 2))
                    td { (number_or_none(d.criterion, 2)) }
                    (number_cell(Estimate { value: report.auc.value, low: report.auc.low, high: report.auc.high }, 3))
                    td { "–" }
                }
                tr {
                    th scope="row" { "All answers thrown together" }
                    td { (number_or_none(d.pooled, 2)) }
                    td { "–" }
                    td { "–" }
                    td { "–" }
                }
            }
        },
    )
}

/// Who they are and what they read with.
pub fn about(study: &Study) -> Markup {
    let logs = study.plan.readers.iter();
    let logs = logs.filter_map(|r| study.readers.iter().find(|about| about.reader == r.reader));
    let yes = |yes: Option<bool>| match yes {
        Some(true) => "yes",
        Some(false) => "no",
        None => "–",
    };
    let heads = [
        "Reader",
        "Role",
        "Years",
        "Glasses",
        "Read in",
        "Display, Hz",
        "Program",
        "Log",
        "Receipt",
    ];
    html! {
        section {
            h2 { "Readers and their logs" }
            table class="words" {
                caption { "In the readers’ own words. The receipt is of the log’s last line." }
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody {
                    @for log in logs {
                        @let programs: Vec<&str> = log.programs.iter().map(String::as_str).collect();
                        tr {
                            th scope="row" { (log.reader) }
                            td { (or_none(&log.role)) }
                            td { (number_or_none(log.years, 0)) }
                            td { (yes(log.glasses)) }
                            td { @match log.presentation {
                                PresentedBy::Window => "window",
                                PresentedBy::Script => "script",
                            } }
                            td { (number_or_none(hertz(log.period_ms), 0)) }
                            td { (or_none(&list(&programs))) }
                            td { @if log.withdrawn { "withdrawn" } @else if log.complete { "complete" } @else { "incomplete" } }
                            td { code { (log.receipt) } }
                        }
                    }
                }
            }
        }
    }
}

fn hertz(period_ms: Option<f64>) -> Option<f64> {
    period_ms
        .filter(|ms| *ms > 0.0 && ms.is_finite())
        .map(|ms| 1000.0 / ms)
}
