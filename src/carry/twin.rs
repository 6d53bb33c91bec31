//! The carrying once more, in `f64` and one pixel at a time, straight from the formulas.

use super::extend::{Extension, margin};
use super::motion::CELLS;
use super::{Carried, Carrier, Motion, Picture};

fn mirrored(i: isize, n: usize) -> usize {
    let i = i.unsigned_abs();
    if i < n { i } else { 2 * (n - 1) - i }
}

/// The spline's coefficients along one axis as a convolution: `sqrt(3) z^|k|`.
fn coefficients(values: &[f64]) -> Vec<f64> {
    let pole = 3f64.sqrt() - 2.0;
    let tap = |i: usize, k: isize| {
        pole.powi(k.unsigned_abs() as i32) * values[mirrored(i as isize + k, values.len())]
    };
    (0..values.len())
        .map(|i| 3f64.sqrt() * (-24..=24).map(|k| tap(i, k)).sum::<f64>())
        .collect()
}

fn both_axes(plane: &[f32], wide: usize) -> Vec<f64> {
    let mut values: Vec<f64> = plane.iter().map(|&v| f64::from(v)).collect();
    for row in values.chunks_exact_mut(wide) {
        let filtered = coefficients(row);
        row.copy_from_slice(&filtered);
    }
    for x in 0..wide {
        let column: Vec<f64> = (0..wide).map(|y| values[y * wide + x]).collect();
        for (y, value) in coefficients(&column).into_iter().enumerate() {
            values[y * wide + x] = value;
        }
    }
    values
}

/// The cubic B-spline.
fn bell(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        2.0 / 3.0 - x * x + x * x * x / 2.0
    } else {
        (2.0 - x).max(0.0).powi(3) / 6.0
    }
}

fn displacement(motion: &Motion, phase: f64, axis: usize, [x, y]: [usize; 2], side: usize) -> f64 {
    let cell = |f: usize, [c, r]: [usize; 2]| {
        let frame = f % motion.frames() * CELLS * CELLS;
        f64::from(motion.values()[(frame + r * CELLS + c) * 2 + axis])
    };
    let place = |v: usize| ((v as f64 + 0.5) * 28.0 / side as f64 - 0.5).clamp(0.0, 27.0);
    let tent = |a: f64, b: usize| (1.0 - (a - b as f64).abs()).max(0.0);
    let mut sum = 0.0;
    for f in 0..=motion.frames() {
        for r in 0..CELLS {
            for c in 0..CELLS {
                let share = tent(phase, f) * tent(place(x), c) * tent(place(y), r);
                if share > 0.0 {
                    sum += share * cell(f, [c, r]);
                }
            }
        }
    }
    sum * side as f64 / 112.0
}

fn gather(coefficients: &[f64], wide: usize, x: f64, y: f64) -> f64 {
    let limit = |v: f64| v.clamp(1.0, (wide - 3) as f64);
    let (x, y) = (limit(x), limit(y));
    let mut sum = 0.0;
    for r in y as usize - 1..=y as usize + 2 {
        for c in x as usize - 1..=x as usize + 2 {
            sum += bell(x - c as f64) * bell(y - r as f64) * coefficients[r * wide + c];
        }
    }
    sum
}

/// Largest difference from the twin.
fn difference(carrier: &Carrier, motion: &Motion, phases: &[f64], found: &Carried) -> f64 {
    let picture = carrier.picture();
    let side = picture.side();
    let (margin, wide) = (margin(side), side + 2 * margin(side));
    let extended = Extension::new(carrier.mask(), side)
        .unwrap()
        .planes(picture);
    let mut most = 0f64;
    for (c, plane) in extended.iter().enumerate() {
        let coefficients = both_axes(plane, wide);
        for (t, &phase) in phases.iter().enumerate() {
            // Every few pixels: the twin is slow.
            for i in (0..side * side).step_by(7) {
                let at = [i % side, i / side];
                let [x, y] = [0, 1].map(|axis| {
                    displacement(motion, phase, axis, at, side) + (at[axis] + margin) as f64
                });
                let own = f64::from(picture.planes()[c * side * side + i]);
                let share = f64::from(carrier.share()[i]);
                let carried = gather(&coefficients, wide, x, y).clamp(0.0, 1.0);
                let value = f64::from(found.values[(c * phases.len() + t) * side * side + i]);
                most = most.max((value - own - share * (carried - own)).abs());
            }
        }
    }
    most
}

/// Specks of any level in a sector, with a mark outside.
pub(super) fn speckled(channels: usize, side: usize) -> Picture {
    let value = |i: usize| {
        let k = i % (side * side);
        let (x, y) = (
            (k % side) as f32 / side as f32 - 0.5,
            (k / side) as f32 / side as f32 - 0.03,
        );
        let speck = ((i * 2_654_435_761) >> 7 & 255) as f32 / 255.0;
        let inside = x.abs() < 0.9 * y && x.hypot(y) < 0.95;
        if inside || k == 3 * side + 4 {
            0.2 + 0.7 * speck
        } else {
            0.0
        }
    };
    let planes = (0..channels * side * side).map(value).collect();
    Picture::new(channels, side, planes).unwrap()
}

/// Waves of so many pixels.
pub(super) fn waves(frames: usize, pixels: f32) -> Motion {
    let value = |i: usize| {
        let (cell, frame) = (i / 2 % (CELLS * CELLS), i / (2 * CELLS * CELLS));
        let (x, y) = ((cell % CELLS) as f32, (cell / CELLS) as f32);
        let at = 0.2 * x + 0.13 * y + frame as f32 + 2.0 * (i % 2) as f32;
        pixels * at.sin()
    };
    Motion::new((0..frames * CELLS * CELLS * 2).map(value).collect()).unwrap()
}

#[test]
fn carrying_is_as_the_formulas_say() {
    for (channels, side, pixels) in [(1, 112, 6.0), (3, 112, 60.0), (1, 150, 9.0)] {
        let carrier = Carrier::new(speckled(channels, side)).unwrap();
        let motion = waves(3, pixels);
        let found = carrier.carry(&motion);
        let most = difference(&carrier, &motion, &[0.0, 1.0, 2.0], &found);
        assert!(most < 1e-4, "{side}: {most}");
        let phases = [0.25, 2.6];
        let found = carrier.carry_at(&motion, &phases);
        let most = difference(&carrier, &motion, &phases, &found);
        assert!(most < 1e-4, "{side}: {most}");
    }
}
