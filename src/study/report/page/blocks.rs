//! Accuracy in the course of the session: all readers, and each of them thinner.

use super::draw::{Scale, Unit, WIDTH, dot, line, path, px, svg, text, width};
use crate::statistics::proportion::wilson;
use crate::study::report::{Block, ReaderFigures};
use maud::{Markup, html};
use std::collections::BTreeMap;

const LEFT: f64 = 46.0;
const TOP: f64 = 12.0;
const HIGH: f64 = 170.0;

/// All readers' answers of each block.
pub fn pooled(readers: &[ReaderFigures]) -> Vec<Block> {
    let mut all: BTreeMap<usize, Block> = BTreeMap::new();
    for block in readers.iter().flat_map(|r| &r.blocks) {
        let sum = all.entry(block.block).or_insert(Block {
            n: 0,
            correct: 0,
            ..*block
        });
        sum.n += block.n;
        sum.correct += block.correct;
    }
    all.into_values().collect()
}

pub fn draw(readers: &[ReaderFigures], level: f64) -> Markup {
    let all = pooled(readers);
    let last = all.last().map_or(1, |b| b.block);
    let across = Scale {
        from: 0.5,
        to: last as f64 + 0.5,
        start: LEFT,
        end: WIDTH - 4.0,
    };
    let up = Scale {
        from: 0.0,
        to: 1.0,
        start: TOP + HIGH,
        end: TOP,
    };
    let place = |b: &Block| {
        (
            across.at(b.block as f64),
            up.at(b.correct as f64 / b.n.max(1) as f64),
        )
    };
    let bottom = TOP + HIGH;
    // Numbers that would touch are left out, from the second on.
    let room = (across.at(2.0) - across.at(1.0)).max(0.1);
    let every = ((width(&last.to_string()) + 8.0) / room).ceil().max(1.0) as usize;
    svg(
        bottom + 40.0,
        "Accuracy by block",
        html! {
            @for mark in [0.0, 0.25, 0.5, 0.75, 1.0] {
                (line("grid", (LEFT, up.at(mark)), (WIDTH - 4.0, up.at(mark))))
                (text("tick", "end", (LEFT - 7.0, up.at(mark) + 3.5), &Unit::Percent.text(mark)))
            }
            @for block in (1..=last).step_by(every) {
                (text("tick", "middle", (across.at(block as f64), bottom + 14.0), &block.to_string()))
            }
            (text("name", "middle", ((LEFT + WIDTH) / 2.0, bottom + 32.0), "Block"))
            text class="name" text-anchor="middle" transform={
                "translate(10 " (px(TOP + HIGH / 2.0)) ") rotate(-90)"
            } { "Right answers, %" }
            @for reader in readers {
                (path("other", reader.blocks.iter().map(place)))
                @for block in &reader.blocks { (dot("faint", place(block), 1.8)) }
            }
            @for block in &all {
                @if let Some(interval) = wilson(block.correct, block.n, level) {
                    @let x = place(block).0;
                    (line("thin", (x, up.at(interval.low)), (x, up.at(interval.high))))
                }
            }
            (path("curve", all.iter().map(place)))
            @for block in &all { (dot("dot", place(block), 4.0)) }
        },
    )
}
