//! Where burned-in text may lie within the square. Proposals only: the user decides.

use super::region::{Mask, Square};
use crate::clip::{Frame, luminance};
use crate::recording::Recording;
use std::sync::Arc;

/// Cells along the square; the sector's geometry is that of the networks' view.
const CELLS: usize = 56;
/// Frames that are compared.
const SAMPLES: usize = 5;
/// More boxes than this are no text.
const MOST: usize = 6;
/// Level of a character's stroke.
const BRIGHT: u8 = 110;

/// Rectangles of the frame in which bright things stand still, or lie outside any sector.
pub fn propose(recording: &Recording, square: Square) -> Vec<Mask> {
    let n = recording.frames();
    let count = SAMPLES.min(n);
    let frames: Vec<Arc<Frame>> = (0..count)
        .filter_map(|k| recording.frame(k * n / count).ok())
        .collect();
    let Some(first) = frames.first() else {
        return Vec::new();
    };
    let square = square.within(first.width, first.height);
    let cells = suspicious(&frames, square);
    let mut boxes = boxes(&cells);
    boxes.retain(|b| !covers_sector(b));
    if boxes.len() > MOST {
        boxes.sort_by_key(|[x0, y0, x1, y1]| std::cmp::Reverse((x1 - x0) * (y1 - y0)));
        boxes.truncate(MOST);
    }
    let pixel = |cell: usize| cell * square.side / CELLS;
    boxes
        .into_iter()
        .map(|[x0, y0, x1, y1]| Mask {
            x: square.x + pixel(x0),
            y: square.y + pixel(y0),
            width: pixel(x1) - pixel(x0),
            height: pixel(y1) - pixel(y0),
        })
        .collect()
}

/// Whether a cell lies outside every sector that the networks have seen.
fn is_corner(x: usize, y: usize) -> bool {
    let scale = 112.0 / CELLS as f32;
    let (row, from_middle) = (y as f32 * scale, (x as f32 * scale - 57.0).abs());
    from_middle > (row + 6.0) * 1.2 + 4.0
}

fn suspicious(frames: &[Arc<Frame>], square: Square) -> Vec<bool> {
    let gray = |frame: &Frame, x: usize, y: usize| {
        let [r, g, b] = frame.rgb(x, y).map(f32::from);
        luminance(r, g, b) as u8
    };
    // A pixel that stays as it is in every frame. One frame tells nothing of that.
    let still = |x: usize, y: usize| {
        let level = gray(&frames[0], x, y);
        let same = |f: &Arc<Frame>| gray(f, x, y).abs_diff(level) <= 5;
        (frames.len() >= 3 && frames[1..].iter().all(same)).then_some(level)
    };
    let mut cells = vec![false; CELLS * CELLS];
    for (i, cell) in cells.iter_mut().enumerate() {
        let (cx, cy) = (i % CELLS, i / CELLS);
        let range = |c: usize| c * square.side / CELLS..(c + 1) * square.side / CELLS;
        let (mut bright, mut stroke, mut ground) = (0, 0, 0);
        for y in range(cy) {
            for x in range(cx) {
                let (x, y) = (square.x + x, square.y + y);
                bright += u32::from(gray(&frames[0], x, y) > BRIGHT);
                match still(x, y) {
                    Some(level) if level > BRIGHT => stroke += 1,
                    Some(level) if level < 60 => ground += 1,
                    _ => {}
                }
            }
        }
        // Outside the sector: anything bright. Inside: strokes on a ground that both stand still.
        *cell = (is_corner(cx, cy) && bright > 0) || (stroke > 1 && ground > 1);
    }
    cells
}

/// Boxes `[x0, y0, x1, y1]`, ends exclusive, around cells that are near each other.
fn boxes(cells: &[bool]) -> Vec<[usize; 4]> {
    let mut boxes: Vec<[usize; 4]> = Vec::new();
    for (i, _) in cells.iter().enumerate().filter(|(_, c)| **c) {
        let (x, y) = (i % CELLS, i / CELLS);
        boxes.push([x, y, x + 1, y + 1]);
    }
    // Letters of a word lie within two cells of each other.
    let near = |a: &[usize; 4], b: &[usize; 4]| {
        a[0] <= b[2] + 2 && b[0] <= a[2] + 2 && a[1] <= b[3] + 1 && b[1] <= a[3] + 1
    };
    let mut joined: Vec<[usize; 4]> = Vec::new();
    while let Some(mut current) = boxes.pop() {
        loop {
            let before = boxes.len() + joined.len();
            let mut absorb = |list: &mut Vec<[usize; 4]>| {
                list.retain(|other| {
                    if !near(&current, other) {
                        return true;
                    }
                    current = [
                        current[0].min(other[0]),
                        current[1].min(other[1]),
                        current[2].max(other[2]),
                        current[3].max(other[3]),
                    ];
                    false
                });
            };
            absorb(&mut boxes);
            absorb(&mut joined);
            if boxes.len() + joined.len() == before {
                break;
            }
        }
        joined.push(current);
    }
    // Half a cell of margin, as whole cells; single specks are no text.
    joined.retain(|[x0, y0, x1, y1]| (x1 - x0) * (y1 - y0) >= 2);
    for [x0, y0, x1, y1] in &mut joined {
        *x0 = x0.saturating_sub(1);
        *y0 = y0.saturating_sub(1);
        *x1 = (*x1 + 1).min(CELLS);
        *y1 = (*y1 + 1).min(CELLS);
    }
    joined
}

/// Whether a box would black out a good part of the heart.
fn covers_sector([x0, y0, x1, y1]: &[usize; 4]) -> bool {
    let mut inside = 0;
    for y in *y0..*y1 {
        inside += (*x0..*x1).filter(|&x| !is_corner(x, y)).count();
    }
    inside * 12 > CELLS * CELLS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{Clip, Pixels};
    use crate::hearts::simulated_heart;

    fn with_text(frames: usize, text: bool) -> Recording {
        let heart = simulated_heart(1).unwrap().frame;
        let frame = |f: usize| {
            let mut pixels = Vec::new();
            for y in 0..112 {
                for x in 0..112 {
                    // Some shimmer, so that the heart does not stand still.
                    let level = i32::from(heart.rgb(x, y)[0]);
                    let shimmer = ((x * 7 + y * 13 + f * 29) % 41) as i32 - 20;
                    let lit = level > 8;
                    pixels.push((level + if lit { shimmer } else { 0 }).clamp(0, 255) as u8);
                }
            }
            if text {
                for (x, y) in (4..28).flat_map(|x| (5..11).map(move |y| (x, y))) {
                    pixels[y * 112 + x] = if (x + y) % 3 == 0 { 230 } else { 0 };
                }
            }
            Frame {
                width: 112,
                height: 112,
                pixels: Pixels::Gray(pixels),
            }
        };
        Recording::of_clip(Clip {
            frames: (0..frames).map(frame).collect(),
            rate: None,
            beat_normalised: false,
        })
        .unwrap()
    }

    #[test]
    fn text_in_a_corner_is_proposed_and_a_heart_alone_is_not() {
        let whole = Square::centred(112, 112);
        for frames in [1, 8] {
            assert_eq!(propose(&with_text(frames, false), whole), []);
            let proposed = propose(&with_text(frames, true), whole);
            assert_eq!(proposed.len(), 1, "{proposed:?}");
            for (x, y) in [(4, 5), (27, 5), (4, 10), (27, 10)] {
                assert!(proposed[0].holds(x, y), "{proposed:?}");
            }
            assert!(proposed[0].width < 40 && proposed[0].height < 20);
        }
    }
}
