//! Which ratings clips of each class were given, from surely real to surely fake.

use super::draw::{Scale, Unit, WIDTH, bar, line, px, svg, text, ticks};
use crate::study::report::words::class;
use crate::study::report::{ClassFigures, Ratings};
use maud::{Markup, html};

const LEFT: f64 = 40.0;
const GAP: f64 = 22.0;
const TOP: f64 = 30.0;
const HIGH: f64 = 120.0;

pub fn draw(classes: &[&ClassFigures]) -> Markup {
    let with: Vec<&ClassFigures> = classes
        .iter()
        .copied()
        .filter(|c| c.ratings.iter().any(|r| r.n > 0))
        .collect();
    let n = with.len().max(1) as f64;
    let wide = (WIDTH - LEFT - (n - 1.0) * GAP) / n;
    let most = with
        .iter()
        .flat_map(|c| c.ratings.iter().map(|r| share(c, r)));
    let (marks, _) = ticks(most.fold(0.0, f64::max), 4.0);
    let up = Scale {
        from: 0.0,
        to: marks.last().copied().unwrap_or(1.0),
        start: TOP + HIGH,
        end: TOP,
    };
    svg(
        TOP + HIGH + 52.0,
        "Distribution of confidence by class",
        html! {
            @for mark in &marks {
                (text("tick", "end", (LEFT - 7.0, up.at(*mark) + 3.5), &Unit::Percent.text(*mark)))
            }
            text class="name" text-anchor="middle" transform={
                "translate(10 " (px(TOP + HIGH / 2.0)) ") rotate(-90)"
            } { "Answers, %" }
            @for (i, figures) in with.iter().enumerate() {
                (panel(figures, &up, &marks, LEFT + i as f64 * (wide + GAP), wide))
            }
        },
    )
}

/// Of all ratings of the class.
fn share(figures: &ClassFigures, ratings: &Ratings) -> f64 {
    let all: u64 = figures.ratings.iter().map(|r| r.n).sum();
    ratings.n as f64 / all.max(1) as f64
}

fn panel(figures: &ClassFigures, up: &Scale, marks: &[f64], x: f64, wide: f64) -> Markup {
    // Between real and fake one step is left out, as the scale has no 0.
    let slots = figures.ratings.len() as f64 + 0.6;
    let slot = wide / slots;
    let half = figures.ratings.len() / 2;
    let n: u64 = figures.ratings.iter().map(|r| r.n).sum();
    let bottom = TOP + HIGH;
    let middle = x + wide / 2.0;
    html! {
        (text("label", "start", (x, TOP - 12.0), class(figures.class)))
        (text("note", "end", (x + wide, TOP - 12.0), &format!("{n} ratings")))
        @for mark in marks {
            (line("grid", (x, up.at(*mark)), (x + wide, up.at(*mark))))
        }
        @for (i, ratings) in figures.ratings.iter().enumerate() {
            @let gap = if i >= half { 0.6 } else { 0.0 };
            @let left = x + (i as f64 + gap) * slot;
            @let top = up.at(share(figures, ratings));
            @let colour = if ratings.rating < 0 { "hollow" } else { "full" };
            (bar(
                &format!("rating {colour} {}", figures.class.name()),
                (left + 1.5, top),
                (slot - 3.0, bottom - top),
            ))
            (text("tick", "middle", (left + slot / 2.0, bottom + 14.0), &ratings.rating.abs().to_string()))
        }
        (line("line", (middle, TOP), (middle, bottom + 36.0)))
        (text("note", "end", (middle - 7.0, bottom + 32.0), "said real"))
        (text("note", "start", (middle + 7.0, bottom + 32.0), "said fake"))
    }
}
