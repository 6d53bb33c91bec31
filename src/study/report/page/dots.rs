//! Estimates under one another on one scale, each with one interval or two, and its numbers beside it.

use super::draw::{Scale, Unit, WIDTH, bar, dot, fitted, line, px, svg, text, ticks, width};
use maud::{Markup, html};

/// Rows of one drawing: more would not stay on a page.
const MOST_ROWS: usize = 28;
const ROW: f64 = 25.0;
/// Above the rows, where lines are named if there are any, and below, where the scale is.
const TOP: f64 = 22.0;
const BARE_TOP: f64 = 4.0;
const BOTTOM: f64 = 36.0;

#[derive(Clone, Default)]
pub struct Row {
    pub label: String,
    /// Behind the label, lighter.
    pub note: String,
    /// A colour of the page's style: the name of a class.
    pub colour: &'static str,
    pub value: Option<f64>,
    /// A thin line.
    pub thin: Option<(f64, f64)>,
    /// A broad one.
    pub broad: Option<(f64, f64)>,
    /// At the right.
    pub numbers: String,
}

pub struct Dots<'a> {
    pub rows: Vec<Row>,
    pub unit: Unit,
    /// From 0 to 1, or from 0 to a round number above all rows.
    pub shares: bool,
    /// Of the scale.
    pub name: &'a str,
    /// Lines across all rows, by name.
    pub lines: Vec<(f64, &'a str)>,
    pub band: Option<(f64, f64)>,
    /// In words.
    pub what: &'a str,
}

impl Dots<'_> {
    pub fn draw(&self) -> Markup {
        html! { @for rows in self.rows.chunks(MOST_ROWS) { (self.chunk(rows)) } }
    }

    fn chunk(&self, rows: &[Row]) -> Markup {
        let widest = |of: fn(&Row) -> f64| self.rows.iter().map(of).fold(0.0, f64::max);
        let left = widest(|row| width(&row.label) + width(&row.note) + 10.0).clamp(90.0, 270.0);
        let right = widest(|row| width(&row.numbers)).clamp(30.0, 200.0);
        let top = if self.lines.is_empty() { BARE_TOP } else { TOP };
        let bottom = top + rows.len() as f64 * ROW;
        let (marks, unit) = if self.shares {
            ((0..=4).map(|i| f64::from(i) / 4.0).collect(), self.unit)
        } else {
            let (marks, digits) = ticks(self.most(), 6.0);
            (marks, Unit::Plain(digits))
        };
        let scale = Scale {
            from: 0.0,
            to: marks.last().copied().unwrap_or(1.0),
            start: left + 12.0,
            end: WIDTH - right - 14.0,
        };
        let middle = (scale.start + scale.end) / 2.0;
        svg(
            bottom + BOTTOM,
            self.what,
            html! {
                @if let Some((low, high)) = self.band {
                    (bar("band", (scale.at(low), top), (scale.at(high) - scale.at(low), bottom - top)))
                }
                @for mark in &marks {
                    (line("grid", (scale.at(*mark), top), (scale.at(*mark), bottom)))
                    (text("tick", "middle", (scale.at(*mark), bottom + 14.0), &unit.text(*mark)))
                }
                (text("name", "middle", (middle, bottom + 30.0), self.name))
                (self.named_lines(&scale, bottom))
                @for (i, row) in rows.iter().enumerate() {
                    (one(row, &scale, left, top + (i as f64 + 0.5) * ROW))
                }
            },
        )
    }

    fn most(&self) -> f64 {
        let ends = |row: &Row| [row.value, row.thin.map(|t| t.1), row.broad.map(|b| b.1)];
        self.rows
            .iter()
            .flat_map(ends)
            .flatten()
            .fold(0.0, f64::max)
    }

    /// Of two lines the left one is named at its left, the right one at its right, so that names part.
    fn named_lines(&self, scale: &Scale, bottom: f64) -> Markup {
        let mut lines = self.lines.clone();
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        let several = lines.len() > 1;
        html! {
            @for (i, (value, name)) in lines.iter().enumerate() {
                @let x = scale.at(*value);
                (line("line", (x, TOP - 16.0), (x, bottom)))
                @if several && i == 0 {
                    (text("tick", "end", (x - 5.0, TOP - 8.0), name))
                } @else {
                    (text("tick", "start", (x + 5.0, TOP - 8.0), name))
                }
            }
        }
    }
}

fn one(row: &Row, scale: &Scale, left: f64, y: f64) -> Markup {
    let label = fitted(&row.label, left - 10.0 - width(&row.note));
    let thin = format!("thin {}", row.colour);
    html! {
        text class="label" text-anchor="start" x="0.0" y=(px(y + 4.0)) {
            (label)
            @if !row.note.is_empty() { tspan class="note" dx="7" { (row.note) } }
        }
        @if let Some((low, high)) = row.broad {
            @let (low, high) = (scale.at(low), scale.at(high));
            (bar(&format!("broad {}", row.colour), (low, y - 4.5), (high - low, 9.0)))
        }
        @if let Some((low, high)) = row.thin {
            @let (low, high) = (scale.at(low), scale.at(high));
            (line(&thin, (low, y), (high, y)))
            (line(&thin, (low, y - 4.0), (low, y + 4.0)))
            (line(&thin, (high, y - 4.0), (high, y + 4.0)))
        }
        @if let Some(value) = row.value {
            (dot(&format!("dot {}", row.colour), (scale.at(value), y), 4.2))
        }
        (text("number", "end", (WIDTH, y + 4.0), &row.numbers))
    }
}
