//! Gaussian blur, one direction at a time.

use super::maths;

/// What lies beyond the first and the last value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Edge {
    /// The value at the edge, on and on.
    Repeat,
    /// The other end.
    Wrap,
}

impl Edge {
    fn index(self, i: isize, n: usize) -> usize {
        match self {
            Self::Repeat => i.clamp(0, n as isize - 1) as usize,
            Self::Wrap => i.rem_euclid(n as isize) as usize,
        }
    }
}

/// A Gaussian of sum 1, cut at four sigmas.
#[derive(Clone, Debug)]
pub(super) struct Kernel(Vec<f32>);

impl Kernel {
    /// `sigma` in samples.
    pub(super) fn new(sigma: f64) -> Self {
        let reach = (4.0 * sigma).ceil().clamp(1.0, 64.0) as i32;
        let of = |i: i32| maths::exp((-0.5 * f64::from(i * i) / (sigma * sigma)) as f32);
        let weights: Vec<f32> = (-reach..=reach).map(of).collect();
        let sum: f32 = weights.iter().sum();
        Self(weights.iter().map(|w| w / sum).collect())
    }

    fn reach(&self) -> usize {
        self.0.len() / 2
    }

    /// The share of the variance that blur leaves of noise whose neighbours `distance` samples apart are
    /// correlated by `correlation(distance)`.
    pub(super) fn variance_left(&self, correlation: impl Fn(f32) -> f32) -> f32 {
        let n = self.0.len();
        let pairs = |apart: usize| -> f32 {
            let later = self.0.iter().skip(apart);
            self.0.iter().zip(later).map(|(a, b)| a * b).sum()
        };
        let apart = (1..n).map(|k| 2.0 * pairs(k) * correlation(k as f32));
        pairs(0) + apart.sum::<f32>()
    }

    /// Along each row of `values`, which has rows of `columns`; `line` is room to work in.
    pub(super) fn along_rows(&self, values: &mut [f32], columns: usize, edge: Edge) {
        let reach = self.reach();
        let mut line = vec![0.0f32; columns + 2 * reach];
        for row in values.chunks_exact_mut(columns) {
            for (k, place) in line.iter_mut().enumerate() {
                *place = row[edge.index(k as isize - reach as isize, columns)];
            }
            row.fill(0.0);
            for (k, weight) in self.0.iter().enumerate() {
                for (sum, value) in row.iter_mut().zip(&line[k..]) {
                    *sum += weight * value;
                }
            }
        }
    }

    /// Across the rows: of each column, from `values` into `blurred` of the same length.
    pub(super) fn across_rows(
        &self,
        values: &[f32],
        blurred: &mut [f32],
        columns: usize,
        edge: Edge,
    ) {
        let rows = values.len() / columns;
        let reach = self.reach() as isize;
        for (r, sums) in blurred.chunks_exact_mut(columns).enumerate() {
            sums.fill(0.0);
            for (k, weight) in self.0.iter().enumerate() {
                let from = edge.index(r as isize + k as isize - reach, rows) * columns;
                for (sum, value) in sums.iter_mut().zip(&values[from..from + columns]) {
                    *sum += weight * value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::{Purpose, Random};
    use super::*;

    #[test]
    fn a_point_becomes_a_bell_of_the_same_sum() {
        let mut picture = vec![0.0f32; 32 * 20];
        picture[0] = 1.0;
        let mut blurred = picture.clone();
        let kernel = Kernel::new(1.5);
        kernel.across_rows(&picture, &mut blurred, 20, Edge::Wrap);
        kernel.along_rows(&mut blurred, 20, Edge::Wrap);
        assert!((blurred.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let ratio = blurred[3] / blurred[0];
        assert!((ratio - (-2.0f32).exp()).abs() < 1e-4);
        assert!((blurred[3] - blurred[60]).abs() < 1e-7);
        assert!((blurred[3] - blurred[17]).abs() < 1e-7);
    }

    #[test]
    fn the_variance_that_is_left_is_foretold() {
        let mut noise = vec![0.0f32; 1 << 18];
        Random::new(1, Purpose::Unevenness).fill(&mut noise);
        let (first, second) = (Kernel::new(1.2), Kernel::new(2.0));
        let variance = |v: &[f32]| v.iter().map(|x| f64::from(x * x)).sum::<f64>() / v.len() as f64;
        first.along_rows(&mut noise, 512, Edge::Wrap);
        let before = variance(&noise);
        assert!((f64::from(first.variance_left(|_| 0.0)) / before - 1.0).abs() < 0.03);
        second.along_rows(&mut noise, 512, Edge::Wrap);
        let left = second.variance_left(|d| (-d * d / (4.0 * 1.44)).exp());
        assert!((variance(&noise) / before / f64::from(left) - 1.0).abs() < 0.03);
    }
}
