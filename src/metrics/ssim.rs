//! Structural similarity of two videos.

use crate::clip::Video;

const TAPS: usize = 11;
const SIGMA: f64 = 1.5;
/// `(k1 L)^2` and `(k2 L)^2` with k1 = 0.01, k2 = 0.03 and a data range L of 1.
const C1: f64 = 1e-4;
const C2: f64 = 9e-4;

/// Mean SSIM (Wang et al., *Image quality assessment*, 2004) over frames and channels of two videos of
/// one shape in 0..1: Gaussian window of 11 x 11 with a standard deviation of 1.5 pixels, positions
/// whose window lies within the frame. As torchmetrics 0.10 computes it for the paper.
///
/// `None` when the shapes differ or the frames are smaller than the window.
pub fn ssim(a: &Video, b: &Video) -> Option<f64> {
    let shape = |v: &Video| (v.channels, v.frames, v.height, v.width);
    if shape(a) != shape(b) {
        return None;
    }
    let planes = a.data.chunks_exact(a.height * a.width);
    let others = b.data.chunks_exact(b.height * b.width);
    let each: Option<Vec<f64>> = planes
        .zip(others)
        .map(|(a_plane, b_plane)| plane(a_plane, b_plane, a.height, a.width))
        .collect();
    let each = each.filter(|e| !e.is_empty())?;
    Some(each.iter().sum::<f64>() / each.len() as f64)
}

fn plane(a: &[f32], b: &[f32], h: usize, w: usize) -> Option<f64> {
    if h < TAPS || w < TAPS {
        return None;
    }
    let of = |value: fn(f64, f64) -> f64| {
        let values = a
            .iter()
            .zip(b)
            .map(|(a, b)| value((*a).into(), (*b).into()));
        blurred(&values.collect::<Vec<f64>>(), h, w)
    };
    let (mean_a, mean_b) = (of(|a, _| a), of(|_, b| b));
    let (square_a, square_b, product) = (of(|a, _| a * a), of(|_, b| b * b), of(|a, b| a * b));
    let n = mean_a.len();
    let sum: f64 = (0..n)
        .map(|i| {
            let (ma, mb) = (mean_a[i], mean_b[i]);
            let (va, vb) = (square_a[i] - ma * ma, square_b[i] - mb * mb);
            let cov = product[i] - ma * mb;
            (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2))
        })
        .sum();
    Some(sum / n as f64)
}

/// Gaussian means where the window fits: `(h - 10) x (w - 10)`.
fn blurred(x: &[f64], h: usize, w: usize) -> Vec<f64> {
    let half = (TAPS / 2) as f64;
    let mut taps: [f64; TAPS] =
        std::array::from_fn(|i| (-((i as f64 - half) / SIGMA).powi(2) / 2.0).exp());
    let total: f64 = taps.iter().sum();
    taps.iter_mut().for_each(|t| *t /= total);
    let (oh, ow) = (h + 1 - TAPS, w + 1 - TAPS);
    let along: Vec<f64> = (0..h * ow)
        .map(|i| {
            let row = &x[i / ow * w + i % ow..][..TAPS];
            row.iter().zip(&taps).map(|(x, t)| x * t).sum()
        })
        .collect();
    (0..oh * ow)
        .map(|i| {
            let column = along[i..].iter().step_by(ow);
            column.zip(&taps).map(|(x, t)| x * t).sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(size: usize, value: impl Fn(usize) -> f32) -> Video {
        Video {
            channels: 1,
            frames: 2,
            height: size,
            width: size,
            data: (0..2 * size * size).map(value).collect(),
        }
    }

    #[test]
    fn a_video_is_like_itself_and_less_like_another() {
        let wave = video(20, |i| 0.5 + 0.4 * (i as f32 * 0.3).sin());
        let noisy = video(20, |i| {
            0.5 + 0.4 * (i as f32 * 0.3).sin() + 0.1 * (i as f32).cos()
        });
        assert!((ssim(&wave, &wave).unwrap() - 1.0).abs() < 1e-12);
        let less = ssim(&wave, &noisy).unwrap();
        assert!((0.3..0.99).contains(&less), "{less}");
    }

    #[test]
    fn what_cannot_be_compared_has_no_similarity() {
        assert_eq!(ssim(&video(20, |_| 0.5), &video(21, |_| 0.5)), None);
        assert_eq!(ssim(&video(10, |_| 0.5), &video(10, |_| 0.5)), None);
    }
}
