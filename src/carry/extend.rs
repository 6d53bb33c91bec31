//! Tissue continued beyond the sector's edge and beyond the picture's border, for what a motion brings into
//! view: mirrored about the edge, with less and less detail the farther it is from tissue that was seen.

use super::nearest::nearest;
use super::picture::Picture;
use rayon::prelude::*;

/// Pixels of a 112 x 112 frame by which the picture grows on each side.
const MARGIN: f32 = 24.0;
/// A spline has four coefficients about every place.
const LEAST: usize = 3;
/// The sector's rim is half dark: tissue begins this far inside the sector.
const RIM: f32 = 2.0;
/// How far from the edge detail begins to go, where only the coarser blur is left, and where the coarsest.
const FADE: [f32; 3] = [10.0, 18.0, 30.0];
/// Standard deviations of the two blurs that take the detail's place.
const BLURS: [f32; 2] = [1.5, 4.5];

/// Pixels by which a picture of this side grows on each side.
pub(super) fn margin(side: usize) -> usize {
    ((MARGIN * side as f32 / 112.0).ceil() as usize).max(LEAST)
}

/// What is continued from where, the same for all planes of a picture.
pub(super) struct Extension {
    side: usize,
    margin: usize,
    /// Where each pixel's value comes from in the picture; none where nothing is mirrored there.
    from: Vec<Option<u32>>,
    /// Distance to the tissue that was seen, in pixels of a 112 x 112 frame.
    distance: Vec<f32>,
}

impl Extension {
    /// `mask` is the sector, `[side, side]`. None where it holds no tissue.
    pub(super) fn new(mask: &[bool], side: usize) -> Option<Self> {
        let scale = side as f32 / 112.0;
        let margin = margin(side);
        let wide = side + 2 * margin;
        let tissue = tissue(mask, side, RIM * scale);
        let mut seen = vec![false; wide * wide];
        for (y, row) in tissue.chunks_exact(side).enumerate() {
            seen[(y + margin) * wide + margin..][..side].copy_from_slice(row);
        }
        let nearest = nearest(&seen, wide)?;
        let mirrored = |(i, &[x, y]): (usize, &[u32; 2])| {
            let (x, y) = (2 * x as usize, 2 * y as usize);
            let x = x.checked_sub(i % wide + margin).filter(|&x| x < side)?;
            let y = y.checked_sub(i / wide + margin).filter(|&y| y < side)?;
            tissue[y * side + x].then_some((y * side + x) as u32)
        };
        let distance = |(i, &[x, y]): (usize, &[u32; 2])| {
            let (dx, dy) = (x as f32 - (i % wide) as f32, y as f32 - (i / wide) as f32);
            dx.hypot(dy) / scale
        };
        Some(Self {
            side,
            margin,
            from: nearest.iter().enumerate().map(mirrored).collect(),
            distance: nearest.iter().enumerate().map(distance).collect(),
        })
    }

    /// A plane `[side, side]`, continued: `[side + 2 margin, side + 2 margin]`.
    pub(super) fn plane(&self, plane: &[f32]) -> Vec<f32> {
        let wide = self.side + 2 * self.margin;
        let scale = self.side as f32 / 112.0;
        let known = |from: &Option<u32>| from.map(|i| plane[i as usize]);
        let mut values: Vec<f32> = self.from.iter().map(|f| known(f).unwrap_or(0.0)).collect();
        let mut share: Vec<f32> = self.from.iter().map(|f| f.map_or(0.0, |_| 1.0)).collect();
        // What is mirrored nowhere gets the mean of what is known about it, from near or from far.
        let mean = values.iter().sum::<f32>() / share.iter().sum::<f32>().max(1.0);
        if self.from.contains(&None) {
            let mut sums = values.clone();
            blur(&mut sums, wide, 6.0 * scale);
            blur(&mut share, wide, 6.0 * scale);
            for (i, value) in values.iter_mut().enumerate() {
                if self.from[i].is_none() {
                    *value = (sums[i] + 1e-3 * mean) / (share[i] + 1e-3);
                }
            }
        }
        let mut blurred = values.clone();
        let mut coarse = [1.0, 0.0].map(|_| Vec::new());
        let mut done = 0.0f32;
        for (level, sigma) in coarse.iter_mut().zip(BLURS) {
            // One blur after another: their variances add.
            blur(&mut blurred, wide, scale * (sigma * sigma - done).sqrt());
            done = sigma * sigma;
            *level = blurred.clone();
        }
        let [fine, coarse] = coarse;
        let [begin, middle, end] = FADE;
        for (i, value) in values.iter_mut().enumerate() {
            let d = self.distance[i];
            if d > begin {
                let first = ((d - begin) / (middle - begin)).min(1.0);
                let second = ((d - middle) / (end - middle)).clamp(0.0, 1.0);
                let low = fine[i] + second * (coarse[i] - fine[i]);
                *value += first * (low - *value);
            }
        }
        values
    }

    /// All planes of a picture, continued.
    pub(super) fn planes(&self, picture: &Picture) -> Vec<Vec<f32>> {
        let planes: Vec<&[f32]> = picture.each_plane().collect();
        planes.into_par_iter().map(|p| self.plane(p)).collect()
    }
}

