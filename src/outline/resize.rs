//! Bilinear enlargement, as OpenCV's `resize` with `INTER_LINEAR`.

/// Where a pixel of the large picture lies between two of the small one.
#[derive(Clone, Copy)]
struct Tap {
    first: usize,
    second: usize,
    /// Share of the second, 0 to below 1.
    share: f32,
}

impl Tap {
    /// At a place along a row of `side` pixels whose centres are whole numbers. Beyond the outer
    /// centres the edge is repeated.
    fn at(place: f32, side: usize) -> Self {
        let last = side - 1;
        let floor = place.floor().max(0.0);
        let first = floor as usize;
        Self {
            first: first.min(last),
            second: (first + 1).min(last),
            share: if first < last && place > 0.0 {
                place - floor
            } else {
                0.0
            },
        }
    }
}

/// The field at the places of the taps, in both directions.
fn sample(field: &[f32], side: usize, taps: &[Tap]) -> Vec<f32> {
    let size = taps.len();
    let mut wide = vec![0.0f32; side * size];
    for (row, out) in field.chunks_exact(side).zip(wide.chunks_exact_mut(size)) {
        for (o, t) in out.iter_mut().zip(taps) {
            *o = row[t.first] * (1.0 - t.share) + row[t.second] * t.share;
        }
    }
    let mut large = vec![0.0f32; size * size];
    for (out, t) in large.chunks_exact_mut(size).zip(taps) {
        let upper = &wide[t.first * size..][..size];
        let lower = &wide[t.second * size..][..size];
        for ((o, a), b) in out.iter_mut().zip(upper).zip(lower) {
            *o = a * (1.0 - t.share) + b * t.share;
        }
    }
    large
}

/// A square field `[side, side]`, row by row, enlarged to `[size, size]`: pixels are squares whose
/// centres correspond, `(x + 1/2) side / size - 1/2`. Empty where the field has another length.
pub fn upsample(field: &[f32], side: usize, size: usize) -> Vec<f32> {
    if side == 0 || size == 0 || field.len() != side * side {
        return Vec::new();
    }
    let scale = side as f64 / size as f64;
    let tap = |x: usize| Tap::at(((x as f64 + 0.5) * scale - 0.5) as f32, side);
    let taps: Vec<Tap> = (0..size).map(tap).collect();
    sample(field, side, &taps)
}

/// The same field at the corners of the enlarged pixels, `[size + 1, size + 1]`. Where `size` is an
/// even multiple of `side`, each pixel of the small field is a corner: the bilinear field has no
/// kinks within an enlarged pixel.
pub(super) fn corners(field: &[f32], side: usize, size: usize) -> Vec<f32> {
    if side == 0 || size == 0 || field.len() != side * side {
        return Vec::new();
    }
    let scale = side as f64 / size as f64;
    let tap = |x: usize| Tap::at((x as f64 * scale - 0.5) as f32, side);
    let taps: Vec<Tap> = (0..=size).map(tap).collect();
    sample(field, side, &taps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_stays_a_ramp_between_the_outer_centres() {
        let side = 28;
        let ramp: Vec<f32> = (0..side * side)
            .map(|i| (i % side) as f32 - 2.0 * (i / side) as f32)
            .collect();
        let large = upsample(&ramp, side, 112);
        for y in 2..110 {
            for x in 2..110 {
                let at = |k: usize| (k as f32 + 0.5) / 4.0 - 0.5;
                let expected = at(x) - 2.0 * at(y);
                assert!((large[y * 112 + x] - expected).abs() < 1e-4);
            }
        }
        assert_eq!(large[0], ramp[0]);
        assert_eq!(large.last(), ramp.last());
    }

    #[test]
    fn corners_hold_the_pixels_themselves() {
        let field: Vec<f32> = (0..9).map(|i| (i * i) as f32).collect();
        let corners = corners(&field, 3, 12);
        assert_eq!(corners.len(), 13 * 13);
        for i in 0..9 {
            assert_eq!(corners[(i / 3 * 4 + 2) * 13 + i % 3 * 4 + 2], field[i]);
        }
        assert_eq!((corners[0], corners[168]), (0.0, 64.0));
    }

    #[test]
    fn another_length_gives_nothing() {
        assert!(upsample(&[0.0; 5], 2, 4).is_empty());
        assert!(upsample(&[], 0, 4).is_empty());
    }
}
