//! Numbers and names as text.

use super::Study;
use crate::study::key::Class;
use crate::study::record::PresentedBy;

/// Keeps a number and its unit on one line.
pub(super) const NBSP: char = '\u{a0}';
/// Stands where a figure is not defined.
pub(super) const NONE: &str = "–";

/// `54.3 %` of 0.543.
pub(super) fn percent(share: f64) -> String {
    format!("{}{NBSP}%", number(100.0 * share, 1))
}

pub(super) fn percent_or_none(share: Option<f64>) -> String {
    share.map_or_else(|| NONE.to_owned(), percent)
}

/// `95 %` of 0.95, to a tenth, and no more digits than it has.
pub(super) fn whole_percent(share: f64) -> String {
    let percent = (share * 1e3).round() / 10.0;
    format!("{percent}{NBSP}%")
}

/// With a true minus, and none before a zero.
pub(super) fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|b| matches!(b, b'0' | b'.')) => zero.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

pub(super) fn number_or_none(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| number(value, digits))
}

/// `48.7 to 59.9 %`.
pub(super) fn percent_range(low: Option<f64>, high: Option<f64>) -> Option<String> {
    let (low, high) = (low?, high?);
    Some(format!(
        "{} to{NBSP}{}",
        number(100.0 * low, 1),
        percent(high)
    ))
}

/// `0.487 to 0.599`.
pub(super) fn range(low: Option<f64>, high: Option<f64>, digits: usize) -> Option<String> {
    let (low, high) = (low?, high?);
    Some(format!(
        "{} to{NBSP}{}",
        number(low, digits),
        number(high, digits)
    ))
}

/// `1 reader`, `3 readers`.
pub(super) fn count(n: usize, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n}{NBSP}{one}{s}")
}

/// `210 000`.
pub(super) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `R1, R2 and R3`.
pub(super) fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A class as a heading has it.
pub(super) fn class(class: Class) -> &'static str {
    match class {
        Class::Real => "Real",
        Class::Factual => "Factual",
        Class::Counterfactual => "Counterfactual",
    }
}

/// Readers who did not withdraw and whose answers come from a script.
pub(super) fn scripted<'a>(study: &'a Study) -> Vec<&'a str> {
    let stayed = study.readers.iter().filter(|about| !about.withdrawn);
    let by_script = stayed.filter(|about| about.presentation == PresentedBy::Script);
    let mut names: Vec<&str> = by_script.map(|about| about.reader.as_str()).collect();
    names.sort_by_key(|name| study.plan.readers.iter().position(|r| r.reader == *name));
    names
}

/// The study's title, or its identifier.
pub(super) fn title(study: &Study) -> String {
    match study.plan.title.trim() {
        "" => format!("Reader study {}", study.plan.study),
        title => title.to_owned(),
    }
}

/// What has to be said with the title wherever it stands.
pub(super) fn marks(study: &Study) -> Vec<&'static str> {
    let mut marks = Vec::new();
    if !scripted(study).is_empty() {
        marks.push("not read by people");
    }
    if study.interim {
        marks.push("interim");
    }
    marks
}

/// Title and marks on one line.
pub(super) fn full_title(study: &Study) -> String {
    let mut parts = vec![title(study)];
    parts.extend(marks(study).into_iter().map(str::to_owned));
    parts.join(" – ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_text_does() {
        assert_eq!(percent(0.54333), "54.3\u{a0}%");
        assert_eq!(number(-0.0004, 3), "0.000");
        assert_eq!(number(-0.25, 2), "−0.25");
        assert_eq!(whole_percent(0.95), "95\u{a0}%");
        assert_eq!(whole_percent(2.0 * 0.95 - 1.0), "90\u{a0}%");
        assert_eq!(whole_percent(0.999), "99.9\u{a0}%");
        assert_eq!(percent_range(Some(0.1), None), None);
        assert_eq!(list(&["R1", "R2", "R3"]), "R1, R2 and R3");
        assert_eq!(grouped(1_210_000), "1\u{202f}210\u{202f}000");
        assert_eq!(grouped(12), "12");
        assert_eq!(count(1, "reader"), "1\u{a0}reader");
    }
}