/// The sector without its rim; the picture's border cuts tissue and has none.
fn tissue(mask: &[bool], side: usize, rim: f32) -> Vec<bool> {
    let outside: Vec<bool> = mask.iter().map(|m| !m).collect();
    let Some(edge) = nearest(&outside, side) else {
        return mask.to_vec();
    };
    let deep = |(i, &[x, y]): (usize, &[u32; 2])| {
        let (dx, dy) = (x as f32 - (i % side) as f32, y as f32 - (i / side) as f32);
        dx.hypot(dy) > rim
    };
    edge.iter().enumerate().map(deep).collect()
}

/// Three means over a window, which are nearly a Gaussian of this standard deviation; beyond the border
/// the outermost values go on.
pub(super) fn blur(values: &mut [f32], width: usize, sigma: f32) {
    // The variance of three windows of 2 r + 1 is ((2 r + 1)^2 - 1) / 4.
    let radius = ((4.0 * sigma * sigma + 1.0).sqrt() / 2.0 - 0.5).round() as usize;
    if radius == 0 {
        return;
    }
    for _ in 0..3 {
        values.par_chunks_exact_mut(width).for_each_init(
            || vec![0.0; width],
            |copy, row| {
                copy.copy_from_slice(row);
                window_means(copy, radius, row);
            },
        );
        columns(values, width, radius);
    }
}

fn window_means(from: &[f32], radius: usize, to: &mut [f32]) {
    let (r, last) = (radius as isize, from.len() as isize - 1);
    let at = |i: isize| from[i.clamp(0, last) as usize];
    let mut sum: f32 = (-r..=r).map(at).sum();
    let share = 1.0 / (2 * radius + 1) as f32;
    for (i, to) in to.iter_mut().enumerate() {
        *to = sum * share;
        let i = i as isize;
        sum += at(i + r + 1) - at(i - r);
    }
}

/// Down all columns at once.
fn columns(values: &mut [f32], width: usize, radius: usize) {
    let from = values.to_vec();
    let (r, last) = (radius as isize, (from.len() / width) as isize - 1);
    let row = |y: isize| &from[y.clamp(0, last) as usize * width..][..width];
    let mut sums = vec![0.0; width];
    for y in -r..=r {
        for (sum, value) in sums.iter_mut().zip(row(y)) {
            *sum += value;
        }
    }
    let share = 1.0 / (2 * radius + 1) as f32;
    for (y, to) in values.chunks_exact_mut(width).enumerate() {
        let (come, go) = (row(y as isize + r + 1), row(y as isize - r));
        for (((to, sum), come), go) in to.iter_mut().zip(&mut sums).zip(come).zip(go) {
            *to = *sum * share;
            *sum += come - go;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripes(side: usize) -> Picture {
        let value = |i: usize| 0.3 + 0.4 * ((i % side + i / side) % 7) as f32 / 7.0;
        Picture::new(1, side, (0..side * side).map(value).collect()).unwrap()
    }

    #[test]
    fn beyond_the_border_tissue_is_mirrored_then_fades() {
        let side = 112;
        let picture = stripes(side);
        let extension = Extension::new(&vec![true; side * side], side).unwrap();
        let plane = &extension.planes(&picture)[0];
        let (margin, wide) = (margin(side), side + 2 * margin(side));
        let at = |x: usize, y: usize| plane[(y + margin) * wide + x + margin];
        // All of the picture is its own.
        for (i, &v) in picture.planes().iter().enumerate() {
            assert_eq!(at(i % side, i / side), v);
        }
        for d in 1..=FADE[0] as usize {
            assert_eq!(at(50, side - 1 + d), at(50, side - 1 - d));
        }
        let spread = |d: usize| {
            let row: Vec<f32> = (20..90).map(|x| at(x, side - 1 + d)).collect();
            let mean = row.iter().sum::<f32>() / row.len() as f32;
            assert!((mean - 0.47).abs() < 0.03, "{mean}");
            row.iter().map(|v| (v - mean).abs()).fold(0.0, f32::max)
        };
        assert!(spread(9) > 0.15);
        assert!(spread(23) < 0.04, "{}", spread(23));
    }

    #[test]
    fn the_rim_and_what_lies_outside_are_tissue_too() {
        // A bright half, its rim half as bright, black outside and a mark there.
        let side = 112;
        let value = |i: usize| match i % side {
            0..60 => 0.6,
            60..62 => 0.3,
            70 => 1.0,
            _ => 0.0,
        };
        let picture = Picture::new(1, side, (0..side * side).map(value).collect()).unwrap();
        let mask: Vec<bool> = (0..side * side).map(|i| i % side < 62).collect();
        let extension = Extension::new(&mask, side).unwrap();
        for &v in &extension.planes(&picture)[0] {
            assert!((v - 0.6).abs() < 0.01, "{v}");
        }
    }

    #[test]
    fn a_mask_without_tissue_continues_nothing() {
        assert!(Extension::new(&[false; 112 * 112], 112).is_none());
    }

    #[test]
    fn a_blur_keeps_the_mean_and_has_its_width() {
        let width = 61;
        let mut values = vec![0.0; width * width];
        values[30 * width + 30] = 1.0;
        // Windows of nine.
        blur(&mut values, width, 20f32.sqrt());
        let (mut sum, mut second) = (0.0, 0.0);
        for (i, v) in values.iter().enumerate() {
            sum += v;
            second += v * ((i % width) as f32 - 30.0).powi(2);
        }
        assert!((sum - 1.0).abs() < 1e-3);
        assert!((second - 20.0).abs() < 0.1, "{second}");
    }
}
