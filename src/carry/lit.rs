//! What is lit in a frame, without what is thin or alone there.

use super::extend::blur;
use super::sector::SIDE;
use crate::parts::parts;

/// Above the background by this much, something is lit.
const LIT: f32 = 10.0 / 255.0;
/// A background is no brighter than this.
const BACKGROUND: f32 = 40.0 / 255.0;
/// Parts of what is lit that count, against the largest.
const PART: f32 = 0.03;

/// What is lit and neither thin nor a small part of it; and the background's level.
pub(super) fn body(levels: &[f32], side: usize) -> (Vec<bool>, f32) {
    let smooth = medians(levels, side);
    let mut sorted = smooth.clone();
    sorted.sort_by(f32::total_cmp);
    let background = sorted
        .get(sorted.len() / 50)
        .map_or(0.0, |v| v.min(BACKGROUND));
    let lit: Vec<bool> = smooth.iter().map(|v| v - background > LIT).collect();
    // Speckle leaves holes and specks: what is lit has to be so around, too.
    let mut density: Vec<f32> = lit.iter().map(|&l| f32::from(u8::from(l))).collect();
    blur(&mut density, side, 1.5 * side as f32 / SIDE);
    let lit: Vec<bool> = lit
        .iter()
        .zip(&density)
        .map(|(&l, d)| l && *d > 0.4)
        .collect();
    let parts = parts(&lit, side);
    let largest = parts.iter().map(Vec::len).max().unwrap_or(0) as f32;
    let mut body = vec![false; lit.len()];
    for i in parts
        .iter()
        .filter(|p| p.len() as f32 >= PART * largest)
        .flatten()
    {
        body[*i] = true;
    }
    (body, background)
}

/// The median of 3 x 3 pixels: lines of one pixel are gone, edges stay where they are.
fn medians(levels: &[f32], side: usize) -> Vec<f32> {
    let near = |i: usize, k: usize| (i + k).saturating_sub(1).min(side - 1);
    let median = |i: usize| {
        let (x, y) = (i % side, i / side);
        let mut around = [0.0; 9];
        for (k, value) in around.iter_mut().enumerate() {
            *value = levels[near(y, k / 3) * side + near(x, k % 3)];
        }
        around.sort_unstable_by(f32::total_cmp);
        around[4]
    };
    (0..levels.len()).map(median).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thin_lines_and_small_parts_are_not_lit() {
        let side = 112;
        let mut levels = vec![0.02; side * side];
        for (i, level) in levels.iter_mut().enumerate() {
            let (x, y) = (i % side, i / side);
            let large = (30..80).contains(&x) && (40..90).contains(&y);
            let small = (5..9).contains(&x) && (5..9).contains(&y);
            // A line from the large part to the border.
            if large || small || (y == 60 && x >= 80) {
                *level = 0.5;
            }
        }
        let (body, background) = body(&levels, side);
        assert_eq!(background, 0.02);
        for (i, lit) in body.iter().enumerate() {
            let (x, y) = (i % side, i / side);
            if (32..78).contains(&x) && (42..88).contains(&y) {
                assert!(lit, "{x} {y}");
            } else if !(29..81).contains(&x) || !(39..91).contains(&y) {
                assert!(!lit, "{x} {y}");
            }
        }
    }
}
