//! Cells and captions that several tables have.

use super::dots::Row;
use crate::study::key::Class;
use crate::study::report::words::{NONE, number_or_none, percent_or_none, percent_range, range};
use crate::study::report::{ClassFigures, Estimate, Report};
use maud::{Markup, html};

/// A figure over its interval.
pub fn cell(value: &str, interval: Option<String>) -> Markup {
    html! {
        td { (value) @if let Some(interval) = interval { small { (interval) } } }
    }
}

pub fn percent_cell(estimate: Estimate) -> Markup {
    let Estimate { value, low, high } = estimate;
    cell(&percent_or_none(value), percent_range(low, high))
}

pub fn number_cell(estimate: Estimate, digits: usize) -> Markup {
    let Estimate { value, low, high } = estimate;
    let value = number_or_none(value, digits);
    cell(&value, range(low, high, digits))
}

/// A table that stays on one page.
pub fn table(caption: &str, heads: &[&str], rows: Markup) -> Markup {
    html! {
        table class={ "short" @if heads.len() < 5 { " narrow" } } { (inside(caption, heads, rows)) }
    }
}

/// One with `n` rows, of which there may be more than a page holds.
pub fn long_table(n: usize, caption: &str, heads: &[&str], rows: Markup) -> Markup {
    const MOST: usize = 14;
    if n <= MOST {
        return table(caption, heads, rows);
    }
    html! { table class=[(heads.len() < 5).then_some("narrow")] { (inside(caption, heads, rows)) } }
}

fn inside(caption: &str, heads: &[&str], rows: Markup) -> Markup {
    html! {
        @if !caption.is_empty() { caption { (caption) } }
        thead { tr { @for head in heads { th scope="col" { (head) } } } }
        tbody { (rows) }
    }
}

pub fn figure(drawing: Markup, title: &str, caption: &str) -> Markup {
    html! {
        figure { (drawing) figcaption { b { (title) } " " (caption) } }
    }
}

/// Classes that somebody was shown.
pub fn read(report: &Report) -> Vec<&ClassFigures> {
    report
        .by_class
        .iter()
        .filter(|c| c.n + c.missing > 0)
        .collect()
}

/// Whether answers came with confidence.
pub fn rated(report: &Report) -> bool {
    report.by_class.iter().any(|c| !c.ratings.is_empty())
}

/// A row of dots: thin interval, numbers at the right.
pub fn percent_row(label: &str, note: String, estimate: Estimate) -> Row {
    let numbers = match percent_range(estimate.low, estimate.high) {
        Some(range) => format!("{} ({range})", percent_or_none(estimate.value)),
        None => percent_or_none(estimate.value),
    };
    Row {
        label: label.to_owned(),
        note,
        value: estimate.value,
        thin: estimate.low.zip(estimate.high),
        numbers,
        ..Row::default()
    }
}

pub fn number_row(label: &str, note: String, estimate: Estimate) -> Row {
    let value = number_or_none(estimate.value, 2);
    let numbers = match range(estimate.low, estimate.high, 2) {
        Some(range) => format!("{value} ({range})"),
        None => value,
    };
    Row {
        numbers,
        ..percent_row(label, note, estimate)
    }
}

/// What a class is, for those who do not know the words.
pub fn meaning(class: Class) -> &'static str {
    match class {
        Class::Real => "recorded from patients",
        Class::Factual => "generated at the ejection fraction of its source",
        Class::Counterfactual => "generated at another ejection fraction",
    }
}

pub fn or_none(text: &str) -> &str {
    if text.trim().is_empty() { NONE } else { text }
}
