//! The lit part of a frame, by which detail is judged.

use super::flow::blur_levels;
use crate::outline::{FRAME, Mask};

/// Levels above which a frame is lit, after a blur of one pixel.
const LIT: u8 = 10;
const BLUR: f64 = 1.0;

/// The convex hull of a frame's largest lit part, `[112, 112]`: what an eye judges for sharpness, whatever
/// is dark about it. Everything where nothing is lit. `frame` are gray levels `[112, 112]`.
pub fn lit_hull(frame: &[u8]) -> Vec<bool> {
    let everything = || vec![true; FRAME * FRAME];
    let lit: Vec<bool> = blur_levels(frame, FRAME, BLUR)
        .iter()
        .map(|&v| v > LIT)
        .collect();
    // Closed twice, so that speckle is one part; opened once, so that a thin mark is none.
    let closed = eroded(&dilated(&dilated(&lit)), false);
    let closed = eroded(&closed, false);
    let Some(mask) = Mask::new(closed, FRAME) else {
        return everything();
    };
    let part = mask.largest_part();
    let part = dilated(&eroded(part.pixels(), false));
    let places = part.iter().enumerate().filter(|(_, p)| **p);
    let places = places.map(|(i, _)| [(i % FRAME) as f64, (i / FRAME) as f64]);
    let hull = convex_hull(places.collect());
    if hull.len() < 3 {
        return everything();
    }
    (0..FRAME * FRAME)
        .map(|i| part[i] || holds(&hull, [(i % FRAME) as f64, (i / FRAME) as f64]))
        .collect()
}

/// The pixels that are set or have a neighbour at a side that is.
fn dilated(mask: &[bool]) -> Vec<bool> {
    (0..FRAME * FRAME)
        .map(|i| mask[i] || neighbours(i).any(|n| n.is_some_and(|n| mask[n])))
        .collect()
}

/// The pixels that are set with all their neighbours; beyond the frame is `outside`.
fn eroded(mask: &[bool], outside: bool) -> Vec<bool> {
    (0..FRAME * FRAME)
        .map(|i| mask[i] && neighbours(i).all(|n| n.map_or(outside, |n| mask[n])))
        .collect()
}

fn neighbours(i: usize) -> impl Iterator<Item = Option<usize>> {
    let (x, y) = (i % FRAME, i / FRAME);
    [
        (x > 0).then(|| i - 1),
        (x + 1 < FRAME).then(|| i + 1),
        (y > 0).then(|| i - FRAME),
        (y + 1 < FRAME).then(|| i + FRAME),
    ]
    .into_iter()
}

/// Andrew's monotone chain: the corners, in order.
fn convex_hull(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let turn = |o: [f64; 2], a: [f64; 2], b: [f64; 2]| {
        (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
    };
    let chain = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut chain: Vec<[f64; 2]> = Vec::new();
        for p in points {
            while let [.., o, a] = chain.as_slice() {
                if turn(*o, *a, p) > 0.0 {
                    break;
                }
                chain.pop();
            }
            chain.push(p);
        }
        chain.pop();
        chain
    };
    let mut hull = chain(&mut points.iter().copied());
    hull.extend(chain(&mut points.iter().rev().copied()));
    hull
}

/// Whether a place lies in a convex polygon, or within half a pixel of it.
fn holds(hull: &[[f64; 2]], p: [f64; 2]) -> bool {
    let ends = hull.iter().zip(hull.iter().cycle().skip(1));
    ends.into_iter().all(|(a, b)| {
        let along = [b[0] - a[0], b[1] - a[1]];
        let length = along[0].hypot(along[1]).max(1e-9);
        let side = along[0] * (p[1] - a[1]) - along[1] * (p[0] - a[0]);
        side / length >= -0.5
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wedge_is_filled_and_marks_beside_it_are_none_of_it() {
        let mut frame = vec![0u8; FRAME * FRAME];
        for y in 10..100usize {
            for x in 56 - y / 2..56 + y / 2 {
                // Blood in the middle, lit all about.
                let blood = x.abs_diff(56) < 8 && y.abs_diff(60) < 15;
                frame[y * FRAME + x] = if blood { 0 } else { 90 };
            }
        }
        for y in 5..30 {
            frame[y * FRAME + 108] = 255;
        }
        let hull = lit_hull(&frame);
        let at = |x: usize, y: usize| hull[y * FRAME + x];
        assert!(at(56, 60) && at(56, 95) && at(30, 80));
        assert!(!at(108, 20) && !at(5, 20) && !at(100, 40));
        assert!(lit_hull(&vec![0; FRAME * FRAME]).iter().all(|&v| v));
    }

    #[test]
    fn a_hull_has_its_corners_alone() {
        let grid = (0..25)
            .map(|i| [f64::from(i % 5), f64::from(i / 5)])
            .collect();
        assert_eq!(convex_hull(grid).len(), 4);
    }
}
