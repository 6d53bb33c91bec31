//! Gaussian blur as OpenCV's `GaussianBlur` with a standard deviation alone; at the frame's edges
//! what lies inside is mirrored about the outermost pixel.

use super::Flow;

/// A normalised Gaussian over `2 * reach + 1` pixels.
fn gaussian(sigma: f64, reach: usize) -> Vec<f64> {
    let weight = |k: usize| {
        let x = k as f64 - reach as f64;
        (-x * x / (2.0 * sigma * sigma)).exp()
    };
    let weights: Vec<f64> = (0..=2 * reach).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}

/// Pixels on each side that a kernel reaches: `sigmas` standard deviations.
fn reach(sigma: f64, sigmas: f64) -> usize {
    (2.0 * sigma * sigmas + 1.0).round_ties_even().max(1.0) as usize / 2
}

/// Index of the pixel that stands for `k - reach`, mirrored as often as needed.
fn mirrored(k: usize, reach: usize, side: usize) -> usize {
    if side == 1 {
        return 0;
    }
    let period = 2 * (side as i64 - 1);
    let place = (k as i64 - reach as i64).rem_euclid(period);
    place.min(period - place) as usize
}

/// The weighted sum around each element of a row of `side`, for kernels of odd length.
fn along<T: Copy, S: Copy>(
    side: usize,
    kernel: &[T],
    zero: S,
    add: impl Fn(S, T, usize) -> S,
) -> Vec<S> {
    let reach = kernel.len() / 2;
    (0..side)
        .map(|x| {
            kernel.iter().enumerate().fold(zero, |sum, (k, &weight)| {
                add(sum, weight, mirrored(x + k, reach, side))
            })
        })
        .collect()
}

/// A gray frame `[side, side]`, row by row, blurred over 3 standard deviations. Computed in fixed
/// point, as OpenCV does for bytes: weights are 256ths whose rounding errors are handed on. Empty
/// where the frame has another length.
pub fn blur_levels(frame: &[u8], side: usize, sigma: f64) -> Vec<u8> {
    if side == 0 || frame.len() != side * side {
        return Vec::new();
    }
    let exact = gaussian(sigma, reach(sigma, 3.0));
    let middle = exact.len() / 2;
    let mut kernel = vec![0u32; exact.len()];
    let mut error = 0.0;
    for k in 0..middle {
        let wanted = exact[k] * 256.0 + error;
        let rounded = wanted.round_ties_even();
        error = wanted - rounded;
        kernel[k] = rounded as u32;
        kernel[exact.len() - 1 - k] = rounded as u32;
    }
    let outer: u32 = kernel.iter().sum();
    kernel[middle] = 256u32.saturating_sub(outer);
    let mut wide = Vec::with_capacity(frame.len());
    for row in frame.chunks_exact(side) {
        wide.extend(along(side, &kernel, 0u32, |sum, w, x| {
            sum + w * u32::from(row[x])
        }));
    }
    let mut blurred = vec![0; frame.len()];
    for x in 0..side {
        let column = along(side, &kernel, 0u32, |sum, w, y| {
            sum + w * wide[y * side + x]
        });
        for (y, sum) in column.into_iter().enumerate() {
            blurred[y * side + x] = ((sum + (1 << 15)) >> 16).min(255) as u8;
        }
    }
    blurred
}

/// A flow blurred over 4 standard deviations.
pub fn blur_flow(flow: &Flow, sigma: f64) -> Flow {
    let kernel: Vec<f32> = gaussian(sigma, reach(sigma, 4.0))
        .into_iter()
        .map(|w| w as f32)
        .collect();
    let side = flow.side;
    let blur = |field: &[f32]| {
        let mut wide = Vec::with_capacity(field.len());
        for row in field.chunks_exact(side) {
            wide.extend(along(side, &kernel, 0.0f32, |sum, w, x| sum + w * row[x]));
        }
        let mut blurred = vec![0.0; field.len()];
        for x in 0..side {
            let column = along(side, &kernel, 0.0f32, |sum, w, y| {
                sum + w * wide[y * side + x]
            });
            for (y, sum) in column.into_iter().enumerate() {
                blurred[y * side + x] = sum;
            }
        }
        blurred
    };
    Flow {
        side,
        x: blur(&flow.x),
        y: blur(&flow.y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_becomes_a_gaussian() {
        let mut frame = vec![0u8; 21 * 21];
        frame[10 * 21 + 10] = 255;
        let blurred = blur_levels(&frame, 21, 1.0);
        // 255 / (2 pi), and exp(-1/2) of that beside it.
        assert!(blurred[10 * 21 + 10].abs_diff(41) <= 1);
        assert!(blurred[10 * 21 + 11].abs_diff(25) <= 1);
        assert_eq!(blurred[10 * 21 + 11], blurred[9 * 21 + 10]);
        assert_eq!(blurred[10 * 21 + 14], 0);
    }

    #[test]
    fn what_is_even_stays_even() {
        assert_eq!(blur_levels(&[77; 81], 9, 1.0), vec![77; 81]);
        let flow = Flow {
            side: 9,
            x: vec![1.5; 81],
            y: vec![-2.0; 81],
        };
        let blurred = blur_flow(&flow, 2.0);
        assert!(blurred.x.iter().all(|v| (v - 1.5).abs() < 1e-5));
        assert!(blurred.y.iter().all(|v| (v + 2.0).abs() < 1e-5));
    }

    #[test]
    fn edges_mirror_about_the_outermost_pixel() {
        let places: Vec<usize> = (0..9).map(|k| mirrored(k, 3, 3)).collect();
        assert_eq!(places, [1, 2, 1, 0, 1, 2, 1, 0, 1]);
        assert_eq!(mirrored(7, 3, 1), 0);
        assert_eq!((reach(1.0, 3.0), reach(2.0, 4.0)), (3, 8));
    }
}
