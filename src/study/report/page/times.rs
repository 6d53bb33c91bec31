//! Response times, and how far they can be trusted.

use super::dots::{Dots, Row};
use super::draw::Unit;
use super::parts::{figure, table};
use crate::study::report::words::{NBSP, class, count, grouped, number, number_or_none};
use crate::study::report::{Report, ResponseTimes, Study};
use maud::{Markup, html};

/// Frames that may wait before the screen shows one.
const QUEUED: f64 = 1.0;

pub fn times(report: &Report, study: &Study) -> Markup {
    let any: Vec<&ResponseTimes> = report.response_s.iter().filter(|t| t.n > 0).collect();
    let rows = any.iter().map(|t| row(t));
    let dots = Dots {
        rows: rows.collect(),
        unit: Unit::Plain(0),
        shares: false,
        name: "Response time, s",
        lines: Vec::new(),
        band: None,
        what: "Response times by class and by whether the answer was right",
    };
    html! {
        section {
            h2 { "Response times" }
            @if any.is_empty() {
                p { "No trial was shown once and answered, so there are no response times." }
            } @else {
                (figure(dots.draw(), "Response times.", "Dot: median. Thick line: the middle half of the trials."))
                (table(
                    "Response times of all readers, in seconds: median and quartiles.",
                    &["Class", "Answer", "Trials", "Lower quartile", "Median", "Upper quartile"],
                    html! {
                        @for t in &any {
                            tr {
                                th scope="row" { (class(t.class)) }
                                td { (right(t)) }
                                td { (t.n) }
                                td { (number_or_none(t.q1, 2)) }
                                td { (number_or_none(t.median, 2)) }
                                td { (number_or_none(t.q3, 2)) }
                            }
                        }
                    },
                ))
            }
            p { (sentence(study)) }
        }
    }
}

fn right(times: &ResponseTimes) -> &'static str {
    if times.correct { "right" } else { "wrong" }
}

fn row(times: &ResponseTimes) -> Row {
    Row {
        label: format!("{}, {}", class(times.class), right(times)),
        note: count(times.n, "trial"),
        colour: times.class.name(),
        value: times.median,
        thin: None,
        broad: times.q1.zip(times.q3),
        numbers: format!("{} s", number_or_none(times.median, 1)),
    }
}

/// How far they can be off, with the numbers of the displays they were taken at.
pub fn sentence(study: &Study) -> String {
    let stayed = || study.readers.iter().filter(|about| !about.withdrawn);
    let periods = stayed().filter_map(|about| about.period_ms);
    let longest = periods
        .filter(|ms| ms.is_finite() && *ms > 0.0)
        .fold(0.0, f64::max);
    if longest <= 0.0 {
        return "No period of a display is known, so it cannot be said by how much response times are too long."
            .to_owned();
    }
    let bound = (1.0 + QUEUED + 1.0) * longest;
    let (mut passes, mut late) = (0, 0);
    for response in &study.responses {
        let name = study
            .plan
            .readers
            .get(response.reader)
            .map(|r| r.reader.as_str());
        if stayed().any(|about| Some(about.reader.as_str()) == name) {
            passes += response.passes;
            late += response.late_passes;
        }
    }
    let of_late = if passes > 0 {
        let share = number(100.0 * late as f64 / passes as f64, 2);
        format!(
            " Of {} passes of the screen {} ({share}{NBSP}%) were late, by over 1.2 periods.",
            grouped(passes),
            grouped(late)
        )
    } else {
        String::new()
    };
    format!(
        "The program knows neither when light left the screen nor when a key went down. Response times \
         are too long by at most (1 + {} + 1) display periods, {} ms at {} Hz, plus the delays of \
         monitor and keyboard, for all classes alike. Trials that were shown again after an interruption \
         are not in them.{of_late}",
        number(QUEUED, 0),
        number(bound, 0),
        number(1000.0 / longest, 0)
    )
}
