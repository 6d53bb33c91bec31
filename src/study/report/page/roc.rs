//! ROC points of every reader: a small picture each, the others behind it in gray.

use super::draw::{Scale, Unit, WIDTH, bar, dot, fitted, line, path, px, svg, text};
use crate::statistics::roc::RocPoint;
use crate::study::report::ReaderFigures;
use crate::study::report::words::number_or_none;
use maud::{Markup, html};

/// Rows of one drawing.
const MOST_ROWS: usize = 4;
const LEFT: f64 = 46.0;
const GAP: f64 = 18.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 42.0;
const LARGEST: f64 = 190.0;

pub fn draw(readers: &[ReaderFigures]) -> Markup {
    let with: Vec<&ReaderFigures> = readers.iter().filter(|r| !r.roc.is_empty()).collect();
    let columns = columns(with.len());
    html! {
        @for some in with.chunks(columns * MOST_ROWS) { (chunk(some, &with, columns)) }
    }
}

/// Pictures in a row: of more than four, those that leave the smaller gap in the last row.
fn columns(readers: usize) -> usize {
    let gap = |columns: usize| (columns - readers % columns) % columns;
    match readers {
        0..=4 => readers.max(1),
        _ if gap(3) < gap(4) => 3,
        _ => 4,
    }
}

fn chunk(some: &[&ReaderFigures], all: &[&ReaderFigures], columns: usize) -> Markup {
    let gaps = (columns - 1) as f64 * GAP;
    let side = ((WIDTH - LEFT - 8.0 - gaps) / columns as f64).min(LARGEST);
    let rows = some.len().div_ceil(columns);
    let (step_x, step_y) = (side + GAP, side + TOP);
    let bottom = rows as f64 * step_y;
    let used = LEFT + columns as f64 * side + gaps;
    let middle = bottom / 2.0 + 10.0;
    svg(
        bottom + BOTTOM,
        "ROC points of every reader",
        html! {
            @for (i, reader) in some.iter().enumerate() {
                @let (column, row) = (i % columns, i / columns);
                @let (x, y) = (LEFT + column as f64 * step_x, TOP + row as f64 * step_y);
                @let last = i + columns >= some.len();
                (panel(reader, all, (x, y), side, column == 0, last))
            }
            (text("name", "middle", ((LEFT + used) / 2.0, bottom + 32.0), "Real clips called fake, %"))
            text class="name" text-anchor="middle" transform={
                "translate(11 " (px(middle)) ") rotate(-90)"
            } { "Generated clips called fake, %" }
        },
    )
}

fn panel(
    reader: &ReaderFigures,
    all: &[&ReaderFigures],
    (x, y): (f64, f64),
    side: f64,
    first: bool,
    last: bool,
) -> Markup {
    let across = Scale {
        from: 0.0,
        to: 1.0,
        start: x,
        end: x + side,
    };
    let up = Scale {
        start: y + side,
        end: y,
        ..across
    };
    let place = |p: &RocPoint| {
        (
            across.at(p.false_positive_rate),
            up.at(p.true_positive_rate),
        )
    };
    let auc = format!("AUC {}", number_or_none(reader.auc.value, 2));
    // Where “fake” begins: the answers themselves.
    let answered = reader.specificity.value.zip(reader.sensitivity.value);
    html! {
        (bar("panel", (x, y), (side, side)))
        (line("line", (x, y + side), (x + side, y)))
        @for other in all.iter().filter(|other| other.reader != reader.reader) {
            (path("other", other.roc.iter().map(place)))
        }
        (path("curve", reader.roc.iter().map(place)))
        @for point in &reader.roc { (dot("point", place(point), 2.0)) }
        @if let Some((specificity, sensitivity)) = answered {
            (dot("answer", (across.at(1.0 - specificity), up.at(sensitivity)), 4.4))
        }
        (text("label", "start", (x, y - 7.0), &fitted(&reader.reader, side - 62.0)))
        (text("number", "end", (x + side, y - 7.0), &auc))
        @for mark in [0.0, 0.5, 1.0] {
            @let words = Unit::Percent.text(mark);
            @if first { (text("tick", "end", (x - 6.0, up.at(mark) + 3.5), &words)) }
            @if last {
                @let anchor = if mark < 0.25 { "start" } else if mark > 0.75 { "end" } else { "middle" };
                (text("tick", anchor, (across.at(mark), y + side + 14.0), &words))
            }
        }
    }
}
