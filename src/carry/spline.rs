//! Interpolation by cubic B-splines: coefficients whose spline passes through the picture's values (Unser,
//! Aldroubi and Eden, "B-spline signal processing", 1993; Thevenaz, Blu and Unser, "Interpolation revisited",
//! 2000). It keeps more of speckle than a kernel on the values themselves does.

/// The root of the spline's filter, `sqrt(3) - 2`.
const POLE: f32 = -0.267_949_2;
/// `6`, of a filter along one axis.
const GAIN: f32 = 6.0;
/// The last coefficient from the two last values of the first pass, `z / (z^2 - 1)`.
const END: f32 = POLE / (POLE * POLE - 1.0);
/// Terms after which a power of the pole is nothing in `f32`.
const HORIZON: usize = 16;

/// From values `[height, width]` to coefficients, in place; the picture is mirrored about its outermost
/// pixels. Each side has at least two pixels.
pub(super) fn prefilter(values: &mut [f32], width: usize) {
    for row in values.chunks_exact_mut(width) {
        filter_row(row);
    }
    filter_columns(values, width);
}

/// Forwards `c[k] = 6 s[k] + z c[k - 1]`, backwards `c[k] = z (c[k + 1] - c[k])`.
fn filter_row(row: &mut [f32]) {
    let n = row.len();
    // What the mirrored picture to the left adds to the first value.
    let mut before = 0.0;
    for k in (1..=HORIZON.min(n - 1)).rev() {
        before = POLE * (before + row[k]);
    }
    row[0] += before;
    let mut last = 0.0;
    for value in row.iter_mut() {
        last = GAIN * *value + POLE * last;
        *value = last;
    }
    let mut after = END * (row[n - 1] + POLE * row[n - 2]);
    row[n - 1] = after;
    for value in row[..n - 1].iter_mut().rev() {
        after = POLE * (after - *value);
        *value = after;
    }
}

/// The same down all columns at once, a row at a time.
fn filter_columns(values: &mut [f32], width: usize) {
    let n = values.len() / width;
    let mut before = vec![0.0; width];
    for k in (1..=HORIZON.min(n - 1)).rev() {
        for (sum, value) in before.iter_mut().zip(&values[k * width..][..width]) {
            *sum = POLE * (*sum + value);
        }
    }
    for (value, sum) in values.iter_mut().zip(&before) {
        *value = GAIN * (*value + sum);
    }
    for k in 1..n {
        let (above, here) = values.split_at_mut(k * width);
        for (value, last) in here[..width].iter_mut().zip(&above[(k - 1) * width..]) {
            *value = GAIN * *value + POLE * last;
        }
    }
    let (above, end) = values.split_at_mut((n - 1) * width);
    for (value, last) in end.iter_mut().zip(&above[(n - 2) * width..]) {
        *value = END * (*value + POLE * last);
    }
    for k in (0..n - 1).rev() {
        let (here, below) = values.split_at_mut((k + 1) * width);
        for (value, after) in here[k * width..].iter_mut().zip(&below[..width]) {
            *value = POLE * (after - *value);
        }
    }
}

/// The cubic B-spline at the four coefficients about a place, which lies `t` (0 to 1) behind the second.
#[inline]
pub(super) fn weights(t: f32) -> [f32; 4] {
    let u = 1.0 - t;
    let (t2, u2) = (t * t, u * u);
    [
        u2 * u * (1.0 / 6.0),
        t2 * (0.5 * t - 1.0) + 2.0 / 3.0,
        u2 * (0.5 * u - 1.0) + 2.0 / 3.0,
        t2 * t * (1.0 / 6.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spline_passes_through_the_values() {
        let (width, height) = (23, 17);
        let value = |i: usize| ((i * 2_654_435_761) >> 7 & 255) as f32 / 255.0;
        let values: Vec<f32> = (0..width * height).map(value).collect();
        let mut c = values.clone();
        prefilter(&mut c, width);
        let mirrored = |i: isize, n: usize| {
            let i = i.unsigned_abs();
            if i < n { i } else { 2 * (n - 1) - i }
        };
        let w = weights(0.0);
        for y in 0..height {
            for x in 0..width {
                let mut sum = 0.0;
                for j in 0..4 {
                    for k in 0..4 {
                        let row = mirrored((y + j) as isize - 1, height);
                        let column = mirrored((x + k) as isize - 1, width);
                        sum += w[j] * w[k] * c[row * width + column];
                    }
                }
                assert!((sum - values[y * width + x]).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn weights_sum_to_one_and_are_mirrored() {
        for i in 0..=10 {
            let t = i as f32 / 10.0;
            let (w, mut v) = (weights(t), weights(1.0 - t));
            v.reverse();
            assert!((w.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            for k in 0..4 {
                assert!((w[k] - v[k]).abs() < 1e-6);
            }
        }
    }
}
