//! What all figures are drawn with. Widths are those of the column on A4, so that a point of type stays one.

use crate::study::report::words::number;
use maud::{Markup, html};

/// Of every figure, in its own units, about a CSS pixel each.
pub const WIDTH: f64 = 640.0;
/// The widest letter on average, of the fonts that may stand in for each other.
const LETTER: f64 = 6.5;

/// A line of numbers, drawn.
#[derive(Clone, Copy)]
pub struct Scale {
    pub from: f64,
    pub to: f64,
    /// Where `from` and `to` lie.
    pub start: f64,
    pub end: f64,
}

impl Scale {
    /// Inside its ends.
    pub fn at(&self, value: f64) -> f64 {
        let share = (value - self.from) / (self.to - self.from);
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }
}

/// How a scale's numbers are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Of shares.
    Percent,
    /// As they are, with so many digits.
    Plain(usize),
}

impl Unit {
    pub fn text(self, value: f64) -> String {
        match self {
            Self::Percent => number(100.0 * value, 0),
            Self::Plain(digits) => number(value, digits),
        }
    }
}

/// Round numbers from 0 to at least `most`, about `wanted` of them, and the digits they need.
pub fn ticks(most: f64, wanted: f64) -> (Vec<f64>, usize) {
    let most = if most.is_finite() && most > 0.0 {
        most
    } else {
        1.0
    };
    let power = 10_f64.powf((most / wanted).log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * power);
    let step = steps
        .into_iter()
        .find(|step| most / step <= wanted)
        .unwrap_or(10.0 * power);
    let count = (most / step - 1e-9).ceil().max(1.0) as usize;
    let digits = (0..6).find(|digits| {
        let scaled = step * 10_f64.powi(*digits);
        (scaled - scaled.round()).abs() < 1e-6
    });
    let all = (0..=count).map(|i| i as f64 * step).collect();
    (all, digits.unwrap_or(0) as usize)
}

/// About how wide it is; rather too wide.
pub fn width(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

/// As much of it as is about so wide: of names that are long the ends differ as often as the beginnings.
pub fn fitted(text: &str, most: f64) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let letters = ((most / LETTER).floor().max(3.0) as usize - 1).min(text.chars().count());
    let end = text.chars().count() - letters / 2;
    let (first, last) = (
        text.chars().take(letters - letters / 2),
        text.chars().skip(end),
    );
    first.chain(['…']).chain(last).collect()
}

/// A length or place.
pub fn px(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    format!("{value:.1}")
}

pub fn line(class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Markup {
    html! { line class=(class) x1=(px(x1)) y1=(px(y1)) x2=(px(x2)) y2=(px(y2)) {} }
}

pub fn text(class: &str, anchor: &str, (x, y): (f64, f64), words: &str) -> Markup {
    html! { text class=(class) text-anchor=(anchor) x=(px(x)) y=(px(y)) { (words) } }
}

pub fn dot(class: &str, (x, y): (f64, f64), radius: f64) -> Markup {
    html! { circle class=(class) cx=(px(x)) cy=(px(y)) r=(px(radius)) {} }
}

pub fn bar(class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) -> Markup {
    html! {
        rect class=(class) x=(px(x)) y=(px(y)) width=(px(width.max(0.0))) height=(px(height.max(0.0))) {}
    }
}

pub fn path(class: &str, points: impl Iterator<Item = (f64, f64)>) -> Markup {
    let points: Vec<String> = points
        .map(|(x, y)| format!("{},{}", px(x), px(y)))
        .collect();
    html! { polyline class=(class) points=(points.join(" ")) {} }
}

/// A figure with what it shows in words, for those who do not see it.
pub fn svg(height: f64, what: &str, content: Markup) -> Markup {
    html! {
        svg viewBox={ "0 0 " (px(WIDTH)) " " (px(height)) } role="img" aria-label=(what) { (content) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_most() {
        assert_eq!(
            ticks(0.73, 5.0),
            (vec![0.0, 0.2, 0.4, 0.6000000000000001, 0.8], 1)
        );
        assert_eq!(ticks(12.0, 5.0).0, [0.0, 2.5, 5.0, 7.5, 10.0, 12.5]);
        assert_eq!(ticks(0.0, 5.0).0.last(), Some(&1.0));
        assert_eq!(ticks(f64::NAN, 5.0).0.last(), Some(&1.0));
        for most in [1e-6, 0.03, 1.0, 9.99, 87.0, 4e5] {
            let (ticks, _) = ticks(most, 5.0);
            assert!(
                ticks.len() <= 7 && ticks.last().unwrap() >= &most,
                "{most}: {ticks:?}"
            );
        }
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(fitted("R1", 40.0), "R1");
        assert_eq!(fitted("Reader-of-the-morning", 60.0), "Read…ning");
        assert!(width(&fitted(&"m".repeat(80), 100.0)) <= 100.0);
    }
}
